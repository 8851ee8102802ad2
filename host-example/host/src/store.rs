//! Where verified blobs lie: the cache of a repository, or a plain folder the user asked for.
//!
//! Rule: a blob gets its final name by one rename, only after the engine judged it. An entry is present only when it is
//! a regular file of the right size that is trusted; what is not trusted yet is hashed first.

mod adopted;
mod boot;
pub(crate) mod clones;
mod displaced;
mod entry;
pub(crate) mod format;
mod incoming;
mod machine;
mod marks;
mod prove;
mod recorded;
mod stage;
mod tend;

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::files::{Access, Dir};
use adopted::Adopted;
pub use adopted::Kept;
pub(crate) use adopted::{ADOPTED, COPYING, DISPLACED, KEPT, KEPT_NUMBER_MAX, Note};
pub(crate) use clones::Sharer;
pub use incoming::MEMORY_BYTES_MAX;
pub(crate) use incoming::{Incoming, Staged, Step, Writer, hash_into, unwatched};
pub(crate) use machine::{Claim, claim};
pub use marks::is_cache;
pub(crate) use marks::{Kind as FolderKind, kind_of};
pub(crate) use prove::Proof;
use recorded::Recorded;
pub(crate) use stage::StageFile;
pub use tend::{Entry, PruneRule, Removed, Verified};

use crate::contract::error::HostError;
use crate::contract::types::Blob;
use crate::files::digest::{Digesting, is_oid};
use crate::files::workers::Worker;

/// The folder of the cache shape that holds what is on its way in.
const STAGE: &str = "stage";
/// Begins the name of every file of ours that is no entry.
const HIDDEN: &str = ".hydrant-";
/// Beginnings of blobs that are held for the exchanges that will go on with them; each is an open file.
const BEGUN_MAX: usize = 256;

/// Numbers the temporary files of this process.
static TEMPORARIES: AtomicU64 = AtomicU64::new(0);

/// A store of blobs.
///
/// The cache shape survives a power loss: entries are trusted within the boot that wrote them, and hashed again after
/// it. A plain folder is not synced: what was reported as done can be gone or torn after a power loss. The next run
/// into the same folder hashes every file that is there and fetches what is not whole.
pub struct Store {
    shape: Shape,
    /// It was opened to be read: nothing is made, moved, removed or locked.
    reads: bool,
    /// Folders of entries from before the last start of the machine.
    unproved: Vec<Dir>,
    /// Files that gave way to their pointers.
    adopted: Adopted,
    /// The clone's own cache, where this one is shared with other clones: it holds what no server sent.
    own: Option<Box<Store>>,
    /// Folders in git-lfs's own layout, read only.
    second_sources: Vec<PathBuf>,
    /// Files of another recorder, read only.
    recorded: Option<Recorded>,
    /// Received, and waiting for the engine's word; by the names of their stages.
    staged: HashMap<String, Staged>,
    /// Called a beginning, and kept locked until an exchange goes on with it. A leftover is named by its oid.
    begun: HashMap<String, StageFile>,
    /// Entries that are not what they are called.
    distrusted: HashSet<String>,
    /// Entries that no clean-up takes.
    spared: HashSet<String>,
    /// Whether the folder of stages holds any, once somebody looked.
    has_stages: Option<bool>,
    /// Sync each entry, where boots have no names.
    synced: bool,
    /// Begins the names of this run's temporary files.
    prefix: String,
}

enum Shape {
    Cache(Rooms),
    Plain(Rc<Dir>),
}

/// The folders of a cache. Whoever only reads makes none, so any may be missing; a writer has them all.
#[derive(Default)]
struct Rooms {
    root: Option<Dir>,
    /// What is trusted.
    entries: Option<Rc<Dir>>,
    stage: Option<Rc<Dir>>,
}

/// What the store has of a blob.
pub(crate) enum Held {
    /// All of it, trusted.
    Present,
    /// A beginning, and what its answer called itself.
    Partial { bytes: u64, validator: Option<String> },
    /// A stage as long as the blob: hash it, then let the engine judge.
    Whole(StageFile),
    /// Something of the right size that must be hashed before it is called present.
    Unproved(Proof),
    /// Nothing.
    Absent,
}

/// What a reader finds.
#[derive(Debug)]
pub enum Look {
    /// The content, verified just now; the file stands at its beginning.
    Content(File),
    /// Something is there and is not the content.
    Corrupt,
    /// Nothing is there.
    Absent,
}

impl Store {
    /// The cache of a repository: `cache/<aa>/<oid>`, stages beside it, all of it the user's alone.
    pub fn cache(dir: &Path) -> Result<Store, HostError> {
        Store::open_cache(dir, crate::files::platform::boot())
            .map_err(|error| HostError::io("the cache cannot be opened", &error))
    }

    fn open_cache(dir: &Path, boot: Option<String>) -> io::Result<Store> {
        Store::in_dir(Dir::open_or_create(dir, Access::Owner)?, boot)
    }

    /// The cache in this folder, to be written: its folders are made, and entries of an earlier boot are moved aside.
    pub(crate) fn in_dir(root: Dir, boot: Option<String>) -> io::Result<Store> {
        format::check(&root)?;
        let unproved = boot::enter(&root, boot.as_deref())?;
        let entries = Some(Rc::new(root.dir(boot::CACHE)?));
        let stage = Some(Rc::new(root.dir(STAGE)?));
        let adopted = Adopted::read(&root)?;
        let rooms = Rooms { root: Some(root), entries, stage };
        let store = Store::new(Shape::Cache(rooms), unproved, boot.is_none());
        Ok(Store { adopted, ..store })
    }

    /// The cache of a repository as it is, to be read: nothing is made, moved, removed or locked. It need not be there,
    /// and where another user's cannot be looked into, it is as if it were not.
    pub fn reading(dir: &Path) -> Result<Store, HostError> {
        Store::open_reading(dir, crate::files::platform::boot())
            .map_err(|error| HostError::io("the cache cannot be read", &error))
    }

    fn open_reading(dir: &Path, boot: Option<String>) -> io::Result<Store> {
        let root = match Dir::open(dir, Access::Owner) {
            Ok(root) => root,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => {
                let nothing = Store::new(Shape::Cache(Rooms::default()), Vec::new(), false);
                return Ok(Store { reads: true, ..nothing });
            }
            Err(error) => return Err(error),
        };
        format::check(&root)?;
        let (entries, unproved) = boot::look(&root, boot.as_deref())?;
        let stage = root.dir_if_any(STAGE)?.map(Rc::new);
        let adopted = Adopted::read(&root)?;
        let rooms = Rooms { root: Some(root), entries: entries.map(Rc::new), stage };
        let store = Store::new(Shape::Cache(rooms), unproved, boot.is_none());
        Ok(Store { adopted, reads: true, ..store })
    }

    /// This cache, shared with other clones, in front of the clone's own: what a server sends comes here, and whatever
    /// else is found stays in the clone, where no other clone's clean-up finds it.
    pub(crate) fn before(self, own: Store) -> Store {
        Store { own: Some(Box::new(own)), ..self }
    }

    /// A plain folder: `<oid>`, with hidden stage files beside the entries. Nothing in it is synced.
    pub fn into_dir(dir: &Path) -> Result<Store, HostError> {
        let folder = Dir::open_or_create(dir, Access::Umask)
            .map_err(|error| HostError::io("the folder cannot be opened", &error))?;
        Ok(Store::new(Shape::Plain(Rc::new(folder)), Vec::new(), false))
    }

    fn new(shape: Shape, unproved: Vec<Dir>, synced: bool) -> Store {
        let prefix = format!("{HIDDEN}{}-{:x}", std::process::id(), crate::contract::clock::wall());
        let (staged, begun, adopted) = (HashMap::new(), HashMap::new(), Adopted::default());
        Store {
            shape,
            reads: false,
            unproved,
            adopted,
            own: None,
            second_sources: Vec::new(),
            recorded: None,
            staged,
            begun,
            distrusted: HashSet::new(),
            spared: HashSet::new(),
            has_stages: None,
            synced,
            prefix,
        }
    }

    /// Names an object store of git-lfs's (`…/lfs/objects`): what it has is copied and verified on use, never written.
    pub fn second_source(mut self, objects: &Path) -> Store {
        self.copying().second_sources.push(objects.to_path_buf());
        self
    }

    /// Takes these entries for absent, because they turned out to be something else: what is fetched takes their
    /// place, and until then they stay.
    pub(crate) fn distrusting(mut self, oids: impl IntoIterator<Item = String>) -> Store {
        let oids: Vec<String> = oids.into_iter().collect();
        if let Some(own) = &mut self.own {
            own.distrusted.extend(oids.iter().cloned());
        }
        self.distrusted.extend(oids);
        self
    }

    /// Keeps these entries from being pruned or cleared: somebody may still need them.
    pub(crate) fn sparing(mut self, oids: impl IntoIterator<Item = String>) -> Store {
        self.spared.extend(oids);
        self
    }

    /// Names a folder in which another recorder keeps files, `SESSION/NAME`: used like a second source.
    pub fn recorded_in(mut self, folder: &Path) -> Store {
        self.copying().recorded = Some(Recorded::in_folder(folder));
        self
    }

    /// The cache that no other clone shares.
    fn of_this_clone(&mut self) -> &mut Store {
        match self.own {
            Some(ref mut own) => own,
            None => self,
        }
    }

    /// The cache into which copies from elsewhere come: the clone's own, or, where that can only be read, the shared
    /// one. There a clean-up takes no more than a copy: what it is of stays where it is.
    fn copying(&mut self) -> &mut Store {
        let has_own = self.own.as_ref().is_some_and(|own| self.reads || !own.reads);
        if has_own { self.of_this_clone() } else { self }
    }

    /// Length of the entry of this oid, trusted or not.
    pub fn size_of(&self, oid: &str) -> Option<u64> {
        if !is_oid(oid) {
            return None;
        }
        let name = self.entry_name(oid);
        let entry =
            self.folders().filter_map(|folder| folder.find(&name).ok().flatten()).map(|found| found.size).next();
        let adopted = || self.find_adopted(oid).ok().flatten().map(|(_, _, found)| found.size);
        entry.or_else(adopted).or_else(|| self.own.as_ref().and_then(|own| own.size_of(oid)))
    }

    /// The same of what lies in this clone, and not in a cache that it shares.
    pub(crate) fn size_in_clone(&self, oid: &str) -> Option<u64> {
        self.own.as_ref().map_or_else(|| self.size_of(oid), |own| own.size_of(oid))
    }

    /// Opens an entry for a reader and hashes it first.
    pub fn open_verified(&self, oid: &str, size: u64) -> Result<Look, HostError> {
        if !is_oid(oid) {
            return Ok(Look::Absent);
        }
        self.look(oid, size).map_err(|error| HostError::io("the cache cannot be read", &error))
    }

    fn look(&self, oid: &str, size: u64) -> io::Result<Look> {
        let name = self.entry_name(oid);
        let mut is_corrupt = false;
        for folder in self.folders() {
            if folder.find(&name)?.is_none() {
                continue;
            }
            let mut file = folder.read(&name)?;
            let mut digest = Digesting::new();
            hash_into(&mut digest, &mut file, unwatched)?;
            let found = digest.finish();
            if found.oid != oid || found.size != size {
                is_corrupt = true;
                break;
            }
            file.rewind()?;
            folder.touch(&name);
            return Ok(Look::Content(file));
        }
        let elsewhere = match &self.own {
            Some(own) => own.look(oid, size)?,
            None if is_corrupt => Look::Absent,
            None => self.look_at_adopted(oid, size)?,
        };
        Ok(if is_corrupt && matches!(elsewhere, Look::Absent) { Look::Corrupt } else { elsewhere })
    }

    /// What the store has of a blob.
    pub(crate) fn has(&mut self, blob: &Blob) -> io::Result<Held> {
        valid(&blob.oid)?;
        let whole = match self.has_whole(blob)? {
            Held::Absent => self.has_in_own(blob)?,
            whole => whole,
        };
        if !matches!(whole, Held::Absent) {
            return Ok(whole);
        }
        let staged = if self.may_have_stage(blob)? { self.has_stage(blob)? } else { Held::Absent };
        Ok(match staged {
            Held::Absent => self.find_recorded(blob).map_or(Held::Absent, Held::Unproved),
            begun => begun,
        })
    }

    fn has_in_own(&mut self, blob: &Blob) -> io::Result<Held> {
        let Some(own) = &mut self.own else { return Ok(Held::Absent) };
        Ok(match own.has_whole(blob)? {
            Held::Unproved(proof) => Held::Unproved(proof.of_own()),
            other => other,
        })
    }

    /// All but what is not known to be whole.
    fn has_whole(&self, blob: &Blob) -> io::Result<Held> {
        let name = self.entry_name(&blob.oid);
        if let (true, Some(entries)) = (self.has_entry(blob)?, self.entries()) {
            if matches!(self.shape, Shape::Cache(_)) {
                entries.touch(&name);
                return Ok(Held::Present);
            }
            // A file that cannot be read is none: what is fetched takes its place.
            if let Ok(file) = entries.read(&name) {
                return Ok(Held::Unproved(Proof::in_place(file)));
            }
        }
        if let Some(proof) = self.find_in_unproved(blob).or_else(|| self.find_in_second_sources(blob)) {
            return Ok(Held::Unproved(proof));
        }
        if let Some((folder, note, found)) = self.find_adopted(&blob.oid)?
            && found.size == blob.size
        {
            return Ok(Held::Unproved(Proof::of_adopted(folder.read(note.name())?, folder, note)));
        }
        Ok(Held::Absent)
    }

    /// Small blobs have a stage only after a broken answer, and there may be thousands of them: one look at the folder
    /// tells whether any is worth a look of its own.
    fn may_have_stage(&mut self, blob: &Blob) -> io::Result<bool> {
        if blob.size > MEMORY_BYTES_MAX {
            return Ok(true);
        }
        if self.has_stages.is_none() {
            let names = self.stage().map(|stage| stage.names()).transpose()?.unwrap_or_default();
            self.has_stages = Some(names.iter().any(|name| name.starts_with(HIDDEN)));
        }
        Ok(self.has_stages == Some(true))
    }

    /// A beginning stays locked from here on, so that no other process writes what this one was told of. Who only reads
    /// has no use for one; a whole one is hashed where it lies.
    fn has_stage(&mut self, blob: &Blob) -> io::Result<Held> {
        if self.reads {
            return Ok(self.find_whole_stage(blob).map_or(Held::Absent, Held::Unproved));
        }
        let Some(stage) = self.take_stage(&blob.oid)? else { return Ok(Held::Absent) };
        let bytes = stage.size()?;
        if bytes > blob.size {
            // No beginning of it.
            return stage.remove().map(|()| Held::Absent);
        }
        if bytes == blob.size {
            return Ok(Held::Whole(stage));
        }
        if bytes == 0 || self.begun.len() >= BEGUN_MAX {
            return Ok(Held::Absent);
        }
        let validator = stage.validator();
        self.begun.insert(blob.oid.clone(), stage);
        Ok(Held::Partial { bytes, validator })
    }

    /// The stage of a blob, if it is there and nobody else has it.
    fn take_stage(&mut self, oid: &str) -> io::Result<Option<StageFile>> {
        match self.begun.remove(oid) {
            Some(stage) => Ok(Some(stage)),
            None if self.reads => Ok(None),
            None => self.stage().map_or(Ok(None), |stage| StageFile::existing(stage, &stage_name(oid))),
        }
    }

    /// Makes room for a blob that is about to come. `expected` is what the answer says of its length.
    pub(crate) fn receive(&mut self, blob: &Blob, keep: u64, expected: Option<u64>) -> io::Result<Receive> {
        valid(&blob.oid)?;
        if keep == 0 && expected.is_none_or(|bytes| bytes <= MEMORY_BYTES_MAX) {
            let room = usize::try_from(expected.unwrap_or(0)).unwrap_or(0);
            return Ok(Receive::Memory(Incoming::Memory(Vec::with_capacity(room))));
        }
        Ok(Receive::File(self.stage_file(&blob.oid)?))
    }

    /// The stage file of a blob, or a private one when another process has it.
    pub(crate) fn stage_file(&mut self, oid: &str) -> io::Result<StageFile> {
        self.has_stages = Some(true);
        match self.begun.remove(oid) {
            Some(stage) => Ok(stage),
            None => StageFile::open(self.stage_to_write()?, &stage_name(valid(oid)?), &self.temporary()),
        }
    }

    /// Holds a received blob until the engine says what becomes of it.
    pub(crate) fn hold(&mut self, stage: &str, staged: Staged) {
        self.staged.insert(stage.into(), staged);
    }

    /// Promotes what was staged: one rename.
    pub(crate) fn keep(&mut self, stage: &str, oid: &str) -> io::Result<()> {
        let oid = valid(oid)?;
        match self.staged.remove(stage) {
            Some(Staged::Memory(bytes)) => self.keep_bytes(oid, &bytes),
            Some(Staged::File(stage)) => self.keep_stage(oid, stage),
            None => Err(io::Error::new(io::ErrorKind::NotFound, "nothing of this blob was received")),
        }
    }

    fn keep_bytes(&mut self, oid: &str, bytes: &[u8]) -> io::Result<()> {
        let (temporary, stage) = (self.temporary(), self.stage_to_write()?);
        let mut file = stage.create_new(&temporary)?;
        let written = file.write_all(bytes).and_then(|()| self.enter(oid, &file, stage, &temporary));
        if written.is_err() {
            // The first error is the one that matters.
            stage.remove(&temporary).ok();
        }
        written
    }

    fn keep_stage(&mut self, oid: &str, stage: StageFile) -> io::Result<()> {
        stage.forget_validator()?;
        self.enter(oid, &stage.file, &stage.folder, &stage.name)?;
        if stage.private
            && let Ok(Some(begun)) = self.take_stage(oid)
        {
            // What another effect began is of no use any more. The entry is there, whatever becomes of this.
            begun.remove().ok();
        }
        Ok(())
    }

    /// Gives a complete file its final name.
    fn enter(&self, oid: &str, file: &File, folder: &Dir, name: &str) -> io::Result<()> {
        if self.synced {
            file.sync_all()?;
        }
        let (entry, entries) = (self.entry_name(oid), self.entries_to_write()?);
        match folder.rename(name, entries, &entry) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && matches!(self.shape, Shape::Cache(_)) => {
                entries.make_dir(&oid[..2])?;
                folder.rename(name, entries, &entry)?;
            }
            other => other?,
        }
        if self.synced { self.sync_names(oid, entries) } else { Ok(()) }
    }

    fn sync_names(&self, oid: &str, entries: &Dir) -> io::Result<()> {
        if let Shape::Cache(_) = &self.shape {
            entries.existing_dir(&oid[..2])?.sync()?;
        }
        entries.sync()
    }

    /// Forgets what was staged, in this run or an earlier one.
    pub(crate) fn drop_stage(&mut self, stage: &str) -> io::Result<()> {
        match self.staged.remove(stage) {
            Some(Staged::File(file)) => file.remove(),
            Some(Staged::Memory(_)) => Ok(()),
            None if is_oid(stage) => self.take_stage(stage)?.map_or(Ok(()), StageFile::remove),
            None => Ok(()),
        }
    }

    /// The folder of what is trusted, if it is there.
    fn entries(&self) -> Option<&Dir> {
        match &self.shape {
            Shape::Cache(rooms) => rooms.entries.as_deref(),
            Shape::Plain(folder) => Some(folder),
        }
    }

    fn stage(&self) -> Option<&Rc<Dir>> {
        match &self.shape {
            Shape::Cache(rooms) => rooms.stage.as_ref(),
            Shape::Plain(folder) => Some(folder),
        }
    }

    fn entries_to_write(&self) -> io::Result<&Dir> {
        self.entries().filter(|_| !self.reads).ok_or_else(only_read)
    }

    fn stage_to_write(&self) -> io::Result<&Rc<Dir>> {
        self.stage().filter(|_| !self.reads).ok_or_else(only_read)
    }

    /// All folders that may hold an entry, in the order in which they are looked into.
    fn folders(&self) -> impl Iterator<Item = &Dir> {
        self.entries().into_iter().chain(&self.unproved)
    }

    fn has_entry(&self, blob: &Blob) -> io::Result<bool> {
        if self.distrusted.contains(&blob.oid) {
            return Ok(false);
        }
        let Some(entries) = self.entries() else { return Ok(false) };
        Ok(entries.find(self.entry_name(&blob.oid))?.is_some_and(|found| found.size == blob.size))
    }

    fn entry_name(&self, oid: &str) -> String {
        match self.shape {
            Shape::Cache(_) => format!("{}/{oid}", &oid[..2]),
            Shape::Plain(_) => oid.into(),
        }
    }

    /// A name nobody else uses.
    fn temporary(&self) -> String {
        format!("{}-{}.tmp", self.prefix, TEMPORARIES.fetch_add(1, Ordering::Relaxed))
    }
}

/// Where a blob that is about to come will lie.
pub(crate) enum Receive {
    /// In memory.
    Memory(Incoming),
    /// In this file: begin a [`Writer`] on it.
    File(StageFile),
}

/// Begins to write a stage; [`Incoming::rewind`] comes next.
pub(crate) fn write_stage(
    stage: StageFile,
    keep: u64,
    validator: Option<&str>,
    worker: Worker,
) -> io::Result<Incoming> {
    Writer::begin(stage, keep, validator, worker).map(Incoming::File)
}

fn only_read() -> io::Error {
    io::Error::new(io::ErrorKind::ReadOnlyFilesystem, "the cache was opened to be read")
}

fn stage_name(oid: &str) -> String {
    format!("{HIDDEN}{oid}.part")
}

fn valid(oid: &str) -> io::Result<&str> {
    if is_oid(oid) { Ok(oid) } else { Err(io::Error::new(io::ErrorKind::InvalidInput, "this is no oid")) }
}

#[cfg(test)]
mod boot_tests;
#[cfg(test)]
mod contract_tests;
#[cfg(test)]
mod reading_tests;
#[cfg(test)]
mod stage_tests;
#[cfg(test)]
mod tests;
