//! The machines. Each begins with its state graph and owns the state of one operation.

mod any;
mod batch;
mod download;
mod locks;
mod upload;

pub use batch::{Batch, BatchOutcome};
pub use download::Download;
pub use locks::{Lock, LockReport, LockTask, Locks};
pub use upload::{Receipt, Upload};

use crate::contract::EffectId;
use crate::protocol::link::Link;
use crate::protocol::outbox::{Event, Outbox};

/// One operation as a state machine. [`Operation`](crate::Operation) drives it: a machine gets whole events instead of
/// replies, and hands effects to the outbox instead of returning steps.
pub trait Machine {
    /// Its report.
    type Report;

    /// Starts whatever can be started now.
    fn advance(&mut self, out: &mut Outbox, link: &mut Link);

    /// Takes an event of one of its effects.
    fn on(&mut self, id: EffectId, event: Event, out: &mut Outbox, link: &mut Link);

    /// Ends soon: cancels what can be cancelled, begins nothing more.
    fn stop(&mut self, out: &mut Outbox);

    /// The next tick at which [`Machine::advance`] has something to do.
    fn wake(&self, now: u64, link: &Link) -> Option<u64>;

    /// How much is not ended yet, in units of its own.
    fn left(&self) -> usize;

    /// Whether it has nothing more to do, once no effect is open.
    fn is_done(&self) -> bool;

    /// Its report, however it ended; the rest is `unfinished`.
    fn finish(self) -> Self::Report;
}
