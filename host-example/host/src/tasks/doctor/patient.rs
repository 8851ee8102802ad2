//! What a doctor is asked for, what it looks at, and what it says.

use schemars::JsonSchema;
use serde::Serialize;

use super::finding::{Finding, Severity};
use crate::repository::Repository;
use crate::sessions::ledger::Ledger;
use crate::store::Store;
use crate::tasks::client::Client;
use crate::tasks::endpoint::ServerOptions;

/// Whether something is done about what is found.
#[derive(Clone, Debug, Default)]
pub struct DoctorOptions {
    /// Complete what was left half done.
    pub fix: bool,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
    /// The server, for a publish that is completed.
    pub server: ServerOptions,
    /// Bytes of an object at most; none: what git's configuration says.
    pub object_bytes_max: Option<u64>,
}

/// What was found.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DoctorReport {
    /// It was to be fixed.
    pub fix: bool,
    /// It was only told what would be done.
    pub dry_run: bool,
    /// Each thing that was found.
    pub finding_list: Vec<Finding>,
    /// The folder of the cache.
    pub cache: String,
    /// What names it: `HYDRANT_CACHE` or `hydrant.cache`; null where it is the clone's own.
    pub cache_named_by: Option<&'static str>,
    /// Files that gave way to their pointers, and serve as cache.
    pub adopted: Adopted,
}

/// Files that gave way to their pointers.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub struct Adopted {
    /// How many.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

impl DoctorReport {
    /// Findings that are no notes.
    pub fn found(&self) -> usize {
        self.finding_list.iter().filter(|one| one.severity == Severity::Finding).count()
    }

    /// Those of them that there is still something to do about.
    pub fn left(&self) -> usize {
        self.finding_list.iter().filter(|one| one.is_left()).count()
    }
}

/// Completes what was left half done.
pub(super) const FIX: &str = "hydrant doctor --fix";

/// Where everything is looked for.
pub(super) struct Patient<'a> {
    pub(super) client: &'a Client,
    pub(super) repository: &'a Repository,
    pub(super) ledger: Ledger,
    pub(super) store: Store,
}
