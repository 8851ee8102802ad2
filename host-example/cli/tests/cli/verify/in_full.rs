//! Content that is staged in full is found in any LFS repository, and in every file of a session's folder.

use hydrant_kit::scene::{Scene, noise, pointer};

use super::{BROKEN, SESSION, SUMMARY, are, content, findings, ledger};

const LFS: &[u8] = b"*.bin filter=lfs diff=lfs merge=lfs -text\n";

#[test]
fn content_is_found_where_attributes_or_the_last_commit_have_a_pointer() {
    let scene = Scene::new();
    let old = noise(5_000, 61);
    let was = pointer(&old);
    scene.upload(&old);
    let (long, short) = (noise(2_000, 62), b"short");
    let (by_attributes, by_pointer) = ("filter=lfs", "the last commit has its pointer");
    let appended = [was.as_bytes(), &noise(2_000, 63)].concat();
    // What is committed, what is staged then, and which of it is found for which reason.
    type Files<'a> = &'a [(&'a str, &'a [u8])];
    type Row<'a> = (&'a str, Files<'a>, Files<'a>, &'a [(&'a str, &'a str)]);
    let table: [Row<'_>; 14] = [
        ("new", &[(".gitattributes", LFS)], &[("a.bin", &long)], &[("a.bin", by_attributes)]),
        ("short", &[(".gitattributes", LFS)], &[("d/a.bin", short)], &[("d/a.bin", by_attributes)]),
        ("with", &[], &[(".gitattributes", LFS), ("a.bin", &long)], &[("a.bin", by_attributes)]),
        ("below", &[("d/.gitattributes", LFS)], &[("d/a.bin", &long), ("a.bin", &long)], &[("d/a.bin", by_attributes)]),
        ("replaced", &[("a.dat", was.as_bytes())], &[("a.dat", &long)], &[("a.dat", by_pointer)]),
        ("by-short", &[("a.dat", was.as_bytes())], &[("a.dat", short)], &[("a.dat", by_pointer)]),
        ("its-own", &[("a.dat", was.as_bytes())], &[("a.dat", &old)], &[("a.dat", by_pointer)]),
        ("appended", &[("a.dat", was.as_bytes())], &[("a.dat", &appended)], &[("a.dat", by_pointer)]),
        (
            "both",
            &[(".gitattributes", LFS), ("a.bin", was.as_bytes())],
            &[("a.bin", &long)],
            &[("a.bin", by_attributes)],
        ),
        ("untracked", &[(".gitattributes", LFS)], &[("a.dat", &long), ("b/notes", short)], &[]),
        ("pointer", &[(".gitattributes", LFS), ("a.bin", &long)], &[("a.bin", was.as_bytes())], &[]),
        ("empty", &[(".gitattributes", LFS), ("b.dat", was.as_bytes())], &[("a.bin", b""), ("b.dat", b"")], &[]),
        ("committed", &[(".gitattributes", LFS), ("a.bin", &long)], &[("notes", short)], &[]),
        ("no-longer", &[(".gitattributes", LFS)], &[(".gitattributes", b"*.bin -filter\n"), ("a.bin", &long)], &[]),
    ];
    for (row, committed, staged, expected) in table {
        for (name, bytes) in committed {
            scene.file(&format!("{row}/{name}"), bytes);
        }
        let repository = scene.repository(row);
        scene.git(&repository, &["config", "lfs.url", &scene.url()]);
        for (name, bytes) in staged {
            scene.file(&format!("{row}/{name}"), bytes);
        }
        are(&findings(&scene, &repository, &["--staged"]), &[], row);
        scene.git(&repository, &["add", "--all"]);
        let words: Vec<[&str; 2]> = expected.iter().map(|(_, why)| ["in full", *why]).collect();
        let expected: Vec<(&str, &str, &[&str])> =
            expected.iter().zip(&words).map(|((name, _), words)| (*name, "conflict", &words[..])).collect();
        are(&findings(&scene, &repository, &["--staged"]), &expected, row);
        are(&findings(&scene, &repository, &["--staged", "--offline"]), &expected, row);
    }
}

#[test]
fn attributes_of_this_clone_count_and_a_changed_mode_is_no_content() {
    let scene = Scene::new();
    scene.file("repository/a.bin", &noise(3_000, 64));
    let repository = scene.repository("repository");
    scene.file("repository/.git/info/attributes", LFS);
    scene.git(&repository, &["update-index", "--chmod=+x", "a.bin"]);
    are(&findings(&scene, &repository, &["--staged"]), &[], "only its mode");
    scene.file("repository/b c.bin", &noise(3_000, 65));
    scene.git(&repository, &["add", "--all"]);
    are(&findings(&scene, &repository, &["--staged"]), &[("b c.bin", "conflict", &["-- 'b c.bin'"])], "staged");
}

/// Before the first commit there is nothing to restore from.
#[test]
fn what_is_staged_is_taken_out_as_told() {
    let scene = Scene::new();
    for (row, is_first) in [("first", true), ("next", false)] {
        let repository = scene.repository(row);
        if is_first {
            scene.git(&repository, &["update-ref", "-d", "HEAD"]);
        }
        scene.file(&format!("{row}/.gitattributes"), LFS);
        scene.file(&format!("{row}/a b.bin"), &noise(3_000, 66));
        scene.git(&repository, &["add", "--all"]);
        // What is staged need not be what stands there.
        scene.file(&format!("{row}/a b.bin"), b"other");
        let found = findings(&scene, &repository, &["--staged", "--offline"]);
        let command = found[0].2.split('`').nth(1).expect("a command").to_owned();
        assert!(scene.program("sh", &repository).args(["-c", &command]).status().expect("a shell").success(), "{row}");
        are(&findings(&scene, &repository, &["--staged", "--offline"]), &[], row);
        assert!(repository.join("a b.bin").exists(), "{row}");
    }
}

#[test]
fn every_file_of_a_session_is_found_but_what_git_carries() {
    let scene = Scene::new();
    let [(_, raw), _] = content();
    let tar = noise(200_000, 66);
    let by_git = r#"{"version": "1.0", "session_name": "new", "session_id": "ses_n", "agent_type": "claude-code",
        "files": {"chart.svg": {"storage": "git", "size": 2}}}"#;
    let pointer = pointer(&raw);
    let summary: (&str, &[u8]) = ("summary.json", SUMMARY);
    // The session, what is staged of it, and what of that is found.
    type Row<'a> = (&'a str, &'a str, &'a [(&'a str, &'a [u8])], &'a [&'a str]);
    let table: [Row<'_>; 8] = [
        ("known", SESSION, &[("trace.tar", &tar), ("more/deep/log", b"x")], &["more/deep/log", "trace.tar"]),
        ("new", "new", &[("trace.tar", &tar), summary], &["trace.tar"]),
        ("new-with-content", "new", &[("raw.jsonl", &raw), ("trace.tar", &tar)], &["raw.jsonl", "trace.tar"]),
        ("by-git", "new", &[("meta.json", by_git.as_bytes()), ("chart.svg", b"<>"), ("a", b"x")], &["a"]),
        ("broken", "new", &[("meta.json", b"{\"files\": {"), ("a", b"x"), summary], &["a", "meta.json"]),
        ("of-git", "new", &[(".gitignore", b"*.tmp\n"), ("d/.gitattributes", b"* -text\n")], &[]),
        ("pointers", "new", &[("raw.jsonl", pointer.as_bytes()), ("empty", b"")], &[]),
        ("malformed", "new", &[("raw.jsonl", BROKEN)], &["raw.jsonl"]),
    ];
    for (row, session, files, expected) in table {
        let ledger = ledger(&scene, row);
        for (name, bytes) in files {
            scene.file(&format!("{row}/sessions/{session}/{name}"), bytes);
        }
        scene.file(&format!("{row}/sessions/README"), b"beside the sessions");
        scene.git(&ledger, &["add", "--all"]);
        let mut names: Vec<String> =
            findings(&scene, &ledger, &["--staged", "--offline"]).into_iter().map(|(name, ..)| name).collect();
        names.sort_unstable();
        let expected: Vec<String> = expected.iter().map(|name| format!("sessions/{session}/{name}")).collect();
        assert_eq!(names, expected, "{row}");
    }
}

/// A project that has one session need not mean its own folders by that name.
#[test]
fn a_folder_that_was_there_before_any_session_is_none() {
    let scene = Scene::new();
    scene.file("ledger/sessions/php/login.php", b"code");
    let ledger = ledger(&scene, "ledger");
    scene.file("ledger/sessions/php/login.php", b"more code");
    scene.git(&ledger, &["add", "--all"]);
    are(&findings(&scene, &ledger, &["--staged"]), &[], "code");
    scene.file("ledger/sessions/php/raw.jsonl", b"{}");
    scene.git(&ledger, &["add", "--all"]);
    assert_eq!(findings(&scene, &ledger, &["--staged"]).len(), 2, "recorded into");
    scene.git(&ledger, &["config", "hydrant.ledger", "false"]);
    are(&findings(&scene, &ledger, &["--staged"]), &[], "its owner says so");
}

#[test]
fn no_server_is_asked_offline() {
    let scene = Scene::new();
    let ledger = ledger(&scene, "ledger");
    scene.file(&format!("ledger/sessions/{SESSION}/new.bin"), pointer(b"nobody has it").as_bytes());
    scene.git(&ledger, &["add", "--all"]);
    let before = scene.server.stats().batches;
    let json = scene.hydrant(&ledger, &["verify", "--staged", "--offline", "--json"]).ends(0).json();
    assert_eq!((&json["files"], &json["blobs"], &json["offline"]), (&1.into(), &0.into(), &true.into()), "{json}");
    scene.git(&ledger, &["config", "lfs.url", "http://127.0.0.1:9/none"]);
    scene.hydrant(&ledger, &["verify", "--offline"]).ends(0);
    assert_eq!(scene.server.stats().batches, before);
    scene.hydrant(&ledger, &["verify", "--deep", "--offline"]).ends(2);
}
