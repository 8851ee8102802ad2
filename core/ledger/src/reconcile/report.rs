//! What a reconcile found and what it did.

use alloc::string::String;
use alloc::vec::Vec;
use hydrant_lfs::contract::Revision;
use hydrant_lfs::text::error::Error;
use hydrant_lfs::text::oid::Blob;

/// How a repair handles one missing blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// The cache has it: it is uploaded again.
    UploadAgain,
    /// The file is removed, with its manifest entry.
    Remove,
    /// Only older commits hold the pointer: they are squashed.
    Squash,
    /// No repair is possible: the pointer does not belong to a session.
    None,
}

/// A pointer whose blob the server lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Path in the repository.
    pub path: String,
    /// The blob that it names.
    pub blob: Blob,
    /// Only older commits hold the pointer.
    pub history_only: bool,
    /// How a repair handles it.
    pub remedy: Remedy,
}

/// A pointer of whose blob the server said nothing definite, although it answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Path in the repository.
    pub path: String,
    /// The blob that it names.
    pub blob: Blob,
    /// What the server said instead.
    pub error: Error,
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

/// The result of a reconcile, however it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReconcileReport {
    /// Commits that the remote lacks.
    pub commits: u64,
    /// Pointers checked.
    pub scanned: u64,
    /// Pointers whose blob the server definitely lacks, in the order of the range.
    pub missing: Vec<Missing>,
    /// Pointers of whose blobs it said nothing definite, in that order. A repair then changes nothing. Empty when the
    /// server was not heard at all: then there is an error.
    pub unknown: Vec<Unknown>,
    /// Pointers that contradict the manifest of their session.
    pub contradictions: Vec<Contradiction>,
    /// Success when a repair is possible or not needed; otherwise why nothing may be changed.
    pub repairable: Result<(), Error>,
    /// Blobs uploaded again from the cache. Without `repair`: blobs that a repair would upload.
    pub uploaded: Vec<Blob>,
    /// Files removed, together with their entries. Without `repair`: files that a repair would remove.
    pub removed: Vec<String>,
    /// All unpushed commits became one. Without `repair`: they would.
    pub squashed: bool,
    /// The last commit once the repair is done; none when no commit was made.
    pub tip: Option<Revision>,
    /// Blobs on the server that only the replaced commits named; each is in the orphan register. Without `repair`:
    /// blobs that would be orphaned.
    pub orphans: Vec<Blob>,
    /// Success, or the error. Without `repair`, missing and unknown blobs are no error.
    pub ended: Result<(), Error>,
}
