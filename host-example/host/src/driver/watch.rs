//! Who looks on while an operation runs.

use crate::contract::types::Phase;

/// Looks on while tasks run: a progress bar, a log, nobody. Every method may be left out.
pub trait Watch {
    /// Work begins, on so many objects of so many bytes together. `verb` says what is done: `hydrate`, `upload`.
    fn began(&mut self, _verb: &'static str, _objects: usize, _bytes: u64) {}
    /// One object moved on: so many of its bytes are done. It may also move backwards, when a transfer begins again.
    fn progress(&mut self, _name: &str, _done: u64, _total: u64) {}
    /// A publish begins this phase.
    fn entered(&mut self, _phase: Phase) {}
    /// Nothing moves, and nothing will for so many milliseconds: the engine tries again then.
    fn waiting(&mut self, _millis: u64) {}
    /// Something worth knowing, and nothing is wrong: one sentence.
    fn noted(&mut self, _text: &str) {}
    /// Something is not as it should be, and the work goes on: one sentence.
    fn warned(&mut self, _text: &str) {}
    /// The work is over, well or not.
    fn ended(&mut self) {}
    /// Whether `trace` is wanted.
    fn wants_trace(&self) -> bool {
        false
    }
    /// One effect or reply in one redacted line.
    fn trace(&mut self, _line: &str) {}
}

/// Looks away.
pub struct Unwatched;

impl Watch for Unwatched {}

/// Lets through what is traced, and nothing of how far it is.
pub(crate) struct Tracing<'a>(pub(crate) &'a mut dyn Watch);

impl Watch for Tracing<'_> {
    fn wants_trace(&self) -> bool {
        self.0.wants_trace()
    }

    fn trace(&mut self, line: &str) {
        self.0.trace(line);
    }
}
