//! Publishing against real git: every situation of a user's repository, with a crash after every effect.
//!
//! A crash is a process that aborts between two steps of the engine: the `child` below is an embedder of its own that
//! drives the same host and dies where it is told to. Whatever it leaves, the real command then brings to an end.
//!
//! long: a thousand crashes, each with a publish after it

mod checks;
mod kills;
mod matrix;
mod races;
mod snapshot;
mod story;

/// Dies where the others tell it to.
#[test]
fn the_child() {
    hydrant_kit::child::act();
}
