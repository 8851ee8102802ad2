//! Time and memory of a client, and the order in which clients take turns.
//!
//! A small process of our own starts the client, because a child of a large one inherits its peak of memory. Clients
//! take turns within every round, so that a noisy moment of the machine meets them all.

use super::figures::Measured;
use super::ground::Ground;
use super::part::PART;
use crate::child;
use crate::failure::{Because, Failure, Result};
use crate::terminal::{remark, say};
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Minutes for one run of one client.
const RUN_MINUTES_MAX: u64 = 20;
const BYTES_PER_MB: f64 = 1e6;

/// One run that is ready: what is timed, and what must be true afterwards. The check holds what the run needs, such
/// as its server, until it is over.
pub(super) struct Ready<'a> {
    pub(super) command: Command,
    pub(super) check: Box<dyn FnOnce() -> Result<()> + 'a>,
}

/// A client of a workload.
pub(super) struct Client<'a> {
    pub(super) name: &'static str,
    /// Makes the world of the next run.
    pub(super) prepare: Box<dyn FnMut() -> Result<Ready<'a>> + 'a>,
}

/// One run's figures.
pub(crate) struct Run {
    pub(crate) seconds: f64,
    pub(crate) memory_mb: f64,
}

/// Runs the clients in turn, `runs` rounds of them.
pub(super) fn race(ground: &Ground, clients: &mut [Client<'_>], runs: usize) -> Result<Vec<Measured>> {
    let mut all: Vec<Vec<Run>> = clients.iter().map(|_| Vec::with_capacity(runs)).collect();
    for _ in 0..runs {
        for (client, runs) in clients.iter_mut().zip(&mut all) {
            let Ready { command, check } = (client.prepare)()?;
            // What preparing wrote must not be written out while the clock runs.
            ground.succeed(&mut Command::new("sync"))?;
            let whose = |failure| Failure::new(format!("{}: {failure}", client.name));
            runs.push(measure(ground, &command).map_err(whose)?);
            check().map_err(whose)?;
        }
    }
    Ok(clients.iter().zip(all).map(|(client, runs)| summary(client.name, &runs)).collect())
}

fn summary(name: &str, runs: &[Run]) -> Measured {
    let mut seconds: Vec<f64> = runs.iter().map(|run| run.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    let memory_mb = runs.iter().map(|run| run.memory_mb).fold(0.0, f64::max);
    let median = median(&seconds);
    let (least, most) = (seconds.first().unwrap_or(&0.0), seconds.last().unwrap_or(&0.0));
    remark(&format!("  {name}: median {median:.3} s ({least:.3} to {most:.3}), peak {memory_mb:.0} MB"));
    Measured { name: name.to_owned(), median, memory_mb: Some(memory_mb) }
}

/// The median of sorted numbers.
fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    match sorted {
        [] => 0.0,
        _ if sorted.len() % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// Runs the command's words under the stopwatch, on the client's core.
fn measure(ground: &Ground, command: &Command) -> Result<Run> {
    let words = ground.home.join("last-words.txt");
    let mut watched = ground.on_client_core(&ground.xtask);
    watched.stderr(File::create(words).because("the client's words cannot be kept")?);
    watch(watched, command)?.ok_or_else(|| ground.failure(command))
}

/// The same for a command that says by itself what is wrong, on any core.
pub(crate) fn run(command: &Command) -> Result<Run> {
    let own = Command::new(std::env::current_exe().because("this program cannot be found")?);
    let name = command.get_program().display();
    watch(own, command)?.ok_or_else(|| Failure::new(format!("{name} failed")))
}

/// Runs it as the only child of `watched`, which is this program; none where it failed.
fn watch(mut watched: Command, command: &Command) -> Result<Option<Run>> {
    watched.args([PART, "measure"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => watched.env(name, value),
            None => watched.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        watched.current_dir(folder);
    }
    let ended = child::run(&mut watched, Duration::from_secs(RUN_MINUTES_MAX * 60), false)?;
    if ended.timed_out {
        return Err(Failure::new(format!("it took more than {RUN_MINUTES_MAX} minutes")));
    }
    if !ended.ok {
        return Ok(None);
    }
    let run = read(ended.lines.back().map_or("", String::as_str));
    run.ok_or_else(|| Failure::new("the stopwatch said nothing")).map(Some)
}

/// The line of [`measure_here`].
fn read(line: &str) -> Option<Run> {
    let (seconds, bytes) = line.split_once(' ')?;
    Some(Run { seconds: seconds.parse().ok()?, memory_mb: bytes.parse::<f64>().ok()? / BYTES_PER_MB })
}

/// Runs a program as the only child of this process; prints its seconds and the bytes of its largest process.
pub(super) fn measure_here(program: &str, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new(Path::new(program));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    let started = Instant::now();
    let status = command.status().because("the client cannot be started")?;
    let seconds = started.elapsed().as_secs_f64();
    if !status.success() {
        return Err(Failure::new(format!("the client ended with {status}")));
    }
    say(&format!("{seconds} {}", peak_bytes_of_children()?));
    Ok(())
}

fn peak_bytes_of_children() -> Result<u64> {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to a whole `rusage`, which lives through the call.
    let failed = unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr()) } != 0;
    if failed {
        return Err(Failure::new("the system does not tell how much memory the client had"));
    }
    // SAFETY: all zeros is a valid `rusage`, and the system has filled it in.
    let peak = u64::try_from(unsafe { usage.assume_init() }.ru_maxrss).unwrap_or(0);
    // Linux counts in units of 1024 bytes, macOS in bytes.
    Ok(if cfg!(target_os = "macos") { peak } else { peak * 1024 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_lines() {
        assert!((median(&[1.0, 2.0, 9.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&[1.0, 2.0, 3.0, 9.0]) - 2.5).abs() < f64::EPSILON);
        let run = read("0.25 3000000").expect("two numbers");
        assert!((run.seconds - 0.25).abs() < f64::EPSILON && (run.memory_mb - 3.0).abs() < f64::EPSILON);
        assert!(read("").is_none());
    }
}
