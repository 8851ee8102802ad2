//! A session's `meta.json`: read without losing anything, edited without touching any other byte.
//!
//! Written by other programs too, so: unknown fields, their order and their spelling stay as they are; an entry that
//! cannot be used is reported and kept; what cannot be read at all is an error, never an empty manifest.

mod build;
mod edit;
mod guard;
mod identity;
mod merge;
#[cfg(test)]
mod tests;

pub use build::{Fresh, build};
pub use edit::{Change, Entry, edit, record, remove_entries};
pub(crate) use edit::{add_redaction, mark_draft, recordable, says};
pub use guard::leak;
pub use identity::{derive_session_id, preserved_session_id};
pub use merge::merge;

use crate::limits::{DOCUMENT_BYTES_MAX, MANIFEST_FILES_MAX};
use crate::name::{self, Fold};
use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use hydrant_lfs::order::repeated;
use hydrant_lfs::text::error::{Code, Error, quote};
use hydrant_lfs::text::json::{self, Kind, Value};
use hydrant_lfs::text::oid::Oid;

/// Text fields, counters and others in the order in which they are written.
const SCHEMA: [(&str, Field); 39] = [
    ("version", Field::Text),
    ("session_name", Field::Text),
    ("username", Field::Text),
    ("user_id", Field::Text),
    ("agent_id", Field::Text),
    ("session_id", Field::Text),
    ("continued_from_session_id", Field::Text),
    ("agent_type", Field::Text),
    ("model", Field::Text),
    ("title", Field::Text),
    ("created_at", Field::Text),
    ("entry_count", Field::Counter),
    ("summary", Field::Text),
    ("stop_reason", Field::Text),
    ("stop_detail", Field::Text),
    ("stop_source", Field::Text),
    ("stop_pattern_id", Field::Text),
    ("stop_resets_at_raw", Field::Text),
    ("stop_resets_at", Field::Text),
    ("repo_id", Field::Text),
    ("sageox_score", Field::Any),
    ("sageox_score_category", Field::Text),
    ("sageox_score_reason", Field::Text),
    ("summary_status", Field::Text),
    ("validation_error", Field::Text),
    ("summary_attempts", Field::Counter),
    ("redactions", Field::Any),
    ("produced_commits", Field::Any),
    ("linked_prs", Field::Any),
    ("linked_issues", Field::Any),
    ("produced_plans", Field::Any),
    ("linkage_status", Field::Text),
    ("native_sessions", Field::Any),
    ("trace", Field::Any),
    ("stopped_at", Field::Text),
    ("draft", Field::Any),
    ("turn_count", Field::Counter),
    ("updated_at", Field::Text),
    ("files", Field::Any),
];

/// Members of an entry of `files`, in the order in which they are written.
const ENTRY: [&str; 3] = ["storage", "oid", "size"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Text,
    Counter,
    Any,
}

/// Where a file's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// In Git LFS, by oid. An entry without `storage` means this.
    Lfs,
    /// In git, as the file itself.
    Git,
    /// In a storage unknown to this version: the entry is kept, but cannot be used.
    Unknown,
}

/// One entry of `files`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRef {
    /// File name within the session.
    pub name: String,
    /// Where its bytes are.
    pub storage: Storage,
    /// For [`Storage::Lfs`]: the oid of its bytes.
    pub oid: Option<Oid>,
    /// Bytes; 0 when the entry does not say.
    pub size: u64,
    /// Why the entry cannot be used; it is kept as it is.
    pub flaw: Option<Error>,
}

/// The fields of a manifest that are read. Edits keep all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Name of the session's folder.
    pub session_name: String,
    /// The id on disk, if there is one.
    pub session_id: Option<String>,
    /// Repository the session belongs to, or empty.
    pub repo_id: String,
    /// Title, or empty.
    pub title: String,
    /// Summary, or empty.
    pub summary: String,
    /// Agent, or empty.
    pub agent_type: String,
    /// RFC 3339, as written.
    pub created_at: String,
    /// Number of entries in the transcript, without header and footer.
    pub entry_count: Option<u64>,
    /// Status of the summary, or empty: `ok`, `pending`, `unrecoverable`, or what other programs write.
    pub summary_status: String,
    /// Diagnostics of summaries, which users never see, or empty.
    pub validation_error: String,
    /// Failed attempts to find a title.
    pub summary_attempts: u64,
    /// A placeholder of a session that is still being recorded.
    pub draft: bool,
    /// Turns of a session that is still being recorded.
    pub turn_count: u64,
    files: Vec<FileRef>,
}

impl Manifest {
    /// Reads a manifest. One bad name fails the whole, as in ox; one bad entry does not.
    pub fn parse(text: &[u8]) -> Result<Manifest, Error> {
        Self::parse_with(text, name::fold)
    }

    /// The same with the fold of a platform.
    pub fn parse_with(text: &[u8], fold: Fold) -> Result<Manifest, Error> {
        let root = root(text)?;
        let word = |key| root.get(key).and_then(Value::text).unwrap_or_default().to_owned();
        let count = |key| root.get(key).and_then(Value::integer).and_then(|count| u64::try_from(count).ok());
        let manifest = Manifest {
            session_name: word("session_name"),
            session_id: Some(word("session_id")).filter(|id| !id.is_empty()),
            repo_id: word("repo_id"),
            title: word("title"),
            summary: word("summary"),
            agent_type: word("agent_type"),
            created_at: word("created_at"),
            entry_count: count("entry_count"),
            summary_status: word("summary_status"),
            validation_error: word("validation_error"),
            summary_attempts: count("summary_attempts").unwrap_or(0),
            draft: root.get("draft").and_then(Value::truth) == Some(true),
            turn_count: count("turn_count").unwrap_or(0),
            files: files(&root, fold)?,
        };
        // With a slash, two pairs of repository and name could give one id, so none is derived.
        let ambiguous = manifest.repo_id.contains('/') || manifest.session_name.contains('/');
        if manifest.session_id.is_none() && ambiguous {
            return Err(malformed("no id can be derived, because the repository or the session's name holds a slash"));
        }
        Ok(manifest)
    }

    /// Entries of `files`, in file order.
    pub fn files(&self) -> &[FileRef] {
        &self.files
    }

    /// The id on disk, verbatim, or the one derived from repository and name.
    pub fn effective_session_id(&self) -> String {
        self.session_id.clone().unwrap_or_else(|| derive_session_id(&self.repo_id, &self.session_name))
    }
}

fn malformed(what: impl AsRef<str>) -> Error {
    Error::new(Code::Malformed, format_args!("the manifest cannot be used: {}", what.as_ref()))
}

/// Parses a manifest: an object in which every known field has its type and no field comes twice.
fn root(text: &[u8]) -> Result<Value<'_>, Error> {
    if text.len() > DOCUMENT_BYTES_MAX {
        return Err(Error::new(Code::Limit, format_args!("the manifest has more than {DOCUMENT_BYTES_MAX} bytes")));
    }
    let root = json::parse(text).map_err(|error| {
        // No line of JSON begins so: a merge left its markers.
        let marked =
            text.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"<<<<<<<") || line.starts_with(b">>>>>>>"));
        if marked { malformed("it holds conflict markers") } else { error.context("the manifest cannot be read") }
    })?;
    if !root.is_object() {
        return Err(malformed("it is not a JSON object"));
    }
    distinct(&root, "")?;
    for member in root.members() {
        let known = field(&member.key).or_else(|| field(&name::ascii_fold(&member.key)));
        let Some((name, field)) = known else { continue };
        if member.key != *name {
            // Another reader of this format takes it for the field. A wrong guess could change the session's id.
            return Err(malformed(format!("{} differs from {name} in case alone", quote(&member.key))));
        }
        let fits = match (field, &member.value.kind) {
            (_, Kind::Null) | (Field::Any, _) | (Field::Text, Kind::String(_)) => true,
            (Field::Counter, _) => member.value.integer().is_some_and(|count| count >= 0),
            _ => false,
        };
        if !fits {
            return Err(malformed(format!("{name} has the wrong type")));
        }
    }
    Ok(root)
}

fn field(key: &str) -> Option<&'static (&'static str, Field)> {
    SCHEMA.iter().find(|(name, _)| *name == key)
}

/// Refuses a member that comes twice: other readers take the last, but an edit would have to choose.
fn distinct(object: &Value<'_>, of: &str) -> Result<(), Error> {
    let members = object.members();
    // Lengths first: most keys differ there already.
    let key = |at: usize| (members[at].key.len(), members[at].key.as_ref());
    match repeated(members.len(), &|a, b| key(a).cmp(&key(b))) {
        Some(at) => Err(malformed(format!("{of}{} appears twice", quote(&members[at].key)))),
        None => Ok(()),
    }
}

fn files(root: &Value<'_>, fold: Fold) -> Result<Vec<FileRef>, Error> {
    let Some(files) = root.get("files") else { return Ok(Vec::new()) };
    if !files.is_object() {
        return Err(malformed("files is not an object"));
    }
    if files.members().len() > MANIFEST_FILES_MAX {
        return Err(Error::new(Code::Limit, format_args!("the manifest names more than {MANIFEST_FILES_MAX} files")));
    }
    distinct(files, "files.")?;
    let mut refs = Vec::new();
    for member in files.members() {
        if let Some(flaw) = name::flaw(&member.key) {
            return Err(malformed(format!("the file name \"{}\" is not allowed: {flaw}", quote(&member.key))));
        }
        refs.push(file_ref(&member.key, &member.value));
    }
    let folds: Vec<String> = files.members().iter().map(|member| fold(&member.key)).collect();
    if let Some(at) = repeated(folds.len(), &|a, b| folds[a].cmp(&folds[b])) {
        return Err(malformed(format!("two files differ from {} in case alone", quote(&files.members()[at].key))));
    }
    Ok(refs)
}

/// Whether a member differs from a known one in case alone: another reader of this format takes it for that one.
fn differs_in_case(member: &json::Member<'_>) -> bool {
    !ENTRY.contains(&member.key.as_ref()) && ENTRY.contains(&name::ascii_fold(&member.key).as_str())
}

fn file_ref(name: &str, entry: &Value<'_>) -> FileRef {
    let storage = match entry.get("storage") {
        None => Some(Storage::Lfs),
        Some(storage) => storage.text().map(|storage| match storage {
            "" | "lfs" => Storage::Lfs,
            "git" => Storage::Git,
            _ => Storage::Unknown,
        }),
    };
    let text = entry.get("oid").and_then(Value::text);
    let oid = text.and_then(|text| text.strip_prefix("sha256:")).and_then(Oid::parse);
    let size = entry.get("size").map(|size| size.integer().and_then(|size| u64::try_from(size).ok()));
    let flaw = |code, why: &str| Some(Error::new(code, format_args!("the entry of {name} cannot be used: {why}")));
    let flaw = match (storage, oid, size) {
        _ if !entry.is_object() => flaw(Code::Malformed, "it is not an object"),
        _ if distinct(entry, "").is_err() => flaw(Code::Malformed, "a member appears twice"),
        _ if entry.members().iter().any(differs_in_case) => flaw(Code::Malformed, "a member differs in case alone"),
        (None, ..) => flaw(Code::Malformed, "its storage is not text"),
        (Some(Storage::Unknown), ..) => flaw(Code::Rejected, "it is stored somewhere this version does not know"),
        (_, _, Some(None)) => flaw(Code::Malformed, "its size is not a whole number of bytes"),
        (_, _, None) => flaw(Code::Malformed, "it has no size"),
        (Some(Storage::Lfs), None, _) if text.is_none() => flaw(Code::Malformed, "it has no oid"),
        (Some(Storage::Lfs), None, _) => {
            flaw(Code::Malformed, "its oid is not sha256: and 64 lower-case hexadecimal digits")
        }
        (Some(Storage::Git), ..) if entry.get("oid").is_some() => {
            flaw(Code::Malformed, "it has an oid although it is stored in git")
        }
        _ => None,
    };
    FileRef {
        name: name.to_owned(),
        storage: storage.unwrap_or(Storage::Unknown),
        oid,
        size: size.flatten().unwrap_or(0),
        flaw,
    }
}
