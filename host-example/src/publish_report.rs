//! What a publish came to, in a table and in JSON, and what the next run will do.

use hydrant_host::process::plain;
use hydrant_host::wit::operations::{Published, PublishReport, PublishedState};
use hydrant_host::wit::types::{Blob, Code, Phase};
use serde_json::{Value, json};

use crate::ending::{Ending, code_name};
use crate::report::{Output, Table, bytes_text, count_text, error_json, quote};

/// Form of the JSON document.
const SCHEMA_VERSION: u64 = 1;
/// Characters of an oid that a table shows.
const OID_SHOWN: usize = 16;

/// One file of a dry run.
pub(crate) struct Planned {
    pub(crate) name: String,
    pub(crate) blob: Blob,
    pub(crate) in_git: bool,
    /// The oid that the manifest names now.
    pub(crate) replaces: Option<String>,
}

/// Everything is published already.
pub(crate) fn nothing(session: &str, output: &mut Output) -> Ending {
    output.json(&json!({
        "schema_version": SCHEMA_VERSION, "ok": true, "session": session, "phase": "done", "files": [],
        "orphans": [], "ended": null, "next": null,
    }));
    output.line("nothing to publish: the remote has everything, as far as this clone knows");
    Ending::Done
}

/// What a publish would do.
pub(crate) fn plan(
    session: &str,
    planned: &[Planned],
    obstacle: Option<&str>,
    unfinished: bool,
    output: &mut Output,
) {
    let file = |one: &Planned| {
        json!({
            "name": one.name, "oid": one.blob.oid, "size": one.blob.size,
            "storage": if one.in_git { "git" } else { "lfs" }, "replaces": one.replaces,
        })
    };
    output.json(&json!({
        "schema_version": SCHEMA_VERSION, "ok": obstacle.is_none(), "dry_run": true, "session": session,
        "resumes": unfinished, "obstacle": obstacle, "files": planned.iter().map(file).collect::<Vec<_>>(),
    }));
    if unfinished {
        output.line("an interrupted publish would be brought to its end first");
    }
    let mut table = Table::new(&["file", ">size", "goes to", "oid", "replaces"]);
    for one in planned {
        let replaces = one.replaces.as_deref().map_or_else(String::new, short);
        let to = if one.in_git { "git" } else { "server" };
        let row = [quote(one.name.as_bytes()), bytes_text(one.blob.size), to.into(), short(&one.blob.oid), replaces];
        table.row(row);
    }
    table.print(output);
    let bytes: u64 = planned.iter().map(|one| one.blob.size).sum();
    output.line(format!("would publish {}, {}", count_text(planned.len(), "file"), bytes_text(bytes)));
    if let Some(obstacle) = obstacle {
        output.line(format!("but now it would be refused: {}", plain(obstacle)));
    }
}

/// What a publish did.
pub(crate) fn say(session: &str, report: &PublishReport, seconds: f64, output: &mut Output) -> Ending {
    let ending = ending(report);
    let next = next(session, report);
    output.json(&document(session, report, seconds, ending, next.as_deref()));
    let mut table = Table::new(&["file", ">size", "state", "oid", ""]);
    for file in &report.files {
        let why = file.reason.as_ref().map_or_else(String::new, |error| plain(&error.detail));
        let state = state_name(file).to_owned();
        table.row([quote(file.name.as_bytes()), bytes_text(file.size), state, short(&file.oid), why]);
    }
    if !report.files.is_empty() {
        table.print(output);
    }
    for orphan in &report.orphans {
        output.line(format!("orphaned: {} {}", orphan.oid, orphan.size));
    }
    match &report.ended {
        Ok(()) => {
            let tip = report.tip.as_deref().map_or_else(String::new, short);
            let resumed = if report.resumed { ", after an interrupted publish was finished" } else { "" };
            let id = &report.session_id;
            output.line(format!("{id} is published at {tip} in {seconds:.2} s{resumed}"));
        }
        Err(error) => {
            output.warn(format!("hydrant: {}: {}", code_name(error.code), plain(&error.detail)));
        }
    }
    if let Some(next) = next {
        output.warn(next);
    }
    ending
}

fn ending(report: &PublishReport) -> Ending {
    let left = report.files.iter().any(|file| file.state == PublishedState::Left);
    match &report.ended {
        Ok(()) if left => Ending::SomeFailed,
        Ok(()) => Ending::Done,
        Err(error) if error.code == Code::Unfinished && error.detail.contains("stopped") => Ending::Interrupted,
        Err(_) => Ending::Failed,
    }
}

/// What the next run does, when this one is not the last.
fn next(session: &str, report: &PublishReport) -> Option<String> {
    if report.ended.is_ok() {
        let left = report.files.iter().any(|file| file.state == PublishedState::Left);
        return left.then(|| "files that changed meanwhile were left as they are: publish the session again".to_owned());
    }
    let then = match report.phase {
        Phase::Hash | Phase::Intend => return None,
        Phase::Upload | Phase::Bind => "the same command again goes on: what the server has is not sent twice".to_owned(),
        Phase::Push => format!("`hydrant publish {session} --resume` pushes the same bytes again"),
        Phase::Settle => {
            format!("the remote has the session; `hydrant publish {session} --resume` lets this clone follow")
        }
        Phase::Swap | Phase::Done => {
            format!("the remote has the session; `hydrant publish {session} --resume` does what is left here")
        }
    };
    Some(then)
}

fn document(session: &str, report: &PublishReport, seconds: f64, ending: Ending, next: Option<&str>) -> Value {
    let file = |file: &Published| {
        let reason = file.reason.as_ref();
        json!({
            "name": file.name, "oid": file.oid, "size": file.size, "state": state_name(file),
            "reason": reason.map(|error| error_json(error.code, &error.detail, error.retry_after)),
        })
    };
    let ended = report.ended.as_ref().err();
    json!({
        "schema_version": SCHEMA_VERSION,
        "ok": ending == Ending::Done,
        "session": session,
        "session_id": report.session_id,
        "phase": phase_name(report.phase),
        "resumed": report.resumed,
        "tip": report.tip,
        "files": report.files.iter().map(file).collect::<Vec<_>>(),
        "orphans": report.orphans.iter().map(|blob| json!({"oid": blob.oid, "size": blob.size})).collect::<Vec<_>>(),
        "seconds": (seconds * 1000.0).round() / 1000.0,
        "ended": ended.map(|error| error_json(error.code, &error.detail, error.retry_after)),
        "next": next,
    })
}

fn state_name(file: &Published) -> &'static str {
    match file.state {
        PublishedState::Unpublished => "unpublished",
        PublishedState::Published => "published",
        PublishedState::Swapped => "swapped",
        PublishedState::Left => "left",
    }
}

/// A phase as every report spells it.
pub(crate) fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Hash => "hash",
        Phase::Intend => "intend",
        Phase::Upload => "upload",
        Phase::Bind => "bind",
        Phase::Push => "push",
        Phase::Settle => "settle",
        Phase::Swap => "swap",
        Phase::Done => "done",
    }
}

fn short(oid: &str) -> String {
    let mut short: String = oid.chars().take(OID_SHOWN).collect();
    if short.len() < oid.len() {
        short.push('…');
    }
    short
}
