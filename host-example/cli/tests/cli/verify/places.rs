//! What stands in a pointer's place, in the work tree or in the last commit, is found whatever the cache has.

use std::fs;
use std::os::unix::fs::symlink;

use hydrant_kit::scene::{Scene, noise};

use super::{BROKEN, SESSION, are, content, findings, ledger};

#[test]
fn the_cache_hides_nothing() {
    let scene = Scene::new();
    let [(_, raw), _] = content();
    let other = noise(raw.len(), 77);
    let in_full = "content is committed in place of its pointer";
    // What the last commit holds and what stands in the work tree, both a pointer unless told, and what is found.
    type Row<'a> = (&'a str, Option<&'a [u8]>, Option<&'a [u8]>, Option<(&'a str, &'a str)>);
    let table: [Row<'_>; 11] = [
        ("short", None, Some(b"hi\n"), Some(("integrity", "3 bytes here"))),
        ("broken", None, Some(BROKEN), Some(("malformed", "a broken pointer stands here"))),
        ("other", None, Some(&other), Some(("integrity", "the file here is not"))),
        ("right", None, Some(&raw), None),
        ("short-twice", Some(b"hi\n"), Some(b"hi\n"), Some(("integrity", "3 bytes here"))),
        ("broken-twice", Some(BROKEN), Some(BROKEN), Some(("malformed", "a broken pointer stands here"))),
        ("other-twice", Some(&other), Some(&other), Some(("integrity", "the file here is not"))),
        ("other-committed", Some(&other), None, Some(("integrity", in_full))),
        ("other-beneath", Some(&other), Some(&raw), Some(("integrity", in_full))),
        ("right-committed", Some(&raw), None, Some(("conflict", "committed in full"))),
        ("right-twice", Some(&raw), Some(&raw), Some(("conflict", "committed in full"))),
    ];
    for (row, committed, standing, expected) in table {
        let ledger = ledger(&scene, row);
        let file = ledger.join("sessions").join(SESSION).join("raw.jsonl");
        let pointer = fs::read(&file).expect("the pointer");
        scene.hydrant(&ledger, &["hydrate"]).ends(0);
        if let Some(bytes) = committed {
            fs::write(&file, bytes).expect("written");
            scene.commit(&ledger);
        }
        if committed != standing {
            fs::write(&file, standing.unwrap_or(&pointer)).expect("written");
        }
        let path = format!("{SESSION}/raw.jsonl");
        let words: Vec<[&str; 1]> = expected.iter().map(|(_, words)| [*words]).collect();
        let expected: Vec<(&str, &str, &[&str])> =
            expected.iter().zip(&words).map(|((code, _), words)| (path.as_str(), *code, &words[..])).collect();
        are(&findings(&scene, &ledger, &[]), &expected, row);
        are(&findings(&scene, &ledger, &["--deep", SESSION]), &expected, row);
        scene.hydrant(&ledger, &["cache", "clear", "--yes"]).ends(0);
        are(&findings(&scene, &ledger, &[]), &expected, row);
    }
}

/// Content in place was taken from the cache or waits for its swap: both ends are hashed, and the server is asked.
#[test]
fn content_in_place_is_hashed_beside_the_cache() {
    let scene = Scene::new();
    let ledger = ledger(&scene, "ledger");
    scene.hydrant(&ledger, &["hydrate"]).ends(0);
    for (name, bytes) in content() {
        scene.file(&format!("ledger/sessions/{SESSION}/{name}"), &bytes);
    }
    let json = scene.hydrant(&ledger, &["verify", "--json"]).ends(0).json();
    assert_eq!((&json["in_place"], &json["cached"], &json["blobs"]), (&2.into(), &2.into(), &2.into()), "{json}");
}

#[test]
fn a_link_in_a_pointers_place_is_found() {
    let scene = Scene::new();
    let ledger = ledger(&scene, "ledger");
    scene.hydrant(&ledger, &["hydrate"]).ends(0);
    let file = ledger.join("sessions").join(SESSION).join("raw.jsonl");
    fs::remove_file(&file).expect("removed");
    symlink("small.bin", &file).expect("a link");
    let path = format!("{SESSION}/raw.jsonl");
    are(&findings(&scene, &ledger, &[]), &[(&path, "malformed", &["not a regular file"])], "link");
}
