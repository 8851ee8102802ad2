//! The interface `ledgers` of an engine, in the core's own types: as a library, and as the built component.

use super::component::Component;
use super::native::Native;
use super::words::{self, wit};
use hydrant_ledger::journal::Unfinished;
use hydrant_ledger::manifest;
use hydrant_ledger::register::Register;
use hydrant_ledger::rules::drafts::{self, Placeholder};
use hydrant_ledger::rules::gitignore;
use hydrant_ledger::rules::readiness::{self, Checkout, Coverage, ErrorClass, Hydrated, HydrationState, Readiness};
use hydrant_ledger::rules::restore::{self, Restored, Witness};
use hydrant_ledger::rules::titles::{self, Skip, TitleRepair};
use hydrant_ledger::status::Tally;
use hydrant_lfs::text::error::Error;
use hydrant_lfs::text::oid::Blob;
use wit::{ledgers, manifests};

/// Every function of the interface.
pub trait Ledgers {
    /// `ledgers.preserved-session-id`
    fn preserved_session_id(&self, manifest: Option<&[u8]>) -> Result<Option<String>, Error>;
    /// `ledgers.repair-title`
    fn repair_title(&self, manifest: &[u8], summary: Option<&[u8]>) -> Result<TitleRepair, Error>;
    /// `ledgers.set-title`
    fn set_title(&self, manifest: &[u8], title: &str) -> Result<Vec<u8>, Error>;
    /// `ledgers.draft`
    fn draft(&self, existing: Option<&[u8]>, transcript_is_there: bool, new: &Placeholder) -> Result<Vec<u8>, Error>;
    /// `ledgers.finalized`
    fn finalized(&self, manifest: &[u8]) -> Result<Vec<u8>, Error>;
    /// `ledgers.restore`
    fn restore(
        &self,
        name: &str,
        content: Blob,
        committed: Option<&[u8]>,
        manifest: Option<&[u8]>,
    ) -> Result<Restored, Error>;
    /// `ledgers.sessions-gitignore`
    fn sessions_gitignore(&self, existing: Option<&[u8]>) -> Result<Option<Vec<u8>>, Error>;
    /// `ledgers.read-journal`
    fn read_journal(&self, journal: &[u8]) -> Result<Unfinished, Error>;
    /// `ledgers.read-register`
    fn read_register(&self, register: &[u8]) -> Result<Vec<Blob>, Error>;
    /// `ledgers.judge`
    fn judge(&self, checkout: &Checkout) -> Result<Readiness, Error>;
}

impl Ledgers for Native {
    fn preserved_session_id(&self, manifest: Option<&[u8]>) -> Result<Option<String>, Error> {
        manifest::preserved_session_id(manifest)
    }

    fn repair_title(&self, manifest: &[u8], summary: Option<&[u8]>) -> Result<TitleRepair, Error> {
        titles::repair_title(manifest, summary)
    }

    fn set_title(&self, manifest: &[u8], title: &str) -> Result<Vec<u8>, Error> {
        titles::set_title(manifest, title)
    }

    fn draft(&self, existing: Option<&[u8]>, transcript_is_there: bool, new: &Placeholder) -> Result<Vec<u8>, Error> {
        drafts::draft(existing, transcript_is_there, new)
    }

    fn finalized(&self, manifest: &[u8]) -> Result<Vec<u8>, Error> {
        drafts::finalized(manifest)
    }

    fn restore(
        &self,
        name: &str,
        content: Blob,
        committed: Option<&[u8]>,
        manifest: Option<&[u8]>,
    ) -> Result<Restored, Error> {
        restore::restore(name, content, committed, manifest)
    }

    fn sessions_gitignore(&self, existing: Option<&[u8]>) -> Result<Option<Vec<u8>>, Error> {
        gitignore::sessions_gitignore(existing)
    }

    fn read_journal(&self, journal: &[u8]) -> Result<Unfinished, Error> {
        Unfinished::read(journal)
    }

    fn read_register(&self, register: &[u8]) -> Result<Vec<Blob>, Error> {
        Ok(Register::read(register)?.blobs().collect())
    }

    fn judge(&self, checkout: &Checkout) -> Result<Readiness, Error> {
        readiness::readiness(checkout)
    }
}

impl Ledgers for Component {
    fn preserved_session_id(&self, manifest: Option<&[u8]>) -> Result<Option<String>, Error> {
        self.call(|store, world| world.hydrant_lfs_ledgers().call_preserved_session_id(store, manifest))
            .map_err(words::error)
    }

    fn repair_title(&self, manifest: &[u8], summary: Option<&[u8]>) -> Result<TitleRepair, Error> {
        let repair = self.call(|store, world| world.hydrant_lfs_ledgers().call_repair_title(store, manifest, summary));
        repair.map(title_repair).map_err(words::error)
    }

    fn set_title(&self, manifest: &[u8], title: &str) -> Result<Vec<u8>, Error> {
        self.call(|store, world| world.hydrant_lfs_ledgers().call_set_title(store, manifest, title))
            .map_err(words::error)
    }

    fn draft(&self, existing: Option<&[u8]>, transcript_is_there: bool, new: &Placeholder) -> Result<Vec<u8>, Error> {
        let new = placeholder(new);
        let call = |store: &mut _, world: &super::words::World| {
            world.hydrant_lfs_ledgers().call_draft(store, existing, transcript_is_there, &new)
        };
        self.call(call).map_err(words::error)
    }

    fn finalized(&self, manifest: &[u8]) -> Result<Vec<u8>, Error> {
        self.call(|store, world| world.hydrant_lfs_ledgers().call_finalized(store, manifest)).map_err(words::error)
    }

    fn restore(
        &self,
        name: &str,
        content: Blob,
        committed: Option<&[u8]>,
        manifest: Option<&[u8]>,
    ) -> Result<Restored, Error> {
        let content = words::blob_in(content);
        let restored = self
            .call(|store, world| world.hydrant_lfs_ledgers().call_restore(store, name, &content, committed, manifest));
        restored.map(self::restored).map_err(words::error)
    }

    fn sessions_gitignore(&self, existing: Option<&[u8]>) -> Result<Option<Vec<u8>>, Error> {
        self.call(|store, world| world.hydrant_lfs_ledgers().call_sessions_gitignore(store, existing))
            .map_err(words::error)
    }

    fn read_journal(&self, journal: &[u8]) -> Result<Unfinished, Error> {
        let told = self.call(|store, world| world.hydrant_lfs_ledgers().call_read_journal(store, journal));
        told.map(unfinished).map_err(words::error)
    }

    fn read_register(&self, register: &[u8]) -> Result<Vec<Blob>, Error> {
        let told = self.call(|store, world| world.hydrant_lfs_ledgers().call_read_register(store, register));
        told.map(|blobs| blobs.into_iter().map(words::blob).collect()).map_err(words::error)
    }

    fn judge(&self, it: &Checkout) -> Result<Readiness, Error> {
        let it = checkout(it);
        self.call(|store, world| world.hydrant_lfs_ledgers().call_judge(store, &it))
            .map(readiness)
            .map_err(words::error)
    }
}

fn title_repair(it: ledgers::TitleRepair) -> TitleRepair {
    match it {
        ledgers::TitleRepair::Skipped(why) => TitleRepair::Skipped(match why {
            ledgers::TitleSkip::Draft => Skip::Draft,
            ledgers::TitleSkip::Pending => Skip::Pending,
            ledgers::TitleSkip::Titled => Skip::Titled,
            ledgers::TitleSkip::Terminal => Skip::Terminal,
        }),
        ledgers::TitleRepair::Recovered(text) => TitleRepair::Recovered(text),
        ledgers::TitleRepair::Attempt(it) => TitleRepair::Attempt { text: it.text, attempts: it.attempts },
        ledgers::TitleRepair::Terminal(text) => TitleRepair::Terminal(text),
    }
}

fn placeholder(it: &Placeholder) -> ledgers::Placeholder {
    let it = it.clone();
    ledgers::Placeholder {
        session_name: it.session_name,
        session_id: it.session_id,
        continued_from_session_id: it.continued_from_session_id,
        created_at: it.created_at,
        updated_at: it.updated_at,
        username: it.username,
        user_id: it.user_id,
        repo_id: it.repo_id,
        agent_id: it.agent_id,
        agent_type: it.agent_type,
        model: it.model,
        turn_count: it.turn_count,
        entry_count: it.entry_count,
    }
}

fn restored(it: ledgers::Restored) -> Restored {
    let witness = match it.witness {
        ledgers::Witness::Committed => Witness::Committed,
        ledgers::Witness::Manifest => Witness::Manifest,
    };
    Restored { pointer: it.pointer, witness }
}

fn unfinished(it: ledgers::Unfinished) -> Unfinished {
    match it {
        ledgers::Unfinished::Intended(blobs) => Unfinished::Intended(blobs.into_iter().map(words::blob).collect()),
        ledgers::Unfinished::Bound(it) => {
            let push = it.push.into_iter().map(words::push_file).collect();
            let superseded = it.superseded.into_iter().map(words::blob).collect();
            Unfinished::Bound { push, in_place: it.in_place, superseded }
        }
    }
}

fn tally_in(it: &Tally) -> manifests::Tally {
    manifests::Tally {
        files: it.files,
        there: it.there,
        required: it.required,
        completed: it.completed,
        changed: it.changed,
        broken: it.broken,
        unreadable: it.unreadable,
    }
}

/// The classes in the order in which both sides declare them.
const CLASSES: [ledgers::ErrorClass; ErrorClass::ALL.len()] = [
    ledgers::ErrorClass::InvalidArguments,
    ledgers::ErrorClass::Denied,
    ledgers::ErrorClass::Unavailable,
    ledgers::ErrorClass::MissingLedger,
    ledgers::ErrorClass::Interrupted,
    ledgers::ErrorClass::Dirty,
    ledgers::ErrorClass::MissingHydration,
    ledgers::ErrorClass::IncompleteHistory,
    ledgers::ErrorClass::IncompleteCoverage,
    ledgers::ErrorClass::IdentityMismatch,
    ledgers::ErrorClass::GitFailed,
];

fn class_in(class: ErrorClass) -> ledgers::ErrorClass {
    let at = ErrorClass::ALL.iter().position(|other| *other == class).expect("ALL lists every class");
    CLASSES[at]
}

fn class(class: ledgers::ErrorClass) -> ErrorClass {
    let at = CLASSES.iter().position(|other| *other == class).expect("the table lists every class");
    ErrorClass::ALL[at]
}

fn checkout(it: &Checkout) -> ledgers::Checkout {
    ledgers::Checkout {
        head: it.head.clone(),
        shallow: it.shallow,
        dirty: it.dirty,
        failed: it.failed.map(class_in),
        paths: it.paths.clone(),
        sessions: it.sessions.iter().map(tally_in).collect(),
    }
}

fn readiness(it: ledgers::Readiness) -> Readiness {
    let state = match it.hydration.state {
        ledgers::HydrationState::Complete => HydrationState::Complete,
        ledgers::HydrationState::Missing => HydrationState::Missing,
        ledgers::HydrationState::Unknown => HydrationState::Unknown,
    };
    Readiness {
        schema_version: it.schema_version,
        head: it.head,
        ready: it.ready,
        coverage: Coverage {
            complete: it.coverage.complete,
            paths: it.coverage.paths,
            files: it.coverage.files,
            empty: it.coverage.empty,
        },
        hydration: Hydrated { state, required: it.hydration.required, completed: it.hydration.completed },
        error_class: it.error_class.map(class),
    }
}
