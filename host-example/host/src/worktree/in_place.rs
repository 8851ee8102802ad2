//! Puts content in the place of pointers, outside ledgers, by the rule git-lfs keeps: only where the file still holds
//! the same pointer.
//!
//! The rules it keeps: no symlink in any component; the new file is complete, verified, on the disk and has the old
//! one's mode before it takes its place by one rename; a file that changed meanwhile is left as it is and reported;
//! nothing is removed that was not made here.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use crate::files::digest::Digesting;
use crate::contract::cancel::Cancel;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat, fchmod, fstat, openat, renameat, statat, unlinkat};

use crate::worktree::pointer_files::PointerFile;

const COPY_BYTES: usize = 256 * 1024;
/// Permission bits that a new file takes over. Set-user-id and its like are not among them.
const MODE_MASK: u32 = 0o777;
/// Names tried for a temporary file. A run that was killed may have left one of the same name.
const TEMPORARY_NAMES_MAX: u32 = 16;

/// What became of one pointer file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Swap {
    /// It holds the content now.
    Done,
    /// It is no longer the same pointer; it was left alone.
    Changed,
    /// Its pointer names filters that only git-lfs knows how to run; it was left alone.
    Extended,
    /// The content at hand is not what the pointer names; it was left alone.
    Corrupt,
    /// The user asked to stop; it was left alone.
    Interrupted,
}

/// Replaces the pointers of one work tree.
pub(crate) struct Placer {
    top: OwnedFd,
    buffer: Vec<u8>,
    temporaries: u64,
    cancel: Cancel,
}

impl Placer {
    pub(crate) fn new(top: &Path, cancel: &Cancel) -> io::Result<Self> {
        let top = openat(CWD, top, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self { top, buffer: vec![0; COPY_BYTES], temporaries: 0, cancel: cancel.clone() })
    }

    /// Puts `content` in the place of a pointer file.
    pub(crate) fn place(&mut self, pointer_file: &PointerFile, content: File) -> io::Result<Swap> {
        if !pointer_file.pointer.extensions.is_empty() {
            return Ok(Swap::Extended);
        }
        let (folder, name) = match self.open_parent(&pointer_file.path) {
            Ok(found) => found,
            // A folder above it is gone, or became a symlink.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(Swap::Changed);
            }
            Err(error) => return Err(error),
        };
        let Some(before) = same_pointer(&folder, name, &pointer_file.text)? else { return Ok(Swap::Changed) };
        let (file, temporary) = self.make_temporary(&folder)?;
        let swapped = self.fill(file, content, pointer_file, before.st_mode).and_then(|filled| match filled {
            Swap::Done => take_place(&folder, &temporary, name, &before),
            other => Ok(other),
        });
        if !matches!(swapped, Ok(Swap::Done)) {
            // Made here, and of no use any more.
            unlinkat(&folder, temporary.as_str(), AtFlags::empty()).ok();
        }
        swapped
    }

    fn make_temporary(&mut self, folder: &OwnedFd) -> io::Result<(File, String)> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut taken = rustix::io::Errno::EXIST;
        for _ in 0..TEMPORARY_NAMES_MAX {
            self.temporaries += 1;
            let name = format!(".hydrant-{}-{}.tmp", std::process::id(), self.temporaries);
            match openat(folder, name.as_str(), flags, Mode::RUSR | Mode::WUSR) {
                Ok(file) => return Ok((File::from(file), name)),
                Err(error @ rustix::io::Errno::EXIST) => taken = error,
                Err(error) => return Err(error.into()),
            }
        }
        Err(taken.into())
    }

    /// Copies and verifies the content. `Done` when all of it is on the disk.
    fn fill(&mut self, mut file: File, mut content: File, pointer_file: &PointerFile, mode: u32) -> io::Result<Swap> {
        let mut digest = Digesting::new();
        loop {
            if self.cancel.is_cancelled() {
                return Ok(Swap::Interrupted);
            }
            let length = content.read(&mut self.buffer)?;
            if length == 0 {
                break;
            }
            digest.update(&self.buffer[..length]);
            file.write_all(&self.buffer[..length])?;
        }
        let copied = digest.finish();
        if copied.oid != pointer_file.pointer.oid || copied.size != pointer_file.pointer.size {
            return Ok(Swap::Corrupt);
        }
        fchmod(&file, Mode::from_raw_mode(mode & MODE_MASK))?;
        // Without it a power loss can leave the name with no bytes behind it, and the pointer is gone.
        file.sync_data()?;
        Ok(Swap::Done)
    }

    /// The folder of a path, reached without a symlink, and the last name of the path.
    fn open_parent<'a>(&self, path: &'a [u8]) -> io::Result<(OwnedFd, &'a [u8])> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut folder = openat(&self.top, ".", flags, Mode::empty())?;
        let mut rest = path;
        while let Some(slash) = rest.iter().position(|byte| *byte == b'/') {
            let part = &rest[..slash];
            if part.is_empty() || part == b"." || part == b".." {
                return Err(io::Error::from(io::ErrorKind::InvalidInput));
            }
            folder = openat(&folder, part, flags, Mode::empty())?;
            rest = &rest[slash + 1..];
        }
        Ok((folder, rest))
    }
}

fn take_place(folder: &OwnedFd, temporary: &str, name: &[u8], before: &Stat) -> io::Result<Swap> {
    let now = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW);
    if !now.is_ok_and(|now| same_state(&now, before)) {
        return Ok(Swap::Changed);
    }
    renameat(folder, temporary, folder, name)?;
    Ok(Swap::Done)
}

/// The file's state when it is a regular file with exactly these bytes.
fn same_pointer(folder: &OwnedFd, name: &[u8], text: &[u8]) -> io::Result<Option<Stat>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match openat(folder, name, flags, Mode::empty()) {
        Ok(file) => file,
        // A symlink, or nothing: somebody changed it.
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::LOOP) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let facts = fstat(file.as_fd())?;
    if FileType::from_raw_mode(facts.st_mode) != FileType::RegularFile {
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(text.len() + 1);
    File::from(file).take(text.len() as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes == text).then_some(facts))
}

fn same_state(a: &Stat, b: &Stat) -> bool {
    (a.st_dev, a.st_ino, a.st_size, a.st_mode) == (b.st_dev, b.st_ino, b.st_size, b.st_mode)
        && (a.st_mtime, a.st_mtime_nsec, a.st_ctime, a.st_ctime_nsec)
            == (b.st_mtime, b.st_mtime_nsec, b.st_ctime, b.st_ctime_nsec)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::PathBuf;

    use crate::files::digest::blob_of;
    use crate::contract::pointers::Pointer;

    use super::*;

    struct Tree(PathBuf);

    impl Tree {
        fn new(name: &str) -> Self {
            let root = std::env::temp_dir().join(format!("hydrant-place-{name}-{}", std::process::id()));
            fs::create_dir_all(root.join("sub")).expect("temp folder");
            Self(root)
        }

        fn place(&self, path: &str, text: &[u8], content: &[u8]) -> Swap {
            let blob = blob_of(b"the content");
            let pointer = Pointer { oid: blob.oid, size: blob.size, extensions: Vec::new(), canonical: true };
            let pointer_file = PointerFile { path: path.into(), pointer, text: text.to_vec() };
            fs::write(self.0.join("blob"), content).expect("temp file");
            let content = File::open(self.0.join("blob")).expect("just written");
            let swapped = Placer::new(&self.0, &Cancel::new()).expect("it is there").place(&pointer_file, content).expect("no fault");
            let leftovers = self.0.join("sub").read_dir().expect("it is there").flatten();
            assert_eq!(leftovers.filter(|e| e.file_name().to_string_lossy().starts_with(".hydrant")).count(), 0);
            swapped
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).ok();
        }
    }

    #[test]
    fn content_takes_the_place_of_the_same_pointer_and_keeps_its_mode() {
        let tree = Tree::new("same");
        let file = tree.0.join("sub/file");
        fs::write(&file, "pointer").expect("temp file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o750)).expect("its mode");
        assert_eq!(tree.place("sub/file", b"pointer", b"the content"), Swap::Done);
        assert_eq!(fs::read(&file).expect("there"), b"the content");
        assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o7777, 0o750);
    }

    #[test]
    fn a_file_of_a_temporary_name_that_is_not_ours_stays() {
        let tree = Tree::new("taken");
        let theirs = tree.0.join(format!("sub/.hydrant-{}-1.tmp", std::process::id()));
        fs::write(&theirs, "theirs").expect("temp file");
        fs::write(tree.0.join("sub/file"), "pointer").expect("temp file");
        let mut placer = Placer::new(&tree.0).expect("it is there");
        let folder = openat(&placer.top, "sub", OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).expect("there");
        let (_, name) = placer.make_temporary(&folder).expect("the next name");
        assert!(name.ends_with("-2.tmp"), "{name}");
        assert_eq!(fs::read(&theirs).expect("there"), b"theirs");
    }

    #[test]
    fn anything_else_is_left_alone() {
        let tree = Tree::new("else");
        let file = tree.0.join("sub/file");
        fs::write(&file, "edited by the user").expect("temp file");
        assert_eq!(tree.place("sub/file", b"pointer", b"the content"), Swap::Changed);
        assert_eq!(fs::read(&file).expect("there"), b"edited by the user");
        assert_eq!(tree.place("sub/none", b"pointer", b"the content"), Swap::Changed);
        assert_eq!(tree.place("none/none", b"pointer", b"the content"), Swap::Changed);
        fs::write(&file, "pointer").expect("temp file");
        assert_eq!(tree.place("sub/file", b"pointer", b"other content"), Swap::Corrupt);
        assert_eq!(fs::read(&file).expect("there"), b"pointer");
        symlink("file", tree.0.join("sub/link")).expect("a link");
        assert_eq!(tree.place("sub/link", b"pointer", b"the content"), Swap::Changed);
        assert_eq!(fs::read(&file).expect("there"), b"pointer");
    }
}
