//! What a reconcile found and did, in a table and in JSON, and what comes next.

use hydrant_host::text::plain;
use hydrant_host::contract::sessions::{MissingBlob, ReconcileReport, Remedy};
use hydrant_host::contract::types::Blob;
use serde_json::{Value, json};

use crate::ending::Ending;
use hydrant_host::contract::error::code_name;
use crate::report::{Output, Table, error_json};
use hydrant_host::text::{count_text, quote};

/// Form of the JSON document.
const SCHEMA_VERSION: u64 = 1;
/// Digits of an oid that a table shows.
const OID_SHOWN: usize = 12;
/// Rows of a table at most; JSON names them all.
const ROWS_SHOWN_MAX: usize = 200;

/// How a reconcile ended.
pub(crate) struct Came {
    pub(crate) report: ReconcileReport,
    /// It was to repair.
    pub(crate) repairs: bool,
    /// It was to say what a repair would do.
    pub(crate) plans: bool,
    /// Where the old commits are kept.
    pub(crate) backup: Option<String>,
    pub(crate) seconds: f64,
    /// The user asked to stop.
    pub(crate) interrupted: bool,
}

/// Says what came of it.
pub(crate) fn say(came: &Came, output: &mut Output) -> Ending {
    let report = &came.report;
    output.json(&document(came));
    table(report, output);
    if let Some(counts) = counts(report) {
        output.line(counts);
    }
    if let Err(error) = &report.ended {
        output.warn(format!("hydrant: {}: {}", code_name(error.code), plain(&error.detail)));
    } else {
        changes(came, output);
    }
    if let Some(next) = next(came) {
        output.warn(next);
    }
    ending(came)
}

fn table(report: &ReconcileReport, output: &mut Output) {
    let mut table = Table::new(&["path", "oid", "state", "remedy"]);
    for one in report.missing.iter().take(ROWS_SHOWN_MAX) {
        let state = if one.history_only { "missing, in older commits only" } else { "missing" };
        let remedy = remedy_text(one.remedy).to_owned();
        table.row([quote(one.path.as_bytes()), short(&one.blob.oid), state.to_owned(), remedy]);
    }
    for one in report.contradictions.iter().take(ROWS_SHOWN_MAX) {
        let named = one.manifest.as_ref().map_or_else(|| "no blob".to_owned(), |blob| short(&blob.oid));
        let state = format!("the manifest names {named}");
        table.row([quote(one.path.as_bytes()), short(&one.pointer.oid), state, String::new()]);
    }
    if !report.missing.is_empty() || !report.contradictions.is_empty() {
        table.print(output);
    }
    let hidden = report.missing.len().saturating_sub(ROWS_SHOWN_MAX)
        + report.contradictions.len().saturating_sub(ROWS_SHOWN_MAX);
    if hidden > 0 {
        output.line(format!("and {hidden} more; --json names them all"));
    }
}

/// None when not even the commits could be read.
fn counts(report: &ReconcileReport) -> Option<String> {
    // What nobody answered is neither there nor missing.
    let missing = match (&report.ended, report.missing.len()) {
        (Err(_), 0) if report.scanned == 0 => return None,
        (Err(_), 0) => "which blobs are missing is not known".to_owned(),
        (_, count) => format!("{count} missing"),
    };
    let contradictions = match report.contradictions.len() {
        0 => String::new(),
        count => format!(", {} with a manifest", count_text(count, "contradiction")),
    };
    let (pointers, commits) = (number_text(report.scanned, "pointer"), number_text(report.commits, "unpushed commit"));
    Some(format!("{pointers} in {commits}: {missing}{contradictions}"))
}

/// What was done, or would be.
fn changes(came: &Came, output: &mut Output) {
    let report = &came.report;
    for blob in &report.uploaded {
        let verb = if came.repairs { "sent again" } else { "would send again" };
        output.line(format!("{verb}: {} {}", blob.oid, blob.size));
    }
    for path in &report.removed {
        let verb = if came.repairs { "removed, with its entry" } else { "would remove, with its entry" };
        output.line(format!("{verb}: {}", quote(path.as_bytes())));
    }
    if report.squashed {
        let tip = report.tip.as_deref().map_or_else(String::new, |tip| format!(": {}", short(tip)));
        let verb = if came.repairs { "became" } else { "would become" };
        output.line(format!("the unpushed commits {verb} one{tip}"));
    }
    for blob in &report.orphans {
        let verb = if came.repairs { "orphaned" } else { "would orphan" };
        output.line(format!("{verb}: {} {}", blob.oid, blob.size));
    }
}

/// What the user does next.
fn next(came: &Came) -> Option<String> {
    let report = &came.report;
    if report.ended.is_err() {
        return Some("nothing is known for certain, so no commit and no file was changed".to_owned())
            .filter(|_| report.tip.is_none() && report.missing.is_empty());
    }
    if let Some(backup) = &came.backup {
        return Some(format!("`git push` is next; the old commits are kept: `git reset --keep {backup}` goes back"));
    }
    match &report.repairable {
        _ if came.repairs && !report.missing.is_empty() => Some("`git push` is next".to_owned()),
        Err(error) if !report.missing.is_empty() => {
            Some(format!("no repair: {}: {}", code_name(error.code), plain(&error.detail)))
        }
        Ok(()) if !report.missing.is_empty() => Some("`hydrant reconcile --repair` does that".to_owned()),
        _ if !report.contradictions.is_empty() => {
            Some("publish these sessions again, or restore their pointers, before you push".to_owned())
        }
        _ if report.commits == 0 => Some("nothing to push".to_owned()),
        _ => Some("`git push` is next: the server has the blob of every pointer".to_owned()),
    }
}

/// The exit code.
fn ending(came: &Came) -> Ending {
    let Came { report, repairs, interrupted, .. } = came;
    let cured = *repairs || report.missing.is_empty();
    match &report.ended {
        Err(_) if *interrupted => Ending::Interrupted,
        Err(_) => Ending::Failed,
        Ok(()) if cured && report.contradictions.is_empty() => Ending::Done,
        Ok(()) => Ending::SomeFailed,
    }
}

fn document(came: &Came) -> Value {
    let Came { report, repairs, plans, backup, seconds, .. } = came;
    let blob = |blob: &Blob| json!({ "oid": blob.oid, "size": blob.size });
    let missing = |one: &MissingBlob| {
        json!({
            "path": one.path, "oid": one.blob.oid, "size": one.blob.size, "history_only": one.history_only,
            "remedy": remedy_name(one.remedy),
        })
    };
    let contradictions = report.contradictions.iter().map(
        |one| json!({ "path": one.path, "pointer": blob(&one.pointer), "manifest": one.manifest.as_ref().map(blob) }),
    );
    let error = |result: &Result<(), hydrant_host::contract::types::Error>| {
        result.as_ref().err().map(|error| error_json(error.code, &error.detail, error.retry_at))
    };
    json!({
        "schema_version": SCHEMA_VERSION,
        "ok": ending(came) == Ending::Done,
        "repair": repairs,
        "dry_run": plans,
        "commits": report.commits,
        "scanned": report.scanned,
        "missing": report.missing.iter().map(missing).collect::<Vec<_>>(),
        "contradictions": contradictions.collect::<Vec<_>>(),
        "repairable": report.repairable.is_ok(),
        "not_repairable": error(&report.repairable),
        "uploaded": report.uploaded.iter().map(blob).collect::<Vec<_>>(),
        "removed": report.removed,
        "squashed": report.squashed,
        "tip": report.tip,
        "backup": backup,
        "orphans": report.orphans.iter().map(blob).collect::<Vec<_>>(),
        "seconds": (seconds * 1000.0).round() / 1000.0,
        "ended": error(&report.ended),
        "next": next(came),
    })
}

fn remedy_text(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::UploadAgain => "send it again from the cache",
        Remedy::Remove => "remove the file with its entry",
        Remedy::Squash => "make the unpushed commits one",
        Remedy::None => "none: no file of a session",
    }
}

fn remedy_name(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::UploadAgain => "upload-again",
        Remedy::Remove => "remove",
        Remedy::Squash => "squash",
        Remedy::None => "none",
    }
}

fn number_text(count: u64, noun: &str) -> String {
    count_text(usize::try_from(count).unwrap_or(usize::MAX), noun)
}

fn short(oid: &str) -> String {
    oid.chars().take(OID_SHOWN).collect()
}
