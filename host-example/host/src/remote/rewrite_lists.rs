//! What a commit and an index have under the names that a rewrite is about.

use std::collections::{BTreeMap, BTreeSet};

use super::entries::Entries;
use super::index_copy::IndexCopy;
use super::{PLAIN_INDEX, Place};
use crate::contract::types::Failed;
use crate::git::chain;
use crate::git::tree::{self, Listed};

/// What a commit holds under these names.
pub(super) fn files_of(place: &Place, commit: &str, names: &BTreeSet<&str>) -> Result<Entries, Failed> {
    let mut entries = Entries::new();
    if names.is_empty() {
        return Ok(entries);
    }
    tree::each_entry(&place.git, commit, &[], |path, entry| {
        if let Some(name) = std::str::from_utf8(path).ok().filter(|name| names.contains(name)) {
            entries.insert(name.to_owned(), entry);
        }
        Ok::<_, Failed>(())
    })?;
    Ok(entries)
}

/// What a copy of the index has under these names.
pub(super) fn list(index: &IndexCopy, names: &BTreeSet<&str>) -> Result<BTreeMap<String, Listed>, Failed> {
    let mut found = BTreeMap::new();
    if names.is_empty() {
        return Ok(found);
    }
    let arguments = [&PLAIN_INDEX[..], &["ls-files", "-v", "--stage", "-z", "--full-name"]].concat();
    chain::read(&index.git, &[&arguments], |said| {
        while let Some(line) = said.record(0)? {
            found.extend(tree::listed(&line).filter(|(path, _)| names.contains(path.as_str())));
        }
        Ok::<_, Failed>(())
    })?;
    Ok(found)
}
