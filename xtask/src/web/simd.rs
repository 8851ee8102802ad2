//! This program in the place of rustc, for the modules of the browser package: it gives SIMD to the one crate that
//! gains by it. Given to all, it makes a module two kilobytes larger and nothing quicker (measured).

use crate::failure::{Because, Failure, Result};
use std::env;
use std::process::{Command, ExitCode};

/// Set while this program stands in for rustc.
pub(crate) const STANDS_IN: &str = "HYDRANT_STANDS_IN_FOR_RUSTC";
/// The crate that hashes.
const GAINS: &str = "sha2";
/// What switches SIMD on.
const SIMD: &str = "-Ctarget-feature=+simd128";

/// Runs rustc as cargo wanted it run.
pub(crate) fn rustc(words: &[String]) -> Result<ExitCode> {
    let (program, arguments) = words.split_first().ok_or_else(|| Failure::new("cargo names the compiler first"))?;
    let mut rustc = Command::new(program);
    rustc.args(arguments).env_remove(STANDS_IN);
    if arguments.windows(2).any(|pair| pair == ["--crate-name", GAINS]) {
        rustc.arg(SIMD);
    }
    let status = rustc.status().because("the compiler cannot be started")?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Lets this program stand in for rustc.
pub(crate) fn stand_in(cargo: &mut Command) -> Result<()> {
    let program = env::current_exe().because("this program cannot be found")?;
    cargo.env("RUSTC_WRAPPER", program).env(STANDS_IN, "1");
    Ok(())
}
