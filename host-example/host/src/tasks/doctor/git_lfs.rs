//! Whether a plain `git lfs pull` leaves sessions alone. Without a clean filter it puts content where their pointers
//! stand, and stages it.
//!
//! The rule it keeps: where the attributes give sessions to git-lfs, it has a clean filter, and nothing is to be done.

use crate::contract::error::Fault;
use crate::sessions::ledger::path_in;
use crate::text::shell;
use crate::worktree::patterns::Selection;

use super::finding::{Cure, Finding, FindingKind, Next};
use super::patient::{FIX, Patient};

/// Paths that git-lfs fetches only where somebody names them.
const SETTING: &str = "lfs.fetchexclude";
/// All files of sessions, and nothing of another folder of that name.
const PATTERN: &str = "/sessions/**";
/// Where the setting stands for everybody.
const LFSCONFIG: &str = ".lfsconfig";
/// A file that most sessions have.
const SAMPLE: &str = "raw.jsonl";

pub(super) fn look(patient: &Patient<'_>, findings: &mut Vec<Finding>) -> Result<(), Fault> {
    let repository = patient.repository;
    let Some(sample) = patient.ledger.sessions()?.first().map(|name| path_in(name, SAMPLE)) else { return Ok(()) };
    let told = repository.git.read(&["check-attr", "-z", "filter", "--", &sample], b"")?;
    // Whoever cannot read the repository's settings is told elsewhere.
    let Ok(committed) = repository.committed_settings() else { return Ok(()) };
    let own = repository.setting(SETTING);
    let of_all = committed.iter().rev().find(|setting| setting.key == SETTING).map(|setting| setting.value.clone());
    let value = own.as_ref().or(of_all.as_ref()).cloned().unwrap_or_default();
    let is_excluded = Selection::parse("", &value).is_ok_and(|selection| !selection.wants(sample.as_bytes()));
    if is_excluded || told.split(|byte| *byte == 0).nth(2) == Some(b"lfs") {
        return Ok(());
    }
    let new = if value.trim().is_empty() { PATTERN.to_owned() } else { format!("{value},{PATTERN}") };
    let stages = "`git lfs pull` would put content where pointers of sessions stand, and stage it in full";
    let finding = if own.is_some() {
        let command = format!("git config {SETTING} {}", shell(&new));
        let what = format!("this clone's own {SETTING} leaves sessions out: {stages}");
        Finding::new(FindingKind::GitLfsPull, what, Next::run(command, &[&new]), Cure::Yours)
    } else {
        let command = format!("git config --file {LFSCONFIG} --replace-all {SETTING} {}", shell(&new));
        // A part of the file that is not checked out would be lost.
        let is_whole = committed.is_empty() || stands(patient);
        let cure = if is_whole { Cure::LeaveSessions(new.clone()) } else { Cure::Yours };
        let told = format!("{command}, or {FIX}; then commit {LFSCONFIG}");
        Finding::new(FindingKind::GitLfsPull, stages, Next::run(command, &[&new]).told_of(told), cure)
    };
    findings.push(finding.noted().at(LFSCONFIG));
    Ok(())
}

/// Tells git-lfs, for everybody, to fetch sessions only where somebody names them.
pub(super) fn leave_sessions(patient: &Patient<'_>, value: &str) -> Result<String, Fault> {
    let path = patient.repository.top.join(LFSCONFIG);
    // git would write through a link.
    if path.symlink_metadata().is_ok() && !stands(patient) {
        return Err(Fault::misuse(format!("{LFSCONFIG} is no file: put it aside first")));
    }
    patient.repository.git.read(&["config", "--file", LFSCONFIG, "--replace-all", SETTING, value], b"")?;
    Ok(format!("{LFSCONFIG} is written; commit it"))
}

fn stands(patient: &Patient<'_>) -> bool {
    patient.repository.top.join(LFSCONFIG).symlink_metadata().is_ok_and(|facts| facts.is_file())
}
