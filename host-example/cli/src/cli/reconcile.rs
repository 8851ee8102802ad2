//! The arguments of `hydrant reconcile`.

use clap::Args;

use super::{LimitArgs, ServerArgs};

pub(super) const HELP: &str = "\
Examples:
  hydrant reconcile                      list unpushed pointers whose blobs the server lacks
  hydrant reconcile --repair --dry-run   say what a repair would do
  hydrant reconcile --repair && git push

A repair sends again what the cache has. It removes files of sessions whose blobs are lost, with
their manifest entries, from the unpushed commits. The old commits stay under refs/hydrant/backup/.

Exit codes:
  0 nothing is missing, or all was repaired
  1 something is missing, or contradicts its manifest
  3 it could not be found out, or nothing may be changed";

/// Whether to repair, and the way to the server.
#[derive(Args, Debug, Default)]
pub(crate) struct ReconcileArgs {
    /// Send blobs again that the cache has, and remove lost ones from the unpushed commits
    #[arg(long)]
    pub(crate) repair: bool,
    /// Say what a repair would do, and do nothing
    #[arg(long, requires = "repair")]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}
