//! Asks the server about objects and transfers nothing.

use crate::asker::Asker;
use crate::batch::{Direction, Object};
use crate::contract::EffectId;
use crate::error::Error;
use crate::link::Link;
use crate::oid::Blob;
use crate::outbox::{Event, Outbox};

/// The machine behind `batch`.
#[derive(Debug)]
pub(crate) struct Ask {
    asker: Asker,
    answers: Vec<Option<Result<Object, Error>>>,
}

impl Ask {
    pub(crate) fn new(direction: Direction, objects: Vec<Blob>, link: &Link) -> Self {
        let mut asker = Asker::new(direction, link);
        let objects = crate::batch::distinct(&objects);
        for (number, blob) in objects.iter().enumerate() {
            asker.want(number, *blob);
        }
        Self { asker, answers: vec![None; objects.len()] }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.asker.is_idle()
    }

    /// How much is not ended yet.
    pub(crate) fn left(&self) -> usize {
        self.answers.iter().filter(|answer| answer.is_none()).count()
    }

    pub(crate) fn wake(&self, now: u64, link: &Link) -> Option<u64> {
        self.asker.wake(now, link)
    }

    pub(crate) fn advance(&mut self, out: &mut Outbox, link: &mut Link) {
        let told = self.asker.advance(true, out, link);
        self.take(told);
    }

    pub(crate) fn on(&mut self, id: EffectId, event: Event, out: &mut Outbox, link: &mut Link) {
        let told = self.asker.on(id, event, out, link);
        self.take(told);
    }

    fn take(&mut self, told: Vec<crate::asker::Told>) {
        for (number, answer) in told {
            self.answers[number] = Some(answer);
        }
    }

    pub(crate) fn stop(&mut self, out: &mut Outbox) {
        let told = self.asker.stop(out);
        self.take(told);
    }

    /// One verdict per distinct object, in order; the first error when any request failed.
    pub(crate) fn finish(self) -> Result<Vec<Object>, Error> {
        self.answers.into_iter().map(|answer| answer.unwrap_or_else(|| Err(crate::refusal::unfinished()))).collect()
    }
}
