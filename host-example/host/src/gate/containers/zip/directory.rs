//! The directory of a zip archive: its entries, and what of the file belongs to none of them.

use std::io::{self, Read};
use std::ops::Range;

use memchr::memmem;

use crate::gate::containers::bytes::{Placed, Span, exact};
use crate::gate::containers::limits::{MEMBERS_MAX, NAME_BYTES_MAX, long_name, too_many_members};
use crate::gate::containers::packed::Method;
use crate::gate::containers::part::{CannotOpen, Name};

/// Bytes of the file.
pub(super) type Gap = Range<u64>;

const LOCAL: &[u8; 4] = b"PK\x03\x04";
const CENTRAL: &[u8; 4] = b"PK\x01\x02";
const END: &[u8; 4] = b"PK\x05\x06";
const END_64: &[u8; 4] = b"PK\x06\x06";
const LOCATOR_64: &[u8; 4] = b"PK\x06\x07";

/// Bytes of a local header before its name.
const LOCAL_BYTES: u64 = 30;
/// Bytes of an entry before its name.
const CENTRAL_BYTES: u64 = 46;
/// Bytes of the record at the end before its comment.
const END_BYTES: usize = 22;
/// Bytes of it with the longest comment.
pub(in super::super) const END_BYTES_MAX: usize = END_BYTES + u16::MAX as usize;
/// Bytes of what says where the larger record is, and of that record.
const LOCATOR_64_BYTES: u64 = 20;
const END_64_BYTES: u64 = 56;
/// Bytes that are searched at once.
const SEARCH_BYTES: usize = 64 * 1024;

/// The content is encrypted.
const ENCRYPTED: u16 = 1 << 0;
/// Bits of a member that say that it is encrypted, a patch, or has its headers masked.
const CLOSED_BITS: [(u16, &str); 3] = [
    (ENCRYPTED, "it is encrypted: unpack it with its password, and look through that"),
    (1 << 5, "it is a patch of another file"),
    (1 << 13, "its headers are encrypted: unpack it with its password, and look through that"),
];
/// The sizes follow the content.
const SIZES_FOLLOW: u16 = 1 << 3;

/// One member.
pub(super) struct Entry {
    /// Where its name stands in the directory.
    name: Range<u64>,
    /// Where its own header stands.
    header: u64,
    /// Where its packed content begins.
    pub(super) data: u64,
    pub(super) packed: u64,
    pub(super) size: u64,
    pub(super) crc: u32,
    pub(super) method: Method,
}

impl Entry {
    pub(super) fn name(&self, placed: &dyn Placed) -> io::Result<Vec<u8>> {
        let mut name = Vec::new();
        Span::new(placed, self.name.start, self.name.end).read_to_end(&mut name)?;
        Ok(name)
    }
}

/// All of them.
pub(super) struct Directory {
    pub(super) entries: Vec<Entry>,
    /// What is no member's content.
    pub(super) outside: Vec<Gap>,
}

/// Whether bytes end with the last record of an archive. Its comment reaches to the end.
pub(in super::super) fn is_end(bytes: &[u8]) -> bool {
    end_in(bytes).is_some()
}

fn end_in(bytes: &[u8]) -> Option<usize> {
    memmem::rfind_iter(bytes, END).find(|at| {
        let comment = bytes.get(at + 20..at + 22).map(|field| usize::from(u16_of(field)));
        comment.is_some_and(|comment| at + END_BYTES + comment == bytes.len())
    })
}

/// Where the last record begins.
pub(super) fn end(placed: &dyn Placed) -> io::Result<Option<u64>> {
    let from = placed.size().saturating_sub(END_BYTES_MAX as u64);
    let mut tail = Vec::new();
    Span::new(placed, from, placed.size()).read_to_end(&mut tail)?;
    Ok(end_in(&tail).map(|at| from + at as u64))
}

fn u16_of(bytes: &[u8]) -> u16 {
    bytes.first_chunk().map_or(0, |bytes| u16::from_le_bytes(*bytes))
}

fn u32_of(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn u64_of(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Where the directory is, and how much it says it holds.
struct Place {
    start: u64,
    end: u64,
    /// Bytes before the archive, which its offsets do not count.
    before: u64,
    count: u64,
    /// The count has only its lowest 16 bits.
    is_short_count: bool,
}

/// Reads the archive's headers.
struct Reader<'a> {
    at: &'a Name,
    placed: &'a dyn Placed,
}

impl Directory {
    pub(super) fn read(at: &Name, placed: &dyn Placed) -> Result<Directory, CannotOpen> {
        let reader = Reader { at, placed };
        let place = reader.place()?;
        let mut entries = reader.entries(&place)?;
        // As they lie in the file: none may reach into the next one, or into the directory.
        entries.sort_by_key(|entry| entry.header);
        let (mut outside, mut free) = (Vec::new(), 0);
        for entry in &entries {
            if entry.header < free {
                return Err(reader.broken("two members overlap"));
            }
            reader.check_gap(free..entry.header)?;
            outside.push(free..entry.data);
            free = entry.data + entry.packed;
        }
        if free > place.start {
            return Err(reader.broken("a member reaches into its directory"));
        }
        reader.check_gap(free..place.start)?;
        outside.push(free..placed.size());
        Ok(Directory { entries, outside })
    }
}

impl Reader<'_> {
    fn broken(&self, what: &str) -> CannotOpen {
        self.at.cannot(format!("it is broken ({what})"))
    }

    fn bytes<const N: usize>(&self, at: u64) -> Result<[u8; N], CannotOpen> {
        let mut bytes = [0; N];
        exact(self.placed, &mut bytes, at).map_err(|error| self.at.unread(&error))?;
        Ok(bytes)
    }

    fn place(&self) -> Result<Place, CannotOpen> {
        let end = end(self.placed).map_err(|error| self.at.unread(&error))?;
        let end = end.ok_or_else(|| {
            self.at.cannot("it has no directory at its end: it is cut off, or has something behind it")
        })?;
        let record: [u8; END_BYTES] = self.bytes(end)?;
        let (mut count, mut size, mut offset) =
            (u64::from(u16_of(&record[10..])), u64::from(u32_of(&record[12..])), u64::from(u32_of(&record[16..])));
        let mut disks = [u32::from(u16_of(&record[4..])), u32::from(u16_of(&record[6..]))];
        let mut directory_end = end;
        let mut is_short_count = true;
        let locator = end.checked_sub(LOCATOR_64_BYTES).map(|at| self.bytes::<20>(at).map(|bytes| (at, bytes)));
        if let Some((locator_at, locator)) = locator.transpose()?.filter(|(_, bytes)| bytes.starts_with(LOCATOR_64)) {
            let larger_at = self.larger_record(locator_at, u64_of(&locator[8..]))?;
            let larger: [u8; END_64_BYTES as usize] = self.bytes(larger_at)?;
            disks = [u32_of(&larger[16..]), u32_of(&larger[20..])];
            (count, size, offset) = (u64_of(&larger[32..]), u64_of(&larger[40..]), u64_of(&larger[48..]));
            (directory_end, is_short_count) = (larger_at, false);
        }
        if disks != [0, 0] {
            return Err(self.at.cannot("it is one of several volumes: put them together first"));
        }
        if count > MEMBERS_MAX {
            return Err(self.at.cannot(too_many_members()));
        }
        let start =
            directory_end.checked_sub(size).ok_or_else(|| self.broken("its directory is longer than the file"))?;
        let before = start.checked_sub(offset).ok_or_else(|| self.broken("its directory is not where it says"))?;
        Ok(Place { start, end: directory_end, before, count, is_short_count })
    }

    /// Where the record is whose numbers have 64 bits. With bytes before the archive it is not where it says.
    fn larger_record(&self, locator_at: u64, said: u64) -> Result<u64, CannotOpen> {
        let guesses = [Some(said), locator_at.checked_sub(END_64_BYTES)];
        for at in guesses.into_iter().flatten().filter(|at| at.saturating_add(END_64_BYTES) <= locator_at) {
            if self.bytes::<4>(at)? == *END_64 {
                return Ok(at);
            }
        }
        Err(self.broken("it has no directory of 64 bits where it says"))
    }

    fn entries(&self, place: &Place) -> Result<Vec<Entry>, CannotOpen> {
        let mut entries = Vec::new();
        let mut at = place.start;
        while at < place.end {
            if entries.len() as u64 == MEMBERS_MAX {
                return Err(self.at.cannot(too_many_members()));
            }
            let (entry, next) = self.entry(at, place)?;
            entries.push(entry);
            at = next;
        }
        let counted = entries.len() as u64;
        let is_right = place.count == if place.is_short_count { counted & 0xffff } else { counted };
        if at == place.end && is_right { Ok(entries) } else { Err(self.broken("its directory has another length")) }
    }

    /// The entry at a place of the directory, and where the next one is.
    fn entry(&self, at: u64, place: &Place) -> Result<(Entry, u64), CannotOpen> {
        let record: [u8; CENTRAL_BYTES as usize] = self.bytes(at)?;
        if !record.starts_with(CENTRAL) {
            return Err(self.broken("an entry of its directory is none"));
        }
        let [name_bytes, extra_bytes, comment_bytes] =
            [28, 30, 32].map(|field| u64::from(u16_of(&record[field..field + 2])));
        let name = at + CENTRAL_BYTES..at + CENTRAL_BYTES + name_bytes;
        let next = name.end + extra_bytes + comment_bytes;
        if next > place.end {
            return Err(self.broken("an entry of its directory is cut off"));
        }
        if name_bytes > NAME_BYTES_MAX as u64 {
            return Err(self.at.cannot(long_name()));
        }
        let mut bytes = vec![0; (name_bytes + extra_bytes) as usize];
        exact(self.placed, &mut bytes, name.start).map_err(|error| self.at.unread(&error))?;
        let (shown, extra) = bytes.split_at(name_bytes as usize);
        let shown = self.at.member(shown);
        let bits = u16_of(&record[8..]);
        if let Some((_, why)) = CLOSED_BITS.iter().find(|(bit, _)| bits & bit != 0) {
            return Err(shown.cannot(why));
        }
        let number = u16_of(&record[10..]);
        let method = Method::numbered(number);
        let method =
            method.ok_or_else(|| shown.cannot(format!("it is packed by method {number}, which is not known")))?;
        let short = [24, 20, 42].map(|field| u32_of(&record[field..field + 4]));
        let [size, packed, offset] = widened(short, extra).ok_or_else(|| shown.cannot("it is broken (its sizes)"))?;
        let is_elsewhere = !matches!(u16_of(&record[34..]), 0 | u16::MAX);
        if is_elsewhere {
            return Err(shown.cannot("it is in another volume: put the volumes together first"));
        }
        let header = offset.saturating_add(place.before);
        let data = self.data(&shown, header, number, u32_of(&record[20..]))?;
        if data.checked_add(packed).is_none_or(|end| end > place.start) {
            return Err(shown.cannot("it is broken (it reaches into the directory)"));
        }
        Ok((Entry { name, header, data, packed, size, crc: u32_of(&record[16..]), method }, next))
    }

    /// Where the content of the member at a header begins. Both headers must say the same of it.
    fn data(&self, shown: &Name, header: u64, method: u16, packed: u32) -> Result<u64, CannotOpen> {
        let mut local = [0; LOCAL_BYTES as usize];
        exact(self.placed, &mut local, header).map_err(|error| shown.unread(&error))?;
        if !local.starts_with(LOCAL) {
            return Err(shown.cannot("it is broken (it is not where the directory says)"));
        }
        let local_bits = u16_of(&local[6..]);
        let local_packed = u32_of(&local[18..]);
        let agrees = local_bits & ENCRYPTED == 0
            && u16_of(&local[8..]) == method
            && (local_bits & SIZES_FOLLOW != 0 || local_packed == packed || [local_packed, packed].contains(&u32::MAX));
        if !agrees {
            return Err(shown.cannot("it is broken (its headers say different things of it)"));
        }
        Ok(header + LOCAL_BYTES + u64::from(u16_of(&local[26..])) + u64::from(u16_of(&local[28..])))
    }

    /// Refuses a member that no entry names.
    fn check_gap(&self, gap: Gap) -> Result<(), CannotOpen> {
        let mut bytes = Vec::new();
        let mut span = Span::new(self.placed, gap.start, gap.end);
        loop {
            // A mark may lie across two pieces.
            bytes.drain(..bytes.len().saturating_sub(LOCAL.len() - 1));
            let begun = bytes.len();
            let read = span.by_ref().take(SEARCH_BYTES as u64).read_to_end(&mut bytes);
            read.map_err(|error| self.at.unread(&error))?;
            if memmem::find(&bytes, LOCAL).is_some() {
                return Err(self.at.cannot("it holds a member that its directory does not name: pack it again"));
            }
            if bytes.len() == begun {
                return Ok(());
            }
        }
    }
}

/// Numbers of which those that need more than 32 bits stand in the extra fields, one after another.
fn widened(short: [u32; 3], mut extra: &[u8]) -> Option<[u64; 3]> {
    let mut wide = short.map(u64::from);
    if !short.contains(&u32::MAX) {
        return Some(wide);
    }
    while let Some((head, rest)) = extra.split_at_checked(4) {
        let (field, next) = rest.split_at_checked(usize::from(u16_of(&head[2..])))?;
        extra = next;
        if u16_of(head) == 1 {
            let mut numbers = field.chunks_exact(8).map(u64_of);
            for number in wide.iter_mut().filter(|number| **number == u64::from(u32::MAX)) {
                *number = numbers.next()?;
            }
            return Some(wide);
        }
    }
    // A size that is this very number.
    Some(wide)
}
