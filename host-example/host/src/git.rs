//! The user's own git, run with care: an absolute program, a clean environment, bounded output and time.
//!
//! The rule it keeps: a repository never chooses what runs. The program comes from `PATH` and never from the work
//! tree; a committed folder that looks like a repository is none; variables that would point git at another repository
//! are taken out, while the user's settings (config, credentials, ssh) stay.
//!
//! `objects` asks for objects by name, `tree` reads what git lists, `chain` runs commands that feed each other.

pub(crate) mod chain;
mod fault;
pub(crate) mod objects;
mod staying;
pub(crate) mod stream;
pub(crate) mod tree;

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

pub use self::fault::{GIT_LOCAL_SECONDS_MAX, GIT_REMOTE_SECONDS_MAX, GIT_STDOUT_BYTES_MAX, GitFault};
use self::staying::Objects;
pub(crate) use self::stream::USAGE;
use crate::files::platform::is_program;
use crate::process::{self, Bounds, Finished};

/// Variables that git sets for its own children (hooks, aliases) or that pick a repository: each would make our git
/// look at another place than the folder it is started in.
const FOREIGN: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_ATTR_SOURCE",
    "GIT_CEILING_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_DIFF_OPTS",
    "GIT_DIR",
    "GIT_EXTERNAL_DIFF",
    "GIT_GLOB_PATHSPECS",
    "GIT_GRAFT_FILE",
    "GIT_ICASE_PATHSPECS",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_LITERAL_PATHSPECS",
    "GIT_NAMESPACE",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// Those of them by which git tells a hook which commit it is about: the repository, the index that the commit is made
/// of, and where objects lie meanwhile. What git says to its own hooks holds for them; nobody else listens.
const OF_A_HOOK: [&str; 6] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_WORK_TREE",
];

/// Those of them by which a user says where a repository and its work tree are.
const OF_A_PLACE: [&str; 3] = ["GIT_COMMON_DIR", "GIT_DIR", "GIT_WORK_TREE"];

/// A commit can hold a folder with the files of a bare repository. Without this setting git takes such a folder's
/// `config`, and the programs it names, for the user's own.
const NO_FOUND_BARE: [&str; 2] = ["-c", "safe.bareRepository=explicit"];

/// A git program and the folder it works in.
#[derive(Clone, Debug)]
pub struct Git {
    program: PathBuf,
    directory: PathBuf,
    variables: Vec<(OsString, OsString)>,
    alone: bool,
    objects: Objects,
}

impl Git {
    /// The first git on `PATH` that is not inside the work tree around `directory`.
    pub fn find(directory: &Path) -> Result<Self, GitFault> {
        let program = find_program("git", directory).ok_or(GitFault::NotFound)?;
        Ok(Self {
            program,
            directory: directory.to_owned(),
            variables: Vec::new(),
            alone: false,
            objects: Objects::default(),
        })
    }

    /// The same git, for a command that a hook runs: it works in the repository and with the index that git named to
    /// that hook. A relative name counts from the folder it works in, as it does for git.
    pub fn as_told_to_a_hook(self) -> Self {
        self.told(&OF_A_HOOK)
    }

    /// The same git, in the repository and the work tree that the environment names, if it does.
    pub fn as_the_environment_says(self) -> Self {
        self.told(&OF_A_PLACE)
    }

    fn told(self, names: &[&str]) -> Self {
        let told = names.iter().filter_map(|name| Some((name, env::var_os(name).filter(|value| !value.is_empty())?)));
        told.fold(self, |git, (name, value)| git.with_variable(name, value))
    }

    /// The same git in another folder, with names that counted from the first one.
    pub(crate) fn moved_to(&self, directory: &Path) -> Self {
        let mut git = self.at(directory);
        let base = std::path::absolute(&self.directory).unwrap_or_else(|_| self.directory.clone());
        for (name, value) in &mut git.variables {
            // git looks for an index only once it stands at the top. A list of folders may be quoted.
            let counts_from_here = ["GIT_COMMON_DIR", "GIT_DIR", "GIT_OBJECT_DIRECTORY", "GIT_WORK_TREE"];
            if counts_from_here.iter().any(|one| name == one) {
                *value = base.join(&*value).into_os_string();
            }
        }
        git
    }

    /// The same git in another folder.
    pub fn at(&self, directory: &Path) -> Self {
        let objects = if directory == self.directory { self.objects.clone() } else { Objects::default() };
        Self { directory: directory.to_owned(), objects, ..self.clone() }
    }

    /// The same git, which speaks of the objects that are here as they are: nothing stands in for them, and nothing is
    /// fetched.
    pub(crate) fn as_it_is(&self) -> Self {
        self.clone().with_variable("GIT_NO_REPLACE_OBJECTS", "1").with_variable("GIT_NO_LAZY_FETCH", "1")
    }

    /// The same git with one more variable in its environment.
    pub fn with_variable(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self.objects = Objects::default();
        self
    }

    /// The same git without any setting of the user's or the machine's: no hooks, no signing, no credential helper.
    pub fn alone(self, home: &Path) -> Self {
        let settings = [
            ("commit.gpgSign", "false"),
            ("core.autocrlf", "false"),
            ("core.hooksPath", "/dev/null"),
            ("gc.auto", "0"),
            ("init.defaultBranch", "main"),
            ("protocol.file.allow", "always"),
        ];
        let mut git = Self { alone: true, ..self }
            .with_variable("HOME", home)
            .with_variable("XDG_CONFIG_HOME", home)
            .with_variable("GIT_CONFIG_GLOBAL", "/dev/null")
            .with_variable("GIT_CONFIG_SYSTEM", "/dev/null")
            .with_variable("GIT_TERMINAL_PROMPT", "0")
            .with_variable("GIT_CONFIG_COUNT", settings.len().to_string());
        for (at, (key, value)) in settings.into_iter().enumerate() {
            git = git
                .with_variable(format!("GIT_CONFIG_KEY_{at}"), key)
                .with_variable(format!("GIT_CONFIG_VALUE_{at}"), value);
        }
        git
    }

    /// The folder it works in.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A command that is ready for its arguments.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        for name in FOREIGN {
            command.env_remove(name);
        }
        if self.alone {
            let of_git = |name: &OsString| name.to_string_lossy().starts_with("GIT_");
            env::vars_os().map(|(name, _)| name).filter(of_git).for_each(|name| {
                command.env_remove(name);
            });
        }
        // Words in one language, no pager, no locks taken for reading.
        command.env("LC_ALL", "C").env("LANGUAGE", "C").env("GIT_PAGER", "cat").env("GIT_OPTIONAL_LOCKS", "0");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.current_dir(&self.directory);
        command.args(NO_FOUND_BARE);
        command
    }

    /// A command with its arguments.
    pub(crate) fn command_of<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = self.command();
        command.args(arguments);
        command
    }

    /// Runs a local command whatever it answers.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S], input: &[u8]) -> Result<Finished, GitFault> {
        self.run_within(arguments, input, Duration::from_secs(GIT_LOCAL_SECONDS_MAX))
    }

    /// The same for one that may take as long as a remote: it checks files out, or asks the user for a passphrase.
    pub fn run_patiently<S: AsRef<OsStr>>(&self, arguments: &[S], input: &[u8]) -> Result<Finished, GitFault> {
        self.run_within(arguments, input, Duration::from_secs(GIT_REMOTE_SECONDS_MAX))
    }

    /// The output of a local command that must succeed.
    pub fn read<S: AsRef<OsStr>>(&self, arguments: &[S], input: &[u8]) -> Result<Vec<u8>, GitFault> {
        succeeded(self.run(arguments, input)?)
    }

    /// The output of a command that talks to a remote and must succeed.
    pub fn talk<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<Vec<u8>, GitFault> {
        succeeded(self.talk_while(arguments, &|| true)?)
    }

    /// Runs a command that talks to a remote whatever it answers, for as long as somebody wants the answer.
    pub fn talk_while<S: AsRef<OsStr>>(
        &self,
        arguments: &[S],
        wanted: &dyn Fn() -> bool,
    ) -> Result<Finished, GitFault> {
        let bounds =
            Bounds { stdout_bytes_max: GIT_STDOUT_BYTES_MAX, time_max: Duration::from_secs(GIT_REMOTE_SECONDS_MAX) };
        let mut command = self.command();
        command.args(arguments);
        Ok(process::run_while(command, b"", bounds, wanted)?)
    }

    fn run_within<S: AsRef<OsStr>>(
        &self,
        arguments: &[S],
        input: &[u8],
        time_max: Duration,
    ) -> Result<Finished, GitFault> {
        let mut command = self.command();
        command.args(arguments);
        Ok(process::run(command, input, Bounds { stdout_bytes_max: GIT_STDOUT_BYTES_MAX, time_max })?)
    }
}

fn succeeded(ended: Finished) -> Result<Vec<u8>, GitFault> {
    if ended.success() { Ok(ended.stdout) } else { Err(GitFault::Refused(ended.stderr)) }
}

/// The first program of this name on `PATH` that lies in an absolute folder outside the work tree around `directory`.
pub fn find_program(name: &str, directory: &Path) -> Option<PathBuf> {
    let tree = work_tree_around(directory);
    env::split_paths(&env::var_os("PATH")?)
        .filter(|folder| folder.is_absolute() && !tree.as_ref().is_some_and(|tree| is_inside(folder, tree)))
        .map(|folder| folder.join(name))
        .find(|program| is_program(program))
}

/// The nearest folder upwards that holds a `.git`, found without running anything.
fn work_tree_around(directory: &Path) -> Option<PathBuf> {
    let directory = directory.canonicalize().ok()?;
    directory.ancestors().find(|folder| folder.join(".git").symlink_metadata().is_ok()).map(Path::to_owned)
}

/// Whether git would meet the files of a bare repository from here upwards before it meets a `.git`. A git older than
/// the setting above would take them, and the programs they name, for the user's.
pub fn is_in_bare(directory: &Path) -> bool {
    const FILES: [&str; 3] = ["HEAD", "objects", "refs"];
    let Ok(directory) = directory.canonicalize() else { return false };
    let has = |folder: &Path, name: &str| folder.join(name).symlink_metadata().is_ok();
    let met = directory.ancestors().find(|folder| has(folder, ".git") || FILES.iter().all(|name| has(folder, name)));
    met.is_some_and(|folder| !has(folder, ".git") && !folder.iter().any(|part| part == ".git"))
}

fn is_inside(folder: &Path, tree: &Path) -> bool {
    // A work tree at the root of the file system (a container's `/.git`) would rule every program out.
    tree.parent().is_some() && folder.canonicalize().is_ok_and(|folder| folder.starts_with(tree))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_is_absolute_and_answers() {
        let git = Git::find(Path::new("/")).expect("tests need git");
        assert!(git.program.is_absolute());
        assert!(git.read(&["--version"], b"").expect("git runs").starts_with(b"git version"));
    }

    #[test]
    fn refusals_carry_gits_words() {
        let git = Git::find(Path::new("/")).expect("tests need git");
        let fault = git.read(&["no-such-command"], b"").expect_err("no such command");
        assert!(matches!(fault, GitFault::Refused(words) if words.contains("no-such-command")));
    }

    #[test]
    fn a_folder_that_looks_like_a_repository_is_none() {
        let folder = env::temp_dir().join(format!("hydrant-git-bare-{}", std::process::id()));
        let git = Git::find(Path::new("/")).expect("tests need git").alone(&folder);
        std::fs::create_dir_all(&folder).expect("temp folder");
        let git = git.at(&folder);
        git.read(&["init", "--quiet", "--bare", "docs"], b"").expect("git makes it");
        let fault = git.at(&folder.join("docs")).read(&["rev-parse", "--git-dir"], b"").expect_err("it is none");
        assert!(matches!(fault, GitFault::Refused(words) if words.contains("safe.bareRepository")));
        assert!(is_in_bare(&folder.join("docs/refs")) && !is_in_bare(&folder));
        git.read(&["init", "--quiet", "."], b"").expect("git makes it");
        assert!(!is_in_bare(&folder) && !is_in_bare(&folder.join(".git/refs")) && is_in_bare(&folder.join("docs")));
        std::fs::remove_dir_all(&folder).expect("it can be removed");
    }

    #[test]
    fn a_program_inside_the_work_tree_is_not_taken() {
        let tree = env::temp_dir().join(format!("hydrant-git-{}", std::process::id()));
        std::fs::create_dir_all(tree.join("bin")).expect("temp folder");
        std::fs::create_dir_all(tree.join(".git")).expect("temp folder");
        let tree = tree.canonicalize().expect("it exists");
        assert!(is_inside(&tree.join("bin"), &tree));
        assert!(!is_inside(Path::new("/usr/bin"), &tree));
        assert_eq!(work_tree_around(&tree.join("bin")), Some(tree.clone()));
        std::fs::remove_dir_all(&tree).expect("it can be removed");
    }
}
