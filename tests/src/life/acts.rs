//! What happens in a life: what users, agents, other clones and servers do, and the operations in between.

use super::Life;
use super::scenario::{RAW, place, transcript};
use super::unpushed::Flaw;
use crate::world::{Dice, Ended, Inode, Job, again, blob, content, run_through};
use hydrant_ledger::publish::{Publication, PublishFile};
use hydrant_lfs::contract::{Outcome, Source, Want};
use hydrant_lfs::text::error::Error;
use hydrant_lfs::text::oid::Oid;

/// Milliseconds by which a clock jumps.
const JUMPS_MS: [i64; 6] = [-86_400_000, -7_200_000, -60_000, 90_000, 3_600_000, 40_000_000_000];
/// One run in so many is stopped.
const STOPPED_ONE_IN: usize = 8;
/// Replies after which a run is stopped at the latest: early, or anywhere.
const STOPPED_AFTER_MAX: [usize; 2] = [8, 60];

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// The agent appends to the transcript it holds open.
    Record,
    /// The agent lets go of its file, or opens it again.
    Reopen,
    /// A session is published, or a part of it, or only what is unfinished.
    Publish,
    /// A file gets other content and is published over what was published before.
    Regenerate,
    /// Objects into the cache.
    Hydrate,
    /// A session's blobs into the cache.
    HydrateSession,
    /// Objects, whatever the cache has.
    Download,
    /// Files to the server.
    Upload,
    /// The other clone publishes.
    OtherPublishes,
    /// The other clone pulls and hydrates.
    OtherHydrates,
    /// The user pulls; what was not pushed follows.
    Pull,
    /// Another program commits pointers and does not push.
    Commit,
    /// The user pushes.
    Push,
    /// A look at what a push would send.
    Reconcile,
    /// The push is made possible.
    Repair,
    /// A rebase begins, or ends.
    Rebase,
    /// The user edits a manifest.
    Edit,
    /// A counter of a manifest goes up.
    Count,
    /// The user empties the cache of everything that can be fetched again.
    CleanCache,
    /// The power fails between two runs.
    PowerFails,
    /// The wall clock jumps.
    ClockJumps,
    /// The server loses an object.
    ServerLoses,
    /// The server says that it has what it lost.
    ServerLies,
    /// The server comes back with everything it had.
    ServerRecovers,
    /// The server begins or ends to ask for a login.
    ServerLocks,
}

impl Act {
    /// Every act, and how often it is drawn.
    pub const ALL: [(Act, usize); 25] = [
        (Act::Record, 8),
        (Act::Reopen, 2),
        (Act::Publish, 24),
        (Act::Regenerate, 14),
        (Act::Hydrate, 6),
        (Act::HydrateSession, 6),
        (Act::Download, 9),
        (Act::Upload, 3),
        (Act::OtherPublishes, 10),
        (Act::OtherHydrates, 3),
        (Act::Pull, 5),
        (Act::Commit, 5),
        (Act::Push, 4),
        (Act::Reconcile, 4),
        (Act::Repair, 6),
        (Act::Rebase, 2),
        (Act::Edit, 3),
        (Act::Count, 3),
        (Act::CleanCache, 5),
        (Act::PowerFails, 2),
        (Act::ClockJumps, 4),
        (Act::ServerLoses, 3),
        (Act::ServerLies, 2),
        (Act::ServerRecovers, 2),
        (Act::ServerLocks, 1),
    ];

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Act::Record => "record",
            Act::Reopen => "reopen",
            Act::Publish => "publish",
            Act::Regenerate => "regenerate",
            Act::Hydrate => "hydrate",
            Act::HydrateSession => "hydrate a session",
            Act::Download => "download",
            Act::Upload => "upload",
            Act::OtherPublishes => "the other clone publishes",
            Act::OtherHydrates => "the other clone hydrates",
            Act::Pull => "pull",
            Act::Commit => "commit pointers",
            Act::Push => "push",
            Act::Reconcile => "reconcile",
            Act::Repair => "repair",
            Act::Rebase => "rebase",
            Act::Edit => "edit",
            Act::Count => "count",
            Act::CleanCache => "clean the cache",
            Act::PowerFails => "the power fails",
            Act::ClockJumps => "the clock jumps",
            Act::ServerLoses => "the server loses an object",
            Act::ServerLies => "the server lies",
            Act::ServerRecovers => "the server recovers",
            Act::ServerLocks => "the server asks for a login, or no more",
        }
    }

    pub(super) fn draw(dice: &mut Dice, crowded: bool) -> Self {
        let possible = || Act::ALL.iter().filter(|(act, _)| crowded || !act.is_of_others());
        let mut at = dice.roll(possible().map(|(_, often)| often).sum());
        for (act, often) in possible() {
            match at.checked_sub(*often) {
                Some(rest) => at = rest,
                None => return *act,
            }
        }
        Act::Publish
    }

    fn is_of_others(self) -> bool {
        matches!(self, Act::OtherPublishes | Act::OtherHydrates)
    }
}

impl Life<'_> {
    /// Makes it happen. `Err` is a broken law.
    pub(super) fn act(&mut self, act: Act) -> Result<(), String> {
        match act {
            Act::Record => self.record(),
            Act::Reopen => self.reopen(),
            Act::Publish => return self.publish(),
            Act::Regenerate => return self.regenerate(),
            Act::Hydrate => return self.transfer(Job::Hydrate),
            Act::Download => return self.transfer(Job::Download),
            Act::HydrateSession => {
                let session = self.session_to_read();
                return self.hydrate(Job::HydrateSession(session));
            }
            Act::Upload => return self.upload(),
            Act::OtherPublishes => return self.elsewhere(Self::publish_theirs),
            Act::OtherHydrates => return self.elsewhere(Self::follow_and_hydrate),
            Act::Pull => self.pull(),
            Act::Commit => self.commit(),
            Act::Push => drop(self.push()),
            Act::Reconcile => drop(self.reconcile(false)?),
            Act::Repair => drop(self.reconcile(true)?),
            Act::Rebase => self.world.store.rebasing = !self.world.store.rebasing,
            Act::Edit => {
                self.number += 1;
                self.world.edits += 1;
                self.world.store.edit(&format!("\"zz_edit_life_{}\": {}, ", self.number, self.number));
            }
            Act::Count => self.count(),
            Act::CleanCache => self.world.store.clean_cache(),
            Act::PowerFails => self.world.store.lose_power(),
            Act::ClockJumps => self.world.skew += JUMPS_MS[self.dice.roll(JUMPS_MS.len())],
            Act::ServerLoses => {
                let held = self.world.server.objects.len();
                let at = self.dice.roll(held);
                let oid = self.world.server.objects.keys().nth(at).copied();
                oid.into_iter().for_each(|oid| self.world.server.lose(oid));
            }
            Act::ServerLies => {
                let lost: Vec<Oid> = self.world.server.lost.keys().copied().collect();
                self.world.server.claimed.extend(lost);
            }
            Act::ServerRecovers => {
                self.world.server.recover();
                self.world.server.claimed.clear();
            }
            Act::ServerLocks => self.world.server.private = !self.world.server.private,
        }
        Ok(())
    }

    /// Runs an operation with whatever goes wrong, and counts how it ended.
    pub(super) fn operate(&mut self, name: &str, job: &Job) -> Result<Ended, String> {
        let stopped = !self.calm && self.dice.once_in(STOPPED_ONE_IN);
        let latest = STOPPED_AFTER_MAX[self.dice.roll(STOPPED_AFTER_MAX.len())];
        self.world.stop_after = stopped.then(|| 1 + self.dice.roll(latest));
        let ended = run_through(self.engine, &mut self.world, job, &mut self.faults)?;
        let code = |error: Option<&Error>| error.map_or("well", |error| error.code.name());
        let how = match &ended {
            Ended::Killed => "killed",
            Ended::Published(report) => code(report.ended.as_ref().err()),
            Ended::Reconciled(report) => code(report.ended.as_ref().err()),
            Ended::Done(Err(error)) => code(Some(error)),
            Ended::Done(Ok(outcomes)) => code(outcomes.iter().find_map(|outcome| outcome.ended.as_ref().err())),
        };
        self.tally.ended(name, how);
        self.say(format!("== {name}: {how}"));
        Ok(ended)
    }

    fn record(&mut self) {
        self.number += 1;
        self.world.store.append(format!("{{\"type\":\"user\",\"recorded\":{}}}\n", self.number).as_bytes());
    }

    fn reopen(&mut self) {
        let raw = &self.ours[0].files[0];
        let path = raw.source.clone().unwrap_or_else(|| place(&self.ours[0].session, RAW));
        let store = &mut self.world.store;
        let open =
            store.agent.is_none() && store.owed.contains_key(&path) && store.files.get(&path) == store.owed.get(&path);
        store.agent = open.then_some(Inode::Path(path));
    }

    fn publish(&mut self) -> Result<(), String> {
        let at = self.dice.roll(self.ours.len());
        let plan = self.some_of(&self.ours[at].clone());
        self.operate("publish", &Job::Publish(plan)).map(drop)
    }

    /// All of a publication, or a part, or only what is unfinished.
    fn some_of(&mut self, publication: &Publication) -> Publication {
        let plan = again(&self.world.store, publication);
        match self.dice.roll(12) {
            0 => Publication { files: Vec::new(), fields: Vec::new(), ..plan },
            1 => Publication { files: plan.files.into_iter().skip(1).collect(), ..plan },
            2 => Publication { files: plan.files.into_iter().take(1).collect(), ..plan },
            _ => plan,
        }
    }

    /// Other content for a file of a session, in its place or aside, and a publish over what was there.
    fn regenerate(&mut self) -> Result<(), String> {
        let at = self.dice.roll(self.ours.len());
        let files = &self.ours[at].files;
        let number = if self.dice.once_in(2) { 0 } else { self.dice.roll(files.len()) };
        let session = self.ours[at].session.clone();
        let PublishFile { name, source, .. } = files[number].clone();
        self.number += 1;
        let bytes = match name.as_str() {
            RAW | "copy.jsonl" => {
                let entries = 1 + self.dice.roll(20);
                transcript(&mut self.dice, entries)
            }
            "summary.json" => format!("{{\"summary\": \"number {}\"}}\n", self.number).into_bytes(),
            _ => content(500 + self.number, self.dice.roll(2000)),
        };
        let here = place(&session, &name);
        // Once a pointer stands there, new content may also come from elsewhere.
        let free = self.world.store.files.get(&here).is_none_or(|it| it.starts_with(b"version https://git-lfs"));
        let moves = source.is_none() && free && !name.ends_with(".json") && self.dice.once_in(2);
        let source = if moves { Some(format!("regenerated/{session}/{name}")) } else { source };
        let path = source.clone().unwrap_or(here.clone());
        let store = &mut self.world.store;
        let holds = match &store.agent {
            Some(Inode::Path(at) | Inode::Cached { path: at, .. } | Inode::Kept { path: at, .. }) => *at == path,
            None => false,
        };
        if holds {
            store.agent = Some(Inode::Path(path.clone()));
        }
        store.write(&path, &bytes);
        self.ours[at].files[number].source = source;
        let plan = self.some_of(&self.ours[at].clone());
        self.operate("regenerate", &Job::Publish(plan)).map(drop)
    }

    fn transfer(&mut self, job: impl Fn(Vec<Want>) -> Job) -> Result<(), String> {
        let known: Vec<(Oid, usize)> =
            self.world.server.objects.iter().map(|(oid, bytes)| (*oid, bytes.len())).collect();
        let mut wants: Vec<Want> = Vec::new();
        for _ in 0..1 + self.dice.roll(3) {
            let Some((oid, size)) = known.get(self.dice.roll(known.len())) else { break };
            let name = format!("object-{}", wants.len());
            wants.push(Want { name, oid: oid.to_string(), size: *size as u64 });
        }
        self.hydrate(job(wants))
    }

    /// What is reported well is in the cache.
    fn hydrate(&mut self, job: Job) -> Result<(), String> {
        let ledger = (self.world.remote.tip(), self.world.store.docs.clone());
        let rivals = (self.world.events, self.world.edits);
        let ended = self.operate("hydrate", &job)?;
        if let Ended::Done(Ok(outcomes)) = &ended {
            self.truthful(outcomes)?;
        }
        let undisturbed = rivals == (self.world.events, self.world.edits);
        if undisturbed && ledger != (self.world.remote.tip(), self.world.store.docs.clone()) {
            return Err("I16: a hydrate changed the ledger".to_owned());
        }
        Ok(())
    }

    fn truthful(&self, outcomes: &[Outcome]) -> Result<(), String> {
        let here = |oid: &str| Oid::parse(oid).is_some_and(|oid| self.world.store.cache.contains_key(&oid));
        match outcomes.iter().find(|outcome| outcome.ended.is_ok() && !here(&outcome.oid)) {
            Some(outcome) => Err(format!("{} is reported well and is not in the cache", outcome.name)),
            None => Ok(()),
        }
    }

    /// A user sends files by themselves: whoever does that knows what is on the server.
    fn upload(&mut self) -> Result<(), String> {
        let paths: Vec<String> = self.world.store.owed.keys().cloned().collect();
        let Some(path) = paths.get(self.dice.roll(paths.len())).cloned() else { return Ok(()) };
        let Some(bytes) = self.world.store.files.get(&path) else { return Ok(()) };
        let oid = blob(bytes).oid;
        self.world.remote.registered.insert(oid);
        let source = Source { name: path, expects: Some(oid.to_string()) };
        self.operate("upload", &Job::Upload(vec![source])).map(drop)
    }

    /// Does something in the other clone.
    pub(super) fn elsewhere<T>(&mut self, act: impl Fn(&mut Self) -> Result<T, String>) -> Result<T, String> {
        std::mem::swap(&mut self.world.store, &mut self.world.others[0]);
        let done = act(self);
        std::mem::swap(&mut self.world.store, &mut self.world.others[0]);
        done
    }

    fn publish_theirs(&mut self) -> Result<(), String> {
        if self.dice.once_in(3) {
            self.world.store.pull(&self.world.remote.history);
        }
        let at = self.dice.roll(self.theirs.len());
        let publication = self.theirs[at].clone();
        self.world.rivals += usize::from(self.stands_in_our_way(&publication));
        if self.dice.once_in(3) {
            self.number += 1;
            let file = &publication.files[self.dice.roll(publication.files.len())];
            let source = file.source.clone().unwrap_or_else(|| place(&publication.session, &file.name));
            let bytes = if file.name == RAW { transcript(&mut self.dice, 2) } else { content(8_000 + self.number, 50) };
            self.world.store.write(&source, &bytes);
        }
        let plan = self.some_of(&publication);
        self.operate("publish elsewhere", &Job::Publish(plan)).map(drop)
    }

    fn follow_and_hydrate(&mut self) -> Result<(), String> {
        self.world.store.pull(&self.world.remote.history);
        let session = self.session_to_read();
        self.hydrate(Job::HydrateSession(session))
    }

    /// A session that this clone has a manifest of, mostly.
    fn session_to_read(&mut self) -> String {
        let docs = &self.world.store.docs;
        let known = |publication: &&Publication| docs.contains_key(&place(&publication.session, "meta.json"));
        let known: Vec<&Publication> = self.ours.iter().filter(known).collect();
        let any: Vec<&Publication> = self.ours.iter().collect();
        let among = if known.is_empty() || self.dice.once_in(8) { any } else { known };
        among[self.dice.roll(among.len())].session.clone()
    }

    /// The user's own tools count an attempt.
    fn count(&mut self) {
        let path = place(&self.ours[0].session, "meta.json");
        let Some(manifest) = self.world.store.docs.get_mut(&path) else { return };
        let text = String::from_utf8_lossy(manifest).into_owned();
        let more = self.dice.roll(4);
        *manifest = (1..9)
            .rev()
            .fold(text, |text, count| {
                let counted = |count: usize| format!("\"summary_attempts\": {count}");
                text.replace(&counted(count), &counted(count + more))
            })
            .into_bytes();
    }

    fn commit(&mut self) {
        if self.world.store.rebasing {
            return;
        }
        let flaw = Flaw::ALL[self.dice.roll(Flaw::ALL.len())];
        self.number += 1;
        flaw.commit(self.number, &mut self.world);
        self.flaws.push(flaw);
    }
}
