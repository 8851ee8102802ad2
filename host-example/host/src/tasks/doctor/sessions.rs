//! Sessions whose manifests are broken, old or in the middle of something, and the `.gitignore` above them.

use std::io::Read;

use crate::contract::error::Fault;
use crate::contract::types::Code;
use crate::documents::DOCUMENT_BYTES_MAX;
use crate::sessions::gitignore::GITIGNORE;
use crate::sessions::ledger::{MANIFEST, path_in};
use crate::text::{plain, shell};

use super::conflicts;
use super::drafts::{self, Draft};
use super::finding::{Cure, Finding, FindingKind, Next};
use super::patient::{FIX, Patient};

pub(super) fn look(patient: &Patient<'_>, findings: &mut Vec<Finding>) -> Result<(), Fault> {
    let unmerged = conflicts::unmerged(patient)?;
    let mut guest = patient.client.guest()?;
    let mut drafts = Vec::new();
    let names = patient.ledger.sessions()?;
    for name in &names {
        let text = match patient.ledger.manifest_text(name) {
            Ok(text) => text,
            Err(fault) => {
                findings.push(broken(patient, name, &fault.detail));
                continue;
            }
        };
        match guest.manifest_read(&text) {
            Ok(manifest) if manifest.draft => drafts.push(Draft { session: name.clone(), manifest: text }),
            Ok(manifest) if manifest.session_id.is_none() => {
                findings.push(legacy(name, &manifest.effective_session_id));
            }
            Ok(_) => {}
            Err(error) if error.code() == Code::Conflict || has_markers(&text) => {
                if !unmerged.contains_key(name) {
                    findings.push(conflicts::marked(name));
                }
            }
            Err(error) => findings.push(broken(patient, name, &error.to_string())),
        }
    }
    drafts::look(patient, &drafts, findings)?;
    conflicts::look(patient, &unmerged, findings)?;
    if !names.is_empty() {
        gitignore(patient, findings)?;
    }
    Ok(())
}

fn legacy(name: &str, id: &str) -> Finding {
    let detail = format!("it has no id of its own; it counts as {id}");
    let next = Next::told("nothing needs to be done: readers compute the same id");
    Finding::new(FindingKind::LegacySession, detail, next, Cure::Yours).of(name)
}

fn broken(patient: &Patient<'_>, name: &str, why: &str) -> Finding {
    let path = path_in(name, MANIFEST);
    let shown = shell(&path);
    let ended = patient.repository.git.run(&["log", "-1", "--format=%H", "--", &path], b"");
    let told = if ended.is_ok_and(|ended| ended.success() && !ended.stdout.is_empty()) {
        format!("git log -- {shown}; then git checkout COMMIT -- {shown}")
    } else {
        format!("no commit has it: move it elsewhere, then hydrant publish {}", shell(name))
    };
    let detail = format!("its manifest cannot be read: {}", plain(why));
    Finding::new(FindingKind::UnreadableManifest, detail, Next::told(told), Cure::Yours).of(name)
}

fn has_markers(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"<<<<<<<") || line.starts_with(b">>>>>>>"))
}

fn gitignore(patient: &Patient<'_>, findings: &mut Vec<Finding>) -> Result<(), Fault> {
    let unreadable = |error: &std::io::Error| Fault::local("the sessions' .gitignore cannot be read", error);
    let mut existing = None;
    if let Some(opened) = patient.ledger.files().open(GITIGNORE).map_err(|error| unreadable(&error))? {
        let mut bytes = Vec::new();
        opened.file.take(DOCUMENT_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
        existing = Some(bytes);
    }
    let writes = "writes the lines that are missing; then commit the file";
    let (detail, next, cure) = match patient.client.guest()?.sessions_gitignore(existing.as_deref()) {
        Ok(None) => return Ok(()),
        Ok(Some(_)) => (
            "what programs leave beside sessions could be committed".to_owned(),
            Next::run(FIX, &[]).told_of(format!("{FIX} {writes}")),
            Cure::WriteGitignore,
        ),
        Err(error) => (plain(&error.to_string()), Next::told(format!("mend it, then {FIX} {writes}")), Cure::Yours),
    };
    findings.push(Finding::new(FindingKind::Gitignore, detail, next, cure).at(GITIGNORE));
    Ok(())
}
