//! Zip archives that lie, that are broken, and that are too much.

use super::super::limits::{DEPTH_MAX, MEMBERS_MAX, NAME_BYTES_MAX, UNPACKED_BYTES_FREE};
use super::packers::{
    CENTRAL_BITS, CENTRAL_METHOD, CENTRAL_PACKED, CENTRAL_SIZE, LOCAL_BITS, LOCAL_METHOD, Member, deflated, directory,
    patched, sum, tar, tar_member, with_wrong_sum, zip, zip_of,
};
use super::{holders, parts, refuses};

const SECRET: &str = "the one that is looked for";

fn one() -> Vec<u8> {
    zip(&[("dir/file", SECRET.as_bytes())])
}

/// The first entry, with something else written into it.
fn entry(archive: Vec<u8>, at: usize, with: &[u8]) -> Vec<u8> {
    let at = directory(&archive) + at;
    patched(archive, at, with)
}

/// The record at the end, with something else written into it.
fn end(archive: Vec<u8>, at: usize, with: &[u8]) -> Vec<u8> {
    let at = archive.len() - 22 + at;
    patched(archive, at, with)
}

#[test]
fn an_archive_that_lies_is_refused() {
    let size = SECRET.len() as u32;
    let packed = deflated(SECRET.as_bytes()).len() as u32;
    let two = zip(&[("dir/file", SECRET.as_bytes()), ("other", b"text")]);
    // Its directory names the first member twice, and the second one, which is the same, never.
    let twice = {
        let same = zip(&[("dir/file", SECRET.as_bytes()), ("other", SECRET.as_bytes())]);
        let second = directory(&same) + 46 + "dir/file".len();
        patched(same, second + 42, &0_u32.to_le_bytes())
    };
    // Its directory has one entry of two.
    let unnamed = {
        let at = directory(&two);
        let entry = 46 + "dir/file".len();
        let kept = [&two[..at], &two[at..at + entry], &two[two.len() - 22..]].concat();
        end(end(end(kept, 8, &[1, 0, 1, 0]), 12, &(entry as u32).to_le_bytes()), 16, &(at as u32).to_le_bytes())
    };
    let with_comment = |text: &[u8]| {
        let archive = end(one(), 20, &(text.len() as u16).to_le_bytes());
        [&archive[..], text].concat()
    };
    for (what, bytes, said) in [
        ("a smaller size", entry(one(), CENTRAL_SIZE, &(size - 1).to_le_bytes()), "dir/file: it is not as long"),
        ("a larger size", entry(one(), CENTRAL_SIZE, &(size + 1).to_le_bytes()), "dir/file: it is not as long"),
        ("no size", entry(one(), CENTRAL_SIZE, &[0; 4]), "dir/file: it is not as long"),
        ("a wrong sum", with_wrong_sum(one()), "dir/file: its content is not what its checksum says"),
        ("another packed size", entry(one(), CENTRAL_PACKED, &(packed - 1).to_le_bytes()), "say different things"),
        ("neither packed nor long", entry(entry(one(), CENTRAL_SIZE, &[0; 4]), CENTRAL_PACKED, &[0; 4]), "different"),
        ("another method", entry(one(), CENTRAL_METHOD, &[0, 0]), "dir/file: it is broken (its headers say different"),
        ("encrypted", entry(one(), CENTRAL_BITS, &[1, 0]), "dir/file: it is encrypted"),
        ("encrypted by its own header", patched(one(), LOCAL_BITS, &[1, 0]), "dir/file: it is broken (its headers"),
        ("masked headers", entry(one(), CENTRAL_BITS, &[0, 0x20]), "dir/file: its headers are encrypted"),
        ("a patch", entry(one(), CENTRAL_BITS, &[0x20, 0]), "dir/file: it is a patch"),
        (
            "an unknown method",
            patched(entry(one(), CENTRAL_METHOD, &[14, 0]), LOCAL_METHOD, &[14, 0]),
            "dir/file: it is packed by method 14, which is not known",
        ),
        ("another volume", entry(one(), 34, &[1, 0]), "dir/file: it is in another volume"),
        ("volumes", end(one(), 4, &[1, 0]), "it is one of several volumes"),
        ("another count", end(one(), 8, &[2, 0, 2, 0]), "its directory has another length"),
        ("no count", end(one(), 8, &[0; 4]), "its directory has another length"),
        ("a directory before the file", end(one(), 12, &[0xff, 0xff, 0, 0]), "its directory is longer than the file"),
        ("a directory elsewhere", end(one(), 16, &[0xff, 0xff, 0, 0]), "its directory is not where it says"),
        ("an offset elsewhere", entry(one(), 42, &[1, 0, 0, 0]), "dir/file: it is broken (it is not where"),
        ("an offset behind", entry(one(), 42, &[0xfe, 0xff, 0xff, 0x7f]), "dir/file: it is cut off"),
        ("a name over the end", entry(one(), 28, &[0xff, 0xff]), "an entry of its directory is cut off"),
        ("one member twice", twice, "it is broken (two members overlap)"),
        ("a member that is not named", unnamed, "it holds a member that its directory does not name"),
        ("something behind it", [one(), b"\n".to_vec()].concat(), "it has no directory at its end"),
        ("only its beginning", one()[..40].to_vec(), "it has no directory at its end"),
        ("without its last byte", one()[..one().len() - 1].to_vec(), "it has no directory at its end"),
        ("another archive in its comment", with_comment(&zip(&[("x", b"y")])), "does not name"),
        ("two archives", [one(), one()].concat(), "it holds a member that its directory does not name"),
    ] {
        refuses(what, &bytes, said);
        // What is refused by itself is refused in another one.
        refuses(what, &zip(&[("outer", &bytes)]), "outer");
    }
    assert_eq!(holders(&one(), SECRET), ["dir/file"]);
}

/// Each cut and each wrong byte is refused, or it changes nothing of what is found.
#[test]
fn no_broken_archive_loses_a_member() {
    let archive = zip(&[("a", SECRET.as_bytes()), ("b", b"other text"), ("c", SECRET.as_bytes())]);
    for at in 0..archive.len() {
        let changed = patched(archive.clone(), at, &[archive[at] ^ 0x41]);
        for bytes in [&archive[..at], &changed, &[&archive[..at], &archive[at + 1..]].concat()] {
            let (look, parts) = parts(bytes);
            let found = parts.iter().filter(|(_, bytes)| bytes == SECRET.as_bytes()).count();
            let is_archive = look.is_ok() && parts.iter().any(|(name, _)| !name.is_empty());
            assert!(!is_archive || found == 2, "byte {at}: {look:?}");
        }
    }
}

#[test]
fn a_name_of_others_steers_no_terminal_and_every_name_counts() {
    for (name, shown) in [
        ("a\u{1b}[31m\nb", "a\u{fffd}[31m b"),
        ("../../etc/x", "../../etc/x"),
        ("/abs", "/abs"),
        ("a\u{202e}b", "a\u{fffd}b"),
        ("a!b", "a!b"),
        ("", ""),
    ] {
        assert_eq!(holders(&zip(&[(name, SECRET.as_bytes())]), SECRET), [shown], "{name:?}");
    }
    // Two of one name are two.
    assert_eq!(holders(&zip(&[("a", b"x"), ("a", SECRET.as_bytes())]), SECRET), ["a"]);
    assert_eq!(holders(&zip(&[("a", SECRET.as_bytes()), ("a", b"x")]), SECRET), ["a"]);
    // A folder with content, and names themselves.
    assert_eq!(holders(&zip(&[("a/", SECRET.as_bytes())]), SECRET), ["a/"]);
    assert_eq!(holders(&zip(&[(SECRET, b"x")]), SECRET), ["its own bytes"]);
    let long = "x".repeat(NAME_BYTES_MAX + 1);
    refuses("a long name", &zip(&[(&long, b"x")]), "a member's name is longer than 4096 bytes");
    assert_eq!(parts(&zip(&[(&long[1..], b"x")])).0.err(), None);
}

#[test]
fn what_stands_before_an_archive_is_looked_through_and_hides_nothing() {
    let behind = |before: &[u8]| [before, &one()].concat();
    for before in [&b"#!/bin/sh\n"[..], b"MZ and a program", &[b'x'; 100_000]] {
        assert_eq!(holders(&behind(before), SECRET), ["dir/file"]);
        // What is read but once does not show its end before it is over.
        let inner = behind(before);
        refuses("in tar", &tar(&[tar_member("run", &inner, b'0')]), "run: a zip archive stands at its end");
    }
    assert_eq!(holders(&behind(SECRET.as_bytes()), SECRET), ["dir/file", "its own bytes"]);
}

#[test]
fn too_deep_too_many_and_too_much_is_refused() {
    let nested = |depth: usize| (1..depth).fold(one(), |inner, _| zip(&[("in", &inner)]));
    assert_eq!(holders(&nested(DEPTH_MAX), SECRET), ["in!in!dir/file"]);
    for depth in [DEPTH_MAX + 1, DEPTH_MAX + 2, 30] {
        refuses("too deep", &nested(depth), "in!in!in: it lies in 3 others");
    }
    let member = |packed| Member { name: b"x", packed, sum: 0, size: 0 };
    let many = |count: u64, packed| zip_of((0..count).map(|_| member(packed)));
    refuses("too many", &many(MEMBERS_MAX + 1, &[]), "it has more than 100000 members");
    // Ten archives with a tenth of them each, which count themselves.
    let tenth = many(MEMBERS_MAX / 10, &[3, 0]);
    let inner: Vec<(&str, &[u8])> = (0..10).map(|_| ("in", &tenth[..])).collect();
    refuses("too many in all", &zip(&inner), "it has more than 100000 members");
}

/// One packed piece again and again: what comes out of it is as long as wanted, and nothing here is.
fn bomb(size: u64) -> Vec<u8> {
    let piece = "a line that comes again\n".repeat(50_000);
    let mut packer = flate2::Compress::new(flate2::Compression::best(), false);
    let mut packed = Vec::with_capacity(64 * 1024);
    packer.compress_vec(piece.as_bytes(), &mut packed, flate2::FlushCompress::Full).expect("memory");
    let times = usize::try_from(size / piece.len() as u64).expect("it fits") + 1;
    let packed = [packed.repeat(times), vec![3, 0]].concat();
    let size = piece.len() * times;
    // Nobody comes to the end of it, where its sum would be wrong.
    zip_of([Member { name: b"bomb", packed: &packed, sum: sum(b""), size }])
}

#[test]
fn what_grows_without_measure_is_refused() {
    let bomb = bomb(UNPACKED_BYTES_FREE);
    assert!((bomb.len() as u64) < UNPACKED_BYTES_FREE / 250, "it is small: {}", bomb.len());
    refuses("a bomb", &tar(&[tar_member("in", &bomb, b'0')]), "in!bomb: more than 256.0 MiB come out of so small");
}
