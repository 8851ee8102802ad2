//! The interface `operations`.

use crate::Engine;
use crate::convert;
use crate::exports::hydrant::lfs::operations as wit;
use crate::exports::hydrant::lfs::types;
use crate::pure;
use hydrant_core::Operation as Core;
use hydrant_core::config::Config;
use hydrant_core::contract::{EffectId, Instant};
use hydrant_core::locks::{Lock, Task};
use hydrant_core::publish::{Publication, PublishFile, PublishReport, Published, PublishedState};
use hydrant_core::reconcile::{Contradiction, Missing, ReconcileReport, Remedy};
use hydrant_core::report::{Outcome, Source, Want};
use std::cell::RefCell;

/// One running operation, behind a handle.
pub(crate) struct Running(RefCell<Core>);

impl wit::Guest for Engine {
    type Operation = Running;

    fn default_config(endpoint: String) -> wit::Config {
        let config = Config::new(endpoint);
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

fn config(config: wit::Config) -> Config {
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

fn running(operation: Result<Core, hydrant_core::error::Error>) -> Result<wit::Operation, types::Error> {
    operation.map(|core| wit::Operation::new(Running(RefCell::new(core)))).map_err(convert::error)
}

fn finished(operation: wit::Operation) -> Core {
    operation.into_inner::<Running>().0.into_inner()
}

fn outcome(outcome: Outcome) -> wit::Outcome {
    wit::Outcome {
        name: outcome.name,
        oid: outcome.oid,
        size: outcome.size,
        ended: outcome.ended.map_err(convert::error),
    }
}

fn publication(publication: wit::Publication) -> Publication {
    let file = |file: wit::PublishFile| PublishFile { name: file.name, source: file.source, in_git: file.in_git };
    Publication {
        session: publication.session,
        files: publication.files.into_iter().map(file).collect(),
        new_session_id: publication.new_session_id,
        created_at: publication.created_at,
        fields: publication.fields,
    }
}

fn publish_report(report: PublishReport) -> wit::PublishReport {
    let file = |file: Published| wit::Published {
        name: file.name,
        oid: file.oid,
        size: file.size,
        state: match file.state {
            PublishedState::Unpublished => wit::PublishedState::Unpublished,
            PublishedState::Published => wit::PublishedState::Published,
            PublishedState::Swapped => wit::PublishedState::Swapped,
            PublishedState::Left => wit::PublishedState::Left,
        },
        reason: file.reason.map(convert::error),
    };
    wit::PublishReport {
        session_id: report.session_id,
        phase: convert::phase(report.phase),
        resumed: report.resumed,
        tip: report.tip.map(|tip| tip.0),
        files: report.files.into_iter().map(file).collect(),
        orphans: report.orphans.into_iter().map(convert::blob_out).collect(),
        ended: report.ended.map_err(convert::error),
    }
}

fn reconcile_report(report: ReconcileReport) -> wit::ReconcileReport {
    let missing = |it: Missing| wit::MissingBlob {
        path: it.path,
        blob: convert::blob_out(it.blob),
        history_only: it.history_only,
        remedy: match it.remedy {
            Remedy::UploadAgain => wit::Remedy::UploadAgain,
            Remedy::Remove => wit::Remedy::Remove,
            Remedy::Squash => wit::Remedy::Squash,
            Remedy::None => wit::Remedy::None,
        },
    };
    let contradiction = |it: Contradiction| wit::Contradiction {
        path: it.path,
        pointer: convert::blob_out(it.pointer),
        manifest: it.manifest.map(convert::blob_out),
    };
    wit::ReconcileReport {
        commits: report.commits,
        scanned: report.scanned,
        missing: report.missing.into_iter().map(missing).collect(),
        contradictions: report.contradictions.into_iter().map(contradiction).collect(),
        repairable: report.repairable.map_err(convert::error),
        uploaded: report.uploaded.into_iter().map(convert::blob_out).collect(),
        removed: report.removed,
        squashed: report.squashed,
        tip: report.tip.map(|tip| tip.0),
        orphans: report.orphans.into_iter().map(convert::blob_out).collect(),
        ended: report.ended.map_err(convert::error),
    }
}

fn lock(lock: Lock) -> wit::Lock {
    wit::Lock { id: lock.id, path: lock.path, locked_at: lock.locked_at, owner: lock.owner }
}

impl wit::GuestOperation for Running {
    fn hydrate(given: wit::Config, wanted: Vec<wit::Want>) -> Result<wit::Operation, types::Error> {
        running(Core::hydrate(config(given), wants(wanted)))
    }

    fn hydrate_session(given: wit::Config, session: String) -> Result<wit::Operation, types::Error> {
        running(Core::hydrate_session(config(given), &session))
    }

    fn download(given: wit::Config, wanted: Vec<wit::Want>) -> Result<wit::Operation, types::Error> {
        running(Core::download(config(given), wants(wanted)))
    }

    fn upload(given: wit::Config, sources: Vec<wit::Source>) -> Result<wit::Operation, types::Error> {
        let source = |source: wit::Source| Source { name: source.name, expects: source.expects };
        running(Core::upload(config(given), sources.into_iter().map(source).collect()))
    }

    fn batch(
        given: wit::Config,
        direction: types::Direction,
        objects: Vec<types::Blob>,
    ) -> Result<wit::Operation, types::Error> {
        let objects = objects.iter().map(convert::blob_in).collect::<Result<_, _>>()?;
        running(Core::batch(config(given), convert::direction(direction), objects))
    }

    fn publish(given: wit::Config, given_publication: wit::Publication) -> Result<wit::Operation, types::Error> {
        running(Core::publish(config(given), publication(given_publication)))
    }

    fn reconcile(given: wit::Config, repair: bool) -> Result<wit::Operation, types::Error> {
        running(Core::reconcile(config(given), repair))
    }

    fn locks(given: wit::Config, task: wit::LockTask) -> Result<wit::Operation, types::Error> {
        let task = match task {
            wit::LockTask::Create(path) => Task::Create(path),
            wit::LockTask::ListAll(path) => Task::ListAll(path),
            wit::LockTask::Verify => Task::Verify,
            wit::LockTask::Unlock((id, force)) => Task::Unlock { id, force },
        };
        running(Core::locks(config(given), task))
    }

    fn poll(&self, now: types::Instant) -> types::Step {
        convert::step(self.0.borrow_mut().poll(Instant { ticks: now.ticks, wall: now.wall }))
    }

    fn reply(&self, id: u32, reply: types::Reply) -> Result<(), types::Misuse> {
        self.0.borrow_mut().reply(EffectId(id), convert::reply(reply)?).map_err(convert::misuse)
    }

    fn stop(&self) {
        self.0.borrow_mut().stop();
    }

    fn finish_transfer(this: wit::Operation) -> Result<Vec<wit::Outcome>, types::Error> {
        let outcomes = finished(this).finish_transfer().map_err(convert::error)?;
        Ok(outcomes.into_iter().map(outcome).collect())
    }

    fn finish_publish(this: wit::Operation) -> Result<wit::PublishReport, types::Error> {
        finished(this).finish_publish().map(publish_report).map_err(convert::error)
    }

    fn finish_batch(this: wit::Operation) -> Result<Vec<wit::Object>, types::Error> {
        let objects = finished(this).finish_batch().map_err(convert::error)?;
        Ok(objects.into_iter().map(pure::object).collect())
    }

    fn finish_reconcile(this: wit::Operation) -> Result<wit::ReconcileReport, types::Error> {
        finished(this).finish_reconcile().map(reconcile_report).map_err(convert::error)
    }

    fn finish_locks(this: wit::Operation) -> Result<wit::LockReport, types::Error> {
        let report = finished(this).finish_locks().map_err(convert::error)?;
        Ok(wit::LockReport {
            locks: report.locks.into_iter().map(lock).collect(),
            theirs: report.theirs.into_iter().map(lock).collect(),
            supported: report.supported,
            ended: report.ended.map_err(convert::error),
        })
    }
}
