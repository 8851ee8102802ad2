//! Asks the server about objects, a batch at a time and ahead of the transfers that need the answers.
//!
//! The first request goes alone, so that a login is asked for once; after its answer up to
//! [`BATCHES_IN_FLIGHT_MAX`] are on their way. A 413 halves the batch. What every object gets is an answer of its own.

use crate::batch::{self, Direction, Object, Question, RefusedKind};
use crate::call::Call;
use crate::contract::EffectId;
use crate::error::{Code, Error};
use crate::limits::{BATCH_OBJECTS_MAX, BATCHES_IN_FLIGHT_MAX};
use crate::link::Link;
use crate::oid::Blob;
use crate::outbox::{Event, Outbox};
use crate::refusal;
use std::collections::VecDeque;

#[derive(Debug)]
pub(crate) struct Asker {
    direction: Direction,
    /// Objects in one request at most: what configuration says, less once a server found it too much.
    objects_max: usize,
    /// Objects not asked yet, by the caller's number.
    queue: VecDeque<(usize, Blob)>,
    calls: Vec<Asking>,
    /// The server answered once: the login is settled.
    admitted: bool,
    /// The server spoke of objects once.
    heard: bool,
    /// Why nothing can be asked any more.
    closed: Option<Error>,
}

#[derive(Debug)]
struct Asking {
    call: Call,
    question: Question,
    numbers: Vec<usize>,
}

/// One object's answer, by the caller's number.
pub(crate) type Told = (usize, Result<Object, Error>);

impl Asker {
    pub(crate) fn new(direction: Direction, link: &Link) -> Self {
        let objects_max = link.config.batch_objects_max.clamp(1, BATCH_OBJECTS_MAX) as usize;
        Self {
            direction,
            objects_max,
            queue: VecDeque::new(),
            calls: Vec::new(),
            admitted: false,
            heard: false,
            closed: None,
        }
    }

    /// Adds an object to ask about.
    pub(crate) fn want(&mut self, number: usize, blob: Blob) {
        self.queue.push_back((number, blob));
    }

    /// Whether a call waits for this effect.
    pub(crate) fn expects(&self, id: EffectId) -> bool {
        self.calls.iter().any(|asking| asking.call.id() == Some(id))
    }

    /// Objects asked or to be asked.
    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.calls.is_empty()
    }

    /// Whether what is queued fills a request.
    pub(crate) fn fills_a_request(&self) -> bool {
        self.queue.len() >= self.objects_max
    }

    /// Why the server never spoke of any object, if it did not.
    pub(crate) fn unheard(&self) -> Option<&Error> {
        self.closed.as_ref().filter(|_| !self.heard)
    }

    /// The tick at which a call is due. None that waits for a renewal counts: the renewal's answer wakes it.
    pub(crate) fn wake(&self, now: u64, link: &Link) -> Option<u64> {
        let due = self.calls.iter().filter_map(|asking| asking.call.wake());
        due.filter(|at| *at > now || !link.renewing()).min()
    }

    /// Sends what is due, and asks about more while `more` and the bounds allow. Answers for objects that cannot be
    /// asked any more come back at once.
    pub(crate) fn advance(&mut self, more: bool, out: &mut Outbox, link: &mut Link) -> Vec<Told> {
        let mut told = Vec::new();
        if let Some(error) = &self.closed {
            told.extend(self.queue.drain(..).map(|(number, _)| (number, Err(error.clone()))));
        }
        let batches_max = if self.admitted { BATCHES_IN_FLIGHT_MAX } else { 1 };
        while more && !self.queue.is_empty() && self.calls.len() < batches_max {
            let (numbers, blobs) = self.queue.drain(..self.queue.len().min(self.objects_max)).unzip();
            self.ask(numbers, blobs, link);
        }
        for asking in &mut self.calls {
            asking.call.advance(out, link);
        }
        told
    }

    fn ask(&mut self, numbers: Vec<usize>, objects: Vec<Blob>, link: &Link) {
        let question = Question {
            direction: self.direction,
            reference: link.config.reference.clone(),
            transfers: link.config.transfers.clone(),
            objects,
        };
        let Some(body) = batch::ask(&question) else { return };
        let call = Call::new("the batch request", batch::asking(link, body));
        self.calls.push(Asking { call, question, numbers });
    }

    /// Takes an event of an effect it [expects](Asker::expects).
    pub(crate) fn on(&mut self, id: EffectId, event: Event, out: &mut Outbox, link: &mut Link) -> Vec<Told> {
        let Some(at) = self.calls.iter().position(|asking| asking.call.id() == Some(id)) else { return Vec::new() };
        let Some(ended) = self.calls[at].call.on(event, out, link) else { return Vec::new() };
        let asking = self.calls.remove(at);
        let answer = match ended {
            Ok(answer) => answer,
            Err(error) => {
                // No answer at all: the same would happen to everything else.
                self.closed.get_or_insert(error.clone());
                return asking.numbers.into_iter().map(|number| (number, Err(error.clone()))).collect();
            }
        };
        self.admitted = true;
        match batch::read(&asking.question, &answer.head, &answer.body, answer.asked_at, out.now.wall) {
            Ok(answered) if answered.transfer == batch::BASIC => {
                self.heard = true;
                // One object too many may have made a batch too large: grow again, slowly.
                self.objects_max =
                    (self.objects_max + 1).min(link.config.batch_objects_max.clamp(1, BATCH_OBJECTS_MAX) as usize);
                let objects = answered.objects.into_iter().map(Ok);
                asking.numbers.into_iter().zip(objects).collect()
            }
            Ok(_) => {
                let error = Error::new(
                    Code::Malformed,
                    "the server chose a transfer other than basic, the only one carried out here",
                );
                asking.numbers.into_iter().map(|number| (number, Err(error.clone()))).collect()
            }
            Err(refused) if refused.kind == RefusedKind::TooLarge && asking.numbers.len() > 1 => {
                self.objects_max = self.objects_max.min(asking.numbers.len().div_ceil(2));
                for again in asking.numbers.into_iter().zip(asking.question.objects).rev() {
                    self.queue.push_front(again);
                }
                Vec::new()
            }
            Err(refused) => {
                let error = refusal::whole("the batch request", &refused, out.now.wall);
                // Some servers answer 404, 410, 413 or 422 when no object of the batch can be had; others may be.
                let this_batch_only = matches!(
                    refused.kind,
                    RefusedKind::NotFound | RefusedKind::Gone | RefusedKind::Validation | RefusedKind::TooLarge
                );
                if !this_batch_only {
                    self.closed.get_or_insert(error.clone());
                }
                asking.numbers.into_iter().map(|number| (number, Err(error.clone()))).collect()
            }
        }
    }

    /// Stops: nothing is asked any more, open requests are cancelled.
    pub(crate) fn stop(&mut self, out: &mut Outbox) -> Vec<Told> {
        let stopped = Error::new(Code::Unfinished, "it was stopped before the server was asked");
        self.closed.get_or_insert(stopped.clone());
        let mut told: Vec<Told> = self.queue.drain(..).map(|(number, _)| (number, Err(stopped.clone()))).collect();
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
