//! The hosts in other languages, each with its own test runner: `tests/hosts/js` in Node, Deno and Bun, and
//! `tests/hosts/python`. What their lock files name is installed on the first run.

use crate::engine;
use crate::failure::{Because, Result};
use crate::setup::{self, Tool};
use crate::suites::{Count, Counted, Report, Suite};
use crate::web;
use crate::workspace::{Profile, Workspace, succeed};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The host for Node, Deno and Bun.
const JAVASCRIPT: &str = "tests/hosts/js";
/// The host for Python.
const PYTHON: &str = "tests/hosts/python";

/// What the JavaScript host cannot run without, if it is missing.
pub(crate) fn javascript_lacks(workspace: &Workspace) -> Option<Tool> {
    [Tool::Node, Tool::Npm].into_iter().find(|tool| !tool.is_present(workspace))
}

/// Fetches what the hosts' lock files name, where that is not done; a host whose tools are missing is left out.
pub(crate) fn install(workspace: &Workspace) -> Result<()> {
    if javascript_lacks(workspace).is_none() {
        install_npm(workspace, JAVASCRIPT)?;
        install_npm(workspace, web::TESTS)?;
    }
    if Tool::Python.is_present(workspace) {
        install_python(workspace)?;
    }
    Ok(())
}

/// Their tests, once they are installed and the project is built.
pub(crate) fn suites(workspace: &Workspace, report: &mut Report) -> Result<Vec<Suite>> {
    let mut suites = Vec::new();
    match javascript_lacks(workspace) {
        Some(tool) => report.skip("hosts/js", tool.name()),
        None => suites.extend(javascript(workspace)?),
    }
    if Tool::Python.is_present(workspace) {
        suites.push(python(workspace));
    } else {
        report.skip("hosts/python", Tool::Python.name());
    }
    Ok(suites)
}

fn javascript(workspace: &Workspace) -> Result<[Suite; 3]> {
    record(workspace)?;
    // What runs beside each other finds it written; and jco runs in Node alone.
    succeed(&mut node(workspace, "component.mjs")?, "jco cannot read the component")?;
    Ok(runtimes(workspace).map(|runtime| runtime.suite(workspace, "hosts/js", JAVASCRIPT, &[])))
}

/// What runs tests in JavaScript.
pub(crate) struct Runtime {
    name: &'static str,
    program: PathBuf,
    arguments: &'static [&'static str],
    count: Count,
}

/// Node, Deno and Bun.
pub(crate) fn runtimes(workspace: &Workspace) -> [Runtime; 3] {
    let bin = workspace.root.join(JAVASCRIPT).join("node_modules/.bin");
    let node = &["--test", "--test-reporter=spec", "--test-timeout=300000"];
    let deno = &["test", "--allow-all", "--no-check"];
    let bun = &["test", "--timeout", "600000"];
    [
        Runtime { name: "node", program: setup::node(workspace), arguments: node, count: count_of_node },
        Runtime { name: "deno", program: bin.join("deno"), arguments: deno, count: count_of_deno },
        Runtime { name: "bun", program: bin.join("bun"), arguments: bun, count: count_of_bun },
    ]
}

impl Runtime {
    /// Some test files of a folder, or all.
    pub(crate) fn suite(&self, workspace: &Workspace, of: &str, folder: &str, files: &[PathBuf]) -> Suite {
        // Bun writes its report to standard error.
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$0\" \"$@\" 2>&1"]).arg(&self.program).args(self.arguments).args(files);
        inform(workspace, command.current_dir(workspace.root.join(folder)));
        Suite { name: format!("{of} {}", self.name), command, count: self.count, is_long: false }
    }
}

/// What the native core said, for the replay: by the program that cargo built beside the tests. Where that failed there
/// is none, and the replay fails, too.
pub(crate) fn record(workspace: &Workspace) -> Result<()> {
    let program = workspace.program("record", Profile::Dev);
    if program.is_file() {
        succeed(Command::new(program).arg(recording(workspace)), "what the native core says cannot be recorded")?;
    }
    Ok(())
}

fn recording(workspace: &Workspace) -> PathBuf {
    workspace.target.join("record.jsonl")
}

/// A script of `tests/hosts/js`, in Node.
pub(crate) fn node(workspace: &Workspace, script: &str) -> Result<Command> {
    install_npm(workspace, JAVASCRIPT)?;
    let mut node = Command::new(setup::node(workspace));
    inform(workspace, node.current_dir(workspace.root.join(JAVASCRIPT)).arg(script));
    Ok(node)
}

/// Installs what the lock file of a folder names, where that is not done.
pub(crate) fn install_npm(workspace: &Workspace, folder: &str) -> Result<()> {
    let path = workspace.root.join(folder);
    if is_installed(&path) {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.current_dir(path).args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
    succeed(&mut npm, &format!("npm cannot install what {folder} needs"))
}

/// The environment that Python's packages are installed in.
fn venv(workspace: &Workspace) -> PathBuf {
    workspace.target.join("hosts/python")
}

fn install_python(workspace: &Workspace) -> Result<()> {
    let requirements = workspace.root.join(PYTHON).join("requirements.txt");
    let requirements = fs::read_to_string(requirements).because("the host's requirements cannot be read")?;
    setup::python_packages(&venv(workspace), &requirements)
}

fn python(workspace: &Workspace) -> Suite {
    let mut command = Command::new(venv(workspace).join("bin/python"));
    // The runner's own stream is standard error, which is not counted.
    let main = "import sys, unittest; unittest.main(None, argv=['unittest', 'discover'], \
                testRunner=unittest.TextTestRunner(stream=sys.stdout, verbosity=2))";
    command.current_dir(workspace.root.join(PYTHON)).args(["-B", "-c", main]);
    inform(workspace, &mut command);
    Suite { name: "hosts/python".into(), command, count: count_of_unittest, is_long: false }
}

/// Says where the component, the command and the recording are.
pub(crate) fn inform(workspace: &Workspace, command: &mut Command) {
    command.env("HYDRANT_RECORD", recording(workspace));
    command.env("HYDRANT_ENGINE_WASM", workspace.dist().join(engine::ENGINE_WASM));
    command.env("HYDRANT_TRANSFERS_WASM", workspace.dist().join(engine::TRANSFERS_WASM));
    command.env("HYDRANT_BIN", workspace.program("hydrant", Profile::Dev)).env("NO_COLOR", "1");
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
pub(crate) fn count_of_node(line: &str) -> Counted {
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
