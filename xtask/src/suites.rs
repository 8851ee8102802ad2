//! `cargo xtask test`: every suite in turn, one closing table, and one last line that says it all.
//!
//! A suite that lacks a program is skipped by name; where the machine must have everything (`CI` or `HYDRANT_CI` is
//! set), that alone is a failure. A test file names what it needs in its header: `//! needs: git-lfs`; a file that only
//! leaves some of its tests out without a tool is counted as skipped by the tool's absence.

use crate::child;
use crate::engine;
use crate::failure::{Because, Result};
use crate::lint;
use crate::setup::{self, Tool};
use crate::terminal::{remark, say, table_lines};
use crate::workspace::{PACKAGES, Package, Workspace};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Minutes for one suite, building included; longer means that something hangs.
const SUITE_MINUTES_MAX: u64 = 45;
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
struct Report {
    rows: Vec<Row>,
    /// Suite and the tool it lacks.
    skipped: Vec<(String, String)>,
}

/// Sets up, builds, and runs everything. True when nothing failed and nothing that must run was skipped.
pub(crate) fn test(workspace: &Workspace) -> Result<bool> {
    setup::prepare(workspace, &Tool::FOR_TESTS)?;
    engine::build(workspace)?;
    let mut report = Report::default();
    let started = Instant::now();
    let linted = lint::lint(workspace)?;
    for name in &linted.failed {
        remark(&format!("{name} failed"));
    }
    let failed = linted.failed.len() as u64;
    report.rows.push(Row { name: "lint".into(), passed: linted.passed, failed, took: started.elapsed() });
    for package in PACKAGES.iter().filter(|package| !package.wasm_only) {
        cargo_suite(workspace, package, &mut report)?;
    }
    for suite in node_suites(&workspace.root)? {
        node_suite(workspace, &suite, &mut report)?;
    }
    for tool in Tool::FOR_TESTS.into_iter().filter(|tool| !tool.is_present()) {
        if !report.skipped.iter().any(|(_, lacking)| lacking == tool.name()) {
            report.skip("single tests", tool.name());
        }
    }
    report.closing().iter().for_each(|line| say(line));
    Ok(report.is_good(["CI", "HYDRANT_CI"].iter().any(|name| std::env::var_os(name).is_some())))
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

    fn skip(&mut self, suite: &str, tool: &str) {
        remark(&format!("SKIPPED {suite}: needs {tool}"));
        self.skipped.push((suite.to_owned(), tool.to_owned()));
    }

    /// Adds what a suite printed about itself. A suite that ends badly without naming a failed test counts as one.
    fn add(&mut self, name: &str, ended: &child::Ended, count: fn(&str) -> Option<(u64, u64)>) {
        let (mut passed, mut failed) = (0, 0);
        for (good, bad) in ended.lines.iter().filter_map(|line| count(line)) {
            passed += good;
            failed += bad;
        }
        if ended.timed_out {
            remark(&format!("{name} was stopped after {SUITE_MINUTES_MAX} minutes"));
        }
        if !ended.ok && failed == 0 {
            failed = 1;
        }
        self.rows.push(Row { name: name.to_owned(), passed, failed, took: ended.took });
    }
}

/// One package's tests: all of them, except test files that need what is not there.
fn cargo_suite(workspace: &Workspace, package: &Package, report: &mut Report) -> Result<()> {
    let folder = workspace.root.join(package.folder);
    let files = test_files(&folder.join("tests"))?;
    let mut cargo = workspace.cargo();
    cargo.arg("test").args(package.selection()).arg("--no-fail-fast");
    let lacks = |needs: &[Tool]| needs.iter().copied().find(|tool| !tool.is_present());
    let lacking: BTreeMap<&str, Tool> =
        files.iter().filter_map(|(name, needs)| Some((name.as_str(), lacks(needs)?))).collect();
    if !lacking.is_empty() {
        let has_library = folder.join("src/lib.rs").is_file();
        cargo.arg("--bins").args(has_library.then_some("--lib"));
        for (name, _) in files.iter().filter(|(name, _)| !lacking.contains_key(name.as_str())) {
            cargo.args(["--test", name]);
        }
    }
    for (name, tool) in &lacking {
        report.skip(&format!("{}/{name}", package.folder), tool.name());
    }
    let ended = child::run(&mut cargo, Duration::from_secs(SUITE_MINUTES_MAX * 60), true)?;
    report.add(package.name, &ended, count_of_libtest);
    Ok(())
}

/// The test binaries of a package, each a file or a folder with a `main.rs`, and the tools their headers name.
fn test_files(folder: &Path) -> Result<Vec<(String, Vec<Tool>)>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut files = Vec::new();
    for path in &paths {
        let source = if path.is_dir() { path.join("main.rs") } else { path.clone() };
        if !source.is_file() || source.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(&source).because("a test file cannot be read")?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        files.push((name, needs(&text)));
    }
    Ok(files)
}

/// The tools that a test file's header names.
fn needs(text: &str) -> Vec<Tool> {
    let header = text.lines().take(HEADER_LINES_MAX).filter_map(|line| line.strip_prefix("//! needs:"));
    header.flat_map(|names| names.split([',', ' '])).filter_map(|name| Tool::named(name.trim())).collect()
}

/// Folders under `tests/hosts` with a package of their own for Node.
fn node_suites(root: &Path) -> Result<Vec<PathBuf>> {
    let Ok(entries) = std::fs::read_dir(root.join("tests/hosts")) else { return Ok(Vec::new()) };
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    folders.retain(|folder| folder.join("package-lock.json").is_file());
    folders.sort();
    Ok(folders)
}

/// Installs what the lock file names, when that is not there yet, and runs Node's own test runner.
fn node_suite(workspace: &Workspace, folder: &Path, report: &mut Report) -> Result<()> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if let Some(tool) = [Tool::Node, Tool::Npm].into_iter().find(|tool| !tool.is_present()) {
        report.skip(&name, tool.name());
        return Ok(());
    }
    let limit = Duration::from_secs(SUITE_MINUTES_MAX * 60);
    if !installed(folder) {
        let mut npm = std::process::Command::new("npm");
        npm.current_dir(folder).args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
        let ended = child::run(&mut npm, limit, true)?;
        if !ended.ok {
            report.add(&name, &ended, count_of_node);
            return Ok(());
        }
    }
    let mut node = std::process::Command::new("node");
    node.current_dir(folder).args(["--test", "--test-reporter=spec"]);
    node.env("HYDRANT_ENGINE_WASM", workspace.dist().join(engine::ENGINE_WASM));
    let ended = child::run(&mut node, limit, true)?;
    report.add(&name, &ended, count_of_node);
    Ok(())
}

/// Whether the installed packages are at least as new as the lock file.
fn installed(folder: &Path) -> bool {
    let modified = |name: &str| std::fs::metadata(folder.join(name)).and_then(|facts| facts.modified()).ok();
    match (modified("node_modules/.package-lock.json"), modified("package-lock.json")) {
        (Some(installed), Some(locked)) => installed >= locked,
        _ => false,
    }
}

/// `test result: ok. 3 passed; 0 failed; …`
fn count_of_libtest(line: &str) -> Option<(u64, u64)> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut numbers = counts.split("; ").filter_map(|part| part.split_once(' ')?.0.parse().ok());
    Some((numbers.next()?, numbers.next()?))
}

/// `ℹ pass 3` and `ℹ fail 0`, each on a line of its own.
fn count_of_node(line: &str) -> Option<(u64, u64)> {
    let mut words = line.strip_prefix("ℹ ").or_else(|| line.strip_prefix("# "))?.split(' ');
    match (words.next()?, words.next()?.parse().ok()?, words.next()) {
        ("pass", count, None) => Some((count, 0)),
        ("fail" | "cancelled", count, None) => Some((0, count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_both_runners() {
        let line = "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(count_of_libtest(line), Some((12, 3)));
        assert_eq!(count_of_libtest("test a ... ok"), None);
        assert_eq!(count_of_node("ℹ pass 7"), Some((7, 0)));
        assert_eq!(count_of_node("# fail 2"), Some((0, 2)));
        assert_eq!(count_of_node("ℹ duration_ms 81.2"), None);
        assert_eq!(count_of_node("ℹ pass 7 things"), None);
    }

    #[test]
    fn a_test_file_names_what_it_needs() {
        let text = "//! Against the real client.\n//! needs: git-lfs, node\n\nfn main() {}\n";
        assert_eq!(needs(text), [Tool::GitLfs, Tool::Node]);
        assert_eq!(needs("//! Nothing.\n"), []);
    }

    #[test]
    fn test_binaries_are_found_as_cargo_finds_them() {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../host-example/tests");
        let names: Vec<String> = test_files(&tests).expect("the folder is there").into_iter().map(|f| f.0).collect();
        assert!(names.contains(&"server".to_owned()), "{names:?}");
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
