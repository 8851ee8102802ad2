//! `hydrant regenerate`: new content for a session that the ledger has.

use std::path::PathBuf;

use clap::Args;
use hydrant_host::contract::error::Fault;
use hydrant_host::tasks::Client;
use hydrant_host::tasks::publish::RegenerateOptions;

use crate::commands::publish::{self, ContentArgs};
use crate::ending::Ending;
use crate::output::Output;

pub(crate) const HELP: &str = "\
Examples:
  hydrant regenerate SESSION --from DIR             take the content of DIR
  hydrant regenerate SESSION --from DIR --dry-run   what would be replaced

The session keeps its id, the files that git carries, the files that DIR lacks,
and the other fields of its manifest. The report lists the blobs that nothing
names any more. The exit code is 1 when something of DIR is left out that
--exclude does not name. Whenever it is interrupted, nothing is lost, and the
same command goes on.";

/// A session of the ledger, and the content that takes the place of its own.
#[derive(Args, Debug, Default)]
pub(crate) struct RegenerateArgs {
    /// Name of the session, or its folder
    pub(crate) session: String,
    /// Folder with the new content; hidden files, lock files and meta.json are no part of it
    #[arg(long, value_name = "DIR")]
    pub(crate) from: PathBuf,
    #[command(flatten)]
    pub(crate) content: ContentArgs,
}

impl RegenerateArgs {
    fn options(&self) -> Result<RegenerateOptions, Fault> {
        let content = &self.content;
        Ok(RegenerateOptions {
            session: self.session.clone(),
            from: self.from.clone(),
            exclude: content.exclude.clone(),
            in_git: content.in_git.clone(),
            fields: content.fields(&[])?,
            again: content.again,
            with_unpushed: content.with_unpushed,
            secrets: content.secrets.options(),
            server: content.server.options(),
            object_bytes_max: content.limits.object_bytes_max,
        })
    }
}

pub(crate) fn run(arguments: &RegenerateArgs, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    let repository = super::repository()?;
    let options = arguments.options()?;
    if arguments.content.dry_run {
        return Ok(publish::say_plan(&client.plan_regenerate(&repository, &options)?, output));
    }
    Ok(publish::say(&client.regenerate(&repository, &options)?, output))
}
