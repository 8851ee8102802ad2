//! Pointer text: the three-valued classification, the canonical form, and the wider test that guards uploads.
//!
//! The rules are those of git-lfs (`docs/spec.md` and the measured behaviour of its parser), with one deviation: a file
//! of 1024 bytes or more is never a pointer, where `git lfs pointer --check` ignores everything after byte 1024.

use crate::order::SortedMap;
use crate::text::error::{Code, Error};
use crate::text::limits::POINTER_BYTES_MAX;
use crate::text::oid::{Blob, Oid};
use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

/// The version line's value, as written.
const VERSION: &str = "https://git-lfs.github.com/spec/v1";
/// How canonical text without extensions begins.
const START: &[u8] = b"version https://git-lfs.github.com/spec/v1\noid sha256:";
/// Versions that are read as the present one; it had these names before its release.
const VERSION_ALIASES: [&str; 2] = ["https://hawser.github.com/spec/v1", "http://git-media.io/v/2"];
/// One of these words occurs in every pointer ever written.
const MARKERS: [&str; 3] = ["git-media", "hawser", "git-lfs"];
/// Keys in the order they must come; extension lines may stand anywhere before the last.
const KEYS: [&str; 3] = ["version", "oid", "size"];
/// Lines of a pointer at most: one for each key, and one for each priority of an extension.
const LINES_MAX: usize = KEYS.len() + 10;

/// A parsed pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// The blob it stands for.
    pub blob: Blob,
    /// Extension lines, by priority.
    pub extensions: Vec<Extension>,
    /// Whether writing it again gives the same bytes.
    pub canonical: bool,
}

/// An `ext-N-name` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// 0 to 9, unique within a pointer.
    pub priority: u8,
    /// Everything after the second dash.
    pub name: String,
    /// SHA-256 of the bytes before this extension ran.
    pub oid: Oid,
}

/// Why text is not a pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flaw {
    /// None of the marker words occurs.
    NoMarker,
    /// [`POINTER_BYTES_MAX`] or more.
    TooLarge,
    /// The first key is not `version`.
    MissingVersion,
    /// A line without a space.
    BadLine,
    /// Something stands after `size`.
    ExtraLine,
    /// A key where another one belongs.
    UnexpectedKey,
    /// An unknown version.
    BadVersion,
    /// No oid line.
    MissingOid,
    /// Not 64 lower-case hexadecimal digits after `sha256:`.
    BadOid,
    /// A hash other than `sha256`.
    BadOidType,
    /// No size line.
    MissingSize,
    /// Not a decimal number below 2^63.
    BadSize,
    /// Two extensions with the same priority.
    DuplicatePriority,
}

impl Flaw {
    /// The whole list, in the order of the WIT enum.
    pub const ALL: [Flaw; 13] = [
        Flaw::NoMarker,
        Flaw::TooLarge,
        Flaw::MissingVersion,
        Flaw::BadLine,
        Flaw::ExtraLine,
        Flaw::UnexpectedKey,
        Flaw::BadVersion,
        Flaw::MissingOid,
        Flaw::BadOid,
        Flaw::BadOidType,
        Flaw::MissingSize,
        Flaw::BadSize,
        Flaw::DuplicatePriority,
    ];

    /// Its name in WIT and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Flaw::NoMarker => "no-marker",
            Flaw::TooLarge => "too-large",
            Flaw::MissingVersion => "missing-version",
            Flaw::BadLine => "bad-line",
            Flaw::ExtraLine => "extra-line",
            Flaw::UnexpectedKey => "unexpected-key",
            Flaw::BadVersion => "bad-version",
            Flaw::MissingOid => "missing-oid",
            Flaw::BadOid => "bad-oid",
            Flaw::BadOidType => "bad-oid-type",
            Flaw::MissingSize => "missing-size",
            Flaw::BadSize => "bad-size",
            Flaw::DuplicatePriority => "duplicate-priority",
        }
    }

    /// Text with this flaw is ordinary content; with any other it began like a pointer and is broken.
    const fn is_content(self) -> bool {
        matches!(self, Flaw::NoMarker | Flaw::TooLarge | Flaw::MissingVersion | Flaw::BadLine | Flaw::ExtraLine)
    }
}

/// A flaw and its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The flaw.
    pub flaw: Flaw,
    /// Line, from 1; 0 when it is the whole text.
    pub line: u32,
}

impl Finding {
    /// One sentence for people.
    pub fn explain(self) -> String {
        let what = match self.flaw {
            Flaw::NoMarker => "it does not mention git-lfs",
            Flaw::TooLarge => "it has 1024 bytes or more",
            Flaw::MissingVersion => "it does not begin with a version line",
            Flaw::BadLine => "a line has no space between key and value",
            Flaw::ExtraLine => "something stands after the size line",
            Flaw::UnexpectedKey => "a key stands where another one belongs",
            Flaw::BadVersion => "its version is unknown",
            Flaw::MissingOid => "it has no oid line",
            Flaw::BadOid => "an oid is not 64 lower-case hexadecimal digits after sha256:",
            Flaw::BadOidType => "an oid is of another hash than sha256",
            Flaw::MissingSize => "it has no size line",
            Flaw::BadSize => "its size is not a decimal number below 2^63",
            Flaw::DuplicatePriority => "two extensions have the same priority",
        };
        match self.line {
            0 => format!("not a pointer: {what}"),
            line => format!("not a pointer: {what} (line {line})"),
        }
    }
}

/// What a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A pointer. The empty file is the pointer of the empty blob.
    Pointer(Pointer),
    /// Ordinary content, and why it is no pointer.
    Content(Finding),
    /// Neither: it begins like a pointer and is broken.
    Malformed(Finding),
}

/// Classifies a file by its first [`POINTER_BYTES_MAX`] bytes, or all of them, and its size.
///
/// Never classify by a part of these: git-lfs does one read, and takes a pointer that arrives in two pieces for
/// content.
pub fn classify(head: &[u8], file_size: u64) -> Kind {
    match parse(head, file_size) {
        Ok(pointer) => Kind::Pointer(pointer),
        Err(finding) if finding.flaw.is_content() => Kind::Content(finding),
        Err(finding) => Kind::Malformed(finding),
    }
}

/// Whether these bytes must never be uploaded as content: pointers, broken pointers, pointers with something around
/// them such as conflict markers, two pointers in one file.
pub fn pointer_shaped(head: &[u8], file_size: u64) -> bool {
    if file_size == 0 || file_size >= POINTER_BYTES_MAX as u64 {
        return false;
    }
    match classify(head, file_size) {
        Kind::Pointer(_) | Kind::Malformed(_) => true,
        Kind::Content(_) => String::from_utf8_lossy(head).lines().any(like_a_version_line),
    }
}

/// The error for a file that [`appended_to`] finds.
pub const APPENDED: &str = "something was appended to a pointer, and pointers are never published as content";

/// If a file begins with a pointer and goes on after it: the length of that pointer in bytes. This happens when a
/// program appends to a file that a pointer has replaced. A session never holds such content, whatever its length. For
/// git-lfs 1024 bytes or more are always content, so an upload outside of a session may send it.
pub fn appended_to(head: &[u8], file_size: u64) -> Option<usize> {
    if !head.starts_with(b"version ") || matches!(classify(head, file_size), Kind::Pointer(_)) {
        return None;
    }
    let ends = head.iter().zip(1..).filter(|(byte, _)| **byte == b'\n').map(|(_, end)| end);
    ends.take(LINES_MAX).find(|end: &usize| parse(&head[..*end], *end as u64).is_ok())
}

fn like_a_version_line(line: &str) -> bool {
    let unseen = |c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}');
    let line = line.trim_start_matches(unseen).to_ascii_lowercase();
    let Some(value) = line.strip_prefix("version") else { return false };
    value.starts_with(|c: char| c.is_whitespace() || c == '=' || c == ':') && has_marker(value)
}

/// The standard library's search is larger than all that reads pointers.
fn has_marker(text: &str) -> bool {
    MARKERS.iter().any(|marker| text.as_bytes().windows(marker.len()).any(|part| part == marker.as_bytes()))
}

/// The canonical text. An empty blob's pointer is the empty text.
pub fn format(blob: Blob, extensions: &[Extension]) -> Result<String, Error> {
    if blob.size > i64::MAX as u64 {
        return Err(Error::new(Code::Limit, "a pointer cannot hold a size of 2^63 or more"));
    }
    let sorted = by_priority(extensions);
    let one_each = sorted.len() == extensions.len();
    let named = sorted.iter().all(|extension| extension_key(&format!("ext-{}-{}", extension.priority, extension.name)));
    let on_a_line =
        sorted.iter().all(|extension| !extension.name.contains(|c: char| c.is_whitespace() || c.is_control()));
    if !(one_each && named && on_a_line) {
        return Err(Error::new(Code::Malformed, "extensions need a name and one priority of 0 to 9 each"));
    }
    let text = write(blob, &sorted);
    if text.len() >= POINTER_BYTES_MAX {
        return Err(Error::new(Code::Limit, format_args!("a pointer must be shorter than {POINTER_BYTES_MAX} bytes")));
    }
    Ok(text)
}

/// At most ten, each priority once: the last one of a priority that comes twice is left out.
fn by_priority(extensions: &[Extension]) -> Vec<&Extension> {
    (0..10).filter_map(|priority| extensions.iter().find(|extension| extension.priority == priority)).collect()
}

/// The text as ledgers hold it: an empty blob has a pointer like any other, because other readers of ledgers take an
/// empty file for missing content.
pub fn of_ledger(blob: Blob) -> String {
    format!("version {VERSION}\noid sha256:{}\nsize {}\n", blob.oid, blob.size)
}

fn write(blob: Blob, extensions: &[&Extension]) -> String {
    if blob.size == 0 {
        return String::new();
    }
    let mut text = format!("version {VERSION}\n");
    for extension in extensions {
        text += &format!("ext-{}-{} sha256:{}\n", extension.priority, extension.name, extension.oid);
    }
    text + &format!("oid sha256:{}\nsize {}\n", blob.oid, blob.size)
}

fn parse(head: &[u8], file_size: u64) -> Result<Pointer, Finding> {
    let whole = |flaw| Finding { flaw, line: 0 };
    if file_size >= POINTER_BYTES_MAX as u64 || head.len() >= POINTER_BYTES_MAX {
        return Err(whole(Flaw::TooLarge));
    }
    if head.is_empty() && file_size == 0 {
        let blob = Blob { oid: Oid::EMPTY, size: 0 };
        return Ok(Pointer { blob, extensions: Vec::new(), canonical: true });
    }
    if let Some(pointer) = plain(head) {
        return Ok(pointer);
    }
    let text = String::from_utf8_lossy(head);
    if !has_marker(&text) {
        return Err(whole(Flaw::NoMarker));
    }
    let lines = Lines::read(&text)?;
    let pointer = lines.pointer()?;
    let canonical = write(pointer.blob, &by_priority(&pointer.extensions)).as_bytes() == head;
    Ok(Pointer { canonical, ..pointer })
}

/// The fast path: canonical text without extensions, as in almost every pointer. Anything else is read line by line.
fn plain(head: &[u8]) -> Option<Pointer> {
    let rest = head.strip_prefix(START)?;
    let (oid, rest) = (rest.get(..64)?, rest.get(64..)?);
    let size = rest.strip_prefix(b"\nsize ")?.strip_suffix(b"\n")?;
    let is_shortest = matches!(size, [b'1'..=b'9', more @ ..] if more.iter().all(u8::is_ascii_digit));
    let (oid, size) = (core::str::from_utf8(oid).ok()?, core::str::from_utf8(size).ok()?);
    let blob = Blob { oid: Oid::parse(oid)?, size: parse_size(size).filter(|_| is_shortest)? };
    Some(Pointer { blob, extensions: Vec::new(), canonical: true })
}

/// The lines of a pointer. Their order is checked, their values are not yet: an extra line is found before a bad
/// version.
#[derive(Default)]
struct Lines<'a> {
    /// Values of [`KEYS`], with their line numbers.
    values: [Option<(&'a str, u32)>; 3],
    /// By key: a key that comes twice silently takes the later value, as in git-lfs.
    extensions: SortedMap<&'a str, (&'a str, u32)>,
}

impl<'a> Lines<'a> {
    fn read(text: &'a str) -> Result<Self, Finding> {
        let mut lines = Lines::default();
        let mut next = 0;
        let skipped = text.len() - text.trim_start().len();
        let first = text[..skipped].matches('\n').count() as u32 + 1;
        for (line, at) in text.trim().split('\n').zip(first..) {
            let finding = |flaw| Finding { flaw, line: at };
            let line = line.strip_suffix('\r').unwrap_or(line);
            if line.is_empty() {
                continue;
            }
            let (key, value) = line.split_once(' ').ok_or(finding(Flaw::BadLine))?;
            let expected = KEYS.get(next).ok_or(finding(Flaw::ExtraLine))?;
            if key == *expected {
                lines.values[next] = Some((value, at));
                next += 1;
            } else if extension_key(key) {
                lines.extensions.insert(key, (value, at));
            } else if next == 0 {
                return Err(finding(Flaw::MissingVersion));
            } else {
                return Err(finding(Flaw::UnexpectedKey));
            }
        }
        Ok(lines)
    }

    fn pointer(&self) -> Result<Pointer, Finding> {
        let missing = |flaw| Finding { flaw, line: 0 };
        let [version, oid, size] = self.values;
        let (version, at) = version.ok_or(missing(Flaw::MissingVersion))?;
        if version != VERSION && !VERSION_ALIASES.contains(&version) {
            return Err(Finding { flaw: Flaw::BadVersion, line: at });
        }
        let (oid, at) = oid.ok_or(missing(Flaw::MissingOid))?;
        let oid = parse_oid(oid).map_err(|flaw| Finding { flaw, line: at })?;
        let (size, at) = size.ok_or(missing(Flaw::MissingSize))?;
        let size = parse_size(size).ok_or(Finding { flaw: Flaw::BadSize, line: at })?;
        let mut extensions = Vec::new();
        for (key, (value, at)) in self.extensions.iter() {
            let oid = parse_oid(value).map_err(|flaw| Finding { flaw, line: *at })?;
            let priority = key.as_bytes()[4] - b'0';
            if extensions.iter().any(|other: &Extension| other.priority == priority) {
                return Err(Finding { flaw: Flaw::DuplicatePriority, line: *at });
            }
            extensions.push(Extension { priority, name: key[6..].to_owned(), oid });
        }
        let extensions = by_priority(&extensions).into_iter().cloned().collect();
        Ok(Pointer { blob: Blob { oid, size }, extensions, canonical: false })
    }
}

/// `ext-`, one digit, `-`, and a name that begins with a word character: git-lfs does not look at the rest of the name.
fn extension_key(key: &str) -> bool {
    let Some(rest) = key.strip_prefix("ext-") else { return false };
    let mut chars = rest.bytes();
    chars.next().is_some_and(|c| c.is_ascii_digit())
        && chars.next() == Some(b'-')
        && chars.next().is_some_and(|c| c.is_ascii_alphanumeric() || c == b'_')
}

fn parse_oid(value: &str) -> Result<Oid, Flaw> {
    let (hash, hex) = value.split_once(':').ok_or(Flaw::BadOid)?;
    if hash != "sha256" {
        return Err(Flaw::BadOidType);
    }
    Oid::parse(hex).ok_or(Flaw::BadOid)
}

/// As Go's `ParseInt` in base 10: a sign and leading zeros are fine, `-0` is 0.
fn parse_size(value: &str) -> Option<u64> {
    let size: i64 = value.parse().ok()?;
    u64::try_from(size).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OID: &str = "5a6959180273ad3d862fcf9e5531f5a9c2dc9053821400b9293dc3efe8e99701";

    fn text(size: &str) -> String {
        format!("version {VERSION}\noid sha256:{OID}\nsize {size}\n")
    }

    fn kind(text: &str) -> Kind {
        classify(text.as_bytes(), text.len() as u64)
    }

    #[test]
    fn what_is_written_reads_back_canonical() {
        let oid = Oid::parse(OID).expect("64 digits");
        for size in [1, 4096, (1 << 53) + 1, i64::MAX as u64] {
            for extensions in [vec![], vec![Extension { priority: 3, name: "zip-9".into(), oid }]] {
                let text = format(Blob { oid, size }, &extensions).expect("well formed");
                let expected = Pointer { blob: Blob { oid, size }, extensions, canonical: true };
                assert_eq!(kind(&text), Kind::Pointer(expected));
            }
        }
    }

    #[test]
    fn every_beginning_of_a_pointer_is_judged_without_panic() {
        let text = text("4096");
        for end in 0..text.len() {
            let _judged = classify(&text.as_bytes()[..end], end as u64);
        }
    }

    #[test]
    fn what_cannot_be_written() {
        let blob = Blob { oid: Oid::EMPTY, size: 1 };
        let extension = |priority, name: &str| Extension { priority, name: name.into(), oid: Oid::EMPTY };
        for bad in [
            vec![extension(10, "x")],
            vec![extension(1, "")],
            vec![extension(1, "a\nb")],
            vec![extension(1, "a"), extension(1, "b")],
        ] {
            assert!(format(blob, &bad).is_err(), "{bad:?}");
        }
        assert!(format(Blob { oid: Oid::EMPTY, size: 1 << 63 }, &[]).is_err());
        assert!(format(blob, &(0..10).map(|n| extension(n, &"n".repeat(60))).collect::<Vec<_>>()).is_err());
    }

    #[test]
    fn the_upload_door_is_wider_than_the_parser() {
        let pointer = text("12");
        let shaped = |text: &str| pointer_shaped(text.as_bytes(), text.len() as u64);
        for closed in [
            pointer.clone(),
            pointer.clone() + "note hello\n",
            pointer.clone() + &pointer,
            format!("<<<<<<< HEAD\n{pointer}=======\n{pointer}>>>>>>> theirs\n"),
            format!("\u{feff}{pointer}"),
            pointer.replace("version ", "Version "),
            pointer.replace("version ", "version\t"),
            text("12 bytes"),
            pointer.to_uppercase(),
        ] {
            assert!(shaped(&closed), "{closed}");
        }
        for open in ["", "# git-lfs notes\n", "version 1.0 of the hymn\n", "oid sha256:00\n", &pointer.repeat(9)] {
            assert!(!shaped(open), "{open}");
        }
    }

    #[test]
    fn what_was_appended_to_a_pointer_is_told() {
        let pointer = text("12");
        let extended = pointer.replace("oid ", &format!("ext-0-a sha256:{0}\noid ", "7".repeat(64)));
        let long = "{\"type\":\"user\"}\n".repeat(90);
        for pointer in [&pointer, &extended, &pointer.replace('\n', "\r\n")] {
            for behind in ["{}\n", "x", pointer.as_str(), long.as_str()] {
                let whole = format!("{pointer}{behind}");
                let head = &whole.as_bytes()[..whole.len().min(POINTER_BYTES_MAX)];
                assert_eq!(appended_to(head, whole.len() as u64), Some(pointer.len()), "{whole}");
            }
            for whole in
                [pointer.clone(), format!("{pointer}\n"), format!("{{}}\n{pointer}"), format!("\n{pointer}x\n")]
            {
                assert_eq!(appended_to(whole.as_bytes(), whole.len() as u64), None, "{whole}");
            }
        }
        for whole in [String::new(), text("-1") + &long, "version 1.0 of the hymn\n".repeat(60), long.clone()] {
            let head = &whole.as_bytes()[..whole.len().min(POINTER_BYTES_MAX)];
            assert_eq!(appended_to(head, whole.len() as u64), None, "{whole}");
        }
    }

    #[test]
    fn findings_name_the_line() {
        assert_eq!(kind(&("\n\n".to_owned() + &text("-1"))), Kind::Malformed(Finding { flaw: Flaw::BadSize, line: 5 }));
        assert_eq!(kind("git-lfs"), Kind::Content(Finding { flaw: Flaw::BadLine, line: 1 }));
    }
}
