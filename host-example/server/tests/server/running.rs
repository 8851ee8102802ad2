//! Starting, stopping, and what survives both.

use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hydrant_server::{Server, ServerConfig};
use serde_json::json;

use crate::client::{Reply, World, noise, oid};

#[test]
fn a_stop_is_quick_although_connections_are_open() {
    let world = World::open();
    let idle = world.socket();
    let mut half = world.socket();
    half.write_all(b"PUT /objects/").expect("sent");
    let begun = Instant::now();
    drop(world);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    drop((idle, half));
}

#[test]
fn a_stop_lets_an_answer_under_way_end() {
    let world = World::open();
    let bytes = noise(20_000_000, 8);
    let oid = world.put(&bytes);
    let mut socket = world.socket();
    let request = format!("GET /objects/{oid} HTTP/1.1\r\nhost: {}\r\n\r\n", world.host());
    socket.write_all(request.as_bytes()).expect("sent");
    while world.server.stats().gets == 0 {
        std::thread::yield_now();
    }
    let stopping = std::thread::spawn(move || drop(world));
    let reply = Reply::read(socket, false);
    assert!(reply.body == bytes);
    stopping.join().expect("stopped");
}

#[test]
fn blobs_and_locks_outlive_the_server_and_a_store_has_one_server() {
    let world = World::open();
    let store = world.folder().join("second");
    let start = || {
        let mut config = ServerConfig::new(&store);
        config.open = true;
        Server::spawn(config)
    };
    let first = start().expect("started");
    assert!(start().is_err(), "one server at a time");
    drop(first);
    start().expect("free again").stop();

    let world = World::with(|config| {
        config.open = true;
        config.store = store.clone();
    });
    let oid = world.put(b"kept");
    assert_eq!(world.post("/r/locks", &[], &json!({ "path": "a" })).status, 201);
    drop(world);
    let world = World::with(|config| {
        config.open = true;
        config.store = store.clone();
    });
    assert_eq!(world.send("GET", &format!("/objects/{oid}"), &[], b"").body, b"kept");
    assert_eq!(world.post("/r/locks", &[], &json!({ "path": "a" })).status, 409);
}

#[test]
fn every_request_is_logged_once_without_secrets() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let world = World::with(|config| {
        let lines = Arc::clone(&lines);
        config.log = Some(Arc::new(move |line| lines.lock().expect("not poisoned").push(line.to_string())));
    });
    let path = format!("/objects/{}?token=secret", oid(b"a"));
    let login = format!("Bearer {}", world.server.token());
    assert_eq!(world.send("GET", &path, &[("authorization", &login)], b"").status, 404);
    let lines = lines.lock().expect("not poisoned");
    assert_eq!(lines.len(), 1);
    assert!(lines[0].starts_with(&format!("GET /objects/{} 404 ", oid(b"a"))), "{}", lines[0]);
}
