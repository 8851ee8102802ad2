//! Proof of an upload: a type of its own, so that no reference is made without one.

use crate::text::oid::Blob;

/// Proof that the server holds a blob whose bytes we hold. Only an upload makes one.
#[must_use = "a receipt that reaches no reference is an orphaned blob"]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Only [`super::Upload`] fills it in.
    pub(super) blob: Blob,
}

impl Receipt {
    /// The blob it proves.
    pub fn blob(&self) -> Blob {
        self.blob
    }
}
