//! Fetches objects: cache first, then batch, transfer, digest, keep.
//!
//! ```text
//! Check ──present──────────────────────────────────────────────► Ended
//!   │ absent, partial                                              ▲
//!   ▼                                                              │ kept
//! Ask ──answer──► Ready ──► Fetch ──digest right──► Settle(keep) ──┤
//!  ▲                ▲         │ │                                  │
//!  │                │         │ └──digest wrong──► Settle(drop) ───┤ a second time: integrity
//!  │                └─────────┼───────────────────────┘ once       │
//!  └──401, 403, expired───────┤                                    │
//!  Wait ◄──429, 5xx, broken───┴──404, 410, 413, … ─────────────────┘
//! ```
//!
//! A retry starts at Check, so that it learns how much of the stage is left, and sends a new batch request, so that the
//! action is fresh. Only bytes of the right size and digest are kept; everything else is dropped.

mod fetching;

use super::Machine;
use crate::contract::{
    Beginning, Config, Direction, Effect, EffectId, Outcome, Progress, StageId, Staged, TransferReport, Want,
};
use crate::git_lfs::batch::{Action, Verdict};
use crate::order::{SortedMap, order};
use crate::protocol::batch_queue::{BatchQueue, ObjectAnswer};
use crate::protocol::link::Link;
use crate::protocol::outbox::{Event, Outbox};
use crate::protocol::refusal;
use crate::protocol::scheduler::Scheduler;
use crate::text::error::{Code, Error};
use crate::text::limits::{CHECKS_IN_FLIGHT_MAX, NOTE_MS_MIN};
use crate::text::oid::{Blob, Oid};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Reverse;
use fetching::{Faults, Fetch, Next};

/// The machine behind `download` and `hydrate`.
#[derive(Debug)]
pub struct Download {
    objects: Vec<Object>,
    /// For each want, its object; or why it is not even tried.
    wants: Vec<(Want, Result<usize, Error>)>,
    /// Ask the cache first.
    cached: bool,
    queue: BatchQueue,
    unchecked: VecDeque<usize>,
    checking: usize,
    scheduler: Scheduler,
    effects: SortedMap<EffectId, usize>,
    left: usize,
    stopped: bool,
}

#[derive(Debug)]
struct Object {
    name: String,
    blob: Blob,
    phase: Phase,
    retries: u32,
    faults: Faults,
    /// What is left of an earlier try.
    partial: Option<Beginning>,
    /// Tick of the last note of progress.
    noted: u64,
}

/// See the graph above.
#[derive(Debug)]
enum Phase {
    Check,
    Ask,
    Ready {
        action: Action,
        authenticated: bool,
    },
    Fetch(Box<Fetch>),
    /// After a drop comes another try, or the end.
    Settle {
        then: Result<(), Error>,
        again: bool,
    },
    Wait,
    Ended(Result<(), Error>),
}

impl Download {
    /// A download of these objects; `cached` asks the cache first.
    pub fn new(wants: Vec<Want>, cached: bool, link: &Link) -> Self {
        let judged: Vec<Result<Blob, Error>> = wants.iter().map(|want| judge(want, &link.config)).collect();
        let oid = |at: usize| judged[at].as_ref().ok().map(|blob| blob.oid);
        // Of several wants with one oid, the first names the object.
        let mut first: Vec<usize> = (0..wants.len()).collect();
        for pair in order(wants.len(), &|a, b| oid(a).cmp(&oid(b))).windows(2) {
            if oid(pair[1]).is_some() && oid(pair[0]) == oid(pair[1]) {
                first[pair[1]] = first[pair[0]];
            }
        }
        let mut objects: Vec<Object> = Vec::new();
        let mut places: Vec<Result<usize, Error>> = Vec::with_capacity(wants.len());
        for (at, (want, blob)) in wants.iter().zip(judged).enumerate() {
            places.push(blob.and_then(|blob| {
                if first[at] == at {
                    objects.push(Object::new(want.name.clone(), blob));
                    return Ok(objects.len() - 1);
                }
                match &places[first[at]] {
                    Ok(place) if objects[*place].blob == blob => Ok(*place),
                    _ => Err(Error::new(
                        Code::Malformed,
                        format_args!("{} is wanted with two different sizes", blob.oid),
                    )),
                }
            }));
        }
        // Largest first: the last transfer to end should be a small one.
        let largest_first = order(objects.len(), &|a, b| {
            let key = |at: usize| (Reverse(objects[at].blob.size), objects[at].blob.oid);
            key(a).cmp(&key(b))
        });
        Self {
            left: objects.len(),
            objects,
            wants: wants.into_iter().zip(places).collect(),
            cached,
            queue: BatchQueue::new(Direction::Download, link),
            unchecked: largest_first.into(),
            checking: 0,
            scheduler: Scheduler::default(),
            effects: SortedMap::default(),
            stopped: false,
        }
    }

    fn ask(&mut self, number: usize) {
        self.objects[number].phase = Phase::Ask;
        self.queue.want(number, self.objects[number].blob);
    }

    fn answered(&mut self, answers: Vec<ObjectAnswer>, out: &mut Outbox, link: &mut Link) {
        for (number, answer) in answers {
            match answer {
                Err(error) => self.end(number, Err(error), out),
                Ok(object) => match object.verdict {
                    Verdict::Download(action) => match link.usable(&action) {
                        Ok(()) => self.ready(number, action, object.authenticated, out),
                        Err(error) => self.end(number, Err(error), out),
                    },
                    Verdict::Expired => {
                        self.later(number, None, refusal::expired(), out, link);
                    }
                    Verdict::Refused(refusal) => {
                        let retry = refusal.retryable;
                        let error = refusal::object(refusal.status, &refusal.message);
                        if retry {
                            self.later(number, None, error, out, link)
                        } else {
                            self.end(number, Err(error), out)
                        }
                    }
                    Verdict::Broken(flaw) => self.end(number, Err(Error::new(Code::Malformed, flaw.explain())), out),
                    Verdict::Upload(..) => self.end(number, Err(refusal::would_take()), out),
                    Verdict::Present => {
                        self.end(
                            number,
                            Err(Error::new(
                                Code::Malformed,
                                "the batch response has no download action for this object",
                            )),
                            out,
                        );
                    }
                },
            }
        }
    }

    fn ready(&mut self, number: usize, action: Action, authenticated: bool, out: &mut Outbox) {
        if self.stopped {
            return self.end(number, Err(refusal::stopped()), out);
        }
        self.objects[number].phase = Phase::Ready { action, authenticated };
        self.scheduler.ready(number, self.objects[number].blob.size);
    }

    fn checked(&mut self, number: usize, event: Event, out: &mut Outbox) {
        let blob = self.objects[number].blob;
        // What an earlier check found no longer counts.
        self.objects[number].partial = None;
        match event {
            Event::Present => self.end(number, Ok(()), out),
            Event::Partial(partial) => {
                self.objects[number].partial = Some(partial);
                self.ask_unless_stopped(number, out);
            }
            Event::Whole(stage, got) if got == blob => self.keep(number, stage, out),
            // Bytes that are not the blob: fetched, unless it is stopped before they are dropped.
            Event::Whole(stage, _) => self.drop_stage(number, stage, Err(refusal::stopped()), true, out),
            Event::Failed(failed) => self.end(number, Err(refusal::failed("the cache", &failed)), out),
            _ => self.ask_unless_stopped(number, out),
        }
    }

    fn ask_unless_stopped(&mut self, number: usize, out: &mut Outbox) {
        if self.stopped { self.end(number, Err(refusal::stopped()), out) } else { self.ask(number) }
    }

    /// Begins a transfer, unless its action has expired meanwhile.
    fn fetch(&mut self, number: usize, out: &mut Outbox, link: &mut Link) {
        let object = &mut self.objects[number];
        let Phase::Ready { action, authenticated } = core::mem::replace(&mut object.phase, Phase::Ask) else { return };
        if action.expired(out.now.wall) {
            return self.later(number, None, refusal::expired(), out, link);
        }
        match Fetch::new(object.blob, action, authenticated, object.partial.take(), link) {
            Ok(fetch) => self.send(number, Box::new(fetch), out, link),
            Err(error) => self.end(number, Err(error), out),
        }
    }

    fn send(&mut self, number: usize, mut fetch: Box<Fetch>, out: &mut Outbox, link: &Link) {
        match fetch.effect(link, out.now) {
            Ok(effect) => {
                let id = out.perform(effect);
                self.effects.insert(id, number);
                self.scheduler.began(self.objects[number].blob.size);
                self.objects[number].phase = Phase::Fetch(fetch);
            }
            Err(error) => self.end(number, Err(error), out),
        }
    }

    fn fetched(&mut self, number: usize, mut fetch: Box<Fetch>, event: Event, out: &mut Outbox, link: &mut Link) {
        let object = &mut self.objects[number];
        let next = fetch.next(event, &mut object.faults, out.now, link);
        match next {
            // Bytes that arrived are kept or dropped even after a stop.
            Next::Keep => self.keep(number, fetch.stage, out),
            Next::Drop { error, again } => {
                let again = again && !self.stopped;
                if again {
                    out.retry(&object.name, &error, out.now.ticks);
                }
                self.drop_stage(number, fetch.stage, Err(error), again, out);
            }
            _ if self.stopped => self.end(number, Err(refusal::stopped()), out),
            Next::Redirected => self.send(number, fetch, out, link),
            Next::Restart(error) => {
                out.retry(&object.name, &error, out.now.ticks);
                self.ready(number, fetch.action, fetch.authenticated, out);
            }
            Next::Ask(error) => {
                out.retry(&object.name, &error, out.now.ticks);
                self.ask(number);
            }
            // A server that fails whenever it is asked for a rest may have the whole: what was kept is worth more than
            // that only while there are tries left. A connection that breaks once says nothing of the rest.
            Next::Later(None, error)
                if (error.code == Code::Busy || object.faults.is_stuck)
                    && fetch.is_resumed()
                    && link.tries_are_over(object.retries) =>
            {
                out.retry(&object.name, &error, out.now.ticks);
                self.ready(number, fetch.action, fetch.authenticated, out);
            }
            Next::Later(asked, error) => self.later(number, asked, error, out, link),
            Next::End(error) => self.end(number, Err(error), out),
        }
    }

    /// Promotes a stage whose bytes are the blob.
    fn keep(&mut self, number: usize, stage: StageId, out: &mut Outbox) {
        let blob = self.objects[number].blob;
        self.settle(number, Effect::KeepBlob(Staged { stage, blob }), Ok(()), false, out);
    }

    /// Removes a stage; then comes another try, or this end.
    fn drop_stage(&mut self, number: usize, stage: StageId, then: Result<(), Error>, again: bool, out: &mut Outbox) {
        self.settle(number, Effect::DropStage(stage), then, again, out);
    }

    fn settle(&mut self, number: usize, effect: Effect, then: Result<(), Error>, again: bool, out: &mut Outbox) {
        let id = out.perform(effect);
        self.effects.insert(id, number);
        self.scheduler.settles();
        self.objects[number].phase = Phase::Settle { then, again };
    }

    fn settled(&mut self, number: usize, event: Event, then: Result<(), Error>, again: bool, out: &mut Outbox) {
        match event {
            Event::End if again && !self.stopped => {
                self.objects[number].partial = None;
                self.ask(number);
            }
            Event::End => self.end(number, then, out),
            // What was wrong with the bytes matters more than that the stage could not be removed.
            Event::Failed(_) if then.is_err() && !again => self.end(number, then, out),
            Event::Failed(failed) => self.end(number, Err(refusal::failed("the cache", &failed)), out),
            _ => self.end(number, Err(refusal::unfitting()), out),
        }
    }

    /// Tries again after a while, or ends with `error`.
    fn later(&mut self, number: usize, asked: Option<u64>, error: Error, out: &mut Outbox, link: &mut Link) {
        let object = &mut self.objects[number];
        object.retries += 1;
        match link.delay(object.retries, asked) {
            Some(delay) if !self.stopped => {
                let at = out.now.ticks.saturating_add(delay);
                out.retry(&object.name, &error, at);
                object.phase = Phase::Wait;
                self.scheduler.later(at, number);
            }
            _ => self.end(number, Err(error), out),
        }
    }

    fn end(&mut self, number: usize, ended: Result<(), Error>, out: &mut Outbox) {
        let object = &mut self.objects[number];
        if matches!(object.phase, Phase::Ended(_)) {
            return;
        }
        if ended.is_ok() {
            let total = object.blob.size;
            out.note(Progress { name: object.name.clone(), done: total, total });
        }
        object.phase = Phase::Ended(ended);
        self.left -= 1;
    }

    fn note(&mut self, number: usize, bytes: u64, out: &mut Outbox) {
        let object = &mut self.objects[number];
        if matches!(object.phase, Phase::Fetch(_)) && out.now.ticks >= object.noted.saturating_add(NOTE_MS_MIN) {
            object.noted = out.now.ticks;
            let total = object.blob.size;
            // The end is noted when the bytes are kept, not when they arrive.
            out.note(Progress { name: object.name.clone(), done: bytes.min(total.saturating_sub(1)), total });
        }
    }
}

impl Machine for Download {
    type Report = TransferReport;

    fn advance(&mut self, out: &mut Outbox, link: &mut Link) {
        while let Some(number) = self.scheduler.due(out.now.ticks) {
            self.objects[number].phase = Phase::Check;
            self.unchecked.push_back(number);
        }
        while self.checking + self.scheduler.settling() < CHECKS_IN_FLIGHT_MAX
            && let Some(number) = self.unchecked.pop_front()
        {
            if self.cached {
                let id = out.perform(Effect::HasBlob(self.objects[number].blob));
                self.effects.insert(id, number);
                self.checking += 1;
            } else {
                self.ask(number);
            }
        }
        let checked = self.checking == 0 && self.unchecked.is_empty();
        let more = link.renewal_pending() || self.scheduler.hungry(link) && (checked || self.queue.fills_a_request());
        let answers = self.queue.advance(more, out, link);
        self.answered(answers, out, link);
        if self.queue.is_idle() {
            link.forgo_renewal();
        }
        while !link.renewal_pending()
            && let Some(number) = self.scheduler.next(link)
        {
            self.fetch(number, out, link);
        }
    }

    fn on(&mut self, id: EffectId, event: Event, out: &mut Outbox, link: &mut Link) {
        if self.queue.expects(id) {
            let answers = self.queue.on(id, event, out, link);
            return self.answered(answers, out, link);
        }
        let Some(number) = self.effects.get(&id).copied() else { return };
        match event {
            Event::Progress(bytes) => return self.note(number, bytes, out),
            Event::Head(head) => {
                if let Phase::Fetch(fetch) = &mut self.objects[number].phase
                    && !fetch.accepts(&head, link)
                {
                    out.cancel(id);
                }
                return;
            }
            _ => {}
        }
        self.effects.remove(&id);
        match core::mem::replace(&mut self.objects[number].phase, Phase::Ask) {
            Phase::Check => {
                self.checking -= 1;
                self.checked(number, event, out);
            }
            Phase::Fetch(fetch) => {
                self.scheduler.ended(self.objects[number].blob.size);
                self.fetched(number, fetch, event, out, link);
            }
            Phase::Settle { then, again } => {
                self.scheduler.settled();
                self.settled(number, event, then, again, out);
            }
            phase => self.objects[number].phase = phase,
        }
    }

    fn stop(&mut self, out: &mut Outbox) {
        self.stopped = true;
        let answers = self.queue.stop(out);
        for (number, _) in answers {
            self.end(number, Err(refusal::stopped()), out);
        }
        let idle: Vec<usize> = (0..self.objects.len())
            .filter(|at| {
                let object = &self.objects[*at];
                let open = self.effects.values().any(|number| number == at);
                !open && matches!(object.phase, Phase::Check | Phase::Ready { .. } | Phase::Wait)
            })
            .collect();
        for number in idle {
            self.end(number, Err(refusal::stopped()), out);
        }
        self.unchecked.clear();
        self.scheduler.clear();
        for (id, number) in self.effects.iter() {
            if matches!(self.objects[*number].phase, Phase::Check | Phase::Fetch(_)) {
                out.cancel(*id);
            }
        }
    }

    fn wake(&self, now: u64, link: &Link) -> Option<u64> {
        self.scheduler.wake().into_iter().chain(self.queue.wake(now, link)).min()
    }

    fn left(&self) -> usize {
        self.left
    }

    fn is_done(&self) -> bool {
        self.left == 0 && self.queue.is_idle()
    }

    /// One outcome per want, in the order given.
    fn finish(self) -> TransferReport {
        let any = self.objects.iter().any(|object| matches!(object.phase, Phase::Ended(Ok(()))));
        let ended = match self.queue.unheard() {
            Some(error) if !any && !self.stopped => Err(error.clone()),
            _ => Ok(()),
        };
        let objects = self.objects;
        let outcome = |(want, place): (Want, Result<usize, Error>)| {
            let ended = place.and_then(|at| match &objects[at].phase {
                Phase::Ended(ended) => ended.clone(),
                _ => Err(refusal::unfinished()),
            });
            Outcome { name: want.name, oid: want.oid, size: want.size, ended }
        };
        TransferReport { outcomes: self.wants.into_iter().map(outcome).collect(), ended }
    }
}

impl Object {
    fn new(name: String, blob: Blob) -> Self {
        Self { name, blob, phase: Phase::Check, retries: 0, faults: Faults::default(), partial: None, noted: 0 }
    }
}

/// Whether a want can be tried at all.
fn judge(want: &Want, config: &Config) -> Result<Blob, Error> {
    let blob = want.blob()?;
    if (blob.size == 0) != (blob.oid == Oid::EMPTY) {
        return Err(Error::new(Code::Malformed, format_args!("{} cannot be the oid of {} bytes", blob.oid, blob.size)));
    }
    if blob.size > config.object_bytes_max {
        return Err(Error::new(
            Code::Limit,
            format_args!("{} bytes are more than the limit of {}", blob.size, config.object_bytes_max),
        ));
    }
    Ok(blob)
}
