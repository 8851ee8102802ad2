//! Which files are held in full: by their attributes, by what stood there before, and by the sessions they belong to.
//!
//! The rule it keeps: git is asked about the files in question alone.

use std::collections::{BTreeSet, HashMap};

use crate::contract::error::Fault;
use crate::contract::types::Blob;
use crate::engine::Guest;
use crate::git::{Git, GitFault, USAGE};
use crate::repository::Repository;
use crate::tasks::held::{self, Held};

use super::candidate::{Candidate, Holder, session_file};
use super::folders::Folders;

/// Paths whose attributes git is asked for at once. The longest of them make less than one answer may have.
const PATHS_AT_ONCE: usize = 8192;

/// Why a pointer belongs in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It is a file of a session.
    Session,
    /// The attributes say `filter=lfs`.
    Attributes,
    /// A pointer stood there.
    Pointer,
}

/// A file that is held in full.
#[derive(Clone, Debug)]
pub(crate) struct InFull {
    pub(crate) path: String,
    /// Its id in git.
    pub(crate) git_oid: String,
    /// Its bytes.
    pub(crate) size: u64,
    pub(crate) why: Why,
    /// The blob that the pointer there named, or that the manifest names; empty where neither is known.
    pub(crate) oid: String,
    /// The manifest names a blob of this very length.
    pub(crate) is_as_named: bool,
}

/// What was seen of some files.
#[derive(Default)]
pub(crate) struct Looked {
    pub(crate) in_full: Vec<InFull>,
    /// Paths of those that are pointers.
    pub(crate) pointers: BTreeSet<String>,
}

impl InFull {
    /// The session that it belongs to.
    pub(crate) fn session(&self) -> Option<&str> {
        (self.why == Why::Session).then(|| session_file(&self.path)).flatten().map(|(session, _)| session)
    }
}

/// Which of these files are held in full.
pub(crate) fn look(
    repository: &Repository,
    guest: &mut Guest,
    holder: Holder<'_>,
    candidates: Vec<Candidate>,
) -> Result<Looked, Fault> {
    let git = repository.as_it_is();
    let may_have_sessions = repository.may_have_sessions();
    let is_of_session = |one: &Candidate| may_have_sessions && session_file(&one.path).is_some();
    let by_attributes = with_filter(git, holder, &candidates)?;
    let mut before = pointers_before(git, guest, candidates.iter().filter(|one| !by_attributes.contains(&one.path)))?;
    let mut concerned = candidates;
    concerned.retain(|one| is_of_session(one) || by_attributes.contains(&one.path) || before.contains_key(one));

    let mut looked = Looked::default();
    let mut content = Vec::new();
    let ids: Vec<&str> = concerned.iter().map(|one| one.git_oid.as_str()).collect();
    let sizes = git.blob_info(&ids)?.into_iter().map(|blob| Some(blob?.size));
    let blobs: Vec<(&str, Option<u64>)> = ids.iter().copied().zip(sizes).collect();
    for (one, held) in concerned.iter().zip(held::each(git, guest, &blobs)?) {
        match held {
            Held::Pointer(_) => drop(looked.pointers.insert(one.path.clone())),
            Held::Content { size, .. } => content.push((one, size)),
            Held::Malformed(_) | Held::Unknown => {}
        }
    }
    let of_sessions = content.iter().filter(|(one, _)| is_of_session(one)).map(|(one, _)| one.path.as_str());
    let folders = Folders::of(repository, guest, holder, of_sessions)?;
    for (one, size) in content {
        let found = |why, oid, is_as_named| InFull {
            path: one.path.clone(),
            git_oid: one.git_oid.clone(),
            size,
            why,
            oid,
            is_as_named,
        };
        if is_of_session(one)
            && let Some(verdict) = folders.judge(&one.path, size)
        {
            let wrong = verdict.map(|wrong| found(Why::Session, wrong.oid, wrong.is_as_named));
            looked.in_full.extend(wrong);
        } else if size > 0 {
            let oid = before.remove(one).map(|blob| blob.oid).unwrap_or_default();
            let why = if by_attributes.contains(&one.path) { Why::Attributes } else { Why::Pointer };
            if why == Why::Attributes || !oid.is_empty() {
                looked.in_full.push(found(why, oid, false));
            }
        }
    }
    Ok(looked)
}

/// Paths whose attributes say `filter=lfs`.
fn with_filter(git: &Git, holder: Holder<'_>, candidates: &[Candidate]) -> Result<BTreeSet<String>, Fault> {
    let mut found = BTreeSet::new();
    // git says each path again, and no answer of it may be too long.
    for part in candidates.chunks(PATHS_AT_ONCE) {
        let paths: Vec<&str> = part.iter().map(|one| one.path.as_str()).collect();
        let told = filters(git, holder, paths.join("\0").as_bytes())?;
        let fields: Vec<&[u8]> = told.split(|byte| *byte == 0).collect();
        let of_lfs = fields.chunks_exact(3).filter(|facts| facts[2] == b"lfs");
        found.extend(of_lfs.map(|facts| String::from_utf8_lossy(facts[0]).into_owned()));
    }
    Ok(found)
}

/// What git says of the attribute `filter` of these paths.
fn filters(git: &Git, holder: Holder<'_>, paths: &[u8]) -> Result<Vec<u8>, GitFault> {
    let ask = |of: &[&str]| git.run(&[&["check-attr", "-z", "--stdin"], of, &["filter"]].concat(), paths);
    let ended = match holder {
        Holder::Index => ask(&["--cached"])?,
        // For each folder git would read that commit's tree anew.
        Holder::Head(_) => ask(&[])?,
        Holder::Commit { id, .. } => match ask(&[&format!("--source={id}")])? {
            // One that is older than 2.40 knows only those of the work tree.
            ended if ended.status.code() == Some(USAGE) => ask(&[])?,
            ended => ended,
        },
    };
    if ended.success() { Ok(ended.stdout) } else { Err(GitFault::Refused(ended.stderr)) }
}

/// Those of these files where a pointer stood, with what it named.
fn pointers_before<'a>(
    git: &Git,
    guest: &mut Guest,
    candidates: impl Iterator<Item = &'a Candidate>,
) -> Result<HashMap<Candidate, Blob>, Fault> {
    let (candidates, ids): (Vec<&Candidate>, Vec<&str>) =
        candidates.flat_map(|one| one.before.iter().map(move |id| (one, id.as_str()))).unzip();
    let sizes = git.blob_info(&ids)?.into_iter().map(|blob| Some(blob?.size));
    let blobs: Vec<(&str, Option<u64>)> = ids.into_iter().zip(sizes).collect();
    let held = held::each(git, guest, &blobs)?;
    let pointer = |(one, held): (&Candidate, Held)| match held {
        Held::Pointer(blob) => Some((one.clone(), blob)),
        _ => None,
    };
    Ok(candidates.into_iter().zip(held).filter_map(pointer).collect())
}
