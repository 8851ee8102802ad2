//! Tar archives that lie, that are broken, and of which readers think differently.

use super::super::limits::NAME_BYTES_MAX;
use super::packers::{gzip, patched, summed, tar, tar_header, tar_member};
use super::{holders, parts, refuses};

const SECRET: &str = "the one that is looked for";

fn file(name: &str) -> Vec<u8> {
    tar_member(name, SECRET.as_bytes(), b'0')
}

fn pax(records: &[&str]) -> Vec<u8> {
    let record = |text: &&str| {
        // The length counts itself.
        let length = (1..).find(|length| length.to_string().len() + 2 + text.len() == *length).expect("one fits");
        format!("{length} {text}\n")
    };
    tar_member("pax", records.iter().map(record).collect::<String>().as_bytes(), b'x')
}

#[test]
fn every_member_is_found_by_the_name_that_counts() {
    let long = "long/".repeat(60) + "name";
    let sparse = {
        let mut header = tar_header("sparse", b"00000000032\0", b'S');
        header[482] = 1;
        let mut map = vec![0; 512];
        map[504] = 0;
        [summed(header), map, SECRET.as_bytes().to_vec(), vec![0; 512 - SECRET.len()]].concat()
    };
    let old = {
        let mut header = tar_header("old", b"00000000032 ", b'0');
        header[257..265].fill(0);
        header[156] = 0;
        [summed(header), SECRET.as_bytes().to_vec(), vec![0; 512 - SECRET.len()]].concat()
    };
    let large_number = {
        let mut size = [0; 12];
        (size[0], size[11]) = (0x80, SECRET.len() as u8);
        let header = tar_header("large", &size, b'0');
        [header, SECRET.as_bytes().to_vec(), vec![0; 512 - SECRET.len()]].concat()
    };
    let sized = {
        // The size in the header is not the one that counts.
        let member = [tar_header("sized", b"00000000000\0", b'0'), SECRET.as_bytes().to_vec()].concat();
        [pax(&["size=26"]), member, vec![0; 512 - SECRET.len()]].concat()
    };
    let padded = patched(file("padded"), 1024 - SECRET.len(), SECRET.as_bytes());
    for (what, archive, names) in [
        ("ustar", tar(&[file("a")]), vec!["a"]),
        ("old", tar(&[old]), vec!["old"]),
        ("behind an empty one", tar(&[tar_member("e", b"", b'0'), file("a")]), vec!["a"]),
        ("two of one name", tar(&[file("a"), file("a")]), vec!["a", "a"]),
        ("pax", tar(&[pax(&["mtime=1.5", &format!("path={long}")]), file("short")]), vec![&long]),
        ("a name for one", tar(&[pax(&["path=one"]), file("a"), file("b")]), vec!["one", "b"]),
        ("GNU", tar(&[tar_member("././@LongLink", format!("{long}\0").as_bytes(), b'L'), file("s")]), vec![&long]),
        ("sparse", tar(&[sparse, file("b")]), vec!["sparse", "b"]),
        ("a large number", tar(&[large_number, file("b")]), vec!["large", "b"]),
        ("a size in pax", tar(&[sized, file("b")]), vec!["sized", "b"]),
        ("in what fills a block", tar(&[padded]), vec!["padded", "its own bytes"]),
        ("a strange kind", tar(&[tar_member("odd", SECRET.as_bytes(), b'Z')]), vec!["odd"]),
        ("a name", tar(&[tar_member(SECRET, b"x", b'0')]), vec!["its own bytes"]),
        ("a comment", tar(&[pax(&[&format!("comment={SECRET}")]), tar_member("x", b"x", b'0')]), vec!["its own bytes"]),
        ("control characters", tar(&[file("a\u{1b}[31m")]), vec!["a\u{fffd}[31m"]),
    ] {
        assert_eq!(holders(&archive, SECRET), names, "{what}");
        // Packed, it is one container still.
        assert_eq!(holders(&gzip(&archive), SECRET), names, "{what}");
    }
}

#[test]
fn an_archive_that_lies_is_refused() {
    let whole = tar(&[file("a"), file("b")]);
    let long = "x".repeat(NAME_BYTES_MAX + 1);
    for (what, bytes, said) in [
        ("a wrong sum at the beginning", patched(whole.clone(), 0, b"z"), "a header has a wrong checksum"),
        ("a wrong sum", patched(whole.clone(), 1024, b"z"), "a header has a wrong checksum"),
        ("text for a header", patched(whole.clone(), 1024, &[b'x'; 512]), "a header has a wrong checksum"),
        ("no size", tar(&[tar_header("a", b"x", b'0')]), "a header has no size"),
        ("more than there is", tar(&[tar_header("a", b"77777777777\0", b'0')]), "a: it is cut off"),
        ("a number without end", tar(&[tar_header("a", &[[0x80].as_slice(), &[0xff; 11]].concat(), b'0')]), "no size"),
        ("cut behind a member", whole[..700].to_vec(), "it is cut off"),
        ("cut in a header", whole[..1100].to_vec(), "it is cut off"),
        ("cut in a member", whole[..520].to_vec(), "a: it is cut off"),
        ("without its end", whole[..2048].to_vec(), "it is cut off"),
        ("half of its end", whole[..2560].to_vec(), "it is cut off"),
        ("something behind it", [whole.clone(), b"\n".to_vec()].concat(), "something follows its end"),
        ("two archives", [whole.clone(), whole.clone()].concat(), "something follows its end"),
        ("a lone block of zeros", [file("a"), vec![0; 512], file("b"), vec![0; 1024]].concat(), "something follows"),
        ("a link with content", tar(&[tar_member("l", SECRET.as_bytes(), b'1')]), "l: it is no file and has content"),
        ("a folder with content", tar(&[tar_member("d", SECRET.as_bytes(), b'5')]), "d: it is no file and has content"),
        (
            "one size for all",
            tar(&[
                {
                    let header = pax(&["size=0"]);
                    summed(patched(header[..512].to_vec(), 156, b"g"))
                        .into_iter()
                        .chain(header[512..].to_vec())
                        .collect()
                },
                file("b"),
            ]),
            "one size of all its members",
        ),
        ("no pax", tar(&[tar_member("pax", b"what is this", b'x'), file("b")]), "it is broken (a pax header)"),
        ("a long header", tar(&[tar_header("pax", b"00010000001\0", b'x')]), "its headers are longer than"),
        ("a long name", tar(&[tar_member("L", long.as_bytes(), b'L'), file("b")]), "a member's name is longer"),
    ] {
        refuses(what, &bytes, said);
        refuses(what, &gzip(&bytes), said.split(": ").last().unwrap_or(said));
    }
}

/// Cuts and wrong bytes are refused, or change nothing of what is found.
#[test]
fn no_broken_archive_loses_a_member() {
    let archive = tar(&[file("a"), tar_member("n", b"other", b'0'), file("c")]);
    for at in (0..archive.len()).step_by(3) {
        let changed = patched(archive.clone(), at, &[archive[at] ^ 0x41]);
        for bytes in [&archive[..at], &changed] {
            let (look, parts) = parts(bytes);
            let found = parts.iter().filter(|(_, bytes)| bytes == SECRET.as_bytes()).count();
            let is_archive = look.is_ok() && parts.iter().any(|(name, _)| !name.is_empty());
            let is_in_content = (512..538).contains(&at) || (2560..2586).contains(&at);
            assert!(!is_archive || found == 2 || is_in_content, "byte {at}: {look:?}");
        }
    }
}
