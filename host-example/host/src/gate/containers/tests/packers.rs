//! Small packers, which also write what they should not.

use std::io::Write;

use flate2::{Compression, Crc};

/// Of the first member, in its own header and in its entry: from where they begin.
pub(super) const LOCAL_BITS: usize = 6;
pub(super) const LOCAL_METHOD: usize = 8;
pub(super) const CENTRAL_BITS: usize = 8;
pub(super) const CENTRAL_METHOD: usize = 10;
pub(super) const CENTRAL_CRC: usize = 16;
pub(super) const CENTRAL_PACKED: usize = 20;
pub(super) const CENTRAL_SIZE: usize = 24;

pub(super) fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), Compression::default());
    packer.write_all(bytes).expect("memory");
    packer.finish().expect("memory")
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(bytes).expect("memory");
    packer.finish().expect("memory")
}

/// A zip archive of deflated members.
pub(super) fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let packed: Vec<_> = members.iter().map(|(name, bytes)| (name.as_bytes(), deflated(bytes), *bytes)).collect();
    let members =
        packed.iter().map(|(name, packed, bytes)| Member { name, packed, sum: sum(bytes), size: bytes.len() });
    zip_of(members)
}

/// One member as it is written.
pub(super) struct Member<'a> {
    pub(super) name: &'a [u8],
    pub(super) packed: &'a [u8],
    pub(super) sum: u32,
    pub(super) size: usize,
}

pub(super) fn sum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

pub(super) fn zip_of<'a>(members: impl IntoIterator<Item = Member<'a>>) -> Vec<u8> {
    let (mut archive, mut directory, mut count) = (Vec::new(), Vec::new(), 0_usize);
    for Member { name, packed, sum, size } in members {
        let offset = archive.len() as u32;
        let mut facts = Vec::new();
        facts.extend([20, 0, 0, 0, 8, 0, 0, 0, 0x21, 0x50]);
        for number in [sum, packed.len() as u32, size as u32] {
            facts.extend(number.to_le_bytes());
        }
        facts.extend((name.len() as u16).to_le_bytes());
        facts.extend([0, 0]);
        archive.extend([b"PK\x03\x04", &facts[..], name, packed].concat());
        directory.extend([b"PK\x01\x02\x14\0", &facts[..], &[0; 10], &offset.to_le_bytes(), name].concat());
        count += 1;
    }
    let (start, size) = (archive.len() as u32, directory.len() as u32);
    archive.extend(directory);
    archive.extend(b"PK\x05\x06\0\0\0\0");
    archive.extend((count as u16).to_le_bytes().repeat(2));
    archive.extend([size.to_le_bytes(), start.to_le_bytes()].concat());
    archive.extend([0, 0]);
    archive
}

/// Where the directory of an archive begins.
pub(super) fn directory(archive: &[u8]) -> usize {
    memchr::memmem::find(archive, b"PK\x01\x02").expect("a directory")
}

/// Writes something else over bytes.
pub(super) fn patched(mut bytes: Vec<u8>, at: usize, with: &[u8]) -> Vec<u8> {
    bytes[at..at + with.len()].copy_from_slice(with);
    bytes
}

/// The first member's sum is wrong, in the directory, which counts.
pub(super) fn with_wrong_sum(archive: Vec<u8>) -> Vec<u8> {
    let at = directory(&archive) + CENTRAL_CRC;
    patched(archive, at, &[1, 2, 3, 4])
}

/// The header of a tar archive.
pub(super) fn tar_header(name: &str, size: &[u8], kind: u8) -> Vec<u8> {
    let mut block = vec![0; 512];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..108].copy_from_slice(b"0000644\0");
    block[124..124 + size.len()].copy_from_slice(size);
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    summed(block)
}

/// The same with the right sum.
pub(super) fn summed(mut block: Vec<u8>) -> Vec<u8> {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// A member of a tar archive.
pub(super) fn tar_member(name: &str, content: &[u8], kind: u8) -> Vec<u8> {
    let mut bytes = tar_header(name, format!("{:011o}\0", content.len()).as_bytes(), kind);
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

/// A tar archive of these members, with its end.
pub(super) fn tar(members: &[Vec<u8>]) -> Vec<u8> {
    [members.concat(), vec![0; 1024]].concat()
}
