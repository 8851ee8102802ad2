//! A blob on its way out: read from disk in pieces of a fixed size, as fast as the socket takes them and no faster.

use std::fs::File;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};

use super::Shared;
use super::limits::PIECE_BYTES;

use crate::platform::read_exact_at;

/// Part of a blob, read piece by piece as the socket takes it.
pub(super) struct BlobBody {
    shared: Arc<Shared>,
    file: File,
    at: u64,
    left: u64,
}

impl BlobBody {
    /// The `length` bytes from `first` on.
    pub(super) fn new(shared: Arc<Shared>, file: File, first: u64, length: u64) -> BlobBody {
        BlobBody { shared, file, at: first, left: length }
    }

    fn piece(&mut self) -> io::Result<Bytes> {
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(PIECE_BYTES);
        let mut bytes = vec![0; length];
        read_exact_at(&self.file, &mut bytes, self.at)?;
        self.at += length as u64;
        self.left -= length as u64;
        self.shared.counters.bytes_out.fetch_add(length as u64, Ordering::Relaxed);
        Ok(bytes.into())
    }
}

impl Body for BlobBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let more = self.left > 0;
        Poll::Ready(more.then(|| self.piece().map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
