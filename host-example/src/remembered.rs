//! What a finished publish remembers of the files it took from outside the session's folder, so that the next one can
//! say at once that nothing changed.
//!
//! The rule it keeps: never proof of anything. A list that is missing, torn or wrong costs one more look at everything.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use hydrant_host::files::Revision;
use serde_json::{Value, json};

/// Folder beside the cache that holds these lists.
const FOLDER: &str = "published";
/// Form of a list.
const VERSION: u64 = 1;
/// Bytes of a list at most.
const LIST_BYTES_MAX: u64 = 16 << 20;

/// A file as it was when it was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// Its name within the session.
    pub(crate) name: String,
    /// Where its content lay.
    pub(crate) place: String,
    pub(crate) revision: Revision,
    pub(crate) oid: String,
}

/// The list of a session's last publish.
pub(crate) fn load(store_dir: &Path, session: &str) -> Vec<Known> {
    let read = || -> io::Result<Value> {
        let mut text = Vec::new();
        fs::File::open(path_of(store_dir, session))?.take(LIST_BYTES_MAX).read_to_end(&mut text)?;
        Ok(serde_json::from_slice(&text)?)
    };
    let Ok(list) = read() else { return Vec::new() };
    if list["version"] != VERSION {
        return Vec::new();
    }
    let entry = |entry: &Value| {
        let text = |field: &str| Some(entry[field].as_str()?.to_owned());
        let revision = Revision::from_text(&text("revision")?);
        Some(Known { name: text("name")?, place: text("place")?, revision, oid: text("oid")? })
    };
    list["files"].as_array().into_iter().flatten().filter_map(entry).collect()
}

/// Takes the place of the session's list.
pub(crate) fn save(store_dir: &Path, session: &str, files: &[Known]) -> io::Result<()> {
    let entry = |file: &Known| {
        json!({ "name": file.name, "place": file.place, "revision": file.revision.text(), "oid": file.oid })
    };
    let list = json!({ "version": VERSION, "files": files.iter().map(entry).collect::<Vec<_>>() });
    let path = path_of(store_dir, session);
    fs::create_dir_all(store_dir.join(FOLDER))?;
    let temporary = store_dir.join(FOLDER).join(format!(".list-{}.tmp", std::process::id()));
    let placed = fs::write(&temporary, list.to_string()).and_then(|()| fs::rename(&temporary, &path));
    if placed.is_err() {
        // The first error is the one that matters.
        fs::remove_file(&temporary).ok();
    }
    placed
}

fn path_of(store_dir: &Path, session: &str) -> PathBuf {
    store_dir.join(FOLDER).join(format!("{session}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_comes_back_and_a_torn_one_is_none() {
        let folder = std::env::temp_dir().join(format!("hydrant-remembered-{}", std::process::id()));
        let known = Known {
            name: "raw.jsonl".into(),
            place: "/somewhere/raw.jsonl".into(),
            revision: Revision::from_text("1-2-3"),
            oid: "ab".into(),
        };
        assert_eq!(load(&folder, "a session"), []);
        save(&folder, "a session", std::slice::from_ref(&known)).expect("a temp folder");
        assert_eq!(load(&folder, "a session"), [known]);
        fs::write(path_of(&folder, "a session"), "{\"version\": 1, \"files\": [{\"name\"").expect("it can be torn");
        assert_eq!(load(&folder, "a session"), []);
        fs::remove_dir_all(&folder).expect("it can be removed");
    }
}
