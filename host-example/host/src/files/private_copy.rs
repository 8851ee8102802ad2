//! A file among the temporary ones that nobody else can open, and that is gone with the value.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use super::platform::{create_private_dir, open_private, random_bytes};

/// The file, and a folder of its own.
pub(crate) struct PrivateCopy {
    /// Open to write and to read.
    pub(crate) file: File,
    folder: PathBuf,
    path: PathBuf,
}

impl PrivateCopy {
    /// An empty one.
    pub(crate) fn new() -> io::Result<Self> {
        let number = random_bytes().map_or_else(|| u64::from(std::process::id()), u64::from_le_bytes);
        let folder = env::temp_dir().join(format!("hydrant-copy-{number:x}"));
        // Nobody else's, and no link: it must not be there yet.
        create_private_dir(&folder)?;
        let path = folder.join("copy");
        let made = open_private(&path).and_then(|_| OpenOptions::new().read(true).write(true).open(&path));
        match made {
            Ok(file) => Ok(Self { file, folder, path }),
            Err(error) => {
                fs::remove_dir_all(&folder).ok();
                Err(error)
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes its name away. Whoever has it open reads on.
    pub(crate) fn remove(&self) -> io::Result<()> {
        fs::remove_dir_all(&self.folder)
    }
}

impl Drop for PrivateCopy {
    fn drop(&mut self) {
        // Best effort: the system sweeps its temporary folder. It is gone already where it was removed before.
        fs::remove_dir_all(&self.folder).ok();
    }
}
