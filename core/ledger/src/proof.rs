//! Proof that the server holds a blob, for the time of a publish: from a receipt, or from a journal that was written
//! with one.

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

    /// A proof from a journal. Only `bind` writes proofs into a journal, and it has receipts for them.
    pub(crate) fn of_journal(blob: Blob) -> Self {
        Self { blob }
    }

    /// For tests of code that takes proofs.
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
