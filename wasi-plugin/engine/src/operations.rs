//! The interface `operations`: the loop, and the operations that need no ledger.

use crate::Engine;
use crate::batches;
use crate::convert;
use crate::exports::hydrant::lfs::operations as wit;
use crate::exports::hydrant::lfs::types;
use crate::machine::{AnyMachine, AnyReport, Finish};
use hydrant_lfs::contract::{Config, EffectId, HostLimits, Instant, Outcome, Source, TransferReport, Want};
use hydrant_lfs::operations::{BatchOutcome, Lock, LockReport, LockTask, Machine};
use hydrant_lfs::{Error, Handle, Operation, Seeds};
use std::cell::RefCell;

thread_local! {
    static SEEDS: Seeds = Seeds::default();
}

/// One operation, behind a handle.
pub(crate) struct Running(RefCell<Handle<AnyMachine>>);

impl Running {
    /// Takes the report by one of the functions that do.
    pub(crate) fn take(&self, finish: Finish) -> Result<AnyReport, types::Misuse> {
        self.0.borrow_mut().take(|machine| machine.finish_of() == finish).map_err(convert::misuse)
    }
}

/// Begins an operation of any kind.
pub(crate) fn begin<M: Machine>(
    given: wit::Config,
    operation: impl FnOnce(Config) -> Result<Operation<M>, Error>,
    any: impl FnOnce(M) -> AnyMachine,
) -> Result<wit::Operation, types::LfsError> {
    let begun = SEEDS.with(|seeds| seeds.take(given.seed)).and_then(|seed| {
        let operation = operation(config(given))?;
        Ok(Handle::new(operation.map(any), seed))
    });
    begun.map(|handle| wit::Operation::new(Running(RefCell::new(handle)))).map_err(convert::error)
}

impl wit::Guest for Engine {
    type Operation = Running;

    fn version() -> String {
        env!("CARGO_PKG_VERSION").to_owned()
    }

    fn limits() -> wit::HostLimits {
        let HostLimits { pointer_bytes_below, chunk_bytes_max, name_bytes_max, sent_bytes_per_ms_min } =
            HostLimits::HERE;
        wit::HostLimits { pointer_bytes_below, chunk_bytes_max, name_bytes_max, sent_bytes_per_ms_min }
    }

    fn default_config(endpoint: String, seed: u64) -> wit::Config {
        let config = Config::new(endpoint, seed);
        wit::Config {
            endpoint: config.endpoint,
            reference: config.reference,
            transfers: config.transfers,
            seed: config.seed,
            in_flight_max: config.in_flight_max,
            batch_objects_max: config.batch_objects_max,
            object_bytes_max: config.object_bytes_max,
            retries_max: config.retries_max,
            retry_delay_max: config.retry_delay_max,
            wait_max: config.wait_max,
            idle_max: config.idle_max,
            login: convert::login_out(config.login),
            reports_redirects: config.reports_redirects,
            insecure_http: config.insecure_http,
        }
    }
}

pub(crate) fn config(config: wit::Config) -> Config {
    Config {
        endpoint: config.endpoint,
        reference: config.reference,
        transfers: config.transfers,
        seed: config.seed,
        in_flight_max: config.in_flight_max,
        batch_objects_max: config.batch_objects_max,
        object_bytes_max: config.object_bytes_max,
        retries_max: config.retries_max,
        retry_delay_max: config.retry_delay_max,
        wait_max: config.wait_max,
        idle_max: config.idle_max,
        login: convert::login_in(config.login),
        reports_redirects: config.reports_redirects,
        insecure_http: config.insecure_http,
    }
}

fn wants(wants: Vec<wit::Want>) -> Vec<Want> {
    wants.into_iter().map(|want| Want { name: want.name, oid: want.oid, size: want.size }).collect()
}

fn outcome(outcome: Outcome) -> wit::Outcome {
    wit::Outcome {
        name: outcome.name,
        oid: outcome.oid,
        size: outcome.size,
        ended: outcome.ended.map_err(convert::error),
    }
}

fn transfer_report(report: TransferReport) -> wit::TransferReport {
    wit::TransferReport {
        outcomes: report.outcomes.into_iter().map(outcome).collect(),
        ended: report.ended.map_err(convert::error),
    }
}

fn batch_outcome(outcome: BatchOutcome) -> wit::BatchOutcome {
    let answer = outcome.answer.map(batches::object).map_err(convert::error);
    wit::BatchOutcome { oid: outcome.oid.to_string(), answer }
}

fn lock(lock: Lock) -> wit::LfsLock {
    wit::LfsLock { id: lock.id, path: lock.path, locked_at: lock.locked_at, owner: lock.owner }
}

fn lock_report(report: LockReport) -> wit::LockReport {
    wit::LockReport {
        locks: report.locks.into_iter().map(lock).collect(),
        theirs: report.theirs.into_iter().map(lock).collect(),
        supported: report.supported,
        ended: report.ended.map_err(convert::error),
    }
}

impl wit::GuestOperation for Running {
    fn hydrate(given: wit::Config, wanted: Vec<wit::Want>) -> Result<wit::Operation, types::LfsError> {
        begin(given, |config| Operation::hydrate(config, wants(wanted)), AnyMachine::Download)
    }

    fn download(given: wit::Config, wanted: Vec<wit::Want>) -> Result<wit::Operation, types::LfsError> {
        begin(given, |config| Operation::download(config, wants(wanted)), AnyMachine::Download)
    }

    fn upload(given: wit::Config, sources: Vec<wit::Source>) -> Result<wit::Operation, types::LfsError> {
        let source = |source: wit::Source| Source { name: source.name, expects: source.expects };
        let sources = sources.into_iter().map(source).collect();
        begin(given, |config| Operation::upload(config, sources), AnyMachine::Upload)
    }

    fn batch(
        given: wit::Config,
        direction: types::Direction,
        objects: Vec<types::LfsBlob>,
    ) -> Result<wit::Operation, types::LfsError> {
        let objects = objects.iter().map(convert::blob_in).collect::<Result<Vec<_>, _>>()?;
        let direction = convert::direction(direction);
        begin(given, |config| Operation::batch(config, direction, &objects), AnyMachine::Batch)
    }

    fn locks(given: wit::Config, task: wit::LockTask) -> Result<wit::Operation, types::LfsError> {
        let task = match task {
            wit::LockTask::Create(path) => LockTask::Create(path),
            wit::LockTask::ListAll(path) => LockTask::ListAll(path),
            wit::LockTask::Verify => LockTask::Verify,
            wit::LockTask::Unlock((id, force)) => LockTask::Unlock { id, force },
        };
        begin(given, |config| Operation::locks(config, task), AnyMachine::Locks)
    }

    fn poll(&self, now: types::Instant) -> types::Step {
        convert::step(self.0.borrow_mut().poll(Instant { ticks: now.ticks, wall: now.wall }))
    }

    fn reply(&self, id: u32, reply: types::Reply) -> Result<(), types::Misuse> {
        let (mut handle, id) = (self.0.borrow_mut(), EffectId(id));
        let taken = match convert::reply(reply) {
            Some(reply) => handle.reply(id, reply),
            None => handle.unfitting(id),
        };
        taken.map_err(convert::misuse)
    }

    fn stop(&self) {
        self.0.borrow_mut().stop();
    }

    fn finish_transfer(&self) -> Result<wit::TransferReport, types::Misuse> {
        match self.take(Finish::Transfer)? {
            AnyReport::Download(report) | AnyReport::Upload(report) => Ok(transfer_report(report)),
            #[cfg(feature = "ledger")]
            AnyReport::HydrateSession(report) => Ok(transfer_report(report)),
            _ => Err(types::Misuse::AnotherKind),
        }
    }

    fn finish_batch(&self) -> Result<Vec<wit::BatchOutcome>, types::Misuse> {
        match self.take(Finish::Batch)? {
            AnyReport::Batch(outcomes) => Ok(outcomes.into_iter().map(batch_outcome).collect()),
            _ => Err(types::Misuse::AnotherKind),
        }
    }

    fn finish_locks(&self) -> Result<wit::LockReport, types::Misuse> {
        match self.take(Finish::Locks)? {
            AnyReport::Locks(report) => Ok(lock_report(report)),
            _ => Err(types::Misuse::AnotherKind),
        }
    }
}
