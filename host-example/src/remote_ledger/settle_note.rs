//! The note that a settle leaves between its last two steps, so that whoever comes next moves the branch that a process
//! which died did not get to move.
//!
//! Rule: the branch moves only while it is where that process held it, and only when the index still has all that lies
//! between the two commits; whatever the user did meanwhile otherwise stands.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

use super::branch_move::BranchMove;
use super::index_lock::IndexLock;
use super::{Place, words};
use crate::wit::types::Failed;

/// Its name in our folder beneath git's own of this work tree.
const NOTE: &str = "settle.note";
/// Bytes of a note at most: two commits.
const NOTE_BYTES_MAX: u64 = 1024;

fn path(place: &Place) -> PathBuf {
    place.git_dir.join(super::SCRATCH).join(NOTE)
}

/// Writes down from where to where the branch is about to move.
pub(super) fn write(place: &Place, old: &str, new: &str) -> io::Result<()> {
    let temporary = place.scratch("note")?;
    let mut file = File::create_new(&temporary.0)?;
    file.write_all(format!("{old} {new}\n").as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary.0, path(place))?;
    File::open(place.scratch_folder()?)?.sync_all()
}

/// Forgets it. One that comes back after a power loss is found to be of no use.
pub(super) fn remove(place: &Place) -> io::Result<()> {
    match fs::remove_file(path(place)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Moves the branch when a settle died before it could, with the index locked for that long.
pub(super) fn finish_interrupted(place: &Place) -> Result<(), Failed> {
    if !path(place).exists() {
        return Ok(());
    }
    let _lock = IndexLock::take(place)?;
    finish(place)
}

/// The same for whoever has the index locked.
pub(super) fn finish(place: &Place) -> Result<(), Failed> {
    let Some((old, new)) = read(place).map_err(words::of_file)? else { return Ok(()) };
    let branch = place.git.run(&["symbolic-ref", "--quiet", "HEAD"], b"").map_err(words::of_fault)?;
    let stands = words::line(&branch.stdout) == format!("refs/heads/{}", place.branch) && place.head()? == old;
    if stands
        && place.commit_of(&new).is_ok()
        && place.is_ancestor(&old, &new)?
        && index_has(place, &old, &new)?
        && let Some(branch) = BranchMove::prepare(place, &old, &new)?
    {
        branch.commit()?;
    }
    remove(place).map_err(words::of_file)
}

fn read(place: &Place) -> io::Result<Option<(String, String)>> {
    let file = match File::open(path(place)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let text = io::read_to_string(io::Read::take(file, NOTE_BYTES_MAX))?;
    let mut commits = text.split_whitespace().map(str::to_owned);
    Ok(commits.next().zip(commits.next()))
}

/// Whether the index holds, of every path that changed between two commits, what the newer one has.
fn index_has(place: &Place, old: &str, new: &str) -> Result<bool, Failed> {
    let names = |arguments: &[&str]| -> Result<BTreeSet<Vec<u8>>, Failed> {
        let answer = place.git.read(arguments, b"").map_err(words::of_fault)?;
        Ok(answer.split(|byte| *byte == 0).filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect())
    };
    let between = names(&["diff-tree", "-r", "-z", "--name-only", "--no-renames", old, new])?;
    let differing = names(&["diff-index", "--cached", "-z", "--name-only", "--no-renames", new])?;
    Ok(between.is_disjoint(&differing))
}
