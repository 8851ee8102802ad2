//! `cargo xtask demo`: from nothing but Rust and git to hydrant at work. Arguments go to `hydrant demo`.

use crate::engine;
use crate::failure::Result;
use crate::setup::{self, Tool};
use crate::workspace::{Profile, Workspace, succeed};
use std::process::Command;

/// Sets up what the demo needs, builds, and runs it.
pub(crate) fn demo(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    setup::prepare(workspace, &[Tool::Git])?;
    engine::command(workspace, Profile::Dev)?;
    let mut hydrant = Command::new(workspace.program("hydrant", Profile::Dev));
    succeed(hydrant.arg("demo").args(arguments), "the demo did not end well")
}
