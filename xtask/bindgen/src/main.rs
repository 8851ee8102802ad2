//! `bindgen MODULE FOLDER NAME [OPTIMISER]`: of a module that wasm-bindgen's macros prepared, makes
//!
//! - `FOLDER/NAME.js`, the JavaScript around it,
//! - `FOLDER/NAME_bg.wasm`, the module, made smaller by binaryen's `wasm-opt` if that is named,
//! - `FOLDER/NAME_bg.wasm.js`, the module as text within JavaScript, which every bundler takes.
//!
//! A program of its own, so that xtask itself is built in seconds.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};
use wasm_bindgen_cli_support::Bindgen;

/// What rustc uses by default, and SIMD. Named one by one: with all of them on, `wasm-opt` writes types that Node 20
/// does not know (measured).
const FEATURES: [&str; 9] = [
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-mutable-globals",
    "--enable-multivalue",
    "--enable-reference-types",
    "--enable-call-indirect-overlong",
    "--enable-simd",
];

/// Passes that pay (measured): flattened once between two rounds, until nothing gets smaller. The lowest kilobyte of
/// memory is the far end of the stack: no address in it is the sum of a larger one and an offset.
const PASSES: [&str; 6] = ["--low-memory-unused", "-Oz", "--flatten", "--rereloop", "-Oz", "--converge"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (module, folder, name, optimiser) = match arguments.as_slice() {
        [module, folder, name] => (module, folder, name, None),
        [module, folder, name, optimiser] => (module, folder, name, Some(optimiser)),
        _ => {
            eprintln!("usage: bindgen MODULE FOLDER NAME [OPTIMISER]");
            return ExitCode::from(2);
        }
    };
    match make(module, Path::new(folder), name, optimiser.map(String::as_str)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn make(module: &str, folder: &Path, name: &str, optimiser: Option<&str>) -> Result<(), Box<dyn Error>> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).out_name(name).typescript(false);
    bindgen.remove_name_section(true).remove_producers_section(true);
    bindgen.web(true)?.generate(folder)?;
    let wasm = folder.join(format!("{name}_bg.wasm"));
    if let Some(optimiser) = optimiser {
        let mut command = Command::new(optimiser);
        command.args(PASSES).args(FEATURES).args(["--strip-debug", "--strip-producers", "--strip-target-features"]);
        if !command.arg(&wasm).arg("-o").arg(&wasm).status()?.success() {
            return Err(format!("{optimiser} cannot read {}", wasm.display()).into());
        }
    }
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&fs::read(&wasm)?)?;
    let text = format!("export default '{}';\n", STANDARD.encode(packed.finish()?));
    fs::write(folder.join(format!("{name}_bg.wasm.js")), text)?;
    Ok(())
}
