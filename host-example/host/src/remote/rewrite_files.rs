//! Files of a rewrite in the work tree: written over and removed, only where they hold exactly what was expected.
//!
//! Rule: a file is taken aside before it is removed, and looked at once more; one that changed goes back. As with any
//! checkout, a power loss can bring back what was just removed: git has it all, and shows it.

use std::io;

use super::Place;
use super::placing::{self, Wanted};
use super::range::holds_exactly;
use crate::files::Facts;
use crate::files::atomic::temporary_name;

/// Begins the name of a file that is taken aside.
const ASIDE: &str = ".hydrant-rewrite-";

/// Writes a file over one that holds these bytes; another one stays.
pub(super) fn write_over(place: &Place, name: &str, new: &[u8], old: &[u8]) -> io::Result<()> {
    let wanted = Wanted { name, new, committed: Some(old), expects: None, executable: false };
    let plan = placing::plan(&place.tree, &wanted)?;
    placing::place(&place.tree, &wanted, &plan)
}

/// Removes a file that holds exactly these bytes; false when it does not, and then it stays.
pub(super) fn remove_exactly(place: &Place, name: &str, bytes: &[u8]) -> io::Result<bool> {
    let Some(opened) = place.tree.open(name)? else { return Ok(false) };
    let state = Facts::of(&opened.file)?;
    if !holds_exactly(place, name, bytes) {
        return Ok(false);
    }
    let Some((folder, last)) = place.tree.folder_of(name)? else { return Ok(false) };
    let aside = temporary_name(ASIDE);
    folder.rename(last, &folder, aside.as_str())?;
    if !folder.facts(aside.as_str())?.is_some_and(|now| now.is_same_content(&state)) {
        // Changed in the last moment: it goes back.
        folder.rename_new(aside.as_str(), &folder, last)?;
        return Ok(false);
    }
    folder.remove(aside.as_str())?;
    remove_empty_folders(place, name);
    Ok(true)
}

/// Removes the folders of a file that hold nothing any more, as git does.
fn remove_empty_folders(place: &Place, name: &str) {
    let mut folder = name;
    while let Some((above, _)) = folder.rsplit_once('/') {
        let gone = matches!(place.tree.folder_of(above), Ok(Some((parent, last)))
            if parent.remove_empty_dir(last));
        if !gone {
            return;
        }
        folder = above;
    }
}

/// Removes what a process that died had taken aside, when it holds what git has as well.
pub(super) fn sweep_aside(place: &Place, name: &str, bytes: &[u8]) -> io::Result<()> {
    let Some((folder, _)) = place.tree.folder_of(name)? else { return Ok(()) };
    let above = name.rsplit_once('/').map_or(String::new(), |(above, _)| format!("{above}/"));
    for left in folder.names()? {
        if left.starts_with(ASIDE) && holds_exactly(place, &format!("{above}{left}"), bytes) {
            folder.remove(left.as_str())?;
        }
    }
    Ok(())
}
