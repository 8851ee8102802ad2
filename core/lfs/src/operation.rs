//! A running operation of any kind, and the loop that every host drives.

use crate::contract::request::bounded;
use crate::contract::{Config, Direction, EffectId, Instant, Misuse, Reply, Source, Step, Want};
use crate::operations::{Batch, Download, LockTask, Locks, Machine, Upload};
use crate::protocol::link::Link;
use crate::protocol::outbox::Outbox;
use crate::text::error::Error;
use crate::text::oid::Blob;
use alloc::vec::Vec;

/// A running operation. It never blocks, never calls the host, and never panics on any input.
///
/// `poll` until it returns wait or done, perform its effects, send results with `reply`; at done, `finish`. The crate
/// documentation describes the loop.
#[derive(Debug)]
pub struct Operation<M> {
    out: Outbox,
    link: Link,
    machine: M,
    done: bool,
}

impl Operation<Download> {
    /// Fetches the objects that the cache does not have.
    pub fn hydrate(config: Config, wants: Vec<Want>) -> Result<Self, Error> {
        Self::fetch(config, wants, true)
    }

    /// Fetches and verifies all objects, even those that the cache has.
    pub fn download(config: Config, wants: Vec<Want>) -> Result<Self, Error> {
        Self::fetch(config, wants, false)
    }

    fn fetch(config: Config, wants: Vec<Want>, cached: bool) -> Result<Self, Error> {
        bounded(wants.len(), wants.iter().map(|want| want.name.as_str()))?;
        Self::begin(config, |link| Ok(Download::new(wants, cached, link)))
    }
}

impl Operation<Upload> {
    /// Hashes files, then uploads those that the server lacks.
    pub fn upload(config: Config, sources: Vec<Source>) -> Result<Self, Error> {
        bounded(sources.len(), sources.iter().map(|source| source.name.as_str()))?;
        Self::begin(config, |link| Ok(Upload::new(sources, link)))
    }
}

impl Operation<Batch> {
    /// Asks the server about objects and transfers nothing.
    pub fn batch(config: Config, direction: Direction, objects: &[Blob]) -> Result<Self, Error> {
        bounded(objects.len(), core::iter::empty())?;
        Self::begin(config, |link| Ok(Batch::new(direction, objects, link)))
    }
}

impl Operation<Locks> {
    /// Uses the server's lock API.
    pub fn locks(config: Config, task: LockTask) -> Result<Self, Error> {
        Self::begin(config, |_| Locks::new(task))
    }
}

impl<M: Machine> Operation<M> {
    /// An operation around a machine that may look at its link.
    pub fn begin(config: Config, machine: impl FnOnce(&Link) -> Result<M, Error>) -> Result<Self, Error> {
        let link = Link::new(config)?;
        let machine = machine(&link)?;
        Ok(Self { out: Outbox::default(), link, machine, done: false })
    }

    /// What to do next. The core learns the time here and nowhere else.
    pub fn poll(&mut self, now: Instant) -> Step {
        // A host whose monotonic clock goes backwards must not undo a deadline.
        let ticks = now.ticks.max(self.out.now.ticks);
        self.out.now = Instant { ticks, wall: now.wall };
        self.link.at(self.out.now);
        self.out.expire();
        if let Some(step) = self.out.pop() {
            return step;
        }
        loop {
            let before = self.machine.left();
            if !self.is_done() {
                self.machine.advance(&mut self.out, &mut self.link);
            }
            if let Some(step) = self.out.pop() {
                return step;
            }
            self.done = self.is_done();
            if self.done {
                return Step::Done;
            }
            let wake = self.machine.wake(ticks, &self.link);
            let wake = wake.into_iter().chain(self.out.deadline()).min();
            // Objects that end without an effect make room for others: with nothing to wait for, go on with those.
            let went_on = self.machine.left() < before;
            if wake.is_some() || !self.out.is_idle() || !went_on {
                return Step::Wait(wake);
            }
        }
    }

    fn is_done(&self) -> bool {
        self.out.is_idle() && self.machine.is_done()
    }

    /// Takes a reply. An error means that the host broke the contract; nothing changed.
    pub fn reply(&mut self, id: EffectId, reply: Reply) -> Result<(), Misuse> {
        if self.done {
            return Err(Misuse::Finished);
        }
        if let Some(event) = self.out.accept(id, reply)? {
            self.machine.on(id, event, &mut self.out, &mut self.link);
        }
        Ok(())
    }

    /// The misuse of a reply that has no form of the contract, such as a digest that is none.
    pub fn unfitting(&self, id: EffectId) -> Misuse {
        match self.out.awaits(id) {
            _ if self.done => Misuse::Finished,
            true => Misuse::OutOfOrder,
            false => Misuse::UnknownEffect,
        }
    }

    /// Ends soon: open effects are cancelled, the report says `unfinished` for the rest.
    pub fn stop(&mut self) {
        if !self.done {
            self.machine.stop(&mut self.out);
        }
    }

    /// Effects that are open.
    pub fn open(&self) -> Vec<EffectId> {
        self.out.open()
    }

    /// The same operation around another machine, such as an enum of several kinds.
    pub fn map<N: Machine>(self, machine: impl FnOnce(M) -> N) -> Operation<N> {
        Operation { out: self.out, link: self.link, machine: machine(self.machine), done: self.done }
    }

    /// The machine, to ask it what only its kind knows.
    pub fn machine(&self) -> &M {
        &self.machine
    }

    /// The report, however it ended; before done, the rest is `unfinished`.
    pub fn finish(self) -> M::Report {
        self.machine.finish()
    }
}
