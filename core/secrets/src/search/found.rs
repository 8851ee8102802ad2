//! What is found in a record.

use crate::rules::Kind;
use alloc::vec::Vec;
use core::ops::Range;

/// A secret, and where it stands in its record.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) place: Range<usize>,
    pub(crate) kind: Kind,
    /// What it says, decoded.
    pub(crate) value: Vec<u8>,
    /// It is more of the secret before it, which was told in pieces or has several lines.
    pub(crate) is_rest: bool,
}
