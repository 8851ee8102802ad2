//! Compressed files: one stream, or several after each other, and nothing behind them.

use std::io::{self, BufRead, BufReader, Read};

use bzip2::bufread::{BzDecoder, MultiBzDecoder};
use flate2::bufread::{DeflateDecoder, GzDecoder};
use lzma_rust2::XzReader;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::bytes::Exactly;
use super::found::{Each, Found};
use super::limits::{ASIDE_BYTES_MAX, WINDOW_BYTES_MAX, long_headers};
use super::part::{CannotOpen, Name};

/// KiB of a decoder of xz: what it looks back, and what it needs besides.
const XZ_KIB_MAX: u32 = (WINDOW_BYTES_MAX / 1024) as u32 + 1024;

/// How something is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Gzip,
    Bzip2,
    Xz,
    Zstd,
}

impl Codec {
    pub(super) fn words(self) -> &'static str {
        match self {
            Codec::Gzip => "a file packed by gzip",
            Codec::Bzip2 => "a file packed by bzip2",
            Codec::Xz => "a file packed by xz",
            Codec::Zstd => "a file packed by zstd",
        }
    }
}

/// Gives what a compressed file holds, and then what it says besides.
pub(super) fn each_content(codec: Codec, at: &Name, from: &mut dyn Read, each: Each<'_>) -> Result<(), CannotOpen> {
    let mut from = BufReader::new(from);
    let mut asides = Asides::default();
    match codec {
        Codec::Gzip => each(Found::Content, at, &mut Gzip::new(&mut from, &mut asides))?,
        Codec::Bzip2 => each(Found::Content, at, &mut MultiBzDecoder::new(&mut from))?,
        Codec::Xz => each(Found::Content, at, &mut xz(&mut from))?,
        Codec::Zstd => each(Found::Content, at, &mut Zstd::new(&mut from, Some(&mut asides)))?,
    }
    if !from.fill_buf().map_err(|error| at.unread(&error))?.is_empty() {
        return Err(at.cannot("something follows its end: unpack it, and look through that"));
    }
    if asides.0.is_empty() { Ok(()) } else { each(Found::Own, at, &mut &asides.0[..]) }
}

/// How the members of a zip archive may be compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Deflate,
    Bzip2,
    Zstd,
    Xz,
}

impl Method {
    pub(super) fn numbered(number: u16) -> Option<Self> {
        Some(match number {
            0 => Method::Stored,
            8 => Method::Deflate,
            12 => Method::Bzip2,
            // The first number that zstd had there.
            20 | 93 => Method::Zstd,
            95 => Method::Xz,
            _ => return None,
        })
    }

    /// Calls `take` with what a member holds.
    pub(super) fn unpack<T>(
        self,
        from: &mut dyn BufRead,
        take: impl FnOnce(&mut dyn Read) -> Result<T, CannotOpen>,
    ) -> Result<T, CannotOpen> {
        match self {
            Method::Stored => take(&mut { from }),
            Method::Deflate => take(&mut DeflateDecoder::new(from)),
            Method::Bzip2 => take(&mut BzDecoder::new(from)),
            Method::Zstd => take(&mut Zstd::new(from, None)),
            Method::Xz => take(&mut xz(from)),
        }
    }
}

fn xz<R: Read>(from: R) -> XzReader<R> {
    XzReader::new_mem_limit(from, true, XZ_KIB_MAX)
}

/// What a compressed file says besides what it holds.
#[derive(Default)]
struct Asides(Vec<u8>);

impl Asides {
    fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.0.len() + bytes.len() >= ASIDE_BYTES_MAX {
            return Err(io::Error::other(long_headers()));
        }
        self.0.extend_from_slice(bytes);
        self.0.push(b'\n');
        Ok(())
    }
}

/// What gzip packed: members after each other, and perhaps zeros.
struct Gzip<'a> {
    /// The member that is read; none at the end.
    member: Option<GzDecoder<&'a mut dyn BufRead>>,
    asides: &'a mut Asides,
}

impl<'a> Gzip<'a> {
    fn new(from: &'a mut dyn BufRead, asides: &'a mut Asides) -> Self {
        Self { member: Some(GzDecoder::new(from)), asides }
    }
}

impl Read for Gzip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let count = member.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            if let Some(header) = member.header() {
                for told in [header.filename(), header.comment(), header.extra()].into_iter().flatten() {
                    self.asides.say(told)?;
                }
            }
            let from = self.member.take().map(GzDecoder::into_inner);
            self.member = from.map(next_member).transpose()?.flatten();
        }
        Ok(0)
    }
}

/// The member behind zeros; none where nothing follows.
fn next_member(from: &mut dyn BufRead) -> io::Result<Option<GzDecoder<&mut dyn BufRead>>> {
    loop {
        let bytes = from.fill_buf()?;
        if bytes.is_empty() {
            return Ok(None);
        }
        match bytes.iter().take_while(|byte| **byte == 0).count() {
            0 => return Ok(Some(GzDecoder::new(from))),
            zeros => from.consume(zeros),
        }
    }
}

/// What zstd packed: frames after each other, some of which hold something else.
struct Zstd<'a> {
    from: &'a mut dyn BufRead,
    decoder: FrameDecoder,
    is_in_frame: bool,
    /// None: nothing else may be there.
    asides: Option<&'a mut Asides>,
}

impl<'a> Zstd<'a> {
    fn new(from: &'a mut dyn BufRead, asides: Option<&'a mut Asides>) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW_BYTES_MAX);
        Self { from, decoder, is_in_frame: false, asides }
    }

    /// Goes to the next frame with content; false at the end.
    fn next_frame(&mut self) -> io::Result<bool> {
        while !self.from.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.from) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    self.skip(u64::from(length))?;
                }
                Err(error) => return Err(broken(&error)),
            }
        }
        Ok(false)
    }

    /// Takes what a frame holds that is no content.
    fn skip(&mut self, length: u64) -> io::Result<()> {
        let mut frame = Exactly::new(&mut self.from, length);
        let mut bytes = Vec::new();
        (&mut frame).take(ASIDE_BYTES_MAX as u64).read_to_end(&mut bytes)?;
        match &mut self.asides {
            Some(asides) => asides.say(&bytes),
            None => Err(io::Error::other("it holds more than its content: unpack it, and look through that")),
        }
    }

    fn check(&self) -> io::Result<()> {
        match self.decoder.get_checksum_from_data() {
            Some(said) if self.decoder.get_calculated_checksum() != Some(said) => {
                Err(io::Error::other("its content is not what its checksum says"))
            }
            _ => Ok(()),
        }
    }
}

impl Read for Zstd<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while self.is_in_frame || self.next_frame()? {
            self.is_in_frame = true;
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(&mut self.from, one).map_err(|error| broken(&error))?;
            }
            let count = self.decoder.read(buffer)?;
            if count > 0 {
                return Ok(count);
            }
            self.check()?;
            self.is_in_frame = false;
        }
        Ok(0)
    }
}

fn broken(error: &FrameDecoderError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}
