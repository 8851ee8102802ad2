//! `cargo xtask web`: the browser package, from the core's source to a folder that `npm pack` takes as it is.

mod contract;
mod declarations;
mod forms;
pub(crate) mod simd;

use crate::failure::{Because, Result};
use crate::hosts;
use crate::setup::{self, Tool};
use crate::suites::{Report, Suite};
use crate::workspace::{BARE_WASM, BINDGEN, Profile, WEB, Workspace, selected, succeed, write_if_changed};
use contract::Contract;
use std::fs;
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

/// Profiles, whether they have SIMD, and how their modules' names end.
const BUILDS: [(&str, bool, &str); 2] = [("web", true, ""), ("web-plain", false, "_plain")];

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
    let bindgen = workspace.build(BINDGEN, BINDGEN, Profile::Dev)?;
    for (profile, simd, ending) in BUILDS {
        let mut cargo = cargo(workspace, simd)?;
        cargo.args(["build", "--profile", profile, "--target", BARE_WASM]);
        cargo.args(selected(&WEB));
        succeed(&mut cargo, &format!("the modules do not build for {BARE_WASM}"))?;
        for module in &MODULES {
            let built = workspace.target.join(BARE_WASM).join(profile).join(module.package.replace('-', "_") + ".wasm");
            let mut command = Command::new(&bindgen);
            command.arg(&built).arg(package.join("wasm")).arg(format!("{}{ending}", module.name));
            succeed(&mut command, "wasm-bindgen cannot read the module")?;
        }
    }
    copy(&workspace.root.join("wasm-web/js"), &package)?;
    let contract = Contract::read(workspace)?;
    write_if_changed(&package.join("forms.js"), forms::forms(&contract)?.as_bytes())?;
    write_if_changed(&package.join("contract.d.ts"), declarations::declarations(&contract)?.as_bytes())?;
    Ok(package)
}

/// Cargo for the modules, with SIMD or without it.
pub(crate) fn cargo(workspace: &Workspace, simd: bool) -> Result<Command> {
    let mut cargo = workspace.cargo_bare(&[]);
    if simd {
        simd::stand_in(&mut cargo)?;
    }
    Ok(cargo)
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
