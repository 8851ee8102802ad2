//! `cargo xtask bench`: hydrant beside other clients on the same work in the same run, as ratios of medians.
//!
//! Only ratios are judged: the times beside them belong to the machine. Transfers and the scan run on a kit of scripts
//! where that lies beside the project (`../shared/bench`, or where `HYDRANT_BENCH` points), because its server and its
//! floor are the leanest; anywhere else, and always for publishing, this task makes data, server and peers itself.

mod arguments;
mod data;
mod delay;
mod figures;
mod ground;
mod kit;
mod ledger;
mod part;
mod publish;
mod server;
mod session;
pub(crate) mod stopwatch;
mod transfer;
mod tree;
mod workload;

use crate::engine;
use crate::failure::{Because, Result};
use crate::setup::{self, Tool};
use crate::terminal::{remark, say, table};
use crate::workspace::{Profile, Workspace};
use arguments::Asked;
use figures::{Found, judge};
use ground::Ground;
use kit::Kit;
use std::process::Command;
use workload::{WORKLOADS, Work, Workload};

pub(crate) use part::{PART, part};

/// Runs the chosen workloads. True when every bound holds, none when the arguments are not understood.
pub(crate) fn bench(workspace: &Workspace, arguments: &[String]) -> Result<Option<bool>> {
    let choice = match arguments::read(arguments) {
        Ok(Asked::Run(choice)) => choice,
        Ok(Asked::Text(text)) => {
            say(&text);
            return Ok(Some(true));
        }
        Err(why) => {
            remark(&why);
            return Ok(None);
        }
    };
    if cfg!(debug_assertions) {
        // What hydrant is compared with must be optimised as hydrant is.
        let optimised = workspace.build("xtask", "xtask", Profile::Release)?;
        let ended = Command::new(optimised).arg("bench").args(arguments).status();
        return Ok(Some(ended.because("the optimised bench cannot be started")?.success()));
    }
    let kit = Kit::find(workspace)?;
    let mut tools = vec![Tool::Git, Tool::GitLfs];
    if kit.is_some() {
        tools.push(Tool::Python);
    }
    setup::prepare(workspace, &tools)?;
    let hydrant = match &choice.hydrant {
        Some(named) => named.canonicalize().because("the program to measure cannot be found")?,
        None => {
            engine::command(workspace, Profile::Release)?;
            workspace.program("hydrant", Profile::Release)
        }
    };
    let ground = Ground::prepare(workspace, hydrant)?;
    ground.remarks();
    let mut rows = vec![figures::HEAD.map(String::from).to_vec()];
    let mut within = true;
    for workload in WORKLOADS.iter().filter(|workload| choice.takes(workload)) {
        let runs = choice.runs_of(workload);
        let found = run(&ground, kit.as_ref(), workload, runs)?;
        within &= judge(workload, &found, &mut rows)?;
    }
    table(&rows);
    say(&versions());
    Ok(Some(within))
}

fn run(ground: &Ground, kit: Option<&Kit>, workload: &Workload, runs: usize) -> Result<Found> {
    let on = |place: &str| remark(&format!("{}: {runs} runs of each client, {place}", workload.name));
    match (&workload.work, kit) {
        (Work::Down { .. } | Work::Up { .. } | Work::Scan, Some(kit)) => {
            on("on the kit");
            kit.measure(ground, workload, runs)
        }
        (Work::Down { set, delay_ms }, None) => {
            on("on our own server");
            transfer::down(ground, set, *delay_ms, runs)
        }
        (Work::Up { set }, None) => {
            on("on our own server");
            transfer::up(ground, set, runs)
        }
        (Work::Scan, None) => {
            on("on a tree of our own");
            tree::measure(ground, runs)
        }
        (Work::Status, _) => {
            on("on a ledger of our own");
            ledger::measure(ground, runs)
        }
        (Work::Publish { set }, _) => {
            on("each in a fresh clone, with a fresh server");
            publish::measure(ground, set, runs)
        }
        (Work::PublishAgain { set }, _) => {
            on("in one published clone");
            publish::measure_again(ground, set, runs)
        }
    }
}

/// The peers, by their own words.
fn versions() -> String {
    let first = |program: &&str| {
        let output = Command::new(program).arg("--version").output().ok()?;
        // Some programs name every library they were built with after their own version.
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Some(text.lines().next()?.split(" (").next()?.to_owned())
    };
    let programs = ["git", "git-lfs", "curl", "rustc"];
    let (mut peers, mut absent) = (Vec::new(), Vec::new());
    for program in &programs {
        match first(program) {
            Some(version) => peers.push(version),
            None => absent.push(*program),
        }
    }
    let mut line = format!("beside {}", peers.join("; "));
    if !absent.is_empty() {
        line += &format!("; not installed: {}", absent.join(", "));
    }
    line
}
