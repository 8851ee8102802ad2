//! Gives a file of a session, or an asset, hashed before and while it is read, or says in which state it is.
//!
//! The rule it keeps: a reader gets content or a typed state, never pointer bytes as content.

mod asset;
mod once;

use std::fs::File;
use std::io::{self, Read, Seek};
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::error::{Fault, FaultKind};
use crate::contract::manifests::{FileRef, FileStorage, State};
use crate::contract::report::{ErrorCode, ErrorReport};
use crate::contract::types::{Blob, Code};
use crate::files::digest::Digesting;
use crate::repository::Repository;
use crate::sessions::coverage;
use crate::sessions::ledger::{Ledger, Target, path_in};
use crate::store::{Look, Store};
use crate::tasks::client::Client;
use crate::tasks::endpoint::ServerOptions;
use crate::tasks::status::{self, state_name};
use crate::text::quote;

const READ_BYTES: usize = 256 * 1024;
/// What a changed file is called when it changes while it is printed.
const CHANGED: &str = "the content changed while it was read; what was printed is not verified";

/// Which file is shown.
#[derive(Clone, Debug, Default)]
pub struct ShowOptions {
    /// Name of a session, or its folder; without `file`, the path of a file.
    pub target: String,
    /// Name of the file within the session.
    pub file: Option<String>,
    /// Bytes of an object at most; none: what git's configuration says.
    pub object_bytes_max: Option<u64>,
    /// The server, which is asked only where this clone cannot be written, so that nothing could be hydrated before.
    pub server: ServerOptions,
}

/// A file that was asked for.
pub enum Shown {
    /// Its content is here.
    Content(Content),
    /// It is not, or cannot be trusted.
    Unreadable(UnreadableFile),
}

/// Why a file cannot be shown.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct UnreadableFile {
    /// The session's name; null of a file that belongs to none.
    pub session: Option<String>,
    /// The file's name within it, or its path.
    pub file: String,
    /// Where it stands, as in a status.
    pub state: &'static str,
    /// Why.
    #[serde(skip)]
    pub error: ErrorReport,
}

/// A file's text, as a document holds it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ShowReport {
    /// The session's name; null of a file that belongs to none.
    pub session: Option<String>,
    /// The file's name within it, or its path.
    pub file: String,
    /// SHA-256 that the manifest or the pointer names; null for a file that git carries.
    pub oid: Option<String>,
    /// Bytes of the whole file.
    pub size: u64,
    /// Its bytes have the digest that is named.
    pub verified: bool,
    /// It was fetched for this once: the clone cannot be written, so it could not be kept.
    pub fetched: bool,
    /// Number of the first line of `text`, counted from 1.
    pub first_line: u64,
    /// The text, or the lines of it that were asked for.
    pub text: String,
}

/// The content of a file that is here. Where a digest is named, it was compared before this was given.
pub struct Content {
    file: File,
    /// The session's name; none of a file that belongs to none.
    pub session: Option<String>,
    /// The file's name within it, or its path.
    pub name: String,
    /// SHA-256 that the manifest or the pointer names; none for a file that git carries.
    pub oid: Option<String>,
    /// It was fetched for this once: the clone cannot be written, so it could not be kept.
    pub fetched: bool,
}

/// What was read of a content.
pub struct ReadContent {
    /// The whole of it.
    pub whole: Blob,
    /// Whether any of it was among the lines that were asked for.
    pub has_given: bool,
}

impl Client {
    /// A file of a session, or an asset.
    pub fn show(&self, repository: &Repository, options: &ShowOptions) -> Result<Shown, Fault> {
        let ledger = Ledger::of(repository)?;
        let shown = quote(options.target.as_bytes());
        match (ledger.target(&options.target, &repository.here), options.file.clone()) {
            (Target::Session { name, file: None }, Some(file)) | (Target::Session { name, file: Some(file) }, None) => {
                self.show_of_session(repository, &ledger, name, &file, options)
            }
            (Target::Session { file: None, .. }, None) => {
                Err(Fault::misuse(format!("{shown} is a session: name one of its files, too")))
            }
            (Target::Session { .. } | Target::Other, Some(_)) => Err(coverage::no_session(repository, &options.target)),
            (Target::Other, None) => asset::show(self, repository, &ledger, options),
        }
    }

    fn show_of_session(
        &self,
        repository: &Repository,
        ledger: &Ledger,
        session: String,
        name: &str,
        options: &ShowOptions,
    ) -> Result<Shown, Fault> {
        let store = repository.cache_to_read()?;
        let mut guest = self.guest()?;
        let limit = status::limit(&mut guest, repository, options.object_bytes_max)?;
        let found = ledger.session(&mut guest, &store, &session, limit)?;
        let file = found.manifest.files.iter().find(|file| file.name == name);
        let state = found.status.files.iter().find(|file| file.name == name);
        let (Some(file), Some(state)) = (file, state) else {
            return Err(Fault::misuse(format!(
                "the manifest lists no file {}: `hydrant status {}` says which it lists",
                quote(name.as_bytes()),
                quote(session.as_bytes())
            )));
        };
        let (name, oid) = (file.name.clone(), file.oid.clone());
        Ok(match open(ledger, &store, &session, file, state.state)? {
            Ok(file) => Shown::Content(Content { file, session: Some(session), name, oid, fetched: false }),
            Err(now) if oid.is_some() && once::is_needed(repository, now) => {
                let blob = Blob { oid: oid.unwrap_or_default(), size: file.size };
                once::show(self, repository, Some(session), name, blob, now, options)?
            }
            Err(now) => {
                let detail = state.detail.clone().filter(|_| now == state.state);
                unreadable(Some(session), name, now, detail)
            }
        })
    }
}

fn unreadable(session: Option<String>, file: String, state: State, detail: Option<String>) -> Shown {
    let detail = detail.unwrap_or_else(|| sentence(state).to_owned());
    let error = ErrorReport { code: ErrorCode(state_code(state)), detail, retry_at_ms: None };
    Shown::Unreadable(UnreadableFile { session, file, state: state_name(state), error })
}

impl Content {
    /// Hands over the content, block by block, or the part of it that these lines are. The whole is hashed meanwhile:
    /// an error at the end says that it is no longer what was verified.
    pub fn read(mut self, lines: Option<Lines>, mut take: impl FnMut(&[u8])) -> Result<ReadContent, Fault> {
        let mut cut = Cut::new(lines);
        let mut digest = Digesting::new();
        let mut has_given = false;
        let read = each_block(&mut self.file, |block| {
            digest.update(block);
            let part = cut.of(block);
            has_given |= !part.is_empty();
            take(part);
        });
        read.map_err(|error| Fault::local("the content cannot be read", &error))?;
        let whole = digest.finish();
        if self.oid.as_ref().is_some_and(|oid| whole.oid != *oid) {
            return Err(Fault { kind: FaultKind::Part, ..Fault::failed(Code::Integrity, CHANGED) });
        }
        Ok(ReadContent { whole, has_given })
    }
}

/// The verified content of a file, or the state in which a reader finds it.
pub(crate) fn open(
    ledger: &Ledger,
    store: &Store,
    session: &str,
    file: &FileRef,
    state: State,
) -> Result<Result<File, State>, Fault> {
    match state {
        State::Cached => match &file.oid {
            Some(oid) => from_cache(store, oid, file.size),
            None => Ok(Err(State::Missing)),
        },
        State::InPlace => from_tree(ledger, &path_in(session, &file.name), file.oid.as_deref()),
        // A checkout may have given it other line ends.
        State::Changed if file.storage == FileStorage::Git => {
            from_tree(ledger, &path_in(session, &file.name), file.oid.as_deref())
        }
        other => Ok(Err(other)),
    }
}

fn from_cache(store: &Store, oid: &str, size: u64) -> Result<Result<File, State>, Fault> {
    Ok(match store.open_verified(oid, size)? {
        Look::Content(content) => Ok(content),
        Look::Corrupt => Err(State::Corrupt),
        Look::Absent => Err(State::NotFetched),
    })
}

/// Content that stands in the work tree; where an oid is named it must be that.
fn from_tree(ledger: &Ledger, path: &str, oid: Option<&str>) -> Result<Result<File, State>, Fault> {
    let unreadable = |error: &io::Error| Fault::local("the file cannot be read", error);
    let opened = ledger.files().open(path).map_err(|error| unreadable(&error))?;
    let Some(mut opened) = opened else { return Ok(Err(State::Missing)) };
    if let Some(oid) = oid {
        let mut digest = Digesting::new();
        each_block(&mut opened.file, |block| digest.update(block)).map_err(|error| unreadable(&error))?;
        if digest.finish().oid != oid {
            return Ok(Err(State::Changed));
        }
        opened.file.rewind().map_err(|error| unreadable(&error))?;
    }
    Ok(Ok(opened.file))
}

/// A range of lines, counted from 1, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lines {
    /// The first line.
    pub first: u64,
    /// The last line.
    pub last: u64,
}

impl FromStr for Lines {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str, absent: u64| match part {
            "" => Ok(absent),
            part => part.parse().map_err(|_| format!("{part:?} is not a line number")),
        };
        let (first, last) = match text.split_once('-') {
            None => (number(text, 0)?, number(text, 0)?),
            Some(("", "")) => return Err("give at least one end".to_owned()),
            Some((first, last)) => (number(first, 1)?, number(last, u64::MAX)?),
        };
        if first == 0 || first > last {
            return Err("lines are counted from 1 and go upwards".to_owned());
        }
        Ok(Self { first, last })
    }
}
/// Cuts a range of lines out of blocks that follow each other.
struct Cut {
    lines: Option<Lines>,
    /// Number of the line that the next byte belongs to.
    line: u64,
}

impl Cut {
    fn new(lines: Option<Lines>) -> Self {
        Self { lines, line: 1 }
    }

    fn of<'a>(&mut self, block: &'a [u8]) -> &'a [u8] {
        let Some(lines) = self.lines else { return block };
        let (mut start, mut end) = (None, block.len());
        let mut at = 0;
        while at < block.len() {
            if self.line > lines.last {
                end = at;
                break;
            }
            if self.line >= lines.first && start.is_none() {
                start = Some(at);
            }
            match memchr::memchr(b'\n', &block[at..]) {
                Some(length) => {
                    at += length + 1;
                    self.line += 1;
                }
                None => at = block.len(),
            }
        }
        start.map_or(&[], |start| &block[start..end])
    }
}

fn each_block(file: &mut File, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => take(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The error code that a reader gets for a state without content.
pub(crate) fn state_code(state: State) -> Code {
    match state {
        State::Cached | State::InPlace => Code::Host,
        State::Changed | State::Conflict => Code::Conflict,
        State::Dehydrated | State::NotFetched => Code::Unfinished,
        State::Missing => Code::NotFound,
        State::Corrupt => Code::Integrity,
        State::TooLarge => Code::Limit,
        State::Malformed | State::Unusable => Code::Malformed,
    }
}

fn sentence(state: State) -> &'static str {
    match state {
        State::Cached | State::InPlace => "it is here",
        State::Changed => "the file in the work tree is not what the manifest names",
        State::Dehydrated => "only the pointer is here; `hydrant hydrate` fetches the content",
        State::NotFetched => "the content is not here; `hydrant hydrate` fetches it",
        State::Missing => "it is not in the work tree, and the manifest names no blob to fetch",
        State::Corrupt => "what the cache holds is not what the manifest names; `hydrant cache verify --yes` drops it",
        State::TooLarge => "it is over the size limit; --object-bytes-max raises it",
        State::Conflict => "its pointer names another blob than the manifest",
        State::Malformed => "what stands in the work tree is a broken pointer",
        State::Unusable => "the manifest's entry cannot be used",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_across_blocks() {
        let text = b"one\ntwo\nthree\nfour";
        for (first, last, expected) in [
            (1, 1, "one\n"),
            (2, 3, "two\nthree\n"),
            (4, u64::MAX, "four"),
            (3, 9, "three\nfour"),
            (7, 9, ""),
            (1, u64::MAX, "one\ntwo\nthree\nfour"),
        ] {
            for size in 1..=text.len() {
                let mut cut = Cut::new(Some(Lines { first, last }));
                let got: Vec<u8> = text.chunks(size).flat_map(|block| cut.of(block).to_vec()).collect();
                assert_eq!(String::from_utf8_lossy(&got), expected, "{first}-{last} in blocks of {size}");
            }
        }
    }

    #[test]
    fn line_ranges() {
        for (text, first, last) in [("7", 7, 7), ("7-", 7, u64::MAX), ("-7", 1, 7), ("3-7", 3, 7)] {
            assert_eq!(text.parse(), Ok(Lines { first, last }), "{text}");
        }
        for text in ["", "-", "0", "0-3", "7-3", "x", "1-x", "1-2-3"] {
            assert!(text.parse::<Lines>().is_err(), "{text}");
        }
    }
}
