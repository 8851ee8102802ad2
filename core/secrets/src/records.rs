//! Cuts a stream into records: what is looked at at once. A record is a line, or the lines of one private key.

use crate::{json, limits, pem};
use alloc::vec::Vec;

/// Lines, as they come.
#[derive(Debug, Default)]
pub(crate) struct Records {
    /// The beginning of a record whose end has not come.
    begun: Vec<u8>,
    /// Bytes of it that are whole lines of a private key.
    key: usize,
    /// Lines that are behind.
    lines: u64,
    /// Bytes that are behind.
    bytes: u64,
}

/// Lines that are looked at at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) bytes: &'a [u8],
    /// The number of its first line, from 1.
    pub(crate) line: u64,
    /// Where it begins in the stream.
    pub(crate) at: u64,
}

/// A line that is too long to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong {
    /// Its number, from 1.
    pub line: u64,
}

impl Records {
    pub(crate) fn push(&mut self, mut bytes: &[u8], each: &mut impl FnMut(Record<'_>)) -> Result<(), TooLong> {
        while let Some(end) = memchr::memchr(b'\n', bytes).map(|at| at + 1) {
            let (line, rest) = bytes.split_at(end);
            bytes = rest;
            self.check(line)?;
            if self.begun.is_empty() {
                if is_open(line) {
                    self.begun.extend_from_slice(line);
                    self.key = line.len();
                } else {
                    self.end_record(line, each);
                }
                continue;
            }
            self.begun.extend_from_slice(line);
            let goes_on = self.begun.len() < pem::PEM_BYTES_MAX
                && if self.key == 0 { is_open(&self.begun) } else { !pem::ends_in(&self.begun[self.key..]) };
            if goes_on {
                self.key = self.begun.len();
            } else {
                let record = core::mem::take(&mut self.begun);
                self.key = 0;
                self.end_record(&record, each);
                self.begun = record;
                self.begun.clear();
            }
        }
        self.check(bytes)?;
        self.begun.extend_from_slice(bytes);
        Ok(())
    }

    pub(crate) fn end(&mut self, each: &mut impl FnMut(Record<'_>)) {
        let record = core::mem::take(&mut self.begun);
        if !record.is_empty() {
            self.end_record(&record, each);
        }
    }

    fn check(&self, line: &[u8]) -> Result<(), TooLong> {
        let begun = self.begun.len() - self.key;
        if begun + line.len() <= limits::LINE_BYTES_MAX {
            return Ok(());
        }
        let before = memchr::memchr_iter(b'\n', &self.begun).count() as u64;
        Err(TooLong { line: self.lines + before + 1 })
    }

    fn end_record(&mut self, bytes: &[u8], each: &mut impl FnMut(Record<'_>)) {
        each(Record { bytes, line: self.lines + 1, at: self.bytes });
        self.lines += memchr::memchr_iter(b'\n', bytes).count() as u64;
        self.bytes += bytes.len() as u64;
    }
}

/// Whether a private key begins in a line of text and goes on in the next one.
fn is_open(line: &[u8]) -> bool {
    pem::is_open(line) && !json::is_json(line)
}
