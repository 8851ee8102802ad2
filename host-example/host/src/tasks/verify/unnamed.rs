//! Pointers of sessions that have no manifest: nothing says what they belong to.
//!
//! The rule it keeps: a folder that holds neither a pointer nor a manifest is none of our business.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::{fs, io};

use super::last_commit::LastCommit;
use super::report::Seen;
use crate::contract::error::Fault;
use crate::contract::pointers::Sample;
use crate::contract::types::Code;
use crate::engine::Guest;
use crate::files::{Glance, names_no_file};
use crate::repository::Repository;
use crate::sessions::ledger::{Ledger, MANIFEST, SESSIONS};
use crate::tasks::held::{self, Held, SAMPLES_MAX};
use crate::text::quote;
use crate::worktree::scan::POINTER_BYTES_LIMIT;

/// Oids of pointers, by session and file.
type Pointers = BTreeMap<String, BTreeMap<String, String>>;

/// Tells of the last commit's pointers without a manifest, and of those that stand in the work tree, unless only some
/// sessions were asked for.
pub(super) fn look(
    repository: &Repository,
    ledger: &Ledger,
    guest: &mut Guest,
    committed: &LastCommit,
    sessions: Option<&[String]>,
    seen: &mut Seen,
) -> Result<(), Fault> {
    let mut told = BTreeSet::new();
    for (name, oid) in committed.unnamed() {
        told.insert(name);
        seen.find(name, oid, Code::Conflict, "its pointer is committed, and no manifest of its session is");
    }
    let Some(sessions) = sessions else { return Ok(()) };
    let kept_out = kept_out(repository)?;
    for (session, files) in standing(repository, ledger, guest, sessions, seen)? {
        if kept_out.contains(&session) {
            continue;
        }
        if committed.has_manifest(&session) {
            let detail = "it is committed and does not stand here, where pointers of its session do";
            seen.find(format!("{session}/{MANIFEST}"), "", Code::Missing, detail);
            continue;
        }
        for (file, oid) in files {
            let name = format!("{session}/{file}");
            if !told.contains(&name) {
                seen.find(name, &oid, Code::Conflict, "its pointer stands here, and its session has no manifest");
            }
        }
    }
    Ok(())
}

/// Sessions whose manifests a sparse checkout keeps out of the work tree.
fn kept_out(repository: &Repository) -> Result<HashSet<String>, Fault> {
    if repository.flag("core.sparsecheckout") != Some(true) {
        return Ok(HashSet::new());
    }
    let manifests = format!(":(top,glob){SESSIONS}/*/{MANIFEST}");
    let listed = repository.as_it_is().read(&["ls-files", "-t", "-z", "--", &manifests], b"")?;
    let session = |line: &[u8]| {
        let path = std::str::from_utf8(line.strip_prefix(b"S ")?).ok()?;
        path.split('/').nth(1).map(str::to_owned)
    };
    Ok(listed.split(|byte| *byte == 0).filter_map(session).collect())
}

/// The pointers that stand in folders that are not among the sessions.
fn standing(
    repository: &Repository,
    ledger: &Ledger,
    guest: &mut Guest,
    sessions: &[String],
    seen: &mut Seen,
) -> Result<Pointers, Fault> {
    let with_manifest: HashSet<&str> = sessions.iter().map(String::as_str).collect();
    let mut pointers = Pointers::new();
    let mut names = Vec::new();
    let mut samples = Vec::new();
    for session in ledger.folders()?.iter().filter(|name| !with_manifest.contains(name.as_str())) {
        let small = match small_files(repository, ledger, session) {
            Ok(small) => small,
            Err(error) => {
                let fault = Fault::local(&quote(session.as_bytes()), &error);
                seen.find(session, "", fault.code, fault.detail);
                continue;
            }
        };
        for (file, head) in small {
            samples.push(Sample { file_size: head.len() as u64, head });
            names.push((session.clone(), file));
            if samples.len() == SAMPLES_MAX {
                take(guest, &mut names, &mut samples, &mut pointers)?;
            }
        }
    }
    take(guest, &mut names, &mut samples, &mut pointers)?;
    Ok(pointers)
}

/// The files of a folder that could be pointers, with their bytes.
fn small_files(repository: &Repository, ledger: &Ledger, session: &str) -> io::Result<Vec<(String, Vec<u8>)>> {
    let folder = format!("{SESSIONS}/{session}");
    // It may be gone by now.
    let Some(files) = ledger.files().within(&folder)? else { return Ok(Vec::new()) };
    let mut small = Vec::new();
    for entry in fs::read_dir(repository.top.join(&folder))? {
        let Ok(name) = entry?.file_name().into_string() else { continue };
        match files.glance(&name, POINTER_BYTES_LIMIT - 1) {
            Ok(Some(Glance::Whole(head))) => small.push((name, head)),
            Ok(_) => {}
            // A symlink, a folder or a pipe is no pointer. What may not be read could be one.
            Err(error) if names_no_file(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(small)
}

/// Keeps those of the files that are pointers.
fn take(
    guest: &mut Guest,
    names: &mut Vec<(String, String)>,
    samples: &mut Vec<Sample>,
    pointers: &mut Pointers,
) -> Result<(), Fault> {
    if samples.is_empty() {
        return Ok(());
    }
    for ((session, file), held) in names.drain(..).zip(held::judge(guest, samples)?) {
        if let Held::Pointer(blob) = held {
            pointers.entry(session).or_default().insert(file, blob.oid);
        }
    }
    samples.clear();
    Ok(())
}
