//! The one place that knows which replies may follow which effect.
//!
//! Machines hand in effects and get whole events out: bodies collected, bytes hashed, order checked, limits kept.
//!
//! | effect | replies, in order |
//! | --- | --- |
//! | http | so-far*, head, so-far*, then chunk* end; staged 200, 203, 206 may end in `received`; `sent` for a file |
//! | read-file | so-far*, chunk* end or `received`, then `at`; or `absent` |
//! | load-doc | doc or `absent` |
//! | save-doc | `at`, or `end` for a removal; or `conflict` |
//! | has-blob | `present`, `absent`, partial; after one as long as the blob: so-far*, then chunk* end or `received` |
//! | keep-blob, drop-stage | end |
//! | load-ledger | ledger, with exactly the files that were asked for, in that order |
//! | push-ledger | `at` or `conflict` |
//! | settle-ledger | end or `conflict` |
//! | swap-file | `at`, `conflict` or `absent` |
//! | load-push-range | push-range, with files of fewer than 1024 bytes |
//! | rewrite-ledger | `at` or `conflict` |
//!
//! `failed` may end any of them, `conflict` an http with a file body. `sent` comes once, before or after the head, and
//! before the end: some platforms return the head while the body is still being sent.

use crate::contract::{
    Beginning, Body, Doc, Effect, EffectId, Exchange, Failed, Failure, Head, Instant, Ledger, LedgerFile, Misuse,
    Phase, Progress, PushRange, Reply, Retry, Revision, StageId, Step,
};
use crate::order::SortedMap;
use crate::text::error::Error;
use crate::text::limits::{
    ANSWER_MS_MAX, CHUNK_BYTES_MAX, ERROR_BYTES_MAX, JSON_BYTES_MAX, POINTER_BYTES_MAX, TRANSFER_BYTES_PER_MS_MIN,
    TRANSFER_MS_MAX,
};
use crate::text::oid::{Blob, Hasher};
use alloc::borrow::ToOwned as _;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

/// What became of an effect, or how far it is.
#[derive(Debug)]
pub enum Event {
    /// Bytes so far.
    Progress(u64),
    /// A 200, 203 or 206 whose body goes to the stage.
    Head(Head),
    /// The whole response.
    Answer {
        /// Status and headers.
        head: Head,
        /// Its body, bounded.
        body: Vec<u8>,
        /// Size and digest of the file body, if the host sent all of it.
        sent: Option<Blob>,
    },
    /// Bytes of a file that had to come as chunks; `so_far` includes them.
    Chunk {
        /// The bytes.
        bytes: Vec<u8>,
        /// Bytes of the file so far.
        so_far: u64,
    },
    /// All bytes of a stage that a transfer wrote.
    Staged(Blob),
    /// All bytes of an older stage that is as long as the blob.
    Whole(StageId, Blob),
    /// All bytes of a file.
    Read {
        /// The blob that it hashed to.
        blob: Blob,
        /// Its first 1024 bytes, or all, when they came as chunks.
        head: Option<Vec<u8>>,
        /// The revision that it had.
        revision: Revision,
    },
    /// A document.
    Doc(Doc),
    /// Not there.
    Absent,
    /// The cache holds the blob, verified.
    Present,
    /// An older stage holds its first bytes.
    Partial(Beginning),
    /// Done.
    End,
    /// Done, and this is the revision now.
    At(Revision),
    /// The ledger.
    Ledger(Ledger),
    /// What a push would send.
    PushRange(PushRange),
    /// No longer at the expected state.
    Conflict,
    /// It could not be done.
    Failed(Failed),
}

impl Event {
    fn is_last(&self) -> bool {
        !matches!(self, Event::Progress(_) | Event::Head(_) | Event::Chunk { .. })
    }
}

/// Effects to hand out, and those that are open.
#[derive(Debug, Default)]
pub struct Outbox {
    /// The last effect that the host was asked for; ids ascend.
    handed: Option<EffectId>,
    /// The time of the latest poll.
    pub now: Instant,
    next: u32,
    queue: VecDeque<Step>,
    open: SortedMap<EffectId, Open>,
}

#[derive(Debug)]
struct Open {
    grammar: Grammar,
    /// Tick at which the outbox cancels the effect.
    deadline: Option<u64>,
    /// Set when it is cancelled: the event that the machine gets after the host closed it.
    ends_as: Option<Event>,
}

/// What may come next.
#[derive(Debug)]
enum Grammar {
    Http {
        staged: bool,
        file: bool,
        sent: Option<Blob>,
    },
    Body {
        head: Head,
        body: Vec<u8>,
        bytes_max: usize,
        file: bool,
        sent: Option<Blob>,
    },
    HasBlob {
        size: u64,
    },
    Bytes {
        then: Then,
        hasher: Hasher,
        head: Vec<u8>,
        /// Some came already, so `received` and `absent` are no longer allowed.
        chunks: bool,
        /// They must come as chunks, and are handed on.
        as_chunks: bool,
    },
    At {
        blob: Blob,
        head: Option<Vec<u8>>,
    },
    Doc,
    /// How many documents and which names were asked for.
    Ledger {
        documents: usize,
        names: Vec<String>,
    },
    PushRange,
    Ends(&'static [Ending]),
}

/// How an effect with a single reply may end, besides `failed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    End,
    At,
    Conflict,
    Absent,
}

impl Ending {
    const KEPT: &[Ending] = &[Ending::End];
    const SAVED: &[Ending] = &[Ending::At, Ending::Conflict];
    const REMOVED: &[Ending] = &[Ending::End, Ending::Conflict];
    const PUSHED: &[Ending] = &[Ending::At, Ending::Conflict];
    const SETTLED: &[Ending] = &[Ending::End, Ending::Conflict];
    const REWRITTEN: &[Ending] = &[Ending::At, Ending::Conflict];
    const SWAPPED: &[Ending] = &[Ending::At, Ending::Conflict, Ending::Absent];
}

/// Where a run of bytes comes from: this decides what may follow it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Then {
    Stage,
    File,
    Whole(StageId),
}

impl Outbox {
    /// Hands an effect to the host; its id is the next one.
    pub fn perform(&mut self, effect: Effect) -> EffectId {
        let id = EffectId(self.next);
        self.next += 1;
        let grammar = match &effect {
            Effect::Http(exchange) => {
                let file = matches!(exchange.request.body, Body::File(_));
                Grammar::Http { staged: exchange.stage.is_some(), file, sent: None }
            }
            Effect::ReadFile(reading) => Grammar::bytes(Then::File, reading.as_chunks),
            Effect::HasBlob(blob) => Grammar::HasBlob { size: blob.size },
            Effect::LoadDoc(_) => Grammar::Doc,
            Effect::SaveDoc(saving) if saving.bytes.is_some() => Grammar::Ends(Ending::SAVED),
            Effect::SaveDoc(_) => Grammar::Ends(Ending::REMOVED),
            Effect::KeepBlob(_) | Effect::DropStage(_) => Grammar::Ends(Ending::KEPT),
            Effect::LoadLedger(lookup) => Grammar::Ledger {
                documents: lookup.documents.len(),
                names: lookup.documents.iter().chain(&lookup.files).cloned().collect(),
            },
            Effect::PushLedger(_) => Grammar::Ends(Ending::PUSHED),
            Effect::SettleLedger(_) => Grammar::Ends(Ending::SETTLED),
            Effect::SwapFile(_) => Grammar::Ends(Ending::SWAPPED),
            Effect::LoadPushRange => Grammar::PushRange,
            Effect::RewriteLedger(_) => Grammar::Ends(Ending::REWRITTEN),
        };
        let deadline = match &effect {
            Effect::Http(exchange) => Some(self.now.ticks.saturating_add(time_max(exchange))),
            _ => None,
        };
        self.open.insert(id, Open { grammar, deadline, ends_as: None });
        self.queue.push_back(Step::Perform(id, effect));
        id
    }

    /// Shows progress.
    pub fn note(&mut self, progress: Progress) {
        self.queue.push_back(Step::Note(progress));
    }

    /// Announces that something is tried again at this tick, and why.
    pub fn retry(&mut self, name: &str, error: &Error, at: u64) {
        self.queue.push_back(Step::Retry(Retry { name: name.to_owned(), error: error.clone(), at }));
    }

    /// Announces that a publish begins a phase.
    pub fn enter(&mut self, phase: Phase) {
        self.queue.push_back(Step::Enter(phase));
    }

    /// Cancels an effect; the machine still gets its last event, after the host closed it.
    pub fn cancel(&mut self, id: EffectId) {
        let aborted = || Event::Failed(Failed { why: Failure::Aborted, detail: String::new() });
        self.cancel_as(id, aborted());
        // A stop outweighs whatever else was ending it: what took too long must not be sent again.
        if let Some(ends_as) = self.open.get_mut(&id).and_then(|open| open.ends_as.as_mut()) {
            *ends_as = aborted();
        }
    }

    fn cancel_as(&mut self, id: EffectId, event: Event) {
        if let Some(open) = self.open.get_mut(&id)
            && open.ends_as.is_none()
        {
            open.ends_as = Some(event);
            self.queue.push_back(Step::Cancel(id));
        }
    }

    /// Cancels what has taken too long.
    pub fn expire(&mut self) {
        let late: Vec<EffectId> = self
            .open
            .iter()
            .filter(|(_, open)| open.deadline.is_some_and(|at| at <= self.now.ticks))
            .map(|(id, _)| *id)
            .collect();
        for id in late {
            if let Some(open) = self.open.get_mut(&id) {
                open.deadline = None;
            }
            let late = Failed { why: Failure::TimedOut, detail: "it took longer than is allowed in all".to_owned() };
            self.cancel_as(id, Event::Failed(late));
        }
    }

    /// The next tick at which [`Outbox::expire`] has something to do.
    pub fn deadline(&self) -> Option<u64> {
        self.open.values().filter_map(|open| open.deadline).min()
    }

    /// The next step for the host.
    pub fn pop(&mut self) -> Option<Step> {
        let step = self.queue.pop_front();
        if let Some(Step::Perform(id, _)) = &step {
            self.handed = Some(*id);
        }
        step
    }

    /// Whether no effect is open.
    pub fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// Effects that are open.
    pub fn open(&self) -> Vec<EffectId> {
        self.open.keys().copied().collect()
    }

    /// Whether an effect may be replied to. Nobody can have performed what was not handed out yet.
    pub fn awaits(&self, id: EffectId) -> bool {
        self.handed >= Some(id) && self.open.contains_key(&id)
    }

    /// Takes a reply. `Err` changes nothing; `Ok(None)` needs no attention.
    pub fn accept(&mut self, id: EffectId, reply: Reply) -> Result<Option<Event>, Misuse> {
        if !self.awaits(id) {
            return Err(Misuse::UnknownEffect);
        }
        let open = self.open.get_mut(&id).ok_or(Misuse::UnknownEffect)?;
        if matches!(&reply, Reply::Chunk(bytes) if bytes.len() > CHUNK_BYTES_MAX) {
            return Err(Misuse::TooLarge);
        }
        let event = open.grammar.take(reply)?;
        let last = event.as_ref().is_some_and(Event::is_last);
        if let Some(enough) = open.grammar.enough() {
            self.cancel_as(id, enough);
            return Ok(None);
        }
        if last {
            let cancelled = self.open.remove(&id).and_then(|open| open.ends_as);
            if cancelled.is_some() {
                // It ended by itself before the host was told to abort it.
                self.queue.retain(|step| *step != Step::Cancel(id));
            }
            return Ok(cancelled.or(event));
        }
        let cancelled = open.ends_as.is_some();
        Ok(event.filter(|_| !cancelled))
    }
}

/// Milliseconds that an exchange may take as a whole, even if bytes keep coming.
fn time_max(exchange: &Exchange) -> u64 {
    let bytes = match (&exchange.stage, &exchange.request.body) {
        (Some(stage), _) => stage.blob.size,
        (None, Body::File(slice)) => slice.length,
        (None, _) => return ANSWER_MS_MAX,
    };
    TRANSFER_MS_MAX + bytes / TRANSFER_BYTES_PER_MS_MIN
}

impl Grammar {
    fn bytes(then: Then, as_chunks: bool) -> Self {
        Grammar::Bytes { then, hasher: Hasher::default(), head: Vec::new(), chunks: false, as_chunks }
    }

    fn take(&mut self, reply: Reply) -> Result<Option<Event>, Misuse> {
        if let Reply::Failed(failed) = reply {
            return Ok(Some(Event::Failed(failed)));
        }
        match (&mut *self, reply) {
            (Grammar::Http { .. } | Grammar::Bytes { .. } | Grammar::Body { .. }, Reply::SoFar(bytes)) => {
                Ok(Some(Event::Progress(bytes)))
            }
            (Grammar::Http { file: true, sent, .. } | Grammar::Body { file: true, sent, .. }, Reply::Sent(blob))
                if sent.is_none() =>
            {
                *sent = Some(blob);
                Ok(None)
            }
            (Grammar::Http { file: true, .. } | Grammar::Body { file: true, .. }, Reply::Conflict) => {
                Ok(Some(Event::Conflict))
            }
            (Grammar::Http { staged, file, sent }, Reply::Head(head)) => {
                if *staged && Head::is_staged(head.status) {
                    *self = Grammar::bytes(Then::Stage, false);
                    return Ok(Some(Event::Head(head)));
                }
                let bytes_max = if *staged || *file { ERROR_BYTES_MAX } else { JSON_BYTES_MAX };
                *self = Grammar::Body { head, body: Vec::new(), bytes_max, file: *file, sent: *sent };
                Ok(None)
            }
            (Grammar::Body { body, bytes_max, .. }, Reply::Chunk(chunk)) => {
                // One byte over the limit is enough to know that there are too many.
                let room = (*bytes_max + 1).saturating_sub(body.len());
                body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                Ok(None)
            }
            (Grammar::Body { .. }, Reply::End) => {
                let Grammar::Body { head, body, sent, .. } = self.close() else {
                    unreachable!("matched above");
                };
                Ok(Some(Event::Answer { head, body, sent }))
            }
            (Grammar::Bytes { hasher, head, chunks, as_chunks, .. }, Reply::Chunk(chunk)) => {
                *chunks = true;
                hasher.update(&chunk);
                let room = POINTER_BYTES_MAX - head.len();
                head.extend_from_slice(&chunk[..chunk.len().min(room)]);
                let so_far = hasher.size();
                Ok(Some(if *as_chunks { Event::Chunk { bytes: chunk, so_far } } else { Event::Progress(so_far) }))
            }
            (Grammar::Bytes { hasher, head, .. }, Reply::End) => {
                let (blob, head) = (core::mem::take(hasher).finish(), core::mem::take(head));
                Ok(self.digested(blob, Some(head)))
            }
            (Grammar::Bytes { then, chunks: false, as_chunks: false, .. }, Reply::Received(blob)) => {
                if *then == Then::File && blob.size < POINTER_BYTES_MAX as u64 {
                    return Err(Misuse::OutOfOrder);
                }
                Ok(self.digested(blob, None))
            }
            (Grammar::Bytes { then: Then::File, chunks: false, .. } | Grammar::Doc, Reply::Absent) => {
                Ok(Some(Event::Absent))
            }
            (Grammar::HasBlob { .. }, Reply::Absent) => Ok(Some(Event::Absent)),
            (Grammar::HasBlob { .. }, Reply::Present) => Ok(Some(Event::Present)),
            (Grammar::HasBlob { size }, Reply::Partial(partial)) => {
                if partial.bytes == 0 || partial.bytes != *size {
                    return Ok(Some(Event::Partial(partial)));
                }
                *self = Grammar::bytes(Then::Whole(partial.stage), false);
                Ok(None)
            }
            (Grammar::At { .. }, Reply::At(revision)) => {
                let Grammar::At { blob, head } = self.close() else {
                    unreachable!("matched above");
                };
                Ok(Some(Event::Read { blob, head, revision }))
            }
            (Grammar::Doc, Reply::Doc(doc)) => Ok(Some(Event::Doc(doc))),
            (Grammar::Ledger { documents, names }, Reply::Ledger(ledger)) => {
                let named = ledger.files.iter().map(|file| &file.name).eq(names.iter());
                let whole = |file: &LedgerFile| file.bytes.is_some() == file.revision.is_some();
                if !named || !ledger.files.iter().take(*documents).all(whole) {
                    return Err(Misuse::OutOfOrder);
                }
                Ok(Some(Event::Ledger(ledger)))
            }
            (Grammar::PushRange, Reply::PushRange(range)) => {
                if range.files.iter().any(|file| file.bytes.len() >= POINTER_BYTES_MAX) {
                    return Err(Misuse::OutOfOrder);
                }
                Ok(Some(Event::PushRange(range)))
            }
            (Grammar::Ends(endings), reply) => {
                let (ending, event) = match reply {
                    Reply::End => (Ending::End, Event::End),
                    Reply::At(revision) => (Ending::At, Event::At(revision)),
                    Reply::Conflict => (Ending::Conflict, Event::Conflict),
                    Reply::Absent => (Ending::Absent, Event::Absent),
                    _ => return Err(Misuse::OutOfOrder),
                };
                if endings.contains(&ending) { Ok(Some(event)) } else { Err(Misuse::OutOfOrder) }
            }
            _ => Err(Misuse::OutOfOrder),
        }
    }

    /// Takes what was collected; nothing may follow.
    fn close(&mut self) -> Self {
        core::mem::replace(self, Grammar::Ends(&[]))
    }

    /// The response as it is, once its body is longer than we ever use: an endless error page is not read to its end.
    fn enough(&mut self) -> Option<Event> {
        match self {
            Grammar::Body { head, body, bytes_max, sent, .. } if body.len() > *bytes_max => {
                Some(Event::Answer { head: head.clone(), body: core::mem::take(body), sent: *sent })
            }
            _ => None,
        }
    }

    /// All bytes came. For a file the revision follows; for a stage this is the event.
    fn digested(&mut self, blob: Blob, head: Option<Vec<u8>>) -> Option<Event> {
        let Grammar::Bytes { then, .. } = self.close() else {
            unreachable!("only a run of bytes has a digest");
        };
        match then {
            Then::File => {
                *self = Grammar::At { blob, head };
                None
            }
            Then::Stage => Some(Event::Staged(blob)),
            Then::Whole(stage) => Some(Event::Whole(stage, blob)),
        }
    }
}
