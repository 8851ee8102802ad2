//! Files in which the tree is ahead of the index, because a settle died between the two. Without this they would be
//! taken for the user's once the remote has moved on: no commit that the next settle knows has them as they are.

use std::collections::{BTreeMap, BTreeSet};

use super::index_copy::IndexCopy;
use super::settle_note::Note;
use super::{Place, words};
use crate::wit::types::Failed;

/// Gives a copy of the index the entries of all files that are as one of the note's commits has them, and the tree that
/// the last commit would be with them: it is from there that files differ by the user's changes alone.
pub(super) fn take(place: &Place, index: &IndexCopy, note: &Note) -> Result<String, Failed> {
    let head = note.old.as_str();
    let staged = index.must(&["diff-index", "--cached", "--name-only", "--no-renames", "-z", head], b"")?;
    let staged = names_in(&staged);
    // In this copy the index is as if a settle had come to its end, and git says from which entries the tree differs.
    let probe = index.copy(place)?;
    let mut ahead = Vec::new();
    for tip in &note.tips {
        // One that the remote took back can be gone here, too.
        if place.find_commit(tip)?.is_none() {
            continue;
        }
        let arguments = ["diff-tree", "-r", "-z", "--no-renames", "--diff-filter=d", head, tip];
        let changed = place.git.read(&arguments, b"").map_err(words::of_fault)?;
        let mut there = entries_of(&changed);
        there.retain(|path, _| !staged.iter().any(|staged| meet(path, staged)));
        probe.take(&lines_of(&there))?;
        probe.look()?;
        let differing = probe.must(&["diff-files", "--name-only", "--no-renames", "-z"], b"")?;
        let differing = names_in(&differing);
        there.retain(|path, _| !differing.contains(path));
        ahead.extend(lines_of(&there));
    }
    if ahead.is_empty() {
        return Ok(head.to_owned());
    }
    index.take(&ahead)?;
    index.look()?;
    probe.must(&["read-tree", head], b"")?;
    probe.take(&ahead)?;
    // Of what a partial clone left out, only the name is needed.
    Ok(words::line(&probe.must(&["write-tree", "--missing-ok"], b"")?))
}

impl IndexCopy {
    /// Gives it entries, also where a file takes the place of a folder.
    fn take(&self, lines: &[u8]) -> Result<(), Failed> {
        self.must(&["update-index", "-z", "--replace", "--index-info"], lines).map(drop)
    }

    /// Looks at the files of entries that are new or changed.
    fn look(&self) -> Result<(), Failed> {
        // Ends with 1 where a file differs.
        self.run(&["update-index", "-q", "--refresh"], b"").map(drop)
    }
}

/// Paths with their new mode and oid, from git's list of differences: `:mode mode oid oid status NUL path NUL`.
fn entries_of(list: &[u8]) -> BTreeMap<&[u8], String> {
    let mut fields = list.split(|byte| *byte == 0);
    let mut entries = BTreeMap::new();
    while let (Some(facts), Some(path)) = (fields.next(), fields.next()) {
        let facts = String::from_utf8_lossy(facts);
        let mut facts = facts.split(' ').skip(1);
        if let (Some(mode), Some(_), Some(oid)) = (facts.next(), facts.next(), facts.next()) {
            entries.insert(path, format!("{mode} {oid} 0\t"));
        }
    }
    entries
}

/// As `git update-index --index-info` takes them.
fn lines_of(entries: &BTreeMap<&[u8], String>) -> Vec<u8> {
    entries.iter().flat_map(|(path, facts)| [facts.as_bytes(), path, b"\0"].concat()).collect()
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
