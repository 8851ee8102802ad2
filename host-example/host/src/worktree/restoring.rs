//! Content of a work tree gives way to a pointer that somebody else made for it, outside of any publish.
//!
//! Rule: as in a publish. The content gets its second name in the cache before it loses its own, a file that is no
//! longer the one that was looked at goes back to its place, and the cache never gets other bytes under an oid that it
//! has.

use std::io;

use crate::contract::error::HostError;
use crate::contract::types::{Blob, Swap};
use crate::files::Dir;
use crate::files::Files;
use crate::store::{Look, Store};
use crate::worktree::swap::{Aside, Swapped, swap};

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Restored {
    /// The pointer stands there, and the content is in the cache.
    Swapped,
    /// The file changed since it was looked at: it is as it is.
    Changed,
    /// There is no file any more.
    Absent,
    /// The cache has other bytes under this oid; nothing was changed.
    CacheDiffers,
}

/// Whether the cache has other bytes under the oid of this blob.
pub(crate) fn cache_differs(store: &Store, blob: &Blob) -> Result<bool, HostError> {
    Ok(matches!(store.open_verified(&blob.oid, blob.size)?, Look::Corrupt))
}

/// Puts `pointer` in the place of the content that stands at `name` in the state `revision`.
pub(crate) fn restore(
    tree: &Files,
    store: &mut Store,
    name: &str,
    revision: &str,
    blob: &Blob,
    pointer: &[u8],
) -> Result<Restored, HostError> {
    if cache_differs(store, blob)? {
        return Ok(Restored::CacheDiffers);
    }
    let asked =
        Swap { name: name.to_owned(), expects: revision.to_owned(), blob: blob.clone(), pointer: pointer.to_vec() };
    perform(tree, store, &asked).map_err(|error| HostError::io("the content cannot be put aside", &error))
}

/// Ends what a process left that died while it displaced content of the session of this file: the content goes on into
/// the cache. While others displace something, nothing is done.
pub(crate) fn take_in(tree: &Files, store: &Store, name: &str) -> Result<(), HostError> {
    let take = || Aside::open(root_of(store)?)?.enter(tree, name).map(drop);
    take().map_err(|error| HostError::io("the content cannot be taken into the cache", &error))
}

fn root_of(store: &Store) -> io::Result<&Dir> {
    store.root().ok_or_else(|| io::Error::other("this store takes nothing that is displaced"))
}

fn perform(tree: &Files, store: &mut Store, asked: &Swap) -> io::Result<Restored> {
    let aside = Aside::open(root_of(store)?)?;
    let left = aside.enter(tree, &asked.name)?;
    let swapped = swap(tree, &aside, asked, || Ok(()))?;
    let (restored, note) = match swapped {
        Swapped::At(_, note) => (Restored::Swapped, note),
        Swapped::Conflict => (Restored::Changed, None),
        Swapped::Absent => (Restored::Absent, None),
    };
    store.learn(left.into_iter().chain(note));
    Ok(restored)
}
