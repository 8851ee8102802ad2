//! The folders of a demonstration: a bare remote, the ledger of the one who records, and a fresh clone of a reader.
//!
//! The rule it keeps: git runs without the user's settings, hooks, keys and helpers, and nothing outside the folder
//! is touched.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use hydrant_host::git::Git;

use hydrant_host::contract::error::Fault;
use hydrant_host::files::create_private_dir;
use hydrant_host::repository::Repository;

/// A demonstration's folder and its git.
pub(crate) struct World {
    pub(crate) root: PathBuf,
    git: Git,
    /// Remove the folder at the end.
    passing: bool,
}

impl World {
    /// Makes the folder, the remote and the ledger. A folder of the user's own choice is never removed.
    pub(crate) fn create(chosen: Option<&Path>, keep: bool) -> Result<Self, Fault> {
        let root = match chosen {
            Some(folder) => claim(folder)?,
            None => fresh_folder()?,
        };
        let git = Git::find(Path::new("/"))?
            .alone(&root)
            .with_variable("GIT_AUTHOR_NAME", "mina")
            .with_variable("GIT_AUTHOR_EMAIL", "mina@example.test")
            .with_variable("GIT_AUTHOR_DATE", "2026-05-04T10:00:00Z")
            .with_variable("GIT_COMMITTER_NAME", "mina")
            .with_variable("GIT_COMMITTER_EMAIL", "mina@example.test")
            .with_variable("GIT_COMMITTER_DATE", "2026-05-04T10:00:00Z")
            .at(&root);
        let world = Self { root, git, passing: chosen.is_none() && !keep };
        world.git.read(&["init", "--quiet", "--bare", "--template=", "remote.git"], b"")?;
        world.git.read(&["init", "--quiet", "--template=", "ledger"], b"")?;
        world.ledger().read(&["remote", "add", "origin", "../remote.git"], b"")?;
        Ok(world)
    }

    /// A folder below the root, made when it is absent.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf, Fault> {
        let folder = self.root.join(name);
        fs::create_dir_all(&folder).map_err(|error| Fault::local("a folder cannot be made", &error))?;
        Ok(folder)
    }

    /// The ledger of the one who records.
    pub(crate) fn repository(&self) -> Result<Repository, Fault> {
        Repository::open(self.ledger())
    }

    /// The git of the one who records.
    fn ledger(&self) -> Git {
        self.git.at(&self.root.join("ledger"))
    }

    /// Commits everything in the ledger.
    pub(crate) fn commit(&self, message: &str) -> Result<(), Fault> {
        self.ledger().read(&["add", "--all"], b"")?;
        self.ledger().read(&["commit", "--quiet", "--message", message], b"")?;
        Ok(())
    }

    /// Brings the ledger's commits to the remote.
    pub(crate) fn push(&self) -> Result<(), Fault> {
        self.ledger().talk(&["push", "--quiet", "--set-upstream", "origin", "main"])?;
        Ok(())
    }

    /// A fresh clone that is told where the LFS server is.
    pub(crate) fn clone_for_reader(&self, lfs_url: &str) -> Result<Repository, Fault> {
        self.git.talk(&["clone", "--quiet", "--template=", "remote.git", "reader"])?;
        let git = self.git.at(&self.root.join("reader"));
        // Written, not told to git: everybody on the machine can read the arguments of a program, and the address has
        // the token in it. The folder is its owner's alone.
        let config = self.root.join("reader/.git/config");
        let written = OpenOptions::new().append(true).open(config);
        let written = written.and_then(|mut file| file.write_all(format!("[lfs]\n\turl = {lfs_url}\n").as_bytes()));
        written.map_err(|error| Fault::local("the clone cannot be told where the server is", &error))?;
        Repository::open(git)
    }

    /// Whether the folder goes away with this value.
    pub(crate) fn is_passing(&self) -> bool {
        self.passing
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if self.passing {
            // What cannot be removed stays in the folder for temporary files, which the machine empties.
            fs::remove_dir_all(&self.root).ok();
        }
    }
}

/// The user's folder, when there is nothing in it.
fn claim(folder: &Path) -> Result<PathBuf, Fault> {
    let unusable = |error: &std::io::Error| Fault::local("the folder cannot be used", error);
    fs::create_dir_all(folder).map_err(|error| unusable(&error))?;
    if folder.read_dir().map_err(|error| unusable(&error))?.next().is_some() {
        return Err(Fault::misuse("the folder is not empty"));
    }
    folder.canonicalize().map_err(|error| unusable(&error))
}

/// A new folder that nobody else can have made.
fn fresh_folder() -> Result<PathBuf, Fault> {
    const TRIES_MAX: u32 = 100;
    let place = std::env::temp_dir();
    for attempt in 0..TRIES_MAX {
        let folder = place.join(format!("hydrant-demo-{}-{attempt}", std::process::id()));
        match create_private_dir(&folder) {
            Ok(()) => return folder.canonicalize().map_err(|error| Fault::local("the folder cannot be used", &error)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Fault::local("a temporary folder cannot be made", &error)),
        }
    }
    Err(Fault::failed(
        hydrant_host::contract::types::Code::Host,
        "a temporary folder cannot be made: all names are taken",
    ))
}
