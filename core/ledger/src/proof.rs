//! Proof that the server holds a blob, as long as a publish lives: from a receipt, or from a journal that had one.

use hydrant_lfs::Blob;
use hydrant_lfs::operations::Receipt;

/// Proof that the server holds a blob whose bytes we hold. No entry of a manifest names a blob without one.
#[must_use = "a proof that reaches no manifest is an orphaned blob"]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    blob: Blob,
}

impl Proof {
    /// The blob it proves.
    pub fn blob(&self) -> Blob {
        self.blob
    }

    /// The proof that a journal kept. Only `bind` writes a journal that holds any, and it has receipts to do so.
    pub(crate) fn of_journal(blob: Blob) -> Self {
        Self { blob }
    }

    /// For tests of what consumes proofs.
    #[cfg(test)]
    pub(crate) fn for_test(blob: Blob) -> Self {
        Self { blob }
    }
}

impl From<Receipt> for Proof {
    fn from(receipt: Receipt) -> Self {
        Self { blob: receipt.blob() }
    }
}
