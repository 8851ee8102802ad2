//! Finds the files of a folder that could be pointers.
//!
//! The rule it keeps: the host only drops what cannot possibly be a pointer or a broken one (no marker word occurs);
//! everything else is handed to the engine, in bulk, which alone judges.

use std::io;
use std::path::Path;

use memchr::memmem::Finder;

pub use crate::contract::names::POINTER_BYTES_LIMIT;
pub use crate::files::walk::{LeftOut, SCAN_DEPTH_MAX, SCAN_FAULTS_MAX, WalkOptions, Walked};

/// Candidates handed over at once.
pub const SCAN_BATCH_FILES: usize = 2048;
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

/// Walks a folder in path order and hands every batch of candidates to `take`.
pub fn walk<E: From<io::Error>>(
    root: &Path,
    options: WalkOptions,
    take: &mut dyn FnMut(Vec<Candidate>) -> Result<(), E>,
) -> Result<Walked, E> {
    let markers = MARKERS.map(Finder::new);
    let mut batch = Vec::new();
    let walked = crate::files::walk::walk::<E, POINTER_BYTES_LIMIT>(root, options, &mut |path, bytes| {
        if markers.iter().any(|word| word.find(bytes).is_some()) {
            batch.push(Candidate { path: path.to_vec(), bytes: bytes.to_vec() });
            if batch.len() >= SCAN_BATCH_FILES {
                take(std::mem::take(&mut batch))?;
            }
        }
        Ok(())
    })?;
    if !batch.is_empty() {
        take(batch)?;
    }
    Ok(walked)
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
        assert_eq!((walked.files, walked.read, found.len(), walked.unreadable), (9, 7, 6, 0));
    }

    #[test]
    fn repositories_inside_are_left_alone_unless_asked_for() {
        let tree = Tree::new("nested");
        tree.file("top", POINTER);
        tree.file("inner/.git", "gitdir: elsewhere");
        tree.file("inner/file", POINTER);
        assert_eq!(tree.scan(WalkOptions::default()).0, ["top"]);
        assert_eq!(
            tree.scan(WalkOptions { nested_repositories: true, ..WalkOptions::default() }).0,
            ["inner/file", "top"]
        );
    }

    #[test]
    fn folders_of_one_folder_that_hold_a_file_can_be_left_out() {
        let tree = Tree::new("without");
        for path in ["a", "b/c/x", "b/x", "b/e/f/x", "b/g/m/x", "c/x", "d/b/c/x", "bb/c/x", "b.c/x"] {
            tree.file(path, POINTER);
        }
        for path in ["m", "b/m", "b/c/m", "b/e/f/m", "c/m", "d/b/c/m", "bb/c/m"] {
            tree.file(path, "marked");
        }
        std::os::unix::fs::symlink("x", tree.0.join("b/e/m")).expect("temp link");
        let without = |of| WalkOptions { without: Some(LeftOut { of, holding: "m" }), ..WalkOptions::default() };
        let beneath_b = ["a", "b.c/x", "b/e/f/x", "b/g/m/x", "b/x", "bb/c/x", "c/x", "d/b/c/x"];
        assert_eq!(tree.scan(without("b/")).0, beneath_b);
        assert_eq!(tree.scan(without("")).0, ["a", "b.c/x", "bb/c/x", "d/b/c/x"]);
    }

    #[test]
    fn a_root_that_is_not_there_is_an_error() {
        let missing = walk::<io::Error>(Path::new("/no/such/folder"), WalkOptions::default(), &mut |_| Ok(()));
        assert_eq!(missing.expect_err("it is not there").kind(), io::ErrorKind::NotFound);
    }
}
