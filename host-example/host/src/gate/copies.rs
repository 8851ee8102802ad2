//! Copies of content for as long as they are looked through, or sent without their secrets: for their owner alone.
//!
//! The rule it keeps: they go with whoever made them. What a killed process left goes with the next copies.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::contract::error::Fault;
use crate::files::lock::try_lock;
use crate::files::{create_private_dir, random_bytes};

/// Folder of all copies, in the clone's own folder.
const FOLDER: &str = "redacted";
/// Begins the name of the file that is locked for as long as a folder of copies is used; the rest is the folder's own.
const LOCK: &str = "lock-";

/// A folder of copies, and everything in it.
pub(crate) struct Copies {
    folder: PathBuf,
    lock: PathBuf,
    /// Held until this is dropped.
    _locked: File,
}

impl Copies {
    pub(crate) fn make(store_dir: &Path) -> Result<Self, Fault> {
        Self::begin(&within(store_dir)).map_err(|error| Fault::local("content cannot be copied", &error))
    }

    fn begin(all: &Path) -> io::Result<Self> {
        fs::create_dir_all(all)?;
        sweep(all)?;
        let number = random_bytes::<8>().ok_or_else(|| io::Error::other("this system gives no random bytes"))?;
        let name = format!("{:016x}", u64::from_le_bytes(number));
        let (folder, lock) = (all.join(&name), all.join(format!("{LOCK}{name}")));
        let locked = File::create_new(&lock)?;
        try_lock(&locked)?;
        create_private_dir(&folder)?;
        Ok(Self { folder: folder.canonicalize()?, lock, _locked: locked })
    }

    /// The folder that they lie in.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// An empty file, with the folders above it.
    pub(crate) fn create(&self, name: &str) -> io::Result<File> {
        let path = self.folder.join(name);
        path.parent().map(fs::create_dir_all).transpose()?;
        File::options().read(true).write(true).create_new(true).open(path)
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        // Best effort: what stays goes with the next copies.
        fs::remove_dir_all(&self.folder).and_then(|()| fs::remove_file(&self.lock)).ok();
    }
}

/// Where the copies of a clone lie.
pub(crate) fn within(store_dir: &Path) -> PathBuf {
    store_dir.join(FOLDER)
}

/// Removes what nobody uses any more.
fn sweep(all: &Path) -> io::Result<()> {
    for entry in fs::read_dir(all)? {
        let lock = entry?.path();
        let Some(name) = lock.file_name().and_then(|name| name.to_str()?.strip_prefix(LOCK)) else { continue };
        let is_left = File::open(&lock).and_then(|file| try_lock(&file)).unwrap_or(false);
        if is_left {
            fs::remove_dir_all(all.join(name)).ok();
            fs::remove_file(&lock).ok();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::scratch::Scratch;
    use std::io::Write as _;

    #[test]
    fn copies_go_with_their_maker_and_what_a_dead_one_left_with_the_next() {
        let scratch = Scratch::new();
        let all = within(scratch.path());
        let count = || fs::read_dir(&all).expect("there").count();
        let first = Copies::make(scratch.path()).expect("a folder");
        first.create("a/b").and_then(|mut file| file.write_all(b"text")).expect("a file");
        fs::create_dir(all.join("0")).and_then(|()| fs::write(all.join("0/raw.jsonl"), "left")).expect("a folder");
        fs::write(all.join("lock-0"), "").expect("a file");
        // What somebody uses stays.
        let second = Copies::make(scratch.path()).expect("a folder");
        assert!(first.folder().join("a/b").exists() && !all.join("0").exists());
        assert_eq!(count(), 4, "two folders and their locks");
        drop((first, second));
        assert_eq!(count(), 0);
    }
}
