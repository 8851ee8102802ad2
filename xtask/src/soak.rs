//! `cargo xtask soak`: the tests whose worth grows with time, for longer than `test` takes: kills of the real command
//! and seeded lives in the simulated world.

use crate::engine;
use crate::failure::Result;
use crate::setup::{self, Tool};
use crate::terminal::remark;
use crate::workspace::{Profile, Workspace, succeed};

/// Kills of the real command.
const KILLS: u64 = 200;
/// Acts of two clones of one ledger.
const STORIES: u64 = 200;
/// Seeds of each simulation.
const SEEDS: u64 = 5_000;

pub(crate) fn soak(workspace: &Workspace) -> Result<()> {
    setup::prepare(workspace, &Tool::FOR_TESTS)?;
    engine::command(workspace, Profile::Dev)?;
    remark(&format!("{KILLS} kills of `hydrant publish`"));
    let run = |package: &str, binary: &str, test: &str, variable: &str, count: u64| {
        let mut cargo = workspace.cargo();
        cargo.args(["test", "-p", package, "--test", binary, test, "--", "--nocapture"]);
        cargo.env(variable, count.to_string());
        succeed(&mut cargo, &format!("{test} failed"))
    };
    run("hydrant", "publish", "kills", "HYDRANT_TEST_KILLS", KILLS)?;
    remark(&format!("{STORIES} acts of two clones, each killed"));
    run("hydrant", "publish", "story", "HYDRANT_TEST_STORY", STORIES)?;
    remark(&format!("{SEEDS} seeded lives of every operation"));
    run("hydrant-tests", "simulation", "seeded", "HYDRANT_SEEDS", SEEDS)?;
    run("hydrant-tests", "publish", "seeded", "HYDRANT_SEEDS", SEEDS)?;
    run("hydrant-tests", "lives", "seeded", "HYDRANT_SEEDS", SEEDS)
}
