//! `hydrant hydrate`: brings content here, verified. Decides what kind of place it was called in.

use std::path::PathBuf;

use clap::Args;
use hydrant_host::contract::error::Fault;
use hydrant_host::tasks::Client;
use hydrant_host::tasks::hydrate::{HydrateOptions, HydrateReport};
use hydrant_host::tasks::object_list;
use hydrant_host::tasks::transfer::TransferReport;
use hydrant_host::text::{bytes_text, count_text};
use hydrant_host::worktree::pointer_files::UNREADABLE;

use crate::cli::{LimitArgs, ServerArgs};
use crate::ending::Ending;
use crate::output::Output;

pub(crate) const HELP: &str = "\
Examples:
  hydrant hydrate                           all sessions and all other pointers
  hydrant hydrate --in-place                replace pointers by their content
  hydrant hydrate media --exclude '*.psd'   pointers beneath media, except some
  hydrant hydrate 2026-05-04T09-30-mina     one session
  hydrant hydrate --objects LIST --into DIR --endpoint URL
                                            files DIR/<oid>, no repository

Without --in-place the files keep their pointers, and the content is in the
cache.";

#[derive(Args, Debug, Default)]
pub(crate) struct HydrateArgs {
    /// Sessions, or files and folders of the work tree
    #[arg(value_name = "SESSION|PATH", conflicts_with = "objects")]
    pub(crate) targets: Vec<String>,
    /// Fetch these objects: one `oid size` on each line; `-` is standard input
    #[arg(long, value_name = "LIST", requires = "into", requires = "endpoint")]
    pub(crate) objects: Option<PathBuf>,
    /// Folder for the files of --objects, named by oid; verified, not synced to the disk
    #[arg(long, value_name = "DIR", requires = "objects")]
    pub(crate) into: Option<PathBuf>,
    /// Replace each pointer by its content, where the file still holds that pointer
    #[arg(long, conflicts_with = "objects")]
    pub(crate) in_place: bool,
    /// Only paths that match one of these patterns (comma list, as in .gitignore)
    #[arg(long, value_name = "PATTERNS", conflicts_with = "objects")]
    pub(crate) include: Option<String>,
    /// Leave out paths that match one of these patterns
    #[arg(long, value_name = "PATTERNS", conflicts_with = "objects")]
    pub(crate) exclude: Option<String>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

impl HydrateArgs {
    fn options(&self) -> HydrateOptions {
        HydrateOptions {
            targets: self.targets.clone(),
            in_place: self.in_place,
            include: self.include.clone(),
            exclude: self.exclude.clone(),
            server: self.server.options(),
            object_bytes_max: self.limits.object_bytes_max,
        }
    }
}

pub(crate) fn run(arguments: &HydrateArgs, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    if let (Some(list), Some(folder)) = (&arguments.objects, &arguments.into) {
        let (objects, server) = (object_list::read(list)?, arguments.server.options());
        let report = client.hydrate_objects(objects, folder, &server, arguments.limits.object_bytes_max)?;
        output.report(report.is_complete(), &report);
        say(&report, output);
        return Ok(ending(&report));
    }
    let repository = super::repository()?;
    let report = client.hydrate(&repository, &arguments.options())?;
    output.report(report.is_complete(), &report);
    say_all(&report, output);
    Ok(match (report.was_interrupted(), report.is_complete()) {
        (true, _) => Ending::Interrupted,
        (false, true) => Ending::Done,
        (false, false) => Ending::SomeFailed,
    })
}

fn say_all(report: &HydrateReport, output: &mut Output) {
    for one in &report.broken_list {
        output.warn(format!("{}: a broken pointer, line {}: {}", one.path, one.line, one.detail));
    }
    for place in &report.unreadable_list {
        output.warn(format!("{place}: {UNREADABLE}"));
    }
    if report.transfer.objects == 0 {
        match report.left_out {
            0 => output.note("nothing was chosen: no pointer was found, or --include and --exclude leave all out"),
            left_out => {
                let pointers = count_text(left_out, "pointer");
                output.note(format!(
                    "no pointer was chosen: --include, --exclude or git's settings leave {pointers} out"
                ));
            }
        }
    }
    let Some(placed) = &report.placed else { return say(&report.transfer, output) };
    output.failures(&report.transfer);
    for one in &placed.left {
        output.warn(format!("{}: left as it is: {}", one.path, one.detail));
    }
    if !output.options.quiet {
        output.line(summary(&report.transfer, "hydrated"));
        output.line(format!("{} in place", count_text(placed.in_place, "file")));
        if report.session_count > 0 {
            output.note("sessions keep their pointers: their content is read from the cache");
        }
        if report.unnamed_pointers > 0 {
            let pointers = count_text(report.unnamed_pointers, "pointer");
            output.note(format!("{pointers} of sessions without a manifest stay, too: `hydrant verify` names them"));
        }
        if placed.index_lags {
            output.note("git may call these files modified until its index can be written");
        }
    }
    if placed.was_interrupted {
        output.note("interrupted: the other files keep their pointers, the next run does the rest");
    }
}

/// Says how a transfer into the cache went, in one line and its failures.
fn say(report: &TransferReport, output: &mut Output) {
    output.failures(report);
    if !output.options.quiet {
        output.line(summary(report, "hydrated"));
    }
    if report.was_interrupted() {
        output.note("interrupted: what was verified stays, the next run does the rest");
    }
}

/// `hydrated 5 of 5 objects, 20.0 MiB in 0.31 s`.
pub(crate) fn summary(report: &TransferReport, verb: &str) -> String {
    let noun = if report.objects == 1 { "object" } else { "objects" };
    let (present, all, seconds) = (report.present, report.objects, report.seconds);
    format!("{verb} {present} of {all} {noun}, {} in {seconds:.2} s", bytes_text(report.bytes))
}

/// The exit code of a transfer.
pub(crate) fn ending(report: &TransferReport) -> Ending {
    match (report.was_interrupted(), report.is_complete()) {
        (true, _) => Ending::Interrupted,
        (false, true) => Ending::Done,
        (false, false) => Ending::SomeFailed,
    }
}
