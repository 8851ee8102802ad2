//! What the folders of sessions may hold in full: by their manifests, or, where there is none, because somebody records
//! into them.
//!
//! The rule it keeps: every file of a session belongs out of band, unless its manifest says that git carries it. A
//! folder without a manifest is a session's where a pointer stands in it, where a file goes by the name of content, and
//! beside sessions where nothing speaks against it: before, it was not there, had a manifest, or had only what may be
//! in any session in full.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::contract::error::{Fault, HostError};
use crate::contract::manifests::{FileRef, FileStorage};
use crate::documents::DOCUMENT_BYTES_MAX;
use crate::engine::Guest;
use crate::git::objects::Header;
use crate::git::{Git, chain};
use crate::repository::{Repository, committed};
use crate::sessions::content_files::{IN_GIT_FILES, content_files};
use crate::sessions::ledger::{MANIFEST, SESSIONS, path_in};
use crate::tasks::held;

use super::candidate::{Holder, session_file};

/// Names of git's own files, which may lie in any folder.
const OF_GIT: [&str; 5] = [".gitattributes", ".gitignore", ".gitkeep", ".gitmodules", ".mailmap"];

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
        if !without.is_empty() {
            let Past { sessions, open } = Past::of(git, holder, &without)?;
            // A folder of this name means nothing where no session has ever been.
            if !folders.is_empty() || !sessions.is_empty() || repository.has_sessions()? {
                let content_files = content_files(repository);
                let is_content = |file: &&str| content_files.iter().any(|one| one == file);
                let by_names = without.iter().copied().filter(|name| files[name].iter().any(is_content)).collect();
                let by_pointers = with_pointers(git, guest, holder, &without)?;
                let names = [sessions, open, by_names, by_pointers].into_iter().flatten();
                folders.extend(names.map(|name| (name.to_owned(), Folder::new())));
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
            _ => size > 0 && !may_be_in_any(file),
        };
        let oid = entry.and_then(|entry| entry.oid.clone()).unwrap_or_default();
        let is_as_named = !oid.is_empty() && entry.is_some_and(|entry| entry.size == size);
        Some(is_wrong.then_some(Wrong { oid, is_as_named }))
    }
}

/// What was before in folders without a manifest.
#[derive(Default)]
struct Past<'a> {
    /// Those that had one.
    sessions: BTreeSet<&'a str>,
    /// Those that were not there, or of which nothing that was there says that they are none of a session.
    open: BTreeSet<&'a str>,
}

impl<'a> Past<'a> {
    fn of(git: &Git, holder: Holder<'_>, names: &[&'a str]) -> Result<Self, Fault> {
        let older = match holder {
            Holder::Index => Some("HEAD".to_owned()),
            Holder::Head(_) => None,
            Holder::Commit { older: Some(older), .. } => Some(older.to_owned()),
            Holder::Commit { id, older: None } => newest_of_remotes(git, id)?,
        };
        let Some(older) = older else { return Ok(Self::default()) };
        // Before the first commit everything is new.
        let listed = match git.commit(&older)? {
            Some(older) => committed::list(git, &older, SESSIONS, &folders(names))?,
            None => Vec::new(),
        };
        let (mut manifests, mut others) = (BTreeSet::new(), BTreeSet::new());
        for line in listed {
            match session_file(&line.path) {
                Some((session, file)) if !may_be_in_any(file) => drop(others.insert(session.to_owned())),
                Some(_) => {}
                None => drop(manifests.insert(line.path)),
            }
        }
        let had_one = |name: &&str| manifests.contains(&path_in(name, MANIFEST));
        let (sessions, without) = names.iter().copied().partition::<BTreeSet<&str>, _>(had_one);
        Ok(Self { sessions, open: without.into_iter().filter(|name| !others.contains(*name)).collect() })
    }
}

/// The newest commit that a remote has and that the new ones up to this follow upon, as far as this clone knows.
fn newest_of_remotes(git: &Git, tip: &str) -> Result<Option<String>, Fault> {
    let range = ["rev-list", "--boundary", tip, "--not", "--remotes"];
    chain::read(git, &[&range], |said| {
        let mut newest = None;
        while let Some(line) = said.record(b'\n')? {
            let oid = line.strip_prefix(b"-").map(|oid| String::from_utf8_lossy(oid).into_owned());
            newest = newest.or(oid);
        }
        Ok(newest)
    })
}

/// Those of these folders in which a pointer stands.
fn with_pointers<'a>(
    git: &Git,
    guest: &mut Guest,
    holder: Holder<'_>,
    names: &[&'a str],
) -> Result<BTreeSet<&'a str>, Fault> {
    let files = match holder {
        Holder::Index => committed::listed_in_index(git, SESSIONS, &folders(names))?,
        Holder::Head(id) | Holder::Commit { id, .. } => committed::list(git, id, SESSIONS, &folders(names))?,
    };
    let pointers = held::pointers(git, guest, files)?;
    let sessions: BTreeSet<&str> =
        pointers.iter().filter_map(|(path, _)| session_file(path)).map(|(session, _)| session).collect();
    Ok(names.iter().copied().filter(|name| sessions.contains(name)).collect())
}

fn folders(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| path_in(name, "")).collect()
}

/// Whether a file of this name may be in full in any session, whatever its manifest says.
fn may_be_in_any(file: &str) -> bool {
    IN_GIT_FILES.contains(&file) || file.rsplit('/').next().is_some_and(|name| OF_GIT.contains(&name))
}
