//! The note that a rewrite leaves while it works, so that the next one can put back what a process that died changed.
//!
//! Rule: it is on the disk before the first change and goes after the last one.

use std::io;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Place, note_file, words};
use crate::contract::types::{Failed, Failure};

/// Its name.
const NOTE: &str = "rewrite.json";

/// What a rewrite is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note {
    /// The last commit before.
    pub(super) tip: String,
    /// The last commit afterwards.
    pub(super) new: String,
    /// The ref under which the old one stays.
    pub(super) backup: String,
    /// Files that change.
    pub(super) names: Vec<String>,
}

/// Where it lies.
pub(super) fn path(place: &Place) -> PathBuf {
    note_file::path(place, NOTE)
}

impl Note {
    /// The note of a process that died; none when there is none.
    pub(super) fn read(place: &Place) -> Result<Option<Self>, Failed> {
        let Some(text) = note_file::read(place, NOTE).map_err(words::of_file)? else { return Ok(None) };
        let broken = "the note of an interrupted repair cannot be read; git restore puts single files back";
        Self::parse(&text).map(Some).ok_or_else(|| words::failed(Failure::Io, broken))
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(text).ok()?;
        let word = |field: &str| value[field].as_str().map(str::to_owned);
        let names = value["names"].as_array()?.iter().map(|name| name.as_str().map(str::to_owned));
        let names = names.collect::<Option<Vec<String>>>()?;
        Some(Self { tip: word("tip")?, new: word("new")?, backup: word("backup")?, names })
    }

    /// Writes it down for good.
    pub(super) fn write(&self, place: &Place) -> io::Result<()> {
        let text = json!({ "tip": self.tip, "new": self.new, "backup": self.backup, "names": self.names });
        note_file::write(place, NOTE, &text.to_string())
    }

    /// Forgets it for good.
    pub(super) fn remove(place: &Place) -> io::Result<()> {
        note_file::remove(place, NOTE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_note_is_one() {
        let text = br#"{"tip":"a","new":"b","backup":"refs/x","names":["s/a","s/\nb"]}"#;
        let note = Note::parse(text).expect("a note");
        assert_eq!((note.tip.as_str(), note.names.len()), ("a", 2));
        for broken in [&b""[..], b"{}", br#"{"tip":"a","new":"b","backup":"c","names":[1]}"#, &text[..20]] {
            assert_eq!(Note::parse(broken), None);
        }
    }
}
