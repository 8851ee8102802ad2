//! What `hydrant status --json` says where it cannot tell a status: the error, and the report that all of them have.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{published, status};
use hydrant_kit::scene::Scene;
use hydrant_kit::world::{SESSION, World};

/// The document, which has the whole report, and says that nothing can be read.
#[track_caller]
fn refused(scene: &Scene, folder: &Path, arguments: &[&str], code: i32) -> Value {
    let told = scene.hydrant(folder, &[&["status", "--json"], arguments].concat()).ends(code).json();
    has_report(&told, if arguments.is_empty() { "hydration" } else { "blobs" });
    assert_eq!((&told["ok"], &told["ready"]), (&json!(false), &json!(false)), "{told}");
    assert!(told["error"]["code"].is_string() && told["error"]["detail"].is_string(), "{told}");
    let covered = (&told["coverage"]["complete"], &told["coverage"]["empty"]);
    assert_eq!(covered, (&json!(false), &json!(false)), "{told}");
    told
}

#[track_caller]
fn has_report(told: &Value, blobs: &str) {
    for key in ["schema_version", "head", "ready", "coverage", "error_class"] {
        assert!(told.get(key).is_some(), "{key}: {told}");
    }
    assert!(told[blobs]["state"].is_string() && told[blobs]["required"].is_number(), "{told}");
}

#[test]
fn an_error_has_a_class() {
    let world = published();
    let head = world.git(&["rev-parse", "HEAD"]);
    let of = |arguments: &[&str], code| refused(&world.scene, &world.clone, arguments, code);
    let none = of(&["nothing"], 2);
    let said = (&none["error_class"], &none["session"], &none["head"]);
    assert_eq!(said, (&"invalid_arguments".into(), &"nothing".into(), &head.trim().into()), "{none}");

    world.scene.file("clone/sessions/other/meta.json", b"<<<<<<< ours\n");
    let broken = of(&["sessions/other"], 3);
    let said = (&broken["error_class"], &broken["session"], &broken["head"], &broken["error"]["code"]);
    let expected = (&"incomplete_coverage".into(), &"other".into(), &head.trim().into(), &"malformed".into());
    assert_eq!(said, expected, "{broken}");
    assert_eq!(broken["coverage"]["paths"], json!(["sessions/other"]));

    let nowhere = world.scene.path("home");
    for arguments in [&[][..], &[SESSION]] {
        let told = refused(&world.scene, &nowhere, arguments, 2);
        assert_eq!((&told["error_class"], &told["head"]), (&"missing_ledger".into(), &"".into()), "{told}");
    }
    let bare = refused(&world.scene, &world.remote, &[], 2);
    assert_eq!(bare["error_class"], "missing_ledger", "{bare}");
}

#[test]
fn a_repository_without_sessions_tells_its_head() {
    let scene = Scene::new();
    scene.file("plain/a.txt", b"a");
    let plain = scene.repository("plain");
    let head = scene.git(&plain, &["rev-parse", "HEAD"]);
    let all = scene.hydrant(&plain, &["status", "--json"]).ends(0).json();
    assert_eq!((&all["head"], &all["error_class"]), (&head.trim().into(), &"missing_ledger".into()), "{all}");
    assert_eq!(all["coverage"]["complete"], false, "{all}");
    let one = refused(&scene, &plain, &[SESSION], 2);
    assert_eq!((&one["head"], &one["error_class"]), (&head.trim().into(), &"missing_ledger".into()), "{one}");
    fs::create_dir(scene.path("unborn")).expect("a folder");
    scene.git(&scene.path("unborn"), &["init", "--quiet"]);
    let one = refused(&scene, &scene.path("unborn"), &[SESSION], 2);
    assert_eq!((&one["head"], &one["error_class"]), (&"".into(), &"unavailable".into()), "{one}");
}

#[test]
fn a_session_that_was_only_begun_is_not_ready() {
    let world = World::new();
    world.intend(b"some of it");
    let one = status(&world, &[SESSION]);
    has_report(&one, "blobs");
    assert_eq!(
        (&one["ok"], &one["unfinished_publish"], &one["downloaded"]),
        (&json!(true), &json!(true), &json!(false))
    );
    let judged = (&one["ready"], &one["error_class"], &one["coverage"]["complete"], &one["coverage"]["empty"]);
    let expected = (&json!(false), &json!("incomplete_coverage"), &json!(false), &json!(false));
    assert_eq!(judged, expected, "{one}");
    assert_eq!((&one["kept"], &one["file_list"]), (&json!([]), &json!([])));
    assert_eq!(one["head"], world.git(&["rev-parse", "HEAD"]).trim());
}

/// Git has it still, and says that it was changed here.
#[test]
fn a_session_that_was_deleted_here_is_not_ready() {
    for gone in ["sessions/other/meta.json", "sessions/other"] {
        let world = published();
        let path = world.clone.join(gone);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.expect("there");
        let all = status(&world, &[]);
        assert_eq!((&all["ready"], &all["error_class"]), (&false.into(), &"dirty".into()), "{gone}: {all}");
        let one = refused(&world.scene, &world.clone, &["other"], 2);
        assert_eq!(one["error_class"], "dirty", "{gone}: {one}");
    }
}
