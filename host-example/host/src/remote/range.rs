//! What a push of the branch would send, as far as it could be pointers: from objects and refs that are here.
//!
//! The rules it keeps: nothing is fetched and nothing is written; a file counts under every path that it has in the
//! commits of the push, and only where the remote does not have it yet; what is too much is refused, never cut short.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;

use super::entries::Entry;
use super::stream::{self, Said, unreadable};
use super::{Place, preflight, words};
use crate::contract::types::{Failed, Failure, PushRange, RangeFile};

/// Small files of a push at most.
pub(super) const SMALL_FILES_MAX: usize = 65_536;
/// Files that could be pointers have fewer bytes.
const POINTER_BYTES_BELOW: usize = 1024;
/// Stands in every pointer.
const POINTER_WORD: &[u8] = b"version";
/// git's filter for the same length.
const SMALL: &str = "--filter=blob:limit=1024";

pub(super) fn load(place: &Place) -> Result<PushRange, Failed> {
    let tip = place.head()?;
    let base = place.known_base()?;
    let commits = Commits::new(place, &tip, base.as_deref());
    let count = commits.count()?;
    let base_is_ancestor = match &base {
        Some(base) => place.is_ancestor(base, &tip)?,
        None => true,
    };
    let mut files = Vec::new();
    if count > 0 {
        let small = commits.small_files()?;
        if !small.is_empty() {
            files = commits.files(&small)?;
        }
    }
    let is_underway = preflight::underway(&place.git_dir).is_some();
    Ok(PushRange { tip, base, commits: count, base_is_ancestor, is_underway, files })
}

/// Whether there is any file to judge.
pub(super) fn has_small_files(place: &Place) -> Result<bool, Failed> {
    let (tip, base) = (place.head()?, place.known_base()?);
    let commits = Commits::new(place, &tip, base.as_deref());
    Ok(commits.count()? > 0 && !commits.small_files()?.is_empty())
}

/// Commits that the remote lacks.
struct Commits<'a> {
    place: &'a Place,
    git: crate::git::Git,
    tip: &'a str,
    /// What they are, in git's words.
    revisions: Vec<String>,
}

/// Bytes of small files by their ids in git.
type Small = HashMap<String, Vec<u8>>;

impl<'a> Commits<'a> {
    fn new(place: &'a Place, tip: &'a str, base: Option<&str>) -> Self {
        let without = match base {
            Some(base) => vec![format!("^{base}")],
            None => vec!["--not".to_owned(), "--remotes".to_owned()],
        };
        let revisions = [vec![tip.to_owned()], without].concat();
        // A push sends what is there, whatever stands in for it here, and an object that is not here is not fetched.
        let git = place.git.clone().with_variable("GIT_NO_REPLACE_OBJECTS", "1");
        Self { place, git: git.with_variable("GIT_NO_LAZY_FETCH", "1"), tip, revisions }
    }

    /// A command about these commits.
    fn list(&self, arguments: &[&'static str]) -> Vec<&str> {
        let revisions = self.revisions.iter().map(String::as_str);
        ["rev-list"].into_iter().chain(arguments.iter().copied()).chain(revisions).collect()
    }

    fn count(&self) -> Result<u64, Failed> {
        let counted = self.git.read(&self.list(&["--count"]), b"").map_err(words::of_fault)?;
        words::line(&counted).parse().map_err(|_| unreadable())
    }

    /// Small files that the remote does not have, whatever their paths.
    fn small_files(&self) -> Result<Small, Failed> {
        let objects = self.list(&["--objects", "--no-object-names", "--filter=object:type=blob", SMALL]);
        stream::read(&self.git, &[&objects, &["cat-file", "--batch", "--buffer"]], |said| {
            let mut small = Small::new();
            while let Some((oid, is_blob, bytes)) = object(said)? {
                let is_small = bytes.len() < POINTER_BYTES_BELOW && holds(&bytes, POINTER_WORD);
                if is_blob && is_small {
                    small.insert(oid, bytes);
                    bounded(small.len())?;
                }
            }
            Ok(small)
        })
    }

    /// Each path and content once: those at the tip first, in the order of their paths.
    fn files(&self, small: &Small) -> Result<Vec<RangeFile>, Failed> {
        let mut all = self.changes(small)?;
        let tip = at_tip(&self.git, self.tip, small)?;
        all.extend(tip.iter().map(|(path, entry)| (path.clone(), entry.oid.clone())));
        bounded(all.len())?;
        let staged = staged(&self.git, &tip)?;
        let (mut files, mut older) = (Vec::new(), Vec::new());
        for (path, oid) in all {
            let Some(bytes) = small.get(&oid).cloned() else { continue };
            let at_tip = tip.get(&path).is_some_and(|entry| entry.oid == oid);
            let unchanged = at_tip && staged.contains(&path) && holds_exactly(self.place, &path, &bytes);
            let list = if at_tip { &mut files } else { &mut older };
            list.push(RangeFile { path, bytes, at_tip, unchanged });
        }
        files.append(&mut older);
        Ok(files)
    }

    /// Paths and contents that these commits bring: for a merge, those that none of its parents had.
    fn changes(&self, small: &Small) -> Result<BTreeSet<(String, String)>, Failed> {
        let changes = ["diff-tree", "--stdin", "-r", "-c", "-z", "--root", "--raw", "--no-renames", "--no-abbrev"];
        let changes = [&changes[..], &["--no-commit-id"]].concat();
        stream::read(&self.git, &[&self.list(&[]), &changes], |said| {
            let mut found = BTreeSet::new();
            while let Some(facts) = said.record(0)? {
                let path = said.record(0)?.ok_or_else(unreadable)?;
                let new = new_side(&facts).ok_or_else(unreadable)?;
                if new.is_file() && small.contains_key(&new.oid) {
                    found.insert((text(path)?, new.oid));
                    bounded(found.len())?;
                }
            }
            Ok(found)
        })
    }
}

/// `oid type size LF bytes LF`
fn object(said: &mut Said) -> Result<Option<(String, bool, Vec<u8>)>, Failed> {
    let Some(facts) = said.record(b'\n')? else { return Ok(None) };
    let facts = String::from_utf8(facts).map_err(|_| unreadable())?;
    let mut facts = facts.split(' ');
    let (Some(oid), Some(kind), Some(size)) = (facts.next(), facts.next(), facts.next()) else {
        return Err(words::failed(Failure::Io, "git does not have an object that a push would send"));
    };
    let mut left: usize = size.parse().map_err(|_| unreadable())?;
    let bytes = said.bytes(left.min(POINTER_BYTES_BELOW))?;
    left -= bytes.len();
    // The commits themselves come along; nobody looks into them.
    while left > 0 {
        left -= said.bytes(left.min(POINTER_BYTES_BELOW))?.len();
    }
    said.bytes(1)?;
    Ok(Some((oid.to_owned(), kind == "blob", bytes)))
}

/// `:mode mode oid oid status`, with one more colon, mode and oid for each further parent.
pub(super) fn new_side(facts: &[u8]) -> Option<Entry> {
    let facts = std::str::from_utf8(facts).ok()?;
    let sides = facts.trim_start_matches(':');
    let parents = facts.len() - sides.len();
    let words: Vec<&str> = sides.split(' ').collect();
    let (mode, oid) = (words.get(parents)?, words.get(2 * parents + 1)?);
    (parents > 0).then(|| Entry { mode: (*mode).to_owned(), oid: (*oid).to_owned() })
}

/// Where the last commit has these contents.
fn at_tip(git: &crate::git::Git, tip: &str, small: &Small) -> Result<BTreeMap<String, Entry>, Failed> {
    let mut found = BTreeMap::new();
    each_entry(git, tip, |path, entry| {
        if entry.is_file() && small.contains_key(&entry.oid) {
            found.insert(text(path.to_vec())?, entry);
            bounded(found.len())?;
        }
        Ok(())
    })?;
    Ok(found)
}

/// Every file of a commit.
pub(super) fn each_entry(
    git: &crate::git::Git,
    commit: &str,
    mut see: impl FnMut(&[u8], Entry) -> Result<(), Failed>,
) -> Result<(), Failed> {
    stream::read(git, &[&["ls-tree", "-r", "-z", "--full-tree", commit]], |said| {
        while let Some(line) = said.record(0)? {
            // `mode type oid TAB path`
            let at = line.iter().position(|byte| *byte == b'\t').ok_or_else(unreadable)?;
            let facts = std::str::from_utf8(&line[..at]).map_err(|_| unreadable())?;
            let mut facts = facts.split(' ');
            let (Some(mode), Some(_), Some(oid)) = (facts.next(), facts.next(), facts.next()) else {
                return Err(unreadable());
            };
            see(&line[at + 1..], Entry { mode: mode.to_owned(), oid: oid.to_owned() })?;
        }
        Ok(())
    })
}

/// Paths whose entry in the index is the one of the last commit.
fn staged(git: &crate::git::Git, tip: &BTreeMap<String, Entry>) -> Result<BTreeSet<String>, Failed> {
    stream::read(git, &[&["ls-files", "--stage", "-z", "--full-name"]], |said| {
        let mut same = BTreeSet::new();
        while let Some(line) = said.record(0)? {
            // `mode oid stage TAB path`
            let Some((facts, path)) = std::str::from_utf8(&line).ok().and_then(|line| line.split_once('\t')) else {
                continue;
            };
            let facts: Vec<&str> = facts.split(' ').collect();
            let [mode, oid, "0"] = facts[..] else { continue };
            let is_file = Entry { mode: mode.to_owned(), oid: String::new() }.is_file();
            if is_file && tip.get(path).is_some_and(|entry| entry.oid == oid) {
                same.insert(path.to_owned());
            }
        }
        Ok(same)
    })
}

/// Whether a file of the work tree holds exactly these bytes.
pub(super) fn holds_exactly(place: &Place, path: &str, bytes: &[u8]) -> bool {
    // What cannot be read is not known to be the same.
    let Ok(Some(opened)) = place.tree.open(path) else { return false };
    if opened.size != bytes.len() as u64 {
        return false;
    }
    let mut now = Vec::with_capacity(bytes.len() + 1);
    opened.file.take(bytes.len() as u64 + 1).read_to_end(&mut now).is_ok() && now == bytes
}

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

fn text(path: Vec<u8>) -> Result<String, Failed> {
    String::from_utf8(path).map_err(|_| {
        words::failed(Failure::Io, "a file that a push would send has a path that is not UTF-8; it cannot be judged")
    })
}

fn bounded(count: usize) -> Result<(), Failed> {
    if count <= SMALL_FILES_MAX {
        return Ok(());
    }
    let sentence =
        format!("a push of more than {SMALL_FILES_MAX} small files is not looked at; push a part of it first");
    Err(words::failed(Failure::Io, &sentence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_side_of_a_change_is_found_for_any_number_of_parents() {
        let side = |facts: &str| new_side(facts.as_bytes()).map(|entry| (entry.mode, entry.oid));
        let new = Some(("100755".to_owned(), "cc".to_owned()));
        assert_eq!(side(":100644 100755 aa cc M"), new);
        assert_eq!(side("::100644 100644 100755 aa bb cc MM"), new);
        assert_eq!(side(":::100644 000000 100644 100755 aa bb dd cc MAM"), new);
        assert_eq!(side("100644 100755 aa cc M"), None);
        assert_eq!(side(":100644"), None);
    }
}
