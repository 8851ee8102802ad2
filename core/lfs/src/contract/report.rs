//! What comes out of a transfer.

use crate::text::error::Error;
use alloc::string::String;
use alloc::vec::Vec;

/// One object's outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The name given.
    pub name: String,
    /// Oid; empty when the bytes were never hashed.
    pub oid: String,
    /// Bytes.
    pub size: u64,
    /// Well, or why not.
    pub ended: Result<(), Error>,
}

/// What a transfer came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferReport {
    /// One for each object, in the order given.
    pub outcomes: Vec<Outcome>,
    /// Why the whole operation failed: the server never spoke of any object. It stands in each outcome, too.
    pub ended: Result<(), Error>,
}
