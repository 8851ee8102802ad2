//! The core of hydrant: Git LFS and session-ledger protocols as state machines, without I/O.
//!
//! # The law of the loop
//!
//! 1. Call [`Operation::poll`] until it says wait or done. Perform each effect you are given; several may be open at
//!    once.
//! 2. Answer with [`Operation::reply`]. Answers to different ids may interleave; within one id they follow the grammar
//!    of its effect.
//! 3. At wait, sleep until an answer arrives or the tick passes, then go to 1. Time enters through `poll` and nowhere
//!    else.
//! 4. At done, call the `finish_…` of the operation's kind, which consumes it.
//! 5. A misuse means that the host is wrong; nothing changed. No input makes the core panic.
//!
//! # Where things are
//!
//! Pure rules: [`oid`], [`name`], [`mod@pointer`], [`manifest`], [`status`], [`ledger`], [`endpoint`], [`batch`],
//! [`retry`].
//! The contract with the host: [`contract`], [`config`], [`report`], [`error`], [`limits`].
//! Protocols: `download`, `upload`, `hydrate`, [`publish`], [`reconcile`], `ask` and `locks` are the machines behind
//! [`Operation`]; `asker` asks batches for them, `call` makes one call of the API, `lanes` decides which transfer is
//! next, `link` is what is known of the server, and `outbox` alone knows which replies may follow which effect.

#![forbid(unsafe_code)]

mod ask;
mod asker;
pub mod batch;
mod call;
mod clock;
pub mod config;
pub mod contract;
mod download;
pub mod endpoint;
pub mod error;
mod http;
mod hydrate;
mod json;
mod lanes;
pub mod ledger;
pub mod limits;
mod link;
pub mod locks;
pub mod manifest;
pub mod name;
pub mod oid;
mod operation;
mod outbox;
pub mod pointer;
pub mod publish;
pub mod reconcile;
mod refusal;
mod register;
pub mod report;
pub mod retry;
pub mod status;
mod transcript;
mod upload;
mod url;

pub use operation::Operation;
pub use register::Register;
pub use upload::Receipt;
