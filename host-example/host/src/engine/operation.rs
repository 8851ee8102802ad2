//! One running protocol inside its own sandbox.

use wasmtime::Store;
use wasmtime::component::ResourceAny;

use super::{Cell, Guest};
use crate::contract::World;
use crate::contract::error::HostError;
use crate::contract::operations::{BatchOutcome, LockReport, TransferReport};
use crate::contract::sessions::{PublishReport, ReconcileReport};
use crate::contract::types::{EffectId, Instant, Misuse, Reply, Step};

/// An operation. Drive it to `done`, then call the `finish_…` of its kind.
pub struct Operation {
    guest: Guest,
    handle: ResourceAny,
}

impl Operation {
    pub(super) fn new(guest: Guest, handle: ResourceAny) -> Self {
        Operation { guest, handle }
    }

    /// What to do next. Time enters here and nowhere else.
    pub fn poll(&mut self, now: Instant) -> Result<Step, HostError> {
        let handle = self.handle;
        self.guest.call(|store, world| world.hydrant_lfs_operations().operation().call_poll(store, handle, now))
    }

    /// Answers an effect.
    pub fn reply(&mut self, id: EffectId, reply: &Reply) -> Result<(), HostError> {
        let handle = self.handle;
        self.guest
            .call(|store, world| world.hydrant_lfs_operations().operation().call_reply(store, handle, id, reply))?
            .map_err(HostError::Misuse)
    }

    /// Asks the operation to come to an end soon.
    pub fn stop(&mut self) -> Result<(), HostError> {
        let handle = self.handle;
        self.guest.call(|store, world| world.hydrant_lfs_operations().operation().call_stop(store, handle))
    }

    /// What a hydrate, download or upload came to.
    pub fn finish_transfer(self) -> Result<TransferReport, HostError> {
        self.finish(|store, world, handle| {
            world.hydrant_lfs_operations().operation().call_finish_transfer(store, handle)
        })
    }

    /// What the server said of each object of a batch.
    pub fn finish_batch(self) -> Result<Vec<BatchOutcome>, HostError> {
        self.finish(|store, world, handle| world.hydrant_lfs_operations().operation().call_finish_batch(store, handle))
    }

    /// What a publish came to, however it ended.
    pub fn finish_publish(self) -> Result<PublishReport, HostError> {
        self.finish(|store, world, handle| world.hydrant_lfs_sessions().call_finish_publish(store, handle))
    }

    /// What a reconcile found and did, however it ended.
    pub fn finish_reconcile(self) -> Result<ReconcileReport, HostError> {
        self.finish(|store, world, handle| world.hydrant_lfs_sessions().call_finish_reconcile(store, handle))
    }

    /// What became of a lock task.
    pub fn finish_locks(self) -> Result<LockReport, HostError> {
        self.finish(|store, world, handle| world.hydrant_lfs_operations().operation().call_finish_locks(store, handle))
    }

    fn finish<R>(
        mut self,
        finish: impl FnOnce(&mut Store<Cell>, &World, ResourceAny) -> wasmtime::Result<Result<R, Misuse>>,
    ) -> Result<R, HostError> {
        let handle = self.handle;
        self.guest.call(|store, world| finish(store, world, handle))?.map_err(HostError::Misuse)
    }
}
