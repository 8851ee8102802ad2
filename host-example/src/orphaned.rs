//! Blobs of the register that nothing names any more: what may be purged from the server.
//!
//! The rules it keeps: only looks; whatever is in doubt counts as named. Journals are read before branches, because a
//! publish moves the branch before it gives its journal up.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::{self, File};
use std::io;
use std::sync::Arc;

use hydrant_host::documents::Documents;
use hydrant_host::engine::{Engine, Guest};
use hydrant_host::remote_ledger::Refusal;
use hydrant_host::remote_ledger::mentions::{self, Mention};
use hydrant_host::wit::pointers::{Kind, Sample};
use hydrant_host::wit::types::{Blob, Code};
use serde_json::Value;

use crate::ending::Fault;
use crate::repository::Repository;

/// The form of the register that is understood here.
const VERSION: u64 = 1;
/// Journals read, at most.
const JOURNALS_MAX: usize = 10_000;
/// Digits of an oid.
const OID_DIGITS: usize = 64;

/// The register of this clone, in the order of the oids.
pub(crate) fn register(repository: &Repository) -> Result<Vec<Blob>, Fault> {
    let documents = Documents::beneath(&repository.top)?.with_state(&repository.store_dir())?;
    let unreadable = |error: &io::Error| Fault::local("the orphan register cannot be read", error);
    let Some(text) = documents.register().map_err(|error| unreadable(&error))? else { return Ok(Vec::new()) };
    entries(&text).ok_or_else(|| Fault::failed(Code::Malformed, "this version cannot read the orphan register"))
}

fn entries(text: &[u8]) -> Option<Vec<Blob>> {
    let register: Value = serde_json::from_slice(text).ok()?;
    if register["version"].as_u64() != Some(VERSION) {
        return None;
    }
    let entry = |entry: &Value| {
        let (oid, size) = (entry[0].as_str()?, entry[1].as_u64()?);
        let is_oid = oid.len() == OID_DIGITS && oid.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_oid.then(|| (oid.to_owned(), size))
    };
    let blobs: BTreeMap<String, u64> = register["orphans"].as_array()?.iter().map(entry).collect::<Option<_>>()?;
    Some(blobs.into_iter().map(|(oid, size)| Blob { oid, size }).collect())
}

/// Those of some blobs that nothing names now. `of`: the session that lost them, where that is known.
pub(crate) fn unnamed(
    repository: &Repository,
    engine: &Engine,
    blobs: Vec<Blob>,
    of: Option<&str>,
) -> Result<Vec<Blob>, Fault> {
    let mut left: HashSet<String> = blobs.iter().map(|blob| blob.oid.clone()).collect();
    without_journals(repository, &mut left)?;
    let mut judge = Judge { guest: engine.guest()? };
    if !left.is_empty() {
        let mut named = BTreeSet::new();
        mentions::of_branches(&repository.git, &left, &mut |mention| named.extend(judge.named(mention, &left)))
            .map_err(refused)?;
        left.retain(|oid| !named.contains(oid));
    }
    if !left.is_empty() {
        let mut namers: BTreeMap<String, BTreeSet<Arc<str>>> = BTreeMap::new();
        mentions::of_history(&repository.git, &left, &mut |mention| {
            let sessions = mention.sessions.clone();
            for oid in judge.named(mention, &left) {
                namers.entry(oid).or_default().extend(sessions.iter().cloned());
            }
        })
        .map_err(refused)?;
        // The history of the session that lost a blob names it, too: that is how it was lost. One session alone is it.
        let by_others = |sessions: &BTreeSet<Arc<str>>| match of {
            Some(own) => sessions.iter().any(|session| **session != *own),
            None => sessions.len() > 1,
        };
        left.retain(|oid| !namers.get(oid).is_some_and(by_others));
    }
    Ok(blobs.into_iter().filter(|blob| left.contains(&blob.oid)).collect())
}

/// Takes out what an unfinished publish names.
fn without_journals(repository: &Repository, left: &mut HashSet<String>) -> Result<(), Fault> {
    let unreadable = |error: &io::Error| Fault::local("the journals cannot be read", error);
    let entries = match fs::read_dir(repository.store_dir().join("journal")) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unreadable(&error)),
    };
    for (at, entry) in entries.enumerate() {
        if at == JOURNALS_MAX {
            return Err(Fault::failed(Code::Limit, format!("there are more than {JOURNALS_MAX} journals")));
        }
        let entry = entry.map_err(|error| unreadable(&error))?;
        if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let named = match File::open(entry.path()) {
            Ok(file) => mentions::mentioned_in(left, file).map_err(|error| unreadable(&error))?,
            // The publish came to its end meanwhile: the branch tells.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(unreadable(&error)),
        };
        left.retain(|oid| !named.contains(oid));
    }
    Ok(())
}

/// Says what a text names that mentions blobs.
struct Judge {
    guest: Guest,
}

impl Judge {
    fn named(&mut self, mention: Mention, wanted: &HashSet<String>) -> BTreeSet<String> {
        let Mention { oids, text, sessions } = mention;
        let Some(text) = text else { return oids };
        if sessions.is_empty() { self.by_pointer(text, oids) } else { self.by_manifest(&text, oids, wanted) }
    }

    fn by_manifest(&mut self, text: &[u8], oids: BTreeSet<String>, wanted: &HashSet<String>) -> BTreeSet<String> {
        match self.guest.manifest_read(text) {
            Ok(manifest) => {
                let named = manifest.files.into_iter().filter_map(|file| file.oid);
                named.filter(|oid| wanted.contains(oid)).collect()
            }
            // Nobody can say what it names.
            Err(_) => oids,
        }
    }

    fn by_pointer(&mut self, text: Vec<u8>, oids: BTreeSet<String>) -> BTreeSet<String> {
        let sample = Sample { file_size: text.len() as u64, head: text };
        let names_none = match self.guest.classify(&sample) {
            Ok(Kind::Content(_)) => self.guest.pointer_shaped(&sample).is_ok_and(|shaped| !shaped),
            Ok(Kind::Pointer(_) | Kind::Malformed(_)) | Err(_) => false,
        };
        if names_none { BTreeSet::new() } else { oids }
    }
}

fn refused(refusal: Refusal) -> Fault {
    Fault::failed(Code::Host, refusal.sentence)
}

#[cfg(test)]
mod tests {
    use super::entries;

    #[test]
    fn only_a_register_in_the_known_form_is_read() {
        let oid = "ab".repeat(32);
        let read = entries(format!(r#"{{"version": 1, "orphans": [["{oid}", 7]]}}"#).as_bytes()).expect("a register");
        assert_eq!((read.len(), read[0].oid.as_str(), read[0].size), (1, oid.as_str(), 7));
        assert!(entries(br#"{"version": 1, "orphans": []}"#).expect("a register").is_empty());
        for text in [
            "",
            "[]",
            r#"{"version": 2, "orphans": []}"#,
            r#"{"version": 1}"#,
            r#"{"version": 1, "orphans": [["short", 7]]}"#,
            r#"{"version": 1, "orphans": [{"oid": "x"}]}"#,
        ] {
            assert!(entries(text.as_bytes()).is_none(), "{text}");
        }
    }
}
