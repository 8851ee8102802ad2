//! Content that is committed in full where its pointer belongs, and is as long as the manifest says.
//!
//! The rule it keeps: nothing is read twice. What stands unchanged in the work tree was hashed there; of the rest, git
//! hands out what is short enough to be kept in memory.

use std::collections::{BTreeMap, BTreeSet};

use super::report::Seen;
use crate::contract::error::Fault;
use crate::contract::types::Code;
use crate::files::digest::blob_of;
use crate::git::Git;
use crate::repository::Repository;
use crate::sessions::ledger::SESSIONS;

/// Bytes that git is asked for at once, at most; longer files are not read.
const CONTENT_BYTES_MAX: u64 = 4 << 20;
pub(super) const DETAIL: &str = "content is committed in place of its pointer, and is not what the manifest names";

/// One such file.
pub(super) struct InFull {
    /// `SESSION/FILE`
    pub(super) name: String,
    /// What it should hash to.
    pub(super) oid: String,
    /// What stands in the work tree was hashed, and has no finding.
    pub(super) is_right_here: bool,
}

/// Hashes what the commit has of these files.
pub(super) fn look(repository: &Repository, commit: &str, files: Vec<InFull>, seen: &mut Seen) -> Result<(), Fault> {
    let git = repository.as_it_is();
    let changed = if files.iter().any(|file| file.is_right_here) { changed(git, commit)? } else { BTreeSet::new() };
    let path = |file: &InFull| format!("{SESSIONS}/{}", file.name);
    let is_unproved = |file: &InFull| !file.is_right_here || changed.contains(&path(file));
    let files: Vec<InFull> = files.into_iter().filter(is_unproved).collect();
    if files.is_empty() {
        return Ok(());
    }
    let words: Vec<String> = files.iter().map(|file| format!("{commit}:{}", path(file))).collect();
    let mut by_blob: BTreeMap<(String, u64), Vec<InFull>> = BTreeMap::new();
    for (file, found) in files.into_iter().zip(git.blob_info(&words)?) {
        if let Some(blob) = found.filter(|blob| blob.size <= CONTENT_BYTES_MAX) {
            by_blob.entry((blob.git_oid, blob.size)).or_default().push(file);
        }
    }
    let (blobs, files): (Vec<(&str, u64)>, Vec<&Vec<InFull>>) =
        by_blob.iter().map(|((oid, size), files)| ((oid.as_str(), *size), files)).unzip();
    let mut first = 0;
    while first < blobs.len() {
        // git may hand out more at once than there is room for beside ten thousand sessions.
        let mut bytes = 0;
        let fits = |(_, size): &&(&str, u64)| {
            bytes += size;
            bytes <= CONTENT_BYTES_MAX
        };
        let count = blobs[first..].iter().take_while(fits).count();
        git.each_object(&blobs[first..first + count], &mut |at, _, bytes| {
            let oid = blob_of(&bytes).oid;
            for file in files[first + at].iter().filter(|file| file.oid != oid) {
                seen.find(&file.name, &file.oid, Code::Integrity, DETAIL);
            }
            Ok::<_, Fault>(())
        })?;
        first += count;
    }
    Ok(())
}

/// Paths of sessions that stand in the work tree as something else than the commit has, or may do so.
fn changed(git: &Git, commit: &str) -> Result<BTreeSet<String>, Fault> {
    let above = format!("{SESSIONS}/");
    let listed = git.read(&["--literal-pathspecs", "diff-index", "--name-only", "-z", commit, "--", &above], b"")?;
    let names = listed.split(|byte| *byte == 0).filter_map(|name| std::str::from_utf8(name).ok());
    Ok(names.map(str::to_owned).collect())
}
