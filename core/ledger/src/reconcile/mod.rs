//! Finds pointers that a push would send and whose blob the server lacks; a repair makes the push possible again.
//!
//! A server that checks every commit of a push refuses the whole push for one such pointer, with all other work in it.
//!
//! ```text
//! LoadRange ──no pointers──────────────────────────────────────► Ended
//!     └─► Ask (pages) ─► Look (cache, manifests) ─► the plan ──► Ended (a look, a refusal, nothing to do)
//!                                                      └─repair─► Register ─► Upload ─► Confirm ─► Rewrite ─► Ended
//! ```
//!
//! | doing | if the process dies in it, the state is | the next run |
//! | --- | --- | --- |
//! | LoadRange, Ask, Look | unchanged | starts over |
//! | Register | unchanged, or with a longer register | starts over |
//! | Upload, Confirm | blobs on the server, all named by the register and by pointers here | finds fewer missing |
//! | Rewrite | old or new, the old commits under a ref of their own | finds nothing missing, or starts over |
//!
//! `plan` has every check; nothing is changed before all of them pass. After an upload the server is asked again,
//! because a server that wrongly claimed to have a blob is the cause of the damage.

mod plan;
mod report;
#[cfg(test)]
mod tests;

pub use report::{Contradiction, Missing, ReconcileReport, Remedy, Unknown};

use crate::limits::REPAIR_BYTES_MAX;
use crate::manifest::Manifest;
use crate::name::{self, MANIFEST};
use crate::register::Registering;
use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use hydrant_lfs::Operation;
use hydrant_lfs::contract::Direction;
use hydrant_lfs::contract::Source;
use hydrant_lfs::contract::{Config, Doc, Effect, EffectId, PushRange, Rewrite, RewriteFile};
use hydrant_lfs::git_lfs::batch;
use hydrant_lfs::git_lfs::pointer::{self, Kind};
use hydrant_lfs::operations::{Machine, Upload};
use hydrant_lfs::order::{SortedMap, SortedSet, sorted};
use hydrant_lfs::protocol::batch_queue::{BatchQueue, ObjectAnswer};
use hydrant_lfs::protocol::link::Link;
use hydrant_lfs::protocol::outbox::{Event, Outbox};
use hydrant_lfs::protocol::refusal;
use hydrant_lfs::text::error::{Code, Error, quote};
use hydrant_lfs::text::limits::{CHECKS_IN_FLIGHT_MAX, READS_IN_FLIGHT_MAX, WANTS_MAX};
use hydrant_lfs::text::oid::{Blob, Oid};
use plan::{Actions, Facts, PointerFact, Verdict};

/// Finds pointers of the next push whose blob the server lacks; with `repair`, makes that push possible again.
pub fn reconcile(config: Config, repair: bool) -> Result<Operation<Reconcile>, Error> {
    Operation::begin(config, |_| Ok(Reconcile::new(repair)))
}

/// The machine behind `reconcile`.
#[derive(Debug)]
pub struct Reconcile {
    repair: bool,
    doing: Doing,
    /// The open effect of the present `Doing`; `Ask`, `Look`, `Upload` and `Confirm` keep their own.
    open: Option<EffectId>,
    /// The range, without its files: these became facts.
    range: Option<PushRange>,
    facts: Facts,
    /// The exact text of each pointer, in the order of the facts.
    texts: Vec<Vec<u8>>,
    actions: Actions,
    stopped: bool,
    /// Why the server spoke of no object when it was asked.
    unheard: Option<Error>,
    report: ReconcileReport,
}

/// What is asked of the host at the moment.
#[derive(Debug)]
enum Doing {
    LoadRange,
    /// About these blobs.
    Ask(BatchQueue, Vec<Blob>),
    Look(Look),
    Register(Registering),
    Upload(Box<Upload>),
    Confirm(BatchQueue),
    Rewrite,
    Ended,
}

/// Whether the cache has the missing blobs, and what the manifests say of pointers at the tip.
#[derive(Debug)]
struct Look {
    unchecked: VecDeque<Blob>,
    unread: VecDeque<String>,
    checks: SortedMap<EffectId, Oid>,
    reads: SortedMap<EffectId, String>,
    kept_bytes: usize,
}

impl Reconcile {
    pub(crate) fn new(repair: bool) -> Self {
        Self {
            repair,
            doing: Doing::LoadRange,
            open: None,
            range: None,
            facts: Facts::default(),
            texts: Vec::new(),
            actions: Actions::default(),
            stopped: false,
            unheard: None,
            report: ReconcileReport {
                commits: 0,
                scanned: 0,
                missing: Vec::new(),
                unknown: Vec::new(),
                contradictions: Vec::new(),
                repairable: Err(refusal::unfinished()),
                uploaded: Vec::new(),
                removed: Vec::new(),
                squashed: false,
                tip: None,
                orphans: Vec::new(),
                ended: Err(refusal::unfinished()),
            },
        }
    }

    /// The effect of the present `Doing`, if it has a single one.
    fn effect(&self) -> Option<Effect> {
        match &self.doing {
            Doing::LoadRange => Some(Effect::LoadPushRange),
            Doing::Register(registering) => Some(registering.effect()),
            Doing::Rewrite => self.rewriting().map(Effect::RewriteLedger),
            _ => None,
        }
    }

    fn end(&mut self, ended: Result<(), Error>) {
        if let Err(error) = &ended
            && self.report.repairable == Err(refusal::unfinished())
        {
            self.report.repairable = Err(error.clone());
        }
        self.report.ended = ended;
        self.doing = Doing::Ended;
    }

    /// Ends on an error. Replies to effects that are still open are then ignored.
    fn end_unless(&mut self, answers: Result<(), Error>) {
        if let Err(error) = answers {
            self.end(Err(error));
        }
    }

    /// Finds the pointers among the files of the range, and begins to ask about their blobs.
    fn ranged(&mut self, mut range: PushRange, link: &Link) -> Result<(), Error> {
        if range.files.len() > WANTS_MAX {
            return Err(Error::new(
                Code::Limit,
                format_args!("a push of more than {WANTS_MAX} small files is not looked at"),
            ));
        }
        for file in core::mem::take(&mut range.files) {
            let Kind::Pointer(pointer) = pointer::classify(&file.bytes, file.bytes.len() as u64) else { continue };
            self.facts.pointers.push(PointerFact {
                path: file.path,
                blob: pointer.blob,
                at_tip: file.at_tip,
                unchanged: file.unchanged,
                cached: false,
                verdict: Verdict::Inconclusive(refusal::unfinished()),
            });
            self.texts.push(file.bytes);
        }
        self.facts.commits = range.commits;
        self.facts.follows = range.base.is_some();
        self.facts.base_is_ancestor = range.base_is_ancestor;
        self.facts.is_underway = range.is_underway;
        (self.report.commits, self.report.scanned) = (range.commits, self.facts.pointers.len() as u64);
        self.range = Some(range);
        if self.facts.pointers.is_empty() {
            // The server need not be asked, nor the user for a login.
            self.report.repairable = Ok(());
            self.end(Ok(()));
            return Ok(());
        }
        let blobs: Vec<Blob> = self.facts.pointers.iter().map(|fact| fact.blob).collect();
        let blobs = batch::distinct(&blobs);
        let mut queue = BatchQueue::new(Direction::Download, link);
        for (number, blob) in blobs.iter().enumerate() {
            queue.want(number, *blob);
        }
        self.doing = Doing::Ask(queue, blobs);
        Ok(())
    }

    /// Takes what the server said.
    fn take(&mut self, answers: Vec<ObjectAnswer>) {
        let Doing::Ask(_, blobs) = &self.doing else { return };
        let said: SortedMap<Blob, Verdict> =
            answers.into_iter().map(|(number, answer)| (blobs[number], Verdict::of(answer))).collect();
        if said.is_empty() {
            return;
        }
        for fact in &mut self.facts.pointers {
            if let Some(verdict) = said.get(&fact.blob) {
                fact.verdict = verdict.clone();
            }
        }
    }

    /// After the server was asked: looks for missing blobs in the cache, and reads the manifests.
    fn asked(&mut self) {
        if let Doing::Ask(queue, _) = &self.doing {
            self.unheard = queue.unheard().cloned();
        }
        if self.stopped {
            return self.end(Err(refusal::stopped()));
        }
        let missing = |fact: &&PointerFact| matches!(fact.verdict, Verdict::Missing | Verdict::Wanted);
        let missing = self.facts.pointers.iter().filter(missing);
        let unchecked: SortedMap<Oid, Blob> = missing.map(|fact| (fact.blob.oid, fact.blob)).collect();
        let at_tip = self.facts.pointers.iter().filter(|fact| fact.at_tip);
        let sessions: SortedSet<&str> =
            at_tip.filter_map(|fact| plan::place(&fact.path)).map(|place| place.0).collect();
        self.doing = Doing::Look(Look {
            unchecked: unchecked.into_values().collect(),
            unread: sessions.into_iter().map(str::to_owned).collect(),
            checks: SortedMap::default(),
            reads: SortedMap::default(),
            kept_bytes: 0,
        });
    }

    /// After everything is known: makes the plan, and begins the repair if one was asked for.
    fn looked(&mut self) {
        if self.stopped {
            return self.end(Err(refusal::stopped()));
        }
        for fact in self.facts.pointers.iter_mut().filter(|fact| fact.verdict == Verdict::Wanted) {
            fact.verdict = if fact.cached { Verdict::Missing } else { Verdict::Inconclusive(refusal::would_take()) };
        }
        let plan = plan::plan(&self.facts);
        self.report.missing = plan.missing;
        let contradictions = core::mem::take(&mut self.report.contradictions);
        self.report.contradictions = sorted(contradictions, |a, b| a.path.cmp(&b.path));
        let unheard = self.unheard.take();
        if unheard.is_none() {
            self.report.unknown = self.facts.pointers.iter().filter_map(PointerFact::unknown).collect();
        }
        self.report.repairable = plan.actions.as_ref().map(drop).map_err(Clone::clone);
        match plan.actions {
            Ok(actions) => self.actions = actions,
            Err(error) if self.repair => return self.end(Err(error)),
            Err(_) => {}
        }
        if !self.repair {
            self.report.uploaded = self.actions.uploads.clone();
            self.report.removed = self.removed();
            self.report.squashed = self.squashes();
            self.report.orphans = self.lost();
            return self.end(unheard.map_or(Ok(()), Err));
        }
        if self.actions == Actions::default() {
            return self.end(Ok(()));
        }
        // Until it is pushed, no manifest of the remote names what is sent.
        let named: Vec<Blob> = self.actions.uploads.iter().copied().chain(self.lost()).collect();
        self.doing = Doing::Register(Registering::new(named));
    }

    fn upload(&mut self, link: &Link) {
        if self.actions.uploads.is_empty() {
            return self.rewrite();
        }
        let source = |blob: &Blob| Source { name: format!("cache/{}", blob.oid), expects: Some(blob.oid.to_string()) };
        let sources = self.actions.uploads.iter().map(source).collect();
        self.doing = Doing::Upload(Box::new(Upload::new(sources, link)));
    }

    /// After everything was sent, or failed.
    fn uploaded(&mut self, link: &Link) {
        let Doing::Upload(upload) = core::mem::replace(&mut self.doing, Doing::Ended) else { return };
        let mut first = None;
        let mut queue = BatchQueue::new(Direction::Download, link);
        for (number, (source, blob, ended)) in upload.receipts().into_iter().enumerate() {
            match (ended, blob) {
                (Ok(_), Some(blob)) => {
                    queue.want(number, blob);
                    self.report.uploaded.push(blob);
                }
                (Ok(_), None) => drop(first.get_or_insert_with(refusal::unfitting)),
                (Err(error), _) => drop(first.get_or_insert_with(|| error.context(&source.name))),
            }
        }
        match first {
            _ if self.stopped => self.end(Err(refusal::stopped())),
            Some(error) => self.end(Err(error)),
            None => self.doing = Doing::Confirm(queue),
        }
    }

    fn rewrite(&mut self) {
        match self.actions.rewrites {
            _ if self.stopped => self.end(Err(refusal::stopped())),
            true => self.doing = Doing::Rewrite,
            false => self.end(Ok(())),
        }
    }

    /// The one commit that replaces all that the remote lacks.
    fn rewriting(&self) -> Option<Rewrite> {
        let range = self.range.as_ref()?;
        let at_tip = self.facts.pointers.iter().zip(&self.texts).filter(|(fact, _)| fact.at_tip);
        let texts: SortedMap<&str, &Vec<u8>> = at_tip.map(|(fact, text)| (fact.path.as_str(), text)).collect();
        let mut files = Vec::new();
        for removal in &self.actions.removals {
            let path = |file: &str| name::path(&removal.session, file);
            if let (Some(new), Some(Some(old))) = (&removal.manifest, self.facts.manifests.get(&removal.session)) {
                files.push(RewriteFile { name: path(MANIFEST), bytes: Some(new.clone()), replaces: old.clone() });
            }
            for file in &removal.files {
                let name = path(file);
                let replaces = texts.get(name.as_str())?.to_vec();
                files.push(RewriteFile { name, bytes: None, replaces });
            }
        }
        let message = match self.removed().len() {
            0 => format!("Make {} unpushed commits one: older ones name blobs that are lost", self.facts.commits),
            1 => "Remove a file whose blob is lost".to_owned(),
            removed => format!("Remove {removed} files whose blobs are lost"),
        };
        Some(Rewrite { tip: range.tip.clone(), base: range.base.clone()?, files, message })
    }

    /// Paths of the files to remove.
    fn removed(&self) -> Vec<String> {
        let paths = |removal: &plan::Removal| {
            removal.files.iter().map(|file| name::path(&removal.session, file)).collect::<Vec<_>>()
        };
        self.actions.removals.iter().flat_map(paths).collect()
    }

    fn squashes(&self) -> bool {
        let more = u64::from(!self.actions.removals.is_empty());
        self.actions.rewrites && self.facts.commits.saturating_add(more) > 1
    }

    /// Blobs on the server that only the replaced commits name.
    fn lost(&self) -> Vec<Blob> {
        if !self.actions.rewrites {
            return Vec::new();
        }
        let at_tip: SortedSet<Oid> =
            self.facts.pointers.iter().filter(|fact| fact.at_tip).map(|fact| fact.blob.oid).collect();
        let gone = |fact: &&PointerFact| fact.verdict == Verdict::Present && !at_tip.contains(&fact.blob.oid);
        let lost: SortedMap<Oid, Blob> =
            self.facts.pointers.iter().filter(gone).map(|fact| (fact.blob.oid, fact.blob)).collect();
        lost.into_values().collect()
    }
}

impl Machine for Reconcile {
    type Report = ReconcileReport;

    fn advance(&mut self, out: &mut Outbox, link: &mut Link) {
        loop {
            match &mut self.doing {
                Doing::Ask(queue, _) => {
                    let answers = queue.advance(true, out, link);
                    let idle = queue.is_idle();
                    self.take(answers);
                    if !idle {
                        return;
                    }
                    self.asked();
                }
                Doing::Look(look) => {
                    look.advance(out);
                    if !look.is_idle() {
                        return;
                    }
                    self.looked();
                }
                Doing::Upload(upload) => {
                    upload.advance(out, link);
                    if !upload.is_done() {
                        return;
                    }
                    self.uploaded(link);
                }
                Doing::Confirm(queue) => {
                    let answers = queue.advance(true, out, link);
                    let idle = queue.is_idle();
                    if let Err(error) = confirmed(answers) {
                        return self.end(Err(error));
                    }
                    if !idle {
                        return;
                    }
                    self.rewrite();
                }
                Doing::LoadRange | Doing::Register(_) | Doing::Rewrite => {
                    if self.open.is_none() {
                        let effect = self.effect();
                        self.open = effect.map(|effect| out.perform(effect));
                    }
                    return;
                }
                Doing::Ended => return,
            }
        }
    }

    fn on(&mut self, id: EffectId, event: Event, out: &mut Outbox, link: &mut Link) {
        match &mut self.doing {
            Doing::Ask(queue, _) => {
                let answers = queue.on(id, event, out, link);
                return self.take(answers);
            }
            Doing::Look(look) => {
                let answers = look.on(id, event, &mut self.facts, &mut self.report);
                return self.end_unless(answers);
            }
            Doing::Upload(upload) => return upload.on(id, event, out, link),
            Doing::Confirm(queue) => {
                let answers = confirmed(queue.on(id, event, out, link));
                return self.end_unless(answers);
            }
            _ if self.open != Some(id) => return,
            _ => {}
        }
        self.open = None;
        match (core::mem::replace(&mut self.doing, Doing::Ended), event) {
            (Doing::LoadRange, Event::PushRange(range)) => {
                let taken = self.ranged(range, link);
                self.end_unless(taken);
            }
            (Doing::Register(registering), event) => match registering.on(event) {
                Ok(Some(registering)) => self.doing = Doing::Register(registering),
                Ok(None) => self.upload(link),
                Err(error) => self.end(Err(error)),
            },
            (Doing::Rewrite, Event::At(tip)) => {
                self.report.removed = self.removed();
                self.report.squashed = self.squashes();
                self.report.orphans = self.lost();
                self.report.tip = Some(tip);
                self.end(Ok(()));
            }
            (Doing::Rewrite, Event::Conflict) => self.end(Err(Error::new(
                Code::Conflict,
                "the branch changed meanwhile, or a file has a change that is not committed; no commit was changed",
            ))),
            (doing, Event::Failed(failed)) => self.end(Err(refusal::failed(doing.what(), &failed))),
            _ => self.end(Err(refusal::unfitting())),
        }
        if self.stopped && !self.is_done() {
            self.end(Err(refusal::stopped()));
        }
    }

    fn stop(&mut self, out: &mut Outbox) {
        self.stopped = true;
        match &mut self.doing {
            Doing::Ask(queue, _) | Doing::Confirm(queue) => drop(queue.stop(out)),
            Doing::Look(look) => {
                look.unchecked.clear();
                look.unread.clear();
            }
            Doing::Upload(upload) => upload.stop(out),
            Doing::Ended => {}
            // An effect that is open is brought to its end.
            _ if self.open.is_some() => {}
            _ => self.end(Err(refusal::stopped())),
        }
    }

    fn wake(&self, now: u64, link: &Link) -> Option<u64> {
        match &self.doing {
            Doing::Ask(queue, _) | Doing::Confirm(queue) => queue.wake(now, link),
            Doing::Upload(upload) => upload.wake(now, link),
            _ => None,
        }
    }

    fn left(&self) -> usize {
        match &self.doing {
            Doing::Ended => 0,
            Doing::Upload(upload) => upload.left() + 1,
            _ => usize::MAX,
        }
    }

    fn is_done(&self) -> bool {
        matches!(self.doing, Doing::Ended)
    }

    fn finish(self) -> ReconcileReport {
        self.report
    }
}

impl Look {
    fn is_idle(&self) -> bool {
        self.unchecked.is_empty() && self.unread.is_empty() && self.checks.is_empty() && self.reads.is_empty()
    }

    fn advance(&mut self, out: &mut Outbox) {
        while self.checks.len() < CHECKS_IN_FLIGHT_MAX {
            let Some(blob) = self.unchecked.pop_front() else { break };
            self.checks.insert(out.perform(Effect::HasBlob(blob)), blob.oid);
        }
        while self.reads.len() < READS_IN_FLIGHT_MAX {
            let Some(session) = self.unread.pop_front() else { break };
            let id = out.perform(Effect::LoadDoc(name::path(&session, MANIFEST)));
            self.reads.insert(id, session);
        }
    }

    /// `Err` when something cannot be determined: it must not be guessed.
    fn on(&mut self, id: EffectId, event: Event, facts: &mut Facts, report: &mut ReconcileReport) -> Result<(), Error> {
        if matches!(event, Event::Progress(_)) {
            return Ok(());
        }
        if let Some(oid) = self.checks.remove(&id) {
            return match event {
                Event::Present => {
                    facts.pointers.iter_mut().filter(|fact| fact.blob.oid == oid).for_each(|fact| fact.cached = true);
                    Ok(())
                }
                Event::Partial(_) | Event::Absent | Event::Whole(..) => Ok(()),
                Event::Failed(failed) => Err(refusal::failed("the cache", &failed)),
                _ => Err(refusal::unfitting()),
            };
        }
        let Some(session) = self.reads.remove(&id) else { return Ok(()) };
        let text = match event {
            Event::Doc(Doc { bytes, .. }) => Some(bytes),
            Event::Absent => None,
            Event::Failed(failed) => {
                return Err(refusal::failed(&format!("the manifest of {}", quote(&session)), &failed));
            }
            _ => return Err(refusal::unfitting()),
        };
        let prefix = name::path(&session, "");
        let of_session = |fact: &&PointerFact| fact.at_tip && fact.path.starts_with(&prefix);
        if let Some(Ok(manifest)) = text.as_deref().map(Manifest::parse) {
            let pointers = facts.pointers.iter().filter(of_session).map(|fact| (fact.path.as_str(), fact.blob));
            report.contradictions.extend(plan::contradictions(pointers, &manifest));
        }
        // Other manifests are not kept: a push may be about many sessions.
        if facts.pointers.iter().filter(of_session).any(|fact| fact.verdict == Verdict::Missing) {
            self.kept_bytes += text.as_ref().map_or(0, Vec::len);
            if self.kept_bytes > REPAIR_BYTES_MAX {
                let why = format!("the manifests of what is missing have more than {REPAIR_BYTES_MAX} bytes together");
                return Err(Error::new(Code::Limit, why));
            }
            facts.manifests.insert(session, text);
        }
        Ok(())
    }
}

impl Doing {
    /// For the sentence that says what failed.
    fn what(&self) -> &'static str {
        match self {
            Doing::LoadRange => "what a push would send",
            Doing::Ask(..) | Doing::Confirm(_) => "the batch request",
            Doing::Look(_) => "the session",
            Doing::Register(_) => "the orphan register",
            Doing::Upload(_) => "the upload",
            Doing::Rewrite | Doing::Ended => "the new commit",
        }
    }
}

/// Checks that the server has what was sent again.
fn confirmed(answers: Vec<ObjectAnswer>) -> Result<(), Error> {
    for (_, answer) in answers {
        let oid = answer.as_ref().map(|object| object.oid.to_string()).unwrap_or_default();
        match Verdict::of(answer) {
            Verdict::Present => {}
            Verdict::Inconclusive(error) => return Err(error),
            Verdict::Missing | Verdict::Wanted => {
                let why = format!("the server took {oid} and does not have it; nothing here was changed");
                return Err(Error::new(Code::Missing, why));
            }
        }
    }
    Ok(())
}
