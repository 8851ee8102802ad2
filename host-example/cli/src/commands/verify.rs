//! `hydrant verify`: whether everything that is named is really there.

use std::env;

use clap::Args;
use hydrant_host::contract::error::{Fault, code_name};
use hydrant_host::repository::Repository;
use hydrant_host::tasks::Client;
use hydrant_host::tasks::verify::{VerifyOptions, VerifyReport};
use hydrant_host::text::{bytes_text, count_text, plain, quote};

use crate::cli::{LimitArgs, ServerArgs};
use crate::ending::Ending;
use crate::output::{Output, Table};

pub(crate) const HELP: &str = "\
Examples:
  hydrant verify             all pointers; in a ledger, all sessions
  hydrant verify --deep      fetch and hash every blob: a server's word is no proof
  hydrant verify --staged    before a commit: does the server have what it names?

Exit code 1: something is missing or wrong; the report names it.";

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// Sessions, by name or folder [default: all]
    #[arg(value_name = "SESSION", conflicts_with = "staged")]
    pub(crate) sessions: Vec<String>,
    /// Fetch every blob and hash it
    #[arg(long)]
    pub(crate) deep: bool,
    /// Look only at what the next commit would add or change
    #[arg(long)]
    pub(crate) staged: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

impl VerifyArgs {
    fn options(&self) -> VerifyOptions {
        VerifyOptions {
            sessions: self.sessions.clone(),
            deep: self.deep,
            staged: self.staged,
            server: self.server.options(),
            object_bytes_max: self.limits.object_bytes_max,
        }
    }
}

pub(crate) fn run(arguments: &VerifyArgs, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    let repository = Repository::around(&env::current_dir()?)?;
    let report = client.verify(&repository, &arguments.options())?;
    output.report(report.is_clean(), &report);
    say(&report, output);
    Ok(if report.is_clean() { Ending::Done } else { Ending::SomeFailed })
}

fn say(report: &VerifyReport, output: &mut Output) {
    let how = if report.deep { "fetched and hashed" } else { "asked for at the server" };
    output.line(format!(
        "{} named, {}; {} {how}, {} hashed in the cache, {} in the work tree",
        count_text(report.files, "file"),
        bytes_text(report.bytes),
        count_text(report.blobs, "blob"),
        report.cached,
        report.in_place
    ));
    if report.is_clean() {
        output.line("nothing is wrong");
        return;
    }
    let mut table = Table::new(&["file", "code", ""]);
    for one in &report.finding_list {
        table.row([quote(one.name.as_bytes()), code_name(one.code.0).to_owned(), plain(&one.detail)]);
    }
    table.print(output);
}
