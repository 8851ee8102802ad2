//! The interfaces that only a ledger needs.

mod ledgers;
mod manifests;
mod sessions;
