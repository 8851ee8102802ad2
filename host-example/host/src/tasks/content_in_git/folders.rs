//! What the folders of sessions may hold in full: by their manifests, or, where there is none, because somebody records
//! into them.
//!
//! The rule it keeps: every file of a session belongs out of band, unless its manifest says that git carries it. A
//! folder without a manifest is a session's where it is new beside sessions, or where a file goes by the name of
//! content.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::contract::error::{Fault, HostError};
use crate::contract::manifests::{FileRef, FileStorage};
use crate::documents::DOCUMENT_BYTES_MAX;
use crate::engine::Guest;
use crate::git::objects::Header;
use crate::repository::Repository;
use crate::sessions::content_files::{IN_GIT_FILES, content_files};
use crate::sessions::ledger::{MANIFEST, SESSIONS, path_in};

use super::candidate::{Holder, session_file};

/// Begins the names of git's own files, such as `.gitignore`.
const OF_GIT: &str = ".git";

/// Folders beneath the one of the sessions, by name; one that is not here is no session.
pub(super) struct Folders(HashMap<String, Folder>);

/// The entries of a session's manifest by name; none where nothing can be read.
type Folder = HashMap<String, FileRef>;

/// A file that should be a pointer.
pub(super) struct Wrong {
    /// What the manifest names; empty where it names nothing.
    pub(super) oid: String,
    /// It names a blob of the same length.
    pub(super) is_as_named: bool,
}

impl Folders {
    /// Reads what there is of the sessions of these files.
    pub(super) fn of<'a>(
        repository: &Repository,
        guest: &mut Guest,
        holder: Holder<'_>,
        paths: impl Iterator<Item = &'a str>,
    ) -> Result<Self, Fault> {
        let mut files: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (session, file) in paths.filter_map(session_file) {
            files.entry(session).or_default().insert(file);
        }
        let git = repository.as_it_is();
        let place = match holder {
            Holder::Index => String::new(),
            Holder::Head(id) | Holder::Commit { id, .. } => id.to_owned(),
        };
        let names: Vec<&str> = files.keys().copied().collect();
        let words: Vec<String> = names.iter().map(|name| format!("{place}:{}", path_in(name, MANIFEST))).collect();
        let manifests = git.blob_info(&words)?;
        let mut folders: HashMap<String, Folder> = HashMap::new();
        let mut readable = Vec::new();
        for (name, manifest) in names.iter().zip(&manifests) {
            let Some(Header { git_oid, size, .. }) = manifest else { continue };
            folders.insert((*name).to_owned(), Folder::new());
            if *size <= DOCUMENT_BYTES_MAX {
                readable.push((*name, (git_oid.as_str(), *size)));
            }
        }
        let (sessions, documents): (Vec<&str>, Vec<(&str, u64)>) = readable.into_iter().unzip();
        git.each_object(&documents, &mut |at, _, text| {
            match guest.manifest_read(&text) {
                Ok(manifest) => {
                    let entries = manifest.files.into_iter().map(|file| (file.name.clone(), file));
                    folders.insert(sessions[at].to_owned(), entries.collect());
                }
                // It says of no file that git carries it.
                Err(HostError::Engine(_)) => {}
                Err(error) => return Err(error.into()),
            }
            Ok::<_, Fault>(())
        })?;
        let without: Vec<&str> = names.into_iter().filter(|name| !folders.contains_key(*name)).collect();
        // A folder of this name means nothing where no session has ever been.
        if !without.is_empty() && (!folders.is_empty() || repository.has_sessions()?) {
            let is_new = new(repository, holder, &without)?;
            let content_files = content_files(repository);
            let is_content = |file: &&str| content_files.iter().any(|one| one == file);
            for (name, is_new) in without.into_iter().zip(is_new) {
                if is_new || files[name].iter().any(is_content) {
                    folders.insert(name.to_owned(), Folder::new());
                }
            }
        }
        Ok(Self(folders))
    }

    /// What is wrong with content of this length there: an outer none for what is in no session, an inner one for what
    /// may be there.
    pub(super) fn judge(&self, path: &str, size: u64) -> Option<Option<Wrong>> {
        let (session, file) = session_file(path)?;
        let entry = self.0.get(session)?.get(file);
        let is_wrong = match entry {
            Some(entry) if entry.storage == FileStorage::Git => false,
            // The empty file is the pointer of the empty blob.
            Some(entry) if entry.storage == FileStorage::Lfs && entry.flaw.is_none() => (size, entry.size) != (0, 0),
            _ => size > 0 && !IN_GIT_FILES.contains(&file) && !is_of_git(file),
        };
        let oid = entry.and_then(|entry| entry.oid.clone()).unwrap_or_default();
        let is_as_named = !oid.is_empty() && entry.is_some_and(|entry| entry.size == size);
        Some(is_wrong.then_some(Wrong { oid, is_as_named }))
    }
}

/// Which of these folders were not there before.
fn new(repository: &Repository, holder: Holder<'_>, names: &[&str]) -> Result<Vec<bool>, Fault> {
    let older = match holder {
        Holder::Index => Some("HEAD"),
        Holder::Head(_) => None,
        Holder::Commit { older, .. } => older,
    };
    let Some(older) = older else { return Ok(vec![false; names.len()]) };
    let words: Vec<String> = names.iter().map(|name| format!("{older}:{SESSIONS}/{name}")).collect();
    Ok(repository.as_it_is().info(&words)?.iter().map(Option::is_none).collect())
}

fn is_of_git(file: &str) -> bool {
    file.rsplit('/').next().is_some_and(|name| name.starts_with(OF_GIT))
}
