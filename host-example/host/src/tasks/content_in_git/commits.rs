//! Content that commits hold in full: the last one, and those that were not pushed yet, whatever became of it later.
//!
//! The rule it keeps: sessions of the first recorders, which were committed in full from the beginning and are pushed,
//! are taken as they are; git's history is only asked about sessions that look like one.

use std::collections::{BTreeMap, BTreeSet};

use super::candidate::{Candidate, Holder, candidate, session_file};
use super::judge::{InFull, look};
use crate::contract::error::Fault;
use crate::contract::types::Code;
use crate::engine::Guest;
use crate::git::tree;
use crate::git::{Git, chain};
use crate::repository::{Repository, committed};
use crate::sessions::ledger::SESSIONS;
use crate::tasks::held::{self, Held};
use crate::text::shell;

/// Changes of the commits of a push that are looked at, at most.
const CHANGES_MAX: usize = 1 << 20;
/// Paths that git is given by name, at most.
const PATHS_MAX: usize = 1024;
/// What undoes commits that were not pushed, and leaves the files.
const UNDO: &str = "`git reset @{upstream}` takes back the commits that were not pushed, and leaves the files";

/// A file that commits hold in full.
#[derive(Clone, Debug)]
pub(crate) struct Committed {
    pub(crate) file: InFull,
    /// The last commit has it.
    pub(crate) at_tip: bool,
    /// Others have it already.
    pub(crate) pushed: bool,
}

impl Committed {
    /// Where it is, for people.
    pub(crate) fn place(&self) -> &'static str {
        match (self.pushed, self.at_tip) {
            (true, _) => "content is committed in full, and pushed",
            (false, true) => "content is committed in full, and not pushed yet",
            (false, false) => "an older commit that is not pushed yet holds content in full",
        }
    }

    /// How it is taken out, for people.
    pub(crate) fn cure(&self) -> String {
        match (self.file.session(), self.pushed) {
            (Some(session), true) => format!(
                "`hydrant publish {}` puts a pointer in its place; the history that was pushed keeps it",
                shell(session)
            ),
            (Some(session), false) => {
                format!("{UNDO}; then `hydrant publish {}`, and commit the rest", shell(session))
            }
            (None, true) => format!(
                "`git add --renormalize -- {}` puts a pointer in its place where a clean filter is set; the history \
                 that was pushed keeps it",
                shell(&self.file.path)
            ),
            (None, false) => format!("{UNDO}; then set a clean filter, or write pointers, and commit them anew"),
        }
    }
}

/// Everything that the last commit and the commits that were not pushed hold in full, by path.
pub(crate) fn all(repository: &Repository, guest: &mut Guest) -> Result<Vec<Committed>, Fault> {
    let Some(head) = committed::commit(repository, "HEAD")? else { return Ok(Vec::new()) };
    // Without a remote everything is only here, and the last commit says enough.
    let has_remote = !repository.git.read(&["for-each-ref", "--count=1", "refs/remotes"], b"")?.is_empty();
    let unpushed = if has_remote {
        let range = [head.as_str(), "--not", "--remotes"];
        of_range(repository, guest, &range, &head, None)?
    } else {
        Vec::new()
    };
    let key = |one: &InFull| (one.path.clone(), one.git_oid.clone());
    let brought: BTreeSet<_> = unpushed.iter().map(|one| key(&one.file)).collect();
    let mut found = unpushed;
    for file in of_tip(repository, guest, &head)? {
        if !brought.contains(&key(&file)) {
            found.push(Committed { file, at_tip: true, pushed: has_remote });
        }
    }
    found.sort_by(|one, other| one.file.path.cmp(&other.file.path).then(other.at_tip.cmp(&one.at_tip)));
    Ok(found)
}

/// What the commits of a range bring in full, by git's words for them. `older` is a commit before them all.
pub(crate) fn of_range(
    repository: &Repository,
    guest: &mut Guest,
    range: &[&str],
    tip: &str,
    older: Option<&str>,
) -> Result<Vec<Committed>, Fault> {
    let git = repository.as_it_is();
    let candidates = changes(git, range)?.into_iter().collect();
    let mut in_full = look(repository, guest, Holder::Commit { id: tip, older }, candidates)?.in_full;
    // The same content may have come in the place of several others.
    in_full.sort_by(|one, other| (&one.path, &one.git_oid).cmp(&(&other.path, &other.git_oid)));
    in_full.dedup_by(|one, other| (&one.path, &one.git_oid) == (&other.path, &other.git_oid));
    let words: Vec<String> = in_full.iter().map(|one| format!("{tip}:{}", one.path)).collect();
    let at_tip = git.blob_info(&words)?;
    let committed = |(file, there): (InFull, Option<crate::git::objects::Header>)| {
        let at_tip = there.is_some_and(|there| there.git_oid == file.git_oid);
        Committed { file, at_tip, pushed: false }
    };
    Ok(in_full.into_iter().zip(at_tip).map(committed).collect())
}

/// What these commits bring.
fn changes(git: &Git, range: &[&str]) -> Result<BTreeSet<Candidate>, Fault> {
    let mut found = BTreeSet::new();
    each_change(git, range, &[], |one| {
        found.insert(one);
        if found.len() <= CHANGES_MAX {
            return Ok(());
        }
        let sentence = format!("more than {CHANGES_MAX} changes are not looked at; push a part of them first");
        Err(Fault::failed(Code::Limit, sentence))
    })?;
    Ok(found)
}

/// Each file that these commits change, beneath these paths or anywhere; for a merge, what none of its parents had.
fn each_change(
    git: &Git,
    range: &[&str],
    paths: &[&str],
    mut see: impl FnMut(Candidate) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let commits = [&["--literal-pathspecs", "rev-list"], range, &["--"], paths].concat();
    let diffs = ["--literal-pathspecs", "diff-tree", "--stdin", "-r", "-c", "-z", "--root", "--raw", "--no-renames"];
    let diffs = [&diffs[..], &["--no-abbrev", "--no-commit-id", "--"], paths].concat();
    chain::read(git, &[&commits, &diffs], |said| {
        while let Some((change, path)) = said.change()? {
            // Who may run a file is no content.
            if change.after.is_file() && change.before != change.after.oid {
                see(candidate(change, &path))?;
            }
        }
        Ok(())
    })
}

/// What the last commit holds in full.
fn of_tip(repository: &Repository, guest: &mut Guest, head: &str) -> Result<Vec<InFull>, Fault> {
    let mut candidates = Vec::new();
    tree::each_entry(repository.as_it_is(), head, &[], |path, entry| {
        if entry.is_file() {
            let path = String::from_utf8_lossy(path).into_owned();
            candidates.push(Candidate { path, git_oid: entry.oid, before: None });
        }
        Ok::<_, Fault>(())
    })?;
    let looked = look(repository, guest, Holder::Commit { id: head, older: None }, candidates)?;
    let mut found = looked.in_full;
    let of_session = |path: &str| session_file(path).map(|(session, _)| session.to_owned());
    let with_pointers: BTreeSet<String> = looked.pointers.iter().filter_map(|path| of_session(path)).collect();
    // All that it has is content, as its manifest says: either nobody ever had pointers there, or they were replaced.
    let is_doubtful = |one: &InFull| {
        one.is_as_named && of_session(&one.path).is_some_and(|session| !with_pointers.contains(&session))
    };
    let doubtful: Vec<&str> = found.iter().filter(|one| is_doubtful(one)).map(|one| one.path.as_str()).collect();
    if !doubtful.is_empty() {
        let had = had_pointers(repository.as_it_is(), guest, head, &doubtful)?;
        let had: BTreeSet<String> = had.iter().filter_map(|path| of_session(path)).collect();
        found.retain(|one| !is_doubtful(one) || of_session(&one.path).is_some_and(|session| had.contains(&session)));
    }
    Ok(found)
}

/// Those of these paths where an earlier commit had a pointer.
fn had_pointers(git: &Git, guest: &mut Guest, head: &str, paths: &[&str]) -> Result<BTreeSet<String>, Fault> {
    // git takes so many words at most; of more, everything beneath the sessions is told.
    let words: Vec<&str> = if paths.len() <= PATHS_MAX { paths.to_vec() } else { vec![SESSIONS] };
    let wanted: BTreeSet<&str> = paths.iter().copied().collect();
    let mut before: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    each_change(git, &[head], &words, |Candidate { path, before: old, .. }| {
        if let Some(id) = old.filter(|_| wanted.contains(path.as_str())) {
            before.entry(id).or_default().insert(path);
        }
        Ok(())
    })?;
    let ids: Vec<&str> = before.keys().map(String::as_str).collect();
    let sizes = git.blob_info(&ids)?.into_iter().map(|blob| Some(blob?.size));
    let blobs: Vec<(&str, Option<u64>)> = ids.iter().copied().zip(sizes).collect();
    let held = held::each(git, guest, &blobs)?;
    let pointers = before.values().zip(held).filter(|(_, held)| matches!(held, Held::Pointer(_)));
    Ok(pointers.flat_map(|(paths, _)| paths.iter().cloned()).collect())
}
