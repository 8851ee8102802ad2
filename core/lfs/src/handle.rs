//! An operation behind a handle that its host keeps: the report is taken out, and late replies are ignored.

use crate::contract::{EffectId, Instant, Misuse, Reply, Step};
use crate::operation::Operation;
use crate::operations::Machine;
use alloc::vec::Vec;

/// An operation until its report is taken; then the effects that were open. A host may still be replying to these, and
/// that is no misuse.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of them behind a handle")]
pub enum Handle<M> {
    /// Its report was not taken yet.
    Running(Operation<M>),
    /// Its report was taken while these effects were open.
    Finished(Vec<EffectId>),
}

impl<M: Machine> Handle<M> {
    /// As [`Operation::poll`]; done once the report was taken.
    pub fn poll(&mut self, now: Instant) -> Step {
        match self {
            Handle::Running(operation) => operation.poll(now),
            Handle::Finished(_) => Step::Done,
        }
    }

    /// As [`Operation::reply`]; late replies are ignored.
    pub fn reply(&mut self, id: EffectId, reply: Reply) -> Result<(), Misuse> {
        match self {
            Handle::Running(operation) => operation.reply(id, reply),
            Handle::Finished(open) if open.contains(&id) => Ok(()),
            Handle::Finished(_) => Err(Misuse::Finished),
        }
    }

    /// As [`Operation::stop`].
    pub fn stop(&mut self) {
        if let Handle::Running(operation) = self {
            operation.stop();
        }
    }

    /// Takes the report, if the machine is of the right kind.
    pub fn take(&mut self, is_kind: impl FnOnce(&M) -> bool) -> Result<M::Report, Misuse> {
        let open = match self {
            Handle::Finished(_) => return Err(Misuse::Finished),
            Handle::Running(operation) if !is_kind(operation.machine()) => return Err(Misuse::AnotherKind),
            Handle::Running(operation) => operation.open(),
        };
        match core::mem::replace(self, Handle::Finished(open)) {
            Handle::Running(operation) => Ok(operation.finish()),
            Handle::Finished(_) => Err(Misuse::Finished),
        }
    }
}
