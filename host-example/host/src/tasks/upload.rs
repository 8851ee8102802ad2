//! Brings files to the server. Each is hashed first, and what is sent is what was hashed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::contract::error::Fault;
use crate::contract::operations::Source;
use crate::contract::types::{Blob, Direction};
use crate::files::Files;
use crate::gate::{Allowance, Gate};
use crate::repository::{ORIGINAL_CACHE, Repository};
use crate::sessions::ledger::SESSIONS;
use crate::tasks::client::Client;
use crate::tasks::endpoint::{self, ServerOptions};
use crate::tasks::transfer::{self, Runner, TransferReport, Work};
use crate::text::quote_path;

/// What is sent, and where to.
#[derive(Clone, Debug)]
pub struct UploadOptions {
    /// The files.
    pub files: UploadFiles,
    /// What is let out although it looks like a secret.
    pub allow: Vec<Allowance>,
    /// The server.
    pub server: ServerOptions,
    /// Bytes of an object at most; none: what git's configuration says.
    pub object_bytes_max: Option<u64>,
}

/// Files to send.
#[derive(Clone, Debug)]
pub enum UploadFiles {
    /// Any files.
    Named(Vec<PathBuf>),
    /// Files of one folder that are named by their oid. One that holds something else is not sent.
    Objects {
        /// What is sent.
        objects: Vec<Blob>,
        /// Where the files are.
        folder: PathBuf,
    },
}

impl Client {
    /// Brings files to the server of a repository; to `options.server.endpoint` where there is none.
    pub fn upload(&self, repository: Option<&Repository>, options: &UploadOptions) -> Result<TransferReport, Fault> {
        let (files, sources, bytes) = match &options.files {
            UploadFiles::Objects { objects, folder } => (Files::beneath(folder)?, listed(objects), total(objects)),
            UploadFiles::Named(paths) => named(paths),
        };
        let server = &options.server;
        let destination = match repository {
            Some(repository) => endpoint::of_repository(self, repository, Direction::Upload, server, true)?,
            None => endpoint::explicit(self, server, None)?,
        };
        let limit = transfer::object_bytes_max(options.object_bytes_max, repository)?;
        let gate = ledger_of(&options.files).map(|ledger| Gate::of(&ledger, &options.allow)).transpose()?.map(Rc::new);
        let mut runner = Runner::new(self, destination, server, limit, |host| host.files(files).gate(gate))?;
        runner.transfer(Work::Upload { sources, bytes })
    }
}

/// The ledger that some of these files are sessions of: its content goes out only without secrets.
fn ledger_of(files: &UploadFiles) -> Option<Repository> {
    let around = |path: &Path| {
        let real = path.canonicalize().ok()?;
        let is_sessions = |folder: &&Path| folder.ends_with(SESSIONS) || folder.ends_with(ORIGINAL_CACHE);
        real.ancestors().filter(is_sessions).find_map(|folder| Repository::around(folder.parent()?).ok())
    };
    match files {
        UploadFiles::Named(paths) => paths.iter().find_map(|path| around(path)),
        UploadFiles::Objects { folder, .. } => around(folder),
    }
}

fn listed(objects: &[Blob]) -> Vec<Source> {
    objects.iter().map(|blob| Source { name: blob.oid.clone(), expects: Some(blob.oid.clone()) }).collect()
}

fn total(objects: &[Blob]) -> u64 {
    objects.iter().fold(0, |sum, blob| sum.saturating_add(blob.size))
}

fn named(paths: &[PathBuf]) -> (Files, Vec<Source>, u64) {
    let mut listed = HashMap::new();
    let mut sources = Vec::new();
    let mut bytes = 0u64;
    for path in paths {
        let name = quote_path(path);
        bytes = bytes.saturating_add(path.metadata().map_or(0, |facts| facts.len()));
        if listed.insert(name.clone(), path.clone()).is_none() {
            sources.push(Source { name, expects: None });
        }
    }
    (Files::listed(listed.into_iter().collect()), sources, bytes)
}
