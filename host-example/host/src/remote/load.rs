//! The ledger as the remote has it now.

use super::backoff::Backoff;
use super::entries::{self, Entries};
use super::{DURABLE, Place, words};
use crate::contract::types::{Failed, Failure, Ledger, LedgerFile, Lookup};
use crate::documents::DOCUMENT_BYTES_MAX;

pub(super) fn load(place: &Place, lookup: &Lookup, wanted: &dyn Fn() -> bool) -> Result<Ledger, Failed> {
    let tip = fetch(place, wanted)?;
    let names = || lookup.documents.iter().chain(&lookup.files).map(String::as_str);
    let documents = || lookup.documents.iter().map(String::as_str);
    let remote = entries::in_commit(place, &tip, names())?;
    let head = place.head()?;
    let local = if head == tip { remote.clone() } else { entries::in_commit(place, &head, documents())? };
    let blobs = document_blobs(lookup, &remote, &local)?;
    let bytes = entries::bytes_of(place, &blobs, DOCUMENT_BYTES_MAX)?;
    let mut files = Vec::with_capacity(lookup.documents.len() + lookup.files.len());
    for (at, name) in names().enumerate() {
        let is_document = at < lookup.documents.len();
        let entry = entries::file(&remote, name)?;
        let committed = local.get(name).filter(|entry| is_document && entry.is_file());
        files.push(LedgerFile {
            name: name.to_owned(),
            revision: entry.map(|entry| entry.oid.clone()),
            bytes: entry.filter(|_| is_document).and_then(|entry| bytes.get(&entry.oid).cloned()),
            committed: committed.and_then(|entry| bytes.get(&entry.oid).cloned()),
        });
    }
    Ok(Ledger { tip, files })
}

/// Blobs of the documents, there and here, with the names they have.
fn document_blobs<'a>(
    lookup: &'a Lookup,
    remote: &'a Entries,
    local: &'a Entries,
) -> Result<Vec<(&'a str, &'a str)>, Failed> {
    let mut blobs = Vec::new();
    for name in &lookup.documents {
        let there = entries::file(remote, name)?;
        let here = local.get(name.as_str()).filter(|entry| entry.is_file());
        blobs.extend([there, here].into_iter().flatten().map(|entry| (entry.oid.as_str(), name.as_str())));
    }
    Ok(blobs)
}

/// Fetches exactly the upstream branch; its last commit is what counts from here on.
pub(super) fn fetch(place: &Place, wanted: &dyn Fn() -> bool) -> Result<String, Failed> {
    let refspec = format!("+{}:{}", place.upstream, place.tracking);
    let mut arguments = DURABLE.to_vec();
    arguments.extend(["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-gc", "--no-prune"]);
    arguments.extend(["--no-write-fetch-head", "--no-show-forced-updates", "--", &place.remote, &refspec]);
    let mut backoff = Backoff::default();
    loop {
        let ended = place.git.talk_while(&arguments, wanted)?;
        if ended.success() {
            break;
        }
        // Two fetches of one branch meet at its ref; the other one brought what this one would.
        let met = ["cannot lock ref", "Unable to create", "incorrect old value"];
        if !met.iter().any(|sign| ended.stderr.contains(sign)) || !backoff.wait() {
            return Err(words::refusal(words::why_of(&ended.stderr).unwrap_or(Failure::Offline), &ended.stderr));
        }
    }
    let tip = place.commit_of(&place.tracking)?;
    place.see(&tip);
    Ok(tip)
}
