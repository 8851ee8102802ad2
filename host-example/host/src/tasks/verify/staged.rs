//! What the next commit would add or change: its pointers, its manifests, and content that a manifest wants elsewhere.
//!
//! The rules it keeps: only what is staged is accused; manifests are read one after the other, and only the engine
//! reads them. Whose manifest does not name a file yet is judged by the names that content goes by.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::held::{self, Held};
use super::report::{Named, Seen};
use crate::contract::error::{Fault, HostError};
use crate::contract::manifests::{FileRef, FileStorage, Manifest};
use crate::contract::types::Code;
use crate::documents::DOCUMENT_BYTES_MAX;
use crate::engine::Guest;
use crate::git::objects::Header;
use crate::git::{Git, tree};
use crate::repository::Repository;
use crate::sessions::content_files::content_files;
use crate::sessions::ledger::{MANIFEST, SESSIONS, path_in};
use crate::tasks::client::Client;

/// A regular file that is staged.
struct Change {
    path: String,
    /// The blob's id in git.
    oid: String,
    /// The blob that the last commit has there.
    before: String,
}

/// The staged files of one session.
#[derive(Default)]
struct Session<'a> {
    manifest: Option<&'a Change>,
    /// Lengths of content, by the name within the session.
    content: BTreeMap<&'a str, u64>,
}

/// A manifest as the next commit would hold it.
struct Document<'a> {
    name: &'a str,
    session: &'a Session<'a>,
    oid: String,
    size: u64,
}

pub(super) fn look(client: &Client, repository: &Repository) -> Result<Seen, Fault> {
    let git = repository.as_it_is();
    let mut guest = client.guest()?;
    let changes = changes(git)?;
    let ids: Vec<String> = changes.iter().map(|change| change.oid.clone()).collect();
    let sizes = git.blob_info(&ids)?.into_iter().map(|blob| Some(blob?.size));
    let blobs: Vec<(&str, Option<u64>)> = ids.iter().map(String::as_str).zip(sizes).collect();
    let held = held::each(git, &mut guest, &blobs)?;
    let mut seen = Seen::default();
    for (change, held) in changes.iter().zip(&held) {
        match held {
            Held::Pointer(blob) => {
                seen.named.push(Named { name: change.path.clone(), oid: blob.oid.clone(), size: blob.size });
            }
            Held::Malformed(why) => seen.find(&change.path, "", Code::Malformed, why),
            Held::Content { .. } | Held::Unknown => {}
        }
    }
    // The commit may be the one that makes this a ledger, so only its owner can say that it is none.
    if repository.flag("hydrant.ledger") != Some(false) {
        let sessions = by_session(&changes, &held);
        let documents = documents(git, &sessions, &mut seen)?;
        let content_files = content_files(repository);
        judge(git, &mut guest, &documents, &content_files, &mut seen)?;
        let read: BTreeSet<&str> = documents.iter().map(|document| document.name).collect();
        let unread: Vec<_> = sessions.iter().filter(|(name, _)| !read.contains(*name)).collect();
        // A folder of this name means nothing where no session has ever been.
        if !unread.is_empty() && (!documents.is_empty() || repository.is_ledger()?) {
            for (name, session) in unread {
                look_at_content(name, None, session, &content_files, &mut seen);
            }
        }
    }
    Ok(seen)
}

/// Regular files that the next commit would add or change.
fn changes(git: &Git) -> Result<Vec<Change>, Fault> {
    let raw = ["diff", "--cached", "--raw", "-z", "--no-abbrev", "--no-renames", "--diff-filter=d"];
    let listed = git.read(&raw, b"")?;
    let files = tree::changes(&listed).filter(|(change, _)| change.after.is_file());
    let change = |(change, path): (tree::Change, &[u8])| {
        let path = String::from_utf8_lossy(path).into_owned();
        Change { path, oid: change.after.oid, before: change.before }
    };
    Ok(files.map(change).collect())
}

fn by_session<'a>(changes: &'a [Change], held: &[Held]) -> BTreeMap<&'a str, Session<'a>> {
    let mut sessions: BTreeMap<&str, Session<'_>> = BTreeMap::new();
    for (change, held) in changes.iter().zip(held) {
        let below = change.path.strip_prefix(SESSIONS).and_then(|path| path.strip_prefix('/'));
        let Some((name, file)) = below.and_then(|path| path.split_once('/')) else { continue };
        if file == MANIFEST {
            sessions.entry(name).or_default().manifest = Some(change);
        } else if let Held::Content { size, .. } = held {
            sessions.entry(name).or_default().content.insert(file, *size);
        }
    }
    sessions
}

/// The manifests of these sessions: those that are staged, else those that stay as they are committed.
fn documents<'a>(
    git: &Git,
    sessions: &'a BTreeMap<&'a str, Session<'a>>,
    seen: &mut Seen,
) -> Result<Vec<Document<'a>>, Fault> {
    // The index has both kinds.
    let words: Vec<String> = sessions.keys().map(|name| format!(":{}", path_in(name, MANIFEST))).collect();
    let mut documents = Vec::new();
    for ((name, session), found) in sessions.iter().zip(git.blob_info(&words)?) {
        let Some(Header { git_oid: oid, size, .. }) = found else { continue };
        if size <= DOCUMENT_BYTES_MAX {
            documents.push(Document { name, session, oid, size });
        } else if let Some(change) = session.manifest {
            let detail = format!("{size} bytes; a manifest has at most {DOCUMENT_BYTES_MAX}");
            seen.find(&change.path, "", Code::Limit, detail);
        }
    }
    Ok(documents)
}

fn judge(
    git: &Git,
    guest: &mut Guest,
    documents: &[Document<'_>],
    content_files: &[String],
    seen: &mut Seen,
) -> Result<(), Fault> {
    let before = before(git, guest, documents)?;
    let staged: BTreeSet<(String, String)> =
        seen.named.iter().map(|named| (named.name.clone(), named.oid.clone())).collect();
    let blobs: Vec<(&str, u64)> = documents.iter().map(|document| (document.oid.as_str(), document.size)).collect();
    git.each_object(&blobs, &mut |at, _, text| {
        let Document { name, session, .. } = &documents[at];
        let manifest = match guest.manifest_read(&text) {
            Ok(manifest) => Some(manifest),
            Err(HostError::Engine(error)) => {
                // One that is committed like that is not what this commit changes.
                if let Some(change) = session.manifest {
                    seen.find(&change.path, "", error.code, error.detail);
                }
                None
            }
            Err(error) => return Err(error.into()),
        };
        if let (Some(manifest), Some(_)) = (&manifest, session.manifest) {
            look_at_entries(name, manifest, before.get(name), &staged, seen);
        }
        look_at_content(name, manifest.as_ref(), session, content_files, seen);
        Ok(())
    })
}

/// The blobs that the last commit's manifests name, by session, of manifests that are about to change.
fn before<'a>(
    git: &Git,
    guest: &mut Guest,
    documents: &[Document<'a>],
) -> Result<HashMap<&'a str, BTreeSet<String>>, Fault> {
    let staged = |document: &Document<'a>| Some((document.name, document.session.manifest?.before.clone()));
    let (names, ids): (Vec<&str>, Vec<String>) = documents.iter().filter_map(staged).unzip();
    let sizes = git.blob_info(&ids)?;
    // One that cannot be read names nothing, and then everything is new.
    let (names, blobs): (Vec<&str>, Vec<(&str, u64)>) = names
        .into_iter()
        .zip(&sizes)
        .filter_map(|(name, found)| found.as_ref().map(|blob| (name, (blob.git_oid.as_str(), blob.size))))
        .filter(|(_, (_, size))| *size <= DOCUMENT_BYTES_MAX)
        .unzip();
    let mut named = HashMap::new();
    git.each_object(&blobs, &mut |at, _, text| {
        match guest.manifest_read(&text) {
            Ok(manifest) => {
                named.insert(names[at], manifest.files.into_iter().filter_map(|file| file.oid).collect());
            }
            Err(HostError::Engine(_)) => {}
            Err(error) => return Err(error.into()),
        }
        Ok::<_, Fault>(())
    })?;
    Ok(named)
}

/// Entries of a staged manifest: flaws are found, and new blobs are named unless their pointers are staged along.
fn look_at_entries(
    session: &str,
    manifest: &Manifest,
    before: Option<&BTreeSet<String>>,
    staged: &BTreeSet<(String, String)>,
    seen: &mut Seen,
) {
    for file in &manifest.files {
        let oid = file.oid.clone().unwrap_or_default();
        let one = (path_in(session, &file.name), oid);
        if let Some(flaw) = &file.flaw {
            seen.find(one.0, &one.1, flaw.code, &flaw.detail);
        } else if file.storage == FileStorage::Lfs
            && !before.is_some_and(|before| before.contains(&one.1))
            && !staged.contains(&one)
        {
            let (name, oid) = one;
            seen.named.push(Named { name, oid, size: file.size });
        }
    }
}

/// Staged content of files that the manifest has out of band, or that are content by their names where it does not say
/// that git carries them. The empty file is the pointer of the empty blob.
fn look_at_content(
    name: &str,
    manifest: Option<&Manifest>,
    session: &Session<'_>,
    content_files: &[String],
    seen: &mut Seen,
) {
    if session.content.is_empty() {
        return;
    }
    let entries = manifest.into_iter().flat_map(|manifest| &manifest.files);
    let entries: HashMap<&str, &FileRef> = entries.map(|file| (file.name.as_str(), file)).collect();
    for (file, size) in &session.content {
        let entry = entries.get(file);
        let is_wrong = match entry {
            Some(entry) if entry.storage == FileStorage::Git => false,
            Some(entry) if entry.storage == FileStorage::Lfs && entry.flaw.is_none() => (*size, entry.size) != (0, 0),
            _ => *size > 0 && content_files.iter().any(|one| one == file),
        };
        if is_wrong {
            let oid = entry.and_then(|entry| entry.oid.as_deref()).unwrap_or_default();
            let detail = "content would be committed in full; publish it instead";
            seen.find(path_in(name, file), oid, Code::Conflict, detail);
        }
    }
}
