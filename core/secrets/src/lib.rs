//! Finds secrets in raw bytes, and takes them out without changing any other byte. No I/O, no clock, no randomness.
//!
//! A file is read in two passes. [`Scan`] tells what stands in it; [`Redact`] puts a marker in the place of each
//! secret. What was found in one place is a [`Named`] value of the second pass, so it is found wherever it stands.
//!
//! # Where things are
//!
//! A module uses only those before it in this list:
//!
//! - [`limits`]: every bound.
//! - [`text`]: encodings, and the way back from what they stand for to the raw bytes.
//! - [`looks`]: what secrets and markers look like.
//! - [`rules`]: the table of tokens, and values that the caller names.
//! - [`search`]: a stream in lines, and the secrets of each.
//! - [`secrets`]: all of a session, with their markers.
//! - [`pass`]: one pass over a file.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

#[macro_use]
extern crate alloc;

pub mod limits;
pub mod looks;
pub mod pass;
pub mod rules;
pub mod search;
pub mod secrets;
pub mod text;

/// Names this search: SHA-256 over its sources, in hexadecimal. Two that have one name find the same.
pub const CATALOG: &str = include_str!("../catalog.txt");

pub use looks::{Marked, names_a_secret};
pub use pass::{Pass, Piece, Redact, Scan, rules_with};
pub use rules::{AddedToken, Kind, Named, Rules, RulesError};
pub use search::{Finding, TooLong};
pub use secrets::{Markers, Secrets};
