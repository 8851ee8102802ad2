//! What git is told not to commit: beside the sessions for everybody, and in this clone alone.

use crate::documents::manifest_write::change_file;
use crate::engine::Guest;
use crate::files::Files;

use crate::contract::error::Fault;
use crate::repository::Repository;

/// Where it stands for everybody.
pub(crate) const GITIGNORE: &str = "sessions/.gitignore";
/// git's own list of this clone.
const EXCLUDE: &str = "info/exclude";
/// What stays beside a manifest that was changed under its lock.
const LOCKS: &str = "/sessions/*/.meta.json.lock";

/// Adds the lines that are missing to the one for everybody.
pub(crate) fn complete(guest: &mut Guest, tree: &Files) -> Result<bool, Fault> {
    change_file(tree, GITIGNORE, |existing| guest.sessions_gitignore(existing).map_err(Fault::from))
}

/// Has this clone ignore the locks of manifests. The list for everybody is a file that others could be about to commit.
pub(crate) fn exclude_locks(repository: &Repository) -> Result<(), Fault> {
    let own = Files::beneath(&repository.common_dir)?;
    change_file(&own, EXCLUDE, |existing| {
        let existing = existing.unwrap_or_default();
        if existing.split(|byte| *byte == b'\n').any(|line| line.trim_ascii_end() == LOCKS.as_bytes()) {
            return Ok::<_, Fault>(None);
        }
        let end: &[u8] = if existing.is_empty() || existing.ends_with(b"\n") { b"" } else { b"\n" };
        Ok(Some([existing, end, LOCKS.as_bytes(), b"\n"].concat()))
    })
    .map(drop)
}
