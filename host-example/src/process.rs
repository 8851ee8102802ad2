//! Runs one child program with every side bounded: input, output, error text and time.
//!
//! The rule it keeps: no child can fill memory or keep a command waiting for ever, and what a child says is never
//! trusted as text for a terminal before control characters are taken out.

use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Bytes of a child's error text that are kept.
pub const CHILD_STDERR_BYTES_MAX: u64 = 16 * 1024;
/// Milliseconds between two looks at a child that closed its output and has not ended yet.
const CHILD_EXIT_POLL_MS: u64 = 1;

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
}

impl std::fmt::Display for ChildFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(error) => write!(f, "it could not be run: {}", error.kind()),
            Self::TooMuchOutput => f.write_str("it wrote more than it may"),
            Self::TooSlow => f.write_str("it took too long"),
        }
    }
}

impl From<io::Error> for ChildFault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

enum Stream {
    Out(io::Result<Vec<u8>>),
    Err(Vec<u8>),
}

/// Runs a child to its end: feeds it `input`, collects what it says, ends it when it leaves its bounds.
pub fn run(mut command: Command, input: &[u8], bounds: Bounds) -> Result<Finished, ChildFault> {
    let deadline = Instant::now() + bounds.time_max;
    command.stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let streams = listen(&mut child, bounds.stdout_bytes_max);
    if let Some(mut stdin) = child.stdin.take() {
        let input = input.to_vec();
        // A child that closes its input early is no fault of ours: what it needed, it has read.
        thread::spawn(move || stdin.write_all(&input).is_ok());
    }
    let ended = collect(&streams, bounds.stdout_bytes_max, deadline)
        .and_then(|(stdout, stderr)| Ok(Finished { status: wait(&mut child, deadline)?, stdout, stderr }));
    if ended.is_err() {
        end(&mut child);
    }
    ended
}

fn listen(child: &mut Child, stdout_bytes_max: u64) -> mpsc::Receiver<Stream> {
    let (sender, receiver) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        let sender = sender.clone();
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = stdout.take(stdout_bytes_max.saturating_add(1)).read_to_end(&mut bytes);
            sender.send(Stream::Out(read.map(|_| bytes))).is_ok()
        });
    }
    if let Some(mut stderr) = child.stderr.take() {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let kept = stderr.by_ref().take(CHILD_STDERR_BYTES_MAX).read_to_end(&mut bytes);
            let sent = sender.send(Stream::Err(bytes)).is_ok();
            // The rest is read and dropped, so that a talkative child does not stop at a full pipe.
            sent && kept.is_ok() && io::copy(&mut stderr, &mut io::sink()).is_ok()
        });
    }
    receiver
}

fn collect(
    streams: &mpsc::Receiver<Stream>,
    stdout_bytes_max: u64,
    deadline: Instant,
) -> Result<(Vec<u8>, String), ChildFault> {
    let (mut stdout, mut stderr) = (None, None);
    while stdout.is_none() || stderr.is_none() {
        let left = deadline.saturating_duration_since(Instant::now());
        match streams.recv_timeout(left) {
            Ok(Stream::Out(bytes)) => {
                let bytes = bytes?;
                if bytes.len() as u64 > stdout_bytes_max {
                    return Err(ChildFault::TooMuchOutput);
                }
                stdout = Some(bytes);
            }
            Ok(Stream::Err(bytes)) => stderr = Some(plain(&String::from_utf8_lossy(&bytes))),
            Err(mpsc::RecvTimeoutError::Timeout) => return Err(ChildFault::TooSlow),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Err(ChildFault::Io(io::Error::from(io::ErrorKind::BrokenPipe)));
            }
        }
    }
    Ok((stdout.unwrap_or_default(), stderr.unwrap_or_default()))
}

fn wait(child: &mut Child, deadline: Instant) -> Result<ExitStatus, ChildFault> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() >= deadline {
            return Err(ChildFault::TooSlow);
        }
        thread::sleep(Duration::from_millis(CHILD_EXIT_POLL_MS));
    }
}

/// Ends a child that left its bounds and takes its exit status away. A child that is gone already is fine.
fn end(child: &mut Child) {
    if child.kill().is_ok() {
        child.wait().ok();
    }
}

/// Text of others without control characters: line ends become spaces, everything else that could steer a
/// terminal becomes U+FFFD.
pub fn plain(text: &str) -> String {
    text.trim()
        .chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' => ' ',
            c if c.is_control() || is_direction_mark(c) => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// Marks that reorder the text around them on a terminal.
fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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
    fn error_text_cannot_steer_a_terminal() {
        assert_eq!(plain(" a\u{1b}[31mb\nc\u{202e} "), "a\u{fffd}[31mb c\u{fffd}");
    }
}
