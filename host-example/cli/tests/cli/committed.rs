//! Content that commits hold in full: who tells of it, how it is taken out, and who refuses to push it.

mod partial;

use std::fs;
use std::process::Command;

use serde_json::Value;

use hydrant_kit::scene::{Ran, noise};
use hydrant_kit::world::{SESSION, World, transcript};

/// A ledger with a published session, whose pointers stand here.
fn published() -> World {
    let mut world = World::new();
    world.record();
    world.scene.hydrant(&world.clone, &["publish", SESSION]).ends(0);
    world
}

fn commit(world: &World) {
    world.git(&["add", "--all"]);
    world.git(&["commit", "--quiet", "--message", "in full"]);
}

fn put(world: &World, name: &str, bytes: &[u8]) {
    world.scene.file(&format!("clone/{name}"), bytes);
}

fn list<'a>(json: &'a Value, key: &str) -> &'a Vec<Value> {
    json[key].as_array().unwrap_or_else(|| panic!("{json}"))
}

/// Findings of `doctor` of one kind.
fn found(world: &World, kind: &str) -> Vec<Value> {
    let json = world.scene.hydrant(&world.clone, &["doctor", "--json"]).json();
    list(&json, "finding_list").iter().filter(|one| one["kind"] == kind).cloned().collect()
}

fn reconcile(world: &World) -> Ran {
    world.scene.hydrant(&world.clone, &["reconcile", "--json"])
}

/// Names of what `verify` says is committed in full.
fn verified(world: &World) -> Vec<String> {
    let json = world.scene.hydrant(&world.clone, &["verify", "--json"]).json();
    let in_full = |one: &&Value| one["detail"].as_str().is_some_and(|detail| detail.contains("in full"));
    let name = |one: &Value| one["name"].as_str().expect("a name").to_owned();
    list(&json, "finding_list").iter().filter(in_full).map(name).collect()
}

#[test]
fn content_of_commits_is_told_by_all_three_and_taken_out_as_they_say() {
    let raw = format!("sessions/{SESSION}/raw.jsonl");
    let tar = format!("sessions/{SESSION}/trace.tar");
    let own = transcript(40);
    // What the commit holds in full, and that `verify` names.
    type Row<'a> = (&'a str, &'a [(&'a str, Vec<u8>)], &'a [&'a str]);
    let table: [Row<'_>; 4] = [
        ("its own content", &[(&raw, own)], &[&raw]),
        ("a file that no manifest names", &[(&tar, noise(90_000, 71))], &[&tar]),
        ("an asset", &[(".gitattributes", b"*.bin filter=lfs\n".to_vec()), ("a.bin", noise(9_000, 72))], &["a.bin"]),
        ("a session without a manifest", &[("sessions/new/raw.jsonl", transcript(3))], &["sessions/new/raw.jsonl"]),
    ];
    for (row, files, expected) in table {
        for is_pushed in [false, true] {
            let world = published();
            for (name, bytes) in files {
                put(&world, name, bytes);
            }
            commit(&world);
            if is_pushed {
                world.git(&["push", "--quiet"]);
            }
            let names: Vec<&str> = expected.iter().map(|path| path.strip_prefix("sessions/").unwrap_or(path)).collect();
            assert_eq!(verified(&world), names, "{row}");
            let told = found(&world, "committed-content");
            assert_eq!(told.len(), 1, "{row}: {told:?}");
            assert_eq!(told[0]["severity"], if is_pushed { "note" } else { "finding" }, "{row}");
            let json = reconcile(&world).ends(i32::from(!is_pushed)).json();
            let paths: Vec<&Value> = list(&json, "in_full_list").iter().map(|one| &one["path"]).collect();
            assert_eq!(paths, expected.iter().collect::<Vec<_>>(), "{row}");
            assert_eq!(json["in_full_list"][0]["pushed"], is_pushed, "{row}");
            let next = json["next"].as_str().expect("words");
            assert_eq!(next.contains("do not push yet"), !is_pushed, "{row}: {next}");
            if !is_pushed {
                world.git(&["reset", "--quiet", "@{upstream}"]);
                assert!(verified(&world).is_empty() && found(&world, "committed-content").is_empty(), "{row}");
            }
        }
    }
}

/// Runs the first command that is told.
fn follow(world: &World, told: &Value) {
    let command = told.as_str().and_then(|told| told.split('`').nth(1)).expect("a command");
    let mut shell: Command = world.scene.program("sh", &world.clone);
    assert!(shell.args(["-e", "-c", command]).status().expect("a shell").success(), "{command}");
}

/// The commit that is named is there, whether or not the branch has an upstream.
#[test]
fn commits_are_taken_back_as_they_say_without_an_upstream() {
    type Before<'a> = &'a [&'a [&'a str]];
    // What becomes of the clone before, and what is still committed afterwards.
    let table: [(&str, Before<'_>, Option<&str>); 5] = [
        ("upstream", &[], Some("fine")),
        ("no-upstream", &[&["branch", "--unset-upstream"]], Some("fine")),
        ("no-remote", &[&["remote", "remove", "origin"]], Some("fine")),
        ("first", &[&["switch", "--quiet", "--orphan", "another"]], None),
        ("first-of-all", &[&["remote", "remove", "origin"], &["switch", "--quiet", "--orphan", "another"]], None),
    ];
    for (row, before, left) in table {
        let world = published();
        before.iter().for_each(|arguments| drop(world.git(arguments)));
        if left.is_some() {
            world.git(&["commit", "--quiet", "--allow-empty", "--message", "fine"]);
        }
        put(&world, ".gitattributes", b"*.bin filter=lfs\n");
        put(&world, "a.bin", &noise(9_000, 74));
        commit(&world);
        put(&world, "a.bin", &noise(9_000, 75));
        put(&world, "b.bin", &noise(9_000, 76));
        commit(&world);
        // Without a remote it is the last commit that is looked at, each time.
        for _ in 0..2 {
            let told = found(&world, "committed-content");
            assert!(told.len() <= 1, "{row}: {told:?}");
            told.iter().for_each(|one| follow(&world, &one["detail"]));
        }
        assert!(verified(&world).is_empty() && found(&world, "committed-content").is_empty(), "{row}");
        assert_eq!(fs::read(world.clone.join("a.bin")).expect("it stands"), noise(9_000, 75), "{row}");
        let mut log = world.scene.program("git", &world.clone);
        let log = log.args(["log", "-1", "--format=%s"]).output().expect("git runs").stdout;
        assert_eq!(String::from_utf8_lossy(&log).trim(), left.unwrap_or_default(), "{row}");
        assert!(world.git(&["ls-files", "*.bin"]).is_empty(), "nothing of it is staged: {row}");
    }
}

/// The way that is told leads out, also of what was pushed.
#[test]
fn a_publish_puts_pointers_where_content_was_committed() {
    for is_pushed in [false, true] {
        let world = published();
        put(&world, &format!("sessions/{SESSION}/raw.jsonl"), &transcript(40));
        commit(&world);
        if is_pushed {
            world.git(&["push", "--quiet"]);
        } else {
            world.git(&["reset", "--quiet", "@{upstream}"]);
        }
        world.scene.hydrant(&world.clone, &["publish", SESSION]).ends(0);
        assert!(verified(&world).is_empty(), "pushed: {is_pushed}");
        let there = world.remote_file(&format!("sessions/{SESSION}/raw.jsonl")).expect("a pointer");
        assert!(there.starts_with(b"version "), "pushed: {is_pushed}");
        assert_eq!(world.git(&["status", "--porcelain"]), "");
    }
}

#[test]
fn what_a_later_commit_removed_is_still_sent_by_a_push() {
    let world = published();
    let path = format!("sessions/{SESSION}/raw.jsonl");
    let pointer = fs::read(world.clone.join(&path)).expect("a pointer");
    put(&world, &path, &transcript(40));
    commit(&world);
    put(&world, &path, &pointer);
    commit(&world);
    let json = reconcile(&world).ends(1).json();
    let one = &json["in_full_list"][0];
    assert_eq!((&one["path"], &one["history_only"]), (&path.as_str().into(), &true.into()), "{json}");
    assert_eq!(found(&world, "committed-content").len(), 1);
    assert_eq!(verified(&world).len(), 1);
}

/// The transcript and the manifest of a session of the first recorders.
pub(crate) fn old_session() -> (Vec<u8>, String) {
    let raw = transcript(5);
    let blob = hydrant_host::files::digest::blob_of(&raw);
    let manifest = format!(
        r#"{{"version": "1.0", "session_id": "ses_old", "files": {{"raw.jsonl": {{"storage": "lfs",
            "oid": "sha256:{}", "size": {}}}}}}}"#,
        blob.oid, blob.size
    );
    (raw, manifest)
}

/// Sessions of the first recorders were committed in full, and nobody ever had their pointers.
#[test]
fn a_session_that_never_had_pointers_is_taken_as_it_is() {
    let world = World::new();
    let (raw, manifest) = old_session();
    put(&world, "sessions/old/raw.jsonl", &raw);
    put(&world, "sessions/old/meta.json", manifest.as_bytes());
    commit(&world);
    assert_eq!(verified(&world).len(), 1, "not pushed yet, it can still be taken out");
    world.git(&["push", "--quiet"]);
    assert!(verified(&world).is_empty() && found(&world, "committed-content").is_empty());
    reconcile(&world).ends(0);
}

#[test]
fn a_publish_pushes_no_content_along() {
    let mut world = World::new();
    world.record();
    put(&world, "sessions/new/raw.jsonl", &transcript(30));
    put(&world, "sessions/new/trace.tar", &noise(50_000, 73));
    world.git(&["add", "sessions/new"]);
    world.git(&["commit", "--quiet", "--message", "in full"]);
    let before = world.git(&["ls-remote", "origin"]);
    let batches = world.scene.server.stats().batches;
    let dry = ["publish", SESSION, "--with-unpushed", "--dry-run", "--json"];
    let plan = world.scene.hydrant(&world.clone, &dry).ends(1).json();
    assert!(list(&plan, "obstacle_list").iter().any(|one| one.as_str().is_some_and(|it| it.contains("in full"))));
    let asked = world.scene.server.stats().batches;
    let said = world.scene.hydrant(&world.clone, &["publish", SESSION, "--with-unpushed"]).ends(3);
    assert!(said.err.contains("sessions/new/raw.jsonl") && said.err.contains("and 1 more"), "{}", said.err);
    assert!(said.err.contains("git reset"), "{}", said.err);
    assert_eq!(world.git(&["ls-remote", "origin"]), before);
    assert_eq!(world.scene.server.stats().batches, asked.max(batches), "nothing was asked of the server");

    // Without it, commits go along as before.
    world.git(&["reset", "--quiet", "@{upstream}"]);
    put(&world, "notes.txt", b"two\n");
    world.git(&["commit", "--quiet", "--message", "words", "notes.txt"]);
    world.scene.hydrant(&world.clone, &["publish", SESSION, "--with-unpushed"]).ends(0);
    assert_eq!(world.remote_file("notes.txt").as_deref(), Some(&b"two\n"[..]));
}

/// Before the first commit there is nothing to restore from, and nobody wants everything unstaged.
#[test]
fn staged_content_of_no_session_is_taken_out_as_doctor_says() {
    for (row, files, is_first) in [("few", 2, false), ("many", 7, false), ("first", 2, true), ("many-first", 7, true)] {
        let world = published();
        if is_first {
            world.git(&["switch", "--quiet", "--orphan", "another"]);
        }
        put(&world, ".gitattributes", b"*.bin filter=lfs\n");
        (0..files).for_each(|at| put(&world, &format!("{at}.bin"), &noise(9_000, 77)));
        world.git(&["add", "--all"]);
        let told = found(&world, "staged-content");
        assert_eq!(told.len(), 1, "{row}: {told:?}");
        let detail = told[0]["detail"].as_str().expect("words");
        if files > 5 {
            assert!(detail.contains("-- FILE for each of them") && !detail.contains("-- ."), "{row}: {detail}");
        } else {
            let command = detail.split("; ").nth(1).and_then(|it| it.split(", then").next()).expect("a command");
            world.git(&command.split(' ').skip(1).collect::<Vec<_>>());
            assert!(found(&world, "staged-content").is_empty(), "{row}");
            assert_eq!(world.git(&["ls-files", ".gitattributes"]).trim(), ".gitattributes", "{row}");
        }
        assert!((0..files).all(|at| world.clone.join(format!("{at}.bin")).exists()), "{row}");
    }
}

#[test]
fn staged_content_is_told_by_doctor_with_what_ends_it() {
    let world = published();
    world.scene.hydrant(&world.clone, &["hydrate", SESSION]).ends(0);
    for (name, bytes) in [("raw.jsonl", transcript(40)), ("session.md", noise(30_000, 5))] {
        put(&world, &format!("sessions/{SESSION}/{name}"), &bytes);
    }
    world.git(&["add", "--all"]);
    let told = found(&world, "staged-content");
    assert_eq!((told.len(), &told[0]["session"]), (1, &SESSION.into()), "{told:?}");
    let run = told[0]["run"].as_str().expect("a command");
    for command in run.split(" && ") {
        let words: Vec<&str> = command.split(' ').collect();
        match words[0] {
            "git" => drop(world.git(&words[1..])),
            _ => drop(world.scene.hydrant(&world.clone, &words[1..]).ends(0)),
        }
    }
    assert!(found(&world, "staged-content").is_empty());
    assert_eq!(world.git(&["status", "--porcelain"]), "");
}
