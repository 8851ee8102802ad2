//! `hydrant verify`: whether everything that is named is really there: manifests, pointers, the last commit, the cache,
//! the server.
//!
//! The rule it keeps: only looks. A server's word is not proof: `--deep` fetches every blob and hashes it.

mod held;
mod last_commit;
mod server;
mod staged;

use std::collections::BTreeMap;
use std::env;

use hydrant_host::digest::blob_of_file;
use hydrant_host::engine::Engine;
use hydrant_host::scan::WalkOptions;
use hydrant_host::store::{Look, Store};
use hydrant_host::wit::manifests::{FileRef, FileState, State, Storage};
use hydrant_host::wit::types::{Code, Direction};
use serde_json::{Value, json};

use self::last_commit::LastCommit;
use crate::cli::{StatusArgs, VerifyArgs};
use crate::commands::status::{self, state_name};
use crate::destination;
use crate::ending::{Ending, Fault, code_name};
use crate::ledger::{Ledger, MANIFEST, Target, path_in};
use crate::operate::{self, Runner};
use crate::pointer_files::{self, Met};
use crate::report::{Output, Table, bytes_text, count_text, quote};
use crate::repository::Repository;

/// Where a blob is named.
struct Named {
    name: String,
    oid: String,
    size: u64,
}

/// Something that is not as it should be, or not known to be.
struct Finding {
    name: String,
    oid: String,
    /// A code of the closed list.
    code: Code,
    detail: String,
}

/// What a command looks at, and what is wrong before the server is asked.
#[derive(Default)]
struct Seen {
    sessions: usize,
    named: Vec<Named>,
    findings: Vec<Finding>,
    /// What manifests saw of entries of the cache that cannot be right, by oid and size.
    corrupt: BTreeMap<(String, u64), String>,
    /// Blobs of the cache that were hashed.
    cached: usize,
    /// Files of the work tree that were hashed.
    in_place: usize,
}

impl Seen {
    fn find(&mut self, name: impl Into<String>, oid: &str, code: Code, detail: impl Into<String>) {
        self.findings.push(Finding { name: name.into(), oid: oid.to_owned(), code, detail: detail.into() });
    }
}

pub(crate) fn run(arguments: &VerifyArgs, output: &mut Output) -> Result<Ending, Fault> {
    let repository = Repository::around(&env::current_dir()?)?;
    let engine = Engine::load()?;
    let store = Store::cache(&repository.store_dir())?;
    let mut seen = match (arguments.staged, repository.is_ledger()?) {
        (true, _) => staged::look(&repository, &engine)?,
        (false, true) => sessions(&repository, &engine, &store, arguments)?,
        (false, false) if arguments.sessions.is_empty() => pointers(&repository, &engine)?,
        (false, false) => return Err(Fault::misuse("this repository holds no sessions")),
    };
    if !arguments.staged {
        look_at_cache(&store, &mut seen)?;
    }
    let mut asked = 0;
    if !seen.named.is_empty() {
        let limit = operate::object_bytes_max(&arguments.limits, Some(&repository))?;
        let destination =
            destination::of_repository(&repository, &engine, Direction::Download, &arguments.server, true)?;
        let voice = output.voice.clone();
        let mut runner = Runner::new(&engine, &voice, destination, &arguments.server, limit, |host| host.store(store))?;
        let look = if arguments.deep { server::fetch } else { server::ask };
        asked = look(&mut runner, &mut seen)?;
    }
    Ok(report(&seen, asked, arguments, output))
}

/// Manifests and pointers of a ledger.
fn sessions(repository: &Repository, engine: &Engine, store: &Store, arguments: &VerifyArgs) -> Result<Seen, Fault> {
    let ledger = Ledger::of(repository)?;
    let mut guest = engine.guest()?;
    let limit = status::limit(
        &mut guest,
        repository,
        &StatusArgs { limits: arguments.limits.clone(), ..StatusArgs::default() },
    )?;
    let mut names = Vec::new();
    for word in &arguments.sessions {
        match ledger.target(word, &env::current_dir()?) {
            Target::Session { name, .. } => names.push(name),
            Target::Other => return Err(Fault::misuse(format!("there is no session {}", quote(word.as_bytes())))),
        }
    }
    if names.is_empty() {
        names = ledger.sessions()?;
    }
    let committed = LastCommit::of(repository, &mut guest, &names)?;
    let mut seen = Seen { sessions: names.len(), ..Seen::default() };
    for name in names {
        let session = match ledger.session(&mut guest, store, &name, limit) {
            Ok(session) => session,
            Err(fault) => {
                seen.find(format!("{name}/{MANIFEST}"), "", fault.code, fault.detail);
                continue;
            }
        };
        let first = seen.findings.len();
        for (file, state) in session.manifest.files.iter().zip(&session.status.files) {
            look_at_file(&ledger, &name, file, state, &mut seen)?;
        }
        committed.compare(&name, &session.manifest, &mut seen, first);
    }
    Ok(seen)
}

/// One file that a manifest names, as it stands in the work tree and in the cache.
fn look_at_file(
    ledger: &Ledger,
    session: &str,
    file: &FileRef,
    state: &FileState,
    seen: &mut Seen,
) -> Result<(), Fault> {
    let path = format!("{session}/{}", file.name);
    let oid = file.oid.clone().unwrap_or_default();
    if let Some(flaw) = &file.flaw {
        seen.find(path, &oid, flaw.code, &flaw.detail);
        return Ok(());
    }
    let detail = || state.detail.clone().unwrap_or_else(|| state_name(state.state).to_owned());
    match state.state {
        State::Missing | State::Conflict | State::Malformed | State::Unusable => {
            seen.find(&path, &oid, status::state_code(state.state), detail());
        }
        // A checkout may have given it other line ends: the last commit tells.
        State::Changed if file.storage == Storage::Git => {}
        // To a reader it is newer content; to whoever asks what the manifest promises, it is not that.
        State::Changed => seen.find(&path, &oid, Code::Integrity, detail()),
        // Several files may name the entry.
        State::Corrupt => {
            seen.corrupt.insert((oid.clone(), file.size), detail());
        }
        State::Cached | State::InPlace | State::Dehydrated | State::NotFetched | State::TooLarge => {}
    }
    match (file.storage, state.state) {
        // Committed as it is, from before pointers: the server may never have had it.
        (Storage::Lfs, State::InPlace) => {
            seen.in_place += 1;
            if hashes_to(ledger, &path_in(session, &file.name))? != Some((oid.clone(), file.size)) {
                seen.find(path, &oid, Code::Integrity, "the file here is not what the manifest names");
            }
        }
        (Storage::Lfs, _) => seen.named.push(Named { name: path, oid, size: file.size }),
        _ => {}
    }
    Ok(())
}

/// What a file of the work tree hashes to; none when it is gone.
fn hashes_to(ledger: &Ledger, name: &str) -> Result<Option<(String, u64)>, Fault> {
    let unreadable = |error: &std::io::Error| Fault::local(&quote(name.as_bytes()), error);
    let Some(mut opened) = ledger.files().open(name).map_err(|error| unreadable(&error))? else { return Ok(None) };
    let blob = blob_of_file(&mut opened.file).map_err(|error| unreadable(&error))?;
    Ok(Some((blob.oid, blob.size)))
}

/// Pointers of a work tree without sessions.
fn pointers(repository: &Repository, engine: &Engine) -> Result<Seen, Fault> {
    let mut seen = Seen::default();
    pointer_files::search(engine, &repository.top, WalkOptions::default(), &mut |met| {
        match met {
            Met::Pointer(one) => {
                let name = String::from_utf8_lossy(&one.path).into_owned();
                seen.named.push(Named { name, oid: one.pointer.oid, size: one.pointer.size });
            }
            Met::Broken(one) => {
                let name = String::from_utf8_lossy(&one.path).into_owned();
                seen.find(name, "", Code::Malformed, format!("line {}: {}", one.line, one.why));
            }
        }
        Ok(())
    })?;
    Ok(seen)
}

/// Hashes what the cache has of the blobs that are named. An entry that manifests saw to be wrong is told here, once.
fn look_at_cache(store: &Store, seen: &mut Seen) -> Result<(), Fault> {
    let names = seen.named.iter().map(|named| ((named.oid.clone(), named.size), named.name.clone()));
    let unique: BTreeMap<(String, u64), String> = names.collect();
    let mut corrupt = std::mem::take(&mut seen.corrupt);
    for ((oid, size), name) in unique {
        let told = corrupt.remove(&(oid.clone(), size));
        let detail = match store.open_verified(&oid, size)? {
            Look::Absent => told,
            Look::Content(_) => {
                seen.cached += 1;
                None
            }
            Look::Corrupt => Some(told.unwrap_or_else(|| "the cache holds something else under this oid".to_owned())),
        };
        if let Some(detail) = detail {
            seen.find(name, &oid, Code::Integrity, detail);
        }
    }
    Ok(())
}

fn report(seen: &Seen, asked: usize, arguments: &VerifyArgs, output: &mut Output) -> Ending {
    let ending = if seen.findings.is_empty() { Ending::Done } else { Ending::SomeFailed };
    let bytes: u64 = seen.named.iter().fold(0, |sum, named| sum.saturating_add(named.size));
    let finding = |finding: &Finding| {
        json!({
            "name": finding.name, "oid": finding.oid,
            "code": code_name(finding.code), "detail": finding.detail,
        })
    };
    output.json(&json!({
        "ok": ending == Ending::Done, "deep": arguments.deep, "sessions": seen.sessions, "files": seen.named.len(),
        "bytes": bytes, "blobs": asked, "cached": seen.cached, "in_place": seen.in_place,
        "findings": seen.findings.iter().map(finding).collect::<Vec<Value>>(),
    }));
    let how = if arguments.deep { "fetched and hashed" } else { "asked for at the server" };
    output.line(format!(
        "{} named, {}; {} {how}, {} hashed in the cache, {} in the work tree",
        count_text(seen.named.len(), "file"),
        bytes_text(bytes),
        count_text(asked, "blob"),
        seen.cached,
        seen.in_place
    ));
    if seen.findings.is_empty() {
        output.line("nothing is wrong");
        return ending;
    }
    let mut table = Table::new(&["file", "code", ""]);
    for one in &seen.findings {
        let detail = hydrant_host::process::plain(&one.detail);
        table.row([quote(one.name.as_bytes()), code_name(one.code).to_owned(), detail]);
    }
    table.print(output);
    ending
}
