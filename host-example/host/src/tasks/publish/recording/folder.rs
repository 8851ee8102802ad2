//! The files of a folder that the user wants published.
//!
//! The rule it keeps: no symlink is followed, not even to a folder; what is refused or left out is named.

use std::fs;
use std::path::{Path, PathBuf};

use crate::contract::error::Fault;
use crate::contract::types::Code;
use crate::engine::Guest;
use crate::sessions::ledger::MANIFEST;
use crate::text::quote;

/// Folders below each other at most.
const DEPTH_MAX: usize = 16;
/// Files of one folder at most; the engine's own limit is lower.
const FILES_MAX: usize = 65_536;

/// A regular file.
pub(super) struct Listed {
    /// Its path within the folder, with slashes.
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) size: u64,
}

/// Names that were passed over, each with the reason.
type Passed = Vec<(String, &'static str)>;

/// The regular files beneath a folder, in order, and those whose names no session can have. Hidden files and folders,
/// lock files and the manifest are left out.
pub(super) fn listed(folder: &Path, guest: &mut Guest) -> Result<(Vec<Listed>, Passed), Fault> {
    let (mut files, mut unusable) = (Vec::new(), Vec::new());
    for (name, path) in named(folder)? {
        if guest.name_flaw(&name)?.is_some() {
            unusable.push((name, "a file of a session cannot have this name"));
        } else {
            let size = path.symlink_metadata().map_err(|error| Fault::local(&quote(name.as_bytes()), &error))?.len();
            files.push(Listed { name, path, size });
        }
    }
    Ok((files, unusable))
}

/// The same with names and paths alone, whatever the names.
pub(in super::super) fn named(folder: &Path) -> Result<Vec<(String, PathBuf)>, Fault> {
    let mut files = Vec::new();
    let mut stack = vec![(folder.to_owned(), String::new(), 0)];
    while let Some((folder, prefix, depth)) = stack.pop() {
        let unreadable = |error: &std::io::Error| Fault::local("the folder of the session cannot be read", error);
        for entry in fs::read_dir(&folder).map_err(|error| unreadable(&error))? {
            let entry = entry.map_err(|error| unreadable(&error))?;
            let Ok(name) = entry.file_name().into_string() else {
                return Err(Fault::misuse("the folder holds a name that is no text"));
            };
            let within = format!("{prefix}{name}");
            if name.starts_with('.') || name.ends_with(".lock") || within == MANIFEST {
                continue;
            }
            let kind = entry.file_type().map_err(|error| unreadable(&error))?;
            if kind.is_dir() {
                if depth == DEPTH_MAX {
                    let detail = format!("{}: folders lie more than {DEPTH_MAX} deep", quote(within.as_bytes()));
                    return Err(Fault::failed(Code::Limit, detail));
                }
                stack.push((entry.path(), format!("{within}/"), depth + 1));
            } else if kind.is_file() {
                files.push((within, entry.path()));
            } else {
                let shown = quote(within.as_bytes());
                return Err(Fault::misuse(format!("{shown} is no regular file, and only those are published")));
            }
            if files.len() > FILES_MAX {
                return Err(Fault::failed(Code::Limit, format!("the folder holds more than {FILES_MAX} files")));
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}
