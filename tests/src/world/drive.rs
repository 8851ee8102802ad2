//! Runs an operation in the world, in an order of its own, and checks the laws after every step.

use super::host::{Feed, Replies, perform};
use super::laws::{self, Steps};
use super::repairs::Repairs;
use super::server::{ENDPOINT, SECRET};
use super::{Dice, Fault, Faults, Remote, Server, Store, blob};
use crate::engine::{self, Engine, Native, Start};
use crate::trace;
use hydrant_ledger::publish::{Publication, PublishReport};
use hydrant_ledger::reconcile::ReconcileReport;
use hydrant_lfs::contract::Config;
use hydrant_lfs::contract::Phase;
use hydrant_lfs::contract::{Body, Effect, EffectId, Failed, Failure, Instant, Login, Redirect, Reply, Step};
use hydrant_lfs::contract::{Outcome, Source, Want};
use hydrant_lfs::git_lfs::pointer::pointer_shaped;
use hydrant_lfs::text::error::Error;
use hydrant_lfs::text::limits::{CHECKS_IN_FLIGHT_MAX, IDLE_MS_MAX, IN_FLIGHT_MAX, POINTER_BYTES_MAX};
use std::collections::BTreeMap;

/// Steps after which a run is a livelock.
const STEPS_MAX: usize = 400_000;
/// Wall clock at the beginning: March 2026.
const DAWN: u64 = 1_772_366_400_000;

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Job {
    /// Cache first.
    Hydrate(Vec<Want>),
    /// Always fetch.
    Download(Vec<Want>),
    /// By manifest.
    HydrateSession(String),
    /// To the server.
    Upload(Vec<Source>),
    /// To server and ledger.
    Publish(Publication),
    /// The pointers of the next push; true repairs.
    Reconcile(bool),
}

impl Job {
    /// The operation of this job.
    pub fn start(&self) -> Start {
        match self.clone() {
            Job::Hydrate(wants) => Start::Hydrate(wants),
            Job::Download(wants) => Start::Download(wants),
            Job::HydrateSession(session) => Start::HydrateSession(session),
            Job::Upload(sources) => Start::Upload(sources),
            Job::Publish(publication) => Start::Publish(publication),
            Job::Reconcile(repair) => Start::Reconcile(repair),
        }
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself.
    Done(Result<Vec<Outcome>, Error>),
    /// A publish, by itself.
    Published(PublishReport),
    /// A reconcile, by itself.
    Reconciled(ReconcileReport),
    /// By a death of the process.
    Killed,
}

/// Everything that is not the operation.
#[derive(Clone, Debug)]
pub struct World {
    /// The far side.
    pub server: Server,
    /// The near side.
    pub store: Store,
    /// The ledger.
    pub remote: Remote,
    /// Other clones of it, at rest while this one is at work.
    pub others: Vec<Store>,
    /// Milliseconds by which the wall clock has jumped before a run.
    pub skew: i64,
    /// The laws are checked after every step of every operation, not only of a publish.
    pub strict: bool,
    /// Lines that the agent appended, and pushes of others.
    pub events: usize,
    /// Pushes of others to our session.
    pub rivals: usize,
    /// Edits of the user's.
    pub edits: usize,
    /// How bytes are fed.
    pub feed: Feed,
    /// Which open effect is answered next: the first, the last, or any.
    pub order: Order,
    /// Stop after so many replies.
    pub stop_after: Option<usize>,
    /// Configuration besides the endpoint.
    pub config: Config,
    /// What was said, for people.
    pub trace: Vec<String>,
    /// Effects of the last run.
    pub effects: u32,
}

/// Which open effect is answered next.
#[derive(Clone, Debug)]
pub enum Order {
    /// The oldest.
    First,
    /// The youngest.
    Last,
    /// Any, reply by reply.
    Any(Dice),
}

impl World {
    /// A calm world.
    pub fn new(feed: Feed, order: Order) -> Self {
        let config = Config::new(ENDPOINT, 0);
        Self {
            server: Server::default(),
            store: Store::default(),
            remote: Remote::default(),
            others: Vec::new(),
            skew: 0,
            strict: false,
            events: 0,
            rivals: 0,
            edits: 0,
            feed,
            order,
            stop_after: None,
            config,
            trace: Vec::new(),
            effects: 0,
        }
    }

    /// What must hold at any moment, whoever did what.
    pub fn check(&self) -> Result<(), String> {
        let stores: Vec<&Store> = [&self.store].into_iter().chain(&self.others).collect();
        laws::state(&self.server, &self.remote, &stores)
    }

    fn pick(&mut self, open: &BTreeMap<EffectId, Replies>) -> Option<EffectId> {
        match &mut self.order {
            Order::First => open.keys().next().copied(),
            Order::Last => open.keys().next_back().copied(),
            Order::Any(dice) => open.keys().nth(dice.roll(open.len())).copied(),
        }
    }
}

/// Runs a job to its end, or to a death. `Err` is a broken law.
pub fn run(world: &mut World, job: &Job, faults: &mut Faults) -> Result<Ended, String> {
    run_through(&Native, world, job, faults)
}

/// The same with any form of the engine.
pub fn run_through(engine: &dyn Engine, world: &mut World, job: &Job, faults: &mut Faults) -> Result<Ended, String> {
    // The contract demands a new seed for each operation: two with one seed that begin at the same time name their
    // stages alike.
    world.config.seed = world.config.seed.wrapping_add(1);
    let mut operation = match engine.begin(&world.config, &job.start()) {
        Ok(operation) => operation,
        Err(error) => return Ok(Ended::Done(Err(error))),
    };
    let steps = match job {
        Job::Publish(publication) => Some(Steps::of(publication)),
        _ => None,
    };
    let repairs = match job {
        Job::Reconcile(repair) => Some(Repairs::new(*repair)),
        _ => None,
    };
    let skew = world.skew;
    let mut run = Run { world, open: BTreeMap::new(), ticks: 0, skew, last: None, steps, repairs };
    let life = run.drive(operation.as_mut(), faults)?;
    run.world.skew = run.skew;
    if life == Life::Killed {
        return Ok(Ended::Killed);
    }
    if let Some(id) = run.open.keys().next() {
        return Err(format!("effect {} is open although the operation is done", id.0));
    }
    if matches!(job, Job::Reconcile(_)) {
        let report =
            operation.reconcile_report().map_err(|error| format!("a reconcile without a report: {error:?}"))?;
        return Ok(Ended::Reconciled(report));
    }
    let Some(steps) = run.steps else { return Ok(Ended::Done(operation.outcomes())) };
    let report = operation.publish_report().map_err(|error| format!("a publish without a report: {error:?}"))?;
    laws::reported(&report, &steps, &world.store, &world.remote)?;
    Ok(Ended::Published(report))
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Done,
    Killed,
}

struct Run<'a> {
    world: &'a mut World,
    open: BTreeMap<EffectId, Replies>,
    ticks: u64,
    /// How far the wall clock has jumped.
    skew: i64,
    last: Option<EffectId>,
    /// What a publish has been told so far.
    steps: Option<Steps>,
    /// What a reconcile has been told so far.
    repairs: Option<Repairs>,
}

impl Run<'_> {
    fn now(&self) -> Instant {
        Instant { ticks: self.ticks, wall: (DAWN + self.ticks).saturating_add_signed(self.skew) }
    }

    fn drive(&mut self, operation: &mut dyn engine::Run, faults: &mut Faults) -> Result<Life, String> {
        let mut replies = 0;
        for _ in 0..STEPS_MAX {
            let step = operation.poll(self.now());
            self.world.trace.extend(trace::step(&step));
            match step {
                Step::Perform(id, effect) => {
                    self.world.effects = id.0 + 1;
                    let fault = faults.strike(id.0, &effect);
                    if self.begin(id, &effect, fault)? {
                        return Ok(Life::Killed);
                    }
                }
                Step::Enter(phase) => self.entered(phase)?,
                Step::Retry(_) => {}
                Step::Cancel(id) => {
                    if let Some(open) = self.open.get_mut(&id) {
                        let why = Failure::Aborted;
                        *open = [(Reply::Failed(Failed { why, detail: String::new() }), None)].into();
                    }
                }
                Step::Note(progress) if progress.done > progress.total => {
                    return Err(format!("more than everything is done of {}", progress.name));
                }
                Step::Note(_) => {}
                Step::Wait(until) => {
                    replies += 1;
                    if self.world.stop_after == Some(replies) {
                        operation.stop();
                        continue;
                    }
                    self.ticks += 1;
                    match self.world.pick(&self.open) {
                        Some(id) => self.deliver(operation, id)?,
                        None => match until {
                            Some(until) => self.ticks = self.ticks.max(until),
                            None => return Err("it waits for nothing".to_owned()),
                        },
                    }
                }
                Step::Done => return Ok(Life::Done),
            }
        }
        Err(format!("no end after {STEPS_MAX} steps"))
    }

    /// Begins an effect; true when the process dies instead.
    fn begin(&mut self, id: EffectId, effect: &Effect, fault: Fault) -> Result<bool, String> {
        if self.last.is_some_and(|last| id <= last) {
            return Err(format!("effect {} does not ascend", id.0));
        }
        self.last = Some(id);
        let World { server, store, remote, events, rivals, edits, .. } = &mut *self.world;
        match fault {
            Fault::Rival(rival) => {
                *events += 1;
                *rivals += 1;
                rival.push(*events, server, remote, store);
            }
            Fault::Append => {
                *events += 1;
                store.append(format!("{{\"type\":\"user\",\"line\":{events}}}\n").as_bytes());
            }
            Fault::Edit => {
                *events += 1;
                *edits += 1;
                store.edit(&format!("\"zz_edit_{events}\": {events}, "));
            }
            Fault::Remove => store.remove(),
            Fault::Kill => return Ok(true),
            Fault::PowerLoss => {
                store.lose_power();
                return Ok(true);
            }
            Fault::Stall | Fault::StallMidway => self.ticks += IDLE_MS_MAX,
            Fault::Expired => self.skew += 3_600_000,
            Fault::Fleeting => self.skew -= 60_000,
            _ => {}
        }
        self.check(effect)?;
        let World { server, store, remote, feed, .. } = &mut *self.world;
        let replies = perform(effect, fault, *feed, server, store, remote);
        let killed = fault == Fault::KillAfter;
        if killed {
            for deed in replies.into_iter().filter_map(|(_, deed)| deed) {
                deed.take_place(store)?;
            }
        } else {
            self.open.insert(id, replies);
        }
        if (self.steps.is_some() || self.world.strict) && (laws::changes(effect) || fault != Fault::None) {
            self.world.check()?;
        }
        Ok(killed)
    }

    fn entered(&mut self, phase: Phase) -> Result<(), String> {
        match &mut self.steps {
            Some(steps) => steps.enter(phase),
            None => Err(format!("{} is entered and nothing is published", phase.name())),
        }
    }

    fn deliver(&mut self, operation: &mut dyn engine::Run, id: EffectId) -> Result<(), String> {
        let Some(replies) = self.open.get_mut(&id) else { return Ok(()) };
        let Some((reply, deed)) = replies.pop_front() else {
            return Err(format!("effect {} was answered and stays open", id.0));
        };
        if replies.is_empty() {
            self.open.remove(&id);
        }
        let store = &mut self.world.store;
        if let Some(deed) = deed {
            deed.take_place(store)?;
            store.check()?;
        }
        self.world.trace.push(trace::reply(id, &reply));
        if let Some(steps) = &mut self.steps {
            steps.told(id, &reply);
        }
        if let Some(repairs) = &mut self.repairs {
            repairs.told(id, &reply);
        }
        operation.reply(id, &reply).map_err(|misuse| format!("a right reply to {} was refused: {misuse:?}", id.0))
    }

    /// What no effect may ever do.
    fn check(&mut self, effect: &Effect) -> Result<(), String> {
        if let (Some(steps), Some(id)) = (&mut self.steps, self.last) {
            steps.asked(id, effect, &self.world.store, &self.world.remote)?;
        }
        if let (Some(repairs), Some(id)) = (&mut self.repairs, self.last) {
            repairs.asked(id, effect, &self.world.store)?;
        }
        let writes = matches!(
            effect,
            Effect::SaveDoc(_)
                | Effect::PushLedger(_)
                | Effect::SettleLedger(_)
                | Effect::SwapFile(_)
                | Effect::RewriteLedger(_)
        );
        if writes && self.steps.is_none() && self.repairs.is_none() {
            return Err("I16: a transfer writes to the ledger".to_owned());
        }
        match effect {
            Effect::KeepBlob(it) => {
                let staged = self.world.store.stages.get(&it.stage).map(|stage| blob(&stage.bytes));
                let oid = it.blob.oid;
                if staged == Some(it.blob) {
                    Ok(())
                } else {
                    Err(format!("{oid} is kept although its stage is something else"))
                }
            }
            Effect::Http(exchange) => {
                let request = &exchange.request;
                let origin = origin(&request.url);
                if request.login != Login::None && origin != self::origin(ENDPOINT) {
                    return Err(format!("a login goes to {origin}"));
                }
                for header in &request.headers {
                    let meant = header.value.split_once(SECRET).map(|(_, meant)| meant);
                    if meant.is_some_and(|meant| meant != origin) {
                        return Err(format!("a header of an action goes to {origin}"));
                    }
                }
                if request.redirect != Redirect::Report {
                    return Err("a host that reports redirects was told to follow one".to_owned());
                }
                if let Body::File(slice) = &request.body {
                    let bytes = self.world.store.read(&slice.name).map(Vec::as_slice).unwrap_or_default();
                    if bytes.len() < POINTER_BYTES_MAX && pointer_shaped(bytes, bytes.len() as u64) {
                        return Err(format!("{} looks like a pointer and is uploaded", slice.name));
                    }
                }
                let bound = IN_FLIGHT_MAX as usize + CHECKS_IN_FLIGHT_MAX;
                if self.open.len() > bound {
                    return Err(format!("{} effects are open at once", self.open.len()));
                }
                if exchange.answer_bytes_max == 0 || exchange.idle_max == 0 {
                    return Err("an exchange without bounds".to_owned());
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Scheme, host and port.
pub(super) fn origin(url: &str) -> &str {
    let end = url.match_indices('/').nth(2).map_or(url.len(), |(at, _)| at);
    &url[..end]
}
