//! Lists of objects as text: one `oid size` a line, a third word is ignored, so that the output of `hydrant scan`
//! is a list as it stands.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use crate::contract::types::Blob;

use crate::contract::error::Fault;
use crate::text::{io_words, quote_path};

/// Bytes of one list at most.
pub const LIST_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Reads a list from a file, or from standard input for `-`. Empty lines and lines after `#` say nothing.
pub fn read(place: &Path) -> Result<Vec<Blob>, Fault> {
    if place == Path::new("-") {
        return parse(io::stdin().lock());
    }
    let file =
        File::open(place).map_err(|error| Fault::misuse(format!("{}: {}", quote_path(place), io_words(&error))))?;
    parse(BufReader::with_capacity(64 * 1024, file))
}

fn parse(input: impl BufRead) -> Result<Vec<Blob>, Fault> {
    let mut input = input.take(LIST_BYTES_MAX + 1);
    let mut objects = Vec::new();
    let mut line = String::new();
    let mut number = 0usize;
    let mut bytes = 0;
    loop {
        line.clear();
        number += 1;
        let read = input.read_line(&mut line).map_err(|error| misread(&error))?;
        bytes += read as u64;
        if bytes > LIST_BYTES_MAX {
            return Err(Fault::misuse(format!("the list is longer than {LIST_BYTES_MAX} bytes")));
        }
        if read == 0 {
            return Ok(objects);
        }
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let object = parse_line(&line).ok_or_else(|| Fault::misuse(format!("line {number} is not `oid size`")))?;
        objects.push(object);
    }
}

fn parse_line(line: &str) -> Option<Blob> {
    let mut words = line.split_ascii_whitespace();
    let oid = words.next()?;
    let is_oid = oid.len() == 64 && oid.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let size = words.next()?.parse().ok()?;
    is_oid.then(|| Blob { oid: oid.to_owned(), size })
}

fn misread(error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::InvalidData => Fault::misuse("the list of objects is not text"),
        _ => Fault::misuse(format!("the list of objects cannot be read: {}", io_words(error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_may_carry_paths_comments_and_blank_lines() {
        let oid = "a".repeat(64);
        let text = format!("# list\n\n{oid} 5\n{oid} 6 path with blanks\r\n");
        let sizes: Vec<u64> = parse(text.as_bytes()).expect("a good list").iter().map(|blob| blob.size).collect();
        assert_eq!(sizes, [5, 6]);
    }

    #[test]
    fn a_bad_line_is_named() {
        for line in ["x 5", &format!("{} 5", "A".repeat(64)), &"a".repeat(64), &format!("{} -5", "a".repeat(64))] {
            let fault = parse(format!("\n{line}\n").as_bytes()).expect_err("a bad line");
            assert!(fault.detail.contains("line 2"), "{}", fault.detail);
        }
    }
}
