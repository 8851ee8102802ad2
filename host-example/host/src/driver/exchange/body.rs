//! A request body out of a file: what is sent is what is hashed, from one open file at one known state.
//!
//! Small slices are read and hashed here; large ones by a worker, a few pieces ahead of the network.

use std::fs::File;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use http_body::{Frame, SizeHint};
use hyper::body::Bytes;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::spawn_local;

use crate::contract::types::{Blob, Slice};
use crate::driver::answers::{Busy, Gauge};
use crate::driver::shared::Shared;
use crate::files::digest::Digesting;
use crate::files::platform::read_exact_at;
use crate::files::workers::Worker;
use crate::files::{Opened, Revision};
use crate::store::MEMORY_BYTES_MAX;

/// Bytes read at once.
const PIECE_BYTES: u64 = 256 << 10;
/// Pieces that wait for the network.
const PIECES_AHEAD: usize = 2;

/// The body itself; the HTTP library owns and polls it.
pub(super) struct FileBody {
    source: Source,
    left: u64,
    /// It is sent with its length; else in chunks, where the connection knows them.
    tells_length: bool,
    progress: Arc<Progress>,
    gauge: Arc<Gauge>,
    /// While the network waits for the disk.
    reading: Option<Busy>,
}

enum Source {
    Memory(Option<Bytes>),
    Worker(Receiver<Bytes>),
}

/// What the body did, seen from the exchange.
pub(super) struct Sending {
    opened: Opened,
    progress: Arc<Progress>,
}

#[derive(Default)]
struct Progress {
    digest: Mutex<Digesting>,
    complete: AtomicBool,
    broke: AtomicBool,
}

/// Opens the slice; none when the file is gone or not at its revision.
pub(super) fn open(shared: &Rc<Shared>, slice: &Slice, gauge: &Arc<Gauge>) -> io::Result<Option<(FileBody, Sending)>> {
    let Some(opened) = shared.open(&slice.name)? else { return Ok(None) };
    if !opened.revision.same(&Revision::from_text(&slice.revision)) {
        return Ok(None);
    }
    if slice.offset.checked_add(slice.length).is_none_or(|end| end > opened.size) {
        return Ok(None);
    }
    let progress = Arc::new(Progress::default());
    let source = if slice.length <= MEMORY_BYTES_MAX {
        match progress.read(&opened.file, slice.offset, slice.length) {
            Ok(bytes) => Source::Memory(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
    } else {
        let (sender, pieces) = channel(PIECES_AHEAD);
        let file = Arc::new(opened.file.try_clone()?);
        let reading = Reading { file, progress: Arc::clone(&progress), worker: shared.workers.pick()?, sender };
        spawn_local(reading.run(slice.offset, slice.length));
        Source::Worker(pieces)
    };
    progress.complete.store(slice.length == 0, Ordering::Release);
    let (left, gauge) = (slice.length, Arc::clone(gauge));
    let body = FileBody { source, left, tells_length: true, progress: Arc::clone(&progress), gauge, reading: None };
    Ok(Some((body, Sending { opened, progress })))
}

impl FileBody {
    /// The same, sent in chunks.
    pub(super) fn of_unknown_length(self) -> Self {
        Self { tells_length: false, ..self }
    }
}

/// Reads ahead of the network, one piece after the other.
struct Reading {
    file: Arc<File>,
    progress: Arc<Progress>,
    worker: Worker,
    sender: Sender<Bytes>,
}

impl Reading {
    async fn run(self, mut offset: u64, mut left: u64) {
        while left > 0 {
            let piece = left.min(PIECE_BYTES);
            let (file, progress) = (Arc::clone(&self.file), Arc::clone(&self.progress));
            let Ok(Ok(bytes)) = self.worker.run(move || progress.read(&file, offset, piece)).await else {
                // The body ends too early, which breaks the request.
                return self.progress.broke.store(true, Ordering::Release);
            };
            offset += piece;
            left -= piece;
            // Nobody takes it: the request is over.
            if self.sender.send(bytes).await.is_err() {
                return;
            }
        }
    }
}

impl Progress {
    fn read(&self, file: &File, offset: u64, length: u64) -> io::Result<Bytes> {
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        read_exact_at(file, &mut bytes, offset)?;
        self.digest().update(&bytes);
        Ok(bytes.into())
    }

    fn digest(&self) -> std::sync::MutexGuard<'_, Digesting> {
        self.digest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sending {
    /// Whether the whole body was taken to be sent.
    pub(super) fn is_complete(&self) -> bool {
        self.progress.complete.load(Ordering::Acquire)
    }

    /// Whether the file ended before the body did.
    pub(super) fn broke(&self) -> bool {
        self.progress.broke.load(Ordering::Acquire)
    }

    /// Whether the file is still in the state it was opened in.
    pub(super) fn unchanged(&self) -> io::Result<bool> {
        self.opened.unchanged()
    }

    /// Digest of what went out.
    pub(super) fn digest(&self) -> Blob {
        self.progress.digest().clone().finish()
    }
}

impl http_body::Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let next = match &mut self.source {
            Source::Memory(bytes) => Poll::Ready(bytes.take()),
            Source::Worker(pieces) => pieces.poll_recv(context),
        };
        self.reading = next.is_pending().then(|| self.gauge.busy());
        let next = ready!(next);
        let Some(bytes) = next.filter(|bytes| !bytes.is_empty()) else {
            let early = self.left > 0;
            return Poll::Ready(early.then(|| Err(io::ErrorKind::UnexpectedEof.into())));
        };
        self.left -= bytes.len() as u64;
        self.gauge.moved(bytes.len() as u64);
        if self.left == 0 {
            self.progress.complete.store(true, Ordering::Release);
        }
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        // A body without a length ends with its last chunk, also an empty one.
        self.left == 0 && self.tells_length
    }

    fn size_hint(&self) -> SizeHint {
        if self.tells_length { SizeHint::with_exact(self.left) } else { SizeHint::default() }
    }
}
