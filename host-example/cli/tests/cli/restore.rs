//! `hydrant restore`: content goes back to its pointer only where something else names this very content.

use std::fs;
use std::path::PathBuf;

use hydrant_host::files::digest::blob_of;
use serde_json::Value;

use hydrant_kit::scene::{noise, pointer};
use hydrant_kit::world::{SESSION, World};

/// A published session, nothing of it in place.
fn published() -> World {
    let mut world = World::new();
    world.record();
    world.scene.hydrant(&world.clone, &["publish", SESSION]).ends(0);
    world.scene.hydrant(&world.clone, &["cache", "clear", "--yes"]).ends(0);
    world
}

fn path(name: &str) -> String {
    format!("sessions/{SESSION}/{name}")
}

fn restore(world: &World, arguments: &[&str]) -> hydrant_kit::scene::Ran {
    world.scene.hydrant(&world.clone, &[&["restore"], arguments].concat())
}

fn file(json: &Value, name: &str) -> Value {
    let files = json["file_list"].as_array().expect("a list");
    files.iter().find(|one| one["path"] == path(name)).expect("listed").clone()
}

/// Puts bytes in the place of a pointer.
fn place(world: &World, name: &str, bytes: &[u8]) -> PathBuf {
    let file = world.session_folder().join(name);
    fs::remove_file(&file).ok();
    fs::write(&file, bytes).expect("written");
    file
}

#[test]
fn content_that_is_named_goes_back_and_is_served_from_the_cache() {
    let world = published();
    let content = world.content["session.md"].clone();
    let there = place(&world, "session.md", &content);
    assert_ne!(world.git(&["status", "--porcelain"]), "");
    let dry = restore(&world, &[SESSION, "--dry-run", "--json"]).ends(0).json();
    assert_eq!(file(&dry, "session.md")["state"], "restored", "{dry}");
    assert_eq!(fs::read(&there).expect("there"), content);
    let json = restore(&world, &[SESSION, "--json"]).ends(0).json();
    let one = file(&json, "session.md");
    assert_eq!((&one["witness"], &one["oid"]), (&"committed".into(), &blob_of(&content).oid.into()), "{json}");
    assert_eq!(file(&json, "raw.jsonl")["state"], "left");
    assert_eq!(fs::read_to_string(&there).expect("there"), pointer(&content));
    assert_eq!(world.git(&["status", "--porcelain"]), "");
    // Without a server: what gave way is the cache's now.
    let shown = world.scene.hydrant(&world.clone, &["verify", SESSION]).ends(0);
    assert!(shown.err.is_empty(), "{}", shown.err);
    let status = world.scene.hydrant(&world.clone, &["status", SESSION, "--json"]).ends(0).json();
    let files = status["file_list"].as_array().expect("a list");
    assert!(files.iter().any(|one| one["name"] == "session.md" && one["state"] == "cached"), "{status}");
    restore(&world, &[&path("session.md")]).ends(0);
}

#[test]
fn the_manifest_is_a_witness_too() {
    let world = published();
    world.git(&["rm", "--quiet", "--cached", &path("session.md")]);
    world.git(&["commit", "--quiet", "--message", "The pointer is lost"]);
    let content = world.content["session.md"].clone();
    let there = place(&world, "session.md", &content);
    let json = restore(&world, &[&path("session.md"), "--json"]).ends(0).json();
    assert_eq!(file(&json, "session.md")["witness"], "manifest", "{json}");
    assert_eq!(fs::read_to_string(there).expect("there"), pointer(&content));
}

#[test]
fn other_content_is_refused_and_both_are_named() {
    let world = published();
    let content = world.content["session.md"].clone();
    let mut other = content.clone();
    other[17] ^= 1;
    let there = place(&world, "session.md", &other);
    let json = restore(&world, &[SESSION, "--json"]).ends(1).json();
    let one = file(&json, "session.md");
    assert_eq!((&one["state"], &one["error"]["code"]), (&"refused".into(), &"conflict".into()), "{json}");
    let detail = one["error"]["detail"].as_str().expect("words");
    assert!([&other, &content].iter().all(|bytes| detail.contains(&blob_of(bytes).oid)), "{detail}");
    assert_eq!(fs::read(&there).expect("there"), other);
    // A file that nothing names, one that git carries, a manifest, a file that is none.
    place(&world, "new.bin", &noise(100, 3));
    let json = restore(&world, &[&path("new.bin"), &path("summary.json"), "--json"]).ends(1).json();
    for name in ["new.bin", "summary.json"] {
        assert_eq!(file(&json, name)["error"]["code"], "rejected", "{json}");
    }
    restore(&world, &[&path("meta.json")]).ends(2);
    restore(&world, &["never-heard-of"]).ends(2);
    restore(&world, &["notes.txt"]).ends(1);
}

#[test]
fn a_cache_that_has_other_bytes_is_not_touched() {
    let world = published();
    let content = world.content["session.md"].clone();
    let there = place(&world, "session.md", &content);
    let oid = blob_of(&content).oid;
    let mut rotten = content.clone();
    rotten[0] ^= 1;
    let entry = world.scene.file(&format!("clone/.git/hydrant/cache/{}/{oid}", &oid[..2]), &rotten);
    for dry in [&["--dry-run"][..], &[]] {
        let json = restore(&world, &[&[SESSION, "--json"], dry].concat()).ends(1).json();
        assert_eq!(file(&json, "session.md")["error"]["code"], "integrity", "{json}");
    }
    assert_eq!(fs::read(&there).expect("there"), content);
    assert_eq!(fs::read(entry).expect("there"), rotten);
}

#[test]
fn a_name_that_nobody_knows_is_misuse_before_anything_is_touched() {
    let world = published();
    let content = world.content["session.md"].clone();
    let there = place(&world, "session.md", &content);
    for misspelt in ["sesion.md", "notes/none.txt"] {
        let ran = restore(&world, &[&path("session.md"), &path(misspelt)]).ends(2);
        assert!(ran.err.contains(&path(misspelt)) && ran.out.is_empty(), "{}{}", ran.out, ran.err);
        assert_eq!(fs::read(&there).expect("there"), content);
    }
    // Absent, and named by the manifest or by the last commit alone.
    fs::remove_file(world.session_folder().join("raw.jsonl")).expect("a pointer");
    world.scene.file(&format!("clone/{}", path("large.bin")), &noise(5 << 20, 7));
    world.git(&["add", "--all"]);
    world.git(&["commit", "--quiet", "--message", "Too large to be looked into"]);
    fs::remove_file(world.session_folder().join("large.bin")).expect("it was there");
    let json = restore(&world, &[&path("raw.jsonl"), &path("large.bin"), "--json"]).ends(0).json();
    for name in ["raw.jsonl", "large.bin"] {
        assert_eq!(file(&json, name)["state"], "left", "{json}");
    }
    restore(&world, &[&path("session.md")]).ends(0);
    assert_eq!(fs::read_to_string(&there).expect("there"), pointer(&content));
}
