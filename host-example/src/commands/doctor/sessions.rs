//! Sessions whose manifests are broken, old or in the middle of something, and the `.gitignore` above them.

use std::collections::BTreeSet;
use std::io::Read;
use std::time::Duration;

use hydrant_host::documents::DOCUMENT_BYTES_MAX;
use hydrant_host::process::plain;
use hydrant_host::wit::types::Code;

use crate::ending::Fault;
use crate::ledger::{MANIFEST, SESSIONS, path_in};
use crate::report::quote;

use super::{Cure, Finding, Kind, Patient, leftovers};

/// Seconds after which a recording that nobody went on with is worth a word.
const DRAFT_AGE_S_MAX: u64 = 24 * 3600;
/// The file that tells git what is never committed.
pub(super) const GITIGNORE: &str = "sessions/.gitignore";

pub(super) fn look(patient: &Patient<'_>, findings: &mut Vec<Finding>) -> Result<(), Fault> {
    let unmerged = unmerged(patient)?;
    let mut guest = patient.engine.guest()?;
    let names = patient.ledger.sessions()?;
    for name in &names {
        let text = match patient.ledger.manifest_text(name) {
            Ok(text) => text,
            Err(fault) => {
                findings.push(broken(name, &fault.detail));
                continue;
            }
        };
        match guest.manifest_read(&text) {
            Ok(manifest) => {
                if manifest.session_id.is_none() && !manifest.draft {
                    let detail = format!("it has no id of its own; it counts as {}", manifest.effective_session_id);
                    let run = "nothing needs to be done: readers compute the same id";
                    findings.push(Finding::new(Kind::LegacySession, detail, run, Cure::Yours).of(name));
                }
                let age = Duration::from_secs(DRAFT_AGE_S_MAX);
                if manifest.draft && leftovers::untouched(patient.repository, name, age) {
                    let detail = "it is marked as still recorded, and nobody went on with it for a day";
                    let shown = quote(name.as_bytes());
                    let run = format!(
                        "hydrant publish {shown} --from DIR where a recording is; else git rm -r {SESSIONS}/{shown}"
                    );
                    findings.push(Finding::new(Kind::OldDraft, detail, run, Cure::Yours).of(name));
                }
            }
            Err(error) if error.code() == Code::Conflict || has_markers(&text) => {
                if !unmerged.contains(name) {
                    findings.push(conflict(name, "its manifest holds conflict markers", &path_in(name, MANIFEST)));
                }
            }
            Err(error) => findings.push(broken(name, &error.to_string())),
        }
    }
    for name in &unmerged {
        findings.push(conflict(name, "a merge of it is not resolved", &format!("{SESSIONS}/{name}")));
    }
    if !names.is_empty() {
        gitignore(patient, findings)?;
    }
    Ok(())
}

fn broken(name: &str, why: &str) -> Finding {
    let path = path_in(name, MANIFEST);
    let run = format!("git log -- {0}; then git checkout COMMIT -- {0}", quote(path.as_bytes()));
    let detail = format!("its manifest cannot be read: {}", plain(why));
    Finding::new(Kind::UnreadableManifest, detail, run, Cure::Yours).of(name)
}

fn conflict(name: &str, detail: &str, path: &str) -> Finding {
    let shown = quote(path.as_bytes());
    let run = format!(
        "settle it by hand, then: git add {shown}; to take the remote's side: git checkout --theirs -- {shown}"
    );
    Finding::new(Kind::Conflict, detail, run, Cure::Yours).of(name)
}

fn has_markers(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"<<<<<<<") || line.starts_with(b">>>>>>>"))
}

/// Sessions of which git's index has several stages.
fn unmerged(patient: &Patient<'_>) -> Result<BTreeSet<String>, Fault> {
    let listed = patient.repository.git.read(&["ls-files", "--unmerged", "-z", "--full-name", "--", SESSIONS], b"")?;
    let mut names = BTreeSet::new();
    for entry in listed.split(|byte| *byte == 0) {
        let entry = String::from_utf8_lossy(entry);
        let path = entry.split_once('\t').map(|(_, path)| path).unwrap_or_default();
        if let (Some(SESSIONS), Some(name)) = (path.split('/').next(), path.split('/').nth(1)) {
            names.insert(name.to_owned());
        }
    }
    Ok(names)
}

fn gitignore(patient: &Patient<'_>, findings: &mut Vec<Finding>) -> Result<(), Fault> {
    let unreadable = |error: &std::io::Error| Fault::local("the sessions' .gitignore cannot be read", error);
    let mut existing = None;
    if let Some(opened) = patient.ledger.files().open(GITIGNORE).map_err(|error| unreadable(&error))? {
        let mut bytes = Vec::new();
        opened.file.take(DOCUMENT_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
        existing = Some(bytes);
    }
    let (detail, cure) = match patient.engine.guest()?.sessions_gitignore(existing.as_deref()) {
        Ok(None) => return Ok(()),
        Ok(Some(_)) => ("what programs leave beside sessions could be committed".to_owned(), Cure::WriteGitignore),
        Err(error) => (plain(&error.to_string()), Cure::Yours),
    };
    let run = "hydrant doctor --fix writes the lines that are missing; then commit the file";
    findings.push(Finding::new(Kind::Gitignore, detail, run, cure).at(GITIGNORE));
    Ok(())
}
