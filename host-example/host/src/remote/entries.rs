//! What commits hold under given names, and the bytes of blobs. Everything is asked for in bulk.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Place, words};
use crate::contract::types::{Failed, Failure};
use crate::git::objects::Header;
use crate::git::tree::{self, Entry};

/// Components of a name that choose the folder that is listed: `sessions/NAME`.
const LISTED_PARTS: usize = 2;

/// Everything in the folders of some names.
pub(super) type Entries = BTreeMap<String, Entry>;

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
    let names: Vec<&str> = names.collect();
    let mut entries = listed(place, commit, &["-r", "-t"], folders_of(names.iter().copied()))?;
    // What stands in the place of a folder above is not listed for what lies beneath it: a file there would be lost.
    let tops = names.iter().filter_map(|name| Some(name.split_once('/')?.0)).collect();
    entries.extend(listed(place, commit, &[], tops)?);
    Ok(entries)
}

fn listed(place: &Place, commit: &str, how: &[&str], names: BTreeSet<&str>) -> Result<Entries, Failed> {
    if names.is_empty() {
        return Ok(Entries::new());
    }
    let mut arguments = [&["--literal-pathspecs", "ls-tree"], how, &["-z", "--full-tree", commit, "--"]].concat();
    arguments.extend(names);
    let listed = place.git.read(&arguments, b"")?;
    Ok(tree::lines(&listed).map(|line| (line.path, line.entry)).collect())
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
    above.find(|folder| entries.get(*folder).is_some_and(|entry| !entry.is_folder()))
}

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
    read(place, &sizes)
}

/// The same without those that are too large.
pub(super) fn bytes_within(
    place: &Place,
    blobs: &[(&str, &str)],
    bytes_max: u64,
) -> Result<HashMap<String, Vec<u8>>, Failed> {
    let mut sizes = sizes_of(place, &blobs.iter().copied().collect())?;
    sizes.retain(|(_, size)| *size <= bytes_max);
    read(place, &sizes)
}

/// How many bytes each of some blobs has.
fn sizes_of<'a>(place: &Place, names: &BTreeMap<&'a str, &str>) -> Result<Vec<(&'a str, u64)>, Failed> {
    let oids: Vec<&str> = names.keys().copied().collect();
    let found = place.git.blob_info(&oids)?;
    let size = |(oid, found): (&'a str, Option<Header>)| {
        let blob = found.ok_or_else(|| words::failed(Failure::Io, "git does not have a blob that a commit names"))?;
        Ok((oid, blob.size))
    };
    oids.into_iter().zip(found).map(size).collect()
}

fn read(place: &Place, blobs: &[(&str, u64)]) -> Result<HashMap<String, Vec<u8>>, Failed> {
    let mut found = HashMap::with_capacity(blobs.len());
    place.git.each_object(blobs, &mut |at, _, bytes| {
        found.insert(blobs[at].0.to_owned(), bytes);
        Ok::<_, Failed>(())
    })?;
    Ok(found)
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
}
