//! Placeholders of recordings that nobody went on with for a day.
//!
//! A checkout gives every file the time of the checkout. So a manifest that is as committed is as old as the last
//! commit that touched it, and only another one is as old as its file.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use crate::committed;
use crate::ending::Fault;
use crate::ledger::{MANIFEST, SESSIONS, path_in};
use crate::report::quote;

use super::{Cure, Finding, Kind, Patient};

/// Age after which a recording that nobody went on with is worth a word.
const AGE_MAX: Duration = Duration::from_secs(24 * 3600);

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
            (committed::files(patient.repository, head, &paths)?, touched(patient, head)?)
        }
        None => (vec![None; drafts.len()], BTreeSet::new()),
    };
    for ((draft, path), there) in drafts.iter().zip(&paths).zip(&there) {
        let is_committed = there.as_ref() == Some(&draft.manifest);
        let is_old = if is_committed { !touched.contains(path) } else { untouched(patient, path) };
        if is_old {
            findings.push(old(&draft.session));
        }
    }
    Ok(())
}

fn old(session: &str) -> Finding {
    let shown = quote(session.as_bytes());
    let detail = "it is marked as still recorded, and nobody went on with it for a day";
    let run = format!("hydrant publish {shown} --from DIR where a recording is; else git rm -r {SESSIONS}/{shown}");
    Finding::new(Kind::OldDraft, detail, run, Cure::Yours).of(session)
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
