//! From bytes to a commit, beside the user's index and tree: blobs, a temporary index, a tree, a commit.

use std::collections::BTreeMap;

use super::entries::Entries;
use super::{DURABLE, PLAIN_INDEX, Place, words};
use crate::contract::types::{Failed, Failure, PushFile};
use crate::git::tree::Entry;

/// Mode of a file that is new.
const FILE_MODE: &str = "100644";
/// Blobs from which on git stores them in one pack and not as a file each: a file costs a sync (measured: 2,000
/// pointers take 0.1 s in a pack and 3.6 s as files).
const LOOSE_BLOBS_MAX: &str = "fastimport.unpackLimit=16";

/// Stores files as blobs, through no filter; their ids in the same order.
pub(super) fn store(place: &Place, files: &[PushFile]) -> Result<Vec<String>, Failed> {
    let mut input = Vec::new();
    for (at, file) in files.iter().enumerate() {
        let mark = at + 1;
        input.extend_from_slice(format!("blob\nmark :{mark}\ndata {}\n", file.bytes.len()).as_bytes());
        input.extend_from_slice(&file.bytes);
        input.extend_from_slice(format!("\nget-mark :{mark}\n").as_bytes());
    }
    // Without this word an input that was cut off is an error.
    input.extend_from_slice(b"done\n");
    let mut arguments = DURABLE.to_vec();
    arguments.extend(["-c", LOOSE_BLOBS_MAX, "fast-import", "--quiet", "--done"]);
    let answer = place.git.read(&arguments, &input)?;
    let oids: Vec<String> = String::from_utf8_lossy(&answer).lines().map(str::to_owned).collect();
    if oids.len() == files.len() { Ok(oids) } else { Err(words::failed(Failure::Io, "git did not store every file")) }
}

/// The tree of a commit with these blobs under their names, and everything else as it is there.
pub(super) fn tree(place: &Place, commit: &str, there: &Entries, new: &BTreeMap<&str, &str>) -> Result<String, Failed> {
    let index = place.scratch("index").map_err(words::of_file)?;
    let git = place.git.clone().with_variable("GIT_INDEX_FILE", &index.0);
    let run = |words: &[&str], input: &[u8]| {
        let arguments: Vec<&str> = DURABLE.iter().chain(&PLAIN_INDEX).chain(words).copied().collect();
        git.read(&arguments, input).map_err(Failed::from)
    };
    run(&["read-tree", commit], b"")?;
    run(&["update-index", "-z", "--index-info"], &index_info(there, new))?;
    Ok(words::line(&run(&["write-tree"], b"")?))
}

/// Lines of `git update-index --index-info`. A file that is there keeps its mode.
pub(super) fn index_info(there: &Entries, new: &BTreeMap<&str, &str>) -> Vec<u8> {
    let mut lines = Vec::new();
    for (name, oid) in new {
        let mode = there.get(*name).filter(|entry| entry.is_file()).map_or(FILE_MODE, |Entry { mode, .. }| mode);
        lines.extend_from_slice(format!("{mode} {oid} 0\t{name}\0").as_bytes());
    }
    lines
}

/// Commits a tree, signed when the user signs.
pub(super) fn commit(place: &Place, tree: &str, parent: &str, message: &str) -> Result<String, Failed> {
    let mut arguments = DURABLE.to_vec();
    arguments.extend(["commit-tree", tree, "-p", parent, "-F", "-"]);
    // Only porcelain heeds this setting by itself.
    let asked = place.git.run(&["config", "--type=bool", "--get", "commit.gpgSign"], b"")?;
    let signs = words::line(&asked.stdout) == "true";
    if signs {
        arguments.push("-S");
    }
    let ended = place.git.run_patiently(&arguments, message.as_bytes())?;
    if ended.success() {
        return Ok(words::line(&ended.stdout));
    }
    let why = if signs { Failure::Refused } else { words::why_of(&ended.stderr).unwrap_or(Failure::Io) };
    Err(words::refusal(why, &ended.stderr))
}
