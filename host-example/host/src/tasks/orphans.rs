//! Blobs that a ledger named once, or that were sent from this clone, and that nothing names any more, for whoever
//! purges them.
//!
//! The rule it keeps: only looks. Nothing is deleted here or on the server, and what is in doubt is no orphan.

use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::error::Fault;
use crate::contract::report::BlobReport;
use crate::contract::types::Blob;
use crate::repository::Repository;
use crate::sessions::orphaned::{self, Written};
use crate::tasks::client::Client;

/// What is listed.
#[derive(Clone, Debug, Default)]
pub struct OrphansOptions {
    /// The whole register of this clone, with what is named again or elsewhere; no list to purge from.
    pub all: bool,
}

/// The orphans of a ledger, as far as a clone knows.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OrphansReport {
    /// The whole register is listed, with what is named again or elsewhere.
    pub all: bool,
    /// Whose register it is: `this clone`. Every clone has one of its own. With it count the journals of publishes that
    /// were given up here, and without `all` whatever manifests of commits named.
    pub register: &'static str,
    /// How much of the history this clone has.
    pub history: History,
    /// Why manifests of older commits were not looked at; null where they were, or were not asked for.
    pub history_unknown: Option<String>,
    /// Journals of publishes that were given up and that this version cannot read, by their paths in git's folder: what
    /// they sent is not listed.
    pub unreadable_list: Vec<String>,
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
    /// Commits or manifests of them could not be read, as in a clone without old files.
    Partial,
}

impl OrphansReport {
    /// Whether everything was looked at that was to be. Else there may be more orphans, and a commit that is not here
    /// may name one of the list.
    pub fn is_complete(&self) -> bool {
        (self.all || self.history == History::Complete) && self.unreadable_list.is_empty()
    }
}

impl Client {
    /// The blobs that were named once, or sent from this clone, and that nothing names any more.
    pub fn orphans(&self, repository: &Repository, options: &OrphansOptions) -> Result<OrphansReport, Fault> {
        let mut guest = self.guest()?;
        let Written { blobs: registered, unreadable } = orphaned::register(repository, &mut guest)?;
        let is_shallow = repository.common_dir.join("shallow").symlink_metadata().is_ok();
        let mut history = if is_shallow { History::Shallow } else { History::Complete };
        let (mut known, mut history_unknown) = (registered.clone(), None);
        if !options.all {
            match orphaned::named_ever(repository, &mut guest) {
                Ok(mut named) => {
                    // What was written down here goes before what manifests say.
                    named.append(&mut known);
                    known = named;
                }
                Err(fault) => (history, history_unknown) = (History::Partial, Some(fault.detail)),
            }
        }
        let mut orphans: Vec<Blob> = known.into_iter().map(|(oid, size)| Blob { oid, size }).collect();
        if !options.all && !orphans.is_empty() {
            orphans = orphaned::unnamed(repository, self.engine()?, orphans, None)?;
        }
        let listed = orphans.iter().filter(|blob| registered.contains_key(&blob.oid)).count();
        Ok(OrphansReport {
            all: options.all,
            register: "this clone",
            history,
            history_unknown,
            unreadable_list: unreadable,
            orphan_list: orphans.iter().map(BlobReport::from).collect(),
            count: orphans.len(),
            bytes: orphans.iter().fold(0, |sum, blob| sum.saturating_add(blob.size)),
            named: registered.len() - listed,
        })
    }
}
