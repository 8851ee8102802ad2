//! A remote, the user's clone and somebody else's, in a temporary folder.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::{Options, Preflight, Pushed, Refusal, RemoteLedger, Settled};
use crate::contract::types::{Failed, Ledger, Lookup, Push, PushFile, Settle, SettleFile};
use crate::files::digest::blob_of;
use crate::files::scratch::Scratch;
use crate::git::Git;

pub(super) const MANIFEST: &str = "sessions/a b/meta.json";
pub(super) const RAW: &str = "sessions/a b/raw.jsonl";
pub(super) const POINTER: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";

pub(super) struct World {
    pub(super) scratch: Scratch,
    pub(super) git: Git,
}

impl World {
    /// A ledger with one commit, which holds a manifest and two files of other sessions.
    pub(super) fn new() -> Self {
        let scratch = Scratch::new();
        let git = Git::find(Path::new("/")).expect("tests need git").alone(scratch.path());
        let git = ["AUTHOR", "COMMITTER"].iter().fold(git, |git, who| {
            git.with_variable(format!("GIT_{who}_NAME"), "a user")
                .with_variable(format!("GIT_{who}_EMAIL"), "u@example.org")
        });
        let world = Self { git: git.at(scratch.path()), scratch };
        world.run(".", &["init", "--quiet", "--bare", "remote"]);
        world.run(".", &["clone", "--quiet", "remote", "here"]);
        for (name, text) in [(MANIFEST, "{}\n"), ("other/one", "1\n"), ("other/two", "2\n")] {
            world.write(name, text);
        }
        world.commit("here", "begin");
        world.run("here", &["push", "--quiet", "--set-upstream", "origin", "HEAD:main"]);
        world.run(".", &["clone", "--quiet", "remote", "there"]);
        world
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    pub(super) fn here(&self, name: &str) -> PathBuf {
        self.path("here").join(name)
    }

    /// What git says; it must succeed.
    pub(super) fn run(&self, folder: &str, arguments: &[&str]) -> String {
        // A bare repository is used only by name.
        let named: &[&str] = if folder == "remote" { &["--git-dir=."] } else { &[] };
        let answer = self.git.at(&self.path(folder)).read(&[named, arguments].concat(), b"");
        String::from_utf8(answer.unwrap_or_else(|fault| panic!("{arguments:?}: {fault}"))).expect("text")
    }

    pub(super) fn write_in(&self, folder: &str, name: &str, text: &str) {
        let path = self.path(folder).join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::write(path, text).expect("a file");
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        self.write_in("here", name, text);
    }

    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.here(name)).expect("a file")
    }

    pub(super) fn commit(&self, folder: &str, message: &str) {
        self.run(folder, &["add", "--all"]);
        self.run(folder, &["commit", "--quiet", "--allow-empty", "--message", message]);
    }

    /// Somebody else pushes a file.
    pub(super) fn meanwhile(&self, name: &str, text: &str) {
        self.run("there", &["pull", "--quiet"]);
        self.write_in("there", name, text);
        self.commit("there", "meanwhile");
        self.run("there", &["push", "--quiet", "origin", "HEAD:main"]);
    }

    pub(super) fn tip(&self) -> String {
        self.run("remote", &["rev-parse", "main"]).trim().to_owned()
    }

    pub(super) fn head(&self) -> String {
        self.run("here", &["rev-parse", "HEAD"]).trim().to_owned()
    }

    pub(super) fn remote_file(&self, name: &str) -> String {
        self.run("remote", &["show", &format!("main:{name}")])
    }

    pub(super) fn status(&self) -> String {
        self.run("here", &["status", "--porcelain", "--untracked-files=all"])
    }

    pub(super) fn preflight(&self, options: Options) -> Result<Preflight, Refusal> {
        RemoteLedger::preflight(&self.git.at(&self.path("here")), "a b", options)
    }

    pub(super) fn ledger(&self) -> RemoteLedger {
        self.preflight(Options::default()).unwrap_or_else(|refusal| panic!("{refusal}")).ledger
    }

    /// Nothing is left behind, and the repository is sound.
    pub(super) fn is_tidy(&self) {
        let left = |folder: PathBuf| -> Vec<String> {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        };
        assert!(left(self.here(".git/hydrant")).iter().all(|name| name == "settle.lock"), "scratch files");
        assert!(!self.here(".git/index.lock").exists(), "the index is locked");
        assert!(!left(self.here("sessions/a b")).iter().any(|name| name.starts_with(".hydrant")), "temporary files");
        self.run("here", &["fsck", "--no-dangling", "--strict"]);
    }
}

/// The publish of a manifest over `old`, and of a first pointer.
pub(super) fn publish(old: Option<&str>, manifest: &str) -> Push {
    let oid = |text: &str| git_oid(text.as_bytes());
    Push {
        files: vec![
            PushFile { name: MANIFEST.into(), bytes: manifest.into(), replaces: old.map(oid) },
            PushFile { name: RAW.into(), bytes: POINTER.into(), replaces: None },
        ],
        message: "Publish a b\n".into(),
    }
}

pub(super) fn settle_of(tip: &str, manifest_expects: Option<&str>) -> Settle {
    let expects = manifest_expects.map(|text| blob_of(text.as_bytes()).oid);
    Settle {
        tip: tip.into(),
        files: vec![SettleFile { name: MANIFEST.into(), expects }, SettleFile { name: RAW.into(), expects: None }],
    }
}

pub(super) fn load(ledger: &RemoteLedger) -> Result<Ledger, Failed> {
    ledger.load(&Lookup { documents: vec![MANIFEST.into()], files: vec![RAW.into()] }, &|| true)
}

pub(super) fn pushed(ledger: &RemoteLedger, push: &Push) -> String {
    match ledger.push(push).expect("no fault") {
        Pushed::At(tip) => tip,
        Pushed::Conflict => panic!("a conflict"),
    }
}

pub(super) fn settled(ledger: &RemoteLedger, settle: &Settle) -> Settled {
    ledger.settle(settle).expect("no fault")
}

/// The id of a blob as git computes it.
pub(super) fn git_oid(bytes: &[u8]) -> String {
    let git = Git::find(Path::new("/")).expect("tests need git");
    let answer = git.read(&["hash-object", "--stdin", "--no-filters"], bytes);
    String::from_utf8(answer.expect("git hashes")).expect("hex").trim().to_owned()
}
