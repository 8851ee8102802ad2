//! `hydrant orphans`: what is in the register and named by nothing, and everything that counts as naming.

use std::fs;

use hydrant_host::files::digest::blob_of;
use serde_json::{Value, json};

use hydrant_kit::scene::pointer;
use hydrant_kit::world::{SESSION, World};

/// A register with these blobs, as a publish would have left it.
fn register(world: &World, blobs: &[&[u8]]) {
    let entries: Vec<Value> = blobs.iter().map(|bytes| json!([blob_of(bytes).oid, bytes.len()])).collect();
    let text = json!({ "version": 1, "orphans": entries }).to_string();
    world.scene.file("clone/.git/hydrant/orphans.json", text.as_bytes());
}

fn manifest(files: &[(&str, &[u8])]) -> String {
    let entry = |(name, bytes): &(&str, &[u8])| {
        let oid = format!("sha256:{}", blob_of(bytes).oid);
        ((*name).to_owned(), json!({ "storage": "lfs", "oid": oid, "size": bytes.len() }))
    };
    let files: serde_json::Map<String, Value> = files.iter().map(entry).collect();
    json!({ "version": "1.0", "session_id": "ses_x", "files": files }).to_string()
}

fn set(world: &World, session: &str, files: &[(&str, &[u8])]) {
    world.scene.file(&format!("clone/sessions/{session}/meta.json"), manifest(files).as_bytes());
    world.scene.commit(&world.clone);
}

/// The orphans, each by the bytes it stands for.
#[track_caller]
fn expect(world: &World, arguments: &[&str], expected: &[&[u8]]) {
    let json = world.scene.hydrant(&world.clone, &[&["orphans", "--json"], arguments].concat()).ends(0).json();
    let mut all: Vec<Value> =
        expected.iter().map(|bytes| json!({ "oid": blob_of(bytes).oid, "size": bytes.len() })).collect();
    all.sort_by_key(|one| one["oid"].as_str().map(str::to_owned));
    assert_eq!(json["orphan_list"], Value::Array(all), "{json}");
    let bytes: usize = expected.iter().map(|bytes| bytes.len()).sum();
    assert_eq!(
        (&json["schema_version"], &json["count"], &json["bytes"]),
        (&1.into(), &expected.len().into(), &bytes.into())
    );
}

#[test]
fn without_a_register_there_is_none() {
    let world = World::new();
    expect(&world, &[], &[]);
    let ran = world.scene.hydrant(&world.clone, &["orphans"]).ends(0);
    assert!(ran.out.is_empty() && ran.err.contains("0 orphans"), "{}{}", ran.out, ran.err);
}

#[test]
fn what_its_own_session_named_once_is_an_orphan() {
    let world = World::new();
    set(&world, "a", &[("raw.jsonl", b"old")]);
    set(&world, "a", &[("raw.jsonl", b"new")]);
    register(&world, &[b"old", b"never committed"]);
    expect(&world, &[], &[b"old", b"never committed"]);
    let ran = world.scene.hydrant(&world.clone, &["orphans"]).ends(0);
    assert!(ran.out.contains(&format!("{} 3\n", blob_of(b"old").oid)), "{}", ran.out);
    assert!(ran.err.contains("2 orphans"), "{}", ran.err);
}

#[test]
fn whatever_names_it_now_keeps_it() {
    let world = World::new();
    let all: [&[u8]; 8] = [b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8"];
    register(&world, &all);
    expect(&world, &[], &all);
    // A manifest of the last commit; with digits spelled as JSON also allows.
    let text = manifest(&[("x", b"1")]);
    let digits = blob_of(b"1").oid;
    let escaped: String = digits.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
    world.scene.file("clone/sessions/a/meta.json", text.replace(&digits, &escaped).as_bytes());
    // A pointer, outside of any session.
    world.scene.file("clone/media/film.mp4", pointer(b"2").as_bytes());
    // One that is broken by a merge still says what it was.
    let torn = format!("<<<<<<< ours\n{}=======\nx\n>>>>>>> theirs\n", pointer(b"3"));
    world.scene.file("clone/media/torn.mp4", torn.as_bytes());
    // A manifest that nobody can read.
    let broken = manifest(&[("x", b"4")]).replace("\"files\"", "<<<<<<< ours\n\"files\"");
    world.scene.file("clone/sessions/broken/meta.json", broken.as_bytes());
    // Words about a blob name nothing.
    world.scene.file("clone/words.txt", format!("once there was {}\n", blob_of(b"8").oid).as_bytes());
    world.scene.commit(&world.clone);
    // A branch of the remote that is nowhere else.
    world.git(&["checkout", "--quiet", "-b", "theirs"]);
    set(&world, "b", &[("x", b"5")]);
    world.git(&["push", "--quiet", "origin", "theirs"]);
    world.git(&["checkout", "--quiet", "main"]);
    world.git(&["branch", "--quiet", "--delete", "--force", "theirs"]);
    // A branch of this clone.
    world.git(&["checkout", "--quiet", "-b", "mine"]);
    set(&world, "c", &[("x", b"6")]);
    world.git(&["checkout", "--quiet", "main"]);
    // An unfinished publish.
    let journal = json!({ "version": 1, "intended": [[blob_of(b"7").oid, 1]] }).to_string();
    world.scene.file(&format!("clone/.git/hydrant/journal/{SESSION}.json"), journal.as_bytes());
    expect(&world, &[], &[b"8"]);
    expect(&world, &["--all"], &all);
    fs::remove_dir_all(world.clone.join(".git/hydrant/journal")).expect("it is there");
    expect(&world, &[], &[b"7", b"8"]);
}

#[test]
fn the_history_of_another_session_keeps_it() {
    let world = World::new();
    set(&world, "a", &[("x", b"shared"), ("y", b"own")]);
    set(&world, "b", &[("x", b"shared")]);
    set(&world, "a", &[("x", b"new")]);
    register(&world, &[b"shared", b"own"]);
    expect(&world, &[], &[b"own"]);
    // Gone from every branch, and still in older commits.
    world.git(&["rm", "--quiet", "-r", "sessions/b"]);
    world.scene.commit(&world.clone);
    expect(&world, &[], &[b"own"]);
    // Only on a side that a merge threw away.
    world.git(&["checkout", "--quiet", "-b", "side"]);
    set(&world, "c", &[("y", b"own")]);
    world.git(&["checkout", "--quiet", "main"]);
    world.git(&["merge", "--quiet", "--strategy=ours", "--message", "not theirs", "side"]);
    world.git(&["branch", "--quiet", "--delete", "side"]);
    expect(&world, &[], &[]);
}

/// A blob that can still be checked out, popped or committed from here is no orphan, wherever its pointer stands.
/// Shows I22.
#[test]
fn tags_stashes_and_the_index_name_blobs() {
    let world = World::new();
    set(&world, "a", &[("raw.jsonl", b"new")]);
    register(&world, &[b"old"]);
    let media = "clone/media/x.bin";
    for annotated in [false, true] {
        world.scene.file(media, pointer(b"old").as_bytes());
        world.scene.commit(&world.clone);
        let tag = if annotated { &["tag", "--message", "one", "v1"][..] } else { &["tag", "v1"] };
        world.git(tag);
        world.git(&["rm", "--quiet", "media/x.bin"]);
        world.git(&["commit", "--quiet", "--message", "gone"]);
        expect(&world, &[], &[]);
        world.git(&["tag", "--delete", "v1"]);
        expect(&world, &[], &[b"old"]);
    }
    // A tag of something that is no commit.
    world.git(&["tag", "words", "HEAD:notes.txt"]);
    expect(&world, &[], &[b"old"]);

    world.scene.file(media, pointer(b"old").as_bytes());
    expect(&world, &[], &[b"old"]);
    world.git(&["add", "media"]);
    expect(&world, &[], &[]);
    world.git(&["stash", "--quiet"]);
    expect(&world, &[], &[]);
    // One that lies beneath another.
    world.scene.file("clone/notes.txt", b"other words");
    world.git(&["stash", "--quiet"]);
    expect(&world, &[], &[]);
    world.git(&["stash", "clear"]);
    expect(&world, &[], &[b"old"]);
}

#[test]
fn what_cannot_be_read_is_a_failure_and_no_orphan() {
    let world = World::new();
    let text = manifest(&[("x", b"old")]);
    set(&world, "a", &[("x", b"old")]);
    // The object of a manifest is lost.
    let path = world.scene.file("manifest", text.as_bytes());
    let oid = world.git(&["hash-object", path.to_str().expect("text")]);
    let object = world.clone.join(".git/objects").join(&oid[..2]).join(oid[2..].trim());
    fs::remove_file(object).expect("a loose object");
    let json = world.scene.hydrant(&world.clone, &["orphans", "--json"]).ends(1).json();
    assert_eq!((&json["ok"], &json["history"], &json["count"]), (&false.into(), &"partial".into(), &0.into()));
    assert!(json["history_unknown"].as_str().is_some_and(|why| !why.is_empty()), "{json}");
    register(&world, &[b"old", b"other"]);
    let ran = world.scene.hydrant(&world.clone, &["orphans", "--json"]).ends(3);
    assert!(ran.json().get("orphan_list").is_none(), "{}", ran.out);
    // A register in a form of another time.
    world.scene.file("clone/.git/hydrant/orphans.json", br#"{"version": 9, "orphans": []}"#);
    let json = world.scene.hydrant(&world.clone, &["orphans", "--json"]).ends(3).json();
    assert_eq!(json["error"]["code"], "malformed");
}

#[test]
fn a_shallow_clone_says_that_it_does_not_know_everything() {
    let world = World::new();
    set(&world, "a", &[("x", b"old")]);
    set(&world, "a", &[("x", b"new")]);
    world.git(&["push", "--quiet"]);
    let remote = format!("file://{}", world.remote.display());
    world.scene.git(&world.scene.folder, &["clone", "--quiet", "--depth=1", &remote, "shallow"]);
    let shallow = world.scene.path("shallow");
    let text = json!({ "version": 1, "orphans": [[blob_of(b"old").oid, 3]] }).to_string();
    world.scene.file("shallow/.git/hydrant/orphans.json", text.as_bytes());
    let json = world.scene.hydrant(&shallow, &["orphans", "--json"]).ends(1).json();
    assert_eq!((&json["ok"], &json["history"], &json["count"]), (&false.into(), &"shallow".into(), &1.into()));
    let ran = world.scene.hydrant(&shallow, &["orphans"]).ends(1);
    assert!(ran.err.contains("shallow"), "{}", ran.err);
    // The register alone is all here.
    let json = world.scene.hydrant(&shallow, &["orphans", "--all", "--json"]).ends(0).json();
    assert_eq!((&json["ok"], &json["count"]), (&true.into(), &1.into()));
}

/// A branch without a commit, and a repository without any.
#[test]
fn an_unborn_branch_hides_no_orphan() {
    let world = World::new();
    set(&world, "a", &[("raw.jsonl", b"old")]);
    set(&world, "a", &[("raw.jsonl", b"new")]);
    world.git(&["push", "--quiet"]);
    world.git(&["switch", "--quiet", "--orphan", "fresh"]);
    expect(&world, &[], &[b"old"]);
    register(&world, &[b"old", b"never committed"]);
    expect(&world, &[], &[b"old", b"never committed"]);
    // What is staged there is the first thing that its commit would name.
    world.scene.file("clone/media/x.bin", pointer(b"old").as_bytes());
    world.git(&["add", "media"]);
    expect(&world, &[], &[b"never committed"]);
    world.scene.git(&world.scene.folder, &["init", "--quiet", "empty"]);
    let json = world.scene.hydrant(&world.scene.path("empty"), &["orphans", "--json"]).ends(0).json();
    assert_eq!((&json["ok"], &json["history"], &json["count"]), (&true.into(), &"complete".into(), &0.into()));
    for (name, text) in [
        ("empty/x.bin", pointer(b"staged")),
        (
            "empty/.git/hydrant/orphans.json",
            json!({ "version": 1, "orphans": [[blob_of(b"staged").oid, 6]] }).to_string(),
        ),
    ] {
        world.scene.file(name, text.as_bytes());
    }
    let count =
        || world.scene.hydrant(&world.scene.path("empty"), &["orphans", "--json"]).ends(0).json()["count"].clone();
    assert_eq!(count(), 1);
    world.scene.git(&world.scene.path("empty"), &["add", "x.bin"]);
    assert_eq!(count(), 0);
}

/// Whoever removes a session leaves its blobs on the server. Every clone finds them, without a register.
#[test]
fn a_session_that_was_removed_leaves_its_blobs_findable() {
    let world = World::new();
    set(&world, "a", &[("raw.jsonl", b"first"), ("session.md", b"shared")]);
    set(&world, "a", &[("raw.jsonl", b"second"), ("session.md", b"shared"), ("plan.md", b"plan")]);
    set(&world, "b", &[("raw.jsonl", b"of b"), ("session.md", b"shared")]);
    world.git(&["push", "--quiet"]);
    let clone = |name: &str, more: &[&str]| {
        let remote = format!("file://{}", world.remote.display());
        world.scene.git(&world.scene.folder, &[&["clone", "--quiet"], more, &[&remote, name]].concat());
        world.scene.path(name)
    };
    let reader = clone("reader", &[]);
    let listed = |folder: &std::path::Path| {
        let json = world.scene.hydrant(folder, &["orphans", "--json"]).ends(0).json();
        let list = json["orphan_list"].as_array().expect("a list").iter();
        let oids: Vec<String> = list.map(|one| one["oid"].as_str().expect("an oid").to_owned()).collect();
        (oids, json)
    };
    let oids = |all: &[&[u8]]| {
        let mut oids: Vec<String> = all.iter().map(|bytes| blob_of(bytes).oid).collect();
        oids.sort();
        oids
    };
    // What was replaced, by whatever clone.
    for folder in [&world.clone, &reader] {
        assert_eq!(listed(folder).0, oids(&[b"first"]));
    }
    world.git(&["rm", "--quiet", "-r", "sessions/a"]);
    world.git(&["commit", "--quiet", "--message", "Without a"]);
    let gone = oids(&[b"first", b"second", b"plan"]);
    assert_eq!(listed(&world.clone).0, oids(&[b"first"]), "the remote has it still");
    world.git(&["push", "--quiet"]);
    assert_eq!(listed(&world.clone).0, gone, "what b shares with it is named");
    // Elsewhere it stands, until that clone follows.
    assert_eq!(listed(&reader).0, oids(&[b"first"]));
    world.scene.git(&reader, &["fetch", "--quiet"]);
    assert_eq!(listed(&reader).0, oids(&[b"first"]));
    world.scene.git(&reader, &["pull", "--quiet"]);
    let (there, json) = listed(&reader);
    assert_eq!((there, &json["history"], &json["history_unknown"]), (gone.clone(), &"complete".into(), &Value::Null));
    let size =
        |oid: &str| json["orphan_list"].as_array().expect("a list").iter().find(|one| one["oid"] == oid).cloned();
    assert_eq!(size(&blob_of(b"second").oid).expect("listed")["size"], 6);
    // A remote's other branch counts, as far as it was fetched.
    world.git(&["checkout", "--quiet", "-b", "side", "HEAD~1"]);
    world.git(&["push", "--quiet", "origin", "side"]);
    world.scene.git(&reader, &["fetch", "--quiet"]);
    assert_eq!(listed(&reader).0, oids(&[b"first"]), "a branch names it");
    world.git(&["push", "--quiet", "origin", "--delete", "side"]);
    world.git(&["checkout", "--quiet", "main"]);
    world.git(&["branch", "--quiet", "--delete", "--force", "side"]);
    world.scene.git(&reader, &["fetch", "--quiet", "--prune"]);
    assert_eq!(listed(&reader).0, gone);
    // Removed by hand, without the manifest alone, and brought back.
    world.git(&["revert", "--no-edit", "HEAD"]);
    assert_eq!(listed(&world.clone).0, oids(&[b"first"]));
    world.git(&["rm", "--quiet", "sessions/a/meta.json"]);
    world.git(&["commit", "--quiet", "--message", "Without its manifest"]);
    world.git(&["push", "--quiet"]);
    assert_eq!(listed(&world.clone).0, gone);
    // The register has it, too, and it is told once.
    register(&world, &[b"first", b"never committed"]);
    assert_eq!(listed(&world.clone).0, oids(&[b"first", b"second", b"plan", b"never committed"]));
    expect(&world, &["--all"], &[b"first", b"never committed"]);

    // A clone that has no old manifests says so, and asks nobody for them.
    world.scene.git(&world.remote, &["config", "uploadpack.allowFilter", "true"]);
    let bare = clone("blobless", &["--filter=blob:none"]);
    fs::rename(&world.remote, world.scene.path("away")).expect("the remote goes");
    let json = world.scene.hydrant(&bare, &["orphans", "--json"]).ends(1).json();
    assert_eq!(
        (&json["ok"], &json["count"], &json["history"]),
        (&false.into(), &0.into(), &"partial".into()),
        "{json}"
    );
    assert!(json["history_unknown"].as_str().is_some_and(|why| !why.is_empty()), "{json}");
    let quiet = world.scene.hydrant(&bare, &["orphans", "-q"]).ends(1);
    assert!(quiet.err.contains("were not looked at"), "{}", quiet.err);
}
