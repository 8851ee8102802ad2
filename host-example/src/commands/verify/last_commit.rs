//! What the last commit holds of sessions, compared with their manifests: what is committed is what others get, and
//! what keeps a blob on its server.
//!
//! The rule it keeps: git lists everything in one command and reads what is small enough to be a pointer in another,
//! however many sessions there are. A fault that the work tree shows too is told once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use hydrant_host::engine::Guest;
use hydrant_host::wit::manifests::{FileRef, Manifest, Storage};
use hydrant_host::wit::types::Code;

use super::Seen;
use super::held::{self, Held};
use crate::committed;
use crate::ending::Fault;
use crate::ledger::{MANIFEST, SESSIONS};
use crate::repository::Repository;

/// A file of a session in the last commit; none when it is not a regular file.
type File = Option<Held>;

/// The sessions that the last commit has a manifest of, with their other files by name.
pub(super) struct LastCommit {
    sessions: HashMap<String, BTreeMap<String, File>>,
}

impl LastCommit {
    /// Reads what there is of these sessions. Without a commit there is nothing to compare.
    pub(super) fn of(repository: &Repository, guest: &mut Guest, names: &[String]) -> Result<Self, Fault> {
        let mut read = Self { sessions: HashMap::new() };
        let Some(head) = committed::commit(repository, "HEAD")?.filter(|_| !names.is_empty()) else { return Ok(read) };
        let git = committed::as_it_is(repository);
        let above = format!("{SESSIONS}/");
        let folders: Vec<String> = names.iter().map(|name| format!("{above}{name}/")).collect();
        let entries = committed::list(&git, &head, &above, &folders)?;
        // The same small file often stands in many sessions.
        let blobs: BTreeMap<&str, Option<u64>> =
            entries.iter().filter(|entry| entry.is_file).map(|entry| (entry.oid.as_str(), entry.size)).collect();
        let blobs: Vec<(&str, Option<u64>)> = blobs.into_iter().collect();
        let held = held::each(&git, guest, &blobs)?;
        let held: HashMap<&str, Held> = blobs.iter().map(|(oid, _)| *oid).zip(held).collect();
        let mut with_manifest = BTreeSet::new();
        for entry in &entries {
            let Some((session, file)) = within(&entry.path, &above) else { continue };
            let is = entry.is_file.then(|| held.get(entry.oid.as_str()).cloned().unwrap_or(Held::Unknown));
            if file != MANIFEST {
                read.sessions.entry(session.to_owned()).or_default().insert(file.to_owned(), is);
            } else if is.is_some() {
                with_manifest.insert(session);
            }
        }
        read.sessions.retain(|name, _| with_manifest.contains(name.as_str()));
        Ok(read)
    }

    /// Compares one session with its manifest. Its findings so far begin at `first`.
    pub(super) fn compare(&self, name: &str, manifest: &Manifest, seen: &mut Seen, first: usize) {
        let Some(committed) = self.sessions.get(name) else { return };
        let is_pointer = |file: &FileRef| matches!(committed.get(&file.name), Some(Some(Held::Pointer(_))));
        // The first recorders wrote manifests and no pointers at all, and committed content in full before that. So a
        // file that is not committed is a loss only where another one of the session has its pointer in the commit.
        let keeps_pointers = manifest.files.iter().any(|file| file.storage == Storage::Lfs && is_pointer(file));
        for file in manifest.files.iter().filter(|file| file.flaw.is_none()) {
            let found = match (file.storage, committed.get(&file.name)) {
                (Storage::Lfs, Some(is)) => wrong(file, is),
                // The empty blob needs no keeping.
                (Storage::Lfs, None) if keeps_pointers && file.size > 0 => {
                    Some((Code::Missing, "no commit holds its pointer: nothing keeps the blob".to_owned()))
                }
                (Storage::Git, _) if is_pointer(file) => {
                    Some((Code::Conflict, "a pointer is committed where git should hold content".to_owned()))
                }
                (Storage::Git, Some(Some(Held::Content { size, .. }))) if *size != file.size => {
                    Some((Code::Integrity, format!("{size} bytes are committed, {} in the manifest", file.size)))
                }
                _ => None,
            };
            let Some((code, detail)) = found else { continue };
            let path = format!("{name}/{}", file.name);
            if !seen.findings[first..].iter().any(|one| one.name == path && one.code == code) {
                seen.find(path, file.oid.as_deref().unwrap_or_default(), code, detail);
            }
        }
        let named: BTreeSet<&str> = manifest.files.iter().map(|file| file.name.as_str()).collect();
        for (file, is) in committed {
            if let Some(Held::Pointer(blob)) = is
                && !named.contains(file.as_str())
            {
                let detail = "its pointer is committed, and the manifest does not name it";
                seen.find(format!("{name}/{file}"), &blob.oid, Code::Conflict, detail);
            }
        }
    }
}

/// The session and the name within it of a path below the folder of the sessions.
fn within<'a>(path: &'a str, above: &str) -> Option<(&'a str, &'a str)> {
    path.strip_prefix(above)?.split_once('/')
}

/// What is wrong with a committed file that the manifest has out of band.
fn wrong(file: &FileRef, is: &File) -> Option<(Code, String)> {
    let oid = file.oid.as_deref().unwrap_or_default();
    match is {
        Some(Held::Pointer(blob)) if blob.oid == oid && blob.size == file.size => None,
        Some(Held::Pointer(blob)) => Some((
            Code::Conflict,
            format!(
                "the committed pointer names {} of {} bytes, the manifest {oid} of {} bytes",
                blob.oid, blob.size, file.size
            ),
        )),
        Some(Held::Malformed(why)) => Some((Code::Malformed, format!("the committed pointer is broken: {why}"))),
        // Committed in full, from before pointers; what stands in the work tree of it was hashed.
        Some(Held::Content { size, oid: hashed })
            if *size == file.size && hashed.as_deref().is_none_or(|hashed| hashed == oid) =>
        {
            None
        }
        Some(Held::Content { .. }) => Some((
            Code::Integrity,
            "content is committed in place of its pointer, and is not what the manifest names".to_owned(),
        )),
        // A part of the repository that was left out of this clone: nothing is known, and nothing is wrong.
        Some(Held::Unknown) => None,
        None => Some((Code::Malformed, "what is committed is not a regular file".to_owned())),
    }
}
