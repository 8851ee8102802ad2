//! Durability without a sync per blob: entries are trusted within the boot of the machine that wrote them.
//!
//! A power loss can leave an entry whose bytes never reached the disk. It also ends the boot. So at the first opening
//! within another boot the whole `cache` folder is moved to `unproved/<n>`, and what is found there is hashed before it
//! is used. Where the system does not name its boots, every entry is synced instead.

use std::fs;
use std::io::{self, Read, Write};

use rustix::fs::{FlockOperation, flock};

use super::folder::Folder;

/// Where Linux names its boot.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// Bytes of a boot's name at most.
const BOOT_BYTES_MAX: u64 = 128;
/// The file of the store that names the boot its entries are from.
const BOOT_FILE: &str = "boot";
const LOCK_FILE: &str = "lock";
pub(super) const CACHE: &str = "cache";
pub(super) const UNPROVED: &str = "unproved";

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
    let unproved = match root.existing_folder(UNPROVED) {
        Ok(folder) => folder,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    unproved.names()?.iter().map(|name| unproved.existing_folder(name)).collect()
}

fn recorded(root: &Folder) -> io::Result<Option<String>> {
    let file = match root.read(BOOT_FILE) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
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
    let taken = unproved.names()?;
    let next = taken.iter().filter_map(|name| name.parse::<u64>().ok()).max().map_or(1, |last| last + 1);
    root.rename(CACHE, &unproved, &next.to_string())
}

fn record(root: &Folder, boot: &str) -> io::Result<()> {
    let temporary = format!("{BOOT_FILE}.{}", std::process::id());
    root.remove(&temporary)?;
    let mut file = root.create_new(&temporary)?;
    file.write_all(boot.as_bytes())?;
    root.rename(&temporary, root, BOOT_FILE)
}
