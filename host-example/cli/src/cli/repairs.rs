//! The arguments of the commands that put a ledger in order on this machine: `doctor`, `restore`.

use clap::Args;

use super::{LimitArgs, ServerArgs};

pub(super) const DOCTOR_HELP: &str = "\
Examples:
  hydrant doctor                    list what was left half done, and what ends each
  hydrant doctor --fix --dry-run    say what --fix would do
  hydrant doctor --fix              do what needs no decision of yours
  hydrant doctor --titles           take missing titles of sessions from their summaries

Exit codes: 0 nothing to do, 1 something is left to do. Notes do not count.";

pub(super) const RESTORE_HELP: &str = "\
Examples:
  hydrant restore 2026-05-04T09-30-mina                        all content of a session
  hydrant restore sessions/2026-05-04T09-30-mina/raw.jsonl     one file

A file is replaced only if its size and digest are those of the committed pointer or of the
manifest. Its content stays in the cache. Anything else is refused and left as it is.";

/// What to look for, and whether to act.
#[derive(Args, Debug, Default)]
pub(crate) struct DoctorArgs {
    /// Complete what needs no decision of yours
    #[arg(long, conflicts_with = "titles")]
    pub(crate) fix: bool,
    /// Take missing titles of sessions from their summaries; three looks are the last
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
