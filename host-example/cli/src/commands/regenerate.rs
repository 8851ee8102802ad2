//! `hydrant regenerate`: new content for a session that the ledger has.

use std::env;
use std::path::PathBuf;

use clap::Args;
use hydrant_host::contract::error::Fault;
use hydrant_host::repository::Repository;
use hydrant_host::tasks::Client;
use hydrant_host::tasks::publish::RegenerateOptions;

use crate::cli::{LimitArgs, ServerArgs};
use crate::commands::publish;
use crate::ending::Ending;
use crate::output::Output;

pub(crate) const HELP: &str = "\
Examples:
  hydrant regenerate SESSION --from DIR             take the content of DIR
  hydrant regenerate SESSION --from DIR --dry-run   what would be replaced

The session keeps its id, the files that git carries, the files that DIR lacks,
and the other fields of its manifest. The report lists the blobs that nothing
names any more. Whenever it is interrupted, nothing is lost, and the same
command goes on.";

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
    fn options(&self) -> Result<RegenerateOptions, Fault> {
        let named = [("title", &self.title), ("summary", &self.summary)];
        Ok(RegenerateOptions {
            session: self.session.clone(),
            from: self.from.clone(),
            in_git: self.in_git.clone(),
            fields: publish::fields(&named, &self.fields)?,
            again: self.again,
            with_unpushed: self.with_unpushed,
            server: self.server.options(),
            object_bytes_max: self.limits.object_bytes_max,
        })
    }
}

pub(crate) fn run(arguments: &RegenerateArgs, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    let repository = Repository::of_environment(env::current_dir()?)?;
    let options = arguments.options()?;
    if arguments.dry_run {
        return Ok(publish::say_plan(&client.plan_regenerate(&repository, &options)?, output));
    }
    Ok(publish::say(&client.regenerate(&repository, &options)?, output))
}
