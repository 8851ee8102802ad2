//! An archive whose bytes follow from its files alone: sorted by name, and without a time, an owner or a machine.

use crate::failure::{Because, Failure, Result};
use crate::workspace::succeed;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The unit of the format.
const BLOCK_BYTES: usize = 512;
/// Bytes of a name; the format has room for more, which nothing here needs.
const NAME_BYTES_MAX: usize = 100;
/// Seconds that stand where a file's time would: the first moment of 1980, as archives of other forms have it.
const TIME: u64 = 315_532_800;

/// Files to be packed, below one folder.
pub(super) struct Archive {
    folder: String,
    files: BTreeMap<String, (Vec<u8>, u32)>,
}

impl Archive {
    /// Nothing yet; unpacked, all of it will be in this folder.
    pub(super) fn new(folder: String) -> Self {
        Self { folder, files: BTreeMap::new() }
    }

    /// A file that is read.
    pub(super) fn add(&mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.files.insert(name.into(), (bytes.into(), 0o644));
    }

    /// A file that is run.
    pub(super) fn add_program(&mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.files.insert(name.into(), (bytes.into(), 0o755));
    }

    /// A file or everything in a folder, as it is on the disk.
    pub(super) fn add_from_disk(&mut self, name: &str, path: &Path) -> Result<()> {
        if !path.is_dir() {
            self.add(name, fs::read(path).because(format!("{} cannot be read", path.display()))?);
            return Ok(());
        }
        for entry in fs::read_dir(path).because(format!("{} cannot be read", path.display()))? {
            let path = entry.because("a folder to be packed cannot be read")?.path();
            let own = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let name = if name.is_empty() { own } else { format!("{name}/{own}") };
            self.add_from_disk(&name, &path)?;
        }
        Ok(())
    }

    /// Writes it, compressed at a level of gzip's, to a file `*.tar.gz`.
    pub(super) fn write(&self, path: &Path, level: u32) -> Result<()> {
        let plain = path.with_extension("");
        fs::write(&plain, self.bytes()?).because("the archive cannot be written")?;
        // Neither the name nor the time of what it reads goes into the result.
        let mut gzip = Command::new("gzip");
        succeed(gzip.args(["-n", "-f", &format!("-{level}")]).arg(&plain), "the archive cannot be compressed")
    }

    fn bytes(&self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        for (name, (bytes, mode)) in &self.files {
            out.extend(header(&format!("{}/{name}", self.folder), bytes.len(), *mode)?);
            out.extend(bytes);
            out.resize(out.len().next_multiple_of(BLOCK_BYTES), 0);
        }
        // Two empty blocks end it.
        out.resize(out.len() + 2 * BLOCK_BYTES, 0);
        Ok(out)
    }
}

/// What stands before a file, in the form of POSIX (ustar).
fn header(name: &str, length: usize, mode: u32) -> Result<[u8; BLOCK_BYTES]> {
    if name.len() > NAME_BYTES_MAX {
        return Err(Failure::new(format!("this name is too long for the archive: {name}")));
    }
    let mut block = [0; BLOCK_BYTES];
    let mut put = |at: usize, text: &str| block[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, &format!("{mode:07o}"));
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{length:011o}"));
    put(136, &format!("{TIME:011o}"));
    // The sum counts itself as blanks.
    put(148, "        ");
    put(156, "0");
    put(257, "ustar");
    put(263, "00");
    put(265, "root");
    put(297, "root");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_tar_reads_it_and_the_order_of_adding_does_not_matter() {
        let folder = std::env::temp_dir().join(format!("hydrant-tar-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let mut archive = Archive::new("top".to_owned());
        archive.add("share/b", vec![b'x'; 513]);
        archive.add_program("bin/a", *b"#!/bin/sh\necho ran\n");
        archive.add("empty", *b"");
        let mut other = Archive::new("top".to_owned());
        other.add("empty", *b"");
        other.add_program("bin/a", *b"#!/bin/sh\necho ran\n");
        other.add("share/b", vec![b'x'; 513]);
        archive.write(&folder.join("one.tar.gz"), 1).expect("written");
        other.write(&folder.join("two.tar.gz"), 1).expect("written");
        let read = |name: &str| fs::read(folder.join(name)).expect("a file");
        assert_eq!(read("one.tar.gz"), read("two.tar.gz"));
        let mut tar = Command::new("tar");
        let unpacked = tar.current_dir(&folder).args(["-xzf", "one.tar.gz"]).status().expect("tar is there");
        assert!(unpacked.success());
        assert_eq!((read("top/share/b").len(), read("top/empty").len()), (513, 0));
        let ran = Command::new(folder.join("top/bin/a")).output().expect("it is a program");
        assert_eq!(ran.stdout, b"ran\n");
        fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn a_name_that_does_not_fit_is_refused() {
        assert!(header(&"x".repeat(NAME_BYTES_MAX), 0, 0o644).is_ok());
        assert!(header(&"x".repeat(NAME_BYTES_MAX + 1), 0, 0o644).is_err());
    }
}
