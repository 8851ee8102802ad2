//! The placeholder of a session that is still recorded, so that others see it before it is published.
//!
//! The rules it keeps: who and how much, never what. A final session is never made a placeholder again, and neither is
//! one whose publish is not at its end: that one gave it an id, and a manifest of another would stand in its way.

use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::clock;
use crate::contract::error::Fault;
use crate::contract::ledgers::Placeholder;
use crate::contract::names::TRANSCRIPT;
use crate::contract::types::Code;
use crate::documents::manifest_write::change_manifest;
use crate::engine::Guest;
use crate::repository::Repository;
use crate::sessions::ledger::{Ledger, MANIFEST, SESSIONS, path_in};
use crate::sessions::{gitignore, journaled, new_session};
use crate::tasks::client::Client;
use crate::text::quote;

/// What a placeholder says.
#[derive(Clone, Debug, Default)]
pub struct DraftOptions {
    /// Name of the session's folder.
    pub session: String,
    /// Turns so far.
    pub turns: u64,
    /// Entries of the transcript so far.
    pub entries: u64,
    /// `ses_` and a UUID that the recorder made; none: a new one.
    pub session_id: Option<String>,
    /// Id of the session that this one goes on with.
    pub continues: Option<String>,
    /// Display name of who records it, never an address.
    pub username: Option<String>,
    /// Who records it.
    pub user_id: Option<String>,
    /// Repository that the session belongs to.
    pub repo_id: Option<String>,
    /// Agent.
    pub agent_id: Option<String>,
    /// Kind of agent, such as `claude-code`.
    pub agent_type: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
}

/// A placeholder as it stands now, or would stand.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DraftReport {
    /// Name of the session.
    pub session: String,
    /// Its id, which the publish keeps.
    pub session_id: String,
    /// Entries of its transcript that the placeholder tells of.
    pub entry_count: u64,
    /// The manifest changed, or would have.
    pub written: bool,
    /// Nothing was done.
    pub dry_run: bool,
}

impl Client {
    /// Writes or refreshes the placeholder of a session that is still recorded.
    pub fn draft(&self, repository: &Repository, options: &DraftOptions) -> Result<DraftReport, Fault> {
        let ledger = Ledger::of(repository)?;
        let mut guest = self.guest()?;
        let session = &options.session;
        if let Some(flaw) = guest.name_flaw(session)? {
            return Err(Fault::misuse(format!("the session name is not allowed: {flaw}")));
        }
        if session.contains('/') {
            let shown = quote(session.as_bytes());
            let expected = "a name without the folders above it is expected";
            return Err(Fault::misuse(format!("{shown} is no session: {expected}")));
        }
        if options.username.as_ref().is_some_and(|name| name.contains('@')) {
            return Err(Fault::misuse("--username: a display name is expected, never an address: it holds an @"));
        }
        let new = placeholder(options);
        let transcript = repository.top.join(SESSIONS).join(session).join(TRANSCRIPT);
        let transcript_is_there = transcript.symlink_metadata().is_ok();
        // Every refusal comes before a folder is made.
        check_published(repository, &mut guest, session)?;
        let before = ledger.manifest_if_any(session)?;
        let mut draft = guest.draft(before.as_deref(), transcript_is_there, &new)?;
        let mut written = before.as_deref() != Some(draft.as_slice());
        if !options.dry_run {
            written = change_manifest(ledger.files(), &path_in(session, MANIFEST), |existing| {
                draft = guest.draft(existing, transcript_is_there, &new)?;
                Ok::<_, Fault>(Some(draft.clone()))
            })?;
            // Where that cannot be, git shows the lock, and nothing else follows from it.
            gitignore::exclude_locks(repository).ok();
        }
        let told = guest.manifest_read(&draft)?;
        Ok(DraftReport {
            session: session.clone(),
            session_id: told.effective_session_id,
            entry_count: told.entry_count.unwrap_or(0),
            written,
            dry_run: options.dry_run,
        })
    }
}

/// Refuses a session whose publish did not come to its end.
fn check_published(repository: &Repository, guest: &mut Guest, session: &str) -> Result<(), Fault> {
    let documents = repository.documents_to_read()?;
    let journals = documents.journals().map_err(|error| Fault::local("the journals cannot be listed", &error))?;
    if !journals.contains(session) {
        return Ok(());
    }
    let (shown, then) = (quote(session.as_bytes()), journaled::way_on(guest, &documents, session));
    Err(Fault::failed(
        Code::Conflict,
        format!("{shown}: no placeholder, because a publish of it is under way or was interrupted: {then}"),
    ))
}

fn placeholder(options: &DraftOptions) -> Placeholder {
    let now = clock::now_rfc3339();
    let given = |text: &Option<String>| text.clone().unwrap_or_default();
    Placeholder {
        session_name: options.session.clone(),
        session_id: options.session_id.clone().unwrap_or_else(new_session::id),
        continued_from_session_id: given(&options.continues),
        created_at: now.clone(),
        updated_at: now,
        username: given(&options.username),
        user_id: given(&options.user_id),
        repo_id: given(&options.repo_id),
        agent_id: given(&options.agent_id),
        agent_type: given(&options.agent_type),
        model: given(&options.model),
        turn_count: options.turns,
        entry_count: options.entries,
    }
}
