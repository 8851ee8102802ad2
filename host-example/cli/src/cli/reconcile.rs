//! The arguments of `hydrant reconcile`.

use clap::Args;

use super::{LimitArgs, ServerArgs};

pub(super) const HELP: &str = "\
Examples:
  hydrant reconcile                       which pointers would a push send whose blobs the server lacks?
  hydrant reconcile --repair --dry-run    what a repair would do
  hydrant reconcile --repair              send again what the cache has, take the rest out of the unpushed commits

Exit codes: 0 nothing is missing, or all was repaired; 1 something is missing or contradicts its manifest; 3 it could
not be found out, or nothing may be changed. Old commits stay under refs/hydrant/backup/.";

/// Whether to repair, and the way to the server.
#[derive(Args, Debug, Default)]
pub(crate) struct ReconcileArgs {
    /// Repair it: blobs of the cache are sent again, files whose blobs are lost go together with their entries, and the
    /// unpushed commits become one where that is needed
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
