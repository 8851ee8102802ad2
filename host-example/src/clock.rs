//! The one place that reads time: monotonic milliseconds for timeouts, wall clock for expiry and records.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::wit::types;

/// Time since one moment, so that ticks are small numbers.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
}

impl Clock {
    /// A clock that begins now.
    pub fn start() -> Self {
        Clock { started: Instant::now() }
    }

    /// What the engine is told.
    pub fn now(&self) -> types::Instant {
        types::Instant { ticks: millis(self.started.elapsed()), wall: wall() }
    }

    /// The moment of a tick the engine named; a tick beyond what the machine can count is never reached.
    pub fn at(&self, tick: u64) -> Option<Instant> {
        self.started.checked_add(Duration::from_millis(tick))
    }
}

/// Milliseconds since the Unix epoch; 0 on a machine whose clock stands before it.
pub fn wall() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
