//! What a publish came to, in a table and in JSON, and what the next run will do.

use hydrant_host::text::plain;
use hydrant_host::contract::sessions::{PublishReport, Published, PublishedState};
use hydrant_host::contract::types::{Blob, Code, Error, Phase};
use serde_json::{Value, json};

use crate::ending::Ending;
use hydrant_host::contract::error::code_name;
use crate::report::{Output, Table, error_json};
use hydrant_host::text::{bytes_text, count_text, quote, shell};

/// Form of the JSON document.
const SCHEMA_VERSION: u64 = 1;
/// How the engine's sentences on the journal and on the register begin. Its codes do not tell these documents apart.
const ON_JOURNAL: &str = "the journal of this session's publish";
const ON_REGISTER: &str = "the orphan register";
/// Characters of an oid that a table shows.
const OID_SHOWN: usize = 16;

/// How a publish ended.
pub(crate) struct Came {
    pub(crate) report: PublishReport,
    pub(crate) seconds: f64,
    /// The user asked to stop.
    pub(crate) interrupted: bool,
}

/// What a publish would do.
#[derive(Default)]
pub(crate) struct Dry {
    /// An interrupted publish would be brought to its end first.
    pub(crate) resumes: bool,
    /// Why nothing would be done.
    pub(crate) idle: Option<&'static str>,
    pub(crate) files: Vec<Planned>,
    /// Sentences, one for each thing in the way.
    pub(crate) obstacles: Vec<String>,
}

/// One file of a dry run.
pub(crate) struct Planned {
    pub(crate) name: String,
    pub(crate) blob: Blob,
    pub(crate) in_git: bool,
    /// The oid that the manifest names now.
    pub(crate) replaces: Option<String>,
}

/// There is nothing to do.
pub(crate) fn nothing(session: &str, session_id: Option<&str>, why: &str, output: &mut Output) {
    output.json(&json!({
        "schema_version": SCHEMA_VERSION, "ok": true, "session": session, "session_id": session_id, "phase": "done",
        "resumed": false, "tip": null, "files": [], "orphans": [], "seconds": 0.0, "ended": null, "next": null,
    }));
    output.line(why);
}

/// What a publish would do.
pub(crate) fn plan(session: &str, dry: &Dry, output: &mut Output) {
    let Dry { resumes, idle, files, obstacles } = dry;
    let file = |one: &Planned| {
        json!({
            "name": one.name, "oid": one.blob.oid, "size": one.blob.size,
            "storage": if one.in_git { "git" } else { "lfs" }, "replaces": one.replaces,
        })
    };
    output.json(&json!({
        "schema_version": SCHEMA_VERSION, "ok": obstacles.is_empty(), "dry_run": true, "session": session,
        "resumes": resumes, "obstacles": obstacles, "files": files.iter().map(file).collect::<Vec<_>>(),
    }));
    if *resumes {
        output.line("an interrupted publish would be brought to its end first");
    }
    if let Some(why) = idle {
        return output.line(why);
    }
    let mut table = Table::new(&["file", ">size", "goes to", "oid", "replaces"]);
    for one in files {
        let replaces = one.replaces.as_deref().map_or_else(String::new, short);
        let to = if one.in_git { "git" } else { "server" };
        let row = [quote(one.name.as_bytes()), bytes_text(one.blob.size), to.into(), short(&one.blob.oid), replaces];
        table.row(row);
    }
    if !files.is_empty() {
        table.print(output);
    }
    let bytes: u64 = files.iter().map(|one| one.blob.size).sum();
    output.line(format!("would publish {}, {}", count_text(files.len(), "file"), bytes_text(bytes)));
    for obstacle in obstacles {
        output.line(format!("now it would be refused: {}", plain(obstacle)));
    }
}

/// What a publish did.
pub(crate) fn say(session: &str, came: &Came, output: &mut Output) -> Ending {
    let Came { report, seconds, .. } = came;
    let (ending, next) = (ending(came), next(session, report));
    output.json(&document(session, came));
    table(report, output);
    match &report.ended {
        Ok(()) => output.line(summary(report, *seconds)),
        Err(error) => output.warn(format!("hydrant: {}: {}", code_name(error.code), plain(&error.detail))),
    }
    if let Some(next) = next {
        output.warn(next);
    }
    ending
}

/// One line on a publish that ended well.
pub(crate) fn summary(report: &PublishReport, seconds: f64) -> String {
    let tip = report.tip.as_deref().map_or_else(String::new, |tip| format!(" at {}", short(tip)));
    let resumed = if report.resumed { ", after an interrupted publish was finished" } else { "" };
    format!("{} is published{tip} in {seconds:.2} s{resumed}", report.session_id)
}

/// Files and orphans.
pub(crate) fn table(report: &PublishReport, output: &mut Output) {
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
}

/// The exit code that a publish asks for.
pub(crate) fn ending(came: &Came) -> Ending {
    let Came { report, interrupted, .. } = came;
    let left = report.files.iter().any(|file| file.state == PublishedState::Left);
    let some_failed = report.files.iter().any(|file| file.reason.is_some());
    match &report.ended {
        Ok(()) if left => Ending::SomeFailed,
        Ok(()) => Ending::Done,
        Err(_) if *interrupted => Ending::Interrupted,
        Err(_) if some_failed && report.phase == Phase::Upload => Ending::SomeFailed,
        Err(_) => Ending::Failed,
    }
}

/// What the next run does, when this one is not the last.
fn next(session: &str, report: &PublishReport) -> Option<String> {
    let resume = format!("`hydrant publish {} --resume`", shell(session));
    if report.ended.is_ok() {
        let left = report.files.iter().any(|file| file.state == PublishedState::Left);
        return left
            .then(|| "files that changed meanwhile were left as they are: publish the session again".to_owned());
    }
    let is_on = |document: &str| matches!(&report.ended, Err(error) if error.detail.starts_with(document));
    Some(match report.phase {
        // The same command would end here again.
        Phase::Hash | Phase::Intend if is_on(ON_JOURNAL) || is_on(ON_REGISTER) => {
            "nothing was sent and nothing changed; `hydrant doctor` says how to go on".to_owned()
        }
        // And so would it after a judgement of what is here.
        Phase::Hash | Phase::Intend if report.ended.as_ref().is_err_and(is_judgement) => {
            "nothing was sent and nothing changed".to_owned()
        }
        Phase::Hash | Phase::Intend => "nothing was sent and nothing changed: the same command starts over".to_owned(),
        Phase::Upload => "publish the session again with its files: what the server has is not sent twice".to_owned(),
        Phase::Bind => {
            "everything was sent; publish the session again with its files: nothing is sent twice".to_owned()
        }
        Phase::Push if matches!(&report.ended, Err(error) if error.code == Code::Conflict) => {
            "everything was sent; `hydrant doctor` says how to join what the remote has with it".to_owned()
        }
        // The same bytes may wait for blobs of other commits.
        Phase::Push if matches!(&report.ended, Err(error) if error.code == Code::Rejected) => format!(
            "everything was sent; where the remote misses objects of other commits, `hydrant reconcile` names them; \
             then {resume} pushes the same bytes again"
        ),
        Phase::Push => format!("everything was sent; {resume} pushes the same bytes again"),
        Phase::Settle if matches!(&report.ended, Err(error) if error.code == Code::Conflict) => format!(
            "the remote has the session; `git pull` names what stands in the way, and when that is put aside, {resume} \
             lets this clone follow"
        ),
        Phase::Settle => format!("the remote has the session; {resume} lets this clone follow"),
        Phase::Swap => format!("the remote has the session; {resume} puts pointers where content still stands"),
        Phase::Done if is_on(ON_REGISTER) => format!(
            "the remote has the session; `hydrant doctor` first says what is wrong with the register, then {resume} \
             writes down what was orphaned"
        ),
        Phase::Done => format!("the remote has the session; {resume} writes down what was orphaned"),
    })
}

/// Whether the same files would be refused again.
fn is_judgement(error: &Error) -> bool {
    matches!(error.code, Code::Rejected | Code::Malformed | Code::Limit | Code::Conflict)
}

/// A publish in JSON.
pub(crate) fn document(session: &str, came: &Came) -> Value {
    let Came { report, seconds, .. } = came;
    let file = |file: &Published| {
        let reason = file.reason.as_ref();
        json!({
            "name": file.name, "oid": (!file.oid.is_empty()).then_some(&file.oid), "size": file.size,
            "state": state_name(file),
            "reason": reason.map(|error| error_json(error.code, &error.detail, error.retry_at)),
        })
    };
    let ended = report.ended.as_ref().err();
    json!({
        "schema_version": SCHEMA_VERSION,
        "ok": ending(came) == Ending::Done,
        "session": session,
        "session_id": (!report.session_id.is_empty()).then_some(&report.session_id),
        "phase": phase_name(report.phase),
        "resumed": report.resumed,
        "tip": report.tip,
        "files": report.files.iter().map(file).collect::<Vec<_>>(),
        "orphans": report.orphans.iter().map(|blob| json!({"oid": blob.oid, "size": blob.size})).collect::<Vec<_>>(),
        "seconds": (seconds * 1000.0).round() / 1000.0,
        "ended": ended.map(|error| error_json(error.code, &error.detail, error.retry_at)),
        "next": next(session, report),
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
