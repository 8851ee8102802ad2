//! `redact --into` with archives and databases: they are copied as they are, or not at all.

use std::fs;

use hydrant_kit::scene::Scene;

use super::{python, sh, text, token};

#[test]
fn a_container_without_secrets_is_copied_and_one_with_some_is_not() {
    let scene = Scene::new();
    let folder = scene.path("d");
    scene.file("d/secret.txt", text().as_bytes());
    scene.file("d/plain.txt", b"nothing\n");
    sh(
        &scene,
        &folder,
        "zip -q clean.zip plain.txt; zip -q secret.zip secret.txt; gzip -c plain.txt > clean.gz
         tar -czf secret.tar.gz secret.txt; head -c 60 clean.zip > cut.zip",
    );
    let database = "import sqlite3, os; c = sqlite3.connect('NAME'); c.execute('create table t(a)'); \
                    c.execute('insert into t values (?)', (VALUE,)); c.commit()";
    for (name, value) in [("clean.db", "'x'"), ("secret.db", "os.environ['TOKEN']")] {
        python(&scene, &folder, &database.replace("NAME", name).replace("VALUE", value));
    }
    let ran = scene.hydrant(&scene.folder, &["redact", "--into", "out", "d"]).ends(1);
    for line in [
        "d/secret.zip: not copied: it holds secrets, and a zip archive is not written anew: unpack it",
        "d/secret.tar.gz: not copied: it holds secrets, and a file packed by gzip is not written anew",
        "d/secret.db: not copied: it holds secrets, and databases are not written anew: replace them in it",
        "d/cut.zip: not looked through: it has no directory",
        "5 files written without secrets",
    ] {
        assert!(ran.err.contains(line), "{line}: {}", ran.err);
    }
    for name in ["clean.zip", "clean.gz", "clean.db", "plain.txt"] {
        let read = |folder: &str| fs::read(scene.path(folder).join(name)).expect("a copy");
        assert_eq!(read("d"), read("out/d"), "{name}");
    }
    for name in ["secret.zip", "secret.tar.gz", "secret.db", "cut.zip"] {
        assert!(!scene.path("out/d").join(name).exists(), "{name}");
    }
    let copy = fs::read_to_string(scene.path("out/d/secret.txt")).expect("a copy");
    assert!(!copy.contains(&token()) && copy.contains("[REDACTED:github-token#1]"), "{copy}");
    // As JSON, and without copies nothing is uncopied.
    let json = scene.hydrant(&scene.folder, &["redact", "--into", "again", "d", "--json"]).ends(1).json();
    assert_eq!(json["uncopied_list"].as_array().map(Vec::len), Some(3));
    let json = scene.hydrant(&scene.folder, &["redact", "d/secret.zip", "--json"]).ends(0).json();
    assert_eq!(json["uncopied_list"].as_array().map(Vec::len), Some(0));
    scene.hydrant(&scene.folder, &["redact", "--check", "out"]).ends(0);
}

/// What is found in a file is looked for in archives too, where nothing tells of it, and the other way round.
#[test]
fn a_secret_of_one_place_is_found_in_all_others() {
    let scene = Scene::new();
    scene.file("named.txt", b"DB_PASSWORD=Zk4!qvT9xw\n");
    scene.file("bare.txt", b"connected with Zk4!qvT9xw\n");
    sh(&scene, &scene.folder, "zip -q bare.zip bare.txt; zip -q named.zip named.txt");
    for (files, found) in [
        (["named.txt", "bare.zip"], ["named.txt:1", "bare.zip!bare.txt:1"]),
        (["bare.txt", "named.zip"], ["bare.txt:1", "named.zip!named.txt:1"]),
    ] {
        let ran = scene.hydrant(&scene.folder, &["redact", files[0], files[1]]).ends(0);
        let expected: String = found.iter().map(|place| format!("{place}: [REDACTED:keyed-value#1]\n")).collect();
        assert_eq!(ran.out, expected);
    }
    let shown = scene.hydrant(&scene.folder, &["redact", "--diff", "bare.txt", "named.zip"]).ends(0).out;
    assert!(shown.contains("named.zip!named.txt:1: DB_PASSWORD=[REDACTED:keyed-value#1]"), "{shown}");
}
