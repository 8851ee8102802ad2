//! Manifests with conflict markers, and merges of sessions that are not resolved.
//!
//! The rule it keeps: which side is whose depends on what git is doing, because a rebase and a stash turn the sides
//! round; so no side is named without saying what it is.

use std::collections::BTreeMap;
use std::path::Path;

use crate::contract::error::Fault;
use crate::sessions::ledger::{MANIFEST, SESSIONS, path_in};
use crate::text::shell;

use super::finding::{Cure, Finding, FindingKind, Next};
use super::patient::Patient;

/// The sides of a merge that have a path; the other one removed it.
#[derive(Clone, Copy, Default)]
pub(super) struct Having {
    ours: bool,
    theirs: bool,
}

/// Sessions of which git's index has several stages, each with its paths.
pub(super) type Unmerged = BTreeMap<String, BTreeMap<String, Having>>;

pub(super) fn unmerged(patient: &Patient<'_>) -> Result<Unmerged, Fault> {
    let listed = patient.repository.git.read(&["ls-files", "--unmerged", "-z", "--full-name", "--", SESSIONS], b"")?;
    let mut sessions = Unmerged::new();
    for entry in listed.split(|byte| *byte == 0) {
        // `mode oid stage TAB path`
        let entry = String::from_utf8_lossy(entry);
        let Some((facts, path)) = entry.split_once('\t') else { continue };
        if let (Some(SESSIONS), Some(name)) = (path.split('/').next(), path.split('/').nth(1)) {
            let having = sessions.entry(name.to_owned()).or_default().entry(path.to_owned()).or_default();
            having.ours |= facts.ends_with(" 2");
            having.theirs |= facts.ends_with(" 3");
        }
    }
    Ok(sessions)
}

/// Markers that git knows nothing of: it has no sides to offer.
pub(super) fn marked(name: &str) -> Finding {
    let shown = shell(&path_in(name, MANIFEST));
    let told = format!(
        "settle it by hand, then: git add {shown}; older ones: git log -- {shown}, then git checkout COMMIT -- {shown}"
    );
    Finding::new(FindingKind::Conflict, "its manifest holds conflict markers", Next::told(told), Cure::Yours).of(name)
}

/// One finding for each session that is not merged.
pub(super) fn look(patient: &Patient<'_>, unmerged: &Unmerged, findings: &mut Vec<Finding>) -> Result<(), Fault> {
    if unmerged.is_empty() {
        return Ok(());
    }
    let sides = Sides::of(&patient.repository.git_dir()?);
    for (name, paths) in unmerged {
        let Sides { ours, theirs, then } = &sides;
        let (take_ours, take_theirs) = (take(paths, "--ours", |it| it.ours), take(paths, "--theirs", |it| it.theirs));
        let told = format!(
            "settle it by hand, or take a side: {take_ours} takes {ours}, {take_theirs} takes {theirs}; \
             then: git add {}{then}",
            spelled(paths.keys())
        );
        let next = Next::told(told);
        findings.push(Finding::new(FindingKind::Conflict, "a merge of it is not resolved", next, Cure::Yours).of(name));
    }
    Ok(())
}

/// The commands that give each path what a side has of it.
fn take(paths: &BTreeMap<String, Having>, side: &str, has: impl Fn(&Having) -> bool) -> String {
    let (there, gone): (Vec<_>, Vec<_>) = paths.iter().partition(|(_, having)| has(having));
    let mut commands = Vec::new();
    if !there.is_empty() {
        commands.push(format!("git checkout {side} -- {}", spelled(there.into_iter().map(|(path, _)| path))));
    }
    if !gone.is_empty() {
        commands.push(format!("rm -f -- {}", spelled(gone.into_iter().map(|(path, _)| path))));
    }
    commands.join(" && ")
}

fn spelled<'a>(paths: impl Iterator<Item = &'a String>) -> String {
    paths.map(|path| shell(path)).collect::<Vec<_>>().join(" ")
}

/// What git's two sides are at the moment.
struct Sides {
    ours: &'static str,
    theirs: &'static str,
    /// What ends it after the paths were added.
    then: &'static str,
}

impl Sides {
    fn of(git_dir: &Path) -> Self {
        let is_there = |mark: &str| git_dir.join(mark).symlink_metadata().is_ok();
        let here = "what is committed here";
        if is_there("rebase-apply/applying") {
            return Self { ours: here, theirs: "the patch's", then: "; git am --continue" };
        }
        if is_there("rebase-merge") || is_there("rebase-apply") {
            // The commits of the branch are picked one by one onto the remote's.
            let (ours, theirs) = ("the remote's, which your commits are put upon", "what you committed here");
            return Self { ours, theirs, then: "; git rebase --continue" };
        }
        if is_there("MERGE_HEAD") {
            return Self { ours: here, theirs: "the remote's, which is merged", then: "; git commit" };
        }
        if is_there("CHERRY_PICK_HEAD") {
            return Self { ours: here, theirs: "the picked commit's", then: "; git cherry-pick --continue" };
        }
        if is_there("REVERT_HEAD") {
            return Self { ours: here, theirs: "what was before the reverted commit", then: "; git revert --continue" };
        }
        // Nothing is under way, so changes that were put aside came back: by a stash, or after a pull with autostash.
        let ours = "what is committed, with everything that was pulled";
        Self { ours, theirs: "your changes that were stashed", then: "; the stash stays in git stash list" }
    }
}
