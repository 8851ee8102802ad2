//! Sessions in a git repository: what a manifest says, what a checkout can read, how a session is published, and how a
//! push is repaired that names blobs the server lacks. All of it is built on [`hydrant_lfs`], without I/O.
//!
//! # Where things are
//!
//! A module uses only those before it in this list:
//!
//! - [`limits`], [`name`], [`transcript`], [`proof`]: the base of all others.
//! - [`manifest`]: a session's `meta.json`, read and changed without losing a byte of it.
//! - [`register`], [`journal`]: what a publish writes down.
//! - [`status`]: where a reader gets the content of each file.
//! - [`rules`]: titles, drafts, restore, readiness, the sessions' `.gitignore`.
//! - [`mod@hydrate_session`], [`mod@publish`], [`mod@reconcile`]: the machines.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

#[macro_use]
extern crate alloc;

pub mod hydrate_session;
pub mod journal;
pub mod limits;
pub mod manifest;
pub mod name;
pub mod proof;
pub mod publish;
pub mod reconcile;
pub mod register;
pub mod rules;
pub mod status;
pub mod transcript;

pub use hydrate_session::{hydrate_session, hydrate_session_with};
pub use publish::publish;
pub use reconcile::reconcile;
