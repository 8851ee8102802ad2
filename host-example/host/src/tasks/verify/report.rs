//! What a verify saw, and what it says of it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::report::ErrorCode;
use crate::contract::types::Code;

/// What was looked at, and what is wrong with it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct VerifyReport {
    /// Every blob was fetched and hashed; otherwise the server was asked whether it has them.
    pub deep: bool,
    /// No server was asked.
    pub offline: bool,
    /// Sessions that were looked at; 0 where there are none, and of what is staged or pushed.
    pub session_count: usize,
    /// Files that name a blob.
    pub files: usize,
    /// Those of them that belong to no session; 0 of what is staged or pushed.
    pub asset_count: usize,
    /// Bytes of the blobs that these files name.
    pub bytes: u64,
    /// Blobs that the server was asked for, each once.
    pub blobs: usize,
    /// Blobs of the cache that were hashed and are what they should be.
    pub cached: usize,
    /// Files of the working tree that hold content and were hashed.
    pub in_place: usize,
    /// What is not as it should be, or not known to be.
    pub finding_list: Vec<Finding>,
    /// Why it is not known of all commits whether they hold content in full, as in a clone without old trees; null
    /// where it is known, or was not asked.
    pub in_full_unknown: Option<String>,
}

/// Something that is not as it should be, or not known to be.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Finding {
    /// The file: `SESSION/FILE` of a session; the path in the repository of any other, and of what is staged or pushed.
    pub name: String,
    /// SHA-256 of the blob that it should name; empty where that is not known.
    pub oid: String,
    /// What kind of fault it is.
    pub code: ErrorCode,
    /// For people: one sentence.
    pub detail: String,
}

impl VerifyReport {
    pub(super) fn of(seen: Seen, asked: usize, deep: bool, offline: bool) -> Self {
        Self {
            deep,
            offline,
            session_count: seen.sessions,
            files: seen.named.len(),
            asset_count: seen.assets,
            bytes: seen.named.iter().fold(0, |sum, named| sum.saturating_add(named.size)),
            blobs: asked,
            cached: seen.cached,
            in_place: seen.in_place,
            finding_list: seen.findings,
            in_full_unknown: seen.in_full_unknown,
        }
    }

    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.finding_list.is_empty()
    }
}

/// Where a blob is named.
pub(super) struct Named {
    pub(super) name: String,
    pub(super) oid: String,
    pub(super) size: u64,
}

/// What is looked at, and what is wrong before the server is asked.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) sessions: usize,
    /// Files that belong to no session and name a blob.
    pub(super) assets: usize,
    pub(super) named: Vec<Named>,
    pub(super) findings: Vec<Finding>,
    /// Why more may be committed in full.
    pub(super) in_full_unknown: Option<String>,
    /// Blobs of the cache that were hashed and are right.
    pub(super) cached: usize,
    /// Files of the work tree that were hashed.
    pub(super) in_place: usize,
}

impl Seen {
    pub(super) fn find(&mut self, name: impl Into<String>, oid: &str, code: Code, detail: impl Into<String>) {
        let (name, oid, detail) = (name.into(), oid.to_owned(), detail.into());
        self.findings.push(Finding { name, oid, code: ErrorCode(code), detail });
    }
}
