//! What must hold of a token beside its looks.

use crate::looks::plausible;
use crate::text::decode;
use alloc::vec::Vec;

/// What tells a token from a text that only looks like one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Nothing: its looks are enough.
    Nothing,
    /// It is no placeholder.
    NoPlaceholder,
    /// Its last six characters are the CRC-32 of those between them and the `_`, in base 62; or, should the provider
    /// change that, it looks as if chance had made it.
    /// Source: GitHub's blog, "Behind GitHub's new authentication token formats" (2021).
    Crc32InBase62,
    /// It is no placeholder. Where it has parts, its last seven characters are the CRC-32 of all before them, in base
    /// 36; or, should the provider change that, it looks as if chance had made it.
    /// Source: GitLab's handbook, "Cells: Routable Tokens", and the generator that it names.
    Crc32InBase36,
    /// Its first part is JSON, in base64, that names an algorithm. Source: RFC 7515, section 4.1.1.
    JwsHeader,
}

impl Check {
    /// `random` is the part of the token that chance made.
    pub(crate) fn holds(self, token: &[u8], random: &[u8]) -> bool {
        match self {
            Self::Nothing => true,
            Self::NoPlaceholder => !is_placeholder(random),
            Self::Crc32InBase62 => has_crc_in_base62(token) || is_random(random),
            Self::Crc32InBase36 if token.contains(&b'.') => has_crc_in_base36(token) || is_random(random),
            Self::Crc32InBase36 => !is_placeholder(random),
            Self::JwsHeader => names_an_algorithm(token) && !is_placeholder(random),
        }
    }
}

/// Words that nobody's chance makes: a text with one of them is an example.
const WORDS: [&[u8]; 12] = [
    b"example",
    b"sample",
    b"placeholder",
    b"changeme",
    b"replace",
    b"dummy",
    b"redacted",
    b"insert",
    b"goeshere",
    b"notreal",
    b"undefined",
    b"foobar",
];
/// Words that chance can make within a longer text: they count at its beginning, and as a part of it.
const SHORT_WORDS: [&[u8]; 7] = [b"your", b"todo", b"token", b"secret", b"fake", b"here", b"xxxxx"];

/// Whether somebody wrote a text to show what a token looks like. [`plausible::is_placeholder`] is about values of any
/// length that people choose; this one is about long ones that chance makes, and takes none of those for an example.
fn is_placeholder(text: &[u8]) -> bool {
    let lower = text.to_ascii_lowercase();
    let has = |word: &&[u8]| memchr::memmem::find(&lower, word).is_some();
    let has_part = |word: &&[u8]| lower.split(|byte| !byte.is_ascii_alphanumeric()).any(|part| part == *word);
    WORDS.iter().any(has)
        || SHORT_WORDS.iter().any(|word| lower.starts_with(word) || has_part(word))
        || is_made_of_words(text)
        || is_regular(&lower)
}

/// `some-words-of-a-person`, `Your_Token_Is_This`: three at least, no digit among them.
fn is_made_of_words(text: &[u8]) -> bool {
    let is_word =
        |part: &[u8]| part.iter().skip(1).all(u8::is_ascii_lowercase) || part.iter().all(u8::is_ascii_uppercase);
    let has_digit = text.iter().any(u8::is_ascii_digit);
    let parts = || text.split(|byte| b"-_. ".contains(byte)).filter(|part| !part.is_empty());
    !has_digit && (parts().count() > 2 || text.len() >= ONE_WORD_CHARS_MIN) && parts().all(is_word)
}

/// Small letters alone, so many of them, are written by a person: chance would have put other characters among them.
const ONE_WORD_CHARS_MIN: usize = 30;

/// Few different bytes, one byte again and again, `12345678`, `abcabcabc`, whatever signs stand between them.
fn is_regular(text: &[u8]) -> bool {
    let text: Vec<u8> = text.iter().copied().filter(u8::is_ascii_alphanumeric).collect();
    let count = |is: fn(&[u8]) -> bool| text.windows(2).filter(|pair| is(pair)).count();
    let (same, counted) = (count(|pair| pair[0] == pair[1]), count(|pair| pair[1] == pair[0].wrapping_add(1)));
    let is_periodic = |period: usize| text.iter().skip(period).eq(&text[..text.len() - period]);
    same * 2 >= text.len()
        || counted * 2 >= text.len()
        || longest_run(&text) * 4 >= text.len().max(32)
        || (1..=text.len() / 2).any(is_periodic)
}

fn longest_run(text: &[u8]) -> usize {
    text.chunk_by(|a, b| a == b).map(<[u8]>::len).max().unwrap_or(0)
}

/// Whether a text looks as if chance had made it.
fn is_random(text: &[u8]) -> bool {
    plausible::is_random(text) && !is_placeholder(text)
}

/// Source: RFC 7515, section 3.1.
fn names_an_algorithm(token: &[u8]) -> bool {
    let header = token.split(|byte| *byte == b'.').next().and_then(decode::base64).unwrap_or_default();
    header.starts_with(b"{") && memchr::memmem::find(&header, b"\"alg\"").is_some()
}

fn has_crc_in_base62(token: &[u8]) -> bool {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let from = memchr::memrchr(b'_', token).map_or(0, |at| at + 1);
    let Some((random, sum)) = token[from..].split_last_chunk::<6>() else { return false };
    in_digits(DIGITS, crc32(random)) == *sum
}

fn has_crc_in_base36(token: &[u8]) -> bool {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let Some((before, sum)) = token.split_last_chunk::<7>() else { return false };
    in_digits(DIGITS, crc32(before)) == *sum
}

/// A number in the base of so many digits, with zeros before it.
fn in_digits<const COUNT: usize>(digits: &[u8], mut value: u32) -> [u8; COUNT] {
    let base = digits.len() as u32;
    let mut text = [digits[0]; COUNT];
    for digit in text.iter_mut().rev() {
        *digit = digits[(value % base) as usize];
        value /= base;
    }
    text
}

/// Source: ISO 3309, as in gzip (RFC 1952, section 8).
fn crc32(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0xEDB8_8320;
    let step = |sum: u32, _| if sum & 1 == 1 { sum >> 1 ^ POLYNOMIAL } else { sum >> 1 };
    !bytes.iter().fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_that_of_gzip() {
        const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        // The check value that ISO 3309's tables are told by.
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(&in_digits(DIGITS, 0), b"000000");
        assert_eq!(&in_digits(DIGITS, 61), b"00000z");
        assert_eq!(&in_digits(DIGITS, u32::MAX), b"4gfFC3");
    }

    #[test]
    fn examples_are_told_from_tokens() {
        for text in [
            "xxxxxxxxxxxxxxxxxxxxxxxx",
            "00000000000000001234567890abcdef",
            "abcdefghijklmnopqrstuvwxyz0123456789",
            "your-token-goes-here-now",
            "Your_Api_Key_From_The_Site",
            "IOSFODNN7EXAMPLE",
            "deadbeefdeadbeefdeadbeef",
            "abc123abc123abc123abc123",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaab",
            "tokenofmineandonlymineokokokokok",
            "REPLACEme0123k9QzPqL2mVx",
            "some-words-of-a-person-here",
        ] {
            assert!(is_placeholder(text.as_bytes()), "{text}");
        }
        // Chance makes four equal ones and short words now and then.
        for text in ["k9Qz0000LmVxToDo7rTbYourWq", "aBqXyZmKtRwPlNvGhJdS", "3f0000a91bc47d52e8660e9c1d7b2a48"] {
            assert!(!is_placeholder(text.as_bytes()), "{text}");
        }
    }
}
