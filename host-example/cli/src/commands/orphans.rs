//! `hydrant orphans`: blobs that were sent from this clone and that nothing names any more, for whoever purges them.

use std::env;

use clap::Args;
use hydrant_host::contract::error::Fault;
use hydrant_host::repository::Repository;
use hydrant_host::tasks::Client;
use hydrant_host::tasks::orphans::{History, OrphansOptions, OrphansReport};
use hydrant_host::text::{bytes_text, count_text};

use crate::ending::Ending;
use crate::output::Output;

pub(crate) const HELP: &str = "\
Examples:
  git fetch --all && hydrant orphans                    `oid size` lines
  hydrant orphans --json | jq -r '.orphan_list[].oid'   a list to purge from

Publishes write down in this clone's register which blobs they replaced. Left
out are blobs that are still named: by a branch, a tag, a stash, the index,
another session or an unfinished publish. Nothing is deleted. Older commits of a
session may still name an orphan: once the server has purged it, those commits
cannot be hydrated any more.";

#[derive(Args, Debug, Default)]
pub(crate) struct OrphansArgs {
    /// The whole register, also blobs that are named again: not a list to purge from
    #[arg(long)]
    pub(crate) all: bool,
}

pub(crate) fn run(arguments: &OrphansArgs, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    let repository = Repository::of_environment(env::current_dir()?)?;
    let report = client.orphans(&repository, &OrphansOptions { all: arguments.all })?;
    output.report(true, &report);
    say(&report, output);
    Ok(Ending::Done)
}

fn say(report: &OrphansReport, output: &mut Output) {
    for blob in &report.orphan_list {
        output.line(format!("{} {}", blob.oid, blob.size));
    }
    let counted = format!("{}, {}", count_text(report.count, "orphan"), bytes_text(report.bytes));
    output.note(match (report.all, report.named) {
        (true, _) => format!("{counted} ever registered in this clone; some may be named again"),
        (false, 0) => format!("{counted} registered in this clone; other clones keep their own register"),
        (false, named) => format!("{counted} in this clone's register; {named} more are named again or elsewhere"),
    });
    if report.history == History::Shallow && !report.all {
        output.warn("this clone is shallow: manifests of older commits were not looked at");
    }
}
