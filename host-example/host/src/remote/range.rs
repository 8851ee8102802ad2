//! What a push of the branch would send, as far as it could be pointers: from objects and refs that are here.
//!
//! The rules it keeps: nothing is fetched and nothing is written; a file counts under every path that it has in the
//! commits of the push, and only where the remote does not have it yet; what is too much is refused, never cut short.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;

use super::{Place, preflight, words};
use crate::contract::names::{POINTER_BYTES_LIMIT, SMALL_FILES};
use crate::contract::types::{Failed, Failure, PushRange, RangeFile};
use crate::git::tree::{self, Change, Entry, Listed};
use crate::git::{Git, GitFault, chain};

/// Small files of a push at most.
pub(super) const SMALL_FILES_MAX: usize = 65_536;
/// Stands in every pointer.
const POINTER_WORD: &[u8] = b"version";

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

/// Whether some remote has any of these commits.
pub(super) fn is_shared(place: &Place) -> Result<bool, Failed> {
    let (tip, base) = (place.head()?, place.known_base()?);
    let mut commits = Commits::new(place, &tip, base.as_deref());
    let all = commits.count()?;
    commits.revisions.push("--remotes".to_owned());
    Ok(commits.count()? < all)
}

/// Commits that the remote lacks.
struct Commits<'a> {
    place: &'a Place,
    git: Git,
    tip: &'a str,
    /// What they are, in git's words; those behind `--not` are left out.
    revisions: Vec<String>,
}

/// Bytes of small files by their ids in git.
type Small = HashMap<String, Vec<u8>>;

impl<'a> Commits<'a> {
    fn new(place: &'a Place, tip: &'a str, base: Option<&str>) -> Self {
        // A second `--not` would take the first one back: whatever is added is left out, too.
        let without = base.map(str::to_owned).or_else(|| place.known.clone());
        let revisions = [tip.to_owned(), "--not".to_owned()].into_iter().chain(without).collect();
        // A push sends what is there, whatever stands in for it here, and an object that is not here is not fetched.
        Self { place, git: place.git.as_it_is(), tip, revisions }
    }

    /// A command about these commits.
    fn list(&self, arguments: &[&'static str]) -> Vec<&str> {
        let revisions = self.revisions.iter().map(String::as_str);
        ["rev-list"].into_iter().chain(arguments.iter().copied()).chain(revisions).collect()
    }

    fn count(&self) -> Result<u64, Failed> {
        let counted = self.git.read(&self.list(&["--count"]), b"")?;
        words::line(&counted).parse().map_err(|_| GitFault::Unreadable.into())
    }

    /// Small files that the remote does not have, whatever their paths.
    fn small_files(&self) -> Result<Small, Failed> {
        let objects = self.list(&["--objects", "--no-object-names", "--filter=object:type=blob", SMALL_FILES]);
        chain::read(&self.git, &[&objects, &["cat-file", "--batch", "--buffer"]], |said| {
            let mut small = Small::new();
            while let Some(header) = said.object_header()? {
                let gone = || words::failed(Failure::Io, "git does not have an object that a push would send");
                let header = header.ok_or_else(gone)?;
                // The commits themselves come along; nobody looks into them.
                let is_small = header.is_blob() && header.size < POINTER_BYTES_LIMIT as u64;
                let mut bytes = Vec::new();
                said.object_body(&header, |piece| {
                    if is_small {
                        bytes.extend_from_slice(piece);
                    }
                })?;
                if holds(&bytes, POINTER_WORD) {
                    small.insert(header.git_oid, bytes);
                    bounded(small.len())?;
                }
            }
            Ok::<_, Failed>(small)
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
        chain::read(&self.git, &[&self.list(&[]), &changes], |said| {
            let mut found = BTreeSet::new();
            while let Some((Change { after: new, .. }, path)) = said.change()? {
                if new.is_file() && small.contains_key(&new.oid) {
                    found.insert((text(path)?, new.oid));
                    bounded(found.len())?;
                }
            }
            Ok::<_, Failed>(found)
        })
    }
}

/// Where the last commit has these contents.
fn at_tip(git: &Git, tip: &str, small: &Small) -> Result<BTreeMap<String, Entry>, Failed> {
    let mut found = BTreeMap::new();
    tree::each_entry(git, tip, &[], |path, entry| {
        if entry.is_file() && small.contains_key(&entry.oid) {
            found.insert(text(path.to_vec())?, entry);
            bounded(found.len())?;
        }
        Ok::<_, Failed>(())
    })?;
    Ok(found)
}

/// Paths whose entry in the index is the one of the last commit.
fn staged(git: &Git, tip: &BTreeMap<String, Entry>) -> Result<BTreeSet<String>, Failed> {
    chain::read(git, &[&["ls-files", "-v", "--stage", "-z", "--full-name"]], |said| {
        let mut same = BTreeSet::new();
        while let Some(line) = said.record(0)? {
            let Some((path, Listed { entry, stage, .. })) = tree::listed(&line) else { continue };
            if stage == "0" && entry.is_file() && tip.get(&path).is_some_and(|there| there.oid == entry.oid) {
                same.insert(path);
            }
        }
        Ok::<_, Failed>(same)
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
