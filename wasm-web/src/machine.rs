//! Every machine of a module behind one type, because a class of JavaScript has one.

#[cfg(feature = "full")]
use hydrant_ledger::hydrate_session::HydrateSession;
use hydrant_lfs::operations::{Batch, Download};
#[cfg(feature = "full")]
use hydrant_lfs::operations::{Locks, Upload};

hydrant_lfs::machines! {
    /// A machine of any kind.
    pub(crate) enum AnyMachine,
    /// What one came to.
    pub(crate) enum AnyReport {
        Download(Download),
        Batch(Batch),
        #[cfg(feature = "full")]
        HydrateSession(HydrateSession),
        #[cfg(feature = "full")]
        Upload(Upload),
        #[cfg(feature = "full")]
        Locks(Locks),
    }
}
