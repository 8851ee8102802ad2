//! A record as it will be without its secrets, and the way back to the record.

use crate::looks::marker;
use crate::rules::Rules;
use crate::search::found::Found;
use alloc::vec::Vec;
use core::ops::Range;

pub(crate) struct Clean {
    pub(crate) bytes: Vec<u8>,
    /// What takes the place of a secret, and where that stands in the record.
    markers: Vec<(Range<usize>, Range<usize>)>,
}

impl Clean {
    /// The number that a marker will have is not known yet; none looks other than the first.
    pub(crate) fn of(rules: &Rules, record: &[u8], found: &[Found]) -> Self {
        let mut clean = Self { bytes: Vec::with_capacity(record.len()), markers: Vec::with_capacity(found.len()) };
        let mut at = 0;
        for one in found {
            clean.bytes.extend_from_slice(&record[at..one.place.start]);
            let from = clean.bytes.len();
            if !one.is_rest {
                clean.bytes.extend_from_slice(marker::marker(rules.name(one.kind), 1).as_bytes());
            }
            clean.markers.push((from..clean.bytes.len(), one.place.clone()));
            at = one.place.end;
        }
        clean.bytes.extend_from_slice(&record[at..]);
        clean
    }

    /// Where a part of it is in the record. What stands for a part of a secret is taken as a whole.
    pub(crate) fn in_record(&self, part: &Range<usize>) -> Range<usize> {
        let before = |at: usize| self.markers.partition_point(|(marker, _)| marker.start < at);
        let moved = |at: usize, is_end: bool| match before(at).checked_sub(1).map(|last| &self.markers[last]) {
            None => at,
            Some((marker, place)) if at < marker.end => {
                if is_end {
                    place.end
                } else {
                    place.start
                }
            }
            Some((marker, place)) => place.end + (at - marker.end),
        };
        moved(part.start, false)..moved(part.end, true)
    }
}
