//! `cargo xtask interop [NAME...]`: hydrant with other people's programs: the real git-lfs client, and
//! servers that hydrant's authors did not write.
//!
//! Opt-in, because it installs those programs from their registries, each with fixed versions and only under
//! `target/interop`. Everything listens on loopback and ends with the task.

mod clients;
mod exchange;
mod pairs;
mod peer;
mod pointers;
mod servers;

use self::pairs::Pairs;
use crate::engine;
use crate::failure::{Because, Failure, Result};
use crate::setup::{self, Tool};
use crate::terminal::{remark, say, table};
use crate::workspace::{Profile, Workspace};
use std::path::PathBuf;
use std::time::Instant;

/// What every suite needs: the workspace and a folder of its own.
pub(crate) struct Ground<'a> {
    pub(crate) workspace: &'a Workspace,
    /// Kept between runs: installed programs.
    pub(crate) tools: PathBuf,
    /// Emptied before each suite.
    pub(crate) scratch: PathBuf,
    /// What came of each client with each server.
    pub(crate) pairs: &'a Pairs,
}

/// A suite: its name, what it shows, and how it runs. The sentence it returns says what was seen.
struct Suite {
    name: &'static str,
    shows: &'static str,
    run: fn(&Ground<'_>) -> Result<String>,
}

const SUITES: [Suite; 7] = [
    Suite {
        name: "clients",
        shows: "git-lfs, dulwich, giftless and hydrant with `hydrant serve`",
        run: clients::with_serve,
    },
    Suite { name: "git-lfs", shows: "the real client and `hydrant serve`, both ways", run: exchange::with_git_lfs },
    Suite { name: "pointers", shows: "every pointer file as `git lfs pointer --check` sees it", run: pointers::agree },
    Suite { name: "dulwich", shows: "the server of dulwich", run: servers::dulwich },
    Suite { name: "giftless", shows: "giftless on local files", run: servers::giftless_local },
    Suite { name: "giftless-s3", shows: "giftless on S3 (moto)", run: servers::giftless_s3 },
    Suite { name: "rudolfs", shows: "rudolfs on local files (built from source)", run: servers::rudolfs },
];

/// Runs the named suites, or all. True when each went well.
pub(crate) fn interop(workspace: &Workspace, arguments: &[String]) -> Result<bool> {
    if let Some(unknown) = arguments.iter().find(|name| !SUITES.iter().any(|suite| suite.name == *name)) {
        say("cargo xtask interop [NAME...], where NAME is one of:");
        SUITES.iter().for_each(|suite| say(&format!("  {:12} {}", suite.name, suite.shows)));
        return Ok(unknown == "--help");
    }
    setup::prepare(workspace, &[Tool::Git, Tool::GitLfs, Tool::Python])?;
    engine::command(workspace, Profile::Dev)?;
    let mut rows = vec![["suite", "seconds", "seen"].map(String::from).to_vec()];
    let pairs = Pairs::default();
    let (mut passed, mut failed) = (0, 0);
    for suite in SUITES.iter().filter(|suite| arguments.is_empty() || arguments.iter().any(|a| a == suite.name)) {
        remark(&format!("{}: {}", suite.name, suite.shows));
        let started = Instant::now();
        let seen = ground(workspace, suite.name, &pairs).and_then(|ground| (suite.run)(&ground));
        let (count, words) = match seen {
            Ok(words) => (&mut passed, words),
            Err(failure) => (&mut failed, format!("FAILED: {failure}")),
        };
        *count += 1;
        remark(&format!("{}: {words}", suite.name));
        rows.push(vec![suite.name.to_owned(), format!("{:.1}", started.elapsed().as_secs_f64()), words]);
    }
    table(&pairs.rows());
    say("");
    table(&rows);
    say(&format!("{passed} passed, {failed} failed"));
    Ok(failed == 0)
}

fn ground<'a>(workspace: &'a Workspace, name: &str, pairs: &'a Pairs) -> Result<Ground<'a>> {
    let tools = workspace.target.join("interop/tools");
    let scratch = workspace.target.join("interop").join(name);
    if scratch.exists() {
        std::fs::remove_dir_all(&scratch).because("the last run's folder cannot be removed")?;
    }
    for folder in [&tools, &scratch] {
        std::fs::create_dir_all(folder).because("a folder cannot be made")?;
    }
    Ok(Ground { workspace, tools, scratch, pairs })
}

impl Ground<'_> {
    /// A folder within this suite's own.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.scratch.join(name);
        std::fs::create_dir_all(&folder).because("a folder cannot be made")?;
        Ok(folder)
    }

    /// A failure that names the suite's log folder is of no use after the next run; the sentence must be enough.
    pub(crate) fn fail<T>(&self, sentence: impl Into<String>) -> Result<T> {
        Err(Failure::new(sentence))
    }
}
