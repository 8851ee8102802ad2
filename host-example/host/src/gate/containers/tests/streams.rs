//! Compressed files that are broken or hold more than one stream.

use std::io::Write;

use flate2::{Compression, GzBuilder};

use super::super::limits::DEPTH_MAX;
use super::packers::{gzip, patched, sum, zip};
use super::{holders, refuses};

const SECRET: &str = "the one that is looked for";

/// What `zstd` and `xz` make of "the one that is looked for", and `bzip2`, with their checksums.
const PACKED: [(&str, &[u8]); 3] = [
    (
        "zstd",
        b"\x28\xb5\x2f\xfd\x04\x58\xd1\x00\x00\x74\x68\x65\x20\x6f\x6e\x65\x20\x74\x68\x61\x74\x20\
          \x69\x73\x20\x6c\x6f\x6f\x6b\x65\x64\x20\x66\x6f\x72\x53\xc8\x73\xae",
    ),
    (
        "xz",
        b"\xfd\x37\x7a\x58\x5a\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x16\x00\x00\x00\x74\x2f\
          \xe5\xa3\x01\x00\x19\x74\x68\x65\x20\x6f\x6e\x65\x20\x74\x68\x61\x74\x20\x69\x73\x20\x6c\
          \x6f\x6f\x6b\x65\x64\x20\x66\x6f\x72\x00\x00\x00\xb1\x12\xa7\xa3\xad\x04\x9f\xa1\x00\x01\
          \x32\x1a\x20\x18\x94\x30\x1f\xb6\xf3\x7d\x01\x00\x00\x00\x00\x04\x59\x5a",
    ),
    (
        "bzip2",
        b"\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\xfb\x79\x2a\x2d\x00\x00\x0c\x91\x80\x40\x00\x27\
          \x6d\x9c\x00\x20\x00\x21\xa9\xea\x1a\x68\xcc\xa1\x00\x00\x32\xdc\x09\x26\xea\x78\x0a\x24\
          \x15\x7a\x4a\x1f\xc5\xdc\x91\x4e\x14\x24\x3e\xde\x4a\x8b\x40",
    ),
];

#[test]
fn all_streams_of_a_file_are_looked_through() {
    let text = gzip(SECRET.as_bytes());
    let told = {
        let mut packer = GzBuilder::new().comment(SECRET).filename("name").write(Vec::new(), Compression::default());
        packer.write_all(b"text").expect("memory");
        packer.finish().expect("memory")
    };
    for (what, bytes, names) in [
        ("one", text.clone(), vec!["unpacked"]),
        ("the second", [gzip(b"first"), text.clone()].concat(), vec!["unpacked"]),
        ("behind an empty one", [gzip(b""), text.clone()].concat(), vec!["unpacked"]),
        ("with zeros", [&text[..], &[0; 100]].concat(), vec!["unpacked"]),
        ("behind zeros", [&gzip(b"first")[..], &[0; 100], &text].concat(), vec!["unpacked"]),
        ("a comment", told.clone(), vec!["its own bytes"]),
        ("a comment of the second", [gzip(b"first"), told].concat(), vec!["its own bytes"]),
        ("gzip in gzip", gzip(&text), vec!["unpacked"]),
        ("zip in gzip", gzip(&zip(&[("a", SECRET.as_bytes())])), vec!["a"]),
        ("gzip in zip", zip(&[("a.gz", &text)]), vec!["a.gz!unpacked"]),
    ] {
        assert_eq!(holders(&bytes, SECRET), names, "{what}");
    }
    for (what, packed) in PACKED {
        assert_eq!(holders(packed, SECRET), ["unpacked"], "{what}");
        assert_eq!(holders(&[packed, packed].concat(), SECRET), ["unpacked"], "{what} twice");
    }
    // Frames of zstd that hold something else.
    let other = [b"\x53\x2a\x4d\x18\x1a\0\0\0", SECRET.as_bytes()].concat();
    let zstd = PACKED[0].1;
    assert_eq!(holders(&[&other, zstd].concat(), SECRET), ["unpacked", "its own bytes"]);
    assert_eq!(holders(&[zstd, &other].concat(), SECRET), ["unpacked", "its own bytes"]);
    assert_eq!(holders(&other, SECRET), ["its own bytes"]);
}

#[test]
fn a_broken_stream_is_refused() {
    let nested = |depth: usize| (1..depth).fold(gzip(SECRET.as_bytes()), |inner, _| gzip(&inner));
    assert_eq!(holders(&nested(DEPTH_MAX), SECRET), ["unpacked"]);
    refuses("too deep", &nested(DEPTH_MAX + 1), "it lies in 3 others");
    refuses("far too deep", &nested(100), "it lies in 3 others");
    let gz = gzip(SECRET.as_bytes());
    for (what, packed) in PACKED.into_iter().chain([("gzip", &gz[..])]) {
        for end in packed.len() / 2..packed.len() {
            refuses(what, &packed[..end], "");
        }
        refuses(what, &[packed, b"x"].concat(), "");
        refuses(what, &[packed, b"more text than that"].concat(), "");
        let at = packed.len() - 6;
        refuses(what, &patched(packed.to_vec(), at, &[packed[at] ^ 1]), "");
    }
}

/// A few bytes may ask for much memory: none of it is taken.
#[test]
fn a_window_above_the_limit_is_refused() {
    // 128 MiB, 192 MiB and nearly 4 GiB in the header of a block of xz, which has its own sum.
    for (size, is_refused) in [(30, false), (31, true), (40, true)] {
        let xz = patched(PACKED[1].1.to_vec(), 16, &[size]);
        let of_header = sum(&xz[12..20]).to_le_bytes();
        let xz = patched(xz, 20, &of_header);
        match is_refused {
            true => refuses("xz", &xz, "mem"),
            false => assert_eq!(holders(&xz, SECRET), ["unpacked"]),
        }
    }
    // The same in the header of a frame of zstd.
    for (size, is_refused) in [(17 << 3, false), ((17 << 3) | 1, true), (21 << 3, true)] {
        let zstd = [&PACKED[0].1[..4], &[0x04, size], &PACKED[0].1[6..]].concat();
        match is_refused {
            true => refuses("zstd", &zstd, "indow"),
            false => assert_eq!(holders(&zstd, SECRET), ["unpacked"]),
        }
    }
}
