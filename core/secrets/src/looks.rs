//! What secrets look like, and what only looks like one.

pub(crate) mod address;
pub(crate) mod commands;
pub(crate) mod header;
pub(crate) mod keyed;
pub(crate) mod marker;
pub(crate) mod pem;
pub(crate) mod plausible;

pub use commands::{COMMANDS, FILES};
pub use keyed::names_a_secret;
pub use marker::Marked;
