//! `hydrant status --json` as a program reads it: ready or not, and the first thing that speaks against it.

mod errors;
mod sparse;

use std::fs;
use std::os::unix::fs::symlink;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};

use hydrant_kit::scene::Scene;
use hydrant_kit::world::{SESSION, World};

fn status(world: &World, arguments: &[&str]) -> Value {
    world.scene.hydrant(&world.clone, &[&["status", "--json"], arguments].concat()).json()
}

fn published() -> World {
    let mut world = World::new();
    world.record();
    world.scene.hydrant(&world.clone, &["publish", SESSION]).ends(0);
    world
}

#[test]
fn a_checkout_that_has_everything_is_ready() {
    let world = published();
    let report = status(&world, &[]);
    assert_eq!((&report["schema_version"], &report["ready"]), (&1.into(), &true.into()), "{report}");
    assert_eq!(report["head"], world.git(&["rev-parse", "HEAD"]).trim());
    assert_eq!(report["coverage"], json!({ "complete": true, "paths": ["sessions/"], "files": 4, "empty": false }));
    assert_eq!(report["hydration"], json!({ "state": "complete", "required": 3, "completed": 3 }));
    assert_eq!((&report["error_class"], report["sessions"].as_array().map(Vec::len)), (&Value::Null, Some(2)));
    let one = status(&world, &[SESSION]);
    assert_eq!(
        (&one["ready"], &one["hydration"], &one["downloaded"]),
        (&true.into(), &"hydrated".into(), &false.into())
    );
    assert_eq!(one["coverage"]["paths"], json!([format!("sessions/{SESSION}")]));
}

#[test]
fn a_folder_that_is_no_session_is_not_told() {
    let world = published();
    let sessions = world.clone.join("sessions");
    for name in ["empty", "folder/meta.json", "link", "pipe"] {
        fs::create_dir_all(sessions.join(name)).expect("a folder");
    }
    fs::write(sessions.join("file"), "no folder").expect("written");
    symlink("../other/meta.json", sessions.join("link/meta.json")).expect("a link");
    symlink("other", sessions.join("linked")).expect("a link");
    let mode = Mode::RUSR | Mode::WUSR;
    mknodat(CWD, sessions.join("pipe/meta.json"), FileType::Fifo, mode, 0).expect("a pipe");
    let report = status(&world, &[]);
    assert_eq!((&report["ready"], report["sessions"].as_array().map(Vec::len)), (&true.into(), Some(2)), "{report}");
    world.scene.hydrant(&world.clone, &["status", "folder"]).ends(2);
}

#[test]
fn what_is_missing_is_never_empty() {
    let world = published();
    world.scene.hydrant(&world.clone, &["cache", "clear", "--yes"]).ends(0);
    fs::remove_dir_all(world.clone.join(".git/hydrant/adopted")).expect("what gave way");
    let report = status(&world, &[]);
    assert_eq!((&report["ready"], &report["error_class"]), (&false.into(), &"missing_hydration".into()), "{report}");
    assert_eq!(report["hydration"]["state"], "missing");

    fs::write(world.session_folder().join("summary.json"), "{\"title\": \"another\"}").expect("written");
    assert_eq!(status(&world, &[])["error_class"], "dirty");
    fs::write(world.clone.join("sessions/other/meta.json"), "<<<<<<< ours\n").expect("written");
    let report = status(&world, &[]);
    assert_eq!(
        (&report["error_class"], &report["hydration"]["state"]),
        (&"incomplete_coverage".into(), &"unknown".into())
    );
    assert_eq!((&report["coverage"]["complete"], &report["coverage"]["empty"]), (&false.into(), &false.into()));
    world.scene.file("clone/.git/shallow", format!("{}\n", world.git(&["rev-parse", "HEAD"]).trim()).as_bytes());
    assert_eq!(status(&world, &[])["error_class"], "incomplete_history");
}

#[test]
fn no_ledger_no_commit_and_an_empty_one_differ() {
    let scene = Scene::new();
    scene.file("plain/a.txt", b"a");
    let plain = scene.repository("plain");
    let of = |folder: &std::path::Path| scene.hydrant(folder, &["status", "--json"]).ends(0).json();
    let report = of(&plain);
    assert_eq!((&report["error_class"], &report["coverage"]["empty"]), (&"missing_ledger".into(), &false.into()));
    scene.git(&plain, &["config", "hydrant.ledger", "true"]);
    let report = of(&plain);
    assert_eq!((&report["ready"], &report["coverage"]["empty"]), (&true.into(), &true.into()), "{report}");
    fs::create_dir(scene.path("unborn")).expect("a folder");
    scene.git(&scene.path("unborn"), &["init", "--quiet"]);
    let report = of(&scene.path("unborn"));
    assert_eq!((&report["error_class"], &report["coverage"]["empty"]), (&"unavailable".into(), &false.into()));
}

/// Shows I20.
#[test]
fn a_copy_that_was_fetched_is_known_as_one() {
    let world = published();
    world.scene.git(&world.scene.folder, &["clone", "--quiet", "remote.git", "other"]);
    let other = world.scene.path("other");
    let ask = |arguments: &[&str]| world.scene.hydrant(&other, arguments);
    world.scene.git(&other, &["config", "lfs.url", "http://127.0.0.1:1/r"]);
    assert_eq!(ask(&["status", SESSION, "--json"]).ends(0).json()["downloaded"], false);
    // The mark is there before the first byte, also where none comes.
    assert_ne!(ask(&["hydrate", SESSION, "--retries", "0"]).code, 0);
    assert_eq!(ask(&["status", SESSION, "--json"]).ends(0).json()["downloaded"], true);
    world.scene.git(&other, &["config", "lfs.url", &world.scene.url()]);
    ask(&["hydrate"]).ends(0);
    let all = ask(&["status", "--json"]).ends(0).json();
    let marked = |name: &str| {
        let all = all["sessions"].as_array().expect("a list");
        all.iter().find(|one| one["session"] == name).expect("listed")["downloaded"].clone()
    };
    assert_eq!((marked(SESSION), marked("other")), (true.into(), false.into()));
    assert_eq!((&all["ready"], &all["error_class"]), (&true.into(), &Value::Null), "{all}");
    assert_eq!(world.scene.git(&other, &["status", "--porcelain"]), "");
    // Whoever published a session is not told that it is somebody else's, even when it is fetched again.
    world.scene.hydrant(&world.clone, &["cache", "clear", "--yes"]).ends(0);
    world.scene.hydrant(&world.clone, &["hydrate", SESSION]).ends(0);
    assert_eq!(status(&world, &[SESSION])["downloaded"], false);
}

/// What is told to end an interrupted publish does end it.
#[test]
fn a_publish_that_was_not_bound_is_not_to_be_resumed() {
    let world = World::new();
    let recording = world.scene.file("recording/raw.jsonl", &hydrant_kit::world::transcript(9));
    let from = recording.parent().and_then(std::path::Path::to_str).expect("text");
    let publish = |more: &[&str]| world.scene.hydrant(&world.clone, &[&["publish", SESSION], more].concat());
    // The server went away: the journal names what might have been sent.
    world.intend(b"some of it");
    publish(&["--resume"]).ends(3);
    let said = |what: &str| {
        let ran = world.scene.hydrant(&world.clone, &["status", SESSION]).ends(0);
        assert!(ran.out.contains("interrupted") && ran.out.contains("hydrant doctor"), "{what}: {}", ran.out);
        ran.out
    };
    let out = said("intended");
    assert!(!out.contains("--resume") && out.contains("publish it again with its files"), "{out}");
    let journal = world.scene.file(&format!("clone/.git/hydrant/journal/{SESSION}.json"), b"{");
    let out = said("unreadable");
    assert!(!out.contains("--resume"), "{out}");
    fs::remove_file(journal).expect("there");
    publish(&["--from", from]).ends(0);
}

/// A checkout may have given it other line ends, and no digest says what it should be.
#[test]
fn what_git_carries_is_read_as_it_stands() {
    let mut world = World::new();
    world.record();
    world.scene.hydrant(&world.clone, &["publish", SESSION]).ends(0);
    let here = b"{\"title\":\r\n\"x\"}\r\n";
    world.scene.file(&format!("clone/sessions/{SESSION}/summary.json"), here);
    let shown = world.scene.hydrant(&world.clone, &["show", SESSION, "summary.json"]).ends(0);
    assert_eq!(shown.out.as_bytes(), here);
    let status = world.scene.hydrant(&world.clone, &["status", SESSION, "--json"]).ends(0).json();
    assert_eq!(status["hydration"], "hydrated", "{status}");
}
