//! What happens beside a publish: an agent that records on, other publishers, a server that lies, a remote that looks.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use hydrant_host::files::digest::blob_of;

use crate::checks;
use hydrant_kit::scene::{Scene, noise};
use hydrant_kit::world::{SESSION, World, files, find, transcript};

/// Lines that an agent writes while its session is published.
const LINES: usize = 400;

#[test]
fn an_agent_that_appends_all_through_publish_loses_no_byte() {
    for seed in 0..4u64 {
        let mut world = World::new();
        world.record();
        world.in_place("context-trace.jsonl", noise(3_000_000, seed));
        let path = world.session_folder().join("raw.jsonl");
        let mut open: File = OpenOptions::new().append(true).open(&path).expect("the transcript");
        let over = Arc::new(AtomicBool::new(false));
        let agent = thread::spawn({
            let over = Arc::clone(&over);
            move || {
                let mut written = Vec::new();
                for line in 0..LINES {
                    let text = format!("{{\"type\":\"user\",\"content\":\"line {line} of the agent\"}}\n");
                    open.write_all(text.as_bytes()).expect("appended");
                    written.extend_from_slice(text.as_bytes());
                    thread::sleep(Duration::from_millis(1 + seed));
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                }
                written
            }
        });
        for _ in 0..3 {
            world.scene.hydrant(&world.clone, &["publish", SESSION]);
        }
        over.store(true, Ordering::Relaxed);
        let written = agent.join().expect("the agent ends");
        let whole = [transcript(40), written].concat();
        // All that was ever written through the open file is in one place, in order.
        let held = files(&world.clone).into_iter().any(|bytes| bytes == whole);
        assert!(held, "seed {seed}: no file here holds everything that the agent wrote");
        checks::every_oid_is_named(&world);
    }
}

/// A transcript that was committed and pushed as it is, with its content, and opened by the agent that writes it.
fn committed_in_full(lines: usize) -> (World, Vec<u8>, File) {
    let world = World::new();
    let content = transcript(lines);
    let path = world.session_folder().join("raw.jsonl");
    fs::create_dir_all(world.session_folder()).expect("a folder");
    fs::write(&path, &content).expect("a transcript");
    world.git(&["add", "--all"]);
    world.git(&["commit", "--quiet", "-m", "in full"]);
    world.git(&["push", "--quiet"]);
    let open = OpenOptions::new().append(true).open(path).expect("the transcript");
    (world, content, open)
}

#[test]
fn content_that_was_committed_in_full_gives_way_like_any_other() {
    for lines in [40, 100_000] {
        let (world, content, mut open) = committed_in_full(lines);
        let ran = world.scene.hydrant(&world.clone, &["publish", SESSION]);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert!(
            fs::read(world.session_folder().join("raw.jsonl")).expect("there").starts_with(b"version https://git-lfs"),
            "{lines}"
        );
        assert_eq!(world.git(&["status", "--porcelain"]), "");
        assert!(files(&world.clone).contains(&content), "{lines}: the content is kept");
        open.write_all(b"later\n").expect("appended");
        let whole = [content, b"later\n".to_vec()].concat();
        assert!(files(&world.clone).contains(&whole), "{lines}: no file here holds what the agent added");
    }
}

#[test]
fn committed_content_that_another_version_replaces_is_kept_with_all_that_is_added() {
    for lines in [40, 100_000] {
        let (world, content, mut open) = committed_in_full(lines);
        world.scene.file("recording/raw.jsonl", &transcript(lines + 5));
        let from = world.recording.to_str().expect("text");
        let ran = world.scene.hydrant(&world.clone, &["publish", SESSION, "--from", from]);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert_eq!(world.git(&["status", "--porcelain"]), "", "{lines}");
        open.write_all(b"later\n").expect("appended");
        let whole = [content, b"later\n".to_vec()].concat();
        assert!(files(&world.clone).contains(&whole), "{lines}: no file here holds what the agent added");
    }
}

/// Publishers that begin at once.
const PUBLISHERS: usize = 8;

#[test]
fn publishers_of_different_sessions_all_arrive() {
    let world = World::new();
    let clones: Vec<PathBuf> = (0..PUBLISHERS)
        .map(|at| {
            let name = format!("publisher-{at}");
            world.scene.git(&world.scene.folder, &["clone", "--quiet", world.remote.to_str().expect("text"), &name]);
            let clone = world.scene.path(&name);
            let url = world.scene.url();
            for (key, value) in [("lfs.url", url.as_str()), ("user.name", "n"), ("user.email", "n@e.test")] {
                world.scene.git(&clone, &["config", key, value]);
            }
            clone
        })
        .collect();
    all_publish_at_once(&world, &clones.iter().map(PathBuf::as_path).collect::<Vec<_>>());
}

#[test]
fn publishers_in_one_clone_all_arrive() {
    let world = World::new();
    all_publish_at_once(&world, &[world.clone.as_path(); PUBLISHERS]);
    assert_eq!(world.scene.git(&world.clone, &["status", "--porcelain"]), "");
}

/// Each publishes a session of its own; nobody has to come again.
fn all_publish_at_once(world: &World, clones: &[&Path]) {
    let begin = |(at, clone): (usize, &&Path)| {
        let folder = clone.join(format!("sessions/s-{at}"));
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("raw.jsonl"), transcript(at + 1)).expect("a transcript");
        let mut command = world.scene.hydrant_command(clone);
        command.args(["publish", &format!("s-{at}")]).stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().expect("it runs")
    };
    let children: Vec<_> = clones.iter().enumerate().map(begin).collect();
    for (at, child) in children.into_iter().enumerate() {
        let ended = child.wait_with_output().expect("it ends");
        assert!(ended.status.success(), "{at}: {}", String::from_utf8_lossy(&ended.stderr));
    }
    for at in 0..clones.len() {
        let text = world.remote_file(&format!("sessions/s-{at}/meta.json")).expect("a manifest");
        assert!(String::from_utf8_lossy(&text).contains(&blob_of(&transcript(at + 1)).oid));
    }
    world.scene.git(&world.remote, &["fsck", "--strict", "--no-dangling", "--no-progress"]);
}

/// Gives a remote a hook that turns away every pointer whose object the server lacks, and notes in `turned-away` that
/// it had to.
pub(crate) fn turn_away_pointers_without_objects(scene: &Scene, remote: &Path) {
    let script = r#"#!/bin/sh
while read old new ref; do
  git rev-list --objects "$new" --not --all | cut -d' ' -f1 | while read o; do
    test "$(git cat-file -t $o)" = blob || continue
    test "$(git cat-file -s $o)" -lt 1024 || continue
    oid=$(git cat-file blob $o | sed -n 's/^oid sha256://p')
    test -z "$oid" && continue
    test -n "$(find 'STORE' -name $oid)" || { touch 'NOTE'; echo "missing object $oid" >&2; exit 1; }
  done || exit 1
done
"#;
    let script = script.replace("STORE", &scene.path("server").display().to_string());
    let script = script.replace("NOTE", &remote.join("turned-away").display().to_string());
    let hook = remote.join("hooks/pre-receive");
    fs::create_dir_all(hook.parent().expect("it has one")).expect("folders");
    fs::write(&hook, script).expect("a hook");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).expect("its mode");
}

#[test]
fn a_remote_that_rejects_pointers_without_objects_takes_what_hydrant_pushes() {
    let mut world = World::new();
    world.record();
    turn_away_pointers_without_objects(&world.scene, &world.remote);
    world.scene.hydrant(&world.clone, &["publish", SESSION]).ends(0);
    checks::published(&world);
    checks::tidy(&world);
    // The hook itself works: a pointer of nothing is turned away, in the remote's own words.
    let pointer = hydrant_kit::scene::pointer(b"never uploaded");
    world.scene.file("clone/stray", pointer.as_bytes());
    world.git(&["add", "stray"]);
    world.git(&["commit", "--quiet", "-m", "stray"]);
    let said = world.scene.program("git", &world.clone).arg("push").output().expect("git runs");
    assert!(!said.status.success() && String::from_utf8_lossy(&said.stderr).contains("missing object"));
    // The same words reach a user of hydrant who takes such a commit along.
    world.scene.file(&format!("clone/sessions/{SESSION}/raw.jsonl"), &transcript(99));
    let said = world.scene.hydrant(&world.clone, &["publish", SESSION, "--with-unpushed"]).ends(3);
    assert!(said.err.contains("missing object"), "{}", said.err);
}

#[test]
fn a_server_that_says_it_has_what_it_has_not_costs_nothing_here() {
    let mut world = World::new();
    world.record();
    world.scene.hydrant(&world.clone, &["publish", SESSION]).ends(0);
    let oid = blob_of(&world.content["session.md"]).oid;
    let blob = find(&world.scene.path("server"), &oid).expect("it was uploaded");
    // Same name and length, other bytes: the server goes on saying that it has it.
    fs::set_permissions(&blob, fs::Permissions::from_mode(0o644)).expect("its mode");
    fs::write(&blob, vec![7; 30_000]).expect("rotten");
    checks::nothing_is_lost(&world);
    world.scene.hydrant(&world.clone, &["verify", SESSION]).ends(0);
    let deep = world.scene.hydrant(&world.clone, &["verify", SESSION, "--deep", "--json"]).ends(1).json();
    assert_eq!(deep["finding_list"][0]["code"], "integrity", "{deep}");
    checks::nothing_is_lost(&world);
}
