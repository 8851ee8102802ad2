//! Everything that is read before anything is written: documents, the remote's ledger, and the hash of every file.

use super::bind::{self, Draft, Parts, Versions};
use super::plan::Plan;
use super::report::{Published, PublishedState};
use crate::journal::{BoundFile, Kept};
use crate::limits::DOCUMENT_BYTES_MAX;
use crate::manifest::Manifest;
use crate::proof::Proof;
use crate::transcript::Counter;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use hydrant_lfs::contract::{Doc, Effect, EffectId, Ledger, Revision};
use hydrant_lfs::operations::{Machine as _, Upload};
use hydrant_lfs::order::{SortedMap, SortedSet};
use hydrant_lfs::protocol::link::Link;
use hydrant_lfs::protocol::outbox::{Event, Outbox};
use hydrant_lfs::protocol::refusal;
use hydrant_lfs::text::error::{Code, Error};
use hydrant_lfs::text::oid::{Blob, Oid};

/// What is known before anything is written.
#[derive(Debug)]
pub(super) struct Look {
    /// Hashes the files, and is released when the journal names them.
    pub(super) upload: Upload,
    /// Counts the transcript's entries in the very bytes that are hashed.
    counter: Option<Counter>,
    /// The first thing that went wrong.
    pub(super) wrong: Option<Error>,
    asked: bool,
    open: SortedMap<EffectId, Asked>,
    local: Option<Doc>,
    /// Files that are stored in git, in the order of the plan.
    in_git: Vec<Option<Doc>>,
    ledger: Option<Ledger>,
}

#[derive(Clone, Copy, Debug)]
enum Asked {
    Manifest,
    InGit(usize),
    Ledger,
}

impl Look {
    pub(super) fn new(plan: &Plan, link: &Link) -> Self {
        Self {
            upload: Upload::held(plan.sources(), plan.transcript(), link),
            counter: plan.transcript().map(|_| Counter::default()),
            wrong: None,
            asked: false,
            open: SortedMap::default(),
            local: None,
            in_git: plan.in_git.iter().map(|_| None).collect(),
            ledger: None,
        }
    }

    pub(super) fn advance(&mut self, plan: &Plan, out: &mut Outbox, link: &mut Link) {
        if !self.asked && self.wrong.is_none() {
            self.asked = true;
            // The remote takes longest, so it is asked first, and files are hashed meanwhile.
            let ledger = out.perform(Effect::LoadLedger(plan.lookup()));
            self.open.insert(ledger, Asked::Ledger);
            let manifest = out.perform(Effect::LoadDoc(plan.manifest()));
            self.open.insert(manifest, Asked::Manifest);
            for (at, file) in plan.in_git.iter().enumerate() {
                let id = out.perform(Effect::LoadDoc(file.source.clone()));
                self.open.insert(id, Asked::InGit(at));
            }
        }
        self.upload.advance(out, link);
    }

    pub(super) fn is_done(&self) -> bool {
        self.open.is_empty() && self.upload.is_hashed() && (self.asked || self.wrong.is_some())
    }

    /// `Err` ends the look.
    pub(super) fn on(&mut self, id: EffectId, event: Event, out: &mut Outbox, link: &mut Link) -> Result<(), Error> {
        let Some(asked) = self.open.remove(&id) else {
            if let (Event::Chunk { bytes, .. }, Some(counter)) = (&event, &mut self.counter) {
                counter.update(bytes);
            }
            self.upload.on(id, event, out, link);
            return Ok(());
        };
        match (asked, event) {
            (Asked::Manifest, Event::Doc(doc)) => self.local = Some(doc),
            (Asked::Manifest, Event::Absent) => {}
            (Asked::InGit(at), Event::Doc(doc)) => self.in_git[at] = Some(doc),
            (Asked::InGit(_), Event::Absent) => {
                return Err(Error::new(Code::NotFound, "a file that git should carry is not there"));
            }
            (Asked::Ledger, Event::Ledger(ledger)) => self.ledger = Some(ledger),
            (Asked::Ledger, Event::Failed(failed)) => return Err(refusal::failed("the ledger", &failed)),
            (_, Event::Failed(failed)) => return Err(refusal::failed("a document of the session", &failed)),
            _ => return Err(refusal::unfitting()),
        }
        Ok(())
    }

    pub(super) fn stop(&mut self, out: &mut Outbox) {
        for (id, asked) in self.open.iter() {
            if matches!(asked, Asked::Ledger) {
                out.cancel(*id);
            }
        }
        self.upload.stop(out);
    }

    /// The new manifest, or why the publish is refused. Nothing was written yet.
    pub(super) fn draft(&self, plan: &Plan) -> Result<Draft, Error> {
        let mut hashed = Vec::new();
        for (file, read) in plan.lfs.iter().zip(self.upload.hashed()) {
            let (blob, _) = read.map_err(|error| error.context(&file.name))?;
            hashed.push(*blob);
        }
        for (file, doc) in plan.in_git.iter().zip(&self.in_git) {
            bind::fit_for_git(&file.name, doc.as_ref().map_or(&[], |doc| &doc.bytes))?;
        }
        let ledger = self.ledger.as_ref().ok_or_else(refusal::unfitting)?;
        bind::in_git_unseen(ledger, self.in_git.iter().flatten().map(|doc| doc.bytes.as_slice()))?;
        let remote = ledger.files.first();
        let versions = Versions {
            base: remote.and_then(|file| file.committed.clone()),
            ours: self.local.as_ref().map(|doc| doc.bytes.clone()),
            theirs: remote.and_then(|file| file.bytes.clone()),
        };
        for version in [&versions.base, &versions.ours, &versions.theirs].into_iter().flatten() {
            if version.len() > DOCUMENT_BYTES_MAX {
                return Err(Error::new(
                    Code::Limit,
                    format_args!("the manifest has more than {DOCUMENT_BYTES_MAX} bytes"),
                ));
            }
        }
        Draft::new(plan, &versions, &hashed, self.counter.clone().map(Counter::finish))
    }

    /// Every blob that may be sent.
    pub(super) fn named(&self) -> Vec<Blob> {
        let hashed = self.upload.hashed().filter_map(|read| read.ok().map(|(blob, _)| *blob));
        hashed.collect::<SortedSet<Blob>>().into_iter().collect()
    }

    /// The oids that the remote's manifest names.
    pub(super) fn referenced(&self) -> SortedSet<Oid> {
        let theirs = self.ledger.as_ref().and_then(|ledger| ledger.files.first()?.bytes.as_deref());
        let manifest = theirs.and_then(|theirs| Manifest::parse(theirs).ok());
        manifest
            .map_or_else(SortedSet::default, |manifest| manifest.files().iter().filter_map(|file| file.oid).collect())
    }

    /// What is known of each file.
    pub(super) fn report(&self, plan: &Plan) -> Vec<Published> {
        let lfs = plan.lfs.iter().zip(self.upload.hashed()).map(|(file, read)| {
            let (oid, size) = read.as_ref().map_or((String::new(), 0), |(blob, _)| (blob.oid.to_string(), blob.size));
            Published { name: file.name.clone(), oid, size, state: PublishedState::Unpublished, reason: read.err() }
        });
        let in_git = plan.in_git.iter().zip(&self.in_git).map(|(file, doc)| Published {
            name: file.name.clone(),
            oid: String::new(),
            size: doc.as_ref().map_or(0, |doc| doc.bytes.len() as u64),
            state: PublishedState::Unpublished,
            reason: None,
        });
        lfs.chain(in_git).collect()
    }

    /// The end of the upload: a proof for every file, or why there is none. A refusal of the whole speaks against no
    /// single file.
    pub(super) fn prove(
        self,
        plan: &Plan,
        report: &mut [Published],
    ) -> Result<(Parts, Ledger, Option<Revision>), Error> {
        if let Some(error) = self.upload.refused_whole() {
            return Err(error.clone());
        }
        let states: Vec<Option<Revision>> =
            self.upload.hashed().map(|read| read.ok().map(|(_, revision)| revision.clone())).collect();
        let mut files = Vec::new();
        let mut first = None;
        let proofs = plan.lfs.iter().zip(states).zip(self.upload.receipts());
        for (at, ((file, state), (_, _, ended))) in proofs.enumerate() {
            match ended {
                Ok(receipt) => {
                    let proof = Proof::from(receipt);
                    let swap = state.filter(|_| file.in_place);
                    files.push(BoundFile { name: file.name.clone(), kept: Kept::Lfs { proof, swap } });
                }
                Err(error) => {
                    report[at].reason = Some(error.clone());
                    first.get_or_insert_with(|| error.context(&file.name));
                }
            }
        }
        if let Some(error) = first {
            return Err(error);
        }
        let mut in_git = SortedMap::default();
        for (file, doc) in plan.in_git.iter().zip(self.in_git) {
            let doc = doc.ok_or_else(refusal::unfitting)?;
            let local = file.in_place.then_some(doc.revision);
            let kept = Kept::InGit { size: doc.bytes.len() as u64, local };
            files.push(BoundFile { name: file.name.clone(), kept });
            in_git.insert(file.name.clone(), doc.bytes);
        }
        let ledger = self.ledger.ok_or_else(refusal::unfitting)?;
        Ok((Parts { files, in_git }, ledger, self.local.map(|doc| doc.revision)))
    }
}
