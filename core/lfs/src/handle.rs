//! What a binding needs around operations: handles that its host keeps, and the seeds that are in use.

use crate::contract::{EffectId, Instant, Misuse, Reply, Step};
use crate::operation::Operation;
use crate::operations::Machine;
use crate::text::error::{Code, Error};
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;

/// The seeds of the operations that run: two with one seed would write to the same stages.
#[derive(Default)]
pub struct Seeds(Rc<Cell<Vec<u64>>>);

/// A seed that no other operation has, until it is dropped.
pub struct Seed {
    seed: u64,
    taken: Rc<Cell<Vec<u64>>>,
}

impl Seeds {
    /// Takes a seed for an operation, unless one that runs has it.
    pub fn take(&self, seed: u64) -> Result<Seed, Error> {
        let mut taken = self.0.take();
        let is_free = !taken.contains(&seed);
        if is_free {
            taken.push(seed);
        }
        self.0.set(taken);
        if is_free {
            return Ok(Seed { seed, taken: Rc::clone(&self.0) });
        }
        Err(Error::new(Code::Host, "another operation runs with this seed: give each one 64 random bits"))
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seed({})", self.seed)
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        let mut taken = self.taken.take();
        taken.retain(|taken| *taken != self.seed);
        self.taken.set(taken);
    }
}

/// An operation until its report is taken; then the effects that were open. A host may still be replying to these, and
/// that is no misuse.
#[derive(Debug)]
pub struct Handle<M>(State<M>);

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of them behind a handle")]
enum State<M> {
    /// Its report was not taken yet.
    Running(Operation<M>, #[expect(dead_code, reason = "held until the report is taken")] Seed),
    /// Its report was taken while these effects were open.
    Finished(Vec<EffectId>),
}

impl<M: Machine> Handle<M> {
    /// A handle of an operation whose config has this seed.
    pub fn new(operation: Operation<M>, seed: Seed) -> Self {
        Self(State::Running(operation, seed))
    }

    /// As [`Operation::poll`]; done once the report was taken.
    pub fn poll(&mut self, now: Instant) -> Step {
        match &mut self.0 {
            State::Running(operation, _) => operation.poll(now),
            State::Finished(_) => Step::Done,
        }
    }

    /// As [`Operation::reply`]; late replies are ignored.
    pub fn reply(&mut self, id: EffectId, reply: Reply) -> Result<(), Misuse> {
        match &mut self.0 {
            State::Running(operation, _) => operation.reply(id, reply),
            State::Finished(open) if open.contains(&id) => Ok(()),
            State::Finished(_) => Err(Misuse::Finished),
        }
    }

    /// As [`Operation::unfitting`]; late replies are ignored, whatever their form.
    pub fn unfitting(&self, id: EffectId) -> Result<(), Misuse> {
        match &self.0 {
            State::Running(operation, _) => Err(operation.unfitting(id)),
            State::Finished(open) if open.contains(&id) => Ok(()),
            State::Finished(_) => Err(Misuse::Finished),
        }
    }

    /// As [`Operation::stop`].
    pub fn stop(&mut self) {
        if let State::Running(operation, _) = &mut self.0 {
            operation.stop();
        }
    }

    /// Takes the report, if the machine is of the right kind.
    pub fn take(&mut self, is_kind: impl FnOnce(&M) -> bool) -> Result<M::Report, Misuse> {
        let open = match &self.0 {
            State::Finished(_) => return Err(Misuse::Finished),
            State::Running(operation, _) if !is_kind(operation.machine()) => return Err(Misuse::AnotherKind),
            State::Running(operation, _) => operation.open(),
        };
        match core::mem::replace(&mut self.0, State::Finished(open)) {
            State::Running(operation, _) => Ok(operation.finish()),
            State::Finished(_) => Err(Misuse::Finished),
        }
    }
}
