//! `hydrant verify`: whether everything that is named is really there.

use std::env;
use std::io::{self, IsTerminal, Read};

use clap::Args;
use hydrant_host::contract::error::{Fault, code_name};
use hydrant_host::contract::types::Code;
use hydrant_host::repository::Repository;
use hydrant_host::tasks::Client;
use hydrant_host::tasks::verify::{Push, VerifyOptions, VerifyReport};
use hydrant_host::text::{bytes_text, count_text, plain, quote};

use crate::cli::{LimitArgs, ServerArgs};
use crate::ending::Ending;
use crate::output::{Output, Table};

pub(crate) const HELP: &str = "\
Examples:
  hydrant verify             all sessions and all other pointers
  hydrant verify --deep      fetch every blob and hash it
  hydrant verify --staged    is content in full about to be committed?

Exit code 1: something is missing or wrong; the report names it.";

/// Bytes of git's lines for a pre-push hook at most.
const PUSHED_BYTES_MAX: u64 = 16 << 20;

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// Sessions, by name or folder [default: all]
    #[arg(value_name = "SESSION", conflicts_with_all = ["staged", "push"])]
    pub(crate) sessions: Vec<String>,
    /// Fetch every blob and hash it
    #[arg(long)]
    pub(crate) deep: bool,
    /// Look only at what the next commit would add or change; in a hook, at the commit git is about to make
    #[arg(long)]
    pub(crate) staged: bool,
    /// Look only for content that a push to REMOTE would send in full; standard input has git's lines for pre-push
    #[arg(long, value_name = "REMOTE", conflicts_with_all = ["staged", "deep"])]
    pub(crate) push: Option<String>,
    /// Ask no server
    #[arg(long, conflicts_with = "deep")]
    pub(crate) offline: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

impl VerifyArgs {
    fn options(&self, push: Option<Push>) -> VerifyOptions {
        VerifyOptions {
            sessions: self.sessions.clone(),
            deep: self.deep,
            staged: self.staged,
            push,
            offline: self.offline,
            server: self.server.options(),
            object_bytes_max: self.limits.object_bytes_max,
        }
    }
}

pub(crate) fn run(arguments: &VerifyArgs, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    let is_for_hook = arguments.staged || arguments.push.is_some();
    let open = if is_for_hook { Repository::of_hook } else { Repository::of_environment };
    let repository = open(env::current_dir()?)?;
    let push = arguments.push.as_deref().map(pushed).transpose()?;
    let report = client.verify(&repository, &arguments.options(push))?;
    output.report(report.is_clean(), &report);
    say(&report, is_for_hook, output);
    if arguments.staged && !arguments.offline && !report.is_clean() {
        output.note("`hydrant hooks install` looks for content in full before each commit");
    }
    Ok(if report.is_clean() { Ending::Done } else { Ending::SomeFailed })
}

/// What git tells a pre-push hook on standard input.
fn pushed(remote: &str) -> Result<Push, Fault> {
    let mut told = Vec::new();
    if io::stdin().is_terminal() {
        return Err(Fault::misuse("--push reads what git tells a pre-push hook on standard input; nothing is there"));
    }
    io::stdin().take(PUSHED_BYTES_MAX).read_to_end(&mut told)?;
    if told.len() as u64 == PUSHED_BYTES_MAX {
        return Err(Fault::failed(Code::Limit, "standard input names more refs than anybody pushes at once"));
    }
    Push::read(remote, &told)
}

fn say(report: &VerifyReport, is_for_hook: bool, output: &mut Output) {
    if let Some(why) = &report.in_full_unknown {
        output.warn(plain(why));
    }
    // A hook that stops somebody says why, and nothing else.
    if report.is_clean() || !is_for_hook {
        say_what_was_seen(report, output);
    }
    if report.is_clean() {
        let is_known = report.in_full_unknown.is_none();
        output.line(if is_known { "nothing is wrong" } else { "nothing is wrong in what could be looked at" });
        return;
    }
    let mut table = Table::new(&["file", "code", ""]);
    for one in &report.finding_list {
        table.row([quote(one.name.as_bytes()), code_name(one.code.0).to_owned(), plain(&one.detail)]);
    }
    table.print(output);
}

fn say_what_was_seen(report: &VerifyReport, output: &mut Output) {
    let asked = match (report.offline, report.deep) {
        (true, _) => "no server asked".to_owned(),
        (false, true) => format!("{} fetched and hashed", count_text(report.blobs, "blob")),
        (false, false) => format!("{} asked for at the server", count_text(report.blobs, "blob")),
    };
    let assets = match report.asset_count {
        0 => String::new(),
        _ if report.session_count == 0 => String::new(),
        assets => format!(" ({assets} beside the sessions)"),
    };
    output.line(format!(
        "{} named{assets}, {}; {asked}, {} hashed in the cache, {} in the work tree",
        count_text(report.files, "file"),
        bytes_text(report.bytes),
        report.cached,
        report.in_place
    ));
}
