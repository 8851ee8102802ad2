//! How much can be read here: of one session, or of all sessions and the assets beside them.

mod all;
mod report;
mod stopped;

use std::collections::BTreeSet;

use crate::contract::error::{Fault, HostError};
use crate::contract::ledgers::{Checkout, ErrorClass};
use crate::engine::Guest;
use crate::repository::{Repository, committed};
use crate::sessions::ledger::{Ledger, SESSIONS, Session, Target};
use crate::sessions::{coverage, downloaded, journaled};
use crate::store::Store;
use crate::tasks::assets;
use crate::tasks::client::Client;
use crate::tasks::hydrate::BrokenPointer;
use crate::tasks::hydrate::tree::is_here;
use crate::tasks::transfer;
use crate::text::plain;
use crate::worktree::pointer_files::{self, Met, PointerFile};

pub use report::{
    BegunStatus, Coverage, FileStatus, Hydrated, Judged, LedgerStatus, PointerCounts, PointerStatus, Readiness,
    SessionLine, SessionStatus, SessionSummary, StatusReport, StoppedStatus, UnreadableSession, state_name,
};
pub use stopped::Stopped;

/// What a status is asked about.
#[derive(Clone, Debug, Default)]
pub struct StatusOptions {
    /// Name of a session, or its folder; none: all of them, and the assets.
    pub session: Option<String>,
    /// Bytes of an object at most; none: what git's configuration says. It decides about `too-large`.
    pub object_bytes_max: Option<u64>,
    /// Of all sessions, their list and the assets alone: git is not asked whether the checkout can be read, which in a
    /// large ledger takes a third of the time.
    pub sessions_only: bool,
}

impl Client {
    /// How much can be read in a repository.
    pub fn status(&self, repository: &Repository, options: &StatusOptions) -> Result<StatusReport, Box<Stopped>> {
        let store = repository.cache_to_read()?;
        let mut guest = self.guest()?;
        let limit = limit(&mut guest, repository, options.object_bytes_max)?;
        let ledger = Ledger::of(repository)?;
        let interrupted = Interrupted::of(self, repository)?;
        let Some(word) = &options.session else {
            let engine = self.engine()?;
            let sessions_only = options.sessions_only;
            let all = all::All { repository, engine, ledger: &ledger, interrupted: &interrupted, limit, sessions_only };
            return Ok(match all.look(&mut guest, || counts(self, repository, &store))? {
                Some(all) => StatusReport::Sessions(all),
                None => StatusReport::Pointers(pointers(self, repository, &mut guest, &store)?),
            });
        };
        match ledger.target(word, &repository.here) {
            Target::Session { name, .. } if repository.has_sessions()? || interrupted.has(&name) == Some(true) => {
                let session = ledger.session(&mut guest, &store, &name, limit);
                let session = session.map_err(|fault| Stopped::broken(fault, &name))?;
                let report = one_session(&mut guest, repository, &store, &session, interrupted.has(&name))?;
                Ok(StatusReport::Session(Box::new(report)))
            }
            Target::Other if interrupted.has(word) == Some(true) => {
                Ok(StatusReport::Begun(only_begun(&mut guest, repository, word)?))
            }
            _ if !repository.has_sessions()? => Err(Box::new(Stopped::no_ledger(repository)?)),
            _ => {
                let path = ledger.path_within(word, &repository.here);
                Err(Box::new(Stopped::no_session(repository, word, path)?))
            }
        }
    }
}

/// The sessions whose publishes were interrupted; none where that is not known.
struct Interrupted(Option<BTreeSet<String>>);

impl Interrupted {
    /// In another user's clone nobody else is told.
    fn of(client: &Client, repository: &Repository) -> Result<Self, Fault> {
        if repository.is_state_closed() {
            client.watching().warned("the journals cannot be read, so publishes that were interrupted are not told of");
            return Ok(Self(None));
        }
        let documents = repository.documents_to_read()?;
        let journals = documents.journals().map_err(|error| Fault::local("the journals cannot be listed", &error))?;
        Ok(Self(Some(journals)))
    }

    fn has(&self, session: &str) -> Option<bool> {
        self.0.as_ref().map(|sessions| sessions.contains(session))
    }
}

/// Files of a session that changed after they were published, by their names in `hydrant/kept`.
fn kept_of(store: &Store, session: &str) -> Result<Vec<String>, Fault> {
    let own = format!("{session}-");
    Ok(store.kept()?.into_iter().map(|kept| kept.name).filter(|name| name.starts_with(&own)).collect())
}

fn unfinished_line(guest: &mut Guest, repository: &Repository, session: &str) -> Result<String, Fault> {
    let then = journaled::way_on(guest, &repository.documents_to_read()?, session);
    Ok(format!("a publish of it is under way or was interrupted: {then}"))
}

/// A session whose first publish was interrupted before this clone had anything of it.
fn only_begun(guest: &mut Guest, repository: &Repository, session: &str) -> Result<BegunStatus, Fault> {
    let folder = [folder_of(session)];
    let mut checkout = coverage::checkout(repository, &folder);
    checkout.sessions.push(coverage::unreadable());
    let (readiness, blobs) = judge(guest, &checkout)?;
    Ok(BegunStatus {
        session: session.to_owned(),
        unfinished_publish: true,
        downloaded: downloaded::is_marked(&repository.store_dir(), session),
        readiness,
        blobs,
        kept: Vec::new(),
        file_list: Vec::new(),
        unfinished: unfinished_line(guest, repository, session)?,
        kept_out: coverage::kept_out(repository, &folder)?.line(),
    })
}

fn one_session(
    guest: &mut Guest,
    repository: &Repository,
    store: &Store,
    session: &Session,
    is_interrupted: Option<bool>,
) -> Result<SessionStatus, Fault> {
    let folder = [folder_of(&session.name)];
    let mut checkout = coverage::checkout(repository, &folder);
    checkout.sessions.push(session.status.tally);
    let (readiness, blobs) = judge(guest, &checkout)?;
    let unfinished = match is_interrupted {
        Some(true) => Some(unfinished_line(guest, repository, &session.name)?),
        Some(false) | None => None,
    };
    Ok(SessionStatus {
        summary: summary(guest, repository, session, is_interrupted)?,
        readiness,
        blobs,
        kept: kept_of(store, &session.name)?,
        file_list: session.status.files.iter().map(|state| FileStatus::of(session, state)).collect(),
        unfinished,
        kept_out: coverage::kept_out(repository, &folder)?.line(),
    })
}

fn summary(
    guest: &mut Guest,
    repository: &Repository,
    session: &Session,
    unfinished_publish: Option<bool>,
) -> Result<SessionSummary, Fault> {
    let manifest = &session.manifest;
    Ok(SessionSummary {
        session: session.name.clone(),
        session_id: manifest.effective_session_id.clone(),
        title: shown_title(guest, session)?,
        draft: manifest.draft,
        created_at: manifest.created_at.clone(),
        entry_count: manifest.entry_count,
        files: manifest.files.len(),
        bytes: manifest.files.iter().fold(0, |sum, file| sum.saturating_add(file.size)),
        hydration: report::hydration_name(session.status.hydration),
        unfinished_publish,
        downloaded: downloaded::is_marked(&repository.store_dir(), &session.name),
    })
}

/// The pointers of a work tree that no manifest speaks for.
#[derive(Default)]
struct Counts {
    assets: PointerCounts,
    /// In folders of sessions.
    unnamed: PointerCounts,
}

fn counts(client: &Client, repository: &Repository, store: &Store) -> Result<Counts, Fault> {
    let mut all = Counts::default();
    let walked = assets::search(client, repository, assets::Place::Top, &mut |met| {
        let is_of_session = repository.is_of_session(met.path())?;
        let counts = if is_of_session { &mut all.unnamed } else { &mut all.assets };
        match met {
            Met::Pointer(PointerFile { pointer, .. }) => {
                counts.pointers += 1;
                counts.bytes = counts.bytes.saturating_add(pointer.size);
                if is_here(store, repository, &pointer.oid, pointer.size) {
                    counts.present += 1;
                    counts.present_bytes = counts.present_bytes.saturating_add(pointer.size);
                }
            }
            Met::Broken(one) => {
                counts.broken += 1;
                counts.broken_list.push(BrokenPointer::from(one));
            }
        }
        Ok(())
    })?;
    all.assets.unreadable_list = pointer_files::unreadable(&walked, b"");
    Ok(all)
}

/// The pointers of a repository without sessions.
fn pointers(
    client: &Client,
    repository: &Repository,
    guest: &mut Guest,
    store: &Store,
) -> Result<PointerStatus, Fault> {
    let head = committed::commit(repository, "HEAD")?;
    let (readiness, hydration) = judge(guest, &coverage::failed(no_ledger_class(&head), head))?;
    Ok(PointerStatus { counts: counts(client, repository, store)?.assets, readiness, hydration })
}

fn judge(guest: &mut Guest, checkout: &Checkout) -> Result<(Readiness, Hydrated), HostError> {
    guest.judge(checkout).map(report::told)
}

/// The folder of a session, as git names it.
fn folder_of(session: &str) -> String {
    format!("{SESSIONS}/{session}")
}

/// The bound on objects that decides about `too-large`.
pub(crate) fn limit(guest: &mut Guest, repository: &Repository, given: Option<u64>) -> Result<u64, Fault> {
    match transfer::object_bytes_max(given, Some(repository))? {
        Some(bytes) => Ok(bytes),
        None => Ok(guest.default_config("https://none.invalid", 0)?.object_bytes_max),
    }
}

/// Why there are no sessions: without a commit nobody knows.
fn no_ledger_class(head: &Option<String>) -> ErrorClass {
    if head.is_some() { ErrorClass::MissingLedger } else { ErrorClass::Unavailable }
}

/// A title that may be shown: recorders are known to have put their own error texts there.
fn shown_title(guest: &mut Guest, session: &Session) -> Result<String, Fault> {
    let title = &session.manifest.title;
    let leaks = !title.is_empty() && guest.leak(title)?.is_some();
    Ok(if leaks { String::new() } else { plain(title) })
}
