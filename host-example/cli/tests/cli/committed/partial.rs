//! Clones that lack objects: what cannot be read is not known, nothing is fetched for it, and everything else is told.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use hydrant_host::files::digest::blob_of;
use hydrant_kit::scene::{Scene, noise, pointer};
use hydrant_kit::world::{World, transcript};

/// A clone of the remote that has only a part of it.
fn clone(world: &World, name: &str, how: &[&str]) -> PathBuf {
    let scene = &world.scene;
    scene.git(&world.remote, &["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", world.remote.display());
    scene.git(&scene.folder, &[&["clone", "--quiet"], how, &[url.as_str(), name]].concat());
    let clone = scene.path(name);
    for (key, value) in [("user.name", "n"), ("user.email", "n@example.test"), ("lfs.url", &scene.url())] {
        scene.git(&clone, &["config", key, value]);
    }
    clone
}

/// Objects that a clone lacks.
fn lacks(scene: &Scene, clone: &Path) -> Vec<String> {
    let listed = scene.git(clone, &["rev-list", "--objects", "--all", "--missing=print"]);
    let mut missing: Vec<String> = listed.lines().filter(|line| line.starts_with('?')).map(str::to_owned).collect();
    missing.sort_unstable();
    assert!(!missing.is_empty(), "the clone has everything");
    missing
}

fn commit(world: &World) {
    world.git(&["add", "--all"]);
    world.git(&["commit", "--quiet", "--message", "words"]);
}

fn manifest(id: &str, content: &[u8]) -> String {
    let blob = blob_of(content);
    format!(
        r#"{{"version": "1.0", "session_id": "{id}", "files": {{"raw.jsonl": {{"storage": "lfs",
            "oid": "sha256:{}", "size": {}}}}}}}"#,
        blob.oid, blob.size
    )
}

/// A ledger with a session of the first recorders, of which only old commits say that it never had pointers.
fn old_ledger() -> World {
    let world = World::new();
    let raw = transcript(5);
    world.scene.file("clone/sessions/old/raw.jsonl", &raw);
    world.scene.file("clone/sessions/old/meta.json", manifest("ses_old", &raw).as_bytes());
    commit(&world);
    world.scene.file("clone/notes.txt", b"two\n");
    commit(&world);
    world.git(&["push", "--quiet"]);
    world
}

#[test]
fn a_history_without_trees_is_told_as_unknown() {
    let world = old_ledger();
    let scene = &world.scene;
    let treeless = clone(&world, "treeless", &["--filter=tree:0"]);
    let missing = lacks(scene, &treeless);
    let is_told = |json: &Value, row: &str| {
        let why = json["in_full_unknown"].as_str().unwrap_or_else(|| panic!("{row}: {json}"));
        assert!(why.contains("not known") && why.contains("git fetch --refetch"), "{row}: {why}");
    };
    is_told(&scene.hydrant(&treeless, &["verify", "--offline", "--json"]).ends(0).json(), "verify");
    is_told(&scene.hydrant(&treeless, &["reconcile", "--json"]).ends(0).json(), "reconcile");
    let said = scene.hydrant(&treeless, &["verify", "--offline"]).ends(0);
    assert!(said.err.contains("not known"), "{}", said.err);
    let json = scene.hydrant(&treeless, &["doctor", "--json"]).ends(0).json();
    let list = json["finding_list"].as_array().expect("a list");
    let told: Vec<&Value> = list.iter().filter(|one| one["kind"] == "committed-content").collect();
    assert_eq!((told.len(), &told[0]["severity"]), (1, &"note".into()), "{json}");
    assert_eq!(lacks(scene, &treeless), missing, "nothing was fetched");

    // What does not need them is found all the same, and a repair tells what it did.
    let lost = noise(5_000, 91);
    scene.file("treeless/sessions/lost/raw.jsonl", pointer(&lost).as_bytes());
    scene.file("treeless/sessions/lost/meta.json", manifest("ses_lost", &lost).as_bytes());
    scene.file("treeless/sessions/more/raw.jsonl", &transcript(7));
    scene.git(&treeless, &["add", "--all"]);
    scene.git(&treeless, &["commit", "--quiet", "--message", "lost"]);
    let json = scene.hydrant(&treeless, &["reconcile", "--repair", "--json"]).json();
    is_told(&json, "repair");
    assert!(json["tip"].is_string() && json["backup"].is_string(), "{json}");
    assert_eq!(json["in_full_list"][0]["path"], "sessions/more/raw.jsonl", "{json}");

    // With the trees it is known, as in any other clone.
    let blobless = clone(&world, "blobless", &["--filter=blob:none"]);
    let json = scene.hydrant(&blobless, &["verify", "--offline", "--json"]).ends(0).json();
    assert!(json["in_full_unknown"].is_null(), "{json}");
}

#[test]
fn nothing_is_fetched_for_attributes() {
    let world = World::new();
    let scene = &world.scene;
    scene.file("clone/assets/.gitattributes", b"*.bin filter=lfs\n");
    scene.file("clone/assets/a.bin", pointer(b"something").as_bytes());
    commit(&world);
    world.git(&["push", "--quiet"]);
    let sparse = clone(&world, "sparse", &["--filter=blob:none", "--sparse"]);
    assert!(!sparse.join("assets").exists());
    let id = scene.git(&sparse, &["rev-parse", "HEAD:notes.txt"]).trim().to_owned();
    scene.git(&sparse, &["update-index", "--add", "--cacheinfo", &format!("100644,{id},assets/b.bin")]);
    let missing = lacks(scene, &sparse);
    scene.hydrant(&sparse, &["verify", "--staged", "--offline"]);
    assert_eq!(lacks(scene, &sparse), missing, "nothing was fetched");
    scene.git(&sparse, &["commit", "--quiet", "--message", "more"]);
    let missing = lacks(scene, &sparse);
    scene.hydrant(&sparse, &["verify", "--offline"]);
    scene.hydrant(&sparse, &["doctor"]);
    let id = scene.git(&sparse, &["rev-parse", "HEAD"]).trim().to_owned();
    let told = format!("refs/heads/main {id} refs/heads/main {}\n", "0".repeat(40));
    let input = fs::File::open(scene.file("told", told.as_bytes())).expect("there");
    let output = scene.hydrant_command(&sparse).args(["verify", "--push", "origin"]).stdin(input).output();
    assert_eq!(output.expect("hydrant runs").status.code(), Some(0), "what is not here says nothing");
    assert_eq!(lacks(scene, &sparse), missing, "nothing was fetched");
}

#[test]
fn nothing_is_fetched_by_who_asks_nobody() {
    let world = old_ledger();
    let scene = &world.scene;
    for (name, how) in [
        ("blobless", &["--filter=blob:none", "--sparse"][..]),
        ("blobless-bare", &["--filter=blob:none", "--no-checkout"]),
        ("treeless", &["--filter=tree:0", "--sparse"]),
        ("treeless-bare", &["--filter=tree:0", "--no-checkout"]),
    ] {
        let clone = clone(&world, name, how);
        let missing = lacks(scene, &clone);
        for command in [
            &["status"][..],
            &["status", "old"],
            &["verify", "--offline"],
            &["verify", "--staged", "--offline"],
            &["doctor"],
            &["orphans"],
            &["hooks", "list"],
            &["show", "old", "raw.jsonl"],
            &["show", "notes.txt"],
        ] {
            let ran = scene.hydrant(&clone, command);
            assert_eq!(lacks(scene, &clone), missing, "{name}: {command:?} fetched: {}{}", ran.out, ran.err);
        }
    }
}

#[test]
fn a_push_whose_range_cannot_be_read_is_told_and_goes_on() {
    let world = old_ledger();
    let scene = &world.scene;
    let treeless = clone(&world, "treeless", &["--filter=tree:0"]);
    // The new commit stands on one whose trees never came.
    let id = scene.git(&treeless, &["commit-tree", "HEAD^{tree}", "-p", "HEAD~1", "-m", "other words"]);
    scene.git(&treeless, &["update-ref", "HEAD", id.trim()]);
    let verify = |folder: &Path, arguments: &[&str]| {
        let id = scene.git(folder, &["rev-parse", "HEAD"]).trim().to_owned();
        let told = format!("refs/heads/main {id} refs/heads/main {}\n", "0".repeat(40));
        let input = fs::File::open(scene.file("told", told.as_bytes())).expect("there");
        let command = [&["verify", "--push", "origin"], arguments].concat();
        let output = scene.hydrant_command(folder).args(command).stdin(input).output().expect("hydrant runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let missing = lacks(scene, &treeless);
    let (code, said, warned) = verify(&treeless, &[]);
    assert_eq!(code, Some(0), "{said}{warned}");
    assert!(warned.contains("not known") && warned.contains("git fetch --refetch"), "{warned}");
    assert!(!said.contains("nothing is wrong\n"), "{said}");
    let (_, json, _) = verify(&treeless, &["--json"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert!(json["in_full_unknown"].is_string(), "{json}");
    assert_eq!(lacks(scene, &treeless), missing, "nothing was fetched");

    // Where nobody left trees out on purpose, one that is gone is a fault.
    world.git(&["commit", "--quiet", "--allow-empty", "--message", "more"]);
    let tree = world.git(&["rev-parse", "HEAD:sessions"]).trim().to_owned();
    world.scene.file("clone/sessions/old/more.txt", b"words");
    commit(&world);
    fs::remove_file(world.clone.join(".git/objects").join(&tree[..2]).join(&tree[2..])).expect("a loose object");
    assert_eq!(verify(&world.clone, &[]).0, Some(3));
}
