//! What several test programs share.
//!
//! Everything here is for tests: a fault is a panic that says what was expected.

#![allow(missing_docs, reason = "the names say it, and nobody but tests reads them")]

pub mod child;
pub mod scene;
pub mod schemas;
pub mod world;
