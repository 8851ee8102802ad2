//! What must hold after a publish that ended, however often it died before.

use std::fs;

use hydrant_host::files::digest::blob_of;
use serde_json::Value;

use hydrant_kit::scene::pointer;
use hydrant_kit::world::{SESSION, World, files, find};

/// The remote's manifest of the session.
pub(crate) fn manifest(world: &World) -> Value {
    let text = world.remote_file(&format!("sessions/{SESSION}/meta.json")).expect("the remote has the manifest");
    serde_json::from_slice(&text).expect("JSON")
}

/// Manifest, pointers and blobs agree at the remote, with the content as it was.
#[track_caller]
pub(crate) fn published(world: &World) {
    let manifest = manifest(world);
    for (name, bytes) in &world.content {
        let blob = blob_of(bytes);
        let entry = &manifest["files"][name];
        if name == "summary.json" {
            assert_eq!((&entry["storage"], &entry["size"]), (&"git".into(), &(bytes.len() as u64).into()), "{name}");
            assert_eq!(world.remote_file(&format!("sessions/{SESSION}/{name}")).as_ref(), Some(bytes), "{name}");
            continue;
        }
        assert_eq!(entry["oid"], format!("sha256:{}", blob.oid), "{name} in {manifest}");
        let text = world.remote_file(&format!("sessions/{SESSION}/{name}")).expect("a pointer");
        assert_eq!(String::from_utf8_lossy(&text), pointer(bytes), "{name}");
        assert_eq!(world.server_blob(&blob.oid).as_ref(), Some(bytes), "{name} on the server");
    }
}

/// Every byte that was content is still here, and none stands where a pointer belongs.
#[track_caller]
pub(crate) fn nothing_is_lost(world: &World) {
    for (name, bytes) in &world.content {
        let in_place = fs::read(world.session_folder().join(name)).is_ok_and(|there| there == *bytes);
        let aside = fs::read(world.recording.join(name)).is_ok_and(|there| there == *bytes);
        let here = in_place || aside || files(&world.state()).contains(bytes);
        let oid = blob_of(bytes).oid;
        assert!(here, "{name} is nowhere here; at the server: {}", world.server_blob(&oid).as_ref() == Some(bytes));
    }
}

/// No pointer stands anywhere before its blob is on the server.
#[track_caller]
pub(crate) fn no_pointer_precedes_its_blob(world: &World) {
    for (name, bytes) in &world.content {
        let there = fs::read(world.session_folder().join(name)).unwrap_or_default();
        if name != "summary.json" && there == pointer(bytes).into_bytes() {
            let oid = blob_of(bytes).oid;
            assert!(world.server_blob(&oid).is_some(), "{name} is a pointer and its blob is nowhere");
        }
    }
}

/// Every blob of the server is named by the remote's manifest, by the journal or by the register.
#[track_caller]
pub(crate) fn every_oid_is_named(world: &World) {
    let state = world.state();
    let mut named = String::new();
    for path in [state.join(format!("journal/{SESSION}.json")), state.join("orphans.json")] {
        named += &fs::read_to_string(path).unwrap_or_default();
    }
    let manifest = world.remote_file(&format!("sessions/{SESSION}/meta.json")).unwrap_or_default();
    named += &String::from_utf8_lossy(&manifest);
    let mut stack = vec![world.scene.path("server")];
    while let Some(folder) = stack.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_dir() {
                stack.push(entry.path());
            } else if name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                assert!(named.contains(&name), "the server holds {name}, which nothing names");
            }
        }
    }
}

/// The session's paths are as committed, the repository is whole, and a pull works.
#[track_caller]
pub(crate) fn tidy(world: &World) {
    let status = world.git(&["status", "--porcelain", "--", &format!("sessions/{SESSION}")]);
    assert_eq!(status, "", "the session's paths are clean");
    world.git(&["fsck", "--strict", "--no-dangling", "--no-progress"]);
    let leftovers = fs::read_dir(world.session_folder()).expect("it is there").flatten();
    let leftovers: Vec<_> = leftovers.filter(|e| e.file_name().to_string_lossy().starts_with(".hydrant")).collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");
    let journal = find(&world.clone.join(".git/hydrant"), &format!("{SESSION}.json"));
    assert!(journal.is_none_or(|path| !path.to_string_lossy().contains("journal")), "the journal is gone");
}

/// A pull brings the clone to the remote's tip and changes nothing that is the user's.
#[track_caller]
pub(crate) fn pulls(world: &World) {
    world.git(&["pull", "--quiet", "--ff-only"]);
    let tip = world.scene.git(&world.remote, &["rev-parse", "main"]);
    assert_eq!(world.git(&["rev-parse", "HEAD"]), tip);
}
