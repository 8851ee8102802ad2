//! What the contract of `wit/` says, as Rust types, and what this host adds to it: its errors and its clock.

mod bindings;
pub mod cancel;
pub mod clock;
pub mod error;
pub(crate) mod failure;
pub mod names;
pub mod report;
pub(crate) mod words;

pub use bindings::{
    World, WorldPre, batches, endpoints, exports, ledgers, manifests, operations, pointers, sessions, types,
};
