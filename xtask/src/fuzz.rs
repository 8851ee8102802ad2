//! `cargo xtask fuzz [MINUTES]`: hosts that do anything at all, against the native core and against the component in
//! Node, beside each other.

use crate::child;
use crate::engine;
use crate::failure::{Failure, Result};
use crate::hosts;
use crate::setup::{self, Tool};
use crate::workspace::{NATIVE, Workspace, selected};
use std::time::Duration;

/// Minutes, when nothing is said.
const MINUTES: u64 = 10;
/// Minutes that building and the last run may take besides.
const MINUTES_BESIDES: u64 = 30;

/// None when the words are not understood; otherwise whether neither found anything.
pub(crate) fn fuzz(workspace: &Workspace, words: &[String]) -> Result<Option<bool>> {
    let minutes = match words {
        [] => MINUTES,
        [minutes] => match minutes.parse() {
            Ok(minutes) => minutes,
            Err(_) => return Ok(None),
        },
        _ => return Ok(None),
    };
    setup::prepare(workspace, &[Tool::Git, Tool::Node, Tool::Npm])?;
    engine::engine(workspace)?;
    let bound = Duration::from_secs((minutes + MINUTES_BESIDES) * 60);
    let mut core = workspace.cargo();
    core.arg("test").args(selected(&NATIVE)).args(["--test", "fuzz_corpus", "replies", "--", "--nocapture"]);
    core.env("HYDRANT_FUZZ_MINUTES", minutes.to_string());
    let mut component = hosts::node(workspace, "fuzz.mjs")?;
    component.args(["--minutes", &minutes.to_string()]);
    std::thread::scope(|scope| {
        let node = scope.spawn(|| child::run(&mut component, bound, true));
        let core = child::run(&mut core, bound, true)?;
        let node = node.join().map_err(|_| Failure::new("nobody watched Node"))??;
        Ok(Some(core.ok && node.ok))
    })
}
