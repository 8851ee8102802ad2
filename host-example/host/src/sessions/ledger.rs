//! Sessions of a ledger as they stand in the work tree: their manifests, and where each file's bytes are.
//!
//! The rule it keeps: only looks. Nothing here writes a tracked path, and no symlink is followed.

use std::io;
use std::path::{Component, Path, PathBuf};

use crate::contract::manifests::{Fact, FileRef, Manifest, Place, SessionStatus};
pub use crate::contract::names::{MANIFEST, SESSIONS};
use crate::contract::types::Code;
use crate::engine::Guest;
use crate::files::{Files, Glance, names_no_file};
use crate::store::Store;
use crate::worktree::scan::POINTER_BYTES_LIMIT;

use crate::contract::error::Fault;
use crate::repository::Repository;
use crate::text::quote;

/// Bytes of a manifest at most.
const MANIFEST_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Folders of sessions listed at most.
const SESSIONS_MAX: usize = 100_000;

/// The work tree of a ledger.
pub(crate) struct Ledger {
    top: PathBuf,
    files: Files,
    /// The folder of the sessions, if there is one.
    sessions: Option<Files>,
}

/// One session as it stands.
pub(crate) struct Session {
    pub(crate) name: String,
    pub(crate) manifest: Manifest,
    pub(crate) status: SessionStatus,
}

/// What a word on the command line means in a ledger.
pub(crate) enum Target {
    /// A session, or one file of it.
    Session { name: String, file: Option<String> },
    /// Something else.
    Other,
}

impl Ledger {
    pub(crate) fn of(repository: &Repository) -> Result<Self, Fault> {
        let files = Files::beneath(&repository.top)?;
        // What is no folder holds no session.
        let sessions = files.within(SESSIONS).unwrap_or_default();
        Ok(Self { top: repository.top.clone(), files, sessions })
    }

    /// The files of the work tree, by names such as `sessions/NAME/meta.json`.
    pub(crate) fn files(&self) -> &Files {
        &self.files
    }

    /// Names of the sessions, sorted: folders that have a manifest.
    pub(crate) fn sessions(&self) -> Result<Vec<String>, Fault> {
        let mut names = self.folders()?;
        names.retain(|name| is_manifest(&self.top.join(SESSIONS).join(name)));
        Ok(names)
    }

    /// Names of the folders that could be sessions, sorted.
    pub(crate) fn folders(&self) -> Result<Vec<String>, Fault> {
        let folder = self.top.join(SESSIONS);
        let is_folder = folder.symlink_metadata().is_ok_and(|facts| facts.is_dir());
        if !is_folder {
            return Ok(Vec::new());
        }
        let unreadable = |error: &io::Error| Fault::local("the sessions cannot be listed", error);
        let mut names = Vec::new();
        for entry in folder.read_dir().map_err(|error| unreadable(&error))? {
            let entry = entry.map_err(|error| unreadable(&error))?;
            // A name that is no text cannot be a session's.
            let Ok(name) = entry.file_name().into_string() else { continue };
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                names.push(name);
            }
            if names.len() > SESSIONS_MAX {
                return Err(Fault::failed(Code::Limit, format!("sessions/ has more than {SESSIONS_MAX} folders")));
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// What a word on the command line means: a session's name, or a path to a session or into it.
    pub(crate) fn target(&self, word: &str, current_dir: &Path) -> Target {
        let is_session = |name: &str| {
            let plain = !name.is_empty() && !name.contains('/') && name != "." && name != "..";
            plain && is_manifest(&self.top.join(SESSIONS).join(name))
        };
        let name = word.trim_end_matches('/');
        if is_session(name) {
            return Target::Session { name: name.to_owned(), file: None };
        }
        let within = match relative_to(&current_dir.join(word), &self.top) {
            Some(within) => within,
            None => return Target::Other,
        };
        let mut parts = within.split('/');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(SESSIONS), Some(name), file, None) if is_session(name) => {
                Target::Session { name: name.to_owned(), file: file.map(str::to_owned) }
            }
            _ => Target::Other,
        }
    }

    /// A path on the command line as names below the root; none when it leads elsewhere.
    pub(crate) fn path_within(&self, word: &str, current_dir: &Path) -> Option<String> {
        relative_to(&current_dir.join(word), &self.top)
    }

    /// Reads a session: its manifest, and for every file what the work tree and the store have of it.
    pub(crate) fn session(
        &self,
        guest: &mut Guest,
        store: &Store,
        name: &str,
        object_bytes_max: u64,
    ) -> Result<Session, Fault> {
        self.find(guest, store, name, object_bytes_max)?.ok_or_else(|| no_session(name))
    }

    /// The same; none when the folder has no manifest.
    pub(crate) fn find(
        &self,
        guest: &mut Guest,
        store: &Store,
        name: &str,
        object_bytes_max: u64,
    ) -> Result<Option<Session>, Fault> {
        let Some(folder) = self.folder(name)? else { return Ok(None) };
        let Some(text) = manifest_in(&folder, name)? else { return Ok(None) };
        let manifest = guest.manifest_read(&text);
        let manifest = manifest.map_err(|error| unreadable_manifest(name, &error))?;
        let fact = |one: &FileRef| Fact {
            name: one.name.clone(),
            place: place_of(&folder, &one.name),
            cached: one.oid.as_deref().and_then(|oid| store.size_of(oid)),
        };
        let facts: Vec<Fact> = manifest.files.iter().map(fact).collect();
        let status = guest.status(&manifest.files, &facts, object_bytes_max)?;
        Ok(Some(Session { name: name.to_owned(), manifest, status }))
    }

    /// The bytes of a session's manifest.
    pub(crate) fn manifest_text(&self, name: &str) -> Result<Vec<u8>, Fault> {
        self.manifest_if_any(name)?.ok_or_else(|| no_session(name))
    }

    /// The same; none when there is no such session.
    pub(crate) fn manifest_if_any(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        let text = self.folder(name)?.map(|folder| manifest_in(&folder, name));
        Ok(text.transpose()?.flatten())
    }

    fn folder(&self, name: &str) -> Result<Option<Files>, Fault> {
        let folder = match &self.sessions {
            Some(sessions) => sessions.within(name),
            None => Ok(None),
        };
        // The folder of the sessions may have come since, or be another one by now.
        let anew = || self.files.within(&format!("{SESSIONS}/{name}"));
        match folder.and_then(|folder| folder.map_or_else(anew, |folder| Ok(Some(folder)))) {
            Err(error) if names_no_file(&error) => Ok(None),
            folder => folder.map_err(|error| manifest_fault(name, &error)),
        }
    }
}

fn manifest_in(folder: &Files, name: &str) -> Result<Option<Vec<u8>>, Fault> {
    match folder.glance(MANIFEST, MANIFEST_BYTES_MAX) {
        Ok(Some(Glance::Whole(text))) => Ok(Some(text)),
        Ok(Some(Glance::Longer(_))) => Err(Fault::failed(
            Code::Limit,
            format!("{}: its manifest is longer than {MANIFEST_BYTES_MAX} bytes", quote(name.as_bytes())),
        )),
        Ok(None) => Ok(None),
        Err(error) if names_no_file(&error) => Ok(None),
        Err(error) => Err(manifest_fault(name, &error)),
    }
}

/// Whether a folder has a manifest. One that may not be looked at may have one: whoever reads it is told.
fn is_manifest(session: &Path) -> bool {
    match session.join(MANIFEST).symlink_metadata() {
        Ok(facts) => facts.is_file(),
        Err(error) => error.kind() == io::ErrorKind::PermissionDenied,
    }
}

/// What stands in a session's folder, as the engine is told.
pub(crate) fn place_of(folder: &Files, file: &str) -> Place {
    match folder.glance(file, POINTER_BYTES_LIMIT - 1) {
        Ok(Some(Glance::Whole(bytes))) => Place::Small(bytes),
        Ok(Some(Glance::Longer(size))) => Place::Content(size),
        Ok(None) => Place::Absent,
        Err(_) => Place::Unreadable,
    }
}

/// A word that stands for no session of a ledger.
pub(crate) fn no_session(word: &str) -> Fault {
    Fault::misuse(format!("there is no session {}: `hydrant status` lists them", quote(word.as_bytes())))
}

/// Sessions were asked for where there are none.
pub(crate) fn no_sessions() -> Fault {
    Fault::misuse("this repository holds no sessions: a session is a folder sessions/NAME with a manifest meta.json")
}

fn manifest_fault(name: &str, error: &io::Error) -> Fault {
    Fault::local(&format!("{}: its manifest cannot be read", quote(name.as_bytes())), error)
}

/// Name of a session's file, as the engine and [`Files`] spell it.
pub(crate) fn path_in(session: &str, file: &str) -> String {
    format!("{SESSIONS}/{session}/{file}")
}

/// A path as names below `top`, without looking at the disk beyond the folders above it.
pub(crate) fn relative_to(path: &Path, top: &Path) -> Option<String> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    if let Ok(below) = plain.strip_prefix(top) {
        return below.to_str().map(str::to_owned);
    }
    // The folder may have been reached through a symlink; git names the real one.
    let real = match (plain.parent(), plain.file_name()) {
        (Some(parent), Some(name)) => parent.canonicalize().ok()?.join(name),
        _ => plain,
    };
    real.strip_prefix(top).ok()?.to_str().map(str::to_owned)
}

fn unreadable_manifest(name: &str, error: &crate::contract::error::HostError) -> Fault {
    Fault::failed(error.code(), format!("{}: {error}", quote(name.as_bytes())))
}
