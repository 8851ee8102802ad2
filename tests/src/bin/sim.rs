//! `cargo run -p hydrant-tests --bin sim -- --seeds N [--from S] | --seed S [--trace]`: lives from seeds, on every core
//! there is. It ends with 1 at the first broken law, and with what to type to see that life again.

use hydrant_tests::engine::Native;
use hydrant_tests::life::{Lived, Tally, live};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Lines of a broken life that are shown.
const TAIL_LINES: usize = 60;
/// Between two lines about how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);
/// Lives when nothing is said.
const SEEDS: u64 = 1_000;

const HELP: &str = "sim [--seeds N] [--from S]   lives of N seeds, beginning with S
sim --seed S [--trace]       the life of one seed; with --trace all that was said in it";

/// What is to be done.
#[derive(Clone, Copy, Debug)]
struct Asked {
    from: u64,
    seeds: u64,
    /// One life only, shown when it is whole, too.
    one: bool,
    trace: bool,
}

fn main() -> ExitCode {
    let Some(asked) = asked(std::env::args().skip(1)) else {
        remark(HELP);
        return ExitCode::from(2);
    };
    let started = Instant::now();
    let (tally, broken) = run(asked);
    let seconds = started.elapsed().as_secs_f64();
    if let Some(lived) = broken {
        let why = lived.broken.clone().unwrap_or_default();
        if asked.trace {
            say(&lived.trace.join("\n"));
        } else {
            say(&lived.tail(TAIL_LINES));
        }
        say(&format!("seed {} broke a law in {why}", lived.seed));
        say(&format!("again: cargo xtask sim --seed {} --trace", lived.seed));
        return ExitCode::FAILURE;
    }
    say(&format!("{} seeds from {} in {seconds:.1} s, no law broken", asked.seeds, asked.from));
    say(tally.to_string().trim_end());
    ExitCode::SUCCESS
}

/// None when the words are not understood.
fn asked(mut words: impl Iterator<Item = String>) -> Option<Asked> {
    let mut asked = Asked { from: 0, seeds: SEEDS, one: false, trace: false };
    while let Some(word) = words.next() {
        let mut number = || words.next()?.parse::<u64>().ok();
        match word.as_str() {
            "--seeds" => asked.seeds = number()?,
            "--from" => asked.from = number()?,
            "--seed" => asked = Asked { from: number()?, seeds: 1, one: true, ..asked },
            "--trace" => asked.trace = true,
            _ => return None,
        }
    }
    (asked.one || !asked.trace).then_some(asked)
}

/// Lives on every core. The broken one of the lowest seed among those that were begun.
fn run(asked: Asked) -> (Tally, Option<Lived>) {
    let next = AtomicU64::new(0);
    let found: Mutex<(Tally, Option<Lived>)> = Mutex::default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let end = asked.from.saturating_add(asked.seeds);
    let shown = Mutex::new(Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                let mut tally = Tally::default();
                loop {
                    let done = next.fetch_add(1, Ordering::Relaxed);
                    let seed = asked.from.saturating_add(done);
                    if seed >= end || found.lock().is_ok_and(|found| found.1.is_some()) {
                        break;
                    }
                    let lived = one(seed);
                    tally.add(&lived.tally);
                    if asked.trace && lived.broken.is_none() {
                        say(&lived.trace.join("\n"));
                    }
                    if let (Some(_), Ok(mut found)) = (&lived.broken, found.lock())
                        && found.1.as_ref().is_none_or(|other| other.seed > seed)
                    {
                        found.1 = Some(lived);
                    }
                    progress(&shown, done, asked.seeds);
                }
                if let Ok(mut found) = found.lock() {
                    found.0.add(&tally);
                }
            });
        }
    });
    found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A life that panics broke a law, too.
fn one(seed: u64) -> Lived {
    catch_unwind(AssertUnwindSafe(|| live(&Native, seed))).unwrap_or_else(|_| Lived {
        seed,
        trace: Vec::new(),
        tally: Tally::default(),
        broken: Some("a panic; what it said stands above".to_owned()),
    })
}

fn progress(shown: &Mutex<Instant>, done: u64, of: u64) {
    if let Ok(mut shown) = shown.try_lock()
        && shown.elapsed() >= PROGRESS_EVERY
    {
        *shown = Instant::now();
        remark(&format!("{done} of {of} seeds"));
    }
}

/// A line of result. A closed pipe is the reader's choice.
fn say(line: &str) {
    let _closed = writeln!(std::io::stdout().lock(), "{line}").is_err();
}

/// A line about what is going on.
fn remark(line: &str) {
    let _closed = writeln!(std::io::stderr().lock(), "{line}").is_err();
}
