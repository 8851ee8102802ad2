//! Changes a manifest, or another small tracked file, in the work tree: read, change, compare, replace.
//!
//! Rules: whoever changes a manifest holds the lock beside it, and what it changes was read under that lock. A program
//! that knows no lock is not written over: the file is replaced by changing places, and what was displaced is compared
//! with what was read. A change that changes nothing writes nothing. No symlink is followed.
//!
//! The lock is one of the system on a file that stays where it is, so a process that dies lets it go.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::contract::error::HostError;
use crate::documents::DOCUMENT_BYTES_MAX;
use crate::files::atomic::Fresh;
use crate::files::digest::blob_of;
use crate::files::lock::{Lock, try_lock};
use crate::files::{Dir, Facts, Files, Opened};

/// Milliseconds between two tries for a lock.
pub const LOCK_POLL_MS: u64 = 25;
/// Milliseconds after which a lock that somebody else holds is given up.
pub const LOCK_WAIT_MS_MAX: u64 = 10_000;
/// How the name of every manifest ends.
const MANIFEST: &str = "/meta.json";
/// Times that a change is made anew because the file changed meanwhile.
const CHANGES_MAX: u32 = 16;
/// Begins the name of a file on its way into the work tree.
pub const TEMPORARY: &str = ".hydrant-meta-";

/// Changes the manifest at `name` (`sessions/NAME/meta.json`) under its lock. `change` sees its bytes, or none where no
/// file is, and gives the new bytes, or none to leave it as it is; it is asked again when the file changed meanwhile.
/// Says whether something was written.
pub fn change_manifest<E: From<HostError>>(
    tree: &Files,
    name: &str,
    change: impl FnMut(Option<&[u8]>) -> Result<Option<Vec<u8>>, E>,
) -> Result<bool, E> {
    change_manifest_within(tree, name, Duration::from_millis(LOCK_WAIT_MS_MAX), change)
}

fn change_manifest_within<E: From<HostError>>(
    tree: &Files,
    name: &str,
    wait: Duration,
    change: impl FnMut(Option<&[u8]>) -> Result<Option<Vec<u8>>, E>,
) -> Result<bool, E> {
    let (folder, file) = tree.made_folder_of(name).map_err(|error| unwritable(&error))?;
    let _lock = take(&folder, &lock_name(file), Instant::now() + wait)?;
    change_file(tree, name, change)
}

/// The same for a file that has no lock.
pub fn change_file<E: From<HostError>>(
    tree: &Files,
    name: &str,
    mut change: impl FnMut(Option<&[u8]>) -> Result<Option<Vec<u8>>, E>,
) -> Result<bool, E> {
    for _ in 0..CHANGES_MAX {
        let before = Before::read(tree, name).map_err(|error| unwritable(&error))?;
        let old = before.as_ref().map(|before| before.bytes.as_slice());
        let Some(new) = change(old)? else { return Ok(false) };
        if old == Some(new.as_slice()) {
            return Ok(false);
        }
        if new.len() as u64 > DOCUMENT_BYTES_MAX {
            return Err(HostError::local(format!("the file would have more than {DOCUMENT_BYTES_MAX} bytes")).into());
        }
        if replace(tree, name, before.as_ref(), &new).map_err(|error| unwritable(&error))? {
            return Ok(true);
        }
    }
    Err(HostError::local("the file changes all the time, so it was left as it is").into())
}

/// Holds the locks of the manifests among these files until the answer is dropped. Only where a lock file stands: where
/// none does, nobody who uses one was ever here, and following a remote leaves no file of ours behind.
pub(crate) fn hold<'a>(tree: &Files, names: impl Iterator<Item = &'a str>) -> Result<Vec<Lock>, HostError> {
    let until = Instant::now() + Duration::from_millis(LOCK_WAIT_MS_MAX);
    // In one order, so that two who hold several do not wait for each other.
    let manifests: BTreeSet<&str> = names.filter(|name| name.ends_with(MANIFEST)).collect();
    let mut held = Vec::new();
    for name in manifests {
        let Some((folder, file)) = tree.folder_of(name).map_err(|error| unwritable(&error))? else { continue };
        let lock = lock_name(file);
        if folder.facts(lock.as_str()).map_err(|error| unwritable(&error))?.is_some() {
            held.push(take(&folder, &lock, until)?);
        }
    }
    Ok(held)
}

fn lock_name(file: &str) -> String {
    format!(".{file}.lock")
}

/// A file as it was read.
struct Before {
    facts: Facts,
    bytes: Vec<u8>,
}

impl Before {
    fn read(tree: &Files, name: &str) -> io::Result<Option<Self>> {
        let Some(opened) = tree.open(name)? else { return Ok(None) };
        let facts = Facts::of(&opened.file)?;
        let bytes = read_all(&opened.file)?;
        Ok(Some(Self { facts, bytes }))
    }
}

fn read_all(file: &File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(DOCUMENT_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > DOCUMENT_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too large"));
    }
    Ok(bytes)
}

/// Puts new bytes in the place of what was read; false when something else stands there by now.
fn replace(tree: &Files, name: &str, before: Option<&Before>, new: &[u8]) -> io::Result<bool> {
    let (folder, file) = tree.made_folder_of(name)?;
    let fresh = Fresh::write(&folder, TEMPORARY, new, before.map(|before| before.facts.permissions))?;
    fresh.file.sync_all()?;
    let Some(before) = before else {
        let placed = fresh.take_free(file)?;
        folder.sync()?;
        return Ok(placed);
    };
    if !is_before(&folder, file, before, folder.facts(file)?)? {
        return Ok(false);
    }
    if !fresh.exchange(file)? {
        fresh.take_over(file)?;
        folder.sync()?;
        return Ok(true);
    }
    if !is_before(&folder, fresh.name(), before, fresh.at_temporary()?)? {
        // Changed in the last moment: both go back.
        fresh.exchange(file)?;
        return Ok(false);
    }
    folder.sync()?;
    folder.remove(fresh.name())?;
    Ok(true)
}

/// Whether the file of this name is still the one that was read, byte for byte: times are too coarse to tell two writes
/// of one instant apart.
fn is_before(folder: &Dir, name: &str, before: &Before, now: Option<Facts>) -> io::Result<bool> {
    if !now.is_some_and(|now| now.is_same_content(&before.facts)) {
        return Ok(false);
    }
    let opened = Opened::new(folder.read(name)?)?;
    Ok(blob_of(&read_all(&opened.file)?) == blob_of(&before.bytes))
}

/// Takes a lock, and waits for whoever has it. The file stays.
fn take(folder: &Dir, name: &str, until: Instant) -> Result<Lock, HostError> {
    let try_take = || {
        let file = Opened::new(folder.open_or_create_private(name)?)?.file;
        Lock::try_take(folder, name, file, |file| Ok(try_lock(file).unwrap_or(false)))
    };
    loop {
        match try_take() {
            Ok(Some(lock)) => return Ok(lock),
            Ok(None) if Instant::now() >= until => {
                return Err(HostError::local("another process holds the manifest's lock"));
            }
            Ok(None) => sleep(Duration::from_millis(LOCK_POLL_MS)),
            Err(error) => return Err(HostError::io("the manifest cannot be locked", &error)),
        }
    }
}

fn unwritable(error: &io::Error) -> HostError {
    HostError::io("the file cannot be changed", error)
}

#[cfg(test)]
mod tests;
