//! The closed list of codes, and the error that carries one.
//!
//! Four kinds of failure have four forms: the host's mistakes are [`Misuse`](crate::contract::Misuse), our own are
//! assertions, one object's failure is an [`Error`] in the report, the whole operation's is the `Err` of `finish`.

use crate::text::limits::{DETAIL_BYTES_MAX, QUOTE_BYTES_MAX};
use alloc::borrow::ToOwned as _;
use alloc::string::String;
use core::fmt;

/// Each code says who must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// This machine or this host: disk, network, program.
    Host,
    /// The user must log in, or has no access.
    Auth,
    /// The batch response says of this very object that it does not exist.
    Missing,
    /// Not found, without the certainty of `Missing`.
    NotFound,
    /// The server says that it was removed.
    Removed,
    /// Refused. Trying again does not help.
    Rejected,
    /// Try later: rate limits and failing servers, after our own retries.
    Busy,
    /// A malformed pointer, manifest, response, address or header.
    Malformed,
    /// The bytes do not have the oid that they should have.
    Integrity,
    /// Somebody else changed it.
    Conflict,
    /// The platform or its policy forbids it.
    Blocked,
    /// Something exceeds one of our limits.
    Limit,
    /// Stopped before it was done.
    Unfinished,
}

impl Code {
    /// The whole list, in the order of the WIT enum.
    pub const ALL: [Code; 13] = [
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

    /// Its name in WIT and JSON.
    pub const fn name(self) -> &'static str {
        match self {
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
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What went wrong: a code for programs, a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// For programs.
    pub code: Code,
    /// For people: one sentence, no secret, no absolute path, at most [`DETAIL_BYTES_MAX`] bytes.
    pub detail: String,
    /// Wall-clock milliseconds before which trying again is useless.
    pub retry_at: Option<u64>,
}

impl Error {
    /// An error; the sentence is stripped of control characters and bounded.
    pub fn new(code: Code, detail: impl fmt::Display) -> Self {
        Self { code, detail: plain(format_args!("{detail}"), DETAIL_BYTES_MAX), retry_at: None }
    }

    /// The same error with another sentence put before its own.
    #[must_use]
    pub fn context(self, what: &str) -> Self {
        let detail = plain(format_args!("{what}: {}", self.detail), DETAIL_BYTES_MAX);
        Self { detail, ..self }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl core::error::Error for Error {}

/// A server's message, bounded and without control characters, for use inside a sentence.
pub fn quote(words: &str) -> String {
    plain(format_args!("{words}"), QUOTE_BYTES_MAX).trim().to_owned()
}

/// Text on one line, cut at a character boundary at or below `bytes_max`. Not generic, so that this code is linked
/// once.
fn plain(text: fmt::Arguments<'_>, bytes_max: usize) -> String {
    let mut line = Line { text: String::new(), bytes_max };
    // An error only says that the line is full.
    let _full = fmt::write(&mut line, text);
    line.text
}

/// Takes characters until it is full.
struct Line {
    text: String,
    bytes_max: usize,
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            let c = if hidden(c) { ' ' } else { c };
            if self.text.len() + c.len_utf8() > self.bytes_max {
                return Err(fmt::Error);
            }
            self.text.push(c);
        }
        Ok(())
    }
}

/// Characters that change how a terminal or an editor shows the text around them.
fn hidden(c: char) -> bool {
    let reorders = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || reorders || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_one_bounded_line() {
        let error = Error::new(Code::Busy, "a\u{1b}[31m\r\nb".to_owned() + &"é".repeat(600));
        assert!(error.detail.starts_with("a [31m  bé"));
        assert!(error.detail.len() <= DETAIL_BYTES_MAX);
        assert_eq!(quote(" \u{202e}gnp.exe "), "gnp.exe".to_owned());
    }

    #[test]
    fn names_are_distinct() {
        let names: alloc::collections::BTreeSet<_> = Code::ALL.iter().map(|c| c.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
    }
}
