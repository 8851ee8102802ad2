//! The quick answer that nothing changed since a run that looked at everything and found it published.
//!
//! The rule it keeps: it only repeats that run's answer, and only while the session's last commit, its folder, the
//! files it was published from and the remote-tracking branch are what they were. It starts neither engine nor network.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::thread;

use crate::contract::error::Fault;
use crate::files::Files;
use crate::files::digest::blob_of;
use crate::git::{Git, GitFault, tree};
use crate::remote::RemoteLedger;
use crate::repository::{ORIGINAL_CACHE, Repository};
use crate::sessions::ledger::SESSIONS;
use crate::sessions::remembered::{self, Known, Notes};
use crate::worktree::patterns::Selection;

use super::options::PublishOptions;
use super::recording::{self, Found};

/// The notes on the session, when nothing changed since they were made.
pub(super) fn unchanged(
    repository: &Repository,
    options: &PublishOptions,
    session: &str,
) -> Result<Option<Notes>, Fault> {
    let asks_for_more = options.resume || options.again || !options.fields.is_empty() || options.names_files();
    if asks_for_more || session.contains('/') {
        return Ok(None);
    }
    let notes = remembered::load(&repository.store_dir(), session);
    let Some(listing) = &notes.listing else { return Ok(None) };
    let documents = repository.documents_to_read()?;
    if !documents.journal(session).is_ok_and(|journal| journal.is_none()) {
        return Ok(None);
    }
    let git = &repository.git;
    let same = thread::scope(|scope| {
        // git takes longest, and on its own.
        let tree = scope.spawn(|| RemoteLedger::unchanged(git, session));
        let sources_same = match &options.from {
            Some(folder) => same_sources(folder, &notes.files),
            None => repository.top.join(ORIGINAL_CACHE).join(session).symlink_metadata().is_err(),
        };
        let listed_same = sources_same
            && Listing::of(git, session).is_some_and(|listed| {
                listed.digest == *listing && has_only(&repository.top.join(SESSIONS).join(session), &listed.names)
            });
        // A thread that failed has found nothing out.
        Ok::<_, GitFault>(tree.join().unwrap_or(Ok(false))? && listed_same)
    });
    Ok(same?.then_some(notes))
}

/// A session's files in the last commit.
pub(super) struct Listing {
    /// Digest of names and contents.
    pub(super) digest: String,
    /// Their names within the session's folder.
    names: BTreeSet<Vec<u8>>,
}

impl Listing {
    pub(super) fn of(git: &Git, session: &str) -> Option<Self> {
        let folder = format!("{SESSIONS}/{session}/");
        let arguments = ["--literal-pathspecs", "ls-tree", "-r", "-z", "--full-tree", "HEAD", "--", &folder];
        let listed = git.read(&arguments, b"").ok()?;
        let name = |line: &[u8]| Some(tree::line(line)?.path.strip_prefix(folder.as_bytes())?.to_owned());
        let names = listed.split(|byte| *byte == 0).filter_map(name).collect();
        Some(Self { digest: blob_of(&listed).oid, names })
    }
}

/// Whether a folder holds nothing but these names. git does not speak of files that it ignores.
fn has_only(folder: &Path, names: &BTreeSet<Vec<u8>>) -> bool {
    let Ok(Found { files, left_out }) = recording::found(folder, &Selection::default()) else { return false };
    let is_known = |name: &str| names.contains(name.as_bytes());
    files.iter().all(|file| is_known(&file.name)) && left_out.iter().all(|one| is_known(&one.name))
}

/// Whether a folder of the user's holds exactly the files that were published from there, each as it was.
fn same_sources(folder: &Path, known: &[Known]) -> bool {
    let Ok(real) = folder.canonicalize() else { return false };
    // What is left out must be told, each time.
    let Ok(Found { files, left_out }) = recording::found(&real, &Selection::default()) else { return false };
    if !left_out.is_empty() {
        return false;
    }
    let known: HashMap<&str, &Known> = known.iter().map(|known| (known.name.as_str(), known)).collect();
    let as_known = |name: &str, path: &Path| {
        known.get(name).is_some_and(|known| known.place == recording::place_of(path) && is_at(path, known))
    };
    files.len() == known.len() && files.iter().all(|file| as_known(&file.name, &file.path))
}

/// Whether a file is still in the state it was published in.
fn is_at(path: &Path, known: &Known) -> bool {
    let files = Files::listed(vec![(String::new(), path.to_owned())]);
    files
        .open("")
        .ok()
        .flatten()
        .is_some_and(|opened| !opened.revision.is_unstable() && opened.revision.same(&known.revision))
}
