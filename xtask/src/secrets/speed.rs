//! How fast the search is, on a transcript of 80 MB, beside others.

use super::Ground;
use super::peers::{DETECT, HYDRANT, KINGFISHER_BIN, Program};
use crate::bench::stopwatch::Run;
use crate::failure::{Because, Failure, Result};
use crate::terminal::{remark, table};
use std::fs;
use std::path::Path;

/// Million bytes a second at least, on one core.
const NATIVE_MIN: f64 = 100.0;
/// Of kingfisher's time at most.
const OF_KINGFISHER_MAX: f64 = 1.0;
/// Times as fast as detect-secrets at least.
const OF_DETECT_SECRETS_MIN: f64 = 20.0;
/// Million bytes of memory at most, besides the longest line.
const MEMORY_MAX: f64 = 67.1;
/// Runs of each program; the best counts, as noise only adds.
const RUNS: usize = 3;
/// Bytes of the transcript that detect-secrets looks through.
const PART_BYTES: usize = 4_000_000;
const MILLION: f64 = 1e6;

/// A figure beside what it must be.
struct Figure {
    what: &'static str,
    is: f64,
    bound: f64,
    /// It must be as much as the bound, or as little.
    is_least: bool,
}

/// True when every figure is within its bound.
pub(super) fn measure(ground: &Ground<'_>) -> Result<bool> {
    ground.corpus("transcript")?;
    let whole = ground.corpus.join("transcript.jsonl");
    let text = fs::read(&whole).because("the transcript cannot be read")?;
    let longest = text.split(|byte| *byte == b'\n').map(<[u8]>::len).max().unwrap_or(0) as f64 / MILLION;
    let size = text.len() as f64 / MILLION;
    remark(&format!("a transcript of {size:.0} MB, its longest line {longest:.2} MB"));

    let engine = own_figure(ground)?;
    let ours = best(ground, &HYDRANT, &whole)?;
    let kingfisher = best(ground, &KINGFISHER_BIN, &whole)?;

    let cut = text[..PART_BYTES.min(text.len())].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let part = ground.corpus.join("part.jsonl");
    fs::write(&part, &text[..cut]).because("a part of the transcript cannot be written")?;
    let detect = best(ground, &DETECT, &part)?;
    let detect_rate = cut as f64 / MILLION / detect.seconds;

    let least = |what, is, bound| Figure { what, is, bound, is_least: true };
    let most = |what, is, bound| Figure { what, is, bound, is_least: false };
    let figures = [
        least("the engine, MB/s", engine, NATIVE_MIN),
        least("hydrant redact, MB/s", size / ours.seconds, NATIVE_MIN),
        most("hydrant redact / kingfisher, time", ours.seconds / kingfisher.seconds, OF_KINGFISHER_MAX),
        least("hydrant redact / detect-secrets, speed", size / ours.seconds / detect_rate, OF_DETECT_SECRETS_MIN),
        most("hydrant redact, MB of memory", ours.memory_mb - longest, MEMORY_MAX),
    ];
    let mut rows = vec![["what", "is", "bound", ""].map(String::from).to_vec()];
    for figure in &figures {
        let bound = format!("{:.1} at {}", figure.bound, if figure.is_least { "least" } else { "most" });
        let verdict = if figure.holds() { "" } else { "OUTSIDE" };
        rows.push(vec![figure.what.to_owned(), format!("{:.2}", figure.is), bound, verdict.to_owned()]);
    }
    table(&rows);
    Ok(figures.iter().all(Figure::holds))
}

impl Figure {
    fn holds(&self) -> bool {
        if self.is_least { self.is >= self.bound } else { self.is <= self.bound }
    }
}

/// What the engine alone says.
fn own_figure(ground: &Ground<'_>) -> Result<f64> {
    let said = ground.corpus("measure")?;
    let figure = said.iter().find_map(|line| line.split("MB/s ").nth(1)?.trim().parse().ok());
    figure.ok_or_else(|| Failure::new("the engine was not measured"))
}

/// The fastest of some runs, and the most memory of any.
fn best(ground: &Ground<'_>, program: &Program, looked: &Path) -> Result<Run> {
    let told = ground.scratch.join("speed.json");
    let mut best = program.measured(ground, looked, &told)?;
    for _ in 1..RUNS {
        let run = program.measured(ground, looked, &told)?;
        best.seconds = best.seconds.min(run.seconds);
        best.memory_mb = best.memory_mb.max(run.memory_mb);
    }
    remark(&format!("{}: {:.2} s, {:.0} MB of memory", program.name, best.seconds, best.memory_mb));
    Ok(best)
}
