//! The interface `sessions`.

use crate::Engine;
use crate::convert;
use crate::exports::hydrant::lfs::operations::{Config, Operation, OperationBorrow};
use crate::exports::hydrant::lfs::{sessions as wit, types};
use crate::machine::{AnyMachine, AnyReport, Finish};
use crate::operations::{Running, begin};
use hydrant_ledger::publish::{Publication, PublishFile, PublishReport, Published, PublishedState};
use hydrant_ledger::reconcile::{Contradiction, Missing, ReconcileReport, Remedy, Unknown};
use hydrant_ledger::{hydrate_session, publish, reconcile};

impl wit::Guest for Engine {
    fn hydrate_session(given: Config, session: String) -> Result<Operation, types::LfsError> {
        begin(given, |config| hydrate_session(config, &session), AnyMachine::HydrateSession)
    }

    fn publish(given: Config, it: wit::Publication) -> Result<Operation, types::LfsError> {
        begin(given, |config| publish(config, publication(it)), |it| AnyMachine::Publish(Box::new(it)))
    }

    fn reconcile(given: Config, repair: bool) -> Result<Operation, types::LfsError> {
        begin(given, |config| reconcile(config, repair), |it| AnyMachine::Reconcile(Box::new(it)))
    }

    fn finish_publish(operation: OperationBorrow<'_>) -> Result<wit::PublishReport, types::Misuse> {
        match operation.get::<Running>().take(Finish::Publish)? {
            AnyReport::Publish(report) => Ok(publish_report(report)),
            _ => Err(types::Misuse::AnotherKind),
        }
    }

    fn finish_reconcile(operation: OperationBorrow<'_>) -> Result<wit::ReconcileReport, types::Misuse> {
        match operation.get::<Running>().take(Finish::Reconcile)? {
            AnyReport::Reconcile(report) => Ok(reconcile_report(report)),
            _ => Err(types::Misuse::AnotherKind),
        }
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
        redaction: publication.redaction,
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
    let unknown = |it: Unknown| wit::UnknownBlob {
        path: it.path,
        blob: convert::blob_out(it.blob),
        error: convert::error(it.error),
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
        unknown: report.unknown.into_iter().map(unknown).collect(),
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
