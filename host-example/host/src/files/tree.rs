//! The user's files: opened beneath a root with no symlink in any component, regular files only.
//!
//! Rule: a name from outside never chooses a folder above the root.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::dir::{Access, Dir, open_file};
use super::facts::{Facts, Kind};
use super::revision::Opened;
use crate::contract::error::HostError;

/// Bytes of a name at most.
const NAME_BYTES_MAX: usize = 4096;

/// Where names lead to.
#[derive(Clone)]
pub struct Files(Arc<Place>);

enum Place {
    /// Relative names beneath this folder.
    Beneath(Dir),
    /// Names the user gave, each with the path that was meant.
    Listed(HashMap<String, PathBuf>),
    /// Names the user gave, and relative names beneath a folder for all others.
    Both(HashMap<String, PathBuf>, Arc<Place>),
}

/// A regular file at one glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Glance {
    /// All of its bytes.
    Whole(Vec<u8>),
    /// It has more bytes than were asked for: this many, or more where it grows.
    Longer(u64),
}

impl Files {
    /// Names are relative paths beneath this folder.
    pub fn beneath(root: &Path) -> Result<Files, HostError> {
        // The root itself is the user's choice, so a symlink that leads to it is followed.
        let dir = Dir::open(root, Access::Umask);
        let dir = dir.map_err(|error| HostError::io("the folder cannot be opened", &error))?;
        Ok(Files(Arc::new(Place::Beneath(dir))))
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
        self.0.open(name)?.map(Opened::new).transpose()
    }

    /// The same with a folder beneath the root for a root, and no symlink on the way; none when it is not there.
    pub fn within(&self, folder: &str) -> io::Result<Option<Files>> {
        let (parent, last) = self.0.parent(folder)?;
        let Some(parent) = parent else { return Ok(None) };
        Ok(parent.dir().dir_if_any(last)?.map(|dir| Files(Arc::new(Place::Beneath(dir)))))
    }

    /// Reads a regular file of at most so many bytes, in as few calls as can be; none when nothing stands there.
    pub fn glance(&self, name: &str, bytes_max: usize) -> io::Result<Option<Glance>> {
        let Some(mut file) = self.0.open(name)? else { return Ok(None) };
        let Facts { kind, size, .. } = Facts::of(&file)?;
        if kind != Kind::File {
            return Err(refused("only regular files are read"));
        }
        if size > bytes_max as u64 {
            return Ok(Some(Glance::Longer(size)));
        }
        // One byte more than it has: there is room left when all of it is read.
        let mut bytes = vec![0; size as usize + 1];
        let mut filled = 0;
        while filled as u64 != size {
            let count = match file.read(&mut bytes[filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                count => count?,
            };
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
    pub(crate) fn folder_of<'a>(&self, name: &'a str) -> io::Result<Option<(Dir, &'a str)>> {
        let (parent, last) = self.0.parent(name)?;
        Ok(parent.map(Held::into_dir).transpose()?.map(|dir| (dir, last)))
    }

    /// The same, with the folders made that are missing.
    pub(crate) fn made_folder_of<'a>(&self, name: &'a str) -> io::Result<(Dir, &'a str)> {
        usable(name)?;
        let mut dir = self.0.root()?.reopen()?;
        let mut rest = name;
        while let Some((part, below)) = rest.split_once('/') {
            (dir, rest) = (dir.dir(part)?, below);
        }
        Ok((dir, rest))
    }
}

/// A folder beneath a root, or the root.
enum Held<'a> {
    Root(&'a Dir),
    Below(Dir),
}

impl Held<'_> {
    fn dir(&self) -> &Dir {
        match self {
            Held::Root(dir) => dir,
            Held::Below(dir) => dir,
        }
    }

    fn into_dir(self) -> io::Result<Dir> {
        match self {
            Held::Root(dir) => dir.reopen(),
            Held::Below(dir) => Ok(dir),
        }
    }
}

impl Place {
    fn root(&self) -> io::Result<&Dir> {
        match self {
            Place::Beneath(root) => Ok(root),
            Place::Listed(_) => Err(refused("these files lie in no one folder")),
            Place::Both(_, beneath) => beneath.root(),
        }
    }

    /// The folder of a name, none when it is not there, and the name's last part.
    fn parent<'a>(&self, name: &'a str) -> io::Result<(Option<Held<'_>>, &'a str)> {
        let root = self.root()?;
        usable(name)?;
        let mut held = Held::Root(root);
        let mut rest = name;
        while let Some((part, below)) = rest.split_once('/') {
            let Some(next) = held.dir().dir_if_any(part)? else { return Ok((None, rest)) };
            (held, rest) = (Held::Below(next), below);
        }
        Ok((Some(held), rest))
    }

    fn open(&self, name: &str) -> io::Result<Option<File>> {
        let opened = match self {
            Place::Beneath(_) => match self.parent(name)? {
                (Some(parent), last) => parent.dir().read(last),
                (None, _) => return Ok(None),
            },
            Place::Listed(files) if !files.contains_key(name) => return Ok(None),
            Place::Both(files, beneath) if !files.contains_key(name) => return beneath.open(name),
            Place::Listed(files) | Place::Both(files, _) => open_file(&files[name]),
        };
        match opened {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
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

/// Whether a name could not be opened because a symlink, a folder or the like stands there or above.
pub fn names_no_file(error: &io::Error) -> bool {
    let is_link = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
    is_link || matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::NotADirectory)
}

/// Whether something could not be written because this place can only be read, by this user or by all.
pub fn is_unwritable(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

fn refused(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::{Files, Glance};
    use crate::files::Revision;
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
