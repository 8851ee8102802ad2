//! The cache of a repository, or a folder that is one: where it is, and who shares it.
//!
//! The rule it keeps: of a cache that clones share nothing goes that one of them may still need. Into such a cache
//! comes only what a server sent, so all of it can be fetched again; whatever else a clone holds stays in that clone.
//! And what the journal of an unfinished publish names is spared; where a clone cannot be asked for it, nothing goes.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use crate::contract::error::Fault;
use crate::contract::types::Code;
use crate::documents::journals_in;
use crate::files::{Access, Dir};
use crate::remote::mentions::mentioned_in;
use crate::repository::Repository;
use crate::repository::place::{of_another_machine, unkept};
use crate::store::{Claim, Sharer, Store, claim, clones};
use crate::text::{io_words, quote_path};

/// Clones that share one cache, at most.
const CLONES_MAX: usize = 4096;

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
    /// Why nothing can be removed, a sentence for each clone that cannot be asked.
    pub blocked: Vec<String>,
}

/// What is to become of a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It is looked at, and who shares it.
    Look,
    /// Its entries are hashed. No clone is asked: nobody needs a wrong one.
    Verify,
    /// The same, and wrong entries are removed.
    Mend,
    /// Entries are removed that no clone needs.
    Remove,
}

impl Purpose {
    fn acts(self) -> bool {
        matches!(self, Purpose::Mend | Purpose::Remove)
    }

    fn asks_clones(self) -> bool {
        matches!(self, Purpose::Look | Purpose::Remove)
    }
}

impl Cache {
    /// The cache of a repository.
    pub fn of(repository: &Repository, purpose: Purpose) -> Result<Self, Fault> {
        let acts = purpose.acts();
        if acts && !repository.can_keep() {
            return Err(unkept("the cache cannot be changed"));
        }
        let place = repository.placed_cache()?;
        let folder = place.as_ref().map_or_else(|| repository.store_dir(), |place| place.folder.clone());
        if !acts {
            // It would look empty.
            check_readable(&folder)?;
        }
        let store = if acts { repository.cache()? } else { repository.cache_to_read()? };
        match place {
            Some(place) => Self::shared(store, folder, Some(place.named_by), purpose),
            None => Ok(Self::alone(store, folder)),
        }
    }

    /// A folder that is a cache.
    pub fn at(folder: &Path, purpose: Purpose) -> Result<Self, Fault> {
        let root = Dir::open(folder, Access::Owner)?;
        let is_shared = !clones::all(&root)?.is_empty();
        if purpose.acts()
            && is_shared
            && let Claim::Theirs(name) = claim(&root)?
        {
            return Err(of_another_machine(folder, &name));
        }
        let store = if purpose.acts() { Store::cache(folder)? } else { Store::reading(folder)? };
        match is_shared {
            true => Self::shared(store, folder.to_owned(), None, purpose),
            false => Ok(Self::alone(store, folder.to_owned())),
        }
    }

    fn alone(store: Store, folder: PathBuf) -> Self {
        Self { store, folder, named_by: None, clones: Vec::new(), spared: 0, blocked: Vec::new() }
    }

    fn shared(store: Store, folder: PathBuf, named_by: Option<&'static str>, purpose: Purpose) -> Result<Self, Fault> {
        let cache = Self { named_by, ..Self::alone(store, folder) };
        let root = match Dir::open(&cache.folder, Access::Owner) {
            _ if !purpose.asks_clones() => return Ok(cache),
            Ok(root) => root,
            // Nothing came here yet.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(cache),
            Err(error) => return Err(error.into()),
        };
        let (mut clones, mut spared, mut blocked) = (Vec::new(), BTreeSet::new(), Vec::new());
        let entries: HashSet<String> = cache.store.list()?.into_iter().map(|entry| entry.oid).collect();
        for sharer in clones::all(&root)? {
            match needed_by(&sharer, &entries) {
                Ok(Answer::Needs(needed)) => spared.extend(needed),
                Ok(Answer::Gone) => {
                    if purpose.acts() {
                        clones::forget(&root, &sharer)?;
                    }
                    continue;
                }
                Ok(Answer::Away) => blocked.push(away(&cache.folder, &sharer)),
                Err(error) => blocked.push(unreadable(&sharer, &error)),
            }
            clones.push(sharer.state);
        }
        if clones.len() > CLONES_MAX {
            blocked.push(format!("more than {CLONES_MAX} clones share this cache: give some of them another one"));
        }
        if purpose.acts()
            && let Some(first) = blocked.first()
        {
            return Err(Fault::failed(Code::Host, format!("nothing is removed: {first}")));
        }
        let count = spared.len();
        Ok(Self { store: cache.store.sparing(spared), clones, spared: count, blocked, ..cache })
    }
}

/// What a clone says.
enum Answer {
    /// An unfinished publish of it needs these entries.
    Needs(BTreeSet<String>),
    /// There is no such clone any more.
    Gone,
    /// It is not there, and may come back.
    Away,
}

fn needed_by(sharer: &Sharer, entries: &HashSet<String>) -> io::Result<Answer> {
    let state = match Dir::open(&sharer.state, Access::Owner) {
        Ok(state) => state,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(if sharer.is_gone_for_good()? { Answer::Gone } else { Answer::Away });
        }
        Err(error) => return Err(error),
    };
    let mut needed = BTreeSet::new();
    for journal in journals_in(&state)? {
        needed.extend(mentioned_in(entries, journal)?);
    }
    Ok(Answer::Needs(needed))
}

fn check_readable(folder: &Path) -> Result<(), Fault> {
    match Dir::open(folder, Access::Owner) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(Fault::local("the cache cannot be looked into", &error))
        }
        _ => Ok(()),
    }
}

fn unreadable(sharer: &Sharer, error: &io::Error) -> String {
    format!(
        "a clone that shares this cache cannot be asked what it still needs ({}: {}): do it as the user of that clone \
         or as root, or take the clone away",
        quote_path(&sharer.state),
        io_words(error)
    )
}

fn away(folder: &Path, sharer: &Sharer) -> String {
    format!(
        "a clone that shares this cache is not there, nor is the disk that it was on ({}): bring it back, or remove {} \
         when it is gone for good",
        quote_path(&sharer.state),
        quote_path(&folder.join(sharer.note()))
    )
}
