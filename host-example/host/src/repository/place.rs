//! Where things of ours lie: the state folder in git's own, and in it the cache; who may use them; and from where blobs
//! may be copied.
//!
//! Rules: whoever only reads makes nothing, moves nothing and locks nothing; what is made has the rights that
//! `core.sharedRepository` gives, else it is the user's alone; a folder that others may write all the same is refused.

use std::io;
use std::path::PathBuf;

use super::{ORIGINAL_CACHE, Repository, alternates};
use crate::contract::error::{Fault, HostError};
use crate::contract::types::Code;
use crate::documents::Documents;
use crate::files::platform::boot;
use crate::files::{Access, Dir, is_unwritable};
use crate::store::Store;
use crate::text::io_words;

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
        Store::in_dir(self.state()?, boot()).map_err(|error| unwritable("the cache cannot be opened", &error))
    }

    /// The cache as it is, if it is there: nothing is written.
    pub fn cache_to_read(&self) -> Result<Store, Fault> {
        Ok(Store::reading(&self.store_dir())?)
    }

    /// A store with all that this repository may copy from.
    pub(crate) fn with_sources(&self, store: Store) -> Store {
        let store = self.git_lfs_stores().iter().fold(store, |store, objects| store.second_source(objects));
        if self.is_real_folder(ORIGINAL_CACHE) { store.recorded_in(&self.top.join(ORIGINAL_CACHE)) } else { store }
    }

    /// Manifests in the work tree; journals and the register of orphans, to be written.
    pub(crate) fn documents(&self) -> Result<Documents, Fault> {
        Ok(Documents::beneath(&self.top)?.with_state_in(self.state()?)?)
    }

    /// The same to be read, where there are any.
    pub(crate) fn documents_to_read(&self) -> Result<Documents, Fault> {
        let documents = Documents::beneath(&self.top)?;
        let unreadable = |error: &io::Error| HostError::io("the folder of the journal cannot be opened", error);
        match Dir::open(&self.store_dir(), Access::Owner) {
            Ok(folder) => Ok(documents.with_state_in(folder)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(documents),
            Err(error) => Err(unreadable(&error).into()),
        }
    }

    /// Whether the state folder can be written, or made.
    pub(crate) fn is_writable(&self) -> bool {
        let folder = self.store_dir();
        let parents = folder.ancestors().map(|folder| Dir::open(folder, Access::Owner));
        parents.filter_map(Result::ok).next().is_some_and(|nearest| nearest.is_writable())
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
            let folder = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Err(Fault::failed(
                Code::Rejected,
                format!(
                    "other users may write to the folder `{folder}` in git's own, where what is verified lies: \
                     take that right away (chmod go-w), or share it with `git config core.sharedRepository group`"
                ),
            ));
        }
        Ok(dir)
    }

    /// Who shares this repository, as permission bits of a folder; none where nobody does.
    fn shared_with(&self) -> Option<u32> {
        shared_bits(&self.setting("core.sharedrepository")?)
    }
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

/// Why nothing can be kept, and what to do.
pub(crate) fn unwritable(doing: &str, error: &io::Error) -> Fault {
    if !is_unwritable(error) {
        return Fault::failed(Code::Host, HostError::io(doing, error).to_string());
    }
    Fault::failed(
        Code::Host,
        format!(
            "{doing}: {}: git's folder of this clone cannot be written, so nothing can be kept here; use a clone of \
             your own, or `hydrant show`, which reads without keeping",
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
