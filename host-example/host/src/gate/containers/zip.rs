//! Zip archives, by their directory, which stands at their end.
//!
//! Readers of zip differ in what they take for a member: by the directory, by the headers, of two of one name the first
//! or the last. So each entry of the directory is looked through, and an archive whose headers say something else, or
//! that holds what its directory does not name, is refused.

mod directory;

use std::io::{self, BufRead, BufReader, Read};

use flate2::Crc;

use super::bytes::{Placed, Span};
use super::found::{Each, Found};
use super::part::{CannotOpen, Name, words};
use directory::{Directory, Entry, Gap};

pub(super) use directory::{END_BYTES_MAX, is_end};

/// Whether an archive stands at the end of this: behind a program, say, that unpacks it.
pub(super) fn is_at_end(placed: &dyn Placed) -> io::Result<bool> {
    Ok(directory::end(placed)?.is_some())
}

/// Gives the content of each member, and then everything else.
pub(super) fn each_member(at: &Name, placed: &dyn Placed, each: Each<'_>) -> Result<(), CannotOpen> {
    let directory = Directory::read(at, placed)?;
    for entry in &directory.entries {
        if entry.size > 0 || entry.packed > 0 {
            content(&at.member(&entry.name(placed).map_err(|error| at.unread(&error))?), placed, entry, each)?;
        }
    }
    each(Found::Own, at, &mut Outside { placed, gaps: &directory.outside, span: None })
}

/// What one member holds.
fn content(name: &Name, placed: &dyn Placed, entry: &Entry, each: Each<'_>) -> Result<(), CannotOpen> {
    let mut packed = BufReader::new(Span::new(placed, entry.data, entry.data + entry.packed));
    entry.method.unpack(&mut packed, |content| {
        let mut proved = Proved { of: content, entry, crc: Crc::new(), count: 0 };
        each(Found::Member, name, &mut proved)?;
        // What it is proved by stands at its end.
        io::copy(&mut proved, &mut io::sink()).map_err(|error| name.unread(&error))?;
        Ok(())
    })?;
    match packed.fill_buf() {
        Ok([]) => Ok(()),
        Ok(_) => Err(name.cannot("its packed content ends before the archive says")),
        Err(error) => Err(name.cannot(words(&error))),
    }
}

/// Content of which size and sum must be those of the directory.
struct Proved<'a> {
    of: &'a mut dyn Read,
    entry: &'a Entry,
    crc: Crc,
    count: u64,
}

impl Read for Proved<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.of.read(buffer)?;
        self.crc.update(&buffer[..count]);
        self.count += count as u64;
        let is_end = count == 0 && !buffer.is_empty();
        if self.count > self.entry.size || (is_end && self.count < self.entry.size) {
            return Err(io::Error::other("it is not as long as the archive says"));
        }
        if is_end && self.crc.sum() != self.entry.crc {
            return Err(io::Error::other("its content is not what its checksum says"));
        }
        Ok(count)
    }
}

/// What lies outside of the members' contents, piece after piece.
struct Outside<'a> {
    placed: &'a dyn Placed,
    gaps: &'a [Gap],
    span: Option<Span<'a>>,
}

impl Read for Outside<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(span) = &mut self.span {
                let count = span.read(buffer)?;
                if count > 0 || buffer.is_empty() {
                    return Ok(count);
                }
            }
            let Some((gap, rest)) = self.gaps.split_first() else { return Ok(0) };
            self.gaps = rest;
            self.span = Some(Span::new(self.placed, gap.start, gap.end));
        }
    }
}
