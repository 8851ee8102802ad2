//! Performs the effects of one operation: small ones at once, the others as tasks that answer over one channel.
//!
//! Rule: every effect is answered within the grammar of the contract, and after its last answer or its cancel nothing
//! of it reaches the engine any more.

mod has_blob;
mod read_file;

use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::spawn_local;
use tokio::time::timeout;

use crate::digest::blob_of;
use crate::failure::{failed, of_io, reply};
use crate::files::Files;
use crate::host::Shared;
use crate::http;
use crate::wit::types::{Blob, Doc, Effect, EffectId, Failed, Failure, Reply, Task};

/// Milliseconds between two looks at the open effects: so progress comes at most ten times a second.
pub const BEAT_MS: u64 = 100;
/// Milliseconds that cancelled effects get to keep what they staged.
const SETTLE_MS_MAX: u64 = 5_000;
/// Bytes of a document at most.
const DOCUMENT_BYTES_MAX: u64 = 4 << 20;
/// Bytes of one `chunk` reply at most.
pub(crate) const CHUNK_BYTES_MAX: usize = 256 << 10;

/// An answer of a task.
struct Event {
    id: EffectId,
    reply: Reply,
    last: bool,
}

/// The open effects of one operation.
pub(crate) struct Effects {
    shared: Rc<Shared>,
    open: HashMap<EffectId, Watched>,
    sender: UnboundedSender<Event>,
    receiver: UnboundedReceiver<Event>,
}

struct Watched {
    gauge: Arc<Gauge>,
    pulse: u64,
    moved: u64,
    since: Instant,
}

impl Effects {
    pub(crate) fn new(shared: Rc<Shared>) -> Self {
        let (sender, receiver) = unbounded_channel();
        Effects { shared, open: HashMap::new(), sender, receiver }
    }

    /// Performs an effect. A reply that is known at once is returned; all others come over the channel.
    pub(crate) fn begin(&mut self, task: Task) -> Option<Reply> {
        match task.effect {
            Effect::Http(exchange) => {
                let answers = self.answers(task.id);
                spawn_local(http::perform(Rc::clone(&self.shared), exchange, answers));
                None
            }
            Effect::ReadFile(name) => {
                let answers = self.answers(task.id);
                read_file::begin(&self.shared, &name, answers);
                None
            }
            Effect::HasBlob(blob) => self.has_blob(task.id, blob),
            Effect::LoadDoc(name) => Some(load(self.shared.documents.as_ref(), &name)),
            Effect::KeepBlob(oid) => Some(self.with_store(|store| store.keep(&oid))),
            Effect::DropBlob(oid) => Some(self.with_store(|store| store.drop_stage(&oid))),
        }
    }

    fn has_blob(&mut self, id: EffectId, blob: Blob) -> Option<Reply> {
        match has_blob::look(&self.shared, &blob) {
            Ok(now) => Some(now),
            Err(later) => {
                let answers = self.answers(id);
                spawn_local(has_blob::hash(Rc::clone(&self.shared), blob, later, answers));
                None
            }
        }
    }

    fn with_store(&self, act: impl FnOnce(&mut crate::store::Store) -> io::Result<()>) -> Reply {
        let Some(store) = &self.shared.store else { return no_store() };
        match act(&mut store.borrow_mut()) {
            Ok(()) => Reply::End,
            Err(error) => Reply::Failed(of_io(&error)),
        }
    }

    fn answers(&mut self, id: EffectId) -> Answers {
        let gauge = Arc::new(Gauge::default());
        let watched = Watched { gauge: Arc::clone(&gauge), pulse: 0, moved: 0, since: Instant::now() };
        self.open.insert(id, watched);
        Answers { id, events: self.sender.clone(), gauge }
    }

    /// Closes an effect at the engine's wish. Its task ends by itself and keeps what it staged.
    pub(crate) fn cancel(&mut self, id: EffectId) -> Option<Reply> {
        let watched = self.open.remove(&id)?;
        watched.gauge.stop(Stop::Aborted);
        Some(reply(Failure::Aborted, "stopped"))
    }

    /// An answer that is there already.
    pub(crate) fn ready(&mut self) -> Option<(EffectId, Reply)> {
        while let Ok(event) = self.receiver.try_recv() {
            if let Some(answer) = self.admit(event) {
                return Some(answer);
            }
        }
        None
    }

    /// The next answer; never comes while nothing is open.
    pub(crate) async fn next(&mut self) -> (EffectId, Reply) {
        loop {
            match self.receiver.recv().await {
                Some(event) => {
                    if let Some(answer) = self.admit(event) {
                        return answer;
                    }
                }
                None => std::future::pending().await,
            }
        }
    }

    /// Answers of effects that are closed are dropped.
    fn admit(&mut self, event: Event) -> Option<(EffectId, Reply)> {
        if !self.open.contains_key(&event.id) {
            return None;
        }
        if event.last {
            self.open.remove(&event.id);
        }
        Some((event.id, event.reply))
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// Looks at all open effects: says how far they are, and ends those on which nothing moves.
    pub(crate) fn beat(&mut self) {
        let now = Instant::now();
        for (id, watched) in &mut self.open {
            let gauge = &watched.gauge;
            let pulse = gauge.pulse.load(Ordering::Relaxed);
            let patience = gauge.patience_ms.load(Ordering::Relaxed);
            if pulse != watched.pulse || patience == 0 {
                watched.pulse = pulse;
                watched.since = now;
            } else if now.duration_since(watched.since) >= Duration::from_millis(patience) {
                gauge.stop(Stop::TimedOut);
            }
            let moved = gauge.moved.load(Ordering::Relaxed);
            if moved != watched.moved && !gauge.quiet.load(Ordering::Relaxed) {
                watched.moved = moved;
                // The receiver is ours, so sending cannot fail.
                self.sender.send(Event { id: *id, reply: Reply::SoFar(moved), last: false }).ok();
            }
        }
    }

    /// Waits, for a bounded time, until every task has put its stage in order.
    pub(crate) async fn settle(mut self) {
        for watched in self.open.values() {
            watched.gauge.stop(Stop::Aborted);
        }
        drop(self.sender);
        let all = async { while self.receiver.recv().await.is_some() {} };
        // A task that does not end in time has nothing that a later run would miss.
        timeout(Duration::from_millis(SETTLE_MS_MAX), all).await.ok();
    }
}

/// How a task answers.
pub(crate) struct Answers {
    id: EffectId,
    events: UnboundedSender<Event>,
    pub(crate) gauge: Arc<Gauge>,
}

impl Answers {
    /// One answer of several.
    pub(crate) fn say(&self, reply: Reply) {
        // The operation may be over; then nobody needs the answer.
        self.events.send(Event { id: self.id, reply, last: false }).ok();
    }

    /// The answer that closes the effect.
    pub(crate) fn last(self, reply: Reply) {
        self.gauge.quiet.store(true, Ordering::Relaxed);
        self.events.send(Event { id: self.id, reply, last: true }).ok();
    }
}

/// What can be seen of a running effect from outside, and the way to end it.
#[derive(Default)]
pub(crate) struct Gauge {
    /// Body bytes moved, in both directions.
    moved: AtomicU64,
    /// Changes whenever anything moved.
    pulse: AtomicU64,
    /// Milliseconds without a pulse after which the effect is ended; 0 while it is not counted.
    patience_ms: AtomicU64,
    /// No progress is told any more: the grammar allows none here.
    quiet: AtomicBool,
    stop: AtomicU8,
    stopped: Notify,
}

/// Why an effect is ended from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Aborted,
    TimedOut,
}

impl Gauge {
    /// Notes bytes of a body.
    pub(crate) fn moved(&self, bytes: u64) {
        self.moved.fetch_add(bytes, Ordering::Relaxed);
        self.pulse.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that something else arrived.
    pub(crate) fn pulse(&self) {
        self.pulse.fetch_add(1, Ordering::Relaxed);
    }

    /// Begins to count idle time.
    pub(crate) fn watch(&self, patience_ms: u64) {
        self.pulse();
        self.patience_ms.store(patience_ms, Ordering::Relaxed);
    }

    /// Tells no progress any more.
    pub(crate) fn hush(&self) {
        self.quiet.store(true, Ordering::Relaxed);
    }

    fn stop(&self, why: Stop) {
        let code = if why == Stop::Aborted { 1 } else { 2 };
        if self.stop.compare_exchange(0, code, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            self.stopped.notify_one();
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire) != 0
    }

    /// Waits until the effect is ended from outside.
    pub(crate) async fn stopped(&self) -> Failed {
        while !self.is_stopped() {
            self.stopped.notified().await;
        }
        match self.stop.load(Ordering::Acquire) {
            1 => failed(Failure::Aborted, "stopped"),
            _ => failed(Failure::TimedOut, "nothing moved for too long"),
        }
    }
}

pub(crate) fn no_store() -> Reply {
    reply(Failure::Io, "this command has no place for blobs")
}

/// The local copy of a document; its revision is the digest of its bytes.
fn load(documents: Option<&Files>, name: &str) -> Reply {
    let Some(documents) = documents else { return reply(Failure::Io, "this command has no ledger") };
    let read = documents.open(name).and_then(|opened| {
        let Some(opened) = opened else { return Ok(None) };
        if opened.size > DOCUMENT_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the document is too large"));
        }
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut io::Read::take(opened.file, DOCUMENT_BYTES_MAX), &mut bytes)?;
        Ok(Some(bytes))
    });
    match read {
        Ok(Some(bytes)) => Reply::Doc(Doc { revision: blob_of(&bytes).oid, bytes }),
        Ok(None) => Reply::Absent,
        Err(error) => Reply::Failed(of_io(&error)),
    }
}

#[cfg(test)]
mod contract;
#[cfg(test)]
mod tests;
