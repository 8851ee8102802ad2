//! The note of settles that were begun and did not come to their end.
//!
//! One whose process died leaves a branch that has not moved, or a tree that is ahead of its index: whoever comes next
//! ends it. One that met a conflict changed nothing, and what it waits for is noted, so that it is no obstacle to
//! others: two that wait for each other would wait for ever.
//!
//! Rule: it is on the disk before the first change and goes with the next settle that ends well. It stands only while
//! the branch is where it was; whatever the user did meanwhile otherwise stands.

use std::collections::BTreeSet;
use std::io;

use serde_json::{Value, json};

use super::branch_move::BranchMove;
use super::index_lock::IndexLock;
use super::{Place, note_file, words};
use crate::contract::types::{Failed, Settle, SettleFile};
use crate::files::digest::blob_of;

/// Digits of a branch's digest in the name of its note.
const NAME_DIGITS: usize = 16;

/// What was begun.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Note {
    /// From where the branch moves.
    pub(super) old: String,
    /// To where, last; before it stand the commits to which others were moving that died. Without any, nothing moved.
    pub(super) tips: Vec<String>,
    /// Files of settles that could not go on.
    pub(super) waiting: Vec<Waiting>,
}

/// A file here that may be written over by what this commit, or a later one, has in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) name: String,
    /// The state in which it may: the digest that its settle was told.
    pub(super) expects: String,
    pub(super) tip: String,
}

impl Note {
    /// Writes it down.
    pub(super) fn write(&self, place: &Place) -> io::Result<()> {
        let waiting = |it: &Waiting| json!({ "name": it.name, "expects": it.expects, "tip": it.tip });
        let waiting: Vec<Value> = self.waiting.iter().map(waiting).collect();
        let text = json!({ "old": self.old, "tips": self.tips, "waiting": waiting });
        note_file::write(place, &name(place), &text.to_string())
    }

    /// Forgets it. One that comes back after a power loss is found to be of no use.
    pub(super) fn remove(place: &Place) -> io::Result<()> {
        note_file::remove(place, &name(place))
    }

    /// One that cannot be read is none: nothing was begun under it.
    fn read(place: &Place) -> io::Result<Option<Self>> {
        Ok(note_file::read(place, &name(place))?.as_deref().and_then(Self::parse))
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(text).ok()?;
        let word = |value: &Value| value.as_str().map(str::to_owned);
        let tips = value["tips"].as_array()?.iter().map(word).collect::<Option<Vec<String>>>()?;
        let file = |it: &Value| {
            Some(Waiting { name: word(&it["name"])?, expects: word(&it["expects"])?, tip: word(&it["tip"])? })
        };
        let waiting = value["waiting"].as_array()?.iter().map(file).collect::<Option<Vec<Waiting>>>()?;
        Some(Self { old: word(&value["old"])?, tips, waiting })
    }
}

/// The files of a settle that may be written over here, for those who follow before it does.
pub(super) fn waiting(settle: &Settle) -> Vec<Waiting> {
    let file = |file: &SettleFile| {
        Some(Waiting { name: file.name.clone(), expects: file.expects.clone()?, tip: settle.tip.clone() })
    };
    settle.files.iter().filter_map(file).collect()
}

/// Each branch has a note of its own: what stands of one says nothing about files while another one is checked out.
fn name(place: &Place) -> String {
    let digest = blob_of(place.branch.as_bytes()).oid;
    format!("settle-{}.json", digest.get(..NAME_DIGITS).unwrap_or_default())
}

/// Moves the branch when a settle died before it could, with the index locked for that long.
pub(super) fn finish_interrupted(place: &Place) -> Result<(), Failed> {
    if Note::read(place).map_err(words::of_file)?.is_none_or(|note| note.tips.is_empty()) {
        return Ok(());
    }
    let _lock = IndexLock::take(place)?;
    finish(place).map(drop)
}

/// The same for whoever has the index locked. Gives the note back when there is more to do: files can be as any of its
/// commits has them, and what waits still does.
pub(super) fn finish(place: &Place) -> Result<Option<Note>, Failed> {
    let Some(note) = Note::read(place).map_err(words::of_file)? else { return Ok(None) };
    if !place.is_checked_out()? {
        return Ok(None);
    }
    let old = &note.old;
    if place.head()? == *old {
        let Some(new) = note.tips.last() else { return Ok(Some(note)) };
        if place.find_commit(new)?.is_some() && place.is_ancestor(old, new)? {
            if !index_has(place, old, new)? {
                return Ok(Some(note));
            }
            let Some(branch) = BranchMove::prepare(place, old, new)? else {
                BranchMove::is_free(place)?;
                return Ok(Some(note));
            };
            branch.commit()?;
        }
    }
    Note::remove(place).map_err(words::of_file)?;
    Ok(None)
}

/// Whether the index holds, of every path that changed between two commits, what the newer one has.
fn index_has(place: &Place, old: &str, new: &str) -> Result<bool, Failed> {
    let names = |arguments: &[&str]| -> Result<BTreeSet<Vec<u8>>, Failed> {
        let answer = place.git.read(arguments, b"")?;
        Ok(answer.split(|byte| *byte == 0).filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect())
    };
    let between = names(&["diff-tree", "-r", "-z", "--name-only", "--no-renames", old, new])?;
    let differing = names(&["diff-index", "--cached", "-z", "--name-only", "--no-renames", new])?;
    Ok(between.is_disjoint(&differing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_note_is_one() {
        let text = br#"{"old":"a","tips":["b","c"],"waiting":[{"name":"s/\na","expects":"d","tip":"c"}]}"#;
        let waiting = Waiting { name: "s/\na".into(), expects: "d".into(), tip: "c".into() };
        let whole = Note { old: "a".into(), tips: vec!["b".into(), "c".into()], waiting: vec![waiting] };
        assert_eq!(Note::parse(text), Some(whole));
        let bad: [&[u8]; 4] =
            [b"", b"{}", br#"{"old":"a","tips":[1],"waiting":[]}"#, br#"{"old":"a","tips":[],"waiting":[{}]}"#];
        for broken in bad.into_iter().chain([&text[..40]]) {
            assert_eq!(Note::parse(broken), None);
        }
    }
}
