//! A session that is to be published, as it stands before anybody is asked, and the one way it is published.

use std::collections::{BTreeSet, HashMap};
use std::env;
use std::io::Read;
use std::time::Instant;

use hydrant_host::files::digest::blob_of_file;
use hydrant_host::documents::{DOCUMENT_BYTES_MAX, Documents};
use hydrant_host::driver;
use hydrant_host::engine::{Engine, Guest};
use hydrant_host::files::Files;
use hydrant_host::remote::{Options, Preflight, Reason, Refusal, RemoteLedger};
use hydrant_host::store::Store;
use hydrant_host::contract::manifests::{Change, FileRef, FileStorage, Manifest};
use hydrant_host::contract::sessions::{Publication, PublishFile, PublishReport, Published, PublishedState};
use hydrant_host::contract::types::{Code, Direction};

use crate::cli::{PublishArgs, Voice};
use hydrant_host::tasks::endpoint::{self, Destination};
use hydrant_host::sessions::downloaded;
use hydrant_host::contract::error::Fault;
use hydrant_host::sessions::ledger::{Ledger, MANIFEST, Target, path_in};
use hydrant_host::sessions::new_session;
use hydrant_host::tasks::transfer::{self, Runner};
use crate::publish_report::Came;
use crate::recording::{self, Place, Recording};
use hydrant_host::sessions::remembered::{self, Known, Notes};
use hydrant_host::sessions::replaced;
use crate::report::Output;
use hydrant_host::text::{count_text, quote};
use hydrant_host::repository::Repository;

use super::quick::Listing;

/// The file that says what happened in a session.
const TRANSCRIPT: &str = "raw.jsonl";
/// What is said when everything is where it belongs.
pub(super) const NOTHING_CHANGED: &str = "nothing to publish: the remote has everything, as far as this clone knows";
/// A manifest that holds nothing yet, to try fields on.
const EMPTY_MANIFEST: &[u8] = br#"{"version": "1.0", "files": {}}"#;

/// What a run is about, before anything is asked of anybody.
pub(crate) struct Scene<'a> {
    pub(super) repository: &'a Repository,
    engine: &'a Engine,
    pub(super) arguments: &'a PublishArgs,
    pub(crate) session: String,
    pub(super) recording: Recording,
    pub(super) manifest: Option<Manifest>,
    /// Everything that is published, and what stands in the work tree.
    pub(super) files: Files,
    fields: Vec<(String, String)>,
    /// An earlier publish left its journal.
    pub(super) unfinished: bool,
}

impl<'a> Scene<'a> {
    /// Looks at everything that lies here.
    pub(crate) fn look(
        repository: &'a Repository,
        engine: &'a Engine,
        arguments: &'a PublishArgs,
    ) -> Result<Self, Fault> {
        let mut guest = engine.guest()?;
        let session = session_name(repository, arguments, &mut guest)?;
        let fields = fields(arguments, &mut guest)?;
        let tree = Files::beneath(&repository.top)?;
        let manifest = local_manifest(&tree, &session, &mut guest)?;
        let journal = documents(repository)?.journal(&session);
        let unfinished = journal.map_err(|error| Fault::local("the journal cannot be read", &error))?.is_some();
        if arguments.resume && !unfinished && manifest.is_none() {
            let shown = quote(session.as_bytes());
            return Err(Fault::misuse(format!("nothing to finish: no publish of {shown} was interrupted here")));
        }
        let recording = if arguments.resume {
            Recording::default()
        } else {
            recording::find(arguments, repository, &tree, &session, manifest.as_ref(), unfinished, &mut guest)?
        };
        let has_nothing = recording.files.is_empty() && recording.published.is_empty();
        if !arguments.resume && !unfinished && has_nothing && (manifest.is_none() || arguments.from.is_some()) {
            let shown = quote(session.as_bytes());
            return Err(Fault::misuse(format!(
                "{shown} has no content to publish; --from names the folder that has it"
            )));
        }
        let files = recording.among(tree);
        Ok(Self { repository, engine, arguments, session, recording, manifest, files, fields, unfinished })
    }

    /// Id of the session, once it has one.
    pub(crate) fn session_id(&self) -> Option<&str> {
        self.manifest.as_ref().map(|manifest| manifest.effective_session_id.as_str())
    }

    /// Why there is nothing to do, as far as this machine knows without asking anybody.
    pub(super) fn idle(&self) -> Result<Option<&'static str>, Fault> {
        if self.unfinished {
            return Ok(None);
        }
        if self.arguments.resume {
            return Ok(Some("nothing to finish: no publish of this session was interrupted"));
        }
        if !self.fields.is_empty() {
            return Ok(None);
        }
        let all_published = !self.arguments.again && self.every_file_is_published();
        if all_published && RemoteLedger::unchanged(&self.repository.git, &self.session)? {
            self.note_down_that_all_is_published();
            return Ok(Some(NOTHING_CHANGED));
        }
        let only_git = "nothing to publish: no content stands here; commits and other changes are git's to push";
        Ok(self.recording.files.is_empty().then_some(only_git))
    }

    /// As far as the manifest here and the list of the last publish say.
    fn every_file_is_published(&self) -> bool {
        let Some(manifest) = &self.manifest else { return false };
        let remembered = if self.recording.files.iter().any(|file| file.place != Place::InSession) {
            remembered::load(&self.repository.store_dir(), &self.session).files
        } else {
            Vec::new()
        };
        let known: HashMap<&str, &Known> = remembered.iter().map(|known| (known.name.as_str(), known)).collect();
        let refs = refs(manifest);
        let is_published =
            |file: &recording::Recorded| match &file.place {
                // As committed, says git.
                Place::InSession => file.in_git,
                _ => known.get(file.name.as_str()).is_some_and(|known| {
                    known.place == file.place_text()
                        && self.still_says(&refs, known)
                        && self.files.open(&file.read_by(&self.session)).ok().flatten().is_some_and(|opened| {
                            !opened.revision.is_unstable() && opened.revision.same(&known.revision)
                        })
                }),
            };
        let taken: BTreeSet<&str> = self.recording.files.iter().map(|file| file.name.as_str()).collect();
        let is_named = |name: &str| self.recording.published.contains(name) || taken.contains(name);
        let mut blobs = manifest.files.iter().filter(|file| file.storage == FileStorage::Lfs);
        self.recording.files.iter().all(is_published)
            && (self.arguments.from.is_some() || blobs.all(|file| is_named(&file.name)))
    }

    /// Whether the session has what was published from a file then.
    fn still_says(&self, refs: &HashMap<&str, &FileRef>, known: &Known) -> bool {
        match refs.get(known.name.as_str()) {
            Some(file) if file.storage == FileStorage::Git => {
                let there = self.files.open(&path_in(&self.session, &known.name)).ok().flatten();
                there.is_some_and(|mut there| blob_of_file(&mut there.file).is_ok_and(|blob| blob.oid == known.oid))
            }
            Some(file) => file.oid.as_ref() == Some(&known.oid),
            None => false,
        }
    }

    /// So that the next run need not look at everything.
    fn note_down_that_all_is_published(&self) {
        let (Some(manifest), store_dir) = (&self.manifest, self.repository.store_dir()) else { return };
        let mut notes = remembered::load(&store_dir, &self.session);
        let listing = Listing::of(&self.repository.git, &self.session).map(|listing| listing.digest);
        if listing == notes.listing {
            return;
        }
        let refs = refs(manifest);
        if !notes.files.iter().all(|known| self.still_says(&refs, known)) {
            notes.files.clear();
        }
        let session_id = manifest.effective_session_id.clone();
        // Without the notes the next run looks again.
        remembered::save(&store_dir, &self.session, &Notes { session_id, listing, ..notes }).ok();
    }

    /// Everything that would stand in the way, with the remote asked.
    pub(super) fn preflight(&self) -> Result<Preflight, Refusal> {
        let options = Options { with_unpushed: self.arguments.with_unpushed };
        RemoteLedger::preflight(&self.repository.git, &self.session, options)
    }

    /// The server that blobs go to.
    pub(super) fn destination(&self, needed: bool) -> Result<Destination, Fault> {
        destination::of_repository(self.repository, self.engine, Direction::Upload, &self.arguments.server, needed)
    }

    /// Publishes it. What is worth knowing beside the report is said at once.
    pub(crate) fn publish(&self, output: &mut Output) -> Result<Came, Fault> {
        let preflight = self.preflight().map_err(|refusal| refused(&refusal))?;
        if let Some(sentence) = self.obstacle()? {
            return Err(Fault::failed(Code::Conflict, sentence));
        }
        self.lint(&preflight, output);
        let destination = self.destination(true)?;
        let states = self.states();
        let covered = self.covered();
        let came = self.operate(&preflight.ledger, documents(self.repository)?, destination, &output.voice)?;
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
        Ok(came)
    }

    /// Runs the operation with these documents and this ledger.
    pub(super) fn operate(
        &self,
        ledger: &RemoteLedger,
        documents: Documents,
        destination: Destination,
        voice: &Voice,
    ) -> Result<Came, Fault> {
        let started = Instant::now();
        let server = &self.arguments.server;
        let limit = operate::object_bytes_max(&self.arguments.limits, Some(self.repository))?;
        let store = Store::cache(&self.repository.store_dir())?;
        let mut runner = Runner::new(self.engine, voice, destination, server, limit, |host| {
            host.store(store).files(self.files.clone()).documents(documents).ledger(ledger.clone())
        })?;
        let bytes = self.recording.files.iter().fold(0, |sum: u64, file| sum.saturating_add(file.size));
        let mut operation = self.engine.guest()?.publish(&runner.config, &self.publication())?;
        let mut watcher = runner.watcher("publish", self.recording.files.len().max(1), bytes);
        let driven = driver::run(&mut operation, &mut runner.host, &mut watcher);
        watcher.end();
        driven?;
        let report = operation.finish_publish()?;
        Ok(Came { report, seconds: started.elapsed().as_secs_f64(), interrupted: runner.host.interrupted() })
    }

    fn publication(&self) -> Publication {
        let files = &self.recording.files;
        let transcript = files.iter().find(|file| file.name == TRANSCRIPT).map(|file| file.read_by(&self.session));
        let file = |file: &recording::Recorded| PublishFile {
            name: file.name.clone(),
            source: file.source(),
            in_git: file.in_git,
        };
        Publication {
            session: self.session.clone(),
            files: files.iter().map(file).collect(),
            new_session_id: new_session::id(),
            created_at: new_session::created_at(&self.files, transcript.as_deref()),
            fields: self.fields.clone(),
        }
    }

    /// Files outside the session's folder as they are before they are read.
    fn states(&self) -> Vec<Known> {
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
        match &self.arguments.from {
            Some(folder) if folder.canonicalize().ok() != cache.canonicalize().ok() => {
                let names = self.recording.files.iter().map(|file| file.name.as_str());
                replaced::states(self.repository, &self.session, names).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    fn remember(&self, states: Vec<Known>, report: &PublishReport) {
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

    /// What stays where it is.
    pub(super) fn say_left_out(&self, output: &mut Output) {
        for (name, why) in &self.recording.left_out {
            output.note(format!("{} is left out: {why}", quote(name.as_bytes())));
        }
    }

    /// What should be known beforehand and stands in nobody's way.
    pub(super) fn lint(&self, preflight: &Preflight, output: &mut Output) {
        for warning in &preflight.warnings {
            output.warn(warning);
        }
        self.say_left_out(output);
        if preflight.unpushed > 0 {
            let commits = count_text(usize::try_from(preflight.unpushed).unwrap_or(usize::MAX), "commit");
            output.note(format!("{commits} of yours not pushed yet: going along"));
        }
        if self.unfinished && !self.arguments.dry_run {
            output.note("an interrupted publish of this session is brought to its end first");
        }
        if self.recording.files.iter().any(|file| file.place == Place::InSession && !file.in_git) {
            output.note(
                "content stands in the session's folder, where a commit could take it in full: \
                 better keep it outside and publish with --from",
            );
        }
        let is_copy = downloaded::is_marked(&self.repository.store_dir(), &self.session);
        if is_copy && !self.recording.files.is_empty() {
            output.warn(
                "content of this session was fetched from the server, not recorded here: \
                 this publishes somebody else's session again",
            );
        }
        if self.recording.covered > 0 {
            let files = count_text(self.recording.covered, "file");
            output.warn(format!(
                "other content stands in the session's folder under the names of {files}; where it is not as committed \
                 it is left as it is"
            ));
        }
    }
}

/// Manifests, journal and orphan register.
fn documents(repository: &Repository) -> Result<Documents, Fault> {
    Ok(Documents::beneath(&repository.top)?.with_state(&repository.store_dir())?)
}

/// The session that the user named. One that is only about to be published has no folder yet.
pub(super) fn session_word(repository: &Repository, arguments: &PublishArgs) -> Result<String, Fault> {
    let word = &arguments.session;
    match Ledger::of(repository)?.target(word, &env::current_dir()?) {
        Target::Session { name, file: None } => Ok(name),
        Target::Session { .. } => Err(Fault::misuse("a session is published as a whole")),
        Target::Other => {
            let word = word.trim_end_matches('/');
            Ok(word.strip_prefix("sessions/").unwrap_or(word).to_owned())
        }
    }
}

pub(super) fn session_name(
    repository: &Repository,
    arguments: &PublishArgs,
    guest: &mut Guest,
) -> Result<String, Fault> {
    let name = session_word(repository, arguments)?;
    if let Some(flaw) = guest.name_flaw(&name)? {
        return Err(Fault::misuse(format!("{} cannot be a session's name: {flaw}", quote(name.as_bytes()))));
    }
    if name.contains('/') {
        return Err(Fault::misuse(format!("{} is no session", quote(name.as_bytes()))));
    }
    Ok(name)
}

fn local_manifest(tree: &Files, session: &str, guest: &mut Guest) -> Result<Option<Manifest>, Fault> {
    let unreadable = |error: &std::io::Error| Fault::local("the session's manifest cannot be read", error);
    let Some(opened) = tree.open(&path_in(session, MANIFEST)).map_err(|error| unreadable(&error))? else {
        return Ok(None);
    };
    let mut text = Vec::new();
    opened.file.take(DOCUMENT_BYTES_MAX + 1).read_to_end(&mut text).map_err(|error| unreadable(&error))?;
    Ok(Some(guest.manifest_read(&text)?))
}

/// The manifest's fields as the user gave them. One that no manifest can have is found here, before anything is asked.
fn fields(arguments: &PublishArgs, guest: &mut Guest) -> Result<Vec<(String, String)>, Fault> {
    let named = arguments.named_fields();
    let mut fields: Vec<(String, String)> =
        named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))).collect();
    for field in &arguments.fields {
        let (name, value) = field.split_once('=').ok_or_else(|| Fault::misuse("--field: NAME=VALUE is expected"))?;
        fields.push((name.to_owned(), value.to_owned()));
    }
    for (name, value) in &fields {
        if let Err(error) = guest.manifest_edit(EMPTY_MANIFEST, &[Change::Text((name.clone(), value.clone()))]) {
            return Err(match error.code() {
                Code::Malformed => Fault::misuse(format!("{}: {error}", quote(name.as_bytes()))),
                // Fields that a first manifest may set and no later one may change: that shows once both are known.
                _ if !matches!(name.as_str(), "title" | "summary") => continue,
                _ => error.into(),
            });
        }
    }
    Ok(fields)
}

/// What a manifest says of each file.
fn refs(manifest: &Manifest) -> HashMap<&str, &FileRef> {
    manifest.files.iter().map(|file| (file.name.as_str(), file)).collect()
}

pub(super) fn refused(refusal: &Refusal) -> Fault {
    let code = match refusal.reason {
        Reason::Offline | Reason::Git => Code::Host,
        Reason::Denied => Code::Auth,
        Reason::Diverged => Code::Conflict,
        _ => Code::Rejected,
    };
    Fault::failed(code, &refusal.sentence)
}
