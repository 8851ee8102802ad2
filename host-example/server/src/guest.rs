//! One connection as the server knows it: whether it was let in, what it does, and how long it may stay. Keeps two
//! rules: bytes alone buy a stranger no time, and silence counts only while the peer is the one who is silent.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::limits::Limits;

/// A connection. It is a stranger until one of its requests showed a right to what it asked for.
pub(super) struct Guest {
    opened: Instant,
    known: AtomicBool,
    /// Whether it speaks HTTP/2, where bytes move although no request does.
    framed: AtomicBool,
    /// Requests under way.
    turns: AtomicUsize,
    /// Work of the server during which no byte moves.
    busy: AtomicUsize,
    /// When a request last moved on, in milliseconds since it was opened.
    moved_ms: AtomicU64,
    /// Somebody else needs its place.
    leave: Notify,
}

impl Guest {
    pub(super) fn new() -> Guest {
        Guest {
            opened: Instant::now(),
            known: AtomicBool::new(false),
            framed: AtomicBool::new(false),
            turns: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
            moved_ms: AtomicU64::new(0),
            leave: Notify::new(),
        }
    }

    /// A request of this connection may do what it asks for.
    pub(super) fn let_in(&self) {
        self.known.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_stranger(&self) -> bool {
        !self.known.load(Ordering::Relaxed)
    }

    pub(super) fn speaks_http2(&self) -> bool {
        self.framed.load(Ordering::Relaxed)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.turns.load(Ordering::Relaxed) == 0
    }

    pub(super) fn age(&self) -> Duration {
        self.opened.elapsed()
    }

    /// How long no request moved.
    pub(super) fn quiet(&self) -> Duration {
        self.age().saturating_sub(Duration::from_millis(self.moved_ms.load(Ordering::Relaxed)))
    }

    /// A request moves on: a piece of a body came or went.
    pub(super) fn moved(&self) {
        let now = u64::try_from(self.age().as_millis()).unwrap_or(u64::MAX);
        self.moved_ms.store(now, Ordering::Relaxed);
    }

    /// A request begins; it is over when the result is dropped.
    pub(super) fn turn(self: &Arc<Guest>, is_http2: bool) -> Turn {
        self.framed.store(is_http2, Ordering::Relaxed);
        self.moved();
        self.turns.fetch_add(1, Ordering::Relaxed);
        Turn(Arc::clone(self))
    }

    /// Until the result is dropped, silence is the server's doing.
    pub(super) fn busy(self: &Arc<Guest>) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(self))
    }

    /// Asks the connection to end at once.
    pub(super) fn ask_to_leave(&self) {
        self.leave.notify_one();
    }

    /// Ends when the connection has to: it was asked to, or its time is over. One sleep per silence, none per byte.
    pub(super) async fn must_go(&self, limits: &Limits) {
        tokio::select! {
            () = self.leave.notified() => {}
            () = self.overdue(limits) => {}
        }
    }

    async fn overdue(&self, limits: &Limits) {
        loop {
            let left = if self.is_stranger() {
                limits.head.saturating_sub(self.age())
            } else if self.busy.load(Ordering::Relaxed) > 0 {
                limits.idle
            } else {
                limits.idle.saturating_sub(self.quiet())
            };
            if left.is_zero() {
                return;
            }
            // A stranger may be let in meanwhile, which shortens its time where it is patience that is short.
            tokio::time::sleep(left.min(limits.idle)).await;
        }
    }
}

/// A request under way.
pub(super) struct Turn(Arc<Guest>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.moved();
        self.0.turns.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Marks work of the server during which no byte moves.
pub(super) struct Busy(Arc<Guest>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.moved();
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A stream that tells what the peer takes.
pub(super) struct Watched {
    pub(super) stream: TcpStream,
    pub(super) guest: Arc<Guest>,
}

impl Watched {
    /// What HTTP/1.1 writes is an answer that the peer reads. HTTP/2 also answers pings, which are nothing.
    fn wrote(&self, written: io::Result<usize>) -> io::Result<usize> {
        if !self.guest.speaks_http2() {
            self.guest.moved();
        }
        written
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes));
        Poll::Ready(self.wrote(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, pieces));
        Poll::Ready(self.wrote(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
