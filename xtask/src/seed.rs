//! Fills a copy's target folder with the dependencies that the project has built already, so that a copy compiles only
//! the project's own packages.
//!
//! Files are copied with their times, because cargo compares times. Nothing of the project's own packages is taken:
//! their paths differ, and cargo would have to tell them apart.

use crate::failure::{Because, Result};
use crate::workspace::Workspace;
use std::fs::{self, File};
use std::path::Path;

/// Profile folders within a target folder.
const PROFILES: [&str; 3] = ["debug", "wasm", "wasm32-unknown-unknown/wasm"];
/// What belongs to the project itself starts so.
const OWN_PREFIXES: [&str; 4] = ["hydrant", "libhydrant", "xtask", "libxtask"];

/// Copies built dependencies from one target folder to another that has none.
pub(crate) fn seed(from: &Workspace, to: &Workspace) -> Result<()> {
    for profile in PROFILES {
        for part in [".fingerprint", "build", "deps"] {
            let (source, copy) = (from.target.join(profile).join(part), to.target.join(profile).join(part));
            if source.is_dir() && !copy.exists() {
                copy_folder(&source, &copy).because("the built dependencies cannot be copied")?;
            }
        }
    }
    Ok(())
}

fn copy_folder(source: &Path, copy: &Path) -> std::io::Result<()> {
    fs::create_dir_all(copy)?;
    for entry in fs::read_dir(source)? {
        let entry = entry?;
        let name = entry.file_name();
        if OWN_PREFIXES.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            continue;
        }
        let (path, target) = (entry.path(), copy.join(&name));
        if source.ends_with("deps") && path.extension().is_none() {
            // A linked program: only the project itself links any there.
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_folder(&path, &target)?;
        } else if kind.is_file() {
            fs::copy(&path, &target)?;
            File::options().write(true).open(&target)?.set_modified(entry.metadata()?.modified()?)?;
        }
    }
    Ok(())
}
