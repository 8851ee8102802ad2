//! The secrets of a session: each value once, whatever files it stands in, with the marker that takes its place.

use crate::looks::marker::{self, Marked};
use crate::rules::{Kind, Named, Rules};
use crate::search::{Finding, rank};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

/// Secrets that were found, in their order. It prints none of them.
#[derive(Default)]
pub struct Secrets {
    values: BTreeMap<Vec<u8>, (usize, Kind)>,
    spared: BTreeSet<Vec<u8>>,
    marked: Marked,
}

impl core::fmt::Debug for Secrets {
    fn fmt(&self, to: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(to, "Secrets({})", self.values.len())
    }
}

impl Secrets {
    /// Notes what was found. A value that is known keeps its place; the most definite kind names it.
    pub fn note(&mut self, finding: &Finding<'_>) {
        let at = self.values.len();
        match self.values.get_mut(finding.value) {
            Some((_, known)) if rank(finding.kind) < rank(*known) => *known = finding.kind,
            Some(_) => {}
            None => {
                self.values.insert(finding.value.to_vec(), (at, finding.kind));
            }
        }
    }

    /// Notes a value that stays where it stands.
    pub fn spare(&mut self, value: &[u8]) {
        self.spared.insert(value.to_vec());
    }

    /// Notes the markers of a file: their numbers are taken.
    pub fn note_marked(&mut self, marked: &Marked) {
        self.marked.add(marked);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// They as values to look for, and others: what was found in one place is found wherever it stands.
    pub fn named<'a>(&'a self, others: impl IntoIterator<Item = &'a [u8]>) -> Named {
        Named::of(self.values.keys().map(Vec::as_slice).chain(others))
    }

    /// The markers that take their places.
    pub fn markers(&self, rules: &Rules) -> Markers {
        let mut in_order: Vec<(&Vec<u8>, usize, Kind)> =
            self.values.iter().map(|(value, (at, kind))| (value, *at, *kind)).collect();
        in_order.sort_by_key(|(_, at, _)| *at);
        let mut markers = Markers { of: BTreeMap::new(), spared: self.spared.clone(), marked: self.marked.clone() };
        for (value, _, kind) in in_order {
            markers.marker(rules, kind, value);
        }
        markers
    }
}

/// The markers of a session: one value has one of them, wherever it stands.
pub struct Markers {
    of: BTreeMap<Vec<u8>, (Kind, String)>,
    spared: BTreeSet<Vec<u8>>,
    marked: Marked,
}

impl core::fmt::Debug for Markers {
    fn fmt(&self, to: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(to, "Markers({})", self.of.len())
    }
}

impl Markers {
    /// How many values have one.
    pub fn len(&self) -> usize {
        self.of.len()
    }

    /// Whether none has.
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// Whether a value stays where it stands.
    pub(crate) fn spares(&self, value: &[u8]) -> bool {
        self.spared.contains(value)
    }

    /// The marker of a value, and the kind that it names.
    pub(crate) fn marker(&mut self, rules: &Rules, kind: Kind, value: &[u8]) -> (Kind, &str) {
        let marked = &mut self.marked;
        let (kind, marker) = self.of.entry(value.to_vec()).or_insert_with(|| {
            let name = rules.name(kind);
            (kind, marker::marker(name, marked.next(name)))
        });
        (*kind, marker)
    }
}
