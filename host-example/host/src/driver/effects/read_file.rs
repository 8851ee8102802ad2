//! Reads one file of the user's, for its digest: tiny ones are fed, small ones hashed here, large ones by a worker, and
//! so are all that are looked through for secrets. One that the engine looks into is fed whatever its length.
//!
//! A blob of the cache is read in the same way: its digest is what makes it content.
//!
//! Rule: the revision that is answered is the one these bytes had: a file that changes while it is read is read again,
//! a few times; one that was fed cannot be, so it fails.

use std::fs::File;
use std::io::{self, Read};
use std::rc::Rc;
use std::sync::Arc;

use tokio::task::spawn_local;

use crate::contract::failure::{of_io, reply};
use crate::contract::names::{CHUNK_BYTES_MAX, POINTER_BYTES_LIMIT};
use crate::contract::types::{self, Failure, Reply};
use crate::driver::answers::{Answers, Gauge};
use crate::driver::shared::Shared;
use crate::files::digest::{Digesting, blob_of};
use crate::files::platform::read_at;
use crate::files::{Files, Opened, Revision};
use crate::gate::{Beside, Looked, Sought};
use crate::store::{MEMORY_BYTES_MAX, hash_into};

/// Times a file is read again because it changed.
const READS_MAX: u32 = 3;

/// What a reading came to.
struct Done {
    reading: Reading,
    revision: Revision,
    /// What the same bytes are to the gate.
    looked: Option<Looked>,
}

/// What a reading gave.
enum Reading {
    /// The bytes themselves.
    Bytes(Vec<u8>),
    /// What they hash to.
    Hashed(crate::contract::types::Blob),
}

/// Reads and answers, by a worker when the file is large.
pub(super) fn begin(shared: &Rc<Shared>, reading: &types::Reading, answers: Answers) {
    let types::Reading { name, as_chunks } = reading;
    let files = shared.files_of(name).cloned();
    let sought = shared.gate.as_ref().map(|gate| Arc::clone(gate.sought()));
    match shared.open(name) {
        Ok(None) => answers.last(Reply::Absent),
        Ok(Some(opened)) if opened.size > MEMORY_BYTES_MAX && *as_chunks => {
            drop(spawn_local(feed(Rc::clone(shared), name.to_owned(), opened, answers)));
        }
        // What is looked through for secrets takes its time, however small it is: an archive may hold much.
        Ok(Some(opened)) if opened.size <= MEMORY_BYTES_MAX && sought.is_none() => {
            let read = read(files.as_ref(), name, opened, *as_chunks, None, &answers.gauge);
            answer(shared, name, read, answers);
        }
        Ok(Some(opened)) => {
            let (shared, name, as_chunks) = (Rc::clone(shared), name.to_owned(), *as_chunks);
            let (gauge, from) = (Arc::clone(&answers.gauge), name.clone());
            spawn_local(async move {
                let read = move || read(files.as_ref(), &from, opened, as_chunks, sought.as_deref(), &gauge);
                let done = async { shared.workers.pick()?.run(read).await? };
                answer(&shared, &name, done.await, answers);
            });
        }
        Err(error) => answers.last(Reply::Failed(of_io(&error))),
    }
}

/// Feeds a large file, a piece at a time: the next one is read when this one was taken.
async fn feed(shared: Rc<Shared>, name: String, opened: Opened, answers: Answers) {
    let fed = async {
        let worker = shared.workers.pick()?;
        let file = Arc::new(opened.file.try_clone()?);
        let beside = shared.gate.as_ref().map(|gate| Beside::begin(gate.sought())).transpose()?;
        let mut at = 0;
        loop {
            answers.gauge.still_wanted()?;
            let from = Arc::clone(&file);
            let piece = worker.run(move || read_piece(&from, at)).await??;
            if piece.is_empty() {
                break;
            }
            at += piece.len() as u64;
            if let Some(beside) = &beside {
                beside.push(piece.clone()).await?;
            }
            answers.say(Reply::Chunk(piece));
        }
        if at != opened.size || !opened.unchanged()? {
            return Err(changing());
        }
        let Some(beside) = beside else { return Ok(None) };
        let looked = beside.end().await?;
        let Some(sought) = shared.gate.as_ref().map(|gate| Arc::clone(gate.sought())) else { return Ok(None) };
        worker.run(move || sought.in_parts(&file, looked)).await?.map(Some)
    };
    match fed.await {
        Ok(looked) if !is_let_out(&shared, &name, &opened.revision, looked.as_ref()) => {
            answers.last(held(&shared, &name))
        }
        Ok(_) => {
            answers.say(Reply::End);
            answers.last(Reply::At(opened.revision.text()));
        }
        Err(error) => answers.last(Reply::Failed(of_io(&error))),
    }
}

fn read_piece(file: &File, at: u64) -> io::Result<Vec<u8>> {
    let mut piece = vec![0; CHUNK_BYTES_MAX];
    let mut filled = 0;
    while filled < piece.len() {
        match read_at(file, &mut piece[filled..], at + filled as u64)? {
            0 => break,
            read => filled += read,
        }
    }
    piece.truncate(filled);
    Ok(piece)
}

fn changing() -> io::Error {
    io::Error::new(io::ErrorKind::ResourceBusy, "the file keeps changing")
}

/// Whether the gate lets a file out that was read. Without a gate nothing goes out.
fn is_let_out(shared: &Shared, name: &str, revision: &Revision, looked: Option<&Looked>) -> bool {
    match (&shared.gate, looked) {
        (Some(gate), Some(looked)) => gate.take_file(name, revision, looked),
        (Some(_), None) => false,
        (None, _) => true,
    }
}

fn held(shared: &Shared, name: &str) -> Reply {
    reply(Failure::Refused, &shared.gate.as_ref().map(|gate| gate.why_held(name)).unwrap_or_default())
}

fn answer(shared: &Shared, name: &str, read: io::Result<Option<Done>>, answers: Answers) {
    match read {
        Ok(Some(read)) if !is_let_out(shared, name, &read.revision, read.looked.as_ref()) => {
            answers.last(held(shared, name))
        }
        Ok(Some(Done { reading, revision, .. })) => {
            match reading {
                Reading::Bytes(bytes) => {
                    if !bytes.is_empty() {
                        answers.say(Reply::Chunk(bytes));
                    }
                    answers.say(Reply::End);
                }
                Reading::Hashed(blob) => answers.say(Reply::Received(blob)),
            }
            answers.last(Reply::At(revision.text()));
        }
        Ok(None) => answers.last(Reply::Absent),
        Err(error) => answers.last(Reply::Failed(of_io(&error))),
    }
}

/// Reads until the file held still meanwhile.
fn read(
    files: Option<&Files>,
    name: &str,
    mut opened: Opened,
    as_chunks: bool,
    sought: Option<&Sought>,
    gauge: &Arc<Gauge>,
) -> io::Result<Option<Done>> {
    for _ in 0..READS_MAX {
        let (reading, looked) = read_once(&mut opened, as_chunks, sought, gauge)?;
        if opened.unchanged()? {
            return Ok(Some(Done { reading, revision: opened.revision, looked }));
        }
        // A blob of the store changes no more than once.
        let Some(files) = files else { break };
        opened = match files.open(name)? {
            Some(opened) => opened,
            None => return Ok(None),
        };
    }
    Err(changing())
}

/// A file that does not end is cancelled by the engine, which is told how far this is: each block looks for that.
fn read_once(
    opened: &mut Opened,
    as_chunks: bool,
    sought: Option<&Sought>,
    gauge: &Arc<Gauge>,
) -> io::Result<(Reading, Option<Looked>)> {
    if opened.size <= MEMORY_BYTES_MAX {
        let mut bytes = Vec::with_capacity(usize::try_from(opened.size).unwrap_or(0) + 1);
        // One byte more than expected is read, so that a file that grew shows it.
        (&opened.file).take(MEMORY_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        let looked = sought.map(|sought| sought.in_bytes(&opened.file, &bytes)).transpose()?;
        // What could be a pointer, the engine looks into.
        let is_fed = as_chunks || bytes.len() < POINTER_BYTES_LIMIT;
        let reading = match &looked {
            _ if is_fed => Reading::Bytes(bytes),
            Some(looked) => Reading::Hashed(looked.blob.clone()),
            None => Reading::Hashed(blob_of(&bytes)),
        };
        return Ok((reading, looked));
    }
    let gauge = Arc::clone(gauge);
    gauge.begin_anew();
    let step = move |bytes| {
        gauge.moved(bytes);
        gauge.still_wanted()
    };
    if let Some(sought) = sought {
        let looked = sought.in_file(&mut opened.file, step)?;
        return Ok((Reading::Hashed(looked.blob.clone()), Some(looked)));
    }
    let mut digest = Digesting::new();
    hash_into(&mut digest, &mut opened.file, step)?;
    Ok((Reading::Hashed(digest.finish()), None))
}
