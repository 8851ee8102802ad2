//! What goes into a publish and what comes out of it.

use crate::journal::{Bound, Kept};
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use hydrant_lfs::contract::{Phase, Revision};
use hydrant_lfs::text::error::Error;
use hydrant_lfs::text::oid::Blob;

/// One file of a session to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishFile {
    /// Its name within the session.
    pub name: String,
    /// The host's name for the content, if it lies elsewhere. None: it lies in the session's own folder, where a
    /// pointer replaces it in the end.
    pub source: Option<String>,
    /// True: a small file that is stored in git.
    pub in_git: bool,
}

/// A session to publish.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publication {
    /// Name of the session's folder.
    pub session: String,
    /// Its files. Without files and fields, the operation only finishes an interrupted publish.
    pub files: Vec<PublishFile>,
    /// `ses_` and a UUIDv7 for a session that has no id yet.
    pub new_session_id: String,
    /// RFC 3339, for a session that has no manifest yet.
    pub created_at: String,
    /// Text fields of the manifest, name and value, as the user gave them.
    pub fields: Vec<(String, String)>,
    /// A JSON object that the manifest's list `redactions` gets: what was taken out of the content before, or let out.
    pub redaction: Option<String>,
}

/// What became of one file of a publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishedState {
    /// Not published.
    Unpublished,
    /// The remote has it; the local file did not have to change.
    Published,
    /// The remote has it, and a pointer replaced the local file.
    Swapped,
    /// The remote has it, but the local file changed meanwhile and was left as it is.
    Left,
}

/// One file of a publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its name within the session.
    pub name: String,
    /// Its oid; empty when it was never hashed, as for a file stored in git.
    pub oid: String,
    /// Bytes.
    pub size: u64,
    /// What became of it.
    pub state: PublishedState,
    /// Why it is not published, or why it was left.
    pub reason: Option<Error>,
}

/// The result of a publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishReport {
    /// Id of the session; empty before it is known.
    pub session_id: String,
    /// The phase it ended in.
    pub phase: Phase,
    /// An interrupted publish was resumed first.
    pub resumed: bool,
    /// The commit that the remote confirmed.
    pub tip: Option<Revision>,
    /// In the order given; for a resumed publish, in the order of its journal.
    pub files: Vec<Published>,
    /// Blobs that nothing names any more; each is in the orphan register.
    pub orphans: Vec<Blob>,
    /// Success, or the error.
    pub ended: Result<(), Error>,
}

/// The files of a journal.
pub(super) fn of_bound(bound: &Bound) -> Vec<Published> {
    let file = |file: &super::BoundFile| {
        let (oid, size) = match &file.kept {
            Kept::Lfs { proof, .. } => (proof.blob().oid.to_string(), proof.blob().size),
            Kept::InGit { size, .. } => (String::new(), *size),
        };
        Published { name: file.name.clone(), oid, size, state: PublishedState::Unpublished, reason: None }
    };
    bound.files.iter().map(file).collect()
}
