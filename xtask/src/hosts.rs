//! The hosts in other languages, each with its own test runner: `tests/hosts/js` in Node, Deno and Bun, and
//! `tests/hosts/python`. What their lock files name is installed on the first run.

use crate::child;
use crate::engine;
use crate::failure::{Because, Failure, Result};
use crate::setup::{self, Tool};
use crate::suites::{Report, SUITE_MINUTES_MAX};
use crate::workspace::{Workspace, write_if_changed};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The host for Node, Deno and Bun.
const JAVASCRIPT: &str = "tests/hosts/js";

/// What a runner says of its tests in one of its lines: how many passed, how many failed.
type Counted = Option<(u64, u64)>;
type Count = fn(&str) -> Counted;

/// Runs all of them.
pub(crate) fn test(workspace: &Workspace, report: &mut Report) -> Result<()> {
    javascript(workspace, report)?;
    python(workspace, report)
}

fn javascript(workspace: &Workspace, report: &mut Report) -> Result<()> {
    let folder = workspace.root.join(JAVASCRIPT);
    if let Some(tool) = [Tool::Node, Tool::Npm].into_iter().find(|tool| !tool.is_present(workspace)) {
        report.skip("hosts/js", tool.name());
        return Ok(());
    }
    let node = setup::node(workspace);
    if let Some(ended) = install(workspace, &folder)?.filter(|ended| !ended.ok) {
        report.add("hosts/js npm", &ended, |_| None);
        return Ok(());
    }
    record(workspace, report)?;
    let bin = folder.join("node_modules/.bin");
    let runs: [(&str, &Path, &[&str], Count); 3] = [
        ("hosts/js node", &node, &["--test", "--test-reporter=spec"], count_of_node),
        ("hosts/js deno", &bin.join("deno"), &["test", "--allow-all", "--no-check"], count_of_deno),
        ("hosts/js bun", &bin.join("bun"), &["test", "--timeout", "600000"], count_of_bun),
    ];
    for (name, program, arguments, count) in runs {
        // Bun writes its report to standard error.
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec \"$0\" \"$@\" 2>&1"]).arg(program).args(arguments).current_dir(&folder);
        report.add(name, &run(workspace, &mut shell)?, count);
    }
    Ok(())
}

/// What the native core said, for the replay: by the program that cargo built beside the tests. Where that failed there
/// is none, and the replay fails, too.
fn record(workspace: &Workspace, report: &mut Report) -> Result<()> {
    let program = workspace.target.join("release").join(format!("record{}", std::env::consts::EXE_SUFFIX));
    if program.is_file() {
        let ended = run(workspace, Command::new(program).arg(recording(workspace)))?;
        if !ended.ok {
            report.add("hosts/js record", &ended, |_| None);
        }
    }
    Ok(())
}

fn recording(workspace: &Workspace) -> PathBuf {
    workspace.target.join("record.jsonl")
}

/// A script of `tests/hosts/js`, in Node.
pub(crate) fn node(workspace: &Workspace, script: &str) -> Result<Command> {
    let folder = workspace.root.join(JAVASCRIPT);
    if install(workspace, &folder)?.is_some_and(|ended| !ended.ok) {
        return Err(Failure::new("npm cannot install what tests/hosts/js needs"));
    }
    let mut node = Command::new(setup::node(workspace));
    inform(workspace, node.current_dir(folder).arg(script));
    Ok(node)
}

/// What the lock file names; none when it is there already.
fn install(workspace: &Workspace, folder: &Path) -> Result<Option<child::Ended>> {
    if is_installed(folder) {
        return Ok(None);
    }
    let mut npm = Command::new("npm");
    npm.current_dir(folder).args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
    run(workspace, &mut npm).map(Some)
}

fn python(workspace: &Workspace, report: &mut Report) -> Result<()> {
    if !Tool::Python.is_present(workspace) {
        report.skip("hosts/python", Tool::Python.name());
        return Ok(());
    }
    let folder = workspace.root.join("tests/hosts/python");
    let venv = workspace.target.join("hosts/python");
    let wanted = fs::read(folder.join("requirements.txt")).because("the host's requirements cannot be read")?;
    let installed = venv.join("requirements.txt");
    if fs::read(&installed).ok().as_ref() != Some(&wanted) {
        let mut make = Command::new("python3");
        let mut pip = Command::new(venv.join("bin/pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check", "-r"]).arg(folder.join("requirements.txt"));
        for command in [make.args(["-m", "venv", "--clear"]).arg(&venv), &mut pip] {
            let ended = run(workspace, command)?;
            if !ended.ok {
                report.add("hosts/python pip", &ended, |_| None);
                return Ok(());
            }
        }
        write_if_changed(&installed, &wanted)?;
    }
    let mut tests = Command::new(venv.join("bin/python"));
    // The runner's own stream is standard error, which is not counted.
    let main = "import sys, unittest; unittest.main(None, argv=['unittest', 'discover'], \
                testRunner=unittest.TextTestRunner(stream=sys.stdout, verbosity=2))";
    tests.current_dir(&folder).args(["-B", "-c", main]);
    report.add("hosts/python", &run(workspace, &mut tests)?, count_of_unittest);
    Ok(())
}

fn run(workspace: &Workspace, command: &mut Command) -> Result<child::Ended> {
    inform(workspace, command);
    child::run(command, Duration::from_secs(SUITE_MINUTES_MAX * 60), true)
}

/// Says where the component, the command and the recording are.
fn inform(workspace: &Workspace, command: &mut Command) {
    command.env("HYDRANT_RECORD", recording(workspace));
    command.env("HYDRANT_ENGINE_WASM", workspace.dist().join(engine::ENGINE_WASM));
    command.env("HYDRANT_TRANSFERS_WASM", workspace.dist().join(engine::TRANSFERS_WASM));
    command.env("HYDRANT_BIN", workspace.hydrant()).env("NO_COLOR", "1");
}

/// Whether the installed packages are at least as new as the lock file.
fn is_installed(folder: &Path) -> bool {
    let modified = |name: &str| fs::metadata(folder.join(name)).and_then(|facts| facts.modified()).ok();
    match (modified("node_modules/.package-lock.json"), modified("package-lock.json")) {
        (Some(installed), Some(locked)) => installed >= locked,
        _ => false,
    }
}

/// `ℹ pass 3` and `ℹ fail 0`, each on a line of its own.
fn count_of_node(line: &str) -> Counted {
    let mut words = line.strip_prefix("ℹ ").or_else(|| line.strip_prefix("# "))?.split(' ');
    match (words.next()?, words.next()?.parse().ok()?, words.next()) {
        ("pass", count, None) => Some((count, 0)),
        ("fail" | "cancelled", count, None) => Some((0, count)),
        _ => None,
    }
}

/// `ok | 3 passed | 0 failed (8s)`
fn count_of_deno(line: &str) -> Counted {
    let mut parts = line.strip_prefix("ok | ").or_else(|| line.strip_prefix("FAILED | "))?.split(" | ");
    let mut number =
        |word: &str| parts.next()?.split_once(' ').filter(|(_, rest)| rest.starts_with(word))?.0.parse().ok();
    Some((number("passed")?, number("failed")?))
}

/// ` 3 pass` and ` 0 fail`, each on a line of its own.
fn count_of_bun(line: &str) -> Counted {
    match line.strip_prefix(' ')?.split_once(' ')? {
        (count, "pass") => Some((count.parse().ok()?, 0)),
        (count, "fail") => Some((0, count.parse().ok()?)),
        _ => None,
    }
}

/// `test_one (test_host.Some.test_one) ... ok`
fn count_of_unittest(line: &str) -> Counted {
    match line.rsplit_once(" ... ")?.1 {
        "ok" => Some((1, 0)),
        "FAIL" | "ERROR" => Some((0, 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_every_runner() {
        let table: [(Count, &str, Counted); 10] = [
            (count_of_node, "ℹ pass 7", Some((7, 0))),
            (count_of_node, "# fail 2", Some((0, 2))),
            (count_of_node, "ℹ duration_ms 81.2", None),
            (count_of_node, "ℹ pass 7 things", None),
            (count_of_deno, "ok | 30 passed | 0 failed (5s)", Some((30, 0))),
            (count_of_deno, "FAILED | 1 passed | 2 failed | 1 ignored (12ms)", Some((1, 2))),
            (count_of_bun, " 30 pass", Some((30, 0))),
            (count_of_bun, " 2 fail", Some((0, 2))),
            (count_of_unittest, "test_a (test_host.A.test_a) ... ok", Some((1, 0))),
            (count_of_unittest, "test_a (test_host.A.test_a) ... ERROR", Some((0, 1))),
        ];
        for (count, line, expected) in table {
            assert_eq!(count(line), expected, "{line}");
        }
    }
}
