//! What can go wrong for a whole run: four kinds, so that each reaches the person who can act on it.
//!
//! An object's own outcome is data in a report and never stands here.

use std::fmt;

use crate::wit::types::{Code, Error, Misuse};

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
        HostError::Local(format!("{doing}: {}", plain(error)))
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

/// The operating system's words without its error number.
pub(crate) fn plain(error: &std::io::Error) -> String {
    let mut text = error.to_string();
    if let Some(at) = text.find(" (os error") {
        text.truncate(at);
    }
    text
}
