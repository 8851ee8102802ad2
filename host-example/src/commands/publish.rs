//! `hydrant publish`: brings a session to its server and its ledger. Nothing is lost wherever it ends.

use std::env;
use std::time::{Duration, Instant};

use hydrant_host::documents::Documents;
use hydrant_host::driver;
use hydrant_host::engine::{Engine, Guest};
use hydrant_host::files::Files;
use hydrant_host::moment;
use hydrant_host::remote_ledger::{Options, Preflight, Reason, Refusal, RemoteLedger};
use hydrant_host::store::Store;
use hydrant_host::wit::manifests::{Manifest, Storage};
use hydrant_host::wit::operations::{Publication, PublishFile, PublishReport};
use hydrant_host::wit::types::{Code, Direction};

use crate::cli::PublishArgs;
use crate::destination;
use crate::ending::{Ending, Fault};
use crate::ledger::{Ledger, MANIFEST, Target, path_in};
use crate::operate::{self, Runner};
use crate::publish_report::{self, Planned};
use crate::recording::{self, Recording};
use crate::report::{Output, quote};
use crate::repository::Repository;

/// What a run is about, before anything is asked of anybody.
pub(crate) struct Scene<'a> {
    pub(crate) repository: &'a Repository,
    pub(crate) engine: &'a Engine,
    pub(crate) session: String,
    pub(crate) recording: Recording,
    pub(crate) manifest: Option<Manifest>,
    pub(crate) documents: Documents,
}

pub(crate) fn run(arguments: &PublishArgs, output: &mut Output) -> Result<Ending, Fault> {
    let repository = Repository::around(&env::current_dir()?)?;
    in_repository(&repository, &Engine::load()?, arguments, output)
}

/// The publish of a session of this repository, as `run` does it.
pub(crate) fn in_repository(
    repository: &Repository,
    engine: &Engine,
    arguments: &PublishArgs,
    output: &mut Output,
) -> Result<Ending, Fault> {
    let mut guest = engine.guest()?;
    let session = session_name(repository, arguments, &mut guest)?;
    let tree = Files::beneath(&repository.top)?;
    let documents = Documents::beneath(&repository.top)?.with_state(&repository.store_dir())?;
    let manifest = local_manifest(&tree, &session, &mut guest)?;
    let recording = if arguments.resume {
        Recording { files: Vec::new(), published: 0, left_out: Vec::new() }
    } else {
        recording::find(arguments, repository, &tree, &session, manifest.as_ref(), &mut guest)?
    };
    let scene = Scene { repository, engine, session, recording, manifest, documents };
    let fields = fields(arguments)?;
    let unfinished = scene.unfinished()?;
    if !unfinished && !arguments.resume && fields.is_empty() && scene.is_published()? {
        return Ok(publish_report::nothing(&scene.session, output));
    }
    let options = Options { with_unpushed: arguments.with_unpushed };
    let preflight = RemoteLedger::preflight(&repository.git, &scene.session, options);
    if arguments.dry_run {
        return dry_run(&scene, preflight, unfinished, output);
    }
    let Preflight { ledger, unpushed, warnings } = preflight.map_err(|refusal| refused(&refusal))?;
    scene.lint(&warnings, unpushed, output);
    let report = publish(&scene, arguments, fields, &ledger, output)?;
    let paths: Vec<String> = report.0.files.iter().map(|file| path_in(&scene.session, &file.name)).collect();
    // Only tells git what it would find out by itself.
    ledger.refresh(&paths).ok();
    Ok(publish_report::say(&scene.session, &report.0, report.1, output))
}

impl Scene<'_> {
    fn unfinished(&self) -> Result<bool, Fault> {
        let journal = self.documents.journal(&self.session);
        Ok(journal.map_err(|error| Fault::local("the journal cannot be read", &error))?.is_some())
    }

    /// Whether everything is where it belongs, as far as this machine knows without asking anybody.
    fn is_published(&self) -> Result<bool, Fault> {
        let Some(manifest) = &self.manifest else { return Ok(false) };
        let only_git = self.recording.files.iter().all(|file| file.in_git && file.path.is_none());
        let lfs = manifest.files.iter().filter(|file| file.storage == Storage::Lfs).count();
        Ok(only_git
            && lfs == self.recording.published
            && RemoteLedger::unchanged(&self.repository.git, &self.session)?)
    }

    /// What should be known beforehand and stands in nobody's way.
    fn lint(&self, warnings: &[String], unpushed: u64, output: &mut Output) {
        for warning in warnings {
            output.warn(warning);
        }
        if unpushed > 0 {
            output.note(format!("{unpushed} commits that were not pushed yet go along"));
        }
        let in_place = self.recording.files.iter().filter(|file| file.path.is_none() && !file.in_git).count();
        if in_place > 0 {
            output.note(
                "content stands in the session's folder, where a commit could take it in full; \
                 better keep it outside and publish with --from",
            );
        }
        for name in &self.recording.left_out {
            output.note(format!("{} is left out; --file takes it along", quote(name.as_bytes())));
        }
    }
}

fn publish(
    scene: &Scene<'_>,
    arguments: &PublishArgs,
    fields: Vec<(String, String)>,
    ledger: &RemoteLedger,
    output: &mut Output,
) -> Result<(PublishReport, f64), Fault> {
    let Scene { repository, engine, session, recording, documents, .. } = scene;
    let started = Instant::now();
    let server = &arguments.server;
    let limit = operate::object_bytes_max(&arguments.limits, Some(repository))?;
    let destination = destination::of_repository(repository, engine, Direction::Upload, server, true)?;
    let store = Store::cache(&repository.store_dir())?.second_source(&repository.git_lfs_objects());
    let aside = recording.files.iter().filter_map(|file| Some((source_name(&file.name), file.path.clone()?)));
    let files = Files::beneath(&repository.top)?.and_listed(aside.collect());
    let publication = Publication {
        session: session.clone(),
        files: recording
            .files
            .iter()
            .map(|file| PublishFile {
                name: file.name.clone(),
                source: file.path.as_ref().map(|_| source_name(&file.name)),
                in_git: file.in_git,
            })
            .collect(),
        new_session_id: new_session_id(),
        created_at: moment::rfc3339(moment::now()),
        fields,
    };
    let voice = output.voice.clone();
    let (documents, ledger) = (documents.clone(), ledger.clone());
    let mut runner = Runner::new(engine, &voice, destination, server, limit, |host| {
        host.store(store).files(files).documents(documents).ledger(ledger)
    })?;
    let bytes = recording.files.iter().fold(0, |sum: u64, file| sum.saturating_add(file.size));
    let mut operation = engine.guest()?.publish(&runner.config, &publication)?;
    let mut watcher = runner.watcher("publish", recording.files.len(), bytes);
    let driven = driver::run(&mut operation, &mut runner.host, &mut watcher);
    watcher.end();
    driven?;
    Ok((operation.finish_publish()?, started.elapsed().as_secs_f64()))
}

/// What the engine knows a file by that lies outside the session's folder.
fn source_name(name: &str) -> String {
    format!("from/{name}")
}

/// Says what a publish would do, and what stands in its way.
fn dry_run(
    scene: &Scene<'_>,
    preflight: Result<Preflight, Refusal>,
    unfinished: bool,
    output: &mut Output,
) -> Result<Ending, Fault> {
    let mut planned = Vec::new();
    let files = Files::beneath(&scene.repository.top)?;
    for file in &scene.recording.files {
        let opened = match &file.path {
            Some(path) => Files::listed(vec![(file.name.clone(), path.clone())]).open(&file.name),
            None => files.open(&path_in(&scene.session, &file.name)),
        };
        let unreadable = |error: &std::io::Error| Fault::local(&quote(file.name.as_bytes()), error);
        let Some(mut opened) = opened.map_err(|error| unreadable(&error))? else { continue };
        let blob = hydrant_host::digest::blob_of_file(&mut opened.file).map_err(|error| unreadable(&error))?;
        let named = scene.manifest.as_ref().and_then(|all| all.files.iter().find(|one| one.name == file.name));
        let replaces = named.and_then(|one| one.oid.clone()).filter(|oid| *oid != blob.oid);
        planned.push(Planned { name: file.name.clone(), blob, in_git: file.in_git, replaces });
    }
    let obstacle = match preflight {
        Ok(preflight) => {
            scene.lint(&preflight.warnings, preflight.unpushed, output);
            None
        }
        Err(refusal) => Some(refusal.sentence),
    };
    publish_report::plan(&scene.session, &planned, obstacle.as_deref(), unfinished, output);
    Ok(Ending::Done)
}

/// The session that the user named. One that is only about to be published has no folder yet.
fn session_name(repository: &Repository, arguments: &PublishArgs, guest: &mut Guest) -> Result<String, Fault> {
    let word = &arguments.session;
    let name = match Ledger::of(repository)?.target(word, &env::current_dir()?) {
        Target::Session { name, file: None } => name,
        Target::Session { .. } => return Err(Fault::misuse("a session is published as a whole")),
        Target::Other => {
            let word = word.trim_end_matches('/');
            word.strip_prefix("sessions/").unwrap_or(word).to_owned()
        }
    };
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
    let bounded = std::io::Read::take(opened.file, hydrant_host::documents::DOCUMENT_BYTES_MAX + 1);
    std::io::Read::read_to_end(&mut { bounded }, &mut text).map_err(|error| unreadable(&error))?;
    Ok(Some(guest.manifest_read(&text)?))
}

/// The manifest's fields as the user gave them.
fn fields(arguments: &PublishArgs) -> Result<Vec<(String, String)>, Fault> {
    let named = [
        ("title", &arguments.title),
        ("summary", &arguments.summary),
        ("agent_id", &arguments.agent_id),
        ("agent_type", &arguments.agent_type),
        ("model", &arguments.model),
        ("username", &arguments.username),
        ("user_id", &arguments.user_id),
        ("repo_id", &arguments.repo_id),
        ("stop_reason", &arguments.stop_reason),
        ("stop_detail", &arguments.stop_detail),
    ];
    let mut fields: Vec<(String, String)> =
        named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))).collect();
    for field in &arguments.fields {
        let (name, value) =
            field.split_once('=').ok_or_else(|| Fault::misuse(format!("--field {field}: NAME=VALUE is expected")))?;
        fields.push((name.to_owned(), value.to_owned()));
    }
    Ok(fields)
}

/// `ses_` and a UUID of version 7 (RFC 9562): 48 bits of milliseconds, then random ones.
fn new_session_id() -> String {
    let mut bytes = [0; 16];
    // Without randomness the id would still be of this millisecond and this process.
    if rustix::rand::getrandom(&mut bytes[6..], rustix::rand::GetRandomFlags::empty()).is_err() {
        bytes[8..12].copy_from_slice(&std::process::id().to_be_bytes());
    }
    let millis = moment::now().min(Duration::from_secs(u64::from(u32::MAX) << 8)).as_millis();
    let stamp = u64::try_from(millis).unwrap_or(u64::MAX).to_be_bytes();
    bytes[..6].copy_from_slice(&stamp[2..]);
    bytes[6] = bytes[6] & 0x0f | 0x70;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut id = String::from("ses_");
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            id.push('-');
        }
        id += &format!("{byte:02x}");
    }
    id
}

fn refused(refusal: &Refusal) -> Fault {
    let code = match refusal.reason {
        Reason::Offline | Reason::Git => Code::Host,
        Reason::Denied => Code::Auth,
        Reason::Diverged => Code::Conflict,
        _ => Code::Rejected,
    };
    Fault::failed(code, &refusal.sentence)
}

#[cfg(test)]
mod tests {
    use super::new_session_id;

    #[test]
    fn ids_are_of_version_seven_and_differ() {
        let (one, two) = (new_session_id(), new_session_id());
        assert_eq!(one.len(), 40);
        assert_eq!((&one[..4], &one[18..19]), ("ses_", "7"), "{one}");
        assert!("89ab".contains(&one[23..24]), "{one}");
        assert_ne!(one, two);
    }
}
