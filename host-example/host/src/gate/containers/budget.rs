//! What may still be looked through of a file, and readers that keep to it.

use std::cell::Cell;
use std::io::{self, Read};

use super::limits::{HELD_BYTES_MAX, MEMBERS_MAX, UNPACKED_BYTES_FREE, UNPACKED_RATIO_MAX, too_many_members};
use super::part::words;
use crate::text::bytes_text;

/// What was used of it.
pub(super) struct Budget {
    unpacked_max: u64,
    unpacked: Cell<u64>,
    members: Cell<u64>,
    held: Cell<u64>,
}

impl Budget {
    /// Of a file of this size.
    pub(super) fn of(packed: u64) -> Self {
        let unpacked_max = packed.saturating_mul(UNPACKED_RATIO_MAX).max(UNPACKED_BYTES_FREE);
        Self { unpacked_max, unpacked: Cell::new(0), members: Cell::new(0), held: Cell::new(0) }
    }

    /// One member more.
    pub(super) fn member(&self) -> Result<(), String> {
        self.members.set(self.members.get() + 1);
        match self.members.get() > MEMBERS_MAX {
            true => Err(too_many_members()),
            false => Ok(()),
        }
    }

    /// So many unpacked bytes more.
    pub(super) fn unpack(&self, bytes: u64) -> io::Result<()> {
        self.unpacked.set(self.unpacked.get().saturating_add(bytes));
        if self.unpacked.get() <= self.unpacked_max {
            return Ok(());
        }
        let max = bytes_text(self.unpacked_max);
        Err(io::Error::other(format!("more than {max} come out of so small a file: unpack it, and look through that")))
    }

    /// All of a stream, held in memory until the value that is given is dropped.
    pub(super) fn hold(&self, stream: &mut dyn Read) -> io::Result<Held<'_>> {
        let left = HELD_BYTES_MAX - self.held.get();
        let mut bytes = Vec::new();
        stream.take(left + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > left {
            let max = bytes_text(HELD_BYTES_MAX);
            return Err(io::Error::other(format!(
                "it is a zip archive above {max} in another file: unpack that first"
            )));
        }
        self.held.set(self.held.get() + bytes.len() as u64);
        Ok(Held { bytes, budget: self })
    }
}

/// Bytes in memory.
pub(super) struct Held<'b> {
    pub(super) bytes: Vec<u8>,
    budget: &'b Budget,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.budget.held.set(self.budget.held.get() - self.bytes.len() as u64);
    }
}

/// What comes out of a container. The first failure stays: whoever reads on meets it again, and whoever hid it is told.
pub(super) struct Counted<'a> {
    of: &'a mut dyn Read,
    budget: &'a Budget,
    failure: Option<String>,
}

impl<'a> Counted<'a> {
    pub(super) fn new(of: &'a mut dyn Read, budget: &'a Budget) -> Self {
        Self { of, budget, failure: None }
    }

    /// Why it could not be read to its end.
    pub(super) fn failure(self) -> Option<String> {
        self.failure
    }
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(why) = &self.failure {
            return Err(io::Error::other(why.clone()));
        }
        let read = self.of.read(buffer).and_then(|count| self.budget.unpack(count as u64).map(|()| count));
        if let Err(error) = &read
            && error.kind() != io::ErrorKind::Interrupted
        {
            self.failure = Some(words(error));
        }
        read
    }
}
