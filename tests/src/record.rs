//! Records everything that is said to an engine and by it, as JSON lines that any host can replay and compare.
//!
//! One line a call, in the order of the calls:
//!
//! ```text
//! {"call":"pointers.classify","args":[…],"value":…}              a function that cannot fail
//! {"call":"batches.ask","args":[…],"ok":…}                       one that can: "ok" or "err"
//! {"op":0,"begin":"download","args":[config,…],"ok":null}        an operation is begun; "err" when it is refused
//! {"op":0,"poll":{"ticks":…,"wall":…},"step":…}
//! {"op":0,"id":3,"reply":…,"misuse":null}
//! {"op":0,"stop":true}
//! {"op":0,"finish":"finishTransfer","ok":…}                      the operation is gone
//! {"op":0,"dropped":true}                                        so it is here, unfinished
//! ```
//!
//! Values have the form of [`form::Form`]. The same calls on two engines give the same lines, byte for byte.

pub mod form;
mod ledgers;

use crate::engine::{Answer, Engine, ManifestFacts, Run, Sample, Start, target};
use form::Form;
use hydrant_ledger::manifest::{Change, FileRef};
use hydrant_ledger::publish::PublishReport;
use hydrant_ledger::reconcile::ReconcileReport;
use hydrant_ledger::status::{Fact, Status};
use hydrant_lfs::contract::Config;
use hydrant_lfs::contract::Direction;
use hydrant_lfs::contract::TransferReport;
use hydrant_lfs::contract::{EffectId, Instant, Misuse, Reply, Request, Step};
use hydrant_lfs::git_lfs::batch::{Action, BatchRequest, BatchResponse};
use hydrant_lfs::git_lfs::endpoint::{Endpoint, Setting};
use hydrant_lfs::git_lfs::pointer::{Finding, Kind, Pointer};
use hydrant_lfs::git_lfs::response_error::ResponseError;
use hydrant_lfs::operations::{BatchOutcome, LockReport};
use hydrant_lfs::text::error::Error;
use hydrant_lfs::text::oid::Blob;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;

type Lines = Rc<RefCell<Vec<String>>>;

/// Where a recording goes unless somebody says otherwise.
pub fn default_path() -> PathBuf {
    target().join("record.jsonl")
}

/// An engine whose every call is written down.
pub struct Recorder<E> {
    engine: E,
    lines: Lines,
    operations: Cell<u32>,
}

impl<E: Engine> Recorder<E> {
    /// Records what is done with `engine`.
    pub fn new(engine: E) -> Self {
        Self { engine, lines: Lines::default(), operations: Cell::new(0) }
    }

    /// The lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.lines.borrow().clone()
    }

    /// Writes the lines to a file.
    pub fn write(&self, path: &Path) -> Result<(), String> {
        let text = self.lines.borrow().join("\n") + "\n";
        std::fs::write(path, text).map_err(|error| format!("the recording cannot be written: {}", error.kind()))
    }

    fn plain<T: Form>(&self, call: &str, args: Value, value: T) -> T {
        self.lines.borrow_mut().push(json!({"call": call, "args": args, "value": value.form()}).to_string());
        value
    }

    fn fallible<T: Form, F: Form>(&self, call: &str, args: Value, result: Result<T, F>) -> Result<T, F> {
        let line = ended(json!({"call": call, "args": args}), &result);
        self.lines.borrow_mut().push(line.to_string());
        result
    }

    /// A function that returns a text.
    fn text(&self, call: &str, args: Value, text: Result<Vec<u8>, Error>) -> Result<Vec<u8>, Error> {
        let told = text.as_ref().map(|text| form::bytes(text));
        let line = ended(json!({"call": call, "args": args}), &told);
        self.lines.borrow_mut().push(line.to_string());
        text
    }
}

/// The line with how it ended.
fn ended<T: Form, F: Form>(mut line: Value, result: &Result<T, F>) -> Value {
    match result {
        Ok(value) => line["ok"] = value.form(),
        Err(error) => line["err"] = error.form(),
    }
    line
}

impl<E: Engine> Engine for Recorder<E> {
    fn classify(&self, file: &Sample) -> Kind {
        self.plain("pointers.classify", json!([file.form()]), self.engine.classify(file))
    }

    fn classify_many(&self, files: &[Sample]) -> Vec<Kind> {
        self.plain("pointers.classifyMany", json!([files.form()]), self.engine.classify_many(files))
    }

    fn pointer_shaped(&self, file: &Sample) -> bool {
        self.plain("pointers.pointerShaped", json!([file.form()]), self.engine.pointer_shaped(file))
    }

    fn appended_to(&self, file: &Sample) -> Option<u64> {
        self.plain("pointers.appendedTo", json!([file.form()]), self.engine.appended_to(file))
    }

    fn explain(&self, finding: Finding) -> String {
        self.plain("pointers.explain", json!([finding.form()]), self.engine.explain(finding))
    }

    fn format(&self, pointer: &Pointer) -> Result<String, Error> {
        self.fallible("pointers.format", json!([pointer.form()]), self.engine.format(pointer))
    }

    fn write_request(&self, endpoint: &str, request: &BatchRequest) -> Result<Option<Request>, Error> {
        let args = json!([form::batch_request(endpoint, request)]);
        self.fallible("batches.writeRequest", args, self.engine.write_request(endpoint, request))
    }

    fn read_response(
        &self,
        endpoint: &str,
        request: &BatchRequest,
        answer: &Answer,
    ) -> Result<BatchResponse, ResponseError> {
        let args = json!([form::batch_request(endpoint, request), answer.form()]);
        self.fallible("batches.readResponse", args, self.engine.read_response(endpoint, request, answer))
    }

    fn verify_request(&self, blob: Blob, action: &Action) -> Result<Request, Error> {
        let args = json!([blob.form(), action.form()]);
        self.fallible("batches.verifyRequest", args, self.engine.verify_request(blob, action))
    }

    fn retry_after(&self, value: &str, now: u64) -> Option<u64> {
        self.plain("batches.retryAfter", json!([value, now.form()]), self.engine.retry_after(value, now))
    }

    fn derive(&self, settings: &[Setting], direction: Direction, remote: &str) -> Result<Endpoint, Error> {
        let args = json!([settings.form(), direction.form(), remote]);
        self.fallible("endpoints.derive", args, self.engine.derive(settings, direction, remote))
    }

    fn allowed_in_repository(&self, key: &str) -> bool {
        self.plain("endpoints.allowedInRepository", json!([key]), self.engine.allowed_in_repository(key))
    }

    fn manifest(&self, text: &[u8]) -> Result<ManifestFacts, Error> {
        self.fallible("manifests.read", json!([form::bytes(text)]), self.engine.manifest(text))
    }

    fn merge(&self, base: Option<&[u8]>, theirs: &[u8], ours: &[u8]) -> Result<Vec<u8>, Error> {
        let args = json!([base.map_or(Value::Null, form::bytes), form::bytes(theirs), form::bytes(ours)]);
        self.text("manifests.merge", args, self.engine.merge(base, theirs, ours))
    }

    fn edit(&self, text: &[u8], changes: &[Change]) -> Result<Vec<u8>, Error> {
        self.text("manifests.edit", json!([form::bytes(text), changes.form()]), self.engine.edit(text, changes))
    }

    fn derive_session_id(&self, repo_id: &str, session_name: &str) -> String {
        let id = self.engine.derive_session_id(repo_id, session_name);
        self.plain("manifests.deriveSessionId", json!([repo_id, session_name]), id)
    }

    fn leak(&self, text: &str) -> Option<String> {
        self.plain("manifests.leak", json!([text]), self.engine.leak(text))
    }

    fn name_flaw(&self, name: &str) -> Option<String> {
        self.plain("manifests.nameFlaw", json!([name]), self.engine.name_flaw(name))
    }

    fn status(&self, files: &[FileRef], facts: &[Fact], object_bytes_max: u64) -> Result<Status, Error> {
        let args = json!([files.form(), facts.form(), object_bytes_max.form()]);
        self.fallible("manifests.status", args, self.engine.status(files, facts, object_bytes_max))
    }

    fn default_config(&self, endpoint: &str, seed: u64) -> Config {
        let config = self.engine.default_config(endpoint, seed);
        self.plain("operations.defaultConfig", json!([endpoint, seed.form()]), config)
    }

    fn version(&self) -> String {
        self.plain("operations.version", json!([]), self.engine.version())
    }

    fn begin(&self, config: &Config, start: &Start) -> Result<Box<dyn Run>, Error> {
        let operation = self.operations.replace(self.operations.get() + 1);
        let (constructor, rest) = start_form(start);
        let args: Vec<Value> = [config.form()].into_iter().chain(rest).collect();
        let begun = self.engine.begin(config, start);
        let told = begun.as_ref().map(|_| ());
        let line = ended(json!({"op": operation, "begin": constructor, "args": args}), &told);
        self.lines.borrow_mut().push(line.to_string());
        let run = begun?;
        Ok(Box::new(Recorded { run, operation, lines: self.lines.clone() }))
    }
}

/// The constructor's name, and its arguments after the configuration.
fn start_form(start: &Start) -> (&'static str, Vec<Value>) {
    match start {
        Start::Hydrate(wants) => ("hydrate", vec![wants.form()]),
        Start::HydrateSession(session) => ("hydrateSession", vec![json!(session)]),
        Start::Download(wants) => ("download", vec![wants.form()]),
        Start::Upload(sources) => ("upload", vec![sources.form()]),
        Start::Batch(direction, blobs) => ("batch", vec![direction.form(), blobs.form()]),
        Start::Publish(publication) => ("publish", vec![publication.form()]),
        Start::Reconcile(repair) => ("reconcile", vec![json!(repair)]),
        Start::Locks(task) => ("locks", vec![task.form()]),
    }
}

/// An operation whose every step is written down.
#[derive(Debug)]
struct Recorded {
    run: Box<dyn Run>,
    operation: u32,
    lines: Lines,
}

impl Recorded {
    fn write(&self, line: &Value) {
        self.lines.borrow_mut().push(line.to_string());
    }

    fn taken<T: Form>(&self, name: &str, report: Result<T, Misuse>) -> Result<T, Misuse> {
        self.write(&ended(json!({"op": self.operation, "finish": name}), &report));
        report
    }
}

impl Run for Recorded {
    fn poll(&mut self, now: Instant) -> Step {
        let step = self.run.poll(now);
        self.write(&json!({"op": self.operation, "poll": now.form(), "step": step.form()}));
        step
    }

    fn reply(&mut self, id: EffectId, reply: &Reply) -> Result<(), Misuse> {
        let taken = self.run.reply(id, reply);
        let misuse = taken.err().form();
        self.write(&json!({"op": self.operation, "id": id.0, "reply": reply.form(), "misuse": misuse}));
        taken
    }

    fn stop(&mut self) {
        self.run.stop();
        self.write(&json!({"op": self.operation, "stop": true}));
    }

    fn transfer_report(&mut self) -> Result<TransferReport, Misuse> {
        let report = self.run.transfer_report();
        self.taken("finishTransfer", report)
    }

    fn batch_report(&mut self) -> Result<Vec<BatchOutcome>, Misuse> {
        let report = self.run.batch_report();
        self.taken("finishBatch", report)
    }

    fn lock_report(&mut self) -> Result<LockReport, Misuse> {
        let report = self.run.lock_report();
        self.taken("finishLocks", report)
    }

    fn publish_report(&mut self) -> Result<PublishReport, Misuse> {
        let report = self.run.publish_report();
        self.taken("finishPublish", report)
    }

    fn reconcile_report(&mut self) -> Result<ReconcileReport, Misuse> {
        let report = self.run.reconcile_report();
        self.taken("finishReconcile", report)
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        self.write(&json!({"op": self.operation, "dropped": true}));
    }
}
