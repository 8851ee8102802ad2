//! The core, called directly.

use super::{Answer, Engine, ManifestFacts, Run, Sample, Start};
use hydrant_core::batch::{self, Action, Answered, Direction, Object, Question, Refused};
use hydrant_core::config::Config;
use hydrant_core::contract::{EffectId, Instant, Misuse, Reply, Request, Step};
use hydrant_core::endpoint::{self, Endpoint, Setting};
use hydrant_core::error::Error;
use hydrant_core::locks::LockReport;
use hydrant_core::manifest::{self, Change, FileRef, Manifest};
use hydrant_core::oid::Blob;
use hydrant_core::pointer::{self, Finding, Kind, Pointer};
use hydrant_core::publish::PublishReport;
use hydrant_core::reconcile::ReconcileReport;
use hydrant_core::report::Outcome;
use hydrant_core::status::{self, Fact, Status};
use hydrant_core::{Operation, name, retry};

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

    fn ask(&self, endpoint: &str, question: &Question) -> Result<Option<Request>, Error> {
        batch::request(endpoint, question)
    }

    fn read(&self, _endpoint: &str, question: &Question, answer: &Answer) -> Result<Answered, Refused> {
        batch::read(question, &answer.head, &answer.body, answer.asked_at, answer.now)
    }

    fn verify(&self, blob: Blob, action: &Action) -> Result<Request, Error> {
        batch::verify_request(blob, action)
    }

    fn retry_after(&self, value: &str, now: u64) -> Option<u64> {
        retry::retry_after(value, now)
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

    fn default_config(&self, endpoint: &str) -> Config {
        Config::new(endpoint)
    }

    fn begin(&self, config: &Config, start: &Start) -> Result<Box<dyn Run>, Error> {
        let config = config.clone();
        let operation = match start.clone() {
            Start::Hydrate(wants) => Operation::hydrate(config, wants),
            Start::HydrateSession(session) => Operation::hydrate_session(config, &session),
            Start::Download(wants) => Operation::download(config, wants),
            Start::Upload(sources) => Operation::upload(config, sources),
            Start::Batch(direction, objects) => Operation::batch(config, direction, objects),
            Start::Publish(publication) => Operation::publish(config, publication),
            Start::Reconcile(repair) => Operation::reconcile(config, repair),
            Start::Locks(task) => Operation::locks(config, task),
        };
        Ok(Box::new(operation?))
    }
}

impl Run for Operation {
    fn poll(&mut self, now: Instant) -> Step {
        Operation::poll(self, now)
    }

    fn reply(&mut self, id: EffectId, reply: &Reply) -> Result<(), Misuse> {
        Operation::reply(self, id, reply.clone())
    }

    fn stop(&mut self) {
        Operation::stop(self);
    }

    fn finish_transfer(self: Box<Self>) -> Result<Vec<Outcome>, Error> {
        Operation::finish_transfer(*self)
    }

    fn finish_publish(self: Box<Self>) -> Result<PublishReport, Error> {
        Operation::finish_publish(*self)
    }

    fn finish_reconcile(self: Box<Self>) -> Result<ReconcileReport, Error> {
        Operation::finish_reconcile(*self)
    }

    fn finish_batch(self: Box<Self>) -> Result<Vec<Object>, Error> {
        Operation::finish_batch(*self)
    }

    fn finish_locks(self: Box<Self>) -> Result<LockReport, Error> {
        Operation::finish_locks(*self)
    }
}
