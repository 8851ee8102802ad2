//! Committed content that another pointer takes the place of: it leaves the work tree by a swap, like any content, so
//! that whoever still writes it loses nothing.

use std::io;

use super::Place;
use super::placing::{Wanted, is_pointer_to};
use crate::contract::types::Swap;
use crate::files::digest::blob_of_file;
use crate::files::{Access, Dir, Facts};
use crate::worktree::swap::{Aside, swap};

/// Folder beneath git's own that takes what is displaced: the cache's.
const STORE: &str = "hydrant";

/// Displaces a file in this state. One that changed since is the user's, and one that the pointer names is the
/// publish's to swap: both stay.
pub(super) fn displace(place: &Place, wanted: &Wanted<'_>, state: &Facts) -> io::Result<()> {
    let Some(mut opened) = place.tree.open(wanted.name)? else { return Ok(()) };
    if !Facts::of(&opened.file)?.is_same_content(state) {
        return Ok(());
    }
    let blob = blob_of_file(&mut opened.file)?;
    if is_pointer_to(wanted.new, &blob.oid) {
        return Ok(());
    }
    let aside = Aside::open(&Dir::open_or_create(&place.common_dir.join(STORE), Access::Owner)?)?;
    aside.enter(&place.tree, wanted.name)?;
    let (name, expects, pointer) = (wanted.name.to_owned(), opened.revision.text(), wanted.new.to_vec());
    // Whatever it comes to, nothing is lost, and git shows what stayed.
    swap(&place.tree, &aside, &Swap { name, expects, blob, pointer }, || Ok(())).map(drop)
}
