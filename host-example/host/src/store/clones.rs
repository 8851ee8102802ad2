//! The clones that share a cache: each is known by the folder that holds its journals, so that a clean-up can look what
//! an unfinished publish of theirs still needs.
//!
//! A note is a number and a path: the path of that folder, and the file system that it lies on. A folder that is not
//! there is gone when that file system is; else its disk may come back.

use std::io;
use std::path::{Path, PathBuf};

use crate::files::digest::blob_of;
use crate::files::platform::path_of;
use crate::files::{Access, Dir, atomic};

/// The folder of the cache that names the clones.
const CLONES: &str = "clones";
/// Digits of a name there.
const NAME_DIGITS: usize = 32;
/// Bytes of a note at most.
const NOTE_BYTES_MAX: u64 = 8192;

/// A clone that shares the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sharer {
    name: String,
    /// The folder of its journals.
    pub(crate) state: PathBuf,
    /// The file system of that folder.
    device: u64,
}

impl Sharer {
    /// Whether a folder that is not there will not be there again: what it lay on is there without it.
    pub(crate) fn is_gone_for_good(&self) -> io::Result<bool> {
        Ok(device_of(&self.state)? == self.device)
    }

    /// Where the cache notes it.
    pub(crate) fn note(&self) -> String {
        format!("{CLONES}/{}", self.name)
    }
}

/// Notes a clone: once, and anew when the note is torn or the clone lies on another file system now.
pub(crate) fn register(root: &Dir, state: &Path) -> io::Result<()> {
    let path = state.as_os_str().as_encoded_bytes();
    let (folder, name) = (root.dir(CLONES)?, name_of(path));
    let note = [format!("{}\n", device_of(state)?).as_bytes(), path].concat();
    if folder.read_small(name.as_str(), NOTE_BYTES_MAX)?.is_some_and(|noted| noted == note) {
        return Ok(());
    }
    atomic::replace(&folder, ".clone-", &folder, &name, &note)
}

/// All that are noted.
pub(crate) fn all(root: &Dir) -> io::Result<Vec<Sharer>> {
    let Some(folder) = root.dir_if_any(CLONES)? else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for name in folder.names()?.into_iter().filter(|name| name.len() == NAME_DIGITS) {
        let note = folder.read_small(name.as_str(), NOTE_BYTES_MAX)?.unwrap_or_default();
        // A torn note names nobody; its clone writes it anew.
        let Some((device, path)) = parse(&note).filter(|(_, path)| name_of(path) == name) else { continue };
        all.push(Sharer { name, state: path_of(path), device });
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

fn parse(note: &[u8]) -> Option<(u64, &[u8])> {
    let end = memchr::memchr(b'\n', note)?;
    let device = std::str::from_utf8(&note[..end]).ok()?.parse().ok()?;
    Some((device, &note[end + 1..]))
}

/// The file system of a folder, or of the nearest one above that is there.
fn device_of(folder: &Path) -> io::Result<u64> {
    for folder in folder.ancestors() {
        match Dir::open(folder, Access::Owner) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => return Ok(opened?.own_facts()?.identity.device),
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

fn name_of(path: &[u8]) -> String {
    let mut name = blob_of(path).oid;
    name.truncate(NAME_DIGITS);
    name
}
