//! Blobs among the files that another recorder keeps, by session and name: found by their length, verified on use.
//!
//! Rule: only reads, regular files only, no link is followed; what cannot be read is not there, because whoever asks
//! has the server besides.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, open};

use super::{hash_into, unwatched};
use crate::digest::Digesting;
use crate::wit::types::Blob;

/// Files looked at, at most.
const FILES_MAX: usize = 262_144;

/// A folder of such files, `SESSION/NAME`.
pub(super) struct Recorded {
    folder: PathBuf,
    /// Paths by the length of their files, once anybody asked.
    by_size: Option<HashMap<u64, Vec<PathBuf>>>,
}

impl Recorded {
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), by_size: None }
    }

    /// The file that may be this blob: the only one of its length, or one that was hashed just now.
    pub(super) fn find(&mut self, blob: &Blob) -> Option<OwnedFd> {
        let by_size = self.by_size.get_or_insert_with(|| listed(&self.folder));
        match by_size.get(&blob.size)?.as_slice() {
            [one] => opened(one),
            several => several.iter().find(|path| is(path, blob)).and_then(|path| opened(path)),
        }
    }
}

fn listed(folder: &Path) -> HashMap<u64, Vec<PathBuf>> {
    let mut by_size: HashMap<u64, Vec<PathBuf>> = HashMap::new();
    let inside = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    let sessions = inside(folder).filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    for entry in sessions.flat_map(|session| inside(&session.path())).take(FILES_MAX) {
        // Of the entry itself, not of what a link leads to.
        let Some(facts) = entry.metadata().ok().filter(fs::Metadata::is_file) else { continue };
        by_size.entry(facts.len()).or_default().push(entry.path());
    }
    by_size
}

fn opened(path: &Path) -> Option<OwnedFd> {
    open(path, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK, Mode::empty()).ok()
}

fn is(path: &Path, blob: &Blob) -> bool {
    let Some(file) = opened(path) else { return false };
    let mut digest = Digesting::new();
    hash_into(&mut digest, &mut File::from(file), unwatched).is_ok() && digest.finish().oid == blob.oid
}
