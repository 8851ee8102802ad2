//! A lock on a file that ends with the process which holds it.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::atomic::stands;
use super::dir::Dir;
use super::facts::{Facts, Identity};
use crate::process::between_spawns;

/// Times a lock is tried again.
const LOCK_TRIES: u32 = 20;
/// Milliseconds between two tries.
const LOCK_REST_MS: u64 = 5;

/// Lock files that somebody in this process holds.
static HELD_HERE: Mutex<BTreeSet<Identity>> = Mutex::new(BTreeSet::new());

/// A lock on a file that stays where it is; held until dropped, or until the process ends.
#[derive(Debug)]
pub(crate) struct Lock {
    /// Lets the lock go when it is closed.
    file: File,
    identity: Identity,
}

impl Lock {
    /// Locks a file, which was opened under this name, by `try_it`; none when somebody has it.
    pub(crate) fn try_take(
        folder: &Dir,
        name: &str,
        file: File,
        try_it: impl FnOnce(&File) -> io::Result<bool>,
    ) -> io::Result<Option<Self>> {
        let identity = Facts::of(&file)?.identity;
        // Two openings of one process do not exclude each other on every system.
        if !HELD_HERE.lock().unwrap_or_else(PoisonError::into_inner).insert(identity) {
            return Ok(None);
        }
        let lock = Self { file, identity };
        let held = try_it(&lock.file)?;
        // Somebody may have removed the file: then it locks nothing any more.
        Ok((held && stands(folder, name, identity)?).then_some(lock))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        HELD_HERE.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.identity);
    }
}

/// Locks a file at once; false when somebody else has it.
pub(crate) fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Locks a file; false when somebody else has it. Who holds it only because a child was on its way, or because a worker
/// has not closed it yet, lets go in an instant: for that long this waits.
pub(crate) fn lock(file: &File) -> io::Result<bool> {
    let try_it = || try_lock(file);
    if try_it()? || between_spawns(try_it)? {
        return Ok(true);
    }
    for _ in 0..LOCK_TRIES {
        thread::sleep(Duration::from_millis(LOCK_REST_MS));
        if try_it()? {
            return Ok(true);
        }
    }
    Ok(false)
}
