//! `hydrant doctor`: what was left half done on this machine, each with one sentence and the command that ends it.

use clap::Args;
use hydrant_host::contract::error::Fault;
use hydrant_host::repository::Repository;
use hydrant_host::tasks::Client;
use hydrant_host::tasks::doctor::{
    DoctorOptions, DoctorReport, Finding, SessionTitle, TitleOutcome, TitlesOptions, TitlesReport,
};
use hydrant_host::text::{bytes_text, count_text, plain, quote, quote_path};

use crate::cli::{LimitArgs, ServerArgs};
use crate::ending::Ending;
use crate::output::{Output, Table};

pub(crate) const HELP: &str = "\
Examples:
  hydrant doctor                    what was left half done, and what ends it
  hydrant doctor --fix --dry-run    say what --fix would do
  hydrant doctor --fix              do what needs no decision of yours
  hydrant doctor --titles           take missing titles from summaries

Exit codes: 0 nothing to do, 1 something is left to do. Notes do not count.";

/// What to look for, and whether to act.
#[derive(Args, Debug, Default)]
pub(crate) struct DoctorArgs {
    /// Complete what needs no decision of yours
    #[arg(long, conflicts_with = "titles")]
    pub(crate) fix: bool,
    /// Take missing titles of sessions from their summaries; three looks are the last
    #[arg(long)]
    pub(crate) titles: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

pub(crate) fn run(arguments: &DoctorArgs, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    if arguments.dry_run && !arguments.fix && !arguments.titles {
        return Err(Fault::misuse("--dry-run belongs to --fix or --titles; alone, doctor changes nothing anyway"));
    }
    let repository = super::repository()?;
    if arguments.titles {
        let report = client.titles(&repository, &TitlesOptions { dry_run: arguments.dry_run })?;
        output.report(report.is_complete(), &report);
        say_titles(&report, output);
        return Ok(if report.is_complete() { Ending::Done } else { Ending::SomeFailed });
    }
    let options = DoctorOptions {
        fix: arguments.fix,
        dry_run: arguments.dry_run,
        server: arguments.server.options(),
        object_bytes_max: arguments.limits.object_bytes_max,
    };
    let report = client.doctor(&repository, &options)?;
    output.report(report.left() == 0, &report);
    say(&report, &repository, output);
    Ok(if report.left() == 0 { Ending::Done } else { Ending::SomeFailed })
}

fn say(report: &DoctorReport, repository: &Repository, output: &mut Output) {
    report.finding_list.iter().for_each(|one| say_one(one, report.fix, output));
    if report.adopted.files > 0 {
        let (files, bytes) = (count_text(report.adopted.files, "file"), bytes_text(report.adopted.bytes));
        output.note(format!("{files} gave way to pointers and serve as cache, {bytes}"));
    }
    if let Some(named_by) = report.cache_named_by {
        output.note(format!("what is fetched lies in {}, as {named_by} says", quote(report.cache.as_bytes())));
    }
    let (found, left) = (report.found(), report.left());
    if left > 0 && repository.here != repository.top {
        output.note(format!("paths are those of {}", quote_path(&repository.top)));
    }
    if found == 0 {
        output.line("nothing is half done here");
    } else {
        output.note(format!("{}, {left} left", count_text(found, "finding")));
    }
}

/// What was found, and what comes of it or ends it.
fn say_one(one: &Finding, fix: bool, output: &mut Output) {
    let about = match (&one.session, &one.path) {
        (Some(session), None) => format!("{}: ", quote(session.as_bytes())),
        (_, Some(path)) => format!("{}: ", quote(path.as_bytes())),
        (None, None) => String::new(),
    };
    output.line(format!("{about}{}", plain(&one.what)));
    match (&one.result, &one.error, &one.fix) {
        (Some(done), ..) => output.line(format!("    done: {}", plain(done))),
        (_, Some(error), _) => output.line(format!("    not fixed: {}", plain(&error.detail))),
        (_, _, Some(plan)) if fix => output.line(format!("    --fix: {plan}")),
        _ => output.line(format!("    {}", one.next)),
    }
}

fn say_titles(report: &TitlesReport, output: &mut Output) {
    let looked = report.session_list.len();
    if looked > 0 {
        let mut table = Table::new(&["session", "title", ""]);
        for one in &report.session_list {
            table.row([quote(one.session.as_bytes()), outcome(one).to_owned(), why(one)]);
        }
        table.print(output);
    }
    let (looked, skipped) = (count_text(looked, "session"), report.skipped());
    let would = if report.dry_run { "; nothing was written" } else { "" };
    output.line(format!("{looked} looked at, {skipped} with nothing to do{would}"));
}

fn outcome(one: &SessionTitle) -> &'static str {
    match one.outcome {
        TitleOutcome::Skipped => "skipped",
        TitleOutcome::Recovered => "recovered",
        TitleOutcome::Attempt => "attempt",
        TitleOutcome::Terminal => "terminal",
        TitleOutcome::Error => "error",
    }
}

/// One word where there is nothing to do.
fn why(one: &SessionTitle) -> String {
    one.why.map_or_else(|| plain(&one.detail), str::to_owned)
}
