//! Runs one child program with every side bounded: input, output, error text and time.
//!
//! The rules it keeps: no child can fill memory or keep a command waiting for ever; what a child says is never trusted
//! as text for a terminal before control characters are taken out; no child inherits our login, and none writes traces
//! into the error text we quote.

use std::env;
use std::io::{self, Read, Write};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::text::plain;

/// Bytes of a child's error text that are kept.
pub const CHILD_STDERR_BYTES_MAX: u64 = 16 * 1024;
/// Microseconds until the second look at a child that closed its output: most are gone by then.
const CHILD_EXIT_POLL_US_MIN: u64 = 50;
/// Microseconds between two later looks at most.
const CHILD_EXIT_POLL_US_MAX: u64 = 1_000;
/// Milliseconds between two questions whether a child is still wanted.
const CHILD_STOP_POLL_MS: u64 = 20;
/// Milliseconds the end of the error text is waited for when the child is gone. A helper it left in the background (a
/// shared ssh connection) can hold that pipe open for hours.
const CHILD_STDERR_GRACE_MS: u64 = 200;
const READ_BYTES: usize = 4096;

/// Variables that only this program reads.
const OWN_VARIABLES: [&str; 3] = ["HYDRANT_LFS_TOKEN", "HYDRANT_LFS_USER", "HYDRANT_SERVE_TOKEN"];

/// What a child may use.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes of output; one byte more ends the child.
    pub stdout_bytes_max: u64,
    /// Time from start to end.
    pub time_max: Duration,
}

/// How a child ended.
#[derive(Debug)]
pub struct Finished {
    /// Its exit status.
    pub status: ExitStatus,
    /// All of its output.
    pub stdout: Vec<u8>,
    /// The beginning of its error text, without control characters.
    pub stderr: String,
}

impl Finished {
    /// Whether it ended with 0.
    pub fn success(&self) -> bool {
        self.status.success()
    }
}

/// Why a child could not be run to its end.
#[derive(Debug)]
pub enum ChildFault {
    /// It could not be started or watched.
    Io(io::Error),
    /// It wrote more than it may.
    TooMuchOutput,
    /// It ran longer than it may.
    TooSlow,
    /// Nobody wanted its answer any more.
    Stopped,
}

impl std::fmt::Display for ChildFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(error) => write!(f, "it could not be run: {}", error.kind()),
            Self::TooMuchOutput => f.write_str("it wrote more than it may"),
            Self::TooSlow => f.write_str("it took too long"),
            Self::Stopped => f.write_str("it was stopped"),
        }
    }
}

impl From<io::Error> for ChildFault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Runs a child to its end: feeds it `input`, collects what it says, ends it when it leaves its bounds.
pub fn run(command: Command, input: &[u8], bounds: Bounds) -> Result<Finished, ChildFault> {
    run_while(command, input, bounds, &|| true)
}

/// The same for a child that is ended as soon as nobody wants its answer any more.
pub fn run_while(
    mut command: Command,
    input: &[u8],
    bounds: Bounds,
    wanted: &dyn Fn() -> bool,
) -> Result<Finished, ChildFault> {
    let deadline = Instant::now() + bounds.time_max;
    keep_to_ourselves(&mut command);
    command.stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = spawn(&mut command)?;
    let stdout = listen(&mut child, bounds.stdout_bytes_max);
    let words = Words::of(child.stderr.take());
    if let Some(mut stdin) = child.stdin.take() {
        let input = input.to_vec();
        // A child that closes its input early is no fault of ours: what it needed, it has read.
        thread::spawn(move || stdin.write_all(&input).is_ok());
    }
    let ended = collect(&stdout, bounds.stdout_bytes_max, deadline, wanted)
        .and_then(|stdout| Ok((stdout, wait(&mut child, deadline)?)))
        .map(|(stdout, status)| Finished { status, stdout, stderr: words.so_far() });
    if ended.is_err() {
        end(&mut child);
    }
    ended
}

pub(crate) fn keep_to_ourselves(command: &mut Command) {
    OWN_VARIABLES.iter().for_each(|name| {
        command.env_remove(name);
    });
    let is_trace = |name: &str| name.starts_with("GIT_TRACE") || name == "GIT_CURL_VERBOSE";
    for (name, _) in env::vars_os().filter(|(name, _)| is_trace(&name.to_string_lossy())) {
        command.env_remove(name);
    }
}

/// Held while a child of ours is on its way to its own program.
static SPAWNING: Mutex<()> = Mutex::new(());

/// Starts a child; every child of this program is started here.
pub(crate) fn spawn(command: &mut Command) -> io::Result<Child> {
    let _alone = SPAWNING.lock().unwrap_or_else(PoisonError::into_inner);
    command.spawn()
}

/// Does something while no child is on its way. Until it runs its own program, a child has all open files of this one,
/// and with them every lock: one that was just let go can seem to be held by somebody else.
pub(crate) fn between_spawns<R>(act: impl FnOnce() -> R) -> R {
    let _alone = SPAWNING.lock().unwrap_or_else(PoisonError::into_inner);
    act()
}

fn listen(child: &mut Child, stdout_bytes_max: u64) -> mpsc::Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = stdout.take(stdout_bytes_max.saturating_add(1)).read_to_end(&mut bytes);
            sender.send(read.map(|_| bytes)).is_ok()
        });
    }
    receiver
}

fn collect(
    stdout: &mpsc::Receiver<io::Result<Vec<u8>>>,
    stdout_bytes_max: u64,
    deadline: Instant,
    wanted: &dyn Fn() -> bool,
) -> Result<Vec<u8>, ChildFault> {
    let bytes = loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match stdout.recv_timeout(left.min(Duration::from_millis(CHILD_STOP_POLL_MS))) {
            Ok(bytes) => break bytes?,
            Err(mpsc::RecvTimeoutError::Timeout) if !wanted() => return Err(ChildFault::Stopped),
            Err(mpsc::RecvTimeoutError::Timeout) if left.is_zero() => return Err(ChildFault::TooSlow),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Err(ChildFault::Io(io::Error::from(io::ErrorKind::BrokenPipe)));
            }
        }
    };
    if bytes.len() as u64 > stdout_bytes_max { Err(ChildFault::TooMuchOutput) } else { Ok(bytes) }
}

/// A child's error text, readable before its end.
pub(crate) struct Words {
    bytes: Arc<Mutex<Vec<u8>>>,
    /// Closes when the text is complete.
    ended: mpsc::Receiver<()>,
}

impl Words {
    pub(crate) fn of(stderr: Option<ChildStderr>) -> Self {
        let (sender, ended) = mpsc::channel();
        let bytes = Arc::new(Mutex::new(Vec::new()));
        if let Some(mut stderr) = stderr {
            let kept = Arc::clone(&bytes);
            thread::spawn(move || {
                let mut block = [0; READ_BYTES];
                // What is over the bound is read and dropped, so that a talkative child does not stop at a full pipe.
                while let Ok(length @ 1..) = stderr.read(&mut block) {
                    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                    let room = usize::try_from(CHILD_STDERR_BYTES_MAX).unwrap_or(usize::MAX).saturating_sub(kept.len());
                    kept.extend_from_slice(&block[..length.min(room)]);
                }
                drop(sender);
            });
        }
        Self { bytes, ended }
    }

    /// The text of a child that is gone, without control characters.
    pub(crate) fn so_far(&self) -> String {
        // Nothing is ever sent: the wait ends when the pipe does, or with the grace.
        self.ended.recv_timeout(Duration::from_millis(CHILD_STDERR_GRACE_MS)).ok();
        plain(&String::from_utf8_lossy(&self.bytes.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

pub(crate) fn wait(child: &mut Child, deadline: Instant) -> Result<ExitStatus, ChildFault> {
    let mut pause_us = CHILD_EXIT_POLL_US_MIN;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() >= deadline {
            return Err(ChildFault::TooSlow);
        }
        thread::sleep(Duration::from_micros(pause_us));
        pause_us = (pause_us * 2).min(CHILD_EXIT_POLL_US_MAX);
    }
}

/// Ends a child that left its bounds and takes its exit status away. A child that is gone already is fine.
pub(crate) fn end(child: &mut Child) {
    if child.kill().is_ok() {
        child.wait().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    const SHORT: Bounds = Bounds { stdout_bytes_max: 1000, time_max: Duration::from_secs(20) };

    #[test]
    fn input_output_and_status_come_through() {
        let ended = run(shell("cat; echo oops >&2; exit 3"), b"hello", SHORT).expect("it runs");
        assert_eq!(
            (ended.stdout.as_slice(), ended.stderr.as_str(), ended.status.code()),
            (&b"hello"[..], "oops", Some(3))
        );
    }

    #[test]
    fn too_much_output_ends_the_child() {
        let fault = run(shell("yes"), b"", SHORT).expect_err("it is endless");
        assert!(matches!(fault, ChildFault::TooMuchOutput));
    }

    #[test]
    fn too_much_time_ends_the_child() {
        let bounds = Bounds { time_max: Duration::from_millis(50), ..SHORT };
        assert!(matches!(run(shell("sleep 30"), b"", bounds), Err(ChildFault::TooSlow)));
    }

    #[test]
    fn a_child_that_nobody_wants_is_ended() {
        let started = Instant::now();
        let fault = run_while(shell("sleep 30"), b"", SHORT, &|| started.elapsed() < Duration::from_millis(50));
        assert!(matches!(fault, Err(ChildFault::Stopped)));
        assert!(started.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_helper_left_behind_does_not_hold_us_up() {
        let started = Instant::now();
        let ended =
            run(shell("echo words >&2; sleep 15 >/dev/null <&- & sleep 0.3; echo out"), b"", SHORT).expect("it runs");
        assert_eq!((ended.stdout.as_slice(), ended.stderr.as_str()), (&b"out\n"[..], "words"));
        assert!(started.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn our_login_stays_with_us() {
        let mut command = shell("echo \"${HYDRANT_LFS_TOKEN-none} ${GIT_PAGER-none}\"");
        command.env("HYDRANT_LFS_TOKEN", "secret").env("GIT_PAGER", "cat");
        let ended = run(command, b"", SHORT).expect("it runs");
        assert_eq!(ended.stdout, b"none cat\n");
    }

    #[test]
    fn error_text_cannot_steer_a_terminal() {}
}
