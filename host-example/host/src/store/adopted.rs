//! Files that were displaced by their pointers and serve as blobs from then on.
//!
//! A program that had such a file open can still write to it. So it never becomes an entry like others: its name holds
//! the state in which it was displaced, that state is compared before every use, and its bytes are hashed before they
//! are called present. One that changed is moved to `kept`, from where nothing is ever served and which nobody clears
//! but the user.
//!
//! | folder | holds |
//! | --- | --- |
//! | `displaced` | second names of files that are being displaced right now; after a crash they become adopted |
//! | `adopted` | displaced files: `<oid>.<inode>.<bytes>.<modified>.<session>` |
//! | `kept` | displaced files that changed afterwards: `<session>-<oid>-<n>` |
//!
//! An asset belongs to no session: its file has an empty one, and `<oid>-<n>` is its name in `kept`.

use std::collections::HashMap;
use std::io;

use crate::files::digest::{OID_DIGITS, is_oid};
use crate::files::{Dir, Facts};

/// Folder of files that are being displaced.
pub(crate) const DISPLACED: &str = "displaced";
/// Folder of files that were displaced.
pub(crate) const ADOPTED: &str = "adopted";
/// Folder of displaced files that changed afterwards.
pub(crate) const KEPT: &str = "kept";
/// Begins the name of a copy that is not known to be whole.
pub(crate) const COPYING: &str = ".copy-";
/// Bytes of a session's name that become part of a file name.
const SESSION_BYTES_MAX: usize = 60;
/// Files of one session and oid that are kept at most.
pub(crate) const KEPT_NUMBER_MAX: u32 = 10_000;

/// A displaced file that changed afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its name in the folder `kept`.
    pub name: String,
    /// Its path in the store: in `kept`, or still in `adopted`, until somebody who may write moves it.
    pub path: String,
    /// Length in bytes.
    pub size: u64,
}

/// The state in which a file was displaced, as its name tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) oid: String,
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds.
    modified: (i64, u64),
    session: String,
}

impl Note {
    pub(crate) fn of(oid: &str, facts: &Facts, session: &str) -> Self {
        Self {
            oid: oid.to_owned(),
            inode: facts.identity.inode,
            size: facts.size,
            modified: (facts.modified.seconds, facts.modified.nanos),
            session: name_part(session),
        }
    }

    pub(crate) fn name(&self) -> String {
        let (seconds, nanos) = (self.modified.0.cast_unsigned(), self.modified.1);
        format!("{}.{:x}.{:x}.{seconds:x}-{nanos:x}.{}", self.oid, self.inode, self.size, self.session)
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (oid, rest) = name.split_at_checked(OID_DIGITS)?;
        let mut parts = rest.strip_prefix('.')?.splitn(4, '.');
        let number = |text: &str| u64::from_str_radix(text, 16).ok();
        let (inode, size) = (number(parts.next()?)?, number(parts.next()?)?);
        let (seconds, nanos) = parts.next()?.rsplit_once('-')?;
        let modified = (number(seconds)?.cast_signed(), number(nanos)?);
        let note = Self { oid: oid.to_owned(), inode, size, modified, session: parts.next()?.to_owned() };
        (is_oid(oid) && note.name() == name).then_some(note)
    }

    /// What it is called in `kept`.
    pub(crate) fn kept_name(&self, number: u32) -> String {
        let dash = if self.session.is_empty() { "" } else { "-" };
        format!("{}{dash}{}-{number}", self.session, self.oid)
    }

    /// Whether a file is still in that state. A repository that was copied has other inodes: its files were written by
    /// whoever copied them, so only length and time count.
    pub(crate) fn fits(&self, facts: &Facts) -> bool {
        self.size == facts.size && self.modified == (facts.modified.seconds, facts.modified.nanos)
    }
}

/// Displaced files of one oid.
pub(super) struct Found {
    pub(super) folder: Dir,
    pub(super) files: Vec<(Note, Facts)>,
}

/// What was displaced, by oid.
#[derive(Default)]
pub(super) struct Adopted {
    notes: HashMap<String, Vec<Note>>,
}

impl Adopted {
    /// What lies there now.
    pub(super) fn read(root: &Dir) -> io::Result<Self> {
        let mut adopted = Self::default();
        let Some(folder) = root.dir_if_any(ADOPTED)? else { return Ok(adopted) };
        folder.names()?.iter().filter_map(|name| Note::parse(name)).for_each(|note| adopted.learn(note));
        Ok(adopted)
    }

    pub(super) fn learn(&mut self, note: Note) {
        let notes = self.notes.entry(note.oid.clone()).or_default();
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// Their folder, and the displaced files of this oid that are still in their state. The others are passed over, and
    /// moved to `kept` unless one only `reads`.
    pub(super) fn find(&self, root: &Dir, oid: &str, reads: bool) -> io::Result<Option<Found>> {
        let Some(notes) = self.notes.get(oid) else { return Ok(None) };
        let Some(folder) = root.dir_if_any(ADOPTED)? else { return Ok(None) };
        let mut files = Vec::new();
        for note in notes {
            match folder.find(note.name())? {
                Some(facts) if note.fits(&facts) => files.push((note.clone(), facts)),
                Some(_) if reads => {}
                Some(_) => keep_aside(root, &folder, note)?,
                // Somebody else moved it.
                None => {}
            }
        }
        Ok(Some(Found { folder, files }))
    }

    /// All that are still in their state. The others are passed over, and moved to `kept` unless one only `reads`.
    pub(super) fn all(root: &Dir, reads: bool) -> io::Result<Vec<(Note, Facts)>> {
        let mut all = Vec::new();
        let Some(folder) = root.dir_if_any(ADOPTED)? else { return Ok(all) };
        for name in folder.names()? {
            let Some(note) = Note::parse(&name) else { continue };
            match folder.find(name.as_str())? {
                Some(facts) if note.fits(&facts) => all.push((note, facts)),
                Some(_) if reads => {}
                Some(_) => keep_aside(root, &folder, &note)?,
                None => {}
            }
        }
        Ok(all)
    }
}

/// What would be in `kept` if somebody who may write had met it.
pub(super) fn changed_in(root: &Dir) -> io::Result<Vec<Kept>> {
    let Some(folder) = root.dir_if_any(ADOPTED)? else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for name in folder.names()? {
        let Some(note) = Note::parse(&name) else { continue };
        if let Some(facts) = folder.find(&name)?.filter(|facts| !note.fits(facts)) {
            all.push(Kept { name: note.kept_name(1), path: format!("{ADOPTED}/{name}"), size: facts.size });
        }
    }
    Ok(all)
}

/// Moves a file that is not what its oid says to `kept`. Nothing is written over there.
pub(crate) fn keep_aside(root: &Dir, folder: &Dir, note: &Note) -> io::Result<()> {
    let kept = root.dir(KEPT)?;
    for number in 1..=KEPT_NUMBER_MAX {
        match folder.rename_new(&note.name(), &kept, &note.kept_name(number)) {
            Ok(true) => return kept.sync(),
            Ok(false) => {}
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("too many changed files of one blob are kept"))
}

/// What lies in `kept`.
pub(super) fn kept_in(root: &Dir) -> io::Result<Vec<Kept>> {
    let Some(folder) = root.dir_if_any(KEPT)? else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for name in folder.names()? {
        if let Some(found) = folder.find(&name)? {
            let path = format!("{KEPT}/{name}");
            all.push(Kept { name, path, size: found.size });
        }
    }
    Ok(all)
}

/// A session's name as part of a file name that is easy to type.
fn name_part(session: &str) -> String {
    let letters = session.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' });
    letters.take(SESSION_BYTES_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_state_and_nothing_else_is_one() {
        let note = Note {
            oid: "ab".repeat(32),
            inode: 77,
            size: 1 << 40,
            modified: (1_700_000_000, 999_999_999),
            session: name_part("a b/ü.x"),
        };
        assert_eq!(note.session, "a_b___x");
        assert_eq!(Note::parse(&note.name()), Some(note.clone()));
        let of_an_asset = Note { session: name_part(""), ..note.clone() };
        assert_eq!(Note::parse(&of_an_asset.name()), Some(of_an_asset));
        let before_the_epoch = Note { modified: (-5, 1), ..note.clone() };
        assert_eq!(Note::parse(&before_the_epoch.name()), Some(before_the_epoch));
        for name in ["", "x", &note.oid, &format!("{}.1.2.3.s", note.oid), &format!("{}.01.2.3-4.s", note.oid)] {
            assert_eq!(Note::parse(name), None, "{name}");
        }
    }
}
