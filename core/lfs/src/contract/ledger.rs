//! What a publish or a reconcile asks about documents, the repository and its remote. The transfers ask none of it.

use super::Revision;
use crate::text::oid::Blob;
use alloc::string::String;
use alloc::vec::Vec;

/// A file to hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The file; one of a session's own folder is `sessions/SESSION/FILE`.
    pub name: String,
    /// Its bytes must come as chunks: the core looks into them.
    pub as_chunks: bool,
}

/// A document to write or to remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saving {
    /// The document.
    pub name: String,
    /// Its bytes; none removes it.
    pub bytes: Option<Vec<u8>>,
    /// The state it must still have; none: it must not be there.
    pub replaces: Option<Revision>,
}

/// What to look up in the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lookup {
    /// Documents: their bytes are wanted.
    pub documents: Vec<String>,
    /// Other files: their states are enough.
    pub files: Vec<String>,
}

/// One file of the ledger, as the remote has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerFile {
    /// Its name.
    pub name: String,
    /// Its state; none when the remote has no such file.
    pub revision: Option<Revision>,
    /// For a document: its bytes.
    pub bytes: Option<Vec<u8>>,
    /// For a document: its bytes in the last commit here.
    pub committed: Option<Vec<u8>>,
}

/// The ledger, as the remote has it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// Its last commit.
    pub tip: Revision,
    /// In the order asked, documents first.
    pub files: Vec<LedgerFile>,
}

/// One file that the remote shall hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushFile {
    /// Its name.
    pub name: String,
    /// Its exact bytes.
    pub bytes: Vec<u8>,
    /// The state in which the remote must still have it; none: it must not be there.
    pub replaces: Option<Revision>,
}

/// One step of the ledger. Every path that is not named stays as the remote has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// Files.
    pub files: Vec<PushFile>,
    /// For the commit.
    pub message: String,
}

/// A path that takes the state that was pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettleFile {
    /// Its name.
    pub name: String,
    /// The state in which the file here may be written over, besides being absent or just as committed.
    pub expects: Option<Revision>,
}

/// What follows locally once the remote has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settle {
    /// The commit that the remote confirmed.
    pub tip: Revision,
    /// Every path of the push.
    pub files: Vec<SettleFile>,
}

/// Content to displace by its pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swap {
    /// The file.
    pub name: String,
    /// The state in which it was hashed.
    pub expects: Revision,
    /// What it hashed to.
    pub blob: Blob,
    /// The text that takes its place.
    pub pointer: Vec<u8>,
}

/// A small file that a push would send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeFile {
    /// Path in the repository.
    pub path: String,
    /// Its bytes, fewer than 1024.
    pub bytes: Vec<u8>,
    /// The last commit holds these bytes at this path; otherwise only older commits do.
    pub at_tip: bool,
    /// At the tip: index and work tree hold them, too.
    pub unchanged: bool,
}

/// What a push would send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushRange {
    /// The last commit here.
    pub tip: Revision,
    /// The commit that the remote was last known to have; none: the branch follows nothing, and all commits count.
    pub base: Option<Revision>,
    /// Commits that the remote lacks.
    pub commits: u64,
    /// The base is an ancestor of the tip, or there is none.
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
    /// The bytes it shall have; none removes it.
    pub bytes: Option<Vec<u8>>,
    /// The exact bytes it must still hold in the last commit, in the index and in the work tree.
    pub replaces: Vec<u8>,
}

/// One commit in the place of all that the remote lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrite {
    /// The last commit, as it was looked at.
    pub tip: Revision,
    /// What the new commit follows.
    pub base: Revision,
    /// Files that change.
    pub files: Vec<RewriteFile>,
    /// For the commit.
    pub message: String,
}

/// A stored document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doc {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its state, for compare-and-swap.
    pub revision: Revision,
}
