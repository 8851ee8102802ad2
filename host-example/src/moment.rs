//! Points in time as documents write them: RFC 3339 in UTC. Keeps one rule: no date library for three fields.

use std::time::Duration;

use crate::clock;

const DAY_S: u64 = 86_400;

/// The time since 1970.
pub fn now() -> Duration {
    Duration::from_millis(clock::wall())
}

/// `at` (since 1970) as `2026-08-01T12:34:56Z`.
pub fn rfc3339(at: Duration) -> String {
    let seconds = at.as_secs();
    let (year, month, day) = date(seconds / DAY_S);
    let rest = seconds % DAY_S;
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

/// Year, month and day of a number of days since 1970-01-01. Whole spans of 400 years are taken off first,
/// so the loops below run at most 412 times whatever the clock says.
fn date(days: u64) -> (u64, u64, u64) {
    const ERA_DAYS: u64 = 400 * 365 + 97;
    let mut year = 1970 + days / ERA_DAYS * 400;
    let mut left = days % ERA_DAYS;
    while left >= year_days(year) {
        left -= year_days(year);
        year += 1;
    }
    let mut month = 1;
    while left >= month_days(year, month) {
        left -= month_days(year, month);
        month += 1;
    }
    (year, month, left + 1)
}

fn year_days(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

fn month_days(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_known_moments() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (68_169_599, "1972-02-28T23:59:59Z"),
            (68_169_600, "1972-02-29T00:00:00Z"),
            (951_827_696, "2000-02-29T12:34:56Z"),
            (1_704_067_199, "2023-12-31T23:59:59Z"),
            (1_704_067_200, "2024-01-01T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(Duration::from_secs(seconds)), text);
        }
    }
}
