//! How commits are taken back that bring content in full.
//!
//! The rules it keeps: a commit is named that is there, upstream or not; what was committed before the first of them
//! stays committed; files stand as they stood.

use super::judge::InFull;
use crate::contract::error::Fault;
use crate::git::Git;
use crate::repository::{Repository, committed};

/// Objects that git is asked for by name, at most.
const OBJECTS_MAX: usize = 1024;
/// Digits of a commit's id that are shown.
const ID_SHOWN: usize = 12;
/// Undoes a first commit, where there is none to go back to.
const FORGET_ALL: &str = "`git update-ref -d HEAD && git rm -r --cached --force --quiet .` takes back all commits";

/// What takes back the commits of a range that bring these files, and leaves the files, for people.
pub(super) fn words(repository: &Repository, range: &[&str], tip: &str, files: &[InFull]) -> Result<String, Fault> {
    if files.is_empty() {
        return Ok(String::new());
    }
    let is_here = committed::commit(repository, "HEAD")?.as_deref() == Some(tip);
    let command = match first_parent(repository.as_it_is(), range, files) {
        Some(Some(parent)) => {
            let shown = parent.get(..ID_SHOWN).unwrap_or(&parent);
            format!("`git reset {shown}` takes back the commits that bring it")
        }
        Some(None) if is_here => FORGET_ALL.to_owned(),
        // Nobody can say which one that is.
        Some(None) | None => "`git reset COMMIT` takes back the commits after that one".to_owned(),
    };
    let place = if is_here { "" } else { "on the branch that is pushed, " };
    Ok(format!("{place}{command}, and leaves the files"))
}

/// The commit before the first of this line that brings one of these files: an inner none where that is the very first.
fn first_parent(git: &Git, range: &[&str], files: &[InFull]) -> Option<Option<String>> {
    let wanted: Vec<String> = files.iter().map(|one| format!("--find-object={}", one.git_oid)).collect();
    // Of more, all commits are taken back.
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).take_while(|_| files.len() <= OBJECTS_MAX).collect();
    let log = ["log", "--first-parent", "-m", "--no-show-signature", "--format=%H %P"];
    let told = git.read(&[&log[..], &wanted, range, &["--"]].concat(), b"").ok()?;
    let last = told.split(|byte| *byte == b'\n').rfind(|line| !line.is_empty())?;
    Some(std::str::from_utf8(last).ok()?.split_ascii_whitespace().nth(1).map(str::to_owned))
}
