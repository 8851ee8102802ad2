//! Whose a path of the repository is: a session's, or the project's own.
//!
//! The rules it keeps: no repository is a ledger as a whole. What lies in a folder beneath `sessions/` is a session's
//! from the first manifest on, and keeps its pointers; every other path follows the rules of any LFS repository. git is
//! asked only about a path that could be a session's, and nothing is fetched for it.

use super::Repository;
use crate::contract::error::Fault;
use crate::contract::names::{MANIFEST, MANIFESTS, SESSIONS, session_of};
use crate::git::GitFault;
use crate::git::tree::{self, Entry, Stored};

/// Bytes of a folder of the last commit at most, as git stores it.
const FOLDER_BYTES_MAX: u64 = 64 << 20;
/// Folders of sessions that are looked into first: one with a manifest is enough.
const FOLDERS_FIRST: usize = 64;
/// What its owner says of a repository, as `git config --list` prints the name.
const SETTING: &str = "hydrant.ledger";

impl Repository {
    /// Whether a path belongs to a session; otherwise it is the project's own.
    pub(crate) fn is_of_session(&self, path: &[u8]) -> Result<bool, Fault> {
        // What is not UTF-8 lies beneath the same folders.
        Ok(session_of(&String::from_utf8_lossy(path)).is_some() && self.has_sessions()?)
    }

    /// Whether it may hold sessions, whatever it holds so far: only its owner can say that it never does.
    pub(crate) fn may_have_sessions(&self) -> bool {
        self.flag(SETTING) != Some(false)
    }

    /// Whether it holds sessions: it says so, or its work tree, its index or its last commit has a session's manifest.
    /// The first session is in no commit yet. The answer is of when it was first asked.
    pub fn has_sessions(&self) -> Result<bool, Fault> {
        if let Some(has_sessions) = self.has_sessions.get() {
            return Ok(*has_sessions);
        }
        let has_sessions = match self.flag(SETTING) {
            Some(says) => says,
            None => self.tree_has_manifest() || self.index_has_manifest()? || self.commit_has_manifest()?,
        };
        Ok(*self.has_sessions.get_or_init(|| has_sessions))
    }

    fn tree_has_manifest(&self) -> bool {
        let sessions = self.top.join(SESSIONS);
        let is_folder = sessions.symlink_metadata().is_ok_and(|facts| facts.is_dir());
        let mut folders = sessions.read_dir().into_iter().filter(|_| is_folder).flatten().flatten();
        folders.any(|folder| folder.path().join(MANIFEST).symlink_metadata().is_ok_and(|facts| facts.is_file()))
    }

    fn index_has_manifest(&self) -> Result<bool, Fault> {
        Ok(!self.as_it_is().read(&["ls-files", "-z", "--", MANIFESTS], b"")?.is_empty())
    }

    /// By the names in its folders alone: a clone without blobs has those.
    fn commit_has_manifest(&self) -> Result<bool, Fault> {
        let sessions = [format!("HEAD:{SESSIONS}")];
        let mut folders = Vec::new();
        self.each_in(&sessions, |one| folders.extend(Some(one.entry).filter(Entry::is_folder).map(|entry| entry.oid)))?;
        // Each by the id of its own: a path from the root would read the folder above it once for each.
        let (first, rest) = folders.split_at(folders.len().min(FOLDERS_FIRST));
        let mut has_manifest = false;
        for folders in [first, rest] {
            if !has_manifest {
                let is_manifest = |one: &Stored<'_>| one.entry.is_file() && one.name == MANIFEST.as_bytes();
                self.each_in(folders, |one| has_manifest |= is_manifest(&one))?;
            }
        }
        Ok(has_manifest)
    }

    /// Hands over what stands in each of these folders of git. One that is not here has nothing to show.
    fn each_in(&self, names: &[String], mut see: impl FnMut(Stored<'_>)) -> Result<(), Fault> {
        let read = self.as_it_is().contents(names, FOLDER_BYTES_MAX, &mut |_, header, bytes| {
            if header.kind == "tree" {
                tree::stored(&bytes, header.git_oid.len() / 2).for_each(&mut see);
            }
            Ok::<_, GitFault>(())
        });
        match read {
            // git ends at a commit that names a folder which is not here.
            Ok(()) | Err(GitFault::Refused(_)) => Ok(()),
            Err(fault) => Err(fault.into()),
        }
    }
}
