//! The rules of a session ledger that need no protocol: what a document becomes, what a repair may do, what a report
//! says. Facts go in, texts and plans come out; the host reads, writes and asks the server.
//!
//! Three things hold throughout. A document is only edited, never written anew, so that what others put there survives.
//! What cannot be read is an error, never taken for absent. Nothing is destroyed without positive proof, and a plan is
//! refused as a whole before its first change.

pub mod drafts;
pub mod gitignore;
pub mod readiness;
pub mod restore;
pub mod titles;
