//! What stands in the place of a secret: `[REDACTED:kind#n]`. It needs no escape in JSON.

use alloc::string::String;

/// How each begins.
pub(crate) const BEGIN: &[u8] = b"[REDACTED:";
/// Bytes of one at most.
const MARKER_BYTES_MAX: usize = 80;

/// The marker of the `number`th secret of a kind.
pub(crate) fn marker(kind: &str, number: u32) -> String {
    format!("[REDACTED:{kind}#{number}]")
}

/// The kind and the number of the marker that begins a text, and its length.
pub(crate) fn read(text: &[u8]) -> Option<(&str, u32, usize)> {
    let near = &text[..text.len().min(MARKER_BYTES_MAX)];
    let inner = near.strip_prefix(BEGIN)?;
    let end = memchr::memchr(b']', inner)?;
    let (kind, number) = core::str::from_utf8(&inner[..end]).ok()?.rsplit_once('#')?;
    let is_kind = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let is_number = !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_kind && is_number).then_some(())?;
    Some((kind, number.parse().ok()?, BEGIN.len() + end + 1))
}
