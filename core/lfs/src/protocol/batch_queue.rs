//! Asks the server about objects, with batch requests ahead of the transfers that need the answers.
//!
//! The first request goes alone, so that a login is asked for once. After its response, up to [`BATCHES_IN_FLIGHT_MAX`]
//! are in flight. A 413 halves the batch. Every object gets an answer of its own.
//!
//! A 404 for a whole download request names no object: the repository may not be there, or may not be ours. Giftless
//! answers so when it has none of the objects. Which one it is, the server shows when it is asked whether it would take
//! these objects: those that it would take have [`Verdict::Upload`] as their answer. That is no proof that it lacks
//! them. Nothing is sent, and no login is asked for.

use crate::contract::config::BASIC;
use crate::contract::{Direction, EffectId};
use crate::git_lfs::batch::{self, BatchObject, BatchRequest, Verdict};
use crate::git_lfs::response_error::ResponseErrorKind;
use crate::protocol::call::{Call, Response};
use crate::protocol::link::Link;
use crate::protocol::outbox::{Event, Outbox};
use crate::protocol::outgoing::batch_call;
use crate::protocol::refusal;
use crate::text::error::{Code, Error};
use crate::text::limits::{BATCH_OBJECTS_MAX, BATCHES_IN_FLIGHT_MAX};
use crate::text::oid::Blob;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::mem;

/// Objects to ask the server about.
#[derive(Debug)]
pub struct BatchQueue {
    direction: Direction,
    /// Objects in one request at most: as configured, or fewer after a 413.
    objects_max: usize,
    /// Objects not asked yet, by the caller's number.
    queue: VecDeque<(usize, Blob)>,
    calls: Vec<Asking>,
    /// The server responded once, so the login is settled.
    admitted: bool,
    /// A batch response named objects.
    heard: bool,
    /// It is worth asking what a 404 for a whole request means.
    doubts: bool,
    /// Why nothing can be asked any more.
    closed: Option<Error>,
    /// Why the first batch was refused as a whole, where other batches may not be.
    refused: Option<Error>,
}

#[derive(Debug)]
struct Asking {
    call: Call,
    request: BatchRequest,
    numbers: Vec<usize>,
    /// The 404 for the whole request whose meaning this one asks for.
    doubt: Option<Error>,
}

/// One object's answer, by the caller's number.
pub type ObjectAnswer = (usize, Result<BatchObject, Error>);

impl BatchQueue {
    /// Nothing is queued yet.
    pub fn new(direction: Direction, link: &Link) -> Self {
        let objects_max = link.config.batch_objects_max.clamp(1, BATCH_OBJECTS_MAX) as usize;
        Self {
            direction,
            objects_max,
            queue: VecDeque::new(),
            calls: Vec::new(),
            admitted: false,
            heard: false,
            doubts: true,
            closed: None,
            refused: None,
        }
    }

    /// Adds an object to ask about.
    pub fn want(&mut self, number: usize, blob: Blob) {
        self.queue.push_back((number, blob));
    }

    /// Whether a call waits for this effect.
    pub fn expects(&self, id: EffectId) -> bool {
        self.calls.iter().any(|asking| asking.call.id() == Some(id))
    }

    /// Whether no object is being asked about or queued.
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.calls.is_empty()
    }

    /// Whether what is queued fills a request.
    pub fn fills_a_request(&self) -> bool {
        self.queue.len() >= self.objects_max
    }

    /// The error, if no batch response ever named an object.
    pub fn unheard(&self) -> Option<&Error> {
        self.closed.as_ref().or(self.refused.as_ref()).filter(|_| !self.heard)
    }

    /// The tick at which a call is due. A call that waits for a login renewal does not count: the response to the
    /// renewal wakes it.
    pub fn wake(&self, now: u64, link: &Link) -> Option<u64> {
        let due = self.calls.iter().filter_map(|asking| asking.call.wake());
        due.filter(|at| *at > now || !link.renewing()).min()
    }

    /// Sends what is due, and asks about more objects while `more` and the limits allow. Objects that cannot be asked
    /// about any more get their error at once.
    pub fn advance(&mut self, more: bool, out: &mut Outbox, link: &mut Link) -> Vec<ObjectAnswer> {
        let mut told = Vec::new();
        if let Some(error) = &self.closed {
            told.extend(mem::take(&mut self.queue).into_iter().map(|(number, _)| (number, Err(error.clone()))));
        }
        let batches_max = if self.admitted { BATCHES_IN_FLIGHT_MAX } else { 1 };
        while more && !self.queue.is_empty() && self.calls.len() < batches_max {
            let (mut numbers, mut blobs) = (Vec::new(), Vec::new());
            while numbers.len() < self.objects_max
                && let Some((number, blob)) = self.queue.pop_front()
            {
                numbers.push(number);
                blobs.push(blob);
            }
            self.ask(numbers, blobs, link);
        }
        for asking in &mut self.calls {
            asking.call.advance(out, link);
        }
        told
    }

    fn ask(&mut self, numbers: Vec<usize>, objects: Vec<Blob>, link: &Link) {
        let request = BatchRequest {
            direction: self.direction,
            reference: link.config.reference.clone(),
            transfers: link.config.transfers.clone(),
            objects,
        };
        let Some(body) = batch::write_request(&request) else { return };
        let call = Call::new("the batch request", batch_call(link, body));
        self.calls.push(Asking { call, request, numbers, doubt: None });
    }

    /// Takes an event of an effect it [expects](BatchQueue::expects).
    pub fn on(&mut self, id: EffectId, event: Event, out: &mut Outbox, link: &mut Link) -> Vec<ObjectAnswer> {
        let Some(at) = self.calls.iter().position(|asking| asking.call.id() == Some(id)) else { return Vec::new() };
        let Some(ended) = self.calls[at].call.on(event, out, link) else { return Vec::new() };
        let mut asking = self.calls.remove(at);
        if let Some(doubt) = asking.doubt.take() {
            return self.doubted(asking, doubt, ended, out);
        }
        let answer = match ended {
            Ok(answer) => answer,
            Err(error) => {
                // No answer at all: the same would happen to everything else.
                self.closed.get_or_insert(error.clone());
                return all(asking.numbers, &error);
            }
        };
        self.admitted = true;
        let read = batch::read_response(&asking.request, &answer.head, &answer.body, answer.asked_at, out.now.wall);
        // Whether other batches may fare better, and why this one did not.
        let (this_batch_only, error) = match read {
            Ok(response) if response.transfer == BASIC => {
                self.heard = true;
                // The batch may have been only one object too large: grow again, slowly.
                self.objects_max =
                    (self.objects_max + 1).min(link.config.batch_objects_max.clamp(1, BATCH_OBJECTS_MAX) as usize);
                let objects = response.objects.into_iter().map(Ok);
                return asking.numbers.into_iter().zip(objects).collect();
            }
            Ok(_) => {
                let why = "the server chose another transfer adapter than basic; only basic is supported";
                (true, Error::new(Code::Malformed, why))
            }
            Err(refused) if refused.kind == ResponseErrorKind::TooLarge && asking.numbers.len() > 1 => {
                self.objects_max = self.objects_max.min(asking.numbers.len().div_ceil(2));
                for again in asking.numbers.into_iter().zip(asking.request.objects).rev() {
                    self.queue.push_front(again);
                }
                return Vec::new();
            }
            Err(refused) => {
                let error = refusal::whole("the batch request", &refused, out.now.wall);
                let is_doubtful = refused.kind == ResponseErrorKind::NotFound && self.direction == Direction::Download;
                if is_doubtful && self.doubts && self.closed.is_none() {
                    self.doubt(asking, error, link);
                    return Vec::new();
                }
                // Some servers answer so when they have no object of the batch.
                let this_batch_only = matches!(
                    refused.kind,
                    ResponseErrorKind::NotFound
                        | ResponseErrorKind::Gone
                        | ResponseErrorKind::Validation
                        | ResponseErrorKind::TooLarge
                );
                (this_batch_only, error)
            }
        };
        let why = if this_batch_only { &mut self.refused } else { &mut self.closed };
        why.get_or_insert(error.clone());
        all(asking.numbers, &error)
    }

    /// Asks what a 404 for a whole request means.
    fn doubt(&mut self, asking: Asking, error: Error, link: &Link) {
        let request = BatchRequest { direction: Direction::Upload, ..asking.request };
        let Some(body) = batch::write_request(&request) else { return };
        let call = Call::new("the batch request", batch_call(link, body)).once();
        self.calls.push(Asking { call, request, numbers: asking.numbers, doubt: Some(error) });
    }

    /// What it meant, as far as that is known: objects that the server would take, and for all others what it said.
    fn doubted(
        &mut self,
        asking: Asking,
        doubt: Error,
        ended: Result<Response, Error>,
        out: &Outbox,
    ) -> Vec<ObjectAnswer> {
        let error = match &ended {
            // It was stopped.
            Err(error) if error.code == Code::Unfinished => error.clone(),
            _ => doubt,
        };
        let now = out.now.wall;
        let read = ended.ok().and_then(|answer| {
            batch::read_response(&asking.request, &answer.head, &answer.body, answer.asked_at, now).ok()
        });
        // Where it says nothing once, it need not be asked again.
        self.doubts = read.is_some();
        self.heard |= self.doubts;
        self.refused.get_or_insert(error.clone());
        let mut objects = read.map(|response| response.objects).unwrap_or_default().into_iter();
        let mut answer = |number| {
            let wanted = objects.next().filter(|object| matches!(object.verdict, Verdict::Upload(..)));
            (number, wanted.ok_or_else(|| error.clone()))
        };
        asking.numbers.iter().map(|number| answer(*number)).collect()
    }

    /// Stops: nothing is asked any more, open requests are cancelled.
    pub fn stop(&mut self, out: &mut Outbox) -> Vec<ObjectAnswer> {
        let stopped = Error::new(Code::Unfinished, "it was stopped before the server was asked");
        self.closed.get_or_insert(stopped.clone());
        let mut told: Vec<ObjectAnswer> =
            mem::take(&mut self.queue).into_iter().map(|(number, _)| (number, Err(stopped.clone()))).collect();
        self.calls.retain(|asking| {
            if let Some(id) = asking.call.id() {
                out.cancel(id);
                return true;
            }
            told.extend(asking.numbers.iter().map(|number| (*number, Err(stopped.clone()))));
            false
        });
        told
    }
}

/// The same error for each of some objects.
fn all(numbers: Vec<usize>, error: &Error) -> Vec<ObjectAnswer> {
    numbers.into_iter().map(|number| (number, Err(error.clone()))).collect()
}
