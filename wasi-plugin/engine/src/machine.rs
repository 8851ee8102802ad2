//! Every machine of a world behind one type, because a resource of WIT has one.

#[cfg(feature = "ledger")]
use hydrant_ledger::{
    hydrate_session::HydrateSession,
    publish::{Publish, PublishReport},
    reconcile::{Reconcile, ReconcileReport},
};
use hydrant_lfs::contract::{EffectId, TransferReport};
use hydrant_lfs::operations::{Batch, BatchOutcome, Download, LockReport, Locks, Machine, Upload};
use hydrant_lfs::protocol::link::Link;
use hydrant_lfs::protocol::outbox::{Event, Outbox};

/// A machine of any kind.
pub(crate) enum AnyMachine {
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

/// What one came to.
pub(crate) enum AnyReport {
    Transfer(TransferReport),
    Batch(Vec<BatchOutcome>),
    Locks(LockReport),
    #[cfg(feature = "ledger")]
    Publish(PublishReport),
    #[cfg(feature = "ledger")]
    Reconcile(ReconcileReport),
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

/// Calls the same method of whichever machine it is.
macro_rules! each {
    ($machine:expr, $it:ident => $call:expr) => {
        match $machine {
            AnyMachine::Download($it) => $call,
            AnyMachine::Upload($it) => $call,
            AnyMachine::Batch($it) => $call,
            AnyMachine::Locks($it) => $call,
            #[cfg(feature = "ledger")]
            AnyMachine::HydrateSession($it) => $call,
            #[cfg(feature = "ledger")]
            AnyMachine::Publish($it) => $call,
            #[cfg(feature = "ledger")]
            AnyMachine::Reconcile($it) => $call,
        }
    };
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

impl Machine for AnyMachine {
    type Report = AnyReport;

    fn advance(&mut self, out: &mut Outbox, link: &mut Link) {
        each!(self, it => it.advance(out, link));
    }

    fn on(&mut self, id: EffectId, event: Event, out: &mut Outbox, link: &mut Link) {
        each!(self, it => it.on(id, event, out, link));
    }

    fn stop(&mut self, out: &mut Outbox) {
        each!(self, it => it.stop(out));
    }

    fn wake(&self, now: u64, link: &Link) -> Option<u64> {
        each!(self, it => it.wake(now, link))
    }

    fn left(&self) -> usize {
        each!(self, it => it.left())
    }

    fn is_done(&self) -> bool {
        each!(self, it => it.is_done())
    }

    fn finish(self) -> AnyReport {
        match self {
            AnyMachine::Download(it) => AnyReport::Transfer(it.finish()),
            AnyMachine::Upload(it) => AnyReport::Transfer(it.finish()),
            AnyMachine::Batch(it) => AnyReport::Batch(it.finish()),
            AnyMachine::Locks(it) => AnyReport::Locks(it.finish()),
            #[cfg(feature = "ledger")]
            AnyMachine::HydrateSession(it) => AnyReport::Transfer(it.finish()),
            #[cfg(feature = "ledger")]
            AnyMachine::Publish(it) => AnyReport::Publish(it.finish()),
            #[cfg(feature = "ledger")]
            AnyMachine::Reconcile(it) => AnyReport::Reconcile(it.finish()),
        }
    }
}
