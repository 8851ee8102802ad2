//! What comes out of a transfer.

use crate::text::error::Error;
use alloc::string::String;
use alloc::vec::Vec;

/// One object's outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The name that the caller gave.
    pub name: String,
    /// Oid; empty when the bytes were never hashed.
    pub oid: String,
    /// Bytes.
    pub size: u64,
    /// Success, or the error.
    pub ended: Result<(), Error>,
}

/// The result of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferReport {
    /// One for each object, in the order given.
    pub outcomes: Vec<Outcome>,
    /// Success, or why the whole operation failed: no batch response named any object. Each outcome has this error,
    /// too.
    pub ended: Result<(), Error>,
}
