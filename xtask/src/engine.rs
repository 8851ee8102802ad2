//! `cargo xtask build`: from the core's source to the `hydrant` command, each artefact in its fixed home and touched
//! only when its bytes change.
//!
//! The component is compiled ahead of time here, because the host carries no compiler. The choices of [`config`] must
//! be those the host runs it with: wasmtime refuses a component that was compiled under others.

use crate::component;
use crate::failure::{Because, Result};
use crate::terminal::remark;
use crate::workspace::{BARE_WASM, COMPONENTS, Profile, Workspace, succeed, write_if_changed};
use std::hash::{DefaultHasher, Hash, Hasher};
use wasmtime::{Config, Engine};

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
    // Linking a module keeps one processor busy; in one call cargo links both at a time.
    core_modules(workspace, &COMPONENTS)?;
    transfers(workspace)?;
    command(workspace, profile)
}

/// The engine component, its compiled form, and the host around it.
pub(crate) fn command(workspace: &Workspace, profile: Profile) -> Result<()> {
    engine(workspace)?;
    host(workspace, profile)
}

/// The component and its compiled form, in `dist`.
pub(crate) fn engine(workspace: &Workspace) -> Result<()> {
    precompile(workspace, &world(workspace, &ENGINE)?, &config()?, ENGINE_CWASM)
}

/// The component for hosts without a ledger, and its compiled form, in `dist`.
pub(crate) fn transfers(workspace: &Workspace) -> Result<()> {
    precompile(workspace, &world(workspace, &TRANSFERS)?, &Config::new(), TRANSFERS_CWASM)
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
    let mut cargo = workspace.cargo();
    succeed(cargo.args(["build", "-p", "hydrant-host"]).args(profile.flags()), "the host does not build")
}

/// Packages as core modules for the target that has no system behind it.
fn core_modules(workspace: &Workspace, packages: &[&str]) -> Result<()> {
    let mut cargo = workspace.cargo_wasm();
    cargo.args(["build", "--profile", "wasm", "--target", BARE_WASM]);
    cargo.args(packages.iter().flat_map(|package| ["-p", package]));
    succeed(&mut cargo, &format!("{} does not build for {BARE_WASM}", packages.join(" or ")))
}

/// The choices of the host's `config()`, here with a compiler: the component model, epochs to stop a runaway call, and
/// the baseline processor instead of the one of the machine that builds.
fn config() -> Result<Config> {
    let mut config = Config::new();
    config.wasm_component_model(true);
    config.epoch_interruption(true);
    if let Some(triple) = baseline() {
        config.target(triple).because("wasmtime does not know this platform")?;
    }
    Ok(config)
}

/// The platforms whose baseline is fixed; anywhere else the code fits the machine that builds it.
const fn baseline() -> Option<&'static str> {
    if cfg!(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")) {
        Some("x86_64-unknown-linux-gnu")
    } else if cfg!(all(target_arch = "aarch64", target_os = "linux", target_env = "gnu")) {
        Some("aarch64-unknown-linux-gnu")
    } else {
        None
    }
}

/// Compiles a component into `dist`, unless that was made from the same bytes by the same compiler.
fn precompile(workspace: &Workspace, component: &[u8], config: &Config, name: &str) -> Result<()> {
    let compiler = std::fs::read(workspace.root.join("Cargo.lock")).because("Cargo.lock cannot be read")?;
    let mut hasher = DefaultHasher::new();
    (component, compiler, format!("{config:?}")).hash(&mut hasher);
    let origin = hasher.finish().to_string();
    let compiled = workspace.dist().join(name);
    let made_from = compiled.with_extension("origin");
    if compiled.is_file() && std::fs::read_to_string(&made_from).is_ok_and(|made_from| made_from == origin) {
        return Ok(());
    }
    let engine = Engine::new(config).because("wasmtime refuses the engine's settings")?;
    let bytes = engine.precompile_component(component).because("wasmtime cannot compile the engine")?;
    write_if_changed(&compiled, &bytes)?;
    write_if_changed(&made_from, origin.as_bytes()).map(drop)
}
