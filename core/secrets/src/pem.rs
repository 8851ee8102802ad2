//! Private keys between the lines of PEM. Source: RFC 7468; RFC 4880, section 6.2.

use core::ops::Range;

/// How each begins.
pub(crate) const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
/// Bytes of a label at most.
const LABEL_BYTES_MAX: usize = 64;
/// Bytes of a private key at most.
pub(crate) const PEM_BYTES_MAX: usize = 64 * 1024;
/// Fewer characters are an example of what one looks like.
const BODY_CHARS_MIN: usize = 32;

/// The private key that begins here, with both of its lines. One that was cut ends where its lines end.
pub(crate) fn private_key(text: &[u8], at: usize) -> Option<Range<usize>> {
    let text = &text[..text.len().min(at + PEM_BYTES_MAX)];
    let label = label_at(text, at + BEGIN.len())?;
    let body_from = label.end + DASHES.len();
    let is_private = memchr::memmem::find(&text[label], b"PRIVATE KEY").is_some();
    if !is_private {
        return None;
    }
    let end = memchr::memmem::find(&text[body_from..], END).map(|found| body_from + found);
    let (body_end, end) = match end.and_then(|end| Some((end, label_at(text, end + END.len())?))) {
        Some((end, label)) => (end, label.end + DASHES.len()),
        None => {
            let end = body_from + cut_body(&text[body_from..]);
            (end, end)
        }
    };
    let chars = text[body_from..body_end].iter().filter(|byte| is_base64(byte)).count();
    (chars >= BODY_CHARS_MIN).then_some(at..end)
}

/// Whether a private key begins in a text and does not end in it.
pub(crate) fn is_open(text: &[u8]) -> bool {
    let Some(begin) = memchr::memmem::rfind(text, BEGIN) else { return false };
    let Some(label) = label_at(text, begin + BEGIN.len()) else { return false };
    memchr::memmem::find(&text[label.clone()], b"PRIVATE KEY").is_some()
        && memchr::memmem::find(&text[label.end..], END).is_none()
}

fn label_at(text: &[u8], from: usize) -> Option<Range<usize>> {
    let near = text.get(from..)?;
    let near = &near[..near.len().min(LABEL_BYTES_MAX)];
    memchr::memmem::find(near, DASHES).map(|length| from..from + length)
}

/// How far the lines of a key go that has no last line: each has a long run of its characters, whatever signs and numbers
/// a tool wrote before it.
fn cut_body(text: &[u8]) -> usize {
    const RUN_CHARS_MIN: usize = 24;
    let mut at = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let is_of_key = line.split(|byte| !is_base64(byte)).any(|run| run.len() >= RUN_CHARS_MIN);
        if !is_of_key && !line.trim_ascii().is_empty() {
            break;
        }
        at += line.len();
    }
    at
}

fn is_base64(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=".contains(byte)
}

/// Whether the last line of a key is in a text.
pub(crate) fn ends_in(text: &[u8]) -> bool {
    memchr::memmem::find(text, END).is_some()
}
