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
    memchr::memmem::find(&text[label.clone()], b"PRIVATE KEY")?;
    let body = label.end + DASHES.len();
    let mut end = body;
    for line in text[body..].split_inclusive(|byte| *byte == b'\n') {
        if let Some(last) = memchr::memmem::find(line, END) {
            let body_end = end + last;
            let label = label_at(text, body_end + END.len())?;
            return has_body(&text[body..body_end]).then_some(at..label.end + DASHES.len());
        }
        let is_last = || text[end + line.len()..].split(|byte| *byte == b'\n').next().is_some_and(ends_in);
        if !is_of_key(line) && !is_last() {
            break;
        }
        end += line.len();
    }
    has_body(&text[body..end]).then_some(at..end)
}

fn has_body(text: &[u8]) -> bool {
    text.iter().filter(|byte| is_base64(byte)).count() >= BODY_CHARS_MIN
}

/// Whether a line is one of a key: empty, a header, or a long run of its characters, whatever signs and numbers a tool
/// wrote before it.
fn is_of_key(line: &[u8]) -> bool {
    const RUN_CHARS_MIN: usize = 24;
    const HEADERS: [&[u8]; 4] = [b"Proc-Type:", b"DEK-Info:", b"Comment:", b"Version:"];
    line.trim_ascii().is_empty()
        || HEADERS.iter().any(|header| memchr::memmem::find(line, header).is_some())
        || line.split(|byte| !is_base64(byte)).any(|run| run.len() >= RUN_CHARS_MIN)
}

/// Whether a private key begins in a text and does not end in it.
pub(crate) fn is_open(text: &[u8]) -> bool {
    // Few lines have one at all, and to look from the end takes much longer.
    if memchr::memmem::find(text, BEGIN).is_none() {
        return false;
    }
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

fn is_base64(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=".contains(byte)
}

/// Whether the last line of a key is in a text.
pub(crate) fn ends_in(text: &[u8]) -> bool {
    memchr::memmem::find(text, END).is_some()
}
