//! What a session gets that was never published: its id, and the time it says it was made.

use std::io::{BufRead, BufReader, Read};

use crate::contract::clock;
use crate::files::{Files, random_bytes};
use serde_json::Value;

/// Bytes of a transcript's first line at most.
const HEADER_BYTES_MAX: u64 = 256 * 1024;
/// Characters of a point in time, from `2026-08-01T12:34:56Z` to nanoseconds with an offset.
const TIME_CHARS: std::ops::RangeInclusive<usize> = 20..=35;

/// Milliseconds that 48 bits can count.
const STAMP_MS_MAX: u64 = (1 << 48) - 1;

/// `ses_` and a UUID.
pub(crate) fn id() -> String {
    format!("ses_{}", uuid())
}

/// A UUID of version 7 (RFC 9562): 48 bits of milliseconds, then random ones.
pub(crate) fn uuid() -> String {
    let mut bytes = [0; 16];
    // Without randomness the id would still be of this millisecond and this process.
    match random_bytes::<10>() {
        Some(random) => bytes[6..].copy_from_slice(&random),
        None => bytes[8..12].copy_from_slice(&std::process::id().to_be_bytes()),
    }
    let stamp = clock::wall().min(STAMP_MS_MAX).to_be_bytes();
    bytes[..6].copy_from_slice(&stamp[2..]);
    bytes[6] = bytes[6] & 0x0f | 0x70;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut id = String::new();
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            id.push('-');
        }
        id += &format!("{byte:02x}");
    }
    id
}

/// When the session was made: as the header of its transcript says, else now.
pub(crate) fn created_at(files: &Files, transcript: Option<&str>) -> String {
    let header = transcript.and_then(|name| files.open(name).ok().flatten()).and_then(|opened| {
        let mut line = Vec::new();
        BufReader::new(opened.file.take(HEADER_BYTES_MAX)).read_until(b'\n', &mut line).ok()?;
        of_header(&line)
    });
    header.unwrap_or_else(clock::now_rfc3339)
}

fn of_header(line: &[u8]) -> Option<String> {
    let record: Value = serde_json::from_slice(line).ok()?;
    if record["type"] != "header" {
        return None;
    }
    let says = record["metadata"]["created_at"].as_str()?;
    is_rfc3339(says).then(|| says.to_owned())
}

/// Whether a text has the shape of a point in time, with a zone.
fn is_rfc3339(text: &str) -> bool {
    let shape = |text: &str, shape: &str| {
        text.len() == shape.len()
            && text.bytes().zip(shape.bytes()).all(|(byte, as_in)| match as_in {
                b'0' => byte.is_ascii_digit(),
                other => byte == other,
            })
    };
    let Some((start, rest)) = text.split_at_checked(19) else { return false };
    let zone = rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let fraction = &rest[..rest.len() - zone.len()];
    TIME_CHARS.contains(&text.len())
        && shape(start, "0000-00-00T00:00:00")
        && (fraction.is_empty() || (fraction.len() > 1 && fraction.rfind('.') == Some(0)))
        && (zone == "Z" || shape(zone, "+00:00") || shape(zone, "-00:00"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_of_version_seven_and_differ() {
        let (one, two) = (id(), id());
        assert_eq!(one.len(), 40);
        assert_eq!((&one[..4], &one[18..19]), ("ses_", "7"), "{one}");
        assert!("89ab".contains(&one[23..24]), "{one}");
        assert_ne!(one, two);
    }

    #[test]
    fn only_a_headers_point_in_time_is_taken() {
        let header = |time: &str| format!(r#"{{"type":"header","metadata":{{"created_at":"{time}"}}}}"#);
        for good in ["2026-05-04T09:30:00Z", "2026-05-04T09:30:00.123456789+02:00", "2026-05-04T09:30:00-11:30"] {
            assert_eq!(of_header(header(good).as_bytes()).as_deref(), Some(good));
        }
        for bad in ["", "2026-05-04", "2026-05-04T09:30:00", "2026-05-04 09:30:00Z", "2026-05-04T09:30:00.Z", "soon"] {
            assert_eq!(of_header(header(bad).as_bytes()), None, "{bad}");
        }
        let user = br#"{"type":"user","metadata":{"created_at":"2026-05-04T09:30:00Z"}}"#;
        assert_eq!(of_header(user), None);
        assert_eq!(of_header(b"not json"), None);
    }
}
