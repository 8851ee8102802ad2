//! Oids: SHA-256, its hexadecimal form, and the streaming hasher that makes one.

use core::fmt;
use sha2::{Digest as _, Sha256};

/// SHA-256 of a blob's bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid([u8; 32]);

impl Oid {
    /// The oid of the empty blob.
    pub const EMPTY: Oid = Oid([
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae,
        0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
    ]);

    /// Reads exactly 64 lower-case hexadecimal digits (git-lfs refuses upper case too).
    pub fn parse(hex: &str) -> Option<Oid> {
        let digits: &[u8; 64] = hex.as_bytes().try_into().ok()?;
        let mut bytes = [0; 32];
        // Checked once at the end: a branch at each digit took a third of the time of reading a manifest.
        let mut seen = 0;
        for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
            let [high, low] = pair.map(|digit| DIGITS[usize::from(digit)]);
            seen |= high | low;
            *byte = high << 4 | low;
        }
        (seen != NO_DIGIT).then_some(Oid(bytes))
    }
}

/// Marks a byte that is no digit. Digits combined with `|` never give this value.
const NO_DIGIT: u8 = 0xff;
/// The value of each byte as a lower-case hexadecimal digit.
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value as usize] as usize] = value;
        value += 1;
    }
    digits
};

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hex = [0; 64];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(self.0) {
            pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
            pair[1] = b"0123456789abcdef"[usize::from(byte & 15)];
        }
        f.pad(core::str::from_utf8(&hex).expect("hexadecimal digits are ASCII"))
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A blob, by oid and length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Blob {
    /// SHA-256 of its bytes.
    pub oid: Oid,
    /// Length in bytes.
    pub size: u64,
}

/// Hashes bytes as they come.
#[derive(Clone, Debug, Default)]
pub struct Hasher {
    state: Sha256,
    size: u64,
}

impl Hasher {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.state.update(bytes);
        self.size = self.size.saturating_add(bytes.len() as u64);
    }

    /// Bytes taken so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The blob of all bytes taken.
    pub fn finish(self) -> Blob {
        Blob { oid: Oid(self.state.finalize().into()), size: self.size }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_forms() {
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Oid::parse(hex).map(|o| o.to_string()).as_deref(), Some(hex));
        for bad in [
            &hex[1..],
            &hex.to_uppercase(),
            &format!("{hex}0"),
            "",
            &hex.replace('b', "g"),
            &hex.replacen("ba", "é", 1),
        ] {
            assert_eq!(Oid::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn hashing_in_pieces_is_hashing_at_once() {
        let mut hasher = Hasher::default();
        assert_eq!(hasher.clone().finish(), Blob { oid: Oid::EMPTY, size: 0 });
        for byte in b"abc" {
            hasher.update(&[*byte]);
        }
        let abc = hasher.finish();
        assert_eq!(abc.size, 3);
        assert_eq!(abc.oid.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
