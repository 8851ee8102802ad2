//! Lists of objects without a repository: hydrate, upload and batch; exit codes; runs that are cut short.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use hydrant_host::files::digest::blob_of;
use rustix::process::Signal;

use crate::signals::send;
use hydrant_kit::scene::{Scene, noise};

/// Makes files named by their oid in `up`, and their list.
fn objects(scene: &Scene, sizes: &[usize]) -> Vec<(String, Vec<u8>)> {
    let mut list = String::new();
    let mut objects = Vec::new();
    for (seed, size) in sizes.iter().enumerate() {
        let bytes = noise(*size, seed as u64 + 11);
        let oid = blob_of(&bytes).oid;
        scene.file(&format!("from/{oid}"), &bytes);
        list.push_str(&format!("{oid} {size}\n"));
        objects.push((oid, bytes));
    }
    scene.file("list", list.as_bytes());
    objects
}

fn upload(scene: &Scene) {
    let url = scene.url();
    scene.hydrant(&scene.folder, &["upload", "--objects", "list", "--from", "from", "--endpoint", &url]).ends(0);
}

const INTO: [&str; 5] = ["hydrate", "--objects", "list", "--into", "into"];

#[test]
fn a_list_goes_up_and_comes_down() {
    let scene = Scene::new();
    let sizes: Vec<usize> = (0..150).map(|at| at * 37 % 3000).chain([0, 65_536, 65_537, 2_000_000]).collect();
    let objects = objects(&scene, &sizes);
    upload(&scene);
    let url = scene.url();
    // Nothing is spawned: there is no program to be found.
    let empty = [("PATH", "")];
    let said = scene.hydrant_with(&scene.folder, &empty, &[&INTO[..], &["--endpoint", &url]].concat()).ends(0);
    assert!(said.out.contains("hydrated"), "{}", said.out);
    for (oid, bytes) in &objects {
        assert!(&fs::read(scene.path("into").join(oid)).expect("the object") == bytes, "{oid}");
    }
    let stats = scene.server.stats();
    scene.hydrant(&scene.folder, &[&INTO[..], &["--endpoint", &url]].concat()).ends(0);
    assert_eq!(scene.server.stats().gets, stats.gets);
    let again =
        scene.hydrant(&scene.folder, &["upload", "--objects", "list", "--from", "from", "--endpoint", &url, "--json"]);
    assert_eq!(again.ends(0).json()["ok"], true);
    assert_eq!(scene.server.stats().puts, stats.puts);
}

#[test]
fn some_missing_is_1_and_none_reached_is_not_0() {
    let scene = Scene::new();
    objects(&scene, &[100, 200]);
    upload(&scene);
    let absent = "a".repeat(64);
    let list = fs::read_to_string(scene.path("list")).expect("the list");
    scene.file("list", format!("{list}{absent} 5\n").as_bytes());
    let url = scene.url();
    let json = scene.hydrant(&scene.folder, &[&INTO[..], &["--endpoint", &url, "--json"]].concat()).ends(1).json();
    assert_eq!(json["present"], 2, "{json}");
    let failed = json["outcomes"].as_array().expect("a list").iter().find(|one| one["oid"] == *absent);
    assert_eq!(failed.expect("it is named")["error"]["code"], "missing");

    // Nobody listens there.
    let url = "http://127.0.0.1:1/repo".to_owned();
    let said = scene.hydrant(
        &scene.folder,
        &["hydrate", "--objects", "list", "--into", "other", "--retries", "0", "--endpoint", &url],
    );
    assert!(matches!(said.code, 1 | 3), "{}: {}", said.code, said.err);
}

#[test]
fn bad_lists_and_flags_are_misuse() {
    let scene = Scene::new();
    scene.file("list", b"not an oid\n");
    let url = scene.url();
    let said = scene.hydrant(&scene.folder, &[&INTO[..], &["--endpoint", &url]].concat()).ends(2);
    assert!(said.err.contains("line 1"), "{}", said.err);
    scene.hydrant(&scene.folder, &INTO).ends(2);
    scene.hydrant(&scene.folder, &["hydrate", "--objects", "none", "--into", "into", "--endpoint", &url]).ends(2);
    scene.hydrant(&scene.folder, &["upload", "--objects", "list", "--endpoint", &url]).ends(2);
    scene.hydrant(&scene.folder, &["upload"]).ends(2);
}

#[test]
fn limits_come_from_flag_and_environment() {
    let scene = Scene::new();
    objects(&scene, &[5000]);
    upload(&scene);
    let url = scene.url();
    let run = |env: &[(&str, &str)], more: &[&str]| {
        let arguments = [&INTO[..], &["--endpoint", &url, "--json"], more].concat();
        scene.hydrant_with(&scene.folder, env, &arguments)
    };
    let code = |ran: hydrant_kit::scene::Ran| ran.json()["outcomes"][0]["error"]["code"].clone();
    assert_eq!(code(run(&[], &["--object-bytes-max", "4000"]).ends(1)), "limit");
    assert_eq!(code(run(&[("OX_LFS_MAX_OBJECT_SIZE", "4000")], &[]).ends(1)), "limit");
    run(&[("OX_LFS_MAX_OBJECT_SIZE", "4000")], &["--object-bytes-max", "5000"]).ends(0);
    run(&[("OX_LFS_MAX_OBJECT_SIZE", "nonsense")], &[]).ends(0);
}

#[test]
fn a_killed_run_is_completed_by_the_next() {
    let scene = Scene::new();
    let objects = objects(&scene, &[40_000_000, 30_000_000, 70_000, 500]);
    upload(&scene);
    let url = scene.url();
    let arguments = [&INTO[..], &["--endpoint", &url]].concat();
    for pause_ms in [5, 15, 30, 60] {
        let mut child = scene.hydrant_running(&scene.folder, &arguments);
        sleep(Duration::from_millis(pause_ms));
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        assert_nothing_half(&scene.path("into"), &objects);
    }
    scene.hydrant(&scene.folder, &arguments).ends(0);
    assert_eq!(assert_nothing_half(&scene.path("into"), &objects), objects.len());
}

/// Whatever carries an oid for a name is that object. Returns how many are there.
fn assert_nothing_half(folder: &Path, objects: &[(String, Vec<u8>)]) -> usize {
    let there = |(oid, bytes): &&(String, Vec<u8>)| match fs::read(folder.join(oid)) {
        Ok(found) => {
            assert!(found == *bytes, "{oid} is not what it is called");
            true
        }
        Err(_) => false,
    };
    objects.iter().filter(there).count()
}

#[test]
fn an_interrupted_run_says_so_and_the_next_completes_it() {
    let scene = Scene::new();
    let objects = objects(&scene, &[90_000_000, 80_000_000, 70_000_000]);
    upload(&scene);
    let url = scene.url();
    let arguments = [&INTO[..], &["--endpoint", &url, "--json"]].concat();
    let child = scene.hydrant_running(&scene.folder, &arguments);
    sleep(Duration::from_millis(40));
    send(Signal::INT, &child);
    let output = child.wait_with_output().expect("it ends");
    // A machine that is quick enough was done before; one that is slow had not begun to listen for the signal.
    if output.status.code() == Some(130) {
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report");
        assert_eq!(json["interrupted"], true);
        let outcomes = json["outcomes"].as_array().expect("a list");
        assert!(outcomes.iter().any(|one| one["state"] == "unfinished"), "{json}");
    }
    scene.hydrant(&scene.folder, &arguments).ends(0);
    assert_eq!(assert_nothing_half(&scene.path("into"), &objects), objects.len());
}

#[test]
fn pointers_are_never_uploaded_as_content() {
    let scene = Scene::new();
    scene.file("pointer", hydrant_kit::scene::pointer(b"something").as_bytes());
    scene.file("fine", b"content");
    let url = scene.url();
    let json = scene
        .hydrant(&scene.folder, &["upload", "--endpoint", &url, "pointer", "fine", "none", "--json"])
        .ends(1)
        .json();
    let outcomes = json["outcomes"].as_array().expect("a list");
    let state = |name: &str| outcomes.iter().find(|one| one["name"] == name).expect("it is named")["state"].clone();
    assert_eq!((state("pointer"), state("fine"), state("none")), ("failed".into(), "present".into(), "failed".into()));
    assert_eq!(scene.server.stats().puts, 1);
}

#[test]
fn batch_prints_what_the_server_would_do() {
    let scene = Scene::new();
    let objects = objects(&scene, &[100]);
    upload(&scene);
    let absent = "b".repeat(64);
    scene.file("list", format!("{} 100\n{absent} 5\n", objects[0].0).as_bytes());
    let url = scene.url();
    let down = scene.hydrant(&scene.folder, &["batch", "download", "--objects", "list", "--endpoint", &url]).ends(1);
    assert!(down.out.contains("download") && down.out.contains(&format!("{absent} refused 404")), "{}", down.out);
    let up = scene.hydrant(&scene.folder, &["batch", "upload", "--objects", "list", "--endpoint", &url, "--json"]);
    let up = up.ends(0).json();
    assert_eq!(
        (&up["object_list"][0]["verdict"], &up["object_list"][1]["verdict"]),
        (&"present".into(), &"upload".into())
    );
    assert_eq!(scene.server.stats().gets, 0);
}
