//! Hydrates sessions of a ledger into the cache. No tracked path is written.

use std::path::Path;

use crate::contract::manifests::{FileStorage, State};
use crate::contract::operations::{Outcome, Want};
use crate::contract::types::{Code, Direction, Error};
use crate::tasks::client::Client;

use crate::contract::error::Fault;
use crate::repository::Repository;
use crate::sessions::downloaded;
use crate::sessions::ledger::{Ledger, MANIFEST, SESSIONS, Target};
use crate::tasks::endpoint;
use crate::tasks::transfer::{self, Runner, TransferReport, Work};
use crate::text::quote;

use super::HydrateOptions;
use super::tree::{is_here, is_in_clone, selection};

/// A session that was asked for; all of its files, or one.
pub(crate) struct Chosen {
    pub(crate) name: String,
    pub(crate) file: Option<String>,
}

/// The sessions that the words on the command line name; all of them when there is none. None when a word names
/// something else: then pointers of the work tree are meant.
pub(crate) fn choose(ledger: &Ledger, words: &[String], current_dir: &Path) -> Result<Option<Vec<Chosen>>, Fault> {
    if words.is_empty() {
        let all = ledger.sessions()?.into_iter().map(|name| Chosen { name, file: None });
        return Ok(Some(all.collect()));
    }
    let mut chosen = Vec::new();
    let mut others = 0;
    for word in words {
        match ledger.target(word, current_dir) {
            Target::Session { name, file } => chosen.push(Chosen { name, file }),
            Target::Other => others += 1,
        }
    }
    match (chosen.is_empty(), others) {
        (_, 0) => Ok(Some(chosen)),
        (true, _) => Ok(None),
        (false, _) => Err(Fault::misuse("name sessions or paths, not both at once")),
    }
}

/// Hydrates what was chosen.
pub(crate) fn hydrate(
    client: &Client,
    repository: &Repository,
    ledger: &Ledger,
    chosen: Vec<Chosen>,
    options: &HydrateOptions,
) -> Result<TransferReport, Fault> {
    let mut guest = client.guest()?;
    let selection = selection(repository, options)?;
    let store = repository.store()?;
    let limit = transfer::object_bytes_max(options.object_bytes_max, Some(repository))?;
    // One session as a whole is the engine's own operation; anything else is a list of wants.
    let whole = match &chosen[..] {
        [Chosen { name, file: None }] => Some(name.clone()),
        _ => None,
    };
    let (mut wants, mut failed) = (Vec::new(), Vec::new());
    let mut left_out = 0;
    for one in chosen {
        let session = match ledger.session(&mut guest, &store, &one.name, limit.unwrap_or(u64::MAX)) {
            Ok(session) => session,
            Err(fault) if whole.is_some() => return Err(fault),
            Err(Fault { code, detail, retry_at, .. }) => {
                failed.push(unusable(&one.name, MANIFEST, 0, Error { code, detail, retry_at }));
                continue;
            }
        };
        let wanted_before = wants.len();
        let session_id = session.manifest.effective_session_id;
        let files = session.manifest.files.into_iter().zip(session.status.files);
        let files: Vec<_> = files.filter(|(file, _)| one.file.as_ref().is_none_or(|name| *name == file.name)).collect();
        if let (Some(file), true) = (&one.file, files.is_empty()) {
            let (session, file) = (quote(one.name.as_bytes()), quote(file.as_bytes()));
            return Err(Fault::misuse(format!("the manifest of {session} lists no file {file}")));
        }
        for (file, status) in files {
            let name = format!("{}/{}", one.name, file.name);
            match (file.storage, file.oid, file.flaw) {
                (_, _, Some(flaw)) => failed.push(unusable(&one.name, &file.name, file.size, flaw)),
                // Committed as it is, from before pointers: a reader has it, and the server may never have had it.
                (FileStorage::Lfs, Some(_), None) if status.state == State::InPlace => left_out += 1,
                (FileStorage::Lfs, Some(oid), None) if selection.wants(format!("{SESSIONS}/{name}").as_bytes()) => {
                    wants.push(Want { name, oid, size: file.size });
                }
                (FileStorage::Lfs, Some(_), None) => left_out += 1,
                // Kept in git, or somewhere this version does not know.
                _ => {}
            }
        }
        // What another clone fetched into a cache that both share was not recorded here either.
        let is_fetched = |want: &Want| !is_in_clone(&store, repository, &want.oid, want.size);
        // Where nothing can be written nothing is ever published.
        if wants[wanted_before..].iter().any(is_fetched) && repository.is_writable() {
            // Before the first byte: from then on a copy is recognised as one.
            downloaded::mark(&repository.store_dir(), &one.name, &session_id)
                .map_err(|error| Fault::local("the session cannot be marked as downloaded", &error))?;
        }
    }
    let needed = wants.iter().any(|want| !is_here(&store, repository, &want.oid, want.size));
    let destination = endpoint::of_repository(client, repository, Direction::Download, &options.server, needed)?;
    let documents = ledger.files().clone();
    let mut runner =
        Runner::new(client, destination, &options.server, limit, |host| host.store(store).documents(documents))?;
    // Where something is left out, the list says exactly what is wanted.
    let (work, prefix) = match whole {
        Some(name) if left_out == 0 => {
            // The engine reports unusable entries of a session by itself.
            failed.clear();
            let bytes = wants.iter().fold(0u64, |sum, want| sum.saturating_add(want.size));
            let prefix = format!("{name}/");
            (Work::HydrateSession { name, objects: wants.len(), bytes }, prefix)
        }
        _ => (Work::Hydrate(wants), String::new()),
    };
    let mut report = runner.transfer(work)?;
    report.outcomes.iter_mut().for_each(|outcome| outcome.name.insert_str(0, &prefix));
    report.add(failed);
    Ok(report)
}

fn unusable(session: &str, file: &str, size: u64, error: Error) -> Outcome {
    let error = if error.detail.is_empty() { Error { code: Code::Malformed, ..error } } else { error };
    Outcome { name: format!("{session}/{file}"), oid: String::new(), size, ended: Err(error) }
}
