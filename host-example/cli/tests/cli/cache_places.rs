//! Which folder becomes a cache that clones share: an empty one and one that is such a cache, and no other.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use hydrant_kit::scene::{Scene, noise};

use super::read_only::snapshot;
use super::shared_caches::{NOWHERE, clone, entry, place};

/// What lies in a folder before it is named: files, and folders where a name ends in a slash.
fn lay(folder: &Path, names: &[&[u8]]) {
    fs::create_dir_all(folder).expect("a folder");
    for name in names {
        let path = folder.join(OsStr::from_bytes(name));
        if name.ends_with(b"/") {
            fs::create_dir_all(path).expect("folders");
        } else {
            fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
            fs::write(path, b"the user's own").expect("a file");
        }
    }
}

#[test]
fn a_folder_of_somebody_else_never_becomes_a_cache() {
    type Case = (&'static str, &'static str, &'static [&'static [u8]]);
    let cases: [Case; 13] = [
        ("a cache of another program", "shared", &[b"cache/ab/thing", b"cache/empty/"]),
        ("folders like those of earlier boots", "shared", &[b"unproved/1/ab/", b"unproved/2/"]),
        ("one file", "shared", &[b"letter.txt"]),
        ("a name that is no text", "shared", &[b"caf\xe9"]),
        ("a hidden file", "shared", &[b".profile"]),
        ("an empty folder in it", "shared", &[b"stage/"]),
        ("a lock of another program", "shared", &[b"lock", b"cache/ab/thing"]),
        ("folders with the names of our notes", "shared", &[b"boot/x", b"machine/", b"lock/", b"cache/ab/thing"]),
        ("a folder that is also a disk of its own", "shared", &[b"lost+found/", b"cache/ab/thing"]),
        ("another clone's own cache", "other/.git/hydrant", &[]),
        ("a folder in another clone's git folder", "other/.git/hydrant/cache", &[]),
        ("a folder there that is not there yet", "other/.git/new", &[]),
        ("a copy of another clone's own cache", "shared", &[b"boot", b"lock", b"cache/", b"journal/2026.json"]),
    ];
    let content = noise(70_000, 1);
    for (what, folder, names) in cases {
        for shared_with in [None, Some("group"), Some("0666")] {
            let scene = Scene::new();
            let (one, other) = (clone(&scene, "one", &content), clone(&scene, "other", &content));
            scene.hydrant(&other, &["hydrate"]).ends(0);
            let shared = scene.path(folder);
            if !names.is_empty() {
                lay(&shared, names);
            }
            scene.git(&one, &["config", "hydrant.cache", shared.to_str().expect("text")]);
            if let Some(value) = shared_with {
                scene.git(&one, &["config", "core.sharedRepository", value]);
            }
            let before = (snapshot(&scene.folder.join(&other)), shared.exists().then(|| snapshot(&shared)));
            let rights = fs::metadata(&shared).ok().map(|facts| facts.permissions());
            for arguments in [
                &["hydrate"][..],
                &["cache", "clear"],
                &["cache", "clear", "--yes"],
                &["cache", "prune", "--older-than", "0", "--yes"],
                &["cache", "verify", "--yes"],
                &["status"],
            ] {
                let refused = scene.hydrant(&one, arguments).ends(2);
                let said = refused.err.replace('\n', " ");
                assert!(said.contains("hydrant.cache names") && said.contains(folder), "{what}: {said}");
            }
            let after = (snapshot(&scene.folder.join(&other)), shared.exists().then(|| snapshot(&shared)));
            assert!(before == after, "{what} {shared_with:?}: something changed");
            assert_eq!(rights, fs::metadata(&shared).ok().map(|facts| facts.permissions()), "{what} {shared_with:?}");
        }
    }
}

#[test]
fn an_empty_folder_and_a_cache_become_one() {
    let content = noise(70_000, 2);
    let cases: [(&str, &[&[u8]]); 5] = [
        ("a folder that is not there", &[]),
        ("an empty one", &[b"./"]),
        ("a new disk", &[b"lost+found/"]),
        ("one whose first opening was ended early", &[b"lock"]),
        ("one that lost the name of its boot", &[b"lock", b"machine", b"cache/"]),
    ];
    for (what, names) in cases {
        let scene = Scene::new();
        let (one, other) = (clone(&scene, "one", &content), clone(&scene, "other", &content));
        let shared = place(&scene, &one);
        if !names.is_empty() {
            lay(&shared, names);
        }
        scene.hydrant(&one, &["hydrate"]).ends(0);
        assert!(entry(&shared, &content).exists(), "{what}");
        place(&scene, &other);
        scene.git(&other, &["config", "lfs.url", NOWHERE]);
        scene.hydrant(&other, &["hydrate", "--retries", "0"]).ends(0);
    }
}
