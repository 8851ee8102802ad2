//! git's own lock of the index, held while the branch, the index and files follow the remote.
//!
//! The lock of a process that died must not stand for ever, and nobody else's may be taken away. So `index.lock` is a
//! second name of a file of ours on which the process that works holds a lock of the system, which ends with it: an
//! `index.lock` that is that file while nobody holds it is ours and left behind.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Place, SCRATCH_PREFIX, words};
use crate::contract::types::{Failed, Failure};
use crate::files::Facts;
use crate::files::dir::open_file;
use crate::files::lock::try_lock;
use crate::files::platform::open_private;

/// Milliseconds to wait for somebody else's lock.
const LOCK_WAIT_MS_MAX: u64 = 2_000;
/// Milliseconds between two tries.
const LOCK_POLL_MS: u64 = 20;

/// Seconds after which a scratch file is nobody's any more: no command takes that long.
const SCRATCH_AGE_S_MAX: u64 = 24 * 3600;

/// The index is ours until this is dropped.
pub(super) struct IndexLock {
    /// `index.lock`.
    path: PathBuf,
    /// Holds the lock of the system.
    _ours: File,
}

impl IndexLock {
    /// Takes the lock, and first away what a process of ours left that died.
    pub(super) fn take(place: &Place) -> Result<Self, Failed> {
        let until = Instant::now() + Duration::from_millis(LOCK_WAIT_MS_MAX);
        let ours = open_ours(place).map_err(words::of_file)?;
        while !try_lock(&ours).map_err(words::of_file)? {
            wait(until)?;
        }
        sweep(place);
        let path = place.git_dir.join("index.lock");
        let own_path = own_path(place).map_err(words::of_file)?;
        loop {
            match link(&own_path, &path) {
                Ok(()) => return Ok(Self { path, _ours: ours }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if is_same(&path, &ours) {
                        fs::remove_file(&path).map_err(words::of_file)?;
                    } else {
                        wait(until)?;
                    }
                }
                Err(error) => return Err(words::of_file(error)),
            }
        }
    }
}

impl Drop for IndexLock {
    fn drop(&mut self) {
        // If this fails, the next one of ours takes it away.
        fs::remove_file(&self.path).ok();
    }
}

/// An error when somebody else holds the index.
pub(super) fn free(place: &Place) -> Result<(), Failed> {
    let path = place.git_dir.join("index.lock");
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    IndexLock::take(place).map(drop)
}

/// Removes scratch files of runs that died. Best effort: they only take room.
fn sweep(place: &Place) {
    let Ok(entries) = place.scratch_folder().and_then(|folder| folder.read_dir()) else { return };
    for entry in entries.flatten() {
        let age = entry.metadata().and_then(|facts| facts.modified()).ok().and_then(|time| time.elapsed().ok());
        let is_old = age.is_some_and(|age| age > Duration::from_secs(SCRATCH_AGE_S_MAX));
        if is_old && entry.file_name().to_string_lossy().starts_with(SCRATCH_PREFIX) {
            fs::remove_file(entry.path()).ok();
        }
    }
}

/// Where no two names of one file can be, the lock is a file of its own, and the user takes it away after a crash.
fn link(own_path: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(own_path, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        Err(_) => OpenOptions::new().write(true).create_new(true).open(path).map(drop),
        Ok(()) => Ok(()),
    }
}

fn own_path(place: &Place) -> io::Result<PathBuf> {
    Ok(place.scratch_folder()?.join("settle.lock"))
}

fn open_ours(place: &Place) -> io::Result<File> {
    open_private(&own_path(place)?)
}

fn is_same(path: &Path, ours: &File) -> bool {
    let there = open_file(path).and_then(|there| Facts::of(&there));
    matches!((there, Facts::of(ours)), (Ok(there), Ok(own)) if there.identity == own.identity)
}

fn wait(until: Instant) -> Result<(), Failed> {
    if Instant::now() >= until {
        let sentence = "the index is locked: another git is at work here, or one that died left its index.lock";
        return Err(words::failed(Failure::Io, sentence));
    }
    sleep(Duration::from_millis(LOCK_POLL_MS));
    Ok(())
}
