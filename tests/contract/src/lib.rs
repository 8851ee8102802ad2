//! The contract suite: what every host must do with an effect, whoever wrote it.
//!
//! It is written against plain types of its own; an adapter of a few lines turns them into those of a host. The rule it
//! keeps: it looks at a host from outside, through effects and replies, what a server heard, and nothing else.

mod answers;
mod documents;
mod following;
mod grammar;
mod ledger;
mod reading;
mod rewriting;
mod sending;
mod stages;
mod swapping;

use std::fmt::Debug;

/// What bytes hash to, and how many they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// SHA-256 in hex.
    pub oid: String,
    /// Bytes.
    pub size: u64,
}

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

/// Body of a request.
#[derive(Clone, Debug)]
pub enum Body {
    /// None.
    Empty,
    /// These bytes.
    Bytes(Vec<u8>),
    /// Part of a file at a revision.
    File {
        /// The file.
        name: String,
        /// The state it must have.
        revision: String,
        /// First byte.
        offset: u64,
        /// Bytes.
        length: u64,
    },
}

/// A request and its bounds.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Method.
    pub method: Method,
    /// Where to.
    pub url: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Body,
    /// The stored login is asked for.
    pub login: bool,
    /// Where a 200, 203 or 206 goes.
    pub stage: Option<Staging>,
    /// Bytes of the answer's body at most.
    pub answer_bytes_max: u64,
    /// Milliseconds without a byte at most.
    pub idle_max: u64,
}

/// A stage of a transfer.
#[derive(Clone, Debug)]
pub struct Staging {
    /// Its name; no two transfers share one.
    pub id: String,
    /// What should be in it.
    pub blob: Blob,
    /// An older stage, and how many of its bytes this one begins with.
    pub resume: Option<(String, u64)>,
}

/// An effect.
#[derive(Clone, Debug)]
pub enum Ask {
    /// Send a request.
    Http(Exchange),
    /// Hash a file.
    ReadFile(String),
    /// Hash a file whose bytes must come as chunks.
    FeedFile(String),
    /// Read a document.
    LoadDoc(String),
    /// Write or remove a document of ours.
    SaveDoc {
        /// The document.
        name: String,
        /// None removes it.
        bytes: Option<Vec<u8>>,
        /// The state it must have; none: it must not be there.
        replaces: Option<String>,
    },
    /// Ask the cache.
    HasBlob(Blob),
    /// Promote a stage.
    KeepBlob {
        /// The stage.
        stage: String,
        /// What it holds.
        blob: Blob,
    },
    /// Forget a stage.
    DropStage(String),
    /// Ask the remote for documents and for the states of other files.
    LoadLedger {
        /// Their bytes are wanted.
        documents: Vec<String>,
        /// Their states are enough.
        files: Vec<String>,
    },
    /// Make the remote hold these files.
    PushLedger(Vec<Pushing>),
    /// Let branch, index and files follow.
    SettleLedger {
        /// What the remote confirmed.
        tip: String,
        /// Names, and the states in which they may be written over.
        files: Vec<(String, Option<String>)>,
    },
    /// Put a pointer in the place of content.
    SwapFile {
        /// The file.
        name: String,
        /// The state in which it was hashed.
        expects: String,
        /// What it hashed to.
        blob: Blob,
        /// What takes its place.
        pointer: Vec<u8>,
    },
    /// Find what a push would send.
    LoadPushRange,
    /// Put one commit in the place of all that the remote lacks.
    RewriteLedger {
        /// The last commit, as it was looked at.
        tip: String,
        /// What the new one follows.
        base: String,
        /// Files that change.
        files: Vec<Rewriting>,
    },
}

/// One file of a rewrite.
#[derive(Clone, Debug)]
pub struct Rewriting {
    /// Its name.
    pub name: String,
    /// Its new bytes; none removes it.
    pub bytes: Option<Vec<u8>>,
    /// The bytes it must still have.
    pub replaces: Vec<u8>,
}

/// What a push would send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushRange {
    /// The last commit here.
    pub tip: String,
    /// What the branch follows.
    pub base: Option<String>,
    /// Commits that the remote lacks.
    pub commits: u64,
    /// The base is an ancestor.
    pub base_is_ancestor: bool,
    /// A rebase or the like is under way.
    pub is_underway: bool,
    /// Small files that could be pointers.
    pub files: Vec<RangeFile>,
}

/// A small file that a push would send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeFile {
    /// Its path.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The last commit has them.
    pub at_tip: bool,
    /// Index and work tree, too.
    pub unchanged: bool,
}

/// One file of a push.
#[derive(Clone, Debug)]
pub struct Pushing {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The state in which the remote must have it; none: it must not be there.
    pub replaces: Option<String>,
}

/// One file as the remote has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Its name.
    pub name: String,
    /// Its state there.
    pub revision: Option<String>,
    /// Its bytes there.
    pub bytes: Option<Vec<u8>>,
    /// Its bytes in the last commit here.
    pub committed: Option<Vec<u8>>,
}

/// Why an effect failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// No connection, or a broken one.
    Offline,
    /// Nothing moved.
    TimedOut,
    /// No permission.
    Denied,
    /// Cancelled.
    Aborted,
    /// Anything else.
    Other,
}

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Bytes so far.
    SoFar(u64),
    /// A file body went out.
    Sent(Blob),
    /// Status and headers.
    Head(u16, Vec<(String, String)>),
    /// Bytes.
    Chunk(Vec<u8>),
    /// Nothing more.
    End,
    /// Digest of everything.
    Received(Blob),
    /// A document: bytes and revision.
    Doc(Vec<u8>, String),
    /// The ledger: its tip and what was asked for.
    Ledger(String, Vec<Remote>),
    /// What a push would send.
    PushRange(PushRange),
    /// A revision.
    At(String),
    /// Held.
    Present,
    /// Held in part.
    Partial(Left),
    /// Not there.
    Absent,
    /// No longer at the expected state.
    Conflict,
    /// Failed, in these words.
    Failed(Why, String),
}

/// The beginning of a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The stage it stands in.
    pub stage: String,
    /// Bytes.
    pub bytes: u64,
    /// What its answer called itself.
    pub validator: Option<String>,
}

/// How a server ends its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As promised.
    Whole,
    /// After half of the body the connection breaks.
    Breaks,
    /// After half of the body nothing moves any more.
    Stalls,
}

/// What the server says to the next request.
#[derive(Clone, Debug)]
pub struct Canned {
    /// Status.
    pub status: u16,
    /// Headers besides the length.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// How it ends.
    pub ending: Ending,
}

/// A request as the server heard it.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

/// A host with its store, its files and a server that says what it is told to.
pub trait HostUnderTest {
    /// What bytes hash to.
    fn blob(&self, bytes: &[u8]) -> Blob;
    /// Tells the server what to say to the next request; the URL to send it to, whose origin is approved for logins.
    fn serve(&mut self, answer: Canned) -> String;
    /// A URL of an origin that is not approved for logins, with a server that hears.
    fn foreign(&mut self) -> String;
    /// What the servers heard since the last look.
    fn heard(&mut self) -> Vec<Heard>;
    /// Writes a file that may be read, or removes it.
    fn place_file(&mut self, name: &str, bytes: Option<&[u8]>);
    /// Writes a document of the ledger.
    fn place_doc(&mut self, name: &str, bytes: &[u8]);
    /// Performs an effect and gives all its replies.
    fn perform(&mut self, ask: Ask) -> Vec<Said>;
    /// Begins an exchange, cancels it once its head is there, and gives all its replies.
    fn cancel_after_head(&mut self, exchange: Exchange) -> Vec<Said>;
    /// Begins an exchange, performs other effects once its head is there, and lets it go on to its end: its replies,
    /// and theirs.
    fn interleave(&mut self, exchange: Exchange, meanwhile: Vec<Ask>) -> (Vec<Said>, Vec<Vec<Said>>);
    /// The process ends and another one begins on the same store.
    fn restart(&mut self);
}

/// A host that can publish: its files and documents are those of the work tree of a ledger's clone.
pub trait LedgerUnderTest: HostUnderTest {
    /// Somebody else commits a file at the remote, or its removal.
    fn meanwhile(&mut self, name: &str, bytes: Option<&[u8]>);
    /// What the remote has under this name.
    fn at_remote(&mut self, name: &str) -> Option<Vec<u8>>;
    /// How many commits the remote has.
    fn commits(&mut self) -> usize;
    /// The user commits files here and does not push.
    fn commit_here(&mut self, files: &[(&str, &[u8])]);
    /// What stands in the work tree.
    fn in_tree(&mut self, name: &str) -> Option<Vec<u8>>;
}

/// A host under test, with every reply checked against the grammar of its effect.
pub(crate) struct Bench<'a, H: ?Sized = dyn HostUnderTest + 'a> {
    pub(crate) host: &'a mut H,
    /// Stages named so far.
    pub(crate) stages: u32,
}

/// A host with a ledger under test.
pub(crate) type LedgerBench<'a> = Bench<'a, dyn LedgerUnderTest + 'a>;

/// What a check says.
pub(crate) type Verdict = Result<(), String>;

/// One named rule.
pub(crate) type Check = (&'static str, fn(&mut Bench<'_>) -> Verdict);

/// One named rule of hosts with a ledger.
pub(crate) type LedgerCheck = (&'static str, fn(&mut LedgerBench<'_>) -> Verdict);

/// Runs every check on a fresh host; the failures by name.
pub fn failures<H: HostUnderTest>(mut fresh: impl FnMut() -> H) -> Vec<String> {
    let checks = [answers::CHECKS, stages::CHECKS, reading::CHECKS, sending::CHECKS];
    let mut failures = Vec::new();
    for (name, check) in checks.into_iter().flatten() {
        let mut host = fresh();
        if let Err(why) = check(&mut Bench { host: &mut host, stages: 0 }) {
            failures.push(format!("{name}: {why}"));
        }
    }
    failures
}

/// Runs every check of what a publish asks for, each on a fresh host with an empty ledger; the failures by name.
pub fn ledger_failures<H: LedgerUnderTest>(mut fresh: impl FnMut() -> H) -> Vec<String> {
    let checks = [documents::CHECKS, ledger::CHECKS, following::CHECKS, swapping::CHECKS, rewriting::CHECKS];
    let mut failures = Vec::new();
    for (name, check) in checks.into_iter().flatten() {
        let mut host = fresh();
        if let Err(why) = check(&mut Bench { host: &mut host, stages: 0 }) {
            failures.push(format!("{name}: {why}"));
        }
    }
    failures
}

impl<H: HostUnderTest + ?Sized> Bench<'_, H> {
    /// Performs an effect; its replies without progress.
    pub(crate) fn ask(&mut self, ask: Ask) -> Result<Vec<Said>, String> {
        let all = self.host.perform(ask.clone());
        grammar::fits(&ask, &all).map_err(|why| format!("{why}: {}", short(&all)))?;
        Ok(without_progress(all))
    }

    /// A GET to the next canned answer.
    pub(crate) fn get(&mut self, answer: Canned) -> Exchange {
        let url = self.host.serve(answer);
        Exchange {
            method: Method::Get,
            url,
            headers: Vec::new(),
            body: Body::Empty,
            login: false,
            stage: None,
            answer_bytes_max: 1 << 20,
            idle_max: 20_000,
        }
    }

    /// The same, into a stage of its own.
    pub(crate) fn stage(&mut self, answer: Canned, blob: &Blob) -> Exchange {
        self.stage_after(answer, blob, None)
    }

    /// The same, after what is left of an older one.
    pub(crate) fn stage_after(&mut self, answer: Canned, blob: &Blob, left: Option<&Left>) -> Exchange {
        let plain = self.get(answer);
        self.stages += 1;
        let answer_bytes_max = blob.size - left.map_or(0, |left| left.bytes) + 1;
        let resume = left.map(|left| (left.stage.clone(), left.bytes));
        let stage = Staging { id: format!("0123456789abcdef-{}", self.stages), blob: blob.clone(), resume };
        Exchange { stage: Some(stage), answer_bytes_max, ..plain }
    }

    /// What was staged or read, whoever hashed it.
    pub(crate) fn digest(&self, replies: &[Said]) -> Option<Blob> {
        let mut fed = Vec::new();
        for reply in replies {
            match reply {
                Said::Received(blob) => return Some(blob.clone()),
                Said::Chunk(bytes) => fed.extend_from_slice(bytes),
                Said::End => return Some(self.host.blob(&fed)),
                _ => {}
            }
        }
        None
    }
}

impl Canned {
    /// An answer that ends as promised.
    pub(crate) fn new(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Canned {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Canned { status, headers: headers.iter().map(own).collect(), body: body.to_vec(), ending: Ending::Whole }
    }

    /// The same with another end.
    pub(crate) fn ending(self, ending: Ending) -> Canned {
        Canned { ending, ..self }
    }
}

pub(crate) fn without_progress(mut replies: Vec<Said>) -> Vec<Said> {
    replies.retain(|reply| !matches!(reply, Said::SoFar(_)));
    replies
}

/// Replies for people: long bytes are counted.
pub(crate) fn short(replies: &[Said]) -> String {
    let one = |reply: &Said| match reply {
        Said::Chunk(bytes) if bytes.len() > 20 => format!("Chunk of {}", bytes.len()),
        other => format!("{other:?}"),
    };
    replies.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Bytes that look random and are always the same.
pub(crate) fn bytes(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

/// Both are the same, or what they are.
pub(crate) fn same<T: PartialEq + Debug>(what: &str, found: T, expected: T) -> Verdict {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?} instead of {expected:?}")) }
}

/// The last reply is a failure of this class.
pub(crate) fn fails(replies: &[Said], why: Why) -> Verdict {
    match replies.last() {
        Some(Said::Failed(found, _)) => same("why", *found, why),
        _ => Err(format!("no failure: {}", short(replies))),
    }
}
