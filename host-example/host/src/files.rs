//! The user's files: opened beneath a root with no symlink in any component, regular files only.
//!
//! Rule: what was opened is what is read, and where that takes long, its identity is compared before and after; a name
//! from outside never chooses a folder above the root.

pub(crate) mod atomic;
pub mod digest;
pub(crate) mod folder;
pub(crate) mod lock;
#[cfg(test)]
pub(crate) mod scratch;
pub mod workers;

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{FileType, Mode, OFlags, Stat, fstat, mkdirat, open, openat};
use rustix::io::{read, retry_on_intr};

use crate::contract::error::HostError;

/// A file written this many milliseconds ago or less may change again without its times showing it.
const UNSTABLE_MS: u64 = 2_000;
/// Marks the revision of such a file.
const UNSTABLE: &str = "-unstable";
/// Bytes of a name at most.
const NAME_BYTES_MAX: usize = 4096;

const READ: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC).union(OFlags::DIRECTORY);

/// Where names lead to.
#[derive(Clone)]
pub struct Files(Arc<Place>);

enum Place {
    /// Relative names beneath this folder.
    Beneath(OwnedFd),
    /// Names the user gave, each with the path that was meant.
    Listed(HashMap<String, PathBuf>),
    /// Names the user gave, and relative names beneath a folder for all others.
    Both(HashMap<String, PathBuf>, Arc<Place>),
}

/// An open regular file and the state it had when it was opened.
#[derive(Debug)]
pub struct Opened {
    /// The file.
    pub file: File,
    /// Length in bytes.
    pub size: u64,
    /// Its state.
    pub revision: Revision,
}

/// A regular file at one glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Glance {
    /// All of its bytes.
    Whole(Vec<u8>),
    /// It has more bytes than were asked for: this many, or more where it grows.
    Longer(u64),
}

/// State of a file: compared for equality only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    identity: String,
    unstable: bool,
}

impl Files {
    /// Names are relative paths beneath this folder.
    pub fn beneath(root: &Path) -> Result<Files, HostError> {
        // The root itself is the user's choice, so a symlink that leads to it is followed.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY;
        let folder = open(root, flags, Mode::empty())
            .map_err(|error| HostError::io("the folder cannot be opened", &io::Error::from(error)))?;
        Ok(Files(Arc::new(Place::Beneath(folder))))
    }

    /// Names stand for files that the user named on the command line.
    pub fn listed(files: Vec<(String, PathBuf)>) -> Files {
        Files(Arc::new(Place::Listed(files.into_iter().collect())))
    }

    /// The same files, and those the user named; a name that is listed stands for what was listed.
    pub fn and_listed(self, files: Vec<(String, PathBuf)>) -> Files {
        Files(Arc::new(Place::Both(files.into_iter().collect(), self.0)))
    }

    /// Whether the user gave this very name.
    pub(crate) fn is_listed(&self, name: &str) -> bool {
        match &*self.0 {
            Place::Beneath(_) => false,
            Place::Listed(files) | Place::Both(files, _) => files.contains_key(name),
        }
    }

    /// Opens a regular file; none when nothing stands there.
    pub fn open(&self, name: &str) -> io::Result<Option<Opened>> {
        open_in(&self.0, name)
    }

    /// The same with a folder beneath the root for a root, and no symlink on the way; none when it is not there.
    pub fn within(&self, folder: &str) -> io::Result<Option<Files>> {
        let root = root_of(&self.0).ok_or_else(|| refused("these files lie in no one folder"))?;
        match open_beneath(root, folder, FOLDER) {
            Ok(folder) => Ok(Some(Files(Arc::new(Place::Beneath(folder))))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a regular file of at most so many bytes, in as few calls as can be; none when nothing stands there.
    pub fn glance(&self, name: &str, bytes_max: usize) -> io::Result<Option<Glance>> {
        let Some(file) = descriptor_in(&self.0, name)? else { return Ok(None) };
        let size = size_of(&regular(&file)?);
        if size > bytes_max as u64 {
            return Ok(Some(Glance::Longer(size)));
        }
        // One byte more than it has: there is room left when all of it is read.
        let mut bytes = vec![0; size as usize + 1];
        let mut filled = 0;
        while filled as u64 != size {
            let count = retry_on_intr(|| read(&file, &mut bytes[filled..]))?;
            filled += count;
            if filled > bytes_max {
                return Ok(Some(Glance::Longer(filled as u64)));
            }
            if count == 0 {
                break;
            }
            if filled == bytes.len() {
                // It grew since: then only an empty read is the end.
                bytes.resize((2 * filled).min(bytes_max + 1), 0);
            }
        }
        bytes.truncate(filled);
        Ok(Some(Glance::Whole(bytes)))
    }

    /// Opens the folder of a file beneath the root, with no symlink in any component, and tells the file's last name.
    /// None when the folder is not there.
    pub(crate) fn folder_of<'a>(&self, name: &'a str) -> io::Result<Option<(OwnedFd, &'a str)>> {
        self.walk(name, false)
    }

    /// The same, with the folders made that are missing.
    pub(crate) fn made_folder_of<'a>(&self, name: &'a str) -> io::Result<(OwnedFd, &'a str)> {
        self.walk(name, true)?.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn walk<'a>(&self, name: &'a str, make: bool) -> io::Result<Option<(OwnedFd, &'a str)>> {
        let root = root_of(&self.0).ok_or_else(|| refused("these files lie in no one folder"))?;
        usable(name)?;
        let mut folder = openat(root, ".", FOLDER, Mode::empty())?;
        let mut rest = name;
        while let Some((part, below)) = rest.split_once('/') {
            let next = match openat(&folder, part, FOLDER, Mode::empty()) {
                Err(rustix::io::Errno::NOENT) if make => {
                    match mkdirat(&folder, part, Mode::RWXU | Mode::RWXG | Mode::RWXO) {
                        Ok(()) | Err(rustix::io::Errno::EXIST) => openat(&folder, part, FOLDER, Mode::empty())?,
                        Err(error) => return Err(error.into()),
                    }
                }
                Err(rustix::io::Errno::NOENT) => return Ok(None),
                other => other?,
            };
            (folder, rest) = (next, below);
        }
        Ok(Some((folder, rest)))
    }
}

fn root_of(place: &Place) -> Option<&OwnedFd> {
    match place {
        Place::Beneath(root) => Some(root),
        Place::Listed(_) => None,
        Place::Both(_, beneath) => root_of(beneath),
    }
}

fn open_in(place: &Place, name: &str) -> io::Result<Option<Opened>> {
    descriptor_in(place, name)?.map(|descriptor| Opened::new(File::from(descriptor))).transpose()
}

fn descriptor_in(place: &Place, name: &str) -> io::Result<Option<OwnedFd>> {
    let opened = match place {
        Place::Beneath(root) => open_beneath(root, name, READ),
        Place::Listed(files) => match files.get(name) {
            Some(path) => open(path, READ, Mode::empty()).map_err(io::Error::from),
            None => return Ok(None),
        },
        Place::Both(files, _) if files.contains_key(name) => {
            open(&files[name], READ, Mode::empty()).map_err(io::Error::from)
        }
        Place::Both(_, beneath) => return descriptor_in(beneath, name),
    };
    match opened {
        Ok(descriptor) => Ok(Some(descriptor)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a name is one of a file beneath the root.
fn usable(name: &str) -> io::Result<()> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains('\0') {
        return Err(refused("this name cannot be a file"));
    }
    if name.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        return Err(refused("this name leaves its folder"));
    }
    Ok(())
}

/// Opens what a name leads to with these flags, and every folder on the way as one.
fn open_beneath(root: &OwnedFd, name: &str, last: OFlags) -> io::Result<OwnedFd> {
    usable(name)?;
    let mut folder: Option<OwnedFd> = None;
    let mut parts = name.split('/').peekable();
    while let Some(part) = parts.next() {
        let at = folder.as_ref().map_or(root.as_fd(), |folder| folder.as_fd());
        let flags = if parts.peek().is_some() { FOLDER } else { last };
        let next = openat(at, part, flags, Mode::empty())?;
        if parts.peek().is_none() {
            return Ok(next);
        }
        folder = Some(next);
    }
    Err(refused("this name cannot be a file"))
}

impl Opened {
    /// A file that is open already.
    pub(crate) fn new(file: File) -> io::Result<Opened> {
        let stat = regular(&file)?;
        Ok(Opened { file, size: size_of(&stat), revision: Revision::of(&stat, SystemTime::now()) })
    }

    /// Whether the file is still in the state it was opened in.
    pub fn unchanged(&self) -> io::Result<bool> {
        Ok(Revision::of(&fstat(&self.file)?, SystemTime::now()).same(&self.revision))
    }
}

impl Revision {
    fn of(stat: &Stat, now: SystemTime) -> Revision {
        let identity = format!(
            "{:x}-{:x}-{:x}-{:x}.{:x}-{:x}.{:x}",
            stat.st_dev,
            stat.st_ino,
            stat.st_size,
            stat.st_mtime,
            stat.st_mtime_nsec,
            stat.st_ctime,
            stat.st_ctime_nsec
        );
        let changed = UNIX_EPOCH + Duration::from_secs(u64::try_from(stat.st_mtime).unwrap_or(0));
        // One second more: the fraction of the file's time is left out above.
        let unstable = now.duration_since(changed).map_or(true, |age| age < Duration::from_millis(UNSTABLE_MS + 1000));
        Revision { identity, unstable }
    }

    /// Whether two revisions name one state. Whether it was old enough to be trusted does not matter here.
    pub fn same(&self, other: &Revision) -> bool {
        self.identity == other.identity
    }

    /// Whether they differ in nothing but the time of the last change of name, mode or content: another name, or other
    /// permissions, change it as well.
    pub fn same_but_for_names(&self, other: &Revision) -> bool {
        let state = |revision: &Revision| revision.identity.rsplit_once('-').map(|(state, _)| state.to_owned());
        state(self).is_some_and(|own| state(other) == Some(own))
    }

    /// Whether the file could have changed once more without its times showing it.
    pub fn is_unstable(&self) -> bool {
        self.unstable
    }

    /// The text the engine keeps.
    pub fn text(&self) -> String {
        if self.unstable { format!("{}{UNSTABLE}", self.identity) } else { self.identity.clone() }
    }

    /// A revision the engine gave back.
    pub fn from_text(text: &str) -> Revision {
        match text.strip_suffix(UNSTABLE) {
            Some(identity) => Revision { identity: identity.into(), unstable: true },
            None => Revision { identity: text.into(), unstable: false },
        }
    }
}

/// Whether a name could not be opened because a symlink, a folder or the like stands there or above.
pub fn names_no_file(error: &io::Error) -> bool {
    let is_link = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
    is_link || matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::NotADirectory)
}

/// The facts of a regular file; an error for anything else.
fn regular(file: impl AsFd) -> io::Result<Stat> {
    let stat = fstat(file)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(stat),
        _ => Err(refused("only regular files are read")),
    }
}

fn size_of(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

fn refused(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::{Files, Glance, Revision};
    use crate::files::scratch::Scratch;

    #[test]
    fn names_open_beneath_the_root_only() {
        let scratch = Scratch::new();
        let root = scratch.path().join("root");
        fs::create_dir_all(root.join("a/b")).expect("folders");
        fs::write(root.join("a/b/file"), b"content").expect("a file");
        fs::write(scratch.path().join("outside"), b"secret").expect("a file");
        symlink(scratch.path().join("outside"), root.join("link")).expect("a link");
        symlink(root.join("a"), root.join("folder-link")).expect("a link");
        let files = Files::beneath(&root).expect("the root");

        let opened = files.open("a/b/file").expect("readable").expect("there");
        assert_eq!(opened.size, 7);
        assert!(opened.unchanged().expect("its state"));
        assert!(files.open("a/b/none").expect("readable").is_none());
        assert!(files.open("none/at/all").expect("readable").is_none());
        for name in ["", "/etc/passwd", "../outside", "a/../../outside", "a//b/file", "./a/b/file", "link", "a/b"] {
            assert!(files.open(name).is_err(), "{name}");
        }
        assert!(files.open("folder-link/b/file").is_err());
    }

    #[test]
    fn a_glance_reads_all_or_tells_the_length() {
        let scratch = Scratch::new();
        fs::create_dir(scratch.path().join("a")).expect("a folder");
        fs::write(scratch.path().join("a/file"), b"12345").expect("a file");
        fs::write(scratch.path().join("a/empty"), b"").expect("a file");
        symlink("a", scratch.path().join("link")).expect("a link");
        let files = Files::beneath(scratch.path()).expect("the root");
        let folder = files.within("a").expect("readable").expect("there");
        for (name, bytes_max, expected) in [
            ("file", 6, Some(Glance::Whole(b"12345".to_vec()))),
            ("file", 5, Some(Glance::Whole(b"12345".to_vec()))),
            ("file", 4, Some(Glance::Longer(5))),
            ("empty", 0, Some(Glance::Whole(Vec::new()))),
            ("none", 5, None),
        ] {
            assert_eq!(folder.glance(name, bytes_max).expect("readable"), expected, "{name} {bytes_max}");
        }
        assert!(files.glance("a", 5).is_err() && folder.glance("../a/file", 5).is_err());
        assert!(files.within("none").expect("readable").is_none());
        assert!(files.within("link").is_err() && files.within("a/file").is_err());
    }

    #[test]
    fn listed_names_go_before_those_beneath_the_root() {
        let scratch = Scratch::new();
        fs::create_dir(scratch.path().join("root")).expect("a folder");
        fs::write(scratch.path().join("root/a"), b"root").expect("a file");
        fs::write(scratch.path().join("b"), b"listed").expect("a file");
        let listed = vec![("b".to_owned(), scratch.path().join("b"))];
        let files = Files::beneath(&scratch.path().join("root")).expect("the root").and_listed(listed);
        let size = |name: &str| files.open(name).expect("readable").map(|opened| opened.size);
        assert_eq!((size("a"), size("b"), size("c")), (Some(4), Some(6), None));
        assert!(files.open("../b").is_err());
    }

    #[test]
    fn folders_are_made_beneath_the_root_and_never_through_a_link() {
        let scratch = Scratch::new();
        let files = Files::beneath(scratch.path()).expect("the root");
        assert!(files.folder_of("a/b/file").expect("readable").is_none());
        assert_eq!(files.made_folder_of("a/b/file").expect("made").1, "file");
        assert!(files.folder_of("a/b/file").expect("readable").is_some());
        symlink(scratch.path().join("a"), scratch.path().join("link")).expect("a link");
        for name in ["link/file", "link/b/file", "a/../file", "/a/file", ""] {
            assert!(files.made_folder_of(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_write_changes_the_revision() {
        let scratch = Scratch::new();
        let path = scratch.path().join("file");
        fs::write(&path, b"one").expect("a file");
        let files = Files::listed(vec![("shown name".into(), path.clone())]);
        let opened = files.open("shown name").expect("readable").expect("there");
        assert!(files.open("file").expect("readable").is_none());
        fs::write(&path, b"four").expect("a file");
        assert!(!opened.unchanged().expect("its state"));
        let back = Revision::from_text(&opened.revision.text());
        assert!(back.same(&opened.revision) && back.same_but_for_names(&opened.revision));
        let written = files.open("shown name").expect("readable").expect("there");
        fs::hard_link(&path, scratch.path().join("another name")).expect("a link");
        let linked = files.open("shown name").expect("readable").expect("there");
        assert!(!linked.revision.same(&written.revision) && linked.revision.same_but_for_names(&written.revision));
        assert!(!linked.revision.same_but_for_names(&back));
    }

    #[test]
    fn folders_and_pipes_are_not_read() {
        let scratch = Scratch::new();
        let files = Files::listed(vec![("here".into(), scratch.path().to_path_buf())]);
        assert!(files.open("here").is_err());
    }
}
