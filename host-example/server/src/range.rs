//! Which part of a blob a GET asks for. Keeps the rules of RFC 9110: what is not understood is ignored, what cannot be
//! satisfied is refused, and a range with a stale validator becomes the whole.

use http::header::{HeaderMap, IF_RANGE, RANGE};

/// The part to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Everything, status 200.
    Whole,
    /// `first` and how many bytes, status 206.
    From { first: u64, length: u64 },
    /// No byte of it exists, status 416.
    Nothing,
}

/// Judges the range headers for a blob of `size` bytes whose strong validator is `etag`.
pub(super) fn wanted(headers: &HeaderMap, size: u64, etag: &str) -> Part {
    let mut ranges = headers.get_all(RANGE).iter();
    let (Some(range), None) = (ranges.next(), ranges.next()) else { return Part::Whole };
    if headers.get(IF_RANGE).is_some_and(|validator| validator.as_bytes() != etag.as_bytes()) {
        return Part::Whole;
    }
    range.to_str().ok().and_then(|text| parse(text, size)).unwrap_or(Part::Whole)
}

/// One range of bytes; none when the text is anything else, several ranges included.
fn parse(text: &str, size: u64) -> Option<Part> {
    let (unit, range) = text.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = range.trim().split_once('-')?;
    if first.is_empty() {
        let length = number(last)?.min(size);
        return Some(if length == 0 { Part::Nothing } else { Part::From { first: size - length, length } });
    }
    let first = number(first)?;
    let last = if last.is_empty() { u64::MAX } else { number(last)? };
    if last < first {
        return None;
    }
    if first >= size {
        return Some(Part::Nothing);
    }
    Some(Part::From { first, length: last.min(size - 1) - first + 1 })
}

/// Digits only, so signs and blanks are not numbers; too many digits count as the largest number.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(range: &str, if_range: Option<&str>, size: u64) -> Part {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, range.parse().expect("a header value"));
        if let Some(validator) = if_range {
            headers.insert(IF_RANGE, validator.parse().expect("a header value"));
        }
        wanted(&headers, size, "\"tag\"")
    }

    #[test]
    fn every_form_of_a_range() {
        let from = |first, length| Part::From { first, length };
        for (range, part) in [
            ("bytes=0-", from(0, 100)),
            ("bytes=40-", from(40, 60)),
            ("bytes=40-49", from(40, 10)),
            ("bytes=99-99", from(99, 1)),
            ("bytes=90-1000", from(90, 10)),
            ("bytes=90-99999999999999999999999", from(90, 10)),
            ("Bytes=-5", from(95, 5)),
            ("bytes=-500", from(0, 100)),
            ("bytes=100-", Part::Nothing),
            ("bytes=99999999999999999999999-", Part::Nothing),
            ("bytes=-0", Part::Nothing),
            ("bytes=9-4", Part::Whole),
            ("bytes=0-1,5-6", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=+1-2", Part::Whole),
            ("lines=1-2", Part::Whole),
            ("bytes", Part::Whole),
        ] {
            assert_eq!(judged(range, None, 100), part, "{range}");
        }
        assert_eq!(judged("bytes=0-", None, 0), Part::Nothing);
        assert_eq!(wanted(&HeaderMap::new(), 100, "\"tag\""), Part::Whole);
    }

    #[test]
    fn a_stale_validator_means_the_whole() {
        assert_eq!(judged("bytes=40-", Some("\"tag\""), 100), Part::From { first: 40, length: 60 });
        for stale in ["\"other\"", "W/\"tag\"", "Wed, 21 Oct 2015 07:28:00 GMT"] {
            assert_eq!(judged("bytes=40-", Some(stale), 100), Part::Whole, "{stale}");
        }
    }
}
