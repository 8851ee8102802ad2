//! Names the compiled engine that the host carries. `cargo xtask build` makes it; here it is only found.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Written by `cargo xtask build` into the `dist` folder of cargo's target folder.
const ENGINE: &str = "dist/hydrant-engine.cwasm";

fn main() -> ExitCode {
    let Some(engine) = target_folder().map(|target| target.join(ENGINE)) else {
        return refuse("cargo's target folder cannot be found from OUT_DIR");
    };
    emit(&format!("cargo::rerun-if-changed={}", engine.display()));
    if !engine.is_file() {
        return refuse("the engine is not built yet: run `cargo xtask build`");
    }
    emit(&format!("cargo::rustc-env=HYDRANT_ENGINE_CWASM={}", engine.display()));
    ExitCode::SUCCESS
}

/// `OUT_DIR` is `<target>[/<triple>]/<profile>/build/<package>/out`, wherever the target folder is.
fn target_folder() -> Option<PathBuf> {
    let out = PathBuf::from(std::env::var_os("OUT_DIR")?);
    let profile = out.ancestors().find(|folder| folder.ends_with("build"))?.parent()?;
    let above = profile.parent()?;
    let triple = std::env::var_os("TARGET")?;
    Some(if above.ends_with(Path::new(&triple)) { above.parent()? } else { above }.to_path_buf())
}

fn refuse(sentence: &str) -> ExitCode {
    emit(&format!("cargo::error={sentence}"));
    ExitCode::FAILURE
}

#[allow(clippy::print_stdout, reason = "cargo reads a build script's instructions from its standard output")]
fn emit(instruction: &str) {
    println!("{instruction}");
}
