//! `hydrant show`: prints a session's file, hashed before and while it is printed, or says in which state it is.
//!
//! The rule it keeps: a reader gets content or a typed state, never pointer bytes as content.

use std::env;
use std::fs::File;
use std::io::{self, Read, Seek};

use hydrant_host::digest::Digesting;
use hydrant_host::engine::Engine;
use hydrant_host::store::{Look, Store};
use hydrant_host::wit::manifests::{FileRef, FileStorage, State};
use hydrant_host::wit::types::Code;
use serde_json::json;

use crate::cli::{Lines, ShowArgs, StatusArgs};
use crate::commands::status::{self, state_code, state_name};
use crate::ending::{Ending, Fault};
use crate::ledger::{Ledger, Target, path_in};
use crate::report::{Output, error_json, quote};
use crate::repository::Repository;

const READ_BYTES: usize = 256 * 1024;
/// Bytes of content that one JSON document carries.
const JSON_TEXT_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// What a changed file is called when it changes while it is printed.
const CHANGED: &str = "the content changed while it was read; what was printed is not verified";

pub(crate) fn run(arguments: &ShowArgs, output: &mut Output) -> Result<Ending, Fault> {
    let repository = Repository::around(&env::current_dir()?)?;
    in_repository(&repository, arguments, output)
}

/// Shows a file of a repository's session, as `run` does.
pub(crate) fn in_repository(
    repository: &Repository,
    arguments: &ShowArgs,
    output: &mut Output,
) -> Result<Ending, Fault> {
    let ledger = Ledger::of(repository)?;
    let name = match ledger.target(&arguments.session, &env::current_dir()?) {
        Target::Session { name, file: None } => name,
        _ => return Err(Fault::misuse(format!("there is no session {}", quote(arguments.session.as_bytes())))),
    };
    let store = Store::cache(&repository.store_dir())?;
    let mut guest = Engine::load()?.guest()?;
    let limits = StatusArgs { session: None, limits: arguments.limits.clone() };
    let limit = status::limit(&mut guest, repository, &limits)?;
    let session = ledger.session(&mut guest, &store, &name, limit)?;
    let file = session.manifest.files.iter().find(|file| file.name == arguments.file);
    let state = session.status.files.iter().find(|file| file.name == arguments.file);
    let (Some(file), Some(state)) = (file, state) else {
        return Err(Fault::misuse(format!("the manifest lists no file {}", quote(arguments.file.as_bytes()))));
    };
    match open(&ledger, &store, &name, file, state.state)? {
        Ok(content) => print(content, file, arguments.lines, output),
        Err(state_now) => {
            let detail = match state.detail.as_ref().filter(|_| state_now == state.state) {
                Some(detail) => detail.clone(),
                None => sentence(state_now).to_owned(),
            };
            output.json(&json!({
                "ok": false, "session": name, "file": file.name, "state": state_name(state_now),
                "error": error_json(state_code(state_now), &detail, None),
            }));
            output.warn(format!("{}: {}: {detail}", quote(file.name.as_bytes()), state_name(state_now)));
            Ok(Ending::SomeFailed)
        }
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
        State::Cached => from_cache(store, file),
        State::InPlace => from_tree(ledger, session, file),
        // A checkout may have given it other line ends.
        State::Changed if file.storage == FileStorage::Git => from_tree(ledger, session, file),
        other => Ok(Err(other)),
    }
}

fn from_cache(store: &Store, file: &FileRef) -> Result<Result<File, State>, Fault> {
    let Some(oid) = &file.oid else { return Ok(Err(State::Missing)) };
    Ok(match store.open_verified(oid, file.size)? {
        Look::Content(content) => Ok(content),
        Look::Corrupt => Err(State::Corrupt),
        Look::Absent => Err(State::NotFetched),
    })
}

/// Content that stands in the work tree; where the manifest names an oid it must be that.
fn from_tree(ledger: &Ledger, session: &str, file: &FileRef) -> Result<Result<File, State>, Fault> {
    let unreadable = |error: &io::Error| Fault::local("the file cannot be read", error);
    let opened = ledger.files().open(&path_in(session, &file.name)).map_err(|error| unreadable(&error))?;
    let Some(mut opened) = opened else { return Ok(Err(State::Missing)) };
    if let Some(oid) = &file.oid {
        let mut digest = Digesting::new();
        each_block(&mut opened.file, |block| digest.update(block)).map_err(|error| unreadable(&error))?;
        if digest.finish().oid != *oid {
            return Ok(Err(State::Changed));
        }
        opened.file.rewind().map_err(|error| unreadable(&error))?;
    }
    Ok(Ok(opened.file))
}

fn print(mut content: File, file: &FileRef, lines: Option<Lines>, output: &mut Output) -> Result<Ending, Fault> {
    let mut cut = Cut::new(lines);
    let mut digest = Digesting::new();
    let mut text = Vec::new();
    let mut too_long = false;
    let json = output.voice.json;
    let read = each_block(&mut content, |block| {
        digest.update(block);
        let part = cut.of(block);
        if !json {
            output.bytes(part);
        } else if (text.len() + part.len()) as u64 <= JSON_TEXT_BYTES_MAX {
            text.extend_from_slice(part);
        } else {
            too_long = true;
        }
    });
    read.map_err(|error| Fault::local("the content cannot be read", &error))?;
    let printed = digest.finish();
    if file.oid.as_ref().is_some_and(|oid| printed.oid != *oid) {
        return Err(Fault { ending: Ending::SomeFailed, ..Fault::failed(Code::Integrity, CHANGED) });
    }
    if too_long {
        return Err(Fault::failed(Code::Limit, format!("more than {JSON_TEXT_BYTES_MAX} bytes; --lines takes a part")));
    }
    if json {
        let text = String::from_utf8(text)
            .map_err(|_| Fault::failed(Code::Rejected, "the content is not text; it can be shown without --json"))?;
        output.json(&json!({
            "ok": true, "file": file.name, "oid": file.oid, "size": printed.size, "verified": file.oid.is_some(),
            "first_line": lines.map_or(1, |lines| lines.first), "text": text,
        }));
    }
    Ok(Ending::Done)
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
}
