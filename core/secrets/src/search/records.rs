//! Cuts a stream into records: what is looked at at once. A record is a line, the lines of one private key, or lines
//! that tell a text piece by piece.

use crate::limits;
use crate::looks::pem;
use crate::text::{deltas, json};
use alloc::vec::Vec;

/// Lines, as they come.
#[derive(Debug, Default)]
pub(crate) struct Records {
    /// Whole lines of a record that may go on.
    begun: Vec<u8>,
    goes_on: Option<GoesOn>,
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    /// Lines that are behind.
    lines: u64,
    /// Bytes that are behind.
    bytes: u64,
}

/// Why a record has more than one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GoesOn {
    /// A private key has not ended.
    Key,
    /// A text is told piece by piece.
    Deltas,
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
    /// Takes the next bytes of the stream, or its end.
    pub(crate) fn take_next(&mut self, bytes: Option<&[u8]>, each: &mut impl FnMut(Record<'_>)) -> Result<(), TooLong> {
        match bytes {
            Some(bytes) => self.push(bytes, each),
            None => {
                self.end(each);
                Ok(())
            }
        }
    }

    fn push(&mut self, mut bytes: &[u8], each: &mut impl FnMut(Record<'_>)) -> Result<(), TooLong> {
        while let Some(end) = memchr::memchr(b'\n', bytes).map(|at| at + 1) {
            let (line, rest) = bytes.split_at(end);
            bytes = rest;
            self.check(line)?;
            if self.line.is_empty() {
                self.take(line, each);
                continue;
            }
            self.line.extend_from_slice(line);
            let line = core::mem::take(&mut self.line);
            self.take(&line, each);
            self.line = line;
            self.line.clear();
        }
        self.check(bytes)?;
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end(&mut self, each: &mut impl FnMut(Record<'_>)) {
        let line = core::mem::take(&mut self.line);
        if !line.is_empty() {
            self.take(&line, each);
        }
        self.end_begun(each);
    }

    fn check(&self, more: &[u8]) -> Result<(), TooLong> {
        if self.line.len() + more.len() <= limits::LINE_BYTES_MAX {
            return Ok(());
        }
        let before = memchr::memchr_iter(b'\n', &self.begun).count() as u64;
        Err(TooLong { line: self.lines + before + 1 })
    }

    /// Takes a whole line.
    fn take(&mut self, line: &[u8], each: &mut impl FnMut(Record<'_>)) {
        if let Some(why) = self.goes_on {
            let belongs = match why {
                // A line of JSON is no line of a key: what one string has ends within it.
                GoesOn::Key => !json::is_json(line),
                GoesOn::Deltas => deltas::is_delta(line),
            };
            if belongs {
                self.begun.extend_from_slice(line);
                let is_over = match why {
                    GoesOn::Key => pem::ends_in(line) && !pem::is_open(line) || self.begun.len() > pem::PEM_BYTES_MAX,
                    GoesOn::Deltas => self.begun.len() > limits::DELTAS_BYTES_MAX,
                };
                if is_over {
                    self.end_begun(each);
                }
                return;
            }
            self.end_begun(each);
        }
        self.goes_on = match deltas::is_delta(line) {
            true => Some(GoesOn::Deltas),
            false if pem::is_open(line) && !json::is_json(line) => Some(GoesOn::Key),
            false => None,
        };
        match self.goes_on {
            Some(_) => self.begun.extend_from_slice(line),
            None => self.end_record(line, each),
        }
    }

    fn end_begun(&mut self, each: &mut impl FnMut(Record<'_>)) {
        self.goes_on = None;
        let record = core::mem::take(&mut self.begun);
        if !record.is_empty() {
            self.end_record(&record, each);
        }
        self.begun = record;
        self.begun.clear();
    }

    fn end_record(&mut self, bytes: &[u8], each: &mut impl FnMut(Record<'_>)) {
        each(Record { bytes, line: self.lines + 1, at: self.bytes });
        self.lines += memchr::memchr_iter(b'\n', bytes).count() as u64;
        self.bytes += bytes.len() as u64;
    }
}
