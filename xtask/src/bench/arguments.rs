//! What the words after `cargo xtask bench` ask for.

use super::workload::{WORKLOADS, Workload};
use std::path::PathBuf;

/// Runs of one client at most.
const RUNS_MAX: usize = 101;

const HELP: &str = "\
cargo xtask bench [--only NAME[,NAME]...] [--runs N] [--hydrant PROGRAM] [--list]

Puts hydrant and other clients through the same work in turn and compares the medians. Without arguments every workload
runs that is not large; a bound that does not hold ends with 1.

  --only NAMES       these workloads, the large ones too
  --runs N           runs of each client, instead of each workload's own number
  --hydrant PROGRAM  measure this program, instead of building the one of this tree
  --list             name the workloads
  --help             this text

Data is made once, in target/bench. The client has one core and the server another where taskset is there. Quote ratios
of a quiet machine only.";

/// What was asked.
#[derive(Debug, PartialEq)]
pub(super) enum Asked {
    /// To show this.
    Text(String),
    /// To measure.
    Run(Choice),
}

/// Which workloads run, and how often.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Choice {
    /// Empty for all that are not large.
    only: Vec<String>,
    runs: Option<usize>,
    /// The program to measure, when it is not the tree's own.
    pub(super) hydrant: Option<PathBuf>,
}

impl Choice {
    pub(super) fn takes(&self, workload: &Workload) -> bool {
        if self.only.is_empty() { !workload.large } else { self.only.iter().any(|name| name == workload.name) }
    }

    pub(super) fn runs_of(&self, workload: &Workload) -> usize {
        self.runs.unwrap_or(workload.runs).max(workload.runs_min)
    }
}

/// Reads the words; the error says which one is not understood.
pub(super) fn read(arguments: &[String]) -> Result<Asked, String> {
    let mut choice = Choice::default();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let (name, attached) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word.as_str(), None),
        };
        let mut value = || {
            let next = attached.map(str::to_owned).or_else(|| words.next().cloned());
            next.ok_or_else(|| format!("{name} needs a value"))
        };
        match name {
            "--help" | "-h" => return Ok(Asked::Text(format!("{HELP}\n\n{}", list()))),
            "--list" => return Ok(Asked::Text(list())),
            "--only" => choice.only.extend(names(&value()?)?),
            "--runs" => {
                let number = value()?;
                let runs = number.parse().ok().filter(|runs| (1..=RUNS_MAX).contains(runs));
                choice.runs = Some(runs.ok_or_else(|| format!("{number:?} is no number from 1 to {RUNS_MAX}"))?);
            }
            "--hydrant" => choice.hydrant = Some(PathBuf::from(value()?)),
            _ => return Err(format!("bench does not know {word:?}; see `cargo xtask bench --help`")),
        }
    }
    Ok(Asked::Run(choice))
}

fn names(list: &str) -> Result<Vec<String>, String> {
    let name = |name: &str| {
        let known = WORKLOADS.iter().any(|workload| workload.name == name);
        let refusal = || format!("there is no workload {name:?}; `cargo xtask bench --list` names them");
        known.then(|| name.to_owned()).ok_or_else(refusal)
    };
    list.split(',').map(name).collect()
}

fn list() -> String {
    let line = |workload: &Workload| {
        let large = if workload.large { " (only when named)" } else { "" };
        format!("  {:14}  {}{large}", workload.name, workload.shows)
    };
    let lines: Vec<String> = WORKLOADS.iter().map(line).collect();
    format!("workloads:\n{}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(words: &[&str]) -> Result<Asked, String> {
        read(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn workloads_are_chosen_by_name_and_large_ones_only_so() {
        let Ok(Asked::Run(all)) = choice(&[]) else { panic!("nothing is asked for") };
        let large: Vec<&Workload> = WORKLOADS.iter().filter(|workload| !all.takes(workload)).collect();
        assert_eq!(large.len(), 1);
        let Ok(Asked::Run(some)) = choice(&["--only", "large-down,scan", "--runs=1"]) else { panic!("both exist") };
        let taken: Vec<&str> =
            WORKLOADS.iter().filter(|workload| some.takes(workload)).map(|workload| workload.name).collect();
        assert_eq!(taken, ["large-down", "scan"]);
        let again = WORKLOADS.iter().find(|workload| workload.name == "publish-again").expect("it is listed");
        assert_eq!(some.runs_of(large[0]), 1);
        assert_eq!(some.runs_of(again), again.runs_min);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for words in [&["scan"][..], &["--only"], &["--only", "x"], &["--runs", "0"], &["--runs", "many"], &["-x"]] {
            assert!(choice(words).is_err(), "{words:?}");
        }
        assert!(matches!(choice(&["--list"]), Ok(Asked::Text(text)) if text.contains("publish-medium")));
    }
}
