//! Puts back what a rewrite changed that did not get to its end: in this process or in one that died.
//!
//! Rule: only what stands exactly as the rewrite left it is put back, so that nothing of the user's is written over;
//! the note goes last.

use std::collections::BTreeSet;

use super::entries::{self, Entries};
use super::index_copy::IndexCopy;
use super::placing::{self, Plan, Wanted};
use super::range::holds_exactly;
use super::rewrite_files::{sweep_aside, write_over};
use super::rewrite_lists::{files_of, list};
use super::rewrite_note::Note;
use super::{DURABLE, Place, words};
use crate::contract::types::Failed;
use crate::documents::DOCUMENT_BYTES_MAX;

/// What became of an interrupted rewrite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undone {
    /// There was none.
    Nothing,
    /// It had got to its end.
    Complete,
    /// Files and index are as they were, or the user went on by himself.
    Back,
}

/// Puts back what a rewrite changed, as far as it stands as the rewrite left it. The index is locked.
pub(super) fn undo(place: &Place) -> Result<Undone, Failed> {
    let Some(note) = Note::read(place)? else { return Ok(Undone::Nothing) };
    let names: BTreeSet<&str> = note.names.iter().map(String::as_str).collect();
    let head = place.head()?;
    if head == note.tip {
        let (old, new) = (files_of(place, &note.tip, &names)?, files_of(place, &note.new, &names)?);
        put_files_back(place, &old, &new)?;
        put_entries_back(place, &names, &old, &new)?;
        let forget = ["update-ref", "-d", &note.backup, &note.tip];
        // It was perhaps never made; and one ref too many loses nothing.
        place.git.run(&[&DURABLE[..], &forget].concat(), b"")?;
    }
    Note::remove(place).map_err(words::of_file)?;
    Ok(if head == note.new { Undone::Complete } else { Undone::Back })
}

fn put_files_back(place: &Place, old: &Entries, new: &Entries) -> Result<(), Failed> {
    let blobs = old.iter().chain(new).filter(|(_, entry)| entry.is_file());
    let blobs: Vec<(&str, &str)> = blobs.map(|(name, entry)| (entry.oid.as_str(), name.as_str())).collect();
    let bytes = entries::bytes_of(place, &blobs, DOCUMENT_BYTES_MAX)?;
    let of = |entries: &Entries, name: &str| entries.get(name).and_then(|entry| bytes.get(&entry.oid)).cloned();
    placing::sweep(&place.tree, old.keys().map(String::as_str)).map_err(words::of_file)?;
    for (name, entry) in old {
        let Some(before) = of(old, name) else { continue };
        let put_back = || match of(new, name) {
            Some(after) if holds_exactly(place, name, &after) => write_over(place, name, &before, &after),
            Some(_) => Ok(()),
            None => {
                sweep_aside(place, name, &before)?;
                let executable = entry.mode == "100755";
                let wanted = Wanted { name, new: &before, committed: None, expects: None, executable };
                // Never over anything.
                placing::place(&place.tree, &wanted, &Plan::Add)
            }
        };
        put_back().map_err(words::of_file)?;
    }
    Ok(())
}

fn put_entries_back(place: &Place, names: &BTreeSet<&str>, old: &Entries, new: &Entries) -> Result<(), Failed> {
    let index = IndexCopy::make(place)?;
    let listed = list(&index, names)?;
    let mut lines = Vec::new();
    let mut back = Vec::new();
    for (name, entry) in old {
        let now = listed.get(name);
        let is_ours =
            now.is_none_or(|now| now.stage == "0") && now.map(|now| &now.entry.oid) == new.get(name).map(|e| &e.oid);
        if is_ours && now.is_none_or(|now| now.entry.oid != entry.oid) {
            let mode = now.map_or(&entry.mode, |now| &now.entry.mode);
            lines.extend_from_slice(format!("{mode} {} 0\t{name}\0", entry.oid).as_bytes());
            back.push(name.as_str());
        }
    }
    if back.is_empty() {
        return Ok(());
    }
    index.must(&["update-index", "-z", "--index-info"], &lines)?;
    place.refresh(&index.git, &back)?;
    index.install(place).map_err(words::of_file)
}
