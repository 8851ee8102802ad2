//! The arguments of `hydrant regenerate`.

use std::path::PathBuf;

use clap::Args;

use super::{LimitArgs, PublishArgs, ServerArgs};

pub(super) const HELP: &str = "\
Examples:
  hydrant regenerate SESSION --from DIR             replace what the session has by what DIR has
  hydrant regenerate SESSION --from DIR --dry-run   what would be sent, and what it would replace

The session keeps its id, the files that git carries, the files that DIR lacks, and the other
fields of its manifest. The report lists the blobs that nothing names any more.
Whenever it is interrupted, nothing is lost, and the same command goes on.";

/// A session of the ledger, and the content that takes the place of its own.
#[derive(Args, Debug, Default)]
pub(crate) struct RegenerateArgs {
    /// Name of the session, or its folder
    pub(crate) session: String,
    /// Folder with the new content; hidden files, lock files and meta.json are left out
    #[arg(long, value_name = "DIR")]
    pub(crate) from: PathBuf,
    /// Let git carry this small file as it is, besides summary.json; can be given again
    #[arg(long = "in-git", value_name = "NAME")]
    pub(crate) in_git: Vec<String>,
    /// Title
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// Summary
    #[arg(long)]
    pub(crate) summary: Option<String>,
    /// Any other text field of the manifest; can be given again
    #[arg(long = "field", value_name = "NAME=VALUE")]
    pub(crate) fields: Vec<String>,
    /// Say what would be done and what stands in the way, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Ask the server and the remote even if nothing seems to have changed
    #[arg(long)]
    pub(crate) again: bool,
    /// Also push the commits of this branch that were not pushed yet
    #[arg(long)]
    pub(crate) with_unpushed: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

impl RegenerateArgs {
    /// The publish that it comes down to.
    pub(crate) fn as_publish(&self) -> PublishArgs {
        PublishArgs {
            session: self.session.clone(),
            from: Some(self.from.clone()),
            in_git: self.in_git.clone(),
            title: self.title.clone(),
            summary: self.summary.clone(),
            fields: self.fields.clone(),
            dry_run: self.dry_run,
            again: self.again,
            with_unpushed: self.with_unpushed,
            server: self.server.clone(),
            limits: self.limits.clone(),
            ..PublishArgs::default()
        }
    }
}
