//! The interface `ledgers`.

use crate::Engine;
use crate::convert;
use crate::exports::hydrant::lfs::{ledgers as wit, manifests, types};
use hydrant_ledger::journal::Unfinished;
use hydrant_ledger::manifest;
use hydrant_ledger::name::{MANIFEST, SESSIONS, TRANSCRIPT};
use hydrant_ledger::register::Register;
use hydrant_ledger::rules::drafts::{self, Placeholder};
use hydrant_ledger::rules::gitignore;
use hydrant_ledger::rules::readiness::{self, Checkout, ErrorClass, HydrationState};
use hydrant_ledger::rules::restore::{self, Witness};
use hydrant_ledger::rules::titles::{self, Skip, TitleRepair};
use hydrant_ledger::status::Tally;

/// The classes of WIT, in the order in which the core declares them.
const ERROR_CLASSES: [wit::ErrorClass; ErrorClass::ALL.len()] = [
    wit::ErrorClass::InvalidArguments,
    wit::ErrorClass::Denied,
    wit::ErrorClass::Unavailable,
    wit::ErrorClass::MissingLedger,
    wit::ErrorClass::Interrupted,
    wit::ErrorClass::Dirty,
    wit::ErrorClass::MissingHydration,
    wit::ErrorClass::IncompleteHistory,
    wit::ErrorClass::IncompleteCoverage,
    wit::ErrorClass::IdentityMismatch,
    wit::ErrorClass::GitFailed,
];

impl wit::Guest for Engine {
    fn names() -> wit::LedgerNames {
        let [sessions, manifest, transcript] = [SESSIONS, MANIFEST, TRANSCRIPT].map(str::to_owned);
        wit::LedgerNames { sessions, manifest, transcript }
    }

    fn preserved_session_id(manifest: Option<Vec<u8>>) -> Result<Option<String>, types::LfsError> {
        manifest::preserved_session_id(manifest.as_deref()).map_err(convert::error)
    }

    fn repair_title(manifest: Vec<u8>, summary: Option<Vec<u8>>) -> Result<wit::TitleRepair, types::LfsError> {
        let repair = titles::repair_title(&manifest, summary.as_deref()).map_err(convert::error)?;
        Ok(match repair {
            TitleRepair::Skipped(why) => wit::TitleRepair::Skipped(match why {
                Skip::Draft => wit::TitleSkip::Draft,
                Skip::Pending => wit::TitleSkip::Pending,
                Skip::Titled => wit::TitleSkip::Titled,
                Skip::Terminal => wit::TitleSkip::Terminal,
            }),
            TitleRepair::Recovered(text) => wit::TitleRepair::Recovered(text),
            TitleRepair::Attempt { text, attempts } => wit::TitleRepair::Attempt(wit::TitleAttempt { text, attempts }),
            TitleRepair::Terminal(text) => wit::TitleRepair::Terminal(text),
        })
    }

    fn set_title(manifest: Vec<u8>, title: String) -> Result<Vec<u8>, types::LfsError> {
        titles::set_title(&manifest, &title).map_err(convert::error)
    }

    fn draft(
        existing: Option<Vec<u8>>,
        transcript_is_there: bool,
        new: wit::Placeholder,
    ) -> Result<Vec<u8>, types::LfsError> {
        let new = Placeholder {
            session_name: new.session_name,
            session_id: new.session_id,
            continued_from_session_id: new.continued_from_session_id,
            created_at: new.created_at,
            updated_at: new.updated_at,
            username: new.username,
            user_id: new.user_id,
            repo_id: new.repo_id,
            agent_id: new.agent_id,
            agent_type: new.agent_type,
            model: new.model,
            turn_count: new.turn_count,
            entry_count: new.entry_count,
        };
        drafts::draft(existing.as_deref(), transcript_is_there, &new).map_err(convert::error)
    }

    fn finalized(manifest: Vec<u8>) -> Result<Vec<u8>, types::LfsError> {
        drafts::finalized(&manifest).map_err(convert::error)
    }

    fn restore(
        name: String,
        content: types::LfsBlob,
        committed: Option<Vec<u8>>,
        manifest: Option<Vec<u8>>,
    ) -> Result<wit::Restored, types::LfsError> {
        let content = convert::blob_in(&content)?;
        let restored = restore::restore(&name, content, committed.as_deref(), manifest.as_deref());
        let restored = restored.map_err(convert::error)?;
        let witness = match restored.witness {
            Witness::Committed => wit::Witness::Committed,
            Witness::Manifest => wit::Witness::Manifest,
        };
        Ok(wit::Restored { pointer: restored.pointer, witness })
    }

    fn sessions_gitignore(existing: Option<Vec<u8>>) -> Result<Option<Vec<u8>>, types::LfsError> {
        gitignore::sessions_gitignore(existing.as_deref()).map_err(convert::error)
    }

    fn read_journal(journal: Vec<u8>) -> Result<wit::Unfinished, types::LfsError> {
        Ok(match Unfinished::read(&journal).map_err(convert::error)? {
            Unfinished::Intended(blobs) => {
                wit::Unfinished::Intended(blobs.into_iter().map(convert::blob_out).collect())
            }
            Unfinished::Bound { push, in_place, superseded } => {
                let push = push.into_iter().map(convert::push_file).collect();
                let superseded = superseded.into_iter().map(convert::blob_out).collect();
                wit::Unfinished::Bound(wit::Bound { push, in_place, superseded })
            }
        })
    }

    fn read_register(register: Vec<u8>) -> Result<Vec<types::LfsBlob>, types::LfsError> {
        let register = Register::read(&register).map_err(convert::error)?;
        Ok(register.blobs().map(convert::blob_out).collect())
    }

    fn judge(given: wit::Checkout) -> Result<wit::Readiness, types::LfsError> {
        let checkout = Checkout {
            head: given.head,
            shallow: given.shallow,
            dirty: given.dirty,
            failed: given.failed.map(error_class_in),
            paths: given.paths,
            sessions: given.sessions.into_iter().map(tally).collect(),
        };
        let it = readiness::readiness(&checkout).map_err(convert::error)?;
        let state = match it.hydration.state {
            HydrationState::Complete => wit::HydrationState::Complete,
            HydrationState::Missing => wit::HydrationState::Missing,
            HydrationState::Unknown => wit::HydrationState::Unknown,
        };
        Ok(wit::Readiness {
            schema_version: it.schema_version,
            head: it.head,
            ready: it.ready,
            coverage: wit::Coverage {
                complete: it.coverage.complete,
                paths: it.coverage.paths,
                files: it.coverage.files,
                empty: it.coverage.empty,
            },
            hydration: wit::Hydrated { state, required: it.hydration.required, completed: it.hydration.completed },
            error_class: it.error_class.map(error_class_out),
        })
    }
}

fn tally(it: manifests::Tally) -> Tally {
    Tally {
        files: it.files,
        there: it.there,
        required: it.required,
        completed: it.completed,
        changed: it.changed,
        broken: it.broken,
        unreadable: it.unreadable,
    }
}

fn error_class_in(class: wit::ErrorClass) -> ErrorClass {
    let at = ERROR_CLASSES.iter().position(|other| *other == class).expect("the table lists every class");
    ErrorClass::ALL[at]
}

fn error_class_out(class: ErrorClass) -> wit::ErrorClass {
    let at = ErrorClass::ALL.iter().position(|other| *other == class).expect("ALL lists every class");
    ERROR_CLASSES[at]
}
