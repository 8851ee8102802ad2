//! Publishes a session without ever losing a byte of it: the one path that every command takes.
//!
//! [`Phase`] has the crash argument as a table, and the machine below follows it. `Doing` is what is asked of the host
//! at the moment, one thing after the other. `Publish::on` has every transition.
//!
//! ```text
//! hash      LoadJournal ──bound──────────────────────────────┐
//!                │                                           │
//!              Look (documents, ledger, hashes)              │
//! intend   Abandon (register) ─► Intend (journal)            │
//! upload                          Upload                     │
//! bind     LookAgain ─► Bind (journal) ◄── all receipts     │
//! push         ▲            └─► Push ◄───────────────────────┘
//!              └───conflict──────┘│
//! settle                        Settle
//! swap                          Swap
//! done     Close (register) ─► RemoveJournal ─► Ended, or Look when it was resumed
//! ```

mod bind;
mod look;
mod plan;
mod report;
mod swap;
#[cfg(test)]
mod tests;

use hydrant_lfs::contract::Phase;
pub use report::{Publication, PublishFile, PublishReport, Published, PublishedState};

use crate::journal::{Bound, BoundFile, Journal, Kept};
use crate::limits::LEDGER_CONFLICTS_MAX;
use crate::name;
use crate::register::Registering;
use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use bind::{Draft, Parts};
use hydrant_lfs::Operation;
use hydrant_lfs::contract::{
    Config, Doc, Effect, EffectId, Failed, Failure, Ledger, Lookup, Revision, Saving, Settle, SettleFile,
};
use hydrant_lfs::operations::Machine;
use hydrant_lfs::order::SortedMap;
use hydrant_lfs::protocol::link::Link;
use hydrant_lfs::protocol::outbox::{Event, Outbox};
use hydrant_lfs::protocol::refusal;
use hydrant_lfs::text::error::{Code, Error};
use hydrant_lfs::text::oid::Blob;
use look::Look;
use plan::Plan;
use swap::Swaps;

/// Publishes a session.
pub fn publish(config: Config, publication: Publication) -> Result<Operation<Publish>, Error> {
    Operation::begin(config, |_| Publish::new(publication))
}

/// The machine behind `publish`.
#[derive(Debug)]
pub struct Publish {
    plan: Plan,
    phase: Phase,
    doing: Doing,
    /// The open effect of the present `Doing`; `Look`, `Upload` and `Swap` keep their own.
    open: Option<EffectId>,
    /// Revision of the journal, as this run left or found it.
    journal: Option<Revision>,
    /// Blobs of an unfinished journal, until the new one or the register names them.
    abandoned: Vec<Blob>,
    /// An interrupted publish is being resumed, before the plan's own begins.
    resuming: bool,
    ledger_conflicts: u32,
    stopped: bool,
    report: PublishReport,
}

/// What is asked of the host at the moment.
#[derive(Debug)]
enum Doing {
    LoadJournal,
    Look(Box<Look>),
    /// Oids that an unfinished journal named, and nothing names any more, are registered first.
    Abandon(Ready, Registering),
    /// With the journal's text.
    Intend(Ready, Vec<u8>),
    Upload(Ready),
    LookAgain(Box<Bound>),
    /// With the journal's text.
    Bind(Box<Bound>, Vec<u8>),
    Push(Box<Bound>),
    Settle(Box<Bound>, Revision),
    Swap(Box<Bound>, Swaps),
    /// Blobs that lost their last reference are registered; then the journal can be removed.
    Close(Box<Bound>, Registering),
    RemoveJournal(Vec<String>),
    Ended,
}

/// Everything is hashed and checked.
#[derive(Debug)]
struct Ready {
    look: Box<Look>,
    draft: Draft,
}

impl Publish {
    pub(crate) fn new(publication: Publication) -> Result<Self, Error> {
        let plan = Plan::new(publication)?;
        Ok(Self {
            plan,
            phase: Phase::Hash,
            doing: Doing::LoadJournal,
            open: None,
            journal: None,
            abandoned: Vec::new(),
            resuming: false,
            ledger_conflicts: 0,
            stopped: false,
            report: PublishReport {
                session_id: String::new(),
                phase: Phase::Hash,
                resumed: false,
                tip: None,
                files: Vec::new(),
                orphans: Vec::new(),
                ended: Err(refusal::unfinished()),
            },
        })
    }

    /// The effect of the present `Doing`, if it has a single one.
    fn effect(&self) -> Option<Effect> {
        let save = |name: String, bytes: Option<Vec<u8>>, replaces: Option<&Revision>| {
            Effect::SaveDoc(Saving { name, bytes, replaces: replaces.cloned() })
        };
        Some(match &self.doing {
            Doing::LoadJournal => Effect::LoadDoc(self.plan.journal()),
            Doing::Abandon(_, registering) | Doing::Close(_, registering) => registering.effect(),
            Doing::Intend(_, text) | Doing::Bind(_, text) => {
                save(self.plan.journal(), Some(text.clone()), self.journal.as_ref())
            }
            Doing::LookAgain(bound) => Effect::LoadLedger(lookup(bound)),
            Doing::Push(bound) => Effect::PushLedger(bound.push.clone()),
            Doing::Settle(bound, tip) => Effect::SettleLedger(settle(bound, tip)),
            Doing::RemoveJournal(_) => save(self.plan.journal(), None, self.journal.as_ref()),
            Doing::Look(_) | Doing::Upload(_) | Doing::Swap(..) | Doing::Ended => return None,
        })
    }

    /// Begins a phase.
    fn enter(&mut self, phase: Phase, doing: Doing, out: &mut Outbox) {
        if self.phase != phase {
            self.phase = phase;
            out.enter(phase);
        }
        self.doing = doing;
    }

    fn end(&mut self, ended: Result<(), Error>) {
        self.report.ended = ended;
        self.doing = Doing::Ended;
    }

    /// Begins the plan's own publish.
    fn begin(&mut self, out: &mut Outbox, link: &Link) {
        self.resuming = false;
        if self.plan.is_empty() {
            let nothing = Error::new(Code::NotFound, "no publish of this session is unfinished, and no file was named");
            let ended = if self.report.resumed { Ok(()) } else { Err(nothing) };
            return self.end(ended);
        }
        let look = Box::new(Look::new(&self.plan, link));
        self.phase = Phase::Hash;
        out.enter(Phase::Hash);
        self.doing = Doing::Look(look);
    }

    /// An earlier publish left its journal.
    fn found(&mut self, doc: &Doc, out: &mut Outbox, link: &Link) {
        self.journal = Some(doc.revision.clone());
        match Journal::read(&doc.bytes) {
            Err(error) => self.end(Err(error)),
            Ok(Journal::Bound(bound)) => {
                self.resuming = true;
                self.report.resumed = true;
                self.report.session_id = bound.session_id.clone();
                self.report.files = report::of_bound(&bound);
                self.enter(Phase::Push, Doing::Push(bound), out);
            }
            Ok(Journal::Intended(_)) if self.plan.is_empty() => {
                self.phase = Phase::Upload;
                self.end(Err(Error::new(
                    Code::Unfinished,
                    "the interrupted publish had not sent everything: publish the session again with its files",
                )));
            }
            Ok(Journal::Intended(blobs)) => {
                self.abandoned = blobs;
                self.begin(out, link);
            }
        }
    }

    /// Whether the plan's own publish may replace a resumed one that cannot go on.
    fn may_begin_anew(&self) -> bool {
        self.resuming && !self.plan.is_empty() && !self.stopped
    }

    fn begin_anew(&mut self, bound: &Bound, out: &mut Outbox, link: &Link) {
        self.abandoned = bound.blobs().chain(bound.superseded.iter().copied()).collect();
        self.report.files.clear();
        self.begin(out, link);
    }

    /// On an error, stops the look and everything that it has open.
    fn go_on_unless(&mut self, told: Result<(), Error>, out: &mut Outbox) {
        let Err(error) = told else { return };
        if let Doing::Look(look) = &mut self.doing
            && look.wrong.is_none()
        {
            look.wrong = Some(error);
            look.stop(out);
        }
    }

    /// After documents, ledger and hashes are known: every refusal comes now.
    fn looked(&mut self, out: &mut Outbox) {
        let Doing::Look(look) = &mut self.doing else { return };
        if !look.is_done() {
            return;
        }
        let wrong = look.wrong.take();
        let files = look.report(&self.plan);
        self.report.files.retain(|known| files.iter().all(|file| file.name != known.name));
        self.report.files.extend(files);
        let Doing::Look(look) = core::mem::replace(&mut self.doing, Doing::Ended) else { return };
        let ready = match wrong {
            Some(_) if self.stopped => Err(refusal::stopped()),
            Some(error) => Err(error),
            None => look.draft(&self.plan).map(|draft| Ready { look, draft }),
        };
        match ready {
            Err(error) => self.end(Err(error)),
            Ok(ready) => {
                self.report.session_id = ready.draft.session_id();
                let abandoned = self.abandoned_of(&ready);
                if abandoned.is_empty() {
                    self.intend(ready, out);
                } else {
                    self.enter(Phase::Intend, Doing::Abandon(ready, Registering::new(abandoned)), out);
                }
            }
        }
    }

    /// Names everything that will be sent.
    fn intend(&mut self, ready: Ready, out: &mut Outbox) {
        match Journal::Intended(ready.look.named()).write() {
            Ok(text) => self.enter(Phase::Intend, Doing::Intend(ready, text), out),
            Err(error) => self.end(Err(error)),
        }
    }

    /// After every file was uploaded, or failed.
    fn uploaded(&mut self, out: &mut Outbox) {
        let Doing::Upload(ready) = &self.doing else { return };
        if !ready.look.upload.is_done() {
            return;
        }
        let Doing::Upload(Ready { look, draft }) = core::mem::replace(&mut self.doing, Doing::Ended) else { return };
        let sent = |publish: &mut Self| publish.report.files.split_off(publish.report.files.len() - publish.plan.len());
        let mut files = sent(self);
        let proved = look.prove(&self.plan, &mut files);
        self.report.files.append(&mut files);
        let session = &self.plan.session;
        let bound = proved.and_then(|(parts, ledger, local)| bind::bind(draft, parts, &ledger, session, local, &[]));
        match bound {
            _ if self.stopped => self.end(Err(refusal::stopped())),
            Err(error) => self.end(Err(error)),
            Ok(bound) => self.bind(bound, out),
        }
    }

    /// Writes down the exact bytes of the push.
    fn bind(&mut self, bound: Bound, out: &mut Outbox) {
        self.report.session_id = bound.session_id.clone();
        let bound = Box::new(bound);
        match Journal::Bound(bound.clone()).write() {
            Ok(text) => self.enter(Phase::Bind, Doing::Bind(bound, text), out),
            Err(error) => self.end(Err(error)),
        }
    }

    /// After every file in the session's folder became a pointer, or was left.
    fn swapped(&mut self, out: &mut Outbox) {
        let Doing::Swap(_, swaps) = &self.doing else { return };
        if !(swaps.is_idle() && (swaps.is_done() || self.stopped)) {
            return;
        }
        let Doing::Swap(bound, swaps) = core::mem::replace(&mut self.doing, Doing::Ended) else { return };
        let failed = swaps.into_report(&mut self.report.files);
        match failed {
            _ if self.stopped => self.end(Err(refusal::stopped())),
            Some(error) => self.end(Err(error)),
            None if bound.superseded.is_empty() => {
                self.enter(Phase::Done, Doing::Ended, out);
                self.close(&bound);
            }
            None => {
                let registering = Registering::new(bound.superseded.clone());
                self.enter(Phase::Done, Doing::Close(bound, registering), out);
            }
        }
    }

    /// Every oid is referenced or registered: the journal may be removed.
    fn close(&mut self, bound: &Bound) {
        self.report.orphans.extend(bound.superseded.iter().copied());
        let swapped = self.report.files.iter().filter(|file| file.state == PublishedState::Swapped);
        self.doing = Doing::RemoveJournal(swapped.map(|file| file.name.clone()).collect());
    }

    /// The journal is gone: nothing of this publish is left to do.
    fn closed(&mut self, swapped: &[String], out: &mut Outbox, link: &Link) {
        self.journal = None;
        if !self.resuming {
            return self.end(Ok(()));
        }
        // What became a pointer a moment ago is published; anything else of the plan is looked at anew.
        self.plan.lfs.retain(|file| !(file.in_place && swapped.contains(&file.name)));
        self.begin(out, link);
    }

    /// The blobs to register when a plan replaces an unfinished one.
    fn abandoned_of(&self, ready: &Ready) -> Vec<Blob> {
        let named = ready.look.named();
        let referenced = ready.look.referenced();
        let lost = |blob: &Blob| !named.contains(blob) && !referenced.contains(&blob.oid);
        self.abandoned.iter().copied().filter(lost).collect()
    }
}

impl Machine for Publish {
    type Report = PublishReport;

    fn advance(&mut self, out: &mut Outbox, link: &mut Link) {
        match &mut self.doing {
            Doing::Look(look) => {
                look.advance(&self.plan, out, link);
                self.looked(out);
            }
            Doing::Upload(ready) => {
                ready.look.upload.advance(out, link);
                self.uploaded(out);
            }
            Doing::Swap(bound, swaps) => {
                if !self.stopped {
                    swaps.advance(bound, out);
                }
                self.swapped(out);
            }
            _ if self.open.is_some() => {}
            _ => {
                if let Some(effect) = self.effect() {
                    self.open = Some(out.perform(effect));
                }
            }
        }
    }

    fn on(&mut self, id: EffectId, event: Event, out: &mut Outbox, link: &mut Link) {
        match &mut self.doing {
            Doing::Look(look) => {
                let told = look.on(id, event, out, link);
                return self.go_on_unless(told, out);
            }
            Doing::Upload(ready) => return ready.look.upload.on(id, event, out, link),
            Doing::Swap(_, swaps) => return swaps.on(id, event),
            _ if self.open != Some(id) => return,
            _ => {}
        }
        self.open = None;
        match (core::mem::replace(&mut self.doing, Doing::Ended), event) {
            (Doing::LoadJournal, Event::Absent) => self.begin(out, link),
            (Doing::LoadJournal, Event::Doc(doc)) => self.found(&doc, out, link),

            (Doing::Abandon(ready, registering), event) => match registering.on(event) {
                Ok(Some(registering)) => self.doing = Doing::Abandon(ready, registering),
                Ok(None) => self.intend(ready, out),
                Err(error) => self.end(Err(error)),
            },
            (Doing::Intend(mut ready, _), Event::At(revision)) => {
                (self.journal, self.abandoned) = (Some(revision), Vec::new());
                ready.look.upload.release();
                self.enter(Phase::Upload, Doing::Upload(ready), out);
            }

            (Doing::Bind(bound, _), Event::At(revision)) => {
                self.journal = Some(revision);
                self.enter(Phase::Push, Doing::Push(bound), out);
            }
            (Doing::Intend(..) | Doing::Bind(..), Event::Conflict) => self.end(Err(taken_over())),

            (Doing::Push(bound), Event::At(tip)) => {
                self.report.tip = Some(tip.clone());
                self.report.files.iter_mut().for_each(|file| file.state = PublishedState::Published);
                self.enter(Phase::Settle, Doing::Settle(bound, tip), out);
            }
            (Doing::Push(bound), Event::Conflict) => {
                self.ledger_conflicts += 1;
                if self.ledger_conflicts > LEDGER_CONFLICTS_MAX {
                    return self.end(Err(Error::new(
                        Code::Conflict,
                        format_args!("others changed this session more than {LEDGER_CONFLICTS_MAX} times meanwhile"),
                    )));
                }
                self.doing = Doing::LookAgain(bound);
            }
            (Doing::LookAgain(bound), Event::Ledger(ledger)) => match bound.again(&ledger, &self.plan) {
                Ok(again) => self.bind(again, out),
                // The bound publish no longer fits the remote.
                Err(_) if self.may_begin_anew() => self.begin_anew(&bound, out, link),
                Err(error) => self.end(Err(error)),
            },
            // The bound publish can never be pushed, and there is something newer to publish.
            (Doing::Push(bound), Event::Failed(Failed { why: Failure::Refused, .. })) if self.may_begin_anew() => {
                self.begin_anew(&bound, out, link);
            }

            (Doing::Settle(bound, _), Event::End) => {
                let swaps = Swaps::new(&bound, &self.plan);
                self.enter(Phase::Swap, Doing::Swap(bound, swaps), out);
            }
            (Doing::Settle(bound, _), Event::Conflict) if self.may_begin_anew() => {
                self.begin_anew(&bound, out, link);
            }
            (Doing::Settle(..), Event::Conflict) => self.end(Err(Error::new(
                Code::Conflict,
                "the push succeeded, but a local change keeps the working tree from following it",
            ))),

            (Doing::Close(bound, registering), event) => match registering.on(event) {
                Ok(Some(registering)) => self.doing = Doing::Close(bound, registering),
                Ok(None) => self.close(&bound),
                Err(error) => self.end(Err(error)),
            },
            // A conflict: another publish took over the journal and will remove it.
            (Doing::RemoveJournal(swapped), Event::End | Event::Conflict) => self.closed(&swapped, out, link),

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
            Doing::Look(look) => {
                look.wrong.get_or_insert_with(refusal::stopped);
                look.stop(out);
            }
            Doing::Upload(ready) => ready.look.upload.stop(out),
            Doing::LookAgain(_) => {
                if let Some(id) = self.open {
                    out.cancel(id);
                }
            }
            Doing::Ended | Doing::Swap(..) => {}
            // An effect that is open is brought to its end; the journal has the rest.
            _ if self.open.is_some() => {}
            _ => self.end(Err(refusal::stopped())),
        }
    }

    fn wake(&self, now: u64, link: &Link) -> Option<u64> {
        match &self.doing {
            Doing::Look(look) | Doing::Upload(Ready { look, .. }) => look.upload.wake(now, link),
            _ => None,
        }
    }

    fn left(&self) -> usize {
        match &self.doing {
            Doing::Ended => 0,
            Doing::Look(look) | Doing::Upload(Ready { look, .. }) => look.upload.left() + 1,
            Doing::Swap(_, swaps) => swaps.left() + 1,
            _ => usize::MAX,
        }
    }

    fn is_done(&self) -> bool {
        matches!(self.doing, Doing::Ended)
    }

    fn finish(self) -> PublishReport {
        PublishReport { phase: self.phase, ..self.report }
    }
}

impl Doing {
    /// For the sentence that says what failed.
    fn what(&self) -> &'static str {
        match self {
            Doing::LoadJournal | Doing::Intend(..) | Doing::Bind(..) | Doing::RemoveJournal(_) => "the journal",
            Doing::Abandon(..) | Doing::Close(..) => "the orphan register",
            Doing::Push(_) => "the push",
            Doing::Settle(..) => "following the remote",
            Doing::LookAgain(_) | Doing::Look(_) => "the ledger",
            Doing::Upload(_) => "the upload",
            Doing::Swap(..) | Doing::Ended => "the files",
        }
    }
}

impl Bound {
    /// The same publish on top of the remote's new state.
    fn again(&self, ledger: &Ledger, plan: &Plan) -> Result<Self, Error> {
        // With files of its own, the plan says what takes the place of what others published.
        let draft = Draft::again(self, ledger, plan.is_empty())?;
        let session = plan.session.as_str();
        let parts = Parts { files: self.files.clone(), in_git: self.in_git(session) };
        bind::bind(draft, parts, ledger, session, self.local.clone(), &self.superseded)
    }

    /// The bytes of files that git carries, by name.
    fn in_git(&self, session: &str) -> SortedMap<String, Vec<u8>> {
        let prefix = name::path(session, "");
        let in_git =
            |name: &str| self.files.iter().any(|file| file.name == name && matches!(file.kept, Kept::InGit { .. }));
        let files = self.push.files.iter().filter_map(|file| Some((file.name.strip_prefix(&prefix)?, &file.bytes)));
        files.filter(|(name, _)| in_git(name)).map(|(name, bytes)| (name.to_owned(), bytes.clone())).collect()
    }
}

/// What a bound publish looks up again: documents first, as [`Plan::lookup`] has them.
fn lookup(bound: &Bound) -> Lookup {
    let is_document = |at: usize| at == 0 || matches!(bound.files[at - 1].kept, Kept::InGit { .. });
    let (mut documents, mut files) = (Vec::new(), Vec::new());
    for (at, file) in bound.push.files.iter().enumerate() {
        if is_document(at) { &mut documents } else { &mut files }.push(file.name.clone());
    }
    Lookup { documents, files }
}

/// The settle that follows a push.
fn settle(bound: &Bound, tip: &Revision) -> Settle {
    let expects = |at: usize| match at.checked_sub(1).map(|at| &bound.files[at].kept) {
        None => bound.local.clone(),
        Some(Kept::InGit { local, .. }) => local.clone(),
        Some(Kept::Lfs { .. }) => None,
    };
    let files = bound.push.files.iter().enumerate();
    let files = files.map(|(at, file)| SettleFile { name: file.name.clone(), expects: expects(at) }).collect();
    Settle { tip: tip.clone(), files }
}

fn taken_over() -> Error {
    Error::new(Code::Conflict, "another publish of this session took over its journal")
}
