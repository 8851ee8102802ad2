//! Where the content of a session may lie, and which of it is taken.

use std::fs;
use std::os::unix::fs::symlink;

use super::{SESSION, World, expect_published, manifest, publish, publish_recording, recorded, transcript};
use hydrant_host::files::digest::blob_of;
use hydrant_kit::scene::{noise, pointer};

#[test]
fn the_original_recorders_cache_goes_before_the_sessions_folder() {
    let mut world = World::new();
    world.scene.file("clone/.gitignore", b".sageox/\n");
    world.scene.commit(&world.clone);
    world.git(&["push", "--quiet"]);
    let cache = format!("clone/.sageox/cache/sessions/{SESSION}");
    for (name, bytes) in [("raw.jsonl", transcript(7)), ("summary.md", noise(4000, 3))] {
        world.scene.file(&format!("{cache}/{name}"), &bytes);
        world.content.insert(name.to_owned(), bytes);
    }
    world.scene.file(&format!("{cache}/not-a-content-file.txt"), b"left alone");
    publish(&world, &[]).ends(0);
    expect_published(&world);
    assert_eq!(manifest(&world)["files"].as_object().expect("files").len(), 2);
    assert_eq!(fs::read(world.scene.path(&format!("{cache}/raw.jsonl"))).expect("untouched"), transcript(7));
}

#[test]
fn a_cache_that_was_regenerated_over_is_left_out() {
    let mut world = World::new();
    world.scene.file("clone/.gitignore", b".sageox/\n");
    world.scene.commit(&world.clone);
    world.git(&["push", "--quiet"]);
    let cache = format!("clone/.sageox/cache/sessions/{SESSION}");
    let kept = [("raw.jsonl", transcript(7)), ("summary.json", b"{\"title\": \"old\"}".to_vec())];
    for (name, bytes) in kept {
        world.scene.file(&format!("{cache}/{name}"), &bytes);
    }
    publish(&world, &[]).ends(0);
    let fresh = [("raw.jsonl", transcript(9)), ("summary.json", b"{\"title\": \"new\"}".to_vec())];
    for (name, bytes) in fresh {
        world.scene.file(&format!("fresh/{name}"), &bytes);
        world.content.insert(name.to_owned(), bytes);
    }
    let from = world.scene.path("fresh");
    world.scene.hydrant(&world.clone, &["regenerate", SESSION, "--from", from.to_str().expect("text")]).ends(0);
    let orphans = world.scene.hydrant(&world.clone, &["orphans"]).ends(0).out;

    let ran = publish(&world, &[]).ends(0);
    assert!(ran.err.contains("is left out: something else was published in its place"), "{}{}", ran.err, ran.out);
    expect_published(&world);
    assert_eq!(world.scene.hydrant(&world.clone, &["orphans"]).ends(0).out, orphans, "nothing new is orphaned");

    // What was recorded since is content again, and what was not stays out.
    world.scene.file(&format!("{cache}/raw.jsonl"), &transcript(11));
    publish(&world, &[]).ends(0);
    assert_eq!(manifest(&world)["entry_count"], 11);
    let summary = world.remote_file(&format!("sessions/{SESSION}/summary.json")).expect("there");
    assert_eq!(summary, b"{\"title\": \"new\"}");
    // A file that is again what another session gave up is content like any.
    let other = world.scene.path(&format!("clone/.sageox/cache/sessions/other-{SESSION}"));
    fs::create_dir_all(&other).expect("folders");
    fs::write(other.join("raw.jsonl"), transcript(7)).expect("a transcript");
    world.scene.hydrant(&world.clone, &["publish", &format!("other-{SESSION}")]).ends(0);
}

/// Whoever can commit cannot put words into somebody else's session.
#[test]
fn what_git_tracks_is_no_recorders_cache() {
    let mut world = World::new();
    let cache = format!("clone/.sageox/cache/sessions/{SESSION}");
    world.scene.file(&format!("{cache}/raw.jsonl"), &transcript(9));
    world.scene.file(&format!("{cache}/session.md"), b"not my words");
    world.scene.commit(&world.clone);
    world.git(&["push", "--quiet"]);
    world.in_place("raw.jsonl", transcript(2));
    let ran = publish(&world, &[]).ends(0);
    assert!(ran.err.contains("git tracks it, so no recorder left it there"), "{}", ran.err);
    expect_published(&world);
    assert_eq!(manifest(&world)["entry_count"], 2);
    assert!(manifest(&world)["files"].get("session.md").is_none());
}

/// A manifest that somebody committed names files. Those of them that lie here and were never published are the user's.
#[test]
fn a_committed_manifest_asks_for_no_file_of_the_users() {
    for (name, storage, in_cache) in [
        ("secret.txt", "lfs", false),
        ("secret.txt", "git", false),
        ("deep/secret.txt", "lfs", false),
        ("secret.txt", "lfs", true),
    ] {
        let mut world = World::new();
        world.scene.file("clone/.gitignore", b".sageox/\n");
        world.record();
        publish(&world, &[]).ends(0);
        // Somebody else names one more file in the manifest, with the digest of whatever.
        let path = format!("clone/sessions/{SESSION}/meta.json");
        let mut committed = manifest(&world);
        let oid = format!("sha256:{}", "ab".repeat(32));
        committed["files"][name] = match storage {
            "lfs" => serde_json::json!({ "storage": "lfs", "oid": oid, "size": 9 }),
            _ => serde_json::json!({ "storage": "git", "size": 9 }),
        };
        world.scene.file(&path, committed.to_string().as_bytes());
        world.scene.commit(&world.clone);
        world.git(&["push", "--quiet"]);
        let folder = if in_cache { format!(".sageox/cache/sessions/{SESSION}") } else { format!("sessions/{SESSION}") };
        let secret = noise(3000, 77);
        world.scene.file(&format!("clone/{folder}/{name}"), &secret);
        for form in [&["--dry-run"][..], &[], &["--again"]] {
            let json = publish(&world, &[form, &["--json"]].concat()).json();
            let list = json["left_out_list"].as_array().expect("a list");
            let told = list.iter().find(|one| one["name"] == format!("{folder}/{name}"));
            assert_eq!(told.unwrap_or_else(|| panic!("{name}: {json}"))["reason"], "not-asked-for", "{json}");
        }
        assert!(world.server_blob(&blob_of(&secret).oid).is_none(), "{name} {storage} {in_cache}");
        assert!(world.remote_file(&format!("sessions/{SESSION}/{name}")).is_none());
        // The user's word is another thing.
        publish(&world, &["--file", name]);
        let is_there = world.server_blob(&blob_of(&secret).oid).is_some();
        assert_eq!(is_there, storage == "lfs", "{name} {storage} {in_cache}");
    }
}

/// The user's folder and the recorder's own cache win. Whoever has other content in the session's folder hears of it,
/// however short it is, and nobody hears of what git has.
#[test]
fn other_content_under_a_name_that_is_taken_is_told_and_stays() {
    let old = pointer(b"whatever");
    let broken = b"version https://git-lfs.github.com/spec/v1\noid sha256:12\n".to_vec();
    // What stands there, whether it is committed and pushed, and whether it is told.
    let table: [(&str, &str, Vec<u8>, bool, bool); 9] = [
        ("a-byte", "session.md", noise(1, 1), false, true),
        ("as-long-as-what-is-taken", "session.md", noise(700, 3), false, true),
        ("nearly-too-long-for-a-pointer", "session.md", noise(1023, 4), false, true),
        ("too-long-for-a-pointer", "session.md", noise(1024, 5), false, true),
        ("broken-pointer", "session.md", broken, false, true),
        ("of-git-as-committed", "summary.json", b"{\"title\": \"old\"}".to_vec(), true, false),
        ("as-committed", "session.md", noise(260, 6), true, false),
        ("pointer", "session.md", old.into_bytes(), false, false),
        ("empty", "session.md", Vec::new(), false, false),
    ];
    for (row, name, bytes, is_committed, is_told) in &table {
        for is_from in [false, true] {
            let world = World::new();
            let standing = world.scene.file(&format!("clone/sessions/{SESSION}/{name}"), bytes);
            world.scene.file("clone/.gitignore", b".sageox/\n");
            let committed: &[&str] = if *is_committed { &["add", "--all"] } else { &["add", ".gitignore"] };
            world.git(committed);
            world.git(&["commit", "--quiet", "--message", "before"]);
            world.git(&["push", "--quiet"]);
            let cache = format!("clone/.sageox/cache/sessions/{SESSION}");
            let folder = if is_from { "recording" } else { cache.as_str() };
            let taken = [("raw.jsonl", transcript(9)), ("session.md", noise(700, 7)), ("summary.json", b"{}".to_vec())];
            for (name, bytes) in taken {
                world.scene.file(&format!("{folder}/{name}"), &bytes);
            }
            let from = world.recording.to_str().expect("text").to_owned();
            let from: &[&str] = if is_from { &["--from", &from] } else { &[] };
            for form in [&["--dry-run"][..], &[]] {
                let ran = publish(&world, &[from, form, &["--json"]].concat());
                let about = format!("{row}, --from: {is_from}, {form:?}: {}{}", ran.err, ran.out);
                let json = ran.json();
                let list = json["left_out_list"].as_array().unwrap_or_else(|| panic!("{about}"));
                let told: Vec<(&str, &str, bool)> = list
                    .iter()
                    .filter(|one| one["reason"] != "not-asked-for")
                    .map(|one| (one["name"].as_str(), one["reason"].as_str(), one["asked_for"] == true))
                    .map(|(name, reason, is_asked)| (name.expect("a name"), reason.expect("a reason"), is_asked))
                    .collect();
                let path = format!("sessions/{SESSION}/{name}");
                let expected = if *is_told { vec![(path.as_str(), "differs", true)] } else { Vec::new() };
                assert_eq!(told, expected, "{about}");
                assert_eq!(ran.code, i32::from(*is_told), "{about}");
                if *is_told {
                    assert_eq!(fs::read(&standing).expect("it stands"), *bytes, "{about}");
                }
            }
            assert_eq!(manifest(&world)["entry_count"], 9, "{row}");
            // Also where nothing is new, and to those who want to hear of nothing else.
            let said = publish(&world, &[from, &["-q"]].concat()).ends(i32::from(*is_told)).err;
            assert_eq!(said.contains("has other content of this name"), *is_told, "{row}: {said}");
            if *is_told {
                fs::remove_file(&standing).expect("removed");
                world.git(&["checkout", "--quiet", "--", "sessions"]);
                publish(&world, from).ends(0);
            }
        }
    }
}

#[test]
fn a_cache_behind_a_link_is_none() {
    let mut world = World::new();
    let elsewhere = world.scene.file(&format!("elsewhere/cache/sessions/{SESSION}/raw.jsonl"), &transcript(9));
    let elsewhere = elsewhere.ancestors().nth(4).expect("above").to_owned();
    symlink(elsewhere, world.clone.join(".sageox")).expect("a link");
    world.scene.commit(&world.clone);
    world.git(&["push", "--quiet"]);
    world.in_place("raw.jsonl", transcript(2));
    publish(&world, &[]).ends(0);
    assert_eq!(manifest(&world)["entry_count"], 2);
}

#[test]
fn the_same_content_in_both_places_leaves_no_copy_in_the_tree() {
    let mut world = recorded();
    let raw = world.content["raw.jsonl"].clone();
    world.in_place("raw.jsonl", raw);
    let ran = publish_recording(&world, &["--json"]).ends(0).json();
    let file = ran["file_list"].as_array().expect("a list").iter().find(|file| file["name"] == "raw.jsonl").cloned();
    assert_eq!(file.expect("it was published")["state"], "swapped");
    expect_published(&world);
}

#[test]
fn other_content_in_the_tree_is_the_users_and_named() {
    let mut world = recorded();
    let path = world.session_folder().join("session.md");
    world.scene.file(&format!("clone/sessions/{SESSION}/session.md"), &noise(2000, 77));
    let ran = publish_recording(&world, &[]).ends(1);
    assert!(ran.err.contains("has other content of this name"), "{}", ran.err);
    assert_eq!(fs::read(&path).expect("there"), noise(2000, 77));
    world.git(&["checkout", "--quiet", "--", "sessions"]);
    expect_published(&world);
    world.content.clear();
}

#[test]
fn the_sessions_own_folder_is_in_place_with_all_its_files() {
    let mut world = World::new();
    world.record();
    world.in_place("attachments/log.bin", noise(9000, 2));
    let folder = world.session_folder();
    publish(&world, &["--from", folder.to_str().expect("text")]).ends(0);
    expect_published(&world);
    assert!(fs::metadata(folder.join("attachments/log.bin")).expect("a pointer").len() < 200);
    let ran = publish(&world, &["--from", folder.to_str().expect("text")]).ends(0);
    assert!(ran.out.starts_with("nothing to publish"), "{}", ran.out);
}

#[test]
fn content_files_are_what_the_configuration_lists() {
    let mut world = World::new();
    world.in_place("raw.jsonl", transcript(3));
    world.in_place("events.bin", noise(3000, 1));
    world.in_place("chart.json", b"{\"small\": true}".to_vec());
    world.git(&["config", "hydrant.contentFiles", "raw.jsonl, events.bin"]);
    publish(&world, &["--in-git", "chart.json"]).ends(0);
    let files = manifest(&world)["files"].clone();
    assert_eq!((&files["events.bin"]["storage"], &files["chart.json"]["storage"]), (&"lfs".into(), &"git".into()));
    assert_eq!(world.git(&["status", "--porcelain"]), "");
}

#[test]
fn unpushed_commits_go_along_when_told_to() {
    let world = recorded();
    world.scene.file("clone/notes.txt", b"two\n");
    world.scene.commit(&world.clone);
    publish_recording(&world, &["--with-unpushed"]).ends(0);
    expect_published(&world);
    assert_eq!(world.remote_file("notes.txt").as_deref(), Some(&b"two\n"[..]));
}
