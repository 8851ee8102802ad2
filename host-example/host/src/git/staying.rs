//! The git that stays and answers questions about objects.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::stream::Talk;

/// The git that stays, while nobody talks to it. Copies share it.
#[derive(Clone, Default)]
pub(super) struct Objects(pub(super) Arc<Mutex<State>>);

#[derive(Default)]
pub(super) enum State {
    /// None runs.
    #[default]
    Absent,
    /// One waits to be asked. It may have read the index, and would not look at it again.
    Idle(Talk, bool),
    /// This git does not stay.
    Old,
    /// This git was waited for, and did not answer.
    Silent,
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Objects")
    }
}

impl Objects {
    pub(super) fn swap(&self, new: State) -> State {
        std::mem::replace(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner), new)
    }
}
