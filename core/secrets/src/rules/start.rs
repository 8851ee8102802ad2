//! Where a token begins, as seen from the text that tells of it.

use core::ops::Range;

/// Where a token begins. What tells of it is one of its `begins`.
#[derive(Clone, Copy, Debug)]
pub enum Start {
    /// With what tells of it, which does not go on a word.
    There,
    /// Behind what tells of it, which is no part of it.
    Behind,
    /// So many bytes of these before what tells of it, which is a part of it. Not one more of these stands before them.
    Before {
        /// Bytes at least.
        least: usize,
        /// Bytes at most.
        most: usize,
        /// Which bytes.
        of: fn(&u8) -> bool,
    },
}

impl Start {
    /// Just so many bytes before what tells of it.
    pub(crate) const fn before(count: usize, of: fn(&u8) -> bool) -> Self {
        Self::Before { least: count, most: count, of }
    }

    /// Where the token begins, if it can begin here.
    pub(crate) fn of(self, text: &[u8], told: &Range<usize>) -> Option<usize> {
        match self {
            Self::There => {
                let goes_on = told.start > 0 && is_of_word(&text[told.start - 1]) && is_of_word(&text[told.start]);
                (!goes_on).then_some(told.start)
            }
            Self::Behind => Some(told.end),
            Self::Before { least, most, of } => {
                let count = text[..told.start].iter().rev().take(most + 1).take_while(|byte| of(byte)).count();
                (least..=most).contains(&count).then(|| told.start - count)
            }
        }
    }
}

/// Bytes that words, names and most tokens are made of.
pub(crate) fn is_of_word(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'_'
}
