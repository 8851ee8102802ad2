//! The host around the engine: everything that touches files, network, clock and git.
//!
//! Rule: the protocols live in the embedded component; this crate performs what the component asks for and decides
//! only what is policy of this machine (addresses, logins, where bytes lie).

pub mod address;
mod answers;
pub mod clock;
pub mod digest;
pub mod documents;
pub mod driver;
pub mod effects;
pub mod engine;
pub mod error;
mod exchange;
mod failure;
mod file_lock;
pub mod files;
pub mod git;
pub mod host;
pub mod http;
pub mod lanes;
pub mod login;
pub mod manifest_write;
pub mod patterns;
pub mod process;
pub mod remote_ledger;
mod replace;
pub mod restoring;
pub mod scan;
pub mod secret;
mod shared;
pub mod store;
mod swap;
pub mod trace;
pub mod wit;
