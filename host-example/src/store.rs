//! Where verified blobs lie: the cache of a repository, or a plain folder the user asked for.
//!
//! Rule: a blob gets its final name by one rename, only after the engine judged it. An entry is present only when it is
//! a regular file of the right size that is trusted; what is not trusted yet is hashed first.

mod boot;
mod folder;
mod prove;
#[cfg(test)]
pub(crate) mod scratch;
mod stage;
mod tend;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use folder::{Access, Folder};
pub(crate) use prove::Proof;
pub use stage::MEMORY_BYTES_MAX;
pub(crate) use stage::{Incoming, StageFile, Staged, Writer, hash_into};
pub use tend::{Entry, PruneRule, Removed, Verified};

use crate::digest::{Digesting, is_oid};
use crate::error::HostError;
use crate::lanes::Lane;
use crate::wit::types::Blob;

/// The folder of the cache shape that holds what is on its way in.
const STAGE: &str = "stage";
/// Begins the name of every file of ours that is no entry.
const HIDDEN: &str = ".hydrant-";

/// A store of blobs.
pub struct Store {
    shape: Shape,
    /// Folders of entries from before the last start of the machine.
    unproved: Vec<Folder>,
    /// A folder in git-lfs's own layout, read only.
    second_source: Option<PathBuf>,
    /// Received, and waiting for the engine's word.
    staged: HashMap<String, Staged>,
    /// Sync each entry, where boots have no names.
    synced: bool,
    /// Begins the names of this run's temporary files.
    prefix: String,
    temporaries: u64,
}

enum Shape {
    Cache { root: Folder, entries: Rc<Folder>, stage: Rc<Folder> },
    Plain(Rc<Folder>),
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
        Store::open_cache(dir, boot::current()).map_err(|error| HostError::io("the cache cannot be opened", &error))
    }

    fn open_cache(dir: &Path, boot: Option<String>) -> io::Result<Store> {
        let root = Folder::open_or_create(dir, Access::Owner)?;
        let unproved = boot::enter(&root, boot.as_deref())?;
        let entries = Rc::new(root.folder(boot::CACHE)?);
        let stage = Rc::new(root.folder(STAGE)?);
        Ok(Store::new(Shape::Cache { root, entries, stage }, unproved, boot.is_none()))
    }

    /// A plain folder: `<oid>`, with hidden stage files beside the entries.
    pub fn into_dir(dir: &Path) -> Result<Store, HostError> {
        let folder = Folder::open_or_create(dir, Access::Umask)
            .map_err(|error| HostError::io("the folder cannot be opened", &error))?;
        Ok(Store::new(Shape::Plain(Rc::new(folder)), Vec::new(), false))
    }

    fn new(shape: Shape, unproved: Vec<Folder>, synced: bool) -> Store {
        let prefix = format!("{HIDDEN}{}-{:x}", std::process::id(), crate::clock::wall());
        Store { shape, unproved, second_source: None, staged: HashMap::new(), synced, prefix, temporaries: 0 }
    }

    /// Names git-lfs's own object store (`…/lfs/objects`): what it has is copied and verified on use, never written.
    pub fn second_source(mut self, objects: &Path) -> Store {
        self.second_source = Some(objects.to_path_buf());
        self
    }

    /// Length of the entry of this oid, trusted or not.
    pub fn size_of(&self, oid: &str) -> Option<u64> {
        if !is_oid(oid) {
            return None;
        }
        let name = self.entry_name(oid);
        let folders = std::iter::once(self.entries()).chain(&self.unproved);
        folders.filter_map(|folder| folder.find(&name).ok().flatten()).map(|found| found.size).next()
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
        for folder in std::iter::once(self.entries()).chain(&self.unproved) {
            if folder.find(&name)?.is_none() {
                continue;
            }
            let mut file = folder.read(&name)?;
            let mut digest = Digesting::new();
            hash_into(&mut digest, &mut file)?;
            let found = digest.finish();
            if found.oid != oid || found.size != size {
                return Ok(Look::Corrupt);
            }
            file.rewind()?;
            folder.touch(&name);
            return Ok(Look::Content(file));
        }
        Ok(Look::Absent)
    }

    /// What the store has of a blob.
    pub(crate) fn has(&mut self, blob: &Blob) -> io::Result<Held> {
        let oid = valid(&blob.oid)?;
        let name = self.entry_name(oid);
        if self.entries().find(&name)?.is_some_and(|found| found.size == blob.size) {
            if let Shape::Plain(folder) = &self.shape {
                return Ok(Held::Unproved(Proof::in_place(folder.read(&name)?)));
            }
            self.entries().touch(&name);
            return Ok(Held::Present);
        }
        for (index, folder) in self.unproved.iter().enumerate() {
            if folder.find(&name)?.is_some_and(|found| found.size == blob.size) {
                return Ok(Held::Unproved(Proof::of_unproved(folder.read(&name)?, index)));
            }
        }
        if let Some(proof) = self.find_in_second_source(blob)? {
            return Ok(Held::Unproved(proof));
        }
        // Small blobs are never staged in a file.
        if blob.size > MEMORY_BYTES_MAX { self.has_stage(blob) } else { Ok(Held::Absent) }
    }

    fn has_stage(&self, blob: &Blob) -> io::Result<Held> {
        let name = stage_name(&blob.oid);
        let Some(stage) = StageFile::existing(self.stage(), &name)? else { return Ok(Held::Absent) };
        match stage.size()? {
            0 => Ok(Held::Absent),
            bytes if bytes < blob.size => Ok(Held::Partial { bytes, validator: stage::validator(self.stage(), &name) }),
            bytes if bytes == blob.size => Ok(Held::Whole(stage)),
            // Longer than the blob: no beginning of it.
            _ => stage.remove().map(|()| Held::Absent),
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
        let private = self.temporary();
        StageFile::open(self.stage(), &stage_name(valid(oid)?), &private)
    }

    /// Holds a received blob until the engine says what becomes of it.
    pub(crate) fn hold(&mut self, oid: &str, staged: Staged) {
        self.staged.insert(oid.into(), staged);
    }

    /// Promotes what was staged: one rename.
    pub(crate) fn keep(&mut self, oid: &str) -> io::Result<()> {
        let oid = valid(oid)?;
        match self.staged.remove(oid) {
            Some(Staged::Memory(bytes)) => self.keep_bytes(oid, &bytes),
            Some(Staged::File(stage)) => self.keep_stage(oid, stage),
            None => Err(io::Error::new(io::ErrorKind::NotFound, "nothing of this blob was received")),
        }
    }

    fn keep_bytes(&mut self, oid: &str, bytes: &[u8]) -> io::Result<()> {
        let temporary = self.temporary();
        let mut file = self.stage().create_new(&temporary)?;
        let written = file.write_all(bytes).and_then(|()| self.enter(oid, &file, self.stage(), &temporary));
        if written.is_err() {
            // The first error is the one that matters.
            self.stage().remove(&temporary).ok();
        }
        written
    }

    fn keep_stage(&mut self, oid: &str, stage: StageFile) -> io::Result<()> {
        let folder = Rc::clone(&stage.folder);
        let name = stage.name.clone();
        self.enter(oid, &stage.file, &folder, &name)?;
        if stage.private {
            // What another effect began is of no use any more, unless somebody is writing it.
            if let Some(begun) = StageFile::existing(&folder, &stage_name(oid))? {
                begun.remove()?;
            }
        }
        // The entry has its name; what is left of the stage is the note beside it.
        stage.remove()
    }

    /// Gives a complete file its final name.
    fn enter(&self, oid: &str, file: &File, folder: &Folder, name: &str) -> io::Result<()> {
        if self.synced {
            file.sync_all()?;
        }
        let entry = self.entry_name(oid);
        match folder.rename(name, self.entries(), &entry) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && matches!(self.shape, Shape::Cache { .. }) => {
                self.entries().make_folder(&oid[..2])?;
                folder.rename(name, self.entries(), &entry)?;
            }
            other => other?,
        }
        if self.synced { self.sync_names(oid) } else { Ok(()) }
    }

    fn sync_names(&self, oid: &str) -> io::Result<()> {
        if let Shape::Cache { entries, .. } = &self.shape {
            entries.existing_folder(&oid[..2])?.sync()?;
        }
        self.entries().sync()
    }

    /// Forgets what was staged, in this run or an earlier one.
    pub(crate) fn drop_stage(&mut self, oid: &str) -> io::Result<()> {
        let oid = valid(oid)?;
        match self.staged.remove(oid) {
            Some(Staged::Memory(_)) => Ok(()),
            Some(Staged::File(stage)) => stage.remove(),
            None => match StageFile::existing(self.stage(), &stage_name(oid))? {
                Some(stage) => stage.remove(),
                None => Ok(()),
            },
        }
    }

    fn entries(&self) -> &Folder {
        match &self.shape {
            Shape::Cache { entries, .. } => entries,
            Shape::Plain(folder) => folder,
        }
    }

    fn stage(&self) -> &Rc<Folder> {
        match &self.shape {
            Shape::Cache { stage, .. } => stage,
            Shape::Plain(folder) => folder,
        }
    }

    fn entry_name(&self, oid: &str) -> String {
        match self.shape {
            Shape::Cache { .. } => format!("{}/{oid}", &oid[..2]),
            Shape::Plain(_) => oid.into(),
        }
    }

    /// A name nobody else uses.
    fn temporary(&mut self) -> String {
        self.temporaries += 1;
        format!("{}-{}.tmp", self.prefix, self.temporaries)
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
    lane: Lane,
) -> io::Result<Incoming> {
    Writer::begin(stage, keep, validator, lane).map(Incoming::File)
}

fn stage_name(oid: &str) -> String {
    format!("{HIDDEN}{oid}.part")
}

fn valid(oid: &str) -> io::Result<&str> {
    if is_oid(oid) { Ok(oid) } else { Err(io::Error::new(io::ErrorKind::InvalidInput, "this is no oid")) }
}

#[cfg(test)]
mod tests;
