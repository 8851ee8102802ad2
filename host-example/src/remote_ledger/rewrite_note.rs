//! The note that a rewrite leaves while it works, so that the next one can put back what a process that died changed.
//!
//! Rule: it is on the disk before the first change and goes after the last one.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Place, words};
use crate::wit::types::{Failed, Failure};

/// Bytes of a note at most: every file of a rewrite by its name.
const NOTE_BYTES_MAX: u64 = 64 << 20;
/// Its name in our folder beneath git's own of this work tree.
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
    place.git_dir.join(super::SCRATCH).join(NOTE)
}

impl Note {
    /// The note of a process that died; none when there is none.
    pub(super) fn read(place: &Place) -> Result<Option<Self>, Failed> {
        let file = match File::open(path(place)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(words::of_file(error)),
        };
        let mut text = Vec::new();
        file.take(NOTE_BYTES_MAX).read_to_end(&mut text).map_err(words::of_file)?;
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
        let temporary = place.scratch("note")?;
        let mut file = File::create_new(&temporary.0)?;
        file.write_all(text.to_string().as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary.0, path(place))?;
        sync_folder(place)
    }

    /// Forgets it for good.
    pub(super) fn remove(place: &Place) -> io::Result<()> {
        match fs::remove_file(path(place)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => sync_folder(place),
        }
    }
}

fn sync_folder(place: &Place) -> io::Result<()> {
    File::open(place.scratch_folder()?)?.sync_all()
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
