//! What a container is looked through as: parts with names, or the reason why it cannot be opened.

use std::fmt;
use std::io;

use crate::text::{harmless, io_words, plain};

/// Between a container and what is in it.
const BETWEEN: char = '!';

/// A part of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    /// Its name within the file, harmless on a terminal: `dir/file`, nested `inner.zip!file`, of a database
    /// `table.column`. None: the file is no container, and this is all of it.
    pub(crate) member: Option<&'a str>,
    /// Raw bytes of a database: they hold once more what its tables hold, and what was deleted from them.
    pub(crate) is_leftover: bool,
}

/// The one who takes parts goes on no further, for the reason that this sentence tells.
#[derive(Debug)]
pub(crate) struct Stopped(pub(crate) String);

/// What the file is, all of whose parts were taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// No container.
    Plain,
    /// An archive or a compressed file: `a zip archive`.
    Packed(&'static str),
    /// A SQLite database.
    Database,
}

/// Something in a file could not be looked through: then nothing can be said of the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CannotOpen {
    /// What it is, as [`Part::member`] has it; none: the file itself.
    pub(crate) member: Option<String>,
    /// A sentence without a name.
    pub(crate) why: String,
}

impl fmt::Display for CannotOpen {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.member {
            Some(member) => write!(to, "{member}: {}", self.why),
            None => to.write_str(&self.why),
        }
    }
}

/// Where something stands in a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Name(Option<String>);

impl Name {
    /// Something in it.
    pub(super) fn member(&self, name: &[u8]) -> Name {
        let name = String::from_utf8_lossy(name);
        let name = harmless(&name);
        Name(Some(match &self.0 {
            Some(outer) => format!("{outer}{BETWEEN}{name}"),
            None => name.into_owned(),
        }))
    }

    pub(super) fn text(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// Why it cannot be opened. The sentence may have words of others.
    pub(super) fn cannot(&self, why: impl AsRef<str>) -> CannotOpen {
        CannotOpen { member: self.0.clone(), why: plain(why.as_ref()) }
    }

    /// The same of what a reader said.
    pub(super) fn unread(&self, error: &io::Error) -> CannotOpen {
        self.cannot(words(error))
    }
}

/// What a reader says, as a sentence.
pub(super) fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => CUT_OFF.to_owned(),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => format!("it is broken ({error})"),
        _ => io_words(error),
    }
}

/// What ends before it should.
pub(super) const CUT_OFF: &str = "it is cut off";
