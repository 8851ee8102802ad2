//! Paths that can be locked: files of the working tree, as git spells them.

use std::path::Path;

use crate::contract::error::Fault;
use crate::repository::Repository;
use crate::sessions::ledger::Ledger;
use crate::text::quote;

/// What the caller calls a file, as git spells it.
pub(super) fn path_within(repository: &Repository, word: &str) -> Result<String, Fault> {
    let shown = quote(word.as_bytes());
    let path = Ledger::of(repository)?.path_within(word, &repository.here);
    let path = path.ok_or_else(|| Fault::misuse(format!("{shown} lies outside of the work tree")))?;
    if path.is_empty() {
        return Err(Fault::misuse("a lock is on a file, not on the whole work tree"));
    }
    // git speaks of the link, and knows nothing of what lies behind it.
    let mut folder = repository.top.clone();
    for part in Path::new(&path).parent().into_iter().flat_map(Path::iter) {
        folder.push(part);
        if folder.symlink_metadata().is_ok_and(|facts| facts.is_symlink()) {
            return Err(Fault::misuse(format!("{shown} lies behind a symlink, where git has no files")));
        }
    }
    if Path::new(&path).iter().next().is_some_and(|first| first.eq_ignore_ascii_case(".git")) {
        return Err(Fault::misuse(format!("{shown} is no file of the work tree")));
    }
    Ok(path)
}

/// Refuses a folder: a lock is on a file.
pub(super) fn check_file(repository: &Repository, path: &str) -> Result<(), Fault> {
    if repository.top.join(path).symlink_metadata().is_ok_and(|facts| facts.is_dir()) {
        return Err(Fault::misuse(format!("{} is a folder; a lock is on a file", quote(path.as_bytes()))));
    }
    Ok(())
}
