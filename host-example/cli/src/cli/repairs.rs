//! The arguments of the commands that put a ledger in order on this machine: `doctor`, `restore`.

use clap::Args;

use super::{LimitArgs, ServerArgs};

pub(super) const DOCTOR_HELP: &str = "\
Examples:
  hydrant doctor                     what was left half done here, and the command that ends it
  hydrant doctor --fix --dry-run     what --fix would do
  hydrant doctor --fix               do it
  hydrant doctor --titles            look for the titles of sessions without one

Exit codes: 0 nothing found, 1 something found";

pub(super) const RESTORE_HELP: &str = "\
Examples:
  hydrant restore 2026-05-04T09-30-mina-OxQ7wd              all content of a session
  hydrant restore sessions/2026-05-04T09-30-mina-OxQ7wd/raw.jsonl --dry-run

Only content that the committed pointer or the manifest names, by size and digest, gives way to its pointer; it stays in
the cache. Anything else is refused and left as it is.";

/// What to look for, and whether to act.
#[derive(Args, Debug, Default)]
pub(crate) struct DoctorArgs {
    /// Complete what was left half done
    #[arg(long, conflicts_with = "titles")]
    pub(crate) fix: bool,
    /// Take the titles of sessions without one from their summaries; three looks without one are the last
    #[arg(long)]
    pub(crate) titles: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

/// Which content goes back to its pointer.
#[derive(Args, Debug, Default)]
pub(crate) struct RestoreArgs {
    /// Files of the work tree, or sessions: then all their content
    #[arg(value_name = "PATH|SESSION", required = true)]
    pub(crate) targets: Vec<String>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
