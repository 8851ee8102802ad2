//! `hydrant draft`: the placeholder of a session that is still recorded, so that others see it before it is published.
//!
//! The rules it keeps: who and how much, never what. A final session is never made a placeholder again, and neither is
//! one whose publish is not at its end: that one gave it an id, and a manifest of another would stand in its way.

use std::env;

use hydrant_host::contract::clock;
use hydrant_host::documents::Documents;
use hydrant_host::engine::{Engine, Guest};
use hydrant_host::documents::manifest_write::change_manifest;
use hydrant_host::contract::ledgers::{Placeholder, Unfinished};
use hydrant_host::contract::types::Code;
use serde_json::json;

use crate::cli::DraftArgs;
use crate::ending::Ending;
use hydrant_host::contract::error::Fault;
use hydrant_host::sessions::gitignore;
use hydrant_host::sessions::ledger::{Ledger, MANIFEST, SESSIONS, path_in};
use hydrant_host::sessions::new_session;
use crate::report::Output;
use hydrant_host::text::{quote, shell};
use hydrant_host::repository::Repository;

/// What makes a session more than a placeholder.
const TRANSCRIPT: &str = "raw.jsonl";

pub(crate) fn run(arguments: &DraftArgs, output: &mut Output) -> Result<Ending, Fault> {
    let repository = Repository::around(&env::current_dir()?)?;
    let ledger = Ledger::of(&repository)?;
    let mut guest = Engine::load()?.guest()?;
    let session = &arguments.session;
    if let Some(flaw) = guest.name_flaw(session)? {
        return Err(Fault::misuse(format!("the session name is not allowed: {flaw}")));
    }
    if session.contains('/') {
        let shown = quote(session.as_bytes());
        return Err(Fault::misuse(format!("{shown} is no session: a name without the folders above it is expected")));
    }
    if arguments.username.as_ref().is_some_and(|name| name.contains('@')) {
        return Err(Fault::misuse("--username: a display name is expected, never an address: it holds an @"));
    }
    let new = placeholder(arguments);
    let transcript = repository.top.join(SESSIONS).join(session).join(TRANSCRIPT);
    let transcript_is_there = transcript.symlink_metadata().is_ok();
    // Every refusal comes before a folder is made.
    check_published(&repository, &mut guest, session)?;
    let before = ledger.manifest_if_any(session)?;
    let mut draft = guest.draft(before.as_deref(), transcript_is_there, &new)?;
    let mut written = before.as_deref() != Some(draft.as_slice());
    if !arguments.dry_run {
        written = change_manifest(ledger.files(), &path_in(session, MANIFEST), |existing| {
            draft = guest.draft(existing, transcript_is_there, &new)?;
            Ok::<_, Fault>(Some(draft.clone()))
        })?;
        // Where that cannot be, git shows the lock, and nothing else follows from it.
        gitignore::exclude_locks(&repository).ok();
    }
    let told = guest.manifest_read(&draft)?;
    let entries = told.entry_count.unwrap_or(0);
    output.json(&json!({
        "ok": true,
        "session": session,
        "session_id": told.effective_session_id,
        "entry_count": entries,
        "written": written,
        "dry_run": arguments.dry_run,
    }));
    let verb = if arguments.dry_run { "would be written" } else { "written" };
    output.line(format!("{}: placeholder {verb}, {}", quote(session.as_bytes()), told.effective_session_id));
    output.note("commit it to let others see that it is recorded; publish it when the recording is over");
    Ok(Ending::Done)
}

/// Refuses a session whose publish did not come to its end.
fn check_published(repository: &Repository, guest: &mut Guest, session: &str) -> Result<(), Fault> {
    let state = repository.store_dir();
    // Looked at first, because opening it makes it, and a dry run makes nothing.
    if state.symlink_metadata().is_err() {
        return Ok(());
    }
    let documents = Documents::beneath(&repository.top)?.with_state(&state)?;
    let journals = documents.journals().map_err(|error| Fault::local("the journals cannot be listed", &error))?;
    if !journals.contains(session) {
        return Ok(());
    }
    let shown = quote(session.as_bytes());
    let journal = documents.journal(session).ok().flatten();
    let then = match journal.map(|text| guest.read_journal(&text)) {
        Some(Ok(Unfinished::Bound(_))) => {
            format!("`hydrant publish {} --resume` finishes it, or `hydrant doctor` says how to go on", shell(session))
        }
        Some(Ok(Unfinished::Intended(_))) => {
            "publish it again with its files, or see how to go on with `hydrant doctor`".to_owned()
        }
        Some(Err(_)) | None => "`hydrant doctor` says how to go on".to_owned(),
    };
    Err(Fault::failed(
        Code::Conflict,
        format!("{shown}: no placeholder, because a publish of it is under way or was interrupted: {then}"),
    ))
}

fn placeholder(arguments: &DraftArgs) -> Placeholder {
    let now = clock::now_rfc3339();
    let given = |text: &Option<String>| text.clone().unwrap_or_default();
    Placeholder {
        session_name: arguments.session.clone(),
        session_id: arguments.session_id.clone().unwrap_or_else(new_session::id),
        continued_from_session_id: given(&arguments.continues),
        created_at: now.clone(),
        updated_at: now,
        username: given(&arguments.username),
        user_id: given(&arguments.user_id),
        repo_id: given(&arguments.repo_id),
        agent_id: given(&arguments.agent_id),
        agent_type: given(&arguments.agent_type),
        model: given(&arguments.model),
        turn_count: arguments.turns,
        entry_count: arguments.entries,
    }
}
