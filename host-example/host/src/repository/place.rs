//! Where things of ours lie: the state folder in git's own, and in it the cache; who may use them; and from where blobs
//! may be copied.
//!
//! Rules: whoever only reads makes nothing, moves nothing and locks nothing; what is made has the rights that
//! `core.sharedRepository` gives, else it is the user's alone; a folder that others may write all the same is refused.

use std::path::{Path, PathBuf};
use std::{env, io};

use super::{ORIGINAL_CACHE, Repository, alternates, could_be_committed};
use crate::contract::error::{Fault, HostError};
use crate::contract::types::Code;
use crate::documents::Documents;
use crate::files::platform::{boot, effective_user, path_of};
use crate::files::{Access, Dir, is_unwritable};
use crate::store::{Claim, FolderKind, Store, claim, clones, kind_of};
use crate::text::{io_words, quote, quote_path};

/// The variable of the environment that names another place for the cache.
const VARIABLE: &str = "HYDRANT_CACHE";
/// git's setting of the same.
const SETTING: &str = "hydrant.cache";
/// The number of the user who may write anywhere.
const ROOT: u32 = 0;
/// Permission bits by which others may write.
const OTHERS_WRITE: u32 = 0o022;

impl Repository {
    /// The same, with verified blobs and everything that is noted in a folder of the caller's choice.
    pub fn with_store_dir(self, folder: impl Into<PathBuf>) -> Self {
        Self { state_dir: Some(folder.into()), ..self }
    }

    /// Where verified blobs lie, and what is noted about them: `hydrant` in git's own folder, unless the caller chose.
    pub fn store_dir(&self) -> PathBuf {
        self.state_dir.clone().unwrap_or_else(|| self.common_dir.join("hydrant"))
    }

    /// The cache, to be written, with all that may be copied into it: git-lfs's own stores, and what the original
    /// recorder keeps.
    pub(crate) fn store(&self) -> Result<Store, Fault> {
        Ok(self.with_sources(self.cache()?))
    }

    /// The same to look into: nothing comes in.
    pub(crate) fn store_to_read(&self) -> Result<Store, Fault> {
        Ok(self.with_sources(self.cache_to_read()?))
    }

    /// The cache, to be written.
    pub fn cache(&self) -> Result<Store, Fault> {
        let own = || {
            let opened = Store::in_dir(self.state()?, boot());
            opened.map_err(|error| unwritable("the cache cannot be opened", &error))
        };
        let Some(place) = self.placed_cache()? else { return own() };
        let shared = self.shared_cache(&place)?;
        Ok(shared.before(if self.is_writable() { own()? } else { Store::reading(&self.store_dir())? }))
    }

    /// The cache as it is, if it is there: nothing is written.
    pub fn cache_to_read(&self) -> Result<Store, Fault> {
        let own = Store::reading(&self.store_dir())?;
        Ok(match self.placed_cache()? {
            Some(place) => {
                place.check()?;
                Store::reading(&place.folder)?.before(own)
            }
            None => own,
        })
    }

    /// Where the user wants fetched blobs to lie, if not in the clone: the environment's word, then git's
    /// configuration. What a commit brings (`.lfsconfig`) has no say.
    pub fn placed_cache(&self) -> Result<Option<CachePlace>, Fault> {
        if self.state_dir.is_some() {
            return Ok(None);
        }
        let of_environment = env::var_os(VARIABLE).filter(|value| !value.is_empty());
        let (folder, named_by) = match (of_environment, self.setting(SETTING)) {
            (Some(folder), _) => (PathBuf::from(folder), VARIABLE),
            (None, Some(folder)) if folder.starts_with('~') => (self.path_setting()?, SETTING),
            (None, Some(folder)) if !folder.is_empty() => (PathBuf::from(folder), SETTING),
            _ => return Ok(None),
        };
        if !folder.is_absolute() {
            return Err(Fault::misuse(format!("{named_by} must name a folder by its whole path")));
        }
        let folder = real(&folder);
        if could_be_committed(&self.top, &folder) {
            return Err(Fault::misuse(format!("{named_by} names a folder in this work tree, where a commit could be")));
        }
        Ok((folder != real(&self.store_dir())).then_some(CachePlace { folder, named_by }))
    }

    /// The setting as git expands it.
    fn path_setting(&self) -> Result<PathBuf, Fault> {
        let path = self.git.read(&["config", "--type=path", "--get", SETTING], b"")?;
        Ok(path_of(path.strip_suffix(b"\n").unwrap_or(&path)))
    }

    /// The cache that clones share, to be written.
    fn shared_cache(&self, place: &CachePlace) -> Result<Store, Fault> {
        let doing = "the shared cache cannot be opened";
        let local = |error: &io::Error| Fault::local(doing, error);
        let shared = self.shared_with();
        place.check()?;
        let root = match Dir::open(&place.folder, Access::Owner) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Dir::open_or_create(&place.folder, shared.map_or(Access::Owner, Access::Shared))
            }
            opened => opened,
        };
        let root = root.map_err(|error| local(&error))?;
        // Only now: the rights of somebody else's folder stay as they are.
        let root = match shared {
            Some(bits) => root.shared_with(bits).map_err(|error| local(&error))?,
            None => root,
        };
        let facts = root.own_facts()?;
        let is_own = [effective_user(), ROOT].contains(&facts.owner.0);
        if (facts.permissions & OTHERS_WRITE & !shared.unwrap_or(0) != 0) || (!is_own && shared.is_none()) {
            return Err(others_may_write(&quote_path(&place.folder)));
        }
        if let Claim::Theirs(name) = claim(&root).map_err(|error| local(&error))? {
            return Err(of_another_machine(&place.folder, &name));
        }
        if self.is_writable() {
            clones::register(&root, &real(&self.store_dir())).map_err(|error| local(&error))?;
        }
        Store::in_dir(root, boot()).map_err(|error| local(&error))
    }

    /// Whether what is fetched can be kept.
    pub(crate) fn can_keep(&self) -> bool {
        match self.placed_cache() {
            Ok(Some(place)) => nearest_is_writable(&place.folder),
            Ok(None) | Err(_) => self.is_writable(),
        }
    }

    /// A store with all that this repository may copy from.
    pub(crate) fn with_sources(&self, store: Store) -> Store {
        let store = self.git_lfs_stores().iter().fold(store, |store, objects| store.second_source(objects));
        if self.is_real_folder(ORIGINAL_CACHE) { store.recorded_in(&self.top.join(ORIGINAL_CACHE)) } else { store }
    }

    /// Manifests in the work tree; journals and the register of orphans, to be written.
    pub(crate) fn documents(&self) -> Result<Documents, Fault> {
        let state = self.state()?;
        // It may have been made by who could, and a publish would find out in the middle.
        if !state.is_writable() {
            return Err(unkept("the journal cannot be kept"));
        }
        Ok(Documents::beneath(&self.top)?.with_state_in(state)?)
    }

    /// The same to be read, where there are any.
    pub(crate) fn documents_to_read(&self) -> Result<Documents, Fault> {
        let documents = Documents::beneath(&self.top)?;
        match Dir::open(&self.store_dir(), Access::Owner) {
            Ok(folder) => Ok(documents.with_state_in(folder)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(documents),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(Fault::failed(
                Code::Host,
                "the journals of this clone are closed to you: run this as the clone's own user, or in one of yours",
            )),
            Err(error) => Err(HostError::io("the folder of the journal cannot be opened", &error).into()),
        }
    }

    /// Whether this user may not look into the state folder: it is another user's.
    pub(crate) fn is_state_closed(&self) -> bool {
        let opened = Dir::open(&self.store_dir(), Access::Owner);
        opened.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
    }

    /// Whether the state folder can be written, or made.
    pub(crate) fn is_writable(&self) -> bool {
        nearest_is_writable(&self.store_dir())
    }

    /// git-lfs's own object stores: of this repository, and of those it borrows objects from.
    pub(crate) fn git_lfs_stores(&self) -> &[PathBuf] {
        self.git_lfs_stores.get_or_init(|| {
            let own = alternates::store_of(&self.common_dir, self.setting("lfs.storage").as_deref());
            let borrowed = alternates::stores(&self.git, &self.common_dir);
            std::iter::once(own).chain(borrowed).collect()
        })
    }

    /// The state folder, made when it is not there.
    fn state(&self) -> Result<Dir, Fault> {
        let place = self.store_dir();
        let shared = self.shared_with();
        let opened = Dir::open_or_create(&place, shared.map_or(Access::Owner, Access::Shared));
        let dir = opened.map_err(|error| unwritable("the cache cannot be opened", &error))?;
        // Where others may write to git's own folder, they can replace ours as they like.
        let git_folder = Dir::open(&self.common_dir, Access::Owner).and_then(|folder| folder.own_facts());
        let allowed = shared.unwrap_or(0) | git_folder.map_or(0, |facts| facts.permissions);
        let facts = dir.own_facts()?;
        if facts.permissions & OTHERS_WRITE & !allowed != 0 {
            return Err(others_may_write(&quote_path(&place)));
        }
        Ok(dir)
    }

    /// Who shares this repository, as permission bits of a folder; none where nobody does.
    fn shared_with(&self) -> Option<u32> {
        shared_bits(&self.setting("core.sharedrepository")?)
    }
}

/// A cache that lies elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachePlace {
    /// Its folder.
    pub folder: PathBuf,
    /// What names it.
    pub named_by: &'static str,
}

impl CachePlace {
    /// Refuses a folder that is neither empty nor a cache, and one where a clone keeps what is its own. Nothing in it
    /// changes.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        let refused = |what: &str| {
            let (named_by, folder) = (self.named_by, quote_path(&self.folder));
            Fault::misuse(format!(
                "{named_by} names {folder}, {what}: name an empty folder, or one that is not there yet"
            ))
        };
        if self.folder.ancestors().any(is_git_folder) {
            return Err(refused("which lies in git's own folder of a clone, and goes with it"));
        }
        let kind = match Dir::open(&self.folder, Access::Owner).and_then(|root| kind_of(&root)) {
            Ok(kind) => kind,
            // Whoever opens it to write is told.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => {
                FolderKind::Empty
            }
            Err(error) => return Err(Fault::local("the shared cache cannot be opened", &error)),
        };
        match kind {
            FolderKind::Empty | FolderKind::Cache => Ok(()),
            FolderKind::OfAClone => Err(refused("where a clone keeps what no server has")),
            FolderKind::Foreign => Err(refused("which holds something else than a cache of hydrant's")),
        }
    }
}

/// Whether this is git's own folder of a repository.
fn is_git_folder(folder: &Path) -> bool {
    folder.join("HEAD").is_file() && folder.join("objects").is_dir() && folder.join("refs").is_dir()
}

/// Whether a folder, or the nearest one above that is there, can be written.
fn nearest_is_writable(folder: &Path) -> bool {
    for folder in folder.ancestors() {
        match Dir::open(folder, Access::Owner) {
            Ok(nearest) => return nearest.is_writable(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // What cannot be looked into cannot be written.
            Err(_) => return false,
        }
    }
    false
}

/// The real path of a folder that need not be there yet.
fn real(folder: &Path) -> PathBuf {
    // Part by part: an empty rest would end the path in a slash.
    let real = |above: &Path| {
        let real = above.canonicalize().ok()?;
        Some(folder.strip_prefix(above).ok()?.components().fold(real, |path, part| path.join(part)))
    };
    folder.ancestors().find_map(real).unwrap_or_else(|| folder.to_owned())
}

fn others_may_write(folder: &str) -> Fault {
    Fault::failed(
        Code::Rejected,
        format!(
            "other users may write to {folder}, where what is verified lies: take that right away (chmod go-w), or \
             say who shares this repository with `git config core.sharedRepository group`"
        ),
    )
}

/// Why a cache on a network share is not used.
pub(crate) fn of_another_machine(folder: &Path, name: &str) -> Fault {
    let folder = quote_path(folder);
    Fault::failed(
        Code::Conflict,
        format!(
            "{folder} is the cache of the machine {}: give this one a folder of its own, or remove `machine` there \
             when that machine does not use it any more",
            quote(name.as_bytes())
        ),
    )
}

/// What `core.sharedRepository` means for a folder, as git reads it: a number gives all bits of a file, a word adds to
/// what its owner has; who may read a folder may enter it.
fn shared_bits(value: &str) -> Option<u32> {
    const OWNER: u32 = 0o600;
    let file = match value.to_ascii_lowercase().as_str() {
        "" | "group" | "true" | "yes" | "on" | "1" => 0o660,
        "all" | "world" | "everybody" | "2" => 0o664,
        "umask" | "false" | "no" | "off" | "0" => return None,
        octal => u32::from_str_radix(octal, 8).ok().filter(|bits| bits & OWNER == OWNER)? & 0o666,
    };
    let folder = file | ((file & 0o444) >> 2);
    (file != OWNER).then_some(folder)
}

/// The same where no call has failed yet.
pub(crate) fn unkept(doing: &str) -> Fault {
    unwritable(doing, &io::Error::from(io::ErrorKind::PermissionDenied))
}

/// Why nothing can be kept, and what to do.
pub(crate) fn unwritable(doing: &str, error: &io::Error) -> Fault {
    if !is_unwritable(error) {
        return Fault::failed(Code::Host, HostError::io(doing, error).to_string());
    }
    Fault::failed(
        Code::Host,
        format!(
            "{doing}: {}: git's folder of this clone cannot be written, so nothing can be kept here; HYDRANT_CACHE can \
             name another folder for what is fetched, and `hydrant show` reads without keeping",
            io_words(error)
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::shared_bits;

    #[test]
    fn who_shares_is_read_as_git_reads_it() {
        for (value, folder) in [
            ("group", Some(0o770)),
            ("GROUP", Some(0o770)),
            ("true", Some(0o770)),
            ("1", Some(0o770)),
            ("", Some(0o770)),
            ("all", Some(0o775)),
            ("world", Some(0o775)),
            ("everybody", Some(0o775)),
            ("2", Some(0o775)),
            ("0660", Some(0o770)),
            ("0640", Some(0o750)),
            ("0666", Some(0o777)),
            ("0777", Some(0o777)),
            ("0600", None),
            ("umask", None),
            ("false", None),
            ("0", None),
            ("0060", None),
            ("9", None),
            ("nobody", None),
        ] {
            assert_eq!(shared_bits(value), folder, "{value}");
        }
    }
}
