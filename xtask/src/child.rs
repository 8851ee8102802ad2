//! Runs a child process that may take long: its lines are shown as they come, and it cannot outlive its bound.

use crate::failure::{Because, Failure, Result};
use crate::terminal::say;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Lines of output that are kept for judging.
const LINES_KEPT_MAX: usize = 20_000;
/// Bytes of one line; what is longer is taken as several.
const LINE_BYTES_MAX: u64 = 64 << 10;

/// How a child ended.
pub(crate) struct Ended {
    /// It said that it succeeded.
    pub(crate) ok: bool,
    /// It reached its bound and was killed.
    pub(crate) timed_out: bool,
    /// The last lines of its standard output.
    pub(crate) lines: VecDeque<String>,
    /// From start to end.
    pub(crate) took: Duration,
}

/// Runs `command` for at most `limit`; with `echo`, its standard output is shown too.
pub(crate) fn run(command: &mut Command, limit: Duration, echo: bool) -> Result<Ended> {
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .because(format!("{} cannot be started", command.get_program().display()))?;
    let stdout = child.stdout.take().ok_or_else(|| Failure::new("the child has no standard output"))?;
    let (finished, watch) = mpsc::channel::<()>();
    let pid = child.id();
    let watchdog = thread::spawn(move || {
        let overdue = watch.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout);
        if overdue {
            kill_with_descendants(pid);
        }
        overdue
    });
    let lines = read_lines(stdout, echo);
    let status = child.wait().because("the child cannot be waited for")?;
    drop(finished);
    let timed_out = watchdog.join().unwrap_or(false);
    Ok(Ended { ok: status.success() && !timed_out, timed_out, lines: lines?, took: started.elapsed() })
}

fn read_lines(stdout: impl Read, echo: bool) -> Result<VecDeque<String>> {
    let mut reader = BufReader::new(stdout);
    let mut lines = VecDeque::new();
    loop {
        let mut line = Vec::new();
        let read = reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
        if read.because("the child's output cannot be read")? == 0 {
            return Ok(lines);
        }
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        if echo {
            say(&text);
        }
        if lines.len() == LINES_KEPT_MAX {
            lines.pop_front();
        }
        lines.push_back(text);
    }
}

/// Kills a process and, where the system lists parents under `/proc`, everything it started: a test binary would
/// otherwise outlive the cargo that runs it.
fn kill_with_descendants(pid: u32) {
    let mut doomed = vec![pid];
    let parents = parents();
    let mut next = 0;
    while next < doomed.len() {
        let parent = doomed[next];
        doomed.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(child, _)| *child));
        next += 1;
    }
    let ids: Vec<String> = doomed.iter().map(u32::to_string).collect();
    // A process that ended meanwhile makes `kill` complain; there is nothing left to do for it.
    let _gone = Command::new("kill").arg("-KILL").args(ids).stderr(Stdio::null()).status().is_err();
}

/// Every process with its parent.
fn parents() -> Vec<(u32, u32)> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_string_lossy().parse::<u32>().ok());
    pids.filter_map(|pid| Some((pid, parent_of(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?)))
        .collect()
}

/// The fourth field; the second is a name in parentheses that may itself hold spaces and parentheses.
fn parent_of(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_is_read_past_an_awkward_name() {
        assert_eq!(parent_of("12 (a) b (c)) S 7 12 12 0"), Some(7));
        assert_eq!(parent_of("garbage"), None);
    }

    #[test]
    fn a_child_that_overstays_is_killed_with_its_own_children() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo begun; sleep 60; echo never"]);
        let ended = run(&mut shell, Duration::from_secs(3), false).expect("sh exists");
        assert!(ended.timed_out && !ended.ok);
        assert!(ended.took < Duration::from_secs(30));
        assert_eq!(ended.lines, ["begun"]);
    }
}
