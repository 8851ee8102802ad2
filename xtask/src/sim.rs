//! `cargo xtask sim`: the seeded simulation, for as many seeds as asked; or one seed again, with all that was said.

use crate::failure::{Because, Result};
use crate::workspace::{Workspace, succeed};

/// What the simulation ends with when it does not understand what it is told.
const MISUSE: i32 = 2;

/// None when the words are not understood; otherwise whether no law was broken.
pub(crate) fn sim(workspace: &Workspace, words: &[String]) -> Result<Option<bool>> {
    let program = ["--release", "-q", "-p", "hydrant-tests", "--bin", "sim"];
    succeed(workspace.cargo().arg("build").args(program), "the simulation cannot be built")?;
    let name = format!("sim{}", std::env::consts::EXE_SUFFIX);
    let mut program = std::process::Command::new(workspace.target.join("release").join(name));
    let status = program.args(words).status().because("the simulation cannot be started")?;
    Ok((status.code() != Some(MISUSE)).then(|| status.success()))
}
