//! Blobs among the files that another recorder keeps, by session and name: found by their length, verified on use.
//!
//! Rule: only reads, regular files only, no link is followed; what cannot be read is not there, because whoever asks
//! has the server besides.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::incoming::{hash_into, unwatched};
use crate::contract::types::Blob;
use crate::files::digest::Digesting;
use crate::files::dir::open_file;

/// Files looked at, at most.
const FILES_MAX: usize = 262_144;

/// A folder of such files, `SESSION/NAME`.
pub(super) struct Recorded {
    folder: PathBuf,
    /// Files by their length, once anybody asked.
    by_size: Option<HashMap<u64, Vec<Kept>>>,
}

/// One file.
struct Kept {
    path: PathBuf,
    /// What it hashes to, once that was of interest; none when it cannot be read.
    oid: OnceCell<Option<String>>,
}

impl Recorded {
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), by_size: None }
    }

    /// The file that may be this blob: the only one of its length, or one that was hashed.
    pub(super) fn find(&mut self, blob: &Blob) -> Option<File> {
        let by_size = self.by_size.get_or_insert_with(|| listed(&self.folder));
        match by_size.get(&blob.size)?.as_slice() {
            [one] => opened(&one.path),
            several => several.iter().find(|kept| kept.oid() == Some(&blob.oid)).and_then(|kept| opened(&kept.path)),
        }
    }
}

impl Kept {
    fn oid(&self) -> Option<&String> {
        let hashed = || {
            let mut digest = Digesting::new();
            hash_into(&mut digest, &mut opened(&self.path)?, unwatched).ok()?;
            Some(digest.finish().oid)
        };
        self.oid.get_or_init(hashed).as_ref()
    }
}

fn listed(folder: &Path) -> HashMap<u64, Vec<Kept>> {
    let mut by_size: HashMap<u64, Vec<Kept>> = HashMap::new();
    let inside = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    let sessions = inside(folder).filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    for entry in sessions.flat_map(|session| inside(&session.path())).take(FILES_MAX) {
        // Of the entry itself, not of what a link leads to.
        let Some(facts) = entry.metadata().ok().filter(fs::Metadata::is_file) else { continue };
        by_size.entry(facts.len()).or_default().push(Kept { path: entry.path(), oid: OnceCell::new() });
    }
    by_size
}

fn opened(path: &Path) -> Option<File> {
    open_file(path).ok()
}
