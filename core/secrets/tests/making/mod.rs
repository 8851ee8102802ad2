//! Texts that chance makes, the same ones each time. No token stands in the repository: all are made when needed.

#![allow(dead_code, reason = "each test uses a part of it")]

pub(crate) mod corpus;
pub(crate) mod decoys;
pub(crate) mod dresses;
pub(crate) mod near;
pub(crate) mod samples;
pub(crate) mod secrets;
pub(crate) mod text;

pub(crate) const DIGITS: &str = "0123456789";
pub(crate) const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
pub(crate) const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
pub(crate) const HEX: &str = "0123456789abcdef";
pub(crate) const HEX_UPPER: &str = "0123456789ABCDEF";
pub(crate) const BASE36: &str = "0123456789abcdefghijklmnopqrstuvwxyz";
pub(crate) const BASE62: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Source: RFC 4648, sections 6, 4 and 5.
pub(crate) const BASE32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
pub(crate) const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
pub(crate) const URL_SAFE: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Numbers by chance. Source: splitmix64, by Sebastiano Vigna, in the public domain.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// One of so many.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % count as u64).unwrap()
    }

    /// From the first to the second, both of them included.
    pub(crate) fn between(&mut self, least: usize, most: usize) -> usize {
        least + self.below(most - least + 1)
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// So many characters of an alphabet.
    pub(crate) fn of(&mut self, alphabet: &str, count: usize) -> String {
        (0..count).map(|_| char::from(*self.pick(alphabet.as_bytes()))).collect()
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    pub(crate) fn uuid(&mut self) -> String {
        [8, 4, 4, 4, 12].map(|count| self.of(HEX, count)).join("-")
    }
}

/// Bytes in an alphabet of 64 characters, without signs at the end.
pub(crate) fn base64(alphabet: &str, bytes: &[u8]) -> String {
    let digits = alphabet.as_bytes();
    let group = |group: &[u8]| {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        (0..=group.len()).map(move |at| char::from(digits[(bits >> (18 - 6 * at) & 63) as usize])).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

/// The same, with the signs that make it a multiple of four.
pub(crate) fn padded(bytes: &[u8]) -> String {
    let text = base64(BASE64, bytes);
    let signs = text.len().next_multiple_of(4) - text.len();
    text + &"=".repeat(signs)
}

/// Source: ISO 3309, bit by bit.
pub(crate) fn crc32(text: &str) -> u32 {
    let mut sum = u32::MAX;
    for byte in text.bytes() {
        for bit in 0..8 {
            let is_odd = (sum ^ u32::from(byte) >> bit) & 1 == 1;
            sum = if is_odd { sum >> 1 ^ 0xEDB8_8320 } else { sum >> 1 };
        }
    }
    !sum
}

/// A number in the base of so many digits, with zeros before it.
pub(crate) fn in_digits(digits: &str, mut number: u32, count: usize) -> String {
    let base = u32::try_from(digits.len()).unwrap();
    let mut text = vec![digits.as_bytes()[0]; count];
    for digit in text.iter_mut().rev() {
        *digit = digits.as_bytes()[(number % base) as usize];
        number /= base;
    }
    String::from_utf8(text).unwrap()
}
