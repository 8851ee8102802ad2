//! `cargo xtask build`: from the core's source to the `hydrant` command, each artefact in its fixed home and touched
//! only when its bytes change.
//!
//! The component is compiled ahead of time, by `xtask/precompile`, because the host carries no compiler.

use crate::component;
use crate::failure::{Because, Failure, Result};
use crate::terminal::remark;
use crate::workspace::{BARE_WASM, COMPONENTS, PRECOMPILE, Profile, Workspace, selected, succeed, write_if_changed};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::process::{Command, Stdio};

/// A component that imports nothing.
pub(crate) struct World {
    /// Its name in WIT, and that of its package.
    name: &'static str,
    /// The files of `wit/` that say what it exports.
    wit: &'static [&'static str],
}

/// Git LFS for any repository.
const TRANSFERS: World =
    World { name: "hydrant-transfers", wit: &["types", "pointers", "batches", "endpoints", "operations", "transfers"] };
/// Everything hydrant knows.
const ENGINE: World = World {
    name: "hydrant-engine",
    wit: &[
        "types",
        "pointers",
        "batches",
        "endpoints",
        "operations",
        "transfers",
        "manifests",
        "ledgers",
        "sessions",
        "engine",
    ],
};

/// The component that the host runs.
pub(crate) const ENGINE_WASM: &str = "hydrant-engine.wasm";
/// The component for hosts without a ledger.
pub(crate) const TRANSFERS_WASM: &str = "hydrant-transfers.wasm";
/// The engine, compiled for this platform's baseline processor.
pub(crate) const ENGINE_CWASM: &str = "hydrant-engine.cwasm";
/// The other one, compiled with wasmtime's own choices, for the host of `tests/hosts/rust`.
const TRANSFERS_CWASM: &str = "hydrant-transfers.cwasm";

/// Everything that is built: the `hydrant` command, and the component for hosts without a ledger.
pub(crate) fn build(workspace: &Workspace, profile: Profile) -> Result<()> {
    components(workspace)?;
    host(workspace, profile)
}

/// Both components and their compiled forms.
pub(crate) fn components(workspace: &Workspace) -> Result<()> {
    // Linking a module keeps one processor busy; in one call cargo links both at a time.
    core_modules(workspace, &COMPONENTS)?;
    engine(workspace)?;
    transfers(workspace)
}

/// The engine component, its compiled form, and the host around it.
pub(crate) fn command(workspace: &Workspace, profile: Profile) -> Result<()> {
    engine(workspace)?;
    host(workspace, profile)
}

/// The component and its compiled form, in `dist`.
pub(crate) fn engine(workspace: &Workspace) -> Result<()> {
    precompile(workspace, &world(workspace, &ENGINE)?, "host", ENGINE_CWASM)
}

/// The component for hosts without a ledger, and its compiled form, in `dist`.
pub(crate) fn transfers(workspace: &Workspace) -> Result<()> {
    precompile(workspace, &world(workspace, &TRANSFERS)?, "plain", TRANSFERS_CWASM)
}

fn world(workspace: &Workspace, world: &World) -> Result<Vec<u8>> {
    core_modules(workspace, &[world.name])?;
    let module = workspace.target.join(BARE_WASM).join("wasm").join(world.name.replace('-', "_") + ".wasm");
    let module = std::fs::read(module).because("cargo built no module where one was expected")?;
    let bytes = component::encode(&module, &wit(workspace, world)?)?;
    component::demand_no_imports(&bytes)?;
    let name = format!("{}.wasm", world.name);
    if write_if_changed(&workspace.dist().join(&name), &bytes)? {
        remark(&format!("{name}: {} bytes, imports nothing", bytes.len()));
    }
    Ok(bytes)
}

/// The WIT of a world as one text.
fn wit(workspace: &Workspace, world: &World) -> Result<String> {
    let mut text = String::new();
    for name in world.wit {
        let path = workspace.root.join("wit").join(format!("{name}.wit"));
        text += &std::fs::read_to_string(path).because("a WIT file cannot be read")?;
        text.push('\n');
    }
    Ok(text)
}

/// The `hydrant` command, with the compiled engine inside.
pub(crate) fn host(workspace: &Workspace, profile: Profile) -> Result<()> {
    workspace.build("hydrant", "hydrant", profile).map(drop)
}

/// Packages as core modules for the target that has no system behind it.
fn core_modules(workspace: &Workspace, packages: &[&str]) -> Result<()> {
    let mut cargo = workspace.cargo_wasm();
    cargo.args(["build", "--profile", "wasm", "--target", BARE_WASM]);
    cargo.args(selected(packages));
    succeed(&mut cargo, &format!("{} does not build for {BARE_WASM}", packages.join(" or ")))
}

/// Compiles what [`world`] wrote, unless that was made from the same bytes by the same compiler.
fn precompile(workspace: &Workspace, component: &[u8], settings: &str, name: &str) -> Result<()> {
    let lock = std::fs::read(workspace.root.join("Cargo.lock")).because("Cargo.lock cannot be read")?;
    let mut hasher = DefaultHasher::new();
    (component, lock, include_str!("../precompile/src/main.rs"), settings).hash(&mut hasher);
    let origin = hasher.finish().to_string();
    let compiled = workspace.dist().join(name);
    let made_from = compiled.with_extension("origin");
    if compiled.is_file() && std::fs::read_to_string(&made_from).is_ok_and(|made_from| made_from == origin) {
        return Ok(());
    }
    let mut precompile = Command::new(workspace.build(PRECOMPILE, PRECOMPILE, Profile::Dev)?);
    precompile.arg(settings).arg(compiled.with_extension("wasm")).stderr(Stdio::inherit());
    let made = precompile.output().because("the compiler cannot be started")?;
    if !made.status.success() {
        return Err(Failure::new("wasmtime cannot compile the component"));
    }
    write_if_changed(&compiled, &made.stdout)?;
    write_if_changed(&made_from, origin.as_bytes()).map(drop)
}
