//! The places in the store where a file that is being displaced has its second name.
//!
//! Rule: a name is removed here only while the very same file stands somewhere else.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::contract::names::{POINTER_BYTES_LIMIT, POINTER_START, SESSIONS, session_of};
use crate::contract::types::Blob;
use crate::files::atomic::TEMPORARY_END;
use crate::files::digest::Digesting;
use crate::files::dir::{Linked, set_permissions};
use crate::files::facts::Kind;
use crate::files::lock::try_lock;
use crate::files::{Dir, Facts, Files, names_no_file};
use crate::process::between_spawns;
use crate::store::{ADOPTED, COPYING, DISPLACED, KEPT, KEPT_NUMBER_MAX, Note};

/// Begins the name of a pointer on its way into the work tree, and of content on its way out.
pub(crate) const TEMPORARY: &str = ".hydrant-swap-";

/// Held by everybody who swaps, together; alone by who sweeps.
const LOCK_FILE: &str = "swap.lock";
/// Bytes copied at once.
const COPY_BYTES: usize = 256 << 10;
/// Stands in the top folder of a work tree.
const GIT: &str = ".git";
/// Folders beneath a session that are swept at most.
const SWEPT_FOLDERS_MAX: usize = 10_000;
/// Mode of a file that nobody shall write to any more.
const READ_ONLY: u32 = 0o444;
/// Mode of a file that is for its owner alone.
const OWN: u32 = 0o600;
/// Begins the name of a displaced file that will not be served.
const KEEPING: &str = ".keep-";

/// Numbers the copies of this process.
static COPIES: AtomicU64 = AtomicU64::new(0);

/// The folders of the store that take what is displaced.
pub(crate) struct Aside {
    displaced: Dir,
    adopted: Dir,
    kept: Dir,
    /// Held together with other processes for as long as this lives.
    lock: File,
    swept: Mutex<bool>,
}

impl Aside {
    /// Opens them beneath the store's root.
    pub(crate) fn open(root: &Dir) -> io::Result<Self> {
        let folders = (root.dir(DISPLACED)?, root.dir(ADOPTED)?, root.dir(KEPT)?);
        let lock = root.open_or_create_file(LOCK_FILE)?;
        Ok(Self { displaced: folders.0, adopted: folders.1, kept: folders.2, lock, swept: Mutex::new(false) })
    }

    /// Puts in order what a process left that died, before the first swap of this one; `name` is of the file to swap.
    /// While others swap, nothing is swept: they could be in the middle. Says what was adopted.
    pub(crate) fn enter(&self, tree: &Files, name: &str) -> io::Result<Vec<Note>> {
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        if *swept {
            return Ok(Vec::new());
        }
        let mut adopted = Vec::new();
        let try_it = || try_lock(&self.lock).unwrap_or(false);
        if try_it() || between_spawns(try_it) {
            adopted = self.sweep_displaced()?;
            self.sweep_tree(tree, name)?;
        }
        self.lock.lock_shared()?;
        *swept = true;
        Ok(adopted)
    }

    /// A second name for a file. None where there cannot be one.
    pub(super) fn link(&self, folder: &Dir, name: &str, note: Note, goes_to: GoesTo) -> io::Result<Option<Second<'_>>> {
        let own_name = goes_to.name_of(&note);
        match folder.link(name, &self.displaced, own_name.as_str())? {
            // Taken: by the same inode of the same size and time, from a swap that was given up.
            Linked::Done | Linked::Taken => {
                Ok(Some(Second { aside: self, name: own_name, note, is_link: true, goes_to }))
            }
            Linked::Impossible => Ok(None),
        }
    }

    /// A copy under a name of the store, verified and synced; none when the bytes are not the blob.
    pub(super) fn copy(
        &self,
        file: &mut File,
        blob: &Blob,
        session: &str,
        goes_to: GoesTo,
        wanted: impl Fn() -> io::Result<()>,
    ) -> io::Result<Option<Second<'_>>> {
        let number = COPIES.fetch_add(1, Ordering::Relaxed);
        let temporary = format!("{COPYING}{}-{number}", std::process::id());
        let mut copy = self.displaced.create_new(temporary.as_str())?;
        let copied = copy_all(file, &mut copy, wanted).and_then(|found| {
            if found != *blob {
                return Ok(None);
            }
            copy.sync_all()?;
            let note = Note::of(&blob.oid, &Facts::of(&copy)?, session);
            let name = goes_to.name_of(&note);
            self.displaced.rename(temporary.as_str(), &self.displaced, name.as_str())?;
            Ok(Some(Second { aside: self, name, note, is_link: false, goes_to }))
        });
        if !matches!(copied, Ok(Some(_))) {
            // Made here, and of no use.
            self.displaced.remove(temporary.as_str()).ok();
        }
        copied
    }

    fn sweep_displaced(&self) -> io::Result<Vec<Note>> {
        let mut adopted = Vec::new();
        for name in self.displaced.names()? {
            match Note::parse(&name) {
                Some(note) => {
                    self.move_in(&name)?;
                    adopted.push(note);
                }
                None if name.starts_with(COPYING) => self.displaced.remove(name.as_str())?,
                None => {
                    if let Some(note) = name.strip_prefix(KEEPING).and_then(Note::parse) {
                        self.keep(&name, &note)?;
                    }
                }
            }
        }
        Ok(adopted)
    }

    /// Names of ours beside a file; of a session's file, beneath the session's whole folder. Folders are queued by
    /// name: however many there are, one is open.
    fn sweep_tree(&self, tree: &Files, name: &str) -> io::Result<()> {
        let session = session_folder(name);
        let top = session.unwrap_or_else(|| name.rfind('/').map_or("", |slash| &name[..=slash]));
        let mut folders = vec![top.to_owned()];
        let mut left = SWEPT_FOLDERS_MAX;
        while let Some(path) = folders.pop() {
            let (folder, names) = match names_in(tree, &path) {
                Ok(Some(found)) => found,
                Ok(None) => continue,
                // A folder that went, or is closed to us: nothing of ours was left in it that we could take out.
                Err(error) if names_no_file(&error) || error.kind() == io::ErrorKind::PermissionDenied => continue,
                Err(error) => return Err(error),
            };
            // Another repository: whoever swaps there holds another lock.
            if path != top && names.iter().any(|name| name == GIT) {
                continue;
            }
            for name in names.iter().filter(|name| *name != GIT) {
                if name.starts_with(TEMPORARY) && name.ends_with(TEMPORARY_END) {
                    self.sweep_one(&folder, name)?;
                } else if session.is_some() && left > 0 && is_folder(&folder, name)? {
                    left -= 1;
                    folders.push(format!("{path}{name}/"));
                }
            }
        }
        Ok(())
    }

    fn sweep_one(&self, folder: &Dir, name: &str) -> io::Result<()> {
        let Some(facts) = folder.facts(name)? else { return Ok(()) };
        if self.is_adopted(&facts)? || is_pointer(folder, name, &facts)? {
            return folder.remove(name);
        }
        // Somebody's bytes. Where they cannot be moved they stay, and `git status` shows them.
        let kept = format!("left-{}-{:x}", &name[TEMPORARY.len()..], facts.identity.inode);
        folder.rename_new(name, &self.kept, kept.as_str()).ok();
        Ok(())
    }

    /// Whether a file has a name among the adopted ones.
    fn is_adopted(&self, facts: &Facts) -> io::Result<bool> {
        if facts.links < 2 {
            return Ok(false);
        }
        for name in self.adopted.names()? {
            if self.adopted.find(name.as_str())?.is_some_and(|adopted| adopted.identity == facts.identity) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// From `displaced` to `kept`, durably: its name there. Nothing is written over there.
    fn keep(&self, name: &str, note: &Note) -> io::Result<String> {
        set_permissions(&self.displaced.read(name)?, OWN)?;
        for number in 1..=KEPT_NUMBER_MAX {
            let kept = note.kept_name(number);
            if self.displaced.rename_new(name, &self.kept, kept.as_str())? {
                return self.kept.sync().map(|()| kept);
            }
        }
        Err(io::Error::other("too many files of one blob are kept"))
    }

    /// From `displaced` to `adopted`, durably.
    fn move_in(&self, name: &str) -> io::Result<()> {
        if !self.displaced.rename_new(name, &self.adopted, name)? {
            let both = (self.displaced.find(name)?, self.adopted.find(name)?);
            match both {
                // Two names of one file: this one is not needed.
                (Some(one), Some(other)) if one.identity == other.identity => self.displaced.remove(name)?,
                _ => return Err(io::Error::other("two displaced files have one name")),
            }
        }
        self.adopted.sync()
    }
}

/// The second name of a file that is being displaced.
pub(super) struct Second<'a> {
    aside: &'a Aside,
    name: String,
    note: Note,
    is_link: bool,
    goes_to: GoesTo,
}

/// What becomes of a displaced file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GoesTo {
    /// It serves as a blob.
    Adopted,
    /// Nothing is served of it, and nobody clears it but the user.
    Kept,
}

/// Where a displaced file went.
pub(super) enum Displaced {
    Adopted(Note),
    /// By this name.
    Kept(String),
}

impl GoesTo {
    fn name_of(self, note: &Note) -> String {
        match self {
            Self::Adopted => note.name(),
            Self::Kept => format!("{KEEPING}{}", note.name()),
        }
    }
}

impl Second<'_> {
    /// Whether it is the file itself and not a copy.
    pub(super) fn is_link(&self) -> bool {
        self.is_link
    }

    pub(super) fn facts(&self) -> io::Result<Facts> {
        self.aside.displaced.find(self.name.as_str())?.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    /// The file goes where it is to be for good: as a blob of the store nobody shall write to it.
    pub(super) fn settle(self) -> io::Result<Displaced> {
        if self.goes_to == GoesTo::Kept {
            return self.aside.keep(&self.name, &self.note).map(Displaced::Kept);
        }
        let facts = self.facts()?;
        // Two names: this one and the temporary one. Another name is the user's, and so is its mode.
        if facts.links <= 2 {
            set_permissions(&self.aside.displaced.read(self.name.as_str())?, READ_ONLY)?;
        }
        self.aside.move_in(&self.name)?;
        Ok(Displaced::Adopted(self.note))
    }

    /// The swap is given up: the file stands in its old place, or its owner put another one there.
    pub(super) fn give_up(self) -> io::Result<()> {
        if !self.is_link || self.facts()?.links > 1 {
            return self.aside.displaced.remove(self.name.as_str());
        }
        // Its owner replaced it. These bytes are nobody's any more, and are kept all the same.
        self.aside.displaced.rename_new(self.name.as_str(), &self.aside.kept, self.name.as_str()).map(drop)
    }

    /// Gives the file its old name back, over the pointer that stands there.
    pub(super) fn link_back(&self, folder: &Dir, name: &str) -> io::Result<()> {
        let temporary = format!("{TEMPORARY}{}-back.tmp", std::process::id());
        match self.aside.displaced.link(self.name.as_str(), folder, temporary.as_str())? {
            Linked::Done | Linked::Taken => folder.rename(temporary.as_str(), folder, name),
            Linked::Impossible => Err(io::Error::other("the content cannot get its name back")),
        }
    }
}

/// The folder of a session's file, with its slash; none of any other file.
fn session_folder(name: &str) -> Option<&str> {
    session_of(name).map(|session| &name[..SESSIONS.len() + session.len() + "//".len()])
}

/// A folder of the tree, by its path with the slash, and the names in it; none when it is not there.
fn names_in(tree: &Files, path: &str) -> io::Result<Option<(Dir, Vec<String>)>> {
    let Some((folder, _)) = tree.folder_of(&format!("{path}{TEMPORARY}"))? else { return Ok(None) };
    let names = folder.names()?;
    Ok(Some((folder, names)))
}

fn is_folder(folder: &Dir, name: &str) -> io::Result<bool> {
    Ok(folder.facts(name)?.is_some_and(|facts| facts.kind == Kind::Dir))
}

fn copy_all(from: &mut File, to: &mut File, wanted: impl Fn() -> io::Result<()>) -> io::Result<Blob> {
    let mut digest = Digesting::new();
    let mut buffer = vec![0; COPY_BYTES];
    loop {
        wanted()?;
        match from.read(&mut buffer) {
            Ok(0) => return Ok(digest.finish()),
            Ok(read) => {
                digest.update(&buffer[..read]);
                to.write_all(&buffer[..read])?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn is_pointer(folder: &Dir, name: &str, facts: &Facts) -> io::Result<bool> {
    if facts.size >= POINTER_BYTES_LIMIT as u64 {
        return Ok(false);
    }
    let mut start = Vec::new();
    folder.read(name)?.take(POINTER_START.len() as u64).read_to_end(&mut start)?;
    // A file that was cut short while it was written is a beginning of it.
    Ok(POINTER_START.starts_with(&start))
}
