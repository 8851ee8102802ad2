//! Brings content here, every byte verified: of sessions and of assets side by side, or of a list of objects.
//!
//! The rule it keeps: only an asset's content ever takes the place of its pointer.

mod asked;
mod sessions;
pub(crate) mod tree;

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::error::Fault;
use crate::contract::operations::Want;
use crate::contract::types::{Blob, Direction};
use crate::files::Files;
use crate::repository::Repository;
use crate::repository::place::unkept;
use crate::sessions::ledger::Ledger;
use crate::store::Store;
use crate::tasks::client::Client;
use crate::tasks::endpoint::{self, ServerOptions};
use crate::tasks::transfer::{self, Runner, TransferReport, Work};
use crate::text::quote;
use crate::worktree::patterns::Selection;
use crate::worktree::pointer_files::BrokenFile;

/// What is hydrated, and how.
#[derive(Clone, Debug, Default)]
pub struct HydrateOptions {
    /// Sessions by name or folder, and files and folders of the working tree, relative to the folder that the
    /// repository was opened in. All, when none is named.
    pub targets: Vec<String>,
    /// Put content in the place of pointers, where the file still holds the same pointer. Sessions keep theirs.
    pub in_place: bool,
    /// Only paths that match one of these patterns, a comma list as in `.gitignore`; none: of assets, what git's
    /// configuration says, and all of sessions.
    pub include: Option<String>,
    /// No path that matches one of these patterns.
    pub exclude: Option<String>,
    /// The server.
    pub server: ServerOptions,
    /// Bytes of an object at most; none: what git's configuration says.
    pub object_bytes_max: Option<u64>,
}

impl HydrateOptions {
    /// The paths that the caller chooses, whatever git's configuration says.
    fn selection(&self) -> Result<Selection, Fault> {
        let words = |list: &Option<String>| list.clone().unwrap_or_default();
        Selection::parse(&words(&self.include), &words(&self.exclude)).map_err(Fault::misuse)
    }
}

/// What came of a hydration.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct HydrateReport {
    /// The objects, each once.
    #[serde(flatten)]
    pub transfer: TransferReport,
    /// Sessions that were meant. Their pointers stay where they are.
    pub session_count: usize,
    /// Pointers in folders beneath `sessions/` that no manifest was asked for. Their content goes into the cache; they
    /// stay.
    pub unnamed_pointers: usize,
    /// Assets that the patterns leave out.
    pub left_out: usize,
    /// Files that begin like pointers and are none. What manifests speak for is not among them.
    pub broken_list: Vec<BrokenPointer>,
    /// Files and folders that could not be looked at. Sessions are not among them.
    pub unreadable_list: Vec<String>,
    /// What was put in the place of pointers, when that was asked for.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub placed: Option<Placed>,
}

/// A file that begins like a pointer and is none.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BrokenPointer {
    /// Its path in the working tree, as git prints it.
    pub path: String,
    /// The line that is wrong, counted from 1.
    pub line: u32,
    /// What is wrong with it.
    pub detail: String,
}

impl From<BrokenFile> for BrokenPointer {
    fn from(one: BrokenFile) -> Self {
        Self { path: quote(&one.path), line: one.line, detail: one.why }
    }
}

/// What became of pointer files whose content is here.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Placed {
    /// Files that hold their content now.
    pub in_place: usize,
    /// Files that were left as they are.
    pub left: Vec<LeftPointer>,
    /// git still remembers the pointers' sizes, and may call these files modified until its index can be written.
    pub index_lags: bool,
    /// The caller asked to stop; the other files keep their pointers.
    #[serde(skip)]
    pub was_interrupted: bool,
}

impl Placed {
    fn add(&mut self, more: Self) {
        self.in_place += more.in_place;
        self.left.extend(more.left);
        self.index_lags |= more.index_lags;
        self.was_interrupted |= more.was_interrupted;
    }
}

/// A pointer file that was left as it is.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LeftPointer {
    /// Its path in the working tree, as git prints it.
    pub path: String,
    /// Why.
    pub detail: String,
}

impl HydrateReport {
    /// Whether everything that was asked for is here.
    pub fn is_complete(&self) -> bool {
        let left = self.placed.as_ref().is_some_and(|placed| !placed.left.is_empty() || placed.was_interrupted);
        let is_seen = self.unreadable_list.is_empty() && self.broken_list.is_empty();
        self.transfer.is_complete() && is_seen && !left
    }

    /// Whether the wish to stop left something undone.
    pub fn was_interrupted(&self) -> bool {
        self.transfer.was_interrupted() || self.placed.as_ref().is_some_and(|placed| placed.was_interrupted)
    }
}

impl Client {
    /// Hydrates in a repository: sessions, and the assets beside them.
    pub fn hydrate(&self, repository: &Repository, options: &HydrateOptions) -> Result<HydrateReport, Fault> {
        let ledger = Ledger::of(repository)?;
        let asked = asked::Asked::of(repository, &ledger, options)?;
        let tree::Found { pointers, of_sessions, broken, unreadable, left_out } =
            tree::find(self, repository, &asked.places, options)?;
        // One session as a whole is the engine's own operation; anything else is a list of wants.
        let whole = match (&asked.sessions[..], &pointers[..], &of_sessions[..]) {
            ([asked::Chosen { name, file: None }], [], []) => Some(name.as_str()),
            _ => None,
        };
        let wanted = sessions::look(self, repository, &ledger, &asked.sessions, options, whole.is_some())?;
        let sessions::Wanted { mut wants, mut failed, left_out: is_part } = wanted;
        wants.extend(tree::wants(pointers.iter().chain(&of_sessions)));
        let mut transfer = match whole {
            // Where something is left out, the list says exactly what is wanted.
            Some(name) if !is_part => {
                // The engine reports unusable entries of a session by itself.
                failed.clear();
                let mut transfer = fetch(self, repository, options, Wanting::Session(name, &wants), &[])?;
                transfer.outcomes.iter_mut().for_each(|outcome| outcome.name.insert_str(0, &format!("{name}/")));
                transfer
            }
            _ => fetch(self, repository, options, Wanting::Objects(wants), &[])?,
        };
        transfer.add(failed);
        let placed = if options.in_place && !transfer.interrupted {
            let placed = tree::put_in_place(self, repository, options, &pointers, &mut transfer)?;
            transfer.interrupted |= placed.was_interrupted;
            Some(placed)
        } else {
            None
        };
        let broken_list = broken.into_iter().map(BrokenPointer::from).collect();
        Ok(HydrateReport {
            transfer,
            session_count: asked.session_count(),
            unnamed_pointers: of_sessions.len(),
            left_out,
            broken_list,
            unreadable_list: unreadable,
            placed,
        })
    }

    /// Brings objects into a plain folder, each under its oid. Needs `options.endpoint`, and no repository.
    pub fn hydrate_objects(
        &self,
        objects: Vec<Blob>,
        folder: &Path,
        server: &ServerOptions,
        object_bytes_max: Option<u64>,
    ) -> Result<TransferReport, Fault> {
        let want = |blob: Blob| Want { name: blob.oid.clone(), oid: blob.oid, size: blob.size };
        let wants: Vec<Want> = objects.into_iter().map(want).collect();
        let limit = transfer::object_bytes_max(object_bytes_max, None)?;
        let destination = endpoint::explicit(self, server, None)?;
        let store = Store::into_dir(folder)?;
        Runner::new(self, destination, server, limit, |host| host.store(store))?.transfer(Work::Hydrate(wants))
    }
}

/// What is fetched.
enum Wanting<'a> {
    /// These objects.
    Objects(Vec<Want>),
    /// All of a session, which is these objects.
    Session(&'a str, &'a [Want]),
}

/// Brings what is wanted into the cache. Entries of the cache that are called like `distrusted` count as absent.
fn fetch(
    client: &Client,
    repository: &Repository,
    options: &HydrateOptions,
    wanting: Wanting<'_>,
    distrusted: &[String],
) -> Result<TransferReport, Fault> {
    let store = repository.store()?;
    let wants = match &wanting {
        Wanting::Objects(wants) => wants.as_slice(),
        Wanting::Session(_, wants) => wants,
    };
    let is_wanted = |want: &Want| !distrusted.is_empty() || !tree::is_here(&store, repository, &want.oid, want.size);
    let needed = wants.iter().any(is_wanted);
    if needed && !repository.can_keep() {
        return Err(unkept("the cache cannot be written"));
    }
    let bytes = wants.iter().fold(0u64, |sum, want| sum.saturating_add(want.size));
    let work = match wanting {
        Wanting::Session(name, wants) => Work::HydrateSession { name: name.to_owned(), objects: wants.len(), bytes },
        Wanting::Objects(wants) => Work::Hydrate(wants),
    };
    let server = &options.server;
    let destination = endpoint::of_repository(client, repository, Direction::Download, server, needed)?;
    let limit = transfer::object_bytes_max(options.object_bytes_max, Some(repository))?;
    let (store, documents) = (store.distrusting(distrusted.iter().cloned()), Files::beneath(&repository.top)?);
    let mut runner = Runner::new(client, destination, server, limit, |host| host.store(store).documents(documents))?;
    runner.transfer(work)
}
