//! The cache of a repository, or a folder that is one: where it is, and who shares it.
//!
//! The rule it keeps: of a cache that clones share nothing goes that one of them may still need. Into such a cache
//! comes only what a server sent, so all of it can be fetched again; whatever else a clone holds stays in that clone.
//! And what the journal of an unfinished publish names is spared, so long as that journal is there.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use crate::contract::error::Fault;
use crate::contract::types::Code;
use crate::documents::journals_in;
use crate::files::{Access, Dir};
use crate::remote::mentions::mentioned_in;
use crate::repository::Repository;
use crate::repository::place::unkept;
use crate::store::{Claim, Sharer, Store, claim, clones};
use crate::text::{io_words, quote_path};

/// A cache.
pub struct Cache {
    /// What it holds, with what lies in the clone itself.
    pub store: Store,
    /// Its folder.
    pub folder: PathBuf,
    /// What names the folder; none where it is the clone's own.
    pub named_by: Option<&'static str>,
    /// The folders in which the clones that share it keep their journals.
    pub clones: Vec<PathBuf>,
    /// Entries that stay because an unfinished publish names them.
    pub spared: usize,
}

impl Cache {
    /// The cache of a repository. `acts`: to be changed, and not only looked at.
    pub fn of(repository: &Repository, acts: bool) -> Result<Self, Fault> {
        if acts && !repository.can_keep() {
            return Err(unkept("the cache cannot be changed"));
        }
        let store = if acts { repository.cache()? } else { repository.cache_to_read()? };
        match repository.placed_cache()? {
            Some(place) => Self::shared(store, place.folder, Some(place.named_by), acts),
            None => Ok(Self::alone(store, repository.store_dir())),
        }
    }

    /// A folder that is a cache.
    pub fn at(folder: &Path, acts: bool) -> Result<Self, Fault> {
        let root = Dir::open(folder, Access::Owner)?;
        let sharers = clones::all(&root)?;
        if acts
            && !sharers.is_empty()
            && let Claim::Theirs(name) = claim(&root)?
        {
            return Err(crate::repository::place::of_another_machine(folder, &name));
        }
        let store = if acts { Store::cache(folder)? } else { Store::reading(folder)? };
        if sharers.is_empty() {
            return Ok(Self::alone(store, folder.to_owned()));
        }
        Self::shared(store, folder.to_owned(), None, acts)
    }

    fn alone(store: Store, folder: PathBuf) -> Self {
        Self { store, folder, named_by: None, clones: Vec::new(), spared: 0 }
    }

    fn shared(store: Store, folder: PathBuf, named_by: Option<&'static str>, acts: bool) -> Result<Self, Fault> {
        let root = match Dir::open(&folder, Access::Owner) {
            Ok(root) => root,
            // Nothing came here yet.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { named_by, ..Self::alone(store, folder) });
            }
            Err(error) => return Err(error.into()),
        };
        let (mut clones, mut spared) = (Vec::new(), BTreeSet::new());
        let entries: HashSet<String> = store.list()?.into_iter().map(|entry| entry.oid).collect();
        for sharer in clones::all(&root)? {
            match needed_by(&sharer, &entries) {
                Ok(Some(needed)) => {
                    spared.extend(needed);
                    clones.push(sharer.state);
                }
                // The clone is gone.
                Ok(None) if acts => clones::forget(&root, &sharer)?,
                Ok(None) => {}
                Err(error) if acts => return Err(unreadable(&sharer, &error)),
                Err(_) => clones.push(sharer.state),
            }
        }
        let count = spared.len();
        Ok(Self { store: store.sparing(spared), folder, named_by, clones, spared: count })
    }
}

/// The entries that journals of a clone name; none when there is no such clone any more.
fn needed_by(sharer: &Sharer, entries: &HashSet<String>) -> io::Result<Option<BTreeSet<String>>> {
    let state = match Dir::open(&sharer.state, Access::Owner) {
        Ok(state) => state,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut needed = BTreeSet::new();
    for journal in journals_in(&state)? {
        needed.extend(mentioned_in(entries, journal)?);
    }
    Ok(Some(needed))
}

fn unreadable(sharer: &Sharer, error: &io::Error) -> Fault {
    Fault::failed(
        Code::Host,
        format!(
            "a clone that shares this cache cannot be asked what it still needs ({}: {}): nothing is removed; do it as \
             the user of that clone, or take the clone away",
            quote_path(&sharer.state),
            io_words(error)
        ),
    )
}
