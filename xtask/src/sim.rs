//! `cargo xtask sim`: the seeded simulation, for as many seeds as asked; or one seed again, with all that was said.

use crate::failure::{Because, Result};
use crate::workspace::{Profile, Workspace};
use std::process::Command;

/// What the simulation ends with when it does not understand what it is told.
const MISUSE: i32 = 2;

/// None when the words are not understood; otherwise whether no law was broken.
pub(crate) fn sim(workspace: &Workspace, words: &[String]) -> Result<Option<bool>> {
    let mut program = Command::new(workspace.build("hydrant-tests", "sim", Profile::Dev)?);
    let status = program.args(words).status().because("the simulation cannot be started")?;
    Ok((status.code() != Some(MISUSE)).then(|| status.success()))
}
