//! `hydrant upload`: brings files to the server. Each is hashed first, and what is sent is what was hashed.

use std::path::PathBuf;

use clap::Args;
use hydrant_host::contract::error::Fault;
use hydrant_host::tasks::Client;
use hydrant_host::tasks::object_list;
use hydrant_host::tasks::upload::{UploadFiles, UploadOptions};

use crate::cli::{AllowArgs, LimitArgs, ServerArgs};
use crate::commands::hydrate;
use crate::ending::Ending;
use crate::output::Output;

pub(crate) const HELP: &str = "\
Examples:
  hydrant upload video.mp4
  hydrant upload --objects LIST --from DIR --endpoint URL   files DIR/<oid>";

#[derive(Args, Debug)]
pub(crate) struct UploadArgs {
    /// Files to send
    #[arg(value_name = "FILE", required_unless_present = "objects", conflicts_with = "objects")]
    pub(crate) files: Vec<PathBuf>,
    /// Send these objects: one `oid size` on each line; `-` is standard input
    #[arg(long, value_name = "LIST", requires = "from")]
    pub(crate) objects: Option<PathBuf>,
    /// Folder that holds the files of --objects, named by their oid
    #[arg(long, value_name = "DIR", requires = "objects")]
    pub(crate) from: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) allow: AllowArgs,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

pub(crate) fn run(arguments: &UploadArgs, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    let files = match (&arguments.objects, &arguments.from) {
        (Some(list), Some(folder)) => {
            UploadFiles::Objects { objects: object_list::read(list)?, folder: folder.clone() }
        }
        _ => UploadFiles::Named(arguments.files.clone()),
    };
    let options = UploadOptions {
        files,
        allow: arguments.allow.allowances(),
        server: arguments.server.options(),
        object_bytes_max: arguments.limits.object_bytes_max,
    };
    // With a server of the user's choice no repository is needed.
    let repository = match &options.server.endpoint {
        Some(_) => None,
        None => Some(super::repository()?),
    };
    let report = client.upload(repository.as_ref(), &options)?;
    output.report(report.is_complete(), &report);
    // One line for each file that is there now: what a pointer needs. A list was known before.
    if arguments.objects.is_none() {
        for outcome in report.outcomes.iter().filter(|outcome| outcome.is_present()) {
            output.line(format!("{} {} {}", outcome.oid, outcome.size, outcome.name));
        }
    }
    output.failures(&report);
    output.note(hydrate::summary(&report, "uploaded"));
    if report.was_interrupted() {
        output.note("interrupted: what the server has stays there, the next run does the rest");
    }
    Ok(hydrate::ending(&report))
}
