//! What other publishes brought to the remote and have not settled yet, where it stands in the way of one that settles.
//!
//! Rule: their content stays, where the target has the pointer to it; that publish, when it goes on, puts the pointer
//! in its place. A document gives way in the very state in which its own settle would have written over it.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Read};

use super::differences::Differences;
use super::entries;
use super::index_copy::IndexCopy;
use super::placing::pointed;
use super::settle_note::Waiting;
use super::{Place, words};
use crate::contract::names::POINTER_BYTES_LIMIT;
use crate::contract::types::{Blob, Failed};
use crate::documents::DOCUMENT_BYTES_MAX;
use crate::files::digest::{blob_of, blob_of_file};
use crate::git::tree::Entry;

/// Gives a copy of the index entries for such files, and says which tree the first of two commits would be with them;
/// none when there are no such files.
pub(super) fn take(
    place: &Place,
    index: &IndexCopy,
    (start, target): (&str, &str),
    waiting: &[Waiting],
) -> Result<Option<String>, Failed> {
    let mut found = Differences::between(place, index, start, target)?;
    let content = content(place, &found)?;
    let mut documents = HashMap::new();
    for waits in waiting.iter().filter(|waits| found.0.contains_key(waits.name.as_bytes())) {
        if let Some(oid) = document(place, waits, target)? {
            documents.insert(waits.name.as_bytes(), oid);
        }
    }
    found.0.retain(|path, entry| match documents.get(path.as_slice()) {
        // As it stands here, so that git takes it for unchanged.
        Some(oid) => {
            entry.oid.clone_from(oid);
            true
        }
        None => content.contains(path),
    });
    if found.is_empty() {
        return Ok(None);
    }
    index.take(&found)?;
    index.look()?;
    index.copy(place)?.tree_with(start, &found).map(Some)
}

/// Paths at which content stands that the pointer of the target names. What a writer added since stands after it.
fn content(place: &Place, found: &Differences) -> Result<BTreeSet<Vec<u8>>, Failed> {
    let named = |(path, entry): (&Vec<u8>, &Entry)| Some((entry.oid.clone(), String::from_utf8(path.clone()).ok()?));
    let blobs: Vec<(String, String)> = found.0.iter().filter(|(_, entry)| entry.is_file()).filter_map(named).collect();
    let asked: Vec<(&str, &str)> = blobs.iter().map(|(oid, path)| (oid.as_str(), path.as_str())).collect();
    let small = entries::bytes_within(place, &asked, POINTER_BYTES_LIMIT as u64 - 1)?;
    let stands = |(oid, path): &(String, String)| {
        let blob = small.get(oid).and_then(|bytes| pointed(bytes));
        blob.is_some_and(|blob| begins_with(place, path, &blob).unwrap_or(false))
    };
    Ok(blobs.into_iter().filter(stands).map(|(_, path)| path.into_bytes()).collect())
}

/// Whether a file of the work tree begins with this blob. One that cannot be read does not.
fn begins_with(place: &Place, name: &str, blob: &Blob) -> io::Result<bool> {
    let Some(opened) = place.tree.open(name)? else { return Ok(false) };
    if opened.size < blob.size {
        return Ok(false);
    }
    Ok(blob_of_file(&mut opened.file.take(blob.size))? == *blob)
}

/// The document that stands here, as git stores it, if it is in the state that is waited for and the target has what
/// takes its place.
fn document(place: &Place, waits: &Waiting, target: &str) -> Result<Option<String>, Failed> {
    let mut bytes = Vec::new();
    if let Ok(Some(opened)) = place.tree.open(&waits.name) {
        opened.file.take(DOCUMENT_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(words::of_file)?;
    }
    let is_so = blob_of(&bytes).oid == waits.expects && place.find_commit(&waits.tip)?.is_some();
    if !is_so || !place.is_ancestor(&waits.tip, target)? {
        return Ok(None);
    }
    // The very bytes that were looked at: a file that is written meanwhile differs from them, and stays.
    let arguments = ["hash-object", "-w", "--stdin", "--path", &waits.name];
    let stored = place.git.read(&arguments, &bytes)?;
    Ok(Some(words::line(&stored)))
}
