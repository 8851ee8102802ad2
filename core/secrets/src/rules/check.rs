//! What must hold of a token beside its looks.

use crate::plausible;

/// What tells a token from a text that only looks like one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// It is no placeholder.
    NoPlaceholder,
    /// Its last six characters are the CRC-32 of those between them and the `_`, in base 62; or, should the provider
    /// change that, it looks as if chance had made it.
    /// Source: GitHub's blog, "Behind GitHub's new authentication token formats" (2021).
    Crc32InBase62,
}

impl Check {
    pub(crate) fn holds(self, token: &[u8]) -> bool {
        match self {
            Self::NoPlaceholder => !plausible::is_placeholder(token),
            Self::Crc32InBase62 => has_crc(token) || (plausible::is_random(token) && !plausible::is_placeholder(token)),
        }
    }
}

const SUM_CHARS: usize = 6;

fn has_crc(token: &[u8]) -> bool {
    let from = memchr::memrchr(b'_', token).map_or(0, |at| at + 1);
    let Some((random, sum)) = token[from..].split_last_chunk::<SUM_CHARS>() else { return false };
    base62(crc32(random)) == *sum
}

fn base62(mut value: u32) -> [u8; SUM_CHARS] {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text = [b'0'; SUM_CHARS];
    for digit in text.iter_mut().rev() {
        *digit = DIGITS[(value % 62) as usize];
        value /= 62;
    }
    text
}

/// Source: ISO 3309, as in gzip (RFC 1952, section 8).
fn crc32(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0xEDB8_8320;
    let step = |sum: u32, _| if sum & 1 == 1 { sum >> 1 ^ POLYNOMIAL } else { sum >> 1 };
    !bytes.iter().fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_that_of_gzip() {
        // The check value that ISO 3309's tables are told by.
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(&base62(0), b"000000");
        assert_eq!(&base62(61), b"00000z");
        assert_eq!(&base62(u32::MAX), b"4gfFC3");
    }
}
