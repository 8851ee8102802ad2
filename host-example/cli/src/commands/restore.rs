//! `hydrant restore`: content goes back to its pointer, where something else names this very content.

use clap::Args;
use hydrant_host::contract::error::Fault;
use hydrant_host::tasks::Client;
use hydrant_host::tasks::restore::{RestoreOptions, RestoreReport, RestoreState, RestoredFile, Witness};
use hydrant_host::text::{bytes_text, plain, quote, shell};

use crate::ending::Ending;
use crate::output::{Output, Table};

pub(crate) const HELP: &str = "\
Examples:
  hydrant restore 2026-05-04T09-30-mina                        a session
  hydrant restore sessions/2026-05-04T09-30-mina/raw.jsonl     one file of it
  hydrant restore media/intro.psd                              any other file

A file is replaced only if its size and digest are those of the committed
pointer or of the manifest. Its content stays in the cache. Anything else is
refused and left as it is.";

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

pub(crate) fn run(arguments: &RestoreArgs, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    let repository = super::repository()?;
    let options = RestoreOptions { targets: arguments.targets.clone(), dry_run: arguments.dry_run };
    let report = client.restore(&repository, &options)?;
    output.report(report.is_complete(), &report);
    say(&report, output);
    Ok(if report.is_complete() { Ending::Done } else { Ending::SomeFailed })
}

fn say(report: &RestoreReport, output: &mut Output) {
    let mut table = Table::new(&["file", ">size", "state", ""]);
    for file in &report.file_list {
        let size = file.size.map_or_else(String::new, bytes_text);
        table.row([quote(file.path.as_bytes()), size, state(file, report.dry_run).to_owned(), why(file)]);
    }
    table.print(output);
    for path in &report.staged {
        let path = shell(path);
        output.warn(format!("{path} is still staged with other content: git restore --staged -- {path}"));
    }
}

fn state(file: &RestoredFile, dry_run: bool) -> &'static str {
    match file.state {
        RestoreState::Restored if dry_run => "would be restored",
        RestoreState::Restored => "restored",
        RestoreState::Left => "left",
        RestoreState::Refused => "refused",
    }
}

fn why(file: &RestoredFile) -> String {
    let error = file.error.as_ref().map(|error| error.detail.as_str());
    let witness = file.witness.map(|witness| match witness {
        Witness::Committed => "as the committed pointer says",
        Witness::Manifest => "as the manifest says",
    });
    plain(witness.or(file.detail).or(error).unwrap_or_default())
}
