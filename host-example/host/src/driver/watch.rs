//! Who looks on while an operation runs.

use std::collections::HashMap;

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

/// How far all objects together are: what a [`Watch`] with one bar adds up from what it is told of each.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Objects.
    pub objects: usize,
    /// Those of them that are done.
    pub objects_done: usize,
    /// Bytes of all objects.
    pub bytes: u64,
    /// Bytes that are done. They can go back, when a transfer begins again.
    pub bytes_done: u64,
    each: HashMap<String, Done>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Done {
    bytes: u64,
    whole: bool,
}

impl Tally {
    /// Nothing is done yet: what [`Watch::began`] says.
    pub fn of(objects: usize, bytes: u64) -> Self {
        Self { objects, bytes, ..Self::default() }
    }

    /// One object moved on: what [`Watch::progress`] says.
    pub fn add(&mut self, name: &str, done: u64, total: u64) {
        let before = match self.each.get_mut(name) {
            Some(before) => before,
            None => self.each.entry(name.to_owned()).or_default(),
        };
        self.bytes_done = (self.bytes_done + done).saturating_sub(before.bytes);
        let whole = done >= total;
        match (before.whole, whole) {
            (false, true) => self.objects_done += 1,
            (true, false) => self.objects_done = self.objects_done.saturating_sub(1),
            _ => {}
        }
        *before = Done { bytes: done, whole };
    }
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

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn objects_and_bytes_add_up_even_backwards() {
        let mut tally = Tally::of(2, 30);
        for (name, done, total) in [("a", 5, 10), ("b", 20, 20), ("a", 0, 10), ("a", 10, 10), ("b", 20, 20)] {
            tally.add(name, done, total);
        }
        assert_eq!((tally.bytes_done, tally.objects_done), (30, 2));
    }
}
