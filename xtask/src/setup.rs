//! `cargo xtask setup`: what the other tasks need on this machine. Wasm targets come from rustup; a missing program is
//! installed with apt-get by root on Debian, and named with its command anywhere else. Nothing else is ever changed.

use crate::failure::{Because, Failure, Result};
use crate::terminal::remark;
use crate::workspace::{BARE_WASM, WASI_WASM, Workspace, succeed};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The oldest Node.js whose test runner and WebAssembly are enough.
const NODE_MAJOR_MIN: u32 = 20;

/// A program that a task calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    /// Version control; nothing works without it.
    Git,
    /// The real client, for tests against it.
    GitLfs,
    /// The JavaScript host.
    Node,
    /// Its package manager.
    Npm,
    /// For the engine in another language's wasmtime, and for servers written in it.
    Python,
}

impl Tool {
    /// What the test suites need.
    pub(crate) const FOR_TESTS: [Tool; 4] = [Tool::Git, Tool::GitLfs, Tool::Node, Tool::Npm];

    /// The name that a person would look for.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Tool::Git => "git",
            Tool::GitLfs => "git-lfs",
            Tool::Node => "node",
            Tool::Npm => "npm",
            Tool::Python => "python3",
        }
    }

    /// The tool of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Tool::Git, Tool::GitLfs, Tool::Node, Tool::Npm, Tool::Python].into_iter().find(|tool| tool.name() == name)
    }

    /// Whether it is there, and new enough.
    pub(crate) fn is_present(self) -> bool {
        let Some(version) = first_line(Command::new(self.name()).arg("--version")) else { return false };
        self != Tool::Node || node_major(&version).is_some_and(|major| major >= NODE_MAJOR_MIN)
    }

    /// Debian's packages for it.
    fn debian_packages(self) -> &'static [&'static str] {
        match self {
            // Tests sign with the second and end children with the third.
            Tool::Git => &["git", "openssh-client", "procps"],
            Tool::GitLfs => &["git-lfs"],
            Tool::Node => &["nodejs"],
            Tool::Npm => &["npm"],
            Tool::Python => &["python3", "python3-venv"],
        }
    }
}

/// Makes the wasm targets and these tools available as far as this user may; names what stays missing.
pub(crate) fn prepare(workspace: &Workspace, tools: &[Tool]) -> Result<()> {
    wasm_targets(workspace)?;
    let missing: Vec<Tool> = tools.iter().copied().filter(|tool| !tool.is_present()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().flat_map(|tool| tool.debian_packages()).copied().collect();
    if !Path::new("/etc/debian_version").exists() {
        let names: Vec<&str> = missing.iter().map(|tool| tool.name()).collect();
        remark(&format!("missing: {}; install with your package manager (node {NODE_MAJOR_MIN}+)", names.join(", ")));
    } else if !is_root() {
        remark(&format!("missing; install with: sudo apt-get install -y {}", packages.join(" ")));
    } else if let Err(why) = apt_install(&packages) {
        remark(&why.to_string());
    }
    for tool in missing.into_iter().filter(|tool| !tool.is_present()) {
        match tool {
            Tool::Git => return Err(Failure::new("git is needed for everything here")),
            Tool::Node => remark(&format!("node {NODE_MAJOR_MIN} or newer is not there")),
            other => remark(&format!("{} is not there", other.name())),
        }
    }
    Ok(())
}

/// The toolchain file lists the targets, but rustup installs them by itself only where it is told to.
fn wasm_targets(workspace: &Workspace) -> Result<()> {
    let mut rustc = Command::new("rustc");
    let sysroot = first_line(rustc.current_dir(&workspace.root).args(["--print", "sysroot"]))
        .map(PathBuf::from)
        .ok_or_else(|| Failure::new("rustc is needed; install Rust from https://rustup.rs"))?;
    let installed = |target: &&str| sysroot.join("lib/rustlib").join(target).join("lib").is_dir();
    let absent: Vec<&str> = [BARE_WASM, WASI_WASM].into_iter().filter(|target| !installed(target)).collect();
    if absent.is_empty() {
        return Ok(());
    }
    let mut rustup = Command::new("rustup");
    rustup.current_dir(&workspace.root).args(["target", "add"]).args(&absent);
    succeed(&mut rustup, &format!("run this, then try again: rustup target add {}", absent.join(" ")))
}

fn apt_install(packages: &[&str]) -> Result<()> {
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).stdout(Stdio::null());
        command
    };
    remark(&format!("installing {}", packages.join(" ")));
    // A stale list of one source need not keep the packages from being found.
    if !apt().args(["update", "-q"]).status().because("apt-get cannot be started")?.success() {
        remark("apt-get update failed; trying with the lists that are there");
    }
    let sentence = format!("this failed; run it to see why: apt-get install -y {}", packages.join(" "));
    succeed(apt().args(["install", "-y", "-q", "--no-install-recommends"]).args(packages), &sentence)
}

fn is_root() -> bool {
    first_line(Command::new("id").arg("-u")).is_some_and(|uid| uid == "0")
}

/// `v20.1.0` is 20.
fn node_major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// The first line a command prints, when it succeeds.
fn first_line(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| text.lines().next().unwrap_or_default().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_versions_are_compared_by_their_first_number() {
        assert_eq!(node_major("v20.20.2"), Some(20));
        assert_eq!(node_major("v18.19.0"), Some(18));
        assert_eq!(node_major("node 20"), None);
    }

    #[test]
    fn tools_are_found_by_the_name_they_print() {
        for tool in Tool::FOR_TESTS {
            assert_eq!(Tool::named(tool.name()), Some(tool));
        }
    }
}
