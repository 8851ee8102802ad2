//! What goes into an operation.

use crate::text::error::{Code, Error};
use crate::text::limits::{NAME_BYTES_MAX, WANTS_MAX};
use crate::text::oid::{Blob, Oid};
use alloc::string::String;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the server.
    Download,
    /// To the server.
    Upload,
}

impl Direction {
    /// Its name in the batch API.
    pub const fn name(self) -> &'static str {
        match self {
            Direction::Download => "download",
            Direction::Upload => "upload",
        }
    }
}

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
    /// The host's name for the file.
    pub name: String,
    /// The oid that it must have, if it is known.
    pub expects: Option<String>,
}

/// Checks that an operation with this many objects and with these names is within the limits.
pub fn bounded<'a>(count: usize, mut names: impl Iterator<Item = &'a str>) -> Result<(), Error> {
    if count > WANTS_MAX {
        return Err(Error::new(
            Code::Limit,
            format_args!("{count} objects are more than {WANTS_MAX} in one operation"),
        ));
    }
    if names.any(|name| name.len() > NAME_BYTES_MAX) {
        return Err(Error::new(Code::Limit, format_args!("a name has more than {NAME_BYTES_MAX} bytes")));
    }
    Ok(())
}
