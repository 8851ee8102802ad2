//! What the next commit would add or change, by git's word for it: the index against every parent of that commit.

use std::collections::HashMap;
use std::io::Read;

use super::candidate::{Candidate, candidate};
use crate::contract::error::Fault;
use crate::files::dir::open_file;
use crate::git::{Git, chain};
use crate::repository::{Repository, committed};

/// Where git notes the commits that are being merged.
const MERGED: &str = "MERGE_HEAD";
/// Bytes of that note that are read: more commits than anybody merges at once.
const MERGED_BYTES_MAX: u64 = 64 * 1024;

/// Regular files that the next commit would add or change. Of a merge, those that none of its parents has like that.
pub(crate) fn changes(repository: &Repository) -> Result<Vec<Candidate>, Fault> {
    let git = repository.as_it_is();
    let mut changes = against(git, None)?;
    if !changes.is_empty() {
        for parent in merged(repository)? {
            let theirs = against(git, Some(&parent))?.into_iter().map(|one| (one.path, one.before));
            let mut theirs: HashMap<String, Vec<String>> = theirs.collect();
            // What stood there on their side was there before, too.
            changes.retain_mut(|one| theirs.remove(&one.path).map(|before| one.before.extend(before)).is_some());
        }
    }
    Ok(changes)
}

/// The command that takes files out of the next commit and leaves them where they stand.
pub(crate) fn take_out(repository: &Repository) -> Result<&'static str, Fault> {
    // Before the first commit there is nothing that could be restored.
    let is_first = committed::commit(repository, "HEAD")?.is_none();
    Ok(if is_first { "git rm -r --cached --force --quiet" } else { "git restore --staged" })
}

/// How the index differs from a commit, or from the last one, if there is one.
fn against(git: &Git, commit: Option<&str>) -> Result<Vec<Candidate>, Fault> {
    let raw = ["diff", "--cached", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-relative", "--diff-filter=d"];
    let mut files = Vec::new();
    chain::read(git, &[&[&raw[..], commit.as_slice(), &["--"]].concat()], |said| {
        while let Some((change, path)) = said.change()? {
            if change.is_of_content() {
                files.push(candidate(change, &path));
            }
        }
        Ok::<_, Fault>(())
    })?;
    Ok(files)
}

/// The other parents of the next commit.
fn merged(repository: &Repository) -> Result<Vec<String>, Fault> {
    let Ok(note) = open_file(&repository.git_dir()?.join(MERGED)) else { return Ok(Vec::new()) };
    let mut text = String::new();
    let unreadable = |error| Fault::local("what is being merged cannot be read", &error);
    note.take(MERGED_BYTES_MAX).read_to_string(&mut text).map_err(unreadable)?;
    let is_id = |line: &&str| line.len() >= 40 && line.bytes().all(|digit| digit.is_ascii_hexdigit());
    Ok(text.lines().filter(is_id).map(str::to_owned).collect())
}
