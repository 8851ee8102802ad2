//! Where the project and its artefacts are, and how cargo is called for them. Every path of the other tasks comes from
//! here, so that they work on a copy of the tree as they work on the tree.

use crate::failure::{Because, Failure, Result};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The target of the components that import nothing.
pub(crate) const BARE_WASM: &str = "wasm32-unknown-unknown";
/// The target of the component that does its own I/O through WASI.
pub(crate) const WASI_WASM: &str = "wasm32-wasip2";

/// Variables that `cargo run` sets for this program. Inherited, they would make build scripts that watch them run
/// again at every change between a shell and a task.
const CARGO_RUN_VARIABLES: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];

/// Packages that run natively, besides xtask. Calls of cargo in the dev profile name them all, whatever they build:
/// what these depend on then has the same features in every call, and is built once.
pub(crate) const NATIVE: [&str; 11] = [
    "hydrant-lfs",
    "hydrant-ledger",
    "hydrant-secrets",
    "hydrant-server",
    "hydrant-host",
    "hydrant",
    "hydrant-tests",
    "hydrant-contract",
    "hydrant-kit",
    "rust-host",
    PRECOMPILE,
];
/// The only package with a compiler in its wasmtime.
pub(crate) const PRECOMPILE: &str = "precompile";
/// The program that makes the JavaScript around a module of [`WEB`].
pub(crate) const BINDGEN: &str = "bindgen";
/// Packages that are components and nothing else.
pub(crate) const COMPONENTS: [&str; 2] = ["hydrant-engine", "hydrant-transfers"];
/// Packages that become the modules of the browser package.
pub(crate) const WEB: [&str; 2] = ["hydrant-web", "hydrant-web-full"];

/// How native programs are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// For tests and tasks: quick to build, and it checks itself.
    Dev,
    /// For people, and for what is measured.
    Release,
}

impl Profile {
    /// Its folder within the target folder.
    fn folder(self) -> &'static str {
        match self {
            Profile::Dev => "debug",
            Profile::Release => "release",
        }
    }
}

/// A checked-out tree and its target folder.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    /// Folder of the top `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Cargo's target folder.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// The workspace around the current folder.
    pub(crate) fn find() -> Result<Self> {
        let here = env::current_dir().because("the current folder cannot be read")?;
        let root = here
            .ancestors()
            .find(|folder| folder.join("xtask/Cargo.toml").is_file() && folder.join("wit").is_dir())
            .ok_or_else(|| Failure::new("run this from inside the project"))?
            .to_path_buf();
        let listing = cargo(&root)
            .args(["metadata", "--format-version", "1", "--no-deps"])
            .output()
            .because("cargo cannot be started")?;
        if !listing.status.success() {
            let words = String::from_utf8_lossy(&listing.stderr).into_owned();
            return Err(Failure::new(format!("cargo metadata failed: {}", words.trim())));
        }
        let facts: serde_json::Value = serde_json::from_slice(&listing.stdout).because("cargo metadata is not JSON")?;
        let target =
            facts["target_directory"].as_str().ok_or_else(|| Failure::new("cargo metadata names no target"))?;
        Ok(Self { target: PathBuf::from(target), root })
    }

    /// A copy of the tree elsewhere, with a target folder of its own.
    pub(crate) fn at(root: PathBuf) -> Self {
        Self { target: root.join("target"), root }
    }

    /// Where built artefacts have their fixed homes.
    pub(crate) fn dist(&self) -> PathBuf {
        self.target.join("dist")
    }

    /// Builds a program of a package; in the dev profile, one of [`NATIVE`] with the features that all of these share.
    pub(crate) fn build(&self, package: &str, name: &str, profile: Profile) -> Result<PathBuf> {
        let mut cargo = self.cargo();
        cargo.args(["build", "--bin", name]);
        match profile {
            Profile::Dev if NATIVE.contains(&package) => cargo.args(selected(&NATIVE)),
            Profile::Dev => cargo.args(["-p", package]),
            Profile::Release => cargo.args(["--release", "-p", package]),
        };
        succeed(&mut cargo, &format!("{name} does not build"))?;
        Ok(self.program(name, profile))
    }

    /// A program of the project, once it is built.
    pub(crate) fn program(&self, name: &str, profile: Profile) -> PathBuf {
        self.target.join(profile.folder()).join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }

    /// Cargo for this workspace.
    pub(crate) fn cargo(&self) -> Command {
        self.informed(cargo(&self.root))
    }

    /// A program that calls cargo for this workspace.
    pub(crate) fn cargo_by(&self, program: &Path) -> Command {
        self.informed(uninfluenced(Command::new(program), &self.root))
    }

    fn informed(&self, mut command: Command) -> Command {
        command.env("CARGO_TARGET_DIR", &self.target);
        command
    }

    /// Cargo for the components: SIMD on.
    pub(crate) fn cargo_wasm(&self) -> Command {
        self.cargo_bare(&["-Ctarget-feature=+simd128"])
    }

    /// Cargo for the bare wasm target, with these flags and no path of this machine in the result.
    pub(crate) fn cargo_bare(&self, flags: &[&str]) -> Command {
        let mut flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let homes = [(self.root.clone(), "."), (cargo_home(), "cargo")];
        for (path, name) in homes {
            flags.push(format!("--remap-path-prefix={}={name}", path.display()));
        }
        let mut command = self.cargo();
        // Flags of the caller's would replace ours and change the component's bytes.
        command.env_remove("RUSTFLAGS");
        command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
        command
    }
}

/// Packages as cargo wants to hear them.
pub(crate) fn selected<'a>(packages: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    packages.iter().flat_map(|package| ["-p", package])
}

/// Runs a command to its end with the terminal as its own; anything but success is a failure in these words.
pub(crate) fn succeed(command: &mut Command, otherwise: &str) -> Result<()> {
    let status = command.status().because(format!("{} cannot be started", command.get_program().display()))?;
    if status.success() { Ok(()) } else { Err(Failure::new(otherwise)) }
}

/// Writes a file only when its bytes change, so that cargo does not rebuild what reads it. True when it was written.
pub(crate) fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<bool> {
    if std::fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(false);
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).because("the folder of the artefact cannot be made")?;
    }
    std::fs::write(path, bytes).because("the artefact cannot be written")?;
    Ok(true)
}

fn cargo(root: &Path) -> Command {
    uninfluenced(Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into())), root)
}

/// In this folder, and without what `cargo run` said to this program.
fn uninfluenced(mut command: Command, root: &Path) -> Command {
    command.current_dir(root);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if CARGO_RUN_VARIABLES.iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    command
}

fn cargo_home() -> PathBuf {
    env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")))
        .unwrap_or_else(|| PathBuf::from(".cargo"))
}
