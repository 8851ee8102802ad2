//! Files in which the tree is ahead of the index, because a settle died between the two. Without this they would be
//! taken for the user's once the remote has moved on: no commit that the next settle knows has them as they are.

use super::Place;
use super::differences::Differences;
use super::index_copy::IndexCopy;
use super::settle_note::Note;
use crate::contract::types::Failed;

/// Gives a copy of the index the entries of all files that are as one of the note's commits has them, and says which
/// tree the last commit would be with them: it is from there that files differ by the user's changes alone.
pub(super) fn take(place: &Place, index: &IndexCopy, note: &Note) -> Result<String, Failed> {
    let head = note.old.as_str();
    // In this copy the index is as if a settle had come to its end, and git says from which entries the tree differs.
    let probe = index.copy(place)?;
    let mut ahead = Differences::default();
    for tip in &note.tips {
        // One that the remote took back can be gone here, too.
        if place.find_commit(tip)?.is_none() {
            continue;
        }
        let mut there = Differences::between(place, index, head, tip)?;
        there.keep_equal(&probe)?;
        ahead.0.append(&mut there.0);
    }
    if ahead.is_empty() {
        return Ok(head.to_owned());
    }
    index.take(&ahead)?;
    index.look()?;
    probe.tree_with(head, &ahead)
}
