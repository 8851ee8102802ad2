//! The types of WIT on the lane: a row for each, its fields or cases in WIT's order.

use crate::lane::{Put, Take, put_enums, put_number, put_records, take_enums, take_number, take_records, unfitting};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use hydrant_ledger::manifest::{FileRef, Manifest, Storage};
use hydrant_ledger::status::{Fact, FileState, Hydration, Place, State, Status, Tally};
use hydrant_lfs::contract::{
    Beginning, Body, Config, Direction, Doc, Effect, EffectId, Exchange, Failed, Failure, Head, Header, HostLimits,
    Instant, Login, Method, Misuse, Outcome, Progress, Reading, Redirect, Reply, Request, Resume, Retry, Revision,
    Slice, Stage, StageId, Staged, Step, TransferReport, Want,
};
use hydrant_lfs::git_lfs::batch::{self, Action, BatchObject, ObjectError, Verdict};
use hydrant_lfs::git_lfs::pointer::{self, Extension, Finding, Kind, Pointer};
use hydrant_lfs::operations::BatchOutcome;
use hydrant_lfs::{Blob, Code, Error, Oid};

put_enums! { Code Direction Hydration Login Method Misuse Redirect State Storage batch::Flaw pointer::Flaw }
take_enums! {
    Direction { Download, Upload }
    Failure { Offline, TimedOut, Denied, Refused, NotFound, NoSpace, Blocked, Aborted, Io }
    Login { None, Stored, Renewed }
    Storage { Lfs, Git, Unknown }
}

put_records! {
    Action { href, headers, expires_at }
    BatchObject { oid, authenticated, verdict }
    BatchOutcome { oid, answer }
    Blob { oid, size }
    Config {
        endpoint, reference, transfers, seed, in_flight_max, batch_objects_max, object_bytes_max, retries_max,
        retry_delay_max, wait_max, idle_max, login, reports_redirects, insecure_http
    }
    EffectId { 0 }
    Error { code, detail, retry_at }
    Exchange { request, stage, answer_bytes_max, idle_max }
    FileRef { name, storage, oid, size, flaw }
    FileState { name, state, detail }
    Finding { flaw, line }
    Header { name, value }
    ObjectError { status, message, retryable }
    HostLimits { pointer_bytes_below, chunk_bytes_max, name_bytes_max, sent_bytes_per_ms_min }
    Outcome { name, oid, size, ended }
    Pointer { blob, extensions, canonical }
    Progress { name, done, total }
    Reading { name, as_chunks }
    Request { method, url, headers, body, login, redirect }
    Resume { stage, bytes }
    Retry { name, error, at }
    Revision { 0 }
    Slice { name, revision, offset, length }
    Stage { id, blob, resume }
    StageId { 0 }
    Staged { stage, blob }
    Status { hydration, files, tally }
    Tally { files, there, required, completed, changed, broken, unreadable }
    TransferReport { outcomes, ended }
}
take_records! {
    Beginning { stage, bytes, validator }
    Config {
        endpoint, reference, transfers, seed, in_flight_max, batch_objects_max, object_bytes_max, retries_max,
        retry_delay_max, wait_max, idle_max, login, reports_redirects, insecure_http
    }
    Blob { oid, size }
    Error { code, detail, retry_at }
    Failed { why, detail }
    Fact { name, place, cached }
    Finding { flaw, line }
    Head { status, headers }
    Header { name, value }
    Instant { ticks, wall }
    Pointer { blob, extensions, canonical }
    Revision { 0 }
    StageId { 0 }
    Want { name, oid, size }
}

/// A case of a variant, and what it carries.
fn case(number: u32, value: impl Put) {
    put_number(number);
    value.put();
}

impl Put for Oid {
    fn put(self) {
        self.to_string().put();
    }
}

/// The oid that a text is.
pub(crate) fn parsed(text: &str) -> Result<Oid, Error> {
    Oid::parse(text).ok_or_else(|| Error::new(Code::Malformed, "an oid is not 64 lower-case hexadecimal digits"))
}

impl Take for Oid {
    fn take() -> Result<Self, Error> {
        parsed(&String::take()?)
    }
}

impl Put for Body {
    fn put(self) {
        match self {
            Body::Empty => put_number(0),
            Body::Bytes(bytes) => case(1, bytes),
            Body::File(slice) => case(2, slice),
        }
    }
}

impl Put for Verdict {
    fn put(self) {
        match self {
            Verdict::Present => put_number(0),
            Verdict::Download(action) => case(1, action),
            Verdict::Upload(upload, verify) => {
                case(2, upload);
                verify.put();
            }
            Verdict::Expired => put_number(3),
            Verdict::Refused(error) => case(4, error),
            Verdict::Broken(flaw) => case(5, flaw),
        }
    }
}

impl Put for Effect {
    fn put(self) {
        match self {
            Effect::Http(exchange) => case(0, exchange),
            Effect::ReadFile(reading) => case(1, reading),
            Effect::LoadDoc(name) => case(2, name),
            Effect::HasBlob(blob) => case(4, blob),
            Effect::KeepBlob(staged) => case(5, staged),
            Effect::DropStage(stage) => case(6, stage),
            // Only a publish and a reconcile ask for these, and neither is linked.
            Effect::SaveDoc(_)
            | Effect::LoadLedger(_)
            | Effect::PushLedger(_)
            | Effect::SettleLedger(_)
            | Effect::SwapFile(_)
            | Effect::LoadPushRange
            | Effect::RewriteLedger(_) => unreachable!("no machine here asks for a ledger"),
        }
    }
}

impl Put for Step {
    fn put(self) {
        match self {
            Step::Perform(id, effect) => {
                put_number(0);
                id.put();
                effect.put();
            }
            Step::Cancel(id) => case(1, id),
            Step::Note(progress) => case(2, progress),
            Step::Retry(retry) => case(3, retry),
            Step::Enter(_) => unreachable!("only a publish has phases"),
            Step::Wait(until) => case(5, until),
            Step::Done => put_number(6),
        }
    }
}

impl Take for Reply {
    fn take() -> Result<Self, Error> {
        Ok(match take_number()? {
            0 => Reply::SoFar(u64::take()?),
            1 => Reply::Sent(Blob::take()?),
            2 => Reply::Head(Head::take()?),
            3 => Reply::Chunk(Vec::take()?),
            4 => Reply::End,
            5 => Reply::Received(Blob::take()?),
            6 => {
                let bytes = Vec::take()?;
                Reply::Doc(Doc { bytes, revision: Revision::take()? })
            }
            9 => Reply::At(Revision::take()?),
            10 => Reply::Present,
            11 => Reply::Partial(Beginning::take()?),
            12 => Reply::Absent,
            13 => Reply::Conflict,
            14 => Reply::Failed(Failed::take()?),
            // A ledger answers no effect that a machine here asks for.
            _ => return Err(unfitting()),
        })
    }
}

impl Put for Manifest {
    fn put(self) {
        let (effective_session_id, files) = (self.effective_session_id(), self.files().to_vec());
        self.session_name.put();
        self.session_id.put();
        effective_session_id.put();
        self.repo_id.put();
        self.title.put();
        self.agent_type.put();
        self.created_at.put();
        self.entry_count.put();
        self.draft.put();
        files.put();
    }
}

impl Put for Extension {
    fn put(self) {
        put_number(u32::from(self.priority));
        self.name.put();
        self.oid.put();
    }
}

impl Take for Extension {
    fn take() -> Result<Self, Error> {
        Ok(Extension { priority: u16::take()? as u8, name: String::take()?, oid: Oid::take()? })
    }
}

impl Take for pointer::Flaw {
    fn take() -> Result<Self, Error> {
        pointer::Flaw::ALL.get(take_number()? as usize).copied().ok_or_else(unfitting)
    }
}

impl Take for Code {
    fn take() -> Result<Self, Error> {
        Code::ALL.get(take_number()? as usize).copied().ok_or_else(unfitting)
    }
}

impl Put for Kind {
    fn put(self) {
        match self {
            Kind::Pointer(pointer) => case(0, pointer),
            Kind::Content(finding) => case(1, finding),
            Kind::Malformed(finding) => case(2, finding),
        }
    }
}

impl Take for Place {
    fn take() -> Result<Self, Error> {
        Ok(match take_number()? {
            0 => Place::Absent,
            1 => Place::Content(u64::take()?),
            2 => Place::of_small(&Vec::<u8>::take()?),
            3 => Place::Pointer(Blob::take()?),
            4 => Place::Malformed,
            5 => Place::Unreadable,
            _ => return Err(unfitting()),
        })
    }
}

impl Take for FileRef {
    fn take() -> Result<Self, Error> {
        let it = FileRef {
            name: Take::take()?,
            storage: Take::take()?,
            oid: Take::take()?,
            size: Take::take()?,
            flaw: Take::take()?,
        };
        let is_whole = match it.storage {
            Storage::Lfs => it.oid.is_some(),
            Storage::Git => it.oid.is_none(),
            Storage::Unknown => false,
        };
        if !is_whole && it.flaw.is_none() {
            return Err(Error::new(Code::Malformed, "a file is not as `read` tells files"));
        }
        Ok(it)
    }
}
