//! The one place that knows which replies may follow which effect.
//!
//! Machines hand effects in and get whole events out: bodies collected, bytes hashed, order checked, bounds kept.
//!
//! | effect | replies, in order |
//! | --- | --- |
//! | http | so-far*, `sent` for a file body, head, so-far*, then chunk* end; staged 200 and 206 may end in `received` |
//! | read-file | so-far*, chunk* end or `received`, then `at`; or `absent` |
//! | load-doc | doc or `absent` |
//! | has-blob | `present`, partial, `absent`; or, over a stage as long as the blob: so-far*, chunk* end or `received` |
//! | keep-blob, drop-blob | end |
//!
//! `failed` may end any of them, `conflict` an http with a file body.

use crate::contract::{
    Body, Doc, Effect, EffectId, Exchange, Failed, Failure, Head, Instant, Misuse, Partial, Progress, Reply, Revision,
    Step,
};
use crate::limits::{
    ANSWER_MS_MAX, ERROR_BYTES_MAX, JSON_BYTES_MAX, POINTER_BYTES_MAX, TRANSFER_BYTES_PER_MS_MIN, TRANSFER_MS_MAX,
};
use crate::oid::{Blob, Hasher};
use std::collections::{BTreeMap, VecDeque};

/// What became of an effect, or how far it is.
#[derive(Debug)]
pub(crate) enum Event {
    /// Bytes so far.
    Progress(u64),
    /// A 200 or 206 whose body goes to the stage.
    Head(Head),
    /// The whole answer; `sent` is what went out of a file body that was sent to its end.
    Answer { head: Head, body: Vec<u8>, sent: Option<Blob> },
    /// Everything of a stage.
    Staged(Blob),
    /// Everything of a file; `small` holds its bytes when they could be a pointer.
    Read { blob: Blob, small: Option<Vec<u8>>, revision: Revision },
    /// A document.
    Doc(Doc),
    /// Not there.
    Absent,
    /// Held and verified.
    Present,
    /// Held in part.
    Partial(Partial),
    /// Done.
    End,
    /// No longer at the expected state.
    Conflict,
    /// It could not be done.
    Failed(Failed),
}

impl Event {
    fn is_last(&self) -> bool {
        !matches!(self, Event::Progress(_) | Event::Head(_))
    }
}

/// Effects on their way out, and those that are open.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub(crate) now: Instant,
    next: u32,
    queue: VecDeque<Step>,
    open: BTreeMap<EffectId, Open>,
}

#[derive(Debug)]
struct Open {
    grammar: Grammar,
    /// Tick at which the effect is cancelled by ourselves.
    deadline: Option<u64>,
    /// Set once it is cancelled: what the machine is told when the host has closed it.
    ends_as: Option<Event>,
}

/// What may come next.
#[derive(Debug)]
enum Grammar {
    Http { staged: bool, file: bool, sent: Option<Blob> },
    Body { head: Head, body: Vec<u8>, bytes_max: usize, file: bool, sent: Option<Blob> },
    Bytes { then: Then, hasher: Hasher, small: Vec<u8>, chunks: bool },
    At { blob: Blob, small: Option<Vec<u8>> },
    Doc,
    Plain,
}

/// What a run of bytes is, and so what may follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Stage,
    File,
    Cached,
}

impl Outbox {
    /// Hands an effect to the host; its id is the next one.
    pub(crate) fn perform(&mut self, effect: Effect) -> EffectId {
        let id = EffectId(self.next);
        self.next += 1;
        let bytes = |then| Grammar::Bytes { then, hasher: Hasher::default(), small: Vec::new(), chunks: false };
        let grammar = match &effect {
            Effect::Http(exchange) => {
                let file = matches!(exchange.request.body, Body::File(_));
                Grammar::Http { staged: exchange.stage.is_some(), file, sent: None }
            }
            Effect::ReadFile(_) => bytes(Then::File),
            Effect::HasBlob(_) => bytes(Then::Cached),
            Effect::LoadDoc(_) => Grammar::Doc,
            Effect::KeepBlob(_) | Effect::DropBlob(_) => Grammar::Plain,
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
    pub(crate) fn note(&mut self, progress: Progress) {
        self.queue.push_back(Step::Note(progress));
    }

    /// Cancels an effect; the machine still gets its last event, once the host has closed it.
    pub(crate) fn cancel(&mut self, id: EffectId) {
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
    pub(crate) fn expire(&mut self) {
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
            let late = Failed { why: Failure::TimedOut, detail: "it took too long as a whole".to_owned() };
            self.cancel_as(id, Event::Failed(late));
        }
    }

    /// The next tick at which [`Outbox::expire`] has something to do.
    pub(crate) fn deadline(&self) -> Option<u64> {
        self.open.values().filter_map(|open| open.deadline).min()
    }

    pub(crate) fn pop(&mut self) -> Option<Step> {
        self.queue.pop_front()
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// Takes a reply. `Err` changes nothing; `Ok(None)` needs no attention.
    pub(crate) fn accept(&mut self, id: EffectId, reply: Reply) -> Result<Option<Event>, Misuse> {
        let open = self.open.get_mut(&id).ok_or(Misuse::UnknownEffect)?;
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

/// Milliseconds that an exchange may take as a whole, however steadily a byte drips.
fn time_max(exchange: &Exchange) -> u64 {
    let bytes = match (&exchange.stage, &exchange.request.body) {
        (Some(stage), _) => stage.blob.size,
        (None, Body::File(slice)) => slice.length,
        (None, _) => return ANSWER_MS_MAX,
    };
    TRANSFER_MS_MAX + bytes / TRANSFER_BYTES_PER_MS_MIN
}

impl Grammar {
    fn take(&mut self, reply: Reply) -> Result<Option<Event>, Misuse> {
        if let Reply::Failed(failed) = reply {
            return Ok(Some(Event::Failed(failed)));
        }
        match (&mut *self, reply) {
            (Grammar::Http { .. } | Grammar::Bytes { .. } | Grammar::Body { .. }, Reply::SoFar(bytes)) => {
                Ok(Some(Event::Progress(bytes)))
            }
            (Grammar::Http { file: true, sent, .. }, Reply::Sent(blob)) if sent.is_none() => {
                *sent = Some(blob);
                Ok(None)
            }
            (Grammar::Http { file: true, .. } | Grammar::Body { file: true, .. }, Reply::Conflict) => {
                Ok(Some(Event::Conflict))
            }
            (Grammar::Http { staged, file, sent }, Reply::Head(head)) => {
                if *staged && matches!(head.status, 200 | 206) {
                    *self = Grammar::Bytes {
                        then: Then::Stage,
                        hasher: Hasher::default(),
                        small: Vec::new(),
                        chunks: false,
                    };
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
                let Grammar::Body { head, body, sent, .. } = core::mem::replace(self, Grammar::Plain) else {
                    unreachable!("matched above");
                };
                Ok(Some(Event::Answer { head, body, sent }))
            }
            (Grammar::Bytes { hasher, small, chunks, .. }, Reply::Chunk(chunk)) => {
                *chunks = true;
                hasher.update(&chunk);
                let room = POINTER_BYTES_MAX - small.len();
                small.extend_from_slice(&chunk[..chunk.len().min(room)]);
                Ok(Some(Event::Progress(hasher.size())))
            }
            (Grammar::Bytes { then, hasher, small, .. }, Reply::End) => {
                let (then, blob) = (*then, core::mem::take(hasher).finish());
                let small = Some(core::mem::take(small)).filter(|small| small.len() < POINTER_BYTES_MAX);
                Ok(self.digested(then, blob, small))
            }
            (Grammar::Bytes { then, chunks: false, .. }, Reply::Received(blob)) => {
                let then = *then;
                if then == Then::File && blob.size < POINTER_BYTES_MAX as u64 {
                    return Err(Misuse::OutOfOrder);
                }
                Ok(self.digested(then, blob, None))
            }
            (Grammar::Bytes { then: Then::File, chunks: false, .. } | Grammar::Doc, Reply::Absent) => {
                Ok(Some(Event::Absent))
            }
            (Grammar::Bytes { then: Then::Cached, chunks: false, .. }, Reply::Absent) => Ok(Some(Event::Absent)),
            (Grammar::Bytes { then: Then::Cached, chunks: false, .. }, Reply::Present) => Ok(Some(Event::Present)),
            (Grammar::Bytes { then: Then::Cached, chunks: false, .. }, Reply::Partial(partial)) => {
                Ok(Some(Event::Partial(partial)))
            }
            (Grammar::At { .. }, Reply::At(revision)) => {
                let Grammar::At { blob, small } = core::mem::replace(self, Grammar::Plain) else {
                    unreachable!("matched above");
                };
                Ok(Some(Event::Read { blob, small, revision }))
            }
            (Grammar::Doc, Reply::Doc(doc)) => Ok(Some(Event::Doc(doc))),
            (Grammar::Plain, Reply::End) => Ok(Some(Event::End)),
            _ => Err(Misuse::OutOfOrder),
        }
    }

    /// The answer, once its body has grown past all use: an endless error page is not read to its end.
    fn enough(&mut self) -> Option<Event> {
        match self {
            Grammar::Body { head, body, bytes_max, sent, .. } if body.len() > *bytes_max => {
                Some(Event::Answer { head: head.clone(), body: core::mem::take(body), sent: *sent })
            }
            _ => None,
        }
    }

    fn digested(&mut self, then: Then, blob: Blob, small: Option<Vec<u8>>) -> Option<Event> {
        if then == Then::File {
            *self = Grammar::At { blob, small };
            return None;
        }
        Some(Event::Staged(blob))
    }
}
