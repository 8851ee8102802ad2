//! The arguments of `hydrant locks`.

use clap::{Args, Subcommand};

use super::ServerArgs;

/// What to do about locks.
#[derive(Debug, Subcommand)]
pub(crate) enum LocksCommand {
    /// List the locks on the server, of one path or all
    #[command(after_help = "Example: hydrant locks list media/intro.psd")]
    List(LocksListArgs),
    /// Lock a path; exit code 1 if it is locked already, and by whom
    #[command(after_help = "Example: hydrant locks create media/intro.psd")]
    Create(LocksCreateArgs),
    /// Unlock a path
    #[command(after_help = "Example: hydrant locks unlock media/intro.psd")]
    Unlock(LocksUnlockArgs),
    /// List your own locks and those of others apart
    #[command(after_help = "Example: hydrant locks verify --json")]
    Verify(LocksVerifyArgs),
}

#[derive(Args, Debug)]
pub(crate) struct LocksListArgs {
    /// Only the locks on this path
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<String>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Args, Debug)]
pub(crate) struct LocksCreateArgs {
    /// A file of the work tree; it need not be there yet
    #[arg(value_name = "PATH")]
    pub(crate) path: String,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Args, Debug)]
pub(crate) struct LocksUnlockArgs {
    /// The locked path
    #[arg(value_name = "PATH", required_unless_present = "id", conflicts_with = "id")]
    pub(crate) path: Option<String>,
    /// The id that the server gave the lock
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    /// Unlock it even if it is somebody else's
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Args, Debug)]
pub(crate) struct LocksVerifyArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}
