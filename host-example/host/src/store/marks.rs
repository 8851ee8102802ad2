//! What tells a folder of ours from any other one.
//!
//! Opening a cache moves the entries of another boot aside, and a clean-up removes things, so neither may come to a
//! folder that somebody else made. And what lies in a clone alone, no other clone may clean up.

use std::io;
use std::path::Path;

use super::adopted::{ADOPTED, DISPLACED, KEPT};
use super::boot::{BOOT_FILE, CACHE, LOCK_FILE, UNPROVED};
use super::machine::MACHINE_FILE;
use crate::files::facts::Kind as Of;
use crate::files::{Access, Dir};

/// Files that a cache begins with.
const BEGINNINGS: [&str; 2] = [BOOT_FILE, MACHINE_FILE];
/// The file that comes before those.
const FIRST: &str = LOCK_FILE;
/// Folders that stand there only after those.
const LATER: [&str; 2] = [CACHE, UNPROVED];
/// What a clone keeps beside its own cache, and what no cache holds that clones share. Those that are named here by
/// their letters belong to rooms above this one.
const OF_A_CLONE: [&str; 11] = [
    ADOPTED,
    DISPLACED,
    KEPT,
    "abandoned",
    "documents.lock",
    "downloaded",
    "journal",
    "orphans.json",
    "published",
    "replaced",
    "swap.lock",
];
/// What a new file system begins with.
const NEW_DISK: &str = "lost+found";

/// Whose a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Empty,
    /// A cache of ours.
    Cache,
    /// A clone's own cache, with what the clone notes beside it.
    OfAClone,
    /// Somebody else's.
    Foreign,
}

/// Whose this folder is, as far as its names tell. Nothing in it changes.
pub(crate) fn kind_of(root: &Dir) -> io::Result<Kind> {
    let of = |name: &&str| root.facts(*name).map(|facts| facts.map(|facts| facts.kind));
    let all = |names: &[&str]| names.iter().map(of).collect::<io::Result<Vec<_>>>();
    let has_begun = all(&BEGINNINGS)?.contains(&Some(Of::File));
    let is_beginning = of(&FIRST)? == Some(Of::File) && !all(&LATER)?.contains(&Some(Of::Dir));
    Ok(if !has_begun && !is_beginning {
        if root.is_empty_but_for(NEW_DISK)? { Kind::Empty } else { Kind::Foreign }
    } else if all(&OF_A_CLONE)?.iter().any(Option::is_some) {
        Kind::OfAClone
    } else {
        Kind::Cache
    })
}

/// Whether this folder is a cache of ours, a clone's own or one that clones share.
pub fn is_cache(folder: &Path) -> bool {
    let kind = Dir::open(folder, Access::Owner).and_then(|root| kind_of(&root));
    matches!(kind, Ok(Kind::Cache | Kind::OfAClone))
}
