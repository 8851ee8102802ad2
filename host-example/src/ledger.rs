//! Sessions of a ledger as they stand in the work tree: their manifests, and where each file's bytes are.
//!
//! The rule it keeps: only looks. Nothing here writes a tracked path, and no symlink is followed.

use std::io::Read;
use std::path::{Component, Path, PathBuf};

use hydrant_host::engine::Guest;
use hydrant_host::files::{Files, Opened};
use hydrant_host::scan::POINTER_BYTES_LIMIT;
use hydrant_host::store::Store;
use hydrant_host::wit::ledgers::Tally;
use hydrant_host::wit::manifests::{Fact, FileRef, Manifest, Place, Pointed, SessionStatus};
use hydrant_host::wit::pointers::{Kind, Sample};
use hydrant_host::wit::types::Code;

use crate::ending::Fault;
use crate::report::quote;
use crate::repository::Repository;

/// Folder of the ledger that holds the sessions.
pub(crate) const SESSIONS: &str = "sessions";
/// Name of a session's manifest.
pub(crate) const MANIFEST: &str = "meta.json";
/// Bytes of a manifest at most.
const MANIFEST_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Sessions listed at most.
const SESSIONS_MAX: usize = 100_000;

/// The work tree of a ledger.
pub(crate) struct Ledger {
    top: PathBuf,
    files: Files,
}

/// One session as it stands.
pub(crate) struct Session {
    pub(crate) name: String,
    pub(crate) manifest: Manifest,
    pub(crate) status: SessionStatus,
    /// What it adds to a report on the checkout.
    pub(crate) tally: Tally,
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
        Ok(Self { top: repository.top.clone(), files: Files::beneath(&repository.top)? })
    }

    /// The files of the work tree, by names such as `sessions/NAME/meta.json`.
    pub(crate) fn files(&self) -> &Files {
        &self.files
    }

    /// Names of the sessions that have a manifest, sorted.
    pub(crate) fn sessions(&self) -> Result<Vec<String>, Fault> {
        let folder = self.top.join(SESSIONS);
        let is_folder = folder.symlink_metadata().is_ok_and(|facts| facts.is_dir());
        if !is_folder {
            return Ok(Vec::new());
        }
        let unreadable = |error: &std::io::Error| Fault::local("the sessions cannot be listed", error);
        let mut names = Vec::new();
        for entry in folder.read_dir().map_err(|error| unreadable(&error))? {
            let entry = entry.map_err(|error| unreadable(&error))?;
            // A name that is no text cannot be a session's.
            let Ok(name) = entry.file_name().into_string() else { continue };
            let has_manifest = entry.path().join(MANIFEST).symlink_metadata().is_ok_and(|facts| facts.is_file());
            if has_manifest && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                names.push(name);
            }
            if names.len() > SESSIONS_MAX {
                return Err(Fault::failed(Code::Limit, format!("there are more than {SESSIONS_MAX} sessions")));
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// What a word on the command line means: a session's name, or a path to a session or into it.
    pub(crate) fn target(&self, word: &str, current_dir: &Path) -> Target {
        let is_session = |name: &str| {
            let plain = !name.is_empty() && !name.contains('/') && name != "." && name != "..";
            plain && self.top.join(SESSIONS).join(name).join(MANIFEST).symlink_metadata().is_ok_and(|f| f.is_file())
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
        let text = self.manifest_text(name)?;
        let manifest = guest.manifest_read(&text).map_err(|error| unreadable_manifest(name, &error))?;
        let facts = self.facts(guest, store, name, &manifest.files)?;
        let status = guest.status(&text, &facts, object_bytes_max)?;
        let tally = guest.tally_session(&text, &facts, object_bytes_max)?;
        Ok(Session { name: name.to_owned(), manifest, status, tally })
    }

    /// The bytes of a session's manifest.
    pub(crate) fn manifest_text(&self, name: &str) -> Result<Vec<u8>, Fault> {
        let shown = quote(name.as_bytes());
        let unreadable = |error: &std::io::Error| Fault::local(&format!("{shown}: its manifest cannot be read"), error);
        let opened = self.files.open(&path_in(name, MANIFEST)).map_err(|error| unreadable(&error))?;
        let opened = opened.ok_or_else(|| Fault::misuse(format!("there is no session {shown}")))?;
        let mut text = Vec::new();
        opened.file.take(MANIFEST_BYTES_MAX + 1).read_to_end(&mut text).map_err(|error| unreadable(&error))?;
        if text.len() as u64 > MANIFEST_BYTES_MAX {
            return Err(Fault::failed(
                Code::Limit,
                format!("{shown}: its manifest is longer than {MANIFEST_BYTES_MAX} bytes"),
            ));
        }
        Ok(text)
    }

    fn facts(&self, guest: &mut Guest, store: &Store, name: &str, refs: &[FileRef]) -> Result<Vec<Fact>, Fault> {
        let mut facts = Vec::with_capacity(refs.len());
        let mut small = Vec::new();
        for one in refs {
            let place = match self.look(name, one) {
                Look::Place(place) => place,
                Look::Small(bytes) => {
                    let file_size = bytes.len() as u64;
                    small.push((facts.len(), Sample { head: bytes, file_size }));
                    Place::Content(file_size)
                }
            };
            let cached = one.oid.as_deref().and_then(|oid| store.size_of(oid));
            facts.push(Fact { name: one.name.clone(), place, cached });
        }
        let (places, samples): (Vec<usize>, Vec<Sample>) = small.into_iter().unzip();
        for (at, kind) in places.into_iter().zip(guest.classify_many(&samples)?) {
            match kind {
                Kind::Content(_) => {}
                Kind::Malformed(_) => facts[at].place = Place::Malformed,
                Kind::Pointer(pointer) => {
                    facts[at].place = Place::Pointer(Pointed { oid: pointer.oid, size: pointer.size });
                }
            }
        }
        Ok(facts)
    }

    fn look(&self, session: &str, one: &FileRef) -> Look {
        let opened = match self.files.open(&path_in(session, &one.name)) {
            Ok(Some(opened)) => opened,
            Ok(None) => return Look::Place(Place::Absent),
            Err(_) => return Look::Place(Place::Unreadable),
        };
        if opened.size >= POINTER_BYTES_LIMIT as u64 || opened.size == 0 {
            return Look::Place(Place::Content(opened.size));
        }
        read_small(opened).map_or(Look::Place(Place::Unreadable), Look::Small)
    }
}

enum Look {
    Place(Place),
    /// Small enough to be a pointer: all of its bytes.
    Small(Vec<u8>),
}

fn read_small(opened: Opened) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    opened.file.take(POINTER_BYTES_LIMIT as u64).read_to_end(&mut bytes).ok()?;
    Some(bytes)
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

fn unreadable_manifest(name: &str, error: &hydrant_host::error::HostError) -> Fault {
    Fault::failed(error.code(), format!("{}: {error}", quote(name.as_bytes())))
}
