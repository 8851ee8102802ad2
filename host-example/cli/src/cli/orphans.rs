//! The arguments of `hydrant orphans`.

use clap::Args;

pub(super) const HELP: &str = "\
Examples:
  git fetch --all && hydrant orphans              `oid size` lines
  hydrant orphans --json | jq -r '.orphans[].oid' a list for whoever purges the server

An orphan stands in this clone's register, and neither a branch (here, or of a remote as it was last fetched), nor a
manifest of another session in any commit, nor an unfinished publish names it. Every clone has a register of its own.
Nothing is deleted. Older commits of the session itself may still name an orphan: once the server has purged it, those
commits cannot be hydrated any more.";

/// What is listed.
#[derive(Args, Debug, Default)]
pub(crate) struct OrphansArgs {
    /// The whole register, with what is named again or elsewhere; no list to purge from
    #[arg(long)]
    pub(crate) all: bool,
}
