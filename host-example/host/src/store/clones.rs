//! The clones that share a cache: each is known by the folder that holds its journals, so that a clean-up can look what
//! an unfinished publish of theirs still needs.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::files::Dir;
use crate::files::atomic::Fresh;
use crate::files::digest::blob_of;
use crate::files::platform::path_of;

/// The folder of the cache that names the clones.
const CLONES: &str = "clones";
/// Digits of a name there.
const NAME_DIGITS: usize = 32;
/// Bytes of a path at most.
const PATH_BYTES_MAX: u64 = 8192;
/// Clones looked at, at most.
const CLONES_MAX: usize = 4096;

/// A clone that shares the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sharer {
    name: String,
    /// The folder of its journals.
    pub(crate) state: PathBuf,
}

/// Notes a clone, once.
pub(crate) fn register(root: &Dir, state: &Path) -> io::Result<()> {
    let bytes = state.as_os_str().as_encoded_bytes();
    let (folder, name) = (root.dir(CLONES)?, name_of(bytes));
    if folder.find(name.as_str())?.is_some_and(|found| found.size == bytes.len() as u64) {
        return Ok(());
    }
    let mut fresh = Fresh::make(&folder, ".clone-")?;
    fresh.file.write_all(bytes)?;
    fresh.take_over(name.as_str())
}

/// All that are noted.
pub(crate) fn all(root: &Dir) -> io::Result<Vec<Sharer>> {
    let Some(folder) = root.dir_if_any(CLONES)? else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for name in folder.names()?.into_iter().filter(|name| name.len() == NAME_DIGITS).take(CLONES_MAX) {
        let mut bytes = Vec::new();
        match folder.read(name.as_str()) {
            Ok(file) => file.take(PATH_BYTES_MAX).read_to_end(&mut bytes)?,
            // Gone meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if name_of(&bytes) == name {
            all.push(Sharer { name, state: path_of(&bytes) });
        }
    }
    Ok(all)
}

/// Forgets a clone that is gone.
pub(crate) fn forget(root: &Dir, sharer: &Sharer) -> io::Result<()> {
    match root.dir_if_any(CLONES)? {
        Some(folder) => folder.remove(sharer.name.as_str()),
        None => Ok(()),
    }
}

fn name_of(path: &[u8]) -> String {
    let mut name = blob_of(path).oid;
    name.truncate(NAME_DIGITS);
    name
}
