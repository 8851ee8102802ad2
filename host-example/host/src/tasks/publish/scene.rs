//! A session that is to be published, as it stands before anybody is asked.

use std::collections::{BTreeSet, HashMap};
use std::io::Read;

use crate::contract::error::Fault;
use crate::contract::manifests::{Change, FileRef, FileStorage, Manifest};
use crate::contract::types::Code;
use crate::documents::{DOCUMENT_BYTES_MAX, Documents};
use crate::engine::Guest;
use crate::files::digest::blob_of_file;
use crate::files::lock::Lock;
use crate::files::{Files, is_unwritable};
use crate::remote::RemoteLedger;
use crate::repository::Repository;
use crate::sessions::ledger::{Ledger, MANIFEST, Target, path_in};
use crate::sessions::remembered::{self, Known, Notes};
use crate::tasks::client::Client;
use crate::text::quote;

use super::left_out::in_few_words;
use super::options::PublishOptions;
use super::quick::Listing;
use super::recording::{self, Place, Recording};
use super::redacted::Redacted;

/// What is said when everything is where it belongs.
pub(super) const NOTHING_CHANGED: &str = "nothing to publish: the remote has everything, as far as this clone knows";
/// A manifest that holds nothing yet, to try fields on.
const EMPTY_MANIFEST: &[u8] = br#"{"version": "1.0", "files": {}}"#;

/// What a run is about, before anything is asked of anybody.
pub(super) struct Scene<'a> {
    pub(super) repository: &'a Repository,
    pub(super) client: &'a Client,
    pub(super) options: &'a PublishOptions,
    pub(super) session: String,
    pub(super) recording: Recording,
    pub(super) manifest: Option<Manifest>,
    /// Everything that is published, and what stands in the work tree.
    pub(super) files: Files,
    pub(super) fields: Vec<(String, String)>,
    /// What is published in another form than it lies here.
    pub(super) redacted: Redacted,
    /// An earlier publish left its journal.
    pub(super) unfinished: bool,
    /// Nobody else publishes the session, or gives its publish up.
    _turn: Option<Lock>,
}

/// What a look is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Aim {
    Publish,
    /// Only to say what a publish would do.
    Plan,
}

impl<'a> Scene<'a> {
    /// Looks at everything that lies here.
    pub(super) fn look(
        client: &'a Client,
        repository: &'a Repository,
        options: &'a PublishOptions,
        aim: Aim,
    ) -> Result<Self, Fault> {
        let mut guest = client.guest()?;
        let session = session_name(repository, options, &mut guest)?;
        // Before the journal is looked at: what it says holds for as long as this lasts.
        let turn = if aim == Aim::Publish { turn(repository, &session)? } else { None };
        let fields = fields(&options.fields, &mut guest)?;
        let tree = Files::beneath(&repository.top)?;
        let manifest = local_manifest(&tree, &session, &mut guest)?;
        let journal = documents(repository)?.journal(&session);
        let unfinished = journal.map_err(|error| Fault::local("the journal cannot be read", &error))?.is_some();
        if options.resume && !unfinished && manifest.is_none() {
            let shown = quote(session.as_bytes());
            return Err(Fault::misuse(format!("nothing to finish: no publish of {shown} was interrupted here")));
        }
        let recording = if options.resume {
            Recording::default()
        } else {
            recording::find(options, repository, &tree, &session, manifest.as_ref(), unfinished, &mut guest)?
        };
        let has_nothing = recording.files.is_empty() && recording.published.is_empty();
        if !options.resume && !unfinished && has_nothing && (manifest.is_none() || options.from.is_some()) {
            let shown = quote(session.as_bytes());
            return Err(Fault::misuse(format!(
                "{shown} has no content to publish; --from names the folder that has it{}",
                in_few_words(&recording.left_out)
            )));
        }
        let files = recording.among(tree);
        let redacted = Redacted::default();
        let scene = Self {
            client,
            repository,
            options,
            session,
            recording,
            manifest,
            files,
            fields,
            redacted,
            unfinished,
            _turn: turn,
        };
        Ok(scene)
    }

    /// Id of the session, once it has one.
    pub(super) fn session_id(&self) -> Option<&str> {
        self.manifest.as_ref().map(|manifest| manifest.effective_session_id.as_str())
    }

    /// Why there is nothing to do, as far as this machine knows without asking anybody.
    pub(super) fn idle(&self) -> Result<Option<&'static str>, Fault> {
        if self.unfinished {
            return Ok(None);
        }
        if self.options.resume {
            return Ok(Some("nothing to finish: no publish of this session was interrupted"));
        }
        if !self.fields.is_empty() {
            return Ok(None);
        }
        let all_published = !self.options.again && self.every_file_is_published();
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
            && (self.options.from.is_some() || blobs.all(|file| is_named(&file.name)))
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
}

/// Manifests, journal and orphan register.
pub(super) fn documents(repository: &Repository) -> Result<Documents, Fault> {
    repository.documents()
}

/// The turn to publish a session in this clone, or to give its publish up. None where nothing can be written: nobody
/// comes as far as a journal there.
pub(super) fn turn(repository: &Repository, session: &str) -> Result<Option<Lock>, Fault> {
    match documents(repository)?.turn(session) {
        Ok(Some(lock)) => Ok(Some(lock)),
        Ok(None) => {
            let shown = quote(session.as_bytes());
            let sentence = format!("a publish of {shown} is running in this clone: come again when it has ended");
            Err(Fault::failed(Code::Conflict, sentence))
        }
        Err(error) if is_unwritable(&error) && !repository.is_writable() => Ok(None),
        Err(error) => Err(Fault::local("the session cannot be locked", &error)),
    }
}

/// The session that the user named. One that is only about to be published has no folder yet.
pub(super) fn session_word(repository: &Repository, options: &PublishOptions) -> Result<String, Fault> {
    let word = &options.session;
    match Ledger::of(repository)?.target(word, &repository.here) {
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
    options: &PublishOptions,
    guest: &mut Guest,
) -> Result<String, Fault> {
    let name = session_word(repository, options)?;
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
fn fields(given: &[(String, String)], guest: &mut Guest) -> Result<Vec<(String, String)>, Fault> {
    for (name, value) in given {
        if let Err(error) = guest.manifest_edit(EMPTY_MANIFEST, &[Change::Text((name.clone(), value.clone()))]) {
            return Err(match error.code() {
                Code::Malformed => Fault::misuse(format!("{}: {error}", quote(name.as_bytes()))),
                // Fields that a first manifest may set and no later one may change: that shows once both are known.
                _ if !matches!(name.as_str(), "title" | "summary") => continue,
                _ => error.into(),
            });
        }
    }
    Ok(given.to_vec())
}

/// What a manifest says of each file.
fn refs(manifest: &Manifest) -> HashMap<&str, &FileRef> {
    manifest.files.iter().map(|file| (file.name.as_str(), file)).collect()
}
