//! The journal of one publish. It lies where no commit can place a file. It is written before the first byte is sent,
//! and removed when every oid in it is referenced or registered.
//!
//! It is in one of two states: *intended* names the oids that may be sent; *bound* also holds receipts, base and the
//! exact bytes to push, so that the next run needs neither the files nor the server to go on.

use crate::limits::JOURNAL_BYTES_MAX;
use crate::proof::Proof;
use crate::register::{VERSION, blob, document, list, read_blob, unreadable};
use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use hydrant_lfs::contract::{Push, PushFile, Revision};
use hydrant_lfs::text::error::{Code, Error};
use hydrant_lfs::text::json::{Value, quoted};
use hydrant_lfs::text::oid::Blob;

/// An unfinished publish.
#[derive(Debug)]
pub(crate) enum Journal {
    /// These may be sent.
    Intended(Vec<Blob>),
    /// Everything is sent.
    Bound(Box<Bound>),
}

/// Everything that push, settle and swap need.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub(crate) session_id: String,
    /// The id was made for this publish and nobody has seen it yet.
    pub(crate) fresh_id: bool,
    pub(crate) files: Vec<BoundFile>,
    /// Revision of the local manifest when it was read.
    pub(crate) local: Option<Revision>,
    /// The manifest that the remote had.
    pub(crate) base: Option<Vec<u8>>,
    /// Blobs that the remote's manifest named and the new one does not.
    pub(crate) superseded: Vec<Blob>,
    /// Manifest first.
    pub(crate) push: Push,
}

/// One file of a bound publish.
#[derive(Clone, Debug)]
pub(crate) struct BoundFile {
    pub(crate) name: String,
    pub(crate) kept: Kept,
}

/// Where a file's bytes are.
#[derive(Clone, Debug)]
pub(crate) enum Kept {
    /// On the server. `swap` is the revision at which it was hashed in the session's folder.
    Lfs { proof: Proof, swap: Option<Revision> },
    /// In the push itself. `local` is the revision of the copy in the session's folder.
    InGit { size: u64, local: Option<Revision> },
}

/// What a journal says about its publish, for reports to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfinished {
    /// These may have been sent, and nothing names them.
    Intended(Vec<Blob>),
    /// Everything was sent. Only the remote knows whether it accepted the push.
    Bound {
        /// Files to push, the manifest first.
        push: Vec<PushFile>,
        /// Files in the session's folder whose content is to be replaced with a pointer.
        in_place: Vec<String>,
        /// Blobs that lose their reference with the push.
        superseded: Vec<Blob>,
    },
}

impl Unfinished {
    /// Reads a journal; one of another version is an error.
    pub fn read(journal: &[u8]) -> Result<Self, Error> {
        Ok(match Journal::read(journal)? {
            Journal::Intended(blobs) => Unfinished::Intended(blobs),
            Journal::Bound(bound) => {
                let stood = |file: &BoundFile| matches!(file.kept, Kept::Lfs { swap: Some(_), .. });
                let in_place = bound.files.iter().filter(|file| stood(file)).map(|file| file.name.clone()).collect();
                Unfinished::Bound { push: bound.push.files, in_place, superseded: bound.superseded }
            }
        })
    }
}

impl Journal {
    pub(crate) fn write(&self) -> Result<Vec<u8>, Error> {
        let text = match self {
            Journal::Intended(blobs) => {
                format!("{{\n\"version\": {VERSION},\n\"intended\": {}\n}}\n", list(blobs.iter().map(blob)))
            }
            Journal::Bound(bound) => format!("{{\n\"version\": {VERSION},\n\"bound\": {}\n}}\n", bound.write()),
        };
        if text.len() > JOURNAL_BYTES_MAX {
            return Err(Error::new(
                Code::Limit,
                format_args!("the journal would have more than {JOURNAL_BYTES_MAX} bytes"),
            ));
        }
        Ok(text.into_bytes())
    }

    pub(crate) fn read(text: &[u8]) -> Result<Self, Error> {
        let what = "the journal of this session's publish";
        let root = document(what, text)?;
        let intended = root.get("intended").map(|blobs| blobs.items().iter().map(read_blob).collect());
        let journal = match (intended, root.get("bound")) {
            (Some(blobs), None) => Option::map(blobs, Journal::Intended),
            (None, Some(bound)) => Bound::read(bound).map(|bound| Journal::Bound(Box::new(bound))),
            _ => None,
        };
        journal.ok_or_else(|| unreadable(what))
    }
}

impl Bound {
    /// The blobs that the new manifest names through this publish.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = Blob> {
        self.files.iter().filter_map(|file| match &file.kept {
            Kept::Lfs { proof, .. } => Some(proof.blob()),
            Kept::InGit { .. } => None,
        })
    }

    /// The text of the manifest.
    pub(crate) fn manifest(&self) -> &[u8] {
        self.push.files.first().map_or(&[], |file| &file.bytes)
    }

    fn write(&self) -> String {
        let file = |file: &BoundFile| match &file.kept {
            Kept::Lfs { proof, swap } => format!(
                "{{\"name\": {}, \"lfs\": {}, \"swap\": {}}}",
                quoted(&file.name),
                blob(&proof.blob()),
                revision(swap.as_ref())
            ),
            Kept::InGit { size, local } => {
                format!(
                    "{{\"name\": {}, \"size\": {size}, \"local\": {}}}",
                    quoted(&file.name),
                    revision(local.as_ref())
                )
            }
        };
        let push = |file: &PushFile| {
            format!(
                "{{\"name\": {}, \"bytes\": {}, \"replaces\": {}}}",
                quoted(&file.name),
                bytes(&file.bytes),
                revision(file.replaces.as_ref())
            )
        };
        let members = [
            ("session_id", quoted(&self.session_id)),
            ("fresh_id", self.fresh_id.to_string()),
            ("files", list(self.files.iter().map(file))),
            ("local", revision(self.local.as_ref())),
            ("base", self.base.as_deref().map_or_else(|| "null".to_owned(), bytes)),
            ("superseded", list(self.superseded.iter().map(blob))),
            ("push", list(self.push.files.iter().map(push))),
            ("message", quoted(&self.push.message)),
        ];
        let members: Vec<String> = members.iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
        format!("{{\n{}\n}}", members.join(",\n"))
    }

    fn read(bound: &Value<'_>) -> Option<Self> {
        let file = |file: &Value<'_>| {
            let kept = match file.get("lfs") {
                Some(blob) => {
                    Kept::Lfs { proof: Proof::of_journal(read_blob(blob)?), swap: read_revision(file, "swap")? }
                }
                None => Kept::InGit { size: read_size(file)?, local: read_revision(file, "local")? },
            };
            Some(BoundFile { name: file.get("name")?.text()?.to_owned(), kept })
        };
        let push = |file: &Value<'_>| {
            Some(PushFile {
                name: file.get("name")?.text()?.to_owned(),
                bytes: read_bytes(file.get("bytes")?)?,
                replaces: read_revision(file, "replaces")?,
            })
        };
        let each = |key: &str| Some(bound.get(key)?.items());
        Some(Bound {
            session_id: bound.get("session_id")?.text()?.to_owned(),
            fresh_id: bound.get("fresh_id")?.truth()?,
            files: each("files")?.iter().map(file).collect::<Option<_>>()?,
            local: read_revision(bound, "local")?,
            base: match bound.get("base") {
                None => None,
                Some(base) => Some(read_bytes(base)?),
            },
            superseded: each("superseded")?.iter().map(read_blob).collect::<Option<_>>()?,
            push: Push {
                files: each("push")?.iter().map(push).collect::<Option<_>>()?,
                message: bound.get("message")?.text()?.to_owned(),
            },
        })
    }
}

fn read_size(value: &Value<'_>) -> Option<u64> {
    u64::try_from(value.get("size")?.integer()?).ok()
}

fn revision(revision: Option<&Revision>) -> String {
    revision.map_or_else(|| "null".to_owned(), |revision| quoted(&revision.0))
}

/// `None` when it is there and malformed; `Some(None)` when it is absent.
fn read_revision(value: &Value<'_>, key: &str) -> Option<Option<Revision>> {
    match value.get(key) {
        None => Some(None),
        Some(revision) => Some(Some(Revision(revision.text()?.to_owned()))),
    }
}

/// UTF-8 text as a string; other bytes as a list of one string of hexadecimal digits.
fn bytes(bytes: &[u8]) -> String {
    match core::str::from_utf8(bytes) {
        Ok(text) => quoted(text),
        Err(_) => format!("[\"{}\"]", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
    }
}

fn read_bytes(value: &Value<'_>) -> Option<Vec<u8>> {
    if let Some(text) = value.text() {
        return Some(text.as_bytes().to_vec());
    }
    let [hex] = value.items() else { return None };
    let hex = hex.text()?.as_bytes();
    let digit = |digit: u8| char::from(digit).to_digit(16);
    hex.chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(digit(*high)? << 4 | digit(*low)?).ok(),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydrant_lfs::text::oid::Oid;

    /// A journal as version 1 writes it.
    const FIRST_FORM: &str = include_str!("../../../tests/fixtures/journals/v1.json");

    #[test]
    fn what_is_written_is_read_back() {
        let one = Blob { oid: Oid::EMPTY, size: 0 };
        let two = Blob { oid: Oid::EMPTY, size: 1 << 60 };
        let revision = Some(Revision("a \"b\" \u{2028}".to_owned()));
        let file = |name: &str, kept| BoundFile { name: name.to_owned(), kept };
        let bound = Bound {
            session_id: "ses_1".to_owned(),
            fresh_id: true,
            files: vec![
                file("raw.jsonl", Kept::Lfs { proof: Proof::of_journal(two), swap: revision.clone() }),
                file("empty", Kept::Lfs { proof: Proof::of_journal(one), swap: None }),
                file("summary.json", Kept::InGit { size: 7, local: revision.clone() }),
            ],
            local: None,
            base: Some(b"{}".to_vec()),
            superseded: vec![two, one],
            push: Push {
                files: vec![
                    PushFile { name: "m".to_owned(), bytes: "\u{0}<é>\n".as_bytes().to_vec(), replaces: revision },
                    PushFile { name: "b".to_owned(), bytes: vec![0, 159, 146, 150, 255], replaces: None },
                ],
                message: "Publish x\n".to_owned(),
            },
        };
        let told = Unfinished::Bound {
            push: bound.push.files.clone(),
            in_place: vec!["raw.jsonl".to_owned()],
            superseded: vec![two, one],
        };
        let text = Journal::Bound(Box::new(bound.clone())).write().expect("short enough");
        assert_eq!(core::str::from_utf8(&text), Ok(FIRST_FORM), "clones have it: another form is another version");
        assert_eq!(Unfinished::read(&text).expect("just written"), told);
        let text = Journal::Intended(vec![two]).write().expect("short enough");
        assert_eq!(Unfinished::read(&text).expect("just written"), Unfinished::Intended(vec![two]));
        for journal in [Journal::Intended(vec![]), Journal::Intended(vec![one, two]), Journal::Bound(Box::new(bound))] {
            let text = journal.write().expect("short enough");
            let read = Journal::read(&text).expect("just written");
            assert_eq!(format!("{read:?}"), format!("{journal:?}"));
            for end in 0..text.len() - 2 {
                assert!(Journal::read(&text[..end]).is_err(), "a journal that was cut is no journal");
            }
        }
        let later = Journal::read(b"{\"version\": 2, \"intended\": []}").expect_err("of another form");
        assert!(later.detail.contains("version 2") && later.detail.contains("newer"), "{later}");
        for other in ["{}", "{\"version\": 2, \"intended\": []}", "{\"version\": 1}", "[]", ""] {
            assert!(Journal::read(other.as_bytes()).is_err(), "{other}");
        }
    }
}
