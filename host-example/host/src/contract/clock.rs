//! The one place that reads time: monotonic milliseconds for timeouts, wall clock for expiry and records.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::contract::types;

/// Seconds from 1970 to the year 10000.
const YEAR_10000_S: u64 = 253_402_300_800;

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

/// Now, as [`rfc3339`].
pub fn now_rfc3339() -> String {
    rfc3339(SystemTime::now())
}

/// A time as documents write it: RFC 3339 in UTC, to the second. What four digits cannot say is the next that they can.
pub fn rfc3339(at: SystemTime) -> String {
    let last = UNIX_EPOCH + Duration::from_secs(YEAR_10000_S - 1);
    humantime::format_rfc3339_seconds(at.clamp(UNIX_EPOCH, last)).to_string()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_has_a_text() {
        let far = Duration::from_secs(YEAR_10000_S * 2);
        for (at, text) in [
            (UNIX_EPOCH, "1970-01-01T00:00:00Z"),
            (UNIX_EPOCH + Duration::from_millis(951_827_696_999), "2000-02-29T12:34:56Z"),
            (UNIX_EPOCH - Duration::from_secs(1), "1970-01-01T00:00:00Z"),
            (UNIX_EPOCH + far, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(at), text);
        }
    }
}
