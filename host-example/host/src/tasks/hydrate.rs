//! Brings content here, every byte verified: of a ledger's sessions, of the pointers of any other working tree, or of a
//! list of objects.

pub mod sessions;
pub mod tree;

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::error::Fault;
use crate::contract::operations::Want;
use crate::contract::types::Blob;
use crate::repository::Repository;
use crate::sessions::ledger::Ledger;
use crate::store::Store;
use crate::tasks::client::Client;
use crate::tasks::endpoint::{self, ServerOptions};
use crate::tasks::transfer::{self, Runner, TransferReport, Work};
use crate::text::quote;
use crate::worktree::pointer_files::BrokenFile;

/// What is hydrated, and how.
#[derive(Clone, Debug, Default)]
pub struct HydrateOptions {
    /// Sessions of a ledger by name or folder, or files and folders of the working tree, relative to the folder that
    /// the repository was opened in. All, when none is named.
    pub targets: Vec<String>,
    /// Put content in the place of pointers, where the file still holds the same pointer. Never in a ledger.
    pub in_place: bool,
    /// Only paths that match one of these patterns, a comma list as in `.gitignore`; none: what git's configuration
    /// says.
    pub include: Option<String>,
    /// No path that matches one of these patterns.
    pub exclude: Option<String>,
    /// The server.
    pub server: ServerOptions,
    /// Bytes of an object at most; none: what git's configuration says.
    pub object_bytes_max: Option<u64>,
}

/// What came of a hydration.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct HydrateReport {
    /// The objects, each once.
    #[serde(flatten)]
    pub transfer: TransferReport,
    /// Pointers that the patterns leave out; not in a ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<usize>,
    /// Files that begin like pointers and are none; not in a ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken_list: Option<Vec<BrokenPointer>>,
    /// Files and folders that could not be looked at; not in a ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable_list: Option<Vec<String>>,
    /// What was put in the place of pointers, when that was asked for.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub placed: Option<Placed>,
}

/// A file that begins like a pointer and is none.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BrokenPointer {
    /// Its path in the working tree, as git prints it.
    pub path: String,
    /// The line that is wrong, counted from 1.
    pub line: u32,
    /// What is wrong with it.
    pub detail: String,
}

impl From<BrokenFile> for BrokenPointer {
    fn from(one: BrokenFile) -> Self {
        Self { path: quote(&one.path), line: one.line, detail: one.why }
    }
}

/// What became of pointer files whose content is here.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Placed {
    /// Files that hold their content now.
    pub in_place: usize,
    /// Files that were left as they are.
    pub left: Vec<LeftPointer>,
    /// git still remembers the pointers' sizes, and may call these files modified until its index can be written.
    pub index_lags: bool,
    /// The caller asked to stop; the other files keep their pointers.
    #[serde(skip)]
    pub was_interrupted: bool,
}

impl Placed {
    fn add(&mut self, more: Self) {
        self.in_place += more.in_place;
        self.left.extend(more.left);
        self.index_lags |= more.index_lags;
        self.was_interrupted |= more.was_interrupted;
    }
}

/// A pointer file that was left as it is.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LeftPointer {
    /// Its path in the working tree, as git prints it.
    pub path: String,
    /// Why.
    pub detail: String,
}

impl HydrateReport {
    pub(crate) fn of_ledger(transfer: TransferReport) -> Self {
        Self { transfer, left_out: None, broken_list: None, unreadable_list: None, placed: None }
    }

    /// Whether everything that was asked for is here.
    pub fn is_complete(&self) -> bool {
        let left = self.placed.as_ref().is_some_and(|placed| !placed.left.is_empty() || placed.was_interrupted);
        let is_seen = self.unreadable_list.as_ref().is_none_or(Vec::is_empty);
        self.transfer.is_complete() && self.broken_list.as_ref().is_none_or(Vec::is_empty) && is_seen && !left
    }

    /// Whether the wish to stop left something undone.
    pub fn was_interrupted(&self) -> bool {
        self.transfer.was_interrupted() || self.placed.as_ref().is_some_and(|placed| placed.was_interrupted)
    }
}

impl Client {
    /// Hydrates in a repository: sessions of a ledger, pointers of any other.
    pub fn hydrate(&self, repository: &Repository, options: &HydrateOptions) -> Result<HydrateReport, Fault> {
        if !repository.is_ledger()? {
            return tree::hydrate(self, repository, options);
        }
        if options.in_place {
            return Err(Fault::misuse(
                "this repository is a ledger: its pointers stay, content is read from the cache",
            ));
        }
        let ledger = Ledger::of(repository)?;
        match sessions::choose(&ledger, &options.targets, &repository.here)? {
            Some(chosen) => {
                let transfer = sessions::hydrate(self, repository, &ledger, chosen, options)?;
                Ok(HydrateReport::of_ledger(transfer))
            }
            None => tree::hydrate(self, repository, options),
        }
    }

    /// Brings objects into a plain folder, each under its oid. Needs `options.endpoint`, and no repository.
    pub fn hydrate_objects(
        &self,
        objects: Vec<Blob>,
        folder: &Path,
        server: &ServerOptions,
        object_bytes_max: Option<u64>,
    ) -> Result<TransferReport, Fault> {
        let want = |blob: Blob| Want { name: blob.oid.clone(), oid: blob.oid, size: blob.size };
        let wants: Vec<Want> = objects.into_iter().map(want).collect();
        let limit = transfer::object_bytes_max(object_bytes_max, None)?;
        let destination = endpoint::explicit(self, server, None)?;
        let store = Store::into_dir(folder)?;
        Runner::new(self, destination, server, limit, |host| host.store(store))?.transfer(Work::Hydrate(wants))
    }
}
