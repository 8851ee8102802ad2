//! `cargo xtask test`: every suite, one closing table, and one last line that says it all.
//!
//! A suite that lacks a program is skipped by name; where the machine must have everything (`CI` or `HYDRANT_CI` is
//! set), that alone is a failure. A test file names what it needs in its header: `//! needs: git-lfs`; a file that only
//! leaves some of its tests out without a tool is counted as skipped by the tool's absence. `//! long: WHY` keeps it
//! out of `cargo xtask test --quick`.
//!
//! Suites run beside each other, as many at a time as there are processors; lint is one of them.

use crate::child;
use crate::dist;
use crate::engine;
use crate::failure::{Because, Failure, Result};
use crate::hosts;
use crate::memory::Scratch;
use crate::setup::{self, Tool};
use crate::terminal::{remark, say, table_lines};
use crate::web;
use crate::workspace::{NATIVE, Workspace, selected};
use std::collections::VecDeque;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, mpsc};
use std::time::Duration;

/// Minutes for one build or one suite; longer means that something hangs.
const SUITE_MINUTES_MAX: u64 = 45;
/// Bytes that must be free in memory before tests write there.
const MEMORY_BYTES_MIN: u64 = 4 << 30;
/// Lines of a test file in which its needs are looked for.
const HEADER_LINES_MAX: usize = 40;

/// One row of the closing table.
struct Row {
    name: String,
    passed: u64,
    failed: u64,
    took: Duration,
}

/// What was run and what was left out.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    /// Suite and the tool it lacks.
    skipped: Vec<(String, String)>,
}

/// Sets up, builds, and runs everything. True when nothing failed and nothing that must run was skipped. `quick` leaves
/// out lint, xtask's own tests, the hosts in other languages, and every test file that calls itself long.
pub(crate) fn test(workspace: &Workspace, quick: bool) -> Result<bool> {
    setup::prepare(workspace, &Tool::FOR_TESTS)?;
    let mut report = Report::default();
    let suites = std::thread::scope(|scope| {
        // The network is waited for while the processors build.
        let installed = (!quick).then(|| scope.spawn(|| hosts::install(workspace)));
        let mut suites = built(workspace, quick, &mut report)?;
        if let Some(installed) = installed {
            suites.push(lint()?);
            let installed = installed.join().map_err(|_| Failure::new("nobody watched npm and pip"))?;
            match installed.and_then(|()| hosts::suites(workspace, &mut report)) {
                Ok(hosts) => suites.extend(hosts),
                Err(why) => report.fail("hosts", &why.to_string()),
            }
            match web::suites(workspace, &mut report) {
                Ok(web) if web.is_empty() => report.skip("dist", Tool::Npm.name()),
                Ok(web) => {
                    suites.extend(web);
                    suites.push(dist::suite()?);
                }
                Err(why) => report.fail("wasm-web", &why.to_string()),
            }
        }
        Ok(suites)
    })?;
    run(workspace, suites, &mut report)?;
    for tool in Tool::FOR_TESTS.into_iter().filter(|tool| !tool.is_present(workspace)) {
        if !report.skipped.iter().any(|(_, lacking)| lacking == tool.name()) {
            report.skip("single tests", tool.name());
        }
    }
    report.closing().iter().for_each(|line| say(line));
    Ok(report.is_good(setup::everything_is_demanded()))
}

/// What a program says of its tests in one of its lines: how many passed, how many failed.
pub(crate) type Counted = Option<(u64, u64)>;
/// How a program's lines are read.
pub(crate) type Count = fn(&str) -> Counted;

/// Tests that are one program.
pub(crate) struct Suite {
    /// As the closing table has it.
    pub(crate) name: String,
    /// What runs them.
    pub(crate) command: Command,
    /// How its lines are read.
    pub(crate) count: Count,
    /// It takes minutes.
    pub(crate) is_long: bool,
}

/// Builds everything; the suites of the project's own packages.
fn built(workspace: &Workspace, quick: bool, report: &mut Report) -> Result<Vec<Suite>> {
    engine::components(workspace)?;
    let mut suites = Vec::new();
    let groups: [&[&str]; 2] = [&NATIVE, &["xtask"]];
    // The last one is xtask's own, which a quick verdict leaves out.
    for group in groups.into_iter().take(if quick { 1 } else { 2 }) {
        match test_binaries(workspace, group, report, quick)? {
            Some(built) => suites.extend(built),
            None => report.fail(&group.join(" "), "does not build"),
        }
    }
    Ok(suites)
}

/// `cargo xtask lint`, as a suite.
fn lint() -> Result<Suite> {
    let mut command = Command::new(std::env::current_exe().because("this program cannot be found")?);
    command.arg("lint");
    Ok(Suite { name: "lint".into(), command, count: count_of_task, is_long: true })
}

/// `5 passed, 0 failed`
pub(crate) fn count_of_task(line: &str) -> Counted {
    let (passed, failed) = line.strip_suffix(" failed")?.split_once(" passed, ")?;
    Some((passed.parse().ok()?, failed.parse().ok()?))
}

impl Report {
    /// The closing lines: the table, what was skipped, and the counts.
    fn closing(&self) -> Vec<String> {
        let mut rows = vec![["suite", "passed", "failed", "seconds"].map(String::from).to_vec()];
        for row in &self.rows {
            let seconds = format!("{:.1}", row.took.as_secs_f64());
            rows.push(vec![row.name.clone(), row.passed.to_string(), row.failed.to_string(), seconds]);
        }
        let mut lines = vec![String::new()];
        lines.extend(table_lines(&rows));
        lines.extend(self.skipped.iter().map(|(suite, tool)| format!("SKIPPED {suite}: needs {tool}")));
        let passed: u64 = self.rows.iter().map(|row| row.passed).sum();
        lines.push(format!("{passed} passed, {} failed", self.failed()));
        lines
    }

    fn failed(&self) -> u64 {
        self.rows.iter().map(|row| row.failed).sum()
    }

    /// Whether all is well; a machine that must have everything may skip nothing.
    fn is_good(&self, everything_demanded: bool) -> bool {
        self.failed() == 0 && (self.skipped.is_empty() || !everything_demanded)
    }

    pub(crate) fn skip(&mut self, suite: &str, tool: &str) {
        remark(&format!("SKIPPED {suite}: needs {tool}"));
        self.skipped.push((suite.to_owned(), tool.to_owned()));
    }

    fn fail(&mut self, suite: &str, why: &str) {
        remark(&format!("{suite}: {why}"));
        self.rows.push(Row { name: suite.to_owned(), passed: 0, failed: 1, took: Duration::ZERO });
    }

    /// Adds what a suite printed about itself. A suite that ends badly without naming a failed test counts as one.
    fn add(&mut self, name: &str, ended: &child::Ended, count: Count) {
        let (mut passed, mut failed) = (0, 0);
        for (good, bad) in ended.lines.iter().filter_map(|line| count(line)) {
            passed += good;
            failed += bad;
        }
        if ended.timed_out {
            remark(&format!("{name} was stopped after {SUITE_MINUTES_MAX} minutes"));
        }
        // libtest has binaries without tests; a host without tests is one whose words were not understood.
        let is_silent = passed + failed == 0 && !ended.lines.iter().any(|line| line.starts_with("test result: "));
        if failed == 0 && (!ended.ok || is_silent) {
            failed = 1;
        }
        self.rows.push(Row { name: name.to_owned(), passed, failed, took: ended.took });
    }
}

/// Builds the tests of some packages; None when that fails. What needs a tool that is not there is left out, and named.
fn test_binaries(
    workspace: &Workspace,
    group: &[&str],
    report: &mut Report,
    quick: bool,
) -> Result<Option<Vec<Suite>>> {
    let mut cargo = workspace.cargo();
    cargo.args(["test", "--no-run", "--message-format=json-render-diagnostics"]);
    cargo.args(selected(group));
    let built = child::run(&mut cargo, Duration::from_secs(SUITE_MINUTES_MAX * 60), false)?;
    if !built.ok {
        return Ok(None);
    }
    let lines = built.lines.iter().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut suites = Vec::new();
    for line in lines {
        let (Some(program), Some(manifest)) = (line["executable"].as_str(), line["manifest_path"].as_str()) else {
            continue;
        };
        if line["profile"]["test"] != true {
            continue;
        }
        let folder = Path::new(manifest).parent().unwrap_or(&workspace.root).to_path_buf();
        let package = folder.strip_prefix(&workspace.root).unwrap_or(&folder).display();
        let name = format!("{package} {}", line["target"]["name"].as_str().unwrap_or_default());
        let source = line["target"]["src_path"].as_str().unwrap_or_default();
        let text = std::fs::read_to_string(source).because("a test file cannot be read")?;
        let is_long = header(&text, "long:").next().is_some();
        if quick && is_long {
            continue;
        }
        match needs(&text).into_iter().find(|tool| !tool.is_present(workspace)) {
            Some(tool) => report.skip(&name, tool.name()),
            None => {
                // As cargo would run it.
                let mut command = Command::new(program);
                command.current_dir(&folder).env("CARGO_MANIFEST_DIR", &folder);
                suites.push(Suite { name, command, count: count_of_libtest, is_long });
            }
        }
    }
    Ok(Some(suites))
}

/// Runs suites beside each other, the long ones first; each one's words are shown once it has ended.
fn run(workspace: &Workspace, mut suites: Vec<Suite>, report: &mut Report) -> Result<()> {
    suites.sort_by(|a, b| (!a.is_long, &a.name).cmp(&(!b.is_long, &b.name)));
    let (done, results) = mpsc::channel();
    // A third less time: thousands of small repositories are written, synced and removed.
    let memory = Scratch::in_memory("test", &workspace.target, MEMORY_BYTES_MIN)?;
    if let Some(memory) = &memory {
        for suite in &mut suites {
            suite.command.env("TMPDIR", &memory.folder);
        }
    }
    let queue = Mutex::new(VecDeque::from(suites));
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            let (queue, done) = (&queue, done.clone());
            scope.spawn(move || {
                let next = || queue.lock().ok()?.pop_front();
                while let Some(mut suite) = next() {
                    let ended = child::run(&mut suite.command, Duration::from_secs(SUITE_MINUTES_MAX * 60), false);
                    // The receiver lives as long as this scope.
                    let _sent = done.send((suite, ended)).is_ok();
                }
            });
        }
        drop(done);
        for (suite, ended) in results {
            let ended = ended?;
            say(&format!("\n== {}", suite.name));
            ended.lines.iter().filter(|line| !line.is_empty()).for_each(|line| say(line));
            report.add(&suite.name, &ended, suite.count);
        }
        Ok(())
    })
}

/// The tools that a test file's header names.
fn needs(text: &str) -> Vec<Tool> {
    let names = header(text, "needs:").flat_map(|names| names.split([',', ' ']));
    names.filter_map(|name| Tool::named(name.trim())).collect()
}

/// What a test file's header says under a word.
fn header<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = text.lines().take(HEADER_LINES_MAX).filter_map(|line| line.strip_prefix("//! "));
    lines.filter_map(move |line| line.strip_prefix(word))
}

/// `test result: ok. 3 passed; 0 failed; …`
fn count_of_libtest(line: &str) -> Counted {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut numbers = counts.split("; ").filter_map(|part| part.split_once(' ')?.0.parse().ok());
    Some((numbers.next()?, numbers.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read() {
        let line = "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(count_of_libtest(line), Some((12, 3)));
        assert_eq!(count_of_libtest("test a ... ok"), None);
        assert_eq!(count_of_task("5 passed, 1 failed"), Some((5, 1)));
        assert_eq!(count_of_task("clippy failed"), None);
    }

    #[test]
    fn a_test_file_names_what_it_needs() {
        let text = "//! Against the real client.\n//! needs: git-lfs, node\n\nfn main() {}\n";
        assert_eq!(needs(text), [Tool::GitLfs, Tool::Node]);
        assert_eq!(needs("//! Nothing.\n"), []);
    }

    #[test]
    fn a_suite_that_dies_counts_as_a_failure() {
        let mut report = Report::default();
        let lines = ["test result: ok. 2 passed; 0 failed; 0 ignored".to_owned()].into();
        let ended = child::Ended { ok: false, timed_out: false, lines, took: Duration::ZERO };
        report.add("core", &ended, count_of_libtest);
        assert_eq!(report.closing().last().map(String::as_str), Some("2 passed, 1 failed"));
        assert!(!report.is_good(false));
    }

    #[test]
    fn a_skipped_suite_is_a_failure_only_where_nothing_may_be_skipped() {
        let report = Report { rows: Vec::new(), skipped: vec![("node".into(), "npm".into())] };
        assert!(report.closing().contains(&"SKIPPED node: needs npm".to_owned()));
        assert!(report.is_good(false) && !report.is_good(true));
    }
}
