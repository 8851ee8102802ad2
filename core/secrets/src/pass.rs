//! One pass over a file: what is found in it, or the file without what was found.

mod samples;

pub use samples::rules_with;

use crate::looks::commands::Calls;
use crate::looks::marker::Marked;
use crate::rules::{Named, Rules};
use crate::search::records::{Record, Records, TooLong};
use crate::search::{self, Finding};
use crate::secrets::Markers;

/// Looks for the secrets of a file, whatever pieces it comes in.
#[derive(Debug)]
pub struct Scan<'r> {
    rules: &'r Rules,
    named: &'r Named,
    records: Records,
    calls: Calls,
    marked: Marked,
}

impl<'r> Scan<'r> {
    /// Nothing was read yet.
    pub fn new(rules: &'r Rules, named: &'r Named) -> Self {
        Self { rules, named, records: Records::default(), calls: Calls::default(), marked: Marked::default() }
    }

    /// Takes the next bytes of the file, and tells what was found in the lines that ended.
    pub fn push(&mut self, bytes: &[u8], heard: &mut impl FnMut(Finding<'_>)) -> Result<(), TooLong> {
        let (rules, named, calls, marked) = (self.rules, self.named, &mut self.calls, &mut self.marked);
        self.records.push(bytes, &mut |record| {
            marked.read(record.bytes);
            tell(record, &search::search(rules, named, calls, record.bytes), heard);
        })
    }

    /// The file ended. Gives the markers that stand in it.
    pub fn end(mut self, heard: &mut impl FnMut(Finding<'_>)) -> Marked {
        let (rules, named, calls, marked) = (self.rules, self.named, &mut self.calls, &mut self.marked);
        self.records.end(&mut |record| {
            marked.read(record.bytes);
            tell(record, &search::search(rules, named, calls, record.bytes), heard);
        });
        self.marked
    }
}

fn tell(record: Record<'_>, found: &[search::Found], heard: &mut impl FnMut(Finding<'_>)) {
    found.iter().filter(|found| !found.is_rest).for_each(|found| heard(finding(record, found)));
}

fn finding<'a>(record: Record<'_>, found: &'a search::Found) -> Finding<'a> {
    let before = memchr::memchr_iter(b'\n', &record.bytes[..found.place.start]).count() as u64;
    let place = record.at + found.place.start as u64..record.at + found.place.end as u64;
    Finding { kind: found.kind, line: record.line + before, place, value: &found.value }
}

/// A piece of a file without its secrets.
#[derive(Debug)]
pub enum Piece<'a> {
    /// It stands in the file.
    Kept(&'a [u8]),
    /// It takes the place of a secret.
    Marker(&'a str, Finding<'a>),
}

/// Takes the secrets out of a file, whatever pieces it comes in. Every other byte stays as it is.
#[derive(Debug)]
pub struct Redact<'r> {
    rules: &'r Rules,
    named: &'r Named,
    markers: &'r mut Markers,
    records: Records,
    calls: Calls,
}

impl<'r> Redact<'r> {
    /// Nothing was read yet. The markers go on from file to file.
    pub fn new(rules: &'r Rules, named: &'r Named, markers: &'r mut Markers) -> Self {
        Self { rules, named, markers, records: Records::default(), calls: Calls::default() }
    }

    /// Takes the next bytes of the file, and gives what takes the place of the lines that ended.
    pub fn push(&mut self, bytes: &[u8], give: &mut impl FnMut(Piece<'_>)) -> Result<(), TooLong> {
        let (rules, named, calls, markers) = (self.rules, self.named, &mut self.calls, &mut *self.markers);
        self.records.push(bytes, &mut |record| {
            splice(rules, markers, record, &search::search(rules, named, calls, record.bytes), give);
        })
    }

    /// The file ended.
    pub fn end(mut self, give: &mut impl FnMut(Piece<'_>)) {
        let (rules, named, calls, markers) = (self.rules, self.named, &mut self.calls, &mut *self.markers);
        self.records.end(&mut |record| {
            splice(rules, markers, record, &search::search(rules, named, calls, record.bytes), give);
        });
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
        if !found.is_rest {
            let (kind, marker) = markers.marker(rules, found.kind, &found.value);
            give(Piece::Marker(marker, Finding { kind, ..finding(record, found) }));
        }
    }
    give(Piece::Kept(&record.bytes[at..]));
}
