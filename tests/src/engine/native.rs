//! The core, called directly.

use super::{Answer, Engine, ManifestFacts, Run, Sample, Start};
use hydrant_ledger::hydrate_session::HydrateSession;
use hydrant_ledger::manifest::{self, Change, FileRef, Manifest};
use hydrant_ledger::publish::{Publish, PublishReport};
use hydrant_ledger::reconcile::{Reconcile, ReconcileReport};
use hydrant_ledger::status::{self, Fact, Status};
use hydrant_ledger::{hydrate_session, name, publish, reconcile};
use hydrant_lfs::contract::{Config, Direction, EffectId, Instant, Misuse, Reply, Request, Step, TransferReport};
use hydrant_lfs::git_lfs::batch::{self, Action, BatchRequest, BatchResponse};
use hydrant_lfs::git_lfs::endpoint::{self, Endpoint, Setting};
use hydrant_lfs::git_lfs::pointer::{self, Finding, Kind, Pointer};
use hydrant_lfs::git_lfs::response_error::ResponseError;
use hydrant_lfs::operations::{Batch, BatchOutcome, Download, LockReport, Locks, Machine, Upload};
use hydrant_lfs::protocol::outgoing;
use hydrant_lfs::text::headers;
use hydrant_lfs::{Blob, Error, Handle, Operation, Seeds};

/// The core as a library.
#[derive(Clone, Copy, Debug, Default)]
pub struct Native;

impl Engine for Native {
    fn classify(&self, file: &Sample) -> Kind {
        pointer::classify(&file.head, file.file_size)
    }

    fn classify_many(&self, files: &[Sample]) -> Vec<Kind> {
        files.iter().map(|file| self.classify(file)).collect()
    }

    fn pointer_shaped(&self, file: &Sample) -> bool {
        pointer::pointer_shaped(&file.head, file.file_size)
    }

    fn appended_to(&self, file: &Sample) -> Option<u64> {
        pointer::appended_to(&file.head, file.file_size).map(|bytes| bytes as u64)
    }

    fn explain(&self, finding: Finding) -> String {
        finding.explain()
    }

    fn format(&self, pointer: &Pointer) -> Result<String, Error> {
        pointer::format(pointer.blob, &pointer.extensions)
    }

    fn write_request(&self, endpoint: &str, request: &BatchRequest) -> Result<Option<Request>, Error> {
        outgoing::batch_request(endpoint, request)
    }

    fn read_response(
        &self,
        _endpoint: &str,
        request: &BatchRequest,
        answer: &Answer,
    ) -> Result<BatchResponse, ResponseError> {
        batch::read_response(request, &answer.head, &answer.body, answer.asked_at, answer.now)
    }

    fn verify_request(&self, blob: Blob, action: &Action) -> Result<Request, Error> {
        outgoing::verify_request(blob, action)
    }

    fn retry_after(&self, value: &str, now: u64) -> Option<u64> {
        headers::retry_after(value, now)
    }

    fn derive(&self, settings: &[Setting], direction: Direction, remote: &str) -> Result<Endpoint, Error> {
        endpoint::derive(settings, direction, remote)
    }

    fn allowed_in_repository(&self, key: &str) -> bool {
        endpoint::allowed_in_repository(key)
    }

    fn manifest(&self, text: &[u8]) -> Result<ManifestFacts, Error> {
        let manifest = Manifest::parse(text)?;
        Ok(ManifestFacts {
            effective_session_id: manifest.effective_session_id(),
            files: manifest.files().to_vec(),
            session_name: manifest.session_name,
            session_id: manifest.session_id,
            repo_id: manifest.repo_id,
            title: manifest.title,
            agent_type: manifest.agent_type,
            created_at: manifest.created_at,
            entry_count: manifest.entry_count,
            draft: manifest.draft,
        })
    }

    fn merge(&self, base: Option<&[u8]>, theirs: &[u8], ours: &[u8]) -> Result<Vec<u8>, Error> {
        manifest::merge(base, theirs, ours)
    }

    fn edit(&self, text: &[u8], changes: &[Change]) -> Result<Vec<u8>, Error> {
        manifest::edit(text, changes)
    }

    fn derive_session_id(&self, repo_id: &str, session_name: &str) -> String {
        manifest::derive_session_id(repo_id, session_name)
    }

    fn leak(&self, text: &str) -> Option<String> {
        manifest::leak(text).map(str::to_owned)
    }

    fn name_flaw(&self, name: &str) -> Option<String> {
        name::flaw(name).map(str::to_owned)
    }

    fn status(&self, files: &[FileRef], facts: &[Fact], object_bytes_max: u64) -> Result<Status, Error> {
        Ok(status::status(files, facts, object_bytes_max))
    }

    fn default_config(&self, endpoint: &str, seed: u64) -> Config {
        Config::new(endpoint, seed)
    }

    fn version(&self) -> String {
        env!("CARGO_PKG_VERSION").to_owned()
    }

    fn begin(&self, config: &Config, start: &Start) -> Result<Box<dyn Run>, Error> {
        let config = config.clone();
        match start.clone() {
            Start::Hydrate(wants) => begin(config, |config| Operation::hydrate(config, wants)),
            Start::HydrateSession(session) => begin(config, |config| hydrate_session(config, &session)),
            Start::Download(wants) => begin(config, |config| Operation::download(config, wants)),
            Start::Upload(sources) => begin(config, |config| Operation::upload(config, sources)),
            Start::Batch(direction, objects) => begin(config, |config| Operation::batch(config, direction, &objects)),
            Start::Publish(publication) => begin(config, |config| publish(config, publication)),
            Start::Reconcile(repair) => begin(config, |config| reconcile(config, repair)),
            Start::Locks(task) => begin(config, |config| Operation::locks(config, task)),
        }
    }
}

/// Begins an operation as the only one of its process: a simulation has a process for each.
fn begin<M: Reporting + 'static>(
    config: Config,
    operation: impl FnOnce(Config) -> Result<Operation<M>, Error>,
) -> Result<Box<dyn Run>, Error> {
    let seed = Seeds::default().take(config.seed)?;
    Ok(Box::new(Handle::new(operation(config)?, seed)))
}

/// What a machine came to, whatever its kind.
enum AnyReport {
    Transfer(TransferReport),
    Batch(Vec<BatchOutcome>),
    Locks(LockReport),
    Publish(PublishReport),
    Reconcile(ReconcileReport),
}

/// The kinds of reports.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Transfer,
    Batch,
    Locks,
    Publish,
    Reconcile,
}

/// A machine whose kind of report is known.
trait Reporting: Machine + std::fmt::Debug {
    const OF: Of;
    fn any(report: Self::Report) -> AnyReport;
}

macro_rules! kinds {
    ($($machine:ty => $of:ident)*) => {
        $(impl Reporting for $machine {
            const OF: Of = Of::$of;
            fn any(report: Self::Report) -> AnyReport {
                AnyReport::$of(report)
            }
        })*
    };
}

kinds! {
    Download => Transfer
    HydrateSession => Transfer
    Upload => Transfer
    Batch => Batch
    Locks => Locks
    Publish => Publish
    Reconcile => Reconcile
}

fn take<M: Reporting>(handle: &mut Handle<M>, of: Of) -> Result<AnyReport, Misuse> {
    handle.take(|_| M::OF == of).map(M::any)
}

impl<M: Reporting> Run for Handle<M> {
    fn poll(&mut self, now: Instant) -> Step {
        Handle::poll(self, now)
    }

    fn reply(&mut self, id: EffectId, reply: &Reply) -> Result<(), Misuse> {
        Handle::reply(self, id, reply.clone())
    }

    fn stop(&mut self) {
        Handle::stop(self);
    }

    fn transfer_report(&mut self) -> Result<TransferReport, Misuse> {
        match take(self, Of::Transfer)? {
            AnyReport::Transfer(report) => Ok(report),
            _ => Err(Misuse::AnotherKind),
        }
    }

    fn batch_report(&mut self) -> Result<Vec<BatchOutcome>, Misuse> {
        match take(self, Of::Batch)? {
            AnyReport::Batch(report) => Ok(report),
            _ => Err(Misuse::AnotherKind),
        }
    }

    fn lock_report(&mut self) -> Result<LockReport, Misuse> {
        match take(self, Of::Locks)? {
            AnyReport::Locks(report) => Ok(report),
            _ => Err(Misuse::AnotherKind),
        }
    }

    fn publish_report(&mut self) -> Result<PublishReport, Misuse> {
        match take(self, Of::Publish)? {
            AnyReport::Publish(report) => Ok(report),
            _ => Err(Misuse::AnotherKind),
        }
    }

    fn reconcile_report(&mut self) -> Result<ReconcileReport, Misuse> {
        match take(self, Of::Reconcile)? {
            AnyReport::Reconcile(report) => Ok(report),
            _ => Err(Misuse::AnotherKind),
        }
    }
}
