//! What machines are made of: effects out and events in, one server, one call, batches ahead of their transfers.

mod backoff;
pub mod batch_queue;
pub(crate) mod call;
pub mod link;
pub mod outbox;
pub mod outgoing;
pub mod refusal;
pub(crate) mod scheduler;
