//! What a commit, or the index, holds under some paths.
//!
//! The rule it keeps: only regular files count, and everything is bounded by git's output.

use crate::contract::error::Fault;
use crate::git::Git;
use crate::git::tree::{self, Line};
use crate::repository::Repository;

/// Bytes of one committed file that is of interest here, at most: a manifest.
const FILE_BYTES_MAX: u64 = 4 << 20;
/// Folders that git is given by name; of more, the folder above them is listed.
const FOLDERS_MAX: usize = 256;

/// Everything that a commit holds in these folders, or at least that: many of them are listed with their neighbours.
pub(crate) fn list(git: &Git, commit: &str, above: &str, folders: &[String]) -> Result<Vec<Line<String>>, Fault> {
    let mut arguments = vec!["--literal-pathspecs", "ls-tree", "-r", "-l", "-z", "--full-tree", commit, "--"];
    if folders.len() <= FOLDERS_MAX {
        arguments.extend(folders.iter().map(String::as_str));
    } else {
        arguments.push(above);
    }
    let listed = git.read(&arguments, b"")?;
    Ok(tree::lines(&listed).collect())
}

/// The same of the index, without what sizes there are.
pub(crate) fn listed_in_index(git: &Git, above: &str, folders: &[String]) -> Result<Vec<Line<String>>, Fault> {
    let mut arguments = vec!["--literal-pathspecs", "ls-files", "-v", "--stage", "-z", "--full-name", "--"];
    if folders.len() <= FOLDERS_MAX {
        arguments.extend(folders.iter().map(String::as_str));
    } else {
        arguments.push(above);
    }
    let listed = git.read(&arguments, b"")?;
    let lines = listed.split(|byte| *byte == 0).filter_map(tree::listed);
    Ok(lines.map(|(path, listed)| Line { path, entry: listed.entry, size: None }).collect())
}

/// The commit that a revision stands for; none when there is none.
pub(crate) fn commit(repository: &Repository, revision: &str) -> Result<Option<String>, Fault> {
    if !revision.starts_with('@') {
        return Ok(repository.git.commit(revision)?);
    }
    let revision = format!("{revision}^{{commit}}");
    let ended = repository.git.run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &revision], b"")?;
    Ok(ended.success().then(|| String::from_utf8_lossy(&ended.stdout).trim().to_owned()).filter(|oid| !oid.is_empty()))
}

/// The bytes of each path in a commit, in the order given; none where it holds no file.
pub(crate) fn files(git: &Git, commit: &str, paths: &[&str]) -> Result<Vec<Option<Vec<u8>>>, Fault> {
    let names: Vec<String> = paths.iter().map(|path| format!("{commit}:{path}")).collect();
    let mut found = vec![None; paths.len()];
    git.contents(&names, FILE_BYTES_MAX, &mut |at, header, bytes| {
        found[at] = header.is_blob().then_some(bytes);
        Ok::<_, Fault>(())
    })?;
    Ok(found)
}
