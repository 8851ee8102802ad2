//! A blob on its way in: small ones wait in memory, large ones stream through a worker into their stage.
//!
//! Rule: the digest always speaks of the stage from byte 0, and after a write that failed nothing more is written.

use std::fs::File;
use std::io::{self, IoSlice, Read, Seek, SeekFrom, Write};
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hyper::body::Bytes;

use super::stage::StageFile;
use crate::contract::types::Blob;
use crate::files::digest::{Digesting, blob_of};
use crate::files::workers::Worker;

/// Bytes of a blob that is kept in memory until it is kept for good.
pub const MEMORY_BYTES_MAX: u64 = 64 << 10;
/// Bytes gathered before a worker is given work.
const GATHER_BYTES: usize = 128 << 10;
/// Bytes read at once when a stage is hashed again.
const READ_BYTES: usize = 256 << 10;

/// A received blob that nobody has judged yet.
pub(crate) enum Staged {
    /// In memory, all of it.
    Memory(Vec<u8>),
    /// In a file.
    File(StageFile),
}

/// A blob being received.
pub(crate) enum Incoming {
    /// Small, so far.
    Memory(Vec<u8>),
    /// Large, or the rest of a stage.
    File(Writer),
}

/// Writes a stage by a worker while the loop receives.
pub(crate) struct Writer {
    sink: Arc<Mutex<Sink>>,
    broken: Arc<AtomicBool>,
    worker: Worker,
    stage: StageFile,
    gathered: Vec<Bytes>,
    gathered_bytes: usize,
}

struct Sink {
    file: File,
    digest: Digesting,
    /// Of the first write that failed; it stays.
    error: Option<io::Error>,
}

impl Incoming {
    /// Takes the next bytes in; waits while the worker is behind. Bytes that no longer fit in memory need a writer:
    /// they are handed back with the beginning.
    pub(crate) async fn take(&mut self, bytes: Bytes) -> io::Result<Option<Vec<u8>>> {
        match self {
            Incoming::Memory(held) => {
                held.extend_from_slice(&bytes);
                Ok((held.len() as u64 > MEMORY_BYTES_MAX).then(|| mem::take(held)))
            }
            Incoming::File(writer) => writer.take(bytes).await.map(|()| None),
        }
    }

    /// Hashes again what is kept of the stage, before anything is taken in. `step` may end that between two blocks.
    pub(crate) async fn rewind(&mut self, keep: u64, step: impl Step) -> io::Result<()> {
        match self {
            Incoming::File(writer) if keep > 0 => writer.rewind(keep, step).await,
            Incoming::Memory(_) | Incoming::File(_) => Ok(()),
        }
    }

    /// The end: what was received, from byte 0 of the stage.
    pub(crate) async fn finish(self) -> io::Result<(Blob, Staged)> {
        match self {
            Incoming::Memory(held) => Ok((blob_of(&held), Staged::Memory(held))),
            Incoming::File(writer) => writer.finish().await,
        }
    }

    /// Stops in the middle; what a later run can use stays. What waits in memory, its owner may keep.
    pub(crate) async fn leave(self) -> io::Result<()> {
        match self {
            Incoming::Memory(_) => Ok(()),
            Incoming::File(writer) => writer.leave().await,
        }
    }

    /// Stops in the middle, and leaves nothing.
    pub(crate) async fn discard(self) -> io::Result<()> {
        match self {
            Incoming::Memory(_) => Ok(()),
            Incoming::File(writer) => writer.stage.remove(),
        }
    }
}

impl Writer {
    /// Begins to write after the first `keep` bytes of the stage. It does no waiting, so that whoever is stopped while
    /// the worker works still has the stage to put in order.
    pub(super) fn begin(stage: StageFile, keep: u64, validator: Option<&str>, worker: Worker) -> io::Result<Writer> {
        if keep == 0 {
            stage.file.set_len(0)?;
            stage.note_validator(validator)?;
        } else if stage.size()? < keep {
            return Err(io::Error::other("the beginning that was kept is gone"));
        }
        let file = stage.file.try_clone()?;
        let sink = Arc::new(Mutex::new(Sink { file, digest: Digesting::new(), error: None }));
        let broken = Arc::new(AtomicBool::new(false));
        Ok(Writer { sink, broken, worker, stage, gathered: Vec::new(), gathered_bytes: 0 })
    }

    async fn rewind(&mut self, keep: u64, step: impl Step) -> io::Result<()> {
        let sink = Arc::clone(&self.sink);
        self.worker.run(move || locked(&sink).rewind(keep, step)).await?
    }

    async fn take(&mut self, bytes: Bytes) -> io::Result<()> {
        self.gathered_bytes += bytes.len();
        self.gathered.push(bytes);
        if self.gathered_bytes >= GATHER_BYTES { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.gathered_bytes = 0;
        let batch = mem::take(&mut self.gathered);
        let (sink, broken) = (Arc::clone(&self.sink), Arc::clone(&self.broken));
        self.worker
            .submit(move || {
                let mut sink = locked(&sink);
                sink.write(&batch);
                broken.store(sink.error.is_some(), Ordering::Release);
            })
            .await?;
        if !self.broken.load(Ordering::Acquire) {
            return Ok(());
        }
        // Only now the lock is worth waiting for: the stage cannot be written any further.
        locked(&self.sink).sound()
    }

    async fn finish(mut self) -> io::Result<(Blob, Staged)> {
        self.flush().await?;
        let sink = Arc::clone(&self.sink);
        let blob = self.worker.run(move || locked(&sink).finish()).await??;
        Ok((blob, Staged::File(self.stage)))
    }

    async fn leave(mut self) -> io::Result<()> {
        let flushed = self.flush().await;
        // A job at the end of the worker: once it ran, everything before it is written.
        let waited = self.worker.run(|| ()).await;
        drop(self.stage);
        flushed.and(waited)
    }
}

impl Sink {
    fn rewind(&mut self, keep: u64, step: impl Step) -> io::Result<()> {
        self.file.set_len(keep)?;
        self.file.seek(SeekFrom::Start(0))?;
        let read = hash_into(&mut self.digest, &mut (&self.file).take(keep), step)?;
        if read == keep { Ok(()) } else { Err(io::Error::other("the beginning that was kept is gone")) }
    }

    fn write(&mut self, batch: &[Bytes]) {
        if self.error.is_some() {
            return;
        }
        if let Err(error) = write_all(&mut self.file, batch) {
            self.error = Some(error);
            return;
        }
        for bytes in batch {
            self.digest.update(bytes);
        }
    }

    fn finish(&mut self) -> io::Result<Blob> {
        self.sound()?;
        Ok(mem::take(&mut self.digest).finish())
    }

    /// The error that ended the writing, as often as it is asked for.
    fn sound(&self) -> io::Result<()> {
        match &self.error {
            Some(error) => Err(error
                .raw_os_error()
                .map_or_else(|| io::Error::new(error.kind(), error.to_string()), io::Error::from_raw_os_error)),
            None => Ok(()),
        }
    }
}

fn write_all(file: &mut File, batch: &[Bytes]) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = batch.iter().map(|bytes| IoSlice::new(bytes)).collect();
    let mut left = slices.as_mut_slice();
    IoSlice::advance_slices(&mut left, 0);
    while !left.is_empty() {
        match file.write_vectored(left) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut left, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Told of every block of long work, by its bytes; an error of its ends the work.
pub(crate) trait Step: FnMut(u64) -> io::Result<()> + Send + 'static {}

impl<F: FnMut(u64) -> io::Result<()> + Send + 'static> Step for F {}

/// Nobody looks, and nobody stops it.
pub(crate) fn unwatched(_: u64) -> io::Result<()> {
    Ok(())
}

/// Hashes everything a reader has.
pub(crate) fn hash_into(digest: &mut Digesting, reader: &mut impl Read, mut step: impl Step) -> io::Result<u64> {
    let mut buffer = vec![0; READ_BYTES];
    let mut total = 0;
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(read) => {
                digest.update(&buffer[..read]);
                total += read as u64;
                step(read as u64)?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn locked(sink: &Mutex<Sink>) -> std::sync::MutexGuard<'_, Sink> {
    sink.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::{Digesting, Sink};

    #[test]
    fn the_error_of_a_failed_write_stays() {
        let full = File::options().write(true).open("/dev/full").expect("a full disk");
        let mut sink = Sink { file: full, digest: Digesting::new(), error: None };
        sink.write(&["some bytes".into()]);
        sink.file = File::options().write(true).open("/dev/null").expect("room again");
        sink.write(&["more bytes".into()]);
        for _ in 0..2 {
            assert_eq!(sink.sound().expect_err("it failed").kind(), std::io::ErrorKind::StorageFull);
        }
        assert!(sink.finish().is_err());
        assert_eq!(sink.digest.bytes(), 0, "what was not written is not hashed");
    }
}
