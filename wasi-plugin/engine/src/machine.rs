//! Every machine of a world behind one type, because a resource of WIT has one.

#[cfg(feature = "ledger")]
use hydrant_ledger::{hydrate_session::HydrateSession, publish::Publish, reconcile::Reconcile};
use hydrant_lfs::operations::{Batch, Download, Locks, Upload};

hydrant_lfs::machines! {
    /// A machine of any kind.
    pub(crate) enum AnyMachine,
    /// What one came to.
    pub(crate) enum AnyReport {
        Download(Download),
        Upload(Upload),
        Batch(Batch),
        Locks(Locks),
        #[cfg(feature = "ledger")]
        HydrateSession(HydrateSession),
        #[cfg(feature = "ledger")]
        Publish(Box<Publish>),
        #[cfg(feature = "ledger")]
        Reconcile(Box<Reconcile>),
    }
}

/// The function of WIT that takes a machine's report.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finish {
    Transfer,
    Batch,
    Locks,
    #[cfg(feature = "ledger")]
    Publish,
    #[cfg(feature = "ledger")]
    Reconcile,
}

impl AnyMachine {
    pub(crate) fn finish_of(&self) -> Finish {
        match self {
            AnyMachine::Download(_) | AnyMachine::Upload(_) => Finish::Transfer,
            AnyMachine::Batch(_) => Finish::Batch,
            AnyMachine::Locks(_) => Finish::Locks,
            #[cfg(feature = "ledger")]
            AnyMachine::HydrateSession(_) => Finish::Transfer,
            #[cfg(feature = "ledger")]
            AnyMachine::Publish(_) => Finish::Publish,
            #[cfg(feature = "ledger")]
            AnyMachine::Reconcile(_) => Finish::Reconcile,
        }
    }
}
