//! What is published in another form than it lies here, and the copies that are sent for it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::contract::error::Fault;
use crate::files::{Access, Dir, random_bytes};
use crate::gate::COPIES;
use crate::sessions::remembered::Known;

/// What is published in another form than it lies here.
#[derive(Default)]
pub(super) struct Redacted {
    /// A pass for the manifest's list of redactions.
    pub(super) pass: Option<String>,
    /// Places in which a marker stands now.
    pub(super) places: usize,
    /// Originals that gave way, by their names in `kept`.
    pub(super) kept: Vec<String>,
    /// The files as they were before, where that was looked at.
    pub(super) states: Option<Vec<Known>>,
    /// Gone with this.
    pub(super) copies: Option<Copies>,
}

/// The folder of the copies of one publish.
pub(super) struct Copies {
    dir: Dir,
    pub(super) path: PathBuf,
    names: Vec<String>,
}

impl Drop for Copies {
    fn drop(&mut self) {
        // Best effort: what stays is a text without secrets.
        self.names.iter().for_each(|name| drop(self.dir.remove(name.as_str())));
        std::fs::remove_dir(&self.path).ok();
    }
}

impl Copies {
    pub(super) fn make(store_dir: &Path) -> Result<Self, Fault> {
        let local = |error: &io::Error| Fault::local("copies without secrets cannot be made", error);
        let number = random_bytes::<8>().map_or(0, u64::from_le_bytes);
        let name = format!("{number:016x}");
        let all = Dir::open_or_create(store_dir, Access::Owner).and_then(|dir| dir.dir(COPIES));
        let dir = all.and_then(|all| all.dir(name.as_str())).map_err(|error| local(&error))?;
        Ok(Self { dir, path: store_dir.join(COPIES).join(name), names: Vec::new() })
    }

    /// An empty file, and its name.
    pub(super) fn create(&mut self, number: usize) -> Result<(File, String), Fault> {
        let name = number.to_string();
        let file = self.dir.create_new(name.as_str());
        self.names.push(name.clone());
        Ok((file.map_err(|error| Fault::local("a copy without secrets", &error))?, name))
    }
}
