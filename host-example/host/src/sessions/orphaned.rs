//! Blobs that were named once and that nothing names any more: what may be purged from the server.
//!
//! The rules it keeps: only looks; whatever is in doubt counts as named. Journals are read before branches, because a
//! publish moves the branch before it gives its journal up.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io;
use std::sync::Arc;

use crate::contract::pointers::{Kind, Sample};
use crate::contract::types::{Blob, Code};
use crate::documents::Documents;
use crate::engine::{Engine, Guest};
use crate::remote::Refusal;
use crate::remote::mentions::{self, Mention};

use crate::contract::error::{Fault, HostError};
use crate::repository::Repository;
use crate::sessions::journaled;

/// Blobs by their oids.
pub(crate) type Blobs = BTreeMap<String, u64>;

/// What this clone wrote down of its own.
pub(crate) struct Written {
    /// The blobs of its register and of the journals of publishes that were given up.
    pub(crate) blobs: Blobs,
    /// Journals among these that cannot be read by this version, by their places in git's folder.
    pub(crate) unreadable: Vec<String>,
}

/// What this clone wrote down of its own: its register, and the journals of publishes that were given up.
pub(crate) fn register(repository: &Repository, guest: &mut Guest) -> Result<Written, Fault> {
    let documents = documents(repository)?;
    let register = documents.register().map_err(|error| Fault::local("the orphan register cannot be read", &error))?;
    let mut blobs = match register {
        Some(text) => guest.read_register(&text)?,
        None => Vec::new(),
    };
    let mut unreadable = Vec::new();
    let abandoned = documents.abandoned();
    for journal in abandoned.map_err(|error| Fault::local("the journals that were given up cannot be read", &error))? {
        match guest.read_journal(&journal.text) {
            Ok(journal) => blobs.extend(journaled::blobs(guest, &journal)?),
            Err(HostError::Engine(_)) => unreadable.push(journal.path()),
            Err(stopped) => return Err(stopped.into()),
        }
    }
    unreadable.sort_unstable();
    Ok(Written { blobs: blobs.into_iter().map(|blob| (blob.oid, blob.size)).collect(), unreadable })
}

/// What manifests of this branch and of the remotes' branches name or ever named: also those of sessions that somebody
/// removed, in whatever clone.
pub(crate) fn named_ever(repository: &Repository, guest: &mut Guest) -> Result<Blobs, Fault> {
    let mut blobs = Blobs::new();
    let mut take = |text: Vec<u8>| {
        // What cannot be read names no blob that anybody could purge.
        let manifest = guest.manifest_read(&text).map(|manifest| manifest.files).unwrap_or_default();
        blobs.extend(manifest.into_iter().filter_map(|file| Some((file.oid?, file.size))));
    };
    mentions::manifests_ever(&repository.git, &mut take).map_err(refused)?;
    Ok(blobs)
}

fn documents(repository: &Repository) -> Result<Documents, Fault> {
    repository.documents_to_read()
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
        mentions::of_tips(&repository.git, &left, &mut |mention| named.extend(judge.named(mention, &left)))
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

/// Takes out what an unfinished publish names. Journals are searched and not read: one in another form counts, too.
fn without_journals(repository: &Repository, left: &mut HashSet<String>) -> Result<(), Fault> {
    let unreadable = |error: io::Error| Fault::local("the journals cannot be read", &error);
    let documents = documents(repository)?;
    for session in documents.journals().map_err(unreadable)? {
        // None: the publish came to its end meanwhile, and the branch tells.
        let Some(text) = documents.journal(&session).map_err(unreadable)? else { continue };
        let named = mentions::mentioned_in(left, text.as_slice()).map_err(unreadable)?;
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
