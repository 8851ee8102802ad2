//! The arguments of `hydrant publish`.

use std::path::PathBuf;

use clap::Args;

use super::{LimitArgs, ServerArgs};

pub(super) const HELP: &str = "\
Examples:
  hydrant publish SESSION --from DIR   the files of a folder outside the repository
  hydrant publish SESSION              the content in sessions/SESSION, which becomes pointers
  hydrant publish SESSION --dry-run    what would be sent, and what stands in the way
  hydrant publish SESSION --resume     finish an interrupted publish

Whenever it is interrupted, nothing is lost, and the same command goes on.";

/// What only a publish that takes files or fields can be told.
const OF_A_NEW_ONE: [&str; 15] = [
    "from",
    "files",
    "in_git",
    "title",
    "summary",
    "agent_id",
    "agent_type",
    "model",
    "username",
    "user_id",
    "repo_id",
    "stop_reason",
    "stop_detail",
    "fields",
    "dry_run",
];

/// A session, its files, its manifest's fields, and the way to its server.
#[derive(Args, Debug, Default)]
pub(crate) struct PublishArgs {
    /// Name of the session, or its folder
    pub(crate) session: String,
    /// Publish the files of this folder; hidden ones, lock files and meta.json are left out
    #[arg(long, value_name = "DIR")]
    pub(crate) from: Option<PathBuf>,
    /// Publish this file of sessions/SESSION, too; can be given again
    #[arg(long = "file", value_name = "NAME", conflicts_with = "from")]
    pub(crate) files: Vec<String>,
    /// Let git carry this small file as it is, besides summary.json; can be given again
    #[arg(long = "in-git", value_name = "NAME")]
    pub(crate) in_git: Vec<String>,
    /// Title
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// Summary
    #[arg(long)]
    pub(crate) summary: Option<String>,
    /// Id of the agent
    #[arg(long)]
    pub(crate) agent_id: Option<String>,
    /// Kind of agent
    #[arg(long)]
    pub(crate) agent_type: Option<String>,
    /// Model
    #[arg(long)]
    pub(crate) model: Option<String>,
    /// Display name of the user
    #[arg(long)]
    pub(crate) username: Option<String>,
    /// Id of the user
    #[arg(long)]
    pub(crate) user_id: Option<String>,
    /// Id of the repository the session belongs to
    #[arg(long)]
    pub(crate) repo_id: Option<String>,
    /// Why the session stopped
    #[arg(long)]
    pub(crate) stop_reason: Option<String>,
    /// Details of why it stopped
    #[arg(long)]
    pub(crate) stop_detail: Option<String>,
    /// Any other text field of the manifest; can be given again
    #[arg(long = "field", value_name = "NAME=VALUE")]
    pub(crate) fields: Vec<String>,
    /// Say what would be done and what stands in the way, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Only finish what an interrupted publish began
    #[arg(long, conflicts_with_all = OF_A_NEW_ONE)]
    pub(crate) resume: bool,
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

impl PublishArgs {
    /// Whether a field of the manifest is given.
    pub(crate) fn has_fields(&self) -> bool {
        !self.fields.is_empty() || self.named_fields().iter().any(|(_, value)| value.is_some())
    }

    /// Whether files are named one by one.
    pub(crate) fn names_files(&self) -> bool {
        !(self.files.is_empty() && self.in_git.is_empty())
    }

    /// Fields of the manifest that have an argument of their own.
    pub(crate) fn named_fields(&self) -> [(&'static str, &Option<String>); 10] {
        [
            ("title", &self.title),
            ("summary", &self.summary),
            ("agent_id", &self.agent_id),
            ("agent_type", &self.agent_type),
            ("model", &self.model),
            ("username", &self.username),
            ("user_id", &self.user_id),
            ("repo_id", &self.repo_id),
            ("stop_reason", &self.stop_reason),
            ("stop_detail", &self.stop_detail),
        ]
    }
}
