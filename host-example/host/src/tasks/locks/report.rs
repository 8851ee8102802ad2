//! What is said about locks, as types.

use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::operations::{LfsLock, LockReport};
use crate::contract::report::{ErrorCode, ErrorReport};
use crate::contract::types::Code;

/// What a server said about locks.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LocksReport {
    /// The server has locks.
    pub supported: bool,
    /// Of a list: the locks on the server. Of every other task: one's own that it is about.
    pub lock_list: Vec<Lock>,
    /// Locks that the server called somebody else's.
    pub theirs: Vec<Lock>,
    /// Locks in the way, whosever they are; empty where nothing was in the way.
    pub held: Vec<Lock>,
    /// Why it could not be done; none where it was. It is the document's.
    #[serde(skip)]
    pub error: Option<ErrorReport>,
}

/// A lock on a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Lock {
    /// What the server calls it.
    pub id: String,
    /// The path that it is on.
    pub path: String,
    /// Who has it; null where the server does not say.
    pub owner: Option<String>,
    /// Since when, as the server wrote it; it may be empty.
    pub locked_at: String,
}

/// Whose the locks in the way are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// One's own.
    Me,
    /// Somebody else's.
    Others,
    /// The server did not say.
    Unknown,
}

impl From<LfsLock> for Lock {
    fn from(lock: LfsLock) -> Self {
        let LfsLock { id, path, locked_at, owner } = lock;
        Self { id, path, owner, locked_at }
    }
}

impl From<LockReport> for LocksReport {
    fn from(report: LockReport) -> Self {
        let locks = |locks: Vec<LfsLock>| locks.into_iter().map(Lock::from).collect();
        Self {
            supported: report.supported,
            lock_list: locks(report.locks),
            theirs: locks(report.theirs),
            held: Vec::new(),
            error: report.ended.err().as_ref().map(ErrorReport::from),
        }
    }
}

impl LocksReport {
    /// The server has locks, and this was in the way.
    pub(super) fn failed(code: Code, detail: String) -> Self {
        let error = ErrorReport { code: ErrorCode(code), detail, retry_at_ms: None };
        Self { supported: true, lock_list: Vec::new(), theirs: Vec::new(), held: Vec::new(), error: Some(error) }
    }

    /// The same of a question: a server without locks has none to tell, and that is no failure.
    pub(super) fn of_question(self) -> Self {
        let error = self.error.filter(|_| self.supported);
        Self { error, ..self }
    }

    /// The same, with the locks that are in the way.
    pub(super) fn with_held(self, held: Vec<Lock>) -> Self {
        Self { held, ..self }
    }

    /// Whether it was done.
    pub fn is_done(&self) -> bool {
        self.error.is_none()
    }

    /// Whether a lock is in the way, and nothing else is wrong.
    pub fn is_in_the_way(&self) -> bool {
        self.error.as_ref().is_some_and(|error| error.code.0 == Code::Conflict)
    }

    /// Whose the locks in the way are, as far as the server said so.
    pub fn holder(&self) -> Holder {
        let are_in = |known: &[Lock]| self.held.iter().all(|held| known.iter().any(|lock| lock.id == held.id));
        if are_in(&self.lock_list) {
            Holder::Me
        } else if are_in(&self.theirs) {
            Holder::Others
        } else {
            Holder::Unknown
        }
    }
}
