//! A client made of one socket and no opinions, so that a test can send what a polite library would not.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{env, fs, process};

use hydrant_server::{RunningServer, Server, ServerConfig};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

pub(crate) const LFS_JSON: &str = "application/vnd.git-lfs+json";

/// A server with a store of its own, both gone at the end.
pub(crate) struct World {
    pub(crate) server: RunningServer,
    folder: PathBuf,
}

impl World {
    pub(crate) fn open() -> World {
        World::with(|config| config.open = true)
    }

    pub(crate) fn with(adjust: impl FnOnce(&mut ServerConfig)) -> World {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("hydrant-world-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = env::temp_dir().join(name);
        fs::create_dir(&folder).expect("a fresh folder");
        let mut config = ServerConfig::new(folder.join("store"));
        adjust(&mut config);
        World { server: Server::spawn(config).expect("the server starts"), folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn host(&self) -> String {
        self.server.url().trim_start_matches("http://").to_owned()
    }

    pub(crate) fn socket(&self) -> TcpStream {
        let socket = TcpStream::connect(self.host()).expect("the server accepts");
        socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        socket
    }

    /// Sends one request and reads its answer. Host is added unless given.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head.push_str(&format!("host: {}\r\n", self.host()));
        }
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("transfer-encoding")) {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut socket = self.socket();
        socket.write_all(head.as_bytes()).expect("the head is sent");
        socket.write_all(body).expect("the body is sent");
        Reply::read(socket, method == "HEAD")
    }

    /// A JSON request with the protocol's headers.
    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
        let mut all = vec![("accept", LFS_JSON), ("content-type", "application/vnd.git-lfs+json; charset=utf-8")];
        all.extend_from_slice(headers);
        self.send("POST", path, &all, body.to_string().as_bytes())
    }

    pub(crate) fn put(&self, bytes: &[u8]) -> String {
        let oid = oid(bytes);
        assert_eq!(self.send("PUT", &format!("/objects/{oid}"), &[], bytes).status, 200);
        oid
    }

    /// Files of blobs in the store, finished or not.
    pub(crate) fn stored(&self) -> usize {
        let store = self.folder.join("store");
        ["objects", "repositories", "incoming"].iter().map(|name| blobs(&store.join(name))).sum()
    }
}

fn blobs(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("an entry").path());
    let count = |path: PathBuf| if path.is_dir() { blobs(&path) } else { usize::from(!path.ends_with("name")) };
    entries.map(count).sum()
}

impl Drop for World {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.folder).ok();
    }
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// Reads to the end of the connection. The body must be as long as the head says.
    pub(crate) fn read(mut socket: TcpStream, headless: bool) -> Reply {
        let mut bytes = Vec::new();
        socket.read_to_end(&mut bytes).expect("an answer");
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head");
        let head = String::from_utf8(bytes[..end].to_vec()).expect("a head of text");
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        let reply = Reply { status: status.expect("a status"), headers, body: bytes[end + 4..].to_vec() };
        if !headless && let Some(length) = reply.header("content-length") {
            assert_eq!(length, reply.body.len().to_string(), "{head}");
        }
        reply
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some(LFS_JSON));
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

pub(crate) fn oid(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes without a pattern that any layer could shorten, the same for the same seed.
pub(crate) fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
