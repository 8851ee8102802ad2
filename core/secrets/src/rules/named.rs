//! Values that whoever calls has named: from variables of the environment, from files that git ignores, or found
//! before.

use crate::looks::plausible;
use aho_corasick::{AhoCorasick, MatchKind};
use alloc::vec::Vec;
use core::ops::Range;

/// Values to look for, as they are.
#[derive(Default)]
pub struct Named {
    automaton: Option<AhoCorasick>,
}

impl core::fmt::Debug for Named {
    fn fmt(&self, to: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        to.write_str("Named")
    }
}

impl Named {
    /// Of these values those that can be secrets: not shorter than eight bytes, no word, path, number or placeholder.
    pub fn of<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let values: Vec<&[u8]> = values.into_iter().filter(|value| plausible::is_plausible(value)).collect();
        let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&values).ok();
        Self { automaton: automaton.filter(|_| !values.is_empty()) }
    }

    pub(crate) fn each(&self, text: &[u8], mut each: impl FnMut(Range<usize>)) {
        let Some(automaton) = &self.automaton else { return };
        automaton.find_iter(text).for_each(|found| each(found.range()));
    }
}
