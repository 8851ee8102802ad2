//! `cargo xtask lint`: format, clippy and documentation, where every warning is an error. Packages are taken one by
//! one, as everywhere, so that nothing is built twice.

use crate::failure::{Because, Result};
use crate::workspace::{PACKAGES, Workspace};
use std::process::Command;

/// How many checks passed and which failed.
#[derive(Debug, Default)]
pub(crate) struct Linted {
    /// Checks without a complaint.
    pub(crate) passed: u64,
    /// The other ones, by name.
    pub(crate) failed: Vec<String>,
}

/// Runs every check, also after one failed.
pub(crate) fn lint(workspace: &Workspace) -> Result<Linted> {
    let mut linted = Linted::default();
    let mut format = workspace.cargo();
    check(&mut linted, "fmt".to_owned(), format.args(["fmt", "--all", "--check"]))?;
    for package in &PACKAGES {
        let cargo = || if package.wasm_only { workspace.cargo_wasm() } else { workspace.cargo() };
        let mut clippy = cargo();
        clippy.arg("clippy").args(package.selection()).arg("--no-deps");
        if !package.wasm_only {
            clippy.arg("--all-targets");
        }
        check(&mut linted, format!("clippy {}", package.name), clippy.args(["--", "-Dwarnings"]))?;
        let mut doc = cargo();
        doc.arg("doc").args(package.selection()).args(["--no-deps", "--quiet"]);
        check(&mut linted, format!("doc {}", package.name), doc.env("RUSTDOCFLAGS", "-Dwarnings"))?;
    }
    Ok(linted)
}

fn check(linted: &mut Linted, name: String, command: &mut Command) -> Result<()> {
    if command.status().because("cargo cannot be started")?.success() {
        linted.passed += 1;
    } else {
        linted.failed.push(name);
    }
    Ok(())
}
