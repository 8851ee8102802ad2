//! The ledger as its remote has it, through the user's own git: look, push, follow.
//!
//! The rules it keeps: the user's index and tree are not touched before the remote confirmed; the remote is only ever
//! moved forward from the very state that was looked at; bytes go into git as they are, through no filter; and the
//! branch, the index and the files here follow together or not at all.

mod ahead;
mod backoff;
mod branch_move;
mod commit;
mod destination;
mod differences;
mod displacing;
mod entries;
mod index_copy;
mod index_lock;
mod load;
pub mod mentions;
mod note_file;
mod placing;
mod preflight;
mod push;
mod range;
mod rewrite;
mod rewrite_files;
mod rewrite_lists;
mod rewrite_note;
mod rewrite_undo;
mod settle;
mod settle_note;
mod standing;
#[cfg(test)]
mod tests;
mod words;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub use preflight::{Options, Preflight, Reason, Refusal};
pub(crate) use rewrite::BACKUPS;

use crate::contract::types::{Failed, Failure, Ledger, Lookup, Push, PushRange, Rewrite, Settle};
use crate::files::Files;
use crate::files::atomic::temporary_name;
use crate::files::platform::make_private_dir;
use crate::git::{Git, GitFault};

/// Folder beneath git's own that holds what lives for one command.
const SCRATCH: &str = "hydrant";
/// Begins the name of each file there that is gone with its command.
const SCRATCH_PREFIX: &str = "tmp-";
/// What is asked of git so that objects, refs and indexes outlive a power loss. A git that does not know it ignores it.
const DURABLE: [&str; 4] =
    ["-c", "core.fsync=loose-object,pack,pack-metadata,reference,index", "-c", "core.fsyncMethod=batch"];
/// Features of an index that tie it to its place: ours lies elsewhere for a moment.
const PLAIN_INDEX: [&str; 4] = ["-c", "core.splitIndex=false", "-c", "core.fsmonitor=false"];

/// Why some commits are not made anew.
pub(crate) const SHARED: &str = "a remote has some of these commits already, and others may build on them: they are \
    not made anew; take the pointers out with a commit of your own, or bring their blobs to the server";

/// The branch that is followed, here and at its remote. Made by [`RemoteLedger::preflight`], or by
/// [`RemoteLedger::of_branch`] for whoever neither publishes nor follows.
#[derive(Clone)]
pub struct RemoteLedger(Arc<Place>);

/// Where everything is.
struct Place {
    git: Git,
    /// The work tree.
    tree: Files,
    /// git's folder of this work tree: HEAD and index.
    git_dir: PathBuf,
    /// git's folder of all work trees: objects and refs.
    common_dir: PathBuf,
    /// Short name of the branch here.
    branch: String,
    remote: String,
    /// Full name of the branch at the remote.
    upstream: String,
    /// Full name of the ref here that says where it was; with `remote` and `upstream` empty for a branch that follows
    /// none.
    tracking: String,
    /// What the remote is known to have, in git's words, where that ref is none; none when it is an address.
    known: Option<String>,
    with_unpushed: bool,
    /// The remote's last commit as it was seen last.
    base: Mutex<Option<String>>,
}

/// What became of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// This commit of the remote's holds exactly these files.
    At(String),
    /// A file is no longer what it replaces.
    Conflict,
}

/// What became of a settling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// Branch, index and files agree with the tip.
    Done,
    /// A change of the user's stands in the way; nothing moved.
    Conflict,
}

/// What became of a rewrite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rewritten {
    /// Branch, index and files agree with this commit.
    At(String),
    /// Something is not as expected, or a change of the user's stands in the way; nothing moved.
    Conflict,
}

impl RemoteLedger {
    /// Everything that would be in the way of a publish, found before anything is uploaded. Fetches the branch.
    pub fn preflight(git: &Git, session: &str, options: Options) -> Result<Preflight, Refusal> {
        preflight::preflight(git, session, options)
    }

    /// The branch as it stands: whatever is half done here, and whether it follows one of a remote or not. Nothing is
    /// fetched. Good for what a push would send, and for a rewrite of that.
    pub fn of_branch(git: &Git) -> Result<Self, Refusal> {
        preflight::of_branch(git)
    }

    /// The branch as `git push` would send it to this remote, and why that is not the whole of what git would do.
    /// `named` says that the user chose the remote for this once. Nothing is fetched. Good for what
    /// [`RemoteLedger::of_branch`] is good for.
    pub(crate) fn of_push(git: &Git, remote: &str, named: bool) -> Result<(Self, Option<String>), Refusal> {
        preflight::of_push(git, remote, named)
    }

    /// Whether some remote has commits of the push already: a rewrite would take them from whoever fetched them.
    pub(crate) fn is_shared(&self) -> Result<bool, Refusal> {
        Ok(range::is_shared(&self.0)?)
    }

    /// Puts back what a rewrite changed that was interrupted; says whether there was one.
    pub fn undo_interrupted(&self) -> Result<bool, Refusal> {
        Ok(rewrite::undo_interrupted(&self.0)?)
    }

    /// Whether a rewrite was interrupted, and nobody has put it back yet.
    pub fn is_interrupted(&self) -> bool {
        rewrite_note::path(&self.0).symlink_metadata().is_ok()
    }

    /// Whether a push would send small files at all: without them there is nobody to ask about anything.
    pub fn sends_small_files(&self) -> Result<bool, Refusal> {
        Ok(range::has_small_files(&self.0)?)
    }

    /// The last commit here.
    pub fn last_commit(&self) -> Result<String, Refusal> {
        Ok(self.0.head()?)
    }

    /// The newest ref under which a rewrite kept this commit, if one did.
    pub fn backup_of(&self, commit: &str) -> Result<Option<String>, GitFault> {
        rewrite::backup_of(&self.0, commit)
    }

    /// Whether nothing of a session waits for a publish, as far as git knows without asking anybody: the branch has an
    /// upstream and nothing that was not pushed, and nothing beneath the session's folder differs from the last commit.
    pub fn unchanged(git: &Git, session: &str) -> Result<bool, GitFault> {
        preflight::unchanged(git, session)
    }

    /// Makes git look at these files again and remember what it sees, so that the next `git status` is quick. An index
    /// that somebody else has locked stays as it is: then the next `git status` looks by itself.
    pub fn refresh(&self, names: &[String]) -> Result<(), GitFault> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.0.refresh(&self.0.git, &names)
    }

    /// Short name of the branch here.
    pub fn branch(&self) -> &str {
        &self.0.branch
    }

    /// The remote's name.
    pub fn remote(&self) -> &str {
        &self.0.remote
    }

    /// Full name of the branch at the remote.
    pub fn upstream(&self) -> &str {
        &self.0.upstream
    }

    /// git's folder of all work trees of this repository.
    pub fn common_dir(&self) -> &Path {
        &self.0.common_dir
    }

    /// The work tree's files.
    pub(crate) fn tree(&self) -> &Files {
        &self.0.tree
    }

    pub(crate) fn load(&self, lookup: &Lookup, wanted: &dyn Fn() -> bool) -> Result<Ledger, Failed> {
        load::load(&self.0, lookup, wanted)
    }

    pub(crate) fn push(&self, push: &Push) -> Result<Pushed, Failed> {
        push::push(&self.0, push)
    }

    /// The remote's tip, where it holds all of a push already.
    pub(crate) fn held(&self, push: &Push) -> Result<Option<String>, Failed> {
        push::held(&self.0, push)
    }

    pub(crate) fn settle(&self, settle: &Settle) -> Result<Settled, Failed> {
        settle::settle(&self.0, settle)
    }

    pub(crate) fn push_range(&self) -> Result<PushRange, Failed> {
        range::load(&self.0)
    }

    pub(crate) fn rewrite(&self, rewrite: &Rewrite) -> Result<Rewritten, Failed> {
        rewrite::rewrite(&self.0, rewrite)
    }
}

impl Place {
    /// Whether the branch is the one that is checked out.
    fn is_checked_out(&self) -> Result<bool, Failed> {
        let branch = self.git.run(&["symbolic-ref", "--quiet", "HEAD"], b"")?;
        Ok(words::line(&branch.stdout) == format!("refs/heads/{}", self.branch))
    }

    /// The last commit here.
    fn head(&self) -> Result<String, Failed> {
        self.commit_of("HEAD")
    }

    fn commit_of(&self, name: &str) -> Result<String, Failed> {
        self.find_commit(name)?.ok_or_else(|| words::failed(Failure::Io, "git does not know the last commit"))
    }

    /// None when there is no such commit here.
    fn find_commit(&self, name: &str) -> Result<Option<String>, Failed> {
        Ok(self.git.commit(name)?)
    }

    /// The commit that the remote was last known to have; none when the branch follows none, or nothing is known of it.
    fn known_base(&self) -> Result<Option<String>, Failed> {
        if self.tracking.is_empty() { Ok(None) } else { self.find_commit(&self.tracking) }
    }

    fn is_ancestor(&self, older: &str, newer: &str) -> Result<bool, Failed> {
        let ended = self.git.run(&["merge-base", "--is-ancestor", older, newer], b"")?;
        match ended.status.code() {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(words::refusal(Failure::Io, &ended.stderr)),
        }
    }

    /// What the remote was seen to have last.
    fn seen(&self) -> Option<String> {
        self.base.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn see(&self, tip: &str) {
        *self.base.lock().unwrap_or_else(PoisonError::into_inner) = Some(tip.to_owned());
    }

    fn refresh(&self, git: &Git, names: &[&str]) -> Result<(), GitFault> {
        // By their folders: git compares every entry with every name it is given.
        let folders: Vec<&str> = entries::folders_of(names.iter().copied()).into_iter().collect();
        if folders.is_empty() {
            return Ok(());
        }
        let arguments = ["--literal-pathspecs", "add", "--refresh", "--pathspec-from-file=-", "--pathspec-file-nul"];
        // What is not in the index, or locked, or out of the sparse part, makes git end with an error: nothing is lost.
        git.run(&arguments, folders.join("\0").as_bytes()).map(drop)
    }

    /// A path in git's own folder that nobody else uses, in a folder that is the user's alone.
    fn scratch(&self, ending: &str) -> std::io::Result<ScratchFile> {
        let folder = self.scratch_folder()?;
        let name = format!("{}.{ending}", temporary_name(SCRATCH_PREFIX));
        Ok(ScratchFile(folder.join(name)))
    }

    fn scratch_folder(&self) -> std::io::Result<PathBuf> {
        let folder = self.git_dir.join(SCRATCH);
        make_private_dir(&folder)?;
        Ok(folder)
    }
}

/// The path of a file that is gone with this value, and git's lock beside it.
struct ScratchFile(PathBuf);

impl Drop for ScratchFile {
    fn drop(&mut self) {
        for ending in ["", ".lock"] {
            let mut path = self.0.clone().into_os_string();
            path.push(ending);
            // It may never have been made, or have got its final name.
            std::fs::remove_file(path).ok();
        }
    }
}
