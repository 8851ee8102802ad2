//! How much of a session can be read here, and where: one rule for status and for content.
//!
//! An empty artifact counts as hydrated. Readers get content or one of these states, never pointer bytes as content.

use crate::error::Error;
use crate::manifest::{FileRef, Manifest, Storage};
use crate::oid::Blob;
use std::collections::BTreeMap;

/// What stands in the work tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nothing.
    Absent,
    /// Content of this many bytes.
    Content(u64),
    /// A pointer.
    Pointer(Blob),
    /// A broken pointer.
    Malformed,
    /// Something that is not a regular file, or cannot be read.
    Unreadable,
}

/// What the host sees of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// File name within the session.
    pub name: String,
    /// In the work tree.
    pub place: Place,
    /// Bytes of the entry in the cache.
    pub cached: Option<u64>,
}

/// Where a reader gets the content, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// In the cache.
    Cached,
    /// In the work tree, of the size the manifest names: verify on use.
    InPlace,
    /// In the work tree, of another size: not published yet.
    Changed,
    /// Only the pointer is here: hydrate.
    Dehydrated,
    /// Neither content nor pointer is here, but the manifest names the blob: hydrate.
    NotFetched,
    /// The file belongs in git and is not there.
    Missing,
    /// The cache holds something of another size.
    Corrupt,
    /// Over the size limit.
    TooLarge,
    /// The pointer names another blob than the manifest.
    Conflict,
    /// The file in the work tree is a broken pointer or cannot be read.
    Malformed,
    /// The manifest's entry cannot be used.
    Unusable,
}

/// One file's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileState {
    /// File name within the session.
    pub name: String,
    /// State.
    pub state: State,
    /// A sentence, when the state needs one.
    pub detail: Option<String>,
}

/// How much of a session can be read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hydration {
    /// All of it.
    Hydrated,
    /// Some of it.
    Partial,
    /// None of it.
    Dehydrated,
}

/// A session's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// In all.
    pub hydration: Hydration,
    /// In manifest order.
    pub files: Vec<FileState>,
}

/// The state of a session from its manifest and what the host sees. A file without a fact is absent.
pub fn status(manifest: &[u8], facts: &[Fact], object_bytes_max: u64) -> Result<Status, Error> {
    Ok(of(&Manifest::parse(manifest)?, facts, object_bytes_max))
}

/// The same of a manifest that was read.
pub(crate) fn of(manifest: &Manifest, facts: &[Fact], object_bytes_max: u64) -> Status {
    let mut named: BTreeMap<&str, &Fact> = BTreeMap::new();
    for fact in facts {
        named.insert(&fact.name, fact);
    }
    let files: Vec<FileState> = manifest
        .files()
        .iter()
        .map(|file| {
            let fact = named.get(file.name.as_str());
            let (place, cached) = fact.map_or((Place::Absent, None), |fact| (fact.place, fact.cached));
            let (state, detail) = resolve(file, place, cached, object_bytes_max);
            FileState { name: file.name.clone(), state, detail }
        })
        .collect();
    let readable = |file: &&FileState| matches!(file.state, State::Cached | State::InPlace | State::Changed);
    let hydration = match files.iter().filter(readable).count() {
        count if count == files.len() => Hydration::Hydrated,
        0 => Hydration::Dehydrated,
        _ => Hydration::Partial,
    };
    Status { hydration, files }
}

fn resolve(file: &FileRef, place: Place, cached: Option<u64>, object_bytes_max: u64) -> (State, Option<String>) {
    if let Some(flaw) = &file.flaw {
        return (State::Unusable, Some(flaw.detail.clone()));
    }
    let Some(oid) = file.oid.filter(|_| file.storage == Storage::Lfs) else {
        return match place {
            Place::Content(size) if size == file.size => (State::InPlace, None),
            Place::Content(size) => (State::Changed, Some(format!("{size} bytes here, {} in the manifest", file.size))),
            Place::Absent => (State::Missing, Some("it belongs in git and is not there".to_owned())),
            Place::Pointer(_) => (State::Conflict, Some("a pointer stands where git should hold content".to_owned())),
            Place::Malformed | Place::Unreadable => (State::Malformed, None),
        };
    };
    let blob = Blob { oid, size: file.size };
    if let Place::Pointer(pointed) = place
        && pointed != blob
    {
        let detail = format!(
            "the pointer names {} of {} bytes, the manifest {} of {} bytes",
            pointed.oid, pointed.size, blob.oid, blob.size
        );
        return (State::Conflict, Some(detail));
    }
    match (place, cached) {
        (_, Some(size)) if size == blob.size => (State::Cached, None),
        (Place::Content(size), _) if size == blob.size => (State::InPlace, None),
        (Place::Content(size), _) => {
            (State::Changed, Some(format!("{size} bytes here, {} in the manifest", blob.size)))
        }
        (_, Some(size)) => (State::Corrupt, Some(format!("the cache holds {size} bytes, not {}", blob.size))),
        (Place::Malformed | Place::Unreadable, None) => (State::Malformed, None),
        _ if blob.size > object_bytes_max => {
            (State::TooLarge, Some(format!("{} bytes are more than the limit of {object_bytes_max}", blob.size)))
        }
        (Place::Pointer(_), None) => (State::Dehydrated, None),
        (Place::Absent, None) => (State::NotFetched, None),
    }
}
