//! `cargo run -q -p hydrant-tests --bin vectors -- FILE [--through core|component]`: judges a file of conformance
//! vectors, prints each failure with its name, ends with the counts, and fails when any vector does.

use hydrant_tests::engine::{Component, Engine, Native};
use hydrant_tests::vectors::{Verdicts, judge};
use std::io::Write as _;
use std::process::ExitCode;

const USAGE: &str = "usage: vectors FILE [--through core|component]";

fn main() -> ExitCode {
    match run() {
        Ok(verdicts) => {
            let failed = verdicts.failed.len();
            let mut lines: Vec<String> =
                verdicts.failed.iter().map(|(name, why)| format!("FAILED {name}: {why}")).collect();
            lines.extend(verdicts.excused.iter().map(|(name, why)| format!("differs, as it may: {name}: {why}")));
            lines.push(format!("{} passed, {failed} failed", verdicts.passed));
            let written = writeln!(std::io::stdout(), "{}", lines.join("\n"));
            if failed == 0 && written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(sentence) => {
            eprintln!("{sentence}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<Verdicts, String> {
    let mut file = None;
    let mut through = "core".to_owned();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--through" => through = arguments.next().ok_or(USAGE)?,
            "--help" | "-h" => return Err(USAGE.to_owned()),
            _ if argument.starts_with("--through=") => through = argument["--through=".len()..].to_owned(),
            _ if argument.starts_with('-') || file.is_some() => return Err(USAGE.to_owned()),
            _ => file = Some(argument),
        }
    }
    let engine: Box<dyn Engine> = match through.as_str() {
        "core" => Box::new(Native),
        "component" => Box::new(Component::load()?),
        _ => return Err(USAGE.to_owned()),
    };
    let text = std::fs::read_to_string(file.ok_or(USAGE)?)
        .map_err(|error| format!("the file cannot be read: {}", error.kind()))?;
    judge(engine.as_ref(), &text)
}
