//! `cargo xtask release secrets`: what is said of the search for secrets, shown beside other people's programs.
//!
//! Opt-in, because it installs those from their registries, with fixed versions and only under `target/secrets`. The
//! files are made by the tests of `core/secrets`, which also know the truth about them.

mod peers;
mod score;
mod speed;

use crate::child;
use crate::engine;
use crate::failure::{Because, Failure, Result};
use crate::setup::{self, Tool};
use crate::terminal::{remark, table};
use crate::workspace::{Profile, Workspace};
use score::Truth;
use std::collections::VecDeque;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// Lines of the property.
const PROPERTY_LINES: &str = "1000000";
/// Minutes for one of our own tests.
const TEST_MINUTES_MAX: u64 = 60;

/// Where everything is.
struct Ground<'a> {
    workspace: &'a Workspace,
    /// Kept between runs: installed programs.
    tools: PathBuf,
    /// The files, their truth, and the transcript.
    corpus: PathBuf,
    /// What programs write.
    scratch: PathBuf,
}

/// True when all that is said holds.
pub(crate) fn secrets(workspace: &Workspace) -> Result<bool> {
    setup::prepare(workspace, &[Tool::Git, Tool::Python, Tool::Node, Tool::Npm])?;
    engine::command(workspace, Profile::Release)?;
    let home = workspace.target.join("secrets");
    let ground =
        Ground { workspace, tools: home.join("tools"), corpus: home.join("corpus"), scratch: home.join("scratch") };
    for folder in [&ground.corpus, &ground.scratch] {
        if folder.exists() {
            fs::remove_dir_all(folder).because("the last run's folder cannot be removed")?;
        }
    }
    for folder in [&ground.tools, &ground.corpus, &ground.scratch] {
        fs::create_dir_all(folder).because("a folder cannot be made")?;
    }
    ground.corpus("write")?;
    let mut is_well = compare(&ground)?;
    remark(&format!("the property, for {PROPERTY_LINES} lines"));
    ground.property()?;
    is_well &= speed::measure(&ground)?;
    Ok(is_well)
}

/// Every program over the same files. True when ours is above all others.
fn compare(ground: &Ground<'_>) -> Result<bool> {
    let truth = Truth::read(&ground.corpus)?;
    let mut rows = vec![score::HEAD.map(String::from).to_vec()];
    let mut figures = Vec::new();
    for program in peers::all() {
        remark(&format!("{} looks through the corpus", program.name));
        let (hits, seconds) = program.look(ground)?;
        let score = truth.score(&hits);
        rows.push(score.row(program.name, seconds));
        figures.push((program.name, score.f1()));
    }
    table(&rows);
    let (_, ours) = figures[0];
    let above: Vec<&str> = figures[1..].iter().filter(|(_, f1)| *f1 >= ours).map(|(name, _)| *name).collect();
    above.iter().for_each(|name| remark(&format!("{name} finds them better")));
    Ok(above.is_empty())
}

impl Ground<'_> {
    /// Has the corpus' own program do something; gives what it printed.
    fn corpus(&self, what: &str) -> Result<VecDeque<String>> {
        self.own(&["run", "--quiet", "--release", "-p", "hydrant-secrets", "--example", "corpus", "--", what], &[])
    }

    fn property(&self) -> Result<VecDeque<String>> {
        let test = ["test", "--quiet", "--release", "-p", "hydrant-secrets", "--test", "property"];
        self.own(&test, &[("HYDRANT_LINES", PROPERTY_LINES)])
    }

    fn own(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Result<VecDeque<String>> {
        let mut cargo = self.workspace.cargo();
        cargo.args(arguments).envs(variables.iter().copied());
        if arguments[0] == "run" {
            cargo.arg(&self.corpus);
        }
        let ended = child::run(&mut cargo, Duration::from_secs(TEST_MINUTES_MAX * 60), false)?;
        if ended.ok { Ok(ended.lines) } else { Err(Failure::new(format!("cargo {} failed", arguments.join(" ")))) }
    }
}
