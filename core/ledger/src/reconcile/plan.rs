//! Plans the repair of a push that the remote refuses because blobs of its pointers are missing.
//!
//! Source: ox `internal/lfs/reconcile.go` in its later form (the released form put empty files in place of pointers;
//! here a file is removed together with its entry, or stays). Blobs that the cache still has are uploaded again. A file
//! whose blob is nowhere is removed, with exactly the entry that names it. Pointers that only older commits hold are
//! gone when the unpushed commits become one. All checks come before the first change. Nothing is changed if an answer
//! is uncertain, a file is no longer that very pointer, a manifest says something else, or a pointer does not belong to
//! a session.

use super::report::{Contradiction, Missing, Remedy, Unknown};
use crate::manifest::{self, FileRef, Manifest};
use crate::name;
use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use hydrant_lfs::git_lfs::batch::{self, BatchObject};
use hydrant_lfs::order::{SortedMap, SortedSet};
use hydrant_lfs::protocol::refusal;
use hydrant_lfs::text::error::{Code, Error, quote};
use hydrant_lfs::text::limits::WANTS_MAX;
use hydrant_lfs::text::oid::{Blob, Oid};

/// What the server says about one blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has it.
    Present,
    /// The batch response says of this very object that it does not exist.
    Missing,
    /// It has said 404 to a question about many, and would take the blob: one that is here may be sent again, and
    /// nothing else follows.
    Wanted,
    /// Anything else.
    Inconclusive(Error),
}

impl Verdict {
    /// Only a 404 for this object in a batch response is definite.
    pub(super) fn of(answer: Result<BatchObject, Error>) -> Self {
        match answer.map(|object| object.verdict) {
            Err(error) => Self::Inconclusive(error),
            // An expired link was a link to this object, so the server has it.
            Ok(batch::Verdict::Present | batch::Verdict::Download(_) | batch::Verdict::Expired) => Self::Present,
            Ok(batch::Verdict::Refused(refused)) => {
                let error = refusal::object(refused.status, &refused.message);
                if error.code == Code::Missing { Self::Missing } else { Self::Inconclusive(error) }
            }
            Ok(batch::Verdict::Broken(flaw)) => Self::Inconclusive(Error::new(Code::Malformed, flaw.explain())),
            Ok(batch::Verdict::Upload(..)) => Self::Wanted,
        }
    }
}

/// A pointer that the push would send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PointerFact {
    /// Path in the repository.
    pub(super) path: String,
    /// The blob that it names.
    pub(super) blob: Blob,
    /// The last commit holds this very pointer at this path; otherwise only older commits do.
    pub(super) at_tip: bool,
    /// The index and the working tree hold this very pointer at this path, too.
    pub(super) unchanged: bool,
    /// The cache has the bytes, verified.
    pub(super) cached: bool,
    /// What the server says about the blob.
    pub(super) verdict: Verdict,
}

impl PointerFact {
    /// What the report says, if nothing definite is known of the blob.
    pub(super) fn unknown(&self) -> Option<Unknown> {
        let Verdict::Inconclusive(error) = &self.verdict else { return None };
        Some(Unknown { path: self.path.clone(), blob: self.blob, error: error.clone() })
    }
}

/// What is known of a push.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// Pointers between the remote's commit and the last one here.
    pub(super) pointers: Vec<PointerFact>,
    /// Manifests of sessions that lack blobs, as the working tree holds them; none when one is not there.
    pub(super) manifests: SortedMap<String, Option<Vec<u8>>>,
    /// Commits that the remote lacks.
    pub(super) commits: u64,
    /// The branch has an upstream.
    pub(super) follows: bool,
    /// The remote's commit is an ancestor of the last one here.
    pub(super) base_is_ancestor: bool,
    /// A rebase, a merge or the like is under way.
    pub(super) is_underway: bool,
}

/// Files to remove from a session, together with their entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Removal {
    /// The session.
    pub(super) session: String,
    /// File names within the session.
    pub(super) files: Vec<String>,
    /// The manifest without their entries; none: it stays as it is.
    pub(super) manifest: Option<Vec<u8>>,
}

/// What a repair does, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Actions {
    /// Blobs that are sent again from the cache.
    pub(super) uploads: Vec<Blob>,
    /// Files to remove, one session after the other.
    pub(super) removals: Vec<Removal>,
    /// One commit replaces all that the remote lacks.
    pub(super) rewrites: bool,
}

/// The result of checking a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Pointers whose blob the server lacks, in the order given.
    pub(super) missing: Vec<Missing>,
    /// The repair of them all, or why nothing may be changed.
    pub(super) actions: Result<Actions, Error>,
}

/// Checks a push. A blob is missing only when the server definitely said so.
pub(super) fn plan(facts: &Facts) -> Plan {
    let missing = missing(facts);
    let actions = actions(facts, &missing);
    let told = |(fact, remedy): (&PointerFact, Remedy)| Missing {
        path: fact.path.clone(),
        blob: fact.blob,
        history_only: !fact.at_tip,
        remedy,
    };
    Plan { missing: missing.into_iter().map(told).collect(), actions }
}

/// Session and file name of a path, when it is one of a session's files.
pub(super) fn place(path: &str) -> Option<(&str, &str)> {
    let (session, file) = path.strip_prefix(name::SESSIONS)?.strip_prefix('/')?.split_once('/')?;
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

/// Pointers of one session that its manifest contradicts. A manifest without the file does not contradict its pointer.
pub(super) fn contradictions<'a>(
    pointers: impl Iterator<Item = (&'a str, Blob)>,
    manifest: &Manifest,
) -> Vec<Contradiction> {
    let judged = |(path, blob): (&str, Blob)| {
        let (_, file) = place(path)?;
        let entry = manifest.files().iter().find(|entry| entry.name == file)?;
        contradiction(path, blob, entry)
    };
    pointers.filter_map(judged).collect()
}

fn contradiction(path: &str, pointer: Blob, entry: &FileRef) -> Option<Contradiction> {
    let named = entry.oid.map(|oid| Blob { oid, size: entry.size });
    let agrees = entry.flaw.is_none() && named == Some(pointer);
    (!agrees).then(|| Contradiction { path: path.to_owned(), pointer, manifest: named })
}

/// All checks, then all actions.
fn actions(facts: &Facts, missing: &[(&PointerFact, Remedy)]) -> Result<Actions, Error> {
    sensible(facts)?;
    certain(facts)?;
    if missing.is_empty() {
        return Ok(Actions::default());
    }
    if facts.is_underway {
        return Err(Error::new(Code::Conflict, "a rebase or a merge is under way; end it first"));
    }
    let of = |wanted: Remedy| missing.iter().filter(move |(_, remedy)| *remedy == wanted).map(|(fact, _)| *fact);
    if let Some(fact) = of(Remedy::None).next() {
        let (oid, path) = (fact.blob.oid, quote(&fact.path));
        let then = "push it from a clone that has it, or commit without that file, which is not ours to remove";
        return Err(Error::new(
            Code::Missing,
            format_args!("the server and this clone lack {oid}, which {path} names: {then}"),
        ));
    }
    let removals = removals(of(Remedy::Remove), &facts.manifests)?;
    let in_history = of(Remedy::Squash).next().is_some();
    let rewrites = in_history || !removals.is_empty();
    // If the older commits are replaced, blobs that only they name need no upload.
    let again: SortedMap<Oid, Blob> = of(Remedy::UploadAgain)
        .filter(|fact| fact.at_tip || !rewrites)
        .map(|fact| (fact.blob.oid, fact.blob))
        .collect();
    let actions = Actions { uploads: again.into_values().collect(), removals, rewrites };
    if !rewrites {
        return Ok(actions);
    }
    if !facts.follows {
        let why = "the branch has no upstream, so its commits cannot be squashed: push it once with `git push -u`";
        return Err(Error::new(Code::Conflict, why));
    }
    if !facts.base_is_ancestor {
        return Err(Error::new(Code::Conflict, "the remote has commits that this clone has not; pull first"));
    }
    if in_history && facts.commits < 2 {
        return Err(Error::new(Code::Host, "a pointer of an older commit was given, but no older commit"));
    }
    Ok(actions)
}

/// Checks that there are not too many facts, and no path of the tip twice.
fn sensible(facts: &Facts) -> Result<(), Error> {
    if facts.pointers.len() > WANTS_MAX {
        return Err(Error::new(Code::Limit, format_args!("a push of more than {WANTS_MAX} pointers is not repaired")));
    }
    let mut paths = SortedSet::default();
    match facts.pointers.iter().filter(|fact| fact.at_tip).find(|fact| !paths.insert(fact.path.as_str())) {
        Some(fact) => Err(Error::new(Code::Host, format_args!("the path {} was given twice", quote(&fact.path)))),
        None => Ok(()),
    }
}

/// Checks that every answer is definite.
fn certain(facts: &Facts) -> Result<(), Error> {
    for fact in &facts.pointers {
        if let Verdict::Inconclusive(error) = &fact.verdict {
            return Err(error.clone().context(&format!("the blob of {}", quote(&fact.path))));
        }
    }
    Ok(())
}

/// One change for each session, in the order of their names.
fn removals<'a>(
    facts: impl Iterator<Item = &'a PointerFact>,
    manifests: &SortedMap<String, Option<Vec<u8>>>,
) -> Result<Vec<Removal>, Error> {
    let mut sessions: SortedMap<&str, SortedMap<&str, &PointerFact>> = SortedMap::default();
    for fact in facts {
        let Some((session, file)) = place(&fact.path) else { continue };
        if !fact.unchanged {
            let (oid, path) = (fact.blob.oid, quote(&fact.path));
            let why = format!("the server lacks {oid}, but {path} is no longer the pointer that names it");
            return Err(Error::new(Code::Conflict, format_args!("{why}: move that file away first")));
        }
        sessions.or_default(session).insert(file, fact);
    }
    sessions.into_iter().map(|(session, files)| removal(session, &files, manifests)).collect()
}

fn removal(
    session: &str,
    files: &SortedMap<&str, &PointerFact>,
    manifests: &SortedMap<String, Option<Vec<u8>>>,
) -> Result<Removal, Error> {
    let shown = quote(session);
    let manifest = match manifests.get(session) {
        None => return Err(Error::new(Code::Host, format_args!("the manifest of {shown} was not given"))),
        Some(None) => None,
        Some(Some(text)) => {
            let manifest = Manifest::parse(text).map_err(|error| error.context(&shown))?;
            let mut gone = SortedMap::default();
            for entry in manifest.files() {
                let Some(fact) = files.get(entry.name.as_str()) else { continue };
                if let Some(it) = contradiction(&fact.path, fact.blob, entry) {
                    return Err(told(&it));
                }
                gone.insert(entry.name.as_str(), fact.blob.oid);
            }
            if gone.is_empty() { None } else { Some(manifest::remove_entries(text, &gone)?) }
        }
    };
    let files = files.keys().map(|file| (*file).to_owned()).collect();
    Ok(Removal { session: session.to_owned(), files, manifest })
}

/// The contradiction as an error that names both sides.
fn told(it: &Contradiction) -> Error {
    let (path, pointer) = (quote(&it.path), it.pointer);
    let manifest = match it.manifest {
        Some(blob) => format!("{} of {} bytes", blob.oid, blob.size),
        None => "no blob".to_owned(),
    };
    let pointer = format!("{} of {} bytes", pointer.oid, pointer.size);
    Error::new(Code::Conflict, format_args!("the pointer {path} names {pointer}, the manifest {manifest}"))
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
