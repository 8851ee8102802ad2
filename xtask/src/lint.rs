//! `cargo xtask lint`: format, clippy and documentation, where every warning is an error. Where nothing may be left
//! out, macOS is checked, too: what that needs takes a while to bring.

use crate::failure::{Because, Result};
use crate::mac;
use crate::setup;
use crate::web;
use crate::workspace::{BARE_WASM, BINDGEN, COMPONENTS, NATIVE, PRECOMPILE, WEB, Workspace, selected};
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
    // All of them in one call: what they depend on is checked once.
    let packages: Vec<&str> = NATIVE.into_iter().filter(|name| *name != PRECOMPILE).chain(["xtask"]).collect();
    let packages: Vec<&str> = selected(&packages).collect();
    let mut clippy = workspace.cargo();
    clippy.args(["clippy", "--no-deps", "--all-targets"]).args(&packages).args(["--", "-Dwarnings"]);
    check(&mut linted, "clippy".to_owned(), &mut clippy)?;
    // To check these two, cargo would check whole compilers; they are looked at as they are built, as `cargo clippy`
    // does it.
    for (program, packages) in [(PRECOMPILE, &NATIVE[..]), (BINDGEN, &[BINDGEN])] {
        let mut built = workspace.cargo();
        built.args(["build", "--quiet", "--bin", program]).args(selected(packages));
        built.env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver").env("CLIPPY_ARGS", "-Dwarnings__CLIPPY_HACKERY__");
        check(&mut linted, format!("clippy {program}"), &mut built)?;
    }
    let mut doc = workspace.cargo();
    doc.args(["doc", "--no-deps", "--quiet"]).args(&packages).env("RUSTDOCFLAGS", "-Dwarnings");
    check(&mut linted, "doc".to_owned(), &mut doc)?;
    let components = COMPONENTS.map(|package| (package, "wasm"));
    let modules = WEB.map(|package| (package, "web"));
    for (package, profile) in components.into_iter().chain(modules) {
        let mut clippy = if WEB.contains(&package) { web::cargo(workspace, profile)? } else { workspace.cargo_wasm() };
        clippy.args(["clippy", "--profile", profile, "--target", BARE_WASM, "--no-deps", "-p", package]);
        check(&mut linted, format!("clippy {package}"), clippy.args(["--", "-Dwarnings"]))?;
    }
    if setup::everything_is_demanded() {
        let name = "check-mac".to_owned();
        match mac::command(workspace) {
            Ok(mut mac) => check(&mut linted, name, &mut mac)?,
            Err(why) => linted.failed.push(format!("{name}: {why}")),
        }
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
