//! The built component in wasmtime: an empty linker, bounded memory, a deadline for every call.
//!
//! Compiled once per process. Every [`Component`] is an instance of its own; the operations begun in it share its
//! memory.

use super::words::{self, World, WorldPre, wit};
use super::{Answer, Engine, ManifestFacts, Run, Sample, Start};
use hydrant_core::batch::{Action, Answered, Direction, Object, Question, Refused};
use hydrant_core::config::Config;
use hydrant_core::contract::{EffectId, Instant, Misuse, Reply, Request, Step};
use hydrant_core::endpoint::{Endpoint, Setting};
use hydrant_core::error::Error;
use hydrant_core::locks::LockReport;
use hydrant_core::manifest::{Change, FileRef};
use hydrant_core::oid::Blob;
use hydrant_core::pointer::{Finding, Kind, Pointer};
use hydrant_core::publish::PublishReport;
use hydrant_core::reconcile::ReconcileReport;
use hydrant_core::report::Outcome;
use hydrant_core::status::{Fact, Status};
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
    let bytes = std::fs::read(component_path())
        .map_err(|error| format!("the component is not there ({}): run `cargo xtask build` first", error.kind()))?;
    let said = |error: wasmtime::Error| format!("the component cannot be used: {error:#}");
    let mut config = wasmtime::Config::new();
    config.wasm_component_model(true);
    config.epoch_interruption(true);
    let engine = wasmtime::Engine::new(&config).map_err(said)?;
    let component = wasmtime::component::Component::new(&engine, &bytes).map_err(said)?;
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
    Ok(Compiled { engine, world })
}

impl Component {
    /// A fresh instance of what `cargo xtask build` built.
    pub fn load() -> Result<Self, String> {
        let Compiled { engine, world } = compiled()?;
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

    fn ask(&self, endpoint: &str, question: &Question) -> Result<Option<Request>, Error> {
        let question = words::question(endpoint, question);
        let request = self.call(|store, world| world.hydrant_lfs_batches().call_ask(store, &question));
        request.map(|request| request.map(words::request)).map_err(words::error)
    }

    fn read(&self, endpoint: &str, question: &Question, answer: &Answer) -> Result<Answered, Refused> {
        let (question, answer) = (words::question(endpoint, question), words::answer(answer));
        let read = self.call(|store, world| world.hydrant_lfs_batches().call_read(store, &question, &answer));
        read.map(words::answered).map_err(words::refused)
    }

    fn verify(&self, blob: Blob, action: &Action) -> Result<Request, Error> {
        let (blob, action) = (words::blob_in(blob), words::action_in(action));
        let request = self.call(|store, world| world.hydrant_lfs_batches().call_verify(store, &blob, &action));
        request.map(words::request).map_err(words::error)
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

    fn default_config(&self, endpoint: &str) -> Config {
        words::config(self.call(|store, world| world.hydrant_lfs_operations().call_default_config(store, endpoint)))
    }

    fn begin(&self, config: &Config, start: &Start) -> Result<Box<dyn Run>, Error> {
        let config = words::config_in(config);
        let made = self.call(|store, world| {
            let operation = world.hydrant_lfs_operations().operation();
            match start {
                Start::Hydrate(wants) => operation.call_hydrate(store, &config, &words::wants(wants)),
                Start::HydrateSession(session) => operation.call_hydrate_session(store, &config, session),
                Start::Download(wants) => operation.call_download(store, &config, &words::wants(wants)),
                Start::Upload(sources) => operation.call_upload(store, &config, &words::sources(sources)),
                Start::Batch(direction, blobs) => {
                    let blobs: Vec<_> = blobs.iter().copied().map(words::blob_in).collect();
                    operation.call_batch(store, &config, words::direction(*direction), &blobs)
                }
                Start::Publish(it) => operation.call_publish(store, &config, &words::publication(it)),
                Start::Reconcile(repair) => operation.call_reconcile(store, &config, *repair),
                Start::Locks(task) => operation.call_locks(store, &config, &words::task(task)),
            }
        });
        let handle = made.map_err(words::error)?;
        Ok(Box::new(Running { of: self.clone(), handle: Some(handle) }))
    }
}

/// What a `finish-…` gives.
type Ended<R> = Result<R, wit::types::Error>;

/// An operation inside an instance. Dropping one that was not finished frees it there too.
struct Running {
    of: Component,
    handle: Option<ResourceAny>,
}

impl Running {
    fn handle(&self) -> ResourceAny {
        self.handle.expect("only finishing takes the handle, and it consumes the operation")
    }

    fn finish<R>(
        mut self,
        call: impl FnOnce(&mut Store<StoreLimits>, &World, ResourceAny) -> wasmtime::Result<Ended<R>>,
    ) -> Result<R, Error> {
        let handle = self.handle();
        self.handle = None;
        self.of.call(|store, world| call(store, world, handle)).map_err(words::error)
    }
}

impl Run for Running {
    fn poll(&mut self, now: Instant) -> Step {
        let now = wit::types::Instant { ticks: now.ticks, wall: now.wall };
        let handle = self.handle();
        words::step(
            self.of.call(|store, world| world.hydrant_lfs_operations().operation().call_poll(store, handle, now)),
        )
    }

    fn reply(&mut self, id: EffectId, reply: &Reply) -> Result<(), Misuse> {
        let (handle, reply) = (self.handle(), words::reply(reply));
        let taken = self
            .of
            .call(|store, world| world.hydrant_lfs_operations().operation().call_reply(store, handle, id.0, &reply));
        taken.map_err(words::misuse)
    }

    fn stop(&mut self) {
        let handle = self.handle();
        self.of.call(|store, world| world.hydrant_lfs_operations().operation().call_stop(store, handle));
    }

    fn finish_transfer(self: Box<Self>) -> Result<Vec<Outcome>, Error> {
        let outcomes = (*self).finish(|store, world, handle| {
            world.hydrant_lfs_operations().operation().call_finish_transfer(store, handle)
        })?;
        Ok(outcomes.into_iter().map(words::outcome).collect())
    }

    fn finish_publish(self: Box<Self>) -> Result<PublishReport, Error> {
        let report = (*self).finish(|store, world, handle| {
            world.hydrant_lfs_operations().operation().call_finish_publish(store, handle)
        })?;
        Ok(words::publish_report(report))
    }

    fn finish_reconcile(self: Box<Self>) -> Result<ReconcileReport, Error> {
        let report = (*self).finish(|store, world, handle| {
            world.hydrant_lfs_operations().operation().call_finish_reconcile(store, handle)
        })?;
        Ok(words::reconcile_report(report))
    }

    fn finish_batch(self: Box<Self>) -> Result<Vec<Object>, Error> {
        let objects = (*self).finish(|store, world, handle| {
            world.hydrant_lfs_operations().operation().call_finish_batch(store, handle)
        })?;
        Ok(objects.into_iter().map(words::object).collect())
    }

    fn finish_locks(self: Box<Self>) -> Result<LockReport, Error> {
        let report = (*self).finish(|store, world, handle| {
            world.hydrant_lfs_operations().operation().call_finish_locks(store, handle)
        })?;
        Ok(words::lock_report(report))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take()
            && let Ok(mut instance) = self.of.0.try_borrow_mut()
        {
            // Nothing to be done about a failure here; the instance goes with its last operation anyway.
            handle.resource_drop(&mut instance.store).ok();
        }
    }
}
