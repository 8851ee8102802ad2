//! The arguments of `hydrant orphans`.

use clap::Args;

pub(super) const HELP: &str = "\
Examples:
  git fetch --all && hydrant orphans                `oid size` on each line
  hydrant orphans --json | jq -r '.orphans[].oid'   a list for whoever purges the server

Publishes write down in this clone's register which blobs they replaced. Left out are blobs that
are still named: by a branch, a tag, a stash, the index, another session or an unfinished publish.
Nothing is deleted. Older commits of a session may still name an orphan: once the server has
purged it, those commits cannot be hydrated any more.";

/// What is listed.
#[derive(Args, Debug, Default)]
pub(crate) struct OrphansArgs {
    /// The whole register, also blobs that are named again: not a list to purge from
    #[arg(long)]
    pub(crate) all: bool,
}
