//! Publishing against real git: every situation of a user's repository, with a crash after every effect.
//!
//! A crash is a process that aborts between two steps of the engine: the `child` below is an embedder of its own that
//! drives the same host and dies where it is told to. Whatever it leaves, the real command then brings to an end.
//!
//! long: a thousand crashes, each with a publish after it

#[path = "../cli/scene.rs"]
#[allow(dead_code, reason = "shared with the tests of the command line, which use all of it")]
mod scene;
#[path = "../cli/schemas.rs"]
mod schemas;

mod checks;
mod child;
mod kills;
mod ledger;
mod matrix;
mod races;
mod snapshot;
mod story;
