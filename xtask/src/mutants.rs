//! `cargo xtask mutants [NAME]`: tests for the tests. Each patch of `tests/mutants` plants one bug that breaks a law;
//! the test it names must pass without the patch and fail with it.
//!
//! Everything happens in a copy under the target folder. The work tree is read, never written.

use crate::child::{self, Ended};
use crate::engine;
use crate::failure::{Because, Failure, Result};
use crate::hosts;
use crate::seed;
use crate::terminal::{remark, say, table};
use crate::web;
use crate::workspace::{Profile, Workspace, succeed};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Minutes to build one test binary.
const BUILD_MINUTES_MAX: u64 = 30;
/// Packages of the project that tests are made of. In the copy they are not optimised: a patch changes a few lines, and
/// they are built in less than half the time so, while almost all of their tests take a fraction of a second.
const OWN_PACKAGES: [&str; 7] =
    ["hydrant-lfs", "hydrant-ledger", "hydrant-secrets", "hydrant-tests", "hydrant-server", "hydrant-host", "hydrant"];
/// The binary whose tests compute for a minute, and gain by being optimised a little.
const COMPUTING: &str = "lives";
/// Seconds for one test; a planted bug that makes it hang is caught by this bound.
const TEST_SECONDS_MAX: u64 = 240;

/// The package whose tests Node runs.
const WEB: &str = "wasm-web";

/// A test, as cargo and libtest name it, or Node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    package: String,
    /// A file of the package's `tests`, or `lib`.
    binary: String,
    test: String,
}

/// A bug to plant.
#[derive(Debug)]
struct Mutant {
    name: String,
    patch: PathBuf,
    law: String,
    test: Named,
    /// The component must be built again to hold the bug.
    engine: bool,
    /// The `hydrant` command must be built again to hold the bug.
    host: bool,
}

/// What a test did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    /// The binary holds no test of that name.
    Absent,
    /// It did not compile.
    Unbuilt,
}

/// Plants the bugs whose names contain one of the arguments, or all. True when each was caught.
pub(crate) fn mutants(workspace: &Workspace, arguments: &[String]) -> Result<bool> {
    let mut mutants = read_all(&workspace.root.join("tests/mutants"))?;
    let is_wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|part| name.contains(part));
    mutants.retain(|mutant| is_wanted(&mutant.name));
    if mutants.is_empty() {
        return Err(Failure::new("tests/mutants holds no such patch"));
    }
    let copy = Workspace::at(workspace.target.join("mutants/tree"));
    mirror(workspace, &copy)?;
    seed::seed(workspace, &copy)?;
    engine::build(&copy, Profile::Dev)?;
    if mutants.iter().any(|mutant| mutant.test.package == WEB) {
        web::prepare_tests(&copy)?;
    }
    let sound = sound_tests(&copy, &mutants)?;

    let mut rows = vec![["planted bug", "law", "seconds", "verdict"].map(String::from).to_vec()];
    let (mut caught, mut stale_engine, mut stale_host) = (0, false, false);
    for mutant in &mutants {
        let started = Instant::now();
        let verdict = if sound.contains(&mutant.test) {
            let verdict = plant(&copy, mutant, stale_engine, stale_host)?;
            stale_engine = mutant.engine;
            stale_host = mutant.engine || mutant.host;
            verdict
        } else {
            "its test does not pass without it"
        };
        caught += usize::from(verdict == "caught");
        remark(&format!("{}: {verdict}", mutant.name));
        let seconds = format!("{:.1}", started.elapsed().as_secs_f64());
        rows.push(vec![mutant.name.clone(), mutant.law.clone(), seconds, verdict.to_owned()]);
    }
    table(&rows);
    say(&format!("{caught} caught, {} not", mutants.len() - caught));
    Ok(caught == mutants.len())
}

/// Applies one patch, builds what it changes, runs its test, and takes it out again.
fn plant(copy: &Workspace, mutant: &Mutant, stale_engine: bool, stale_host: bool) -> Result<&'static str> {
    if !git(copy).arg("apply").arg(&mutant.patch).status().because("git cannot be started")?.success() {
        return Ok("does not apply");
    }
    let verdict = (|| {
        if (mutant.engine || stale_engine) && engine::engine(copy).is_err() {
            return Ok("does not compile");
        }
        if (mutant.host || stale_host) && engine::host(copy, Profile::Dev).is_err() {
            return Ok("does not compile");
        }
        Ok(match observe(copy, &mutant.test, &mutant.name)? {
            Outcome::Failed => "caught",
            Outcome::Passed => "MISSED",
            Outcome::Absent => "its test is gone",
            Outcome::Unbuilt => "does not compile",
        })
    })();
    succeed(git(copy).arg("apply").arg("-R").arg(&mutant.patch), "a planted bug could not be taken out of the copy")?;
    verdict
}

/// The named tests that pass as the code stands.
fn sound_tests(copy: &Workspace, mutants: &[Mutant]) -> Result<BTreeSet<Named>> {
    let named: BTreeSet<&Named> = mutants.iter().map(|mutant| &mutant.test).collect();
    let mut sound = BTreeSet::new();
    for test in named {
        let outcome = observe(copy, test, "unpatched")?;
        if outcome == Outcome::Passed {
            sound.insert(test.clone());
        } else {
            remark(&format!("{} {} {}: {outcome:?} without any bug", test.package, test.binary, test.test));
        }
    }
    Ok(sound)
}

/// Builds and runs one test; what cargo says of it goes to a log beside the copy.
fn observe(copy: &Workspace, test: &Named, log: &str) -> Result<Outcome> {
    if test.package == WEB {
        let mut node = web::test(copy, &test.binary, &test.test)?;
        return Ok(judge_node(&child::run(&mut node, Duration::from_secs(TEST_SECONDS_MAX), false)?));
    }
    let path = copy.root.with_file_name(format!("{log}.log"));
    let log = File::create(path).because("the log cannot be written")?;
    let cargo = || -> Result<Command> {
        let mut cargo = copy.cargo();
        cargo.env("CARGO_INCREMENTAL", "1").args(["test", "-p", &test.package]);
        let level = u8::from(test.binary == COMPUTING);
        for package in OWN_PACKAGES {
            cargo.args(["--config", &format!("profile.dev.package.{package}.opt-level={level}")]);
        }
        match test.binary.as_str() {
            "lib" => cargo.arg("--lib"),
            name => cargo.args(["--test", name]),
        };
        cargo.stderr(log.try_clone().because("the log cannot be shared")?);
        Ok(cargo)
    };
    let built = child::run(cargo()?.arg("--no-run"), Duration::from_secs(BUILD_MINUTES_MAX * 60), false)?;
    if !built.ok {
        return Ok(Outcome::Unbuilt);
    }
    let mut run = cargo()?;
    run.args(["--", "--exact", &test.test]);
    Ok(judge(&child::run(&mut run, Duration::from_secs(TEST_SECONDS_MAX), false)?))
}

/// A test that hangs or kills its process has failed like one that says so.
fn judge(ended: &Ended) -> Outcome {
    let said = |words: &str| ended.lines.iter().any(|line| line.starts_with(words));
    if said("test result: ok. 1 passed") && ended.ok {
        Outcome::Passed
    } else if said("running 1 test") || said("test result: FAILED. 0 passed; 1 failed") {
        // Of a test that says very much, only the end is kept.
        Outcome::Failed
    } else {
        Outcome::Absent
    }
}

/// The same of a test in Node.
fn judge_node(ended: &Ended) -> Outcome {
    let counts = ended.lines.iter().filter_map(|line| hosts::count_of_node(line));
    match counts.fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1)) {
        _ if ended.timed_out => Outcome::Failed,
        (_, failed) if failed > 0 => Outcome::Failed,
        (0, _) => Outcome::Absent,
        _ => Outcome::Passed,
    }
}

fn read_all(folder: &Path) -> Result<Vec<Mutant>> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut patches: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    patches.retain(|path| path.extension().is_some_and(|extension| extension == "patch"));
    patches.sort();
    let mut mutants = Vec::new();
    for patch in patches {
        let name = patch.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&patch).because(&name)?;
        mutants.push(read(name, patch, &text)?);
    }
    // Those that need nothing built again come first, so that the others disturb nobody.
    mutants.sort_by_key(|mutant| (mutant.engine, mutant.host));
    Ok(mutants)
}

/// The header of a patch: `# law:`, `# test: PACKAGE BINARY TEST`, and `# needs:` with `engine`, `host` or both. A test
/// in Node has spaces in its name.
fn read(name: String, patch: PathBuf, text: &str) -> Result<Mutant> {
    let header = |key: &str| {
        let lines = text.lines().take_while(|line| line.starts_with('#'));
        lines.filter_map(|line| line.strip_prefix("# ")?.strip_prefix(key)).map(str::trim).next()
    };
    let lacks = |what: &str| Failure::new(format!("{name}.patch has no `# {what}` line"));
    let law = header("law:").ok_or_else(|| lacks("law: …"))?.to_owned();
    let words: Vec<&str> = header("test:").unwrap_or_default().splitn(3, ' ').collect();
    let [package, binary, test] = words[..] else { return Err(lacks("test: PACKAGE BINARY TEST")) };
    if package != WEB && test.contains(' ') {
        return Err(lacks("test: PACKAGE BINARY TEST"));
    }
    let needs: Vec<&str> = header("needs:").unwrap_or_default().split([',', ' ']).collect();
    let test = Named { package: package.to_owned(), binary: binary.to_owned(), test: test.to_owned() };
    Ok(Mutant { law, test, engine: needs.contains(&"engine"), host: needs.contains(&"host"), name, patch })
}

/// Makes the copy equal to what git tracks or would track. Files that are equal already keep their times, so that cargo
/// builds only what changed since the last run.
fn mirror(workspace: &Workspace, copy: &Workspace) -> Result<()> {
    let files = listed(&workspace.root)?;
    fs::create_dir_all(&copy.root).because("the copy cannot be made")?;
    if !copy.root.join(".git").is_dir() {
        // A repository of its own: git would otherwise take the copy for a part of the project's.
        succeed(git(copy).args(["init", "-q"]), "git init failed in the copy")?;
    }
    for file in listed(&copy.root)?.difference(&files) {
        fs::remove_file(copy.root.join(file)).because("an old file of the copy cannot be removed")?;
    }
    for file in &files {
        let (source, target) = (workspace.root.join(file), copy.root.join(file));
        // A tracked file that the user has deleted has no bytes to copy.
        let Ok(bytes) = fs::read(&source) else { continue };
        if fs::read(&target).is_ok_and(|old| old == bytes) {
            continue;
        }
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).because("a folder of the copy cannot be made")?;
        }
        fs::copy(&source, &target).because("a file cannot be copied")?;
    }
    succeed(git(copy).args(["add", "-A"]), "git add failed in the copy")
}

/// What git tracks, or would track, under a root.
fn listed(root: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut git = Command::new("git");
    git.current_dir(root).args(["ls-files", "-z", "-c", "-o", "--exclude-standard"]);
    let output = git.stderr(Stdio::inherit()).output().because("git cannot be started")?;
    if !output.status.success() {
        return Err(Failure::new("git cannot list the files of the tree"));
    }
    let names = output.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| PathBuf::from(String::from_utf8_lossy(name).into_owned())).collect())
}

fn git(copy: &Workspace) -> Command {
    let mut git = Command::new("git");
    git.current_dir(&copy.root).env_remove("GIT_DIR").env_remove("GIT_WORK_TREE").env_remove("GIT_INDEX_FILE");
    git
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "# law: 3 only verified bytes are kept\n# test: hydrant-tests faults wrong_bytes_are_dropped\n\
                         # needs: engine host\n--- a/core/lfs/src/x.rs\n+++ b/core/lfs/src/x.rs\n";

    fn ended(ok: bool, lines: &[&str]) -> Ended {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        Ended { ok, timed_out: false, lines, took: Duration::ZERO }
    }

    #[test]
    fn a_patch_says_what_it_breaks() {
        let mutant = read("m".into(), PathBuf::new(), PATCH).expect("the header is complete");
        assert_eq!(mutant.law, "3 only verified bytes are kept");
        assert_eq!(mutant.test.test, "wrong_bytes_are_dropped");
        assert!(mutant.engine && mutant.host);
        for wrong in ["two words", "hydrant-tests laws a name of words"] {
            assert!(read("m".into(), PathBuf::new(), &format!("# law: 3\n# test: {wrong}\n")).is_err());
        }
        let of_node = read("m".into(), PathBuf::new(), "# law: 3\n# test: wasm-web room what is pinned stays\n");
        assert_eq!(of_node.expect("its name has words").test.test, "what is pinned stays");
    }

    #[test]
    fn only_a_test_that_ran_can_fail() {
        assert_eq!(judge(&ended(true, &["running 1 test", "test result: ok. 1 passed; 0 failed"])), Outcome::Passed);
        assert_eq!(judge(&ended(false, &["running 1 test", "test result: FAILED. 0 passed"])), Outcome::Failed);
        assert_eq!(judge(&ended(false, &["running 1 test"])), Outcome::Failed);
        assert_eq!(judge(&ended(false, &["test result: FAILED. 0 passed; 1 failed"])), Outcome::Failed);
        assert_eq!(judge(&ended(true, &["running 0 tests", "test result: ok. 0 passed"])), Outcome::Absent);
        assert_eq!(judge_node(&ended(true, &["ℹ pass 1", "ℹ fail 0"])), Outcome::Passed);
        assert_eq!(judge_node(&ended(false, &["ℹ pass 0", "ℹ fail 0", "ℹ cancelled 1"])), Outcome::Failed);
        assert_eq!(judge_node(&ended(true, &["ℹ pass 0", "ℹ fail 0", "ℹ skipped 9"])), Outcome::Absent);
    }
}
