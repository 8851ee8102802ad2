//! A blob on its way in: small ones wait in memory, large ones stream into a stage file that survives a stop.
//!
//! Rule: a stage belongs to one effect at a time (a lock on the file says so across processes), and its digest always
//! speaks of the stage from byte 0.

use std::fs::File;
use std::io::{self, IoSlice, Read, Seek, SeekFrom, Write};
use std::mem;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hyper::body::Bytes;
use rustix::fs::{FlockOperation, flock};

use super::folder::Folder;
use crate::digest::{Digesting, blob_of};
use crate::lanes::Lane;
use crate::wit::types::Blob;

/// Bytes of a blob that is kept in memory until it is kept for good.
pub const MEMORY_BYTES_MAX: u64 = 64 << 10;
/// Bytes gathered before a lane is given work.
const GATHER_BYTES: usize = 128 << 10;
/// Bytes read at once when a stage is hashed again.
const READ_BYTES: usize = 256 << 10;
/// Bytes of a validator at most.
const VALIDATOR_BYTES_MAX: usize = 512;

/// A received blob that nobody has judged yet.
pub(crate) enum Staged {
    /// In memory, all of it.
    Memory(Vec<u8>),
    /// In a file.
    File(StageFile),
}

/// An open stage file, locked by this process.
pub(crate) struct StageFile {
    pub(super) file: File,
    pub(super) folder: Rc<Folder>,
    pub(super) name: String,
    /// Nobody can resume it: another process has the stage of this name.
    pub(super) private: bool,
}

impl StageFile {
    /// The stage of an oid, or a private file when another process is writing that one.
    pub(super) fn open(folder: &Rc<Folder>, name: &str, private_name: &str) -> io::Result<StageFile> {
        let file = folder.open_or_create_file(name)?;
        if lock(&file) && folder.find(name)?.is_some() {
            return Ok(StageFile { file, folder: Rc::clone(folder), name: name.into(), private: false });
        }
        let file = folder.create_new(private_name)?;
        // Nobody else knows this name: the lock only tells a clean-up that the file is in use.
        lock(&file);
        Ok(StageFile { file, folder: Rc::clone(folder), name: private_name.into(), private: true })
    }

    /// The stage of an oid if it is there and nobody writes it.
    pub(super) fn existing(folder: &Rc<Folder>, name: &str) -> io::Result<Option<StageFile>> {
        let Some(file) = folder.open_existing(name)? else { return Ok(None) };
        if !lock(&file) {
            return Ok(None);
        }
        Ok(Some(StageFile { file, folder: Rc::clone(folder), name: name.into(), private: false }))
    }

    pub(super) fn size(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Another handle on the stage, at its first byte.
    pub(crate) fn rewound(&mut self) -> io::Result<File> {
        self.file.rewind()?;
        self.file.try_clone()
    }

    /// Forgets the stage.
    pub(super) fn remove(self) -> io::Result<()> {
        self.folder.remove(&validator_name(&self.name))?;
        self.folder.remove(&self.name)
    }

    /// Leaves what was written for a later run, unless no later run could find it.
    fn leave(self) -> io::Result<()> {
        if self.private { self.remove() } else { Ok(()) }
    }
}

fn lock(file: &File) -> bool {
    flock(file, FlockOperation::NonBlockingLockExclusive).is_ok()
}

fn validator_name(stage: &str) -> String {
    format!("{stage}.from")
}

/// What the answer that left a stage called itself.
pub(super) fn validator(folder: &Folder, stage: &str) -> Option<String> {
    let mut text = String::new();
    folder.read(&validator_name(stage)).ok()?.take(VALIDATOR_BYTES_MAX as u64).read_to_string(&mut text).ok()?;
    (!text.is_empty()).then_some(text)
}

fn note_validator(stage: &StageFile, validator: Option<&str>) -> io::Result<()> {
    let name = validator_name(&stage.name);
    stage.folder.remove(&name)?;
    match validator {
        Some(text) if text.len() <= VALIDATOR_BYTES_MAX && !stage.private => {
            stage.folder.create_new(&name)?.write_all(text.as_bytes())
        }
        _ => Ok(()),
    }
}

/// A blob being received.
pub(crate) enum Incoming {
    /// Small, so far.
    Memory(Vec<u8>),
    /// Large, or the rest of a stage.
    File(Writer),
}

/// Writes a stage in a lane while the loop receives.
pub(crate) struct Writer {
    sink: Arc<Mutex<Sink>>,
    broken: Arc<AtomicBool>,
    lane: Lane,
    stage: StageFile,
    gathered: Vec<Bytes>,
    gathered_bytes: usize,
}

struct Sink {
    file: File,
    digest: Digesting,
    error: Option<io::Error>,
}

impl Incoming {
    /// Takes the next bytes in; waits while the lane is behind. Bytes that no longer fit in memory need a writer:
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

    /// Hashes again what is kept of the stage, before anything is taken in.
    pub(crate) async fn rewind(&mut self, keep: u64) -> io::Result<()> {
        match self {
            Incoming::Memory(_) => Ok(()),
            Incoming::File(writer) => writer.rewind(keep).await,
        }
    }

    /// The end: what was received, from byte 0 of the stage.
    pub(crate) async fn finish(self) -> io::Result<(Blob, Staged)> {
        match self {
            Incoming::Memory(held) => Ok((blob_of(&held), Staged::Memory(held))),
            Incoming::File(writer) => writer.finish().await,
        }
    }

    /// Stops in the middle; what a later run can use stays.
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
    /// the lane works still has the stage to put in order.
    pub(super) fn begin(stage: StageFile, keep: u64, validator: Option<&str>, lane: Lane) -> io::Result<Writer> {
        if keep == 0 {
            stage.file.set_len(0)?;
            note_validator(&stage, validator)?;
        } else if stage.size()? < keep {
            return Err(io::Error::other("the beginning that was kept is gone"));
        }
        let file = stage.file.try_clone()?;
        let sink = Arc::new(Mutex::new(Sink { file, digest: Digesting::new(), error: None }));
        let broken = Arc::new(AtomicBool::new(false));
        Ok(Writer { sink, broken, lane, stage, gathered: Vec::new(), gathered_bytes: 0 })
    }

    async fn rewind(&mut self, keep: u64) -> io::Result<()> {
        if keep == 0 {
            return Ok(());
        }
        let sink = Arc::clone(&self.sink);
        self.lane.run(move || locked(&sink).rewind(keep)).await?
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
        self.lane
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
        locked(&self.sink).error.take().map_or(Ok(()), Err)
    }

    async fn finish(mut self) -> io::Result<(Blob, Staged)> {
        self.flush().await?;
        let sink = Arc::clone(&self.sink);
        let blob = self.lane.run(move || locked(&sink).finish()).await??;
        Ok((blob, Staged::File(self.stage)))
    }

    async fn leave(mut self) -> io::Result<()> {
        let flushed = self.flush().await;
        // A job at the end of the lane: once it ran, everything before it is written.
        let waited = self.lane.run(|| ()).await;
        self.stage.leave()?;
        flushed.and(waited)
    }
}

impl Sink {
    fn rewind(&mut self, keep: u64) -> io::Result<()> {
        self.file.set_len(keep)?;
        self.file.seek(SeekFrom::Start(0))?;
        let read = hash_into(&mut self.digest, &mut (&self.file).take(keep))?;
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
        match self.error.take() {
            Some(error) => Err(error),
            None => Ok(mem::take(&mut self.digest).finish()),
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

/// Hashes everything a reader has.
pub(crate) fn hash_into(digest: &mut Digesting, reader: &mut impl Read) -> io::Result<u64> {
    let mut buffer = vec![0; READ_BYTES];
    let mut total = 0;
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(read) => {
                digest.update(&buffer[..read]);
                total += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn locked(sink: &Mutex<Sink>) -> std::sync::MutexGuard<'_, Sink> {
    sink.lock().unwrap_or_else(PoisonError::into_inner)
}
