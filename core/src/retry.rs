//! When to try again: exponential delays with jitter from the seed, and what a server asks for in Retry-After.

use crate::clock;
use crate::limits::RETRY_DELAY_MS_MIN;

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

/// Milliseconds that a Retry-After value asks for: whole seconds or an HTTP date (one in the past asks for none).
///
/// A number too large for its type is no number: it falls back to our own delays instead of a wait for ever.
pub fn retry_after(value: &str, now: u64) -> Option<u64> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|c| c.is_ascii_digit()) {
        return value.parse::<u64>().ok()?.checked_mul(1000);
    }
    let date = clock::http_date(value)?;
    Some(u64::try_from(date).unwrap_or(0).saturating_sub(now))
}

/// The only source of variation in an operation: a SplitMix64 sequence from the host's seed.
#[derive(Clone, Debug)]
pub(crate) struct Jitter(pub(crate) u64);

impl Jitter {
    /// `delay` times a number between 0.5 and 1.
    pub(crate) fn spread(&mut self, delay: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let z = (z ^ (z >> 31)) >> 48;
        delay / 2 + (delay - delay / 2).saturating_mul(z).div_ceil(1 << 16)
    }
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
