//! `cargo xtask web`: the browser package, from the core's source to a folder that `npm pack` takes as it is.

mod contract;
mod declarations;
mod forms;
pub(crate) mod simd;

use crate::engine;
use crate::failure::{Because, Failure, Result};
use crate::hosts::{self, Runtime};
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

/// Its JavaScript.
const SCRIPTS: &str = "wasm-web/js";
/// Where its tests are.
pub(crate) const TESTS: &str = "wasm-web/tests";
/// Stands in a test that needs a browser.
const DRIVES_CHROMIUM: &str = "'./browser/";
/// Tests that run in Deno and Bun, too.
const EVERYWHERE: [&str; 4] = ["stores.test.mjs", "folder.test.mjs", "transfer.test.mjs", "script.test.mjs"];
/// Where [`sizes`] brings binaryen, from the target folder.
const BINARYEN: &str = "hosts/binaryen";
/// npm's package of it.
const BINARYEN_PACKAGE: &str = "binaryen@132.0.0";
/// Texts of the project that the package has, too.
const TEXTS: [&str; 4] = ["wasm-web/README.md", "LICENSE", "LICENSE-APACHE", "LICENSE-MIT"];

/// The profile without SIMD.
const PLAIN: &str = "web-plain";

/// The tests of the package, once it is built: those in Node, and those in Chromium.
pub(crate) fn suites(workspace: &Workspace, report: &mut Report) -> Result<Vec<Suite>> {
    if let Some(tool) = hosts::javascript_lacks(workspace) {
        report.skip("wasm-web", tool.name());
        return Ok(Vec::new());
    }
    build(workspace)?;
    let (mut in_node, mut in_chromium) = (Vec::new(), Vec::new());
    let folder = workspace.root.join(TESTS);
    for entry in fs::read_dir(&folder).because("the package's tests cannot be read")? {
        let path = entry.because("the package's tests cannot be read")?.path();
        if path.to_string_lossy().ends_with(".test.mjs") {
            let text = fs::read_to_string(&path).because("a test file cannot be read")?;
            if text.contains(DRIVES_CHROMIUM) { in_chromium.push(path) } else { in_node.push(path) }
        }
    }
    let [node, others @ ..] = hosts::runtimes(workspace);
    let suite = |runtime: &Runtime, files: &[PathBuf]| runtime.suite(workspace, "wasm-web", TESTS, files);
    let mut suites = vec![Suite { is_long: true, ..suite(&node, &in_node) }];
    let everywhere = EVERYWHERE.map(|name| folder.join(name));
    suites.extend(others.iter().map(|runtime| suite(runtime, &everywhere)));
    if Tool::Chromium.is_present(workspace) {
        let name = "wasm-web chromium".to_owned();
        suites.push(Suite { name, is_long: true, ..suite(&node, &in_chromium) });
    } else {
        report.skip("wasm-web chromium", Tool::Chromium.name());
    }
    Ok(suites)
}

/// Makes what its tests need besides the command.
pub(crate) fn prepare_tests(workspace: &Workspace) -> Result<()> {
    build(workspace)?;
    hosts::install_npm(workspace, TESTS)
}

/// One test of a file, with the package's JavaScript as it stands now.
pub(crate) fn test(workspace: &Workspace, file: &str, name: &str) -> Result<Command> {
    copy(&workspace.root.join(SCRIPTS), &workspace.dist().join("web"))?;
    let mut exactly = String::new();
    for c in name.chars() {
        exactly.extend(r".*+?^${}()|[]\/".contains(c).then_some('\\'));
        exactly.push(c);
    }
    let mut node = Command::new(setup::node(workspace));
    node.args(["--test", "--test-reporter=spec", "--test-timeout=100000"]);
    node.arg(format!("--test-name-pattern=^{exactly}$")).arg(format!("{file}.test.mjs"));
    hosts::inform(workspace, node.current_dir(workspace.root.join(TESTS)));
    Ok(node)
}

/// Builds the package and serves its examples, until this program is stopped.
pub(crate) fn serve(workspace: &Workspace) -> Result<()> {
    let package = build(workspace)?;
    hosts::install_npm(workspace, TESTS)?;
    let hydrant = workspace.build("hydrant", "hydrant", Profile::Dev)?;
    let mut node = Command::new(setup::node(workspace));
    node.arg(workspace.root.join("wasm-web/examples/serve.mjs")).arg(package).arg(hydrant);
    succeed(&mut node, "the examples cannot be served")
}

/// The package beside what it is measured by. True when every ratio is within its bound.
pub(crate) fn bench(workspace: &Workspace) -> Result<bool> {
    build(workspace)?;
    hosts::install_npm(workspace, TESTS)?;
    engine::command(workspace, Profile::Release)?;
    let mut node = script(workspace, "bench/main.mjs");
    node.env("HYDRANT_BIN", workspace.program("hydrant", Profile::Release));
    Ok(node.status().because("Node cannot be started")?.success())
}

/// The recording and a hydration in Firefox.
pub(crate) fn firefox(workspace: &Workspace) -> Result<bool> {
    setup::prepare(workspace, &[Tool::Node, Tool::Npm, Tool::Firefox])?;
    build(workspace)?;
    hosts::install_npm(workspace, TESTS)?;
    workspace.build("hydrant-tests", "record", Profile::Dev)?;
    hosts::record(workspace)?;
    Ok(script(workspace, "firefox.mjs").status().because("Node cannot be started")?.success())
}

/// A script of the tests' folder, in Node.
fn script(workspace: &Workspace, name: &str) -> Command {
    let mut node = Command::new(setup::node(workspace));
    hosts::inform(workspace, node.arg(name).current_dir(workspace.root.join(TESTS)));
    node
}

/// Prints how large the package is. Brings what makes modules smaller, if it is not there.
pub(crate) fn sizes(workspace: &Workspace) -> Result<()> {
    if optimiser(workspace).is_none() {
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"]);
        npm.arg(workspace.target.join(BINARYEN)).arg(BINARYEN_PACKAGE);
        succeed(&mut npm, &format!("npm could not install {BINARYEN_PACKAGE}"))?;
    }
    let package = build(workspace)?;
    hosts::install_npm(workspace, TESTS)?;
    let module = workspace.target.join(BARE_WASM).join("web/hydrant_web.wasm");
    succeed(script(workspace, "sizes.mjs").arg(package).arg(module), "nothing was measured")
}

/// Builds the package, into `dist/web`.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    let package = workspace.dist().join("web");
    let wasm = package.join("wasm");
    if package.exists() {
        fs::remove_dir_all(&package).because("the package of an earlier build cannot be removed")?;
    }
    let bindgen = workspace.build(BINDGEN, BINDGEN, Profile::Dev)?;
    modules(workspace, &bindgen, "web", &wasm)?;
    let plain = workspace.target.join("web-plain");
    modules(workspace, &bindgen, PLAIN, &plain)?;
    for module in &MODULES {
        let glue = format!("{}.js", module.name);
        let read = |folder: &Path| fs::read(folder.join(&glue)).because("the JavaScript of a module cannot be read");
        if read(&wasm)? != read(&plain)? {
            return Err(Failure::new(format!("without SIMD, {glue} is another file")));
        }
        let bytes = fs::read(plain.join(format!("{}_bg.wasm", module.name))).because("a module cannot be read")?;
        write_if_changed(&wasm.join(format!("{}_plain_bg.wasm", module.name)), &bytes)?;
    }
    copy(&workspace.root.join(SCRIPTS), &package)?;
    for text in TEXTS.map(|text| workspace.root.join(text)) {
        let bytes = fs::read(&text).because("a text of the package cannot be read")?;
        write_if_changed(&package.join(text.file_name().unwrap_or_default()), &bytes)?;
    }
    let contract = Contract::read(workspace)?;
    write_if_changed(&package.join("forms.js"), forms::forms(&contract)?.as_bytes())?;
    write_if_changed(&package.join("contract.d.ts"), declarations::declarations(&contract)?.as_bytes())?;
    Ok(package)
}

/// Builds the modules in a profile, into a folder.
fn modules(workspace: &Workspace, bindgen: &Path, profile: &str, folder: &Path) -> Result<()> {
    let mut cargo = cargo(workspace, profile)?;
    cargo.args(["build", "--profile", profile, "--target", BARE_WASM]).args(selected(&WEB));
    succeed(&mut cargo, &format!("the modules do not build for {BARE_WASM}"))?;
    for module in &MODULES {
        let built = workspace.target.join(BARE_WASM).join(profile).join(module.package.replace('-', "_") + ".wasm");
        let mut command = Command::new(bindgen);
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
