//! Pointers of sessions that have no manifest: nothing says what they belong to.
//!
//! The rule it keeps: a folder that holds neither a pointer nor a manifest is none of our business.

use std::collections::{BTreeMap, HashSet};

use super::last_commit::LastCommit;
use super::report::Seen;
use crate::contract::error::Fault;
use crate::contract::types::Code;
use crate::repository::Repository;
use crate::sessions::ledger::{MANIFEST, SESSIONS};

/// Oids of pointers that stand in folders without a manifest, by session and by the path of the file within.
pub(super) type Pointers = BTreeMap<String, BTreeMap<String, String>>;

/// Tells of the last commit's pointers without a manifest.
pub(super) fn look_at_commit(committed: &LastCommit, seen: &mut Seen) {
    for (name, oid) in committed.unnamed() {
        seen.find(name, oid, Code::Conflict, "its pointer is committed, and no manifest of its session is");
    }
}

/// Tells of those that stand in the work tree, and not of one that is committed a second time.
pub(super) fn look_at_tree(
    repository: &Repository,
    committed: &LastCommit,
    standing: Pointers,
    seen: &mut Seen,
) -> Result<(), Fault> {
    if standing.is_empty() {
        return Ok(());
    }
    let told: HashSet<&str> = committed.unnamed().iter().map(|(name, _)| name.as_str()).collect();
    let kept_out = kept_out(repository)?;
    for (session, files) in standing.into_iter().filter(|(session, _)| !kept_out.contains(session)) {
        if committed.has_manifest(&session) {
            let detail = "it is committed and does not stand here, where pointers of its session do";
            seen.find(format!("{session}/{MANIFEST}"), "", Code::Missing, detail);
            continue;
        }
        for (file, oid) in files {
            let name = format!("{session}/{file}");
            if !told.contains(name.as_str()) {
                seen.find(name, &oid, Code::Conflict, "its pointer stands here, and its session has no manifest");
            }
        }
    }
    Ok(())
}

/// Sessions whose manifests a sparse checkout keeps out of the work tree.
fn kept_out(repository: &Repository) -> Result<HashSet<String>, Fault> {
    if repository.flag("core.sparsecheckout") != Some(true) {
        return Ok(HashSet::new());
    }
    let manifests = format!(":(top,glob){SESSIONS}/*/{MANIFEST}");
    let listed = repository.as_it_is().read(&["ls-files", "-t", "-z", "--", &manifests], b"")?;
    let session = |line: &[u8]| {
        let path = std::str::from_utf8(line.strip_prefix(b"S ")?).ok()?;
        path.split('/').nth(1).map(str::to_owned)
    };
    Ok(listed.split(|byte| *byte == 0).filter_map(session).collect())
}
