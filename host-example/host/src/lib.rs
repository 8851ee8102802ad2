//! The host around the engine: everything that touches files, network, clock and git.
//!
//! Rule: the protocols live in the embedded component; this crate performs what the component asks for and decides
//! only what is policy of this machine (addresses, logins, where bytes lie).
//!
//! The rooms, ground first; each uses only what stands above it here:
//!
//! - `text`: what is shown to people
//! - `contract`: the types of `wit/`, errors, the clock
//! - `process`: child processes that end with this one
//! - `files`: files and folders beneath a root; the one room that knows the platform's calls
//! - `git`: the git program, and what it says of its objects
//! - `store`: verified blobs
//! - `documents`: small tracked files, each changed under its lock
//! - `engine`: the component in its sandbox
//! - `repository`: the repository around a folder, its settings, its last commit
//! - `worktree`: what stands in a working tree, and what takes its place
//! - `net`: addresses, logins, HTTP
//! - `remote`: a ledger's remote, and the clone that follows it
//! - `driver`: the loop, and the effects it performs
//! - `sessions`: the sessions of a ledger, and what is noted about them here
//! - `tasks`: what a command does, without arguments and output

pub mod contract;
pub mod documents;
pub mod driver;
pub mod engine;
pub mod files;
pub mod git;
pub mod net;
pub mod process;
pub mod remote;
pub mod repository;
pub mod sessions;
pub mod store;
pub mod tasks;
pub mod text;
pub mod worktree;
