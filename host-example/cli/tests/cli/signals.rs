//! Ctrl-C and its kin end every command, each in its way.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::Child;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use hydrant_kit::scene::{Scene, noise, pointer};

const OID: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

pub(crate) fn send(signal: Signal, child: &Child) {
    kill_process(Pid::from_child(child), signal).expect("it is there");
}

#[test]
fn a_question_that_is_interrupted_ends_so() {
    let scene = Scene::new();
    scene.file("list", format!("{OID} 5\n").as_bytes());
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/r", silent.local_addr().expect("bound"));
    let held = thread::spawn(move || silent.accept().expect("it is asked").0);
    let arguments = ["batch", "download", "--objects", "list", "--endpoint", &url];
    let child = scene.hydrant_running(&scene.folder, &arguments);
    let held = held.join().expect("a connection");
    send(Signal::INT, &child);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    drop(held);
}

#[test]
fn a_signal_after_the_transfer_is_not_swallowed() {
    let scene = Scene::new();
    let large = noise(60_000_000, 1);
    for at in 0..12 {
        scene.file(&format!("tree/file-{at}"), pointer(&large).as_bytes());
    }
    let tree = scene.repository("tree");
    let oid = scene.upload(&large);
    scene.git(&tree, &["config", "lfs.url", &scene.url()]);
    scene.hydrant(&tree, &["hydrate"]).ends(0);
    assert!(scene.cached(&tree, &oid).is_some());
    let child = scene.hydrant_running(&tree, &["hydrate", "--in-place", "--json"]);
    // Until the first file has its content: the transfer is over then.
    let until = Instant::now() + Duration::from_secs(30);
    let placed = || (0..12).any(|at| tree.join(format!("file-{at}")).metadata().is_ok_and(|facts| facts.len() > 1000));
    while !placed() && Instant::now() < until {
        sleep(Duration::from_millis(1));
    }
    send(Signal::TERM, &child);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!(json["interrupted"], true);
    assert!((1..12).contains(&json["in_place"].as_u64().expect("a number")), "{}", json["in_place"]);
    let leftovers = tree.read_dir().expect("a folder").flatten();
    assert!(!leftovers.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with(".hydrant")));
    scene.hydrant(&tree, &["hydrate", "--in-place"]).ends(0);
}

#[test]
fn a_server_ends_well() {
    let scene = Scene::new();
    let mut child = scene.hydrant_running(&scene.folder, &["serve", "--store", "served"]);
    let mut lines = BufReader::new(child.stdout.take().expect("piped"));
    let mut first = String::new();
    lines.read_line(&mut first).expect("a line");
    assert!(first.starts_with("serving "), "{first}");
    send(Signal::TERM, &child);
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}
