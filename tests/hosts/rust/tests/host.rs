//! The Rust host against a real server.

use std::fs;
use std::path::{Path, PathBuf};

use hydrant_server::{RunningServer, Server, ServerConfig, TOKEN_USER};
use rust_host::Host;
use rust_host::contract::types::{Code, LfsError};
use rust_host::contract::{Source, TransferReport, Want};
use wasmtime::Engine;
use wasmtime::component::Component;

/// A folder that goes away, a server in it, and a host.
struct Scene {
    folder: PathBuf,
    server: RunningServer,
    host: Host,
}

impl Scene {
    fn new(name: &str) -> Scene {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("rust-host-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let server = Server::spawn(ServerConfig::new(folder.join("server"))).expect("a server");
        let host = Host::open(&component(), folder.join("blobs")).expect("a host");
        Scene { folder, server, host }
    }

    fn endpoint(&self) -> String {
        format!("{}/repository", self.server.url())
    }

    fn login(&self) -> Option<(String, String)> {
        Some((TOKEN_USER.into(), self.server.token().into()))
    }

    fn source(&self, name: &str, bytes: &[u8]) -> Source {
        let path = self.folder.join(name);
        fs::write(&path, bytes).expect("a file");
        Source { name: path.to_str().expect("UTF-8").into(), expects: None }
    }

    /// The blobs in the host's folder, and nothing else there.
    fn held(&self) -> Vec<Vec<u8>> {
        let entries = fs::read_dir(self.folder.join("blobs")).expect("the folder");
        let mut held: Vec<Vec<u8>> =
            entries.map(|entry| fs::read(entry.expect("an entry").path()).expect("a blob and no folder")).collect();
        held.sort();
        held
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.folder).ok();
    }
}

fn component() -> Component {
    // `cargo xtask build` has put it there. Anywhere else: `Component::from_file`, with wasmtime's own compiler.
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("dist").join("hydrant-transfers.cwasm");
    // SAFETY: compiled by this project's build, and by nobody else.
    unsafe { Component::deserialize_file(&Engine::default(), file) }.expect("the component fits")
}

fn run<T>(wanted: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(wanted)
}

fn codes(report: &TransferReport) -> Vec<Option<Code>> {
    report.outcomes.iter().map(|outcome| outcome.ended.as_ref().err().map(|error: &LfsError| error.code)).collect()
}

#[test]
fn files_go_up_and_blobs_come_down() {
    let scene = Scene::new("both-ways");
    let blobs: Vec<Vec<u8>> = [0, 1, 1023, 1024, 65_537, 5 << 20].map(|size| vec![b'x'; size]).into();
    let files: Vec<Source> = blobs.iter().map(|bytes| scene.source(&format!("file {}", bytes.len()), bytes)).collect();
    let sent = run(scene.host.upload(&scene.endpoint(), &files, scene.login())).expect("a report");
    assert_eq!(codes(&sent), [None; 6], "{sent:?}");
    let want = |outcome: &rust_host::contract::Outcome| Want {
        name: outcome.name.clone(),
        oid: outcome.oid.clone(),
        size: outcome.size,
    };
    let wants: Vec<Want> = sent.outcomes.iter().map(want).collect();
    let got = run(scene.host.hydrate(&scene.endpoint(), &wants, scene.login())).expect("a report");
    assert_eq!(codes(&got), [None; 6], "{got:?}");
    let mut expected = blobs[1..].to_vec();
    expected.sort();
    let mut held = scene.held();
    held.retain(|bytes| !bytes.is_empty());
    assert_eq!(held, expected);
    // What is held is not asked for: this address has no server.
    let again = run(scene.host.hydrate("http://127.0.0.1:1/repository", &wants, None)).expect("a report");
    assert_eq!(codes(&again), [None; 6], "{again:?}");
}

#[test]
fn wrong_bytes_are_never_held() {
    let scene = Scene::new("wrong-bytes");
    let file = scene.source("file", &vec![b'x'; 100_000]);
    let sent = run(scene.host.upload(&scene.endpoint(), &[file], scene.login())).expect("a report");
    let blob = &sent.outcomes[0];
    spoil(&scene.folder.join("server"), &blob.oid);
    let wants = [Want { name: "spoilt".into(), oid: blob.oid.clone(), size: blob.size }];
    let got = run(scene.host.hydrate(&scene.endpoint(), &wants, scene.login())).expect("a report");
    assert_eq!(codes(&got), [Some(Code::Integrity)], "{got:?}");
    assert_eq!(scene.held(), Vec::<Vec<u8>>::new());
}

/// Changes the last byte of a blob, wherever in this folder it lies.
fn spoil(folder: &Path, oid: &str) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            spoil(&path, oid);
        } else if path.file_name().is_some_and(|name| name == oid) {
            let mut bytes = fs::read(&path).expect("the blob");
            *bytes.last_mut().expect("a byte") ^= 1;
            // Where a store keeps its blobs read-only, a new file takes its place.
            fs::remove_file(&path).expect("the old one goes");
            fs::write(&path, bytes).expect("the new one");
        }
    }
}

#[test]
fn every_end_is_a_report() {
    let scene = Scene::new("ends");
    let wants = [Want { name: "nobody has it".into(), oid: "0".repeat(64), size: 3 }];
    let missing = run(scene.host.hydrate(&scene.endpoint(), &wants, scene.login())).expect("a report");
    assert_eq!(codes(&missing), [Some(Code::Missing)], "{missing:?}");
    let stranger = run(scene.host.hydrate(&scene.endpoint(), &wants, None)).expect("a report");
    assert_eq!(codes(&stranger), [Some(Code::Auth)], "{stranger:?}");
    let nowhere = run(scene.host.hydrate("ftp://127.0.0.1/repository", &wants, None)).expect("a report");
    assert!(nowhere.ended.is_err(), "{nowhere:?}");
    let gone = Source { name: scene.folder.join("gone").to_str().expect("UTF-8").into(), expects: None };
    let absent = run(scene.host.upload(&scene.endpoint(), &[gone], scene.login())).expect("a report");
    assert!(absent.outcomes[0].ended.is_err(), "{absent:?}");
    assert_eq!(scene.held(), Vec::<Vec<u8>>::new());
}

#[test]
fn the_documentation_shows_the_loop_as_it_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(root.join("../../../docs/embedding.md")).expect("the documentation");
    let (_, shown) = document.split_once("```rust\n").expect("a block of Rust");
    let (shown, _) = shown.split_once("```\n").expect("its end");
    let source = fs::read_to_string(root.join("src/lib.rs")).expect("the source");
    let source: String =
        source.lines().map(|line| line.strip_prefix("        ").unwrap_or(line).to_owned() + "\n").collect();
    assert!(source.contains(shown), "the loop of docs/embedding.md is not the one in src/lib.rs:\n{shown}");
}
