//! What the original recorder's cache held of a session when a publish took something else in its place: the next one
//! does not take that back.
//!
//! The rule it keeps: only the very file that was there then is left out; whatever the recorder writes later is new. A
//! note that is missing or torn costs no more than that.

use std::io;
use std::path::{Path, PathBuf};

use crate::files::{Files, Revision};

use crate::repository::{ORIGINAL_CACHE, Repository};
use crate::sessions::remembered::{self, Known, Notes};

/// Folder beside the cache that holds these notes.
const FOLDER: &str = "replaced";

/// Files of that cache as they are now, among those of these names.
pub(crate) fn states<'a>(
    repository: &Repository,
    session: &str,
    names: impl Iterator<Item = &'a str>,
) -> io::Result<Vec<Known>> {
    let folder = folder_of(session);
    if !repository.is_real_folder(&folder) {
        return Ok(Vec::new());
    }
    let tree = Files::beneath(&repository.top).map_err(|error| io::Error::other(error.to_string()))?;
    let mut states = Vec::new();
    for name in names {
        let place = format!("{folder}/{name}");
        if let Some(opened) = tree.open(&place)? {
            states.push(Known { name: name.to_owned(), place, revision: opened.revision, oid: String::new() });
        }
    }
    Ok(states)
}

/// Notes that these were replaced. What was noted of other files stays.
pub(crate) fn note(repository: &Repository, session: &str, states: Vec<Known>) -> io::Result<()> {
    let notes = notes_of(repository);
    let mut files = remembered::load(&notes, session).files;
    files.retain(|known| states.iter().all(|state| state.name != known.name));
    files.extend(states);
    if files.is_empty() { Ok(()) } else { remembered::save(&notes, session, &Notes { files, ..Notes::default() }) }
}

/// Files that were replaced, each in the state in which it was.
pub(crate) struct Replaced(Vec<Known>);

impl Replaced {
    pub(crate) fn of(repository: &Repository, session: &str) -> Self {
        Self(remembered::load(&notes_of(repository), session).files)
    }

    /// Whether a file is still what was replaced.
    pub(crate) fn holds(&self, name: &str, revision: &Revision) -> bool {
        self.0.iter().any(|known| known.name == name && known.revision.same_but_for_names(revision))
    }
}

/// Where the original recorder keeps a session.
pub(crate) fn folder_of(session: &str) -> String {
    format!("{ORIGINAL_CACHE}/{session}")
}

fn notes_of(repository: &Repository) -> PathBuf {
    Path::join(&repository.store_dir(), FOLDER)
}
