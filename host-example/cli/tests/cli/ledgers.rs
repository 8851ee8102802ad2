//! Sessions of a ledger: status, hydration, reading, and the demonstration of all of it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use hydrant_host::files::digest::blob_of;

use hydrant_kit::scene::{Scene, noise, pointer};

pub(crate) const SESSION: &str = "2026-05-04T09-30-mina-OxQ7wd";

/// A ledger with one session of four files: two on the server, an empty one, one in git.
pub(crate) fn ledger(scene: &Scene) -> PathBuf {
    let raw = raw();
    let notes = noise(90_000, 7);
    let summary = b"{\"title\": \"x\"}";
    let place = |name: &str| format!("ledger/sessions/{SESSION}/{name}");
    for (name, bytes) in [("raw.jsonl", raw.as_bytes()), ("notes.bin", &notes)] {
        scene.upload(bytes);
        scene.file(&place(name), pointer(bytes).as_bytes());
    }
    scene.upload(b"");
    scene.file(&place("context-trace.jsonl"), b"");
    scene.file(&place("summary.json"), summary);
    let lfs = |bytes: &[u8]| {
        let blob = blob_of(bytes);
        format!(r#"{{"storage": "lfs", "oid": "sha256:{}", "size": {}}}"#, blob.oid, blob.size)
    };
    let (trace, notes, raw) = (lfs(b""), lfs(&notes), lfs(raw.as_bytes()));
    let files = format!(
        r#""context-trace.jsonl": {trace}, "notes.bin": {notes}, "raw.jsonl": {raw},
  "summary.json": {{"storage": "git", "size": {}}}"#,
        summary.len()
    );
    let manifest = format!(
        r#"{{"version": "1.0", "session_name": "{SESSION}", "username": "mina", "agent_id": "OxQ7wd",
  "agent_type": "claude-code", "title": "Keep the refs", "created_at": "2026-05-04T09:30:00Z", "files": {{{files}}}}}"#
    );
    scene.file(&place("meta.json"), manifest.as_bytes());
    let ledger = scene.repository("ledger");
    scene.git(&ledger, &["config", "lfs.url", &scene.url()]);
    ledger
}

pub(crate) fn raw() -> String {
    (1..=2000).map(|line| format!("{{\"seq\":{line},\"content\":\"words of line {line}\"}}\n")).collect()
}

fn state(json: &serde_json::Value, file: &str) -> String {
    let files = json["file_list"].as_array().expect("a list");
    let found = files.iter().find(|one| one["name"] == file).expect("the file");
    found["state"].as_str().expect("a state").to_owned()
}

/// Shows I16.
#[test]
fn a_session_is_dehydrated_then_hydrated_and_read() {
    let scene = Scene::new();
    let ledger = ledger(&scene);
    let before = scene.hydrant(&ledger, &["status", SESSION, "--json"]).ends(0).json();
    assert_eq!(state(&before, "raw.jsonl"), "dehydrated");
    assert_eq!(state(&before, "summary.json"), "in-place");
    let refused = scene.hydrant(&ledger, &["show", SESSION, "raw.jsonl"]).ends(1);
    assert!(refused.out.is_empty() && refused.err.contains("dehydrated"), "{}", refused.err);

    scene.hydrant(&ledger, &["hydrate", SESSION]).ends(0);
    assert_eq!(scene.git(&ledger, &["status", "--porcelain"]), "", "a tracked path was written");
    let after = scene.hydrant(&ledger, &["status", SESSION, "--json"]).ends(0).json();
    assert_eq!((state(&after, "raw.jsonl").as_str(), &after["hydration"]), ("cached", &"hydrated".into()));

    assert!(scene.hydrant(&ledger, &["show", SESSION, "raw.jsonl"]).ends(0).out == raw());
    let line = scene.hydrant(&ledger, &["show", SESSION, "raw.jsonl", "--lines", "1500-1501"]).ends(0).out;
    assert_eq!(line.lines().count(), 2);
    assert!(line.starts_with("{\"seq\":1500,"));
    let json = scene.hydrant(&ledger, &["show", SESSION, "raw.jsonl", "--lines", "7", "--json"]).ends(0).json();
    assert_eq!(json["text"], "{\"seq\":7,\"content\":\"words of line 7\"}\n");
    assert_eq!(scene.hydrant(&ledger, &["show", SESSION, "context-trace.jsonl"]).ends(0).out, "");
    assert_eq!(scene.hydrant(&ledger, &["show", SESSION, "summary.json"]).ends(0).out, "{\"title\": \"x\"}");
    scene.hydrant(&ledger, &["show", SESSION, "none.jsonl"]).ends(2);
    scene.hydrant(&ledger, &["show", "no-session", "raw.jsonl"]).ends(2);
}

#[test]
fn a_second_run_asks_nothing_and_one_file_is_enough() {
    let scene = Scene::new();
    let ledger = ledger(&scene);
    let one = format!("sessions/{SESSION}/notes.bin");
    let json = scene.hydrant(&ledger, &["hydrate", &one, "--json"]).ends(0).json();
    assert_eq!(json["objects"], 1, "{json}");
    assert!(scene.cached(&ledger, &blob_of(raw().as_bytes()).oid).is_none());
    scene.hydrant(&ledger, &["hydrate"]).ends(0);
    let stats = scene.server.stats();
    scene.hydrant(&ledger, &["hydrate"]).ends(0);
    scene.hydrant(&ledger, &["hydrate", SESSION]).ends(0);
    assert_eq!(scene.server.stats().batches, stats.batches);
}

#[test]
fn a_cache_entry_that_rotted_is_never_shown() {
    let scene = Scene::new();
    let ledger = ledger(&scene);
    scene.hydrant(&ledger, &["hydrate"]).ends(0);
    let oid = blob_of(raw().as_bytes()).oid;
    let entry = ledger.join(".git/hydrant/cache").join(&oid[..2]).join(&oid);
    let mut bytes = fs::read(&entry).expect("the entry");
    bytes[100] ^= 1;
    fs::write(&entry, &bytes).expect("written");
    let said = scene.hydrant(&ledger, &["show", SESSION, "raw.jsonl"]).ends(1);
    assert!(said.out.is_empty() && said.err.contains("corrupt"), "{}", said.err);
    let json = scene.hydrant(&ledger, &["cache", "verify", "--json"]).ends(1).json();
    assert_eq!(json["bad_list"][0], oid);
    scene.hydrant(&ledger, &["cache", "verify", "--yes"]).ends(1);
    scene.hydrant(&ledger, &["hydrate"]).ends(0);
    scene.hydrant(&ledger, &["cache", "verify"]).ends(0);
}

/// Shows I16.
#[test]
fn ledgers_keep_their_pointers() {
    let scene = Scene::new();
    let ledger = ledger(&scene);
    let said = scene.hydrant(&ledger, &["hydrate", "--in-place"]).ends(0);
    assert!(said.err.contains("sessions keep their pointers"), "{}", said.err);
    assert_eq!(scene.git(&ledger, &["status", "--porcelain"]), "");
    let said = scene.hydrant(&ledger, &["hydrate", "--in-place", SESSION]).ends(2);
    assert!(said.err.contains("its pointers stay"), "{}", said.err);
    // A repository can be called a ledger, or not, by its owner.
    scene.git(&ledger, &["config", "hydrant.ledger", "false"]);
    scene.hydrant(&ledger, &["hydrate", "--in-place", "--exclude", "*.json"]).ends(0);
}

#[test]
fn an_unreadable_session_does_not_hide_the_others() {
    let scene = Scene::new();
    let ledger = ledger(&scene);
    scene.file("ledger/sessions/broken/meta.json", b"<<<<<<< ours\n{}\n=======\n");
    let all = scene.hydrant(&ledger, &["status", "--json"]).ends(1).json();
    assert_eq!(all["sessions"].as_array().expect("a list").len(), 2);
    let json = scene.hydrant(&ledger, &["hydrate", "--json"]).ends(1).json();
    assert_eq!((&json["present"], &json["objects"]), (&2.into(), &3.into()), "{json}");
    scene.hydrant(&ledger, &["status", "broken"]).ends(3);
}

#[test]
fn the_cache_is_cleared_only_when_told() {
    let scene = Scene::new();
    let ledger = ledger(&scene);
    scene.hydrant(&ledger, &["hydrate"]).ends(0);
    let count = || {
        let json = scene.hydrant(&ledger, &["cache", "list", "--json"]).ends(0).json();
        json["objects"].as_u64().expect("a number")
    };
    let full = count();
    assert!(full >= 2);
    assert!(scene.hydrant(&ledger, &["cache", "clear"]).ends(0).out.contains("would remove"));
    scene.hydrant(&ledger, &["cache", "prune", "--keep-bytes", "1", "--older-than", "0"]).ends(0);
    assert_eq!(count(), full);
    scene.hydrant(&ledger, &["cache", "clear", "--yes"]).ends(0);
    assert_eq!(count(), 0);
}

#[test]
fn a_folder_of_the_users_is_no_cache() {
    let scene = Scene::new();
    scene.file("mine/cache/precious", b"words");
    for command in [&["list"][..], &["verify"], &["clear", "--yes"], &["prune", "--yes"]] {
        let said = scene.hydrant(&scene.folder, &[&["cache"], command, &["--store", "mine"]].concat()).ends(2);
        assert!(said.err.contains("no cache"), "{}", said.err);
    }
    assert_eq!(fs::read(scene.path("mine/cache/precious")).expect("untouched"), b"words");
    let ledger = ledger(&scene);
    scene.hydrant(&ledger, &["hydrate"]).ends(0);
    scene.hydrant(&ledger, &["cache", "list", "--store", ".git/hydrant"]).ends(0);
}

#[test]
fn the_demonstration_runs_to_its_end() {
    let scene = Scene::new();
    let json = scene.hydrant(&scene.folder, &["demo", "--json"]).ends(0).json();
    assert_eq!((&json["ok"], &json["hydrate"]["present"]), (&true.into(), &json["hydrate"]["objects"]));
    let files = json["file_list"].as_array().expect("a list");
    assert!(files.iter().all(|file| file["verified"] == true) && files.len() == 5);
    let line: serde_json::Value =
        serde_json::from_str(json["transcript_text"].as_str().expect("a line")).expect("JSON");
    assert_eq!(line["seq"], json["transcript_line"].as_u64().expect("a number") - 1);
    let path = std::env::var("PATH").expect("a path");
    let git = std::env::split_paths(&path).map(|folder| folder.join("git")).find(|git| git.is_file()).expect("git");
    let told = scene.path("told");
    let script = format!("#!/bin/sh\nprintf '%s\\n' \"$@\" >> '{}'\nexec '{}' \"$@\"\n", told.display(), git.display());
    let listener = scene.file("bin/git", script.as_bytes());
    fs::set_permissions(&listener, fs::Permissions::from_mode(0o755)).expect("a program");
    let path = format!("{}:{path}", listener.parent().expect("a folder").display());
    let text = scene.hydrant_with(&scene.folder, &[("PATH", &path)], &["demo", "--dir", "kept"]).ends(0);
    // Everybody on the machine can read the arguments of a program.
    let config = fs::read_to_string(scene.path("kept/reader/.git/config")).expect("a configuration");
    let token = config.split_once("hydrant:").and_then(|(_, rest)| rest.split_once('@')).expect("a login").0;
    let told = fs::read_to_string(told).expect("git was asked");
    assert!(token.len() == 64 && told.contains("clone") && !told.contains(token), "{told}");
    assert!(text.out.contains("verified") && text.out.contains("done in"), "{}", text.out);
    // The older session stands there as plain files; the server never had them, and nobody asks.
    let reader = scene.path("kept/reader");
    let sessions = scene.hydrant(&reader, &["status", "--json"]).ends(0).json();
    assert!(sessions["sessions"].as_array().expect("a list").iter().all(|one| one["hydration"] == "hydrated"));
    scene.hydrant(&reader, &["hydrate"]).ends(0);
    scene.hydrant(&scene.folder, &["demo", "--dir", "kept"]).ends(2);
}

#[test]
fn the_first_manifest_counts_before_it_is_committed() {
    let scene = Scene::new();
    let folder = scene.repository("new");
    scene.git(&folder, &["config", "lfs.url", &scene.url()]);
    // Whether content may stand where the pointer of a session would.
    scene.upload(b"words");
    let in_place = || {
        scene.file("new/sessions/rec1/raw.jsonl", pointer(b"words").as_bytes());
        scene.hydrant(&folder, &["hydrate", "--in-place", "sessions/rec1/raw.jsonl"])
    };
    scene.hydrant(&folder, &["restore", "rec1"]).ends(2);
    in_place().ends(0);
    fs::remove_dir_all(folder.join("sessions")).expect("removed");
    scene.hydrant(&folder, &["draft", "rec1", "--agent-type", "claude-code"]).ends(0);
    for staged in [false, true] {
        if staged {
            scene.git(&folder, &["add", "--all"]);
        }
        let said = scene.hydrant(&folder, &["status", "rec1"]).ends(0);
        assert!(said.out.starts_with("rec1  draft"), "{}", said.out);
        for command in ["verify", "restore"] {
            scene.hydrant(&folder, &[command, "rec1"]).ends(0);
        }
        let refused = in_place().ends(2);
        assert!(refused.err.contains("its pointers stay"), "{}", refused.err);
        fs::remove_file(folder.join("sessions/rec1/raw.jsonl")).expect("removed");
    }
    fs::remove_dir_all(folder.join("sessions")).expect("removed");
    in_place().ends(2);
    scene.git(&folder, &["reset", "--quiet"]);
    in_place().ends(0);
}
