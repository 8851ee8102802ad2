//! What stands in the place of a secret: `[REDACTED:kind#n]`. It needs no escape in JSON.

use alloc::collections::BTreeMap;
use alloc::string::String;

/// How each begins.
pub(crate) const BEGIN: &[u8] = b"[REDACTED:";
/// Bytes of one at most.
const MARKER_BYTES_MAX: usize = 80;

/// The marker of the `number`th secret of a kind.
pub(crate) fn marker(kind: &str, number: u32) -> String {
    format!("[REDACTED:{kind}#{number}]")
}

/// Whether a text is a marker and nothing else.
pub(crate) fn is_one(text: &[u8]) -> bool {
    read(text).is_some_and(|(_, _, length)| length == text.len())
}

/// The kind and the number of the marker that begins a text, and its length.
fn read(text: &[u8]) -> Option<(&str, u32, usize)> {
    let near = &text[..text.len().min(MARKER_BYTES_MAX)];
    let inner = near.strip_prefix(BEGIN)?;
    let end = memchr::memchr(b']', inner)?;
    let (kind, number) = core::str::from_utf8(&inner[..end]).ok()?.rsplit_once('#')?;
    let is_kind =
        !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let is_number = !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_kind && is_number).then_some(())?;
    Some((kind, number.parse().ok()?, BEGIN.len() + end + 1))
}

/// The markers that stand in a text already: of each kind the highest number.
#[derive(Clone, Debug, Default)]
pub struct Marked(BTreeMap<String, u32>);

impl Marked {
    pub(crate) fn read(&mut self, text: &[u8]) {
        for at in memchr::memmem::find_iter(text, BEGIN) {
            if let Some((kind, number, _)) = read(&text[at..]) {
                self.note(kind, number);
            }
        }
    }

    /// Adds those of another text.
    pub fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|(kind, number)| self.note(kind, *number));
    }

    /// The next number of a kind.
    pub(crate) fn next(&mut self, kind: &str) -> u32 {
        let last = self.0.entry(kind.into()).or_default();
        *last += 1;
        *last
    }

    fn note(&mut self, kind: &str, number: u32) {
        let last = self.0.entry(kind.into()).or_default();
        *last = number.max(*last);
    }
}
