//! The engine behind one trait: the core as a Rust library, or the built component in a sandbox. Whatever judges the
//! engine is written against [`Engine`] and [`Run`] in the core's own types, so both forms face the same judge.

mod component;
mod ledgers;
mod native;
mod words;

pub use component::{Component, GUEST_MEMORY_BYTES_MAX, component_path, target};
pub use ledgers::Ledgers;
pub use native::Native;

use hydrant_core::batch::{Action, Answered, Direction, Object, Question, Refused};
use hydrant_core::config::Config;
use hydrant_core::contract::{EffectId, Head, Instant, Misuse, Reply, Request, Step};
use hydrant_core::endpoint::{Endpoint, Setting};
use hydrant_core::error::Error;
use hydrant_core::locks::{LockReport, Task};
use hydrant_core::manifest::{Change, FileRef};
use hydrant_core::oid::Blob;
use hydrant_core::pointer::{Finding, Kind, Pointer};
use hydrant_core::publish::{Publication, PublishReport};
use hydrant_core::reconcile::ReconcileReport;
use hydrant_core::report::{Outcome, Source, Want};
use hydrant_core::status::{Fact, Status};

/// The beginning of a file and the length of all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The first 1024 bytes, or all.
    pub head: Vec<u8>,
    /// Length of the whole file in bytes.
    pub file_size: u64,
}

impl Sample {
    /// What a host gives of a file with these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let head = bytes[..bytes.len().min(hydrant_core::limits::POINTER_BYTES_MAX)].to_vec();
        Self { head, file_size: bytes.len() as u64 }
    }
}

/// A complete answer to a batch request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Status and headers.
    pub head: Head,
    /// Body.
    pub body: Vec<u8>,
    /// Wall-clock milliseconds just before the request was sent.
    pub asked_at: u64,
    /// Wall-clock milliseconds now.
    pub now: u64,
}

/// What is read of a manifest, with everything in reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestFacts {
    /// Name of the session's folder.
    pub session_name: String,
    /// The id on disk, if there is one.
    pub session_id: Option<String>,
    /// The id on disk, or the derived one.
    pub effective_session_id: String,
    /// Repository, or empty.
    pub repo_id: String,
    /// Title, or empty.
    pub title: String,
    /// Agent, or empty.
    pub agent_type: String,
    /// RFC 3339, as written.
    pub created_at: String,
    /// Entries of the transcript.
    pub entry_count: Option<u64>,
    /// A placeholder.
    pub draft: bool,
    /// In file order.
    pub files: Vec<FileRef>,
}

/// Which operation to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// Objects into the cache, cache first.
    Hydrate(Vec<Want>),
    /// The blobs of a session into the cache.
    HydrateSession(String),
    /// Objects, whatever the cache has.
    Download(Vec<Want>),
    /// Files to the server.
    Upload(Vec<Source>),
    /// Ask and transfer nothing.
    Batch(Direction, Vec<Blob>),
    /// A session to its server and its ledger.
    Publish(Publication),
    /// The pointers of the next push; true repairs.
    Reconcile(bool),
    /// The lock API.
    Locks(Task),
}

/// Every function of the contract that is not a step of an operation, and the beginning of one.
pub trait Engine: Ledgers {
    /// `pointers.classify`
    fn classify(&self, file: &Sample) -> Kind;
    /// `pointers.classify-many`
    fn classify_many(&self, files: &[Sample]) -> Vec<Kind>;
    /// `pointers.pointer-shaped`
    fn pointer_shaped(&self, file: &Sample) -> bool;
    /// `pointers.appended-to`
    fn appended_to(&self, file: &Sample) -> Option<u64>;
    /// `pointers.explain`
    fn explain(&self, finding: Finding) -> String;
    /// `pointers.format`
    fn format(&self, pointer: &Pointer) -> Result<String, Error>;
    /// `batches.ask`
    fn ask(&self, endpoint: &str, question: &Question) -> Result<Option<Request>, Error>;
    /// `batches.read`
    #[allow(clippy::result_large_err, reason = "the core's own type")]
    fn read(&self, endpoint: &str, question: &Question, answer: &Answer) -> Result<Answered, Refused>;
    /// `batches.verify`
    fn verify(&self, blob: Blob, action: &Action) -> Result<Request, Error>;
    /// `batches.retry-after`
    fn retry_after(&self, value: &str, now: u64) -> Option<u64>;
    /// `endpoints.derive`
    fn derive(&self, settings: &[Setting], direction: Direction, remote: &str) -> Result<Endpoint, Error>;
    /// `endpoints.allowed-in-repository`
    fn allowed_in_repository(&self, key: &str) -> bool;
    /// `manifests.read`
    fn manifest(&self, text: &[u8]) -> Result<ManifestFacts, Error>;
    /// `manifests.merge`
    fn merge(&self, base: Option<&[u8]>, theirs: &[u8], ours: &[u8]) -> Result<Vec<u8>, Error>;
    /// `manifests.edit`
    fn edit(&self, text: &[u8], changes: &[Change]) -> Result<Vec<u8>, Error>;
    /// `manifests.derive-session-id`
    fn derive_session_id(&self, repo_id: &str, session_name: &str) -> String;
    /// `manifests.leak`
    fn leak(&self, text: &str) -> Option<String>;
    /// `manifests.name-flaw`
    fn name_flaw(&self, name: &str) -> Option<String>;
    /// `manifests.status`
    fn status(&self, files: &[FileRef], facts: &[Fact], object_bytes_max: u64) -> Result<Status, Error>;
    /// `operations.default-config`
    fn default_config(&self, endpoint: &str) -> Config;
    /// The constructors of `operations.operation`.
    fn begin(&self, config: &Config, start: &Start) -> Result<Box<dyn Run>, Error>;
}

/// One running operation.
pub trait Run {
    /// `operation.poll`
    fn poll(&mut self, now: Instant) -> Step;
    /// `operation.reply`
    fn reply(&mut self, id: EffectId, reply: &Reply) -> Result<(), Misuse>;
    /// `operation.stop`
    fn stop(&mut self);
    /// `operation.finish-transfer`
    fn finish_transfer(self: Box<Self>) -> Result<Vec<Outcome>, Error>;
    /// `operation.finish-publish`
    fn finish_publish(self: Box<Self>) -> Result<PublishReport, Error>;
    /// `operation.finish-reconcile`
    fn finish_reconcile(self: Box<Self>) -> Result<ReconcileReport, Error>;
    /// `operation.finish-batch`
    fn finish_batch(self: Box<Self>) -> Result<Vec<Object>, Error>;
    /// `operation.finish-locks`
    fn finish_locks(self: Box<Self>) -> Result<LockReport, Error>;
}
