//! The real `git lfs` against the server: push, pull, locks between two people.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::client::{World, noise};

/// One person's clone, with settings of nobody else.
struct Clone {
    folder: PathBuf,
    home: PathBuf,
}

impl Clone {
    /// Makes `name`'s clone of `remote`, with pointers in place of content.
    fn new(world: &World, name: &str, remote: &Path) -> Clone {
        let home = world.folder().join(format!("{name}-home"));
        fs::create_dir(&home).expect("a home");
        let clone = Clone { folder: world.folder().join(name), home };
        let login = world.server.url().replace("http://", &format!("http://{name}:tok@"));
        let elsewhere = Clone { folder: world.folder().to_owned(), home: clone.home.clone() };
        elsewhere.git(["clone".as_ref(), "-q".as_ref(), remote.as_os_str(), clone.folder.as_os_str()]);
        for (key, value) in [
            ("user.name", name),
            ("user.email", "nobody@example.org"),
            ("lfs.url", &format!("{login}/team/demo.git/info/lfs")),
            ("lfs.locksverify", "true"),
        ] {
            clone.git(["config", key, value]);
        }
        clone.git(["lfs", "install", "--local"]);
        clone
    }

    fn try_git<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Output {
        Command::new("git")
            .args(arguments)
            .current_dir(&self.folder)
            .env("HOME", &self.home)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_LFS_SKIP_SMUDGE", "1")
            .env_remove("GIT_DIR")
            .env_remove("GIT_CONFIG_GLOBAL")
            .output()
            .expect("git runs")
    }

    fn git<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> String {
        let output = self.try_git(arguments);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        said
    }

    fn refused<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> String {
        let output = self.try_git(arguments);
        assert!(!output.status.success(), "this must be refused");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn locks(&self) -> Vec<Value> {
        let said = self.git(["lfs", "locks", "--json"]);
        serde_json::from_str(&said).expect("a JSON list of locks")
    }
}

#[test]
fn push_pull_and_locks_with_the_real_client() {
    let world = World::with(|config| config.token = Some("tok".to_owned()));
    let remote = world.folder().join("remote.git");
    if !lfs_is_here(world.folder()) {
        writeln!(std::io::stderr(), "SKIPPED: git-lfs").ok();
        return;
    }
    let bare = Clone { folder: world.folder().to_owned(), home: world.folder().to_owned() };
    bare.git(["init".as_ref(), "-q".as_ref(), "--bare".as_ref(), "-b".as_ref(), "main".as_ref(), remote.as_os_str()]);

    let ann = Clone::new(&world, "ann", &remote);
    ann.git(["lfs", "track", "*.bin"]);
    let files = [("large.bin", noise(50_000_000, 9)), ("small.bin", noise(1_000, 10)), ("one.bin", vec![7])];
    for (name, bytes) in &files {
        fs::write(ann.folder.join(name), bytes).expect("written");
    }
    ann.git(["add", "."]);
    ann.git(["commit", "-q", "-m", "content"]);
    ann.git(["push", "-q", "origin", "HEAD:main"]);
    let stats = world.server.stats();
    assert_eq!((stats.puts, stats.verifies, stats.bytes_in), (3, 3, 50_001_001));

    let bob = Clone::new(&world, "bob", &remote);
    assert!(fs::read(bob.folder.join("large.bin")).expect("a pointer").len() < 1024);
    bob.git(["lfs", "pull"]);
    for (name, bytes) in &files {
        assert!(&fs::read(bob.folder.join(name)).expect("content") == bytes, "{name}");
    }
    assert_eq!(world.server.stats().bytes_out, 50_001_001);

    ann.git(["lfs", "lock", "small.bin"]);
    let seen = bob.locks();
    assert_eq!((seen.len(), &seen[0]["path"], &seen[0]["owner"]["name"]), (1, &"small.bin".into(), &"ann".into()));
    bob.refused(["lfs", "lock", "small.bin"]);
    bob.refused(["lfs", "unlock", "small.bin"]);

    fs::write(bob.folder.join("small.bin"), b"changed by bob").expect("written");
    bob.git(["commit", "-q", "-a", "-m", "against the lock"]);
    let why = bob.refused(["push", "origin", "HEAD:main"]);
    assert!(why.contains("Cannot update locked files"), "{why}");
    bob.git(["lfs", "unlock", "--force", "small.bin"]);
    bob.git(["push", "-q", "origin", "HEAD:main"]);

    bob.git(["lfs", "lock", "one.bin"]);
    assert_eq!(ann.locks().len(), 1);
    bob.git(["lfs", "unlock", "one.bin"]);
    assert!(ann.locks().is_empty());
}

fn lfs_is_here(folder: &Path) -> bool {
    let asked = Command::new("git").args(["lfs", "version"]).current_dir(folder).output();
    asked.is_ok_and(|output| output.status.success())
}
