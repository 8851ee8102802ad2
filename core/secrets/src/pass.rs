//! One pass over a file: what is found in it, or the file without what was found.

use crate::named::Named;
use crate::records::{Record, Records, TooLong};
use crate::rules::{Kind, Rules};
use crate::search;
use crate::secrets::{Markers, Secrets};
use core::ops::Range;

/// A secret that was found. It prints no value.
pub struct Finding<'a> {
    /// What it is.
    pub kind: Kind,
    /// The line that it begins in, from 1.
    pub line: u64,
    /// Where it stands in the file.
    pub place: Range<u64>,
    /// What it says, decoded.
    pub value: &'a [u8],
}

impl core::fmt::Debug for Finding<'_> {
    fn fmt(&self, to: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(to, "Finding({:?}, line {}, {:?})", self.kind, self.line, self.place)
    }
}

/// Looks for the secrets of a file, whatever pieces it comes in.
#[derive(Debug)]
pub struct Scan<'r> {
    rules: &'r Rules,
    named: &'r Named,
    records: Records,
}

impl<'r> Scan<'r> {
    /// Nothing was read yet.
    pub fn new(rules: &'r Rules, named: &'r Named) -> Self {
        Self { rules, named, records: Records::default() }
    }

    /// Takes the next bytes of the file, and tells what was found in the lines that ended.
    pub fn push(&mut self, bytes: &[u8], heard: &mut impl FnMut(Finding<'_>)) -> Result<(), TooLong> {
        let (rules, named) = (self.rules, self.named);
        self.records.push(bytes, &mut |record| tell(rules, named, record, heard))
    }

    /// The file ended.
    pub fn end(mut self, heard: &mut impl FnMut(Finding<'_>)) {
        let (rules, named) = (self.rules, self.named);
        self.records.end(&mut |record| tell(rules, named, record, heard));
    }
}

fn tell(rules: &Rules, named: &Named, record: Record<'_>, heard: &mut impl FnMut(Finding<'_>)) {
    for found in search::search(rules, named, record.bytes) {
        let before = memchr::memchr_iter(b'\n', &record.bytes[..found.place.start]).count() as u64;
        let place = record.at + found.place.start as u64..record.at + found.place.end as u64;
        heard(Finding { kind: found.kind, line: record.line + before, place, value: &found.value });
    }
}

/// Takes the secrets out of a file, whatever pieces it comes in. Every other byte stays as it is.
#[derive(Debug)]
pub struct Redact<'r> {
    rules: &'r Rules,
    named: &'r Named,
    markers: &'r mut Markers,
    records: Records,
}

impl<'r> Redact<'r> {
    /// Nothing was read yet. The markers go on from file to file.
    pub fn new(rules: &'r Rules, named: &'r Named, markers: &'r mut Markers) -> Self {
        Self { rules, named, markers, records: Records::default() }
    }

    /// Takes the next bytes of the file, and gives what takes the place of the lines that ended.
    pub fn push(&mut self, bytes: &[u8], give: &mut impl FnMut(&[u8])) -> Result<(), TooLong> {
        let (rules, named, markers) = (self.rules, self.named, &mut *self.markers);
        self.records.push(bytes, &mut |record| splice(rules, named, markers, record.bytes, give))
    }

    /// The file ended.
    pub fn end(mut self, give: &mut impl FnMut(&[u8])) {
        let (rules, named, markers) = (self.rules, self.named, &mut *self.markers);
        self.records.end(&mut |record| splice(rules, named, markers, record.bytes, give));
    }
}

fn splice(rules: &Rules, named: &Named, markers: &mut Markers, record: &[u8], give: &mut impl FnMut(&[u8])) {
    let mut at = 0;
    for found in search::search(rules, named, record) {
        give(&record[at..found.place.start]);
        give(markers.marker(rules, found.kind, &found.value).as_bytes());
        at = found.place.end;
    }
    give(&record[at..]);
}

/// The secrets of a whole text.
pub fn secrets_of(rules: &Rules, named: &Named, text: &[u8]) -> Result<Secrets, TooLong> {
    let mut secrets = Secrets::default();
    secrets.note_markers(text);
    let mut scan = Scan::new(rules, named);
    let mut note = |finding: Finding<'_>| secrets.note(finding.kind, finding.value);
    scan.push(text, &mut note)?;
    scan.end(&mut note);
    Ok(secrets)
}
