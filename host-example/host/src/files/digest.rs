//! SHA-256 as the host computes it, and the spelling of oids.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

use crate::contract::types::Blob;

/// Bytes of a file that are hashed at once.
const BLOCK_BYTES: usize = 256 << 10;
/// Hex digits of an oid.
pub const OID_DIGITS: usize = 64;

/// Hashes and counts bytes as they pass.
#[derive(Clone, Default)]
pub struct Digesting {
    hasher: Sha256,
    bytes: u64,
}

impl Digesting {
    /// Nothing hashed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes these bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// Bytes taken in so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What went through: its digest and its length.
    pub fn finish(self) -> Blob {
        Blob { oid: hex(&self.hasher.finalize()), size: self.bytes }
    }
}

/// Digest and length of bytes that lie in memory.
pub fn blob_of(bytes: &[u8]) -> Blob {
    Blob { oid: hex(&Sha256::digest(bytes)), size: bytes.len() as u64 }
}

/// Size and digest of a file, from where it stands to its end.
pub fn blob_of_file(file: &mut impl Read) -> io::Result<Blob> {
    let mut digest = Digesting::new();
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(digest.finish()),
            length => digest.update(&block[..length]),
        }
    }
}

/// Whether a name is an oid. Nothing else ever becomes a file name in the store.
pub fn is_oid(text: &str) -> bool {
    text.len() == OID_DIGITS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Digesting, blob_of, is_oid};

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn known_digests() {
        assert_eq!(blob_of(b"").oid, EMPTY);
        let mut parts = Digesting::new();
        parts.update(b"ab");
        parts.update(b"c");
        assert_eq!(parts.finish().oid, blob_of(b"abc").oid);
    }

    #[test]
    fn only_lower_case_hex_of_64_digits_is_an_oid() {
        assert!(is_oid(EMPTY));
        assert!(!is_oid(&EMPTY.to_uppercase()));
        assert!(!is_oid(&EMPTY[1..]));
        assert!(!is_oid(&format!("../{}", &EMPTY[3..])));
    }
}
