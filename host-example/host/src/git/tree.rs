//! What git lists of trees, of the index and of changes: the one place that knows how these lines are made.

use super::chain;
use super::stream::Said;
use super::{Git, GitFault};

/// What stands under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Six octal digits: the kind, and who may run it.
    pub(crate) mode: String,
    /// The object's id in git.
    pub(crate) oid: String,
}

impl Entry {
    fn new(mode: &str, oid: &str) -> Self {
        Self { mode: mode.to_owned(), oid: oid.to_owned() }
    }

    /// Whether this is a file with bytes of its own: no folder, no symlink, no other repository.
    pub(crate) fn is_file(&self) -> bool {
        self.mode.starts_with("100")
    }

    /// Whether this is a folder.
    pub(crate) fn is_folder(&self) -> bool {
        self.mode == "040000"
    }
}

/// A line of `git ls-tree`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line<P> {
    /// Its name, which need not be text.
    pub(crate) path: P,
    /// What stands there.
    pub(crate) entry: Entry,
    /// Bytes of a file, where git was asked for them and has the file here.
    pub(crate) size: Option<u64>,
}

/// `mode type oid TAB path`, with a size after the oid from `-l`.
pub(crate) fn line(line: &[u8]) -> Option<Line<&[u8]>> {
    let (facts, path) = facts_and_path(line)?;
    let mut facts = facts.split_ascii_whitespace();
    let (mode, _, oid) = (facts.next()?, facts.next()?, facts.next()?);
    let size = facts.next().and_then(|size| size.parse().ok());
    Some(Line { path, entry: Entry::new(mode, oid), size })
}

/// All lines of `git ls-tree -z` whose paths are text. Others are none of ours.
pub(crate) fn lines(listed: &[u8]) -> impl Iterator<Item = Line<String>> {
    listed.split(|byte| *byte == 0).filter_map(line).filter_map(|Line { path, entry, size }| {
        Some(Line { path: String::from_utf8(path.to_vec()).ok()?, entry, size })
    })
}

/// An entry of a tree, as git stores it.
pub(crate) struct Stored<'a> {
    /// Its name, which need not be text.
    pub(crate) name: &'a [u8],
    /// What stands there.
    pub(crate) entry: Entry,
}

/// The entries of a tree, as git stores it: `mode SP name NUL oid`, where the oid is so many bytes.
pub(crate) fn stored(mut tree: &[u8], oid_bytes: usize) -> impl Iterator<Item = Stored<'_>> {
    std::iter::from_fn(move || {
        let end = tree.iter().position(|byte| *byte == 0)?;
        let oid = tree.get(end + 1..end + 1 + oid_bytes)?;
        let space = tree[..end].iter().position(|byte| *byte == b' ')?;
        let (mode, name) = (String::from_utf8_lossy(&tree[..space]), &tree[space + 1..end]);
        tree = &tree[end + 1 + oid_bytes..];
        let oid: String = oid.iter().map(|byte| format!("{byte:02x}")).collect();
        // A folder's mode has a digit fewer; the oldest programs wrote all of them.
        Some(Stored { name, entry: Entry::new(&format!("{mode:0>6}"), &oid) })
    })
}

/// What the index has under one name.
pub(crate) struct Listed {
    /// What stands there.
    pub(crate) entry: Entry,
    /// `0`, or which side of a conflict.
    pub(crate) stage: String,
    /// Not in the tree, because the user keeps only a part of it there.
    pub(crate) skipped: bool,
    /// The user told git not to look.
    pub(crate) assumed: bool,
}

/// A line of `git ls-files -v --stage -z`, `tag mode oid stage TAB path`, whose path is text.
pub(crate) fn listed(line: &[u8]) -> Option<(String, Listed)> {
    let (facts, path) = facts_and_path(line)?;
    let path = std::str::from_utf8(path).ok()?;
    let mut facts = facts.split(' ');
    let (tag, mode, oid, stage) = (facts.next()?, facts.next()?, facts.next()?, facts.next()?);
    let listed = Listed {
        entry: Entry::new(mode, oid),
        stage: stage.to_owned(),
        skipped: tag.eq_ignore_ascii_case("S"),
        assumed: tag.starts_with(|letter: char| letter.is_ascii_lowercase()),
    };
    Some((path.to_owned(), listed))
}

/// What changed under one name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// The id of what stood there, in each parent.
    pub(crate) before: Vec<String>,
    /// What stands there now.
    pub(crate) after: Entry,
}

impl Change {
    /// Whether a file has bytes that it had in no parent. Who may run it is no content.
    pub(crate) fn is_of_content(&self) -> bool {
        self.after.is_file() && !self.before.contains(&self.after.oid)
    }
}

/// The facts of a raw diff: `:mode mode oid oid status`, with one more colon, mode and oid for each further parent.
pub(crate) fn change(facts: &[u8]) -> Option<Change> {
    let facts = std::str::from_utf8(facts).ok()?;
    let sides = facts.trim_start_matches(':');
    let parents = facts.len() - sides.len();
    let words: Vec<&str> = sides.split(' ').collect();
    let (mode, after) = (words.get(parents)?, words.get(2 * parents + 1)?);
    let before = words.get(parents + 1..2 * parents + 1)?.iter().map(|id| (*id).to_owned()).collect();
    (parents > 0).then(|| Change { before, after: Entry::new(mode, after) })
}

/// All changes of a raw diff with `-z`, each with its path.
pub(crate) fn changes(list: &[u8]) -> impl Iterator<Item = (Change, &[u8])> {
    let mut fields = list.split(|byte| *byte == 0);
    std::iter::from_fn(move || Some((change(fields.next()?)?, fields.next()?)))
}

impl Said {
    /// The next change of a raw diff with `-z`, with its path.
    pub(crate) fn change(&mut self) -> Result<Option<(Change, Vec<u8>)>, GitFault> {
        let Some(facts) = self.record(0)? else { return Ok(None) };
        let path = self.record(0)?.ok_or(GitFault::Unreadable)?;
        Ok(Some((change(&facts).ok_or(GitFault::Unreadable)?, path)))
    }
}

/// Every file of a commit beneath some names; without names, every file.
pub(crate) fn each_entry<E: From<GitFault>>(
    git: &Git,
    commit: &str,
    beneath: &[&str],
    mut see: impl FnMut(&[u8], Entry) -> Result<(), E>,
) -> Result<(), E> {
    let arguments = [&["ls-tree", "-r", "-z", "--full-tree", commit], beneath].concat();
    chain::read(git, &[&arguments], |said| {
        while let Some(told) = said.record(0)? {
            let line = line(&told).ok_or(GitFault::Unreadable)?;
            see(line.path, line.entry)?;
        }
        Ok(())
    })
}

fn facts_and_path(line: &[u8]) -> Option<(&str, &[u8])> {
    let at = line.iter().position(|byte| *byte == b'\t')?;
    Some((std::str::from_utf8(&line[..at]).ok()?, &line[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_tells_files_from_what_is_none() {
        for (text, oid, size, is_file) in [
            ("100644 blob ab     127\tsessions/a b/x", "ab", Some(127), true),
            ("100755 blob ab       0\tsessions/a b/x", "ab", Some(0), true),
            ("100644 blob ab     BAD\tsessions/a b/x", "ab", None, true),
            ("100644 blob ab\tsessions/a b/x", "ab", None, true),
            ("120000 blob ab       9\tsessions/a b/x", "ab", Some(9), false),
            ("160000 commit cd       -\tsessions/a b/x", "cd", None, false),
            ("040000 tree cd\tsessions/a b/x", "cd", None, false),
        ] {
            let found = line(text.as_bytes()).expect("a line");
            assert_eq!(
                (found.path, found.entry.oid.as_str(), found.size),
                (&b"sessions/a b/x"[..], oid, size),
                "{text}"
            );
            assert_eq!(found.entry.is_file(), is_file, "{text}");
        }
        assert_eq!(line(b""), None);
        let names: Vec<String> =
            lines(b"100644 blob ab\ta\tb\x00100644 blob ab\t\xff\0\0").map(|line| line.path).collect();
        assert_eq!(names, ["a\tb"]);
    }

    #[test]
    fn folders_of_a_stored_tree_are_told_from_files() {
        let tree = b"100644 40000 x\0\0\x01\x0040000 a\0\x00\xab\xcd160000 m\0\x01\x02\x0340000 b\0\x0a";
        let read = |tree: &[u8]| -> Vec<String> {
            let shown = |Stored { name, entry }: Stored<'_>| {
                format!("{} {} {} {}", entry.oid, entry.is_folder(), entry.is_file(), name.escape_ascii())
            };
            stored(tree, 3).map(shown).collect()
        };
        assert_eq!(read(tree), ["000100 false true 40000 x", "00abcd true false a", "010203 false false m"]);
        assert!(read(b"").is_empty() && read(b"40000 a\0\x00\xab").is_empty());
    }

    #[test]
    fn both_sides_of_a_change_are_found_for_any_number_of_parents() {
        for (facts, before, is_of_content) in [
            (":100644 100755 aa cc M", &["aa"][..], true),
            (":100644 100755 cc cc M", &["cc"], false),
            ("::100644 100644 100755 aa bb cc MM", &["aa", "bb"], true),
            ("::100644 100644 100755 aa cc cc MM", &["aa", "cc"], false),
            (":::100644 000000 100644 100755 aa bb dd cc MAM", &["aa", "bb", "dd"], true),
        ] {
            let found = change(facts.as_bytes()).expect("a change");
            assert_eq!(found.before, before, "{facts}");
            assert_eq!(found.after, Entry::new("100755", "cc"), "{facts}");
            assert_eq!(found.is_of_content(), is_of_content, "{facts}");
        }
        assert_eq!(change(b"100644 100755 aa cc M"), None);
        assert_eq!(change(b":100644"), None);
    }

    #[test]
    fn a_list_of_changes_is_read_to_its_end() {
        let list = b":000000 100755 00 ab A\0s/\na\0:100644 120000 01 cd T\0b\0";
        let read: Vec<_> = changes(list).map(|(change, path)| (path, change.before, change.after)).collect();
        let expected = [("s/\na", "00", "100755", "ab"), ("b", "01", "120000", "cd")];
        assert_eq!(
            read,
            expected.map(|(path, old, mode, oid)| (path.as_bytes(), vec![old.to_owned()], Entry::new(mode, oid)))
        );
        assert_eq!(changes(b"").count(), 0);
    }
}
