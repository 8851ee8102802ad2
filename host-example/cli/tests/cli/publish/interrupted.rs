//! Publishes that end before their end, and the runs that finish them.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{SESSION, World, expect_published, manifest, publish, publish_recording, record, recorded, transcript};

/// Makes git's own hook of this clone run a script before each push.
fn before_push(world: &World, script: &str) {
    let hook = world.scene.file("clone/.git/hooks/pre-push", format!("#!/bin/sh\n{script}\n").as_bytes());
    fs::set_permissions(hook, fs::Permissions::from_mode(0o755)).expect("it can run");
}

fn status(world: &World, arguments: &[&str]) -> hydrant_kit::scene::Ran {
    world.scene.hydrant(&world.clone, &[&["status"], arguments].concat())
}

#[test]
fn a_refused_push_is_finished_by_the_next_run() {
    let world = recorded();
    before_push(&world, "echo 'not on a friday' >&2; exit 1");
    let json = publish_recording(&world, &["--json"]).ends(3).json();
    assert_eq!((&json["phase"], &json["ok"]), (&"push".into(), &false.into()), "{json}");
    assert!(json["error"]["detail"].as_str().expect("words").contains("friday"), "{json}");
    assert!(json["next"].as_str().expect("a sentence").contains(&format!("hydrant publish {SESSION} --resume")));
    // Nothing of it is here yet but the journal.
    let ran = status(&world, &[SESSION]).ends(0);
    assert!(ran.out.contains("interrupted") && ran.out.contains("--resume"), "{}", ran.out);
    assert_eq!(status(&world, &[SESSION, "--json"]).ends(0).json()["unfinished_publish"], true);
    let dry = publish_recording(&world, &["--dry-run", "--json"]).ends(0).json();
    assert_eq!(dry["resumes"], true, "{dry}");
    assert!(world.clone.join(format!(".git/hydrant/journal/{SESSION}.json")).exists());

    let puts = world.scene.server.stats().puts;
    before_push(&world, "exit 0");
    let json = publish(&world, &["--resume", "--json"]).ends(0).json();
    assert_eq!((&json["resumed"], &json["phase"]), (&true.into(), &"done".into()), "{json}");
    assert_eq!(world.scene.server.stats().puts, puts, "nothing is sent twice");
    expect_published(&world);
    assert_eq!(status(&world, &[SESSION, "--json"]).ends(0).json()["unfinished_publish"], false);
    let ran = publish(&world, &["--resume"]).ends(0);
    assert!(ran.out.contains("no publish of this session was interrupted"), "{}", ran.out);
    world.scene.hydrant(&world.clone, &["publish", "never-heard-of", "--resume"]).ends(2);
}

#[test]
fn the_same_command_finishes_the_old_and_begins_the_new() {
    let mut world = World::new();
    world.record();
    before_push(&world, "exit 1");
    publish(&world, &[]).ends(3);
    let id = status(&world, &["--json"]).ends(0).json();
    assert_eq!(id["sessions"].as_array().expect("a list").len(), 1, "only the other session is here");
    world.in_place("raw.jsonl", transcript(43));
    before_push(&world, "exit 0");
    let json = publish(&world, &["--json"]).ends(0).json();
    assert_eq!(json["resumed"], true, "{json}");
    expect_published(&world);
    assert_eq!(manifest(&world)["entry_count"], 43);
}

#[test]
fn a_file_that_grows_meanwhile_is_left_and_said_so() {
    let mut world = World::new();
    world.record();
    before_push(&world, &format!("echo more >> {}", world.session_folder().join("session.md").display()));
    let ran = publish(&world, &["--json"]).ends(1);
    let json = ran.json();
    let files = json["file_list"].as_array().expect("a list");
    let state = |name: &str| files.iter().find(|file| file["name"] == name).expect("the file")["state"].clone();
    assert_eq!((state("raw.jsonl"), state("session.md")), ("swapped".into(), "left".into()), "{json}");
    assert!(json["next"].as_str().expect("a sentence").contains("publish the session again"), "{json}");
    let grown = fs::read(world.session_folder().join("session.md")).expect("it stands there");
    assert!(grown.ends_with(b"more\n"));
    before_push(&world, "exit 0");
    world.content.insert("session.md".to_owned(), grown);
    publish(&world, &[]).ends(0);
    expect_published(&world);
}

#[test]
fn a_server_that_is_away_leaves_a_journal_and_nothing_else() {
    let mut world = recorded();
    let json = publish_recording(&world, &["--json", "--endpoint", "http://127.0.0.1:1/r", "--retries", "0"]);
    assert!([1, 3].contains(&json.code), "{}", json.err);
    let json = json.json();
    assert_eq!(json["phase"], "upload", "{json}");
    assert!(json["next"].as_str().expect("a sentence").contains("not sent twice"), "{json}");
    // Other content takes its place; what was never sent is named all the same.
    let ran = publish(&world, &["--resume"]).ends(3);
    assert!(ran.err.contains("publish the session again with its files"), "{}", ran.err);
    record(&mut world, "session.md", b"other content");
    publish_recording(&world, &[]).ends(0);
    expect_published(&world);
}

/// What the report says comes next.
fn next(ran: &hydrant_kit::scene::Ran) -> String {
    ran.json()["next"].as_str().expect("a sentence").to_owned()
}

/// Does what the doctor says of its only finding, in a shell.
fn follow_doctor(world: &World, kind: &str) {
    let json = world.scene.hydrant(&world.clone, &["doctor", "--json"]).ends(1).json();
    let findings = json["finding_list"].as_array().expect("a list");
    let finding = findings.iter().find(|one| one["kind"] == kind).unwrap_or_else(|| panic!("{json}"));
    let told = finding["run"].as_str().expect("a command");
    let done = world.scene.program("sh", &world.clone).args(["-c", told]).output().expect("it runs");
    assert!(done.status.success(), "{told}: {}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn a_journal_that_cannot_be_read_is_explained_by_the_doctor() {
    let world = recorded();
    publish_recording(&world, &[]).ends(0);
    let recording = world.recording.to_str().expect("text");
    let regenerate = ["regenerate", SESSION, "--from", recording, "--json"];
    for text in [&b"{"[..], b"{}", b"{\"version\": 99}"] {
        let journal = world.scene.file(&format!("clone/.git/hydrant/journal/{SESSION}.json"), text);
        for ran in [
            publish_recording(&world, &["--json"]),
            publish(&world, &["--resume", "--json"]),
            world.scene.hydrant(&world.clone, &regenerate),
        ] {
            let ran = ran.ends(3);
            let next = next(&ran);
            assert!(
                next.contains("nothing was sent and nothing changed") && next.contains("`hydrant doctor`"),
                "{next}"
            );
            assert!(!next.contains("starts over") && !next.contains("--resume"), "{next}");
        }
        assert_eq!(fs::read(journal).expect("it stays"), text);
        let found = world.scene.hydrant(&world.clone, &["doctor"]).ends(1).out;
        assert!(found.contains("the journal cannot be read"), "{found}");
    }
}

#[test]
fn a_register_that_cannot_be_read_is_explained_by_the_doctor() {
    let mut world = recorded();
    publish_recording(&world, &[]).ends(0);
    // Everything is done but the register.
    let register = world.scene.file("clone/.git/hydrant/orphans.json", b"{\"x\"");
    record(&mut world, "session.md", b"other content");
    let ran = publish_recording(&world, &["--json"]).ends(3);
    assert_eq!(ran.json()["phase"], "done", "{}", ran.out);
    for ran in [ran, publish(&world, &["--resume", "--json"]).ends(3)] {
        let next = next(&ran);
        let places = (next.find("`hydrant doctor`").expect("named"), next.find("--resume").expect("named"));
        assert!(places.0 < places.1, "{next}");
    }
    follow_doctor(&world, "register-unreadable");
    publish(&world, &["--resume"]).ends(0);
    expect_published(&world);
    // Nothing was begun, because what an earlier run may have sent could not be registered.
    record(&mut world, "session.md", b"never sent");
    let away = ["--endpoint", "http://127.0.0.1:1/r", "--retries", "0"];
    assert_ne!(publish_recording(&world, &away).code, 0);
    fs::write(&register, "{\"x\"").expect("broken again");
    record(&mut world, "session.md", b"sent at last");
    let ran = publish_recording(&world, &["--json"]).ends(3);
    assert_eq!(ran.json()["phase"], "intend", "{}", ran.out);
    assert!(next(&ran).contains("`hydrant doctor`") && !next(&ran).contains("starts over"), "{}", ran.out);
    fs::remove_file(register).expect("it was there");
    publish_recording(&world, &[]).ends(0);
    expect_published(&world);
}
