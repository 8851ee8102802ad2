//! `hydrant regenerate`: changed content for a session that the ledger has, through the one publish path.
//!
//! The rules it keeps: nothing is regenerated that was never published; a pointer is no content, so a folder that holds
//! one is refused as a whole; what comes of it is the publish's to decide, down to the last byte.

use std::collections::BTreeSet;
use std::env;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use hydrant_host::engine::{Engine, Guest};
use hydrant_host::remote::{Options, RemoteLedger};
use hydrant_host::worktree::scan::POINTER_BYTES_LIMIT;
use hydrant_host::contract::manifests::{FileStorage, Manifest};
use hydrant_host::contract::pointers::Sample;
use hydrant_host::contract::types::Code;

use crate::cli::{PublishArgs, RegenerateArgs};
use hydrant_host::repository::committed;
use crate::ending::Ending;
use hydrant_host::contract::error::Fault;
use hydrant_host::sessions::ledger::{MANIFEST, SESSIONS, path_in};
use hydrant_host::sessions::orphaned;
use crate::publish_report::{self, Came};
use crate::recording;
use crate::report::Output;
use hydrant_host::text::quote;
use hydrant_host::repository::Repository;

use super::scene::{self, Scene};
use super::{dry_run, nothing, quick};

/// Names shown in a refusal at most.
const NAMES_SHOWN_MAX: usize = 5;

pub(crate) fn run(arguments: &RegenerateArgs, output: &mut Output) -> Result<Ending, Fault> {
    let repository = Repository::around(&env::current_dir()?)?;
    let engine = Engine::load()?;
    let arguments = &arguments.as_publish();
    let session = check(arguments, &repository, &engine)?;
    if let Some(notes) = quick::unchanged(&repository, arguments, &session)? {
        return Ok(nothing(&session, Some(&notes.session_id), scene::NOTHING_CHANGED, arguments, output));
    }
    let scene = Scene::look(&repository, &engine, arguments)?;
    if let Some(why) = scene.idle()? {
        return Ok(nothing(&session, scene.session_id(), why, arguments, output));
    }
    if arguments.dry_run {
        return dry_run::run(&scene, output);
    }
    let came = scene.publish(output)?;
    let came = without_named(came, &session, &repository, &engine, output);
    Ok(publish_report::say(&session, &came, output))
}

/// Whether this can be a regenerate at all; the name of the session.
fn check(arguments: &PublishArgs, repository: &Repository, engine: &Engine) -> Result<String, Fault> {
    let mut guest = engine.guest()?;
    let session = scene::session_name(repository, arguments, &mut guest)?;
    let manifests = published(arguments, repository, &session, &mut guest)?;
    let folder = arguments.from.as_deref().unwrap_or(Path::new("."));
    let folder = folder.canonicalize().ok().filter(|real| real.is_dir());
    let folder = folder.ok_or_else(|| Fault::misuse("--from: there is no such folder"))?;
    let files = recording::named(&folder)?;
    let content = manifests.iter().flat_map(|manifest| &manifest.files).filter(|file| file.storage == FileStorage::Lfs);
    let content: BTreeSet<&str> = content.map(|file| file.name.as_str()).collect();
    if !files.iter().any(|(name, _)| content.contains(name.as_str())) {
        let names: Vec<String> = content.iter().take(NAMES_SHOWN_MAX).map(|name| quote(name.as_bytes())).collect();
        let has = match names.is_empty() {
            true => "it has none".to_owned(),
            false if content.len() > names.len() => format!("it has {} and more", names.join(", ")),
            false => format!("it has {}", names.join(", ")),
        };
        let shown = quote(session.as_bytes());
        return Err(Fault::misuse(format!(
            "--from: the folder holds no content file of {shown}, so there is nothing to regenerate: {has}; `hydrant \
             publish` adds new ones"
        )));
    }
    // In the session's own folder pointers are at home: a publish tells them from content.
    if repository.top.join(SESSIONS).join(&session).canonicalize().ok().as_ref() != Some(&folder) {
        without_pointers(&files, &mut guest)?;
    }
    Ok(session)
}

/// The manifests that the ledger has of the session: of the last commit here, and of the remote as far as it is known.
fn published(
    arguments: &PublishArgs,
    repository: &Repository,
    session: &str,
    guest: &mut Guest,
) -> Result<Vec<Manifest>, Fault> {
    let mut found = committed_manifests(repository, session, guest)?;
    if found.is_empty() {
        // The remote may have it since this clone looked last.
        let options = Options { with_unpushed: arguments.with_unpushed };
        RemoteLedger::preflight(&repository.git, session, options).map_err(|refusal| scene::refused(&refusal))?;
        found = committed_manifests(repository, session, guest)?;
    }
    if found.is_empty() {
        let shown = quote(session.as_bytes());
        return Err(Fault::misuse(format!(
            "the ledger has no manifest of {shown}, so there is nothing to regenerate; `hydrant publish {shown} --from \
             DIR` publishes it"
        )));
    }
    Ok(found)
}

fn committed_manifests(repository: &Repository, session: &str, guest: &mut Guest) -> Result<Vec<Manifest>, Fault> {
    let path = path_in(session, MANIFEST);
    let mut found = Vec::new();
    for revision in ["HEAD", "@{upstream}"] {
        let Some(commit) = committed::commit(repository, revision)? else { continue };
        for text in committed::files(repository, &commit, &[&path])?.into_iter().flatten() {
            let manifest = guest.manifest_read(&text).map_err(|error| {
                let shown = quote(path.as_bytes());
                Fault::failed(error.code(), format!("{shown}, as committed: {error}"))
            })?;
            found.push(manifest);
        }
    }
    Ok(found)
}

/// Refuses a folder in which a pointer stands, or something that looks like one.
fn without_pointers(files: &[(String, PathBuf)], guest: &mut Guest) -> Result<(), Fault> {
    for (name, path) in files {
        let shown = quote(name.as_bytes());
        let unreadable = |error: &std::io::Error| Fault::local(&shown, error);
        let mut head = Vec::new();
        let file = File::open(path).map_err(|error| unreadable(&error))?;
        let file_size = file.metadata().map_err(|error| unreadable(&error))?.len();
        if file_size == 0 || file_size >= POINTER_BYTES_LIMIT as u64 {
            continue;
        }
        file.take(POINTER_BYTES_LIMIT as u64).read_to_end(&mut head).map_err(|error| unreadable(&error))?;
        if guest.pointer_shaped(&Sample { file_size: head.len() as u64, head })? {
            let detail =
                format!("{shown} is a pointer or looks like one, and a pointer is no content; nothing was sent");
            return Err(Fault { ending: Ending::SomeFailed, ..Fault::failed(Code::Malformed, detail) });
        }
    }
    Ok(())
}

/// The report without orphans that other sessions name. The register keeps them: it is compared with what is named
/// whenever it is read.
fn without_named(came: Came, session: &str, repository: &Repository, engine: &Engine, output: &mut Output) -> Came {
    if came.report.orphans.is_empty() {
        return came;
    }
    match orphaned::unnamed(repository, engine, came.report.orphans.clone(), Some(session)) {
        Ok(orphans) => {
            let mut came = came;
            came.report.orphans = orphans;
            came
        }
        Err(fault) => {
            output.warn(format!("whether other sessions name an orphan could not be found out: {}", fault.detail));
            came
        }
    }
}
