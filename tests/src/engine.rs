//! The engine behind one trait: the core as a Rust library, or the built component in a sandbox. Whatever judges the
//! engine is written against [`Engine`] and [`Run`] in the core's own types, so both forms face the same judge.

mod component;
mod ledgers;
mod native;
mod words;

pub use component::{Component, GUEST_MEMORY_BYTES_MAX, component_path, target};
pub use ledgers::Ledgers;
pub use native::Native;

use hydrant_ledger::manifest::{Change, FileRef};
use hydrant_ledger::publish::{Publication, PublishReport};
use hydrant_ledger::reconcile::ReconcileReport;
use hydrant_ledger::status::{Fact, Status};
use hydrant_lfs::contract::Config;
use hydrant_lfs::contract::{Direction, TransferReport};
use hydrant_lfs::contract::{EffectId, Head, Instant, Misuse, Reply, Request, Step};
use hydrant_lfs::contract::{Outcome, Source, Want};
use hydrant_lfs::git_lfs::batch::{Action, BatchObject, BatchRequest, BatchResponse};
use hydrant_lfs::git_lfs::endpoint::{Endpoint, Setting};
use hydrant_lfs::git_lfs::pointer::{Finding, Kind, Pointer};
use hydrant_lfs::git_lfs::response_error::ResponseError;
use hydrant_lfs::operations::{BatchOutcome, LockReport, LockTask};
use hydrant_lfs::text::error::{Code, Error};
use hydrant_lfs::text::oid::Blob;
use std::fmt::Debug;

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
        let head = bytes[..bytes.len().min(hydrant_lfs::text::limits::POINTER_BYTES_MAX)].to_vec();
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
    Locks(LockTask),
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
    /// `batches.write-request`
    fn write_request(&self, endpoint: &str, request: &BatchRequest) -> Result<Option<Request>, Error>;
    /// `batches.read-response`
    #[allow(clippy::result_large_err, reason = "the core's own type")]
    fn read_response(
        &self,
        endpoint: &str,
        request: &BatchRequest,
        answer: &Answer,
    ) -> Result<BatchResponse, ResponseError>;
    /// `batches.verify-request`
    fn verify_request(&self, blob: Blob, action: &Action) -> Result<Request, Error>;
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
    fn default_config(&self, endpoint: &str, seed: u64) -> Config;
    /// `operations.version`
    fn version(&self) -> String;
    /// The constructors of `operations.operation`.
    fn begin(&self, config: &Config, start: &Start) -> Result<Box<dyn Run>, Error>;
}

/// One running operation.
pub trait Run: Debug {
    /// `operation.poll`
    fn poll(&mut self, now: Instant) -> Step;
    /// `operation.reply`
    fn reply(&mut self, id: EffectId, reply: &Reply) -> Result<(), Misuse>;
    /// `operation.stop`
    fn stop(&mut self);
    /// `operation.finish-transfer`
    fn transfer_report(&mut self) -> Result<TransferReport, Misuse>;
    /// `operation.finish-batch`
    fn batch_report(&mut self) -> Result<Vec<BatchOutcome>, Misuse>;
    /// `operation.finish-locks`
    fn lock_report(&mut self) -> Result<LockReport, Misuse>;
    /// `sessions.finish-publish`
    fn publish_report(&mut self) -> Result<PublishReport, Misuse>;
    /// `sessions.finish-reconcile`
    fn reconcile_report(&mut self) -> Result<ReconcileReport, Misuse>;

    /// The outcomes of a transfer, or why it failed as a whole.
    fn outcomes(&mut self) -> Result<Vec<Outcome>, Error> {
        let report = self.transfer_report().map_err(misused)?;
        report.ended.map(|()| report.outcomes)
    }

    /// The objects of a batch, or the first error.
    fn objects(&mut self) -> Result<Vec<BatchObject>, Error> {
        self.batch_report().map_err(misused)?.into_iter().map(|outcome| outcome.answer).collect()
    }
}

/// A misuse as an error, for tests that expect none.
fn misused(misuse: Misuse) -> Error {
    Error::new(Code::Host, format_args!("{misuse:?}"))
}
