//! The contract between an operation and its host, as types. `wit/hydrant.wit` says the same in WIT, word for word.

use crate::oid::{Blob, Oid};
use crate::publish::Phase;
use crate::url::Url;
use core::fmt;

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

/// HTTP methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Ask.
    Post,
    /// Store.
    Put,
}

/// Which login the host adds to a request, for origins the user approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// No login.
    None,
    /// The login the user has for this origin.
    Stored,
    /// The stored one was refused: get another, or answer `failed(denied)`.
    Renewed,
}

/// What happens at a 3xx.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirect {
    /// The 3xx is the answer.
    Report,
    /// The platform may follow; asked only without login and without secret headers.
    Follow,
}

/// A range of a named file as it was at a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// The file.
    pub name: String,
    /// The state it must still have, before and after.
    pub revision: Revision,
    /// First byte.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
}

/// Where the host takes a request body from. File bytes never pass through the core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// No body.
    Empty,
    /// These bytes.
    Bytes(Vec<u8>),
    /// A file of the host's, hashed while it is sent.
    File(Slice),
}

/// One header line. The value of an action header is a secret, so no value is ever printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// Name, any case.
    pub name: String,
    /// Value.
    pub value: String,
}

impl Header {
    /// A header.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: …", self.name)
    }
}

/// A literal HTTP request.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Absolute URL without userinfo. Its query may be a secret.
    pub url: String,
    /// Headers besides those the host must add itself.
    pub headers: Vec<Header>,
    /// Body.
    pub body: Body,
    /// The login to add.
    pub login: Login,
    /// What to do at a 3xx.
    pub redirect: Redirect,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &shown_url(&self.url))
            .field("headers", &self.headers)
            .field("body", &self.body)
            .field("login", &self.login)
            .field("redirect", &self.redirect)
            .finish()
    }
}

/// A URL for a debug print: without userinfo, query and fragment.
pub(crate) fn shown_url(text: &str) -> String {
    Url::parse(text).map_or_else(|| "…".to_owned(), |url| url.shown())
}

/// Where the body of a 200 or 206 goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The blob it should be.
    pub blob: Blob,
    /// Bytes of the stage to keep; a 206 is written after them, a 200 truncates the stage first.
    pub resume_from: u64,
}

/// A request, where its answer goes, and the bounds the host enforces by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// What to send.
    pub request: Request,
    /// None: the body is fed as chunks. Some: a 200 or 206 is written aside.
    pub stage: Option<Stage>,
    /// The host reads at most this many bytes of the answer's body, then ends it as if it were over.
    pub answer_bytes_max: u64,
    /// Milliseconds without a byte in either direction after which the host answers `failed(timed-out)`.
    pub idle_max: u64,
}

/// A file to hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The file; one of a session's own folder is `sessions/SESSION/FILE`.
    pub name: String,
    /// Its bytes must come as chunks: the core looks into them.
    pub as_chunks: bool,
}

/// A document to write or to remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saving {
    /// The document.
    pub name: String,
    /// Its bytes; none removes it.
    pub bytes: Option<Vec<u8>>,
    /// The state it must still have; none: it must not be there.
    pub replaces: Option<Revision>,
}

/// What to look up in the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lookup {
    /// Documents: their bytes are wanted.
    pub documents: Vec<String>,
    /// Other files: their states are enough.
    pub files: Vec<String>,
}

/// One file of the ledger, as the remote has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerFile {
    /// Its name.
    pub name: String,
    /// Its state; none when the remote has no such file.
    pub revision: Option<Revision>,
    /// For a document: its bytes.
    pub bytes: Option<Vec<u8>>,
    /// For a document: its bytes in the last commit here.
    pub committed: Option<Vec<u8>>,
}

/// The ledger, as the remote has it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// Its last commit.
    pub tip: Revision,
    /// In the order asked, documents first.
    pub files: Vec<LedgerFile>,
}

/// One file that the remote shall hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushFile {
    /// Its name.
    pub name: String,
    /// Its exact bytes.
    pub bytes: Vec<u8>,
    /// The state in which the remote must still have it; none: it must not be there.
    pub replaces: Option<Revision>,
}

/// One step of the ledger. Every path that is not named stays as the remote has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// Files.
    pub files: Vec<PushFile>,
    /// For the commit.
    pub message: String,
}

/// A path that takes the state that was pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettleFile {
    /// Its name.
    pub name: String,
    /// The state in which the file here may be written over, besides being absent or just as committed.
    pub expects: Option<Revision>,
}

/// What follows locally once the remote has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settle {
    /// The commit that the remote confirmed.
    pub tip: Revision,
    /// Every path of the push.
    pub files: Vec<SettleFile>,
}

/// Content to displace by its pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swap {
    /// The file.
    pub name: String,
    /// The state in which it was hashed.
    pub expects: Revision,
    /// What it hashed to.
    pub blob: Blob,
    /// The text that takes its place.
    pub pointer: Vec<u8>,
}

/// A small file that a push would send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeFile {
    /// Path in the repository.
    pub path: String,
    /// Its bytes, fewer than 1024.
    pub bytes: Vec<u8>,
    /// The last commit holds these bytes at this path; otherwise only older commits do.
    pub at_tip: bool,
    /// At the tip: index and work tree hold them, too.
    pub unchanged: bool,
}

/// What a push would send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushRange {
    /// The last commit here.
    pub tip: Revision,
    /// The commit that the remote was last known to have; none: the branch follows nothing, and all commits count.
    pub base: Option<Revision>,
    /// Commits that the remote lacks.
    pub commits: u64,
    /// The base is an ancestor of the tip, or there is none.
    pub base_is_ancestor: bool,
    /// A rebase, a merge or the like is under way.
    pub is_underway: bool,
    /// Files that could be pointers, those at the tip first.
    pub files: Vec<RangeFile>,
}

/// One file of a rewrite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RewriteFile {
    /// Path in the repository.
    pub name: String,
    /// The bytes it shall have; none removes it.
    pub bytes: Option<Vec<u8>>,
    /// The exact bytes it must still hold in the last commit, in the index and in the work tree.
    pub replaces: Vec<u8>,
}

/// One commit in the place of all that the remote lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrite {
    /// The last commit, as it was looked at.
    pub tip: Revision,
    /// What the new commit follows.
    pub base: Revision,
    /// Files that change.
    pub files: Vec<RewriteFile>,
    /// For the commit.
    pub message: String,
}

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
    KeepBlob(Oid),
    /// Forget a stage.
    DropBlob(Oid),
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

/// A stored document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doc {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its state, for compare-and-swap.
    pub revision: Revision,
}

/// Status line and headers of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Status code.
    pub status: u16,
    /// Headers as received.
    pub headers: Vec<Header>,
}

impl Head {
    /// Values of a header, in order, whatever the case of its name.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value.trim())
    }

    /// The first value of a header.
    pub fn value<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.values(name).next()
    }
}

/// The beginning of a blob, left by an earlier run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partial {
    /// Bytes present.
    pub bytes: u64,
    /// A strong ETag or Last-Modified of the answer that left it.
    pub validator: Option<String>,
}

/// Why the host could not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No route, no name, connection refused or broken.
    Offline,
    /// `idle_max` passed, or a connection took too long.
    TimedOut,
    /// The user or the host's policy gave no permission.
    Denied,
    /// The remote said no; never retried.
    Refused,
    /// No such thing.
    NotFound,
    /// The disk or quota is full.
    NoSpace,
    /// The platform said no before any answer.
    Blocked,
    /// Ended by `cancel`.
    Aborted,
    /// Any other local failure.
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
    Partial(Partial),
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
    /// The operation is done.
    Finished,
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

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Perform this, and answer with its id.
    Perform(EffectId, Effect),
    /// Abort this effect; answer `failed(aborted)`.
    Cancel(EffectId),
    /// Show this.
    Note(Progress),
    /// A publish begins this phase.
    Enter(Phase),
    /// Nothing until a reply arrives or this tick passes.
    Wait(Option<u64>),
    /// Call `finish`.
    Done,
}
