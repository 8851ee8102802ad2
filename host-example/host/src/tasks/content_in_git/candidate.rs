//! A file that could be held in full, and what holds it.

use crate::git::tree::Change;
use crate::sessions::ledger::{MANIFEST, SESSIONS};

/// A regular file that the index or a commit has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Candidate {
    pub(crate) path: String,
    /// Its id in git.
    pub(crate) git_oid: String,
    /// What stood there before, in any parent, by its id in git; nothing where nobody asked.
    pub(crate) before: Vec<String>,
}

/// What holds the files.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Holder<'a> {
    /// The index.
    Index,
    /// The last commit, whose attributes stand in the work tree.
    Head(&'a str),
    /// A commit that is about to be pushed, and an older one where something was before it.
    Commit { id: &'a str, older: Option<&'a str> },
}

/// The session and the name within it of a path that is neither a manifest nor beside the sessions.
pub(crate) fn session_file(path: &str) -> Option<(&str, &str)> {
    let (session, file) = path.strip_prefix(SESSIONS)?.strip_prefix('/')?.split_once('/')?;
    (file != MANIFEST).then_some((session, file))
}

/// A change as a candidate. git writes zeros where nothing was.
pub(super) fn candidate(change: Change, path: &[u8]) -> Candidate {
    let is_something = |id: &String| id.bytes().any(|digit| digit != b'0');
    let before = change.before.into_iter().filter(is_something).collect();
    Candidate { path: String::from_utf8_lossy(path).into_owned(), git_oid: change.after.oid, before }
}
