//! git commands whose output may be too long to keep: each feeds the next, and what the last one says is read piece by
//! piece.
//!
//! Rule: nothing of it outlives its time, and a chain of which one command failed said nothing at all.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::words;
use crate::contract::types::{Failed, Failure};
use crate::git::{GIT_REMOTE_SECONDS_MAX, Git, GitFault};
use crate::process::{ChildFault, Words, end, keep_to_ourselves, spawn, wait};

/// Bytes of a piece.
const PIECE_BYTES: usize = 64 << 10;
/// Pieces that wait to be read.
const PIECES_AHEAD: usize = 4;
/// Bytes of one record at most: a path and the facts before it.
const RECORD_BYTES_MAX: u64 = 1 << 20;

/// What the last command says.
pub(super) struct Said(BufReader<Pieces>);

impl Said {
    /// The next record, without the byte that ends it; none at the end.
    pub(super) fn record(&mut self, ends_with: u8) -> Result<Option<Vec<u8>>, Failed> {
        let mut record = Vec::new();
        (&mut self.0).take(RECORD_BYTES_MAX).read_until(ends_with, &mut record).map_err(of_reading)?;
        match record.pop() {
            None => Ok(None),
            Some(last) if last == ends_with => Ok(Some(record)),
            Some(_) => Err(unreadable()),
        }
    }

    /// So many bytes.
    pub(super) fn bytes(&mut self, count: usize) -> Result<Vec<u8>, Failed> {
        let mut bytes = vec![0; count];
        self.0.read_exact(&mut bytes).map_err(of_reading)?;
        Ok(bytes)
    }
}

/// Runs the chain and reads what its last command says to the end.
pub(super) fn read<R>(
    git: &Git,
    chain: &[&[&str]],
    take: impl FnMut(&mut Said) -> Result<R, Failed>,
) -> Result<R, Failed> {
    read_fed(git, None, chain, take)
}

/// The same for a chain whose first command reads what it is to do.
pub(super) fn read_fed<R>(
    git: &Git,
    input: Option<Vec<u8>>,
    chain: &[&[&str]],
    mut take: impl FnMut(&mut Said) -> Result<R, Failed>,
) -> Result<R, Failed> {
    let deadline = Instant::now() + Duration::from_secs(GIT_REMOTE_SECONDS_MAX);
    let mut running = Running::start(git, input, chain)?;
    let Some(output) = running.children.last_mut().and_then(|(child, _)| child.stdout.take()) else {
        return Err(unreadable());
    };
    let (sender, pieces) = sync_channel(PIECES_AHEAD);
    thread::spawn(move || forward(output, &sender));
    let mut said = Said(BufReader::new(Pieces { pieces, now: Vec::new(), at: 0, deadline }));
    let taken = take(&mut said);
    drop(said);
    match taken {
        Ok(taken) => running.finish(deadline).map(|()| taken),
        // A command that failed explains more than the answer that broke off.
        Err(why) => Err(running.finish_broken().unwrap_or(why)),
    }
}

/// The commands, first to last.
struct Running {
    children: Vec<(Child, Words)>,
}

impl Running {
    fn start(git: &Git, mut fed: Option<Vec<u8>>, chain: &[&[&str]]) -> Result<Self, Failed> {
        let mut running = Self { children: Vec::new() };
        let mut input = if fed.is_some() { Stdio::piped() } else { Stdio::null() };
        for arguments in chain {
            let mut command = git.command();
            keep_to_ourselves(&mut command);
            command.args(*arguments).stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = spawn(&mut command).map_err(words::of_file)?;
            if let (Some(mut stdin), Some(bytes)) = (child.stdin.take(), fed.take()) {
                // A command that closes its input early explains that itself.
                thread::spawn(move || stdin.write_all(&bytes).is_ok());
            }
            let words = Words::of(child.stderr.take());
            let is_last = running.children.len() + 1 == chain.len();
            input = match child.stdout.take() {
                Some(output) if !is_last => Stdio::from(output),
                output => {
                    child.stdout = output;
                    Stdio::null()
                }
            };
            running.children.push((child, words));
        }
        Ok(running)
    }

    fn finish(&mut self, deadline: Instant) -> Result<(), Failed> {
        for (child, words) in &mut self.children {
            let status = wait(child, deadline).map_err(|fault| words::of_fault(GitFault::Child(fault)))?;
            if !status.success() {
                return Err(words::of_fault(GitFault::Refused(words.so_far())));
            }
        }
        Ok(())
    }

    /// What a command that failed by itself said. One that only lost its reader has nothing to say.
    fn finish_broken(&mut self) -> Option<Failed> {
        let said = self.children.iter_mut().find_map(|(child, words)| {
            let failed = matches!(child.try_wait(), Ok(Some(status)) if status.code().is_some_and(|code| code != 0));
            failed.then(|| words.so_far()).filter(|said| !said.is_empty())
        });
        said.map(|said| words::of_fault(GitFault::Refused(said)))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Those that have ended are not there to be killed any more.
        self.children.iter_mut().for_each(|(child, _)| end(child));
    }
}

fn forward(mut output: impl Read, pieces: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut piece = vec![0; PIECE_BYTES];
        let read = output.read(&mut piece).map(|length| {
            piece.truncate(length);
            piece
        });
        let is_over = read.as_ref().map_or(true, Vec::is_empty);
        if pieces.send(read).is_err() || is_over {
            return;
        }
    }
}

/// Output as it comes, with an end to the patience.
struct Pieces {
    pieces: Receiver<io::Result<Vec<u8>>>,
    now: Vec<u8>,
    at: usize,
    deadline: Instant,
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.now.len() {
            let left = self.deadline.saturating_duration_since(Instant::now());
            self.now = match self.pieces.recv_timeout(left) {
                Ok(piece) => piece?,
                Err(RecvTimeoutError::Timeout) => return Err(io::ErrorKind::TimedOut.into()),
                Err(RecvTimeoutError::Disconnected) => Vec::new(),
            };
            self.at = 0;
        }
        let length = into.len().min(self.now.len() - self.at);
        into[..length].copy_from_slice(&self.now[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}

fn of_reading(error: io::Error) -> Failed {
    match error.kind() {
        io::ErrorKind::TimedOut => words::of_fault(GitFault::Child(ChildFault::TooSlow)),
        io::ErrorKind::UnexpectedEof => unreadable(),
        _ => words::of_file(error),
    }
}

/// An answer that is not what git is known to say.
pub(super) fn unreadable() -> Failed {
    words::failed(Failure::Io, "git's answer cannot be read")
}
