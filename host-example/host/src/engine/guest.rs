//! One sandbox and the pure functions of the engine, as plain Rust calls.

mod ledgers;

use wasmtime::Store;
use wasmtime::component::ResourceAny;

use super::{CALL_MS_MAX, Cell, EPOCH_MS, Operation, stopped};
use crate::contract::World;
use crate::contract::batches::{Action, BatchRequest, BatchResponse, HttpResponse, ResponseError};
use crate::contract::endpoints::{Endpoint, Setting};
use crate::contract::error::HostError;
use crate::contract::manifests::{Change, Fact, FileRef, Manifest, SessionStatus};
use crate::contract::operations::{Config, HostLimits, LockTask, Source, Want};
use crate::contract::pointers::{Finding, Kind, Pointer, Sample};
use crate::contract::sessions::Publication;
use crate::contract::types::{Blob, Direction, Error, Request};

/// What a constructor of an operation returns: the engine may refuse its input.
type Made = Result<ResourceAny, Error>;

/// A sandbox with the engine inside. Reusable for any number of pure calls; an operation takes it over.
pub struct Guest {
    store: Store<Cell>,
    world: World,
}

impl Guest {
    pub(super) fn new(store: Store<Cell>, world: World) -> Self {
        Guest { store, world }
    }

    /// One call with its own deadline. A trap poisons the sandbox: every later call fails as well.
    pub(super) fn call<R>(
        &mut self,
        call: impl FnOnce(&mut Store<Cell>, &World) -> wasmtime::Result<R>,
    ) -> Result<R, HostError> {
        self.store.set_epoch_deadline(CALL_MS_MAX.div_ceil(EPOCH_MS));
        call(&mut self.store, &self.world).map_err(stopped)
    }

    fn try_call<R>(
        &mut self,
        call: impl FnOnce(&mut Store<Cell>, &World) -> wasmtime::Result<Result<R, Error>>,
    ) -> Result<R, HostError> {
        self.call(call)?.map_err(HostError::Engine)
    }

    /// What a file is, judged on its first 1024 bytes.
    pub fn classify(&mut self, file: &Sample) -> Result<Kind, HostError> {
        self.call(|store, world| world.hydrant_lfs_pointers().call_classify(store, file))
    }

    /// The same for many small files at once.
    pub fn classify_many(&mut self, files: &[Sample]) -> Result<Vec<Kind>, HostError> {
        self.call(|store, world| world.hydrant_lfs_pointers().call_classify_many(store, files))
    }

    /// Whether these bytes may never be uploaded as content.
    pub fn pointer_shaped(&mut self, file: &Sample) -> Result<bool, HostError> {
        self.call(|store, world| world.hydrant_lfs_pointers().call_pointer_shaped(store, file))
    }

    /// Bytes of the pointer that a file begins with, when something was appended to it.
    pub fn appended_to(&mut self, file: &Sample) -> Result<Option<u64>, HostError> {
        self.call(|store, world| world.hydrant_lfs_pointers().call_appended_to(store, file))
    }

    /// One sentence about a finding.
    pub fn explain(&mut self, finding: Finding) -> Result<String, HostError> {
        self.call(|store, world| world.hydrant_lfs_pointers().call_explain(store, finding))
    }

    /// The canonical text of a pointer.
    pub fn format(&mut self, pointer: &Pointer) -> Result<String, HostError> {
        self.try_call(|store, world| world.hydrant_lfs_pointers().call_format(store, pointer))
    }

    /// Where the LFS server is, from git's configuration.
    pub fn derive_endpoint(
        &mut self,
        settings: &[Setting],
        direction: Direction,
        remote: &str,
    ) -> Result<Endpoint, HostError> {
        self.try_call(|store, world| world.hydrant_lfs_endpoints().call_derive(store, settings, direction, remote))
    }

    /// Whether `.lfsconfig` may set this key.
    pub fn allowed_in_repository(&mut self, key: &str) -> Result<bool, HostError> {
        self.call(|store, world| world.hydrant_lfs_endpoints().call_allowed_in_repository(store, key))
    }

    /// Version of the engine.
    pub fn version(&mut self) -> Result<String, HostError> {
        self.call(|store, world| world.hydrant_lfs_operations().call_version(store))
    }

    /// The numbers that a host keeps to.
    pub fn limits(&mut self) -> Result<HostLimits, HostError> {
        self.call(|store, world| world.hydrant_lfs_operations().call_limits(store))
    }

    /// The default configuration of an operation for this endpoint; the seed must be random.
    pub fn default_config(&mut self, endpoint: &str, seed: u64) -> Result<Config, HostError> {
        self.call(|store, world| world.hydrant_lfs_operations().call_default_config(store, endpoint, seed))
    }

    /// The facts of a manifest.
    pub fn manifest_read(&mut self, text: &[u8]) -> Result<Manifest, HostError> {
        self.try_call(|store, world| world.hydrant_lfs_manifests().call_read(store, text))
    }

    /// The same manifest with some fields changed.
    pub fn manifest_edit(&mut self, text: &[u8], edits: &[Change]) -> Result<Vec<u8>, HostError> {
        self.try_call(|store, world| world.hydrant_lfs_manifests().call_edit(store, text, edits))
    }

    /// The session id that repository and name give.
    pub fn derive_session_id(&mut self, repository: &str, session: &str) -> Result<String, HostError> {
        self.call(|store, world| world.hydrant_lfs_manifests().call_derive_session_id(store, repository, session))
    }

    /// Why a title or summary must not be shown; none when it may.
    pub fn leak(&mut self, text: &str) -> Result<Option<String>, HostError> {
        self.call(|store, world| world.hydrant_lfs_manifests().call_leak(store, text))
    }

    /// Why a name cannot be used for a file of a session; none when it can.
    pub fn name_flaw(&mut self, name: &str) -> Result<Option<String>, HostError> {
        self.call(|store, world| world.hydrant_lfs_manifests().call_name_flaw(store, name))
    }

    /// How much of a session can be read here.
    pub fn status(
        &mut self,
        files: &[FileRef],
        facts: &[Fact],
        object_bytes_max: u64,
    ) -> Result<SessionStatus, HostError> {
        self.try_call(|store, world| world.hydrant_lfs_manifests().call_status(store, files, facts, object_bytes_max))
    }

    /// The batch request to send; none when there is nothing to ask.
    pub fn batch_request(&mut self, request: &BatchRequest) -> Result<Option<Request>, HostError> {
        self.try_call(|store, world| world.hydrant_lfs_batches().call_write_request(store, request))
    }

    /// What a batch answer means.
    pub fn batch_response(
        &mut self,
        request: &BatchRequest,
        response: &HttpResponse,
    ) -> Result<Result<BatchResponse, ResponseError>, HostError> {
        self.call(|store, world| world.hydrant_lfs_batches().call_read_response(store, request, response))
    }

    /// The request that tells a server to check an upload.
    pub fn verify_request(&mut self, blob: &Blob, action: &Action) -> Result<Request, HostError> {
        self.try_call(|store, world| world.hydrant_lfs_batches().call_verify_request(store, blob, action))
    }

    /// Milliseconds a Retry-After value asks for.
    pub fn retry_after(&mut self, value: &str, now: u64) -> Result<Option<u64>, HostError> {
        self.call(|store, world| world.hydrant_lfs_batches().call_retry_after(store, value, now))
    }

    /// Brings objects into the cache.
    pub fn hydrate(self, config: &Config, wants: &[Want]) -> Result<Operation, HostError> {
        self.begin(|store, world| world.hydrant_lfs_operations().operation().call_hydrate(store, config, wants))
    }

    /// Brings the blobs of a session into the cache.
    pub fn hydrate_session(self, config: &Config, session: &str) -> Result<Operation, HostError> {
        self.begin(|store, world| world.hydrant_lfs_sessions().call_hydrate_session(store, config, session))
    }

    /// Fetches and verifies objects, whatever the cache has.
    pub fn download(self, config: &Config, wants: &[Want]) -> Result<Operation, HostError> {
        self.begin(|store, world| world.hydrant_lfs_operations().operation().call_download(store, config, wants))
    }

    /// Hashes files, then brings their bytes to the server.
    pub fn upload(self, config: &Config, sources: &[Source]) -> Result<Operation, HostError> {
        self.begin(|store, world| world.hydrant_lfs_operations().operation().call_upload(store, config, sources))
    }

    /// Asks the server about objects and transfers nothing.
    pub fn batch(self, config: &Config, direction: Direction, objects: &[Blob]) -> Result<Operation, HostError> {
        self.begin(|store, world| {
            world.hydrant_lfs_operations().operation().call_batch(store, config, direction, objects)
        })
    }

    /// Publishes a session.
    pub fn publish(self, config: &Config, publication: &Publication) -> Result<Operation, HostError> {
        self.begin(|store, world| world.hydrant_lfs_sessions().call_publish(store, config, publication))
    }

    /// Finds pointers of the next push whose blob the server lacks, and cures that when it is to.
    pub fn reconcile(self, config: &Config, repair: bool) -> Result<Operation, HostError> {
        self.begin(|store, world| world.hydrant_lfs_sessions().call_reconcile(store, config, repair))
    }

    /// Uses the server's lock API.
    pub fn locks(self, config: &Config, task: &LockTask) -> Result<Operation, HostError> {
        self.begin(|store, world| world.hydrant_lfs_operations().operation().call_locks(store, config, task))
    }

    fn begin(
        mut self,
        make: impl FnOnce(&mut Store<Cell>, &World) -> wasmtime::Result<Made>,
    ) -> Result<Operation, HostError> {
        let handle = self.try_call(make)?;
        Ok(Operation::new(self, handle))
    }
}
