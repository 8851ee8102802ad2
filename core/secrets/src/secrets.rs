//! The secrets of a session: each value once, whatever files it stands in, with the marker that takes its place.

use crate::marker;
use crate::named::Named;
use crate::rules::{Kind, Rules};
use crate::search::rank;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// Secrets that were found, in their order. It prints none of them.
#[derive(Default)]
pub struct Secrets {
    values: BTreeMap<Vec<u8>, (usize, Kind)>,
    /// Of each kind the highest number of a marker that stands there already.
    marked: BTreeMap<String, u32>,
}

impl core::fmt::Debug for Secrets {
    fn fmt(&self, to: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(to, "Secrets({})", self.values.len())
    }
}

impl Secrets {
    /// Notes a value. One that is known keeps its place; the most definite kind names it.
    pub fn note(&mut self, kind: Kind, value: &[u8]) {
        match self.values.get_mut(value) {
            Some((_, known)) if rank(kind) < rank(*known) => *known = kind,
            Some(_) => {}
            None => {
                let at = self.values.len();
                self.values.insert(value.to_vec(), (at, kind));
            }
        }
    }

    /// Notes the markers of a text: their numbers are taken.
    pub fn note_markers(&mut self, text: &[u8]) {
        for at in memchr::memmem::find_iter(text, marker::BEGIN) {
            let Some((kind, number, _)) = marker::read(&text[at..]) else { continue };
            let highest = self.marked.entry(kind.into()).or_default();
            *highest = number.max(*highest);
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// They as values to look for: what was found in one place is found wherever it stands.
    pub fn named<'a>(&'a self, others: impl IntoIterator<Item = &'a [u8]>) -> Named {
        Named::of(self.values.keys().map(Vec::as_slice).chain(others))
    }

    /// The markers that take their places.
    pub fn markers(&self, rules: &Rules) -> Markers {
        let mut in_order: Vec<(&Vec<u8>, usize, Kind)> =
            self.values.iter().map(|(value, (at, kind))| (value, *at, *kind)).collect();
        in_order.sort_by_key(|(_, at, _)| *at);
        let mut markers = Markers { of: BTreeMap::new(), last: self.marked.clone() };
        for (value, _, kind) in in_order {
            markers.marker(rules, kind, value);
        }
        markers
    }
}

/// The markers of a session: one value has one of them, wherever it stands.
pub struct Markers {
    of: BTreeMap<Vec<u8>, String>,
    last: BTreeMap<String, u32>,
}

impl core::fmt::Debug for Markers {
    fn fmt(&self, to: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(to, "Markers({})", self.of.len())
    }
}

impl Markers {
    pub(crate) fn marker(&mut self, rules: &Rules, kind: Kind, value: &[u8]) -> &str {
        let last = &mut self.last;
        self.of.entry(value.to_vec()).or_insert_with(|| {
            let name = rules.name(kind);
            let number = last.entry(name.into()).or_default();
            *number += 1;
            marker::marker(name, *number)
        })
    }
}
