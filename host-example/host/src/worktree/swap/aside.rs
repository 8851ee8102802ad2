//! The places in the store where a file that is being displaced has its second name.
//!
//! Rule: a name is removed here only while the very same file stands somewhere else.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FlockOperation, Stat, fchmod, flock, fstat, unlinkat};

use super::TEMPORARY;
use crate::files::digest::Digesting;
use crate::files::Files;
use crate::process::between_spawns;
use crate::files::atomic::identity;
use crate::files::folder::Folder;
use crate::store::{ADOPTED, COPYING, DISPLACED, KEPT, Note};
use crate::contract::types::Blob;

/// Held by everybody who swaps, together; alone by who sweeps.
const LOCK_FILE: &str = "swap.lock";
/// Bytes copied at once.
const COPY_BYTES: usize = 256 << 10;
/// Folders beneath a session that are swept at most.
const SWEPT_FOLDERS_MAX: usize = 10_000;
/// Mode of a file that nobody shall write to any more.
const READ_ONLY: u32 = 0o444;
/// Bytes of a pointer at most, and how each begins.
const POINTER_BYTES_BELOW: i64 = 1024;
const POINTER_START: &[u8] = b"version https://git-lfs.github.com/spec/v1";

/// Numbers the copies of this process.
static COPIES: AtomicU64 = AtomicU64::new(0);

/// The folders of the store that take what is displaced.
pub(crate) struct Aside {
    displaced: Folder,
    adopted: Folder,
    kept: Folder,
    /// Held together with other processes for as long as this lives.
    lock: File,
    swept: Mutex<bool>,
}

impl Aside {
    /// Opens them beneath the store's root.
    pub(crate) fn open(root: &Folder) -> io::Result<Self> {
        let folders = (root.folder(DISPLACED)?, root.folder(ADOPTED)?, root.folder(KEPT)?);
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
        let try_it = || flock(&self.lock, FlockOperation::NonBlockingLockExclusive).is_ok();
        if try_it() || between_spawns(try_it) {
            adopted = self.sweep_displaced()?;
            self.sweep_tree(tree, name)?;
        }
        flock(&self.lock, FlockOperation::LockShared)?;
        *swept = true;
        Ok(adopted)
    }

    /// A second name for a file. None where there cannot be one.
    pub(super) fn link(&self, folder: &OwnedFd, name: &str, note: Note) -> io::Result<Option<Second<'_>>> {
        let own_name = note.name();
        match self.displaced.link_from(folder, name, &own_name) {
            // Taken: by the same inode of the same size and time, from a swap that was given up.
            Ok(_) => Ok(Some(Second { aside: self, name: own_name, note, is_link: true })),
            Err(error) if cannot_link(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A copy under a name of the store, verified and synced; none when the bytes are not the blob.
    pub(super) fn copy(
        &self,
        file: &mut File,
        blob: &Blob,
        session: &str,
        wanted: impl Fn() -> io::Result<()>,
    ) -> io::Result<Option<Second<'_>>> {
        let number = COPIES.fetch_add(1, Ordering::Relaxed);
        let temporary = format!("{COPYING}{}-{number}", std::process::id());
        let mut copy = self.displaced.create_new(&temporary)?;
        let copied = copy_all(file, &mut copy, wanted).and_then(|found| {
            if found != *blob {
                return Ok(None);
            }
            copy.sync_all()?;
            let note = Note::of(&blob.oid, &fstat(&copy)?, session);
            self.displaced.rename(&temporary, &self.displaced, &note.name())?;
            Ok(Some(Second { aside: self, name: note.name(), note, is_link: false }))
        });
        if !matches!(copied, Ok(Some(_))) {
            // Made here, and of no use.
            self.displaced.remove(&temporary).ok();
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
                None if name.starts_with(COPYING) => self.displaced.remove(&name)?,
                None => {}
            }
        }
        Ok(adopted)
    }

    /// Names of ours in the folder of a file and beneath it.
    fn sweep_tree(&self, tree: &Files, name: &str) -> io::Result<()> {
        let session = name.match_indices('/').nth(1).map_or(name, |(end, _)| &name[..=end]);
        let Ok(Some((top, _))) = tree.folder_of(&format!("{}x", session.trim_end_matches(|c| c != '/'))) else {
            return Ok(());
        };
        let mut folders = vec![top];
        let mut left = SWEPT_FOLDERS_MAX;
        while let Some(folder) = folders.pop() {
            for entry in rustix::fs::Dir::read_from(&folder)? {
                let entry = entry?;
                let Ok(name) = entry.file_name().to_str() else { continue };
                if name.starts_with(TEMPORARY) && name.ends_with(".tmp") {
                    self.sweep_one(&folder, name)?;
                } else if entry.file_type() == rustix::fs::FileType::Directory
                    && name != "."
                    && name != ".."
                    && left > 0
                {
                    left -= 1;
                    use rustix::fs::OFlags;
                    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                    if let Ok(inner) = rustix::fs::openat(&folder, name, flags, rustix::fs::Mode::empty()) {
                        folders.push(inner);
                    }
                }
            }
        }
        Ok(())
    }

    fn sweep_one(&self, folder: &OwnedFd, name: &str) -> io::Result<()> {
        let Some(stat) = crate::files::atomic::stat_of(folder, name)? else { return Ok(()) };
        if self.is_adopted(&stat)? || is_pointer(folder, name, &stat)? {
            return Ok(unlinkat(folder, name, AtFlags::empty())?);
        }
        // Somebody's bytes. Where they cannot be moved they stay, and `git status` shows them.
        let moved = rustix::fs::renameat_with(
            folder,
            name,
            self.kept.descriptor(),
            format!("left-{}-{:x}", &name[TEMPORARY.len()..], stat.st_ino),
            rustix::fs::RenameFlags::NOREPLACE,
        );
        moved.ok();
        Ok(())
    }

    /// Whether a file has a name among the adopted ones.
    fn is_adopted(&self, stat: &Stat) -> io::Result<bool> {
        if stat.st_nlink < 2 {
            return Ok(false);
        }
        for name in self.adopted.names()? {
            if self.adopted.stat(&name)?.is_some_and(|adopted| identity(&adopted) == identity(stat)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// From `displaced` to `adopted`, durably.
    fn move_in(&self, name: &str) -> io::Result<()> {
        if !self.displaced.rename_new(name, &self.adopted, name)? {
            let both = (self.displaced.stat(name)?, self.adopted.stat(name)?);
            match both {
                // Two names of one file: this one is not needed.
                (Some(one), Some(other)) if identity(&one) == identity(&other) => self.displaced.remove(name)?,
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
}

impl Second<'_> {
    /// Whether it is the file itself and not a copy.
    pub(super) fn is_link(&self) -> bool {
        self.is_link
    }

    pub(super) fn stat(&self) -> io::Result<Stat> {
        self.aside.displaced.stat(&self.name)?.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    /// The file becomes a blob of the store that nobody shall write to.
    pub(super) fn adopt(self) -> io::Result<Note> {
        let stat = self.stat()?;
        // Two names: this one and the temporary one. Another name is the user's, and so is its mode.
        if stat.st_nlink <= 2 {
            fchmod(self.aside.displaced.read(&self.name)?, rustix::fs::Mode::from_raw_mode(READ_ONLY))?;
        }
        self.aside.move_in(&self.name)?;
        Ok(self.note)
    }

    /// The swap is given up: the file stands in its old place, or its owner put another one there.
    pub(super) fn give_up(self) -> io::Result<()> {
        if !self.is_link || self.stat()?.st_nlink > 1 {
            return self.aside.displaced.remove(&self.name);
        }
        // Its owner replaced it. These bytes are nobody's any more, and are kept all the same.
        self.aside.displaced.rename_new(&self.name, &self.aside.kept, &self.name).map(drop)
    }

    /// Gives the file its old name back, over the pointer that stands there.
    pub(super) fn link_back(&self, folder: &OwnedFd, name: &str) -> io::Result<()> {
        let temporary = format!("{TEMPORARY}{}-back.tmp", std::process::id());
        self.aside.displaced.link_to(&self.name, folder, &temporary)?;
        Ok(rustix::fs::renameat(folder, &temporary, folder, name)?)
    }
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

/// Another file system, or one that knows no second names.
fn cannot_link(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let codes = [Errno::XDEV, Errno::PERM, Errno::MLINK, Errno::NOTSUP, Errno::NOSYS];
    error.raw_os_error().is_some_and(|code| codes.iter().any(|errno| errno.raw_os_error() == code))
}

fn is_pointer(folder: &OwnedFd, name: &str, stat: &Stat) -> io::Result<bool> {
    use rustix::fs::OFlags;
    if stat.st_size >= POINTER_BYTES_BELOW {
        return Ok(false);
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = File::from(rustix::fs::openat(folder, name, flags, rustix::fs::Mode::empty())?);
    let mut start = Vec::new();
    file.take(POINTER_START.len() as u64).read_to_end(&mut start)?;
    // A file that was cut short while it was written is a beginning of it.
    Ok(POINTER_START.starts_with(&start))
}
