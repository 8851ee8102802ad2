//! What earlier runs of `publish` found out about a session, so that the next one can say at once that nothing changed.
//!
//! The rule it keeps: never proof of anything. Notes that are missing, torn or old cost one more look at everything.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::files::atomic::Fresh;
use crate::files::{Access, Dir, Revision};

/// Folder beside the cache that holds these notes.
const FOLDER: &str = "published";
/// First line of the notes: their form.
const FORM: &str = "hydrant notes 1";
/// Bytes of the notes of one session at most.
const NOTES_BYTES_MAX: u64 = 16 << 20;

/// Notes on one session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    pub(crate) session_id: String,
    /// Digest of the session's listing in the last commit, once a look at everything found it all published.
    pub(crate) listing: Option<String>,
    /// Files that were taken from outside the session's folder.
    pub(crate) files: Vec<Known>,
}

/// A file as it was when it was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// Its name within the session.
    pub(crate) name: String,
    /// Where its content lay.
    pub(crate) place: String,
    pub(crate) revision: Revision,
    /// Empty for one that git carries.
    pub(crate) oid: String,
}

/// The notes on a session; empty ones when there are none of use.
pub(crate) fn load(store_dir: &Path, session: &str) -> Notes {
    let mut text = String::new();
    let opened = fs::File::open(path_of(store_dir, session));
    match opened.and_then(|file| file.take(NOTES_BYTES_MAX).read_to_string(&mut text)) {
        Ok(_) => parse(&text).unwrap_or_default(),
        Err(_) => Notes::default(),
    }
}

/// Lines: the form, the id, the listing, one for each file, and an empty one, without which the notes are torn.
fn parse(text: &str) -> Option<Notes> {
    let mut lines = text.strip_suffix("\n\n")?.split('\n');
    if lines.next() != Some(FORM) {
        return None;
    }
    let session_id = lines.next()?.to_owned();
    let listing = Some(lines.next()?.to_owned()).filter(|listing| !listing.is_empty());
    let known = |line: &str| {
        let mut fields = line.split('\t');
        let (revision, oid) = (Revision::from_text(fields.next()?), fields.next()?.to_owned());
        let (name, place) = (fields.next()?.to_owned(), fields.next()?.to_owned());
        fields.next().is_none().then_some(Known { name, place, revision, oid })
    };
    Some(Notes { session_id, listing, files: lines.map(known).collect::<Option<_>>()? })
}

/// Takes the place of the notes on a session.
pub(crate) fn save(store_dir: &Path, session: &str, notes: &Notes) -> io::Result<()> {
    let mut text = format!("{FORM}\n{}\n{}\n", notes.session_id, notes.listing.as_deref().unwrap_or_default());
    for Known { name, place, revision, oid } in &notes.files {
        if name.contains(char::is_control) || place.contains(char::is_control) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a name that does not fit on a line"));
        }
        text += &format!("{}\t{oid}\t{name}\t{place}\n", revision.text());
    }
    text.push('\n');
    let dir = Dir::open_or_create(store_dir, Access::Owner)?.dir(FOLDER)?;
    // Notes that are lost are made again: nothing waits for the disk.
    Fresh::write(&dir, ".notes-", text.as_bytes(), None)?.take_over(session)
}

fn path_of(store_dir: &Path, session: &str) -> PathBuf {
    store_dir.join(FOLDER).join(session)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_come_back_and_torn_ones_are_none() {
        let folder = std::env::temp_dir().join(format!("hydrant-remembered-{}", std::process::id()));
        let known = Known {
            name: "raw.jsonl".into(),
            place: "/somewhere/raw.jsonl".into(),
            revision: Revision::from_text("1-2-3"),
            oid: "ab".into(),
        };
        let notes = Notes { session_id: "ses_1".into(), listing: Some("cd".into()), files: vec![known] };
        assert_eq!(load(&folder, "a session"), Notes::default());
        for notes in [Notes { listing: None, ..notes.clone() }, notes] {
            save(&folder, "a session", &notes).expect("a temp folder");
            assert_eq!(load(&folder, "a session"), notes);
        }
        let whole = fs::read(path_of(&folder, "a session")).expect("just written");
        for length in 0..whole.len() {
            fs::write(path_of(&folder, "a session"), &whole[..length]).expect("it can be torn");
            assert_eq!(load(&folder, "a session"), Notes::default());
        }
        fs::remove_dir_all(&folder).expect("it can be removed");
    }
}
