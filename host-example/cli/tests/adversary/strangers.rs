//! `hydrant serve` with strangers at every door: its owner is served, and its memory stays small.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Strangers of each kind.
const EACH: usize = 60;
/// The most memory the server may ever have had.
const MEMORY_KIB_MAX: u64 = 64 * 1024;
const ANSWERS: usize = 25;
/// The longest that its owner ever waits: 2 s, and what a machine takes that has more to do.
const ANSWER_MAX: Duration = Duration::from_secs(10);

struct Serving {
    child: Child,
    folder: PathBuf,
    host: String,
    token: String,
}

impl Serving {
    fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("hydrant-strangers-{}", std::process::id()));
        fs::create_dir(&folder).expect("a fresh folder");
        let mut command = Command::new(env!("CARGO_BIN_EXE_hydrant"));
        command.args(["serve", "--json", "--store"]).arg(folder.join("store"));
        command.env("HOME", &folder).env("XDG_STATE_HOME", folder.join("state")).current_dir(&folder);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
        let out = BufReader::new(child.stdout.take().expect("its output"));
        let lines = out.lines().map_while(Result::ok);
        let text: String = lines.take_while(|line| line != "}").collect();
        let said: Value = serde_json::from_str(&(text + "}")).expect("a document");
        let text = |name: &str| said[name].as_str().expect("a text").to_owned();
        Self { child, folder, host: text("url").trim_start_matches("http://").to_owned(), token: text("token") }
    }

    fn connect(&self, first: &[u8]) -> TcpStream {
        let mut socket = TcpStream::connect(&self.host).expect("it listens");
        socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        // It may have closed the connection for another's sake.
        socket.write_all(first).ok();
        socket
    }

    /// One request of the owner, and how long it took.
    fn ask(&self) -> Duration {
        let begun = Instant::now();
        let head = format!("GET /locks HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n", self.host, self.token);
        let more = "accept: application/vnd.git-lfs+json\r\nconnection: close\r\n\r\n";
        let mut answer = String::new();
        self.connect((head + more).as_bytes()).read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        begun.elapsed()
    }

    /// The most memory it ever had.
    fn memory_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a line");
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        fs::remove_dir_all(&self.folder).ok();
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A head of many streams, each with headers of 12,000 bytes, and a body that never comes.
fn heads(host: &str) -> Vec<u8> {
    let long = "y".repeat(100);
    let mut block = Vec::new();
    let mut add = |name: &str, value: &str| {
        block.extend([&[0, name.len() as u8][..], name.as_bytes(), &[value.len() as u8], value.as_bytes()].concat());
    };
    for (name, value) in [(":method", "POST"), (":scheme", "http"), (":authority", host), (":path", "/verify")] {
        add(name, value);
    }
    (100..220).for_each(|number| add(&format!("x-{number}"), &long));
    (0..32).flat_map(|stream| frame(1, 4, 2 * stream + 1, &block)).collect()
}

#[test]
fn three_hundred_strangers_neither_lock_the_door_nor_fill_the_memory() {
    let serving = Serving::start();
    let host = &serving.host;
    let preface = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(4, 0, 0, &[])].concat();
    let json = "application/vnd.git-lfs+json";
    let body = format!("POST /objects/batch HTTP/1.1\r\nhost: {host}\r\ncontent-type: {json}\r\naccept: {json}\r\n");
    let body = format!("{body}content-length: 1000000\r\n\r\n{}", " ".repeat(900_000));
    let ping = frame(6, 0, 0, b"12345678");
    let unread = format!("GET / HTTP/1.1\r\nhost: {host}\r\nx-long: {}", "y".repeat(60_000));
    let refused = format!("GET /nothing HTTP/1.1\r\nhost: {host}\r\n\r\n");
    let kinds: [(Vec<u8>, &[u8]); 5] = [
        (unread.into_bytes(), b"y"),
        (preface.clone(), &ping),
        ([preface, heads(host)].concat(), &ping),
        (body.into_bytes(), b" "),
        (refused.clone().into_bytes(), refused.as_bytes()),
    ];
    let mut strangers: Vec<(TcpStream, &[u8])> = Vec::new();
    for (first, drip) in &kinds {
        strangers.extend((0..EACH).map(|_| (serving.connect(first), *drip)));
    }
    let mut longest = Duration::ZERO;
    for _ in 0..ANSWERS {
        longest = longest.max(serving.ask());
        for (socket, drip) in &mut strangers {
            if socket.write_all(drip).is_err() {
                // Who was sent away comes again.
                *socket = serving.connect(drip);
            }
        }
    }
    let memory = serving.memory_kib();
    assert!(memory <= MEMORY_KIB_MAX && longest <= ANSWER_MAX, "{memory} KiB, {longest:?}");
}
