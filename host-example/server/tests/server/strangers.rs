//! What strangers can take from callers with a login: no place, no time, no memory.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use hydrant_server::{Limits, ServerConfig};
use serde_json::json;

use crate::client::{LFS_JSON, Reply, World, noise, oid};
use crate::frames;

const LONG: Duration = Duration::from_secs(3600);
const DRIP: Duration = Duration::from_millis(20);
const LOGIN: (&str, &str) = ("authorization", "Bearer tok");

/// What a stranger sends at first, and then again and again.
struct Kind {
    name: &'static str,
    first: Vec<u8>,
    drip: Vec<u8>,
}

fn kinds(host: &str) -> Vec<Kind> {
    let asked = format!("GET /nothing HTTP/1.1\r\nhost: {host}\r\n\r\n");
    let posted = |path: &str| {
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: {host}\r\naccept: {LFS_JSON}\r\ncontent-type: {LFS_JSON}\r\n");
        head + "content-length: 4000\r\n\r\n"
    };
    let kind = |name, first: &[u8], drip: &[u8]| Kind { name, first: first.to_vec(), drip: drip.to_vec() };
    let (framed, ping) = (frames::beginning(65_535), frames::ping());
    let stream = frames::request(1, "POST", host, "/verify", &[("content-type", LFS_JSON)]);
    vec![
        kind("silent", b"", b""),
        kind("a head that never ends", b"GET / HTTP/1.1\r\nhost: x\r\n", b"x: y\r\n"),
        kind("a first line that never ends", b"G", b"E"),
        kind("a preface that never ends", b"PRI", b""),
        kind("pings", &framed, &ping),
        kind("a stream that was refused, and pings", &[framed.clone(), stream.clone()].concat(), &ping),
        kind("a stream's body", &[framed, stream].concat(), &frames::data(1, b" ")),
        kind("requests that are refused", asked.as_bytes(), asked.as_bytes()),
        kind("a body to verify", posted("/verify").as_bytes(), b" "),
        kind("a body of a batch", posted("/objects/batch").as_bytes(), b" "),
        kind("a body of a lock", posted("/repo/locks").as_bytes(), b" "),
    ]
}

/// Sends on until the server has closed the connection.
fn outlives(mut socket: TcpStream, kind: &Kind) -> bool {
    socket.set_read_timeout(Some(DRIP)).expect("a timeout");
    for _ in 0..500 {
        if is_over(&mut socket) || socket.write_all(&kind.drip).is_err() {
            return false;
        }
    }
    true
}

/// Reads what is there.
fn is_over(socket: &mut TcpStream) -> bool {
    loop {
        match socket.read(&mut [0; 4096]) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
    }
}

fn limited(adjust: impl FnOnce(&mut Limits)) -> World {
    World::with(|config: &mut ServerConfig| {
        config.token = Some("tok".to_owned());
        config.limits = Limits { head: LONG, idle: LONG, json: LONG, fresh: Duration::ZERO, ..Limits::default() };
        adjust(&mut config.limits);
    })
}

fn begin(world: &World, kind: &Kind) -> TcpStream {
    let mut socket = world.socket();
    socket.write_all(&kind.first).expect("sent");
    socket
}

#[test]
fn whatever_bytes_come_a_stranger_has_a_bounded_time() {
    let world = limited(|limits| limits.head = Duration::from_millis(300));
    std::thread::scope(|scope| {
        for kind in kinds(&world.host()) {
            let world = &world;
            scope.spawn(move || assert!(!outlives(begin(world, &kind), &kind), "{}", kind.name));
        }
    });
}

#[test]
fn a_caller_with_a_login_is_served_although_strangers_want_every_place() {
    let world = limited(|limits| limits.connections_max = 8);
    let path = format!("/objects/{}", oid(b"here"));
    assert_eq!(world.send("PUT", &path, &[LOGIN], b"here").status, 200);
    let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer tok\r\n", world.host());
    let mut kept = world.socket();
    kept.write_all(format!("{request}\r\n").as_bytes()).expect("sent");
    let mut first = [0; 4096];
    while !first.ends_with(b"here") {
        let length = kept.read(&mut first).expect("an answer");
        assert!(length > 0 && first.starts_with(b"HTTP/1.1 200"));
        first.rotate_left(length);
    }
    for kind in kinds(&world.host()) {
        let strangers: Vec<TcpStream> = (0..20).map(|_| begin(&world, &kind)).collect();
        for _ in 0..5 {
            assert_eq!(world.send("GET", &path, &[LOGIN], b"").body, b"here", "{}", kind.name);
        }
        drop(strangers);
    }
    kept.write_all(format!("{request}connection: close\r\n\r\n").as_bytes()).expect("sent");
    assert_eq!(Reply::read(kept, false).body, b"here", "who was let in keeps the place");
}

#[test]
fn callers_are_not_closed_for_those_who_ask_nothing() {
    let world = limited(|limits| limits.connections_max = 2);
    let bytes = noise(30_000_000, 3);
    let path = format!("/objects/{}", oid(&bytes));
    assert_eq!(world.send("PUT", &path, &[LOGIN], &bytes).status, 200);
    let mut slow = world.socket();
    let head = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer tok\r\n", world.host());
    slow.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).expect("sent");
    while world.server.stats().gets == 0 {
        std::thread::yield_now();
    }
    for _ in 0..5 {
        assert_eq!(world.send("GET", "/nothing", &[], b"").status, 404);
    }
    assert!(Reply::read(slow, false).body == bytes, "an answer under way ends, however slowly it is read");
}

#[test]
fn memory_goes_to_who_uses_it_not_to_who_holds_it() {
    let mut worlds = Vec::new();
    for chunked in [false, true] {
        let world = limited(|limits| limits.memory_bytes_max = 256 * 1024);
        let framing = if chunked { "transfer-encoding: chunked" } else { "content-length: 1000000" };
        let head = format!(
            "POST /objects/batch HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer tok\r\naccept: {LFS_JSON}\r\n\
             content-type: {LFS_JSON}\r\n{framing}\r\n\r\n",
            world.host()
        );
        let part = " ".repeat(60_000);
        let body = if chunked { format!("{:x}\r\n{part}\r\n", part.len()) } else { part };
        let mut held: Vec<TcpStream> = (0..20).map(|_| world.socket()).collect();
        for socket in &mut held {
            socket.write_all(head.as_bytes()).expect("sent");
            // One whose turn to go has come already may not take all of it.
            socket.write_all(body.as_bytes()).ok();
        }
        let batch = json!({ "operation": "download", "objects": [{ "oid": oid(b"a"), "size": 1 }] });
        for _ in 0..5 {
            let reply = world.post("/objects/batch", &[LOGIN], &batch);
            assert_eq!(reply.status, 200, "{reply:?}");
        }
        let mut over = 0;
        for socket in &mut held {
            socket.set_read_timeout(Some(DRIP)).expect("a timeout");
            over += usize::from(is_over(socket));
        }
        assert!(over >= 12, "{over} of 20 gave up what they held");
        worlds.push((world, held));
    }
}

/// A server whose memory one caller holds but for 16 KiB, and the number of a lock whose path is longer than that.
fn crowded(patience: Duration) -> (World, TcpStream, String) {
    let world = limited(|limits| {
        limits.memory_bytes_max = 64 * 1024;
        // Nobody has to go for another's sake.
        limits.fresh = LONG;
        limits.patience = patience;
    });
    let made = world.post("/r/locks", &[LOGIN], &json!({ "path": "\u{1}".repeat(4096) }));
    assert_eq!(made.status, 201);
    let mut holder = world.socket();
    let head = format!("POST /objects/batch HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer tok\r\n", world.host());
    holder.write_all(format!("{head}content-length: 1000000\r\n\r\n").as_bytes()).expect("sent");
    holder.write_all(" ".repeat(40_000).as_bytes()).expect("sent");
    while world.send("GET", "/r/locks", &[LOGIN], b"").status == 200 {}
    let number = made.json()["lock"]["id"].as_str().expect("a number").to_owned();
    (world, holder, number)
}

#[test]
fn nothing_is_changed_when_there_is_no_room_for_its_answer() {
    let (world, holder, number) = crowded(DRIP);
    let unlock = format!("/r/locks/{number}/unlock");
    let changes = [(unlock.as_str(), json!({}), 200), ("/r/locks", json!({ "path": "other" }), 201)];
    for (path, body, _) in &changes {
        let refused = world.post(path, &[LOGIN], body);
        assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")), "{path}");
    }
    drop(holder);
    let locks = loop {
        let list = world.send("GET", "/r/locks", &[LOGIN], b"");
        if list.status == 200 {
            break list.json();
        }
    };
    assert_eq!(locks["locks"].as_array().map(Vec::len), Some(1));
    assert_eq!(locks["locks"][0]["id"], number);
    for (path, body, status) in &changes {
        assert_eq!(world.post(path, &[LOGIN], body).status, *status, "asked again: {path}");
    }
}

#[test]
fn a_change_waits_for_room_for_its_answer() {
    let (world, holder, number) = crowded(LONG);
    let asked = world.server.stats().locks;
    let mut waiting = world.socket();
    let head = format!("POST /r/locks/{number}/unlock HTTP/1.1\r\nhost: {}\r\n", world.host());
    let more = "authorization: Bearer tok\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
    waiting.write_all((head + more).as_bytes()).expect("sent");
    while world.server.stats().locks == asked {
        std::thread::yield_now();
    }
    drop(holder);
    assert_eq!(Reply::read(waiting, false).status, 200);
}

#[test]
fn a_closed_window_costs_no_piece() {
    let world = limited(|limits| limits.memory_bytes_max = 256 * 1024);
    let bytes = noise(1_000_000, 5);
    let path = format!("/objects/{}", oid(&bytes));
    assert_eq!(world.send("PUT", &path, &[LOGIN], &bytes).status, 200);
    let mut closed: Vec<TcpStream> = (0..4).map(|_| world.socket()).collect();
    for socket in &mut closed {
        let streams = (0..32).flat_map(|n| frames::request(2 * n + 1, "GET", &world.host(), &path, &[LOGIN]));
        socket.write_all(&frames::beginning(0)).expect("sent");
        socket.write_all(&streams.collect::<Vec<u8>>()).expect("sent");
    }
    while world.server.stats().gets < 4 * 32 {
        std::thread::yield_now();
    }
    let reply = world.send("GET", &path, &[LOGIN], b"");
    assert!(reply.status == 200 && reply.body == bytes);
    for socket in &mut closed {
        socket.set_read_timeout(Some(DRIP)).expect("a timeout");
        assert!(!is_over(socket), "nobody had to go for it");
    }
}

#[test]
fn a_stream_without_progress_ends_although_pings_come() {
    let world = limited(|limits| limits.idle = Duration::from_millis(300));
    let bytes = noise(1_000_000, 6);
    let path = format!("/objects/{}", oid(&bytes));
    assert_eq!(world.send("PUT", &path, &[LOGIN], &bytes).status, 200);
    let get = frames::request(1, "GET", &world.host(), &path, &[LOGIN]);
    let post = frames::request(1, "POST", &world.host(), "/objects/batch", &[LOGIN, ("content-type", LFS_JSON)]);
    for (name, stream) in [("a closed window", get), ("a body that never comes", post)] {
        let first = [frames::beginning(0), stream].concat();
        let kind = Kind { name, first, drip: frames::ping() };
        assert!(!outlives(begin(&world, &kind), &kind), "{name}");
    }
}
