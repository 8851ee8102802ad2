//! Turns content back into its pointer, if it is proved that the pointer stands for this very content.
//!
//! Source: ox `ResolveRestorableRef` (`internal/lfs/restore.go`). The proof is a reference that somebody else made: the
//! committed pointer at the same path, or the manifest's entry. A reference that is derived from the bytes themselves
//! proves nothing. The host puts the content into the cache before it writes the pointer.

use crate::manifest::{FileRef, Manifest, Storage};
use alloc::string::String;
use alloc::vec::Vec;
use hydrant_lfs::git_lfs::pointer::{self, Kind};
use hydrant_lfs::text::error::{Code, Error, quote};
use hydrant_lfs::text::limits::POINTER_BYTES_MAX;
use hydrant_lfs::text::oid::Blob;

/// Which reference names the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Witness {
    /// The committed pointer at the same path.
    Committed,
    /// The manifest's entry.
    Manifest,
}

/// The pointer that takes the place of content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Its exact bytes: the committed ones, if the witness is `Committed`.
    pub pointer: Vec<u8>,
    /// The reference that proved it.
    pub witness: Witness,
}

/// The pointer for a file of a session that holds `content`, or the refusal that names both sides. `committed` is what
/// the last commit holds at the path, `manifest` is the session's; each may be absent, none may be unreadable.
pub fn restore(
    name: &str,
    content: Blob,
    committed: Option<&[u8]>,
    manifest: Option<&[u8]>,
) -> Result<Restored, Error> {
    let manifest = manifest.map(Manifest::parse).transpose()?;
    let entry = manifest.as_ref().and_then(|manifest| manifest.files().iter().find(|file| file.name == name));
    let shown = quote(name);
    if entry.is_some_and(|file| file.storage == Storage::Git) {
        return Err(Error::new(Code::Rejected, format_args!("{shown} belongs in git as it is, so it has no pointer")));
    }
    let pointed = committed.and_then(pointed);
    if let Some(bytes) = committed
        && pointed == Some(content)
    {
        return Ok(Restored { pointer: bytes.to_vec(), witness: Witness::Committed });
    }
    let named = entry.and_then(named);
    if named == Some(content) {
        return Ok(Restored { pointer: pointer::of_ledger(content).into_bytes(), witness: Witness::Manifest });
    }
    let here = format!("{shown} holds {} of {} bytes", content.oid, content.size);
    let others: Vec<String> = [("the committed pointer", pointed), ("the manifest", named)]
        .into_iter()
        .filter_map(|(who, blob)| blob.map(|blob| format!("{who} names {} of {} bytes", blob.oid, blob.size)))
        .collect();
    if others.is_empty() {
        let why = "no committed pointer and no entry of the manifest names anything for it";
        return Err(Error::new(Code::Rejected, format_args!("{here}, and {why}")));
    }
    Err(Error::new(Code::Conflict, format_args!("{here}, but {}", others.join(" and "))))
}

/// The blob that a committed pointer names; none when the file is no pointer. Its text is kept, so extensions survive.
fn pointed(bytes: &[u8]) -> Option<Blob> {
    if bytes.is_empty() {
        // An empty committed file is content: in a ledger, the pointer of an empty blob is not empty.
        return None;
    }
    match pointer::classify(&bytes[..bytes.len().min(POINTER_BYTES_MAX)], bytes.len() as u64) {
        Kind::Pointer(pointer) => Some(pointer.blob),
        Kind::Content(_) | Kind::Malformed(_) => None,
    }
}

/// The blob that a usable entry names.
fn named(file: &FileRef) -> Option<Blob> {
    let usable = file.flaw.is_none() && file.storage == Storage::Lfs;
    file.oid.filter(|_| usable).map(|oid| Blob { oid, size: file.size })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydrant_lfs::text::oid::{Hasher, Oid};

    fn blob(content: &str) -> Blob {
        let mut hasher = Hasher::default();
        hasher.update(content.as_bytes());
        hasher.finish()
    }

    fn manifest(entry: &str) -> String {
        format!("{{\"session_id\": \"s\", \"files\": {{\"raw.jsonl\": {{{entry}}}}}}}")
    }

    fn lfs(blob: Blob) -> String {
        manifest(&format!("\"oid\": \"sha256:{}\", \"size\": {}", blob.oid, blob.size))
    }

    #[test]
    fn only_what_somebody_else_named() {
        let (here, other) = (blob("here"), blob("else"));
        let longer = Blob { size: here.size + 1, ..here };
        let text = |blob| pointer::of_ledger(blob);
        let crlf = text(here).replace('\n', "\r\n");
        let git = manifest("\"storage\": \"git\", \"size\": 4");
        let (committed, from_manifest) = (Ok(Witness::Committed), Ok(Witness::Manifest));
        let table = [
            (Some(text(here)), None, committed),
            (Some(crlf.clone()), Some(lfs(other)), committed),
            (Some(text(other)), Some(lfs(here)), from_manifest),
            (None, Some(lfs(here)), from_manifest),
            (Some("here".to_owned()), Some(lfs(here)), from_manifest),
            (Some(text(longer)), Some(lfs(longer)), Err(Code::Conflict)),
            (Some(text(other)), None, Err(Code::Conflict)),
            (None, Some(lfs(other)), Err(Code::Conflict)),
            (Some("here".to_owned()), None, Err(Code::Rejected)),
            (Some(String::new()), None, Err(Code::Rejected)),
            (None, None, Err(Code::Rejected)),
            (Some(text(here)), Some(git), Err(Code::Rejected)),
            (None, Some(manifest("\"size\": 4")), Err(Code::Rejected)),
            (Some(text(here)), Some("{".to_owned()), Err(Code::Malformed)),
        ];
        for (at, (committed, manifest, expected)) in table.into_iter().enumerate() {
            let (committed, manifest) = (committed.map(String::into_bytes), manifest.map(String::into_bytes));
            let got = restore("raw.jsonl", here, committed.as_deref(), manifest.as_deref());
            assert_eq!(got.as_ref().map(|it| it.witness).map_err(|error| error.code), expected, "row {at}");
            if let Ok(restored) = got {
                let as_committed = restored.witness == Witness::Committed;
                let expected = if as_committed { committed.expect("the witness") } else { text(here).into_bytes() };
                assert_eq!(restored.pointer, expected, "row {at}");
            }
        }
    }

    #[test]
    fn a_refusal_names_both_and_an_empty_file_has_a_pointer() {
        let (here, other) = (blob("here"), blob("else"));
        let refused = restore("raw.jsonl", here, None, Some(lfs(other).as_bytes())).expect_err("another blob");
        assert!([here, other].iter().all(|blob| refused.detail.contains(&blob.oid.to_string())), "{refused}");
        let empty = Blob { oid: Oid::EMPTY, size: 0 };
        let text = pointer::of_ledger(empty);
        let restored = restore("raw.jsonl", empty, None, Some(lfs(empty).as_bytes())).expect("named by the manifest");
        assert_eq!(restored.pointer, text.as_bytes());
    }
}
