//! How a running effect speaks: its answers, and the gauge that shows from outside how far it is and ends it.
//!
//! Rule: an effect is timed out only while it waits for somebody else; time in which this host works is its own.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;

use crate::contract::failure::failed;
use crate::contract::types::{EffectId, Failed, Failure, Reply};

/// An answer of a task.
pub(crate) struct Event {
    pub(crate) id: EffectId,
    pub(crate) reply: Reply,
    /// It closes the effect.
    pub(crate) last: bool,
}

/// How a task answers.
pub(crate) struct Answers {
    id: EffectId,
    events: UnboundedSender<Event>,
    pub(crate) gauge: Arc<Gauge>,
}

impl Answers {
    pub(crate) fn new(id: EffectId, events: UnboundedSender<Event>) -> Answers {
        Answers { id, events, gauge: Arc::default() }
    }

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
    /// Work of this host that is under way.
    busy: AtomicU32,
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

/// Work of the host, for as long as this lives.
pub(crate) struct Busy(Arc<Gauge>);

impl Gauge {
    /// Notes bytes of a body.
    pub(crate) fn moved(&self, bytes: u64) {
        self.moved.fetch_add(bytes, Ordering::Relaxed);
        self.pulse();
    }

    /// Begins to count bytes anew.
    pub(crate) fn begin_anew(&self) {
        self.moved.store(0, Ordering::Relaxed);
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

    /// Until the result is dropped, silence is this host's doing.
    pub(crate) fn busy(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(self))
    }

    /// Tells no progress any more.
    pub(crate) fn hush(&self) {
        self.quiet.store(true, Ordering::Relaxed);
    }

    pub(crate) fn stop(&self, why: Stop) {
        let code = if why == Stop::Aborted { 1 } else { 2 };
        if self.stop.compare_exchange(0, code, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            self.stopped.notify_one();
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire) != 0
    }

    /// An error once the effect is ended: long work asks between two blocks whether anybody still wants it.
    pub(crate) fn still_wanted(&self) -> io::Result<()> {
        if self.is_stopped() { Err(io::Error::other("stopped")) } else { Ok(()) }
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

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.pulse();
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What was seen of a gauge at the last look.
pub(crate) struct Watched {
    gauge: Arc<Gauge>,
    pulse: u64,
    moved: u64,
    since: Instant,
}

impl Watched {
    pub(crate) fn new(gauge: Arc<Gauge>) -> Watched {
        Watched { gauge, pulse: 0, moved: 0, since: Instant::now() }
    }

    pub(crate) fn stop(&self, why: Stop) {
        self.gauge.stop(why);
    }

    /// Ends the effect when nothing moved for too long; returns how far it is when there is something to tell.
    pub(crate) fn look(&mut self, now: Instant) -> Option<u64> {
        let gauge = &self.gauge;
        let pulse = gauge.pulse.load(Ordering::Relaxed);
        let patience = gauge.patience_ms.load(Ordering::Relaxed);
        if pulse != self.pulse || patience == 0 || gauge.busy.load(Ordering::Relaxed) > 0 {
            self.pulse = pulse;
            self.since = now;
        } else if now.duration_since(self.since) >= Duration::from_millis(patience) {
            gauge.stop(Stop::TimedOut);
        }
        let moved = gauge.moved.load(Ordering::Relaxed);
        if moved == self.moved || gauge.quiet.load(Ordering::Relaxed) {
            return None;
        }
        self.moved = moved;
        Some(moved)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use super::{Gauge, Watched};

    #[test]
    fn patience_is_not_counted_while_the_host_works() {
        let gauge = Arc::new(Gauge::default());
        let mut watched = Watched::new(Arc::clone(&gauge));
        let begun = Instant::now();
        let mut look = |s: u64| watched.look(begun + Duration::from_secs(s)).is_none() && gauge.is_stopped();
        gauge.watch(10_000);
        assert!(!look(0));
        let (one, other) = (gauge.busy(), gauge.busy());
        assert!(!look(20));
        drop(one);
        assert!(!look(40), "the other work goes on");
        drop(other);
        assert!(!look(60) && !look(69));
        assert!(look(70), "now it is the server that is silent");
    }

    #[test]
    fn progress_is_told_once_and_never_after_the_hush() {
        let gauge = Arc::new(Gauge::default());
        let mut watched = Watched::new(Arc::clone(&gauge));
        gauge.moved(5);
        assert_eq!((watched.look(Instant::now()), watched.look(Instant::now())), (Some(5), None));
        gauge.moved(5);
        gauge.hush();
        assert_eq!(watched.look(Instant::now()), None);
    }
}
