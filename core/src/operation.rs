//! One running protocol, whatever its kind: the loop that every host drives.

use crate::ask::Ask;
use crate::batch::{Direction, Object};
use crate::config::Config;
use crate::contract::{EffectId, Instant, Misuse, Reply, Step};
use crate::download::Download;
use crate::error::{Code, Error};
use crate::hydrate::HydrateSession;
use crate::limits::WANTS_MAX;
use crate::link::Link;
use crate::locks::{LockReport, Locks, Task};
use crate::oid::Blob;
use crate::outbox::{Event, Outbox};
use crate::publish::{Publication, Publish, PublishReport};
use crate::reconcile::{Reconcile, ReconcileReport};
use crate::report::{Outcome, Source, Want};
use crate::upload::Upload;

/// One running protocol. Never blocks, never calls out, never panics on any input.
///
/// `poll` until it says wait or done, perform what it asks, answer with `reply`; at done, `finish` in the way of its
/// kind. The crate documentation has the law of the loop.
#[derive(Debug)]
pub struct Operation {
    out: Outbox,
    link: Link,
    machine: Machine,
    done: bool,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of them in an operation")]
enum Machine {
    Download(Download),
    HydrateSession(HydrateSession),
    Upload(Upload),
    Publish(Box<Publish>),
    Reconcile(Box<Reconcile>),
    Ask(Ask),
    Locks(Locks),
}

/// Calls the same method of whichever machine it is.
macro_rules! each {
    ($machine:expr, $it:ident => $call:expr) => {
        match $machine {
            Machine::Download($it) => $call,
            Machine::HydrateSession($it) => $call,
            Machine::Upload($it) => $call,
            Machine::Publish($it) => $call,
            Machine::Reconcile($it) => $call,
            Machine::Ask($it) => $call,
            Machine::Locks($it) => $call,
        }
    };
}

impl Operation {
    /// Brings objects into the cache: those it has are not asked for.
    pub fn hydrate(config: Config, wants: Vec<Want>) -> Result<Self, Error> {
        bounded(wants.len())?;
        Self::new(config, |link| Ok(Machine::Download(Download::new(wants, true, link))))
    }

    /// Brings the blobs of a session into the cache.
    pub fn hydrate_session(config: Config, session: &str) -> Result<Self, Error> {
        Self::new(config, |_| HydrateSession::new(session).map(Machine::HydrateSession))
    }

    /// Fetches and verifies objects, whatever the cache has.
    pub fn download(config: Config, wants: Vec<Want>) -> Result<Self, Error> {
        bounded(wants.len())?;
        Self::new(config, |link| Ok(Machine::Download(Download::new(wants, false, link))))
    }

    /// Hashes files, then brings their bytes to the server.
    pub fn upload(config: Config, sources: Vec<Source>) -> Result<Self, Error> {
        bounded(sources.len())?;
        Self::new(config, |link| Ok(Machine::Upload(Upload::new(sources, link))))
    }

    /// Publishes a session.
    pub fn publish(config: Config, publication: Publication) -> Result<Self, Error> {
        Self::new(config, |_| Ok(Machine::Publish(Box::new(Publish::new(publication)?))))
    }

    /// Finds pointers of the next push whose blob the server lacks; with `repair`, makes that push possible again.
    pub fn reconcile(config: Config, repair: bool) -> Result<Self, Error> {
        Self::new(config, |_| Ok(Machine::Reconcile(Box::new(Reconcile::new(repair)))))
    }

    /// Asks the server about objects and transfers nothing.
    pub fn batch(config: Config, direction: Direction, objects: Vec<Blob>) -> Result<Self, Error> {
        bounded(objects.len())?;
        Self::new(config, |link| Ok(Machine::Ask(Ask::new(direction, objects, link))))
    }

    /// Uses the server's lock API.
    pub fn locks(config: Config, task: Task) -> Result<Self, Error> {
        Self::new(config, |_| Locks::new(task).map(Machine::Locks))
    }

    fn new(config: Config, machine: impl FnOnce(&Link) -> Result<Machine, Error>) -> Result<Self, Error> {
        let link = Link::new(config)?;
        let machine = machine(&link)?;
        Ok(Self { out: Outbox::default(), link, machine, done: false })
    }

    /// What to do next. Time enters here and nowhere else.
    pub fn poll(&mut self, now: Instant) -> Step {
        // A host whose monotonic clock goes backwards must not undo a deadline.
        let ticks = now.ticks.max(self.out.now.ticks);
        self.out.now = Instant { ticks, wall: now.wall };
        self.link.at(ticks);
        self.out.expire();
        if let Some(step) = self.out.pop() {
            return step;
        }
        loop {
            let before = each!(&self.machine, it => it.left());
            if !self.is_done() {
                each!(&mut self.machine, it => it.advance(&mut self.out, &mut self.link));
            }
            if let Some(step) = self.out.pop() {
                return step;
            }
            self.done = self.is_done();
            if self.done {
                return Step::Done;
            }
            let wake = each!(&self.machine, it => it.wake(ticks, &self.link));
            let wake = wake.into_iter().chain(self.out.deadline()).min();
            // Objects that end without an effect make room for others: with nothing to wait for, go on with those.
            let went_on = each!(&self.machine, it => it.left()) < before;
            if wake.is_some() || !self.out.is_idle() || !went_on {
                return Step::Wait(wake);
            }
        }
    }

    fn is_done(&self) -> bool {
        self.out.is_idle() && each!(&self.machine, it => it.is_done())
    }

    /// Takes an answer. An error means that the host broke the contract; nothing changed.
    pub fn reply(&mut self, id: EffectId, reply: Reply) -> Result<(), Misuse> {
        if self.done {
            return Err(Misuse::Finished);
        }
        if let Some(event) = self.out.accept(id, reply)? {
            self.take(id, event);
        }
        Ok(())
    }

    fn take(&mut self, id: EffectId, event: Event) {
        each!(&mut self.machine, it => it.on(id, event, &mut self.out, &mut self.link));
    }

    /// Comes to an end soon: open effects are cancelled, the report says `unfinished` for the rest.
    pub fn stop(&mut self) {
        if !self.done {
            each!(&mut self.machine, it => it.stop(&mut self.out));
        }
    }

    /// Outcomes of hydrate, download and upload, in the order given.
    pub fn finish_transfer(self) -> Result<Vec<Outcome>, Error> {
        match self.machine {
            Machine::Download(it) => it.finish(),
            Machine::HydrateSession(it) => it.finish(),
            Machine::Upload(it) => it.finish(),
            Machine::Publish(_) | Machine::Reconcile(_) | Machine::Ask(_) | Machine::Locks(_) => Err(another_kind()),
        }
    }

    /// What a publish came to, however it ended.
    pub fn finish_publish(self) -> Result<PublishReport, Error> {
        match self.machine {
            Machine::Publish(it) => Ok(it.finish()),
            _ => Err(another_kind()),
        }
    }

    /// What a reconcile found and did, however it ended.
    pub fn finish_reconcile(self) -> Result<ReconcileReport, Error> {
        match self.machine {
            Machine::Reconcile(it) => Ok(it.finish()),
            _ => Err(another_kind()),
        }
    }

    /// What the server said of each object of a batch.
    pub fn finish_batch(self) -> Result<Vec<Object>, Error> {
        match self.machine {
            Machine::Ask(it) => it.finish(),
            _ => Err(another_kind()),
        }
    }

    /// What became of a lock task.
    pub fn finish_locks(self) -> Result<LockReport, Error> {
        match self.machine {
            Machine::Locks(it) => Ok(it.finish()),
            _ => Err(another_kind()),
        }
    }
}

fn bounded(wants: usize) -> Result<(), Error> {
    if wants > WANTS_MAX {
        return Err(Error::new(Code::Limit, format!("{wants} objects are more than {WANTS_MAX} in one operation")));
    }
    Ok(())
}

fn another_kind() -> Error {
    Error::new(Code::Host, "this operation ends with the finish of another kind")
}
