//! The git repository around the current folder: where it is, what it is configured to, and whose its paths are.
//!
//! The rules it keeps: git is spawned only when an answer is needed; what a commit can change (`.lfsconfig`) is kept
//! apart from what the user configured; a folder that a commit can hold is never a repository.

mod alternates;
mod belonging;
pub(crate) mod committed;
pub(crate) mod place;
pub(crate) mod stat_cache;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::contract::endpoints::Setting;
use crate::contract::types::Code;
use crate::files::Files;
use crate::files::platform::path_of;
use crate::git::{Git, GitFault};

use crate::contract::error::{Fault, FaultKind};

/// Bytes of an `.lfsconfig` at most.
const LFSCONFIG_BYTES_MAX: u64 = 256 * 1024;
/// Where the original recorder keeps the content of sessions, outside the tracked paths.
pub(crate) const ORIGINAL_CACHE: &str = ".sageox/cache/sessions";
/// Why a repository whose own folder lies among its files is not opened.
const INSIDE: &str = "git's own folder lies in the work tree, where a commit could have put it; this is not opened";

/// A work tree and its repository.
pub struct Repository {
    pub(crate) git: Git,
    /// The folder it was opened in: words of the user are relative to it.
    pub here: PathBuf,
    /// Root of the work tree.
    pub top: PathBuf,
    /// The folder shared by all work trees of the repository: objects, configuration, our cache.
    pub(crate) common_dir: PathBuf,
    listed: OnceLock<Vec<u8>>,
    settings: OnceLock<Vec<Setting>>,
    committed_settings: OnceLock<Vec<Setting>>,
    branch: OnceLock<Option<String>>,
    has_sessions: OnceLock<bool>,
    as_it_is: OnceLock<Git>,
    git_lfs_stores: OnceLock<Vec<PathBuf>>,
    state_dir: Option<PathBuf>,
}

/// What a remote is for. The user's settings may name another one for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errand {
    /// What this branch follows: content comes from there, and a publish goes there.
    Pull,
    /// Where `git push` would push this branch.
    Push,
    /// Where files of this branch are locked: git-lfs has a setting more for it than git.
    Lock,
}

impl Repository {
    /// The repository around a folder.
    pub fn around(directory: impl AsRef<Path>) -> Result<Self, Fault> {
        Self::open(Git::find(directory.as_ref())?)
    }

    /// The repository that the environment names (`GIT_DIR`, `GIT_WORK_TREE`), else the one around a folder.
    pub fn of_environment(directory: impl AsRef<Path>) -> Result<Self, Fault> {
        Self::open(Git::find(directory.as_ref())?.as_the_environment_says())
    }

    /// The same; none where there is no repository, or no git.
    pub fn of_environment_if_any(directory: impl AsRef<Path>) -> Result<Option<Self>, Fault> {
        let git = match Git::find(directory.as_ref()) {
            Err(GitFault::NotFound) => return Ok(None),
            git => git?.as_the_environment_says(),
        };
        match Self::open(git) {
            Err(fault) if fault.kind == FaultKind::Misuse => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// The repository that git named to the hook we run in; without a hook, the one around a folder. Its index is that
    /// of the very commit that is being made, which need not be the one in git's folder.
    pub fn of_hook(directory: impl AsRef<Path>) -> Result<Self, Fault> {
        Self::open(Git::find(directory.as_ref())?.as_told_to_a_hook())
    }

    /// The repository around the folder a git works in.
    pub fn open(git: Git) -> Result<Self, Fault> {
        let asked = git.read(&["rev-parse", "--path-format=absolute", "--show-toplevel", "--git-common-dir"], b"");
        let answer = asked.map_err(|fault| not_open(&fault))?;
        // A path may end in anything but a line end: git prints these two without quoting.
        let mut lines = answer.split(|byte| *byte == b'\n').map(path_of);
        match (lines.next(), lines.next()) {
            (Some(top), Some(common_dir)) if top.is_absolute() && common_dir.is_absolute() => {
                if could_be_committed(&top, &common_dir) {
                    return Err(Fault::failed(Code::Host, INSIDE));
                }
                let here = std::path::absolute(git.directory())?;
                let git = git.moved_to(&top);
                Ok(Self {
                    git,
                    here,
                    top,
                    common_dir,
                    listed: OnceLock::new(),
                    settings: OnceLock::new(),
                    committed_settings: OnceLock::new(),
                    branch: OnceLock::new(),
                    has_sessions: OnceLock::new(),
                    as_it_is: OnceLock::new(),
                    git_lfs_stores: OnceLock::new(),
                    state_dir: None,
                })
            }
            _ => Err(Fault::failed(Code::Host, "git does not say where this repository is")),
        }
    }

    /// A git that speaks of the objects that are here as they are.
    pub(crate) fn as_it_is(&self) -> &Git {
        self.as_it_is.get_or_init(|| self.git.as_it_is())
    }

    /// Whether a path of the work tree is a folder, with no symlink on the way: a commit could have made that.
    pub(crate) fn is_real_folder(&self, name: &str) -> bool {
        let mut path = self.top.clone();
        name.split('/').all(|part| {
            path.push(part);
            path.symlink_metadata().is_ok_and(|facts| facts.is_dir())
        })
    }

    /// git's folder of this work tree: HEAD, the index, and what git is in the middle of.
    pub(crate) fn git_dir(&self) -> Result<PathBuf, Fault> {
        let asked = self.git.read(&["rev-parse", "--absolute-git-dir"], b"")?;
        Ok(path_of(asked.strip_suffix(b"\n").unwrap_or(&asked)))
    }

    /// The user's settings in git's order: later ones win.
    pub(crate) fn settings(&self) -> Result<&[Setting], Fault> {
        if let Some(settings) = self.settings.get() {
            return Ok(settings);
        }
        let listed = self.listed()?;
        Ok(self.settings.get_or_init(|| parse_settings(listed)))
    }

    /// The same as git lists them, where a value need not be text.
    pub(crate) fn listed(&self) -> Result<&[u8], Fault> {
        if let Some(listed) = self.listed.get() {
            return Ok(listed);
        }
        let listed = self.git.read(&["config", "--list", "-z", "--includes"], b"")?;
        Ok(self.listed.get_or_init(|| listed))
    }

    /// One setting's value; keys are spelled as `git config --list` prints them.
    pub(crate) fn setting(&self, key: &str) -> Option<String> {
        let settings = self.settings().ok()?;
        settings.iter().rev().find(|setting| setting.key == key).map(|setting| setting.value.clone())
    }

    /// A setting that is a truth value.
    pub(crate) fn flag(&self, key: &str) -> Option<bool> {
        match self.setting(key)?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" | "" => Some(true),
            "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        }
    }

    /// Whether it was cloned without some objects, which git would fetch when they are needed.
    pub(crate) fn is_partial(&self) -> Result<bool, Fault> {
        let is_promise =
            |key: &str| key == "extensions.partialclone" || key.starts_with("remote.") && key.ends_with(".promisor");
        Ok(self.settings()?.iter().any(|setting| is_promise(&setting.key)))
    }

    /// What `.lfsconfig` said when first asked: of the work tree, else of the index, else of the last commit.
    pub(crate) fn committed_settings(&self) -> Result<&[Setting], Fault> {
        if let Some(settings) = self.committed_settings.get() {
            return Ok(settings);
        }
        let settings = self.read_lfsconfig()?;
        Ok(self.committed_settings.get_or_init(|| settings))
    }

    fn read_lfsconfig(&self) -> Result<Vec<Setting>, Fault> {
        if let Some(text) = self.lfsconfig_in_tree()? {
            // Through standard input: git reads no file that a commit named, and follows no include in it.
            let listed = self.git.read(&["config", "--file", "-", "--list", "-z"], &text);
            return match listed {
                Ok(listed) => Ok(parse_settings(&listed)),
                Err(GitFault::Refused(_)) => {
                    Err(Fault::failed(Code::Malformed, ".lfsconfig is not a git configuration"))
                }
                Err(fault) => Err(fault.into()),
            };
        }
        for blob in self.git.blob_info(&[":.lfsconfig", "HEAD:.lfsconfig"])?.into_iter().flatten() {
            let ended = self.git.run(&["config", "--blob", &blob.git_oid, "--list", "-z"], b"")?;
            if ended.success() {
                return Ok(parse_settings(&ended.stdout));
            }
        }
        Ok(Vec::new())
    }

    fn lfsconfig_in_tree(&self) -> Result<Option<Vec<u8>>, Fault> {
        let files = Files::beneath(&self.top)?;
        let opened = files.open(".lfsconfig").map_err(|error| Fault::local(".lfsconfig cannot be read", &error))?;
        let Some(opened) = opened else { return Ok(None) };
        let mut text = Vec::new();
        let read = opened.file.take(LFSCONFIG_BYTES_MAX + 1).read_to_end(&mut text);
        read.map_err(|error| Fault::local(".lfsconfig cannot be read", &error))?;
        if text.len() as u64 > LFSCONFIG_BYTES_MAX {
            return Err(Fault::failed(Code::Limit, format!(".lfsconfig is longer than {LFSCONFIG_BYTES_MAX} bytes")));
        }
        // git takes standard input that is empty for a missing file; a comment is as good as nothing.
        if text.is_empty() {
            text.push(b'#');
        }
        Ok(Some(text))
    }

    /// Full name of the branch that HEAD stands for, as the remote knows it; none when HEAD is detached.
    pub(crate) fn reference(&self) -> Option<String> {
        let branch = self.branch()?;
        let merge = self.setting(&format!("branch.{}.merge", branch.strip_prefix("refs/heads/")?));
        Some(merge.unwrap_or_else(|| branch.to_owned()))
    }

    /// The only remote, else the one that git calls `origin`.
    fn usual_remote(&self) -> Result<String, Fault> {
        let mut remotes: Vec<&str> = self.settings()?.iter().filter_map(|setting| remote_name(&setting.key)).collect();
        remotes.sort_unstable();
        remotes.dedup();
        Ok(if let [only] = remotes[..] { only.to_owned() } else { "origin".to_owned() })
    }

    /// The remote that is meant where nobody names one.
    pub(crate) fn remote_for(&self, errand: Errand) -> Result<String, Fault> {
        let of_branch = || self.branch_setting("pushremote");
        let of_all = || self.setting("remote.pushdefault");
        let chosen = match errand {
            Errand::Pull => self.chosen_remote(),
            // git knows nothing of what begins with `lfs`.
            Errand::Push => of_branch().or_else(of_all).or_else(|| self.branch_setting("remote")),
            Errand::Lock => {
                let own = || self.setting("remote.lfspushdefault").or_else(of_all);
                of_branch().or_else(own).or_else(|| self.chosen_remote())
            }
        };
        chosen.map_or_else(|| self.usual_remote(), Ok)
    }

    /// A setting of the branch that HEAD is on.
    fn branch_setting(&self, name: &str) -> Option<String> {
        let branch = self.branch()?.strip_prefix("refs/heads/")?;
        self.setting(&format!("branch.{branch}.{name}"))
    }

    /// The remote that the user chose for this branch, or for all of them, as git-lfs finds it.
    pub(crate) fn chosen_remote(&self) -> Option<String> {
        self.branch_setting("remote").or_else(|| self.setting("remote.lfsdefault"))
    }

    /// Full name of the branch that HEAD is on, as it was when first asked.
    fn branch(&self) -> Option<&str> {
        let ask = || {
            let name = self.git.read(&["symbolic-ref", "--quiet", "HEAD"], b"").ok()?;
            Some(String::from_utf8(name).ok()?.trim_end().to_owned())
        };
        self.branch.get_or_init(ask).as_deref()
    }
}

/// Whether a checkout could have made this repository's own folder: it lies in the work tree, and no part of its path
/// is `.git`, a name that git never checks out.
fn could_be_committed(top: &Path, common_dir: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let (top, common_dir) = (real(top), real(common_dir));
    // `.git` may be a link that the user made.
    if common_dir == real(&top.join(".git")) {
        return false;
    }
    common_dir.strip_prefix(&top).is_ok_and(|below| !below.iter().any(|part| part == ".git"))
}

/// The name of a remote in the key of one of its addresses.
fn remote_name(key: &str) -> Option<&str> {
    let (name, field) = key.strip_prefix("remote.")?.rsplit_once('.')?;
    (field == "url").then_some(name)
}

fn parse_settings(listed: &[u8]) -> Vec<Setting> {
    let entries = listed.split(|byte| *byte == 0).filter(|entry| !entry.is_empty());
    entries
        .map(|entry| {
            let entry = String::from_utf8_lossy(entry);
            let (key, value) = entry.split_once('\n').unwrap_or((&entry, ""));
            Setting { key: key.to_owned(), value: value.to_owned() }
        })
        .collect()
}

/// Why git does not open this place, without the absolute paths of its own words.
fn not_open(fault: &GitFault) -> Fault {
    match fault {
        GitFault::Refused(words) if words.contains("not a git repository") => {
            Fault::misuse("this folder is in no git repository: go to a clone, or make one with git clone")
        }
        GitFault::Refused(words) if words.contains("work tree") || words.contains("safe.bareRepository") => {
            Fault::misuse(
                "this repository has no work tree (it is bare, or this is its .git folder): go to a clone that has one",
            )
        }
        GitFault::Refused(words) if words.contains("dubious ownership") => Fault::failed(
            Code::Host,
            "git does not trust this repository because somebody else owns it; see safe.directory in git's manual",
        ),
        GitFault::Refused(_) => Fault::failed(Code::Host, "git cannot open this repository: `git status` says why"),
        other => Fault::failed(Code::Host, other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_keep_their_order_and_odd_values() {
        let settings = parse_settings(b"a.b\none\0a.b\ntwo\nlines\0c.flag\0d.e\n\0");
        let pairs: Vec<(&str, &str)> = settings.iter().map(|one| (one.key.as_str(), one.value.as_str())).collect();
        assert_eq!(pairs, [("a.b", "one"), ("a.b", "two\nlines"), ("c.flag", ""), ("d.e", "")]);
    }

    #[test]
    fn what_a_commit_can_hold_is_no_repository() {
        let committed = |common_dir: &str| could_be_committed(Path::new("/none/tree"), Path::new(common_dir));
        assert!(committed("/none/tree") && committed("/none/tree/docs") && committed("/none/tree/a/b.git"));
        assert!(!committed("/none/tree/.git") && !committed("/none/tree/sub/.git/modules/x"));
        assert!(!committed("/none/main/.git") && !committed("/none/tree.git"));
    }

    #[test]
    fn remote_names_may_hold_dots() {
        assert_eq!(remote_name("remote.my.fork.url"), Some("my.fork"));
        assert_eq!(remote_name("remote.origin.fetch"), None);
    }
}
