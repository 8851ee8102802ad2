//! `hydrant regenerate` on real git and a real server: the bug report it answers, what it refuses, and what is left of
//! one that was killed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use hydrant_host::files::digest::blob_of;
use serde_json::Value;

use hydrant_kit::scene::{Ran, noise, pointer};
use hydrant_kit::world::{SESSION, World, files, transcript};

/// Content of the fixture's session, all but the one file that git carries.
const BLOBS: [&str; 4] = ["raw.jsonl", "session.md", "summary.md", "context-trace.jsonl"];
/// Times a regenerate is killed.
const KILLS: u64 = 12;

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    fs::read(folder.join(name)).expect("a fixture")
}

/// The ledger of the bug report: a session that was published before its transcript was rebuilt.
fn published() -> World {
    let world = World::new();
    for name in BLOBS {
        let bytes = fixture(&format!("content/{name}"));
        world.scene.upload(&bytes);
        world.scene.file(&format!("clone/sessions/{SESSION}/{name}"), pointer(&bytes).as_bytes());
    }
    world.scene.file(&format!("clone/sessions/{SESSION}/summary.json"), &fixture("content/summary.json"));
    world.scene.file(&format!("clone/sessions/{SESSION}/meta.json"), &fixture("meta/current-lfs-and-git.json"));
    world.scene.commit(&world.clone);
    world.git(&["push", "--quiet"]);
    world
}

/// A folder with new content.
fn folder(world: &World, files: &[(&str, &[u8])]) -> PathBuf {
    for (name, bytes) in files {
        let path = world.scene.file(&format!("rebuilt/{name}"), bytes);
        let file = fs::File::options().write(true).open(path).expect("just made");
        file.set_modified(std::time::SystemTime::now() - Duration::from_secs(60)).expect("its time can be set");
    }
    world.scene.path("rebuilt")
}

fn regenerate(world: &World, from: &Path, arguments: &[&str]) -> Ran {
    let from = from.to_str().expect("text");
    world.scene.hydrant(&world.clone, &[&["regenerate", SESSION, "--from", from], arguments].concat())
}

fn orphans(world: &World, arguments: &[&str]) -> Vec<String> {
    let json = world.scene.hydrant(&world.clone, &[&["orphans", "--json"], arguments].concat()).ends(0).json();
    let orphans = json["orphan_list"].as_array().expect("a list");
    assert_eq!(json["count"], orphans.len());
    orphans.iter().map(|one| one["oid"].as_str().expect("an oid").to_owned()).collect()
}

fn manifest(world: &World) -> Vec<u8> {
    world.remote_file(&format!("sessions/{SESSION}/meta.json")).expect("the remote has the manifest")
}

/// Every oid on the server, by the files it keeps.
fn on_server(world: &World) -> BTreeSet<String> {
    files(&world.scene.path("server")).iter().map(|bytes| blob_of(bytes).oid).collect()
}

/// No object of the remote, in whatever commit, holds content in full.
#[track_caller]
fn expect_no_content_in_git(world: &World, contents: &[&[u8]]) {
    let listed = world
        .scene
        .git(&world.remote, &["cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)"]);
    let hash = |bytes: &[u8]| {
        let path = world.scene.file("hashed", bytes);
        world.scene.git(&world.remote, &["hash-object", "--no-filters", path.to_str().expect("text")]).trim().to_owned()
    };
    for bytes in contents {
        assert!(!listed.contains(&format!("{} blob", hash(bytes))), "content stands in the ledger in full");
    }
}

/// Shows I1.
#[test]
fn after_a_regenerate_everything_names_the_fresh_blobs() {
    let world = published();
    let (old, new) = (fixture("content/raw.jsonl"), fixture("content/raw.regenerated.jsonl"));
    let from = folder(&world, &[("raw.jsonl", &new)]);
    let json = regenerate(&world, &from, &["--json"]).ends(0).json();
    // One reference and the count changed; id, git-stored file, unknown fields and all other references did not.
    let expected = fixture("meta/after-regenerate.expected.json");
    assert_eq!(String::from_utf8_lossy(&manifest(&world)), String::from_utf8_lossy(&expected));
    let there = world.remote_file(&format!("sessions/{SESSION}/raw.jsonl")).expect("a pointer");
    assert_eq!(String::from_utf8_lossy(&there), pointer(&new));
    assert_eq!(world.server_blob(&blob_of(&new).oid).as_ref(), Some(&new));
    assert_eq!(world.git(&["status", "--porcelain"]), "");
    // What it replaced is named, by the report and by the register, and so is nothing else.
    let old_oid = blob_of(&old).oid;
    assert_eq!(json["orphan_list"], serde_json::json!([{ "oid": old_oid, "size": old.len() }]));
    assert_eq!(orphans(&world, &[]), std::slice::from_ref(&old_oid));
    // Publishing straight after finds nothing stale to publish, not even when it is made to look at everything.
    let tip = world.git(&["rev-parse", "HEAD"]);
    for arguments in
        [&["publish", SESSION][..], &["publish", SESSION, "--again"], &["publish", SESSION, "--title", "Keep the refs"]]
    {
        world.scene.hydrant(&world.clone, arguments).ends(0);
        assert_eq!(manifest(&world), expected);
    }
    let again = regenerate(&world, &from, &["--json"]).ends(0).json();
    assert_eq!((&again["ok"], &again["orphan_list"]), (&true.into(), &Value::Array(vec![])));
    assert_eq!(world.git(&["rev-parse", "HEAD"]), tip, "nothing new is committed");
    assert_eq!(orphans(&world, &[]), [old_oid]);
    let contents: Vec<Vec<u8>> = BLOBS.iter().map(|name| fixture(&format!("content/{name}"))).collect();
    let mut contents: Vec<&[u8]> = contents.iter().map(Vec::as_slice).filter(|bytes| !bytes.is_empty()).collect();
    contents.push(&new);
    expect_no_content_in_git(&world, &contents);
}

#[test]
fn plain_clones_get_the_new_bytes() {
    let world = published();
    let new = fixture("content/raw.regenerated.jsonl");
    regenerate(&world, &folder(&world, &[("raw.jsonl", &new)]), &[]).ends(0);
    let clone = |name: &str| {
        world.scene.git(&world.scene.folder, &["clone", "--quiet", "remote.git", name]);
        world.scene.git(&world.scene.path(name), &["config", "lfs.url", &world.scene.url()]);
        world.scene.path(name)
    };
    let reader = clone("reader");
    world.scene.hydrant(&reader, &["hydrate", SESSION]).ends(0);
    let shown = world.scene.hydrant(&reader, &["show", SESSION, "raw.jsonl"]).ends(0).out;
    assert_eq!(shown.as_bytes(), new);
    if !world.scene.has_git_lfs() {
        return;
    }
    let theirs = clone("theirs");
    fs::write(theirs.join(".git/info/attributes"), "sessions/** filter=lfs\n*.json -filter\n").expect("attributes");
    world.scene.git(&theirs, &["lfs", "install", "--local"]);
    world.scene.git(&theirs, &["lfs", "pull"]);
    for name in BLOBS {
        let expected = if name == "raw.jsonl" { new.clone() } else { fixture(&format!("content/{name}")) };
        assert_eq!(fs::read(theirs.join("sessions").join(SESSION).join(name)).expect("there"), expected, "{name}");
    }
}

/// Shows I22.
#[test]
fn every_blob_of_a_chain_of_regenerates_is_named_or_registered() {
    let world = published();
    let mut replaced = BTreeSet::from([blob_of(&fixture("content/raw.jsonl")).oid]);
    for entries in 5..9 {
        let text = transcript(entries);
        regenerate(&world, &folder(&world, &[("raw.jsonl", &text)]), &[]).ends(0);
        let now: Value = serde_json::from_slice(&manifest(&world)).expect("JSON");
        assert_eq!(
            (&now["entry_count"], &now["session_id"]),
            (&entries.into(), &"ses_0196a3f0-5b40-7c11-9d22-a1b2c3d4e5f6".into())
        );
        assert_eq!(orphans(&world, &[]).into_iter().collect::<BTreeSet<_>>(), replaced);
        replaced.insert(blob_of(&text).oid);
    }
    // Content that comes back is an orphan no more; the register only grows.
    regenerate(&world, &folder(&world, &[("raw.jsonl", &transcript(6))]), &[]).ends(0);
    let came_back = blob_of(&transcript(6)).oid;
    assert!(!orphans(&world, &[]).contains(&came_back));
    assert!(orphans(&world, &["--all"]).contains(&came_back));
}

#[test]
fn what_cannot_be_regenerated_is_refused_before_anything_is_sent() {
    let world = published();
    let new = fixture("content/raw.regenerated.jsonl");
    let from = folder(&world, &[("raw.jsonl", &new)]);
    let see = || (world.scene.git(&world.remote, &["for-each-ref"]), world.scene.server.stats().puts);
    let before = see();
    let refused = |session: &str, from: &Path, code: i32, words: &str| {
        let from = from.to_str().expect("text");
        for more in [&[][..], &["--dry-run"]] {
            let ran = world
                .scene
                .hydrant(&world.clone, &[&["regenerate", session, "--from", from], more].concat())
                .ends(code);
            assert!(ran.err.contains(words), "{}", ran.err);
            assert_eq!(see(), before);
        }
    };
    refused("2026-01-01T00-00-nobody-Ox", &from, 2, "hydrant publish");
    // A manifest that only stands here was never published.
    let draft = fixture("meta/draft.json");
    world.scene.file("clone/sessions/drafted/meta.json", &draft);
    refused("drafted", &from, 2, "has no manifest");
    refused(SESSION, &world.scene.path("nowhere"), 2, "no such folder");
    world.scene.file("others/stray.txt", b"nothing of the session's");
    refused(SESSION, &world.scene.path("others"), 2, "no content file");
    for (name, text) in [
        ("whole", pointer(&new)),
        ("conflict", format!("<<<<<<< ours\n{}=======\n{}>>>>>>> theirs\n", pointer(&new), pointer(b"x"))),
        ("more", pointer(&new) + "and more\n"),
    ] {
        world.scene.file(&format!("{name}/raw.jsonl"), text.as_bytes());
        refused(SESSION, &world.scene.path(name), 1, "raw.jsonl is a pointer or looks like one");
        // One among many is enough.
        world.scene.file(&format!("{name}-and/raw.jsonl"), &new);
        world.scene.file(&format!("{name}-and/notes.md"), text.as_bytes());
        refused(SESSION, &world.scene.path(&format!("{name}-and")), 1, "notes.md is a pointer or looks like one");
    }
    assert_eq!(manifest(&world), fixture("meta/current-lfs-and-git.json"));
    assert!(orphans(&world, &["--all"]).is_empty());
}

#[test]
fn an_edit_of_the_users_is_found_before_anything_is_sent() {
    let world = published();
    let from = folder(&world, &[("raw.jsonl", &transcript(3)), ("summary.json", b"{\"title\": \"new\"}")]);
    let summary = world.scene.file(&format!("clone/sessions/{SESSION}/summary.json"), b"mine");
    let (server, manifest_before) = (on_server(&world), manifest(&world));
    let ran = regenerate(&world, &from, &[]).ends(3);
    assert!(ran.err.contains("summary.json here is neither committed nor what is to be published"), "{}", ran.err);
    let plan = regenerate(&world, &from, &["--dry-run"]).ends(1);
    assert!(plan.out.contains("neither committed"), "{}{}", plan.out, plan.err);
    assert_eq!(fs::read(&summary).expect("there"), b"mine");
    assert_eq!((on_server(&world), manifest(&world)), (server, manifest_before));
    // What is to be published anyway is in nobody's way.
    fs::write(&summary, b"{\"title\": \"new\"}").expect("written");
    regenerate(&world, &from, &[]).ends(0);
    assert_eq!(world.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_session_that_this_clone_has_not_seen_is_not_overwritten() {
    let world = published();
    world.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    world.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    let from = folder(&world, &[("raw.jsonl", &fixture("content/raw.regenerated.jsonl"))]);
    // It is not unknown, either: the remote was asked.
    let ran = regenerate(&world, &from, &[]).ends(3);
    assert!(ran.err.contains("pull first"), "{}", ran.err);
    assert_eq!(manifest(&world), fixture("meta/current-lfs-and-git.json"));
    world.git(&["pull", "--quiet", "--ff-only"]);
    regenerate(&world, &from, &[]).ends(0);
    assert_eq!(manifest(&world), fixture("meta/after-regenerate.expected.json"));
}

#[test]
fn a_dry_run_says_what_would_be_replaced_and_writes_nothing() {
    let world = published();
    let new = fixture("content/raw.regenerated.jsonl");
    let before = (manifest(&world), world.git(&["for-each-ref"]), world.scene.server.stats().puts);
    let json = regenerate(&world, &folder(&world, &[("raw.jsonl", &new)]), &["--dry-run", "--json"]).ends(0).json();
    assert_eq!(json["file_list"].as_array().map(Vec::len), Some(1), "{json}");
    let file = &json["file_list"][0];
    assert_eq!(file["oid"], blob_of(&new).oid);
    assert_eq!(file["replaces"], blob_of(&fixture("content/raw.jsonl")).oid);
    assert_eq!((manifest(&world), world.git(&["for-each-ref"]), world.scene.server.stats().puts), before);
}

/// Shows I2.
#[test]
fn content_rebuilt_in_place_is_hashed_before_anything_takes_its_place() {
    let world = published();
    let new = fixture("content/raw.regenerated.jsonl");
    world.scene.file(&format!("clone/sessions/{SESSION}/raw.jsonl"), &new);
    regenerate(&world, &world.session_folder(), &[]).ends(0);
    assert_eq!(manifest(&world), fixture("meta/after-regenerate.expected.json"));
    let there = fs::read(world.session_folder().join("raw.jsonl")).expect("a pointer");
    assert_eq!(String::from_utf8_lossy(&there), pointer(&new));
    let shown = world.scene.hydrant(&world.clone, &["show", SESSION, "raw.jsonl"]).ends(0).out;
    assert_eq!(shown.as_bytes(), new);
    let again = regenerate(&world, &world.session_folder(), &[]).ends(0);
    assert!(again.out.contains("nothing to publish"), "{}", again.out);
}

#[test]
fn a_killed_regenerate_is_completed_by_the_same_command() {
    let span = {
        let world = published();
        let from = folder(&world, &[("raw.jsonl", &transcript(50)), ("session.md", &noise(3_000_000, 1))]);
        let started = Instant::now();
        regenerate(&world, &from, &[]).ends(0);
        u64::try_from(started.elapsed().as_millis()).expect("short").max(20)
    };
    let world = published();
    let old: BTreeSet<String> = BLOBS.iter().map(|name| blob_of(&fixture(&format!("content/{name}"))).oid).collect();
    let mut sent = old.clone();
    for kill in 0..KILLS {
        // Other content each third time: what was begun is then given up, and stays named.
        let content = noise(3_000_000, 1 + kill / 3);
        let transcript = transcript(50 + usize::try_from(kill / 3).expect("small"));
        let from = folder(&world, &[("raw.jsonl", &transcript), ("session.md", &content)]);
        sent.extend([blob_of(&content).oid, blob_of(&transcript).oid]);
        let mut command = world.scene.hydrant_command(&world.clone);
        command.args(["regenerate", SESSION, "--from", from.to_str().expect("text")]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs");
        // Spread over the run, ever at another place.
        thread::sleep(Duration::from_millis((kill * 7 % KILLS) * span / KILLS));
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        // git's own lock of a killed child is the user's to remove.
        fs::remove_file(world.clone.join(".git/index.lock")).ok();
    }
    let (content, text) = (noise(3_000_000, 9), transcript(70));
    let from = folder(&world, &[("raw.jsonl", &text), ("session.md", &content)]);
    sent.extend([blob_of(&content).oid, blob_of(&text).oid]);
    regenerate(&world, &from, &[]).ends(0);
    let now: Value = serde_json::from_slice(&manifest(&world)).expect("JSON");
    assert_eq!(now["entry_count"], 70);
    assert_eq!(now["session_id"], "ses_0196a3f0-5b40-7c11-9d22-a1b2c3d4e5f6");
    assert_eq!(now["files"]["session.md"]["oid"], format!("sha256:{}", blob_of(&content).oid));
    assert_eq!(now["files"]["summary.md"]["oid"], format!("sha256:{}", blob_of(&fixture("content/summary.md")).oid));
    assert_eq!(world.git(&["status", "--porcelain"]), "");
    // Whatever of all that reached the server is named by the manifest or by the register.
    let manifest = String::from_utf8(manifest(&world)).expect("text");
    let register: BTreeSet<String> = orphans(&world, &[]).into_iter().collect();
    for oid in on_server(&world).intersection(&sent) {
        assert!(manifest.contains(oid.as_str()) != register.contains(oid), "{oid} is named by both or by nothing");
    }
}
