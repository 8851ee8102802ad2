//! A cache that lies elsewhere, shared by the clones of one machine: who names it, what comes into it, what goes, and
//! what stays in each clone.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use hydrant_host::files::digest::blob_of;
use hydrant_kit::scene::{Scene, noise, pointer};

use super::ledgers::{SESSION, ledger};

/// Where nobody listens.
pub(super) const NOWHERE: &str = "http://127.0.0.1:9/x";

/// A clone with a pointer to some bytes, which the server has.
pub(super) fn clone(scene: &Scene, name: &str, content: &[u8]) -> PathBuf {
    scene.upload(content);
    scene.file(&format!("{name}/file.bin"), pointer(content).as_bytes());
    let clone = scene.repository(name);
    scene.git(&clone, &["config", "lfs.url", &scene.url()]);
    clone
}

pub(super) fn place(scene: &Scene, clone: &Path) -> PathBuf {
    let place = scene.path("shared");
    scene.git(clone, &["config", "hydrant.cache", place.to_str().expect("text")]);
    place
}

pub(super) fn entry(place: &Path, content: &[u8]) -> PathBuf {
    let oid = blob_of(content).oid;
    place.join("cache").join(&oid[..2]).join(oid)
}

pub(super) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().into_string().expect("text")).collect();
    names.sort();
    names
}

#[test]
fn what_one_clone_fetched_another_one_has() {
    let scene = Scene::new();
    let content = noise(70_000, 1);
    let (one, other) = (clone(&scene, "one", &content), clone(&scene, "other", &content));
    let shared = place(&scene, &one);
    scene.hydrant(&one, &["hydrate"]).ends(0);
    assert!(entry(&shared, &content).exists() && scene.cached(&one, &blob_of(&content).oid).is_none());
    scene.git(&other, &["config", "lfs.url", NOWHERE]);
    place(&scene, &other);
    scene.hydrant(&other, &["hydrate", "--in-place", "--retries", "0"]).ends(0);
    assert_eq!(fs::read(other.join("file.bin")).expect("there"), content);
    // A linked work tree is the same clone.
    let tree = scene.path("tree");
    scene.git(&one, &["worktree", "add", "--quiet", tree.to_str().expect("text")]);
    scene.git(&one, &["config", "lfs.url", NOWHERE]);
    scene.hydrant(&tree, &["hydrate", "--in-place", "--retries", "0"]).ends(0);
    assert_eq!(fs::read(tree.join("file.bin")).expect("there"), content);
    let listed = scene.hydrant(&one, &["cache", "list", "--json"]).ends(0).json();
    assert_eq!((&listed["named_by"], &listed["objects"]), (&"hydrant.cache".into(), &1.into()), "{listed}");
    assert_eq!(listed["folder"], shared.to_str().expect("text"));
    assert_eq!(listed["clone_list"].as_array().map(Vec::len), Some(2), "{listed}");
    let doctor = scene.hydrant(&one, &["doctor", "--json"]).json();
    assert_eq!((&doctor["cache"], &doctor["cache_named_by"]), (&listed["folder"], &listed["named_by"]), "{doctor}");
    assert_eq!(fs::metadata(&shared).expect("there").permissions().mode() & 0o777, 0o700);
    assert_eq!(names(&shared), ["boot", "cache", "clones", "lock", "machine", "stage"]);
}

#[test]
fn the_user_alone_says_where_it_is() {
    let content = noise(70_000, 2);
    let variable = |value: &str| vec![("HYDRANT_CACHE".to_owned(), value.to_owned())];
    // Of a scene: arguments of `git config`, the environment, the folder that is used and the exit code.
    type Case = (&'static str, Vec<[&'static str; 3]>, Vec<(String, String)>, &'static str, i32);
    let cases: [Case; 9] = [
        ("the clone's own", vec![], vec![], "one/.git/hydrant", 0),
        ("its configuration", vec![["--local", "hydrant.cache", "@/a"]], vec![], "a", 0),
        ("the user's", vec![["--global", "hydrant.cache", "@/b"]], vec![], "b", 0),
        ("his home", vec![["--global", "hydrant.cache", "~/c"]], vec![], "home/c", 0),
        ("the variable", vec![["--local", "hydrant.cache", "@/a"]], variable("@/d"), "d", 0),
        ("an empty variable", vec![["--local", "hydrant.cache", "@/a"]], variable(""), "a", 0),
        ("an empty setting", vec![["--local", "hydrant.cache", ""]], vec![], "one/.git/hydrant", 0),
        ("a path that is not whole", vec![], variable("e"), "e", 2),
        ("a folder that a commit could hold", vec![["--local", "hydrant.cache", "@/one/f"]], vec![], "one/f", 2),
    ];
    for (what, settings, environment, used, code) in cases {
        let scene = Scene::new();
        let one = clone(&scene, "one", &content);
        // A commit has no say, however it spells it.
        let elsewhere = scene.path("of-a-commit");
        let lfsconfig = format!("[hydrant]\n\tcache = {0}\n[lfs]\n\tcache = {0}\n", elsewhere.display());
        fs::write(one.join(".lfsconfig"), lfsconfig).expect("a file");
        scene.commit(&one);
        let at = |text: &str| text.replace('@', scene.folder.to_str().expect("text"));
        for [scope, key, value] in settings {
            scene.git(&one, &["config", scope, key, &at(value)]);
        }
        let environment: Vec<(String, String)> =
            environment.iter().map(|(name, value)| (name.clone(), at(value))).collect();
        let environment: Vec<(&str, &str)> =
            environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let ran = scene.hydrant_with(&one, &environment, &["hydrate"]).ends(code);
        assert_eq!(entry(&scene.path(used), &content).exists(), code == 0, "{what}: {}", ran.err);
        assert!(!elsewhere.exists(), "{what}: a commit placed the cache");
    }
}

#[test]
fn what_no_remote_has_stays_in_the_clone() {
    let scene = Scene::new();
    let (own, fetched) = (noise(70_000, 3), noise(70_000, 4));
    let one = clone(&scene, "one", &fetched);
    scene.file("one/own.bin", pointer(&own).as_bytes());
    let oid = blob_of(&own).oid;
    let object = scene.file(&format!("one/.git/lfs/objects/{}/{}/{oid}", &oid[..2], &oid[2..4]), &own);
    let shared = place(&scene, &one);
    scene.hydrant(&one, &["hydrate"]).ends(0);
    assert!(entry(&shared, &fetched).exists() && !entry(&shared, &own).exists());
    fs::remove_file(object).expect("git-lfs pruned it");
    for arguments in [&["cache", "prune", "--older-than", "0"][..], &["cache", "clear"]] {
        let from_elsewhere = [arguments, &["--yes", "--store", shared.to_str().expect("text")]].concat();
        for arguments in [[arguments, &["--yes"]].concat(), from_elsewhere] {
            scene.hydrant(&one, &arguments).ends(0);
            assert!(scene.cached(&one, &oid).is_some_and(|bytes| bytes == own), "{arguments:?}");
        }
    }
    assert!(!entry(&shared, &fetched).exists(), "what the server has may go");
    scene.hydrant(&one, &["hydrate", "--in-place"]).ends(0);
    assert_eq!(fs::read(one.join("own.bin")).expect("there"), own);
    assert_eq!(fs::read(one.join("file.bin")).expect("there"), fetched);
}

#[test]
fn a_prune_says_who_shares_and_spares_what_an_unfinished_publish_names() {
    let scene = Scene::new();
    let (needed, free) = (noise(70_000, 5), noise(70_000, 6));
    let (one, other) = (clone(&scene, "one", &needed), clone(&scene, "other", &free));
    let shared = place(&scene, &one);
    place(&scene, &other);
    for clone in [&one, &other] {
        scene.hydrant(clone, &["hydrate"]).ends(0);
    }
    let journal = format!("{{\"blobs\": [\"{}\"]}}", blob_of(&needed).oid);
    scene.file("other/.git/hydrant/journal/2026.json", journal.as_bytes());
    let prune = ["cache", "prune", "--older-than", "0"];
    for more in [&["--json"][..], &["--yes", "--json"]] {
        let said = scene.hydrant(&one, &[&prune, more].concat()).ends(0).json();
        assert_eq!((&said["objects"], &said["spared"]), (&1.into(), &1.into()), "{said}");
        assert_eq!(said["oid_list"][0], blob_of(&free).oid, "{said}");
        assert_eq!(said["clone_list"].as_array().map(Vec::len), Some(2), "{said}");
    }
    let said = scene.hydrant(&one, &prune).ends(0);
    assert!(said.err.contains("2 clones share this cache"), "{}", said.err);
    assert!(entry(&shared, &needed).exists() && !entry(&shared, &free).exists());
    for arguments in [vec!["cache", "clear", "--yes"], vec!["cache", "clear", "--yes", "--store", "../shared"]] {
        scene.hydrant(&one, &arguments).ends(0);
        assert!(entry(&shared, &needed).exists(), "{arguments:?}");
    }
    // A clone that cannot be asked is not passed over.
    let folder = other.join(".git/hydrant/journal");
    fs::rename(&folder, other.join("journal")).expect("moved");
    fs::write(&folder, "no folder").expect("a file");
    let refused = scene.hydrant(&one, &[&prune[..], &["--yes", "--json"]].concat()).ends(3).json();
    assert!(refused["error"]["detail"].as_str().is_some_and(|text| text.contains("nothing is removed")), "{refused}");
    assert!(entry(&shared, &needed).exists());
    // One that is gone needs nothing.
    fs::remove_dir_all(&other).expect("gone");
    let said = scene.hydrant(&one, &[&prune[..], &["--yes", "--json"]].concat()).ends(0).json();
    assert_eq!((&said["objects"], said["clone_list"].as_array().map(Vec::len)), (&1.into(), Some(1)), "{said}");
    assert_eq!(names(&shared.join("clones")).len(), 1);
}

#[test]
fn notes_of_a_clone_are_its_own() {
    let scene = Scene::new();
    let one = ledger(&scene);
    let shared = place(&scene, &one);
    scene.hydrant(&one, &["hydrate", SESSION]).ends(0);
    assert_eq!(names(&shared), ["boot", "cache", "clones", "lock", "machine", "stage"]);
    assert_eq!(names(&one.join(".git/hydrant/downloaded")), [SESSION]);
    // Another clone finds all of it there, and notes all the same that nothing of it was recorded here.
    let other = scene.path("other");
    scene.git(&scene.folder, &["clone", "--quiet", "ledger", "other"]);
    scene.git(&other, &["config", "lfs.url", NOWHERE]);
    place(&scene, &other);
    let status = scene.hydrant(&other, &["status", SESSION, "--json"]).ends(0).json();
    assert_eq!(status["hydration"], "hydrated", "{status}");
    scene.hydrant(&other, &["hydrate", SESSION, "--retries", "0"]).ends(0);
    assert_eq!(names(&other.join(".git/hydrant/downloaded")), [SESSION]);
}

#[test]
fn the_cache_of_another_machine_is_refused_by_name() {
    let scene = Scene::new();
    let content = noise(70_000, 7);
    let one = clone(&scene, "one", &content);
    let shared = place(&scene, &one);
    scene.hydrant(&one, &["hydrate"]).ends(0);
    let machine = fs::read_to_string(shared.join("machine")).expect("a note");
    fs::write(shared.join("machine"), "hydrant machine 1\n0123\nwork-station-7\n").expect("a note");
    // The boot that is noted is still the running one: a container of this machine.
    scene.hydrant(&one, &["hydrate"]).ends(0);
    fs::write(shared.join("boot"), "a boot of another machine").expect("a note");
    for arguments in [&["hydrate", "--json"][..], &["cache", "prune", "--yes", "--json"]] {
        let refused = scene.hydrant(&one, arguments).ends(3).json();
        assert_eq!(refused["error"]["code"], "conflict", "{refused}");
        assert!(refused["error"]["detail"].as_str().is_some_and(|text| text.contains("work-station-7")), "{refused}");
    }
    let store = ["cache", "clear", "--yes", "--store", shared.to_str().expect("text")];
    assert!(scene.hydrant(&one, &store).ends(3).err.contains("work-station-7"));
    assert!(entry(&shared, &content).exists(), "nothing was moved");
    scene.hydrant(&one, &["status"]).ends(0);
    // Its own machine, started anew, goes on; what was there is hashed.
    fs::write(shared.join("machine"), machine).expect("a note");
    scene.git(&one, &["config", "lfs.url", NOWHERE]);
    scene.hydrant(&one, &["hydrate", "--retries", "0"]).ends(0);
    assert!(entry(&shared, &content).exists());
}

#[test]
fn a_shared_folder_that_others_may_write_is_refused() {
    let scene = Scene::new();
    let one = clone(&scene, "one", b"content");
    let shared = place(&scene, &one);
    fs::create_dir(&shared).expect("a folder");
    for mode in [0o777, 0o720, 0o702] {
        fs::set_permissions(&shared, fs::Permissions::from_mode(mode)).expect("a mode");
        let refused = scene.hydrant(&one, &["hydrate", "--json"]).ends(3).json();
        assert_eq!(refused["error"]["code"], "rejected", "{mode:o} {refused}");
        assert_eq!(names(&shared), Vec::<String>::new());
    }
    scene.git(&one, &["config", "core.sharedRepository", "group"]);
    scene.hydrant(&one, &["hydrate"]).ends(0);
    let mode = fs::metadata(entry(&shared, b"content")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
}

#[test]
fn clones_work_in_one_cache_at_one_time() {
    let scene = Scene::new();
    let contents: Vec<Vec<u8>> = (0..12).map(|seed| noise(90_000, 100 + seed)).collect();
    let clones: Vec<PathBuf> = ["one", "two", "three"]
        .iter()
        .map(|name| {
            for (at, content) in contents.iter().enumerate() {
                scene.file(&format!("{name}/{at}.bin"), pointer(content).as_bytes());
            }
            let clone = clone(&scene, name, &contents[0]);
            place(&scene, &clone);
            clone
        })
        .collect();
    contents.iter().for_each(|content| drop(scene.upload(content)));
    let hydrate = ["hydrate", "--in-place"];
    let clear = ["cache", "clear", "--yes"];
    let mut running: Vec<_> = clones.iter().map(|clone| scene.hydrant_running(clone, &hydrate)).collect();
    running.extend(clones.iter().map(|clone| scene.hydrant_running(clone, &clear)));
    for child in running {
        let ended = child.wait_with_output().expect("it ends");
        // One that lost an entry to the clean-up says so, and nothing worse comes of it.
        let code = ended.status.code();
        assert!(matches!(code, Some(0 | 1)), "{code:?} {}", String::from_utf8_lossy(&ended.stderr));
    }
    for clone in &clones {
        scene.hydrant(clone, &hydrate).ends(0);
        for (at, content) in contents.iter().enumerate() {
            assert!(fs::read(clone.join(format!("{at}.bin"))).expect("there") == *content);
        }
    }
    scene.hydrant(&clones[0], &["cache", "verify"]).ends(0);
}
