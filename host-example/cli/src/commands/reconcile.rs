//! `hydrant reconcile`: pointers that the next push would send and whose blobs the server lacks, and their repair.

use clap::Args;
use hydrant_host::contract::error::{Fault, code_name};
use hydrant_host::contract::report::Document;
use hydrant_host::tasks::Client;
use hydrant_host::tasks::reconcile::{ReconcileOptions, ReconcileReport, Remedy};
use hydrant_host::text::{bytes_text, count_text, plain, quote};

use crate::cli::{AllowArgs, LimitArgs, ServerArgs};
use crate::ending::Ending;
use crate::output::{Output, Table};

pub(crate) const HELP: &str = "\
Examples:
  hydrant reconcile                      unpushed pointers without a blob
  hydrant reconcile --repair --dry-run   say what a repair would do
  hydrant reconcile --repair && git push

A repair sends again what the cache has. It removes files of sessions whose
blobs are lost, with their manifest entries, from the unpushed commits. The old
commits stay under refs/hydrant/backup/.

Exit codes:
  0 nothing is missing, or all was repaired
  1 something is missing, contradicts its manifest, or would be pushed in full
  3 it could not be found out, or nothing may be changed";

/// Digits of an oid that a table shows.
const OID_SHOWN: usize = 12;
/// Rows of a table at most; JSON names them all.
const ROWS_SHOWN_MAX: usize = 200;

/// Whether to repair, and the way to the server.
#[derive(Args, Debug, Default)]
pub(crate) struct ReconcileArgs {
    /// Send blobs again that the cache has, and remove lost ones from the unpushed commits
    #[arg(long)]
    pub(crate) repair: bool,
    /// Say what a repair would do, and do nothing
    #[arg(long, requires = "repair")]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) allow: AllowArgs,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

impl ReconcileArgs {
    fn options(&self) -> ReconcileOptions {
        ReconcileOptions {
            repair: self.repair,
            dry_run: self.dry_run,
            allow: self.allow.allowances(),
            server: self.server.options(),
            object_bytes_max: self.limits.object_bytes_max,
        }
    }
}

pub(crate) fn run(arguments: &ReconcileArgs, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    let repository = super::repository()?;
    let report = client.reconcile(&repository, &arguments.options())?;
    output.document(&Document::ended(report.error.clone(), report.is_clean(), &report));
    say(&report, output);
    Ok(ending(&report))
}

/// Says what came of it.
fn say(report: &ReconcileReport, output: &mut Output) {
    table(report, output);
    let (remote, reference) = (quote(report.push.remote.as_bytes()), quote(report.push.reference.as_bytes()));
    output.note(format!("looked at a push to {reference} of {remote}"));
    if let Some(counts) = counts(report) {
        output.line(counts);
    }
    if let Some(one) = report.unknown_list.first() {
        output.warn(plain(&one.error.detail));
    }
    if let Some(error) = &report.error {
        output.warn(format!("hydrant: {}: {}", code_name(error.code.0), plain(&error.detail)));
    } else {
        changes(report, output);
    }
    if let Some(why) = &report.in_full_unknown {
        output.warn(plain(why));
    }
    // What is pushed keeps nothing from going through, so `next` has no word on it.
    if let Some(one) = report.in_full_list.iter().find(|one| one.pushed) {
        output.note(format!("{}: {}", quote(one.path.as_bytes()), plain(&one.cure)));
    }
    if let Some(why) = report.push.not_looked_at.as_ref().filter(|_| report.next != report.push.not_looked_at) {
        output.warn(why);
    }
    if let Some(next) = &report.next {
        output.warn(next);
    }
}

fn table(report: &ReconcileReport, output: &mut Output) {
    let (missing, contradictions) = (&report.missing_list, &report.contradiction_list);
    let mut table = Table::new(&["path", "oid", "state", "remedy"]);
    for one in missing.iter().take(ROWS_SHOWN_MAX) {
        let state = if one.history_only { "missing, in older commits only" } else { "missing" };
        let remedy = remedy_text(one.remedy).to_owned();
        table.row([quote(one.path.as_bytes()), short(&one.oid), state.to_owned(), remedy]);
    }
    for one in contradictions.iter().take(ROWS_SHOWN_MAX) {
        let named = one.manifest.as_ref().map_or_else(|| "no blob".to_owned(), |blob| short(&blob.oid));
        let state = format!("the manifest names {named}");
        table.row([quote(one.path.as_bytes()), short(&one.pointer.oid), state, String::new()]);
    }
    let unknown = &report.unknown_list;
    for one in unknown.iter().take(ROWS_SHOWN_MAX) {
        let state = format!("not known: {}", code_name(one.error.code.0));
        table.row([quote(one.path.as_bytes()), short(&one.oid), state, String::new()]);
    }
    let in_full = &report.in_full_list;
    for one in in_full.iter().take(ROWS_SHOWN_MAX) {
        let place = if one.history_only { ", in older commits only" } else { "" };
        let pushed = if one.pushed { ", pushed" } else { "" };
        let state = format!("committed in full, {}{place}{pushed}", bytes_text(one.size));
        table.row([quote(one.path.as_bytes()), String::new(), state, "none: see below".to_owned()]);
    }
    let counts = [missing.len(), unknown.len(), contradictions.len(), in_full.len()];
    if counts.iter().any(|count| *count > 0) {
        table.print(output);
    }
    let hidden: usize = counts.iter().map(|count| count.saturating_sub(ROWS_SHOWN_MAX)).sum();
    if hidden > 0 {
        output.line(format!("and {hidden} more; --json names them all"));
    }
}

/// None when not even the commits could be read.
fn counts(report: &ReconcileReport) -> Option<String> {
    // What nobody answered is neither there nor missing.
    let missing = match (&report.error, report.missing_list.len()) {
        (Some(_), 0) if report.scanned == 0 => return None,
        (Some(_), 0) => "which blobs are missing is not known".to_owned(),
        (_, count) => format!("{count} missing"),
    };
    let unknown = match report.unknown_list.len() {
        0 => String::new(),
        count => format!(", {count} not known"),
    };
    let contradictions = match report.contradiction_list.len() {
        0 => String::new(),
        count => format!(", {} with a manifest", count_text(count, "contradiction")),
    };
    let (pointers, commits) = (number_text(report.scanned, "pointer"), number_text(report.commits, "unpushed commit"));
    Some(format!("{pointers} in {commits}: {missing}{unknown}{contradictions}"))
}

/// What was done, or would be.
fn changes(report: &ReconcileReport, output: &mut Output) {
    for blob in &report.uploaded_list {
        let verb = if report.repair { "sent again" } else { "would send again" };
        output.line(format!("{verb}: {} {}", blob.oid, blob.size));
    }
    for path in &report.removed_list {
        let verb = if report.repair { "removed, with its entry" } else { "would remove, with its entry" };
        output.line(format!("{verb}: {}", quote(path.as_bytes())));
    }
    if report.squashed {
        let tip = report.tip.as_deref().map_or_else(String::new, |tip| format!(": {}", short(tip)));
        let verb = if report.repair { "became" } else { "would become" };
        output.line(format!("the unpushed commits {verb} one{tip}"));
    }
    for blob in &report.orphan_list {
        let verb = if report.repair { "orphaned" } else { "would orphan" };
        output.line(format!("{verb}: {} {}", blob.oid, blob.size));
    }
}

/// The exit code.
fn ending(report: &ReconcileReport) -> Ending {
    match &report.error {
        Some(_) if report.was_interrupted() => Ending::Interrupted,
        Some(_) => Ending::Failed,
        None if report.is_clean() => Ending::Done,
        None => Ending::SomeFailed,
    }
}

fn remedy_text(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::UploadAgain => "send it again from the cache",
        Remedy::Remove => "remove the file with its entry",
        Remedy::Squash => "make the unpushed commits one",
        Remedy::None => "none: no file of a session",
    }
}

fn number_text(count: u64, noun: &str) -> String {
    count_text(usize::try_from(count).unwrap_or(usize::MAX), noun)
}

fn short(oid: &str) -> String {
    oid.chars().take(OID_SHOWN).collect()
}
