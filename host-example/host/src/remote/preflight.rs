//! Everything that would stand in the way of a publish, found before anything is uploaded.
//!
//! Rule: each refusal is one sentence that says what the user can do; nothing here writes but the fetch, which moves
//! only the ref that says where the remote is.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::destination::{self, Upstream};
use super::load::fetch;
use super::{Place, RemoteLedger, index_lock, settle_note, words};
use crate::contract::error::HostError;
use crate::contract::types::{Failed, Failure};
use crate::files::Files;
use crate::files::platform::path_of;
use crate::git::tree::{self, Line};
use crate::git::{Git, GitFault};

/// What the user chose.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Commits of the user's that were not pushed go along.
    pub with_unpushed: bool,
}

/// The way is free.
pub struct Preflight {
    /// What effects are performed with.
    pub ledger: RemoteLedger,
    /// The remote's last commit.
    pub tip: String,
    /// Commits of the user's that go along.
    pub unpushed: u64,
    /// What should be put in order, but stands in nobody's way; a sentence each.
    pub warnings: Vec<String>,
}

/// Why nothing can be published now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For programs.
    pub reason: Reason,
    /// For people.
    pub sentence: String,
}

/// The closed list of refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The branch has no commit yet.
    NoCommit,
    /// HEAD is on no branch.
    Detached,
    /// The branch follows no branch of a remote.
    NoUpstream,
    /// The remote does not have the branch yet.
    NotOnRemote,
    /// A rebase, merge, cherry-pick, revert, bisect or am is not finished.
    Underway,
    /// Another git holds the index.
    IndexLocked,
    /// The index holds a change of the session's files.
    Staged,
    /// So many commits were not pushed.
    Unpushed(u64),
    /// The remote has commits that the branch has not.
    Diverged,
    /// A symlink or another repository stands in the session's place.
    NotAFolder,
    /// git does not know who commits.
    NoIdentity,
    /// The remote cannot be reached.
    Offline,
    /// The remote gives no access.
    Denied,
    /// git itself failed.
    Git,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Refusal {}

impl From<Failed> for Refusal {
    fn from(failed: Failed) -> Self {
        let reason = match failed.why {
            Failure::Offline | Failure::TimedOut => Reason::Offline,
            Failure::Denied => Reason::Denied,
            _ => Reason::Git,
        };
        Self { reason, sentence: failed.detail }
    }
}

impl From<GitFault> for Refusal {
    fn from(fault: GitFault) -> Self {
        Failed::from(fault).into()
    }
}

impl From<HostError> for Refusal {
    fn from(error: HostError) -> Self {
        refusal(Reason::Git, error.to_string())
    }
}

fn refusal(reason: Reason, sentence: impl Into<String>) -> Refusal {
    Refusal { reason, sentence: sentence.into() }
}

pub(super) fn preflight(git: &Git, session: &str, options: Options) -> Result<Preflight, Refusal> {
    let place = find(git, options)?;
    let folder = format!("sessions/{session}");
    who_commits(&place)?;
    // What looks staged may be a settle that died before its last step.
    settle_note::finish_interrupted(&place)?;
    no_staged_change(&place, &folder)?;
    a_folder(&place, &folder)?;
    let tip = fetch(&place, &|| true).map_err(|failed| match failed.why {
        Failure::NotFound if failed.detail.contains("remote ref") => refusal(
            Reason::NotOnRemote,
            format!("{} does not have the branch yet: push it once with git push", place.remote),
        ),
        _ => failed.into(),
    })?;
    let unpushed = unpushed(&place, &tip)?;
    let warnings = filters(&place, &folder)?;
    Ok(Preflight { ledger: RemoteLedger(Arc::new(place)), tip, unpushed, warnings })
}

/// Where everything is, when HEAD is on a branch that follows one of a remote and nothing is half done.
fn find(git: &Git, options: Options) -> Result<Place, Refusal> {
    let folders = Folders::of(git)?;
    nothing_underway(&folders.git_dir)?;
    let branch = folders.branch()?;
    let upstream = folders.upstream(&branch)?.ok_or_else(|| no_upstream(&branch))?;
    let place = folders.place(branch, upstream, options)?;
    index_lock::free(&place).map_err(|failed| refusal(Reason::IndexLocked, failed.detail))?;
    Ok(place)
}

/// Where everything is, whatever is half done and whether the branch follows one of a remote or not.
pub(super) fn of_branch(git: &Git) -> Result<RemoteLedger, Refusal> {
    let folders = Folders::of(git)?;
    let branch = folders.branch().or_else(|detached| nothing_underway(&folders.git_dir).and(Err(detached)))?;
    let upstream = folders.upstream(&branch)?.unwrap_or_default();
    Ok(RemoteLedger(Arc::new(folders.place(branch, upstream, Options::default())?)))
}

/// The same, and what the remote is that a push would go to.
pub(super) fn of_push(git: &Git, remote: &str, named: bool) -> Result<(RemoteLedger, Option<String>), Refusal> {
    let folders = Folders::of(git)?;
    let branch = folders.branch().or_else(|detached| nothing_underway(&folders.git_dir).and(Err(detached)))?;
    let upstream = folders.upstream(&branch)?;
    let found = destination::find(&folders.git, &branch, remote, named, upstream.as_ref())?;
    let is_followed =
        upstream.is_some_and(|followed| followed.remote == remote && followed.branch == found.place.branch);
    let Upstream { tracking, .. } = &found.place;
    // Only a publish keeps a ref of our own, and only of the branch that is followed.
    let is_known = is_followed || !tracking.is_empty();
    let mut place = folders.place(branch, found.place, Options::default())?;
    if !is_known {
        place.tracking.clear();
    }
    place.known = found.known;
    Ok((RemoteLedger(Arc::new(place)), found.doubt))
}

/// Where a repository is.
struct Folders {
    /// Works in the root of the work tree.
    git: Git,
    git_dir: PathBuf,
    common_dir: PathBuf,
}

impl Folders {
    fn of(git: &Git) -> Result<Self, Refusal> {
        let folders = ["rev-parse", "--path-format=absolute", "--show-toplevel", "--git-dir", "--git-common-dir"];
        let answer = git
            .read(&folders, b"")
            .map_err(|_| refusal(Reason::Git, "git cannot open this repository, or it has no work tree"))?;
        let mut lines = answer.split(|byte| *byte == b'\n').map(path_of);
        let (Some(top), Some(git_dir), Some(common_dir)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(refusal(Reason::Git, "git does not say where this repository is"));
        };
        Ok(Self { git: git.at(&top), git_dir, common_dir })
    }

    /// Short name of the branch that HEAD is on.
    fn branch(&self) -> Result<String, Refusal> {
        let head = self.git.run(&["symbolic-ref", "--quiet", "HEAD"], b"")?;
        match words::line(&head.stdout).strip_prefix("refs/heads/").filter(|_| head.success()) {
            Some(branch) => Ok(branch.to_owned()),
            None => Err(refusal(Reason::Detached, "HEAD is on no branch: switch to the branch that is published")),
        }
    }

    /// None when the branch follows no branch of a remote.
    fn upstream(&self, branch: &str) -> Result<Option<Upstream>, Refusal> {
        let full = format!("refs/heads/{branch}");
        let format = "--format=%(refname)%00%(upstream)%00%(upstream:remotename)%00%(upstream:remoteref)";
        let listed = self.git.read(&["for-each-ref", format, &full], b"")?;
        // The name also stands for every branch beneath it.
        let facts = listed.split(|byte| *byte == b'\n').map(String::from_utf8_lossy).find_map(|line| {
            let mut facts = line.split('\0').map(str::to_owned);
            (facts.next()? == full).then(|| (facts.next(), facts.next(), facts.next()))
        });
        let Some(facts) = facts else {
            return Err(refusal(
                Reason::NoCommit,
                format!(
                    "the branch {branch} has no commit yet: make one, and push it with git push -u REMOTE {branch}"
                ),
            ));
        };
        let found = match facts {
            (Some(tracking), Some(remote), Some(branch)) if !remote.is_empty() && !branch.is_empty() => {
                Some(Upstream { tracking, remote, branch })
            }
            _ => self.upstream_of_settings(branch)?,
        };
        Ok(found.filter(|upstream| upstream.remote != "." && !upstream.remote.starts_with('-')))
    }

    /// A remote whose settings name no ref for its branches is still one.
    fn upstream_of_settings(&self, branch: &str) -> Result<Option<Upstream>, Refusal> {
        let setting = |key: String| -> Result<String, Refusal> {
            Ok(words::line(&self.git.run(&["config", "--get", &key], b"")?.stdout))
        };
        let remote = setting(format!("branch.{branch}.remote"))?;
        let upstream = setting(format!("branch.{branch}.merge"))?;
        let is_named = !remote.is_empty() && !upstream.is_empty();
        Ok(is_named.then(|| Upstream { tracking: String::new(), remote, branch: upstream }))
    }

    fn place(self, branch: String, upstream: Upstream, options: Options) -> Result<Place, Refusal> {
        let Self { git, git_dir, common_dir } = self;
        let Upstream { mut tracking, remote, branch: upstream } = upstream;
        if tracking.is_empty() && !upstream.is_empty() {
            // Without a ref that the user's settings name, ours.
            tracking = format!("refs/hydrant/upstream/{branch}");
        }
        let tree = Files::beneath(git.directory())?;
        let base = Mutex::new(None);
        let (known, with_unpushed) = (Some("--remotes".to_owned()), options.with_unpushed);
        Ok(Place { git, tree, git_dir, common_dir, branch, remote, upstream, tracking, known, with_unpushed, base })
    }
}

fn no_upstream(branch: &str) -> Refusal {
    let sentence =
        format!("the branch {branch} follows no branch of a remote: push it once with git push -u REMOTE {branch}");
    refusal(Reason::NoUpstream, sentence)
}

/// What git leaves in its folder while something is half done, and what that is.
const UNDERWAY: [(&str, &str); 7] = [
    ("rebase-merge", "a rebase"),
    ("rebase-apply", "a rebase or am"),
    ("MERGE_HEAD", "a merge"),
    ("CHERRY_PICK_HEAD", "a cherry-pick"),
    ("REVERT_HEAD", "a revert"),
    ("BISECT_LOG", "a bisect"),
    ("sequencer", "a cherry-pick or revert"),
];

pub(super) fn underway(git_dir: &Path) -> Option<&'static str> {
    UNDERWAY.iter().find(|(mark, _)| git_dir.join(mark).symlink_metadata().is_ok()).map(|(_, what)| *what)
}

fn nothing_underway(git_dir: &Path) -> Result<(), Refusal> {
    match underway(git_dir) {
        Some(what) => Err(refusal(Reason::Underway, format!("{what} is not finished: finish or abort it first"))),
        None => Ok(()),
    }
}

fn who_commits(place: &Place) -> Result<(), Refusal> {
    for who in ["GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"] {
        if !place.git.run(&["var", who], b"")?.success() {
            let sentence = "git does not know who commits: set user.name and user.email with git config";
            return Err(refusal(Reason::NoIdentity, sentence));
        }
    }
    Ok(())
}

fn no_staged_change(place: &Place, folder: &str) -> Result<(), Refusal> {
    let arguments =
        ["--literal-pathspecs", "diff-index", "--cached", "--quiet", "--ita-visible-in-index", "HEAD", "--", folder];
    let ended = place.git.run(&arguments, b"")?;
    match ended.status.code() {
        Some(0) => Ok(()),
        Some(1)
            if !place.git.read(&["--literal-pathspecs", "ls-files", "--unmerged", "--", folder], b"")?.is_empty() =>
        {
            let sentence =
                format!("a merge beneath {folder} is not resolved: `hydrant doctor` says what its sides are");
            Err(refusal(Reason::Staged, sentence))
        }
        Some(1) => Err(refusal(
            Reason::Staged,
            format!(
                "a change beneath {folder} is staged: take it out of the index with git restore --staged, which leaves \
                 the files as they are"
            ),
        )),
        _ => Err(GitFault::Refused(ended.stderr).into()),
    }
}

/// The session's folder is one, in the last commit and in the tree.
fn a_folder(place: &Place, folder: &str) -> Result<(), Refusal> {
    let no_folder = |name: &str| refusal(Reason::NotAFolder, format!("{name} is no folder of this repository"));
    let listed = place
        .git
        .read(&["--literal-pathspecs", "ls-tree", "-z", "--full-tree", "HEAD", "--", "sessions", folder], b"")?;
    for Line { path, entry, .. } in tree::lines(&listed) {
        // Asked for both at once, git lists everything beneath the first.
        if (path == "sessions" || path == folder) && !entry.is_folder() {
            return Err(no_folder(&path));
        }
    }
    for name in ["sessions", folder] {
        let probe = format!("{name}/x");
        if place.tree.folder_of(&probe).is_err() {
            return Err(no_folder(name));
        }
        let inner = place.git.directory().join(name).join(".git");
        if inner.symlink_metadata().is_ok() {
            return Err(refusal(Reason::NotAFolder, format!("{name} is a repository of its own")));
        }
    }
    Ok(())
}

/// How many commits go along; refused unless the user said so.
fn unpushed(place: &Place, tip: &str) -> Result<u64, Refusal> {
    let range = format!("HEAD...{tip}");
    let counted = words::line(&place.git.read(&["rev-list", "--left-right", "--count", &range], b"")?);
    let mut counts = counted.split('\t').map(|count| count.parse::<u64>().unwrap_or(0));
    let (ours, theirs) = (counts.next().unwrap_or(0), counts.next().unwrap_or(0));
    if ours == 0 {
        return Ok(0);
    }
    // Whoever pushed first would be refused, so this comes before it.
    if theirs > 0 {
        let commits = if theirs == 1 { "commit" } else { "commits" };
        let sentence = format!(
            "{} has {theirs} {commits} that this branch has not: pull first, for example with git pull --rebase",
            place.remote
        );
        return Err(refusal(Reason::Diverged, sentence));
    }
    if !place.with_unpushed {
        let (commits, have) = if ours == 1 { ("commit", "has") } else { ("commits", "have") };
        let sentence = format!(
            "{ours} {commits} of the branch {} {have} not been pushed: push first, or say --with-unpushed",
            place.branch
        );
        return Err(refusal(Reason::Unpushed(ours), sentence));
    }
    Ok(ours)
}

/// Paths that git-lfs would convert by itself: pointers that are made here and a filter that makes them do not mix.
fn filters(place: &Place, folder: &str) -> Result<Vec<String>, Refusal> {
    let names = ["meta.json", "raw.jsonl", "session.md"].map(|name| format!("{folder}/{name}"));
    let input = names.join("\0");
    let answer = place.git.read(&["check-attr", "-z", "--stdin", "filter"], input.as_bytes())?;
    let fields: Vec<_> = answer.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    let of_lfs = fields.chunks_exact(3).find(|facts| facts[2] == "lfs");
    Ok(of_lfs
        .map(|facts| {
            format!(
                "{} has the attribute filter=lfs, so git-lfs converts it on its own; take the attribute from {folder}",
                facts[0]
            )
        })
        .into_iter()
        .collect())
}

/// Whether nothing of a session waits for a publish, as far as git knows without asking anybody.
pub(super) fn unchanged(git: &Git, session: &str) -> Result<bool, GitFault> {
    let folder = format!("sessions/{session}");
    let arguments = [
        "--literal-pathspecs",
        "status",
        "--porcelain=v2",
        "--branch",
        "-z",
        "--untracked-files=all",
        "--no-renames",
        "--",
        &folder,
    ];
    let answer = git.read(&arguments, b"")?;
    let lines: Vec<_> = answer.split(|byte| *byte == 0).filter(|line| !line.is_empty()).collect();
    // `# branch.ab +AHEAD -BEHIND` stands there when the branch follows one of a remote.
    let nothing_ahead = lines.iter().any(|line| line.starts_with(b"# branch.ab +0 "));
    Ok(nothing_ahead && lines.iter().all(|line| line.starts_with(b"# ")))
}
