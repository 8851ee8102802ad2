//! What the last commit holds of sessions, compared with their manifests: what is committed is what others get, and
//! what keeps a blob on its server.
//!
//! The rule it keeps: git lists everything in one command and reads what is small enough to be a pointer in another,
//! however many sessions there are. A fault that the work tree shows too is told once.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::in_full::{self, InFull};
use super::report::Seen;
use super::work_tree::Standing;
use crate::contract::error::Fault;
use crate::contract::manifests::{FileRef, FileStorage, State};
use crate::contract::types::Code;
use crate::engine::Guest;
use crate::repository::{Repository, committed};
use crate::sessions::ledger::{MANIFEST, SESSIONS};
use crate::tasks::held::{self, Held};

/// A file of a session in the last commit; none when it is not a regular file.
type File = Option<Held>;

/// The last commit, as far as it holds sessions.
#[derive(Default)]
pub(super) struct LastCommit {
    /// Its id; none where there is nothing to compare.
    id: Option<String>,
    /// The sessions that it has a manifest of, with their other files by name.
    sessions: HashMap<String, BTreeMap<String, File>>,
    /// Pointers of all others: `SESSION/FILE`, and the oid.
    unnamed: Vec<(String, String)>,
    /// Content committed in full that is as long as it should be.
    in_full: Vec<InFull>,
}

impl LastCommit {
    /// Reads what there is of these sessions; none: of all that there are. Without a commit nothing is compared.
    pub(super) fn of(repository: &Repository, guest: &mut Guest, names: Option<&[String]>) -> Result<Self, Fault> {
        let Some(head) = committed::commit(repository, "HEAD")? else { return Ok(Self::default()) };
        let git = repository.as_it_is();
        let above = format!("{SESSIONS}/");
        let folders: Vec<String> = match names {
            Some(names) => names.iter().map(|name| format!("{above}{name}/")).collect(),
            None => vec![above.clone()],
        };
        let entries = committed::list(git, &head, &above, &folders)?;
        // The same small file often stands in many sessions.
        let files = entries.iter().filter(|line| line.entry.is_file());
        let blobs: BTreeMap<&str, Option<u64>> = files.map(|line| (line.entry.oid.as_str(), line.size)).collect();
        let blobs: Vec<(&str, Option<u64>)> = blobs.into_iter().collect();
        let held = held::each(git, guest, &blobs)?;
        let held: HashMap<&str, Held> = blobs.iter().map(|(oid, _)| *oid).zip(held).collect();
        // Neighbours may be listed along.
        let wanted: Option<HashSet<&str>> = names.map(|names| names.iter().map(String::as_str).collect());
        let mut sessions: HashMap<String, BTreeMap<String, File>> = HashMap::new();
        let mut with_manifest = BTreeSet::new();
        for line in &entries {
            let Some((session, file)) = within(&line.path, &above) else { continue };
            if wanted.as_ref().is_some_and(|wanted| !wanted.contains(session)) {
                continue;
            }
            let is = line.entry.is_file().then(|| held.get(line.entry.oid.as_str()).cloned().unwrap_or(Held::Unknown));
            let files = sessions.entry(session.to_owned()).or_default();
            if file != MANIFEST {
                files.insert(file.to_owned(), is);
            } else if is.is_some() {
                with_manifest.insert(session);
            }
        }
        let mut read = Self { id: Some(head), ..Self::default() };
        for (session, files) in sessions {
            if with_manifest.contains(session.as_str()) {
                read.sessions.insert(session, files);
                continue;
            }
            for (file, is) in files {
                if let Some(Held::Pointer(blob)) = is {
                    read.unnamed.push((format!("{session}/{file}"), blob.oid));
                }
            }
        }
        read.unnamed.sort_unstable();
        Ok(read)
    }

    /// Whether it has a manifest of this session.
    pub(super) fn has_manifest(&self, session: &str) -> bool {
        self.sessions.contains_key(session)
    }

    /// Pointers of sessions that it has no manifest of: `SESSION/FILE`, and the oid.
    pub(super) fn unnamed(&self) -> &[(String, String)] {
        &self.unnamed
    }

    /// Compares one session with its manifest. Its findings so far begin at `first`.
    pub(super) fn compare(&mut self, name: &str, standing: &Standing, seen: &mut Seen, first: usize) {
        let Some(committed) = self.sessions.get(name) else { return };
        let is_pointer = |file: &FileRef| matches!(committed.get(&file.name), Some(Some(Held::Pointer(_))));
        let files = &standing.manifest.files;
        // The first recorders wrote manifests and no pointers at all, and committed content in full before that. So a
        // file that is not committed is a loss only where another one of the session has its pointer in the commit.
        let keeps_pointers = files.iter().any(|file| file.storage == FileStorage::Lfs && is_pointer(file));
        for (file, state) in files.iter().zip(&standing.files).filter(|(file, _)| file.flaw.is_none()) {
            let found = match (file.storage, committed.get(&file.name)) {
                (FileStorage::Lfs, Some(is)) => wrong(file, is),
                // The empty blob needs no keeping.
                (FileStorage::Lfs, None) if keeps_pointers && file.size > 0 => {
                    Some((Code::Missing, "no commit holds its pointer: nothing keeps the blob".to_owned()))
                }
                (FileStorage::Git, _) if is_pointer(file) => {
                    Some((Code::Conflict, "a pointer is committed where git should hold content".to_owned()))
                }
                (FileStorage::Git, Some(Some(Held::Content { size, .. }))) if *size != file.size => {
                    Some((Code::Integrity, format!("{size} bytes are committed, {} in the manifest", file.size)))
                }
                _ => None,
            };
            let is_unread = file.storage == FileStorage::Lfs
                && matches!(committed.get(&file.name), Some(Some(Held::Content { oid: None, .. })));
            let name = format!("{name}/{}", file.name);
            let oid = file.oid.clone().unwrap_or_default();
            let is_told = |code| seen.findings[first..].iter().any(|one| one.name == name && one.code.0 == code);
            match found {
                Some((code, detail)) if !is_told(code) => seen.find(name, &oid, code, detail),
                None if is_unread && !is_told(Code::Integrity) => {
                    self.in_full.push(InFull { name, oid, is_right_here: state.state == State::InPlace });
                }
                _ => {}
            }
        }
        let named: BTreeSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
        for (file, is) in committed {
            if let Some(Held::Pointer(blob)) = is
                && !named.contains(file.as_str())
            {
                let detail = "its pointer is committed, and the manifest does not name it";
                seen.find(format!("{name}/{file}"), &blob.oid, Code::Conflict, detail);
            }
        }
    }

    /// Hashes what the sessions that were compared have in full.
    pub(super) fn look_in_full(&mut self, repository: &Repository, seen: &mut Seen) -> Result<(), Fault> {
        let files = std::mem::take(&mut self.in_full);
        self.id.as_deref().map_or(Ok(()), |id| in_full::look(repository, id, files, seen))
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
        // Committed in full, from before pointers; what was not read here is hashed later.
        Some(Held::Content { size, oid: hashed })
            if *size == file.size && hashed.as_deref().is_none_or(|hashed| hashed == oid) =>
        {
            None
        }
        Some(Held::Content { .. }) => Some((Code::Integrity, in_full::DETAIL.to_owned())),
        // A part of the repository that was left out of this clone: nothing is known, and nothing is wrong.
        Some(Held::Unknown) => None,
        None => Some((Code::Malformed, "what is committed is not a regular file".to_owned())),
    }
}
