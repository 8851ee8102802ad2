//! The sessions of a ledger: what the work tree has of them, and what is noted about them in git's own folder.

pub mod content_files;
pub mod coverage;
pub mod downloaded;
pub mod gitignore;
pub mod ledger;
pub mod new_session;
pub mod orphaned;
pub mod remembered;
pub mod replaced;
