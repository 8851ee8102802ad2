//! A place for blobs where nothing can be kept: a folder among the temporary ones, for this run alone.

use std::path::PathBuf;
use std::{env, fs};

use crate::contract::error::Fault;
use crate::files::{create_private_dir, random_bytes};
use crate::store::Store;

/// The folder, which is gone with this value.
pub(crate) struct Passing(PathBuf);

impl Passing {
    pub(crate) fn new() -> Result<Self, Fault> {
        let number = random_bytes().map_or_else(|| u64::from(std::process::id()), u64::from_le_bytes);
        let folder = env::temp_dir().join(format!("hydrant-passing-{number:x}"));
        // Nobody else's, and no link: it must not be there yet.
        create_private_dir(&folder)
            .map_err(|error| Fault::local("there is no place for what is only passing through", &error))?;
        Ok(Self(folder))
    }

    pub(crate) fn store(&self) -> Result<Store, Fault> {
        Ok(Store::into_dir(&self.0)?)
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        // Best effort: the system sweeps its temporary folder.
        fs::remove_dir_all(&self.0).ok();
    }
}
