//! What goes into an operation and what comes out of it.

use crate::error::{Code, Error};
use crate::oid::{Blob, Oid};

/// An object wanted under a name of the caller's choosing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// The name; progress and outcome carry it.
    pub name: String,
    /// 64 hexadecimal digits; anything else fails this want alone.
    pub oid: String,
    /// Bytes.
    pub size: u64,
}

impl Want {
    pub(crate) fn blob(&self) -> Result<Blob, Error> {
        let oid = Oid::parse(&self.oid)
            .ok_or_else(|| Error::new(Code::Malformed, "the oid is not 64 lower-case hexadecimal digits"))?;
        Ok(Blob { oid, size: self.size })
    }
}

/// A file to upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file, as the host knows it.
    pub name: String,
    /// What it must hash to, when that is known.
    pub expects: Option<String>,
}

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
