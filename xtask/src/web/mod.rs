//! `cargo xtask web`: the browser package, from the core's source to a folder that `npm pack` takes as it is.

mod contract;
mod declarations;
mod forms;
pub(crate) mod simd;

use crate::failure::{Because, Failure, Result};
use crate::hosts;
use crate::setup::{self, Tool};
use crate::suites::{Report, Suite};
use crate::workspace::{BARE_WASM, BINDGEN, Profile, WEB, Workspace, selected, succeed, write_if_changed};
use contract::Contract;
use std::env;
use std::fs;
use std::iter;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A module of the package.
struct Module {
    /// Its cargo package.
    package: &'static str,
    /// Its name in the npm package.
    name: &'static str,
}

/// What reads, and what also writes.
const MODULES: [Module; 2] = [Module { package: WEB[0], name: "read" }, Module { package: WEB[1], name: "full" }];

/// Where [`sizes`] brings binaryen, from the target folder.
const BINARYEN: &str = "hosts/binaryen";

/// The profile without SIMD.
const PLAIN: &str = "web-plain";

/// The tests of the package, once it is built.
pub(crate) fn suites(workspace: &Workspace, report: &mut Report) -> Result<Vec<Suite>> {
    if !Tool::Node.is_present(workspace) {
        report.skip("wasm-web", Tool::Node.name());
        return Ok(Vec::new());
    }
    build(workspace)?;
    let mut node = Command::new(setup::node(workspace));
    node.args(["--test", "--test-reporter=spec", "tests/"]).current_dir(workspace.root.join("wasm-web"));
    hosts::inform(workspace, &mut node);
    Ok(vec![Suite { name: "wasm-web node".into(), command: node, count: hosts::count_of_node, is_long: false }])
}

/// Builds the package, into `dist/web`.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    let package = workspace.dist().join("web");
    let wasm = package.join("wasm");
    if package.exists() {
        fs::remove_dir_all(&package).because("the package of an earlier build cannot be removed")?;
    }
    modules(workspace, "web", &wasm)?;
    let plain = workspace.target.join("web-plain");
    modules(workspace, PLAIN, &plain)?;
    for module in &MODULES {
        let glue = format!("{}.js", module.name);
        let read = |folder: &Path| fs::read(folder.join(&glue)).because("the JavaScript of a module cannot be read");
        if read(&wasm)? != read(&plain)? {
            return Err(Failure::new(format!("without SIMD, {glue} is another file")));
        }
        let bytes = fs::read(plain.join(format!("{}_bg.wasm", module.name))).because("a module cannot be read")?;
        write_if_changed(&wasm.join(format!("{}_plain_bg.wasm", module.name)), &bytes)?;
    }
    copy(&workspace.root.join("wasm-web/js"), &package)?;
    let contract = Contract::read(workspace)?;
    write_if_changed(&package.join("forms.js"), forms::forms(&contract)?.as_bytes())?;
    write_if_changed(&package.join("contract.d.ts"), declarations::declarations(&contract)?.as_bytes())?;
    Ok(package)
}

/// Builds the modules in a profile, into a folder.
fn modules(workspace: &Workspace, profile: &str, folder: &Path) -> Result<()> {
    let bindgen = workspace.build(BINDGEN, BINDGEN, Profile::Dev)?;
    let mut cargo = cargo(workspace, profile)?;
    cargo.args(["build", "--profile", profile, "--target", BARE_WASM]).args(selected(&WEB));
    succeed(&mut cargo, &format!("the modules do not build for {BARE_WASM}"))?;
    for module in &MODULES {
        let built = workspace.target.join(BARE_WASM).join(profile).join(module.package.replace('-', "_") + ".wasm");
        let mut command = Command::new(&bindgen);
        command.arg(&built).arg(folder).arg(module.name).args(optimiser(workspace));
        succeed(&mut command, "wasm-bindgen cannot read the module")?;
    }
    Ok(())
}

/// Cargo for the modules in a profile.
pub(crate) fn cargo(workspace: &Workspace, profile: &str) -> Result<Command> {
    let mut cargo = workspace.cargo_bare(&[]);
    if profile != PLAIN {
        simd::stand_in(&mut cargo)?;
    }
    Ok(cargo)
}

/// Binaryen's `wasm-opt`, if this machine has it.
fn optimiser(workspace: &Workspace) -> Option<PathBuf> {
    let own = workspace.target.join(BINARYEN).join("node_modules/.bin/wasm-opt");
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join("wasm-opt"));
    iter::once(own).chain(found).find(|program| program.is_file())
}

/// Copies the files of a folder and of those below it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).because("the package's sources cannot be read")? {
        let path = entry.because("the package's sources cannot be read")?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            let bytes = fs::read(&path).because("a source of the package cannot be read")?;
            write_if_changed(&target, &bytes)?;
        }
    }
    Ok(())
}
