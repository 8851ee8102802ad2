//! Files of sessions that a program went on writing to by their names, after a pointer took their place.
//!
//! What was published is whole, and what was appended stands behind the pointer: together they are the content.

use std::io::Read as _;

use crate::contract::error::Fault;
use crate::contract::pointers::{Kind, Sample};
use crate::engine::Guest;
use crate::sessions::ledger::{MANIFEST, SESSIONS};
use crate::text::{bytes_text, quote, shell};
use crate::worktree::scan::POINTER_BYTES_LIMIT;

use super::finding::{Cure, Finding, FindingKind, Next};
use super::patient::Patient;

pub(super) fn look(patient: &Patient<'_>, findings: &mut Vec<Finding>) -> Result<(), Fault> {
    let changed = ["diff-files", "--name-only", "--no-relative", "-z", "--diff-filter=M", "--", SESSIONS];
    let listed = patient.repository.git.read(&changed, b"")?;
    let mut guest = patient.client.guest()?;
    for path in listed.split(|byte| *byte == 0).filter_map(|path| std::str::from_utf8(path).ok()) {
        let parts: Vec<&str> = path.split('/').collect();
        let [SESSIONS, session, file] = parts[..] else { continue };
        if file == MANIFEST {
            continue;
        }
        let Ok(Some(opened)) = patient.ledger.files().open(path) else { continue };
        let mut head = Vec::new();
        if opened.file.take(POINTER_BYTES_LIMIT as u64).read_to_end(&mut head).is_err() {
            continue;
        }
        let sample = Sample { head, file_size: opened.size };
        if let Some(pointer) = guest.appended_to(&sample)? {
            let is_named = is_named(patient, &mut guest, session, file, &sample.head[..pointer as usize])?;
            findings.push(finding(session, file, path, (pointer, opened.size), is_named));
        }
    }
    Ok(())
}

/// Whether the manifest names the blob of this pointer, so that its content is that of the file before it grew.
fn is_named(
    patient: &Patient<'_>,
    guest: &mut Guest,
    session: &str,
    file: &str,
    pointer: &[u8],
) -> Result<bool, Fault> {
    let sample = Sample { head: pointer.to_vec(), file_size: pointer.len() as u64 };
    let Kind::Pointer(pointer) = guest.classify(&sample)? else { return Ok(false) };
    let manifest = patient.ledger.manifest_text(session).ok().and_then(|text| guest.manifest_read(&text).ok());
    let files = manifest.map(|manifest| manifest.files).unwrap_or_default();
    Ok(files.iter().any(|one| one.name == file && one.oid.as_deref() == Some(&pointer.oid)))
}

fn finding(session: &str, file: &str, path: &str, (pointer, size): (u64, u64), is_named: bool) -> Finding {
    let appended = bytes_text(size - pointer);
    let shown = shell(path);
    let behind = format!("tail -c +{} {shown}", pointer + 1);
    let next = if is_named {
        let (whole, session_shown, file_shown) = (shell(&format!("{path}.whole")), shell(session), shell(file));
        let command = format!(
            "hydrant show {session_shown} {file_shown} > {whole} && {behind} >> {whole} && mv {whole} {shown} && \
             hydrant publish {session_shown}"
        );
        Next::run(command, &[session, file])
    } else {
        Next::told(format!("the manifest names another blob; see what was appended with: {behind}"))
    };
    let detail = format!(
        "{appended} were appended to its pointer, by a program that took {} for its own",
        quote(file.as_bytes())
    );
    Finding::new(FindingKind::AppendedPointer, detail, next, Cure::Yours).of(session).at(path)
}
