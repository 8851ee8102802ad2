//! Placeholders of recordings that nobody went on with for a day.
//!
//! A checkout gives every file the time of the checkout. So a manifest that is as committed is as old as the last
//! commit that touched it, and only another one is as old as its file.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use crate::contract::error::Fault;
use crate::repository::committed;
use crate::sessions::ledger::{MANIFEST, SESSIONS, path_in};
use crate::text::shell;

use super::finding::{Cure, Finding, FindingKind, Next};
use super::patient::Patient;

/// Age after which a recording that nobody went on with is worth a word.
const AGE_MAX: Duration = Duration::from_secs(24 * 3600);

/// Folders that git is asked about at once, at most.
const FOLDERS_MAX: usize = 256;

/// A session that is marked as still recorded, with the text of its manifest.
pub(super) struct Draft {
    pub(super) session: String,
    pub(super) manifest: Vec<u8>,
}

pub(super) fn look(patient: &Patient<'_>, drafts: &[Draft], findings: &mut Vec<Finding>) -> Result<(), Fault> {
    if drafts.is_empty() {
        return Ok(());
    }
    let paths: Vec<String> = drafts.iter().map(|draft| path_in(&draft.session, MANIFEST)).collect();
    let head = committed::commit(patient.repository, "HEAD")?;
    let (there, touched) = match &head {
        Some(head) => {
            let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
            (committed::files(&patient.repository.git, head, &paths)?, touched(patient, head)?)
        }
        None => (vec![None; drafts.len()], BTreeSet::new()),
    };
    let mut old = Vec::new();
    for ((draft, path), there) in drafts.iter().zip(&paths).zip(&there) {
        let is_committed = there.as_ref() == Some(&draft.manifest);
        let is_old = if is_committed { !touched.contains(path) } else { untouched(patient, path) };
        if is_old {
            old.push((draft.session.as_str(), is_committed));
        }
    }
    for some in old.chunks(FOLDERS_MAX) {
        let known = known_to_git(patient, some.iter().map(|(session, _)| *session))?;
        for (session, is_committed) in some {
            let removal = match (known.contains(*session), is_committed) {
                (false, _) => "rm -r",
                (true, true) => "git rm -r",
                // git keeps what it has nowhere else, unless it is told twice.
                (true, false) => "git rm -r -f",
            };
            findings.push(finding(session, removal));
        }
    }
    Ok(())
}

fn finding(session: &str, removal: &str) -> Finding {
    let shown = shell(session);
    let detail = "it is marked as still recorded, and nobody went on with it for a day";
    let folder = shell(&format!("{SESSIONS}/{session}"));
    // A name that cannot be shown as it is would be another one to a shell.
    let is_itself = !folder.starts_with('"');
    let removal = if is_itself { format!("{removal} {folder}") } else { format!("remove the folder {folder}") };
    let next = Next::told(format!("hydrant publish {shown} --from DIR where a recording is; else {removal}"));
    Finding::new(FindingKind::OldDraft, detail, next, Cure::Yours).of(session)
}

/// Those of these sessions of which the index has a file.
fn known_to_git<'a>(patient: &Patient<'_>, sessions: impl Iterator<Item = &'a str>) -> Result<BTreeSet<String>, Fault> {
    let folders: Vec<String> = sessions.map(|session| format!("{SESSIONS}/{session}")).collect();
    let mut arguments = vec!["--literal-pathspecs", "ls-files", "-z", "--"];
    arguments.extend(folders.iter().map(String::as_str));
    let listed = patient.repository.git.read(&arguments, b"")?;
    let paths = listed.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    Ok(paths.filter_map(|path| Some(path.split('/').nth(1)?.to_owned())).collect())
}

/// Paths of sessions that a commit of the last day touched.
fn touched(patient: &Patient<'_>, head: &str) -> Result<BTreeSet<String>, Fault> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().saturating_sub(AGE_MAX);
    let since = format!("--max-age={}", since.as_secs());
    let arguments =
        ["log", &since, "--format=", "--no-show-signature", "--name-only", "--no-renames", "-z", head, "--", SESSIONS];
    let listed = patient.repository.git.read(&arguments, b"")?;
    let paths = listed.split(|byte| *byte == 0).map(|path| String::from_utf8_lossy(path).trim_start().to_owned());
    Ok(paths.collect())
}

/// Whether a file was not written for this long.
fn untouched(patient: &Patient<'_>, path: &str) -> bool {
    let written = patient.repository.top.join(path).symlink_metadata().and_then(|facts| facts.modified()).ok();
    written.and_then(|time| time.elapsed().ok()).is_some_and(|since| since > AGE_MAX)
}
