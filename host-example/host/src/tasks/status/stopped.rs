//! A status that could not be told: the sentence for people, and for programs the report that each status begins with.
//!
//! The rule it keeps: what stopped us is never taken for a ledger that is ready or empty.

use crate::contract::error::{Fault, FaultKind, HostError};
use crate::contract::ledgers::{Checkout, ErrorClass};
use crate::repository::{Repository, committed};
use crate::sessions::coverage;
use crate::sessions::ledger::{no_session, no_sessions};
use crate::tasks::client::Client;

use super::{StoppedStatus, folder_of, judge, no_ledger_class};

/// Why a status ended early.
#[derive(Debug)]
pub struct Stopped {
    /// The reason.
    pub fault: Fault,
    class: ErrorClass,
    /// The session it was about, where it is known.
    session: Option<String>,
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Self {
        let class = match fault.kind {
            FaultKind::Misuse => ErrorClass::InvalidArguments,
            FaultKind::Interrupted => ErrorClass::Interrupted,
            FaultKind::Part | FaultKind::Whole => ErrorClass::Unavailable,
        };
        Self { fault, class, session: None }
    }
}

impl From<Fault> for Box<Stopped> {
    fn from(fault: Fault) -> Self {
        Box::new(Stopped::from(fault))
    }
}

impl From<Box<Stopped>> for Fault {
    fn from(stopped: Box<Stopped>) -> Self {
        stopped.fault
    }
}

impl From<HostError> for Box<Stopped> {
    fn from(error: HostError) -> Self {
        Box::new(Stopped::from(Fault::from(error)))
    }
}

impl From<HostError> for Stopped {
    fn from(error: HostError) -> Self {
        Fault::from(error).into()
    }
}

impl Stopped {
    /// There is no repository, or git does not open it.
    pub fn outside(fault: Fault) -> Self {
        let is_none = fault.kind == FaultKind::Misuse;
        let class = if is_none { ErrorClass::MissingLedger } else { ErrorClass::GitFailed };
        Self { fault, class, session: None }
    }

    /// A session is here and cannot be read.
    pub(super) fn broken(fault: Fault, session: &str) -> Self {
        Self { fault, class: ErrorClass::IncompleteCoverage, session: Some(session.to_owned()) }
    }

    pub(super) fn no_ledger(repository: &Repository) -> Result<Self, Fault> {
        let class = no_ledger_class(&committed::commit(repository, "HEAD")?);
        Ok(Self { fault: no_sessions(), class, session: None })
    }

    /// A word stands for no session of the work tree; `path` is where it leads, read as a path. Git may have it still.
    pub(super) fn no_session(repository: &Repository, word: &str, path: Option<String>) -> Result<Self, Fault> {
        let none = no_session(word);
        let Some(session) = coverage::meant(word, path.as_deref()) else { return Ok(none.into()) };
        let folder = [folder_of(session)];
        let session = Some(session.to_owned());
        if let Some(fault) = coverage::session_kept_out(repository, word)? {
            return Ok(Self { fault, class: ErrorClass::IncompleteCoverage, session });
        }
        let is_dirty = coverage::is_dirty(repository, &folder)?;
        let class = if is_dirty { ErrorClass::Dirty } else { ErrorClass::InvalidArguments };
        Ok(Self { fault: none, class, session })
    }

    /// What a program is told, with everything that each status says; none without an engine. `asked` is the session
    /// that the caller named.
    pub fn report(
        &self,
        client: &Client,
        repository: Option<&Repository>,
        asked: Option<&str>,
    ) -> Option<StoppedStatus> {
        let mut guest = client.guest().ok()?;
        let (class, head) = match repository.map(|repository| committed::commit(repository, "HEAD")).transpose() {
            Ok(head) => (self.class, head.flatten()),
            Err(_) => (ErrorClass::GitFailed, None),
        };
        let paths = self.session.iter().map(|session| folder_of(session)).collect();
        let (readiness, hydrated) = judge(&mut guest, &Checkout { paths, ..coverage::failed(class, head) }).ok()?;
        let session = self.session.clone().or_else(|| asked.map(str::to_owned));
        let (blobs, hydration) = if session.is_some() { (Some(hydrated), None) } else { (None, Some(hydrated)) };
        Some(StoppedStatus { session, readiness, hydration, blobs })
    }
}
