//! What is wanted of sessions. No tracked path of theirs is ever written.
//!
//! The rule it keeps: what git's configuration leaves out is meant for assets; of sessions, only the caller leaves out.

use crate::contract::error::Fault;
use crate::contract::manifests::{FileStorage, State};
use crate::contract::operations::{Outcome, Want};
use crate::contract::types::{Code, Error};
use crate::repository::Repository;
use crate::sessions::downloaded;
use crate::sessions::ledger::{Ledger, MANIFEST, path_in};
use crate::tasks::client::Client;
use crate::tasks::transfer;
use crate::text::quote;

use super::HydrateOptions;
use super::asked::Chosen;
use super::tree::is_in_clone;

/// What is wanted of some sessions.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) wants: Vec<Want>,
    /// What cannot be tried.
    pub(super) failed: Vec<Outcome>,
    /// Something is not wanted, or stands in place.
    pub(super) left_out: bool,
}

/// Looks at the sessions that were chosen. One that cannot be read ends all, if nothing else is asked for.
pub(super) fn look(
    client: &Client,
    repository: &Repository,
    ledger: &Ledger,
    chosen: &[Chosen],
    options: &HydrateOptions,
    is_alone: bool,
) -> Result<Wanted, Fault> {
    let mut guest = client.guest()?;
    let selection = options.selection()?;
    let store = repository.store()?;
    let limit = transfer::object_bytes_max(options.object_bytes_max, Some(repository))?.unwrap_or(u64::MAX);
    let mut wanted = Wanted::default();
    for one in chosen {
        let session = match ledger.session(&mut guest, &store, &one.name, limit) {
            Ok(session) => session,
            Err(fault) if is_alone => return Err(fault),
            Err(Fault { code, detail, retry_at, .. }) => {
                wanted.failed.push(unusable(&one.name, MANIFEST, 0, Error { code, detail, retry_at }));
                continue;
            }
        };
        let wanted_before = wanted.wants.len();
        let session_id = session.manifest.effective_session_id;
        let files = session.manifest.files.into_iter().zip(session.status.files);
        let files: Vec<_> = files.filter(|(file, _)| one.file.as_ref().is_none_or(|name| *name == file.name)).collect();
        if let (Some(file), true) = (&one.file, files.is_empty()) {
            let (session, file) = (quote(one.name.as_bytes()), quote(file.as_bytes()));
            return Err(Fault::misuse(format!("the manifest of {session} lists no file {file}")));
        }
        for (file, status) in files {
            match (file.storage, file.oid, file.flaw) {
                (_, _, Some(flaw)) => wanted.failed.push(unusable(&one.name, &file.name, file.size, flaw)),
                // Committed as it is, from before pointers: a reader has it, and the server may never have had it.
                (FileStorage::Lfs, Some(_), None) if status.state == State::InPlace => wanted.left_out = true,
                (FileStorage::Lfs, Some(oid), None) if selection.wants(path_in(&one.name, &file.name).as_bytes()) => {
                    wanted.wants.push(Want { name: format!("{}/{}", one.name, file.name), oid, size: file.size });
                }
                (FileStorage::Lfs, Some(_), None) => wanted.left_out = true,
                // Kept in git, or somewhere this version does not know.
                _ => {}
            }
        }
        // What another clone fetched into a cache that both share was not recorded here either.
        let is_fetched = |want: &Want| !is_in_clone(&store, repository, &want.oid, want.size);
        // Where nothing can be written nothing is ever published.
        if wanted.wants[wanted_before..].iter().any(is_fetched) && repository.is_writable() {
            // Before the first byte: from then on a copy is recognised as one.
            downloaded::mark(&repository.store_dir(), &one.name, &session_id)
                .map_err(|error| Fault::local("the session cannot be marked as downloaded", &error))?;
        }
    }
    Ok(wanted)
}

fn unusable(session: &str, file: &str, size: u64, error: Error) -> Outcome {
    let error = if error.detail.is_empty() { Error { code: Code::Malformed, ..error } } else { error };
    Outcome { name: format!("{session}/{file}"), oid: String::new(), size, ended: Err(error) }
}
