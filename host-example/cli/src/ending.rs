//! How a command ends: the exit codes, and the one error type that carries a whole command to its end.

use hydrant_host::error::HostError;
use hydrant_host::git::GitFault;
use hydrant_host::wit::types::Code;

/// The exit codes, which scripts rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    /// Everything that was asked for is done.
    Done = 0,
    /// Some objects failed; the report names them.
    SomeFailed = 1,
    /// The command line or the place it was called from makes no sense.
    Misuse = 2,
    /// The operation as a whole failed.
    Failed = 3,
    /// Ended by the user; the next run goes on.
    Interrupted = 130,
}

/// Why a command could not go on. One sentence for people, a code for programs.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) ending: Ending,
    pub(crate) code: Code,
    pub(crate) detail: String,
    /// Wall-clock milliseconds before which another try is useless.
    pub(crate) retry_at: Option<u64>,
}

impl Fault {
    /// The caller asked for something that makes no sense.
    pub(crate) fn misuse(detail: impl Into<String>) -> Self {
        Self { ending: Ending::Misuse, code: Code::Host, detail: detail.into(), retry_at: None }
    }

    /// The operation failed as a whole, for this reason.
    pub(crate) fn failed(code: Code, detail: impl Into<String>) -> Self {
        Self { ending: Ending::Failed, code, detail: detail.into(), retry_at: None }
    }

    /// The user asked to stop.
    pub(crate) fn interrupted(detail: impl Into<String>) -> Self {
        Self { ending: Ending::Interrupted, ..Self::failed(Code::Unfinished, detail) }
    }

    /// This machine could not do something.
    pub(crate) fn local(doing: &str, error: &std::io::Error) -> Self {
        Self::failed(Code::Host, HostError::io(doing, error).to_string())
    }
}

impl From<HostError> for Fault {
    fn from(error: HostError) -> Self {
        let retry_at = match &error {
            HostError::Engine(error) => error.retry_at,
            _ => None,
        };
        Self { retry_at, ..Self::failed(error.code(), error.to_string()) }
    }
}

impl From<GitFault> for Fault {
    fn from(fault: GitFault) -> Self {
        Self::failed(Code::Host, fault.to_string())
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::local("this machine could not do it", &error)
    }
}

/// A code as every report and the documentation spell it.
pub(crate) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Host => "host",
        Code::Auth => "auth",
        Code::Missing => "missing",
        Code::NotFound => "not-found",
        Code::Removed => "removed",
        Code::Rejected => "rejected",
        Code::Busy => "busy",
        Code::Malformed => "malformed",
        Code::Integrity => "integrity",
        Code::Conflict => "conflict",
        Code::Blocked => "blocked",
        Code::Limit => "limit",
        Code::Unfinished => "unfinished",
    }
}
