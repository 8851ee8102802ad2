//! `precompile SETTINGS COMPONENT`: compiles a component ahead of time, because the host carries no compiler. The
//! result goes to standard output.
//!
//! A program of its own: xtask is built in seconds without a compiler, and this one while cargo has other work too.

use std::io::Write;
use wasmtime::{Config, Engine, Result, bail};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [settings, component] = arguments.as_slice() else { bail!("usage: precompile host|plain COMPONENT") };
    let config = match settings.as_str() {
        "host" => host()?,
        "plain" => Config::new(),
        other => bail!("the settings are host or plain, not {other}"),
    };
    let compiled = Engine::new(&config)?.precompile_component(&std::fs::read(component)?)?;
    Ok(std::io::stdout().write_all(&compiled)?)
}

/// The choices of the host's `config()`: the component model, epochs to stop a runaway call, and the baseline processor
/// instead of the one of the machine that builds. wasmtime refuses a component that was compiled under others.
fn host() -> Result<Config> {
    let mut config = Config::new();
    config.wasm_component_model(true);
    config.epoch_interruption(true);
    if let Some(triple) = baseline() {
        config.target(triple)?;
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
