//! What a reconcile found and what it did.

use alloc::string::String;
use alloc::vec::Vec;
use hydrant_lfs::contract::Revision;
use hydrant_lfs::text::error::Error;
use hydrant_lfs::text::oid::Blob;

/// What cures one missing blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// The cache has it: it is sent again.
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
    /// Only older commits hold the pointer.
    pub history_only: bool,
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

/// What a reconcile came to, however it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReconcileReport {
    /// Commits that the remote lacks.
    pub commits: u64,
    /// Pointers looked at.
    pub scanned: u64,
    /// Pointers whose blob the server definitely lacks, in the order of the range.
    pub missing: Vec<Missing>,
    /// Pointers that contradict the manifest of their session.
    pub contradictions: Vec<Contradiction>,
    /// A repair is possible, or nothing needs one; otherwise why nothing may be changed.
    pub repairable: Result<(), Error>,
    /// Blobs sent again from the cache; without a repair: blobs that one would send.
    pub uploaded: Vec<Blob>,
    /// Files removed, together with their entries; without a repair: files that one would remove.
    pub removed: Vec<String>,
    /// All unpushed commits became one, or would.
    pub squashed: bool,
    /// The last commit once the repair is done; none when no commit was made.
    pub tip: Option<Revision>,
    /// Blobs that lost their last pointer by the repair; each stands in the orphan register.
    pub orphans: Vec<Blob>,
    /// Well, or why not. A look that found something missing ended well.
    pub ended: Result<(), Error>,
}
