//! The words of the contract, from WIT to the core's types and back. No rule lives here; where the core knows the whole
//! list of an enum, its cases are matched by the names both sides use.

#![allow(missing_docs, reason = "generated from the contract, which documents every item")]

use super::{Answer, ManifestFacts, Sample};
use hydrant_ledger::manifest::{Change, FileRef, Storage};
use hydrant_ledger::publish::{Publication, PublishFile, PublishReport, Published, PublishedState};
use hydrant_ledger::reconcile::{Contradiction, Missing, ReconcileReport, Remedy, Unknown};
use hydrant_ledger::status::{Fact, FileState, Hydration, Place, State, Status, Tally};
use hydrant_lfs::contract as core;
use hydrant_lfs::contract::Config;
use hydrant_lfs::contract::Direction;
use hydrant_lfs::contract::Phase;
use hydrant_lfs::contract::{Outcome, Source, TransferReport, Want};
use hydrant_lfs::git_lfs::batch::{self, BatchRequest, ObjectError, Verdict};
use hydrant_lfs::git_lfs::endpoint::{Endpoint, Setting, Ssh};
use hydrant_lfs::git_lfs::pointer::{self, Extension, Finding, Kind, Pointer};
use hydrant_lfs::git_lfs::response_error::{ResponseError, ResponseErrorKind};
use hydrant_lfs::operations::{BatchOutcome, Lock, LockReport, LockTask};
use hydrant_lfs::text::error::{Code, Error};
use hydrant_lfs::text::oid::{Blob, Oid};

wasmtime::component::bindgen!({ path: "../wit", world: "hydrant-engine" });

/// The generated interfaces.
pub(super) mod wit {
    pub(crate) use super::exports::hydrant::lfs::{
        batches, endpoints, ledgers, manifests, operations, pointers, sessions,
    };

    /// Modules tell names apart in Rust, so those that carry a word more in WIT are short here.
    pub(crate) mod types {
        pub(crate) use super::super::exports::hydrant::lfs::types::*;
        pub(crate) use HttpRequest as Request;
        pub(crate) use LfsBlob as Blob;
        pub(crate) use LfsError as Error;
        pub(crate) use RequestBody as Body;
    }
}
pub(super) use self::{HydrantEngine as World, HydrantEnginePre as WorldPre};
use wit::{batches, endpoints, manifests, operations, pointers, sessions, types};

fn oid(text: &str) -> Oid {
    Oid::parse(text).unwrap_or_else(|| panic!("the component named {text:?} an oid"))
}

pub(super) fn blob(it: types::Blob) -> Blob {
    Blob { oid: oid(&it.oid), size: it.size }
}

pub(super) fn blob_in(it: Blob) -> types::Blob {
    types::Blob { oid: it.oid.to_string(), size: it.size }
}

pub(super) fn direction(it: Direction) -> types::Direction {
    match it {
        Direction::Download => types::Direction::Download,
        Direction::Upload => types::Direction::Upload,
    }
}

/// The case of an enum of the core whose place in WIT this is: both declare them in the same order.
macro_rules! same_case {
    ($it:expr, $from:path => $to:path: $($case:ident)*) => {{
        use $from as From;
        use $to as To;
        match $it { $(From::$case => To::$case,)* }
    }};
}

pub(super) fn error(it: types::Error) -> Error {
    let code = same_case!(it.code, types::Code => Code:
        Host Auth Missing NotFound Removed Rejected Busy Malformed Integrity Conflict Blocked Limit Unfinished);
    Error { code, detail: it.detail, retry_at: it.retry_at }
}

fn error_in(it: Error) -> types::Error {
    let code = same_case!(it.code, Code => types::Code:
        Host Auth Missing NotFound Removed Rejected Busy Malformed Integrity Conflict Blocked Limit Unfinished);
    types::Error { code, detail: it.detail, retry_at: it.retry_at }
}

pub(super) fn misuse(it: types::Misuse) -> core::Misuse {
    same_case!(it, types::Misuse => core::Misuse:
        UnknownEffect OutOfOrder TooLarge Finished AnotherKind)
}

pub(super) fn push_file(it: types::PushFile) -> core::PushFile {
    core::PushFile { name: it.name, bytes: it.bytes, replaces: it.replaces.map(core::Revision) }
}

fn headers(it: Vec<types::Header>) -> Vec<core::Header> {
    it.into_iter().map(|header| core::Header { name: header.name, value: header.value }).collect()
}

fn headers_in(it: &[core::Header]) -> Vec<types::Header> {
    it.iter().map(|header| types::Header { name: header.name.clone(), value: header.value.clone() }).collect()
}

fn login(it: types::Login) -> core::Login {
    same_case!(it, types::Login => core::Login: None Stored Renewed)
}

pub(super) fn request(it: types::Request) -> core::Request {
    core::Request {
        method: same_case!(it.method, types::Method => core::Method: Get Post Put),
        url: it.url,
        headers: headers(it.headers),
        body: match it.body {
            types::Body::Empty => core::Body::Empty,
            types::Body::Bytes(bytes) => core::Body::Bytes(bytes),
            types::Body::File(it) => core::Body::File(core::Slice {
                name: it.name,
                revision: core::Revision(it.revision),
                offset: it.offset,
                length: it.length,
            }),
        },
        login: login(it.login),
        redirect: same_case!(it.redirect, types::Redirect => core::Redirect: Report Follow),
    }
}

fn stage(it: types::Stage) -> core::Stage {
    let resume = it.resume.map(|it| core::Resume { stage: core::StageId(it.stage), bytes: it.bytes });
    core::Stage { id: core::StageId(it.id), blob: blob(it.blob), resume }
}

fn effect(it: types::Effect) -> core::Effect {
    match it {
        types::Effect::Http(it) => core::Effect::Http(core::Exchange {
            request: request(it.request),
            stage: it.stage.map(stage),
            answer_bytes_max: it.answer_bytes_max,
            idle_max: it.idle_max,
        }),
        types::Effect::ReadFile(it) => core::Effect::ReadFile(core::Reading { name: it.name, as_chunks: it.as_chunks }),
        types::Effect::LoadDoc(name) => core::Effect::LoadDoc(name),
        types::Effect::HasBlob(it) => core::Effect::HasBlob(blob(it)),
        types::Effect::KeepBlob(it) => {
            core::Effect::KeepBlob(core::Staged { stage: core::StageId(it.stage), blob: blob(it.blob) })
        }
        types::Effect::DropStage(it) => core::Effect::DropStage(core::StageId(it)),
        types::Effect::SaveDoc(it) => core::Effect::SaveDoc(core::Saving {
            name: it.name,
            bytes: it.bytes,
            replaces: it.replaces.map(core::Revision),
        }),
        types::Effect::LoadLedger(it) => {
            core::Effect::LoadLedger(core::Lookup { documents: it.documents, files: it.files })
        }
        types::Effect::PushLedger(it) => core::Effect::PushLedger(core::Push {
            files: it.files.into_iter().map(push_file).collect(),
            message: it.message,
        }),
        types::Effect::SettleLedger(it) => {
            let file =
                |it: types::SettleFile| core::SettleFile { name: it.name, expects: it.expects.map(core::Revision) };
            core::Effect::SettleLedger(core::Settle {
                tip: core::Revision(it.tip),
                files: it.files.into_iter().map(file).collect(),
            })
        }
        types::Effect::SwapFile(it) => core::Effect::SwapFile(core::Swap {
            name: it.name,
            expects: core::Revision(it.expects),
            blob: blob(it.blob),
            pointer: it.pointer,
        }),
        types::Effect::LoadPushRange => core::Effect::LoadPushRange,
        types::Effect::RewriteLedger(it) => {
            let file =
                |it: types::RewriteFile| core::RewriteFile { name: it.name, bytes: it.bytes, replaces: it.replaces };
            core::Effect::RewriteLedger(core::Rewrite {
                tip: core::Revision(it.tip),
                base: core::Revision(it.base),
                files: it.files.into_iter().map(file).collect(),
                message: it.message,
            })
        }
    }
}

fn push_range(it: &core::PushRange) -> types::PushRange {
    let file = |it: &core::RangeFile| types::RangeFile {
        path: it.path.clone(),
        bytes: it.bytes.clone(),
        at_tip: it.at_tip,
        unchanged: it.unchanged,
    };
    types::PushRange {
        tip: it.tip.0.clone(),
        base: it.base.as_ref().map(|base| base.0.clone()),
        commits: it.commits,
        base_is_ancestor: it.base_is_ancestor,
        is_underway: it.is_underway,
        files: it.files.iter().map(file).collect(),
    }
}

fn phase(it: types::Phase) -> Phase {
    same_case!(it, types::Phase => Phase: Hash Intend Upload Bind Push Settle Swap Done)
}

pub(super) fn step(it: types::Step) -> core::Step {
    match it {
        types::Step::Perform(it) => core::Step::Perform(core::EffectId(it.id), effect(it.effect)),
        types::Step::Cancel(id) => core::Step::Cancel(core::EffectId(id)),
        types::Step::Note(it) => core::Step::Note(core::Progress { name: it.name, done: it.done, total: it.total }),
        types::Step::Retry(it) => core::Step::Retry(core::Retry { name: it.name, error: error(it.reason), at: it.at }),
        types::Step::Enter(it) => core::Step::Enter(phase(it)),
        types::Step::Wait(until) => core::Step::Wait(until),
        types::Step::Done => core::Step::Done,
    }
}

pub(super) fn reply(it: &core::Reply) -> types::Reply {
    use types::Reply;
    match it {
        core::Reply::SoFar(bytes) => Reply::SoFar(*bytes),
        core::Reply::Sent(it) => Reply::Sent(blob_in(*it)),
        core::Reply::Head(it) => Reply::Head(types::Head { status: it.status, headers: headers_in(&it.headers) }),
        core::Reply::Chunk(bytes) => Reply::Chunk(bytes.clone()),
        core::Reply::End => Reply::End,
        core::Reply::Received(it) => Reply::Received(blob_in(*it)),
        core::Reply::Doc(it) => Reply::Doc(types::Doc { bytes: it.bytes.clone(), revision: it.revision.0.clone() }),
        core::Reply::Ledger(it) => Reply::Ledger(ledger(it)),
        core::Reply::PushRange(it) => Reply::PushRange(push_range(it)),
        core::Reply::At(it) => Reply::At(it.0.clone()),
        core::Reply::Present => Reply::Present,
        core::Reply::Partial(it) => Reply::Partial(types::Beginning {
            stage: it.stage.0.clone(),
            bytes: it.bytes,
            validator: it.validator.clone(),
        }),
        core::Reply::Absent => Reply::Absent,
        core::Reply::Conflict => Reply::Conflict,
        core::Reply::Failed(it) => Reply::Failed(types::Failed {
            why: same_case!(it.why, core::Failure => types::Failure:
                Offline TimedOut Denied Refused NotFound NoSpace Blocked Aborted Io),
            detail: it.detail.clone(),
        }),
    }
}

fn ledger(it: &core::Ledger) -> types::Ledger {
    let file = |it: &core::LedgerFile| types::LedgerFile {
        name: it.name.clone(),
        revision: it.revision.as_ref().map(|revision| revision.0.clone()),
        bytes: it.bytes.clone(),
        committed: it.committed.clone(),
    };
    types::Ledger { tip: it.tip.0.clone(), files: it.files.iter().map(file).collect() }
}

pub(super) fn sample(it: &Sample) -> pointers::Sample {
    pointers::Sample { head: it.head.clone(), file_size: it.file_size }
}

fn finding(it: pointers::Finding) -> Finding {
    let flaw = same_case!(it.flaw, pointers::Flaw => pointer::Flaw:
        NoMarker TooLarge MissingVersion BadLine ExtraLine UnexpectedKey BadVersion MissingOid BadOid BadOidType
        MissingSize BadSize DuplicatePriority);
    Finding { flaw, line: it.line }
}

pub(super) fn finding_in(it: Finding) -> pointers::Finding {
    let flaw = same_case!(it.flaw, pointer::Flaw => pointers::Flaw:
        NoMarker TooLarge MissingVersion BadLine ExtraLine UnexpectedKey BadVersion MissingOid BadOid BadOidType
        MissingSize BadSize DuplicatePriority);
    pointers::Finding { flaw, line: it.line }
}

pub(super) fn pointer_in(it: &Pointer) -> pointers::Pointer {
    let extension =
        |it: &Extension| pointers::Extension { priority: it.priority, name: it.name.clone(), oid: it.oid.to_string() };
    pointers::Pointer {
        oid: it.blob.oid.to_string(),
        size: it.blob.size,
        extensions: it.extensions.iter().map(extension).collect(),
        canonical: it.canonical,
    }
}

pub(super) fn kind(it: pointers::Kind) -> Kind {
    match it {
        pointers::Kind::Pointer(it) => {
            let extension =
                |it: pointers::Extension| Extension { priority: it.priority, name: it.name, oid: oid(&it.oid) };
            Kind::Pointer(Pointer {
                blob: Blob { oid: oid(&it.oid), size: it.size },
                extensions: it.extensions.into_iter().map(extension).collect(),
                canonical: it.canonical,
            })
        }
        pointers::Kind::Content(it) => Kind::Content(finding(it)),
        pointers::Kind::Malformed(it) => Kind::Malformed(finding(it)),
    }
}

pub(super) fn batch_request(endpoint: &str, it: &BatchRequest) -> batches::BatchRequest {
    batches::BatchRequest {
        endpoint: endpoint.to_owned(),
        direction: direction(it.direction),
        reference: it.reference.clone(),
        transfers: it.transfers.clone(),
        objects: it.objects.iter().copied().map(blob_in).collect(),
    }
}

pub(super) fn response(it: &Answer) -> batches::HttpResponse {
    batches::HttpResponse {
        status: it.head.status,
        headers: headers_in(&it.head.headers),
        body: it.body.clone(),
        asked_at: it.asked_at,
        now: it.now,
    }
}

fn action(it: batches::Action) -> batch::Action {
    batch::Action { href: it.href, headers: headers(it.headers), expires_at: it.expires_at }
}

pub(super) fn action_in(it: &batch::Action) -> batches::Action {
    batches::Action { href: it.href.clone(), headers: headers_in(&it.headers), expires_at: it.expires_at }
}

pub(super) fn object(it: batches::BatchObject) -> batch::BatchObject {
    let verdict = match it.verdict {
        batches::Verdict::Present => Verdict::Present,
        batches::Verdict::Download(it) => Verdict::Download(action(it)),
        batches::Verdict::Upload(it) => Verdict::Upload(action(it.upload), it.verify.map(action)),
        batches::Verdict::Expired => Verdict::Expired,
        batches::Verdict::Refused(it) => {
            Verdict::Refused(ObjectError { status: it.status, message: it.message, retryable: it.retryable })
        }
        batches::Verdict::Broken(it) => Verdict::Broken(same_case!(it, batches::Flaw => batch::Flaw:
            NoAction MissingFromResponse Duplicate SizeMismatch BadHref BadHeader)),
    };
    batch::BatchObject { oid: oid(&it.oid), authenticated: it.authenticated, verdict }
}

pub(super) fn batch_response(it: batches::BatchResponse) -> batch::BatchResponse {
    batch::BatchResponse {
        transfer: it.transfer,
        objects: it.objects.into_iter().map(object).collect(),
        unknown: it.unknown,
    }
}

pub(super) fn response_error(it: batches::ResponseError) -> ResponseError {
    let kind = same_case!(it.kind, batches::ResponseErrorKind => ResponseErrorKind:
        Login Forbidden NotFound NotAcceptable Conflict Gone TooLarge Validation RateLimited Server NotImplemented
        InsufficientStorage BandwidthExceeded Client BadContentType BadJson BadCoding UnexpectedStatus
        UnsupportedTransfer UnsupportedHashAlgo);
    ResponseError {
        kind,
        status: it.status,
        message: it.message,
        request_id: it.request_id,
        documentation_url: it.documentation_url,
        schemes: it.schemes,
        realm: it.realm,
        retry_after: it.retry_after,
    }
}

pub(super) fn settings(it: &[Setting]) -> Vec<endpoints::Setting> {
    it.iter().map(|it| endpoints::Setting { key: it.key.clone(), value: it.value.clone() }).collect()
}

pub(super) fn endpoint(it: endpoints::Endpoint) -> Endpoint {
    let ssh = it.ssh.map(|it| Ssh { user_and_host: it.user_and_host, port: it.port, path: it.path });
    Endpoint { url: it.url, ssh }
}

pub(super) fn manifest(it: manifests::Manifest) -> ManifestFacts {
    let file = |it: manifests::FileRef| FileRef {
        name: it.name,
        storage: same_case!(it.storage, manifests::FileStorage => Storage: Lfs Git Unknown),
        oid: it.oid.as_deref().map(oid),
        size: it.size,
        flaw: it.flaw.map(error),
    };
    ManifestFacts {
        session_name: it.session_name,
        session_id: it.session_id,
        effective_session_id: it.effective_session_id,
        repo_id: it.repo_id,
        title: it.title,
        agent_type: it.agent_type,
        created_at: it.created_at,
        entry_count: it.entry_count,
        draft: it.draft,
        files: it.files.into_iter().map(file).collect(),
    }
}

pub(super) fn file_ref(it: &FileRef) -> manifests::FileRef {
    manifests::FileRef {
        name: it.name.clone(),
        storage: same_case!(it.storage, Storage => manifests::FileStorage: Lfs Git Unknown),
        oid: it.oid.map(|oid| oid.to_string()),
        size: it.size,
        flaw: it.flaw.clone().map(error_in),
    }
}

pub(super) fn change(it: &Change) -> manifests::Change {
    match it.clone() {
        Change::Text(name, value) => manifests::Change::Text((name, value)),
        Change::Number(name, value) => manifests::Change::Number((name, value)),
        Change::Clear(name) => manifests::Change::Clear(name),
    }
}

pub(super) fn fact(it: &Fact) -> manifests::Fact {
    let place = match it.place {
        Place::Absent => manifests::Place::Absent,
        Place::Content(size) => manifests::Place::Content(size),
        Place::Pointer(it) => manifests::Place::Pointer(manifests::Pointed { oid: it.oid.to_string(), size: it.size }),
        Place::Malformed => manifests::Place::Malformed,
        Place::Unreadable => manifests::Place::Unreadable,
    };
    manifests::Fact { name: it.name.clone(), place, cached: it.cached }
}

pub(super) fn tally(it: manifests::Tally) -> Tally {
    Tally {
        files: it.files,
        there: it.there,
        required: it.required,
        completed: it.completed,
        changed: it.changed,
        broken: it.broken,
        unreadable: it.unreadable,
    }
}

pub(super) fn status(it: manifests::SessionStatus) -> Status {
    let file = |it: manifests::FileState| FileState {
        name: it.name,
        state: same_case!(it.state, manifests::State => State:
            Cached InPlace Changed Dehydrated NotFetched Missing Corrupt TooLarge Conflict Malformed Unusable),
        detail: it.detail,
    };
    Status {
        hydration: same_case!(it.hydration, manifests::Hydration => Hydration: Hydrated Partial Dehydrated),
        files: it.files.into_iter().map(file).collect(),
        tally: tally(it.tally),
    }
}

pub(super) fn config(it: operations::Config) -> Config {
    Config {
        endpoint: it.endpoint,
        reference: it.reference,
        transfers: it.transfers,
        seed: it.seed,
        in_flight_max: it.in_flight_max,
        batch_objects_max: it.batch_objects_max,
        object_bytes_max: it.object_bytes_max,
        retries_max: it.retries_max,
        retry_delay_max: it.retry_delay_max,
        wait_max: it.wait_max,
        idle_max: it.idle_max,
        login: login(it.login),
        reports_redirects: it.reports_redirects,
        insecure_http: it.insecure_http,
    }
}

pub(super) fn config_in(it: &Config) -> operations::Config {
    operations::Config {
        endpoint: it.endpoint.clone(),
        reference: it.reference.clone(),
        transfers: it.transfers.clone(),
        seed: it.seed,
        in_flight_max: it.in_flight_max,
        batch_objects_max: it.batch_objects_max,
        object_bytes_max: it.object_bytes_max,
        retries_max: it.retries_max,
        retry_delay_max: it.retry_delay_max,
        wait_max: it.wait_max,
        idle_max: it.idle_max,
        login: same_case!(it.login, core::Login => types::Login: None Stored Renewed),
        reports_redirects: it.reports_redirects,
        insecure_http: it.insecure_http,
    }
}

pub(super) fn wants(it: &[Want]) -> Vec<operations::Want> {
    it.iter().map(|it| operations::Want { name: it.name.clone(), oid: it.oid.clone(), size: it.size }).collect()
}

pub(super) fn sources(it: &[Source]) -> Vec<operations::Source> {
    it.iter().map(|it| operations::Source { name: it.name.clone(), expects: it.expects.clone() }).collect()
}

pub(super) fn task(it: &LockTask) -> operations::LockTask {
    match it.clone() {
        LockTask::Create(path) => operations::LockTask::Create(path),
        LockTask::ListAll(path) => operations::LockTask::ListAll(path),
        LockTask::Verify => operations::LockTask::Verify,
        LockTask::Unlock { id, force } => operations::LockTask::Unlock((id, force)),
    }
}

pub(super) fn publication(it: &Publication) -> sessions::Publication {
    let file = |it: &PublishFile| sessions::PublishFile {
        name: it.name.clone(),
        source: it.source.clone(),
        in_git: it.in_git,
    };
    sessions::Publication {
        session: it.session.clone(),
        files: it.files.iter().map(file).collect(),
        new_session_id: it.new_session_id.clone(),
        created_at: it.created_at.clone(),
        fields: it.fields.clone(),
        redaction: it.redaction.clone(),
    }
}

pub(super) fn publish_report(it: sessions::PublishReport) -> PublishReport {
    let file = |it: sessions::Published| Published {
        name: it.name,
        oid: it.oid,
        size: it.size,
        state: same_case!(it.state, sessions::PublishedState => PublishedState: Unpublished Published Swapped Left),
        reason: it.reason.map(error),
    };
    PublishReport {
        session_id: it.session_id,
        phase: phase(it.phase),
        resumed: it.resumed,
        tip: it.tip.map(core::Revision),
        files: it.files.into_iter().map(file).collect(),
        orphans: it.orphans.into_iter().map(blob).collect(),
        ended: it.ended.map_err(error),
    }
}

pub(super) fn reconcile_report(it: sessions::ReconcileReport) -> ReconcileReport {
    let missing = |it: sessions::MissingBlob| Missing {
        path: it.path,
        blob: blob(it.blob),
        history_only: it.history_only,
        remedy: same_case!(it.remedy, sessions::Remedy => Remedy: UploadAgain Remove Squash None),
    };
    let unknown = |it: sessions::UnknownBlob| Unknown { path: it.path, blob: blob(it.blob), error: error(it.error) };
    let contradiction = |it: sessions::Contradiction| Contradiction {
        path: it.path,
        pointer: blob(it.pointer),
        manifest: it.manifest.map(blob),
    };
    ReconcileReport {
        commits: it.commits,
        scanned: it.scanned,
        missing: it.missing.into_iter().map(missing).collect(),
        unknown: it.unknown.into_iter().map(unknown).collect(),
        contradictions: it.contradictions.into_iter().map(contradiction).collect(),
        repairable: it.repairable.map_err(error),
        uploaded: it.uploaded.into_iter().map(blob).collect(),
        removed: it.removed,
        squashed: it.squashed,
        tip: it.tip.map(core::Revision),
        orphans: it.orphans.into_iter().map(blob).collect(),
        ended: it.ended.map_err(error),
    }
}

fn outcome(it: operations::Outcome) -> Outcome {
    Outcome { name: it.name, oid: it.oid, size: it.size, ended: it.ended.map_err(error) }
}

pub(super) fn transfer_report(it: operations::TransferReport) -> TransferReport {
    TransferReport { outcomes: it.outcomes.into_iter().map(outcome).collect(), ended: it.ended.map_err(error) }
}

pub(super) fn batch_outcome(it: operations::BatchOutcome) -> BatchOutcome {
    BatchOutcome { oid: oid(&it.oid), answer: it.answer.map(object).map_err(error) }
}

pub(super) fn lock_report(it: operations::LockReport) -> LockReport {
    let lock = |it: operations::LfsLock| Lock { id: it.id, path: it.path, locked_at: it.locked_at, owner: it.owner };
    LockReport {
        locks: it.locks.into_iter().map(lock).collect(),
        theirs: it.theirs.into_iter().map(lock).collect(),
        supported: it.supported,
        ended: it.ended.map_err(error),
    }
}
