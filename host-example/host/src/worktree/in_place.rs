//! Puts content in the place of pointers, outside ledgers, by the rule git-lfs keeps: only where the file still holds
//! the same pointer.
//!
//! The rules it keeps: no symlink in any component; the new file is complete, verified, on the disk and has the old
//! one's mode before it takes its place by one rename; a file that changed meanwhile is left as it is and reported;
//! nothing is removed that was not made here.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use crate::contract::cancel::Cancel;
use crate::files::atomic::Fresh;
use crate::files::digest::Digesting;
use crate::files::dir::set_permissions;
use crate::files::facts::Kind;
use crate::files::{Access, Dir, Facts, names_no_file};
use crate::worktree::pointer_files::PointerFile;

const COPY_BYTES: usize = 256 * 1024;
/// Begins the name of a file on its way into the working tree.
pub(crate) const TEMPORARY: &str = ".hydrant-";

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
    top: Dir,
    buffer: Vec<u8>,
    cancel: Cancel,
}

impl Placer {
    pub(crate) fn new(top: &Path, cancel: &Cancel) -> io::Result<Self> {
        Ok(Self { top: Dir::open(top, Access::Umask)?, buffer: vec![0; COPY_BYTES], cancel: cancel.clone() })
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
        let mut fresh = Fresh::make(&folder, TEMPORARY)?;
        match self.fill(&mut fresh.file, content, pointer_file, &before)? {
            Swap::Done if folder.facts(name)?.is_some_and(|now| now.is_same_state(&before)) => {
                fresh.take_over(name)?;
                Ok(Swap::Done)
            }
            Swap::Done => Ok(Swap::Changed),
            other => Ok(other),
        }
    }

    /// Copies and verifies the content. `Done` when all of it is on the disk.
    fn fill(
        &mut self,
        file: &mut File,
        mut content: File,
        pointer_file: &PointerFile,
        before: &Facts,
    ) -> io::Result<Swap> {
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
        set_permissions(file, before.permissions)?;
        // Without it a power loss can leave the name with no bytes behind it, and the pointer is gone.
        file.sync_data()?;
        Ok(Swap::Done)
    }

    /// The folder of a path, reached without a symlink, and the last name of the path.
    fn open_parent<'a>(&self, path: &'a [u8]) -> io::Result<(Dir, &'a [u8])> {
        let mut folder = self.top.reopen()?;
        let mut rest = path;
        while let Some(slash) = rest.iter().position(|byte| *byte == b'/') {
            let part = &rest[..slash];
            if part.is_empty() || part == b"." || part == b".." {
                return Err(io::Error::from(io::ErrorKind::InvalidInput));
            }
            folder = folder.existing_dir(part)?;
            rest = &rest[slash + 1..];
        }
        Ok((folder, rest))
    }
}

/// The file's state when it is a regular file with exactly these bytes.
fn same_pointer(folder: &Dir, name: &[u8], text: &[u8]) -> io::Result<Option<Facts>> {
    let file = match folder.read(name) {
        Ok(file) => file,
        // A symlink, or nothing: somebody changed it.
        Err(error) if error.kind() == io::ErrorKind::NotFound || names_no_file(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let facts = Facts::of(&file)?;
    if facts.kind != Kind::File {
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(text.len() + 1);
    file.take(text.len() as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes == text).then_some(facts))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::PathBuf;

    use crate::contract::pointers::Pointer;
    use crate::files::digest::blob_of;

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
            let swapped = Placer::new(&self.0, &Cancel::new())
                .expect("it is there")
                .place(&pointer_file, content)
                .expect("no fault");
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
