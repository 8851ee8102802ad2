//! The rules of a session ledger as pure functions: how documents change, and what reports say. They take facts and
//! return texts and reports; the host reads, writes and asks the server.
//!
//! Three things hold throughout. A document is only edited, never written anew, so that what others put there survives.
//! What cannot be read is an error, never taken for absent. Nothing is destroyed without positive proof, and a plan is
//! refused as a whole before its first change.

pub mod drafts;
pub mod gitignore;
pub mod readiness;
pub mod restore;
pub mod titles;
