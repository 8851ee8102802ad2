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
    /// An empty folder in memory, one for each purpose and target folder: what an interrupted run leaves behind, the
    /// next one removes. None where the system has no such folder, or less room than this there.
    pub(crate) fn in_memory(purpose: &str, target: &Path, bytes_min: u64) -> Result<Option<Self>> {
        let mut hasher = DefaultHasher::new();
        target.hash(&mut hasher);
        let scratch = Self { folder: Path::new(MEMORY).join(format!("hydrant-{purpose}-{:016x}", hasher.finish())) };
        scratch.remove().because("what an earlier run left in memory cannot be removed")?;
        if free_bytes() < bytes_min {
            return Ok(None);
        }
        Ok(fs::create_dir(&scratch.folder).is_ok().then_some(scratch))
    }

    fn remove(&self) -> std::io::Result<()> {
        if self.folder.exists() { fs::remove_dir_all(&self.folder) } else { Ok(()) }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind is removed by the next run.
        let _left = self.remove().is_err();
    }
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
    fn a_folder_in_memory_is_empty_and_ends_with_its_owner() {
        let target = std::env::temp_dir().join(format!("hydrant-memory-{}", std::process::id()));
        let made = || Scratch::in_memory("test", &target, 1).expect("nothing stands in the way");
        let Some(scratch) = made() else { return };
        fs::write(scratch.folder.join("left"), b"x").expect("a file");
        let folder = scratch.folder.clone();
        // As if the run had been killed.
        std::mem::forget(scratch);
        let again = made().expect("it was there a moment ago");
        assert_eq!((&again.folder, fs::read_dir(&folder).expect("there").count()), (&folder, 0));
        assert!(Scratch::in_memory("much", &target, u64::MAX).expect("nothing stands in the way").is_none());
        drop(again);
        assert!(!folder.exists());
    }
}
