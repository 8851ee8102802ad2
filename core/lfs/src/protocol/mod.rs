//! The parts of machines: effects out and events in, one server, one API call, batch requests ahead of their transfers.

mod backoff;
pub mod batch_queue;
pub(crate) mod call;
pub mod link;
pub mod outbox;
pub mod outgoing;
pub mod refusal;
pub(crate) mod scheduler;
