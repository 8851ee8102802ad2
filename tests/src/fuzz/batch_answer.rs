//! Batch answers: every object asked gets exactly one verdict, and no verdict holds what cannot be used.

use super::bytes::Bytes;
use crate::world::blob;
use hydrant_lfs::contract::Direction;
use hydrant_lfs::contract::{Head, Header};
use hydrant_lfs::git_lfs::batch::{Action, BatchRequest, Verdict, read_response};
use hydrant_lfs::text::headers::retry_after;
use hydrant_lfs::text::limits::UNKNOWN_OIDS_MAX;

/// Wall clock: March 2026.
const NOW: u64 = 1_772_366_400_000;
const STATUSES: [u16; 8] = [200, 200, 200, 401, 413, 429, 503, 0];
/// Longest description of an error.
const WORDS_BYTES_MAX: usize = 256;

/// Three bytes choose status, direction and media type; one run is a header's value; the rest is the body. A `{` stands
/// for the default choices, so that plain JSON is an input too.
pub fn batch_answer(data: &[u8]) {
    let mut bytes = Bytes(data);
    let (status, upload, media_type, value) = match data.first() {
        Some(b'{') | None => (200, false, "application/vnd.git-lfs+json", &b""[..]),
        Some(_) => {
            let media_types = ["application/vnd.git-lfs+json", "application/json; charset=utf-8", "text/html"];
            let status = STATUSES[bytes.below(STATUSES.len())];
            (status, bytes.below(2) == 1, media_types[bytes.below(media_types.len())], bytes.run())
        }
    };
    let value = String::from_utf8_lossy(value).into_owned();
    let _wait = retry_after(&value, NOW);
    let headers = vec![
        Header::new("Content-Type", media_type),
        Header::new("Retry-After", value.clone()),
        Header::new("LFS-Authenticate", value),
    ];
    let direction = if upload { Direction::Upload } else { Direction::Download };
    let objects = vec![blob(b"one"), blob(b"other"), blob(b""), blob(b"one")];
    let question =
        BatchRequest { direction, reference: None, transfers: vec!["basic".into()], objects: objects.clone() };
    match read_response(&question, &Head { status, headers }, bytes.0, NOW, NOW) {
        Ok(answered) => {
            assert_eq!(status, 200);
            assert!(answered.unknown.len() <= UNKNOWN_OIDS_MAX);
            let oids: Vec<_> = answered.objects.iter().map(|object| object.oid).collect();
            assert_eq!(oids, objects[..3].iter().map(|blob| blob.oid).collect::<Vec<_>>());
            for object in &answered.objects {
                match (&object.verdict, direction) {
                    (Verdict::Download(action), Direction::Download) => usable(action),
                    (Verdict::Upload(upload, verify), Direction::Upload) => {
                        usable(upload);
                        verify.iter().for_each(usable);
                    }
                    (Verdict::Present, Direction::Upload) => {}
                    (Verdict::Refused(refusal), _) => assert!(refusal.message.len() <= WORDS_BYTES_MAX),
                    (Verdict::Expired | Verdict::Broken(_), _) => {}
                    (verdict, _) => panic!("{verdict:?} answers a {}", direction.name()),
                }
            }
        }
        Err(refused) => {
            assert!(refused.message.len() <= WORDS_BYTES_MAX && !refused.message.contains(char::is_control));
            assert_eq!(refused.status, status);
        }
    }
}

/// An absolute http address, and headers that begin no other line.
fn usable(action: &Action) {
    let href = action.href.to_ascii_lowercase();
    assert!(href.starts_with("http://") || href.starts_with("https://"));
    assert!(!action.href.contains(|c: char| c.is_control() || c.is_whitespace()));
    for header in &action.headers {
        assert!(!header.name.is_empty() && header.name.is_ascii());
        assert!(!header.value.contains(['\r', '\n', '\0']));
    }
}
