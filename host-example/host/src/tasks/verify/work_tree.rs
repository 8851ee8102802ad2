//! What stands in the work tree of a session, compared with its manifest.
//!
//! The rule it keeps: the cache has no say. To a reader it is as good as content in place; here it would hide what
//! stands in a pointer's place.

use std::io;

use super::report::{Named, Seen};
use crate::contract::error::Fault;
use crate::contract::manifests::{Fact, FileRef, FileState, FileStorage, Manifest, Place, State};
use crate::contract::types::Code;
use crate::engine::Guest;
use crate::files::digest::blob_of_file;
use crate::sessions::ledger::{Ledger, SESSIONS, path_in, place_of};
use crate::store::Store;
use crate::tasks::show::state_code;
use crate::text::quote;

/// What a state without words is.
const BROKEN: &str = "a broken pointer stands here, or something that is not a regular file or cannot be read";

/// A session as it stands without the cache.
pub(super) struct Standing {
    pub(super) manifest: Manifest,
    /// In manifest order.
    pub(super) files: Vec<FileState>,
}

pub(super) fn read(ledger: &Ledger, guest: &mut Guest, name: &str, object_bytes_max: u64) -> Result<Standing, Fault> {
    let shown = || quote(name.as_bytes());
    let text = ledger.manifest_text(name)?;
    let manifest = guest.manifest_read(&text);
    let manifest = manifest.map_err(|error| Fault::failed(error.code(), format!("{}: {error}", shown())))?;
    let folder = ledger.files().within(&format!("{SESSIONS}/{name}"));
    let folder = folder.map_err(|error| Fault::local(&shown(), &error))?;
    let place = |file: &str| folder.as_ref().map_or(Place::Absent, |folder| place_of(folder, file));
    let fact = |file: &FileRef| Fact { name: file.name.clone(), place: place(&file.name), cached: None };
    let facts: Vec<Fact> = manifest.files.iter().map(fact).collect();
    let files = guest.status(&manifest.files, &facts, object_bytes_max)?.files;
    Ok(Standing { manifest, files })
}

/// One file that a manifest names.
pub(super) fn look_at_file(
    ledger: &Ledger,
    store: &Store,
    session: &str,
    file: &FileRef,
    state: &FileState,
    seen: &mut Seen,
) -> Result<(), Fault> {
    let path = format!("{session}/{}", file.name);
    let oid = file.oid.clone().unwrap_or_default();
    if let Some(flaw) = &file.flaw {
        seen.find(path, &oid, flaw.code, &flaw.detail);
        return Ok(());
    }
    let detail = || state.detail.clone().unwrap_or_else(|| BROKEN.to_owned());
    match state.state {
        State::Missing | State::Conflict | State::Malformed | State::Unusable => {
            seen.find(&path, &oid, state_code(state.state), detail());
        }
        // A checkout may have given it other line ends: the last commit tells.
        State::Changed if file.storage == FileStorage::Git => {}
        // To a reader it is newer content; to whoever asks what the manifest promises, it is not that.
        State::Changed => seen.find(&path, &oid, Code::Integrity, detail()),
        State::InPlace | State::Dehydrated | State::NotFetched | State::TooLarge => {}
        // Nobody was told of the cache.
        State::Cached | State::Corrupt => {}
    }
    if file.storage != FileStorage::Lfs {
        return Ok(());
    }
    if state.state == State::InPlace {
        seen.in_place += 1;
        if hashes_to(ledger, &path_in(session, &file.name))? != Some((oid.clone(), file.size)) {
            seen.find(&path, &oid, Code::Integrity, "the file here is not what the manifest names");
        }
        // Committed as it is, from before pointers: the server may never have had it.
        if store.size_of(&oid) != Some(file.size) {
            return Ok(());
        }
    }
    seen.named.push(Named { name: path, oid, size: file.size });
    Ok(())
}

/// What a file of the work tree hashes to; none when it is gone.
fn hashes_to(ledger: &Ledger, name: &str) -> Result<Option<(String, u64)>, Fault> {
    let unreadable = |error: &io::Error| Fault::local(&quote(name.as_bytes()), error);
    let Some(mut opened) = ledger.files().open(name).map_err(|error| unreadable(&error))? else { return Ok(None) };
    let blob = blob_of_file(&mut opened.file).map_err(|error| unreadable(&error))?;
    Ok(Some((blob.oid, blob.size)))
}
