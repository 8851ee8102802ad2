//! Files of a rewrite in the work tree: written over and removed, only where they hold exactly what was expected.
//!
//! Rule: a file is taken aside before it is removed, and looked at once more; one that changed goes back. As with any
//! checkout, a power loss can bring back what was just removed: git has it all, and shows it.

use std::io;
use std::sync::atomic::Ordering;

use rustix::fs::{AtFlags, RenameFlags, fstat, renameat, renameat_with, unlinkat};

use super::placing::{self, Wanted};
use super::range::holds_exactly;
use super::{Place, TEMPORARIES};
use crate::files::atomic::{same_content_state, stat_of};

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
    let state = fstat(&opened.file)?;
    if !holds_exactly(place, name, bytes) {
        return Ok(false);
    }
    let Some((folder, last)) = place.tree.folder_of(name)? else { return Ok(false) };
    let number = TEMPORARIES.fetch_add(1, Ordering::Relaxed);
    let aside = format!("{ASIDE}{}-{number}.tmp", std::process::id());
    renameat(&folder, last, &folder, &aside)?;
    if !stat_of(&folder, &aside)?.is_some_and(|now| same_content_state(&now, &state)) {
        // Changed in the last moment: it goes back.
        renameat_with(&folder, &aside, &folder, last, RenameFlags::NOREPLACE)?;
        return Ok(false);
    }
    unlinkat(&folder, &aside, AtFlags::empty())?;
    remove_empty_folders(place, name);
    Ok(true)
}

/// Removes the folders of a file that hold nothing any more, as git does.
fn remove_empty_folders(place: &Place, name: &str) {
    let mut folder = name;
    while let Some((above, _)) = folder.rsplit_once('/') {
        let gone = matches!(place.tree.folder_of(above), Ok(Some((parent, last)))
            if unlinkat(&parent, last, AtFlags::REMOVEDIR).is_ok());
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
    for entry in rustix::fs::Dir::read_from(&folder)? {
        let entry = entry?;
        let Ok(left) = entry.file_name().to_str() else { continue };
        if left.starts_with(ASIDE) && holds_exactly(place, &format!("{above}{left}"), bytes) {
            unlinkat(&folder, left, AtFlags::empty())?;
        }
    }
    Ok(())
}
