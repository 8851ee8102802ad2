//! Who looks on while an operation runs.

use crate::wit::types::Phase;

/// Looks on while an operation runs.
pub trait Watch {
    /// One object moved on.
    fn progress(&mut self, name: &str, done: u64, total: u64);
    /// A publish begins this phase.
    fn entered(&mut self, _phase: Phase) {}
    /// Nothing moves, and nothing will for so many milliseconds: the engine tries again then.
    fn waiting(&mut self, _millis: u64) {}
    /// Whether `trace` is wanted.
    fn wants_trace(&self) -> bool {
        false
    }
    /// One effect or reply in one redacted line.
    fn trace(&mut self, _line: &str) {}
}

/// Looks away.
pub struct Unwatched;

impl Watch for Unwatched {
    fn progress(&mut self, _name: &str, _done: u64, _total: u64) {}
}
