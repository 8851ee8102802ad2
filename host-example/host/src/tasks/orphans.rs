//! Blobs that were sent from this clone and that nothing names any more, for whoever purges them.
//!
//! The rule it keeps: only looks. Nothing is deleted here or on the server, and what is in doubt is no orphan.

use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::error::Fault;
use crate::contract::report::BlobReport;
use crate::repository::Repository;
use crate::sessions::orphaned;
use crate::tasks::client::Client;

/// What is listed.
#[derive(Clone, Debug, Default)]
pub struct OrphansOptions {
    /// The whole register, with what is named again or elsewhere; no list to purge from.
    pub all: bool,
}

/// The orphans of a clone.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OrphansReport {
    /// The whole register is listed, with what is named again or elsewhere.
    pub all: bool,
    /// Whose register it is: `this clone`. Every clone has one of its own.
    pub register: &'static str,
    /// How much of the history this clone has.
    pub history: History,
    /// The orphans, in the order of their oids.
    pub orphan_list: Vec<BlobReport>,
    /// How many they are.
    pub count: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Blobs of the register that are not listed, because something names them.
    #[serde(skip)]
    pub named: usize,
}

/// How much of the history a clone has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum History {
    /// All of it.
    Complete,
    /// The last commits only: manifests of older ones were not looked at.
    Shallow,
}

impl Client {
    /// The blobs that were sent from this clone and that nothing names any more.
    pub fn orphans(&self, repository: &Repository, options: &OrphansOptions) -> Result<OrphansReport, Fault> {
        let registered = orphaned::register(repository, &mut self.guest()?)?;
        let is_shallow = repository.common_dir.join("shallow").symlink_metadata().is_ok();
        let known = registered.len();
        let orphans = if options.all || registered.is_empty() {
            registered
        } else {
            orphaned::unnamed(repository, self.engine()?, registered, None)?
        };
        Ok(OrphansReport {
            all: options.all,
            register: "this clone",
            history: if is_shallow { History::Shallow } else { History::Complete },
            orphan_list: orphans.iter().map(BlobReport::from).collect(),
            count: orphans.len(),
            bytes: orphans.iter().fold(0, |sum, blob| sum.saturating_add(blob.size)),
            named: known - orphans.len(),
        })
    }
}
