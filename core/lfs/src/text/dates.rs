//! Dates in requests and responses as milliseconds since the Unix epoch. No clock is read here: time is always an
//! argument.

use alloc::string::String;
use alloc::vec::Vec;

/// RFC 3339 with offset and fraction, as in `expires_at`. `None` when it is no date.
pub(crate) fn rfc3339(text: &str) -> Option<i64> {
    let (date, rest) = text.trim().split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, mut rest) = rest.split_at_checked(8)?;
    let [year, month, day] = fields(date, '-')?;
    let [hour, minute, second] = fields(time, ':')?;
    let mut millis = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        let first: String = fraction[..digits].chars().chain("000".chars()).take(3).collect();
        millis = if digits == 0 { return None } else { first.parse::<i64>().ok()? };
        rest = &fraction[digits..];
    }
    let offset = match rest {
        "Z" | "z" => 0,
        _ => {
            let sign = if rest.starts_with('-') { -1 } else { 1 };
            let [hours, minutes] = fields(rest.strip_prefix(['+', '-'])?, ':')?;
            if hours > 23 || minutes > 59 {
                return None;
            }
            sign * (hours * 60 + minutes)
        }
    };
    Some(moment(year, month, day, hour, minute, second)? + millis - offset * 60_000)
}

/// An HTTP date in any of the three forms that RFC 9110 section 5.6.7 makes recipients accept.
pub(crate) fn http_date(text: &str) -> Option<i64> {
    let words: Vec<&str> = text.split([' ', ',', '-']).filter(|word| !word.is_empty()).collect();
    let (year, month, day, time) = match *words.as_slice() {
        // Sun, 06 Nov 1994 08:49:37 GMT and Sunday, 06-Nov-94 08:49:37 GMT
        [_, day, month, year, time, "GMT"] => (year, month, day, time),
        // Sun Nov  6 08:49:37 1994
        [_, month, day, time, year] => (year, month, day, time),
        _ => return None,
    };
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = MONTHS.iter().position(|name| *name == month)? as i64 + 1;
    let year = match (year.len(), number(year)?) {
        (2, year) if year < 70 => 2000 + year,
        (2, year) => 1900 + year,
        (4, year) => year,
        _ => return None,
    };
    let [hour, minute, second] = fields(time, ':')?;
    moment(year, month, number(day)?, hour, minute, second)
}

fn fields<const N: usize>(text: &str, separator: char) -> Option<[i64; N]> {
    let numbers: Option<Vec<i64>> = text.split(separator).map(number).collect();
    numbers?.try_into().ok()
}

fn number(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.len() <= 4 && text.bytes().all(|c| c.is_ascii_digit());
    digits.then(|| text.bytes().fold(0, |number, c| number * 10 + i64::from(c - b'0')))
}

fn moment(year: i64, month: i64, day: i64, hour: i64, minute: i64, second: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=days).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days before the year's March, counted from 0000-03-01: leap days then stand at the end of a year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (153 * month + 2) / 5 + day - 1;
    let days = days - 719_468;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_dates() {
        let noon = 1_772_366_400_000;
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2026-03-01T12:00:00Z", Some(noon)),
            ("2026-03-01T14:00:00+02:00", Some(noon)),
            ("2026-03-01T04:30:00.25-07:30", Some(noon + 250)),
            ("2026-03-01t12:00:00.123456789z", Some(noon + 123)),
            ("0001-01-01T00:00:00Z", Some(-62_135_596_800_000)),
            ("2024-02-29T00:00:00Z", Some(1_709_164_800_000)),
            ("2026-02-29T00:00:00Z", None),
            ("2026-13-01T00:00:00Z", None),
            ("2026-03-01T12:00:00", None),
            ("2026-03-01T12:00:00+0200", None),
            ("2026-03-01", None),
            ("tomorrow", None),
            ("é26-03-01T12:00:00Z", None),
        ] {
            assert_eq!(rfc3339(text), expected, "{text}");
        }
    }

    #[test]
    fn http_dates() {
        let noon = 1_772_366_400_000;
        for (text, expected) in [
            ("Sun, 01 Mar 2026 12:00:00 GMT", Some(noon)),
            ("Sunday, 01-Mar-26 12:00:00 GMT", Some(noon)),
            ("Sun Mar  1 12:00:00 2026", Some(noon)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777_000)),
            ("Sun, 01 Mar 2026 12:00:00 PST", None),
            ("120", None),
            ("", None),
            ("-5", None),
        ] {
            assert_eq!(http_date(text), expected, "{text}");
        }
    }
}
