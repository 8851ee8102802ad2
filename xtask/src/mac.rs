//! `cargo xtask check-mac`: whether the host, the server and the command are right for macOS, as far as the compiler
//! can tell. Nothing is linked and nothing runs.
//!
//! A crate below them has C in it. Zig compiles that for any system and comes as a package of Python's, so that no
//! machine needs a Mac's own compiler.

use crate::failure::{Failure, Result};
use crate::setup::{self, Tool};
use crate::workspace::{Workspace, selected, succeed};
use std::env;
use std::process::Command;

/// Macs of today.
const TARGET: &str = "aarch64-apple-darwin";
/// What people would run there, and all that it is made of.
const PACKAGES: [&str; 3] = ["hydrant-host", "hydrant-server", "hydrant"];
/// Zig, and what shows it to cargo.
const REQUIREMENTS: &str = "ziglang==0.17.1\ncargo-zigbuild==0.24.1\n";
/// Where these go, from the target folder.
const FOLDER: &str = "hosts/zig";

/// The check as a command of its own.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    succeed(&mut command(workspace)?, &format!("there are errors for {TARGET}"))
}

/// The check, once all that it needs is here. It shares the target folder, so what is built for this machine serves it.
pub(crate) fn command(workspace: &Workspace) -> Result<Command> {
    setup::prepare(workspace, &[Tool::Python])?;
    if !Tool::Python.is_present(workspace) {
        return Err(Failure::new(format!("{} is needed to check for {TARGET}", Tool::Python.name())));
    }
    setup::targets(workspace, &[TARGET])?;
    let folder = workspace.target.join(FOLDER);
    setup::python_packages(&folder, REQUIREMENTS)?;
    let bin = folder.join("bin");
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([bin.clone()].into_iter().chain(env::split_paths(&path)));
    let path = path.map_err(|_| Failure::new("a folder of PATH cannot be named there again"))?;
    let mut cargo = workspace.cargo_by(&bin.join("cargo-zigbuild"));
    cargo.env("PATH", path).args(["clippy", "--target", TARGET, "--no-deps"]).args(selected(&PACKAGES));
    cargo.args(["--", "-Dwarnings"]);
    Ok(cargo)
}
