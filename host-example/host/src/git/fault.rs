//! Why git gave no answer, and how long it may take to give one.

use crate::contract::error::Fault;
use crate::contract::types::Code;
use crate::process::ChildFault;

/// Bytes of output of one git command.
pub const GIT_STDOUT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Seconds one local git command may take.
pub const GIT_LOCAL_SECONDS_MAX: u64 = 60;
/// Seconds one git command that talks to a remote may take.
pub const GIT_REMOTE_SECONDS_MAX: u64 = 600;

/// Why git gave no answer.
#[derive(Debug)]
pub enum GitFault {
    /// No git on `PATH` outside the work tree.
    NotFound,
    /// It could not be run within its bounds.
    Child(ChildFault),
    /// It ended with an error; its words without control characters.
    Refused(String),
    /// It does not know what it was told to do.
    Usage,
    /// It said something else than git is known to say.
    Unreadable,
    /// It does not have an object that it named.
    Gone,
}

impl std::fmt::Display for GitFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotFound => f.write_str("git was not found on PATH: install it, or add its folder to PATH"),
            Self::Child(fault) => write!(f, "git gave no answer: {fault}"),
            Self::Refused(words) if words.is_empty() => f.write_str("git refused without a word"),
            Self::Refused(words) => write!(f, "git refused: {words}"),
            Self::Usage => f.write_str("git is too old for this"),
            Self::Unreadable => f.write_str("git's answer cannot be read"),
            Self::Gone => f.write_str("git does not have a blob that it named a moment ago"),
        }
    }
}

impl std::error::Error for GitFault {}

impl From<GitFault> for Fault {
    fn from(fault: GitFault) -> Self {
        Self::failed(Code::Host, fault.to_string())
    }
}

impl From<ChildFault> for GitFault {
    fn from(fault: ChildFault) -> Self {
        Self::Child(fault)
    }
}
