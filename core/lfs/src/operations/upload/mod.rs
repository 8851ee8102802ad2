//! Uploads files: hash, ask, send what was hashed, verify.
//!
//! ```text
//! Read ──► Ask ──present──────────────────────────► Ended(receipt)
//!           ▲ └─upload──► Ready ──► Send ──2xx──► Verify ──2xx──┘
//!           └──401, 403, 429, 5xx, broken──┘─────────┘
//! ```
//!
//! Hashing goes on while earlier files are sent; a held upload waits between reading and asking. Files with the same
//! oid are sent once and share the result. A receipt comes only from a completed upload, or from a response that the
//! server has the bytes we hold.

mod receipt;
mod sending;

pub use receipt::Receipt;

use super::Machine;
use crate::contract::{
    Direction, Effect, EffectId, Login, Outcome, Progress, Reading, Revision, Source, TransferReport,
};
use crate::git_lfs::batch::{Action, Verdict};
use crate::git_lfs::pointer;
use crate::order::SortedMap;
use crate::protocol::batch_queue::{BatchQueue, ObjectAnswer};
use crate::protocol::call::Call;
use crate::protocol::link::Link;
use crate::protocol::outbox::{Event, Outbox};
use crate::protocol::outgoing::Outgoing;
use crate::protocol::refusal;
use crate::protocol::scheduler::Scheduler;
use crate::text::error::{Code, Error};
use crate::text::limits::{NOTE_MS_MIN, READS_IN_FLIGHT_MAX};
use crate::text::oid::{Blob, Oid};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

/// The machine behind `upload`.
#[derive(Debug)]
pub struct Upload {
    files: Vec<File>,
    unread: VecDeque<usize>,
    reading: usize,
    /// Files that are sent for all files with the same bytes, in the order of their oids.
    senders: Vec<usize>,
    queue: BatchQueue,
    scheduler: Scheduler,
    verifying: Vec<usize>,
    effects: SortedMap<EffectId, usize>,
    left: usize,
    stopped: bool,
    /// Nothing is asked before [`Upload::release`].
    held: bool,
    /// The file whose bytes the caller reads while they are hashed.
    watched: Option<usize>,
}

#[derive(Debug)]
struct File {
    source: Source,
    /// What it hashed to, and at which revision.
    read: Option<(Blob, Revision)>,
    phase: Phase,
    retries: u32,
    refusals: u32,
    noted: u64,
    /// It grew over the limit while it was read.
    oversize: bool,
}

/// See the graph above.
#[derive(Debug)]
enum Phase {
    Read,
    /// Hashed, and waiting for [`Upload::release`].
    Held,
    Ask,
    Ready {
        upload: Action,
        verify: Option<Action>,
        authenticated: bool,
    },
    Send(Box<Send>),
    Verify(Box<Call>),
    Wait,
    /// Another file has the same bytes and is sent for both.
    Shared(usize),
    Ended(Result<Receipt, Error>),
}

#[derive(Debug)]
struct Send {
    verify: Option<Action>,
    authenticated: bool,
    outgoing: Outgoing,
    login: Login,
    generation: u32,
    sent: u64,
}

impl Upload {
    /// An upload of these files.
    pub fn new(sources: Vec<Source>, link: &Link) -> Self {
        let file = |source| File {
            source,
            read: None,
            phase: Phase::Read,
            retries: 0,
            refusals: 0,
            noted: 0,
            oversize: false,
        };
        let files: Vec<File> = sources.into_iter().map(file).collect();
        Self {
            unread: (0..files.len()).collect(),
            left: files.len(),
            files,
            reading: 0,
            senders: Vec::new(),
            queue: BatchQueue::new(Direction::Upload, link),
            scheduler: Scheduler::default(),
            verifying: Vec::new(),
            effects: SortedMap::default(),
            stopped: false,
            held: false,
            watched: None,
        }
    }

    /// An upload that hashes and then waits, so that the caller can first write down what it will send. The bytes of
    /// one file may be watched: they come as [`Event::Chunk`], and a pointer with something appended is refused.
    pub fn held(sources: Vec<Source>, watched: Option<usize>, link: &Link) -> Self {
        Self { held: true, watched, ..Self::new(sources, link) }
    }

    /// Whether every file is hashed, or cannot be.
    pub fn is_hashed(&self) -> bool {
        self.reading == 0 && self.unread.is_empty()
    }

    /// What each file hashed to and at which revision, or why it cannot be uploaded.
    pub fn hashed(&self) -> impl Iterator<Item = Result<&(Blob, Revision), Error>> {
        self.files.iter().map(|file| match (&file.phase, &file.read) {
            (Phase::Ended(Err(error)), _) => Err(error.clone()),
            (_, Some(read)) => Ok(read),
            (_, None) => Err(refusal::unfinished()),
        })
    }

    /// Lets everything that is hashed be uploaded.
    pub fn release(&mut self) {
        self.held = false;
        for number in 0..self.files.len() {
            if matches!(self.files[number].phase, Phase::Held) {
                self.ask(number);
            }
        }
    }

    /// Why nothing was sent, where the server spoke of no object and nobody stopped it.
    pub fn refused_whole(&self) -> Option<&Error> {
        let any = (0..self.files.len()).any(|at| self.ended(at).is_ok());
        self.queue.unheard().filter(|_| !self.stopped && !any)
    }

    /// Receipts or errors, in the order given.
    pub fn receipts(self) -> Vec<(Source, Option<Blob>, Result<Receipt, Error>)> {
        let ends: Vec<Result<Receipt, Error>> = (0..self.files.len()).map(|at| self.ended(at)).collect();
        let files = self.files.into_iter().zip(ends);
        files.map(|(file, ended)| (file.source, file.read.map(|(blob, _)| blob), ended)).collect()
    }

    fn ended(&self, at: usize) -> Result<Receipt, Error> {
        match &self.files[at].phase {
            Phase::Ended(ended) => ended.clone(),
            Phase::Shared(sender) => match &self.files[*sender].phase {
                Phase::Ended(ended) => ended.clone(),
                _ => Err(refusal::unfinished()),
            },
            _ => Err(refusal::unfinished()),
        }
    }

    fn advance_verify(&mut self, number: usize, out: &mut Outbox, link: &mut Link) {
        if let Phase::Verify(call) = &mut self.files[number].phase
            && call.id().is_none()
        {
            call.advance(out, link);
            if let Some(id) = call.id() {
                self.effects.insert(id, number);
            }
        }
    }

    fn ask(&mut self, number: usize) {
        if let Some((blob, _)) = &self.files[number].read {
            self.queue.want(number, *blob);
            self.files[number].phase = Phase::Ask;
        }
    }

    fn answered(&mut self, answers: Vec<ObjectAnswer>, out: &mut Outbox, link: &mut Link) {
        for (number, answer) in answers {
            match answer {
                Err(error) => self.end(number, Err(error), out),
                Ok(object) => match object.verdict {
                    Verdict::Present => self.prove(number, out),
                    Verdict::Upload(upload, verify) => match link.usable(&upload) {
                        Ok(()) => self.ready(
                            number,
                            Phase::Ready { upload, verify, authenticated: object.authenticated },
                            out,
                        ),
                        Err(error) => self.end(number, Err(error), out),
                    },
                    Verdict::Expired => {
                        self.later(number, None, refusal::expired(), out, link);
                    }
                    Verdict::Refused(refusal) => {
                        let error = refusal::object(refusal.status, &refusal.message);
                        if refusal.retryable {
                            self.later(number, None, error, out, link)
                        } else {
                            self.end(number, Err(error), out)
                        }
                    }
                    Verdict::Broken(flaw) => self.end(number, Err(Error::new(Code::Malformed, flaw.explain())), out),
                    Verdict::Download(_) => self.end(
                        number,
                        Err(Error::new(Code::Malformed, "the batch response has no upload action for this object")),
                        out,
                    ),
                },
            }
        }
    }

    fn ready(&mut self, number: usize, phase: Phase, out: &mut Outbox) {
        if self.stopped {
            return self.end(number, Err(refusal::stopped()), out);
        }
        self.files[number].phase = phase;
        self.scheduler.ready(number, self.files[number].size());
    }

    /// The only place that makes receipts.
    fn prove(&mut self, number: usize, out: &mut Outbox) {
        if let Some((blob, _)) = self.files[number].read {
            self.end(number, Ok(Receipt { blob }), out);
        }
    }

    fn was_read(&mut self, number: usize, event: Event, out: &mut Outbox, link: &Link) {
        let (blob, head, revision) = match event {
            Event::Read { blob, head, revision } => (blob, head, revision),
            Event::Absent => return self.end(number, Err(Error::new(Code::NotFound, "the file is not there")), out),
            Event::Failed(_) if self.files[number].oversize => return self.end(number, Err(oversize(link)), out),
            Event::Failed(failed) => return self.end(number, Err(refusal::failed("the file", &failed)), out),
            _ => return self.end(number, Err(refusal::unfitting()), out),
        };
        self.files[number].read = Some((blob, revision));
        if blob.size > link.config.object_bytes_max {
            return self.end(number, Err(oversize(link)), out);
        }
        if let Some(head) = head {
            if self.watched == Some(number) && pointer::appended_to(&head, blob.size).is_some() {
                return self.end(number, Err(Error::new(Code::Rejected, pointer::APPENDED)), out);
            }
            if pointer::pointer_shaped(&head, blob.size) {
                let why = "the file looks like a pointer, and pointers are never uploaded as content";
                return self.end(number, Err(Error::new(Code::Rejected, why)), out);
            }
        }
        let expects = self.files[number].source.expects.as_deref();
        if expects.is_some_and(|expects| expects != blob.oid.to_string()) {
            let error = Error::new(
                Code::Integrity,
                format_args!("the file hashes to {}, not to the oid it is named by", blob.oid),
            );
            return self.end(number, Err(error), out);
        }
        if self.stopped {
            return self.end(number, Err(refusal::stopped()), out);
        }
        let place = self.sender_place(blob.oid);
        match place.ok().map(|at| self.senders[at]) {
            Some(sender) if self.files[sender].size() != blob.size => {
                let error = Error::new(
                    Code::Host,
                    "two files have the same SHA-256 and different sizes: one changed while it was read",
                );
                self.end(number, Err(error), out);
            }
            Some(sender) if !matches!(self.files[sender].phase, Phase::Ended(Err(_))) => {
                self.files[number].phase = Phase::Shared(sender);
                self.left -= 1;
            }
            _ => {
                self.set_sender(place, number);
                if self.held {
                    self.files[number].phase = Phase::Held;
                } else {
                    self.ask(number);
                }
            }
        }
    }

    /// The place of an oid's sender among the senders, or where to insert it.
    fn sender_place(&self, oid: Oid) -> Result<usize, usize> {
        let of = |number: usize| self.files[number].read.as_ref().map(|(blob, _)| blob.oid);
        self.senders.binary_search_by(|number| of(*number).cmp(&Some(oid)))
    }

    fn set_sender(&mut self, place: Result<usize, usize>, number: usize) {
        match place {
            Ok(at) => self.senders[at] = number,
            Err(at) => self.senders.insert(at, number),
        }
    }

    fn later(&mut self, number: usize, asked: Option<u64>, error: Error, out: &mut Outbox, link: &mut Link) {
        let file = &mut self.files[number];
        file.retries += 1;
        match link.delay(file.retries, asked) {
            Some(delay) if !self.stopped => {
                let at = out.now.ticks.saturating_add(delay);
                out.retry(&file.source.name, &error, at);
                file.phase = Phase::Wait;
                self.scheduler.later(at, number);
            }
            _ => self.end(number, Err(error), out),
        }
    }

    fn end(&mut self, number: usize, ended: Result<Receipt, Error>, out: &mut Outbox) {
        let file = &mut self.files[number];
        if matches!(file.phase, Phase::Ended(_) | Phase::Shared(_)) {
            return;
        }
        if ended.is_ok()
            && let Some((blob, _)) = &file.read
        {
            out.note(Progress { name: file.source.name.clone(), done: blob.size, total: blob.size });
        }
        let ours = |error: &Error| matches!(error.code, Code::Conflict | Code::NotFound | Code::Host);
        let passed_on = ended.as_ref().is_err_and(ours) && !self.stopped;
        file.phase = Phase::Ended(ended);
        self.left -= 1;
        if passed_on {
            self.pass_on(number);
        }
    }

    /// A file failed here, not at the server: another file with the same bytes takes over for all that share them.
    fn pass_on(&mut self, from: usize) {
        let mut heir = None;
        for (number, file) in self.files.iter_mut().enumerate() {
            match (&file.phase, heir) {
                (Phase::Shared(of), None) if *of == from => heir = Some(number),
                (Phase::Shared(of), Some(heir)) if *of == from => file.phase = Phase::Shared(heir),
                _ => {}
            }
        }
        let Some(heir) = heir else { return };
        if let Some((blob, _)) = &self.files[heir].read {
            self.set_sender(self.sender_place(blob.oid), heir);
        }
        self.left += 1;
        self.ask(heir);
    }

    fn note(&mut self, number: usize, bytes: u64, out: &mut Outbox) {
        let file = &mut self.files[number];
        if let (Phase::Send(_), Some((blob, _))) = (&file.phase, &file.read)
            && out.now.ticks >= file.noted.saturating_add(NOTE_MS_MIN)
        {
            file.noted = out.now.ticks;
            out.note(Progress {
                name: file.source.name.clone(),
                done: bytes.min(blob.size.saturating_sub(1)),
                total: blob.size,
            });
        }
    }
}

impl Machine for Upload {
    type Report = TransferReport;

    fn advance(&mut self, out: &mut Outbox, link: &mut Link) {
        while let Some(number) = self.scheduler.due(out.now.ticks) {
            self.ask(number);
        }
        while self.reading < READS_IN_FLIGHT_MAX
            && let Some(number) = self.unread.pop_front()
        {
            let name = self.files[number].source.name.clone();
            let id = out.perform(Effect::ReadFile(Reading { name, as_chunks: self.watched == Some(number) }));
            self.effects.insert(id, number);
            self.reading += 1;
        }
        let read = self.reading == 0 && self.unread.is_empty();
        let more = link.renewal_pending() || self.scheduler.hungry(link) && (read || self.queue.fills_a_request());
        loop {
            let answers = self.queue.advance(more, out, link);
            if answers.is_empty() {
                break;
            }
            // A file that cannot be asked about any more may pass its place to another one, which gets the same answer.
            self.answered(answers, out, link);
        }
        if self.queue.is_idle() && self.verifying.is_empty() {
            link.forgo_renewal();
        }
        while !link.renewal_pending()
            && let Some(number) = self.scheduler.next(link)
        {
            self.send(number, out, link);
        }
        for number in self.verifying.clone() {
            self.advance_verify(number, out, link);
        }
    }

    fn on(&mut self, id: EffectId, event: Event, out: &mut Outbox, link: &mut Link) {
        if self.queue.expects(id) {
            let answers = self.queue.on(id, event, out, link);
            return self.answered(answers, out, link);
        }
        let Some(number) = self.effects.get(&id).copied() else { return };
        if let Event::Progress(bytes) | Event::Chunk { so_far: bytes, .. } = event {
            let file = &mut self.files[number];
            if matches!(file.phase, Phase::Read) && bytes > link.config.object_bytes_max && !file.oversize {
                // The file may still be growing: reading on is of no use.
                file.oversize = true;
                out.cancel(id);
            }
            return self.note(number, bytes, out);
        }
        self.effects.remove(&id);
        match core::mem::replace(&mut self.files[number].phase, Phase::Ask) {
            Phase::Read => {
                self.reading -= 1;
                self.was_read(number, event, out, link);
            }
            Phase::Send(send) => {
                self.scheduler.ended(self.files[number].size());
                self.was_sent(number, send, event, out, link);
            }
            Phase::Verify(call) => self.verified(number, call, event, out, link),
            phase => self.files[number].phase = phase,
        }
    }

    fn stop(&mut self, out: &mut Outbox) {
        self.stopped = true;
        for (number, _) in self.queue.stop(out) {
            self.end(number, Err(refusal::stopped()), out);
        }
        for number in 0..self.files.len() {
            let open = self.effects.values().any(|open| *open == number);
            if !open
                && matches!(
                    self.files[number].phase,
                    Phase::Read | Phase::Held | Phase::Ready { .. } | Phase::Wait | Phase::Verify(_)
                )
            {
                self.leave_verify(number);
                self.end(number, Err(refusal::stopped()), out);
            }
        }
        self.unread.clear();
        self.scheduler.clear();
        for id in self.effects.keys() {
            out.cancel(*id);
        }
    }

    fn wake(&self, now: u64, link: &Link) -> Option<u64> {
        let verifying = self.verifying.iter().filter_map(|at| match &self.files[*at].phase {
            Phase::Verify(call) => call.wake().filter(|due| *due > now || !link.renewing()),
            _ => None,
        });
        self.scheduler.wake().into_iter().chain(verifying).chain(self.queue.wake(now, link)).min()
    }

    fn left(&self) -> usize {
        self.left
    }

    fn is_done(&self) -> bool {
        self.left == 0 && self.queue.is_idle()
    }

    /// One outcome per file.
    fn finish(self) -> TransferReport {
        let ended = self.refused_whole().cloned().map_or(Ok(()), Err);
        let outcomes: Vec<Outcome> = self
            .receipts()
            .into_iter()
            .map(|(source, blob, ended)| {
                let (oid, size) = blob.map_or((String::new(), 0), |blob| (blob.oid.to_string(), blob.size));
                // The receipt ends here: nothing that follows makes a reference from it.
                Outcome { name: source.name, oid, size, ended: ended.map(drop) }
            })
            .collect();
        TransferReport { outcomes, ended }
    }
}

impl File {
    /// Bytes, once they are known.
    fn size(&self) -> u64 {
        self.read.as_ref().map_or(0, |(blob, _)| blob.size)
    }
}

fn oversize(link: &Link) -> Error {
    Error::new(Code::Limit, format_args!("the file has more bytes than the limit of {}", link.config.object_bytes_max))
}
