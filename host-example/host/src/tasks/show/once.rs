//! A blob that is fetched to be read once: where nothing can be written, nothing can be hydrated first.

use std::fs::File;

use super::{Content, ShowOptions, Shown, UnreadableFile, sentence};
use crate::contract::error::Fault;
use crate::contract::manifests::State;
use crate::contract::operations::Want;
use crate::contract::report::{ErrorCode, ErrorReport};
use crate::contract::types::{Blob, Code, Direction};
use crate::repository::Repository;
use crate::store::Look;
use crate::tasks::client::Client;
use crate::tasks::endpoint;
use crate::tasks::hydrate::tree::is_here;
use crate::tasks::passing::Passing;
use crate::tasks::status::state_name;
use crate::tasks::transfer::{self, Runner, Work};

/// Whether content in this state may come from elsewhere, and cannot be kept here.
pub(super) fn is_needed(repository: &Repository, state: State) -> bool {
    matches!(state, State::Dehydrated | State::NotFetched | State::Corrupt) && !repository.can_keep()
}

/// Shows a blob that is not here; `state` is what it is called if it cannot be had.
pub(super) fn show(
    client: &Client,
    repository: &Repository,
    session: Option<String>,
    name: String,
    blob: Blob,
    state: State,
    options: &ShowOptions,
) -> Result<Shown, Fault> {
    Ok(match fetch(client, repository, &name, &blob, options)? {
        Ok(file) => Shown::Content(Content { file, session, name, oid: Some(blob.oid), fetched: true }),
        Err(error) => Shown::Unreadable(UnreadableFile { session, file: name, state: state_name(state), error }),
    })
}

/// Verified like any other content; the folder that it comes into is gone with the command.
fn fetch(
    client: &Client,
    repository: &Repository,
    name: &str,
    blob: &Blob,
    options: &ShowOptions,
) -> Result<Result<File, ErrorReport>, Fault> {
    let passing = Passing::new()?;
    let store = repository.with_sources(passing.store()?);
    let needed = !is_here(&store, repository, &blob.oid, blob.size);
    let server = &options.server;
    let destination = endpoint::of_repository(client, repository, Direction::Download, server, needed)?;
    let limit = transfer::object_bytes_max(options.object_bytes_max, Some(repository))?;
    let mut runner = Runner::new(client, destination, server, limit, |host| host.store(store))?;
    let want = Want { name: name.to_owned(), oid: blob.oid.clone(), size: blob.size };
    let report = runner.transfer(Work::Hydrate(vec![want]))?;
    if report.was_interrupted() {
        return Err(Fault::interrupted("interrupted before the content was here"));
    }
    if let Some(error) = report.outcomes.into_iter().find_map(|outcome| outcome.error) {
        return Ok(Err(error));
    }
    Ok(match passing.store()?.open_verified(&blob.oid, blob.size)? {
        // It is open: the folder may go.
        Look::Content(file) => Ok(file),
        Look::Corrupt | Look::Absent => {
            let code = ErrorCode(Code::Integrity);
            Err(ErrorReport { code, detail: sentence(State::Corrupt).to_owned(), retry_at_ms: None })
        }
    })
}
