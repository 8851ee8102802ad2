//! The loop: what an operation asks of its host, and what the host replies.

use super::http::{Exchange, Head};
use super::ledger::{Doc, Ledger, Lookup, Push, PushRange, Reading, Rewrite, Saving, Settle, Swap};
use super::phase::Phase;
use crate::text::error::Error;
use crate::text::oid::Blob;
use alloc::string::String;
use alloc::vec::Vec;

/// The host's time. The core reads no clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Instant {
    /// Monotonic milliseconds, for every timeout.
    pub ticks: u64,
    /// Milliseconds since the Unix epoch, for expiry and records.
    pub wall: u64,
}

/// Id of an open effect; ascending, never reused within an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EffectId(pub u32);

/// Opaque id of the state of a document or file, or of a commit. Compared for equality only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision(pub String);

/// Id of a stage: the place where one transfer writes a blob before its bytes are verified. No two operations share
/// one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StageId(pub String);

/// What an operation asks of its host. WIT says which replies each effect takes; the outbox enforces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send a request.
    Http(Exchange),
    /// Hash a file.
    ReadFile(Reading),
    /// Read a document.
    LoadDoc(String),
    /// Write or remove a document of ours.
    SaveDoc(Saving),
    /// Ask the cache for a blob.
    HasBlob(Blob),
    /// Promote a stage to the cache. The blob must be durable, or hashed again before the host replies `present`.
    KeepBlob(Staged),
    /// Remove a stage.
    DropStage(StageId),
    /// Ask the remote what the ledger is now.
    LoadLedger(Lookup),
    /// Make the remote hold these files.
    PushLedger(Push),
    /// Let the local branch, index and files follow the remote.
    SettleLedger(Settle),
    /// Replace content with its pointer.
    SwapFile(Swap),
    /// Find what a push of the branch would send.
    LoadPushRange,
    /// Replace all commits that the remote lacks with one.
    RewriteLedger(Rewrite),
}

/// A stage whose bytes hash to a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staged {
    /// The stage.
    pub stage: StageId,
    /// The blob that its bytes are.
    pub blob: Blob,
}

/// The first bytes of a blob, left by an earlier transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// The stage that holds them.
    pub stage: StageId,
    /// Bytes present.
    pub bytes: u64,
    /// A strong ETag or Last-Modified of the response that they came from.
    pub validator: Option<String>,
}

/// Why the host could not perform an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No route, no name, connection refused or broken. Retried.
    Offline,
    /// `idle_max` passed, or a connection took too long. Retried.
    TimedOut,
    /// The user or the host's policy gave no permission. Final.
    Denied,
    /// The remote refused. Final.
    Refused,
    /// Not found. Final.
    NotFound,
    /// The disk or quota is full. Final.
    NoSpace,
    /// The platform refused before any response. Final.
    Blocked,
    /// Ended by `cancel`.
    Aborted,
    /// Any other local failure. Final.
    Io,
}

/// A failure and its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The class.
    pub why: Failure,
    /// For people; bounded, without secrets.
    pub detail: String,
}

/// What the host replies to an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Bytes moved so far by this effect; at most ten times a second.
    SoFar(u64),
    /// The whole file body was sent: size and digest of the bytes that were sent.
    Sent(Blob),
    /// Status and headers.
    Head(Head),
    /// Bytes.
    Chunk(Vec<u8>),
    /// The bytes end here, or the effect is done.
    End,
    /// Size and digest of everything staged or read, computed by the host.
    Received(Blob),
    /// A document.
    Doc(Doc),
    /// The ledger.
    Ledger(Ledger),
    /// What a push would send.
    PushRange(PushRange),
    /// The revision now.
    At(Revision),
    /// The cache holds the blob, verified.
    Present,
    /// An older stage holds its first bytes.
    Partial(Beginning),
    /// Not there.
    Absent,
    /// No longer at the expected state.
    Conflict,
    /// It could not be done.
    Failed(Failed),
}

/// The host broke the contract; nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misuse {
    /// No such effect is open.
    UnknownEffect,
    /// The grammar of the effect does not allow this reply here, or its digest is none.
    OutOfOrder,
    /// The chunk has more bytes than [`CHUNK_BYTES_MAX`](crate::text::limits::CHUNK_BYTES_MAX).
    TooLarge,
    /// The operation is done, or its report was taken.
    Finished,
    /// The operation is of another kind than the report that was asked for.
    AnotherKind,
}

/// Progress of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The caller's name for the object.
    pub name: String,
    /// Bytes done; equal to `total` only after the object succeeded.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
}

/// Something failed and will be tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The caller's name for the object, or the name of the request: "the batch request".
    pub name: String,
    /// What went wrong.
    pub error: Error,
    /// Tick before which it is not tried again.
    pub at: u64,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Perform this effect, and reply with its id.
    Perform(EffectId, Effect),
    /// Abort this effect, and reply `failed(aborted)`.
    Cancel(EffectId),
    /// Show this progress.
    Note(Progress),
    /// Something will be tried again. There is no retry without this step.
    Retry(Retry),
    /// A publish begins this phase.
    Enter(Phase),
    /// Do nothing until there is something to reply or this tick passes.
    Wait(Option<u64>),
    /// Call `finish`.
    Done,
}
