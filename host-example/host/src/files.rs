//! Files and folders of this machine.
//!
//! Rule: this room, and `process`, alone know the calls of a platform.

pub(crate) mod atomic;
pub mod digest;
pub(crate) mod dir;
pub(crate) mod facts;
pub(crate) mod lock;
pub(crate) mod platform;
pub(crate) mod private_copy;
mod revision;
#[cfg(test)]
pub(crate) mod scratch;
mod tree;
pub(crate) mod walk;
pub mod workers;

pub(crate) use dir::{Access, Dir};
pub(crate) use facts::Facts;
pub use platform::{create_private_dir, random_bytes};
pub use revision::{Opened, Revision};
pub use tree::{Files, Glance, is_unwritable, names_no_file};
