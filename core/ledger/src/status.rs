//! How much of a session can be read here, and where: one rule for status and for content.
//!
//! An empty file counts as hydrated. Readers get content or one of these states, never pointer bytes as content.

use crate::manifest::{FileRef, Storage};
use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use hydrant_lfs::git_lfs::pointer::{self, Kind};
use hydrant_lfs::order::SortedMap;
use hydrant_lfs::text::oid::Blob;

/// What the working tree holds at a path.
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

impl Place {
    /// What a file under 1024 bytes is, judged by all its bytes.
    pub fn of_small(bytes: &[u8]) -> Place {
        let size = bytes.len() as u64;
        match pointer::classify(bytes, size) {
            // Of a session, an empty file is an empty artifact.
            _ if bytes.is_empty() => Place::Content(0),
            Kind::Content(_) => Place::Content(size),
            Kind::Malformed(_) => Place::Malformed,
            Kind::Pointer(it) => Place::Pointer(it.blob),
        }
    }
}

/// What the host sees of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// File name within the session.
    pub name: String,
    /// What the working tree holds.
    pub place: Place,
    /// Bytes of its blob in the cache; none: not there.
    pub cached: Option<u64>,
}

/// Where a reader gets the content, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// In the cache.
    Cached,
    /// In the working tree, with the size that the manifest names. Not hashed: verify on use.
    InPlace,
    /// In the working tree, with another size: not published yet.
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
    /// The file in the working tree is a broken pointer or cannot be read.
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
    /// Overall.
    pub hydration: Hydration,
    /// In manifest order.
    pub files: Vec<FileState>,
    /// Its counts for a report on the checkout.
    pub tally: Tally,
}

/// The counts of one session for a report on a checkout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Files that the manifest names.
    pub files: u64,
    /// Of these, files that are here as the manifest says.
    pub there: u64,
    /// Files stored in Git LFS.
    pub required: u64,
    /// Of these, files whose content is here.
    pub completed: u64,
    /// Files here with other content than the manifest says.
    pub changed: u64,
    /// Files that are missing from git, broken, or contradict the manifest; a manifest that cannot be read counts as
    /// one.
    pub broken: u64,
    /// The manifest could not be read, so nothing is known of its files.
    pub unreadable: bool,
}

impl Tally {
    fn add(&mut self, file: &FileRef, state: State) {
        let out_of_band = u64::from(file.storage == Storage::Lfs && file.flaw.is_none());
        self.files += 1;
        self.required += out_of_band;
        match state {
            State::Cached | State::InPlace => {
                self.there += 1;
                self.completed += out_of_band;
            }
            State::Changed => self.changed += 1,
            State::Dehydrated | State::NotFetched | State::Corrupt | State::TooLarge => {}
            State::Missing | State::Conflict | State::Malformed | State::Unusable => self.broken += 1,
        }
    }
}

/// The state of a session from the files of its manifest and what the host sees of them. A file without a fact is
/// absent.
pub fn status(refs: &[FileRef], facts: &[Fact], object_bytes_max: u64) -> Status {
    let named: SortedMap<&str, &Fact> = facts.iter().map(|fact| (fact.name.as_str(), fact)).collect();
    let mut tally = Tally::default();
    let state_of = |file: &FileRef| {
        let fact = named.get(file.name.as_str());
        let (place, cached) = fact.map_or((Place::Absent, None), |fact| (fact.place, fact.cached));
        let (state, detail) = resolve(file, place, cached, object_bytes_max);
        tally.add(file, state);
        FileState { name: file.name.clone(), state, detail }
    };
    let files: Vec<FileState> = refs.iter().map(state_of).collect();
    // A file stored in git is read as it is: a checkout may have changed its line ends.
    let readable = |(file, now): &(&FileRef, &FileState)| match now.state {
        State::Cached | State::InPlace => true,
        State::Changed => file.storage == Storage::Git,
        _ => false,
    };
    let hydration = match refs.iter().zip(&files).filter(readable).count() {
        count if count == files.len() => Hydration::Hydrated,
        0 => Hydration::Dehydrated,
        _ => Hydration::Partial,
    };
    Status { hydration, files, tally }
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
        (_, Some(size)) if size == blob.size => (State::Cached, beside_the_cached(place, blob)),
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

/// What the working tree holds for a file that is read from the cache, if that is neither its pointer nor its content.
fn beside_the_cached(place: Place, blob: Blob) -> Option<String> {
    match place {
        Place::Absent | Place::Pointer(_) => None,
        Place::Content(size) if size == blob.size => None,
        Place::Content(size) => Some(format!("{size} bytes of other content stand in its place, not published yet")),
        Place::Malformed => Some("a broken pointer stands in its place".to_owned()),
        Place::Unreadable => Some("what stands in its place cannot be read".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydrant_lfs::text::oid::Oid;

    #[test]
    fn a_small_file_is_content_a_pointer_or_broken() {
        let blob = Blob { oid: Oid::EMPTY, size: 7 };
        let pointer = pointer::of_ledger(blob);
        for (bytes, expected) in [
            ("", Place::Content(0)),
            ("hello", Place::Content(5)),
            (pointer.as_str(), Place::Pointer(blob)),
            (&pointer.replace("sha256", "md5"), Place::Malformed),
            (&pointer.replace('\n', "\r\n"), Place::Pointer(blob)),
            (&(pointer.clone() + &" ".repeat(1024)), Place::Content(pointer.len() as u64 + 1024)),
        ] {
            assert_eq!(Place::of_small(bytes.as_bytes()), expected, "{bytes:?}");
        }
    }
}
