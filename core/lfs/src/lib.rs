//! Git LFS as state machines: transfers, batches and locks for any repository, without I/O.
//!
//! # The loop
//!
//! 1. Call [`Operation::poll`] until it returns wait or done. Start each effect that it hands out; several may be open
//!    at once.
//! 2. Send each result with [`Operation::reply`]. Replies to different ids may interleave. The replies to one id follow
//!    the grammar of its effect.
//! 3. At wait, sleep until there is something to reply or the tick passes, then go to 1. The core learns the time from
//!    `poll` alone.
//! 4. At done, call [`Operation::finish`], which consumes it.
//! 5. A misuse means that the host broke the contract; nothing changed. No input makes the core panic.
//!
//! # Where things are
//!
//! A module uses only those before it in this list:
//!
//! - [`text`]: oids, URLs, JSON, dates, headers; errors and limits.
//! - [`order`]: one sort and one sorted map.
//! - [`contract`]: what an operation asks of its host, and what the host replies.
//! - [`git_lfs`]: the formats of Git LFS: pointers, endpoints, batch requests and responses.
//! - [`protocol`]: what machines are made of. [`protocol::outbox`] alone knows which replies may follow which effect.
//! - [`operations`]: the machines, behind one trait.
//! - [`Operation`]: one interface for all of them.
//! - [`Seeds`], [`Handle`]: what a binding keeps, whose operations are handles with reports to take out.
//!
//! Without the standard library there is no clock, no file, no socket, no thread and no environment: the compiler
//! proves that the core does no I/O.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

#[macro_use]
extern crate alloc;

pub mod contract;
pub mod git_lfs;
mod handle;
mod operation;
pub mod operations;
pub mod order;
pub mod protocol;
pub mod text;

pub use contract::Config;
pub use handle::{Handle, Seed, Seeds};
pub use operation::Operation;
pub use text::error::{Code, Error};
pub use text::oid::{Blob, Oid};
