//! The server's lock API: list, create, unlock, verify.
//!
//! The rules it keeps: a path is one of the working tree and is sent as git spells it; somebody else's lock is taken
//! only by force, and whose it was is always said; a server without locks stops nobody. A lock that is in the way is
//! called somebody else's only where the server said so: it may be one's own.

mod paths;
mod report;

use crate::contract::error::Fault;
use crate::contract::operations::{LfsLock, LockReport, LockTask};
use crate::contract::types::{Code, Direction};
use crate::repository::{Errand, Repository};
use crate::tasks::client::Client;
use crate::tasks::endpoint::{self, ServerOptions};
use crate::tasks::transfer::Runner;
use crate::text::{plain, quote};

use paths::{check_file, path_within};
pub use report::{Holder, Lock, LocksReport};

/// Which locks are listed.
#[derive(Clone, Debug, Default)]
pub struct ListLocksOptions {
    /// Only those on this path, relative to the folder that the repository was opened in; none: all.
    pub path: Option<String>,
    /// The server.
    pub server: ServerOptions,
}

/// Which lock is given up.
#[derive(Clone, Debug, Default)]
pub struct UnlockOptions {
    /// The path whose lock it is, relative to the folder that the repository was opened in.
    pub path: Option<String>,
    /// What the server calls it. It is looked at where no path is given.
    pub id: Option<String>,
    /// Take it even from somebody else.
    pub force: bool,
    /// The server.
    pub server: ServerOptions,
}

impl Client {
    /// The locks on the server.
    pub fn list_locks(&self, repository: &Repository, options: &ListLocksOptions) -> Result<LocksReport, Fault> {
        let path = options.path.as_deref().map(|word| path_within(repository, word)).transpose()?;
        let listed = Asking::of(self, repository, &options.server)?.ask(LockTask::ListAll(path))?;
        Ok(LocksReport::from(listed).of_question())
    }

    /// Takes the lock on a path, relative to the folder that the repository was opened in. The file need not be there.
    pub fn create_lock(
        &self,
        repository: &Repository,
        path: &str,
        server: &ServerOptions,
    ) -> Result<LocksReport, Fault> {
        let path = path_within(repository, path)?;
        check_file(repository, &path)?;
        let mut asking = Asking::of(self, repository, server)?;
        let mut report = asking.ask(LockTask::Create(path))?;
        if report.ended.is_ok() {
            return Ok(report.into());
        }
        // What the engine calls theirs is in the way, and may be one's own.
        let held = std::mem::take(&mut report.theirs);
        if !held.is_empty() {
            match asking.whose(&held) {
                Holder::Me => report.locks.clone_from(&held),
                Holder::Others => report.theirs.clone_from(&held),
                Holder::Unknown => {}
            }
        }
        Ok(LocksReport::from(report).with_held(held.into_iter().map(Lock::from).collect()))
    }

    /// Gives a lock up.
    pub fn unlock(&self, repository: &Repository, options: &UnlockOptions) -> Result<LocksReport, Fault> {
        let path = options.path.as_deref().map(|word| path_within(repository, word)).transpose()?;
        let mut asking = Asking::of(self, repository, &options.server)?;
        let (id, known) = match (path, &options.id) {
            (Some(path), _) => match asking.lock_on(&path)? {
                Ok(lock) => (lock.id.clone(), Some(lock)),
                Err(report) => return Ok(*report),
            },
            (None, Some(id)) => (id.clone(), None),
            (None, None) => return Err(Fault::misuse("neither a path nor an id says which lock is meant")),
        };
        if !options.force
            && let Some(lock) = asking.theirs(&id)?
        {
            return Ok(somebody_elses(lock));
        }
        let report = LocksReport::from(asking.ask(LockTask::Unlock((id, options.force)))?);
        let held = known.filter(|_| !report.is_done());
        Ok(report.with_held(held.into_iter().map(Lock::from).collect()))
    }

    /// One's own locks and those of others.
    pub fn verify_locks(&self, repository: &Repository, server: &ServerOptions) -> Result<LocksReport, Fault> {
        let verified = Asking::of(self, repository, server)?.ask(LockTask::Verify)?;
        Ok(LocksReport::from(verified).of_question())
    }
}

/// Asks a server several questions, with one login for all.
struct Asking<'a>(Runner<'a>);

impl<'a> Asking<'a> {
    fn of(client: &'a Client, repository: &Repository, server: &ServerOptions) -> Result<Self, Fault> {
        let server = server.of(repository, Errand::Lock)?;
        let destination = endpoint::of_repository(client, repository, Direction::Upload, &server, true)?;
        Ok(Self(Runner::new(client, destination, &server, None, |host| host)?))
    }

    fn ask(&mut self, task: LockTask) -> Result<LockReport, Fault> {
        let mut operation = self.0.client.guest()?.locks(&self.0.config, &task)?;
        self.0.ask(&mut operation)?;
        let mut report = self.0.host.heard(operation.finish_locks()?);
        report.ended = report.ended.map_err(|error| self.0.told(error));
        if self.0.host.interrupted() && report.ended.is_err() {
            return Err(Fault::interrupted("interrupted before the server had answered"));
        }
        Ok(report)
    }

    /// The lock on a path, or what is said where there is not exactly one.
    fn lock_on(&mut self, path: &str) -> Result<Result<LfsLock, Box<LocksReport>>, Fault> {
        let mut report = self.ask(LockTask::ListAll(Some(path.to_owned())))?;
        if report.ended.is_err() {
            return Ok(Err(Box::new(report.into())));
        }
        report.locks.retain(|lock| lock.path == path);
        let shown = quote(path.as_bytes());
        match (report.locks.pop(), report.locks.is_empty()) {
            // Ends as the server's own answer for an id does that it does not know.
            (None, _) => Ok(Err(Box::new(LocksReport::failed(
                Code::NotFound,
                format!("{shown} is not locked: `hydrant locks list` shows what is"),
            )))),
            (Some(lock), true) => Ok(Ok(lock)),
            (Some(_), false) => {
                Err(Fault::misuse(format!("{shown} has several locks; `hydrant locks list` names their ids")))
            }
        }
    }

    /// The lock of this id, where the server says that it is somebody else's. Only a verify says whose a lock is;
    /// whoever cannot be asked lets the server decide.
    fn theirs(&mut self, id: &str) -> Result<Option<LfsLock>, Fault> {
        let verified = self.ask(LockTask::Verify)?;
        let is_ours = verified.locks.iter().any(|lock| lock.id == id);
        let theirs = verified.theirs.into_iter().find(|lock| lock.id == id);
        Ok(theirs.filter(|_| verified.ended.is_ok() && !is_ours))
    }

    /// Whose some locks are. A server tells that to whoever verifies, and to nobody else.
    fn whose(&mut self, locks: &[LfsLock]) -> Holder {
        let Ok(verified) = self.ask(LockTask::Verify) else { return Holder::Unknown };
        let all_in = |known: &[LfsLock]| locks.iter().all(|lock| known.iter().any(|known| known.id == lock.id));
        match &verified.ended {
            Ok(()) if all_in(&verified.locks) => Holder::Me,
            Ok(()) if all_in(&verified.theirs) => Holder::Others,
            _ => Holder::Unknown,
        }
    }
}

/// Somebody else's lock, and nobody said that it is to be taken.
fn somebody_elses(lock: LfsLock) -> LocksReport {
    let holder = lock.owner.as_deref().map_or_else(|| "somebody".to_owned(), plain);
    let path = quote(lock.path.as_bytes());
    let lock = Lock::from(lock);
    let report = LocksReport::failed(Code::Conflict, format!("the lock on {path} is {holder}'s; --force takes it"));
    LocksReport { theirs: vec![lock.clone()], ..report }.with_held(vec![lock])
}
