//! A lock on a file that ends with the process which holds it.

use std::fs::{File, TryLockError};
use std::io;
use std::thread;
use std::time::Duration;

use crate::process::between_spawns;

/// Times a lock is tried again.
const LOCK_TRIES: u32 = 20;
/// Milliseconds between two tries.
const LOCK_REST_MS: u64 = 5;

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
