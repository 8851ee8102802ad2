//! Asks the server about objects and transfers nothing.

use super::Machine;
use crate::contract::{Direction, EffectId};
use crate::git_lfs::batch::{BatchObject, distinct};
use crate::protocol::batch_queue::{BatchQueue, ObjectAnswer};
use crate::protocol::link::Link;
use crate::protocol::outbox::{Event, Outbox};
use crate::protocol::refusal;
use crate::text::error::Error;
use crate::text::oid::{Blob, Oid};
use alloc::vec::Vec;

/// The machine behind `batch`.
#[derive(Debug)]
pub struct Batch {
    queue: BatchQueue,
    outcomes: Vec<BatchOutcome>,
    /// How many of them are known.
    answered: usize,
}

/// What the server said about one object, or why it said nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchOutcome {
    /// The object.
    pub oid: Oid,
    /// The answer.
    pub answer: Result<BatchObject, Error>,
}

impl Batch {
    pub(crate) fn new(direction: Direction, objects: &[Blob], link: &Link) -> Self {
        let mut queue = BatchQueue::new(direction, link);
        let objects = distinct(objects);
        for (number, blob) in objects.iter().enumerate() {
            queue.want(number, *blob);
        }
        let outcome = |blob: &Blob| BatchOutcome { oid: blob.oid, answer: Err(refusal::unfinished()) };
        Self { queue, outcomes: objects.iter().map(outcome).collect(), answered: 0 }
    }

    fn take(&mut self, answers: Vec<ObjectAnswer>) {
        self.answered += answers.len();
        for (number, answer) in answers {
            self.outcomes[number].answer = answer;
        }
    }
}

impl Machine for Batch {
    type Report = Vec<BatchOutcome>;

    fn advance(&mut self, out: &mut Outbox, link: &mut Link) {
        let answers = self.queue.advance(true, out, link);
        self.take(answers);
    }

    fn on(&mut self, id: EffectId, event: Event, out: &mut Outbox, link: &mut Link) {
        let answers = self.queue.on(id, event, out, link);
        self.take(answers);
    }

    fn stop(&mut self, out: &mut Outbox) {
        let answers = self.queue.stop(out);
        self.take(answers);
    }

    fn wake(&self, now: u64, link: &Link) -> Option<u64> {
        self.queue.wake(now, link)
    }

    fn left(&self) -> usize {
        self.outcomes.len() - self.answered
    }

    fn is_done(&self) -> bool {
        self.queue.is_idle()
    }

    /// One outcome for each distinct object, in order.
    fn finish(self) -> Vec<BatchOutcome> {
        self.outcomes
    }
}
