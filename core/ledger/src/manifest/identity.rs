//! The derived id of a session that has none. Every client and server computes it alike, so this must never change.

use super::Manifest;
use alloc::string::String;
use hydrant_lfs::text::error::Error;
use sha1::{Digest as _, Sha1};

/// Namespace of derived session ids.
const NAMESPACE: [u8; 16] =
    [0x5e, 0x62, 0x38, 0xb7, 0x94, 0x03, 0x4e, 0xe4, 0xb5, 0xec, 0x8a, 0x6d, 0x37, 0xa5, 0xde, 0x14];

/// `ses_` and the UUIDv5 of `repo_id/session_name`.
pub fn derive_session_id(repo_id: &str, session_name: &str) -> String {
    let digest = Sha1::new()
        .chain_update(NAMESPACE)
        .chain_update(repo_id)
        .chain_update("/")
        .chain_update(session_name)
        .finalize();
    let mut hex = String::new();
    for (at, byte) in digest.iter().take(16).enumerate() {
        let byte = match at {
            6 => byte & 0x0f | 0x50,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        };
        if matches!(at, 4 | 6 | 8 | 10) {
            hex.push('-');
        }
        hex += &format!("{byte:02x}");
    }
    format!("ses_{hex}")
}

/// The id that a later publish must keep. Three results: an id; none, when there is no manifest or it has no id, and
/// then one may be made; an error, when the manifest cannot be read, because it may hold an id.
pub fn preserved_session_id(manifest: Option<&[u8]>) -> Result<Option<String>, Error> {
    match manifest {
        None => Ok(None),
        Some(text) => Ok(Manifest::parse(text)?.session_id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_answers() {
        assert_eq!(preserved_session_id(None), Ok(None));
        assert_eq!(preserved_session_id(Some(b"{\"session_id\": \"\"}")), Ok(None));
        assert_eq!(preserved_session_id(Some(b"{\"session_id\": \"ses_1\"}")), Ok(Some("ses_1".to_owned())));
        for unreadable in [&b""[..], b"{", b"<<<<<<< HEAD\n{}", b"{\"session_id\": 5}"] {
            assert!(preserved_session_id(Some(unreadable)).is_err());
        }
    }
}
