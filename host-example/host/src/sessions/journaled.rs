//! What an interrupted publish left, by its journal and by what git has of it.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;

use crate::contract::error::Fault;
use crate::contract::ledgers::{Bound, Unfinished};
use crate::contract::pointers::{Kind, Sample};
use crate::contract::types::Blob;
use crate::documents::Documents;
use crate::engine::Guest;
use crate::files::Files;
use crate::repository::{Repository, committed};
use crate::sessions::ledger::path_in;
use crate::text::shell;

/// Every blob that a journal names: what may be on the server through its publish, and what that was to replace.
pub(crate) fn blobs(guest: &mut Guest, journal: &Unfinished) -> Result<Vec<Blob>, Fault> {
    let mut blobs = sent(guest, journal)?;
    if let Unfinished::Bound(bound) = journal {
        blobs.extend(bound.superseded.iter().cloned());
    }
    Ok(blobs)
}

/// The blobs that may be on the server through a publish, in the order of their oids.
pub(crate) fn sent(guest: &mut Guest, journal: &Unfinished) -> Result<Vec<Blob>, Fault> {
    let mut blobs = BTreeMap::new();
    match journal {
        Unfinished::Intended(intended) => blobs.extend(intended.iter().map(|blob| (blob.oid.clone(), blob.size))),
        Unfinished::Bound(bound) => {
            let sample = |bytes: &Vec<u8>| Sample { head: bytes.clone(), file_size: bytes.len() as u64 };
            let samples: Vec<Sample> = bound.push.iter().map(|file| sample(&file.bytes)).collect();
            for kind in guest.classify_many(&samples)? {
                if let Kind::Pointer(pointer) = kind {
                    blobs.insert(pointer.oid, pointer.size);
                }
            }
        }
    }
    Ok(blobs.into_iter().map(|(oid, size)| Blob { oid, size }).collect())
}

/// How a session goes on whose publish is under way or was interrupted. One that had not sent everything cannot be
/// resumed.
pub(crate) fn way_on(guest: &mut Guest, documents: &Documents, session: &str) -> String {
    let journal = documents.journal(session).ok().flatten();
    match journal.map(|text| guest.read_journal(&text)) {
        Some(Ok(Unfinished::Bound(_))) => {
            format!("`hydrant publish {} --resume` finishes it, or `hydrant doctor` says how to go on", shell(session))
        }
        Some(Ok(Unfinished::Intended(_))) => {
            "publish it again with its files, or see how to go on with `hydrant doctor`".to_owned()
        }
        Some(Err(_)) | None => "`hydrant doctor` says how to go on".to_owned(),
    }
}

/// Whether a commit has all that was to be pushed, as far as this clone knows.
pub(crate) fn is_in(repository: &Repository, bound: &Bound, revision: &str) -> Result<bool, Fault> {
    let Some(commit) = committed::commit(repository, revision)? else { return Ok(false) };
    let paths: Vec<&str> = bound.push.iter().map(|file| file.name.as_str()).collect();
    let there = committed::files(&repository.git, &commit, &paths)?;
    Ok(bound.push.iter().zip(&there).all(|(file, there)| there.as_ref() == Some(&file.bytes)))
}

/// Files of the work tree that hold content where a pointer belongs.
pub(crate) fn standing(files: &Files, bound: &Bound, session: &str) -> Result<Vec<String>, Fault> {
    let pushed: HashMap<&str, &[u8]> = bound.push.iter().map(|file| (&*file.name, &*file.bytes)).collect();
    let mut standing = Vec::new();
    for name in &bound.in_place {
        let path = path_in(session, name);
        let Ok(Some(opened)) = files.open(&path) else { continue };
        let pointer = pushed.get(path.as_str()).copied().unwrap_or_default();
        let mut now = Vec::new();
        if opened.size == pointer.len() as u64 {
            let read = opened.file.take(opened.size).read_to_end(&mut now);
            read.map_err(|error| Fault::local("a file of the session cannot be read", &error))?;
        }
        if now != pointer {
            standing.push(path);
        }
    }
    Ok(standing)
}
