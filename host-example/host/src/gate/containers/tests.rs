//! Containers that no honest program writes, and what is told of them. The honest ones are beside the command's tests:
//! there other programs make them.

mod hostile_tar;
mod hostile_zip;
mod packers;
mod streams;

use std::fs::{self, File};
use std::io::Read;

use super::{CannotOpen, Look, Part, each_part};
use crate::files::scratch::Scratch;

/// The parts of a file: their names and bytes.
type Parts = Vec<(String, Vec<u8>)>;

/// Looks through these bytes as a file. A part without a name has an empty one.
fn parts(bytes: &[u8]) -> (Result<Look, CannotOpen>, Parts) {
    let scratch = Scratch::new();
    let path = scratch.path().join("file");
    fs::write(&path, bytes).expect("it is written");
    let mut parts = Parts::new();
    let mut take = |part: &Part<'_>, bytes: &mut dyn Read| {
        let mut all = Vec::new();
        // What cannot be read is told by whoever gave it.
        bytes.read_to_end(&mut all).ok();
        parts.push((part.member.unwrap_or_default().to_owned(), all));
        Ok(())
    };
    let look = each_part(&File::open(&path).expect("it is there"), &|_| false, &mut take);
    (look, parts)
}

/// The names of parts that hold this text.
fn holders(bytes: &[u8], text: &str) -> Vec<String> {
    let (look, parts) = parts(bytes);
    look.unwrap_or_else(|why| panic!("{why}"));
    let holds = |bytes: &[u8]| memchr::memmem::find(bytes, text.as_bytes()).is_some();
    parts.into_iter().filter(|(_, bytes)| holds(bytes)).map(|(name, _)| name).collect()
}

/// Fails unless it cannot be opened, and the sentence about it has these words.
#[track_caller]
fn refuses(what: &str, bytes: &[u8], said: &str) {
    let scratch = Scratch::new();
    let path = scratch.path().join("file");
    fs::write(&path, bytes).expect("it is written");
    // A taker that reads nothing: what is wrong is told nevertheless.
    match each_part(&File::open(&path).expect("it is there"), &|_| false, &mut |_, _| Ok(())) {
        Ok(look) => panic!("{what}: it passes as {look:?}"),
        Err(why) => {
            let why = why.to_string();
            assert!(why.contains(said), "{what}: {why}");
            assert!(!why.contains(crate::text::steers), "{what}: {why:?}");
        }
    }
}

#[test]
fn what_is_no_container_is_one_part_without_a_name() {
    for bytes in [
        &b""[..],
        b"text\n",
        b"PK",
        b"PK\x03",
        b"BZh9 is no mark",
        b"\x1f\x8b",
        b"%PDF-1.7\n",
        b"PAR1 and more",
        &[0; 10_240],
        &[b'x'; 511],
        &[b' '; 1024],
    ] {
        let (look, parts) = parts(bytes);
        assert_eq!((look, parts), (Ok(Look::Plain), vec![(String::new(), bytes.to_vec())]));
    }
}

#[test]
fn a_kind_that_nothing_here_opens_is_refused_by_name() {
    for (bytes, said) in [
        (&b"7z\xbc\xaf\x27\x1c\0\x04"[..], "it is a 7z archive"),
        (b"Rar!\x1a\x07\0", "it is a rar archive"),
        (b"Rar!\x1a\x07\x01\0", "it is a rar archive"),
        (b"\x04\x22\x4d\x18\x64", "packed by lz4"),
        (b"LZIP\x01", "packed by lzip"),
        (b"\x1f\x9d\x90", "packed by compress"),
        (b"MSCF\0\0\0\0", "a cabinet"),
        (b"!<arch>\ndebian-binary   ", "a package of Debian"),
        (b"\xed\xab\xee\xdb", "an rpm package"),
    ] {
        refuses(said, bytes, said);
        let inner = packers::zip(&[("in/it", bytes)]);
        refuses(said, &inner, &format!("in/it: {}", if said.starts_with("it is") { said } else { "it is" }));
    }
}

/// A reader may stop anywhere: the rest is proved nevertheless, and its own reason is told.
#[test]
fn what_a_taker_leaves_is_read_and_why_it_stops_is_told() {
    let scratch = Scratch::new();
    let path = scratch.path().join("file");
    // Longer than what is read to tell what it is.
    let text = vec![b'a'; 100_000];
    let whole = packers::zip(&[("a", &text), ("b", b"more")]);
    let broken = packers::with_wrong_sum(whole.clone());
    for (bytes, says) in [(&whole, None), (&broken, Some("a: its content is not what its checksum says"))] {
        fs::write(&path, bytes).expect("it is written");
        let file = File::open(&path).expect("it is there");
        let look = each_part(&file, &|_| false, &mut |_, _| Ok(()));
        assert_eq!(look.err().map(|why| why.to_string()).as_deref(), says);
    }
    fs::write(&path, &whole).expect("it is written");
    let file = File::open(&path).expect("it is there");
    let look = each_part(&file, &|_| false, &mut |part, _| match part.member {
        Some("b") => Err(super::Stopped("it is enough".to_owned())),
        _ => Ok(()),
    });
    assert_eq!(look.expect_err("it stops").to_string(), "b: it is enough");
}
