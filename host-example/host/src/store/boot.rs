//! Durability without a sync per blob: entries are trusted within the boot of the machine that wrote them.
//!
//! A power loss can leave an entry whose bytes never reached the disk. It also ends the boot. So at the first opening
//! within another boot the whole `cache` folder is moved to `unproved/<n>`, and what is found there is hashed before it
//! is used. Where the system does not name its boots, every entry is synced instead.

use std::fs;
use std::io::{self, Read, Write};

use rustix::fs::{FlockOperation, flock};

use super::folder::Folder;
use crate::files::names_no_file;

/// Where Linux names its boot.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// Bytes of a boot's name at most.
const BOOT_BYTES_MAX: u64 = 128;
/// The file of the store that names the boot its entries are from.
const BOOT_FILE: &str = "boot";
const LOCK_FILE: &str = "lock";
pub(super) const CACHE: &str = "cache";
pub(super) const UNPROVED: &str = "unproved";
/// Folders of unproved entries at most; more are merged into one.
const UNPROVED_FOLDERS_MAX: usize = 4;

/// The name of the running boot; none where the system has none.
pub(super) fn current() -> Option<String> {
    let mut text = String::new();
    fs::File::open(BOOT_ID).ok()?.take(BOOT_BYTES_MAX).read_to_string(&mut text).ok()?;
    let name = text.trim().to_owned();
    (!name.is_empty()).then_some(name)
}

/// Moves entries of another boot aside and notes the running one. Returns the folders of unproved entries.
pub(super) fn enter(root: &Folder, boot: Option<&str>) -> io::Result<Vec<Folder>> {
    if let Some(boot) = boot
        && recorded(root)?.as_deref() != Some(boot)
    {
        let lock = root.open_or_create_file(LOCK_FILE)?;
        flock(&lock, FlockOperation::LockExclusive)?;
        // Another process may have done it while this one waited.
        if recorded(root)?.as_deref() != Some(boot) {
            set_aside(root)?;
            record(root, boot)?;
        }
    }
    unproved(root)
}

/// The folders of unproved entries: none that is empty, and never more than a few.
fn unproved(root: &Folder) -> io::Result<Vec<Folder>> {
    let parent = match root.existing_folder(UNPROVED) {
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
    Ok(newest.filter_map(|number| parent.existing_folder(&number.to_string()).ok()).collect())
}

/// Removes what is empty and merges what is too many; returns what is left.
fn tidy(root: &Folder, parent: &Folder) -> io::Result<Vec<u64>> {
    let lock = root.open_or_create_file(LOCK_FILE)?;
    flock(&lock, FlockOperation::LockExclusive)?;
    let mut folders = Vec::new();
    for number in numbered(parent)? {
        let Ok(folder) = parent.existing_folder(&number.to_string()) else { continue };
        if !(remove_empty_fans(&folder)? && parent.remove_empty_folder(&number.to_string())) {
            folders.push((number, folder));
        }
    }
    if folders.len() > UNPROVED_FOLDERS_MAX {
        merge(parent, &mut folders)?;
    }
    Ok(folders.into_iter().map(|(number, _)| number).collect())
}

/// The numbers of the folders, in the order they were set aside. Nothing else that lies there is ours.
fn numbered(parent: &Folder) -> io::Result<Vec<u64>> {
    let names = parent.names()?.into_iter();
    let mut numbers: Vec<u64> =
        names.filter_map(|name| name.parse::<u64>().ok().filter(|number| number.to_string() == name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Looks no further than the first fan that holds something.
fn remove_empty_fans(folder: &Folder) -> io::Result<bool> {
    Ok(folder.names()?.iter().all(|fan| folder.remove_empty_folder(fan)))
}

/// Moves all entries into the first folder. Of two with one name the later one stays: it was written because the
/// earlier one was of no use.
fn merge(parent: &Folder, folders: &mut Vec<(u64, Folder)>) -> io::Result<()> {
    let others = folders.split_off(1);
    let Some((_, first)) = folders.first() else { return Ok(()) };
    for (number, other) in others {
        for fan in other.names()? {
            let Ok(from) = other.existing_folder(&fan) else { continue };
            first.make_folder(&fan)?;
            let to = first.existing_folder(&fan)?;
            for entry in from.names()? {
                match from.rename(&entry, &to, &entry) {
                    // Another process, which opened the store before, has just proved it.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    other => other?,
                }
            }
            other.remove_empty_folder(&fan);
        }
        parent.remove_empty_folder(&number.to_string());
    }
    Ok(())
}

fn recorded(root: &Folder) -> io::Result<Option<String>> {
    let file = match root.read(BOOT_FILE) {
        Ok(file) => file,
        // A link is no note. What is written takes its place.
        Err(error) if error.kind() == io::ErrorKind::NotFound || names_no_file(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = String::new();
    match file.take(BOOT_BYTES_MAX).read_to_string(&mut text) {
        Ok(_) => Ok(Some(text.trim().to_owned())),
        // Bytes that are no text name no boot.
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
        Err(error) => Err(error),
    }
}

fn set_aside(root: &Folder) -> io::Result<()> {
    match root.existing_folder(CACHE) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    let unproved = root.folder(UNPROVED)?;
    let next = numbered(&unproved)?.last().map_or(1, |last| last.saturating_add(1));
    root.rename(CACHE, &unproved, &next.to_string())
}

fn record(root: &Folder, boot: &str) -> io::Result<()> {
    let temporary = format!("{BOOT_FILE}.{}", std::process::id());
    root.remove(&temporary)?;
    let mut file = root.create_new(&temporary)?;
    file.write_all(boot.as_bytes())?;
    root.rename(&temporary, root, BOOT_FILE)
}
