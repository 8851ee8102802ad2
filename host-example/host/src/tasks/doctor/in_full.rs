//! Content that is staged or committed in full where its pointer belongs: one finding for each session, and one for all
//! other files.
//!
//! The rule it keeps: what is staged or not pushed yet can still be taken out; what is pushed is a note.

use std::collections::BTreeMap;

use crate::contract::error::Fault;
use crate::sessions::ledger::SESSIONS;
use crate::tasks::content_in_git::commits::{self, Committed, InCommits};
use crate::tasks::content_in_git::{self, Holder, InFull, next_commit};
use crate::text::{bytes_text, count_text, quote, shell};

use super::finding::{Cure, Finding, FindingKind, Next};
use super::patient::Patient;

/// Files that a finding names, at most.
const NAMED_MAX: usize = 5;
/// What keeps the next one out.
const HOOKS: &str = "`hydrant hooks install` checks the next commits";

pub(super) fn look(patient: &Patient<'_>, findings: &mut Vec<Finding>) -> Result<(), Fault> {
    let repository = patient.repository;
    let mut guest = patient.client.guest()?;
    let changes = next_commit::changes(repository)?;
    let staged = content_in_git::look(repository, &mut guest, Holder::Index, changes)?.in_full;
    let take_out = content_in_git::take_out(repository)?;
    for (session, files) in by_session(&staged, |one| one) {
        findings.push(of_staged(session, &files, take_out));
    }
    let InCommits { list, unknown } = commits::all(repository, &mut guest)?;
    if let Some(why) = unknown {
        let what = "not all commits could be looked at";
        findings.push(Finding::new(FindingKind::CommittedContent, what, Next::told(why), Cure::Yours).noted());
    }
    let (pushed, unpushed): (Vec<Committed>, Vec<Committed>) = list.into_iter().partition(|one| one.pushed);
    for list in [&unpushed, &pushed] {
        for (session, files) in by_session(list, |one| &one.file) {
            findings.push(of_committed(session, &files));
        }
    }
    Ok(())
}

fn by_session<'a, T>(list: &'a [T], file: impl Fn(&'a T) -> &'a InFull) -> BTreeMap<Option<&'a str>, Vec<&'a T>> {
    let mut sessions: BTreeMap<Option<&str>, Vec<&T>> = BTreeMap::new();
    for one in list {
        sessions.entry(file(one).session()).or_default().push(one);
    }
    sessions
}

fn of_staged(session: Option<&str>, files: &[&InFull], take_out: &str) -> Finding {
    let what = format!("content is staged in full: {}", told(files));
    let paths: Vec<String> = files.iter().map(|one| shell(&one.path)).collect();
    let is_few = files.len() <= NAMED_MAX;
    let Some(session) = session else {
        let which = if is_few { paths.join(" ") } else { "FILE".to_owned() };
        let each = if is_few { "" } else { " for each of them" };
        let told = format!("{take_out} -- {which}{each}, then set a clean filter and add them again; {HOOKS}");
        return Finding::new(FindingKind::StagedContent, what, Next::told(told), Cure::Yours);
    };
    let all = if is_few { paths.join(" ") } else { shell(&format!("{SESSIONS}/{session}")) };
    let command = format!("{take_out} -- {all} && hydrant restore {}", shell(session));
    let next = Next::run(command.clone(), &[session]).told_of(format!("{command}; {HOOKS}"));
    Finding::new(FindingKind::StagedContent, what, next, Cure::Yours).of(session)
}

fn of_committed(session: Option<&str>, files: &[&Committed]) -> Finding {
    let (first, list) = (files[0], files.iter().map(|one| &one.file).collect::<Vec<_>>());
    let what = format!("{}: {}", first.place(), told(&list));
    let next = Next::told(format!("{}; {HOOKS}", first.cure()));
    let finding = Finding::new(FindingKind::CommittedContent, what, next, Cure::Yours);
    let finding = if first.pushed { finding.noted() } else { finding };
    match session {
        Some(session) => finding.of(session),
        None => finding,
    }
}

/// The files, their number and their bytes.
fn told(files: &[&InFull]) -> String {
    let bytes = files.iter().fold(0, |sum: u64, one| sum.saturating_add(one.size));
    let named: Vec<String> = files.iter().take(NAMED_MAX).map(|one| quote(one.path.as_bytes())).collect();
    let more = if files.len() > NAMED_MAX { ", …" } else { "" };
    format!("{}, {} ({}{more})", count_text(files.len(), "file"), bytes_text(bytes), named.join(", "))
}
