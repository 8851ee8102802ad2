//! Folders in memory, for files that a disk would only slow down.

use crate::failure::{Because, Result};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where Linux has files in memory.
const MEMORY: &str = "/dev/shm";

/// A folder that ends with its owner.
pub(crate) struct Scratch {
    pub(crate) folder: PathBuf,
}

impl Scratch {
    /// An empty folder in memory, for one purpose of this process. What a killed run left of the same purpose and
    /// target folder is removed. None where the system has no folder in memory, or less room than this there.
    pub(crate) fn in_memory(purpose: &str, target: &Path, bytes_min: u64) -> Result<Option<Self>> {
        let mut hasher = DefaultHasher::new();
        target.hash(&mut hasher);
        let prefix = format!("hydrant-{purpose}-{:016x}-", hasher.finish());
        remove_left(&prefix).because("what an earlier run left in memory cannot be removed")?;
        if free_bytes() < bytes_min {
            return Ok(None);
        }
        let folder = Path::new(MEMORY).join(format!("{prefix}{}", std::process::id()));
        // Made first: whoever did not make it must not remove it.
        Ok(fs::create_dir(&folder).is_ok().then(|| Self { folder }))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind is removed by the next run.
        let _left = fs::remove_dir_all(&self.folder).is_err();
    }
}

/// Removes folders of this beginning whose process is gone; one that still runs keeps its own.
fn remove_left(prefix: &str) -> std::io::Result<()> {
    for entry in fs::read_dir(MEMORY).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(prefix));
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// How much room there is; nothing where there is no memory to write to.
fn free_bytes() -> u64 {
    let mut df = Command::new("df");
    let said = df.args(["--output=avail", "--block-size=1", MEMORY]).stderr(Stdio::null()).output();
    let free = |said: &str| said.lines().nth(1)?.trim().parse().ok();
    said.ok().and_then(|said| free(&String::from_utf8_lossy(&said.stdout))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_memory_ends_with_its_owner_and_what_a_dead_one_left_with_the_next() {
        let target = std::env::temp_dir().join(format!("hydrant-memory-{}", std::process::id()));
        let made =
            |purpose, bytes_min| Scratch::in_memory(purpose, &target, bytes_min).expect("nothing stands in the way");
        let Some(scratch) = made("test", 1) else { return };
        fs::write(scratch.folder.join("kept"), b"x").expect("a file");
        let own = scratch.folder.to_str().expect("text").to_owned();
        // No process has this number: Linux ends at 2^22.
        let left = own.replace(&format!("-{}", std::process::id()), "-99999999");
        fs::create_dir(&left).expect("as a killed run leaves it");
        // One that runs keeps what it has; there is no second folder for one process.
        assert!(made("test", 1).is_none());
        assert_eq!((Path::new(&left).exists(), scratch.folder.join("kept").exists()), (false, true));
        assert!(made("much", u64::MAX).is_none());
        drop(scratch);
        assert!(!Path::new(&own).exists());
    }
}
