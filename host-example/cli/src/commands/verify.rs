//! `hydrant verify`: whether everything that is named is really there: manifests, pointers, the last commit, the cache,
//! the server.
//!
//! The rule it keeps: only looks. A server's word is not proof: `--deep` fetches every blob and hashes it.

mod held;
mod in_full;
mod last_commit;
mod server;
mod staged;
mod unnamed;
mod work_tree;

use std::collections::BTreeMap;
use std::env;

use hydrant_host::engine::Engine;
use hydrant_host::worktree::scan::WalkOptions;
use hydrant_host::store::{Look, Store};
use hydrant_host::contract::types::{Code, Direction};
use serde_json::{Value, json};

use self::last_commit::LastCommit;
use crate::cli::{StatusArgs, VerifyArgs};
use crate::commands::status;
use hydrant_host::tasks::endpoint;
use crate::ending::Ending;
use hydrant_host::contract::error::{Fault, code_name};
use hydrant_host::sessions::ledger::{Ledger, MANIFEST, Target};
use hydrant_host::tasks::transfer::{self, Runner};
use hydrant_host::worktree::pointer_files::{self, Met};
use crate::report::{Output, Table};
use hydrant_host::text::{bytes_text, count_text, quote};
use hydrant_host::repository::Repository;

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
    let is_all = names.is_empty();
    if is_all {
        names = ledger.sessions()?;
    }
    let mut committed = LastCommit::of(repository, &mut guest, (!is_all).then_some(names.as_slice()))?;
    let mut seen = Seen { sessions: names.len(), ..Seen::default() };
    for name in &names {
        let standing = match work_tree::read(&ledger, &mut guest, name, limit) {
            Ok(standing) => standing,
            Err(fault) => {
                seen.find(format!("{name}/{MANIFEST}"), "", fault.code, fault.detail);
                continue;
            }
        };
        let first = seen.findings.len();
        for (file, state) in standing.manifest.files.iter().zip(&standing.files) {
            work_tree::look_at_file(&ledger, store, name, file, state, &mut seen)?;
        }
        committed.compare(name, &standing, &mut seen, first);
    }
    committed.look_in_full(repository, &mut seen)?;
    unnamed::look(repository, &ledger, &mut guest, &committed, is_all.then_some(names.as_slice()), &mut seen)?;
    Ok(seen)
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

/// Hashes what the cache has of the blobs that are named, each once.
fn look_at_cache(store: &Store, seen: &mut Seen) -> Result<(), Fault> {
    let names = seen.named.iter().map(|named| ((named.oid.clone(), named.size), named.name.clone()));
    let unique: BTreeMap<(String, u64), String> = names.collect();
    for ((oid, size), name) in unique {
        let other = store.size_of(&oid).filter(|held| *held != size);
        let told = other.map(|held| format!("the cache holds {held} bytes, not {size}"));
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
        let detail = hydrant_host::text::plain(&one.detail);
        table.row([quote(one.name.as_bytes()), code_name(one.code).to_owned(), detail]);
    }
    table.print(output);
    ending
}
