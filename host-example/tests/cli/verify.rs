//! `hydrant verify`: what is named must be there, and what is about to be committed as well.

use std::fs;

use hydrant_host::digest::blob_of;

use crate::scene::{Scene, noise, pointer};

#[test]
fn staged_pointers_without_blobs_are_named() {
    let scene = Scene::new();
    let repository = scene.repository("repository");
    scene.git(&repository, &["config", "lfs.url", &scene.url()]);
    let there = noise(5_000, 1);
    scene.upload(&there);
    scene.file("repository/there.bin", pointer(&there).as_bytes());
    scene.file("repository/notes.txt", b"words about version 1\n");
    scene.file("repository/empty", b"");
    scene.git(&repository, &["add", "--all"]);
    let clean = scene.hydrant(&repository, &["verify", "--staged", "--json"]).ends(0).json();
    assert_eq!((&clean["files"], &clean["ok"]), (&1.into(), &true.into()), "{clean}");

    scene.file("repository/a/gone.bin", pointer(b"nobody uploaded this").as_bytes());
    scene.file("repository/broken.bin", b"version https://git-lfs.github.com/spec/v1\noid sha256:12\n");
    scene.file("repository/unstaged.bin", pointer(b"nor this").as_bytes());
    scene.git(&repository, &["add", "a", "broken.bin"]);
    let found = scene.hydrant(&repository, &["verify", "--staged", "--json"]).ends(1).json();
    let findings: Vec<(&str, &str)> = found["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (one["name"].as_str().expect("a name"), one["code"].as_str().expect("a code")))
        .collect();
    assert_eq!(findings, [("broken.bin", "malformed"), ("a/gone.bin", "missing")], "{found}");
    let said = scene.hydrant(&repository, &["verify", "--staged"]).ends(1);
    assert!(said.out.contains("a/gone.bin") && !said.out.contains("there.bin"), "{}", said.out);

    // What is committed already is no longer about to be.
    scene.git(&repository, &["commit", "--quiet", "--message", "all the same"]);
    scene.hydrant(&repository, &["verify", "--staged"]).ends(0);
    scene.hydrant(&repository, &["verify"]).ends(1);
}

#[test]
fn a_server_that_cannot_be_asked_proves_nothing() {
    let scene = Scene::new();
    let repository = scene.repository("repository");
    scene.file("repository/there.bin", pointer(b"something").as_bytes());
    scene.git(&repository, &["add", "--all"]);
    scene.git(&repository, &["config", "lfs.url", "http://127.0.0.1:9/none"]);
    let said = scene.hydrant(&repository, &["verify", "--staged", "--retries", "0", "--json"]).ends(3);
    assert!(!said.out.contains("\"missing\""), "{}", said.out);
}

#[test]
fn bytes_are_looked_at_where_they_lie_and_fetched_when_told() {
    let scene = Scene::new();
    let repository = scene.repository("repository");
    scene.git(&repository, &["config", "lfs.url", &scene.url()]);
    let bytes = noise(9_000, 2);
    let oid = scene.upload(&bytes);
    assert_eq!(oid, blob_of(&bytes).oid);
    scene.file("repository/a.bin", pointer(&bytes).as_bytes());
    scene.commit(&repository);
    scene.hydrant(&repository, &["hydrate"]).ends(0);
    scene.hydrant(&repository, &["verify", "--deep"]).ends(0);
    let entry = repository.join(".git/hydrant/cache").join(&oid[..2]).join(&oid);
    let mut rotten = fs::read(&entry).expect("the entry");
    rotten[1] ^= 1;
    fs::write(&entry, rotten).expect("written");
    let found = scene.hydrant(&repository, &["verify", "--json"]).ends(1).json();
    assert_eq!(found["findings"][0]["code"], "integrity", "{found}");
    assert_eq!(scene.git(&repository, &["status", "--porcelain"]), "", "it only looks");
}
