//! The one way in which a session is published.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Instant;

use crate::contract::error::Fault;
use crate::contract::names::TRANSCRIPT;
use crate::contract::sessions::{Publication, PublishFile, PublishReport as EngineReport, Published, PublishedState};
use crate::contract::types::{Code, Direction};
use crate::documents::Documents;
use crate::driver;
use crate::files::digest::blob_of_file;
use crate::gate::Gate;
use crate::remote::{Options, Preflight, Reason, Refusal, RemoteLedger};
use crate::repository::Errand;
use crate::sessions::ledger::path_in;
use crate::sessions::remembered::{self, Known, Notes};
use crate::sessions::{new_session, orphaned, replaced};
use crate::tasks::endpoint::{self, Destination};
use crate::tasks::transfer::{self, Runner};

use super::PublishReport;
use super::recording::{Place, Recorded};
use super::scene::{Scene, documents};
use super::secrets::Secrets;

/// How a publish ended.
pub(super) struct Came {
    pub(super) report: EngineReport,
    pub(super) seconds: f64,
    /// The caller asked to stop.
    pub(super) interrupted: bool,
    /// Bytes of a file were on their way to the server.
    pub(super) sent: bool,
    /// Revision of its journal, where it began one and there was none before.
    pub(super) begun: Option<String>,
    /// It ended before it sent anything, and left nothing behind.
    pub(super) taken_back: bool,
    /// What the gate said.
    pub(super) secrets: Secrets,
}

/// What whoever looks on sees of it.
#[derive(Clone, Copy)]
pub(super) enum Shown {
    Progress,
    Nothing,
}

impl Scene<'_> {
    /// Everything that would stand in the way, with the remote asked.
    pub(super) fn preflight(&self) -> Result<Preflight, Refusal> {
        let options = Options { with_unpushed: self.options.with_unpushed };
        RemoteLedger::preflight(&self.repository.git, &self.session, options)
    }

    /// The server that blobs go to.
    pub(super) fn destination(&self, needed: bool) -> Result<Destination, Fault> {
        let server = self.options.server.of(self.repository, Errand::Pull)?;
        endpoint::of_repository(self.client, self.repository, Direction::Upload, &server, needed)
    }

    /// Publishes it, and reports.
    pub(super) fn published(mut self) -> Result<PublishReport, Fault> {
        let came = self.publish()?;
        let mut report = PublishReport::new(&self.session, came, self.recording.left_out);
        (report.redacted, report.kept_list) = (self.redacted.places, self.redacted.kept);
        Ok(report)
    }

    /// Publishes it. What is worth knowing beside the report is said at once.
    fn publish(&mut self) -> Result<Came, Fault> {
        let preflight = self.preflight().map_err(|refusal| refused(&refusal))?;
        if let Some(sentence) = self.obstacle(&preflight)? {
            return Err(Fault::failed(Code::Conflict, sentence));
        }
        self.lint(&preflight);
        if self.unfinished {
            self.client.watching().noted("an interrupted publish of this session is brought to its end first");
        }
        let destination = self.destination(true)?;
        let gate = self.gate()?;
        self.without_secrets(&gate)?;
        let states = self.redacted.states.take().unwrap_or_else(|| self.states());
        let covered = self.covered();
        // What was taken out is looked for once more, in what is sent.
        let gate = if self.redacted.places > 0 { self.gate()? } else { gate };
        self.look_through_texts(&gate)?;
        // Where something is held back already, the rest is only looked through: without a journal nothing is sent.
        let documents = if gate.held().is_empty() { documents(self.repository)? } else { self.files.clone().into() };
        let mut came = self.operate(&preflight.ledger, documents, destination, &gate, Shown::Progress)?;
        if came.report.ended.is_err()
            && !came.sent
            && let Some(begun) = came.begun.take()
        {
            // Else the journal stays, and a doctor finds it.
            came.taken_back = self.take_back(begun).unwrap_or(false);
        }
        let names: Vec<String> = came.report.files.iter().map(|file| path_in(&self.session, &file.name)).collect();
        // Only tells git what it would find out by itself.
        preflight.ledger.refresh(&names).ok();
        if came.report.tip.is_some() {
            // Without the note an older version could be published again; the register would name this one then.
            replaced::note(self.repository, &self.session, covered).ok();
        }
        if came.report.ended.is_ok() {
            self.remember(states, &came.report);
        }
        Ok(self.without_named(came))
    }

    /// The same without orphans that other sessions name. The register keeps them: it is compared with what is named
    /// whenever it is read.
    fn without_named(&self, mut came: Came) -> Came {
        if came.report.orphans.is_empty() {
            return came;
        }
        let orphans = came.report.orphans.clone();
        let engine = self.client.engine().map_err(Fault::from);
        match engine.and_then(|engine| orphaned::unnamed(self.repository, engine, orphans, Some(&self.session))) {
            Ok(orphans) => came.report.orphans = orphans,
            Err(Fault { detail, .. }) => {
                let text = format!("whether other sessions name an orphan could not be found out: {detail}");
                self.client.watching().warned(&text);
            }
        }
        came
    }

    /// Runs the operation with these documents and this ledger.
    pub(super) fn operate(
        &self,
        ledger: &RemoteLedger,
        documents: Documents,
        destination: Destination,
        gate: &Rc<Gate>,
        shown: Shown,
    ) -> Result<Came, Fault> {
        let started = Instant::now();
        let server = &self.options.server;
        let limit = transfer::object_bytes_max(self.options.object_bytes_max, Some(self.repository))?;
        let store = self.repository.cache()?;
        let mut runner = Runner::new(self.client, destination, server, limit, |host| {
            let host = host.store(store).files(self.files.clone()).documents(documents);
            host.ledger(ledger.clone()).gate(Some(Rc::clone(gate)))
        })?;
        let mut operation = self.client.guest()?.publish(&runner.config, &self.publication())?;
        match shown {
            Shown::Progress => {
                let files = &self.recording.files;
                let bytes = files.iter().fold(0, |sum: u64, file| sum.saturating_add(file.size));
                let mut watch = self.client.watching();
                watch.began("publish", files.len().max(1), bytes);
                let driven = driver::run(&mut operation, &mut runner.host, &mut **watch);
                watch.ended();
                driven?;
            }
            Shown::Nothing => runner.ask(&mut operation)?,
        }
        let mut report = runner.host.heard(operation.finish_publish()?);
        report.ended = report.ended.map_err(|error| runner.told(error));
        let (seconds, host) = (started.elapsed().as_secs_f64(), &runner.host);
        let (interrupted, sent, begun) = (host.interrupted(), host.has_sent(), host.begun());
        let secrets = self.secrets(gate, sent);
        Ok(Came { report, seconds, interrupted, sent, begun, taken_back: false, secrets })
    }

    fn publication(&self) -> Publication {
        let files = &self.recording.files;
        let transcript = files.iter().find(|file| file.name == TRANSCRIPT).map(|file| file.read_by(&self.session));
        let file =
            |file: &Recorded| PublishFile { name: file.name.clone(), source: file.source(), in_git: file.in_git };
        Publication {
            session: self.session.clone(),
            files: files.iter().map(file).collect(),
            new_session_id: new_session::id(),
            created_at: new_session::created_at(&self.files, transcript.as_deref()),
            fields: self.fields.clone(),
            redaction: self.redacted.pass.clone(),
        }
    }

    /// Files outside the session's folder as they are before they are read.
    pub(super) fn states(&self) -> Vec<Known> {
        let aside = self.recording.files.iter().filter(|file| file.place != Place::InSession);
        aside
            .filter_map(|file| {
                let mut opened = self.files.open(&file.read_by(&self.session)).ok()??;
                // The engine names no oid for what git carries.
                let oid = if file.in_git { blob_of_file(&mut opened.file).ok()?.oid } else { String::new() };
                let (name, place, revision) = (file.name.clone(), file.place_text(), opened.revision);
                (!revision.is_unstable()).then_some(Known { name, place, revision, oid })
            })
            .collect()
    }

    /// What the original recorder's cache holds under the names of files that come from elsewhere.
    fn covered(&self) -> Vec<Known> {
        let cache = self.repository.top.join(replaced::folder_of(&self.session));
        match &self.options.from {
            Some(folder) if folder.canonicalize().ok() != cache.canonicalize().ok() => {
                let names = self.recording.files.iter().map(|file| file.name.as_str());
                replaced::states(self.repository, &self.session, names).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    fn remember(&self, states: Vec<Known>, report: &EngineReport) {
        // A resumed publish may have reported the same name before: the last one counts.
        let files: HashMap<&str, &Published> = report.files.iter().map(|file| (file.name.as_str(), file)).collect();
        let known = states.into_iter().filter_map(|known| {
            let file = files.get(known.name.as_str())?;
            let published = matches!(file.state, PublishedState::Published | PublishedState::Swapped);
            let oid = if file.oid.is_empty() { known.oid.clone() } else { file.oid.clone() };
            published.then_some(Known { oid, ..known })
        });
        let notes = Notes { session_id: report.session_id.clone(), listing: None, files: known.collect() };
        // Without the notes the next run looks at everything.
        remembered::save(&self.repository.store_dir(), &self.session, &notes).ok();
    }
}

/// The fault that a refusal of the preflight is.
pub(super) fn refused(refusal: &Refusal) -> Fault {
    let code = match refusal.reason {
        Reason::Offline | Reason::Git => Code::Host,
        Reason::Denied => Code::Auth,
        Reason::Diverged => Code::Conflict,
        _ => Code::Rejected,
    };
    Fault::failed(code, &refusal.sentence)
}
