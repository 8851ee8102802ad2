//! A blob on its way out: read from disk in pieces, as fast as the socket takes them and no faster. Keeps two rules:
//! each piece is counted as memory until it is sent, and on HTTP/2 no piece is longer than what was taken before it,
//! so that a stream whose window stays closed costs next to nothing.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use hyper::body::Bytes;

use super::Shared;
use super::budget::{Exhausted, Lease, Waiting};
use super::guest::Guest;
use super::limits::{FIRST_PIECE_BYTES, PIECE_BYTES};

use crate::platform::read_exact_at;

/// Part of a blob, read piece by piece as the socket takes it.
pub(super) struct BlobBody {
    shared: Arc<Shared>,
    guest: Arc<Guest>,
    file: File,
    at: u64,
    left: u64,
    piece_bytes: usize,
    /// Memory that is not there yet.
    waiting: Option<Waiting>,
}

impl BlobBody {
    /// The `length` bytes from `first` on.
    pub(super) fn new(shared: Arc<Shared>, guest: Arc<Guest>, file: File, first: u64, length: u64) -> BlobBody {
        let piece_bytes = if guest.speaks_http2() { FIRST_PIECE_BYTES } else { PIECE_BYTES };
        BlobBody { shared, guest, file, at: first, left: length, piece_bytes, waiting: None }
    }

    /// Bytes that are not read yet.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    pub(super) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(self.piece_bytes);
        let lease = ready!(self.poll_lease(cx, length));
        Poll::Ready(Some(match lease {
            Ok(lease) => self.piece(length, lease),
            Err(Exhausted) => Err(io::Error::new(io::ErrorKind::OutOfMemory, "the server is busy")),
        }))
    }

    fn poll_lease(&mut self, cx: &mut Context<'_>, length: usize) -> Poll<Result<Lease, Exhausted>> {
        if self.waiting.is_none() {
            let mut lease = self.shared.budget.lease(&self.guest);
            if lease.try_grow(length).is_ok() {
                return Poll::Ready(Ok(lease));
            }
            self.waiting = Some(lease.grown(length));
        }
        let lease = match &mut self.waiting {
            Some(waiting) => ready!(waiting.as_mut().poll(cx)),
            None => Err(Exhausted),
        };
        self.waiting = None;
        Poll::Ready(lease)
    }

    fn piece(&mut self, length: usize, lease: Lease) -> io::Result<Bytes> {
        let mut bytes = vec![0; length];
        read_exact_at(&self.file, &mut bytes, self.at)?;
        self.at += length as u64;
        self.left -= length as u64;
        self.piece_bytes = (self.piece_bytes * 2).min(PIECE_BYTES);
        self.guest.moved();
        self.shared.counters.bytes_out.fetch_add(length as u64, Ordering::Relaxed);
        Ok(lease.bind(bytes))
    }
}
