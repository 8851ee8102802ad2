//! Changed content for a session that the ledger has, through the one publish path.
//!
//! The rules it keeps: nothing is regenerated that was never published; a pointer is no content, so a folder that holds
//! one is refused as a whole; what comes of it is the publish's to decide, down to the last byte.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::contract::error::{Fault, FaultKind};
use crate::contract::manifests::{FileStorage, Manifest};
use crate::contract::pointers::Sample;
use crate::contract::types::Code;
use crate::engine::Guest;
use crate::gate::SecretOptions;
use crate::remote::{Options, RemoteLedger};
use crate::repository::{Repository, committed};
use crate::sessions::ledger::{MANIFEST, SESSIONS, path_in};
use crate::tasks::client::Client;
use crate::tasks::endpoint::ServerOptions;
use crate::text::quote;
use crate::worktree::scan::POINTER_BYTES_LIMIT;

use super::left_out::in_few_words;
use super::operation::refused;
use super::recording::{Found, Listed, found, named};
use super::scene::Aim;
use super::{Begun, PlanReport, PublishOptions, PublishReport, plan, scene};

/// Names shown in a refusal at most.
const NAMES_SHOWN_MAX: usize = 5;

/// What takes the place of a published session's content, and how.
#[derive(Clone, Debug, Default)]
pub struct RegenerateOptions {
    /// Name of the session, or its folder.
    pub session: String,
    /// Folder with the new content, relative to the folder that the repository was opened in; hidden files, lock files
    /// and the manifest are left out, which the report tells.
    pub from: PathBuf,
    /// Patterns of what may be left out, as in `.gitignore`, counted from that folder.
    pub exclude: Vec<String>,
    /// Small files that git carries as they are, besides the session's summary.
    pub in_git: Vec<String>,
    /// Text fields of the manifest and what they are to say, in this order.
    pub fields: Vec<(String, String)>,
    /// Ask server and remote even when nothing seems to have changed since the last publish.
    pub again: bool,
    /// Push commits of this branch that were not pushed yet along.
    pub with_unpushed: bool,
    /// What becomes of secrets.
    pub secrets: SecretOptions,
    /// The server.
    pub server: ServerOptions,
    /// Bytes of an object at most; none: what git's configuration says.
    pub object_bytes_max: Option<u64>,
}

impl RegenerateOptions {
    /// The publish that it comes down to.
    fn as_publish(&self, repository: &Repository) -> PublishOptions {
        let publish = PublishOptions {
            session: self.session.clone(),
            from: Some(self.from.clone()),
            exclude: self.exclude.clone(),
            in_git: self.in_git.clone(),
            fields: self.fields.clone(),
            again: self.again,
            with_unpushed: self.with_unpushed,
            secrets: self.secrets.clone(),
            server: self.server.clone(),
            object_bytes_max: self.object_bytes_max,
            ..PublishOptions::default()
        };
        publish.within(repository)
    }
}

impl Client {
    /// Puts new content in the place of what a published session has. Ended early, it says so in its report.
    pub fn regenerate(&self, repository: &Repository, options: &RegenerateOptions) -> Result<PublishReport, Fault> {
        let options = options.as_publish(repository);
        let session = check(self, repository, &options)?;
        match Begun::of(self, repository, &options, &session, Aim::Publish)? {
            Begun::Idle(idle) => Ok(PublishReport::idle(&session, idle)),
            Begun::Open(scene) => scene.published(),
        }
    }

    /// Says what a regenerate would do and what stands in its way; only where the remote is may be noted anew.
    pub fn plan_regenerate(&self, repository: &Repository, options: &RegenerateOptions) -> Result<PlanReport, Fault> {
        let options = options.as_publish(repository);
        let session = check(self, repository, &options)?;
        match Begun::of(self, repository, &options, &session, Aim::Plan)? {
            Begun::Idle(idle) => Ok(PlanReport::idle(&session, idle)),
            Begun::Open(scene) => plan::plan(&scene),
        }
    }
}

/// Whether this can be a regenerate at all; the name of the session.
fn check(client: &Client, repository: &Repository, options: &PublishOptions) -> Result<String, Fault> {
    let mut guest = client.guest()?;
    let session = scene::session_name(repository, options, &mut guest)?;
    let manifests = published(options, repository, &session, &mut guest)?;
    let folder = named(options.from.as_deref().unwrap_or(Path::new(".")))?;
    let Found { files, left_out } = found(&folder, &options.excluded()?)?;
    let content = manifests.iter().flat_map(|manifest| &manifest.files).filter(|file| file.storage == FileStorage::Lfs);
    let content: BTreeSet<&str> = content.map(|file| file.name.as_str()).collect();
    if !files.iter().any(|file| content.contains(file.name.as_str())) {
        let names: Vec<String> = content.iter().take(NAMES_SHOWN_MAX).map(|name| quote(name.as_bytes())).collect();
        let has = match names.is_empty() {
            true => "it has none".to_owned(),
            false if content.len() > names.len() => format!("it has {} and more", names.join(", ")),
            false => format!("it has {}", names.join(", ")),
        };
        let shown = quote(session.as_bytes());
        return Err(Fault::misuse(format!(
            "--from: the folder holds no content file of {shown}, so there is nothing to regenerate: {has}; `hydrant \
             publish` adds new ones{}",
            in_few_words(&left_out)
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
    options: &PublishOptions,
    repository: &Repository,
    session: &str,
    guest: &mut Guest,
) -> Result<Vec<Manifest>, Fault> {
    let mut found = committed_manifests(repository, session, guest)?;
    if found.is_empty() {
        // The remote may have it since this clone looked last.
        let options = Options { with_unpushed: options.with_unpushed };
        RemoteLedger::preflight(&repository.git, session, options).map_err(|refusal| refused(&refusal))?;
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
        for text in committed::files(&repository.git, &commit, &[&path])?.into_iter().flatten() {
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
fn without_pointers(files: &[Listed], guest: &mut Guest) -> Result<(), Fault> {
    for Listed { name, path } in files {
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
            return Err(Fault { kind: FaultKind::Part, ..Fault::failed(Code::Malformed, detail) });
        }
    }
    Ok(())
}
