//! What the next commit would add or change: its pointers, its manifests, and content where a pointer belongs.
//!
//! The rules it keeps: the next commit is what git says it is, so in a hook its index is the one that git names; only
//! what is staged is accused; manifests are read one after the other, and only the engine reads them.

use std::collections::{BTreeSet, HashMap};

use super::report::{Named, Seen};
use crate::contract::error::{Fault, HostError};
use crate::contract::manifests::{FileStorage, Manifest};
use crate::contract::types::Code;
use crate::documents::DOCUMENT_BYTES_MAX;
use crate::engine::Guest;
use crate::git::Git;
use crate::git::objects::Header;
use crate::repository::Repository;
use crate::sessions::ledger::{MANIFEST, SESSIONS, path_in};
use crate::tasks::client::Client;
use crate::tasks::content_in_git::{self, Candidate, Holder, InFull, Why, next_commit};
use crate::tasks::held::{self, Held};
use crate::text::shell;

/// A manifest as the next commit would hold it.
struct Document<'a> {
    session: &'a str,
    change: &'a Candidate,
    size: u64,
}

pub(super) fn look(client: &Client, repository: &Repository) -> Result<Seen, Fault> {
    let git = repository.as_it_is();
    let mut guest = client.guest()?;
    let changes = next_commit::changes(repository)?;
    let ids: Vec<&str> = changes.iter().map(|change| change.git_oid.as_str()).collect();
    let sizes = git.blob_info(&ids)?.into_iter().map(|blob| Some(blob?.size));
    let blobs: Vec<(&str, Option<u64>)> = ids.into_iter().zip(sizes).collect();
    let held = held::each(git, &mut guest, &blobs)?;
    let mut seen = Seen::default();
    let mut content = Vec::new();
    for (change, held) in changes.iter().zip(&held) {
        match held {
            Held::Pointer(blob) => {
                seen.named.push(Named { name: change.path.clone(), oid: blob.oid.clone(), size: blob.size });
            }
            Held::Malformed(why) => seen.find(&change.path, "", Code::Malformed, why),
            Held::Content { .. } => content.push(change.clone()),
            Held::Unknown => {}
        }
    }
    // The commit may be the one that brings the first session.
    if repository.may_have_sessions() {
        let documents = documents(git, &changes, &mut seen)?;
        judge(git, &mut guest, &documents, &mut seen)?;
    }
    let take_out = content_in_git::take_out(repository)?;
    for one in content_in_git::look(repository, &mut guest, Holder::Index, content)?.in_full {
        seen.find(&one.path, &one.oid, Code::Conflict, in_full(&one, take_out));
    }
    Ok(seen)
}

/// Why it may not be committed like that, and what is to be done.
fn in_full(one: &InFull, take_out: &str) -> String {
    let why = match one.why {
        Why::Session => return "content would be committed in full; publish it instead".to_owned(),
        Why::Attributes => "its attributes say filter=lfs",
        Why::Pointer => "the last commit has its pointer",
    };
    let path = shell(&one.path);
    format!(
        "content would be committed in full, and {why}: take it out with `{take_out} -- {path}`, then add it through a \
         clean filter"
    )
}

/// The staged manifests of sessions.
fn documents<'a>(git: &Git, changes: &'a [Candidate], seen: &mut Seen) -> Result<Vec<Document<'a>>, Fault> {
    let manifest = |change: &'a Candidate| Some((manifest_of(&change.path)?, change));
    let manifests: Vec<(&str, &Candidate)> = changes.iter().filter_map(manifest).collect();
    let ids: Vec<&str> = manifests.iter().map(|(_, change)| change.git_oid.as_str()).collect();
    let mut documents = Vec::new();
    for ((session, change), found) in manifests.into_iter().zip(git.blob_info(&ids)?) {
        let Some(Header { size, .. }) = found else { continue };
        if size <= DOCUMENT_BYTES_MAX {
            documents.push(Document { session, change, size });
        } else {
            let detail = format!("{size} bytes; a manifest has at most {DOCUMENT_BYTES_MAX}");
            seen.find(&change.path, "", Code::Limit, detail);
        }
    }
    Ok(documents)
}

/// The session whose manifest has this path.
fn manifest_of(path: &str) -> Option<&str> {
    let (session, file) = path.strip_prefix(SESSIONS)?.strip_prefix('/')?.split_once('/')?;
    (file == MANIFEST).then_some(session)
}

fn judge(git: &Git, guest: &mut Guest, documents: &[Document<'_>], seen: &mut Seen) -> Result<(), Fault> {
    let before = before(git, guest, documents)?;
    let staged: BTreeSet<(String, String)> =
        seen.named.iter().map(|named| (named.name.clone(), named.oid.clone())).collect();
    let blobs: Vec<(&str, u64)> =
        documents.iter().map(|document| (document.change.git_oid.as_str(), document.size)).collect();
    git.each_object(&blobs, &mut |at, _, text| {
        let Document { session, change, .. } = &documents[at];
        match guest.manifest_read(&text) {
            Ok(manifest) => look_at_entries(session, &manifest, before.get(session), &staged, seen),
            Err(HostError::Engine(error)) => seen.find(&change.path, "", error.code, error.detail),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    })
}

/// The blobs that the manifests of the next commit's parents name, by session, of manifests that are about to change.
fn before<'a>(
    git: &Git,
    guest: &mut Guest,
    documents: &[Document<'a>],
) -> Result<HashMap<&'a str, BTreeSet<String>>, Fault> {
    let old = |document: &Document<'a>| {
        let Document { session, change, .. } = *document;
        change.before.iter().map(move |id| (session, id.as_str()))
    };
    let (names, ids): (Vec<&str>, Vec<&str>) = documents.iter().flat_map(old).unzip();
    let sizes = git.blob_info(&ids)?;
    // One that cannot be read names nothing, and then everything is new.
    let (names, blobs): (Vec<&str>, Vec<(&str, u64)>) = names
        .into_iter()
        .zip(&sizes)
        .filter_map(|(name, found)| found.as_ref().map(|blob| (name, (blob.git_oid.as_str(), blob.size))))
        .filter(|(_, (_, size))| *size <= DOCUMENT_BYTES_MAX)
        .unzip();
    let mut named: HashMap<&str, BTreeSet<String>> = HashMap::new();
    git.each_object(&blobs, &mut |at, _, text| {
        match guest.manifest_read(&text) {
            Ok(manifest) => {
                named.entry(names[at]).or_default().extend(manifest.files.into_iter().filter_map(|file| file.oid));
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
