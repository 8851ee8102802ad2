//! `hydrant publish` as people use it: from a folder, in place, again, with nothing to do, dry, and interrupted.

mod interrupted;
mod left_out;
mod refused;
mod sources;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use hydrant_host::files::digest::blob_of;
use serde_json::Value;

use hydrant_kit::scene::{Ran, TOKEN, noise, pointer};
use hydrant_kit::world::{SESSION, World, transcript};

/// A session whose files lie in a folder outside the repository, a minute old.
fn recorded() -> World {
    let mut world = World::new();
    let header = transcript(40);
    let header = String::from_utf8(header).expect("text");
    let dated = header.replacen("\"version\":\"1.0\"", "\"created_at\":\"2026-05-04T09:30:00Z\"", 1);
    record(&mut world, "raw.jsonl", dated.as_bytes());
    record(&mut world, "session.md", &noise(300_000, 5));
    record(&mut world, "notes/a.txt", b"nested");
    record(&mut world, "context-trace.jsonl", b"");
    record(&mut world, "summary.json", b"{\"title\": \"x\"}");
    world
}

/// Puts a file into the recording, old enough to be trusted.
fn record(world: &mut World, name: &str, bytes: &[u8]) {
    let path = world.scene.file(&format!("recording/{name}"), bytes);
    let file = fs::File::options().write(true).open(path).expect("just made");
    let minute_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    file.set_modified(minute_ago).expect("its time can be set");
    world.content.insert(name.to_owned(), bytes.to_vec());
}

fn publish(world: &World, arguments: &[&str]) -> Ran {
    let arguments = [&["publish", SESSION], arguments].concat();
    world.scene.hydrant(&world.clone, &arguments)
}

/// Publishes the recording.
fn publish_recording(world: &World, arguments: &[&str]) -> Ran {
    publish(world, &[&["--from", world.recording.to_str().expect("text")], arguments].concat())
}

fn manifest(world: &World) -> Value {
    let text = world.remote_file(&format!("sessions/{SESSION}/meta.json")).expect("the remote has the manifest");
    serde_json::from_slice(&text).expect("JSON")
}

fn head(world: &World) -> String {
    world.git(&["rev-parse", "HEAD", "origin/main"])
}

/// Manifest, pointers, blobs: all as the content is.
#[track_caller]
fn expect_published(world: &World) {
    let manifest = manifest(world);
    for (name, bytes) in &world.content {
        let there = world.remote_file(&format!("sessions/{SESSION}/{name}")).expect("the remote has it");
        if name == "summary.json" {
            assert_eq!((&manifest["files"][name]["storage"], &there), (&"git".into(), bytes));
            continue;
        }
        let oid = blob_of(bytes).oid;
        assert_eq!(manifest["files"][name]["oid"], format!("sha256:{oid}"), "{name}");
        assert_eq!(String::from_utf8_lossy(&there), pointer(bytes), "{name}");
        assert_eq!(world.server_blob(&oid).as_ref(), Some(bytes), "{name}");
    }
    assert_eq!(world.git(&["status", "--porcelain"]), "");
    let heads = head(world);
    let mut heads = heads.lines();
    assert_eq!(heads.next(), heads.next(), "the branch is where the remote is");
}

#[test]
fn a_first_publish_from_a_folder() {
    let mut world = recorded();
    for hidden in [".hidden", "meta.json", "raw.jsonl.lock", ".git/config"] {
        world.scene.file(&format!("recording/{hidden}"), b"not for anybody");
    }
    let fields = ["--title", "A <title>", "--username", "mina", "--field", "summary=Words", "--agent-type", "claude"];
    let json = publish_recording(&world, &[&fields[..], &["--json"]].concat()).ends(1).json();
    expect_published(&world);
    let manifest = manifest(&world);
    for (field, value) in [
        ("title", "A <title>"),
        ("username", "mina"),
        ("summary", "Words"),
        ("agent_type", "claude"),
        ("session_name", SESSION),
        ("created_at", "2026-05-04T09:30:00Z"),
    ] {
        assert_eq!(manifest[field], value, "{field}");
    }
    assert_eq!((&manifest["entry_count"], manifest["files"].as_object().expect("files").len()), (&40.into(), 5));
    // The report.
    let id = json["session_id"].as_str().expect("an id");
    assert!(id.starts_with("ses_") && manifest["session_id"] == id && id.as_bytes()[18] == b'7', "{id}");
    let shape =
        ["schema_version", "ok", "session", "session_id", "phase", "resumed", "tip", "file_list", "left_out_list"];
    let keys: Vec<&String> = json.as_object().expect("an object").keys().collect();
    for key in shape.into_iter().chain(["orphan_list", "seconds", "error", "next"]) {
        assert!(keys.iter().any(|known| *known == key), "{key}");
    }
    // Published, but not all that the folder holds.
    assert_eq!((&json["ok"], &json["phase"], &json["error"]), (&false.into(), &"done".into(), &Value::Null));
    assert_eq!(json["left_out_list"].as_array().map(Vec::len), Some(4), "{json}");
    assert_eq!(json["tip"], world.git(&["rev-parse", "HEAD"]).trim());
    let files: BTreeMap<&str, &Value> = json["file_list"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|f| (f["name"].as_str().expect("a name"), f))
        .collect();
    assert_eq!(files.len(), 5);
    assert_eq!(files["session.md"]["oid"], blob_of(&world.content["session.md"]).oid);
    assert_eq!((&files["session.md"]["state"], &files["summary.json"]["oid"]), (&"published".into(), &Value::Null));
    // The recording is the recorder's.
    for (name, bytes) in std::mem::take(&mut world.content) {
        assert_eq!(fs::read(world.recording.join(name)).expect("untouched"), bytes);
    }
}

#[test]
fn other_clones_get_the_same_bytes() {
    let world = recorded();
    publish_recording(&world, &[]).ends(0);
    let clone = |name: &str| {
        world.scene.git(&world.scene.folder, &["clone", "--quiet", "remote.git", name]);
        world.scene.git(&world.scene.path(name), &["config", "lfs.url", &world.scene.url()]);
        world.scene.path(name)
    };
    let reader = clone("reader");
    world.scene.hydrant(&reader, &["hydrate", SESSION]).ends(0);
    for name in ["raw.jsonl", "notes/a.txt", "context-trace.jsonl", "summary.json"] {
        let shown = world.scene.hydrant(&reader, &["show", SESSION, name]).ends(0).out;
        assert_eq!(shown.as_bytes(), world.content[name], "{name}");
    }
    if !world.scene.has_git_lfs() {
        return;
    }
    let theirs = clone("theirs");
    fs::write(theirs.join(".git/info/attributes"), "sessions/** filter=lfs\n*.json -filter\n").expect("attributes");
    world.scene.git(&theirs, &["lfs", "install", "--local"]);
    world.scene.git(&theirs, &["lfs", "pull"]);
    for (name, bytes) in &world.content {
        let there = fs::read(theirs.join("sessions").join(SESSION).join(name)).expect("there");
        assert!(there == *bytes, "{name} differs after git lfs pull");
    }
}

#[test]
fn changed_content_keeps_the_id_and_names_what_it_orphans() {
    let mut world = recorded();
    publish_recording(&world, &[]).ends(0);
    let before = manifest(&world);
    let old = blob_of(&world.content["raw.jsonl"]).oid;
    record(&mut world, "raw.jsonl", &transcript(41));
    let json = publish_recording(&world, &["--json"]).ends(0).json();
    expect_published(&world);
    let after = manifest(&world);
    assert_eq!(before["session_id"], after["session_id"]);
    assert_eq!((&before["entry_count"], &after["entry_count"]), (&40.into(), &41.into()));
    assert_eq!(before["created_at"], after["created_at"]);
    assert_eq!(json["orphan_list"][0]["oid"], old);
    let register = fs::read_to_string(world.clone.join(".git/hydrant/orphans.json")).expect("a register");
    assert!(register.contains(&old));
    // A field alone is a publish, too, and moves nothing else.
    publish(&world, &["--title", "Another"]).ends(0);
    let titled = manifest(&world);
    assert_eq!((&titled["title"], &titled["files"]), (&"Another".into(), &after["files"]));
}

/// Same rule and same words as `orphans` and `regenerate`.
#[test]
fn what_another_session_names_is_no_orphan() {
    let mut world = recorded();
    publish_recording(&world, &[]).ends(0);
    // Another session with the same transcript.
    let other = world.clone.join("sessions/2026-06-01T00-00-other-Ox1111");
    fs::create_dir_all(&other).expect("a folder");
    fs::write(other.join("raw.jsonl"), &world.content["raw.jsonl"]).expect("a transcript");
    world.scene.hydrant(&world.clone, &["publish", "2026-06-01T00-00-other-Ox1111"]).ends(0);
    let old = blob_of(&world.content["raw.jsonl"]).oid;
    record(&mut world, "raw.jsonl", &transcript(41));
    let json = publish_recording(&world, &["--json"]).ends(0).json();
    assert_eq!((&json["orphan_list"], &json["ok"]), (&serde_json::json!([]), &true.into()), "{json}");
    let register = fs::read_to_string(world.clone.join(".git/hydrant/orphans.json")).expect("a register");
    assert!(register.contains(&old), "the register says what was superseded");
}

#[test]
fn content_in_place_gives_way_to_its_pointer() {
    let mut world = World::new();
    world.record();
    world.scene.file(&format!("clone/sessions/{SESSION}/stray.txt"), b"nobody asked");
    let ran = publish(&world, &[]).ends(1);
    assert!(ran.err.contains("--from") && ran.err.contains("stray.txt is left out"), "{}", ran.err);
    fs::remove_file(world.session_folder().join("stray.txt")).expect("still there");
    expect_published(&world);
    for name in ["raw.jsonl", "session.md"] {
        let there = fs::read(world.session_folder().join(name)).expect("there");
        assert_eq!(there, pointer(&world.content[name]).into_bytes());
    }
    let status = world.scene.hydrant(&world.clone, &["status", SESSION, "--json"]).ends(0).json();
    assert_eq!(status["hydration"], "hydrated", "{status}");
    assert_eq!(status["unfinished_publish"], false);
    let shown = world.scene.hydrant(&world.clone, &["show", SESSION, "session.md"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    // More files, by name.
    world.in_place("more.bin", noise(5000, 9));
    publish(&world, &["--file", "more.bin"]).ends(0);
    expect_published(&world);
}

#[test]
fn nothing_to_do_is_said_without_asking_anybody() {
    let mut world = recorded();
    publish_recording(&world, &[]).ends(0);
    let (gone, back) = (world.scene.path("gone.git"), world.remote.clone());
    fs::rename(&back, &gone).expect("the remote goes");
    let stats = world.scene.server.stats();
    let from = ["--from", world.recording.to_str().expect("text")];
    // First by a look at everything, then by the notes that it left.
    for arguments in [&from[..], &[], &from, &[], &["--dry-run"]] {
        let ran = publish(&world, arguments).ends(0);
        assert!(ran.out.starts_with("nothing to publish"), "{}", ran.out);
        let json = publish(&world, &[arguments, &["--json"]].concat()).ends(0).json();
        assert_eq!((&json["ok"], json["file_list"].as_array().map(Vec::len)), (&true.into(), Some(0)), "{json}");
    }
    assert_eq!(world.scene.server.stats().connections, stats.connections);
    // Asked all the same, and changed content: both need the remote.
    publish_recording(&world, &["--again"]).ends(3);
    record(&mut world, "session.md", b"shorter now");
    publish_recording(&world, &[]).ends(3);
    fs::rename(&gone, &back).expect("the remote comes back");
    publish_recording(&world, &[]).ends(0);
    expect_published(&world);
    let before = head(&world);
    publish_recording(&world, &["--again"]).ends(0);
    assert_eq!(head(&world), before, "the same again makes no commit");
}

#[test]
fn notes_are_only_good_while_everything_is_as_it_was() {
    let mut world = recorded();
    let from = |world: &World| publish_recording(world, &["--json"]).ends(0).json()["tip"].clone();
    assert!(!from(&world).is_null());
    let quick = |world: &World| from(world).is_null() && publish(world, &["--json"]).ends(0).json()["tip"].is_null();
    assert!(quick(&world) && quick(&world));
    // A file that came along, one that is gone again, one that changed and changed back.
    record(&mut world, "plan.md", b"more");
    assert!(!from(&world).is_null() && quick(&world) && quick(&world));
    record(&mut world, "session.md", b"changed");
    assert!(!from(&world).is_null() && quick(&world));
    // The session moved on elsewhere: what was published from here is no longer what it is.
    let other = world.scene.path("other");
    world.scene.git(&world.scene.folder, &["clone", "--quiet", "remote.git", "other"]);
    for (key, value) in [("user.name", "other"), ("user.email", "o@example.test"), ("lfs.url", &world.scene.url())] {
        world.scene.git(&other, &["config", key, value]);
    }
    world.scene.file("theirs/session.md", b"theirs");
    world.scene.hydrant(&other, &["publish", SESSION, "--from", "../theirs"]).ends(0);
    world.git(&["pull", "--quiet", "--ff-only"]);
    assert!(publish(&world, &["--json"]).ends(0).json()["tip"].is_null());
    assert!(!from(&world).is_null(), "the recording is not what the session has");
    expect_published(&world);
    // Content that git ignores.
    world.scene.file("clone/.git/info/exclude", b"session.html\n");
    world.git(&["config", "hydrant.contentFiles", "raw.jsonl,session.html"]);
    assert!(quick(&world));
    world.in_place("session.html", noise(2000, 4));
    assert!(!publish(&world, &["--json"]).ends(0).json()["tip"].is_null());
    expect_published(&world);
}

#[test]
fn a_dry_run_writes_nothing_and_says_what_would_be() {
    let mut world = recorded();
    let see = |world: &World| {
        let refs = world.git(&["for-each-ref"]) + &world.scene.git(&world.remote, &["for-each-ref"]);
        let puts = world.scene.server.stats().puts;
        (refs, puts, tree(&world.clone, true), tree(&world.scene.path("server"), false))
    };
    let before = see(&world);
    let json = publish_recording(&world, &["--dry-run", "--json"]).ends(0).json();
    assert_eq!((&json["ok"], &json["dry_run"], &json["resumes"]), (&true.into(), &true.into(), &false.into()));
    assert_eq!(json["file_list"].as_array().expect("a list").len(), 5);
    assert_eq!(see(&world), before);
    publish_recording(&world, &[]).ends(0);
    let old = blob_of(&world.content["session.md"]).oid;
    record(&mut world, "session.md", b"changed");
    let before = see(&world);
    let json = publish_recording(&world, &["--dry-run", "--json"]).ends(0).json();
    let file = json["file_list"].as_array().expect("a list").iter().find(|file| file["name"] == "session.md");
    let file = file.expect("it would be sent");
    assert_eq!((&file["oid"], &file["replaces"]), (&blob_of(b"changed").oid.into(), &old.into()));
    assert_eq!(see(&world), before);
    // What stands in the way, in git and in the content.
    world.git(&["checkout", "--quiet", "--detach"]);
    let json = publish_recording(&world, &["--dry-run", "--json"]).ends(1).json();
    assert!(json["obstacle_list"][0].as_str().expect("one").contains("no branch"), "{json}");
    world.git(&["checkout", "--quiet", "main"]);
    record(&mut world, "raw.jsonl", b"{\"type\":\"header\"}\n");
    let ran = publish_recording(&world, &["--dry-run"]).ends(1);
    assert!(ran.out.contains("would be refused: raw.jsonl holds no entry"), "{}", ran.out);
    assert_eq!(see(&world), before);
}

/// Every file below a folder with its bytes; of `.git` nothing, where objects that were fetched are nobody's loss.
fn tree(folder: &Path, is_clone: bool) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut stack = vec![folder.to_owned()];
    while let Some(folder) = stack.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() {
                if !(is_clone && entry.file_name() == ".git") {
                    stack.push(entry.path());
                }
            } else if entry.file_name() != "activity" {
                files.insert(entry.path(), fs::read(entry.path()).expect("a file"));
            }
        }
    }
    files
}

#[test]
fn secrets_are_never_printed() {
    let world = recorded();
    let folder = world.recording.to_str().expect("text");
    let bare = world.scene.bare_url();
    let bad = [("HYDRANT_LFS_TOKEN", "wrong-but-secret")];
    for (env, arguments) in [
        (&bad[..], &["-v", "--from", folder, "--endpoint", &bare][..]),
        (&bad, &["--json", "--from", folder, "--endpoint", &bare]),
        (
            &[],
            &["-v", "--from", folder, "--endpoint", "http://me:tok-5ecret-of-the-scene@127.0.0.1:1/", "--retries", "0"],
        ),
        (&[], &["--dry-run", "-v", "--from", folder]),
        (&[], &["-v", "--from", folder]),
        (&[], &["--json", "--from", folder, "--again"]),
    ] {
        let arguments = [&["publish", SESSION], arguments].concat();
        let ran = world.scene.hydrant_with(&world.clone, env, &arguments);
        let said = format!("{}{}", ran.out, ran.err);
        assert!(!said.contains(TOKEN) && !said.contains("wrong-but-secret"), "{arguments:?}:\n{said}");
    }
    expect_published(&world);
}

#[test]
fn gits_own_folder_is_no_recording() {
    let world = World::new();
    for folder in [".git", ".git/hooks"] {
        let refused = world.scene.hydrant(&world.clone, &["publish", SESSION, "--from", folder]).ends(2);
        assert!(refused.err.contains("git's own folder"), "{folder}: {}", refused.err);
    }
}
