//! The files of a folder that the user wants published.
//!
//! The rule it keeps: no symlink is followed, not even to a folder; what is passed over is named, and keeps nothing
//! else from being taken.

use std::fs::{self, FileType};
use std::path::{Path, PathBuf};

use crate::contract::error::Fault;
use crate::contract::types::Code;
use crate::engine::Guest;
use crate::sessions::ledger::MANIFEST;
use crate::tasks::publish::left_out::{LeftOut, LeftOutReason};
use crate::text::quote_path;
use crate::worktree::patterns::Selection;

/// Folders below each other at most.
const DEPTH_MAX: usize = 16;
/// Files of one folder at most, those that are passed over included; the engine's own limit is lower.
const FILES_MAX: usize = 65_536;
/// The file that whoever changes the manifest locks. It is ours, and nobody misses it.
const OWN_LOCK: &str = ".meta.json.lock";

/// A regular file.
pub(in super::super) struct Listed {
    /// Its path within the folder, with slashes.
    pub(in super::super) name: String,
    pub(in super::super) path: PathBuf,
}

/// What lies beneath a folder, in order.
#[derive(Default)]
pub(in super::super) struct Found {
    pub(in super::super) files: Vec<Listed>,
    pub(in super::super) left_out: Vec<LeftOut>,
}

impl Found {
    /// Passes over the files whose names no session can have.
    pub(super) fn with_usable_names(self, guest: &mut Guest) -> Result<Self, Fault> {
        let mut found = Self { files: Vec::new(), left_out: self.left_out };
        for file in self.files {
            match guest.name_flaw(&file.name)? {
                None => found.files.push(file),
                Some(_) => found.pass(file.name, LeftOutReason::UnusableName),
            }
        }
        found.left_out.sort_unstable();
        Ok(found)
    }

    fn pass(&mut self, name: String, reason: LeftOutReason) {
        self.left_out.push(LeftOut::of_the_users(name, reason));
    }
}

/// The folder that `--from` names, without links.
pub(in super::super) fn named(folder: &Path) -> Result<PathBuf, Fault> {
    let real = folder.canonicalize().ok().filter(|real| real.is_dir());
    real.ok_or_else(|| Fault::misuse(format!("--from {}: there is no such folder", quote_path(folder))))
}

/// Everything beneath a folder: what is taken, whatever its name, and what is not.
pub(in super::super) fn found(folder: &Path, excluded: &Selection) -> Result<Found, Fault> {
    let mut found = Found::default();
    let mut stack = vec![(folder.to_owned(), String::new(), 0)];
    while let Some((folder, prefix, depth)) = stack.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if prefix.is_empty() => return Err(unreadable(&error)),
            Err(_) => {
                found.pass(prefix, LeftOutReason::Unreadable);
                continue;
            }
        };
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(&error))?;
            let kind = entry.file_type().map_err(|error| unreadable(&error))?;
            let name = entry.file_name();
            let within = format!("{prefix}{}", name.to_string_lossy());
            if within == OWN_LOCK {
                continue;
            }
            let shown = if kind.is_dir() { format!("{within}/") } else { within.clone() };
            if !excluded.wants(shown.as_bytes()) {
                found.pass(shown, LeftOutReason::Excluded);
            } else if let Some(reason) = flaw(&within, name.to_str(), kind, depth) {
                found.pass(shown, reason);
            } else if kind.is_dir() {
                stack.push((entry.path(), shown, depth + 1));
            } else {
                found.files.push(Listed { name: within, path: entry.path() });
            }
            if found.files.len() + found.left_out.len() > FILES_MAX {
                return Err(Fault::failed(Code::Limit, format!("the folder holds more than {FILES_MAX} files")));
            }
        }
    }
    found.files.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    found.left_out.sort_unstable();
    Ok(found)
}

/// Why an entry of a folder is not published, whatever stands in it.
fn flaw(within: &str, name: Option<&str>, kind: FileType, depth: usize) -> Option<LeftOutReason> {
    let Some(name) = name else { return Some(LeftOutReason::UnusableName) };
    Some(match () {
        () if name.starts_with('.') => LeftOutReason::Hidden,
        () if kind.is_dir() && depth == DEPTH_MAX => LeftOutReason::TooDeep,
        () if kind.is_dir() => return None,
        () if name.ends_with(".lock") => LeftOutReason::LockFile,
        () if within == MANIFEST => LeftOutReason::Manifest,
        () => return irregular(kind),
    })
}

/// Why whatever is of this kind is not published; none for a regular file.
pub(super) fn irregular(kind: FileType) -> Option<LeftOutReason> {
    match (kind.is_file(), kind.is_symlink()) {
        (true, _) => None,
        (_, true) => Some(LeftOutReason::Symlink),
        _ => Some(LeftOutReason::NotRegular),
    }
}

fn unreadable(error: &std::io::Error) -> Fault {
    Fault::local("the folder of the session cannot be read", error)
}
