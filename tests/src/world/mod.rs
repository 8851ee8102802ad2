//! The simulated world: a server, a store and a clock that fail as real ones do, and checkers that look after every
//! step.
//!
//! One fault plan decides everything that goes wrong. The exhaustive plan places one fault at one effect and is run for
//! every fault and every effect of a small world; the seeded plan draws faults by odds that the seed itself decides, so
//! that some runs have none and some have little else. A failure names its seed and the last lines of its trace.

mod alone;
mod crowd;
mod drive;
mod fault;
mod host;
mod laws;
mod ledger;
mod repairs;
mod rival;
mod scene;
mod server;
mod store;
mod unpushed;

pub use alone::{Alone, Rest};
pub use crowd::{Crowd, Explored, Finish, Part};
pub use drive::{Ended, Job, Order, World, run, run_through};
pub use fault::{Fault, Faults, Plan};
pub use host::Feed;
pub use ledger::{Remote, Tree};
pub use rival::Rival;
pub use scene::{Scene, again, entries, publishes, readable_elsewhere};
pub use server::{Answer, ENDPOINT, Server};
pub use store::{Inode, Store};

use hydrant_lfs::text::oid::{Blob, Hasher};

/// A sequence of numbers from a seed: SplitMix64.
#[derive(Clone, Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// The next number below `bound`.
    pub fn roll(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound.max(1) as u64) as usize
    }

    /// True once in `odds` times; never when `odds` is 0.
    pub fn once_in(&mut self, odds: usize) -> bool {
        odds > 0 && self.roll(odds) == 0
    }
}

/// The name of bytes.
pub fn blob(bytes: &[u8]) -> Blob {
    let mut hasher = Hasher::default();
    hasher.update(bytes);
    hasher.finish()
}

/// Deterministic content of a given length, different for every number.
pub fn content(number: usize, length: usize) -> Vec<u8> {
    let mut dice = Dice(number as u64 + 1);
    (0..length).map(|_| dice.roll(256) as u8).collect()
}
