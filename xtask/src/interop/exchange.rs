//! Bytes up and bytes down: hydrant against any server, and hydrant's own server against the real client.

use super::Ground;
use super::peer::{Peer, finish, free_port, refused};
use crate::failure::{Because, Result};
use crate::workspace::Profile;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Bytes of the objects: below and above a pointer's size, above a pipe's and a chunk's.
pub(crate) const SIZES: [usize; 6] = [1, 200, 1024, 70_000, 300_001, 9_000_000];

/// SHA-256 of nothing that any server was given.
pub(crate) const ABSENT: &str = "00000000000000000000000000000000000000000000000000000000deadbeef";

/// Objects in a folder, each named by its oid, and the list that names them.
pub(crate) struct Objects {
    folder: PathBuf,
    list: PathBuf,
    oids: Vec<String>,
}

impl Objects {
    /// Makes objects of every size; hydrant itself says what they hash to, and git would notice if it were wrong.
    pub(crate) fn make(ground: &Ground<'_>) -> Result<Self> {
        let folder = ground.folder("objects")?;
        let (mut lines, mut oids) = (String::new(), Vec::new());
        for size in SIZES {
            let path = folder.join("new");
            fs::write(&path, content(size)).because("an object cannot be written")?;
            let pointer = finish(hydrant(ground).args(["pointer", "make"]).arg(&path))?;
            let oid = pointer.iter().find_map(|line| line.strip_prefix("oid sha256:"));
            let Some(oid) = oid else { return ground.fail("`hydrant pointer make` printed no oid") };
            fs::rename(&path, folder.join(oid)).because("an object cannot be named")?;
            lines += &format!("{oid} {size}\n");
            oids.push(oid.to_owned());
        }
        let list = ground.scratch.join("objects.list");
        fs::write(&list, lines).because("the list cannot be written")?;
        Ok(Self { folder, list, oids })
    }

    /// Uploads everything, uploads it again (nothing is left to send), asks for it, and fetches it into an empty
    /// folder. What nobody uploaded is refused.
    pub(crate) fn round_trip(&self, ground: &Ground<'_>, server: &str, endpoint: &str) -> Result<String> {
        let mut pair = ground.pairs.begin("hydrant", server);
        pair.step("up", || self.upload(ground, endpoint))?;
        pair.step("again", || self.upload(ground, endpoint))?;
        pair.step("has", || {
            let mut ask = hydrant(ground);
            ask.args(["batch", "download", "--endpoint", endpoint, "--objects"]).arg(&self.list);
            finish(&mut ask).map(drop)
        })?;
        pair.step("down", || {
            let into = ground.folder("fetched")?;
            finish(&mut self.fetch(ground, &self.list, &into, endpoint))?;
            self.compare(ground, &into)
        })?;
        pair.step("missing", || {
            let list = ground.scratch.join("absent.list");
            fs::write(&list, format!("{ABSENT} 5\n")).because("the list cannot be written")?;
            let into = ground.folder("absent")?;
            refused(&mut self.fetch(ground, &list, &into, endpoint))?;
            match into.join(ABSENT).exists() {
                true => ground.fail("something came that nobody uploaded"),
                false => Ok(()),
            }
        })?;
        Ok(format!("{} objects up, again, and down; every byte equal", self.oids.len()))
    }

    /// Each object: its oid, and where it lies.
    pub(crate) fn each(&self) -> impl Iterator<Item = (String, PathBuf)> + '_ {
        self.oids.iter().map(|oid| (oid.clone(), self.folder.join(oid)))
    }

    fn fetch(&self, ground: &Ground<'_>, list: &Path, into: &Path, endpoint: &str) -> Command {
        let mut fetch = hydrant(ground);
        fetch.arg("hydrate").arg("--objects").arg(list).arg("--into").arg(into).args(["--endpoint", endpoint]);
        fetch
    }

    fn upload(&self, ground: &Ground<'_>, endpoint: &str) -> Result<()> {
        let mut upload = hydrant(ground);
        upload.arg("upload").arg("--objects").arg(&self.list).arg("--from").arg(&self.folder);
        finish(upload.args(["--endpoint", endpoint])).map(drop)
    }

    fn compare(&self, ground: &Ground<'_>, folder: &Path) -> Result<()> {
        for oid in &self.oids {
            let got = fs::read(folder.join(oid)).because("a fetched object cannot be read")?;
            if got != fs::read(self.folder.join(oid)).because("an object cannot be read")? {
                return ground.fail(format!("the object {oid} came back with other bytes"));
            }
        }
        Ok(())
    }
}

/// `hydrant serve` with both clients: git-lfs pushes and hydrant hydrates; hydrant uploads and git-lfs pulls.
pub(crate) fn with_git_lfs(ground: &Ground<'_>) -> Result<String> {
    let port = free_port()?;
    let mut serve = hydrant(ground);
    serve.args(["serve", "--open", "--listen", &format!("127.0.0.1:{port}"), "--store"]).arg(ground.folder("store")?);
    let _server = Peer::start(&mut serve, port, &ground.scratch.join("serve.log"))?;
    let lfs_url = format!("http://127.0.0.1:{port}/team/repo.git/info/lfs");

    let remote = ground.scratch.join("remote.git");
    finish(git(&ground.scratch).args(["init", "-q", "--bare"]).arg(&remote))?;
    let work = ground.scratch.join("work");
    finish(git(&ground.scratch).args(["clone", "-q"]).arg(&remote).arg(&work))?;
    finish(git(&work).args(["config", "lfs.url", &lfs_url]))?;
    finish(git(&work).args(["lfs", "install", "--local"]))?;
    finish(git(&work).args(["lfs", "track", "*.bin"]))?;
    for size in SIZES {
        fs::write(work.join(format!("{size}.bin")), content(size)).because("a file cannot be written")?;
    }
    finish(git(&work).args(["add", "."]))?;
    finish(git(&work).args(["commit", "-q", "-m", "content"]))?;
    finish(git(&work).args(["push", "-q", "origin", "HEAD"]))?;

    // The other direction of trust: hydrant reads what the real client wrote.
    let clone = ground.scratch.join("clone");
    finish(git(&ground.scratch).args(["clone", "-q"]).arg(&remote).arg(&clone).env("GIT_LFS_SKIP_SMUDGE", "1"))?;
    finish(git(&clone).args(["config", "lfs.url", &lfs_url]))?;
    finish(git(&clone).args(["lfs", "install", "--local"]))?;
    finish(hydrant(ground).args(["hydrate", "--in-place"]).current_dir(&clone))?;
    for size in SIZES {
        if fs::read(clone.join(format!("{size}.bin"))).because("a file cannot be read")? != content(size) {
            return ground.fail(format!("{size}.bin was hydrated with other bytes"));
        }
    }
    let dirty = finish(git(&clone).args(["status", "--porcelain"]))?;
    if !dirty.is_empty() {
        return ground.fail("after hydrating in place, git thinks that files changed");
    }
    pull_what_hydrant_uploaded(ground, &work, &lfs_url)?;
    Ok(format!("{} files pushed by git-lfs and hydrated; one uploaded by hydrant and pulled", SIZES.len()))
}

/// A pointer committed by plain git, its content uploaded by hydrant: plain `git lfs pull` must bring it.
fn pull_what_hydrant_uploaded(ground: &Ground<'_>, work: &Path, lfs_url: &str) -> Result<()> {
    let bytes = content(1_234_567);
    let original = ground.scratch.join("ours.bin");
    fs::write(&original, &bytes).because("a file cannot be written")?;
    finish(hydrant(ground).arg("upload").arg(&original).args(["--endpoint", lfs_url]))?;
    let pointer = finish(hydrant(ground).args(["pointer", "make"]).arg(&original))?.join("\n") + "\n";
    fs::write(work.join("ours.bin"), pointer).because("a pointer cannot be written")?;
    // The clean filter passes a pointer through unchanged.
    finish(git(work).args(["add", "ours.bin"]))?;
    finish(git(work).args(["commit", "-q", "-m", "ours"]))?;
    finish(git(work).args(["lfs", "pull"]))?;
    if fs::read(work.join("ours.bin")).because("a file cannot be read")? != bytes {
        return ground.fail("git lfs pull did not bring the bytes that hydrant uploaded");
    }
    Ok(())
}

/// The command, apart from the user's own settings and logins.
pub(crate) fn hydrant(ground: &Ground<'_>) -> Command {
    let mut command = Command::new(ground.workspace.program("hydrant", Profile::Dev));
    alone(command.current_dir(&ground.scratch), &ground.scratch);
    command
}

pub(crate) fn git(folder: &Path) -> Command {
    let mut git = Command::new("git");
    alone(git.current_dir(folder), folder);
    git
}

fn alone(command: &mut Command, folder: &Path) {
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_TERMINAL_PROMPT", "0");
    // The scratch folders lie inside the project: git must not take them for parts of its work tree.
    command.env("GIT_CEILING_DIRECTORIES", folder.parent().unwrap_or(folder));
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "interop").env(format!("GIT_{who}_EMAIL"), "interop@localhost");
    }
    for proxy in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env_remove(proxy);
    }
}

/// Bytes that compress badly and differ at every size.
fn content(size: usize) -> Vec<u8> {
    let mut state = size as u64 ^ 0x9e37_79b9_7f4a_7c15;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(size).collect()
}
