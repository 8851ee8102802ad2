//! Durability without a sync per blob: entries are trusted within the boot of the machine that wrote them.
//!
//! A power loss can leave an entry whose bytes never reached the disk. It also ends the boot. So at the first opening
//! within another boot the whole `cache` folder is moved to `unproved/<n>`, and what is found there is hashed before it
//! is used. Where the system does not name its boots, every entry is synced instead.

use std::io::{self, Write};

use crate::files::{Dir, names_no_file};

/// Bytes of a boot's name at most.
const BOOT_BYTES_MAX: u64 = 128;
/// The file of the store that names the boot its entries are from.
pub(super) const BOOT_FILE: &str = "boot";
pub(super) const LOCK_FILE: &str = "lock";
pub(super) const CACHE: &str = "cache";
pub(super) const UNPROVED: &str = "unproved";
/// Folders of unproved entries at most; more are merged into one.
const UNPROVED_FOLDERS_MAX: usize = 4;

/// Moves entries of another boot aside and notes the running one. Returns the folders of unproved entries.
pub(super) fn enter(root: &Dir, boot: Option<&str>) -> io::Result<Vec<Dir>> {
    if let Some(boot) = boot
        && recorded(root)?.as_deref() != Some(boot)
    {
        let lock = root.open_or_create_file(LOCK_FILE)?;
        lock.lock()?;
        // Another process may have done it while this one waited.
        if recorded(root)?.as_deref() != Some(boot) {
            set_aside(root)?;
            record(root, boot)?;
        }
    }
    unproved(root)
}

/// What a reader finds: the trusted entries, and the folders of those that are not, the latest first. Nothing is moved
/// and nothing is noted, so entries of another boot count as unproved where they lie.
pub(super) fn look(root: &Dir, boot: Option<&str>) -> io::Result<(Option<Dir>, Vec<Dir>)> {
    let mut entries = root.dir_if_any(CACHE)?;
    let mut unproved = Vec::new();
    if boot.is_some() && recorded(root)?.as_deref() != boot {
        unproved.extend(entries.take());
    }
    if let Some(parent) = root.dir_if_any(UNPROVED)? {
        let numbers = numbered(&parent)?;
        let latest = numbers.iter().rev().filter_map(|number| parent.existing_dir(number.to_string()).ok());
        unproved.extend(latest.take(UNPROVED_FOLDERS_MAX));
    }
    Ok((entries, unproved))
}

/// The folders of unproved entries: none that is empty, and never more than a few.
fn unproved(root: &Dir) -> io::Result<Vec<Dir>> {
    let parent = match root.existing_dir(UNPROVED) {
        Ok(folder) => folder,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut numbers = numbered(&parent)?;
    if !numbers.is_empty() {
        // Best effort: a store that cannot be written is read as it is.
        numbers = tidy(root, &parent).unwrap_or(numbers);
    }
    let newest = numbers.iter().rev().take(UNPROVED_FOLDERS_MAX);
    Ok(newest.filter_map(|number| parent.existing_dir(number.to_string()).ok()).collect())
}

/// Removes what is empty and merges what is too many; returns what is left.
fn tidy(root: &Dir, parent: &Dir) -> io::Result<Vec<u64>> {
    let lock = root.open_or_create_file(LOCK_FILE)?;
    lock.lock()?;
    let mut folders = Vec::new();
    for number in numbered(parent)? {
        let Ok(folder) = parent.existing_dir(number.to_string()) else { continue };
        if !(remove_empty_fans(&folder)? && parent.remove_empty_dir(number.to_string())) {
            folders.push((number, folder));
        }
    }
    if folders.len() > UNPROVED_FOLDERS_MAX {
        merge(parent, &mut folders)?;
    }
    Ok(folders.into_iter().map(|(number, _)| number).collect())
}

/// The numbers of the folders, in the order they were set aside. Nothing else that lies there is ours.
fn numbered(parent: &Dir) -> io::Result<Vec<u64>> {
    let names = parent.names()?.into_iter();
    let mut numbers: Vec<u64> =
        names.filter_map(|name| name.parse::<u64>().ok().filter(|number| number.to_string() == name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Looks no further than the first fan that holds something.
fn remove_empty_fans(folder: &Dir) -> io::Result<bool> {
    Ok(folder.names()?.iter().all(|fan| folder.remove_empty_dir(fan)))
}

/// Moves all entries into the first folder. Of two with one name the later one stays: it was written because the
/// earlier one was of no use.
fn merge(parent: &Dir, folders: &mut Vec<(u64, Dir)>) -> io::Result<()> {
    let others = folders.split_off(1);
    let Some((_, first)) = folders.first() else { return Ok(()) };
    for (number, other) in others {
        for fan in other.names()? {
            let Ok(from) = other.existing_dir(&fan) else { continue };
            first.make_dir(fan.as_str())?;
            let to = first.existing_dir(&fan)?;
            for entry in from.names()? {
                match from.rename(&entry, &to, &entry) {
                    // Another process, which opened the store before, has just proved it.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    other => other?,
                }
            }
            other.remove_empty_dir(&fan);
        }
        parent.remove_empty_dir(number.to_string());
    }
    Ok(())
}

pub(super) fn recorded(root: &Dir) -> io::Result<Option<String>> {
    let noted = match root.read_small(BOOT_FILE, BOOT_BYTES_MAX) {
        // A link is no note. What is written takes its place.
        Err(error) if names_no_file(&error) => None,
        noted => noted?,
    };
    // Bytes that are no text name no boot.
    Ok(noted.and_then(|text| String::from_utf8(text).ok()).map(|text| text.trim().to_owned()))
}

fn set_aside(root: &Dir) -> io::Result<()> {
    match root.existing_dir(CACHE) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    let unproved = root.dir(UNPROVED)?;
    let next = numbered(&unproved)?.last().map_or(1, |last| last.saturating_add(1));
    root.rename(CACHE, &unproved, next.to_string())
}

fn record(root: &Dir, boot: &str) -> io::Result<()> {
    let temporary = format!("{BOOT_FILE}.{}", std::process::id());
    root.remove(&temporary)?;
    let mut file = root.create_new(&temporary)?;
    file.write_all(boot.as_bytes())?;
    root.rename(&temporary, root, BOOT_FILE)
}
