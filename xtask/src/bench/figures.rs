//! Figures and their judgement: one row for each bound, and nothing that was not measured passes as measured.

use super::workload::Workload;
use crate::failure::{Failure, Result};

/// The first row of the table.
pub(super) const HEAD: [&str; 9] =
    ["workload", "client", "seconds", "beside", "seconds", "ratio", "bound", "reach", "verdict"];

/// What one client needed.
#[derive(Debug, PartialEq)]
pub(super) struct Measured {
    pub(super) name: String,
    /// Seconds.
    pub(super) median: f64,
    /// At the peak, of the largest process.
    pub(super) memory_mb: Option<f64>,
}

/// What a workload came to.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) measured: Vec<Measured>,
    /// Peers that could not take part.
    pub(super) absent: Vec<&'static str>,
}

/// Appends one row for each bound; true when all hold that could be judged.
pub(super) fn judge(workload: &Workload, found: &Found, rows: &mut Vec<Vec<String>>) -> Result<bool> {
    let row = |name: &str| {
        let figure = found.measured.iter().find(|row| row.name.starts_with(name));
        figure.ok_or_else(|| Failure::new(format!("{}: {name} left no figure", workload.name)))
    };
    let mut within = true;
    let mut put = |client: [&str; 2], beside: [&str; 2], figures: [String; 3], verdict: &str| {
        within &= verdict != "MISSED";
        let mut cells = vec![workload.name.to_owned()];
        cells.extend([client, beside].concat().into_iter().map(str::to_owned));
        cells.extend(figures);
        cells.push(verdict.to_owned());
        rows.push(cells);
    };
    let seconds = |measured: &Measured| format!("{:.3}", measured.median);
    let word = |holds: bool| if holds { "within" } else { "MISSED" };
    let mut ours: Vec<&str> = workload.bounds.iter().map(|bound| bound.ours).collect();
    ours.dedup();
    for bound in workload.bounds {
        let limits = [format!("{:.2}", bound.ratio_max), bound.reach.map_or("-".into(), |reach| format!("{reach:.2}"))];
        let [limit, reach] = limits;
        if found.absent.contains(&bound.beside) {
            put([bound.ours, "-"], [bound.beside, "-"], ["-".into(), limit, reach], "left out");
            continue;
        }
        let (ours, other) = (row(bound.ours)?, row(bound.beside)?);
        let ratio = ours.median / other.median;
        let figures = [format!("{ratio:.2}"), limit, reach];
        let verdict = word(ratio <= bound.ratio_max);
        put([bound.ours, &seconds(ours)], [&other.name, &seconds(other)], figures, verdict);
    }
    if let Some(limit) = workload.memory_mb_max {
        for client in ours {
            if let Some(memory) = row(client)?.memory_mb {
                let figures = [format!("{memory:.0}"), format!("{limit:.0}"), "-".into()];
                put([client, "-"], ["peak memory, MB", "-"], figures, word(memory <= limit));
            }
        }
    }
    Ok(within)
}

#[cfg(test)]
mod tests {
    use super::super::workload::{FLOOR, PULL, WORKLOADS, bound};
    use super::*;

    fn figure(name: &str, median: f64, memory_mb: f64) -> Measured {
        Measured { name: name.to_owned(), median, memory_mb: Some(memory_mb) }
    }

    #[test]
    fn bounds_and_memory_are_judged_and_the_absent_is_said() {
        const BOUNDS: &[super::super::workload::Bound] = &[bound(PULL, 0.40, 0.22), bound(FLOOR, 1.4, 1.05)];
        let [mut workload, ..] = WORKLOADS;
        workload.bounds = BOUNDS;
        workload.memory_mb_max = Some(20.0);
        let measured = vec![figure(PULL, 2.1, 40.0), figure("hydrant", 0.42, 21.0)];
        let mut rows = Vec::new();
        let mut found = Found { measured, absent: vec![FLOOR] };
        assert!(!judge(&workload, &found, &mut rows).expect("both left figures"), "memory is above its bound");
        let verdicts: Vec<&str> = rows.iter().map(|row| row[8].as_str()).collect();
        assert_eq!(verdicts, ["within", "left out", "MISSED"]);
        assert_eq!(rows[0][1..6], ["hydrant", "0.420", PULL, "2.100", "0.20"]);
        found.absent.clear();
        assert!(judge(&workload, &found, &mut rows).is_err(), "a peer that should be there left no figure");
    }
}
