//! A push that the remote refuses because pointers lack their blobs: what is missing, and the one plan that cures it.
//!
//! Source: ox `internal/lfs/reconcile.go` in its later form (the released form put empty files in place of pointers;
//! here a file goes together with its reference, or stays). Blobs that the cache still has are sent again. A file whose
//! blob is nowhere goes, with exactly the entry that names it. What only older commits hold goes when unpushed commits
//! become one. Every check precedes the first change: an uncertain answer, a file that is not that very pointer, a
//! manifest that says something else, or a pointer that is not a session's, and nothing is changed at all.

use crate::error::{Code, Error, quote};
use crate::limits::WANTS_MAX;
use crate::manifest::{self, FileRef, Manifest};
use crate::name;
use crate::oid::{Blob, Oid};
use std::collections::{BTreeMap, BTreeSet};

/// What the server says of one blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has it.
    Present,
    /// It said, for this one object in an answer to many, that it does not exist.
    Missing,
    /// Anything else.
    Inconclusive,
}

/// A pointer that the push would send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointerFact {
    /// Path in the repository.
    pub path: String,
    /// What it stands for.
    pub blob: Blob,
    /// The last commit holds this very pointer at this path; otherwise only older commits do.
    pub at_tip: bool,
    /// The work tree holds this very pointer at this path.
    pub in_work_tree: bool,
    /// The cache has the bytes, verified.
    pub cached: bool,
    /// What the server says.
    pub verdict: Verdict,
}

/// The manifest of a session, as the work tree holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestFact {
    /// Name of the session's folder.
    pub session: String,
    /// Its bytes; none when it is not there.
    pub text: Option<Vec<u8>>,
}

/// What the host knows of a push.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Pointers between the remote's commit and the last one here.
    pub pointers: Vec<PointerFact>,
    /// Manifests of the sessions that these pointers belong to.
    pub manifests: Vec<ManifestFact>,
    /// Commits that the remote lacks.
    pub commits: u64,
    /// The remote's commit is an ancestor of the last one here.
    pub upstream_is_ancestor: bool,
    /// A rebase or a merge is under way.
    pub rebase_in_progress: bool,
}

/// What cures one missing blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// The cache has it: send it again.
    UploadAgain,
    /// The file goes, with its entry.
    Remove,
    /// Only older commits hold the pointer: they go.
    Squash,
    /// Nothing here: the pointer is not a session's.
    None,
}

/// A pointer whose blob the server lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Path in the repository.
    pub path: String,
    /// What it stands for.
    pub blob: Blob,
    /// What cures it.
    pub remedy: Remedy,
}

/// A pointer at the tip that contradicts the manifest of its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// Path in the repository.
    pub path: String,
    /// What the pointer names.
    pub pointer: Blob,
    /// What the manifest names; none when its entry names no blob.
    pub manifest: Option<Blob>,
}

/// One step of a repair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send this blob from the cache.
    UploadAgain(Blob),
    /// Take files out of a session, together with their entries, as one change.
    Remove {
        /// The session.
        session: String,
        /// File names within the session.
        files: Vec<String>,
        /// The manifest without their entries, in place of the one that was given; none: it stays as it is.
        manifest: Option<Vec<u8>>,
    },
    /// Make one commit of all that the remote lacks and of the removals; the old one stays reachable.
    Squash,
}

/// What a look at a push came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Pointers looked at.
    pub scanned: u64,
    /// Pointers whose blob the server lacks, in the order given.
    pub missing: Vec<Missing>,
    /// Of these, pointers that only older commits hold.
    pub history_only: u64,
    /// Files that the actions remove.
    pub removed: u64,
    /// The actions make one commit of what would be several.
    pub squashed: bool,
    /// Pointers that contradict a manifest that was given.
    pub contradictions: Vec<Contradiction>,
    /// In this order, each only after the one before succeeded; or why nothing may be changed.
    pub actions: Result<Vec<Action>, Error>,
}

/// Judges a push. Nothing here is missing unless the server definitely said so.
pub fn plan(facts: &Facts) -> Plan {
    let manifests = manifests(facts);
    let missing = missing(facts);
    let actions = actions(facts, &missing, &manifests);
    let mut removed = 0;
    for action in actions.iter().flatten() {
        if let Action::Remove { files, .. } = action {
            removed += files.len() as u64;
        }
    }
    let rewrites = actions.iter().flatten().any(|action| *action == Action::Squash);
    Plan {
        scanned: facts.pointers.len() as u64,
        history_only: missing.iter().filter(|(fact, _)| !fact.at_tip).count() as u64,
        removed,
        squashed: rewrites && facts.commits.saturating_add(u64::from(removed > 0)) > 1,
        contradictions: contradictions(facts, &manifests),
        missing: missing
            .into_iter()
            .map(|(fact, remedy)| Missing { path: fact.path.clone(), blob: fact.blob, remedy })
            .collect(),
        actions,
    }
}

/// Manifests that were given; none when one is not there.
type Given<'a> = BTreeMap<&'a str, Result<Option<(&'a [u8], Manifest)>, Error>>;

fn manifests(facts: &Facts) -> Given<'_> {
    let mut given = Given::new();
    for fact in &facts.manifests {
        let text = fact.text.as_deref();
        let manifest = text.map(Manifest::parse).transpose();
        given.insert(&fact.session, manifest.map(|manifest| text.zip(manifest)));
    }
    given
}

/// Session and file name of a path, when it is one of a session's files.
fn place(path: &str) -> Option<(&str, &str)> {
    let (session, file) = path.strip_prefix("sessions/")?.split_once('/')?;
    (name::session_flaw(session).is_none() && name::flaw(file).is_none()).then_some((session, file))
}

fn missing(facts: &Facts) -> Vec<(&PointerFact, Remedy)> {
    let remedy = |fact: &PointerFact| match place(&fact.path) {
        _ if fact.cached => Remedy::UploadAgain,
        _ if !fact.at_tip => Remedy::Squash,
        Some(_) => Remedy::Remove,
        None => Remedy::None,
    };
    let missing = facts.pointers.iter().filter(|fact| fact.verdict == Verdict::Missing);
    missing.map(|fact| (fact, remedy(fact))).collect()
}

/// A manifest without the file does not contradict its pointer.
fn contradictions(facts: &Facts, manifests: &Given<'_>) -> Vec<Contradiction> {
    let mut found = Vec::new();
    for fact in facts.pointers.iter().filter(|fact| fact.at_tip) {
        let Some((session, file)) = place(&fact.path) else { continue };
        let Some(Ok(Some((_, manifest)))) = manifests.get(session) else { continue };
        let entry = manifest.files().iter().find(|entry| entry.name == file);
        found.extend(entry.and_then(|entry| contradiction(fact, entry)));
    }
    found
}

fn contradiction(fact: &PointerFact, entry: &FileRef) -> Option<Contradiction> {
    let named = entry.oid.map(|oid| Blob { oid, size: entry.size });
    let agrees = entry.flaw.is_none() && named == Some(fact.blob);
    (!agrees).then(|| Contradiction { path: fact.path.clone(), pointer: fact.blob, manifest: named })
}

/// All checks, then all actions.
fn actions(facts: &Facts, missing: &[(&PointerFact, Remedy)], given: &Given<'_>) -> Result<Vec<Action>, Error> {
    sensible(facts)?;
    certain(facts)?;
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    if facts.rebase_in_progress {
        return Err(Error::new(Code::Conflict, "a rebase or a merge is under way; end it first"));
    }
    let of = |wanted: Remedy| missing.iter().filter(move |(_, remedy)| *remedy == wanted).map(|(fact, _)| *fact);
    if let Some(fact) = of(Remedy::None).next() {
        let (oid, path) = (fact.blob.oid, quote(&fact.path));
        let why = "is no file of a session, so it is not ours to remove";
        return Err(Error::new(Code::Missing, format!("the server lacks {oid}, and {path}, which names it, {why}")));
    }
    let removals = removals(of(Remedy::Remove), given)?;
    let in_history = of(Remedy::Squash).next().is_some();
    let mut again = BTreeSet::new();
    let mut actions = Vec::new();
    for fact in of(Remedy::UploadAgain) {
        if again.insert(fact.blob.oid) {
            actions.push(Action::UploadAgain(fact.blob));
        }
    }
    if removals.is_empty() && !in_history {
        return Ok(actions);
    }
    if !facts.upstream_is_ancestor {
        return Err(Error::new(Code::Conflict, "the remote has commits that this clone has not; pull first"));
    }
    if in_history && facts.commits < 2 {
        return Err(Error::new(Code::Host, "a pointer of an older commit was given, but no older commit"));
    }
    actions.extend(removals);
    actions.push(Action::Squash);
    Ok(actions)
}

/// The facts are about one tip, and not too many.
fn sensible(facts: &Facts) -> Result<(), Error> {
    let count = facts.pointers.len();
    if count > WANTS_MAX || facts.manifests.len() > WANTS_MAX {
        return Err(Error::new(Code::Limit, format!("a push of more than {WANTS_MAX} pointers is not repaired")));
    }
    let mut paths = BTreeSet::new();
    match facts.pointers.iter().filter(|fact| fact.at_tip).find(|fact| !paths.insert(fact.path.as_str())) {
        Some(fact) => Err(Error::new(Code::Host, format!("the path {} was given twice", quote(&fact.path)))),
        None => Ok(()),
    }
}

/// One answer that is not definite, or two that differ, and nothing is known.
fn certain(facts: &Facts) -> Result<(), Error> {
    let mut said: BTreeMap<Oid, Verdict> = BTreeMap::new();
    for fact in &facts.pointers {
        let before = said.insert(fact.blob.oid, fact.verdict);
        if fact.verdict == Verdict::Inconclusive || before.is_some_and(|before| before != fact.verdict) {
            let (oid, path) = (fact.blob.oid, quote(&fact.path));
            return Err(Error::new(Code::Busy, format!("the server gave no certain answer about {oid} of {path}")));
        }
    }
    Ok(())
}

/// One change a session, in the order of their names.
fn removals<'a>(facts: impl Iterator<Item = &'a PointerFact>, given: &Given<'_>) -> Result<Vec<Action>, Error> {
    let mut sessions: BTreeMap<&str, BTreeMap<&str, &PointerFact>> = BTreeMap::new();
    for fact in facts {
        let Some((session, file)) = place(&fact.path) else { continue };
        if !fact.in_work_tree {
            let (oid, path) = (fact.blob.oid, quote(&fact.path));
            let why = format!("the server lacks {oid}, but {path} is no longer the pointer that names it");
            return Err(Error::new(Code::Conflict, why));
        }
        sessions.entry(session).or_default().insert(file, fact);
    }
    sessions.into_iter().map(|(session, files)| removal(session, &files, given)).collect()
}

fn removal(session: &str, files: &BTreeMap<&str, &PointerFact>, given: &Given<'_>) -> Result<Action, Error> {
    let shown = quote(session);
    let manifest = match given.get(session) {
        None => return Err(Error::new(Code::Host, format!("the manifest of {shown} was not given"))),
        Some(Err(error)) => return Err(error.clone().context(&shown)),
        Some(Ok(None)) => None,
        Some(Ok(Some((text, manifest)))) => {
            let mut gone = BTreeMap::new();
            for entry in manifest.files() {
                let Some(fact) = files.get(entry.name.as_str()) else { continue };
                if let Some(it) = contradiction(fact, entry) {
                    return Err(told(&it));
                }
                gone.insert(entry.name.as_str(), fact.blob.oid);
            }
            if gone.is_empty() { None } else { Some(manifest::remove_entries(text, &gone)?) }
        }
    };
    let files = files.keys().map(|file| (*file).to_owned()).collect();
    Ok(Action::Remove { session: session.to_owned(), files, manifest })
}

/// The contradiction as a refusal that names both sides.
fn told(it: &Contradiction) -> Error {
    let (path, pointer) = (quote(&it.path), it.pointer);
    let manifest = match it.manifest {
        Some(blob) => format!("{} of {} bytes", blob.oid, blob.size),
        None => "no blob".to_owned(),
    };
    let pointer = format!("{} of {} bytes", pointer.oid, pointer.size);
    Error::new(Code::Conflict, format!("the pointer {path} names {pointer}, the manifest {manifest}"))
}

#[cfg(test)]
#[path = "repair_tests.rs"]
mod tests;
