//! Content that git holds in full, or is about to, where Git LFS has a pointer.
//!
//! The rule it keeps: a path is LFS's where its attributes say `filter=lfs`, and where a pointer stood before. In a
//! session's folder every file is, except for what git carries.

mod candidate;
pub(crate) mod commits;
mod folders;
mod judge;
pub(crate) mod next_commit;
mod undo;

pub(crate) use candidate::{Candidate, Holder};
pub(crate) use judge::{InFull, Why, look};
pub(crate) use next_commit::take_out;
