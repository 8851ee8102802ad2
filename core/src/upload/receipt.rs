//! Proof of an upload: a type of its own, so that no reference is made without one.

use crate::oid::Blob;

/// Proof that the server holds a blob whose bytes we hold. Only an upload makes one.
#[must_use = "a receipt that reaches no manifest is an orphaned blob"]
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

    /// The proof that a journal kept. Only `bind` writes a journal that holds any, and it has receipts to do so.
    pub(crate) fn of_journal(blob: Blob) -> Self {
        Self { blob }
    }

    /// For tests of what consumes receipts.
    #[cfg(test)]
    pub(crate) fn for_test(blob: Blob) -> Self {
        Self { blob }
    }
}
