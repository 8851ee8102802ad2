//! Commands of which the output may be too long to keep: what the last one says is read piece by piece.
//!
//! Rule: nothing of it outlives its time.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::fault::GitFault;
use crate::process::{ChildFault, Words, end, keep_to_ourselves, spawn, wait};

/// Bytes of a piece.
const PIECE_BYTES: usize = 64 << 10;
/// Pieces that wait to be read.
const PIECES_AHEAD: usize = 4;
/// Bytes of one record at most: a path and the facts before it.
const RECORD_BYTES_MAX: u64 = 1 << 20;
/// How git ends when it does not know what it was told to do.
pub(crate) const USAGE: i32 = 129;

/// What the last command says.
pub(crate) struct Said(BufReader<Pieces>);

impl Said {
    /// What is read from here; nobody waits for it longer than so long from now.
    fn of(output: impl Read + Send + 'static, patience: Duration) -> Self {
        let (sender, pieces) = sync_channel(PIECES_AHEAD);
        thread::spawn(move || forward(output, &sender));
        let deadline = Instant::now() + patience;
        Self(BufReader::new(Pieces { pieces, now: Vec::new(), at: 0, deadline, is_over: false }))
    }

    /// The next record, without the byte that ends it; none at the end.
    pub(crate) fn record(&mut self, ends_with: u8) -> Result<Option<Vec<u8>>, GitFault> {
        let mut record = Vec::new();
        (&mut self.0).take(RECORD_BYTES_MAX).read_until(ends_with, &mut record).map_err(of_reading)?;
        match record.pop() {
            None => Ok(None),
            Some(last) if last == ends_with => Ok(Some(record)),
            Some(_) => Err(GitFault::Unreadable),
        }
    }

    /// So many bytes, piece by piece.
    pub(crate) fn pieces(&mut self, count: u64, mut see: impl FnMut(&[u8])) -> Result<(), GitFault> {
        let mut left = count;
        while left > 0 {
            let ready = self.0.fill_buf().map_err(of_reading)?;
            let length = ready.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if length == 0 {
                return Err(GitFault::Unreadable);
            }
            see(&ready[..length]);
            self.0.consume(length);
            left -= length as u64;
        }
        Ok(())
    }
}

/// A command that stays and is told again and again what to say. It ends when this is dropped.
pub(super) struct Talk {
    running: Running,
    requests: Sender<Vec<u8>>,
    said: Said,
}

impl Talk {
    /// Starts it; it says nothing yet.
    pub(super) fn start(command: Command, patience: Duration) -> Result<Self, GitFault> {
        let (requests, fed) = channel();
        let (running, said) = Running::start(vec![command], Some(fed), patience)?;
        Ok(Self { running, requests, said })
    }

    /// Which process it is.
    #[cfg(test)]
    pub(super) fn id(&self) -> u32 {
        self.running.children.first().map_or(0, |(child, _)| child.id())
    }

    /// Whether nobody ended it meanwhile.
    pub(super) fn is_alive(&mut self) -> bool {
        self.running.children.iter_mut().all(|(child, _)| matches!(child.try_wait(), Ok(None)))
    }

    /// Asks, and reads the answer. After a failure it is of no use any more.
    pub(super) fn ask<R>(
        &mut self,
        request: Vec<u8>,
        patience: Duration,
        take: &mut dyn FnMut(&mut Said) -> Result<R, GitFault>,
    ) -> Result<R, GitFault> {
        let deadline = Instant::now() + patience;
        self.said.0.get_mut().deadline = deadline;
        // It is written beside, so that a command that does not listen is given up all the same. Nobody writes to one
        // that has ended; that its answer ends, too, is seen next.
        self.requests.send(request).ok();
        take(&mut self.said).map_err(|why| {
            // One that closed its output is about to end, and says why.
            if self.said.0.get_ref().is_over {
                self.running.children.iter_mut().all(|(child, _)| wait(child, deadline).is_ok());
            }
            self.running.finish_broken().unwrap_or(why)
        })
    }
}

/// The commands, first to last.
pub(super) struct Running {
    children: Vec<(Child, Words)>,
}

impl Running {
    /// Starts them; the first one reads what is sent, until nobody can send any more.
    pub(super) fn start(
        commands: Vec<Command>,
        mut fed: Option<Receiver<Vec<u8>>>,
        patience: Duration,
    ) -> Result<(Self, Said), GitFault> {
        let mut running = Self { children: Vec::new() };
        let mut input = if fed.is_some() { Stdio::piped() } else { Stdio::null() };
        let last = commands.len();
        for mut command in commands {
            keep_to_ourselves(&mut command);
            command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = spawn(&mut command).map_err(ChildFault::Io)?;
            if let (Some(mut stdin), Some(fed)) = (child.stdin.take(), fed.take()) {
                // A command that closes its input early explains that itself.
                thread::spawn(move || fed.iter().all(|bytes| stdin.write_all(&bytes).is_ok()));
            }
            let words = Words::of(child.stderr.take());
            let output = child.stdout.take();
            running.children.push((child, words));
            let Some(output) = output else { break };
            if running.children.len() == last {
                return Ok((running, Said::of(output, patience)));
            }
            input = Stdio::from(output);
        }
        Err(GitFault::Unreadable)
    }

    pub(super) fn finish(&mut self, deadline: Instant) -> Result<(), GitFault> {
        for (child, words) in &mut self.children {
            if !wait(child, deadline)?.success() {
                return Err(GitFault::Refused(words.so_far()));
            }
        }
        Ok(())
    }

    /// What a command that failed by itself said. One that only lost its reader has nothing to say.
    pub(super) fn finish_broken(&mut self) -> Option<GitFault> {
        self.children.iter_mut().find_map(|(child, words)| match child.try_wait().ok()??.code()? {
            0 => None,
            USAGE => Some(GitFault::Usage),
            _ => Some(words.so_far()).filter(|said| !said.is_empty()).map(GitFault::Refused),
        })
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
    /// Its end was met.
    is_over: bool,
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
            self.is_over |= self.now.is_empty();
        }
        let length = into.len().min(self.now.len() - self.at);
        into[..length].copy_from_slice(&self.now[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}

fn of_reading(error: io::Error) -> GitFault {
    GitFault::Child(if error.kind() == io::ErrorKind::TimedOut { ChildFault::TooSlow } else { ChildFault::Io(error) })
}
