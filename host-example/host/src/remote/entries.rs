//! What commits hold under given names, and the bytes of blobs. Everything is asked for in bulk.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Place, words};
use crate::contract::types::{Failed, Failure};

/// Components of a name that choose the folder that is listed: `sessions/NAME`.
const LISTED_PARTS: usize = 2;

/// What stands under one name in a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) mode: String,
    pub(super) oid: String,
}

/// Everything in the folders of some names.
pub(super) type Entries = BTreeMap<String, Entry>;

impl Entry {
    /// Whether this is a file with bytes of its own: no folder, no symlink, no other repository.
    pub(super) fn is_file(&self) -> bool {
        matches!(self.mode.as_str(), "100644" | "100755")
    }
}

/// The folders that hold all these names, as git is asked for them.
pub(super) fn folders_of<'a>(names: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    names
        .map(|name| name.match_indices('/').nth(LISTED_PARTS - 1).map_or(name, |(end, _)| &name[..end]))
        .filter(|folder| !folder.is_empty())
        .collect()
}

/// What a commit holds in the folders of these names, folders and all.
pub(super) fn in_commit<'a>(
    place: &Place,
    commit: &str,
    names: impl Iterator<Item = &'a str>,
) -> Result<Entries, Failed> {
    let folders = folders_of(names);
    if folders.is_empty() {
        return Ok(Entries::new());
    }
    let mut arguments = vec!["--literal-pathspecs", "ls-tree", "-r", "-t", "-z", "--full-tree", commit, "--"];
    arguments.extend(folders);
    let listed = place.git.read(&arguments, b"").map_err(words::of_fault)?;
    let mut entries = Entries::new();
    for line in listed.split(|byte| *byte == 0) {
        // `mode type oid TAB path`; a path that is no text is none of ours.
        let Some((facts, path)) = std::str::from_utf8(line).ok().and_then(|line| line.split_once('\t')) else {
            continue;
        };
        let mut facts = facts.split(' ');
        if let (Some(mode), Some(_), Some(oid)) = (facts.next(), facts.next(), facts.next()) {
            entries.insert(path.to_owned(), Entry { mode: mode.to_owned(), oid: oid.to_owned() });
        }
    }
    Ok(entries)
}

/// The file of this name; none when there is none. A name that is something else is refused.
pub(super) fn file<'a>(entries: &'a Entries, name: &str) -> Result<Option<&'a Entry>, Failed> {
    if let Some(above) = file_above(entries, name) {
        let sentence = format!("{above} is no folder in the ledger, so {name} cannot be a file in it");
        return Err(words::failed(Failure::Refused, &sentence));
    }
    match entries.get(name) {
        Some(entry) if !entry.is_file() => {
            Err(words::failed(Failure::Refused, &format!("{name} is not a regular file in the ledger")))
        }
        found => Ok(found),
    }
}

/// A name above this one that is no folder.
pub(super) fn file_above<'a>(entries: &Entries, name: &'a str) -> Option<&'a str> {
    let mut above = name.match_indices('/').map(|(end, _)| &name[..end]);
    above.find(|folder| entries.get(*folder).is_some_and(|entry| entry.mode != FOLDER_MODE))
}

const FOLDER_MODE: &str = "040000";

/// The bytes of blobs, each with the name it has. One that is too large is refused.
pub(super) fn bytes_of(
    place: &Place,
    blobs: &[(&str, &str)],
    bytes_max: u64,
) -> Result<HashMap<String, Vec<u8>>, Failed> {
    let names: BTreeMap<&str, &str> = blobs.iter().copied().collect();
    let sizes = sizes_of(place, &names)?;
    if let Some((oid, size)) = sizes.iter().find(|(_, size)| *size > bytes_max) {
        let sentence = format!("{} has {size} bytes in the ledger, and a document has at most {bytes_max}", names[oid]);
        return Err(words::failed(Failure::Io, &sentence));
    }
    read(place, sizes.iter().map(|(oid, _)| *oid))
}

/// The same without those that are too large.
pub(super) fn bytes_within(
    place: &Place,
    blobs: &[(&str, &str)],
    bytes_max: u64,
) -> Result<HashMap<String, Vec<u8>>, Failed> {
    let sizes = sizes_of(place, &blobs.iter().copied().collect())?;
    read(place, sizes.iter().filter(|(_, size)| *size <= bytes_max).map(|(oid, _)| *oid))
}

/// How many bytes each of some blobs has.
fn sizes_of<'a>(place: &Place, names: &BTreeMap<&'a str, &str>) -> Result<Vec<(&'a str, u64)>, Failed> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let check = ["cat-file", "--batch-check=%(objecttype) %(objectsize)"];
    let said = place.git.read(&check, asked(names.keys().copied()).as_bytes()).map_err(words::of_fault)?;
    let said = String::from_utf8_lossy(&said);
    let sizes = names.keys().zip(said.lines()).map(|(oid, facts)| {
        let size = facts.strip_prefix("blob ").and_then(|size| size.parse().ok());
        let size = size.ok_or_else(|| words::failed(Failure::Io, "git does not have a blob that a commit names"))?;
        Ok((*oid, size))
    });
    sizes.collect()
}

fn read<'a>(place: &Place, oids: impl Iterator<Item = &'a str>) -> Result<HashMap<String, Vec<u8>>, Failed> {
    let asked = asked(oids);
    if asked.is_empty() {
        return Ok(HashMap::new());
    }
    let answer = place.git.read(&["cat-file", "--batch"], asked.as_bytes()).map_err(words::of_fault)?;
    parse_batch(&answer).ok_or_else(|| words::failed(Failure::Io, "git's answer cannot be read"))
}

/// What git's batches are fed: an oid a line.
fn asked<'a>(oids: impl Iterator<Item = &'a str>) -> String {
    oids.flat_map(|oid| [oid, "\n"]).collect()
}

/// `oid type size LF bytes LF`, again and again.
fn parse_batch(mut answer: &[u8]) -> Option<HashMap<String, Vec<u8>>> {
    let mut found = HashMap::new();
    while !answer.is_empty() {
        let end = answer.iter().position(|byte| *byte == b'\n')?;
        let mut facts = std::str::from_utf8(&answer[..end]).ok()?.split(' ');
        let (oid, _kind, size) = (facts.next()?, facts.next()?, facts.next()?.parse::<usize>().ok()?);
        let bytes = answer.get(end + 1..)?.get(..size)?;
        found.insert(oid.to_owned(), bytes.to_vec());
        answer = answer.get(end + 1 + size + 1..)?;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_session_are_one_folder() {
        let names = ["sessions/a b/meta.json", "sessions/a b/sub/x", "top", "sessions/c", ""];
        let folders: Vec<&str> = folders_of(names.into_iter()).into_iter().collect();
        assert_eq!(folders, ["sessions/a b", "sessions/c", "top"]);
    }

    #[test]
    fn a_name_that_is_no_file_is_refused() {
        let entry = |mode: &str| Entry { mode: mode.into(), oid: "1".into() };
        let entries: Entries =
            [("d", "040000"), ("d/f", "100755"), ("d/l", "120000")].map(|(n, m)| (n.to_owned(), entry(m))).into();
        assert!(file(&entries, "d/f").expect("a file").is_some() && file(&entries, "d/x").expect("absent").is_none());
        for name in ["d", "d/l", "d/f/x", "d/l/x/y"] {
            assert_eq!(file(&entries, name).expect_err("refused").why, Failure::Refused, "{name}");
        }
    }

    #[test]
    fn batches_are_read_to_their_end() {
        let found = parse_batch(b"aa blob 3\na\nb\nbb blob 0\n\n").expect("whole");
        assert_eq!((found["aa"].as_slice(), found["bb"].as_slice()), (&b"a\nb"[..], &b""[..]));
        assert!(parse_batch(b"aa blob 9\nshort\n").is_none() && parse_batch(b"aa missing\n").is_none());
    }
}
