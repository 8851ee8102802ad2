//! The kit of scripts beside the project: its server, its data, its floor and its runner, with hydrant as one client
//! more.

use super::data::Set;
use super::figures::{Found, Measured};
use super::ground::Ground;
use super::workload::{ADD_AND_PUSH, OURS, Work, Workload};
use crate::child;
use crate::failure::{Because, Failure, Result};
use crate::terminal::remark;
use crate::workspace::{Workspace, write_if_changed};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// Minutes for one workload with all its clients.
const WORKLOAD_MINUTES_MAX: u64 = 60;
/// Where the kit's server listens; two runs at once would measure each other.
const KIT_PORT: u16 = 9801;

/// A kit that was found.
pub(super) struct Kit {
    folder: PathBuf,
}

impl Kit {
    /// The kit that `HYDRANT_BENCH` names, or the one beside the project; none is no failure unless one was named.
    pub(super) fn find(workspace: &Workspace) -> Result<Option<Self>> {
        let named = std::env::var_os("HYDRANT_BENCH").map(PathBuf::from);
        let folder = named.clone().unwrap_or_else(|| workspace.root.join("../shared/bench"));
        if folder.join("xfer.py").is_file() {
            let folder = folder.canonicalize().because("the bench kit cannot be found")?;
            return Ok(Some(Self { folder }));
        }
        match named {
            Some(name) if !name.as_os_str().is_empty() => {
                Err(Failure::new("HYDRANT_BENCH names no bench kit; set it to nothing to go without"))
            }
            _ => Ok(None),
        }
    }

    /// One workload through the kit's runner.
    pub(super) fn measure(&self, ground: &Ground, workload: &Workload, runs: usize) -> Result<Found> {
        TcpListener::bind(("127.0.0.1", KIT_PORT)).map(drop).because(format!("port {KIT_PORT} must be free"))?;
        let data = match &workload.work {
            Work::Down { set, .. } | Work::Up { set } => set.name,
            _ => "tree",
        };
        let mut ready = Command::new("bash");
        let ended = bounded(ready.arg(self.folder.join("setup.sh")).arg(data))?;
        if !ended.ok {
            return Err(Failure::new("the bench kit could not be set up"));
        }
        let mut python = Command::new("python3");
        match &workload.work {
            Work::Down { set, delay_ms } => {
                let delay = delay_ms.to_string();
                self.transfer(&mut python, ground, workload, set, &["down", set.name, "--rtt", &delay])?;
                python.args(["--runs", &runs.to_string()]);
            }
            Work::Up { set } => {
                self.transfer(&mut python, ground, workload, set, &["up", set.name])?;
                python.args(["--runs", &runs.to_string()]);
            }
            _ => {
                python.arg(self.folder.join("scan/scan.py")).arg(runs.to_string());
                python.args(["--extra", &format!("{OURS}={} scan {{tree}}", ground.hydrant.display())]);
            }
        }
        let ended = bounded(&mut python)?;
        if !ended.ok {
            return Err(Failure::new(format!("the runner of {} failed", workload.name)));
        }
        let measured = read_table(ended.lines.iter().map(String::as_str));
        Ok(Found { measured, absent: Vec::new() })
    }

    fn transfer(
        &self,
        python: &mut Command,
        ground: &Ground,
        workload: &Workload,
        set: &Set,
        arguments: &[&str],
    ) -> Result<()> {
        python.arg(self.folder.join("xfer.py")).args(arguments);
        let down = matches!(workload.work, Work::Down { .. });
        let (verb, folder) = if down { ("hydrate", "--into") } else { ("upload", "--from") };
        let endpoint = "http://127.0.0.1:{port}/r";
        let hydrant = ground.hydrant.display();
        let ours = format!("{hydrant} {verb} --quiet --objects {{list}} {folder} {{dir}} --endpoint {endpoint}");
        python.args(["--extra", &format!("{OURS}={ours}")]);
        if !down {
            let script = write_add_and_push(ground)?;
            let command = format!("bash {} {{list}} {{dir}} {endpoint}", script.display());
            python.args(["--extra", &format!("{ADD_AND_PUSH}={command}")]);
        }
        let mut only: Vec<&str> = workload.bounds.iter().map(|bound| bound.beside).collect();
        only.push(OURS);
        python.args(["--only", &only.join(",")]);
        remark(&format!("the kit measures set {}", set.name));
        Ok(())
    }
}

/// What a user of the real client does with the same files: add them through the clean filter, then push. The runner
/// times the script as a whole, so few processes bring the files into the repository.
fn write_add_and_push(ground: &Ground) -> Result<PathBuf> {
    const SCRIPT: &str = r#"# LIST DIR URL: the files through `git add` (clean filter) and `git lfs push`.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$2"
cut -d' ' -f1 "$1" | xargs cp -l -t "$work" 2>/dev/null || cut -d' ' -f1 "$1" | xargs cp -t "$work"
cd "$work"
git init -q .
git lfs install --local --skip-repo >/dev/null
git config lfs.url "$3"
git config lfs.locksverify false
git config user.name bench
git config user.email bench@localhost
git remote add origin "$3"
echo '* filter=lfs -text' > .git/info/attributes
git add .
git commit -q -m bench
git lfs push --all origin >/dev/null
"#;
    let path = ground.home.join("add-and-push.sh");
    write_if_changed(&path, SCRIPT.as_bytes())?;
    Ok(path)
}

fn bounded(command: &mut Command) -> Result<child::Ended> {
    child::run(command, Duration::from_secs(WORKLOAD_MINUTES_MAX * 60), true)
}

/// Rows of the runners' Markdown tables: name, then the median as the next cell's first number, in seconds unless the
/// heading says milliseconds. The column of memory is found by its heading.
fn read_table<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<Measured> {
    let (mut memory_column, mut unit) = (None, 1.0);
    let mut rows = Vec::new();
    for line in lines.filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches(['|', ' ']).split(" | ").map(str::trim).collect();
        if cells[0] == "client" || cells[0] == "way" {
            memory_column = cells.iter().position(|cell| cell.contains("RSS"));
            unit = if cells.get(1).is_some_and(|cell| cell.ends_with(" ms")) { 0.001 } else { 1.0 };
            continue;
        }
        let number = |cell: &str| cell.split(' ').next().and_then(|word| word.parse::<f64>().ok());
        if let [name, median, ..] = cells[..] {
            let memory_mb = memory_column.and_then(|column| number(cells.get(column)?));
            let median = number(median).map(|median| median * unit);
            rows.extend(median.map(|median| Measured { name: name.to_owned(), median, memory_mb }));
        }
    }
    rows
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
        let lines = ["| way | median ms | ×floor | output |", "|---|---|---|---|", "| floor | 250 | 1.0 | 5000 |"];
        assert_eq!(read_table(lines.into_iter())[0].median, 0.25);
    }
}
