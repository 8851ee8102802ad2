//! What can go wrong for a whole run: four kinds, so that each reaches the person who can act on it.
//!
//! An object's own outcome is data in a report and never stands here.

use std::fmt;

use crate::contract::types::{Code, Error, Misuse};
use crate::text::io_words;

/// Why a whole operation ended without its report.
#[derive(Debug)]
pub enum HostError {
    /// The sandbox stopped. The sentence says why; the cache and the work tree are as they were.
    Sandbox(String),
    /// The engine refused its input, or ended the operation as a whole.
    Engine(Error),
    /// This program broke the contract of the engine.
    Misuse(Misuse),
    /// This machine: a file, the network, the program itself.
    Local(String),
}

impl HostError {
    /// A local error in one sentence.
    pub fn local(sentence: impl Into<String>) -> Self {
        HostError::Local(sentence.into())
    }

    /// A local error about something that was being done, in the words of the operating system.
    pub fn io(doing: &str, error: &std::io::Error) -> Self {
        HostError::Local(format!("{doing}: {}", io_words(error)))
    }

    /// The code a program can act on.
    pub fn code(&self) -> Code {
        match self {
            HostError::Engine(error) => error.code,
            HostError::Sandbox(_) | HostError::Misuse(_) | HostError::Local(_) => Code::Host,
        }
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostError::Sandbox(why) => write!(f, "the sandbox stopped: {why}; nothing is lost, a new run continues"),
            HostError::Engine(error) => f.write_str(&error.detail),
            HostError::Misuse(misuse) => write!(f, "this program broke the engine's contract ({misuse:?})"),
            HostError::Local(sentence) => f.write_str(sentence),
        }
    }
}

impl std::error::Error for HostError {}

/// How much a fault ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// A part of what was asked for; the rest is as it would have been.
    Part,
    /// What was asked for makes no sense, or not in this place. Nothing was done.
    Misuse,
    /// All of it.
    Whole,
    /// The caller asked to stop; the next run goes on.
    Interrupted,
}

/// Why a task could not go on. One sentence for people, a code for programs.
#[derive(Debug)]
pub struct Fault {
    /// How much of what was asked for it ended.
    pub kind: FaultKind,
    /// For programs.
    pub code: Code,
    /// For people.
    pub detail: String,
    /// Wall-clock milliseconds before which another try is useless.
    pub retry_at: Option<u64>,
}

impl Fault {
    /// The caller asked for something that makes no sense.
    pub fn misuse(detail: impl Into<String>) -> Self {
        Self { kind: FaultKind::Misuse, code: Code::Host, detail: detail.into(), retry_at: None }
    }

    /// The operation failed as a whole, for this reason.
    pub fn failed(code: Code, detail: impl Into<String>) -> Self {
        Self { kind: FaultKind::Whole, code, detail: detail.into(), retry_at: None }
    }

    /// The user asked to stop.
    pub fn interrupted(detail: impl Into<String>) -> Self {
        Self { kind: FaultKind::Interrupted, ..Self::failed(Code::Unfinished, detail) }
    }

    /// This machine could not do something.
    pub fn local(doing: &str, error: &std::io::Error) -> Self {
        Self::failed(Code::Host, HostError::io(doing, error).to_string())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Fault {}

impl From<HostError> for Fault {
    fn from(error: HostError) -> Self {
        let retry_at = match &error {
            HostError::Engine(error) => error.retry_at,
            _ => None,
        };
        Self { retry_at, ..Self::failed(error.code(), error.to_string()) }
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::local("this machine could not do it", &error)
    }
}

/// All codes, in the order of the documentation.
pub const CODES: [Code; 13] = [
    Code::Host,
    Code::Auth,
    Code::Missing,
    Code::NotFound,
    Code::Removed,
    Code::Rejected,
    Code::Busy,
    Code::Malformed,
    Code::Integrity,
    Code::Conflict,
    Code::Blocked,
    Code::Limit,
    Code::Unfinished,
];

/// A code as every report and the documentation spell it.
pub fn code_name(code: Code) -> &'static str {
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
