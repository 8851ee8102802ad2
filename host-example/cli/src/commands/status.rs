//! `hydrant status`: how much can be read here, of one session, all sessions, or the pointers of a work tree.

mod all;
mod stopped;

use std::collections::BTreeSet;
use std::env;

use hydrant_host::documents::Documents;
use hydrant_host::engine::{Engine, Guest};
use hydrant_host::scan::WalkOptions;
use hydrant_host::store::Store;
use hydrant_host::wit::ledgers::{ErrorClass, Unfinished};
use hydrant_host::wit::manifests::{FileState, Hydration, State};
use hydrant_host::wit::types::Code;
use serde_json::{Value, json};

use crate::cli::StatusArgs;
use crate::committed;
use crate::coverage;
use crate::downloaded;
use crate::ending::{Ending, Fault};
use crate::ledger::{Ledger, SESSIONS, Session, Target};
use crate::operate;
use crate::pointer_files::{self, Met};
use crate::report::{Output, Table, bytes_text, count_text, quote};
use crate::repository::Repository;

use super::hydrate_tree::is_here;
use stopped::Stopped;

pub(crate) fn run(arguments: &StatusArgs, output: &mut Output) -> Result<Ending, Fault> {
    let repository = env::current_dir().map_err(Fault::from).and_then(|folder| Repository::around(&folder));
    match repository {
        Ok(repository) => {
            look(&repository, arguments, output).or_else(|stopped| stopped.tell(Some(&repository), arguments, output))
        }
        Err(fault) => Stopped::outside(fault).tell(None, arguments, output),
    }
}

/// The status of a repository, as `run` shows it.
pub(crate) fn in_repository(
    repository: &Repository,
    arguments: &StatusArgs,
    output: &mut Output,
) -> Result<Ending, Fault> {
    look(repository, arguments, output).map_err(|stopped| stopped.fault)
}

fn look(repository: &Repository, arguments: &StatusArgs, output: &mut Output) -> Result<Ending, Stopped> {
    let engine = Engine::load()?;
    let store = Store::cache(&repository.store_dir())?;
    let mut guest = engine.guest()?;
    let limit = limit(&mut guest, repository, arguments)?;
    let ledger = Ledger::of(repository)?;
    let journals = journals(repository)?;
    let Some(word) = &arguments.session else {
        let all = all::All { repository, engine: &engine, ledger: &ledger, journals: &journals, limit };
        return Ok(match all.say(&mut guest, output)? {
            Some(ending) => ending,
            None => pointers(repository, &engine, &mut guest, &store, output)?,
        });
    };
    let folder = env::current_dir().map_err(Fault::from)?;
    match ledger.target(word, &folder) {
        Target::Session { name, .. } if repository.is_ledger()? || journals.contains(&name) => {
            let session = ledger.session(&mut guest, &store, &name, limit);
            let session = session.map_err(|fault| Stopped::broken(fault, &name))?;
            let aside = Aside {
                unfinished: journals.contains(&name),
                kept: kept_of(&store, &name)?,
                downloaded: downloaded::is_marked(&repository.store_dir(), &name),
            };
            Ok(one_session(&mut guest, repository, &session, &aside, output)?)
        }
        Target::Other if journals.contains(word) => Ok(only_begun(&mut guest, repository, word, output)?),
        _ if !repository.is_ledger()? => Err(Stopped::no_ledger(repository)?),
        _ => Err(Stopped::no_session(repository, word, ledger.path_within(word, &folder))?),
    }
}

/// What a publish left besides the session itself.
struct Aside {
    /// Its journal: it was interrupted.
    unfinished: bool,
    /// Files that grew after a pointer took their place; they lie where nothing removes them.
    kept: Vec<String>,
    /// Content of it was fetched from a server and not recorded here.
    downloaded: bool,
}

/// The sessions whose publishes were interrupted.
fn journals(repository: &Repository) -> Result<BTreeSet<String>, Fault> {
    let documents = Documents::beneath(&repository.top)?.with_state(&repository.store_dir())?;
    documents.journals().map_err(|error| Fault::local("the journals cannot be listed", &error))
}

/// Files of a session that changed after they were published, by their names in `hydrant/kept`.
fn kept_of(store: &Store, session: &str) -> Result<Vec<String>, Fault> {
    let own = format!("{session}-");
    Ok(store.kept()?.into_iter().map(|kept| kept.name).filter(|name| name.starts_with(&own)).collect())
}

/// What ends an interrupted publish. One that had not sent everything cannot be resumed.
fn unfinished_line(guest: &mut Guest, repository: &Repository, session: &str) -> Result<String, Fault> {
    let documents = Documents::beneath(&repository.top)?.with_state(&repository.store_dir())?;
    let journal = documents.journal(session).ok().flatten();
    let shown = quote(session.as_bytes());
    let then = match journal.map(|text| guest.read_journal(&text)) {
        Some(Ok(Unfinished::Bound(_))) => {
            format!("`hydrant publish {shown} --resume` finishes it, or `hydrant doctor` says how to go on")
        }
        Some(Ok(Unfinished::Intended(_))) => {
            "publish it again with its files, or see how to go on with `hydrant doctor`".to_owned()
        }
        Some(Err(_)) | None => "`hydrant doctor` says how to go on".to_owned(),
    };
    Ok(format!("a publish of it is under way or was interrupted: {then}"))
}

/// A session whose first publish was interrupted before this clone had anything of it.
fn only_begun(guest: &mut Guest, repository: &Repository, session: &str, output: &mut Output) -> Result<Ending, Fault> {
    let folder = [folder_of(session)];
    if output.voice.json {
        let mut document = json!({
            "ok": true, "session": session, "unfinished_publish": true, "kept": [], "file_list": [],
            "downloaded": downloaded::is_marked(&repository.store_dir(), session),
        });
        let mut checkout = coverage::checkout(repository, &folder);
        checkout.sessions.push(coverage::unreadable());
        coverage::add(guest, &checkout, &mut document)?;
        output.json(&document);
        return Ok(Ending::Done);
    }
    output.line(format!("{}  not here yet", quote(session.as_bytes())));
    output.line(unfinished_line(guest, repository, session)?);
    coverage::kept_out(repository, &folder)?.line().iter().for_each(|line| output.line(line));
    Ok(Ending::Done)
}

/// The folder of a session, as git names it.
fn folder_of(session: &str) -> String {
    format!("{SESSIONS}/{session}")
}

/// The bound on objects that decides about `too-large`.
pub(crate) fn limit(guest: &mut Guest, repository: &Repository, arguments: &StatusArgs) -> Result<u64, Fault> {
    match operate::object_bytes_max(&arguments.limits, Some(repository))? {
        Some(bytes) => Ok(bytes),
        None => Ok(guest.default_config("https://none.invalid", 0)?.object_bytes_max),
    }
}

fn one_session(
    guest: &mut Guest,
    repository: &Repository,
    session: &Session,
    aside: &Aside,
    output: &mut Output,
) -> Result<Ending, Fault> {
    let title = shown_title(guest, session)?;
    if output.voice.json {
        let mut document = session_json(session, &title);
        document["ok"] = true.into();
        document["unfinished_publish"] = aside.unfinished.into();
        document["kept"] = aside.kept.clone().into();
        document["downloaded"] = aside.downloaded.into();
        document["file_list"] = files_json(session);
        let mut checkout = coverage::checkout(repository, &[folder_of(&session.name)]);
        checkout.sessions.push(session.status.tally);
        coverage::add(guest, &checkout, &mut document)?;
        output.json(&document);
        return Ok(Ending::Done);
    }
    output.line(format!("{}  {}", quote(session.name.as_bytes()), state_of(session)));
    if !title.is_empty() {
        output.line(&title);
    }
    let mut table = Table::new(&["file", ">size", "state", ""]);
    for state in &session.status.files {
        let size = size_of(session, &state.name).map_or_else(String::new, bytes_text);
        let detail = hydrant_host::process::plain(state.detail.as_deref().unwrap_or_default());
        table.row([quote(state.name.as_bytes()), size, state_name(state.state).to_owned(), detail]);
    }
    table.print(output);
    if aside.unfinished {
        output.line(unfinished_line(guest, repository, &session.name)?);
    }
    if aside.downloaded {
        output.line("content of it was fetched from the server, not recorded here");
    }
    let kept_out = coverage::kept_out(repository, &[folder_of(&session.name)])?;
    kept_out.line().iter().for_each(|line| output.line(line));
    for kept in &aside.kept {
        output.line(format!("grew after it was published, and is kept in git's folder: hydrant/kept/{kept}"));
    }
    Ok(Ending::Done)
}

/// Pointers of a repository without sessions.
fn pointers(
    repository: &Repository,
    engine: &Engine,
    guest: &mut Guest,
    store: &Store,
    output: &mut Output,
) -> Result<Ending, Fault> {
    let (mut count, mut bytes, mut here, mut here_bytes, mut broken) = (0usize, 0u64, 0usize, 0u64, 0usize);
    pointer_files::search(engine, &repository.top, WalkOptions::default(), &mut |met| {
        match met {
            Met::Pointer(one) => {
                count += 1;
                bytes = bytes.saturating_add(one.pointer.size);
                if is_here(store, repository, &one.pointer.oid, one.pointer.size) {
                    here += 1;
                    here_bytes = here_bytes.saturating_add(one.pointer.size);
                }
            }
            Met::Broken(one) => {
                broken += 1;
                output.warn(format!("{}: a broken pointer, line {}: {}", quote(&one.path), one.line, one.why));
            }
        }
        Ok(())
    })?;
    if output.voice.json {
        let mut document = json!({
            "ok": broken == 0, "pointers": count, "bytes": bytes, "present": here, "present_bytes": here_bytes,
            "broken": broken,
        });
        let head = committed::commit(repository, "HEAD")?;
        coverage::add(guest, &coverage::failed(no_ledger_class(&head), head), &mut document)?;
        output.json(&document);
    }
    output.line(format!("{} in the work tree, {}", count_text(count, "pointer"), bytes_text(bytes)));
    output.line(format!("content here for {here} of them, {}", bytes_text(here_bytes)));
    Ok(if broken == 0 { Ending::Done } else { Ending::SomeFailed })
}

/// Why there are no sessions: without a commit nobody knows.
fn no_ledger_class(head: &Option<String>) -> ErrorClass {
    if head.is_some() { ErrorClass::MissingLedger } else { ErrorClass::Unavailable }
}

/// A title that may be shown: recorders are known to have put their own error texts there.
fn shown_title(guest: &mut Guest, session: &Session) -> Result<String, Fault> {
    let title = &session.manifest.title;
    let leaks = !title.is_empty() && guest.leak(title)?.is_some();
    Ok(if leaks { String::new() } else { hydrant_host::process::plain(title) })
}

fn size_of(session: &Session, name: &str) -> Option<u64> {
    session.manifest.files.iter().find(|file| file.name == name).map(|file| file.size)
}

fn total_bytes(session: &Session) -> u64 {
    session.manifest.files.iter().fold(0, |sum, file| sum.saturating_add(file.size))
}

fn session_json(session: &Session, title: &str) -> Value {
    json!({
        "session": session.name,
        "session_id": session.manifest.effective_session_id,
        "title": title,
        "draft": session.manifest.draft,
        "created_at": session.manifest.created_at,
        "entry_count": session.manifest.entry_count,
        "files": session.manifest.files.len(),
        "bytes": total_bytes(session),
        "hydration": hydration_name(session.status.hydration),
    })
}

fn files_json(session: &Session) -> Value {
    let one = |state: &FileState| {
        let file = session.manifest.files.iter().find(|file| file.name == state.name);
        json!({
            "name": state.name,
            "size": file.map(|file| file.size),
            "oid": file.and_then(|file| file.oid.as_deref()),
            "state": state_name(state.state),
            "detail": state.detail,
        })
    };
    session.status.files.iter().map(one).collect()
}

/// A session's state in one word. Of a recording there is nothing to read yet.
fn state_of(session: &Session) -> &'static str {
    if session.manifest.draft { "draft" } else { hydration_name(session.status.hydration) }
}

fn hydration_name(hydration: Hydration) -> &'static str {
    match hydration {
        Hydration::Hydrated => "hydrated",
        Hydration::Partial => "partial",
        Hydration::Dehydrated => "dehydrated",
    }
}

/// A state as every report spells it.
pub(crate) fn state_name(state: State) -> &'static str {
    match state {
        State::Cached => "cached",
        State::InPlace => "in-place",
        State::Changed => "changed",
        State::Dehydrated => "dehydrated",
        State::NotFetched => "not-fetched",
        State::Missing => "missing",
        State::Corrupt => "corrupt",
        State::TooLarge => "too-large",
        State::Conflict => "conflict",
        State::Malformed => "malformed",
        State::Unusable => "unusable",
    }
}

/// The error code that a reader gets for a state without content.
pub(crate) fn state_code(state: State) -> Code {
    match state {
        State::Cached | State::InPlace => Code::Host,
        State::Changed | State::Conflict => Code::Conflict,
        State::Dehydrated | State::NotFetched => Code::Unfinished,
        State::Missing => Code::NotFound,
        State::Corrupt => Code::Integrity,
        State::TooLarge => Code::Limit,
        State::Malformed | State::Unusable => Code::Malformed,
    }
}
