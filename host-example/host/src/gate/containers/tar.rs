//! Tar archives, as they come: those of POSIX, of GNU, and the old ones.
//!
//! Readers of tar differ in what they take for a member and what for its content. Wherever they could, the archive is
//! refused: what one of them skips another unpacks.

use std::io::{self, Read};

use super::bytes::{Exactly, beginning};
use super::found::{Each, Found};
use super::limits::{ASIDE_BYTES_MAX, NAME_BYTES_MAX, long_headers, long_name};
use super::part::{CUT_OFF, CannotOpen, Name};

/// An archive is made of these.
const BLOCK_BYTES: usize = 512;
/// Bytes of headers that are looked through at once.
const HEADERS_BYTES_MAX: usize = 256 * 1024;

type Block = [u8; BLOCK_BYTES];

/// Whether an archive begins like this: its first header has the right sum. An old one has no other mark.
pub(super) fn begins(head: &[u8]) -> bool {
    let block: Option<&Block> = head.first_chunk();
    block.is_some_and(|block| is_marked(block) || (block[0] != 0 && has_right_sum(block)))
}

/// Whether it says that it is a header; one with a wrong sum is a broken one.
fn is_marked(block: &Block) -> bool {
    matches!(&block[257..265], b"ustar\x0000" | b"ustar  \0")
}

/// The sum counts its own field as blanks. Some old writers took bytes for signed.
fn has_right_sum(block: &Block) -> bool {
    let bytes = || block.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { b' ' } else { *byte });
    let unsigned: i64 = bytes().map(i64::from).sum();
    let signed: i64 = bytes().map(|byte| i64::from(byte.cast_signed())).sum();
    number(&block[148..156])
        .and_then(|said| i64::try_from(said).ok())
        .is_some_and(|said| said == unsigned || said == signed)
}

/// Octal digits between blanks and zeros, or the bytes of a number after a mark.
fn number(field: &[u8]) -> Option<u64> {
    if let [0x80, bytes @ ..] = field {
        return bytes.iter().try_fold(0_u64, |value, byte| value.checked_mul(256)?.checked_add(u64::from(*byte)));
    }
    let is_blank = |byte: &u8| matches!(byte, b' ' | 0);
    let start = field.iter().position(|byte| !is_blank(byte))?;
    let digits = &field[start..];
    let (digits, rest) = digits.split_at(digits.iter().position(is_blank).unwrap_or(digits.len()));
    if !rest.iter().all(is_blank) {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, digit| match digit {
        b'0'..=b'7' => value.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

/// Gives the content of each member, and what the archive says of them.
pub(super) fn each_member(at: &Name, from: &mut dyn Read, each: Each<'_>) -> Result<(), CannotOpen> {
    let mut archive = Archive { at, from, headers: Vec::new() };
    let mut told = Told::default();
    loop {
        let block = archive.block()?;
        if block == [0; BLOCK_BYTES] {
            break;
        }
        archive.say(&block, each)?;
        archive.entry(&block, &mut told, each)?;
    }
    archive.end(each)
}

/// What headers of their own told of the next member.
#[derive(Default)]
struct Told {
    name: Option<Vec<u8>>,
    size: Option<u64>,
}

struct Archive<'a> {
    at: &'a Name,
    from: &'a mut dyn Read,
    /// What stands outside of contents, and was not looked through yet.
    headers: Vec<u8>,
}

impl Archive<'_> {
    fn entry(&mut self, block: &Block, told: &mut Told, each: Each<'_>) -> Result<(), CannotOpen> {
        if !has_right_sum(block) {
            return Err(self.at.cannot("it is broken (a header has a wrong checksum)"));
        }
        let size = number(&block[124..136]);
        let size = size.ok_or_else(|| self.at.cannot("it is broken (a header has no size)"))?;
        match block[156] {
            b'L' => told.name = Some(until_zero(&self.aside(size, each)?).to_vec()),
            b'K' => drop(self.aside(size, each)?),
            b'x' | b'X' => {
                let records = self.aside(size, each)?;
                read_records(&records, told).ok_or_else(|| self.at.cannot("it is broken (a pax header)"))?;
            }
            b'g' => {
                let mut of_all = Told::default();
                let records = self.aside(size, each)?;
                read_records(&records, &mut of_all).ok_or_else(|| self.at.cannot("it is broken (a pax header)"))?;
                if of_all.size.is_some() {
                    return Err(self.at.cannot("it says one size of all its members: pack it again"));
                }
            }
            kind => {
                let Told { name, size: told_size } = std::mem::take(told);
                let name = name.unwrap_or_else(|| own_name(block));
                if name.len() > NAME_BYTES_MAX {
                    return Err(self.at.cannot(long_name()));
                }
                let name = self.at.member(&name);
                let size = told_size.unwrap_or(size);
                // Links, devices, folders and pipes.
                if matches!(kind, b'1'..=b'6') && size > 0 {
                    return Err(name.cannot("it is no file and has content: pack it again"));
                }
                if kind == b'S' {
                    self.skip_map(block, each)?;
                }
                self.content(&name, size, each)?;
            }
        }
        Ok(())
    }

    /// What a member holds. The holes of a sparse one are left out, as they are in the archive.
    fn content(&mut self, name: &Name, size: u64, each: Each<'_>) -> Result<(), CannotOpen> {
        if size > 0 {
            let mut content = Exactly::new(self.from, size);
            each(Found::Member, name, &mut content)?;
            io::copy(&mut content, &mut io::sink()).map_err(|error| name.unread(&error))?;
        }
        self.padding(size, each)
    }

    /// What fills the last block.
    fn padding(&mut self, size: u64, each: Each<'_>) -> Result<(), CannotOpen> {
        let used = (size % BLOCK_BYTES as u64) as usize;
        let mut rest = [0; BLOCK_BYTES];
        let rest = &mut rest[used..];
        if used > 0 {
            self.from.read_exact(rest).map_err(|error| self.at.unread(&error))?;
        }
        if rest.iter().any(|byte| *byte != 0) {
            self.say(rest, each)?;
        }
        Ok(())
    }

    /// The map of an old sparse member, as far as it does not stand in its header.
    fn skip_map(&mut self, block: &Block, each: Each<'_>) -> Result<(), CannotOpen> {
        let mut goes_on = block[482] != 0;
        while goes_on {
            let more = self.block()?;
            self.say(&more, each)?;
            goes_on = more[504] != 0;
        }
        Ok(())
    }

    /// The content of a header of its own.
    fn aside(&mut self, size: u64, each: Each<'_>) -> Result<Vec<u8>, CannotOpen> {
        if size > ASIDE_BYTES_MAX as u64 {
            return Err(self.at.cannot(long_headers()));
        }
        let mut bytes = Vec::new();
        let read = Exactly::new(self.from, size).read_to_end(&mut bytes);
        read.map_err(|error| self.at.unread(&error))?;
        self.say(&bytes, each)?;
        self.padding(size, each)?;
        Ok(bytes)
    }

    fn block(&mut self) -> Result<Block, CannotOpen> {
        let mut block = [0; BLOCK_BYTES];
        self.from.read_exact(&mut block).map_err(|error| self.at.unread(&error))?;
        Ok(block)
    }

    /// Has these bytes looked through with others like them.
    fn say(&mut self, bytes: &[u8], each: Each<'_>) -> Result<(), CannotOpen> {
        self.headers.extend_from_slice(bytes);
        self.headers.push(b'\n');
        if self.headers.len() > HEADERS_BYTES_MAX { self.flush(each) } else { Ok(()) }
    }

    fn flush(&mut self, each: Each<'_>) -> Result<(), CannotOpen> {
        each(Found::Own, self.at, &mut &self.headers[..])?;
        self.headers.clear();
        Ok(())
    }

    /// After the first block of zeros there is another one, and then nothing: some readers would go on.
    fn end(&mut self, each: Each<'_>) -> Result<(), CannotOpen> {
        let unread = |error: io::Error| self.at.unread(&error);
        let mut zeros = 0_u64;
        loop {
            let bytes = beginning(self.from, 64 * BLOCK_BYTES).map_err(unread)?;
            if bytes.iter().any(|byte| *byte != 0) {
                return Err(self.at.cannot("something follows its end: unpack all of it, and pack it again"));
            }
            if bytes.is_empty() {
                break;
            }
            zeros += bytes.len() as u64;
        }
        if zeros < BLOCK_BYTES as u64 {
            return Err(self.at.cannot(CUT_OFF));
        }
        self.flush(each)
    }
}

fn until_zero(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// The name in a header, with what stands before it.
fn own_name(block: &Block) -> Vec<u8> {
    let name = until_zero(&block[..100]);
    match until_zero(&block[345..500]) {
        // GNU has times there.
        before if block[257..263] == *b"ustar\0" && !before.is_empty() => [before, b"/", name].concat(),
        _ => name.to_vec(),
    }
}

/// Reads `LENGTH KEY=VALUE` records.
fn read_records(mut bytes: &[u8], told: &mut Told) -> Option<()> {
    while !bytes.is_empty() {
        let blank = bytes.iter().take(20).position(|byte| *byte == b' ')?;
        let length: usize = std::str::from_utf8(&bytes[..blank]).ok()?.parse().ok()?;
        let (record, rest) = bytes.split_at_checked(length)?;
        bytes = rest;
        let record = record.get(blank + 1..)?.strip_suffix(b"\n")?;
        let equals = record.iter().position(|byte| *byte == b'=')?;
        let (key, value) = (&record[..equals], &record[equals + 1..]);
        match key {
            b"path" | b"GNU.sparse.name" => told.name = Some(value.to_vec()),
            b"size" => told.size = Some(std::str::from_utf8(value).ok()?.parse().ok()?),
            _ => {}
        }
    }
    Some(())
}
