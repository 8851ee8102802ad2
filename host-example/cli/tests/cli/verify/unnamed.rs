//! Pointers of a session that has no manifest are found, committed or not.

use std::fs;
use std::path::{Path, PathBuf};

use hydrant_kit::scene::{Scene, pointer};

use super::{SESSION, are, content, findings, ledger, manifest};

/// Another session of the same content.
const OTHER: &str = "p2";

/// A ledger of two sessions.
fn two_sessions(scene: &Scene, folder: &str) -> PathBuf {
    let ledger = ledger(scene, folder);
    let content = content();
    let place = |name: &str| format!("{folder}/sessions/{OTHER}/{name}");
    for (name, bytes) in &content {
        scene.file(&place(name), pointer(bytes).as_bytes());
    }
    let named = content.each_ref().map(|(name, bytes)| (*name, bytes.as_slice()));
    scene.file(&place("meta.json"), manifest(&named).replace(SESSION, OTHER).as_bytes());
    scene.file(&place("summary.json"), super::SUMMARY);
    scene.commit(&ledger);
    ledger
}

#[test]
fn pointers_without_a_manifest_are_found() {
    let scene = Scene::new();
    let meta = format!("sessions/{OTHER}/meta.json");
    let folder = format!("sessions/{OTHER}");
    let (raw, small, gone) = (format!("{OTHER}/raw.jsonl"), format!("{OTHER}/small.bin"), format!("{OTHER}/meta.json"));
    let committed: &[(&str, &str, &[&str])] =
        &[(&raw, "conflict", &["is committed, and no manifest"]), (&small, "conflict", &["no manifest"])];
    let missing: &[(&str, &str, &[&str])] = &[(&gone, "missing", &["does not stand here"])];
    let commit = |ledger: &Path, arguments: &[&str]| {
        scene.git(ledger, arguments);
        scene.git(ledger, &["commit", "--quiet", "--message", "gone"]);
    };
    let remove = |ledger: &Path| fs::remove_dir_all(ledger.join(&folder)).expect("removed");
    // What becomes of the other session, and what is found.
    type Row<'a> = (&'a str, &'a dyn Fn(&Path), &'a [(&'a str, &'a str, &'a [&'a str])]);
    let sparse = format!("/{folder}/raw.jsonl");
    let table: [Row<'_>; 8] = [
        ("committed", &|ledger| commit(ledger, &["rm", "--quiet", &meta]), committed),
        ("only-here", &|ledger| commit(ledger, &["rm", "--quiet", "--cached", &meta]), committed),
        (
            "not-checked-out",
            &|ledger| {
                commit(ledger, &["rm", "--quiet", &meta]);
                remove(ledger);
            },
            committed,
        ),
        ("deleted", &|ledger| fs::remove_file(ledger.join(&meta)).expect("removed"), missing),
        ("staged", &|ledger| assert_eq!(scene.git(ledger, &["rm", "--quiet", &meta]), ""), missing),
        // A sparse checkout keeps the manifest out, and the pointer here.
        (
            "sparse",
            &|ledger| {
                let others = format!("/sessions/{SESSION}/*");
                drop(scene.git(ledger, &["sparse-checkout", "set", "--no-cone", &sparse, &others]));
                assert!(ledger.join(&folder).join("raw.jsonl").exists() && !ledger.join(&meta).exists());
            },
            &[],
        ),
        ("no-folder", &remove, &[]),
        ("no-session", &|ledger| commit(ledger, &["rm", "--quiet", "-r", &folder]), &[]),
    ];
    for (row, act, expected) in table {
        let ledger = two_sessions(&scene, row);
        are(&findings(&scene, &ledger, &[]), &[], row);
        act(&ledger);
        are(&findings(&scene, &ledger, &[]), expected, row);
        are(&findings(&scene, &ledger, &[SESSION]), &[], row);
    }
}

/// The last manifest of the work tree can be gone as well.
#[test]
fn a_deleted_manifest_is_found_where_no_other_stands() {
    let scene = Scene::new();
    let ledger = ledger(&scene, "ledger");
    fs::remove_file(ledger.join(format!("sessions/{SESSION}/meta.json"))).expect("removed");
    let gone = format!("{SESSION}/meta.json");
    are(&findings(&scene, &ledger, &[]), &[(&gone, "missing", &["committed"])], "the only one");
}

#[test]
fn folders_without_manifests_are_found_by_pointers_and_by_content_that_is_committed() {
    let scene = Scene::new();
    let ledger = ledger(&scene, "ledger");
    let [(_, raw), _] = content();
    scene.file("ledger/sessions/recording/raw.jsonl", &raw);
    scene.file("ledger/sessions/recording/notes.txt", b"words about version 1\n");
    scene.file("ledger/sessions/recording/empty", b"");
    fs::create_dir(ledger.join("sessions/bare")).expect("a folder");
    are(&findings(&scene, &ledger, &[]), &[], "no pointer");
    scene.commit(&ledger);
    let in_full: &[&str] = &["committed in full"];
    let committed = [("recording/notes.txt", "conflict", in_full), ("recording/raw.jsonl", "conflict", in_full)];
    are(&findings(&scene, &ledger, &[]), &committed, "no pointer, committed");
    scene.file("ledger/sessions/stray/raw.jsonl", pointer(&raw).as_bytes());
    let stray: (&str, &str, &[&str]) = ("stray/raw.jsonl", "conflict", &["stands here"]);
    are(&findings(&scene, &ledger, &[]), &[&[stray], &committed[..]].concat(), "a pointer");
}
