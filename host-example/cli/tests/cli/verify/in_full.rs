//! Content that is staged in full is found in any LFS repository, and in every file of a session's folder.

use std::fs;

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

/// Writes, or takes out where there are no bytes.
type Step<'a> = &'a [(&'a str, Option<&'a [u8]>)];

fn step(scene: &Scene, row: &str, step: Step<'_>) {
    let ledger = scene.path(row);
    for (name, bytes) in step {
        match bytes {
            Some(bytes) => drop(scene.file(&format!("{row}/sessions/{name}"), bytes)),
            None => drop(scene.git(&ledger, &["rm", "--quiet", &format!("sessions/{name}")])),
        }
    }
    scene.git(&ledger, &["add", "--all"]);
}

/// In the next commit, in a push to a branch that is there and to a new one, and in what was not pushed yet.
#[test]
fn what_belongs_to_a_session_is_told_by_what_its_folder_is_and_was() {
    let scene = Scene::new();
    let tar = noise(9_000, 67);
    let [raw, small] = content().map(|(name, bytes)| (format!("{SESSION}/{name}"), pointer(&bytes)));
    let own = |name: &str| format!("{SESSION}/{name}");
    let (meta, log, hidden, like) = (own("meta.json"), own("tool.log"), own(".git-transcript.jsonl"), own("d/.github"));
    let allowed = [".gitignore", ".gitattributes", ".gitkeep", "d/.gitmodules", ".mailmap"].map(own);
    let allowed: Vec<(&str, Option<&[u8]>)> = allowed.iter().map(|name| (name.as_str(), Some(&b"#"[..]))).collect();
    let summary = own("summary.json");
    let gone = [(meta.as_str(), None), (&raw.0, None), (&small.0, None), (&summary, None)];
    let gone_for_content = [&gone[..], &[(log.as_str(), Some(&tar[..]))]].concat();
    let (no_meta, with_log) = ((meta.as_str(), None), (log.as_str(), Some(&tar[..])));
    let lone = pointer(b"lone");
    let another = ("another/meta.json", Some(&b"{\"files\": {}}"[..]));
    // What is pushed before, what is committed and not pushed, what comes then, and what is found of it.
    type Row<'a> = (&'a str, Step<'a>, Step<'a>, Step<'a>, &'a [&'a str]);
    let table: [Row<'_>; 13] = [
        ("like-git-s", &[], &[], &[(&hidden, Some(&tar)), (&like, Some(&tar))], &[&hidden, &like]),
        ("git-s", &[], &[], &allowed, &[]),
        ("without-its-manifest", &[], &[], &[no_meta, with_log], &[&log]),
        ("manifest-gone-before", &[another], &[no_meta], &[with_log], &[&log]),
        ("manifest-gone-and-pushed", &[no_meta, another], &[], &[with_log], &[&log]),
        ("all-gone", &[], &[], &gone_for_content, &[&log]),
        ("lone-pointer", &[("n/blob", Some(lone.as_bytes()))], &[], &[("n/log", Some(&tar))], &["n/log"]),
        (
            "only-a-summary",
            &[("two/summary.json", Some(SUMMARY))],
            &[],
            &[("two/dump.tar", Some(&tar))],
            &["two/dump.tar"],
        ),
        (
            "summary-first",
            &[],
            &[("two/summary.json", Some(SUMMARY))],
            &[("two/dump.tar", Some(&tar))],
            &["two/dump.tar"],
        ),
        ("only-git-s", &[("two/.gitkeep", Some(b""))], &[], &[("two/a/b", Some(&tar))], &["two/a/b"]),
        ("new", &[], &[], &[("two/a/b", Some(&tar))], &["two/a/b"]),
        ("code", &[("php/login.php", Some(b"code"))], &[], &[("php/more.php", Some(&tar))], &[]),
        (
            "code-with-its-own",
            &[("php/.gitignore", Some(b"#")), ("php/a.php", Some(b"a"))],
            &[],
            &[("php/a.php", Some(&tar))],
            &[],
        ),
    ];
    for (row, pushed, before, then, expected) in table {
        let ledger = ledger(&scene, row);
        let remote = format!("{row}.git");
        scene.git(&scene.folder, &["init", "--quiet", "--bare", &remote]);
        scene.git(&ledger, &["remote", "add", "origin", scene.path(&remote).to_str().expect("text")]);
        let commit = || {
            scene.git(&ledger, &["commit", "--quiet", "--allow-empty", "--message", "words"]);
            scene.git(&ledger, &["rev-parse", "HEAD"]).trim().to_owned()
        };
        step(&scene, row, pushed);
        let base = commit();
        scene.git(&ledger, &["push", "--quiet", "origin", "HEAD:refs/heads/main"]);
        step(&scene, row, before);
        commit();
        step(&scene, row, then);
        let names = |json: &serde_json::Value| -> Vec<String> {
            let list = json["finding_list"].as_array().unwrap_or_else(|| panic!("{row}: {json}"));
            let is_in_full =
                |one: &&serde_json::Value| one["detail"].as_str().is_some_and(|why| why.contains("in full"));
            let mut names: Vec<String> = list
                .iter()
                .filter(is_in_full)
                .map(|one| one["name"].as_str().expect("a name").trim_start_matches("sessions/").to_owned())
                .collect();
            names.sort_unstable();
            names
        };
        let staged = scene.hydrant(&ledger, &["verify", "--staged", "--offline", "--json"]);
        assert_eq!(names(&staged.json()), expected, "{row}, staged");
        let tip = commit();
        for (to, there) in [("main", base.as_str()), ("new", &"0".repeat(40))] {
            let told = scene.file("told", format!("refs/heads/x {tip} refs/heads/{to} {there}\n").as_bytes());
            let mut push = scene.hydrant_command(&ledger);
            push.args(["verify", "--push", "origin", "--json"]).stdin(fs::File::open(told).expect("there"));
            let output = push.output().expect("hydrant runs");
            let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a document");
            assert_eq!(names(&json), expected, "{row}, push to {to}");
            assert_eq!(output.status.success(), expected.is_empty(), "{row}, push to {to}: {json}");
        }
        let all = scene.hydrant(&ledger, &["verify", "--offline", "--json"]);
        assert_eq!(names(&all.json()), expected, "{row}, not pushed yet");
    }
}
