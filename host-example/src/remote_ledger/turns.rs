//! Others are at the same branch: how long whoever was overtaken waits before trying anew, and how often.
//!
//! Rule: waits are random and their bounds double, so that any number of publishers who meet drift apart; git itself
//! gives up at once.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::thread::sleep;
use std::time::Duration;

/// Times a fetch or a push is tried anew because somebody else was faster: twenty seconds on average, in all.
const TURNS_MAX: u32 = 24;
/// Milliseconds of the first wait at most.
const FIRST_WAIT_MS_MAX: u64 = 100;
/// Milliseconds of any wait at most.
const WAIT_MS_MAX: u64 = 1_600;

/// The tries of one fetch or push.
#[derive(Default)]
pub(super) struct Turns {
    taken: u32,
}

impl Turns {
    /// Waits for the next turn; false when there is none left.
    pub(super) fn wait(&mut self) -> bool {
        let Some(bound) = self.next() else { return false };
        sleep(Duration::from_millis(random() % bound));
        true
    }

    /// Milliseconds that the next wait stays below.
    fn next(&mut self) -> Option<u64> {
        let bound = FIRST_WAIT_MS_MAX.checked_shl(self.taken).unwrap_or(WAIT_MS_MAX).min(WAIT_MS_MAX);
        self.taken += 1;
        (self.taken <= TURNS_MAX).then_some(bound)
    }
}

/// A number that another process does not have: each of these states is seeded anew.
fn random() -> u64 {
    RandomState::new().hash_one(())
}

#[cfg(test)]
mod tests {
    use super::{TURNS_MAX, Turns, WAIT_MS_MAX, random};

    #[test]
    fn waits_grow_and_end() {
        let mut turns = Turns::default();
        let bounds: Vec<u64> = std::iter::from_fn(|| turns.next()).collect();
        assert_eq!(bounds.len(), TURNS_MAX as usize);
        assert!(bounds.is_sorted() && bounds[0] == 100 && bounds[1] == 200 && bounds.ends_with(&[WAIT_MS_MAX]));
        assert_ne!(random(), random());
    }
}
