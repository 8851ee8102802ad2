//! The words of `types`, both ways.

use crate::exports::hydrant::lfs::types as wit;
use hydrant_lfs::contract::{self as core, Direction, Phase};
use hydrant_lfs::{Blob, Code, Error, Oid};

/// The case of the same name on the other side.
macro_rules! same_case {
    ($it:expr, $from:path => $to:path: $($case:ident)*) => {{
        use $from as From;
        use $to as To;
        match $it { $(From::$case => To::$case,)* }
    }};
}

pub(crate) fn error(it: Error) -> wit::LfsError {
    let code = same_case!(it.code, Code => wit::Code:
        Host Auth Missing NotFound Removed Rejected Busy Malformed Integrity Conflict Blocked Limit Unfinished);
    wit::LfsError { code, detail: it.detail, retry_at: it.retry_at }
}

#[cfg(feature = "ledger")]
pub(crate) fn error_in(it: wit::LfsError) -> Error {
    let code = same_case!(it.code, wit::Code => Code:
        Host Auth Missing NotFound Removed Rejected Busy Malformed Integrity Conflict Blocked Limit Unfinished);
    Error { code, detail: it.detail, retry_at: it.retry_at }
}

pub(crate) fn oid(text: &str) -> Result<Oid, wit::LfsError> {
    Oid::parse(text).ok_or_else(|| error(Error::new(Code::Malformed, "an oid is not 64 lower-case hexadecimal digits")))
}

pub(crate) fn blob_in(blob: &wit::LfsBlob) -> Result<Blob, wit::LfsError> {
    Ok(Blob { oid: oid(&blob.oid)?, size: blob.size })
}

pub(crate) fn blob_out(blob: Blob) -> wit::LfsBlob {
    wit::LfsBlob { oid: blob.oid.to_string(), size: blob.size }
}

pub(crate) fn direction(direction: wit::Direction) -> Direction {
    match direction {
        wit::Direction::Download => Direction::Download,
        wit::Direction::Upload => Direction::Upload,
    }
}

pub(crate) fn login_in(login: wit::Login) -> core::Login {
    match login {
        wit::Login::None => core::Login::None,
        wit::Login::Stored => core::Login::Stored,
        wit::Login::Renewed => core::Login::Renewed,
    }
}

pub(crate) fn login_out(login: core::Login) -> wit::Login {
    match login {
        core::Login::None => wit::Login::None,
        core::Login::Stored => wit::Login::Stored,
        core::Login::Renewed => wit::Login::Renewed,
    }
}

pub(crate) fn headers_in(headers: Vec<wit::Header>) -> Vec<core::Header> {
    headers.into_iter().map(|header| core::Header { name: header.name, value: header.value }).collect()
}

pub(crate) fn headers_out(headers: Vec<core::Header>) -> Vec<wit::Header> {
    headers.into_iter().map(|header| wit::Header { name: header.name, value: header.value }).collect()
}

pub(crate) fn request(request: core::Request) -> wit::HttpRequest {
    wit::HttpRequest {
        method: match request.method {
            core::Method::Get => wit::Method::Get,
            core::Method::Post => wit::Method::Post,
            core::Method::Put => wit::Method::Put,
        },
        url: request.url,
        headers: headers_out(request.headers),
        body: match request.body {
            core::Body::Empty => wit::RequestBody::Empty,
            core::Body::Bytes(bytes) => wit::RequestBody::Bytes(bytes),
            core::Body::File(slice) => wit::RequestBody::File(wit::Slice {
                name: slice.name,
                revision: slice.revision.0,
                offset: slice.offset,
                length: slice.length,
            }),
        },
        login: login_out(request.login),
        redirect: match request.redirect {
            core::Redirect::Report => wit::Redirect::Report,
            core::Redirect::Follow => wit::Redirect::Follow,
        },
    }
}

fn stage(stage: core::Stage) -> wit::Stage {
    let resume = stage.resume.map(|resume| wit::Resume { stage: resume.stage.0, bytes: resume.bytes });
    wit::Stage { id: stage.id.0, blob: blob_out(stage.blob), resume }
}

fn effect(effect: core::Effect) -> wit::Effect {
    match effect {
        core::Effect::Http(exchange) => wit::Effect::Http(wit::Exchange {
            request: request(exchange.request),
            stage: exchange.stage.map(stage),
            answer_bytes_max: exchange.answer_bytes_max,
            idle_max: exchange.idle_max,
        }),
        core::Effect::ReadFile(reading) => {
            wit::Effect::ReadFile(wit::Reading { name: reading.name, as_chunks: reading.as_chunks })
        }
        core::Effect::LoadDoc(name) => wit::Effect::LoadDoc(name),
        core::Effect::HasBlob(blob) => wit::Effect::HasBlob(blob_out(blob)),
        core::Effect::KeepBlob(staged) => {
            wit::Effect::KeepBlob(wit::Staged { stage: staged.stage.0, blob: blob_out(staged.blob) })
        }
        core::Effect::DropStage(stage) => wit::Effect::DropStage(stage.0),
        core::Effect::SaveDoc(saving) => wit::Effect::SaveDoc(wit::Saving {
            name: saving.name,
            bytes: saving.bytes,
            replaces: revision_out(saving.replaces),
        }),
        core::Effect::LoadLedger(lookup) => {
            wit::Effect::LoadLedger(wit::Lookup { documents: lookup.documents, files: lookup.files })
        }
        core::Effect::PushLedger(push) => wit::Effect::PushLedger(wit::Push {
            files: push.files.into_iter().map(push_file).collect(),
            message: push.message,
        }),
        core::Effect::SettleLedger(settle) => {
            let file =
                |file: core::SettleFile| wit::SettleFile { name: file.name, expects: revision_out(file.expects) };
            wit::Effect::SettleLedger(wit::Settle {
                tip: settle.tip.0,
                files: settle.files.into_iter().map(file).collect(),
            })
        }
        core::Effect::SwapFile(swap) => wit::Effect::SwapFile(wit::Swap {
            name: swap.name,
            expects: swap.expects.0,
            blob: blob_out(swap.blob),
            pointer: swap.pointer,
        }),
        core::Effect::LoadPushRange => wit::Effect::LoadPushRange,
        core::Effect::RewriteLedger(rewrite) => {
            let file = |file: core::RewriteFile| wit::RewriteFile {
                name: file.name,
                bytes: file.bytes,
                replaces: file.replaces,
            };
            wit::Effect::RewriteLedger(wit::Rewrite {
                tip: rewrite.tip.0,
                base: rewrite.base.0,
                files: rewrite.files.into_iter().map(file).collect(),
                message: rewrite.message,
            })
        }
    }
}

pub(crate) fn push_file(file: core::PushFile) -> wit::PushFile {
    wit::PushFile { name: file.name, bytes: file.bytes, replaces: revision_out(file.replaces) }
}

fn revision_out(revision: Option<core::Revision>) -> Option<String> {
    revision.map(|revision| revision.0)
}

pub(crate) fn phase(phase: Phase) -> wit::Phase {
    match phase {
        Phase::Hash => wit::Phase::Hash,
        Phase::Intend => wit::Phase::Intend,
        Phase::Upload => wit::Phase::Upload,
        Phase::Bind => wit::Phase::Bind,
        Phase::Push => wit::Phase::Push,
        Phase::Settle => wit::Phase::Settle,
        Phase::Swap => wit::Phase::Swap,
        Phase::Done => wit::Phase::Done,
    }
}

fn ledger(ledger: wit::Ledger) -> core::Ledger {
    let file = |file: wit::LedgerFile| core::LedgerFile {
        name: file.name,
        revision: file.revision.map(core::Revision),
        bytes: file.bytes,
        committed: file.committed,
    };
    core::Ledger { tip: core::Revision(ledger.tip), files: ledger.files.into_iter().map(file).collect() }
}

fn push_range(range: wit::PushRange) -> core::PushRange {
    let file = |file: wit::RangeFile| core::RangeFile {
        path: file.path,
        bytes: file.bytes,
        at_tip: file.at_tip,
        unchanged: file.unchanged,
    };
    core::PushRange {
        tip: core::Revision(range.tip),
        base: range.base.map(core::Revision),
        commits: range.commits,
        base_is_ancestor: range.base_is_ancestor,
        is_underway: range.is_underway,
        files: range.files.into_iter().map(file).collect(),
    }
}

pub(crate) fn step(step: core::Step) -> wit::Step {
    match step {
        core::Step::Perform(id, it) => wit::Step::Perform(wit::Task { id: id.0, effect: effect(it) }),
        core::Step::Cancel(id) => wit::Step::Cancel(id.0),
        core::Step::Note(progress) => {
            wit::Step::Note(wit::Progress { name: progress.name, done: progress.done, total: progress.total })
        }
        core::Step::Retry(retry) => {
            wit::Step::Retry(wit::Retry { name: retry.name, reason: error(retry.error), at: retry.at })
        }
        core::Step::Enter(it) => wit::Step::Enter(phase(it)),
        core::Step::Wait(until) => wit::Step::Wait(until),
        core::Step::Done => wit::Step::Done,
    }
}

/// An oid that is none is no digest, and so no reply.
fn digest(blob: &wit::LfsBlob) -> Option<Blob> {
    blob_in(blob).ok()
}

/// None: it has no form of the core's.
pub(crate) fn reply(reply: wit::Reply) -> Option<core::Reply> {
    Some(match reply {
        wit::Reply::SoFar(bytes) => core::Reply::SoFar(bytes),
        wit::Reply::Sent(blob) => core::Reply::Sent(digest(&blob)?),
        wit::Reply::Head(head) => {
            core::Reply::Head(core::Head { status: head.status, headers: headers_in(head.headers) })
        }
        wit::Reply::Chunk(bytes) => core::Reply::Chunk(bytes),
        wit::Reply::End => core::Reply::End,
        wit::Reply::Received(blob) => core::Reply::Received(digest(&blob)?),
        wit::Reply::Doc(doc) => {
            core::Reply::Doc(core::Doc { bytes: doc.bytes, revision: core::Revision(doc.revision) })
        }
        wit::Reply::Ledger(it) => core::Reply::Ledger(ledger(it)),
        wit::Reply::PushRange(it) => core::Reply::PushRange(push_range(it)),
        wit::Reply::At(revision) => core::Reply::At(core::Revision(revision)),
        wit::Reply::Present => core::Reply::Present,
        wit::Reply::Partial(partial) => core::Reply::Partial(core::Beginning {
            stage: core::StageId(partial.stage),
            bytes: partial.bytes,
            validator: partial.validator,
        }),
        wit::Reply::Absent => core::Reply::Absent,
        wit::Reply::Conflict => core::Reply::Conflict,
        wit::Reply::Failed(failed) => core::Reply::Failed(core::Failed {
            why: match failed.why {
                wit::Failure::Offline => core::Failure::Offline,
                wit::Failure::TimedOut => core::Failure::TimedOut,
                wit::Failure::Denied => core::Failure::Denied,
                wit::Failure::Refused => core::Failure::Refused,
                wit::Failure::NotFound => core::Failure::NotFound,
                wit::Failure::NoSpace => core::Failure::NoSpace,
                wit::Failure::Blocked => core::Failure::Blocked,
                wit::Failure::Aborted => core::Failure::Aborted,
                wit::Failure::Io => core::Failure::Io,
            },
            detail: failed.detail,
        }),
    })
}

pub(crate) fn misuse(misuse: core::Misuse) -> wit::Misuse {
    match misuse {
        core::Misuse::UnknownEffect => wit::Misuse::UnknownEffect,
        core::Misuse::OutOfOrder => wit::Misuse::OutOfOrder,
        core::Misuse::TooLarge => wit::Misuse::TooLarge,
        core::Misuse::Finished => wit::Misuse::Finished,
        core::Misuse::AnotherKind => wit::Misuse::AnotherKind,
    }
}
