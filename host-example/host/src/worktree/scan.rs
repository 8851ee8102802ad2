//! Finds the files of a folder that could be pointers, in one pass and without a path lookup per file.
//!
//! The rule it keeps: the host only drops what cannot possibly be a pointer or a broken one (no marker word occurs);
//! everything else is handed to the engine, in bulk, which alone judges. No symlink is followed, `.git` is skipped,
//! and folders are read relative to their own descriptors, so a renamed parent cannot lead the walk astray.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::path::Path;

use memchr::memmem::Finder;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, openat, statat};

/// Bytes at which a file is too long to be a pointer, by the pointer format.
pub const POINTER_BYTES_LIMIT: usize = 1024;
/// Folders below each other at most; one descriptor is open for each.
pub const SCAN_DEPTH_MAX: usize = 256;
/// Candidates handed over at once.
pub const SCAN_BATCH_FILES: usize = 2048;
/// Paths remembered of files and folders that could not be read.
pub const SCAN_FAULTS_MAX: usize = 1000;
/// Bytes of the buffer that folder entries are read into.
const ENTRY_BUFFER_BYTES: usize = 64 * 1024;
/// Without one of these words a text is neither a pointer nor a broken one.
const MARKERS: [&str; 3] = ["git-lfs", "hawser", "git-media"];

/// A small file in which a marker word occurs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Path relative to the root of the walk, as the file system spells it.
    pub path: Vec<u8>,
    /// All of its bytes.
    pub bytes: Vec<u8>,
}

/// What a walk saw.
#[derive(Clone, Debug, Default)]
pub struct Walked {
    /// Regular files.
    pub files: u64,
    /// Files that were small enough to be read.
    pub read: u64,
    /// Files in which a marker word occurs.
    pub candidates: u64,
    /// Files and folders that could not be read.
    pub unreadable: u64,
    /// The first of these, by path.
    pub unreadable_paths: Vec<Vec<u8>>,
}

/// How a walk treats what it meets.
#[derive(Clone, Copy, Debug, Default)]
pub struct WalkOptions {
    /// Walk into folders below the root that hold a `.git` of their own.
    pub nested_repositories: bool,
}

/// Walks a folder in path order and hands every batch of candidates to `take`.
pub fn walk<E: From<io::Error>>(
    root: &Path,
    options: WalkOptions,
    take: &mut dyn FnMut(Vec<Candidate>) -> Result<(), E>,
) -> Result<Walked, E> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = openat(CWD, root, flags, Mode::empty()).map_err(io::Error::from)?;
    let mut walker = Walker::new(options);
    let mut stack = vec![walker.enter(folder, 0, true).map_err(io::Error::from)?];
    while let Some(level) = stack.last_mut() {
        let Some(entry) = level.entries.pop_front() else {
            walker.path.truncate(level.path_length);
            walker.names.truncate(level.names_length);
            stack.pop();
            continue;
        };
        walker.path.truncate(level.path_length);
        let depth = stack.len();
        if let Some(below) = walker.visit(&stack[depth - 1], entry, depth) {
            stack.push(below);
        }
        if walker.batch.len() >= SCAN_BATCH_FILES {
            take(std::mem::take(&mut walker.batch))?;
        }
    }
    if !walker.batch.is_empty() {
        take(walker.batch)?;
    }
    Ok(walker.walked)
}

/// A folder that is being read: its descriptor and what is left to visit.
struct Level {
    folder: OwnedFd,
    entries: VecDeque<Entry>,
    /// Length of the path up to this folder, with its slash.
    path_length: usize,
    /// Length of the name store before this folder's names.
    names_length: usize,
}

/// One name within a folder; the name itself stands in the walker's store.
#[derive(Clone, Copy)]
struct Entry {
    start: usize,
    end: usize,
    is_folder: bool,
}

struct Walker {
    options: WalkOptions,
    walked: Walked,
    batch: Vec<Candidate>,
    path: Vec<u8>,
    names: Vec<u8>,
    entry_buffer: Vec<MaybeUninit<u8>>,
    file_buffer: [u8; POINTER_BYTES_LIMIT],
    markers: [Finder<'static>; 3],
}

impl Walker {
    fn new(options: WalkOptions) -> Self {
        Self {
            options,
            walked: Walked::default(),
            batch: Vec::new(),
            path: Vec::new(),
            names: Vec::new(),
            entry_buffer: vec![MaybeUninit::uninit(); ENTRY_BUFFER_BYTES],
            file_buffer: [0; POINTER_BYTES_LIMIT],
            markers: MARKERS.map(Finder::new),
        }
    }

    /// Reads the names of a folder and sorts them as their paths sort.
    fn enter(&mut self, folder: OwnedFd, path_length: usize, is_root: bool) -> rustix::io::Result<Level> {
        let names_length = self.names.len();
        let mut entries = Vec::new();
        let mut nested = false;
        let mut raw = RawDir::new(&folder, &mut self.entry_buffer);
        while let Some(entry) = raw.next() {
            let entry = entry?;
            let name = entry.file_name();
            match name.to_bytes() {
                b"." | b".." => continue,
                b".git" => {
                    nested = true;
                    continue;
                }
                _ => {}
            }
            let kind = match entry.file_type() {
                FileType::Unknown => kind_of(folder.as_fd(), name),
                kind => kind,
            };
            let is_folder = kind == FileType::Directory;
            if is_folder || kind == FileType::RegularFile {
                let start = self.names.len();
                self.names.extend_from_slice(name.to_bytes_with_nul());
                entries.push(Entry { start, end: self.names.len(), is_folder });
            }
        }
        if nested && !is_root && !self.options.nested_repositories {
            entries.clear();
        }
        let names = &self.names;
        entries.sort_unstable_by(|a, b| path_order(names, a, b));
        Ok(Level { folder, entries: entries.into(), path_length, names_length })
    }

    /// Looks at one entry; a folder gives the next level.
    fn visit(&mut self, level: &Level, entry: Entry, depth: usize) -> Option<Level> {
        let name_bytes = &self.names[entry.start..entry.end - 1];
        self.path.extend_from_slice(name_bytes);
        if !entry.is_folder {
            self.walked.files += 1;
            if self.look(level.folder.as_fd(), entry).is_err() {
                self.unreadable();
            }
            return None;
        }
        if depth >= SCAN_DEPTH_MAX {
            self.unreadable();
            return None;
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let below = self.open(level.folder.as_fd(), entry, flags).and_then(|folder| {
            self.path.push(b'/');
            self.enter(folder, self.path.len(), false)
        });
        below.inspect_err(|_| self.unreadable()).ok()
    }

    /// Reads a file that is small enough and keeps it when it could be a pointer.
    fn look(&mut self, folder: BorrowedFd<'_>, entry: Entry) -> rustix::io::Result<()> {
        let facts = statat(folder, self.name(entry)?, AtFlags::SYMLINK_NOFOLLOW)?;
        if facts.st_size < 1 || facts.st_size >= POINTER_BYTES_LIMIT as _ {
            return Ok(());
        }
        // Non-blocking: a pipe may have taken the file's place since its folder was read.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = self.open(folder, entry, flags)?;
        let length = rustix::io::read(&file, &mut self.file_buffer)?;
        self.walked.read += 1;
        let bytes = &self.file_buffer[..length];
        if length < POINTER_BYTES_LIMIT && self.markers.iter().any(|word| word.find(bytes).is_some()) {
            self.walked.candidates += 1;
            self.batch.push(Candidate { path: self.path.clone(), bytes: bytes.to_vec() });
        }
        Ok(())
    }

    fn open(&self, folder: BorrowedFd<'_>, entry: Entry, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        openat(folder, self.name(entry)?, flags, Mode::empty())
    }

    fn name(&self, entry: Entry) -> rustix::io::Result<&CStr> {
        CStr::from_bytes_with_nul(&self.names[entry.start..entry.end]).map_err(|_| rustix::io::Errno::INVAL)
    }

    fn unreadable(&mut self) {
        self.walked.unreadable += 1;
        if self.walked.unreadable_paths.len() < SCAN_FAULTS_MAX {
            self.walked.unreadable_paths.push(self.path.clone());
        }
    }
}

/// Bytewise order of the whole paths: a folder's name is followed by a slash, a file's by nothing.
fn path_order(names: &[u8], a: &Entry, b: &Entry) -> Ordering {
    let (left, right) = (&names[a.start..a.end - 1], &names[b.start..b.end - 1]);
    let shared = left.len().min(right.len());
    left[..shared].cmp(&right[..shared]).then_with(|| {
        let next = |name: &[u8], entry: &Entry| name.get(shared).copied().or(entry.is_folder.then_some(b'/'));
        next(left, a).cmp(&next(right, b))
    })
}

fn kind_of(folder: BorrowedFd<'_>, name: &CStr) -> FileType {
    statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)
        .map_or(FileType::Unknown, |facts| FileType::from_raw_mode(facts.st_mode))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const POINTER: &str = "version https://git-lfs.github.com/spec/v1\n";

    struct Tree(std::path::PathBuf);

    impl Tree {
        fn new(name: &str) -> Self {
            let root = std::env::temp_dir().join(format!("hydrant-scan-{name}-{}", std::process::id()));
            fs::create_dir_all(&root).expect("temp folder");
            Self(root)
        }

        fn file(&self, path: &str, text: &str) {
            let path = self.0.join(path);
            fs::create_dir_all(path.parent().expect("it has one")).expect("temp folder");
            fs::write(path, text).expect("temp file");
        }

        fn scan(&self, options: WalkOptions) -> (Vec<String>, Walked) {
            let mut found = Vec::new();
            let walked = walk::<io::Error>(&self.0, options, &mut |batch| {
                found.extend(batch.into_iter().map(|one| String::from_utf8_lossy(&one.path).into_owned()));
                Ok(())
            });
            (found, walked.expect("it can be read"))
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).ok();
        }
    }

    #[test]
    fn candidates_come_in_path_order_and_nothing_else_does() {
        let tree = Tree::new("order");
        for path in ["b", "a/x", "a-b", "a.b", "c/d/e", ".git/config", ".hidden"] {
            tree.file(path, POINTER);
        }
        tree.file("plain", "nothing of note");
        tree.file("empty", "");
        tree.file("long", &POINTER.repeat(30));
        std::os::unix::fs::symlink("b", tree.0.join("link")).expect("temp link");
        std::os::unix::fs::symlink("a", tree.0.join("linked-folder")).expect("temp link");
        let (found, walked) = tree.scan(WalkOptions::default());
        assert_eq!(found, [".hidden", "a-b", "a.b", "a/x", "b", "c/d/e"]);
        assert_eq!((walked.files, walked.read, walked.candidates, walked.unreadable), (9, 7, 6, 0));
    }

    #[test]
    fn repositories_inside_are_left_alone_unless_asked_for() {
        let tree = Tree::new("nested");
        tree.file("top", POINTER);
        tree.file("inner/.git", "gitdir: elsewhere");
        tree.file("inner/file", POINTER);
        assert_eq!(tree.scan(WalkOptions::default()).0, ["top"]);
        assert_eq!(tree.scan(WalkOptions { nested_repositories: true }).0, ["inner/file", "top"]);
    }

    #[test]
    fn a_root_that_is_not_there_is_an_error() {
        let missing = walk::<io::Error>(Path::new("/no/such/folder"), WalkOptions::default(), &mut |_| Ok(()));
        assert_eq!(missing.expect_err("it is not there").kind(), io::ErrorKind::NotFound);
    }
}
