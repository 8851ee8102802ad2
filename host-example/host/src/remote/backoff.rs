//! Others are at the same branch: how long whoever was overtaken waits before trying anew, and how often.
//!
//! Rule: waits are random and their bounds double, so that any number of publishers who meet drift apart; git itself
//! gives up at once.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::thread::sleep;
use std::time::Duration;

/// Times that anybody is overtaken before giving up: twenty seconds on average, in all.
const TRIES_MAX: u32 = 24;
/// Of these, in a row, tries in which nothing moved: then it is no rival, but a lock that somebody left. Four seconds.
const IDLE_MAX: u32 = 7;
/// Milliseconds of the first wait at most.
const FIRST_WAIT_MS_MAX: u64 = 100;
/// Milliseconds of any wait at most.
const WAIT_MS_MAX: u64 = 1_600;

/// The tries of one fetch or push.
#[derive(Default)]
pub(super) struct Backoff {
    taken: u32,
    idle: u32,
}

impl Backoff {
    /// Waits for the next try; false when there is none left.
    pub(super) fn wait(&mut self) -> bool {
        let Some(bound) = self.next() else { return false };
        sleep(Duration::from_millis(random() % bound));
        true
    }

    /// Somebody else came on meanwhile.
    pub(super) fn moved(&mut self) {
        self.idle = 0;
    }

    /// Milliseconds that the next wait stays below.
    fn next(&mut self) -> Option<u64> {
        let bound = FIRST_WAIT_MS_MAX.checked_shl(self.taken).unwrap_or(WAIT_MS_MAX).min(WAIT_MS_MAX);
        (self.taken, self.idle) = (self.taken + 1, self.idle + 1);
        (self.taken <= TRIES_MAX && self.idle <= IDLE_MAX).then_some(bound)
    }
}

/// A number that another process does not have: each of these states is seeded anew.
fn random() -> u64 {
    RandomState::new().hash_one(())
}

#[cfg(test)]
mod tests {
    use super::{Backoff, IDLE_MAX, TRIES_MAX, WAIT_MS_MAX, random};

    #[test]
    fn waits_grow_and_end() {
        let mut backoff = Backoff::default();
        let among_rivals = std::iter::from_fn(|| {
            backoff.moved();
            backoff.next()
        });
        let bounds: Vec<u64> = among_rivals.collect();
        assert_eq!(bounds.len(), TRIES_MAX as usize);
        assert!(bounds.is_sorted() && bounds[0] == 100 && bounds[1] == 200 && bounds.ends_with(&[WAIT_MS_MAX]));
        let mut backoff = Backoff::default();
        assert_eq!(std::iter::from_fn(|| backoff.next()).count(), IDLE_MAX as usize, "nobody is there");
        assert_ne!(random(), random());
    }
}
