//! `cargo xtask bench`: hydrant beside other clients on the same work in the same run, as ratios of medians.
//!
//! The workloads, the server and the runner are a kit of scripts in a folder beside the project (`../shared/bench`, or
//! where `HYDRANT_BENCH` points). Only ratios are quoted: absolute times belong to the machine.

use crate::child;
use crate::engine;
use crate::failure::{Because, Failure, Result};
use crate::setup::{self, Tool};
use crate::terminal::{remark, say, table};
use crate::workspace::Workspace;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Minutes for one workload with all its clients.
const WORKLOAD_MINUTES_MAX: u64 = 60;
/// Where the kit's server listens; two runs at once would measure each other.
const KIT_PORT: u16 = 9801;
/// The client under test, as rows name it.
const OURS: &str = "hydrant";

/// A bound: hydrant's median over another row's.
struct Bound {
    /// How the other row's name begins.
    beside: &'static str,
    /// What must hold.
    ratio_max: f64,
}

/// A job and what is promised of it.
struct Workload {
    name: &'static str,
    /// Arguments of the runner.
    arguments: &'static [&'static str],
    /// The data set it needs.
    data: &'static str,
    bounds: &'static [Bound],
    /// Megabytes of memory at the peak.
    memory_mb_max: Option<f64>,
    /// Only on request: it takes long or needs much space.
    large: bool,
}

const PULL: &str = "git lfs pull";
const FETCH: &str = "git lfs fetch";
const CURL: &str = "curl -Z 8";
const FLOOR: &str = "floor: rust conns=8 batch=100";
const ADD_AND_PUSH: &str = "git add + git lfs push";
const WALK: &str = "floor: walk+stat+read";

const WORKLOADS: [Workload; 7] = [
    Workload {
        name: "small-down",
        arguments: &["down", "a", "--runs", "5"],
        data: "a",
        bounds: &[bound(PULL, 0.40), bound(FETCH, 1.1), bound(CURL, 1.6)],
        memory_mb_max: None,
        large: false,
    },
    Workload {
        name: "medium-down",
        arguments: &["down", "b", "--runs", "5"],
        data: "b",
        bounds: &[bound(CURL, 2.6), bound(FLOOR, 1.4)],
        memory_mb_max: None,
        large: false,
    },
    Workload {
        name: "far-down",
        arguments: &["down", "a", "--rtt", "20", "--runs", "5"],
        data: "a",
        bounds: &[bound(FETCH, 0.35)],
        memory_mb_max: None,
        large: false,
    },
    Workload {
        name: "small-up",
        arguments: &["up", "a", "--runs", "5"],
        data: "a",
        bounds: &[bound(ADD_AND_PUSH, 0.45)],
        memory_mb_max: None,
        large: false,
    },
    Workload {
        name: "medium-up",
        arguments: &["up", "b", "--runs", "5"],
        data: "b",
        bounds: &[bound(ADD_AND_PUSH, 0.60)],
        memory_mb_max: None,
        large: false,
    },
    Workload {
        name: "large-down",
        arguments: &["down", "c", "--runs", "3"],
        data: "c",
        bounds: &[bound(FLOOR, 1.4)],
        memory_mb_max: Some(64.0),
        large: true,
    },
    Workload {
        name: "scan",
        arguments: &["5"],
        data: "tree",
        bounds: &[bound(WALK, 1.5)],
        memory_mb_max: None,
        large: false,
    },
];

const fn bound(beside: &'static str, ratio_max: f64) -> Bound {
    Bound { beside, ratio_max }
}

/// One row of a runner's table.
#[derive(Debug, PartialEq)]
struct Measured {
    name: String,
    /// Seconds or milliseconds; only ratios are used.
    median: f64,
    memory_mb: Option<f64>,
}

/// Runs the named workloads, or all but the large one. True when every bound holds.
pub(crate) fn bench(workspace: &Workspace, arguments: &[String]) -> Result<bool> {
    let names: Vec<&str> = WORKLOADS.iter().map(|workload| workload.name).collect();
    if let Some(unknown) = arguments.iter().find(|name| !names.contains(&name.as_str())) {
        say(&format!("cargo xtask bench [NAME...], where NAME is one of: {}", names.join(", ")));
        return Ok(unknown == "--help");
    }
    let asked = |workload: &&Workload| {
        if arguments.is_empty() { !workload.large } else { arguments.iter().any(|name| name == workload.name) }
    };
    let workloads: Vec<&Workload> = WORKLOADS.iter().filter(asked).collect();
    let kit = kit(workspace)?;
    TcpListener::bind(("127.0.0.1", KIT_PORT)).map(drop).because(format!("port {KIT_PORT} must be free"))?;
    setup::prepare(workspace, &[Tool::Git, Tool::GitLfs, Tool::Python])?;
    engine::build(workspace)?;
    let mut data: Vec<&str> = workloads.iter().map(|workload| workload.data).collect();
    data.dedup();
    let mut ready = Command::new("bash");
    child_succeeds(ready.arg(kit.join("setup.sh")).args(data), "the bench kit could not be set up")?;

    let add_and_push = write_add_and_push(workspace)?;
    let mut rows = vec![["workload", "beside", "ratio", "bound", "verdict"].map(String::from).to_vec()];
    let mut within = true;
    for workload in workloads {
        remark(&format!("running {}", workload.name));
        let measured = measure(workspace, &kit, workload, &add_and_push)?;
        within &= compare(workload, &measured, &mut rows)?;
    }
    table(&rows);
    say(&versions());
    Ok(within)
}

/// Appends one row for each bound; true when all hold.
fn compare(workload: &Workload, measured: &[Measured], rows: &mut Vec<Vec<String>>) -> Result<bool> {
    let row = |name: &str| measured.iter().find(|row| row.name.starts_with(name));
    let ours = row(OURS).ok_or_else(|| Failure::new(format!("{}: hydrant left no figure", workload.name)))?;
    let mut within = true;
    let mut judge = |beside: &str, value: String, bound: String, holds: bool| {
        within &= holds;
        let verdict = if holds { "within" } else { "MISSED" };
        rows.push(vec![workload.name.to_owned(), beside.to_owned(), value, bound, verdict.to_owned()]);
    };
    for bound in workload.bounds {
        let other = row(bound.beside)
            .ok_or_else(|| Failure::new(format!("{}: {} left no figure", workload.name, bound.beside)))?;
        let ratio = ours.median / other.median;
        judge(&other.name, format!("{ratio:.2}"), format!("{:.2}", bound.ratio_max), ratio <= bound.ratio_max);
    }
    if let (Some(memory), Some(limit)) = (ours.memory_mb, workload.memory_mb_max) {
        judge("peak memory, MB", format!("{memory:.0}"), format!("{limit:.0}"), memory <= limit);
    }
    Ok(within)
}

fn measure(workspace: &Workspace, kit: &Path, workload: &Workload, add_and_push: &Path) -> Result<Vec<Measured>> {
    let hydrant = workspace.hydrant().display().to_string();
    let mut python = Command::new("python3");
    if workload.data == "tree" {
        python.arg(kit.join("scan/scan.py")).args(workload.arguments);
        python.args(["--extra", &format!("{OURS}={hydrant} scan {{tree}}")]);
    } else {
        python.arg(kit.join("xfer.py")).args(workload.arguments);
        let down = workload.arguments[0] == "down";
        let place = if down { "hydrate --into" } else { "upload --from" };
        let (verb, folder) = place.split_once(' ').unwrap_or((place, ""));
        let endpoint = "http://127.0.0.1:{port}/r";
        let ours = format!("{hydrant} {verb} --quiet --objects {{list}} {folder} {{dir}} --endpoint {endpoint}");
        python.args(["--extra", &format!("{OURS}={ours}")]);
        let mut only: Vec<&str> = workload.bounds.iter().map(|bound| bound.beside).collect();
        only.push(OURS);
        if !down {
            let command = format!("bash {} {{list}} {{dir}} {{port}}", add_and_push.display());
            python.args(["--extra", &format!("{ADD_AND_PUSH}={command}")]);
        }
        python.args(["--only", &only.join(",")]);
    }
    let ended = child::run(&mut python, Duration::from_secs(WORKLOAD_MINUTES_MAX * 60), true)?;
    if !ended.ok {
        return Err(Failure::new(format!("the runner of {} failed", workload.name)));
    }
    Ok(read_table(ended.lines.iter().map(String::as_str)))
}

/// Rows of the runners' Markdown tables: name, then the median as the next cell's first number. The column of memory
/// is found by its heading.
fn read_table<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<Measured> {
    let mut memory_column = None;
    let mut rows = Vec::new();
    for line in lines.filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches(['|', ' ']).split(" | ").map(str::trim).collect();
        if let Some(column) = cells.iter().position(|cell| cell.contains("RSS")) {
            memory_column = Some(column);
            continue;
        }
        let number = |cell: &str| cell.split(' ').next().and_then(|word| word.parse::<f64>().ok());
        if let [name, median, ..] = cells[..] {
            let memory_mb = memory_column.and_then(|column| number(cells.get(column)?));
            rows.extend(number(median).map(|median| Measured { name: name.to_owned(), median, memory_mb }));
        }
    }
    rows
}

/// What a user of the real client does with the same files: add them through the clean filter, then push.
fn write_add_and_push(workspace: &Workspace) -> Result<PathBuf> {
    const SCRIPT: &str = r#"# LIST DIR PORT: the files through `git add` (clean filter) and `git lfs push`.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
git init -q .
git lfs install --local --skip-repo >/dev/null
git config lfs.url "http://127.0.0.1:$3/r"
git config lfs.locksverify false
git config user.name bench
git config user.email bench@localhost
git remote add origin "http://127.0.0.1:$3/r"
echo '* filter=lfs -text' > .git/info/attributes
while read -r oid _; do ln "$2/$oid" "$oid" 2>/dev/null || cp "$2/$oid" "$oid"; done < "$1"
git add .
git commit -q -m bench
git lfs push --all origin >/dev/null
"#;
    let path = workspace.target.join("bench/add-and-push.sh");
    crate::workspace::write_if_changed(&path, SCRIPT.as_bytes())?;
    Ok(path)
}

fn kit(workspace: &Workspace) -> Result<PathBuf> {
    let named = std::env::var_os("HYDRANT_BENCH").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| workspace.root.join("../shared/bench"));
    if folder.join("xfer.py").is_file() {
        return folder.canonicalize().because("the bench kit cannot be found");
    }
    Err(Failure::new("there is no bench kit; name its folder in HYDRANT_BENCH"))
}

fn child_succeeds(command: &mut Command, otherwise: &str) -> Result<()> {
    let ended = child::run(command, Duration::from_secs(WORKLOAD_MINUTES_MAX * 60), true)?;
    if ended.ok { Ok(()) } else { Err(Failure::new(otherwise)) }
}

/// The peers, by their own words.
fn versions() -> String {
    let first = |program: &str| {
        let output = Command::new(program).arg("--version").output().ok()?;
        // Some programs name every library they were built with after their own version.
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Some(text.lines().next()?.split(" (").next()?.to_owned())
    };
    let peers = ["git", "git-lfs", "curl", "rustc"].into_iter().filter_map(first);
    format!("beside {}", peers.collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_with_their_median_and_memory() {
        let lines = [
            "## down a (2000 objects) rtt=0 ms per-object=0 us runs=5",
            "| client | wall s (min..max) | ×git lfs pull | ×curl -Z 8 | cpu s | max RSS MB | conns | batches |",
            "|---|---|---|---|---|---|---|---|",
            "| git lfs pull | 2.100 (2.000..2.300) | 1.00 | 4.00 | 2.00 | 40 | 9 (peak 8) | 20 |",
            "| hydrant | 0.420 (0.400..0.450) | 0.20 | 0.80 | 0.30 | 21 | 8 (peak 8) | 20 |",
        ];
        let rows = read_table(lines.into_iter());
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1], Measured { name: "hydrant".into(), median: 0.42, memory_mb: Some(21.0) });
        const BOUNDS: &[Bound] = &[bound(PULL, 0.40)];
        let mut judged = Vec::new();
        let workload =
            Workload { name: "x", arguments: &[], data: "a", bounds: BOUNDS, memory_mb_max: Some(20.0), large: false };
        assert!(!compare(&workload, &rows, &mut judged).expect("both left figures"));
        assert_eq!(judged[0][4], "within");
        assert_eq!(judged[1][4], "MISSED");
    }
}
