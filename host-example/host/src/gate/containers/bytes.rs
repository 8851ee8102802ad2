//! Bytes that can be read in any order, and bytes that come once.

use std::fs::File;
use std::io::{self, Read};

use crate::files::platform;

/// Bytes that can be read in any order.
pub(super) trait Placed {
    /// How many there are.
    fn size(&self) -> u64;
    /// Reads some of them.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize>;
}

/// A file with the size that it had.
pub(super) struct WholeFile<'a>(&'a File, u64);

impl<'a> WholeFile<'a> {
    pub(super) fn of(file: &'a File) -> io::Result<Self> {
        Ok(Self(file, file.metadata()?.len()))
    }
}

impl Placed for WholeFile<'_> {
    fn size(&self) -> u64 {
        self.1
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        platform::read_at(self.0, buffer, at)
    }
}

impl Placed for Vec<u8> {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let at = usize::try_from(at).unwrap_or(usize::MAX).min(self.len());
        (&self[at..]).read(buffer)
    }
}

/// Fills a buffer with the bytes at a place; none of them may be missing.
pub(super) fn exact(placed: &dyn Placed, buffer: &mut [u8], at: u64) -> io::Result<()> {
    Span::new(placed, at, at.saturating_add(buffer.len() as u64)).read_exact(buffer)
}

/// Some of these bytes, in their order. That they end early is an error.
pub(super) struct Span<'a> {
    of: &'a dyn Placed,
    at: u64,
    end: u64,
}

impl<'a> Span<'a> {
    pub(super) fn new(of: &'a dyn Placed, at: u64, end: u64) -> Self {
        Self { of, at, end }
    }

    pub(super) fn whole(of: &'a dyn Placed) -> Self {
        Self::new(of, 0, of.size())
    }
}

impl Read for Span<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let buffer_len = buffer.len().min(left);
        if buffer_len == 0 {
            return Ok(0);
        }
        let count = self.of.read_at(&mut buffer[..buffer_len], self.at)?;
        self.at += count as u64;
        if count == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(count) }
    }
}

/// So many bytes of a stream. That it ends early is an error.
pub(super) struct Exactly<'a> {
    of: &'a mut dyn Read,
    left: u64,
}

impl<'a> Exactly<'a> {
    pub(super) fn new(of: &'a mut dyn Read, count: u64) -> Self {
        Self { of, left: count }
    }
}

impl Read for Exactly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let buffer_len = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if buffer_len == 0 {
            return Ok(0);
        }
        let count = self.of.read(&mut buffer[..buffer_len])?;
        self.left -= count as u64;
        if count == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(count) }
    }
}

/// The beginning of a stream: so many bytes, or all where it has fewer.
pub(super) fn beginning(stream: &mut dyn Read, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.take(count as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}
