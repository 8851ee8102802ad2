//! What a publish is asked for.

use std::path::PathBuf;

use crate::contract::error::Fault;
use crate::gate::SecretOptions;
use crate::repository::Repository;
use crate::tasks::endpoint::ServerOptions;
use crate::worktree::patterns::Selection;

/// What is published, and how.
#[derive(Clone, Debug, Default)]
pub struct PublishOptions {
    /// Name of the session, or its folder.
    pub session: String,
    /// Folder whose files are published, relative to the folder that the repository was opened in; hidden files, lock
    /// files and the manifest are left out, which the report tells. None: the content that stands in the session's
    /// folder.
    pub from: Option<PathBuf>,
    /// Patterns of what may be left out, as in `.gitignore`, counted from that folder.
    pub exclude: Vec<String>,
    /// Files of the session's folder that are published besides those that are known to be content.
    pub files: Vec<String>,
    /// Small files that git carries as they are, besides the session's summary.
    pub in_git: Vec<String>,
    /// Text fields of the manifest and what they are to say, in this order.
    pub fields: Vec<(String, String)>,
    /// Only finish what an interrupted publish began. No files and no fields can be given then.
    pub resume: bool,
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

impl PublishOptions {
    /// The same for a repository: its folder is found from everywhere.
    pub(super) fn within(&self, repository: &Repository) -> Self {
        Self { from: self.from.as_ref().map(|folder| repository.here.join(folder)), ..self.clone() }
    }

    /// Whether files are named one by one, or left out.
    pub(super) fn names_files(&self) -> bool {
        !(self.files.is_empty() && self.in_git.is_empty() && self.exclude.is_empty())
    }

    /// All but what may be left out.
    pub(super) fn excluded(&self) -> Result<Selection, Fault> {
        Selection::all_but(&self.exclude).map_err(|why| Fault::misuse(format!("--exclude: {why}")))
    }
}
