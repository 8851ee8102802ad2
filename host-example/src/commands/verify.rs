//! `hydrant verify`: whether everything that is named is really there: manifests, pointers, the cache, the server.
//!
//! The rule it keeps: only looks. A server's word is not proof: `--deep` fetches every blob and hashes it.

use std::collections::BTreeMap;
use std::env;

use hydrant_host::digest::blob_of_file;
use hydrant_host::engine::Engine;
use hydrant_host::scan::{POINTER_BYTES_LIMIT, WalkOptions};
use hydrant_host::store::{Look, Store};
use hydrant_host::wit::batches::Verdict;
use hydrant_host::wit::manifests::{State, Storage};
use hydrant_host::wit::operations::Want;
use hydrant_host::wit::pointers::{Kind, Sample};
use hydrant_host::wit::types::{Blob, Code, Direction};
use serde_json::{Value, json};

use crate::cli::{StatusArgs, VerifyArgs};
use crate::commands::status::{self, state_name};
use crate::destination;
use crate::ending::{Ending, Fault, code_name};
use crate::ledger::{Ledger, MANIFEST, Target, path_in};
use crate::operate::{self, OBJECTS_PER_OPERATION_MAX, Runner, Work};
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
        (true, _) => staged(&repository, &engine)?,
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
        asked = if arguments.deep { fetch(&mut runner, &mut seen)? } else { ask(&mut runner, &mut seen)? };
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
    let mut seen = Seen { sessions: names.len(), ..Seen::default() };
    for name in names {
        let session = match ledger.session(&mut guest, store, &name, limit) {
            Ok(session) => session,
            Err(fault) => {
                seen.find(format!("{name}/{MANIFEST}"), "", fault.code, fault.detail);
                continue;
            }
        };
        for (file, state) in session.manifest.files.iter().zip(&session.status.files) {
            let path = format!("{name}/{}", file.name);
            let oid = file.oid.clone().unwrap_or_default();
            if let Some(flaw) = &file.flaw {
                seen.find(path, &oid, flaw.code, &flaw.detail);
                continue;
            }
            let wrong = matches!(
                state.state,
                State::Missing | State::Corrupt | State::Conflict | State::Malformed | State::Unusable
            );
            if wrong {
                let detail = state.detail.clone().unwrap_or_else(|| state_name(state.state).to_owned());
                seen.find(&path, &oid, status::state_code(state.state), detail);
            }
            match (file.storage, state.state) {
                // Committed as it is, from before pointers: the server may never have had it.
                (Storage::Lfs, State::InPlace) => {
                    seen.in_place += 1;
                    if hashes_to(&ledger, &path_in(&name, &file.name))? != Some((oid.clone(), file.size)) {
                        seen.find(path, &oid, Code::Integrity, "the file here is not what the manifest names");
                    }
                }
                (Storage::Lfs, _) => seen.named.push(Named { name: path, oid, size: file.size }),
                _ => {}
            }
        }
    }
    Ok(seen)
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

/// Pointers that the next commit would add or change.
fn staged(repository: &Repository, engine: &Engine) -> Result<Seen, Fault> {
    let listed = repository.git.read(&["diff", "--cached", "--raw", "-z", "--no-renames", "--diff-filter=d"], b"")?;
    let mut fields = listed.split(|byte| *byte == 0).filter(|field| !field.is_empty());
    let (mut paths, mut oids) = (Vec::new(), Vec::new());
    while let (Some(facts), Some(path)) = (fields.next(), fields.next()) {
        // `:100644 100644 before after M`, and then the path.
        let facts = String::from_utf8_lossy(facts);
        let mut words = facts.split(' ').skip(1);
        if let (Some("100644" | "100755"), Some(after)) = (words.next(), words.nth(1)) {
            paths.push(String::from_utf8_lossy(path).into_owned());
            oids.push(after.to_owned());
        }
    }
    let question: String = oids.iter().map(|oid| format!("{oid}\n")).collect();
    let facts = repository.git.read(&["cat-file", "--batch-check=%(objectsize)"], question.as_bytes())?;
    let sizes =
        String::from_utf8_lossy(&facts).lines().map(|line| line.parse().unwrap_or(usize::MAX)).collect::<Vec<_>>();
    let small: Vec<usize> =
        (0..oids.len()).filter(|at| sizes.get(*at).is_some_and(|size| *size < POINTER_BYTES_LIMIT)).collect();
    let question: String = small.iter().map(|at| format!("{}\n", oids[*at])).collect();
    let text = repository.git.read(&["cat-file", "--batch"], question.as_bytes())?;
    let mut samples = Vec::with_capacity(small.len());
    let mut at = 0;
    for one in &small {
        // A line of facts, the bytes, a line end.
        let line = text[at..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |end| at + end + 1);
        let end = (line + sizes[*one]).min(text.len());
        samples.push(Sample { head: text[line.min(end)..end].to_vec(), file_size: sizes[*one] as u64 });
        at = (end + 1).min(text.len());
    }
    let mut seen = Seen::default();
    for (one, kind) in small.iter().zip(engine.guest()?.classify_many(&samples)?) {
        let name = paths[*one].clone();
        match kind {
            // The empty file is no promise of anything.
            Kind::Pointer(pointer) if sizes[*one] > 0 => {
                seen.named.push(Named { name, oid: pointer.oid, size: pointer.size });
            }
            Kind::Malformed(finding) => {
                seen.find(name, "", Code::Malformed, engine.guest()?.explain(finding)?);
            }
            Kind::Pointer(_) | Kind::Content(_) => {}
        }
    }
    Ok(seen)
}

/// Hashes what the cache has of the blobs that are named.
fn look_at_cache(store: &Store, seen: &mut Seen) -> Result<(), Fault> {
    let unique: BTreeMap<String, (u64, String)> =
        seen.named.iter().map(|named| (named.oid.clone(), (named.size, named.name.clone()))).collect();
    for (oid, (size, name)) in unique {
        match store.open_verified(&oid, size)? {
            Look::Absent => {}
            Look::Content(_) => seen.cached += 1,
            Look::Corrupt => seen.find(name, &oid, Code::Integrity, "the cache holds something else under this oid"),
        }
    }
    Ok(())
}

/// Asks the server whether it has them, in as many requests as it takes; how many blobs were asked for.
fn ask(runner: &mut Runner<'_>, seen: &mut Seen) -> Result<usize, Fault> {
    let blobs = unique(&seen.named);
    let mut verdicts: BTreeMap<String, (Code, String)> = BTreeMap::new();
    for part in blobs.chunks(OBJECTS_PER_OPERATION_MAX) {
        let mut operation = runner.engine.guest()?.batch(&runner.config, Direction::Download, part)?;
        runner.ask(&mut operation)?;
        let answered = operation.finish_batch();
        if runner.host.interrupted() {
            return Err(Fault::interrupted("interrupted before the server had answered everything"));
        }
        for object in answered? {
            let wrong = match object.verdict {
                Verdict::Present | Verdict::Download(_) | Verdict::Expired => continue,
                Verdict::Refused(refusal) if refusal.status == 404 => {
                    (Code::Missing, "the server does not have it".to_owned())
                }
                Verdict::Refused(refusal) if refusal.status == 410 => {
                    (Code::Removed, "the server says that it was removed".to_owned())
                }
                Verdict::Refused(refusal) => {
                    (Code::NotFound, format!("inconclusive: the server answered {} for it", refusal.status))
                }
                Verdict::Broken(_) | Verdict::Upload(_) => {
                    (Code::Malformed, "inconclusive: the server's answer cannot be used".to_owned())
                }
            };
            verdicts.insert(object.oid, wrong);
        }
    }
    for named in std::mem::take(&mut seen.named) {
        if let Some((code, detail)) = verdicts.get(&named.oid) {
            seen.find(&named.name, &named.oid, *code, detail);
        }
        seen.named.push(named);
    }
    Ok(blobs.len())
}

/// Fetches and hashes them all; how many.
fn fetch(runner: &mut Runner<'_>, seen: &mut Seen) -> Result<usize, Fault> {
    let mut first: BTreeMap<&str, &Named> = BTreeMap::new();
    for named in &seen.named {
        first.entry(&named.oid).or_insert(named);
    }
    let want = |named: &&Named| Want { name: named.name.clone(), oid: named.oid.clone(), size: named.size };
    let wants: Vec<Want> = first.values().map(want).collect();
    let count = wants.len();
    let report = runner.transfer(Work::Download(wants))?;
    if report.interrupted {
        return Err(Fault::interrupted("interrupted before everything was fetched"));
    }
    for outcome in report.outcomes {
        if let Err(error) = outcome.ended {
            seen.find(outcome.name, &outcome.oid, error.code, error.detail);
        }
    }
    Ok(count)
}

fn unique(named: &[Named]) -> Vec<Blob> {
    let sizes: BTreeMap<&str, u64> = named.iter().map(|named| (named.oid.as_str(), named.size)).collect();
    sizes.into_iter().map(|(oid, size)| Blob { oid: oid.to_owned(), size }).collect()
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
