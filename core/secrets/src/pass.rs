//! One pass over a file: what is found in it, or the file without what was found.

mod samples;

pub use samples::rules_with;

use crate::looks::commands::Calls;
use crate::looks::marker::Marked;
use crate::rules::{Named, Rules};
use crate::search::records::{Record, Records, TooLong};
use crate::search::{self, Finding};
use crate::secrets::Markers;
use core::ops::Range;

/// Where a pass is in its file. It borrows nothing, so whoever keeps it says each time what is looked for; [`Scan`] and
/// [`Redact`] are the same for whoever says it once.
#[derive(Debug, Default)]
pub struct Pass {
    records: Records,
    calls: Calls,
}

impl Pass {
    /// Takes the next bytes of the file, or its end, and tells what was found in the lines that ended.
    pub fn scan(
        &mut self,
        (rules, named): (&Rules, &Named),
        marked: &mut Marked,
        bytes: Option<&[u8]>,
        heard: &mut impl FnMut(Finding<'_>),
    ) -> Result<(), TooLong> {
        let calls = &mut self.calls;
        self.records.take_next(bytes, &mut |record| {
            marked.read(record.bytes);
            tell(record, &search::search(rules, named, calls, record.bytes), heard);
        })
    }

    /// Takes the next bytes of the file, or its end, and gives what takes the place of the lines that ended.
    pub fn redact(
        &mut self,
        (rules, named): (&Rules, &Named),
        markers: &mut Markers,
        bytes: Option<&[u8]>,
        give: &mut impl FnMut(Piece<'_>),
    ) -> Result<(), TooLong> {
        let calls = &mut self.calls;
        self.records.take_next(bytes, &mut |record| {
            splice(rules, markers, record, &search::search(rules, named, calls, record.bytes), give);
        })
    }
}

/// Looks for the secrets of a file, whatever pieces it comes in.
#[derive(Debug)]
pub struct Scan<'r> {
    wanted: (&'r Rules, &'r Named),
    marked: Marked,
    pass: Pass,
}

impl<'r> Scan<'r> {
    /// Nothing was read yet.
    pub fn new(rules: &'r Rules, named: &'r Named) -> Self {
        Self { wanted: (rules, named), marked: Marked::default(), pass: Pass::default() }
    }

    /// Takes the next bytes of the file, and tells what was found in the lines that ended.
    pub fn push(&mut self, bytes: &[u8], heard: &mut impl FnMut(Finding<'_>)) -> Result<(), TooLong> {
        self.pass.scan(self.wanted, &mut self.marked, Some(bytes), heard)
    }

    /// The file ended. Gives the markers that stand in it.
    pub fn end(mut self, heard: &mut impl FnMut(Finding<'_>)) -> Marked {
        // An end is no line that could be too long.
        let _always = self.pass.scan(self.wanted, &mut self.marked, None, heard).is_ok();
        self.marked
    }
}

fn tell(record: Record<'_>, found: &[search::Found], heard: &mut impl FnMut(Finding<'_>)) {
    found.iter().filter(|found| !found.is_rest).for_each(|found| heard(finding(record, found)));
}

fn finding<'a>(record: Record<'_>, found: &'a search::Found) -> Finding<'a> {
    let before = memchr::memchr_iter(b'\n', &record.bytes[..found.place.start]).count() as u64;
    Finding { kind: found.kind, line: record.line + before, place: place_of(record, found), value: &found.value }
}

fn place_of(record: Record<'_>, found: &search::Found) -> Range<u64> {
    record.at + found.place.start as u64..record.at + found.place.end as u64
}

/// A piece of a file without its secrets.
#[derive(Debug)]
pub enum Piece<'a> {
    /// It stands in the file.
    Kept(&'a [u8]),
    /// It takes the place of a secret.
    Marker(&'a str, Finding<'a>),
    /// Here stood more of the secret whose marker was given: its next line, or the next piece in which it was told.
    Rest(Range<u64>),
}

/// Takes the secrets out of a file, whatever pieces it comes in. Every other byte stays as it is.
#[derive(Debug)]
pub struct Redact<'r> {
    wanted: (&'r Rules, &'r Named),
    markers: &'r mut Markers,
    pass: Pass,
}

impl<'r> Redact<'r> {
    /// Nothing was read yet. The markers go on from file to file.
    pub fn new(rules: &'r Rules, named: &'r Named, markers: &'r mut Markers) -> Self {
        Self { wanted: (rules, named), markers, pass: Pass::default() }
    }

    /// Takes the next bytes of the file, and gives what takes the place of the lines that ended.
    pub fn push(&mut self, bytes: &[u8], give: &mut impl FnMut(Piece<'_>)) -> Result<(), TooLong> {
        self.pass.redact(self.wanted, self.markers, Some(bytes), give)
    }

    /// The file ended.
    pub fn end(mut self, give: &mut impl FnMut(Piece<'_>)) {
        // An end is no line that could be too long.
        let _always = self.pass.redact(self.wanted, self.markers, None, give).is_ok();
    }
}

fn splice(
    rules: &Rules,
    markers: &mut Markers,
    record: Record<'_>,
    found: &[search::Found],
    give: &mut impl FnMut(Piece<'_>),
) {
    let mut at = 0;
    for found in found {
        if markers.spares(&found.value) {
            continue;
        }
        give(Piece::Kept(&record.bytes[at..found.place.start]));
        at = found.place.end;
        if found.is_rest {
            give(Piece::Rest(place_of(record, found)));
            continue;
        }
        let (kind, marker) = markers.marker(rules, found.kind, &found.value);
        give(Piece::Marker(marker, Finding { kind, ..finding(record, found) }));
    }
    give(Piece::Kept(&record.bytes[at..]));
}
