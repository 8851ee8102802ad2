//! Fetches the blobs that a session's manifest names into the cache.

use crate::manifest::{Manifest, Storage};
use crate::name::{self, Fold};
use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use hydrant_lfs::Operation;
use hydrant_lfs::contract::{Config, Effect, EffectId, Outcome, TransferReport, Want};
use hydrant_lfs::operations::{Download, Machine};
use hydrant_lfs::protocol::link::Link;
use hydrant_lfs::protocol::outbox::{Event, Outbox};
use hydrant_lfs::protocol::refusal;
use hydrant_lfs::text::error::{Code, Error};

/// Fetches the blobs of a session into the cache.
pub fn hydrate_session(config: Config, session: &str) -> Result<Operation<HydrateSession>, Error> {
    hydrate_session_with(config, session, name::fold)
}

/// The same with the fold of a platform.
pub fn hydrate_session_with(config: Config, session: &str, fold: Fold) -> Result<Operation<HydrateSession>, Error> {
    Operation::begin(config, |_| HydrateSession::new(session, fold))
}

/// The machine behind `hydrate-session`.
#[derive(Debug)]
pub struct HydrateSession {
    document: String,
    fold: Fold,
    state: State,
    /// Entries of the manifest that cannot be used.
    unusable: Vec<Outcome>,
    stopped: bool,
}

#[derive(Debug)]
enum State {
    Begin,
    Loading(EffectId),
    Fetching(Box<Download>),
    Failed(Error),
}

impl HydrateSession {
    pub(crate) fn new(session: &str, fold: Fold) -> Result<Self, Error> {
        if let Some(flaw) = name::session_flaw(session) {
            return Err(Error::new(Code::Malformed, format_args!("the session cannot be used: {flaw}")));
        }
        Ok(Self {
            document: name::path(session, name::MANIFEST),
            fold,
            state: State::Begin,
            unusable: Vec::new(),
            stopped: false,
        })
    }

    fn loaded(&mut self, event: Event, link: &Link) -> Result<Download, Error> {
        let doc = match event {
            Event::Doc(doc) => doc,
            Event::Absent => return Err(Error::new(Code::NotFound, "the session has no manifest here")),
            Event::Failed(failed) => return Err(refusal::failed("the manifest", &failed)),
            _ => return Err(refusal::unfitting()),
        };
        let manifest = Manifest::parse_with(&doc.bytes, self.fold)?;
        let mut wants = Vec::new();
        for file in manifest.files() {
            match (file.storage, &file.flaw, file.oid) {
                (_, Some(flaw), _) => self.unusable.push(Outcome {
                    name: file.name.clone(),
                    oid: String::new(),
                    size: file.size,
                    ended: Err(flaw.clone()),
                }),
                (Storage::Lfs, None, Some(oid)) => {
                    wants.push(Want { name: file.name.clone(), oid: oid.to_string(), size: file.size });
                }
                _ => {}
            }
        }
        Ok(Download::new(wants, true, link))
    }
}

impl Machine for HydrateSession {
    type Report = TransferReport;

    fn advance(&mut self, out: &mut Outbox, link: &mut Link) {
        match &mut self.state {
            State::Begin => self.state = State::Loading(out.perform(Effect::LoadDoc(self.document.clone()))),
            State::Fetching(download) => download.advance(out, link),
            State::Loading(_) | State::Failed(_) => {}
        }
    }

    fn on(&mut self, id: EffectId, event: Event, out: &mut Outbox, link: &mut Link) {
        match &mut self.state {
            State::Fetching(download) => download.on(id, event, out, link),
            State::Loading(open) if *open == id => {
                self.state = match self.loaded(event, link) {
                    _ if self.stopped => State::Failed(refusal::stopped()),
                    Ok(download) => State::Fetching(Box::new(download)),
                    Err(error) => State::Failed(error),
                }
            }
            _ => {}
        }
    }

    fn stop(&mut self, out: &mut Outbox) {
        self.stopped = true;
        match &mut self.state {
            State::Begin => self.state = State::Failed(refusal::stopped()),
            State::Fetching(download) => download.stop(out),
            State::Loading(_) | State::Failed(_) => {}
        }
    }

    fn wake(&self, now: u64, link: &Link) -> Option<u64> {
        match &self.state {
            State::Fetching(download) => download.wake(now, link),
            _ => None,
        }
    }

    fn left(&self) -> usize {
        match &self.state {
            State::Fetching(download) => download.left(),
            State::Begin | State::Loading(_) => usize::MAX,
            State::Failed(_) => 0,
        }
    }

    fn is_done(&self) -> bool {
        match &self.state {
            State::Begin | State::Loading(_) => false,
            State::Fetching(download) => download.is_done(),
            State::Failed(_) => true,
        }
    }

    /// One outcome per LFS entry of the manifest, unusable ones last.
    fn finish(self) -> TransferReport {
        match self.state {
            State::Failed(error) => TransferReport { outcomes: Vec::new(), ended: Err(error) },
            State::Begin | State::Loading(_) => {
                TransferReport { outcomes: Vec::new(), ended: Err(refusal::unfinished()) }
            }
            State::Fetching(download) => {
                let mut report = download.finish();
                report.outcomes.extend(self.unusable);
                report
            }
        }
    }
}
