//! The machines: each begins with its state graph, and owns what one operation knows.

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

/// One protocol as a state machine. [`Operation`](crate::Operation) drives it: machines never see a reply, only whole
/// events, and never a step, only the outbox they hand effects to.
pub trait Machine {
    /// What it comes to.
    type Report;

    /// Starts whatever can be started now.
    fn advance(&mut self, out: &mut Outbox, link: &mut Link);

    /// Takes an event of one of its effects.
    fn on(&mut self, id: EffectId, event: Event, out: &mut Outbox, link: &mut Link);

    /// Comes to an end soon: cancels what can be cancelled, begins nothing more.
    fn stop(&mut self, out: &mut Outbox);

    /// The next tick at which [`Machine::advance`] has something to do.
    fn wake(&self, now: u64, link: &Link) -> Option<u64>;

    /// How much is not ended yet, in units of its own.
    fn left(&self) -> usize;

    /// Whether it has nothing more to do, once no effect is open.
    fn is_done(&self) -> bool;

    /// What it came to, however it ended; the rest is `unfinished`.
    fn finish(self) -> Self::Report;
}
