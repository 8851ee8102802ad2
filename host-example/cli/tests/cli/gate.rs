//! The gate: what has a secret does not leave, whatever way it could. No secret stands here: they are made as needed.

mod exits;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use hydrant_kit::scene::{Ran, pointer};
use hydrant_kit::world::{SESSION, World, files, transcript};
use serde_json::Value;

use crate::redact::token;

/// A transcript whose entry 41 has this text.
fn with_secret(secret: &str) -> Vec<u8> {
    let mut text = transcript(40);
    text.extend_from_slice(format!("{{\"type\":\"user\",\"content\":\"use {secret} now\"}}\n").as_bytes());
    text
}

/// A world with a recording outside of the work tree.
fn recorded(text: &[u8]) -> World {
    let world = World::new();
    world.scene.file("recording/raw.jsonl", text);
    world.scene.file("recording/notes.md", b"nothing to see\n");
    world
}

fn publish(world: &World, arguments: &[&str]) -> Ran {
    let from = world.recording.to_str().expect("text");
    world.scene.hydrant(&world.clone, &[&["publish", SESSION, "--from", from], arguments].concat())
}

fn in_place(world: &World, arguments: &[&str]) -> Ran {
    world.scene.hydrant(&world.clone, &[&["publish", SESSION], arguments].concat())
}

fn manifest(world: &World) -> Value {
    let bytes = world.remote_file(&format!("sessions/{SESSION}/meta.json")).expect("the remote has the manifest");
    serde_json::from_slice(&bytes).expect("JSON")
}

/// What the remote has of the transcript.
fn published(world: &World) -> String {
    let manifest = manifest(world);
    let oid = manifest["files"]["raw.jsonl"]["oid"].as_str().expect("an oid").trim_start_matches("sha256:").to_owned();
    String::from_utf8(world.server_blob(&oid).expect("the server has it")).expect("text")
}

fn fingerprint(report: &Value) -> String {
    report["secret_list"][0]["fingerprint"].as_str().expect("a fingerprint").to_owned()
}

/// All objects of a repository, unpacked.
fn objects(world: &World, repository: &Path) -> Vec<u8> {
    let listed = world.scene.git(repository, &["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
    let mut all = Vec::new();
    for object in listed.lines() {
        let ended: &mut Command = &mut world.scene.program("git", repository);
        let shown = ended.args(["cat-file", "-p", object]).output().expect("git runs");
        all.extend(shown.stdout);
    }
    all
}

/// Neither the value nor 12 bytes of its secret part stand anywhere but in the recording and in `kept`.
#[track_caller]
fn expect_nowhere(world: &World, secret: &str, said: &[&Ran]) {
    let part = &secret.as_bytes()[4..16];
    let finds = |bytes: &[u8]| memchr::memmem::find(bytes, part).is_some();
    for ran in said {
        assert!(!finds(ran.out.as_bytes()) && !finds(ran.err.as_bytes()), "it was printed");
    }
    assert!(!files(&world.scene.path("server")).iter().any(|bytes| finds(bytes)), "the server has it");
    assert!(!finds(&objects(world, &world.remote)), "the remote has it");
    assert!(!finds(&objects(world, &world.clone)), "git has it here");
    for entry in fs::read_dir(world.state()).into_iter().flatten().flatten() {
        let found =
            if entry.path().is_dir() { files(&entry.path()) } else { vec![fs::read(entry.path()).unwrap_or_default()] };
        assert!(entry.file_name() == "kept" || !found.iter().any(|bytes| finds(bytes)), "{}", entry.path().display());
    }
}

#[test]
fn a_secret_is_held_back_by_kind_file_and_line() {
    let secret = token(11);
    let world = recorded(&with_secret(&secret));
    let dry = publish(&world, &["--dry-run"]).ends(1);
    let plan = publish(&world, &["--dry-run", "--json"]).ends(1);
    assert_eq!(plan.json()["secret_list"][0]["line"], 43);
    let ran = publish(&world, &[]).ends(1);
    assert!(ran.out.contains("held back: raw.jsonl:43: github-token ["), "{}", ran.out);
    assert!(ran.err.contains("nothing was sent") && ran.err.contains("--redact"), "{}", ran.err);
    let json = publish(&world, &["--json", "-v"]).ends(1);
    let report = json.json();
    assert_eq!((&report["ok"], &report["error"]["code"]), (&false.into(), &"rejected".into()), "{report}");
    let held = &report["secret_list"][0];
    assert_eq!((&held["file"], &held["kind"]), (&"raw.jsonl".into(), &"github-token".into()));
    assert_eq!(held["fingerprint"], fingerprint(&plan.json()));
    assert_eq!((world.scene.server.stats().puts, world.remote_file("sessions/x")), (0, None));
    expect_nowhere(&world, &secret, &[&dry, &plan, &ran, &json]);
    // Nothing is left of it.
    let status = world.scene.hydrant(&world.clone, &["status", "--json"]).ends(0).json();
    assert_eq!(status["sessions"].as_array().expect("a list").len(), 1, "{status}");
}

#[test]
fn redact_publishes_it_without_and_leaves_the_recording() {
    let secret = token(12);
    let text = with_secret(&secret);
    let world = recorded(&text);
    world.scene.file("recording/notes.md", format!("again: {secret}\n").as_bytes());
    let title = format!("all of {secret}");
    let dry = publish(&world, &["--redact", "--title", &title, "--dry-run"]).ends(0);
    assert!(dry.out.contains("would be redacted: raw.jsonl:43: github-token"), "{}", dry.out);
    let ran = publish(&world, &["--redact", "--title", &title]).ends(0);
    assert!(ran.out.contains("redacted: markers stand in 3 places"), "{}", ran.out);
    let expected = String::from_utf8(text.clone()).expect("text").replace(&secret, "[REDACTED:github-token#1]");
    assert_eq!(published(&world), expected);
    assert_eq!(fs::read(world.recording.join("raw.jsonl")).expect("there"), text, "the recording stays as it is");
    let manifest = manifest(&world);
    assert_eq!(manifest["title"], "all of [REDACTED:github-token#1]");
    let pass = &manifest["redactions"][0];
    assert_eq!(pass["summary"], serde_json::json!({"total": 3, "by_detector": {"github-token": 3}}), "{pass}");
    assert!(
        pass["entries"]
            .as_array()
            .expect("a list")
            .contains(&serde_json::json!({"file": "raw.jsonl", "line": 43, "detector": "github-token"}))
    );
    assert!(pass["pass_id"].as_str().is_some_and(|id| id.len() == 36) && pass["catalog_hash"].as_str().is_some());
    expect_nowhere(&world, &secret, &[&dry, &ran]);
    // A second publish has nothing to do, and a later one adds a pass.
    let tip = world.git(&["rev-parse", "HEAD"]);
    publish(&world, &["--redact", "--again"]).ends(0);
    assert_eq!(world.git(&["rev-parse", "HEAD"]), tip);
    assert!(!world.state().join("redacted").read_dir().is_ok_and(|mut left| left.next().is_some()), "copies stay");
}

#[test]
fn an_original_in_place_is_kept_and_gives_way() {
    let secret = token(13);
    let text = with_secret(&secret);
    let mut world = World::new();
    world.in_place("raw.jsonl", text.clone());
    world.in_place("summary.json", format!("{{\"title\": \"{secret}\"}}").into_bytes());
    let ran = in_place(&world, &["--redact", "--json"]).ends(0);
    let report = ran.json();
    assert_eq!(report["redacted"], 2, "{report}");
    let kept: Vec<PathBuf> = report["kept_list"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|name| world.state().join("kept").join(name.as_str().expect("a name")))
        .collect();
    assert_eq!(kept.len(), 2, "{report}");
    assert!(kept.iter().any(|path| fs::read(path).is_ok_and(|bytes| bytes == text)), "{report}");
    for path in &kept {
        assert_eq!(fs::metadata(path).expect("there").permissions().mode() & 0o777, 0o600);
    }
    let redacted = String::from_utf8(text).expect("text").replace(&secret, "[REDACTED:github-token#1]");
    assert_eq!(published(&world), redacted);
    let here = fs::read_to_string(world.session_folder().join("raw.jsonl")).expect("there");
    assert_eq!(here, pointer(redacted.as_bytes()));
    let summary = world.remote_file(&format!("sessions/{SESSION}/summary.json")).expect("there");
    assert_eq!(String::from_utf8_lossy(&summary), "{\"title\": \"[REDACTED:github-token#1]\"}");
    expect_nowhere(&world, &secret, &[&ran]);
    // Nobody serves it, and nobody clears it.
    world.scene.hydrant(&world.clone, &["cache", "prune", "--yes"]);
    assert!(kept.iter().all(|path| path.exists()));
}

#[test]
fn what_is_no_secret_is_let_out_by_its_fingerprint() {
    let secret = token(14);
    let world = recorded(&with_secret(&secret));
    let fingerprint = fingerprint(&publish(&world, &["--json"]).ends(1).json());
    publish(&world, &["--allow", &fingerprint]).ends(2);
    publish(&world, &["--allow", &fingerprint, "--reason", " "]).ends(2);
    publish(&world, &["--allow", "nonsense", "--reason", "x"]).ends(2);
    publish(&world, &["--allow", &"0".repeat(16), "--reason", "another one"]).ends(1);
    publish(&world, &["--allow", &fingerprint, "--reason", "made for a test"]).ends(0);
    assert!(published(&world).contains(&secret));
    let pass = &manifest(&world)["redactions"][0];
    let allowed = serde_json::json!([{"detector": "github-token", "count": 1, "reason": "made for a test"}]);
    assert_eq!((&pass["summary"]["total"], &pass["allowed"]), (&0.into(), &allowed), "{pass}");
    // It holds for this clone, and for this value alone.
    let other = token(15);
    world.scene.file("recording/raw.jsonl", &with_secret(&format!("{secret} {other}")));
    let report = publish(&world, &["--json"]).ends(1).json();
    assert_eq!(report["secret_list"].as_array().expect("a list").len(), 1, "{report}");
    publish(&world, &["--redact"]).ends(0);
    let text = published(&world);
    assert!(text.contains(&secret) && !text.contains(&other) && text.contains("[REDACTED:github-token#1]"));
    // In another clone it has another fingerprint.
    world.scene.git(&world.scene.folder, &["clone", "--quiet", "remote.git", "second"]);
    let second = world.scene.path("second");
    for (key, value) in [("lfs.url", world.scene.url().as_str()), ("user.name", "a"), ("user.email", "a@b")] {
        world.scene.git(&second, &["config", key, value]);
    }
    let from = world.recording.to_str().expect("text");
    world.scene.file("recording/raw.jsonl", &with_secret(&secret));
    let elsewhere = world.scene.hydrant(&second, &["publish", "another", "--from", from, "--json"]).ends(1).json();
    assert_ne!(elsewhere["secret_list"][0]["fingerprint"], fingerprint.as_str());
}

#[test]
fn values_of_this_machine_are_held_back_wherever_they_stand() {
    let world = recorded(&with_secret("plain-Looking7x"));
    world.scene.file("clone/.gitignore", b".env\n");
    world.scene.file("clone/.env", b"SOME_SETTING=plain-Looking7x\n");
    let report = publish(&world, &["--json"]).ends(1).json();
    assert_eq!(report["secret_list"][0]["kind"], "named-value", "{report}");
    fs::remove_file(world.clone.join(".env")).expect("it is there");
    let with = [("MY_API_TOKEN", "plain-Looking7x")];
    let from = world.recording.to_str().expect("text");
    world.scene.hydrant_with(&world.clone, &with, &["publish", SESSION, "--from", from]).ends(1);
    publish(&world, &[]).ends(0);
}

#[test]
fn a_line_that_is_too_long_is_a_refusal_by_name() {
    let world = recorded(&transcript(3));
    let mut text = b"one\ntwo\n".to_vec();
    text.extend(std::iter::repeat_n(b'a', 33 << 20));
    world.scene.file("recording/notes.md", &text);
    let report = publish(&world, &["--json"]).ends(1).json();
    let held = &report["secret_list"][0];
    assert_eq!((&held["file"], &held["kind"]), (&"notes.md".into(), &"unchecked".into()), "{report}");
    assert!(held["why"].as_str().is_some_and(|why| why.contains("line 3") && why.contains("33554432")), "{held}");
    assert_eq!(world.scene.server.stats().puts, 0);
    // It cannot be redacted, so nothing changes.
    publish(&world, &["--redact"]).ends(1);
    publish(&world, &["--allow", &fingerprint(&report), "--reason", "a dump of letters"]).ends(0);
}
