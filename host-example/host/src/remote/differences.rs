//! What a commit has that an index is to take over: paths with their new entries, as far as the user staged nothing
//! there.

use std::collections::{BTreeMap, BTreeSet};

use super::index_copy::IndexCopy;
use super::{Place, words};
use crate::contract::types::Failed;
use crate::git::tree::{self, Entry};

/// Paths with the entries that they get.
#[derive(Default)]
pub(super) struct Differences(pub(super) BTreeMap<Vec<u8>, Entry>);

impl Differences {
    /// What `new` has otherwise than `old`, without what it removed. What is staged in the index upon `old` is left
    /// out, and so is what lies above or below that.
    pub(super) fn between(place: &Place, index: &IndexCopy, old: &str, new: &str) -> Result<Self, Failed> {
        let staged = index.must(&["diff-index", "--cached", "--name-only", "--no-renames", "-z", old], b"")?;
        let staged = names_in(&staged);
        let arguments = ["diff-tree", "-r", "-z", "--no-renames", "--diff-filter=d", old, new];
        let listed = place.git.read(&arguments, b"")?;
        let mut entries: BTreeMap<_, _> =
            tree::changes(&listed).map(|(change, path)| (path.to_owned(), change.after)).collect();
        entries.retain(|path, _| !staged.iter().any(|staged| meet(path, staged)));
        Ok(Self(entries))
    }

    /// Keeps those whose files are as their entries say.
    pub(super) fn keep_equal(&mut self, probe: &IndexCopy) -> Result<(), Failed> {
        probe.take(self)?;
        probe.look()?;
        let differing = probe.must(&["diff-files", "--name-only", "--no-renames", "-z"], b"")?;
        let differing = names_in(&differing);
        self.0.retain(|path, _| !differing.contains(path.as_slice()));
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As `git update-index --index-info` takes them.
    fn lines(&self) -> Vec<u8> {
        let line = |(path, Entry { mode, oid }): (&Vec<u8>, &Entry)| {
            [format!("{mode} {oid} 0\t").as_bytes(), path, b"\0"].concat()
        };
        self.0.iter().flat_map(line).collect()
    }
}

impl IndexCopy {
    /// Gives it these entries, also where a file takes the place of a folder.
    pub(super) fn take(&self, entries: &Differences) -> Result<(), Failed> {
        self.must(&["update-index", "-z", "--replace", "--index-info"], &entries.lines()).map(drop)
    }

    /// Looks at the files of entries that are new or changed.
    pub(super) fn look(&self) -> Result<(), Failed> {
        // Ends with 1 where a file differs.
        self.run(&["update-index", "-q", "--refresh"], b"").map(drop)
    }

    /// The tree of a commit with these entries. The copy is of no use afterwards.
    pub(super) fn tree_with(self, commit: &str, entries: &Differences) -> Result<String, Failed> {
        self.must(&["read-tree", commit], b"")?;
        self.take(entries)?;
        // Of what a partial clone left out, only the name is needed.
        Ok(words::line(&self.must(&["write-tree", "--missing-ok"], b"")?))
    }
}

/// Whether these are one path, or one is a folder of the other's.
fn meet(one: &[u8], other: &[u8]) -> bool {
    let is_in = |path: &[u8], folder: &[u8]| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with(b"/"));
    one == other || is_in(one, other) || is_in(other, one)
}

fn names_in(list: &[u8]) -> BTreeSet<&[u8]> {
    list.split(|byte| *byte == 0).filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_meets_itself_its_folders_and_what_is_in_it() {
        for (one, other, met) in
            [("a", "a", true), ("a", "a/b", true), ("a/b/c", "a", true), ("a", "ab", false), ("a/b", "a/c", false)]
        {
            assert_eq!(meet(one.as_bytes(), other.as_bytes()), met, "{one} {other}");
        }
    }
}
