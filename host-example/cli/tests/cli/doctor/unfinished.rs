//! What several interrupted runs leave together is ended together.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use hydrant_host::files::digest::blob_of;

use hydrant_kit::world::{SESSION, World, transcript};

use super::{doctor, findings, kinds, tidy};

/// Sessions that are recorded in their own folders.
const IN_PLACE: [&str; 2] = ["2026-05-06T09-00-ada-OxA1bc", "2026-05-06T09-01-bob-OxB2cd"];

/// Two publishes whose branch could not follow, each with its content in place, and maybe with its placeholder.
fn unsettled(with_drafts: bool) -> World {
    let world = tidy();
    world.scene.file("clone/.git/HEAD.lock", b"");
    for (number, session) in IN_PLACE.iter().enumerate() {
        if with_drafts {
            world.scene.hydrant(&world.clone, &["draft", session]).ends(0);
        }
        world.scene.file(&format!("clone/sessions/{session}/raw.jsonl"), &transcript(4 + number));
        let said = world.scene.hydrant(&world.clone, &["publish", session]).ends(3);
        assert!(said.err.contains("HEAD.lock"), "the lock is named: {}", said.err);
    }
    fs::remove_file(world.clone.join(".git/HEAD.lock")).expect("removed");
    world
}

fn is_published(world: &World) {
    assert_eq!(world.git(&["status", "--porcelain"]), "");
    assert_eq!(world.git(&["rev-list", "--count", "HEAD...@{upstream}"]).trim(), "0");
    for session in IN_PLACE {
        let text = fs::read_to_string(world.clone.join(format!("sessions/{session}/raw.jsonl"))).expect("there");
        assert!(text.starts_with("version https://git-lfs"), "{text}");
    }
    assert_eq!(findings(world), Vec::<serde_json::Value>::new());
}

/// Shows I19: the content of each stands where the branch would bring the pointer of the other.
#[test]
fn publishes_from_in_place_do_not_keep_each_other_from_settling() {
    let world = unsettled(false);
    for session in IN_PLACE {
        world.scene.hydrant(&world.clone, &["publish", session, "--resume"]).ends(0);
    }
    is_published(&world);

    for with_drafts in [false, true] {
        let world = unsettled(with_drafts);
        doctor(&world, &["--fix"]).ends(0);
        is_published(&world);
    }
}

/// As a process leaves it that died after pointer and content had changed places.
fn died_in_a_swap(world: &World, path: &Path) -> String {
    let content = fs::read(path).expect("content");
    let (oid, facts) = (blob_of(&content).oid, fs::metadata(path).expect("a file"));
    let name =
        format!("{oid}.{:x}.{:x}.{:x}-{:x}.{SESSION}", facts.ino(), facts.size(), facts.mtime(), facts.mtime_nsec());
    let store = world.clone.join(".git/hydrant");
    fs::create_dir_all(store.join("displaced")).expect("a folder");
    fs::hard_link(path, store.join("displaced").join(&name)).expect("a second name");
    fs::rename(path, path.with_file_name(".hydrant-swap-2147483600-1.tmp")).expect("moved");
    fs::write(path, format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {}\n", content.len()))
        .expect("a pointer");
    name
}

#[test]
fn content_that_was_on_its_way_out_is_taken_into_the_cache() {
    let mut world = tidy();
    world.record();
    world.scene.hydrant(&world.clone, &["publish", SESSION]).ends(0);
    // The cache goes, and somebody puts the content back where the pointer stands.
    world.scene.hydrant(&world.clone, &["cache", "clear", "--yes"]).ends(0);
    let path = world.clone.join(format!("sessions/{SESSION}/raw.jsonl"));
    fs::write(&path, &world.content["raw.jsonl"]).expect("written");
    let name = died_in_a_swap(&world, &path);
    let found = findings(&world);
    assert!(kinds(&found).contains("displaced-content"), "{found:?}");
    doctor(&world, &["--fix"]).ends(0);
    assert_eq!(findings(&world), Vec::<serde_json::Value>::new());
    assert!(world.clone.join(".git/hydrant/adopted").join(&name).exists(), "nothing is lost");
    let shown = world.scene.hydrant(&world.clone, &["status", SESSION]).ends(0);
    assert!(shown.out.contains("cached"), "{}", shown.out);
}
