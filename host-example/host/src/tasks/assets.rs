//! The assets of a repository: its pointers that belong to no session, and follow the rules of any LFS repository.

use crate::contract::error::Fault;
use crate::repository::Repository;
use crate::sessions::ledger::SESSIONS;
use crate::tasks::client::Client;
use crate::worktree::pointer_files::{self, Met};
use crate::worktree::scan::{WalkOptions, Walked};

/// Hands over the assets of a work tree and what begins like one, in path order.
pub(crate) fn search(
    client: &Client,
    repository: &Repository,
    take: &mut dyn FnMut(Met) -> Result<(), Fault>,
) -> Result<Walked, Fault> {
    let without_folders_of = repository.has_sessions()?.then_some(SESSIONS);
    let options = WalkOptions { without_folders_of, ..WalkOptions::default() };
    pointer_files::search(client.engine()?, &repository.top, options, take)
}
