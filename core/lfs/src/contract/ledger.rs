//! What a publish or a reconcile asks about documents, the repository and its remote. Transfers use none of it.

use super::Revision;
use crate::text::oid::Blob;
use alloc::string::String;
use alloc::vec::Vec;

/// A file to hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The file; a file of a session's own folder is `sessions/SESSION/FILE`.
    pub name: String,
    /// Its bytes must come as chunks: the core reads them.
    pub as_chunks: bool,
}

/// A document to write or to remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saving {
    /// The document.
    pub name: String,
    /// Its bytes; none removes it.
    pub bytes: Option<Vec<u8>>,
    /// The revision that it must still have; none: it must not exist.
    pub replaces: Option<Revision>,
}

/// What to look up in the remote's ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lookup {
    /// Documents: the host replies with their bytes.
    pub documents: Vec<String>,
    /// Other files: the host replies with their revisions only.
    pub files: Vec<String>,
}

/// One file of the ledger, as the remote has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerFile {
    /// Its name.
    pub name: String,
    /// Its revision; none when the remote has no such file.
    pub revision: Option<Revision>,
    /// For a document: its bytes.
    pub bytes: Option<Vec<u8>>,
    /// For a document: its bytes in the last local commit.
    pub committed: Option<Vec<u8>>,
}

/// The ledger, as the remote has it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// Its last commit.
    pub tip: Revision,
    /// The files of the lookup, in its order, documents first.
    pub files: Vec<LedgerFile>,
}

/// One file of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushFile {
    /// Its name.
    pub name: String,
    /// Its exact bytes.
    pub bytes: Vec<u8>,
    /// The revision that it must still have at the remote; none: the remote must not have it.
    pub replaces: Option<Revision>,
}

/// One commit to the ledger. Paths that it does not name stay as the remote has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// Files.
    pub files: Vec<PushFile>,
    /// The commit message.
    pub message: String,
}

/// A local path that takes the state that was pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettleFile {
    /// Its name.
    pub name: String,
    /// The local file may be overwritten at this revision. One that is absent or as committed always may.
    pub expects: Option<Revision>,
}

/// What the local clone takes over from a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settle {
    /// The commit that the remote confirmed.
    pub tip: Revision,
    /// Every path of the push.
    pub files: Vec<SettleFile>,
}

/// Content to replace with its pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swap {
    /// The file.
    pub name: String,
    /// The revision at which it was hashed.
    pub expects: Revision,
    /// The blob that it hashed to.
    pub blob: Blob,
    /// The pointer text that takes its place.
    pub pointer: Vec<u8>,
}

/// A small file that a push would send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeFile {
    /// Path in the repository.
    pub path: String,
    /// Its bytes, fewer than 1024.
    pub bytes: Vec<u8>,
    /// True: the last commit holds these bytes at this path. False: only older commits do.
    pub at_tip: bool,
    /// For a file at the tip: the index and the working tree hold the same bytes.
    pub unchanged: bool,
}

/// What a push would send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushRange {
    /// The last local commit.
    pub tip: Revision,
    /// The commit that the remote was last known to have; none: the branch has no upstream, and all its commits count.
    pub base: Option<Revision>,
    /// Commits that the remote lacks.
    pub commits: u64,
    /// The base is an ancestor of the tip, or there is no base.
    pub base_is_ancestor: bool,
    /// A rebase, a merge or the like is under way.
    pub is_underway: bool,
    /// Files that could be pointers, those at the tip first.
    pub files: Vec<RangeFile>,
}

/// One file of a rewrite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RewriteFile {
    /// Path in the repository.
    pub name: String,
    /// Its new bytes; none removes the file.
    pub bytes: Option<Vec<u8>>,
    /// The exact bytes that it must still have in the last commit, the index and the working tree.
    pub replaces: Vec<u8>,
}

/// One commit that replaces all commits that the remote lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrite {
    /// The last commit when the range was loaded.
    pub tip: Revision,
    /// The parent of the new commit.
    pub base: Revision,
    /// Files that change.
    pub files: Vec<RewriteFile>,
    /// The commit message.
    pub message: String,
}

/// A stored document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doc {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its revision, for compare-and-swap.
    pub revision: Revision,
}
