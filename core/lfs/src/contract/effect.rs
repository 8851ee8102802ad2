//! The loop: what an operation asks of its host, and what the host answers.

use super::http::{Exchange, Head};
use super::ledger::{Doc, Ledger, Lookup, Push, PushRange, Reading, Rewrite, Saving, Settle, Swap};
use super::phase::Phase;
use crate::text::error::Error;
use crate::text::oid::Blob;
use alloc::string::String;
use alloc::vec::Vec;

/// Time, as the host believes it. The core reads no clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Instant {
    /// Monotonic milliseconds, for every timeout.
    pub ticks: u64,
    /// Milliseconds since the Unix epoch, for expiry and records.
    pub wall: u64,
}

/// Names one outstanding effect; ascending, never reused within an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EffectId(pub u32);

/// Opaque state of a document or a file. Compared for equality only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision(pub String);

/// Names a stage: the place where one transfer writes a blob before it is judged. No two operations share one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StageId(pub String);

/// What an operation asks of its host. WIT says which replies answer which effect; the outbox enforces it.
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
    /// Ask the cache.
    HasBlob(Blob),
    /// Promote a stage to the cache. Durable, or hashed again before it is called present.
    KeepBlob(Staged),
    /// Forget a stage.
    DropStage(StageId),
    /// Ask the remote what the ledger is now.
    LoadLedger(Lookup),
    /// Make the remote hold these files.
    PushLedger(Push),
    /// Let branch, index and files follow the remote.
    SettleLedger(Settle),
    /// Put a pointer in the place of content.
    SwapFile(Swap),
    /// Find what a push of the branch would send.
    LoadPushRange,
    /// Put one commit in the place of all that the remote lacks.
    RewriteLedger(Rewrite),
}

/// A stage whose bytes hash to a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staged {
    /// The stage.
    pub stage: StageId,
    /// What its bytes are.
    pub blob: Blob,
}

/// The beginning of a blob, left by a transfer that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// The stage it stands in.
    pub stage: StageId,
    /// Bytes present.
    pub bytes: u64,
    /// A strong ETag or Last-Modified of the answer that left it.
    pub validator: Option<String>,
}

/// Why the host could not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No route, no name, connection refused or broken. Retried.
    Offline,
    /// `idle_max` passed, or a connection took too long. Retried.
    TimedOut,
    /// The user or the host's policy gave no permission. Final.
    Denied,
    /// The remote said no. Final.
    Refused,
    /// No such thing. Final.
    NotFound,
    /// The disk or quota is full. Final.
    NoSpace,
    /// The platform said no before any answer. Final.
    Blocked,
    /// Ended by `cancel`.
    Aborted,
    /// Any other local failure. Final.
    Io,
}

/// A failure in the words of whoever failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The class.
    pub why: Failure,
    /// For people; bounded, without secrets.
    pub detail: String,
}

/// What the host answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Bytes moved so far by this effect; at most ten times a second.
    SoFar(u64),
    /// A file body was sent to its end; the digest of what went out.
    Sent(Blob),
    /// Status and headers.
    Head(Head),
    /// Bytes.
    Chunk(Vec<u8>),
    /// Nothing more.
    End,
    /// Size and digest of everything staged or read, computed by the host.
    Received(Blob),
    /// A document.
    Doc(Doc),
    /// The ledger.
    Ledger(Ledger),
    /// What a push would send.
    PushRange(PushRange),
    /// The state now.
    At(Revision),
    /// Held and verified.
    Present,
    /// Held in part.
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
    /// The grammar of the effect does not allow this reply here.
    OutOfOrder,
    /// The chunk has more bytes than [`CHUNK_BYTES_MAX`](crate::text::limits::CHUNK_BYTES_MAX).
    TooLarge,
    /// The operation is done, or its report was taken.
    Finished,
    /// The report of this operation is of another kind.
    AnotherKind,
}

/// How far one object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The caller's name of the object.
    pub name: String,
    /// Bytes done; equal to `total` once the object ended well.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
}

/// Something is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The caller's name of the object, or what is asked: "the batch request".
    pub name: String,
    /// What went wrong.
    pub error: Error,
    /// Tick before which nothing happens.
    pub at: u64,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Perform this, and answer with its id.
    Perform(EffectId, Effect),
    /// Abort this effect; answer `failed(aborted)`.
    Cancel(EffectId),
    /// Show this progress.
    Note(Progress),
    /// Something went wrong and is tried again. Nothing is retried without this.
    Retry(Retry),
    /// A publish begins this phase.
    Enter(Phase),
    /// Nothing until a reply arrives or this tick passes.
    Wait(Option<u64>),
    /// Call `finish`.
    Done,
}
