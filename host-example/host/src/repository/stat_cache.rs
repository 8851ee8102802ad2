//! Makes git look again at files whose pointer gave way to content, where the user's git knows how to clean them.
//!
//! git remembers a file's size with its index entry and calls a file of another size changed without asking its
//! filter. The rule kept here: an entry keeps its mode and its blob; only the remembered size is forgotten. Without a
//! filter nothing is done, because then the file *is* changed for git.

use std::collections::HashSet;

use crate::git::GitFault;

use crate::repository::Repository;

/// Tag of an entry without any flag of the user's.
const PLAIN: u8 = b'H';

/// Forgets what the index remembers of these paths. An index that is locked or odd is left alone; says whether it was.
pub(crate) fn forget(repository: &Repository, paths: &HashSet<&[u8]>) -> Result<bool, GitFault> {
    let filtered = ["filter.lfs.clean", "filter.lfs.process"].iter().any(|key| repository.setting(key).is_some());
    if paths.is_empty() || !filtered {
        return Ok(true);
    }
    let listed = repository.git.read(&["ls-files", "-v", "--stage", "-z"], b"")?;
    let mut entries = Vec::new();
    for entry in listed.split(|byte| *byte == 0) {
        if let Some((facts, path)) = plain_entry(entry)
            && paths.contains(path)
        {
            entries.extend_from_slice(facts);
            entries.push(b'\t');
            entries.extend_from_slice(path);
            entries.push(0);
        }
    }
    if entries.is_empty() {
        return Ok(true);
    }
    Ok(repository.git.run(&["update-index", "-z", "--index-info"], &entries)?.success())
}

/// `mode blob stage` and the path of an entry that is not in a conflict and carries no flag.
fn plain_entry(entry: &[u8]) -> Option<(&[u8], &[u8])> {
    let [tag, b' ', rest @ ..] = entry else { return None };
    let tab = rest.iter().position(|byte| *byte == b'\t')?;
    let (facts, path) = (&rest[..tab], &rest[tab + 1..]);
    (*tag == PLAIN && facts.ends_with(b" 0")).then_some((facts, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_entries_are_taken() {
        let entry = b"H 100644 0123 0\ta b\tc";
        assert_eq!(plain_entry(entry), Some((&b"100644 0123 0"[..], &b"a b\tc"[..])));
        for other in [&b"h 100644 0123 0\ta"[..], b"S 100644 0123 0\ta", b"M 100644 0123 2\ta", b"H 100644", b""] {
            assert_eq!(plain_entry(other), None);
        }
    }
}
