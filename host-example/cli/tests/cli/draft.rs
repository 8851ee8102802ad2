//! `hydrant draft`: the placeholder of a session that is still recorded.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hydrant_kit::scene::Ran;
use hydrant_kit::world::{SESSION, World, transcript};

const ID: &str = "ses_0196a3f0-5b40-7c11-9d22-a1b2c3d4e5f6";

fn draft(world: &World, arguments: &[&str]) -> Ran {
    world.scene.hydrant(&world.clone, &[&["draft"], arguments].concat())
}

fn manifest(world: &World) -> serde_json::Value {
    serde_json::from_slice(&fs::read(world.session_folder().join("meta.json")).expect("there")).expect("JSON")
}

#[test]
fn a_placeholder_is_refreshed_keeps_its_id_and_becomes_the_session() {
    let mut world = World::new();
    let dry = draft(&world, &[SESSION, "--session-id", ID, "--dry-run", "--json"]).ends(0).json();
    assert_eq!((&dry["written"], &dry["session_id"]), (&true.into(), &ID.into()), "{dry}");
    assert!(!world.session_folder().exists(), "nothing was made");
    draft(&world, &[SESSION, "--session-id", ID, "--turns", "3", "--entries", "9", "--agent-type", "claude-code"])
        .ends(0);
    let untracked = world.git(&["status", "--porcelain", "--untracked-files=all"]);
    assert_eq!(untracked, format!("?? sessions/{SESSION}/meta.json\n"), "the lock is this clone's own");
    let listed = world.scene.hydrant(&world.clone, &["status"]).ends(0).out;
    assert!(listed.lines().any(|line| line.contains(SESSION) && line.contains(" draft")), "{listed}");
    let first = manifest(&world);
    assert_eq!((&first["draft"], &first["turn_count"], &first["session_id"]), (&true.into(), &3.into(), &ID.into()));
    // Counts never go back, and neither the id nor the time is made anew.
    let json = draft(&world, &[SESSION, "--turns", "1", "--entries", "12", "--json"]).ends(0).json();
    assert_eq!((&json["session_id"], &json["entry_count"]), (&ID.into(), &12.into()), "{json}");
    let second = manifest(&world);
    assert_eq!((&second["turn_count"], &second["created_at"]), (&3.into(), &first["created_at"]));
    assert_eq!(second["agent_type"], "claude-code");
    // Others see it; then the recording is over.
    world.git(&["add", "sessions"]);
    world.git(&["commit", "--quiet", "-m", "recording"]);
    world.git(&["push", "--quiet"]);
    world.record();
    draft(&world, &[SESSION]).ends(3);
    world.scene.hydrant(&world.clone, &["publish", SESSION]).ends(0);
    let published = manifest(&world);
    assert_eq!((&published["session_id"], published.get("draft")), (&ID.into(), None), "{published}");
    let before = fs::read(world.session_folder().join("meta.json")).expect("there");
    for (arguments, code) in [(vec![SESSION], 3), (vec!["new", "--session-id", "mine"], 3), (vec!["a/../b"], 2)] {
        assert!(draft(&world, &arguments).ends(code).err.contains("hydrant: "), "{arguments:?}");
    }
    assert_eq!(fs::read(world.session_folder().join("meta.json")).expect("there"), before);
    assert!(!world.session_folder().with_file_name("new").exists(), "a refusal makes no folder");
}

/// The recording of the session, outside of the clone.
fn recorded() -> World {
    let world = World::new();
    world.scene.file("recording/raw.jsonl", &transcript(4));
    world
}

fn publish(world: &World, arguments: &[&str]) -> Ran {
    world.scene.hydrant(&world.clone, &[&["publish", SESSION], arguments].concat())
}

#[test]
fn the_placeholder_of_a_publish_that_was_interrupted_is_refused() {
    let world = recorded();
    let hook = world.scene.file("clone/.git/hooks/pre-push", b"#!/bin/sh\nexit 1\n");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).expect("it can run");
    publish(&world, &["--from", "../recording"]).ends(3);
    for arguments in [&[SESSION][..], &[SESSION, "--dry-run"], &[SESSION, "--session-id", ID]] {
        let json = draft(&world, &[arguments, &["--json"]].concat()).ends(3).json();
        let detail = json["error"]["detail"].as_str().expect("words");
        assert_eq!(json["error"]["code"], "conflict", "{json}");
        assert!(detail.contains(&format!("`hydrant publish {SESSION} --resume`")), "{detail}");
        assert!(!world.session_folder().exists(), "nothing was written");
    }
    // Another session is nobody's concern.
    draft(&world, &["another"]).ends(0);
    fs::remove_file(hook).expect("it was there");
    publish(&world, &["--resume"]).ends(0);
    world.scene.hydrant(&world.clone, &["verify", SESSION]).ends(0);
}

#[test]
fn what_is_told_instead_of_a_placeholder_fits_the_journal() {
    let world = recorded();
    world.intend(b"some of it");
    let ran = draft(&world, &[SESSION]).ends(3);
    assert!(ran.err.contains("publish it again with its files") && !ran.err.contains("--resume"), "{}", ran.err);
    world.scene.file(&format!("clone/.git/hydrant/journal/{SESSION}.json"), b"{");
    let ran = draft(&world, &[SESSION]).ends(3);
    assert!(ran.err.contains("`hydrant doctor`") && !ran.err.contains("hydrant publish"), "{}", ran.err);
    assert!(!world.session_folder().exists(), "nothing was written");
}

#[test]
fn what_is_no_name_is_misuse() {
    let world = World::new();
    for name in ["a/b", &format!("sessions/{SESSION}"), "a/", "..", "CON", ""] {
        let json = draft(&world, &[name, "--json"]).ends(2).json();
        assert_eq!(json["ok"], false, "{name}: {json}");
    }
    for address in ["mina@example.org", "Mina <mina@example.org>"] {
        let ran = draft(&world, &[SESSION, "--username", address]).ends(2);
        assert!(ran.err.contains("never an address"), "{}", ran.err);
    }
    assert_eq!(world.git(&["status", "--porcelain", "--ignored"]), "");
    assert!(!world.clone.join(".git/hydrant").exists(), "a refusal makes no folder");
    draft(&world, &[SESSION, "--username", "mina"]).ends(0);
    assert_eq!(manifest(&world)["username"], "mina");
}

/// Does what the doctor says of an old draft, in a shell.
#[track_caller]
fn remove_as_told(world: &World, session: &str, expected: &str) {
    let json = world.scene.hydrant(&world.clone, &["doctor", "--json"]).json();
    let findings = json["finding_list"].as_array().expect("a list");
    let old = findings.iter().find(|one| one["kind"] == "old-draft" && one["session"] == session);
    let detail = old.unwrap_or_else(|| panic!("{json}"))["detail"].as_str().expect("words").to_owned();
    let told = detail.split_once("; else ").expect("two ways").1;
    assert_eq!(told, expected);
    let done = world.scene.program("sh", &world.clone).args(["-c", told]).output().expect("it runs");
    assert!(done.status.success(), "{told}: {}", String::from_utf8_lossy(&done.stderr));
    assert!(!world.clone.join("sessions").join(session).join("meta.json").exists());
}

/// Makes a file look as if nobody wrote it for two days.
fn age(path: &Path) {
    let then = SystemTime::now() - Duration::from_secs(48 * 3600);
    fs::File::options().write(true).open(path).and_then(|file| file.set_modified(then)).expect("its time");
}

#[test]
fn an_old_draft_goes_as_the_doctor_says() {
    let world = World::new();
    let place = |name: &str| world.clone.join("sessions").join(name).join("meta.json");
    let then = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs() - 48 * 3600;
    for name in ["committed", "changed"] {
        draft(&world, &[name]).ends(0);
    }
    world.git(&["add", "--all"]);
    let mut commit = world.scene.program("git", &world.clone);
    commit.args(["commit", "--quiet", "--message", "Drafts"]);
    commit.env("GIT_COMMITTER_DATE", format!("{then} +0000")).env("GIT_AUTHOR_DATE", format!("{then} +0000"));
    assert!(commit.status().expect("git runs").success());
    draft(&world, &["changed", "--turns", "7"]).ends(0);
    for name in ["staged", "never added", "a'b"] {
        draft(&world, &[name]).ends(0);
    }
    world.git(&["add", "sessions/staged"]);
    for name in ["changed", "staged", "never added", "a'b"] {
        age(&place(name));
    }
    // What a shell would make of a name without quotes.
    world.scene.file("clone/sessions/never", b"a neighbour");
    remove_as_told(&world, "committed", "git rm -r sessions/committed");
    remove_as_told(&world, "changed", "git rm -r -f sessions/changed");
    remove_as_told(&world, "staged", "git rm -r -f sessions/staged");
    remove_as_told(&world, "never added", "rm -r 'sessions/never added'");
    remove_as_told(&world, "a'b", r"rm -r 'sessions/a'\''b'");
    assert!(world.clone.join("sessions/never").exists() && place("other").exists());
}
