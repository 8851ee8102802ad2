//! The pure rules of a ledger, as plain Rust calls: titles, drafts, restoring, the sessions' `.gitignore`, what a
//! publish leaves behind, coverage.

use super::Guest;
use crate::contract::error::HostError;
use crate::contract::ledgers::{Checkout, LedgerNames, Placeholder, Readiness, Restored, TitleRepair, Unfinished};
use crate::contract::types::Blob;

impl Guest {
    /// Names in a ledger.
    pub fn names(&mut self) -> Result<LedgerNames, HostError> {
        self.call(|store, world| world.hydrant_lfs_ledgers().call_names(store))
    }

    /// Looks for the title of a session in its `summary.json`.
    pub fn repair_title(&mut self, manifest: &[u8], summary: Option<&[u8]>) -> Result<TitleRepair, HostError> {
        self.try_call(|store, world| world.hydrant_lfs_ledgers().call_repair_title(store, manifest, summary))
    }

    /// The manifest of a session that is still recorded, made or refreshed.
    pub fn draft(
        &mut self,
        existing: Option<&[u8]>,
        transcript_is_there: bool,
        new: &Placeholder,
    ) -> Result<Vec<u8>, HostError> {
        self.try_call(|store, world| world.hydrant_lfs_ledgers().call_draft(store, existing, transcript_is_there, new))
    }

    /// The pointer for a file that holds `content`, where something else than the file names this very blob.
    pub fn restore(
        &mut self,
        name: &str,
        content: &Blob,
        committed: Option<&[u8]>,
        manifest: Option<&[u8]>,
    ) -> Result<Restored, HostError> {
        self.try_call(|store, world| {
            world.hydrant_lfs_ledgers().call_restore(store, name, content, committed, manifest)
        })
    }

    /// The `.gitignore` of the sessions folder as it should be; none when it is so already.
    pub fn sessions_gitignore(&mut self, existing: Option<&[u8]>) -> Result<Option<Vec<u8>>, HostError> {
        self.try_call(|store, world| world.hydrant_lfs_ledgers().call_sessions_gitignore(store, existing))
    }

    /// What the journal of an interrupted publish says of it.
    pub fn read_journal(&mut self, journal: &[u8]) -> Result<Unfinished, HostError> {
        self.try_call(|store, world| world.hydrant_lfs_ledgers().call_read_journal(store, journal))
    }

    /// The blobs of the orphan register, in the order of their oids.
    pub fn read_register(&mut self, register: &[u8]) -> Result<Vec<Blob>, HostError> {
        self.try_call(|store, world| world.hydrant_lfs_ledgers().call_read_register(store, register))
    }

    /// Puts tallies together: whether a checkout can be read.
    pub fn judge(&mut self, checkout: &Checkout) -> Result<Readiness, HostError> {
        self.try_call(|store, world| world.hydrant_lfs_ledgers().call_judge(store, checkout))
    }
}
