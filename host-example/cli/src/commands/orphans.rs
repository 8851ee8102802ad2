//! `hydrant orphans`: blobs that were named once and that nothing names any more, for whoever purges them.

use clap::Args;
use hydrant_host::contract::error::Fault;
use hydrant_host::tasks::Client;
use hydrant_host::tasks::orphans::{History, OrphansOptions, OrphansReport};
use hydrant_host::text::{bytes_text, count_text, plain};

use crate::ending::Ending;
use crate::output::Output;

pub(crate) const HELP: &str = "\
Examples:
  git fetch --all && hydrant orphans                    `oid size` lines
  hydrant orphans --json | jq -r '.orphan_list[].oid'   a list to purge from

Looked at are the blobs that manifests of this branch or of a remote's branches
ever named, also of sessions that were removed; the register, in which publishes
of this clone write down what they replaced; and what a publish sent that was
given up here. Left out are blobs that are still named: by a branch, a tag, a
stash, the index, another session or an unfinished publish. Nothing is deleted.
Older commits of a session may still name an orphan: once the server has purged
it, those commits cannot be hydrated any more. Where not all of that could be
looked at, as in a shallow or partial clone, it says so and ends with 1.";

#[derive(Args, Debug, Default)]
pub(crate) struct OrphansArgs {
    /// The whole register of this clone, also blobs that are named again: not a list to purge from
    #[arg(long)]
    pub(crate) all: bool,
}

pub(crate) fn run(arguments: &OrphansArgs, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    let repository = super::repository()?;
    let report = client.orphans(&repository, &OrphansOptions { all: arguments.all })?;
    output.report(report.is_complete(), &report);
    say(&report, output);
    Ok(if report.is_complete() { Ending::Done } else { Ending::SomeFailed })
}

fn say(report: &OrphansReport, output: &mut Output) {
    for blob in &report.orphan_list {
        output.line(format!("{} {}", blob.oid, blob.size));
    }
    let counted = format!("{}, {}", count_text(report.count, "orphan"), bytes_text(report.bytes));
    output.note(match (report.all, report.named) {
        (true, _) => format!("{counted} ever registered in this clone; some may be named again"),
        (false, 0) => format!("{counted} of this ledger's history and this clone's register"),
        (false, named) => format!("{counted}; {named} more of this clone's register are named again or elsewhere"),
    });
    for place in &report.unreadable_list {
        let place = plain(place);
        output.warn(format!("{place}: this version cannot read the journal, so what its publish sent is not listed"));
    }
    if let Some(why) = &report.history_unknown {
        output.warn(format!("manifests of older commits were not looked at: {}", plain(why)));
    }
    if report.history == History::Shallow && !report.all {
        output.warn("this clone is shallow: manifests of older commits were not looked at");
    }
}
