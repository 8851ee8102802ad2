//! Times as the protocol writes them. None is refused: what cannot be written is the nearest time that can.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The last second that four digits of a year can say, since 1970.
const LAST: Duration = Duration::from_secs(253_402_300_799);

/// The time since 1970; a clock that stands before it counts as there.
pub(super) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A time since 1970 as RFC 3339 in UTC, to the second.
pub(super) fn rfc3339(at: Duration) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + at.min(LAST)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_has_a_text() {
        for (at, text) in [
            (Duration::ZERO, "1970-01-01T00:00:00Z"),
            (Duration::from_millis(951_827_696_999), "2000-02-29T12:34:56Z"),
            (Duration::MAX, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(at), text);
        }
    }
}
