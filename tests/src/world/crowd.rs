//! Several publishers at once, in every order of their effects: same clone or several, same remote, same server.
//!
//! A run is made again from its beginning for every choice, and a state that was seen before is not gone into again:
//! the world and what each publisher was told so far decide everything that can follow.

use super::host::{Replies, perform};
use super::laws::{self, Steps};
use super::server::ENDPOINT;
use super::{Fault, Feed, Remote, Server, Store, blob};
use crate::engine::{Engine, Native, Run, Start};
use crate::trace;
use hydrant_ledger::publish::{Publication, PublishReport};
use hydrant_lfs::contract::Config;
use hydrant_lfs::contract::{Doc, Effect, EffectId, Instant, Reply, Step};
use hydrant_lfs::text::oid::Oid;
use std::collections::{BTreeMap, BTreeSet};

/// Steps of one publisher between two waits.
const STEPS_MAX: usize = 10_000;

/// Judges an end of all publishers, and may go on from there.
pub type Finish<'a> = dyn Fn(&mut Crowd, &[PublishReport]) -> Result<(), String> + 'a;

/// One publisher.
#[derive(Clone, Debug)]
pub struct Part {
    /// Place of its clone.
    pub store: usize,
    /// What it publishes.
    pub publication: Publication,
}

/// A world with several clones, and who publishes what.
#[derive(Clone, Debug, Default)]
pub struct Crowd {
    /// The far side.
    pub server: Server,
    /// The ledger.
    pub remote: Remote,
    /// Clones.
    pub stores: Vec<Store>,
    /// Publishers.
    pub parts: Vec<Part>,
}

/// How large an exploration was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explored {
    /// Orders that ran to the end of every publisher.
    pub runs: usize,
    /// Different states of the world and its publishers.
    pub states: usize,
    /// Whether every order was covered.
    pub whole: bool,
    /// How the publishers ended, and how often.
    pub ends: BTreeMap<String, usize>,
}

impl Crowd {
    /// Runs every order, or stops after so many states; `finish` judges each end. `Err` is a broken law, with what was
    /// said before.
    pub fn explore(&self, states_max: usize, finish: &Finish<'_>) -> Result<Explored, String> {
        let mut explored = Explored { whole: true, ..Explored::default() };
        let mut seen = BTreeSet::new();
        let mut orders: Vec<Vec<usize>> = vec![Vec::new()];
        while let Some(mut order) = orders.pop() {
            let mut live = Live::begin(self)?;
            for actor in &order {
                live.answer(*actor)?;
            }
            loop {
                let waiting = live.waiting();
                let Some(first) = waiting.first() else {
                    let told = |broken| format!("{broken}\n{}", live.lines.join("\n"));
                    explored.runs += 1;
                    live.ended(finish, &mut explored.ends).map_err(told)?;
                    break;
                };
                if !seen.insert(live.key()) {
                    break;
                }
                orders.extend(waiting[1..].iter().map(|other| [order.as_slice(), &[*other]].concat()));
                order.push(*first);
                let checked = live.answer(*first).and_then(|()| live.check());
                checked.map_err(|broken| format!("{broken}\n{}", live.lines.join("\n")))?;
            }
            if seen.len() > states_max {
                explored.whole = false;
                break;
            }
        }
        explored.states = seen.len();
        Ok(explored)
    }
}

/// A crowd at work.
struct Live {
    crowd: Crowd,
    actors: Vec<Actor>,
    lines: Vec<String>,
}

struct Actor {
    operation: Option<Box<dyn Run>>,
    open: BTreeMap<EffectId, Effect>,
    steps: Steps,
    ticks: u64,
    /// Everything it was told so far.
    told: Oid,
    report: Option<PublishReport>,
}

impl Live {
    fn begin(crowd: &Crowd) -> Result<Self, String> {
        let mut actors = Vec::new();
        for part in &crowd.parts {
            let config = Config::new(ENDPOINT, 0);
            let operation = Native.begin(&config, &Start::Publish(part.publication.clone()));
            actors.push(Actor {
                operation: Some(operation.map_err(|error| error.to_string())?),
                open: BTreeMap::new(),
                steps: Steps::of(&part.publication),
                ticks: 0,
                told: Oid::EMPTY,
                report: None,
            });
        }
        let mut live = Self { crowd: crowd.clone(), actors, lines: Vec::new() };
        for actor in 0..live.actors.len() {
            live.poll(actor)?;
        }
        Ok(live)
    }

    /// Publishers that have asked for something. What only touches a clone of one's own makes no difference to others,
    /// whenever it takes place: it goes first, and alone.
    fn waiting(&self) -> Vec<usize> {
        let parts = &self.crowd.parts;
        let alone = |actor: usize| parts.iter().filter(|part| part.store == parts[actor].store).count() == 1;
        let shared =
            |effect: &Effect| matches!(effect, Effect::Http(_) | Effect::LoadLedger(_) | Effect::PushLedger(_));
        let next = |actor: &usize| self.actors[*actor].open.values().next();
        let waiting: Vec<usize> = (0..self.actors.len()).filter(|actor| next(actor).is_some()).collect();
        match waiting.iter().find(|actor| alone(**actor) && !next(actor).is_some_and(shared)) {
            Some(actor) => vec![*actor],
            None => waiting,
        }
    }

    /// What a publisher asked for first takes place and is answered.
    fn answer(&mut self, number: usize) -> Result<(), String> {
        let actor = &mut self.actors[number];
        let Some((id, effect)) = actor.open.pop_first() else { return Ok(()) };
        let Crowd { server, remote, stores, parts } = &mut self.crowd;
        let store = &mut stores[parts[number].store];
        let replies: Replies = perform(&effect, Fault::None, Feed::Chunks(4096), server, store, remote);
        for (reply, deed) in replies {
            if let Some(deed) = deed {
                deed.take_place(store)?;
            }
            self.lines.push(format!("{number} {}", trace::reply(id, &reply)));
            actor.told = told(&actor.told, id, &reply);
            actor.steps.told(id, &reply);
            let Some(operation) = &mut actor.operation else { return Ok(()) };
            operation.reply(id, &reply).map_err(|misuse| format!("a right reply was refused: {misuse:?}"))?;
        }
        self.poll(number)
    }

    /// Takes what a publisher says until it waits or is done.
    fn poll(&mut self, number: usize) -> Result<(), String> {
        let actor = &mut self.actors[number];
        let Some(mut operation) = actor.operation.take() else { return Ok(()) };
        for _ in 0..STEPS_MAX {
            let step = operation.poll(Instant { ticks: actor.ticks, wall: actor.ticks });
            self.lines.extend(trace::step(&step).map(|line| format!("{number} {line}")));
            match step {
                Step::Perform(id, effect) => {
                    let store = &self.crowd.stores[self.crowd.parts[number].store];
                    actor.steps.asked(id, &effect, store, &self.crowd.remote)?;
                    actor.open.insert(id, effect);
                }
                Step::Enter(phase) => actor.steps.enter(phase)?,
                Step::Note(_) | Step::Retry(_) => {}
                Step::Cancel(id) => return Err(format!("effect {} is cancelled and nothing is wrong", id.0)),
                Step::Wait(Some(until)) if actor.open.is_empty() => actor.ticks = until,
                Step::Wait(_) if actor.open.is_empty() => return Err("it waits for nothing".to_owned()),
                Step::Wait(_) => {
                    actor.operation = Some(operation);
                    return Ok(());
                }
                Step::Done => {
                    let report = operation.publish_report().map_err(|misuse| format!("{misuse:?}"))?;
                    let store = &self.crowd.stores[self.crowd.parts[number].store];
                    laws::reported(&report, &actor.steps, store, &self.crowd.remote)?;
                    self.lines.push(format!("{number} = {:?}", report.ended));
                    actor.report = Some(report);
                    return Ok(());
                }
            }
        }
        Err(format!("no wait after {STEPS_MAX} steps"))
    }

    fn check(&self) -> Result<(), String> {
        let stores: Vec<&Store> = self.crowd.stores.iter().collect();
        laws::state(&self.crowd.server, &self.crowd.remote, &stores)
    }

    /// Everything that decides what can follow.
    fn key(&self) -> Oid {
        let Crowd { server, remote, stores, .. } = &self.crowd;
        let mut all: Vec<u8> = remote.history.len().to_le_bytes().to_vec();
        let mut put = |name: &[u8], bytes: &[u8]| {
            for part in [name, bytes] {
                all.extend_from_slice(&part.len().to_le_bytes());
                all.extend_from_slice(part);
            }
        };
        self.actors.iter().for_each(|actor| put(b"told", actor.told.to_string().as_bytes()));
        server.objects.keys().for_each(|oid| put(b"held", oid.to_string().as_bytes()));
        remote.tree().iter().for_each(|(path, bytes)| put(path.as_bytes(), bytes));
        for store in stores {
            put(b"store", &store.head.to_le_bytes());
            store.docs.iter().chain(&store.files).for_each(|(name, bytes)| put(name.as_bytes(), bytes));
            store.cache.keys().for_each(|oid| put(b"cached", oid.to_string().as_bytes()));
            store.kept.iter().for_each(|bytes| put(b"kept", bytes));
        }
        blob(&all).oid
    }

    fn ended(&self, finish: &Finish<'_>, ends: &mut BTreeMap<String, usize>) -> Result<(), String> {
        let reports: Vec<PublishReport> = self.actors.iter().filter_map(|actor| actor.report.clone()).collect();
        if reports.len() != self.actors.len() {
            return Err("a publisher has no report".to_owned());
        }
        let end = |report: &PublishReport| match &report.ended {
            Ok(()) => "ok".to_owned(),
            Err(error) => format!("{} in {}", error.code.name(), report.phase.name()),
        };
        let all: Vec<String> = reports.iter().map(end).collect();
        *ends.entry(all.join(", ")).or_default() += 1;
        finish(&mut self.crowd.clone(), &reports)
    }
}

/// What was told so far, and this.
fn told(before: &Oid, id: EffectId, reply: &Reply) -> Oid {
    let mut all = before.to_string().into_bytes();
    all.extend_from_slice(&id.0.to_le_bytes());
    match reply {
        Reply::Chunk(bytes) | Reply::Doc(Doc { bytes, .. }) => all.extend_from_slice(bytes),
        Reply::Ledger(ledger) => {
            all.extend_from_slice(ledger.tip.0.as_bytes());
            for file in &ledger.files {
                let parts = [&file.bytes, &file.committed].map(|bytes| bytes.as_deref().unwrap_or(b"-"));
                all.extend_from_slice(format!("{:?} {}", file.revision, parts[0].len()).as_bytes());
                all.extend_from_slice(&parts.concat());
            }
        }
        other => all.extend_from_slice(format!("{other:?}").as_bytes()),
    }
    blob(&all).oid
}
