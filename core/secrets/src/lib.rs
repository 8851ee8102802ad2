//! Finds secrets in raw bytes, and takes them out without changing any other byte. No I/O, no clock, no randomness.
//!
//! A file is read in two passes. [`Scan`] tells what stands in it; [`Redact`] puts a marker in the place of each secret.
//! What was found in one place is a [`Named`] value of the second pass, so it is found wherever it stands.
//!
//! # Where things are
//!
//! A module uses only those before it in this list:
//!
//! - [`limits`], `view`: the base of all others.
//! - `decode`, `json`, `deltas`: encodings, the strings of a line of JSON, and those that are told in pieces.
//! - `plausible`, `pem`, `address`, `header`, `keyed`, `commands`, `marker`: what secrets and markers look like.
//! - [`rules`], `named`: what is looked for.
//! - `records`, `search`, `secrets`, `pass`: a stream in lines, the secrets of each, all of a session, one pass.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

#[macro_use]
extern crate alloc;

pub mod limits;

mod address;
mod commands;
mod decode;
mod deltas;
mod header;
mod json;
mod keyed;
mod marker;
mod named;
mod pass;
mod pem;
mod plausible;
mod records;
pub mod rules;
mod search;
mod secrets;
mod view;

pub use commands::{COMMANDS, FILES};
pub use keyed::names_a_secret;
pub use marker::Marked;
pub use named::Named;
pub use pass::{Finding, Piece, Redact, Scan};
pub use records::TooLong;
pub use rules::{Kind, Rules, RulesError};
pub use secrets::{Markers, Secrets};
