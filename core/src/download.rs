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
//! A retry starts at Check, so that it learns how much of the stage is left, and asks a new batch, so that the action
//! is fresh. Only bytes of the right size and digest are kept; everything else is dropped.

use crate::asker::{Asker, Told};
use crate::batch::{Action, Direction, Verdict, retryable};
use crate::config::Config;
use crate::contract::{
    Body, Effect, EffectId, Exchange, Failed, Head, Header, Login, Method, Partial, Progress, Stage,
};
use crate::error::{Code, Error};
use crate::http::{self, Outgoing};
use crate::lanes::Lanes;
use crate::limits::{ACTION_REFUSALS_MAX, CHECKS_IN_FLIGHT_MAX, NOTE_MS_MIN, WRONG_BYTES_MAX};
use crate::link::{self, Link};
use crate::oid::{Blob, Oid};
use crate::outbox::{Event, Outbox};
use crate::refusal;
use crate::report::{Outcome, Want};
use crate::retry;
use crate::url::Url;
use std::collections::{BTreeMap, VecDeque};

/// The machine behind `download` and `hydrate`.
#[derive(Debug)]
pub(crate) struct Download {
    objects: Vec<Object>,
    /// For each want, its object; or why it is not even tried.
    wants: Vec<(Want, Result<usize, Error>)>,
    /// Ask the cache first.
    cached: bool,
    asker: Asker,
    unchecked: VecDeque<usize>,
    checking: usize,
    lanes: Lanes,
    effects: BTreeMap<EffectId, usize>,
    left: usize,
    stopped: bool,
}

#[derive(Debug)]
struct Object {
    name: String,
    blob: Blob,
    phase: Phase,
    retries: u32,
    /// Times its action was refused with 401 or 403.
    refusals: u32,
    /// Times its bytes were wrong.
    wrong: u32,
    /// What is left of an earlier try.
    partial: Option<Partial>,
    /// Tick of the last note of progress.
    noted: u64,
}

/// See the picture above.
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

#[derive(Debug)]
struct Fetch {
    action: Action,
    authenticated: bool,
    outgoing: Outgoing,
    resume_from: u64,
    login: Login,
    generation: u32,
    sent: u64,
    /// The answer is the whole blob, not a range of it.
    whole: bool,
    /// The server's range is not the one asked for: the effect is being cancelled and the next try starts at 0.
    restarting: bool,
}

impl Download {
    pub(crate) fn new(wants: Vec<Want>, cached: bool, link: &Link) -> Self {
        let mut objects: Vec<Object> = Vec::new();
        let mut places: BTreeMap<Oid, usize> = BTreeMap::new();
        let wants: Vec<(Want, Result<usize, Error>)> = wants
            .into_iter()
            .map(|want| {
                let place = judge(&want, &link.config).and_then(|blob| match places.get(&blob.oid) {
                    Some(at) if objects[*at].blob == blob => Ok(*at),
                    Some(_) => {
                        Err(Error::new(Code::Malformed, format!("{} is wanted with two different sizes", blob.oid)))
                    }
                    None => {
                        objects.push(Object::new(want.name.clone(), blob));
                        places.insert(blob.oid, objects.len() - 1);
                        Ok(objects.len() - 1)
                    }
                });
                (want, place)
            })
            .collect();
        // Largest first: the last transfer to end should be a small one.
        let mut order: Vec<usize> = (0..objects.len()).collect();
        order.sort_unstable_by_key(|at| (core::cmp::Reverse(objects[*at].blob.size), objects[*at].blob.oid));
        Self {
            left: objects.len(),
            objects,
            wants,
            cached,
            asker: Asker::new(Direction::Download, link),
            unchecked: order.into(),
            checking: 0,
            lanes: Lanes::default(),
            effects: BTreeMap::new(),
            stopped: false,
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.left == 0 && self.asker.is_idle()
    }

    /// One outcome per want, in the order given. `Err` when the server would not speak of any object at all.
    pub(crate) fn finish(self) -> Result<Vec<Outcome>, Error> {
        let any = self.objects.iter().any(|object| matches!(object.phase, Phase::Ended(Ok(()))));
        if let Some(error) = self.asker.unheard()
            && !any
            && !self.stopped
        {
            return Err(error.clone());
        }
        let objects = self.objects;
        let outcome = |(want, place): (Want, Result<usize, Error>)| {
            let ended = place.and_then(|at| match &objects[at].phase {
                Phase::Ended(ended) => ended.clone(),
                _ => Err(refusal::unfinished()),
            });
            Outcome { name: want.name, oid: want.oid, size: want.size, ended }
        };
        Ok(self.wants.into_iter().map(outcome).collect())
    }

    /// How much is not ended yet.
    pub(crate) fn left(&self) -> usize {
        self.left
    }

    /// The next tick at which [`Download::advance`] has something to do.
    pub(crate) fn wake(&self, now: u64, link: &Link) -> Option<u64> {
        self.lanes.wake().into_iter().chain(self.asker.wake(now, link)).min()
    }

    pub(crate) fn advance(&mut self, out: &mut Outbox, link: &mut Link) {
        while let Some(number) = self.lanes.due(out.now.ticks) {
            self.objects[number].phase = Phase::Check;
            self.unchecked.push_back(number);
        }
        while self.checking + self.lanes.settling() < CHECKS_IN_FLIGHT_MAX
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
        let more = link.renewal_pending() || self.lanes.hungry(link) && (checked || self.asker.fills_a_request());
        let told = self.asker.advance(more, out, link);
        self.told(told, out, link);
        if self.asker.is_idle() {
            link.forgo_renewal();
        }
        while !link.renewal_pending()
            && let Some(number) = self.lanes.next(link)
        {
            self.fetch(number, out, link);
        }
    }

    fn ask(&mut self, number: usize) {
        self.objects[number].phase = Phase::Ask;
        self.asker.want(number, self.objects[number].blob);
    }

    fn told(&mut self, told: Vec<Told>, out: &mut Outbox, link: &mut Link) {
        for (number, answer) in told {
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
                    Verdict::Present | Verdict::Upload(..) => {
                        self.end(
                            number,
                            Err(Error::new(Code::Malformed, "the server answered a download with something else")),
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
        self.lanes.ready(number, self.objects[number].blob.size);
    }

    /// Begins a transfer, unless its action has ended meanwhile.
    fn fetch(&mut self, number: usize, out: &mut Outbox, link: &mut Link) {
        let object = &mut self.objects[number];
        let Phase::Ready { action, authenticated } = core::mem::replace(&mut object.phase, Phase::Ask) else { return };
        if action.expired(out.now.wall) {
            return self.later(number, None, refusal::expired(), out, link);
        }
        let Some(url) = Url::parse(&action.href) else {
            return self.end(number, Err(Error::new(Code::Malformed, "the server gave an unusable address")), out);
        };
        let last = object.blob.size.saturating_sub(1);
        let partial = object.partial.take().filter(|partial| 0 < partial.bytes && partial.bytes <= last);
        let mut plain = vec![Header::new("Accept-Encoding", "identity")];
        if let Some(partial) = &partial {
            plain.push(Header::new("Range", format!("bytes={}-{last}", partial.bytes)));
            let validator = partial.validator.as_ref().filter(|validator| http::is_validator(validator));
            plain.extend(validator.map(|validator| Header::new("If-Range", validator.clone())));
        }
        let resume_from = partial.map_or(0, |partial| partial.bytes);
        let outgoing = Outgoing::action(Method::Get, url, &action.headers, plain, Body::Empty, authenticated);
        let fetch = Fetch {
            action,
            authenticated,
            outgoing,
            resume_from,
            login: Login::None,
            generation: 0,
            sent: 0,
            whole: true,
            restarting: false,
        };
        self.send(number, Box::new(fetch), out, link);
    }

    fn send(&mut self, number: usize, mut fetch: Box<Fetch>, out: &mut Outbox, link: &mut Link) {
        if let Err(error) = link.may_reach(&fetch.outgoing.url) {
            return self.end(number, Err(error), out);
        }
        let blob = self.objects[number].blob;
        // A renewal is asked for by a batch request alone; a transfer uses what is there.
        fetch.login = match link.login(&fetch.outgoing.url, fetch.outgoing.with_login) {
            Login::Renewed => Login::Stored,
            login => login,
        };
        fetch.generation = link.generation();
        fetch.sent = out.now.ticks;
        let id = out.perform(Effect::Http(Exchange {
            request: fetch.outgoing.request(fetch.login, link.config.reports_redirects),
            stage: Some(Stage { blob, resume_from: fetch.resume_from }),
            // One byte over the size shows that the body is too long. A server may answer a range with the whole.
            answer_bytes_max: blob.size.saturating_add(1),
            idle_max: link.config.idle_max,
        }));
        self.effects.insert(id, number);
        self.lanes.began(blob.size);
        self.objects[number].phase = Phase::Fetch(fetch);
    }

    pub(crate) fn on(&mut self, id: EffectId, event: Event, out: &mut Outbox, link: &mut Link) {
        if self.asker.expects(id) {
            let told = self.asker.on(id, event, out, link);
            return self.told(told, out, link);
        }
        let Some(number) = self.effects.get(&id).copied() else { return };
        match event {
            Event::Progress(bytes) => return self.note(number, bytes, out),
            Event::Head(head) => return self.judge_head(number, id, &head, out, link),
            _ => {}
        }
        self.effects.remove(&id);
        match core::mem::replace(&mut self.objects[number].phase, Phase::Ask) {
            Phase::Check => {
                self.checking -= 1;
                self.checked(number, event, out);
            }
            Phase::Fetch(fetch) => {
                self.lanes.ended(self.objects[number].blob.size);
                self.fetched(number, fetch, event, out, link);
            }
            Phase::Settle { then, again } => {
                self.lanes.settled();
                self.settled(number, event, then, again, out);
            }
            phase => self.objects[number].phase = phase,
        }
    }

    fn checked(&mut self, number: usize, event: Event, out: &mut Outbox) {
        let blob = self.objects[number].blob;
        match event {
            Event::Present => self.end(number, Ok(()), out),
            Event::Partial(partial) => {
                self.objects[number].partial = Some(partial);
                self.ask_unless_stopped(number, out);
            }
            Event::Staged(got) if got == blob => self.settle(number, true, Ok(()), false, out),
            // Bytes that are not the blob: fetched, unless it is stopped before they are dropped.
            Event::Staged(_) => self.settle(number, false, Err(refusal::stopped()), true, out),
            Event::Failed(failed) => self.end(number, Err(link::failed("the cache", &failed)), out),
            _ => self.ask_unless_stopped(number, out),
        }
    }

    fn ask_unless_stopped(&mut self, number: usize, out: &mut Outbox) {
        if self.stopped { self.end(number, Err(refusal::stopped()), out) } else { self.ask(number) }
    }

    /// A 206 must be the range that was asked for. Its total is not looked at: one server gets it wrong (measured), and
    /// the digest proves the whole.
    fn judge_head(&mut self, number: usize, id: EffectId, head: &Head, out: &mut Outbox, link: &mut Link) {
        let size = self.objects[number].blob.size;
        let Phase::Fetch(fetch) = &mut self.objects[number].phase else { return };
        link.answered(fetch.sent);
        fetch.whole = head.status == 200;
        let asked = Some((fetch.resume_from, size.saturating_sub(1)));
        let fits = fetch.resume_from > 0 && head.value("content-range").and_then(content_range) == asked;
        if head.status == 206 && !fits {
            fetch.restarting = true;
            out.cancel(id);
        }
    }

    fn fetched(&mut self, number: usize, fetch: Box<Fetch>, event: Event, out: &mut Outbox, link: &mut Link) {
        let blob = self.objects[number].blob;
        match event {
            Event::Staged(got) if fetch.restarting || got != blob => {
                let object = &mut self.objects[number];
                // A beginning from another run proves nothing about the server: only whole answers count.
                object.wrong += u32::from(fetch.whole);
                let wrong = Error::new(
                    Code::Integrity,
                    format!("expected {} of {} bytes, received {} of {} bytes", blob.oid, blob.size, got.oid, got.size),
                );
                let again = object.wrong < WRONG_BYTES_MAX && !self.stopped;
                self.settle(number, false, Err(wrong), again, out);
            }
            Event::Staged(_) => self.settle(number, true, Ok(()), false, out),
            Event::Answer { head, .. } => self.refused(number, fetch, &head, out, link),
            Event::Failed(failed) => self.broken(number, fetch, &failed, out, link),
            _ => self.end(number, Err(refusal::unfitting()), out),
        }
    }

    fn broken(&mut self, number: usize, fetch: Box<Fetch>, failed: &Failed, out: &mut Outbox, link: &mut Link) {
        if self.stopped {
            return self.end(number, Err(refusal::stopped()), out);
        }
        if fetch.restarting && fetch.resume_from > 0 {
            return self.ready(number, fetch.action, fetch.authenticated, out);
        }
        if fetch.restarting {
            let error = Error::new(Code::Malformed, "the server sent a part when the whole was asked for");
            return self.later(number, None, error, out, link);
        }
        let error = link::failed("the download", failed);
        if link::passing(failed.why) {
            self.later(number, None, error, out, link)
        } else {
            self.end(number, Err(error), out)
        }
    }

    /// An answer that is not the bytes.
    fn refused(&mut self, number: usize, mut fetch: Box<Fetch>, head: &Head, out: &mut Outbox, link: &mut Link) {
        if self.stopped {
            return self.end(number, Err(refusal::stopped()), out);
        }
        link.answered(fetch.sent);
        match head.status {
            status if http::is_redirect(status) => match fetch.outgoing.redirect(head, link) {
                Ok(()) => self.send(number, fetch, out, link),
                Err(error) => self.end(number, Err(error), out),
            },
            401 | 403 => {
                self.objects[number].refusals += 1;
                if self.objects[number].refusals > ACTION_REFUSALS_MAX {
                    let error =
                        Error::new(Code::Auth, format!("{} answered {}", fetch.outgoing.url.shown(), head.status));
                    return self.end(number, Err(error), out);
                }
                let ours = fetch.login != Login::None || head.status == 401;
                match if ours { login_refused(&fetch, link) } else { Ok(()) } {
                    Ok(()) => self.ask(number),
                    Err(error) => self.end(number, Err(error), out),
                }
            }
            416 if fetch.resume_from > 0 => self.ready(number, fetch.action, fetch.authenticated, out),
            status if retryable(status) => {
                let asked = head.value("retry-after").and_then(|value| retry::retry_after(value, out.now.wall));
                let mut error = refusal::transfer("the download", status);
                error.retry_after = asked.map(|wait| out.now.wall.saturating_add(wait));
                self.later(number, asked, error, out, link);
            }
            status => self.end(number, Err(refusal::transfer("the download", status)), out),
        }
    }

    /// Promotes or forgets the stage.
    fn settle(&mut self, number: usize, keep: bool, then: Result<(), Error>, again: bool, out: &mut Outbox) {
        let oid = self.objects[number].blob.oid;
        let id = out.perform(if keep { Effect::KeepBlob(oid) } else { Effect::DropBlob(oid) });
        self.effects.insert(id, number);
        self.lanes.settles();
        self.objects[number].phase = Phase::Settle { then, again };
    }

    fn settled(&mut self, number: usize, event: Event, then: Result<(), Error>, again: bool, out: &mut Outbox) {
        match event {
            Event::End if again && !self.stopped => {
                self.objects[number].partial = None;
                self.ask(number);
            }
            Event::End => self.end(number, then, out),
            // What was wrong with the bytes matters more than that they could not be forgotten.
            Event::Failed(_) if then.is_err() && !again => self.end(number, then, out),
            Event::Failed(failed) => self.end(number, Err(link::failed("the cache", &failed)), out),
            _ => self.end(number, Err(refusal::unfitting()), out),
        }
    }

    /// Tries again after a while, or ends with `error`.
    fn later(&mut self, number: usize, asked: Option<u64>, error: Error, out: &mut Outbox, link: &mut Link) {
        let object = &mut self.objects[number];
        object.retries += 1;
        match link.delay(object.retries, asked) {
            Some(delay) if !self.stopped => {
                object.phase = Phase::Wait;
                self.lanes.later(out.now.ticks.saturating_add(delay), number);
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
            // The end is noted once the bytes are kept, not when they arrived.
            out.note(Progress { name: object.name.clone(), done: bytes.min(total.saturating_sub(1)), total });
        }
    }

    pub(crate) fn stop(&mut self, out: &mut Outbox) {
        self.stopped = true;
        let told = self.asker.stop(out);
        for (number, _) in told {
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
        self.lanes.clear();
        for (id, number) in &self.effects {
            if matches!(self.objects[*number].phase, Phase::Check | Phase::Fetch(_)) {
                out.cancel(*id);
            }
        }
    }
}

impl Object {
    fn new(name: String, blob: Blob) -> Self {
        Self { name, blob, phase: Phase::Check, retries: 0, refusals: 0, wrong: 0, partial: None, noted: 0 }
    }
}

/// Whether a want can be tried at all.
fn judge(want: &Want, config: &Config) -> Result<Blob, Error> {
    let blob = want.blob()?;
    if (blob.size == 0) != (blob.oid == Oid::EMPTY) {
        return Err(Error::new(Code::Malformed, format!("{} cannot be the oid of {} bytes", blob.oid, blob.size)));
    }
    if blob.size > config.object_bytes_max {
        return Err(Error::new(
            Code::Limit,
            format!("{} bytes are more than the limit of {}", blob.size, config.object_bytes_max),
        ));
    }
    Ok(blob)
}

/// The stored login was sent, or none to the endpoint's own origin: get one, or another, before the batch is asked
/// again.
fn login_refused(fetch: &Fetch, link: &mut Link) -> Result<(), Error> {
    let ours = fetch.outgoing.with_login && fetch.outgoing.url.origin() == link.endpoint.origin();
    if ours { link.refused(fetch.generation) } else { Ok(()) }
}

/// First and last byte of a Content-Range.
fn content_range(value: &str) -> Option<(u64, u64)> {
    let (range, _total) = value.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    Some((first.trim().parse().ok()?, last.trim().parse().ok()?))
}
