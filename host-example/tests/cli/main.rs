//! The real `hydrant` program, against the embedded server, real git and, where it is installed, the real git-lfs.

mod ledgers;
mod objects;
mod pointers;
mod publish;
mod scene;
mod secrets;
mod signals;
mod trees;
mod trust;
#[path = "../publish/ledger.rs"]
#[allow(dead_code, reason = "shared with the tests of publishing against real git, which use all of it")]
mod world;
