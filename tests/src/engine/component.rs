//! The built component in wasmtime: an empty linker, bounded memory, a deadline for every call.
//!
//! It runs the code that `cargo xtask build` compiled for the host: no test carries a compiler. Every [`Component`] is
//! an instance of its own; the operations begun in it share its memory.

use super::words::{self, World, WorldPre, wit};
use super::{Answer, Engine, ManifestFacts, Run, Sample, Start};
use hydrant_ledger::manifest::{Change, FileRef};
use hydrant_ledger::publish::PublishReport;
use hydrant_ledger::reconcile::ReconcileReport;
use hydrant_ledger::status::{Fact, Status};
use hydrant_lfs::contract::{Config, Direction, EffectId, Instant, Misuse, Reply, Request, Step, TransferReport};
use hydrant_lfs::git_lfs::batch::{Action, BatchRequest, BatchResponse};
use hydrant_lfs::git_lfs::endpoint::{Endpoint, Setting};
use hydrant_lfs::git_lfs::pointer::{Finding, Kind, Pointer};
use hydrant_lfs::git_lfs::response_error::ResponseError;
use hydrant_lfs::operations::{BatchOutcome, LockReport};
use hydrant_lfs::{Blob, Error};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::OnceLock;
use std::time::Duration;
use wasmtime::component::{Linker, ResourceAny};
use wasmtime::{Store, StoreLimits, StoreLimitsBuilder};

/// Bytes of memory an instance may have, as in the host.
pub const GUEST_MEMORY_BYTES_MAX: usize = 256 << 20;
/// Milliseconds between two ticks of the deadline's clock.
const EPOCH_MS: u64 = 500;
/// Ticks a single call may take: a minute, for slow machines under load.
const CALL_EPOCHS_MAX: u64 = 120;

/// An instance of the component.
#[derive(Clone)]
pub struct Component(Rc<RefCell<Instance>>);

struct Instance {
    store: Store<StoreLimits>,
    world: World,
}

struct Compiled {
    engine: wasmtime::Engine,
    component: wasmtime::component::Component,
    world: WorldPre<StoreLimits>,
}

/// Where `cargo xtask build` puts the component; `HYDRANT_ENGINE_WASM` names another place.
pub fn component_path() -> PathBuf {
    if let Some(path) = std::env::var_os("HYDRANT_ENGINE_WASM") {
        return path.into();
    }
    target().join("dist/hydrant-engine.wasm")
}

/// Cargo's target folder.
pub fn target() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    workspace.join(target)
}

fn compiled() -> Result<&'static Compiled, String> {
    static COMPILED: OnceLock<Result<Compiled, String>> = OnceLock::new();
    COMPILED.get_or_init(compile).as_ref().map_err(Clone::clone)
}

fn compile() -> Result<Compiled, String> {
    let path = component_path().with_extension("cwasm");
    let said = |error: wasmtime::Error| format!("the component cannot be used: {error:#}");
    let mut config = wasmtime::Config::new();
    config.wasm_component_model(true);
    config.epoch_interruption(true);
    let engine = wasmtime::Engine::new(&config).map_err(said)?;
    // SAFETY: the file is made by `cargo xtask build` from the component beside it.
    let component = unsafe { wasmtime::component::Component::deserialize_file(&engine, &path) }
        .map_err(|error| format!("the component cannot be loaded: run `cargo xtask build` first: {error:#}"))?;
    // Empty: a component that imports anything does not instantiate.
    let linker = Linker::<StoreLimits>::new(&engine);
    let world = linker.instantiate_pre(&component).and_then(WorldPre::new).map_err(said)?;
    let clock = engine.clone();
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_millis(EPOCH_MS));
            clock.increment_epoch();
        }
    });
    Ok(Compiled { engine, component, world })
}

impl Component {
    /// What `cargo xtask build` compiled.
    pub fn compiled() -> Result<(&'static wasmtime::Engine, &'static wasmtime::component::Component), String> {
        compiled().map(|it| (&it.engine, &it.component))
    }

    /// A fresh instance of what `cargo xtask build` built.
    pub fn load() -> Result<Self, String> {
        let Compiled { engine, world, .. } = compiled()?;
        let mut store = Store::new(engine, StoreLimitsBuilder::new().memory_size(GUEST_MEMORY_BYTES_MAX).build());
        store.limiter(|limits| limits);
        store.set_epoch_deadline(CALL_EPOCHS_MAX);
        let world =
            world.instantiate(&mut store).map_err(|error| format!("the component does not start: {error:#}"))?;
        Ok(Self(Rc::new(RefCell::new(Instance { store, world }))))
    }

    /// A call. No input makes the component trap, so a trap is a failure of the test that made the call.
    pub(super) fn call<R>(&self, call: impl FnOnce(&mut Store<StoreLimits>, &World) -> wasmtime::Result<R>) -> R {
        let Instance { store, world } = &mut *self.0.borrow_mut();
        store.set_epoch_deadline(CALL_EPOCHS_MAX);
        call(store, world).unwrap_or_else(|error| panic!("the component trapped: {error:#}"))
    }
}

impl Engine for Component {
    fn classify(&self, file: &Sample) -> Kind {
        let file = words::sample(file);
        words::kind(self.call(|store, world| world.hydrant_lfs_pointers().call_classify(store, &file)))
    }

    fn classify_many(&self, files: &[Sample]) -> Vec<Kind> {
        let files: Vec<_> = files.iter().map(words::sample).collect();
        let kinds = self.call(|store, world| world.hydrant_lfs_pointers().call_classify_many(store, &files));
        kinds.into_iter().map(words::kind).collect()
    }

    fn pointer_shaped(&self, file: &Sample) -> bool {
        let file = words::sample(file);
        self.call(|store, world| world.hydrant_lfs_pointers().call_pointer_shaped(store, &file))
    }

    fn appended_to(&self, file: &Sample) -> Option<u64> {
        let file = words::sample(file);
        self.call(|store, world| world.hydrant_lfs_pointers().call_appended_to(store, &file))
    }

    fn explain(&self, finding: Finding) -> String {
        let finding = words::finding_in(finding);
        self.call(|store, world| world.hydrant_lfs_pointers().call_explain(store, finding))
    }

    fn format(&self, pointer: &Pointer) -> Result<String, Error> {
        let pointer = words::pointer_in(pointer);
        let text = self.call(|store, world| world.hydrant_lfs_pointers().call_format(store, &pointer));
        text.map_err(words::error)
    }

    fn write_request(&self, endpoint: &str, request: &BatchRequest) -> Result<Option<Request>, Error> {
        let request = words::batch_request(endpoint, request);
        let written = self.call(|store, world| world.hydrant_lfs_batches().call_write_request(store, &request));
        written.map(|written| written.map(words::request)).map_err(words::error)
    }

    fn read_response(
        &self,
        endpoint: &str,
        request: &BatchRequest,
        answer: &Answer,
    ) -> Result<BatchResponse, ResponseError> {
        let (request, response) = (words::batch_request(endpoint, request), words::response(answer));
        let read = self.call(|store, world| world.hydrant_lfs_batches().call_read_response(store, &request, &response));
        read.map(words::batch_response).map_err(words::response_error)
    }

    fn verify_request(&self, blob: Blob, action: &Action) -> Result<Request, Error> {
        let (blob, action) = (words::blob_in(blob), words::action_in(action));
        let written = self.call(|store, world| world.hydrant_lfs_batches().call_verify_request(store, &blob, &action));
        written.map(words::request).map_err(words::error)
    }

    fn retry_after(&self, value: &str, now: u64) -> Option<u64> {
        self.call(|store, world| world.hydrant_lfs_batches().call_retry_after(store, value, now))
    }

    fn derive(&self, settings: &[Setting], direction: Direction, remote: &str) -> Result<Endpoint, Error> {
        let (settings, direction) = (words::settings(settings), words::direction(direction));
        let found =
            self.call(|store, world| world.hydrant_lfs_endpoints().call_derive(store, &settings, direction, remote));
        found.map(words::endpoint).map_err(words::error)
    }

    fn allowed_in_repository(&self, key: &str) -> bool {
        self.call(|store, world| world.hydrant_lfs_endpoints().call_allowed_in_repository(store, key))
    }

    fn manifest(&self, text: &[u8]) -> Result<ManifestFacts, Error> {
        let read = self.call(|store, world| world.hydrant_lfs_manifests().call_read(store, text));
        read.map(words::manifest).map_err(words::error)
    }

    fn merge(&self, base: Option<&[u8]>, theirs: &[u8], ours: &[u8]) -> Result<Vec<u8>, Error> {
        self.call(|store, world| world.hydrant_lfs_manifests().call_merge(store, base, theirs, ours))
            .map_err(words::error)
    }

    fn edit(&self, text: &[u8], changes: &[Change]) -> Result<Vec<u8>, Error> {
        let changes: Vec<_> = changes.iter().map(words::change).collect();
        let edited = self.call(|store, world| world.hydrant_lfs_manifests().call_edit(store, text, &changes));
        edited.map_err(words::error)
    }

    fn derive_session_id(&self, repo_id: &str, session_name: &str) -> String {
        self.call(|store, world| world.hydrant_lfs_manifests().call_derive_session_id(store, repo_id, session_name))
    }

    fn leak(&self, text: &str) -> Option<String> {
        self.call(|store, world| world.hydrant_lfs_manifests().call_leak(store, text))
    }

    fn name_flaw(&self, name: &str) -> Option<String> {
        self.call(|store, world| world.hydrant_lfs_manifests().call_name_flaw(store, name))
    }

    fn status(&self, files: &[FileRef], facts: &[Fact], object_bytes_max: u64) -> Result<Status, Error> {
        let files: Vec<_> = files.iter().map(words::file_ref).collect();
        let facts: Vec<_> = facts.iter().map(words::fact).collect();
        let status = self
            .call(|store, world| world.hydrant_lfs_manifests().call_status(store, &files, &facts, object_bytes_max));
        status.map(words::status).map_err(words::error)
    }

    fn default_config(&self, endpoint: &str, seed: u64) -> Config {
        let config =
            self.call(|store, world| world.hydrant_lfs_operations().call_default_config(store, endpoint, seed));
        words::config(config)
    }

    fn version(&self) -> String {
        self.call(|store, world| world.hydrant_lfs_operations().call_version(store))
    }

    fn begin(&self, config: &Config, start: &Start) -> Result<Box<dyn Run>, Error> {
        let config = words::config_in(config);
        let made = self.call(|store, world| {
            let operation = world.hydrant_lfs_operations().operation();
            let sessions = world.hydrant_lfs_sessions();
            match start {
                Start::Hydrate(wants) => operation.call_hydrate(store, &config, &words::wants(wants)),
                Start::HydrateSession(session) => sessions.call_hydrate_session(store, &config, session),
                Start::Download(wants) => operation.call_download(store, &config, &words::wants(wants)),
                Start::Upload(sources) => operation.call_upload(store, &config, &words::sources(sources)),
                Start::Batch(direction, blobs) => {
                    let blobs: Vec<_> = blobs.iter().copied().map(words::blob_in).collect();
                    operation.call_batch(store, &config, words::direction(*direction), &blobs)
                }
                Start::Publish(it) => sessions.call_publish(store, &config, &words::publication(it)),
                Start::Reconcile(repair) => sessions.call_reconcile(store, &config, *repair),
                Start::Locks(task) => operation.call_locks(store, &config, &words::task(task)),
            }
        });
        let handle = made.map_err(words::error)?;
        Ok(Box::new(Running { of: self.clone(), handle }))
    }
}

/// An operation inside an instance. Dropping it frees it there too.
struct Running {
    of: Component,
    handle: ResourceAny,
}

impl Running {
    fn call<R>(&self, call: impl FnOnce(&mut Store<StoreLimits>, &World, ResourceAny) -> wasmtime::Result<R>) -> R {
        self.of.call(|store, world| call(store, world, self.handle))
    }
}

impl Run for Running {
    fn poll(&mut self, now: Instant) -> Step {
        let now = wit::types::Instant { ticks: now.ticks, wall: now.wall };
        words::step(self.call(|store, world, it| world.hydrant_lfs_operations().operation().call_poll(store, it, now)))
    }

    fn reply(&mut self, id: EffectId, reply: &Reply) -> Result<(), Misuse> {
        let reply = words::reply(reply);
        let taken = self
            .call(|store, world, it| world.hydrant_lfs_operations().operation().call_reply(store, it, id.0, &reply));
        taken.map_err(words::misuse)
    }

    fn stop(&mut self) {
        self.call(|store, world, it| world.hydrant_lfs_operations().operation().call_stop(store, it));
    }

    fn transfer_report(&mut self) -> Result<TransferReport, Misuse> {
        let report =
            self.call(|store, world, it| world.hydrant_lfs_operations().operation().call_finish_transfer(store, it));
        report.map(words::transfer_report).map_err(words::misuse)
    }

    fn batch_report(&mut self) -> Result<Vec<BatchOutcome>, Misuse> {
        let outcomes =
            self.call(|store, world, it| world.hydrant_lfs_operations().operation().call_finish_batch(store, it));
        outcomes.map(|it| it.into_iter().map(words::batch_outcome).collect()).map_err(words::misuse)
    }

    fn lock_report(&mut self) -> Result<LockReport, Misuse> {
        let report =
            self.call(|store, world, it| world.hydrant_lfs_operations().operation().call_finish_locks(store, it));
        report.map(words::lock_report).map_err(words::misuse)
    }

    fn publish_report(&mut self) -> Result<PublishReport, Misuse> {
        let report = self.call(|store, world, it| world.hydrant_lfs_sessions().call_finish_publish(store, it));
        report.map(words::publish_report).map_err(words::misuse)
    }

    fn reconcile_report(&mut self) -> Result<ReconcileReport, Misuse> {
        let report = self.call(|store, world, it| world.hydrant_lfs_sessions().call_finish_reconcile(store, it));
        report.map(words::reconcile_report).map_err(words::misuse)
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an operation in a sandbox")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(mut instance) = self.of.0.try_borrow_mut() {
            // Nothing to be done about a failure here; the instance goes with its last operation anyway.
            self.handle.resource_drop(&mut instance.store).ok();
        }
    }
}
