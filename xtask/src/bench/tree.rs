//! Finding pointers: a tree of many files, the scan, and the floor under it.
//!
//! The floor is what no scan can do without: list every folder, ask every file's size, and read the files that are as
//! long as pointers are.

use super::data::{Random, once};
use super::figures::Found;
use super::ground::{Ground, text};
use super::part::PART;
use super::stopwatch::{Client, Ready, race};
use super::transfer::pointer;
use super::workload::{OURS, WALK};
use crate::failure::{Because, Failure, Result};
use crate::terminal::say;
use sha2::{Digest, Sha256};
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

const FILES: u64 = 50_000;
const FOLDERS: u64 = 500;
/// Every tenth file is a pointer.
const POINTER_EVERY: u64 = 10;
/// Every fifth of the others is as long as a pointer could be.
const SHORT_EVERY: u64 = 5;
/// Bytes of files that could be pointers.
const POINTER_BYTES: Range<u64> = 64..1024;
/// Bytes of the files that are too long.
const LONG_BYTES: Range<u64> = 1024..8192;
/// Folders below each other.
const DEPTH_MAX: usize = 64;

/// The scan beside its floor, on a tree that is in memory.
pub(super) fn measure(ground: &Ground, runs: usize) -> Result<Found> {
    let tree = once(ground, "tree", &format!("{FILES} files in {FOLDERS} folders"), make)?;
    let tree = text(&tree)?;
    let listed = ground.succeed(Command::new(&ground.hydrant).args(["scan", tree]))?;
    if listed.len() as u64 != FILES / POINTER_EVERY {
        return Err(Failure::new(format!("the scan lists {} pointers", listed.len())));
    }
    ground.succeed(Command::new(&ground.xtask).args([PART, "walk", tree]))?;
    let plain = |program: &Path, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments);
        Ok(Ready { command, check: Box::new(|| Ok(())) })
    };
    let mut clients = [
        Client { name: OURS, prepare: Box::new(move || plain(&ground.hydrant, &["scan", tree])) },
        Client { name: WALK, prepare: Box::new(move || plain(&ground.xtask, &[PART, "walk", tree])) },
    ];
    Ok(Found { measured: race(ground, &mut clients, runs)?, absent: Vec::new() })
}

fn make(folder: &Path) -> Result<()> {
    let unwritable = "the tree cannot be written";
    let mut random = Random(FILES);
    for number in 0..FILES {
        let place = folder.join(format!("m{:02}/s{:03}", number % 20, number % FOLDERS));
        if number < FOLDERS {
            fs::create_dir_all(&place).because(unwritable)?;
        }
        // Every folder gets its share of each kind.
        let row = number / FOLDERS;
        let (name, bytes) = if row.is_multiple_of(POINTER_EVERY) {
            let oid: String = Sha256::digest(number.to_le_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
            ("bin", pointer(&oid, random.within(1_000, 1_000_000_000)).into_bytes())
        } else {
            let range = if row % SHORT_EVERY == 1 { POINTER_BYTES } else { LONG_BYTES };
            let length = random.within(range.start, range.end);
            // Letters: what a tree of sources is made of.
            ("txt", (0..length).map(|_| b'a' + (random.next() % 26) as u8).collect())
        };
        fs::write(place.join(format!("f{number:05}.{name}")), bytes).because(unwritable)?;
    }
    Ok(())
}

/// Walks the folder and prints how many files it holds and how many were read.
pub(super) fn floor(folder: &Path) -> Result<()> {
    let mut counted = (0_u64, 0_u64);
    walk(folder, 0, &mut counted).because("the tree cannot be walked")?;
    say(&format!("{} files, {} read", counted.0, counted.1));
    Ok(())
}

fn walk(folder: &Path, depth: usize, counted: &mut (u64, u64)) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if depth < DEPTH_MAX && entry.file_name() != ".git" {
                walk(&entry.path(), depth + 1, counted)?;
            }
        } else if kind.is_file() {
            counted.0 += 1;
            if POINTER_BYTES.contains(&entry.metadata()?.len()) {
                counted.1 += 1;
                std::hint::black_box(fs::read(entry.path())?);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_reads_what_could_be_a_pointer() {
        let folder = std::env::temp_dir().join(format!("hydrant-bench-walk-{}", std::process::id()));
        fs::create_dir_all(folder.join("a/.git")).expect("temp folder");
        for (name, length) in [("short", 63), ("a/fit", 64), ("a/long", 1024), ("a/.git/fit", 64)] {
            fs::write(folder.join(name), vec![b'x'; length]).expect("temp file");
        }
        let mut counted = (0, 0);
        walk(&folder, 0, &mut counted).expect("it is there");
        fs::remove_dir_all(&folder).expect("it can be removed");
        assert_eq!(counted, (3, 1));
    }
}
