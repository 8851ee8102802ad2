//! `hydrant locks`: the server's lock API: list, create, unlock, verify.
//!
//! The rules it keeps: a path is one of the work tree and is sent as git spells it; somebody else's lock is taken only
//! with `--force`, and whose it was is always said; a server without locks stops nobody. A lock that is in the way is
//! called somebody else's only where the server said so: it may be one's own.

use std::env;
use std::path::Path;

use hydrant_host::engine::Engine;
use hydrant_host::text::plain;
use hydrant_host::contract::operations::{LfsLock, LockReport, LockTask};
use hydrant_host::contract::types::{Code, Direction, Error};
use serde_json::{Value, json};

use crate::cli::{LocksCommand, LocksUnlockArgs, ServerArgs};
use hydrant_host::tasks::endpoint;
use crate::ending::Ending;
use hydrant_host::contract::error::{Fault, code_name};
use hydrant_host::sessions::ledger::Ledger;
use hydrant_host::tasks::transfer::Runner;
use crate::report::{Output, Table, error_json};
use hydrant_host::text::quote;
use hydrant_host::repository::Repository;

/// Form of the JSON document.
const SCHEMA_VERSION: u64 = 1;
const NO_LOCKS: &str = "this server has no locks";

pub(crate) fn run(command: &LocksCommand, output: &mut Output) -> Result<Ending, Fault> {
    let repository = Repository::around(&env::current_dir()?)?;
    match command {
        LocksCommand::List(arguments) => {
            let path = arguments.path.as_deref().map(|word| path_within(&repository, word)).transpose()?;
            let task = LockTask::ListAll(path.clone());
            let report = Server::of(&repository, &arguments.server, output)?.ask(task)?;
            Ok(listed(&report, path.as_deref(), output))
        }
        LocksCommand::Create(arguments) => {
            let path = path_within(&repository, &arguments.path)?;
            check_file(&repository, &path)?;
            create(&path, &Server::of(&repository, &arguments.server, output)?, output)
        }
        LocksCommand::Unlock(arguments) => unlock(arguments, &repository, output),
        LocksCommand::Verify(arguments) => {
            let report = Server::of(&repository, &arguments.server, output)?.ask(LockTask::Verify)?;
            Ok(verified(&report, output))
        }
    }
}

/// The server, and the way to it.
struct Server<'a> {
    engine: Engine,
    repository: &'a Repository,
    arguments: &'a ServerArgs,
    voice: crate::cli::Voice,
}

impl<'a> Server<'a> {
    fn of(repository: &'a Repository, arguments: &'a ServerArgs, output: &Output) -> Result<Self, Fault> {
        Ok(Self { engine: Engine::load()?, repository, arguments, voice: output.voice.clone() })
    }

    /// Asks for one thing, and ends with what the user or the server has to say about it.
    fn ask(&self, task: LockTask) -> Result<LockReport, Fault> {
        let mut reports = self.session()?;
        reports.ask(task)
    }

    /// For several questions, with one login for all.
    fn session(&self) -> Result<Asking<'_>, Fault> {
        let (engine, server) = (&self.engine, self.arguments);
        let destination = destination::of_repository(self.repository, engine, Direction::Upload, server, true)?;
        Ok(Asking(Runner::new(engine, &self.voice, destination, server, None, |host| host)?))
    }
}

struct Asking<'a>(Runner<'a>);

impl Asking<'_> {
    fn ask(&mut self, task: LockTask) -> Result<LockReport, Fault> {
        let mut operation = self.0.engine.guest()?.locks(&self.0.config, &task)?;
        self.0.ask(&mut operation)?;
        let report = operation.finish_locks()?;
        if self.0.host.interrupted() && report.ended.is_err() {
            return Err(Fault::interrupted("interrupted before the server had answered"));
        }
        Ok(report)
    }
}

/// A path on the command line as git spells it.
fn path_within(repository: &Repository, word: &str) -> Result<String, Fault> {
    let shown = quote(word.as_bytes());
    let path = Ledger::of(repository)?.path_within(word, &env::current_dir()?);
    let path = path.ok_or_else(|| Fault::misuse(format!("{shown} lies outside of the work tree")))?;
    if path.is_empty() {
        return Err(Fault::misuse("a lock is on a file, not on the whole work tree"));
    }
    // git speaks of the link, and knows nothing of what lies behind it.
    let mut folder = repository.top.clone();
    for part in Path::new(&path).parent().into_iter().flat_map(Path::iter) {
        folder.push(part);
        if folder.symlink_metadata().is_ok_and(|facts| facts.is_symlink()) {
            return Err(Fault::misuse(format!("{shown} lies behind a symlink, where git has no files")));
        }
    }
    if Path::new(&path).iter().next().is_some_and(|first| first.eq_ignore_ascii_case(".git")) {
        return Err(Fault::misuse(format!("{shown} is no file of the work tree")));
    }
    Ok(path)
}

fn check_file(repository: &Repository, path: &str) -> Result<(), Fault> {
    if repository.top.join(path).symlink_metadata().is_ok_and(|facts| facts.is_dir()) {
        return Err(Fault::misuse(format!("{} is a folder; a lock is on a file", quote(path.as_bytes()))));
    }
    Ok(())
}

fn unlock(arguments: &LocksUnlockArgs, repository: &Repository, output: &mut Output) -> Result<Ending, Fault> {
    let path = arguments.path.as_deref().map(|word| path_within(repository, word)).transpose()?;
    let server = Server::of(repository, &arguments.server, output)?;
    let mut asking = server.session()?;
    let mut known = None;
    if let Some(path) = &path {
        let report = asking.ask(LockTask::ListAll(Some(path.clone())))?;
        if report.ended.is_err() {
            return Ok(failed(&report, &InTheWay::default(), output));
        }
        match report.locks.iter().filter(|lock| lock.path == *path).collect::<Vec<_>>()[..] {
            [] if !report.supported => return Ok(failed(&report, &InTheWay::default(), output)),
            [] => return Ok(not_locked(path, output)),
            [lock] => known = Some(lock.clone()),
            _ => {
                let shown = quote(path.as_bytes());
                return Err(Fault::misuse(format!("{shown} has several locks; `hydrant locks list` names their ids")));
            }
        }
    }
    if !arguments.force {
        // Only this says whose a lock is; whoever cannot be asked lets the server decide.
        let verified = asking.ask(LockTask::Verify)?;
        let is_it = |lock: &&LfsLock| Some(&lock.id) == known.as_ref().map(|lock| &lock.id).or(arguments.id.as_ref());
        if verified.ended.is_ok()
            && !verified.locks.iter().any(|lock| is_it(&lock))
            && let Some(lock) = verified.theirs.iter().find(is_it)
        {
            return Ok(theirs(lock, output));
        }
    }
    let id = known.as_ref().map(|lock| lock.id.clone()).or_else(|| arguments.id.clone()).unwrap_or_default();
    let report = asking.ask(LockTask::Unlock((id, arguments.force)))?;
    if report.ended.is_err() {
        return Ok(failed(&report, &InTheWay { locks: known.into_iter().collect(), whose: HELD }, output));
    }
    output.json(&document(&report, &[], Ending::Done));
    for lock in &report.locks {
        let whose = lock.owner.as_deref().filter(|_| arguments.force);
        let whose = whose.map_or_else(String::new, |owner| format!("; it was {}'s", plain(owner)));
        output.line(format!("unlocked {}{whose}", quote(lock.path.as_bytes())));
    }
    Ok(Ending::Done)
}

/// Ends as the server's own answer for an id does that it does not know.
fn not_locked(path: &str, output: &mut Output) -> Ending {
    let detail = format!("{} is not locked", quote(path.as_bytes()));
    let ended = Err(Error { code: Code::NotFound, detail, retry_at: None });
    let report = LockReport { locks: Vec::new(), theirs: Vec::new(), supported: true, ended };
    say_why(&report, &InTheWay::default(), output);
    let mut document = document(&report, &[], Ending::Failed);
    // This end once had `error` alone, and whoever reads that still finds it.
    document["error"] = document["ended"].clone();
    output.json(&document);
    Ending::Failed
}

/// Somebody else's lock, and nobody said that it is to be taken.
fn theirs(lock: &LfsLock, output: &mut Output) -> Ending {
    let holder = holder(lock);
    let path = quote(lock.path.as_bytes());
    let detail = format!("the lock on {path} is {holder}'s; --force takes it");
    let ended = Err(Error { code: Code::Conflict, detail, retry_at: None });
    let report = LockReport { locks: Vec::new(), theirs: vec![lock.clone()], supported: true, ended };
    failed(&report, &InTheWay { locks: vec![lock.clone()], whose: THEIRS }, output)
}

fn listed(report: &LockReport, path: Option<&str>, output: &mut Output) -> Ending {
    if report.ended.is_err() && report.supported {
        return failed(report, &InTheWay::default(), output);
    }
    output.json(&document(report, &[], Ending::Done));
    if !report.supported {
        output.line(NO_LOCKS);
    } else if report.locks.is_empty() {
        output.note(
            path.map_or("nothing is locked".to_owned(), |path| format!("{} is not locked", quote(path.as_bytes()))),
        );
    } else {
        let mut table = Table::new(&["path", "owner", "id", "since"]);
        report.locks.iter().for_each(|lock| table.row(cells(lock)));
        table.print(output);
    }
    Ending::Done
}

fn verified(report: &LockReport, output: &mut Output) -> Ending {
    if report.ended.is_err() && report.supported {
        return failed(report, &InTheWay::default(), output);
    }
    output.json(&document(report, &[], Ending::Done));
    if !report.supported {
        output.line(NO_LOCKS);
    } else if report.locks.is_empty() && report.theirs.is_empty() {
        output.note("nothing is locked");
    } else {
        whose(&[(YOURS, &report.locks), (THEIRS, &report.theirs)], output);
    }
    Ending::Done
}

const YOURS: &str = "yours";
const THEIRS: &str = "theirs";
/// Of a lock of which the server did not say whose it is, but by its owner's name.
const HELD: &str = "held";

/// Locks that are the reason for a failure, and whose they are.
#[derive(Default)]
struct InTheWay {
    locks: Vec<LfsLock>,
    whose: &'static str,
}

/// Locks, with a word on whose they are.
fn whose(all: &[(&str, &[LfsLock])], output: &mut Output) {
    let mut table = Table::new(&["whose", "path", "owner", "id", "since"]);
    for (whose, locks) in all {
        for lock in *locks {
            let [path, owner, id, since] = cells(lock);
            table.row([(*whose).to_owned(), path, owner, id, since]);
        }
    }
    table.print(output);
}

fn create(path: &str, server: &Server<'_>, output: &mut Output) -> Result<Ending, Fault> {
    let mut asking = server.session()?;
    let mut report = asking.ask(LockTask::Create(path.to_owned()))?;
    if report.ended.is_err() {
        let mut way = InTheWay { locks: std::mem::take(&mut report.theirs), whose: HELD };
        if !way.locks.is_empty() {
            way.whose = whose_is(&mut asking, &way.locks);
        }
        // As after a verify, which is where it is known from.
        match way.whose {
            YOURS => report.locks.clone_from(&way.locks),
            THEIRS => report.theirs.clone_from(&way.locks),
            _ => {}
        }
        return Ok(failed(&report, &way, output));
    }
    output.json(&document(&report, &[], Ending::Done));
    for lock in &report.locks {
        output.line(format!("locked {} as {}", quote(lock.path.as_bytes()), quote(lock.id.as_bytes())));
    }
    Ok(Ending::Done)
}

/// Whose some locks are. A server tells that to whoever verifies, and to nobody else.
fn whose_is(asking: &mut Asking<'_>, locks: &[LfsLock]) -> &'static str {
    let Ok(verified) = asking.ask(LockTask::Verify) else { return HELD };
    let all_in = |known: &[LfsLock]| locks.iter().all(|lock| known.iter().any(|known| known.id == lock.id));
    match &verified.ended {
        Ok(()) if all_in(&verified.locks) => YOURS,
        Ok(()) if all_in(&verified.theirs) => THEIRS,
        _ => HELD,
    }
}

/// What did not go well: a lock in the way is somebody's, anything else is the whole operation's.
fn failed(report: &LockReport, way: &InTheWay, output: &mut Output) -> Ending {
    let ending = match &report.ended {
        Err(error) if error.code == Code::Conflict => Ending::SomeFailed,
        _ => Ending::Failed,
    };
    say_why(report, way, output);
    output.json(&document(report, &way.locks, ending));
    ending
}

fn say_why(report: &LockReport, way: &InTheWay, output: &mut Output) {
    if !report.supported {
        return output.warn(format!("hydrant: {NO_LOCKS}"));
    }
    if let Err(error) = &report.ended {
        output.warn(format!("hydrant: {}: {}", code_name(error.code), plain(&error.detail)));
    }
    if !way.locks.is_empty() {
        whose(&[(way.whose, &way.locks)], output);
    }
}

fn holder(lock: &LfsLock) -> String {
    lock.owner.as_deref().map_or_else(|| "somebody".to_owned(), plain)
}

fn cells(lock: &LfsLock) -> [String; 4] {
    let owner = lock.owner.as_deref().map_or_else(String::new, plain);
    [quote(lock.path.as_bytes()), owner, quote(lock.id.as_bytes()), plain(&lock.locked_at)]
}

/// `held` are the locks in the way, whosever they are; in `locks` and `theirs` are only those that the server called
/// one's own and somebody else's.
fn document(report: &LockReport, held: &[LfsLock], ending: Ending) -> Value {
    let lock =
        |lock: &LfsLock| json!({ "id": lock.id, "path": lock.path, "owner": lock.owner, "locked_at": lock.locked_at });
    // A server without locks stops nobody from listing none.
    let ended = report.ended.as_ref().err().filter(|_| ending != Ending::Done);
    json!({
        "schema_version": SCHEMA_VERSION,
        "ok": ending == Ending::Done,
        "supported": report.supported,
        "locks": report.locks.iter().map(lock).collect::<Vec<_>>(),
        "theirs": report.theirs.iter().map(lock).collect::<Vec<_>>(),
        "held": held.iter().map(lock).collect::<Vec<_>>(),
        "ended": ended.map(|error| error_json(error.code, &error.detail, error.retry_at)),
    })
}
