//! The `.gitignore` above the sessions: it tells git what programs leave beside them and nobody commits.

use hydrant_host::engine::Guest;
use hydrant_host::files::Files;
use hydrant_host::manifest_write::change_file;

use crate::ending::Fault;

/// Where it stands.
pub(crate) const GITIGNORE: &str = "sessions/.gitignore";

/// Adds the lines that are missing; says whether there were any.
pub(crate) fn complete(guest: &mut Guest, tree: &Files) -> Result<bool, Fault> {
    change_file(tree, GITIGNORE, |existing| guest.sessions_gitignore(existing).map_err(Fault::from))
}
