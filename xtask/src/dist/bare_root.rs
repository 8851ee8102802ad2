//! A release in a Debian that has nothing but itself: no git, no certificates, no network. It shows what the command
//! needs of a machine. Takes root, and a network once, to bring that Debian.

use crate::child;
use crate::dist::check::{Check, demand, run, unpack};
use crate::dist::{VERSION, release, top};
use crate::failure::{Because, Failure, Result};
use crate::setup::{self, Tool};
use crate::workspace::{Workspace, succeed};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// The word that asks for the part without a network.
pub(super) const PART: &str = "--within";
/// Minutes for what should take seconds.
const CHECKS_MINUTES_MAX: u64 = 5;
/// Minutes in which Debian is brought.
const DEBIAN_MINUTES_MAX: u64 = 30;
/// Where commands run, as the bare root has it.
const WORK: &str = "/home/try";
/// Bytes of the object that goes to the server and back: more than one piece.
const OBJECT_BYTES: usize = 700_000;

const CHECKS: [Check<Root>; 5] = [
    ("nothing is there to lean on", nothing_is_there),
    ("the command says its version", version),
    ("the command makes a pointer", pointer),
    ("an object goes to the server and comes back", there_and_back),
    ("without git, one sentence says so", no_git),
];

/// Makes a release, installs it in a bare root and uses it there, without a network.
pub(crate) fn install(workspace: &Workspace) -> Result<bool> {
    setup::prepare(workspace, &[Tool::Debootstrap])?;
    if !setup::is_root() || !Tool::Debootstrap.is_present(workspace) {
        return Err(Failure::new("to make a bare Debian takes root and debootstrap"));
    }
    release(workspace)?;
    let root = debian(workspace)?;
    let local = root.join("usr/local");
    if local.exists() {
        fs::remove_dir_all(&local).because("an earlier installation cannot be removed")?;
    }
    let unpacked = root.join("tmp");
    unpack(&workspace.dist().join(format!("{}.tar.gz", top())), &unpacked)?;
    fs::rename(unpacked.join(top()), &local).because("the release cannot be installed")?;
    // All processes within end with the first of them.
    let mut unshare = Command::new("unshare");
    unshare.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--"]);
    unshare.arg(std::env::current_exe().because("this program cannot be found")?);
    let ended = child::run(
        unshare.args(["dist", PART]).arg(&root).current_dir(&workspace.root),
        Duration::from_secs(CHECKS_MINUTES_MAX * 60),
        true,
    )?;
    Ok(ended.ok)
}

/// The smallest Debian of this machine's release, in the target folder; brought when it is not there yet.
fn debian(workspace: &Workspace) -> Result<PathBuf> {
    let facts = fs::read_to_string("/etc/os-release").because("this system does not say what it is")?;
    let named = facts.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let release = named.ok_or_else(|| Failure::new("this system's release has no name that debootstrap could know"))?;
    let root = workspace.target.join("bare-root").join(release);
    if root.is_dir() {
        return Ok(root);
    }
    let part = root.with_extension("part");
    if part.exists() {
        fs::remove_dir_all(&part).because("half a Debian cannot be removed")?;
    }
    fs::create_dir_all(&part).because("a folder for Debian cannot be made")?;
    let mut debootstrap = Command::new("debootstrap");
    let limit = Duration::from_secs(DEBIAN_MINUTES_MAX * 60);
    let ended = child::run(debootstrap.args(["--variant=minbase", release]).arg(&part), limit, false)?;
    if !ended.ok {
        let last = ended.lines.back().cloned().unwrap_or_default();
        return Err(Failure::new(format!("debootstrap did not bring {release}: {last}")));
    }
    fs::rename(&part, &root).because("the new Debian cannot be renamed")?;
    Ok(root)
}

/// The part that runs where there is no network: the checks. True when all ended well.
pub(super) fn within(root: &Path) -> Result<bool> {
    succeed(Command::new("ip").args(["link", "set", "lo", "up"]), "this machine cannot be reached by itself")?;
    let mut mount = Command::new("mount");
    succeed(mount.args(["-t", "proc", "proc"]).arg(root.join("proc")), "/proc cannot be mounted")?;
    let root = Root(root.to_path_buf());
    let work = root.path("");
    if work.exists() {
        fs::remove_dir_all(&work).because("what an earlier run left cannot be removed")?;
    }
    fs::create_dir_all(root.path("from")).because("a folder to work in cannot be made")?;
    Ok(run(&CHECKS, &root))
}

/// The bare root.
struct Root(PathBuf);

impl Root {
    /// A file of the folder that commands run in.
    fn path(&self, name: &str) -> PathBuf {
        self.0.join(WORK.trim_start_matches('/')).join(name)
    }

    /// A program there, with a home and a `PATH` and no other variable.
    fn program(&self, words: &[&str]) -> Command {
        let mut chroot = Command::new("chroot");
        chroot.arg(&self.0).args(["/usr/bin/env", "-i", "-C", WORK, "HOME=/home"]);
        chroot.arg("PATH=/usr/local/bin:/usr/bin:/bin").args(words);
        chroot
    }

    fn hydrant(&self, arguments: &[&str]) -> Result<Output> {
        self.program(&[&["hydrant"], arguments].concat()).output().because("chroot cannot be started")
    }

    /// The same, which must end well.
    fn done(&self, arguments: &[&str]) -> Result<String> {
        let said = self.hydrant(arguments)?;
        let errors = String::from_utf8_lossy(&said.stderr);
        demand(said.status.success(), format!("`hydrant {}`: {}", arguments.join(" "), errors.trim()))?;
        Ok(String::from_utf8_lossy(&said.stdout).into_owned())
    }
}

fn nothing_is_there(root: &Root) -> Result<()> {
    for name in ["git", "git-lfs", "curl", "openssl"] {
        let found = root.program(&["which", name]).output().because("chroot cannot be started")?;
        demand(!found.status.success(), format!("{name} is there"))?;
    }
    let routes = Command::new("ip").args(["route", "show"]).output().because("ip cannot be started")?;
    demand(routes.status.success() && routes.stdout.is_empty(), "there is a network")
}

fn version(root: &Root) -> Result<()> {
    let said = root.done(&["--version"])?;
    demand(said.trim() == format!("hydrant {VERSION}"), format!("it said {said:?}"))
}

fn pointer(root: &Root) -> Result<()> {
    fs::write(root.path("content"), b"content").because("a file cannot be written")?;
    let made = root.done(&["pointer", "make", "content"])?;
    demand(made.contains(&oid(b"content")), format!("it made {made:?}"))
}

fn there_and_back(root: &Root) -> Result<()> {
    let bytes: Vec<u8> = (0..OBJECT_BYTES).map(|at| (at % 251) as u8).collect();
    let oid = oid(&bytes);
    let write = |name: &str, bytes: &[u8]| fs::write(root.path(name), bytes).because("a file cannot be written");
    write(&format!("from/{oid}"), &bytes)?;
    write("list", format!("{oid} {OBJECT_BYTES}\n").as_bytes())?;
    let mut serve = root.program(&["hydrant", "serve", "--quiet", "--open", "--store", "store"]);
    let mut server = serve.stdout(Stdio::piped()).spawn().because("chroot cannot be started")?;
    let mut line = String::new();
    let stdout = server.stdout.take().ok_or_else(|| Failure::new("the server has no output"))?;
    BufReader::new(stdout).read_line(&mut line).because("the server says nothing")?;
    let carried = (|| {
        let url = line.trim().strip_prefix("serving ").ok_or_else(|| Failure::new("the server does not say where"))?;
        let endpoint = format!("{url}/try");
        root.done(&["upload", "--objects", "list", "--from", "from", "--endpoint", &endpoint])?;
        root.done(&["hydrate", "--objects", "list", "--into", "into", "--endpoint", &endpoint])?;
        let back = fs::read(root.path(&format!("into/{oid}"))).because("nothing came back")?;
        demand(back == bytes, "other bytes came back")
    })();
    server.kill().and_then(|()| server.wait()).because("the server cannot be ended")?;
    carried
}

fn no_git(root: &Root) -> Result<()> {
    for command in ["hydrate", "status", "demo"] {
        let said = root.hydrant(&[command])?;
        let errors = String::from_utf8_lossy(&said.stderr);
        let is_clear = said.status.code() == Some(3) && errors.starts_with("hydrant: git was not found on PATH: ");
        demand(is_clear, format!("`hydrant {command}` ended with {}: {errors}", said.status))?;
    }
    Ok(())
}

/// In hexadecimal digits.
fn oid(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
