//! What is refused, each time with one sentence, before anything is sent or changed.

use std::fs;

use super::{SESSION, World, head, publish, publish_recording, record, recorded};
use hydrant_kit::scene::{noise, pointer};

/// Arranges, publishes the recording, and expects this ending and these words; nothing moved.
#[track_caller]
fn expect_refusal(what: &str, code: i32, words: &str, arrange: impl FnOnce(&mut World), arguments: &[&str]) {
    let mut world = recorded();
    arrange(&mut world);
    let before = world.scene.git(&world.remote, &["for-each-ref"]);
    let json = publish_recording(&world, &[arguments, &["--json"]].concat()).ends(code).json();
    let detail = json["error"]["detail"].as_str().unwrap_or_else(|| panic!("{what}: {json}"));
    assert!(detail.contains(words), "{what}: {detail}");
    assert!(!detail.contains(world.scene.folder.to_str().expect("text")), "{what}: {detail}");
    assert_eq!(world.scene.git(&world.remote, &["for-each-ref"]), before, "{what}");
    assert_eq!(world.scene.server.stats().puts, 0, "{what}");
    assert!(!world.clone.join(format!(".git/hydrant/journal/{SESSION}.json")).exists(), "{what}");
    assert!(!world.session_folder().join("raw.jsonl").exists(), "{what}");
}

#[test]
fn what_git_is_in_the_middle_of() {
    let git = |world: &mut World, arguments: &[&str]| drop(world.git(arguments));
    expect_refusal("detached", 3, "HEAD is on no branch", |w| git(w, &["checkout", "--quiet", "--detach"]), &[]);
    expect_refusal("no upstream", 3, "follows no branch", |w| git(w, &["branch", "--unset-upstream"]), &[]);
    let stage = |world: &mut World| {
        world.scene.file(&format!("clone/sessions/{SESSION}/summary.json"), b"{}");
        world.git(&["add", "sessions"]);
    };
    expect_refusal("staged", 3, "is staged", stage, &[]);
    let commit = |world: &mut World| {
        for at in 0..3 {
            world.scene.file("clone/notes.txt", format!("{at}\n").as_bytes());
            world.scene.commit(&world.clone);
        }
    };
    expect_refusal("unpushed", 3, "3 commits", commit, &[]);
    let merge = |world: &mut World| {
        let head = world.git(&["rev-parse", "HEAD"]);
        fs::write(world.clone.join(".git/MERGE_HEAD"), head).expect("as a merge leaves it");
    };
    expect_refusal("merge", 3, "a merge is not finished", merge, &[]);
    let elsewhere = |world: &mut World| git(world, &["remote", "set-url", "origin", "../nowhere.git"]);
    expect_refusal("no remote", 3, "", elsewhere, &[]);
}

#[test]
fn what_the_content_is() {
    let empty = |world: &mut World| record(world, "raw.jsonl", b"{\"type\":\"header\"}\n{\"type\":\"footer\"}\n");
    expect_refusal("no entry", 3, "holds no entry", empty, &[]);
    let none = |world: &mut World| fs::remove_file(world.recording.join("raw.jsonl")).expect("it was there");
    expect_refusal("no transcript", 3, "no raw.jsonl", none, &[]);
    let stub = |world: &mut World| record(world, "session.md", pointer(b"elsewhere").as_bytes());
    expect_refusal("a pointer as content", 3, "session.md", stub, &[]);
    let big = |world: &mut World| record(world, "summary.json", &noise(3 << 20, 1));
    expect_refusal("too large for git", 3, "summary.json", big, &[]);
    expect_refusal("too large", 3, "session.md", |_| {}, &["--object-bytes-max", "100K"]);
}

#[test]
fn what_the_user_asks_for() {
    let leak = "Summary generation failed: timeout";
    expect_refusal("a leak", 3, "the title is not fit for users", |_| {}, &["--title", leak]);
    expect_refusal("an unknown field", 2, "no such field", |_| {}, &["--field", "nonsense=1"]);
    expect_refusal("no value", 2, "NAME=VALUE", |_| {}, &["--field", "title"]);
    expect_refusal("no such file", 2, "has no file none.bin", |_| {}, &["--in-git", "none.bin"]);
    let world = recorded();
    fs::create_dir(world.scene.path("empty")).expect("a folder");
    for arguments in [
        &["--resume", "--title", "x"][..],
        &["--resume", "--dry-run"],
        &["--from", "../recording", "--file", "raw.jsonl"],
        &["--from", "../nowhere"],
        &["--from", "../empty"],
        &[],
    ] {
        publish(&world, arguments).ends(2);
    }
    for name in ["a/b", "..", ".hidden/x", "CON", ""] {
        world.scene.hydrant(&world.clone, &["publish", name, "--from", "../recording"]).ends(2);
    }
    assert_eq!(world.scene.server.stats().puts, 0);
}

#[test]
fn pointers_that_nobody_vouches_for() {
    let world = recorded();
    publish_recording(&world, &[]).ends(0);
    let before = head(&world);
    let path = format!("clone/sessions/{SESSION}/session.md");
    let (named, other) = (pointer(&world.content["session.md"]), pointer(b"another"));
    world.scene.file(&path, other.as_bytes());
    let ran = publish(&world, &[]).ends(1);
    let oid = |text: &str| text.split("sha256:").nth(1).expect("an oid")[..64].to_owned();
    assert!(ran.err.contains(&oid(&named)) && ran.err.contains(&oid(&other)), "{}", ran.err);
    world.scene.file(&path, other.replace("size", "sise").as_bytes());
    let ran = publish(&world, &[]).ends(1);
    assert!(ran.err.contains("session.md begins like a pointer and is broken"), "{}", ran.err);
    assert_eq!(head(&world), before);
}

/// Whoever removed a session removed its pointers too: a manifest of it that names more than is published would name
/// blobs that no commit keeps.
#[test]
fn a_session_that_the_remote_removed_is_published_as_a_whole_or_not_at_all() {
    let mut world = recorded();
    publish_recording(&world, &[]).ends(0);
    let rival = world.scene.path("rival");
    world.scene.git(&world.scene.folder, &["clone", "--quiet", "remote.git", "rival"]);
    let who = ["-c", "user.name=r", "-c", "user.email=r@example.test"];
    world.scene.git(&rival, &["rm", "--quiet", "-r", &format!("sessions/{SESSION}")]);
    world.scene.git(&rival, &[&who[..], &["commit", "--quiet", "--message", "gone"]].concat());
    world.scene.git(&rival, &["push", "--quiet"]);
    let removed = world.scene.git(&world.remote, &["rev-parse", "main"]);

    record(&mut world, "raw.jsonl", &super::transcript(44));
    let whole = fs::read(world.recording.join("session.md")).expect("recorded");
    fs::remove_file(world.recording.join("session.md")).expect("removed");
    let ran = publish_recording(&world, &[]).ends(3);
    assert!(ran.err.contains("session.md") && ran.err.contains("pull first"), "{}", ran.err);
    assert!(ran.err.ends_with("nothing was sent and nothing changed\n"), "{}", ran.err);
    assert_eq!(world.scene.git(&world.remote, &["rev-parse", "main"]), removed);
    record(&mut world, "session.md", &whole);
    publish_recording(&world, &[]).ends(0);
    world.scene.hydrant(&world.clone, &["verify"]).ends(0);
    world.git(&["diff", "--exit-code", "HEAD"]);
}

/// What stands at `sessions` in the remote's newest commit is somebody's, whatever it is.
#[test]
fn something_else_at_sessions_is_left_alone() {
    for (what, at) in [
        ("file", "sessions"),
        ("link", "sessions"),
        ("submodule", "sessions"),
        ("file", &format!("sessions/{SESSION}")),
        ("link", &format!("sessions/{SESSION}")),
        ("submodule", &format!("sessions/{SESSION}")),
        ("folder", &format!("sessions/{SESSION}/raw.jsonl")),
    ] {
        let world = recorded();
        let rival = world.scene.path("rival");
        world.scene.git(&world.scene.folder, &["clone", "--quiet", "remote.git", "rival"]);
        world.scene.git(&rival, &["rm", "--quiet", "-r", "sessions"]);
        let blob = world.scene.file("dear", b"dear to somebody");
        let blob = world.scene.git(&rival, &["hash-object", "-w", blob.to_str().expect("text")]);
        let head = world.scene.git(&rival, &["rev-parse", "HEAD"]);
        let (mode, oid, path) = match what {
            "file" => ("100644", blob, at.to_owned()),
            "link" => ("120000", blob, at.to_owned()),
            "folder" => ("100644", blob, format!("{at}/file")),
            _ => ("160000", head, at.to_owned()),
        };
        let entry = format!("{mode},{},{path}", oid.trim());
        world.scene.git(&rival, &["update-index", "--add", "--cacheinfo", &entry]);
        let who = ["-c", "user.name=r", "-c", "user.email=r@example.test"];
        world.scene.git(&rival, &[&who[..], &["commit", "--quiet", "--message", "theirs"]].concat());
        world.scene.git(&rival, &["push", "--quiet"]);
        let theirs = world.scene.git(&world.remote, &["rev-parse", "main"]);
        let listed = world.scene.git(&world.remote, &["ls-tree", "-r", "main"]);
        for form in [&["--dry-run"][..], &[]] {
            let ran = publish_recording(&world, form);
            assert!([1, 3].contains(&ran.code), "{what} at {at}: {}{}", ran.out, ran.err);
            assert!(format!("{}{}", ran.out, ran.err).contains(at), "{what} at {at}: {}{}", ran.out, ran.err);
        }
        assert_eq!(world.scene.git(&world.remote, &["rev-parse", "main"]), theirs, "{what} at {at}");
        assert_eq!(world.scene.git(&world.remote, &["ls-tree", "-r", "main"]), listed, "{what} at {at}");
        assert_eq!(world.scene.server.stats().puts, 0, "{what} at {at}");
    }
}
