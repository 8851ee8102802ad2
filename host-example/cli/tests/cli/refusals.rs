//! A server that refuses every request as a whole: each command says the same of it, in its code, its exit code, and
//! the address that was asked.

use std::fs;
use std::path::PathBuf;

use hydrant_host::files::digest::blob_of;
use hydrant_kit::scene::{Scene, pointer};
use hydrant_kit::world::transcript;

use crate::reconcile::answerer::{Answerer, Says};

const CONTENT: [&[u8]; 3] = [b"first", b"second", b"third"];

/// Commands that ask a server about objects. `@` begins the name of a file or folder of the scene.
const COMMANDS: [&[&str]; 13] = [
    &["hydrate"],
    &["hydrate", "--in-place"],
    &["hydrate", "--batch-objects", "1"],
    &["verify"],
    &["batch", "download", "--objects", "@list"],
    &["batch", "upload", "--objects", "@list"],
    &["upload", "@file"],
    &["upload", "@file", "@other", "--batch-objects", "1"],
    &["reconcile"],
    &["reconcile", "--repair"],
    &["reconcile", "--repair", "--dry-run"],
    &["publish", "s", "--from", "@recording", "--with-unpushed"],
    &["publish", "s", "--from", "@recording", "--with-unpushed", "--batch-objects", "1"],
];

/// What each status of a whole answer is called, and what is said besides.
const REFUSALS: [(u16, &str, &str); 10] = [
    (400, "rejected", "answered 400: no"),
    (401, "auth", "HYDRANT_LFS_TOKEN"),
    (403, "auth", "HYDRANT_LFS_TOKEN"),
    (404, "not-found", "`git config lfs.url URL`"),
    (410, "not-found", "`git config lfs.url URL`"),
    (413, "rejected", "answered 413: no"),
    (422, "rejected", "answered 422: no"),
    (429, "busy", "a later run goes on"),
    (500, "busy", "a later run goes on"),
    (302, "rejected", "redirects to no usable address"),
];

/// A clone with three pointers in a commit that is not pushed yet.
fn clone(scene: &Scene) -> PathBuf {
    scene.git(&scene.folder, &["init", "--quiet", "--bare", "--initial-branch=main", "remote.git"]);
    let clone = scene.repository("clone");
    scene.git(&clone, &["remote", "add", "origin", "../remote.git"]);
    scene.git(&clone, &["push", "--quiet", "--set-upstream", "origin", "main"]);
    let mut list = String::new();
    for (at, content) in CONTENT.iter().enumerate() {
        let pointer = pointer(content);
        scene.file(&format!("clone/{at}.bin"), pointer.as_bytes());
        let oid = pointer.lines().find_map(|line| line.strip_prefix("oid sha256:")).expect("it has one");
        list += &format!("{oid} {}\n", content.len());
    }
    scene.commit(&clone);
    scene.file("list", list.as_bytes());
    scene.file("file", CONTENT[0]);
    scene.file("other", CONTENT[1]);
    scene.file("recording/raw.jsonl", &transcript(3));
    scene.file("recording/session.md", CONTENT[2]);
    clone
}

#[test]
fn a_refusal_of_every_request_reads_the_same_in_every_command() {
    let scene = Scene::new();
    let clone = clone(&scene);
    let mut wrong = Vec::new();
    for (status, code, helps) in REFUSALS {
        let server = Answerer::start(Says::Status(status));
        let place = format!("{}/team/repo", server.url);
        scene.git(&clone, &["config", "lfs.url", &place]);
        for command in COMMANDS {
            let place_of = |word: &str| match word.strip_prefix('@') {
                Some(name) => scene.path(name).display().to_string(),
                None => word.to_owned(),
            };
            let mut words: Vec<String> = command.iter().map(|word| place_of(word)).collect();
            words.extend(["--retries", "0", "--json"].map(str::to_owned));
            fs::remove_dir_all(clone.join(".git/hydrant")).ok();
            let ran = scene.hydrant(&clone, &words);
            let told = ran.json();
            let detail = told["error"]["detail"].as_str().unwrap_or_default();
            let is_told = told["error"]["code"] == code && detail.contains(&place) && detail.contains(helps);
            if ran.code != 3 || told["ok"] != false || !is_told {
                wrong.push(format!("{status} {command:?}: {} {}", ran.code, told["error"]));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Objects that one operation takes; what comes behind them is another one's.
const OBJECTS_PER_OPERATION_MAX: usize = 65_536;

/// What became of earlier objects is told, whatever happens to later ones.
#[test]
fn a_refusal_of_the_last_part_of_a_list_takes_nothing_from_the_others() {
    let scene = Scene::new();
    clone(&scene);
    let empty = blob_of(b"").oid;
    scene.file(&format!("into/{empty}"), b"");
    let empty = format!("{empty} 0\n");
    let last = fs::read_to_string(scene.path("list")).expect("it was made");
    let list = scene.file("long", (empty.repeat(OBJECTS_PER_OPERATION_MAX) + &last).as_bytes());
    let list = list.to_str().expect("text");
    for (status, code) in [(401, "auth"), (422, "rejected")] {
        let server = Answerer::start(Says::Status(status));
        let words = ["hydrate", "--objects", list, "--into", "into", "--endpoint", &server.url, "--retries", "0"];
        let ran = scene.hydrant_with(&scene.folder, &[], &[&words[..], &["--json"]].concat()).ends(1);
        let told = ran.json();
        let (objects, present) = (OBJECTS_PER_OPERATION_MAX + CONTENT.len(), OBJECTS_PER_OPERATION_MAX);
        assert_eq!((&told["objects"], &told["present"]), (&objects.into(), &present.into()), "{status}");
        let refused = &told["outcomes"].as_array().expect("a list")[present..];
        assert!(refused.iter().all(|one| one["error"]["code"] == code), "{status}: {refused:?}");
        // With nothing before them, the refusal is all there is to say.
        let list = scene.path("list").display().to_string();
        let words = ["hydrate", "--objects", &list, "--into", "into", "--endpoint", &server.url, "--retries", "0"];
        scene.hydrant(&scene.folder, &words).ends(3);
    }
}

/// What is wrong with one object is no refusal of the whole.
#[test]
fn an_answer_about_objects_is_no_refusal_of_the_whole() {
    let scene = Scene::new();
    let clone = clone(&scene);
    let server = Answerer::start(Says::LacksAllBut(422));
    scene.git(&clone, &["config", "lfs.url", &server.url]);
    let list = scene.path("list").display().to_string();
    let recording = scene.path("recording").display().to_string();
    for words in [
        &["hydrate"][..],
        &["verify"],
        &["batch", "download", "--objects", &list],
        &["publish", "s", "--from", &recording, "--with-unpushed"],
    ] {
        let told = scene.hydrant(&clone, &[words, &["--retries", "0", "--json"]].concat()).ends(1).json();
        assert_eq!(told["ok"], false, "{words:?}: {told}");
    }
}
