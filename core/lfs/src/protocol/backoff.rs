//! How long to wait before trying again: exponential delays with jitter from the seed.

use crate::text::limits::RETRY_DELAY_MS_MIN;

/// The delay before retry `n` (from 1) without jitter: 250 ms doubled each time, up to `delay_max`.
pub(crate) fn backoff(retry: u32, delay_max: u64) -> u64 {
    match retry {
        0 => 0,
        n => RETRY_DELAY_MS_MIN
            .checked_shl(n - 1)
            .filter(|delay| delay >> (n - 1) == RETRY_DELAY_MS_MIN)
            .map_or(delay_max, |delay| delay.min(delay_max)),
    }
}

/// The only source of variation in an operation: a SplitMix64 sequence from the host's seed.
#[derive(Clone, Debug)]
pub(crate) struct Jitter(pub(crate) u64);

impl Jitter {
    /// `delay` times a number between 0.5 and 1.
    pub(crate) fn spread(&mut self, delay: u64) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let z = finished(self.0) >> 48;
        delay / 2 + (delay - delay / 2).saturating_mul(z).div_ceil(1 << 16)
    }
}

/// What SplitMix64 adds at each step.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

fn finished(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number that depends on every bit of `value`.
pub(crate) fn mixed(value: u64) -> u64 {
    finished(value.wrapping_add(STEP))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_limit() {
        let delays: Vec<u64> = (0..9).map(|n| backoff(n, 10_000)).collect();
        assert_eq!(delays, [0, 250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
        for n in [57, 63, 64, 65, 200, u32::MAX] {
            assert_eq!(backoff(n, 10_000), 10_000, "{n}");
        }
        assert_eq!(backoff(4, 1000), 1000);
    }

    #[test]
    fn jitter_stays_within_half_and_whole() {
        let mut jitter = Jitter(7);
        let spread: Vec<u64> = (0..1000).map(|_| jitter.spread(1000)).collect();
        assert!(spread.iter().all(|delay| (500..=1000).contains(delay)));
        assert!(spread.iter().any(|delay| *delay < 550) && spread.iter().any(|delay| *delay > 950));
        assert_eq!(jitter.spread(0), 0);
    }
}
