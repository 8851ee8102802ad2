//! What a file is, told by its first bytes. Names say nothing here.

use super::packed::Codec;
use super::tar;

/// Bytes that tell it.
pub(super) const HEAD_BYTES: usize = 512;

/// A kind of container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Zip,
    Tar,
    Packed(Codec),
    Database,
    /// One that is known and that nothing here opens.
    Closed(&'static str),
}

/// The beginnings of those that are told by them alone.
const BEGINNINGS: [(&[u8], Kind); 17] = [
    (b"PK\x03\x04", Kind::Zip),
    (b"PK\x05\x06", Kind::Zip),
    // The first of several volumes, or the only one.
    (b"PK\x07\x08", Kind::Zip),
    (b"PK00PK\x03\x04", Kind::Zip),
    (b"\x1f\x8b\x08", Kind::Packed(Codec::Gzip)),
    (b"\x28\xb5\x2f\xfd", Kind::Packed(Codec::Zstd)),
    (b"\xfd7zXZ\0", Kind::Packed(Codec::Xz)),
    (b"SQLite format 3\0", Kind::Database),
    (b"7z\xbc\xaf\x27\x1c", Kind::Closed("a 7z archive")),
    (b"Rar!\x1a\x07", Kind::Closed("a rar archive")),
    (b"\x04\x22\x4d\x18", Kind::Closed("a file packed by lz4")),
    (b"LZIP\x01", Kind::Closed("a file packed by lzip")),
    (b"\x89LZO\0\r\n\x1a\n", Kind::Closed("a file packed by lzop")),
    (b"\xff\x06\0\0sNaPpY", Kind::Closed("a file packed by snappy")),
    (b"MSCF\0\0\0\0", Kind::Closed("a cabinet")),
    (b"!<arch>\ndebian-binary", Kind::Closed("a package of Debian")),
    (b"\xed\xab\xee\xdb", Kind::Closed("an rpm package")),
];

impl Kind {
    /// What begins like this; none: no container.
    pub(super) fn of(head: &[u8]) -> Option<Kind> {
        let by_beginning = BEGINNINGS.iter().find(|(beginning, _)| head.starts_with(beginning));
        match by_beginning {
            Some((_, kind)) => Some(*kind),
            None if is_bzip2(head) => Some(Kind::Packed(Codec::Bzip2)),
            None if is_skippable(head) => Some(Kind::Packed(Codec::Zstd)),
            None if is_compress(head) => Some(Kind::Closed("a file packed by compress")),
            None if tar::begins(head) => Some(Kind::Tar),
            None => None,
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Kind::Zip => "a zip archive",
            Kind::Tar => "a tar archive",
            Kind::Packed(codec) => codec.words(),
            Kind::Database => "a SQLite database",
            Kind::Closed(words) => words,
        }
    }
}

/// `BZh`, a level, and the mark of a block or of the end.
fn is_bzip2(head: &[u8]) -> bool {
    let Some((b"BZh", rest)) = head.split_at_checked(3) else { return false };
    let mark = rest.get(1..7);
    matches!(rest.first(), Some(b'1'..=b'9')) && (mark == Some(b"1AY&SY") || mark == Some(b"\x17\x72\x45\x38\x50\x90"))
}

/// A frame of zstd that holds something else; parallel packers write one first.
fn is_skippable(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// Two bytes tell little: the third has a number of bits from 9 to 16, and two bits that are never set.
fn is_compress(head: &[u8]) -> bool {
    matches!(head, [0x1f, 0x9d, bits, ..] if bits & 0x60 == 0 && (9..=16).contains(&(bits & 0x1f)))
}
