//! Encodings that a secret may stand in: escapes of JSON, percent signs, base64, hexadecimal digits.
//!
//! Whoever writes a secret into a text inside a text escapes it once more, so decoders are lenient: what is no sequence
//! of theirs stands for itself.

use crate::text::view::{Piece, View};
use alloc::vec::Vec;
use core::ops::Range;

/// A run of fewer characters of base64 or hexadecimal digits is a word.
const RUN_CHARS_MIN: usize = 20;

/// The text that escapes of JSON stand for; none where there is no escape.
pub(crate) fn unescaped<'a>(outer: &'a View<'a>) -> Option<View<'a>> {
    let text = outer.bytes();
    memchr::memchr(b'\\', text)?;
    Some(of_sequences(outer, 0..text.len(), b'\\', escape))
}

/// The parts of addresses and forms with percent signs, with what they stand for. Each is by itself: what is encoded in
/// one goes on in none.
pub(crate) fn each_percent<'a>(outer: &'a View<'a>, each: &mut impl FnMut(View<'a>)) {
    let text = outer.bytes();
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"&\"'`<>".contains(byte);
    let mut at = 0;
    while let Some(sign) = memchr::memchr(b'%', &text[at..]).map(|found| at + found) {
        if percent(&text[sign..]).is_none() {
            at = sign + 1;
            continue;
        }
        let begin = at + text[at..sign].iter().rposition(ends).map_or(0, |last| last + 1);
        at = sign + text[sign..].iter().position(ends).unwrap_or(text.len() - sign);
        each(of_sequences(outer, begin..at, b'%', percent));
    }
}

/// What a sequence at the beginning of a text stands for.
struct Sequence {
    /// Bytes of it.
    length: usize,
    /// What it stands for, so many bytes of it.
    bytes: ([u8; 4], usize),
}

impl Sequence {
    fn of_byte(length: usize, byte: u8) -> Self {
        Self { length, bytes: ([byte, 0, 0, 0], 1) }
    }

    fn of_char(length: usize, char: char) -> Self {
        let mut bytes = [0; 4];
        let count = char.encode_utf8(&mut bytes).len();
        Self { length, bytes: (bytes, count) }
    }
}

fn of_sequences<'a>(
    outer: &'a View<'a>,
    part: Range<usize>,
    sign: u8,
    read: fn(&[u8]) -> Option<Sequence>,
) -> View<'a> {
    let text = &outer.bytes()[..part.end];
    let (mut bytes, mut pieces) = (Vec::with_capacity(part.len()), Vec::new());
    let mut at = part.start;
    let mut piece_from = part.start;
    while let Some(sign_at) = memchr::memchr(sign, &text[at..]).map(|found| at + found) {
        let Some(sequence) = read(&text[sign_at..]) else {
            at = sign_at + 1;
            continue;
        };
        pieces.push(Piece { at: bytes.len(), outer: piece_from, outer_end: sign_at, is_whole: false });
        bytes.extend_from_slice(&text[piece_from..sign_at]);
        at = sign_at + sequence.length;
        pieces.push(Piece { at: bytes.len(), outer: sign_at, outer_end: at, is_whole: true });
        bytes.extend_from_slice(&sequence.bytes.0[..sequence.bytes.1]);
        piece_from = at;
    }
    pieces.push(Piece { at: bytes.len(), outer: piece_from, outer_end: text.len(), is_whole: false });
    bytes.extend_from_slice(&text[piece_from..]);
    pieces.push(Piece { at: bytes.len(), outer: text.len(), outer_end: text.len(), is_whole: true });
    View::of_pieces(outer, bytes, pieces)
}

/// Source: RFC 8259, section 7.
fn escape(text: &[u8]) -> Option<Sequence> {
    let byte = match text.get(1)? {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'f' => 12,
        sign @ (b'"' | b'\\' | b'/') => *sign,
        b'u' => return escaped_char(text),
        _ => return None,
    };
    Some(Sequence::of_byte(2, byte))
}

fn escaped_char(text: &[u8]) -> Option<Sequence> {
    let unit = |at: usize| -> Option<u32> {
        let digits = text.get(at..at + 6).filter(|it| it.starts_with(b"\\u"))?;
        digits[2..].iter().try_fold(0, |sum, digit| Some(sum << 4 | u32::from(hex_digit(*digit)?)))
    };
    let first = unit(0)?;
    if let Some(char) = char::from_u32(first) {
        return Some(Sequence::of_char(6, char));
    }
    // Characters beyond 16 bits are two units. Half of one is no character.
    let second = unit(6).filter(|unit| (0xDC00..0xE000).contains(unit) && first < 0xDC00)?;
    let char = char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))?;
    Some(Sequence::of_char(12, char))
}

/// Source: RFC 3986, section 2.1.
fn percent(text: &[u8]) -> Option<Sequence> {
    let (high, low) = (hex_digit(*text.get(1)?)?, hex_digit(*text.get(2)?)?);
    Some(Sequence::of_byte(3, high << 4 | low))
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// The runs of characters that may be base64 or hexadecimal digits, with what they stand for.
pub(crate) fn each_run<'a>(outer: &'a View<'a>, each: &mut impl FnMut(View<'a>)) {
    let text = outer.bytes();
    let mut at = 0;
    while at < text.len() {
        // Most of a text is words. Every so many bytes are looked at: a run cannot lie between two looks.
        let ahead = at + RUN_CHARS_MIN - 1;
        if text.get(ahead).is_none_or(|byte| !is_of_run(*byte)) {
            at = ahead + 1;
            continue;
        }
        let begin = at + text[at..ahead].iter().rposition(|byte| !is_of_run(*byte)).map_or(0, |last| last + 1);
        let end = ahead + text[ahead..].iter().position(|byte| !is_of_run(*byte)).unwrap_or(text.len() - ahead);
        if end - begin >= RUN_CHARS_MIN {
            let padding = text[end..].iter().take(2).take_while(|byte| **byte == b'=').count();
            run(outer, begin..end + padding, each);
        }
        at = end + 1;
    }
}

fn run<'a>(outer: &'a View<'a>, part: Range<usize>, each: &mut impl FnMut(View<'a>)) {
    let text = &outer.bytes()[part.clone()];
    if text.iter().all(u8::is_ascii_hexdigit) {
        let digits = |pair: &[u8]| Some(hex_digit(pair[0])? << 4 | hex_digit(pair[1])?);
        if let Some(bytes) = text.chunks_exact(2).map(digits).collect::<Option<Vec<u8>>>() {
            each(View::of_groups(outer, part, (2, 1), bytes));
        }
        return;
    }
    if let Some(bytes) = base64(text) {
        each(View::of_groups(outer, part, (4, 3), bytes));
    }
}

fn is_of_run(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// Both alphabets of RFC 4648, with or without the signs at the end.
pub(crate) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let value = |byte: u8| {
        Some(match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        })
    };
    let end = text.iter().rposition(|byte| *byte != b'=')? + 1;
    let mut bytes = Vec::with_capacity(end / 4 * 3 + 3);
    for group in text[..end].chunks(4) {
        let mut bits = 0_u32;
        for byte in group {
            bits = bits << 6 | u32::from(value(*byte)?);
        }
        match group.len() {
            4 => bytes.extend_from_slice(&bits.to_be_bytes()[1..]),
            3 => bytes.extend_from_slice(&(bits >> 2).to_be_bytes()[2..]),
            2 => bytes.push((bits >> 4) as u8),
            _ => {}
        }
    }
    Some(bytes)
}
