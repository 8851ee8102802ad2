//! The objects that are transferred: made once, always the same, named by their digest.

use super::ground::Ground;
use crate::failure::{Because, Failure, Result};
use crate::terminal::remark;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Bytes that are made or read at once.
const BLOCK_BYTES: usize = 64 << 10;
/// Raised whenever the recipe gives other bytes: data of another recipe is made again.
const RECIPE: u32 = 1;

/// Objects of one size.
pub(super) struct Set {
    pub(super) name: &'static str,
    count: u64,
    bytes: u64,
}

/// Many small ones.
pub(super) const SET_A: Set = Set { name: "a", count: 2_000, bytes: 8 << 10 };
/// A few of middling size.
pub(super) const SET_B: Set = Set { name: "b", count: 20, bytes: 20_000_000 };
/// A large one.
pub(super) const SET_C: Set = Set { name: "c", count: 1, bytes: 2_000_000_000 };

/// A set on the disk.
pub(super) struct Objects {
    /// Holds a file for each object, named by its oid.
    pub(super) folder: PathBuf,
    /// One line `oid size` for each.
    pub(super) list: PathBuf,
    /// In the order of the list.
    pub(super) blobs: Vec<Blob>,
}

/// An object's name and length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Blob {
    pub(super) oid: String,
    pub(super) size: u64,
}

impl Set {
    /// The objects, made now unless they are there.
    pub(super) fn objects(&self, ground: &Ground) -> Result<Objects> {
        let (count, bytes) = (self.count, self.bytes);
        let folder = once(ground, self.name, &format!("{count} objects of {bytes} bytes"), |folder| {
            let seed = self.name.bytes().map(u64::from).sum::<u64>() << 32;
            let mut list = String::new();
            for number in 0..count {
                let unnamed = folder.join("unnamed");
                let blob = write_random(&unnamed, bytes, seed + number)?;
                fs::rename(&unnamed, folder.join(&blob.oid)).because("an object cannot be named")?;
                list += &format!("{} {}\n", blob.oid, blob.size);
            }
            fs::write(folder.join("list"), list).because("the list of objects cannot be written")
        })?;
        let list = folder.join("list");
        let text = fs::read_to_string(&list).because("the list of objects cannot be read")?;
        Ok(Objects { folder, list, blobs: text.lines().map(blob_of_line).collect::<Result<_>>()? })
    }
}

fn blob_of_line(line: &str) -> Result<Blob> {
    let parts = line.split_once(' ').and_then(|(oid, size)| Some((oid.to_owned(), size.parse().ok()?)));
    let (oid, size) = parts.ok_or_else(|| Failure::new("the list of objects is broken; remove target/bench/data"))?;
    Ok(Blob { oid, size })
}

/// The folder of data with this name, filled by `make` unless an earlier run finished the same recipe.
pub(super) fn once(ground: &Ground, name: &str, what: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let folder = ground.home.join("data").join(name);
    let receipt = ground.home.join("data").join(format!("{name}.made"));
    let wanted = format!("{what}, recipe {RECIPE}\n");
    if fs::read_to_string(&receipt).is_ok_and(|made| made == wanted) {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).because("old data cannot be removed")?;
    }
    fs::create_dir_all(&folder).because("the folder of the data cannot be made")?;
    remark(&format!("making {what}"));
    make(&folder)?;
    // Last, so that data of an interrupted run is made again.
    fs::write(&receipt, wanted).because("the data's receipt cannot be written")?;
    Ok(folder)
}

/// Writes bytes that nothing can compress.
pub(super) fn write_random(path: &Path, bytes: u64, seed: u64) -> Result<Blob> {
    let unwritable = "data cannot be written";
    let mut file = File::create(path).because(unwritable)?;
    let mut random = Random(seed);
    let mut digest = Sha256::new();
    let mut block = vec![0; BLOCK_BYTES];
    let mut left = bytes;
    while left > 0 {
        block.chunks_exact_mut(8).for_each(|word| word.copy_from_slice(&random.next().to_le_bytes()));
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(BLOCK_BYTES);
        digest.update(&block[..length]);
        file.write_all(&block[..length]).because(unwritable)?;
        left -= length as u64;
    }
    Ok(Blob { oid: hex(&digest.finalize()), size: bytes })
}

/// The digest and length of a file's bytes.
pub(super) fn blob_of(path: &Path) -> Result<Blob> {
    let unreadable = "a file that a client should have left cannot be read";
    let mut file = File::open(path).because(unreadable)?;
    let mut digest = Sha256::new();
    let mut block = vec![0; BLOCK_BYTES];
    let mut size = 0;
    loop {
        let length = file.read(&mut block).because(unreadable)?;
        if length == 0 {
            return Ok(Blob { oid: hex(&digest.finalize()), size });
        }
        digest.update(&block[..length]);
        size += length as u64;
    }
}

/// Demands that a file holds exactly these bytes.
pub(super) fn prove(path: &Path, blob: &Blob) -> Result<()> {
    if blob_of(path)? == *blob { Ok(()) } else { Err(Failure::new("a file holds other bytes than it should")) }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SplitMix64: the same numbers for the same seed, everywhere.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `least` up to, but not with, `end`.
    pub(super) fn within(&mut self, least: u64, end: u64) -> u64 {
        least + self.next() % (end - least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_the_same_every_time_and_named_by_its_bytes() {
        let folder = std::env::temp_dir().join(format!("hydrant-bench-data-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("temp folder");
        let path = folder.join("one");
        let first = write_random(&path, 100_001, 7).expect("temp file");
        assert_eq!(blob_of(&path).expect("just written"), first);
        prove(&path, &first).expect("these are its bytes");
        assert_eq!(write_random(&path, 100_001, 7).expect("temp file"), first);
        assert_ne!(write_random(&path, 100_001, 8).expect("temp file").oid, first.oid);
        assert!(prove(&path, &first).is_err());
        fs::remove_dir_all(&folder).expect("it can be removed");
    }
}
