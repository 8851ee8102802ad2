//! The sessions of a ledger: what the work tree has of them, and what is noted about them in git's own folder.

pub(crate) mod content_files;
pub(crate) mod coverage;
pub(crate) mod downloaded;
pub(crate) mod gitignore;
pub(crate) mod journaled;
pub mod ledger;
pub(crate) mod new_session;
pub(crate) mod orphaned;
pub(crate) mod remembered;
pub(crate) mod replaced;
