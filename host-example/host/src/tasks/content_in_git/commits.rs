//! Content that commits hold in full: the last one, and those that were not pushed yet, whatever became of it later.
//!
//! The rule it keeps: sessions of the first recorders, which were committed in full from the beginning and are pushed,
//! are taken as they are; git's history is only asked about sessions that look like one. What cannot be read, as in a
//! clone without the trees of older commits, is not known; nothing is fetched for it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::candidate::{Candidate, Holder, candidate, session_file};
use super::judge::{InFull, Looked, look};
use super::undo;
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
/// What brings the trees that a clone lacks.
const BRING: &str = "in a clone without them, `git fetch --refetch --filter=blob:none` brings the trees of all commits";

/// What commits hold in full.
#[derive(Default)]
pub(crate) struct InCommits {
    pub(crate) list: Vec<Committed>,
    /// A sentence on why there may be more, and what helps; none where this is all.
    pub(crate) unknown: Option<String>,
}

/// A file that commits hold in full.
#[derive(Clone, Debug)]
pub(crate) struct Committed {
    pub(crate) file: InFull,
    /// The last commit has it.
    pub(crate) at_tip: bool,
    /// Others have it already.
    pub(crate) pushed: bool,
    /// What takes the commits back that bring it, for people.
    undo: String,
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
                format!("{}; then `hydrant publish {}`, and commit the rest", self.undo, shell(session))
            }
            (None, true) => format!(
                "`git add --renormalize -- {}` puts a pointer in its place where a clean filter is set; the history \
                 that was pushed keeps it",
                shell(&self.file.path)
            ),
            (None, false) => {
                format!("{}; then set a clean filter, or write pointers, and commit them anew", self.undo)
            }
        }
    }
}

/// Everything that the last commit and the commits that were not pushed hold in full, by path.
pub(crate) fn all(repository: &Repository, guest: &mut Guest) -> Result<InCommits, Fault> {
    let Some(head) = committed::commit(repository, "HEAD")? else { return Ok(InCommits::default()) };
    let mut unknown = None;
    // Without a remote everything is only here, and the last commit says enough.
    let is_remote = has_remote(repository)?;
    let unpushed = if is_remote { unpushed(repository, guest, &head, None) } else { Ok(Vec::new()) };
    let mut found = known(unpushed, &mut unknown)?;
    if unknown.is_some() {
        // Nobody can tell what of the last commit is pushed.
        return Ok(InCommits { list: Vec::new(), unknown });
    }
    let key = |one: &InFull| (one.path.clone(), one.git_oid.clone());
    let brought: BTreeSet<_> = found.iter().map(|one| key(&one.file)).collect();
    let of_tip = of_tip(repository, guest, &head, &mut unknown);
    let mut of_tip = known(of_tip, &mut unknown)?;
    of_tip.retain(|file| !brought.contains(&key(file)));
    let undo = if is_remote { String::new() } else { undo::words(repository, &[head.as_str()], &head, &of_tip)? };
    let committed = |file| Committed { file, at_tip: true, pushed: is_remote, undo: undo.clone() };
    found.extend(of_tip.into_iter().map(committed));
    found.sort_by(|one, other| one.file.path.cmp(&other.file.path).then(other.at_tip.cmp(&one.at_tip)));
    Ok(InCommits { list: found, unknown })
}

fn has_remote(repository: &Repository) -> Result<bool, Fault> {
    Ok(!repository.git.read(&["for-each-ref", "--count=1", "refs/remotes"], b"")?.is_empty())
}

/// The sentence for what nobody can tell.
pub(crate) fn unknown_because(why: &str) -> String {
    format!("whether all commits are free of content in full is not known: {why}")
}

/// What could be read; of the rest, why it could not.
fn known<T: Default>(found: Result<T, Fault>, unknown: &mut Option<String>) -> Result<T, Fault> {
    match found {
        Err(fault) if matches!(fault.code, Code::Limit | Code::Host) => {
            let help = if fault.code == Code::Host { format!("; {BRING}") } else { String::new() };
            unknown.get_or_insert_with(|| unknown_because(&(fault.detail + &help)));
            Ok(T::default())
        }
        found => found,
    }
}

/// What a push up to this commit brings in full. A clone that lacks trees on purpose cannot tell everything, and must
/// push all the same; elsewhere, what cannot be read ends the look.
pub(crate) fn pushed(
    repository: &Repository,
    guest: &mut Guest,
    tip: &str,
    older: Option<&str>,
    unknown: &mut Option<String>,
) -> Result<Vec<Committed>, Fault> {
    match unpushed(repository, guest, tip, older) {
        Err(fault) if fault.code == Code::Host && repository.is_partial()? => known(Err(fault), unknown),
        found => found,
    }
}

/// What a tree brings in full that is pushed without a commit, as by a tag, and no remote has. `older` is what is known
/// to be where it goes.
pub(crate) fn pushed_tree(
    repository: &Repository,
    guest: &mut Guest,
    id: &str,
    older: Option<&str>,
    unknown: &mut Option<String>,
) -> Result<Vec<InFull>, Fault> {
    match new_of_tree(repository, guest, id, older) {
        Err(fault) if fault.code == Code::Host && repository.is_partial()? => known(Err(fault), unknown),
        found => found,
    }
}

fn new_of_tree(
    repository: &Repository,
    guest: &mut Guest,
    id: &str,
    older: Option<&str>,
) -> Result<Vec<InFull>, Fault> {
    let git = repository.as_it_is();
    let looked = look(repository, guest, Holder::Commit { id, older: None }, files(git, id)?)?;
    // A tree has no past that could say more.
    let is_remote = has_remote(repository)?;
    let mut found = if is_remote { looked.in_full } else { without_first_recorders(looked, |_| Ok(BTreeSet::new()))? };
    if found.is_empty() {
        return Ok(found);
    }
    // git sends all of a tree, also what is there already.
    let mut news: HashSet<String> = found.iter().map(|one| one.git_oid.clone()).collect();
    let objects = ["rev-list", "--objects", "--no-object-names", "--missing=allow-any", "--remotes"];
    chain::read(git, &[&[&objects[..], older.as_slice()].concat()], |said| {
        while let Some(line) = said.record(b'\n')? {
            news.remove(&*String::from_utf8_lossy(&line));
        }
        Ok::<_, Fault>(())
    })?;
    found.retain(|one| news.contains(&one.git_oid));
    Ok(found)
}

/// All files of a commit or a tree, as if nothing had been there before.
fn files(git: &Git, id: &str) -> Result<Vec<Candidate>, Fault> {
    let mut files = Vec::new();
    tree::each_entry(git, id, &[], |path, entry| {
        if entry.is_file() {
            let path = String::from_utf8_lossy(path).into_owned();
            files.push(Candidate { path, git_oid: entry.oid, before: Vec::new() });
        }
        Ok::<_, Fault>(())
    })?;
    Ok(files)
}

/// What the commits up to this one bring in full and no remote has, as far as this clone knows: what one has can no
/// longer be taken out. `older` is what is known to be where they go.
pub(crate) fn unpushed(
    repository: &Repository,
    guest: &mut Guest,
    tip: &str,
    older: Option<&str>,
) -> Result<Vec<Committed>, Fault> {
    let git = repository.as_it_is();
    let range = [&[tip, "--not", "--remotes"], older.as_slice()].concat();
    let candidates = changes(git, &range)?.into_iter().collect();
    let looked = look(repository, guest, Holder::Commit { id: tip, older }, candidates)?;
    let mut in_full = if has_remote(repository)? {
        looked.in_full
    } else {
        // Nobody can tell what was pushed.
        without_first_recorders(looked, |paths| had_pointers(git, guest, tip, paths))?
    };
    // The same content may have come in the place of several others.
    in_full.sort_by(|one, other| (&one.path, &one.git_oid).cmp(&(&other.path, &other.git_oid)));
    in_full.dedup_by(|one, other| (&one.path, &one.git_oid) == (&other.path, &other.git_oid));
    let words: Vec<String> = in_full.iter().map(|one| format!("{tip}:{}", one.path)).collect();
    let at_tip = git.blob_info(&words)?;
    let undo = undo::words(repository, &range, tip, &in_full)?;
    let committed = |(file, there): (InFull, Option<crate::git::objects::Header>)| {
        let at_tip = there.is_some_and(|there| there.git_oid == file.git_oid);
        Committed { file, at_tip, pushed: false, undo: undo.clone() }
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
            if change.is_of_content() {
                see(candidate(change, &path))?;
            }
        }
        Ok(())
    })
}

/// What the last commit holds in full.
fn of_tip(
    repository: &Repository,
    guest: &mut Guest,
    head: &str,
    unknown: &mut Option<String>,
) -> Result<Vec<InFull>, Fault> {
    let looked = look(repository, guest, Holder::Head(head), files(repository.as_it_is(), head)?)?;
    without_first_recorders(looked, |paths| known(had_pointers(repository.as_it_is(), guest, head, paths), unknown))
}

/// What is held in full, without sessions of which all content is, as their manifests say: unless earlier commits had
/// their pointers, nobody ever had.
fn without_first_recorders(
    looked: Looked,
    had_pointers: impl FnOnce(&[&str]) -> Result<BTreeSet<String>, Fault>,
) -> Result<Vec<InFull>, Fault> {
    let mut found = looked.in_full;
    let of_session = |path: &str| session_file(path).map(|(session, _)| session.to_owned());
    let with_pointers: BTreeSet<String> = looked.pointers.iter().filter_map(|path| of_session(path)).collect();
    let is_doubtful = |one: &InFull| {
        one.is_as_named && of_session(&one.path).is_some_and(|session| !with_pointers.contains(&session))
    };
    let doubtful: Vec<&str> = found.iter().filter(|one| is_doubtful(one)).map(|one| one.path.as_str()).collect();
    if !doubtful.is_empty() {
        let had: BTreeSet<String> = had_pointers(&doubtful)?.iter().filter_map(|path| of_session(path)).collect();
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
        if wanted.contains(path.as_str()) {
            for id in old {
                before.entry(id).or_default().insert(path.clone());
            }
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
