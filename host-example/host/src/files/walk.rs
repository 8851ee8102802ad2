//! Walks a folder and everything beneath it in path order, and reads the small files, in one pass and without a path
//! lookup per file.
//!
//! Rule: no symlink is followed, `.git` is skipped, and folders are read relative to their own descriptors, so a
//! renamed parent cannot lead the walk astray.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::ffi::CStr;
use std::io;
use std::path::Path;

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, openat, statat};
use rustix::io::Errno;

/// Folders below each other at most; one descriptor is open for each.
pub const SCAN_DEPTH_MAX: usize = 256;
/// Paths remembered of files and folders that could not be read.
pub const SCAN_FAULTS_MAX: usize = 1000;

/// What a walk saw. Whatever it could not look at may be anything: nobody may call it nothing.
#[derive(Clone, Debug, Default)]
pub struct Walked {
    /// Regular files.
    pub files: u64,
    /// Files that were small enough to be read.
    pub read: u64,
    /// Files and folders that could not be read, and folders that lie too deep.
    pub unreadable: u64,
    /// The first of these, by path.
    pub unreadable_paths: Vec<Vec<u8>>,
}

/// How a walk treats what it meets.
#[derive(Clone, Copy, Debug, Default)]
pub struct WalkOptions {
    /// Walk into folders below the root that hold a `.git` of their own.
    pub nested_repositories: bool,
    /// Folders that are left out.
    pub without: Option<LeftOut>,
}

/// Those folders of one folder that hold a file. A folder that may not be looked into may hold it.
#[derive(Clone, Copy, Debug)]
pub struct LeftOut {
    /// Path of the one folder from the root, with its slash; the root itself has none.
    pub of: &'static str,
    /// Name of the file.
    pub holding: &'static str,
}

/// Gets the path and all bytes of a small file.
pub(crate) type Take<'a, E> = dyn FnMut(&[u8], &[u8]) -> Result<(), E> + 'a;

/// Walks a folder in path order. `take` gets the path and all bytes of each file that has fewer than `N` and more than
/// none.
pub(crate) fn walk<E: From<io::Error>, const N: usize>(
    root: &Path,
    options: WalkOptions,
    take: &mut Take<'_, E>,
) -> Result<Walked, E> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = openat(CWD, root, flags, Mode::empty()).map_err(io::Error::from)?;
    let mut walker = Walker::<N>::new(options);
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
        match walker.visit(&stack[depth - 1], entry, depth) {
            Some(Met::Folder(below)) => stack.push(below),
            Some(Met::Small(length)) => take(&walker.path, &walker.file_buffer[..length])?,
            None => {}
        }
    }
    Ok(walker.walked)
}

/// What a walk meets.
enum Met {
    Folder(Level),
    /// A file of so many bytes; they are in the walker's buffer.
    Small(usize),
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

struct Walker<const N: usize> {
    options: WalkOptions,
    walked: Walked,
    path: Vec<u8>,
    names: Vec<u8>,
    entries: Names,
    file_buffer: [u8; N],
}

impl<const N: usize> Walker<N> {
    fn new(options: WalkOptions) -> Self {
        Self {
            options,
            walked: Walked::default(),
            path: Vec::new(),
            names: Vec::new(),
            entries: Names::new(),
            file_buffer: [0; N],
        }
    }

    /// Reads the names of a folder and sorts them as their paths sort.
    fn enter(&mut self, folder: OwnedFd, path_length: usize, is_root: bool) -> rustix::io::Result<Level> {
        let names_length = self.names.len();
        let mut entries = Vec::new();
        let mut nested = false;
        let all_names = &mut self.names;
        self.entries.each(&folder, |name, kind| {
            match name.to_bytes() {
                b"." | b".." => return,
                b".git" => return nested = true,
                _ => {}
            }
            let kind = match kind {
                FileType::Unknown => kind_of(folder.as_fd(), name),
                kind => kind,
            };
            let is_folder = kind == FileType::Directory;
            if is_folder || kind == FileType::RegularFile {
                let start = all_names.len();
                all_names.extend_from_slice(name.to_bytes_with_nul());
                entries.push(Entry { start, end: all_names.len(), is_folder });
            }
        })?;
        if nested && !is_root && !self.options.nested_repositories {
            entries.clear();
        }
        let names = &self.names;
        entries.sort_unstable_by(|a, b| path_order(names, a, b));
        Ok(Level { folder, entries: entries.into(), path_length, names_length })
    }

    /// Looks at one entry.
    fn visit(&mut self, level: &Level, entry: Entry, depth: usize) -> Option<Met> {
        let name_bytes = &self.names[entry.start..entry.end - 1];
        self.path.extend_from_slice(name_bytes);
        if !entry.is_folder {
            self.walked.files += 1;
            let read = self.read(level.folder.as_fd(), entry);
            return read.inspect_err(|error| self.unreadable(*error)).ok().flatten().map(Met::Small);
        }
        if self.options.without.is_some_and(|out| self.is_left_out(out, level, entry)) {
            return None;
        }
        if depth >= SCAN_DEPTH_MAX {
            self.unreadable(Errno::NAMETOOLONG);
            return None;
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let below = self.open(level.folder.as_fd(), entry, flags).and_then(|folder| {
            self.path.push(b'/');
            self.enter(folder, self.path.len(), false)
        });
        below.inspect_err(|error| self.unreadable(*error)).ok().map(Met::Folder)
    }

    fn is_left_out(&self, LeftOut { of, holding }: LeftOut, level: &Level, entry: Entry) -> bool {
        if self.path[..level.path_length] != *of.as_bytes() {
            return false;
        }
        let file = [&self.names[entry.start..entry.end - 1], b"/", holding.as_bytes()].concat();
        match statat(&level.folder, file.as_slice(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(facts) => FileType::from_raw_mode(facts.st_mode) == FileType::RegularFile,
            Err(error) => error == Errno::ACCESS,
        }
    }

    /// Reads a file that is small enough; tells its bytes.
    fn read(&mut self, folder: BorrowedFd<'_>, entry: Entry) -> rustix::io::Result<Option<usize>> {
        let facts = statat(folder, self.name(entry)?, AtFlags::SYMLINK_NOFOLLOW)?;
        if facts.st_size < 1 || facts.st_size >= N as _ {
            return Ok(None);
        }
        // Non-blocking: a pipe may have taken the file's place since its folder was read.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = self.open(folder, entry, flags)?;
        let length = rustix::io::read(&file, &mut self.file_buffer)?;
        self.walked.read += 1;
        Ok((length < N).then_some(length))
    }

    fn open(&self, folder: BorrowedFd<'_>, entry: Entry, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        openat(folder, self.name(entry)?, flags, Mode::empty())
    }

    fn name(&self, entry: Entry) -> rustix::io::Result<&CStr> {
        CStr::from_bytes_with_nul(&self.names[entry.start..entry.end]).map_err(|_| Errno::INVAL)
    }

    fn unreadable(&mut self, why: Errno) {
        // What was removed since its folder was read is nothing that anybody could miss.
        if why == Errno::NOENT {
            return;
        }
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

/// Reads the names of folders.
#[cfg(target_os = "linux")]
struct Names {
    buffer: Vec<std::mem::MaybeUninit<u8>>,
}

#[cfg(target_os = "linux")]
impl Names {
    /// Bytes of the buffer that entries are read into: one for all folders.
    const BUFFER_BYTES: usize = 64 * 1024;

    fn new() -> Self {
        Self { buffer: vec![std::mem::MaybeUninit::uninit(); Self::BUFFER_BYTES] }
    }

    fn each(&mut self, folder: &OwnedFd, mut take: impl FnMut(&CStr, FileType)) -> rustix::io::Result<()> {
        let mut raw = rustix::fs::RawDir::new(folder, &mut self.buffer);
        while let Some(entry) = raw.next() {
            let entry = entry?;
            take(entry.file_name(), entry.file_type());
        }
        Ok(())
    }
}

/// Reads the names of folders.
#[cfg(not(target_os = "linux"))]
struct Names;

#[cfg(not(target_os = "linux"))]
impl Names {
    fn new() -> Self {
        Self
    }

    fn each(&mut self, folder: &OwnedFd, mut take: impl FnMut(&CStr, FileType)) -> rustix::io::Result<()> {
        for entry in rustix::fs::Dir::read_from(folder)? {
            let entry = entry?;
            take(entry.file_name(), entry.file_type());
        }
        Ok(())
    }
}
