//! What lies around a command: which repository the environment names, which remote a push would go to, which files a
//! word means, and a cache that went wrong.

use std::fs;
use std::path::PathBuf;

use hydrant_host::files::digest::blob_of;
use hydrant_kit::scene::{Scene, pointer};

/// A repository with a pointer at each of these paths, all of one content.
fn tree(scene: &Scene, paths: &[&str], content: &[u8]) -> PathBuf {
    scene.upload(content);
    for path in paths {
        scene.file(&format!("tree/{path}"), pointer(content).as_bytes());
    }
    let tree = scene.repository("tree");
    scene.git(&tree, &["config", "lfs.url", &scene.url()]);
    tree
}

#[test]
fn the_environment_says_where_repository_and_work_tree_are() {
    let scene = Scene::new();
    let tree = tree(&scene, &["a.bin", "sub/b.bin"], b"content");
    let moved = scene.path("elsewhere.git");
    fs::rename(tree.join(".git"), &moved).expect("moved");
    let (moved, work) = (moved.display().to_string(), tree.display().to_string());
    scene.hydrant(&tree, &["status"]).ends(2);
    let places: [(PathBuf, [(&str, &str); 2]); 3] = [
        (tree.clone(), [("GIT_DIR", &moved), ("GIT_WORK_TREE", &work)]),
        (tree.join("sub"), [("GIT_DIR", &moved), ("GIT_WORK_TREE", &work)]),
        (tree.clone(), [("GIT_DIR", "../elsewhere.git"), ("GIT_WORK_TREE", ".")]),
    ];
    for (here, environment) in places {
        let found = scene.hydrant_with(&here, &environment, &["status", "--json"]).ends(0).json();
        assert_eq!(found["pointers"], 2, "{here:?} {environment:?}: {found}");
    }
    scene.hydrant_with(&tree, &[("GIT_DIR", &moved), ("GIT_WORK_TREE", &work)], &["hydrate", "--in-place"]).ends(0);
    assert_eq!(fs::read(tree.join("sub/b.bin")).expect("there"), b"content");
    // An empty value names nothing.
    let other = scene.repository("other");
    scene.hydrant_with(&other, &[("GIT_DIR", ""), ("GIT_WORK_TREE", "")], &["status"]).ends(0);
}

#[test]
fn uploads_and_locks_go_where_git_pushes() {
    let scene = Scene::new();
    let tree = tree(&scene, &["a.bin"], b"content");
    scene.git(&tree, &["config", "--unset", "lfs.url"]);
    for remote in ["origin", "fork"] {
        scene.git(&tree, &["remote", "add", remote, "https://git.example.test/r.git"]);
    }
    scene.git(&tree, &["config", "remote.fork.lfsurl", &scene.url()]);
    // Nobody listens there.
    scene.git(&tree, &["config", "remote.origin.lfsurl", "http://127.0.0.1:1/r"]);
    scene.git(&tree, &["config", "branch.main.remote", "origin"]);
    scene.file("tree/new.bin", b"new content");
    let upload = || scene.hydrant(&tree, &["upload", "new.bin", "--retries", "0"]).code;
    let lock = || scene.hydrant(&tree, &["locks", "list", "--retries", "0"]).code;
    assert_ne!((upload(), lock()), (0, 0), "git pushes to origin");
    for key in ["remote.pushDefault", "remote.lfspushdefault", "branch.main.pushRemote"] {
        scene.git(&tree, &["config", key, "fork"]);
        // git knows nothing of git-lfs's own setting, and git-lfs locks there.
        assert_eq!((upload() == 0, lock()), (key != "remote.lfspushdefault", 0), "{key}");
        // What is read comes from where git pulls.
        assert_ne!(scene.hydrant(&tree, &["hydrate", "--retries", "0"]).code, 0, "{key}");
        scene.git(&tree, &["config", "--unset", key]);
    }
    // The more special one wins.
    scene.git(&tree, &["config", "remote.pushDefault", "origin"]);
    scene.git(&tree, &["config", "remote.lfspushdefault", "origin"]);
    scene.git(&tree, &["config", "branch.main.pushRemote", "fork"]);
    assert_eq!((upload(), lock()), (0, 0));
}

#[test]
fn numbers_and_names_that_make_no_sense_are_misuse() {
    let scene = Scene::new();
    let tree = tree(&scene, &["a.bin"], b"content");
    for arguments in [
        &["hydrate", "--transfers", "0"][..],
        &["hydrate", "--batch-objects", "0"],
        &["hydrate", "--remote", "nope"],
        &["upload", "a.bin", "--remote", "nope"],
        &["verify", "--remote", "nope"],
    ] {
        let ran = scene.hydrant(&tree, arguments).ends(2);
        assert!(ran.err.contains("nope") || ran.err.contains('0'), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn a_path_that_begins_here_means_the_one_here() {
    let scene = Scene::new();
    let tree = tree(&scene, &["foo/a.bin", "deep/foo/a.bin"], b"content");
    scene.hydrant(&tree, &["hydrate", "--in-place", "--include", "./foo"]).ends(0);
    assert_eq!(fs::read(tree.join("foo/a.bin")).expect("there"), b"content");
    assert_eq!(fs::read_to_string(tree.join("deep/foo/a.bin")).expect("there"), pointer(b"content"));
    let nothing = scene.hydrant(&tree, &["hydrate", "--include", "*.png"]).ends(0);
    assert!(nothing.err.contains("no pointer was chosen"), "{}", nothing.err);
    let report = scene.hydrant(&tree, &["hydrate", "--include", "*.png", "--json"]).ends(0).json();
    assert_eq!((&report["objects"], &report["left_out"]), (&0.into(), &1.into()), "{report}");
}

#[test]
fn an_entry_that_went_wrong_is_fetched_again_by_whoever_finds_it() {
    let scene = Scene::new();
    for content in [b"some content".to_vec(), hydrant_kit::scene::noise(300_000, 4)] {
        let tree = tree(&scene, &["a.bin", "b.bin"], &content);
        scene.hydrant(&tree, &["hydrate"]).ends(0);
        let oid = blob_of(&content).oid;
        let entry = tree.join(".git/hydrant/cache").join(&oid[..2]).join(&oid);
        let mut wrong = content.clone();
        wrong[7] ^= 1;
        fs::write(&entry, &wrong).expect("it can be changed");
        // Where nobody can be asked, it stays as it is, and is told.
        let offline = ["hydrate", "--in-place", "--json", "--endpoint", "http://127.0.0.1:1/r", "--retries", "0"];
        let left = scene.hydrant(&tree, &offline).ends(1).json();
        assert_eq!((&left["in_place"], left["left"].as_array().map(Vec::len)), (&0.into(), Some(2)), "{left}");
        assert_eq!(fs::read(&entry).expect("there"), wrong);
        let report = scene.hydrant(&tree, &["hydrate", "--in-place", "--json"]).ends(0).json();
        assert_eq!((&report["in_place"], &report["present"], &report["ok"]), (&2.into(), &1.into(), &true.into()));
        assert_eq!(fs::read(tree.join("b.bin")).expect("there"), content);
        assert_eq!(fs::read(&entry).expect("there"), content);
        fs::remove_dir_all(&tree).expect("it can go");
    }
}
