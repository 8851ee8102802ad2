//! The whole way: engine, driver, store, files and a real server on loopback.

use std::fs;
use std::path::Path;

use super::{Unwatched, Watch, run};
use crate::contract::operations::{Outcome, Source, Want};
use crate::contract::types::{Blob, Code};
use crate::driver::host::Host;
use crate::engine::Engine;
use crate::files::Files;
use crate::files::digest::blob_of;
use crate::files::scratch::Scratch;
use crate::net::login::Logins;
use crate::store::{Look, Store};
use hydrant_server::{RunningServer, Server, ServerConfig};

fn server(folder: &Path) -> RunningServer {
    Server::spawn(ServerConfig::new(folder)).expect("a server on loopback")
}

/// A host that knows the server's token.
fn host(server: &RunningServer, store: Store, files: &Path) -> Host {
    let mut logins = Logins::new();
    let login = format!("http://hydrant:{}@", server.token());
    let endpoint = logins.take_userinfo(&server.url().replace("http://", &login)).expect("a URL");
    logins.trust(&endpoint).expect("a URL");
    let builder = Host::builder().endpoint(&endpoint).logins(logins).store(store);
    builder.files(Files::beneath(files).expect("a folder")).build().expect("a host")
}

/// An empty, a tiny, a small and a large file.
fn contents(folder: &Path) -> Vec<(String, Blob)> {
    let mut made = Vec::new();
    for size in [0_usize, 500, 5_000, 700_000] {
        let bytes: Vec<u8> = (0..size).map(|at| (at % 239) as u8).collect();
        let name = format!("file-{size}");
        fs::write(folder.join(&name), &bytes).expect("a file");
        made.push((name, blob_of(&bytes)));
    }
    made
}

fn upload(server: &RunningServer, host: &mut Host, files: &[(String, Blob)]) -> Vec<Outcome> {
    let engine = Engine::load().expect("the embedded engine");
    let mut guest = engine.guest().expect("a sandbox");
    let config = guest.default_config(&format!("{}/r", server.url()), 1).expect("a configuration");
    let sources: Vec<Source> = files.iter().map(|(name, _)| Source { name: name.clone(), expects: None }).collect();
    let mut op = guest.upload(&config, &sources).expect("an operation");
    run(&mut op, host, &mut Unwatched).expect("driven to its end");
    op.finish_transfer().expect("a report").outcomes
}

fn hydrate(server: &RunningServer, host: &mut Host, watch: &mut dyn Watch, files: &[(String, Blob)]) -> Vec<Outcome> {
    let engine = Engine::load().expect("the embedded engine");
    let mut guest = engine.guest().expect("a sandbox");
    let config = guest.default_config(&format!("{}/r", server.url()), 1).expect("a configuration");
    let want = |(name, blob): &(String, Blob)| Want { name: name.clone(), oid: blob.oid.clone(), size: blob.size };
    let wants: Vec<Want> = files.iter().map(want).collect();
    let mut op = guest.hydrate(&config, &wants).expect("an operation");
    run(&mut op, host, watch).expect("driven to its end");
    op.finish_transfer().expect("a report").outcomes
}

/// Keeps what was told.
#[derive(Default)]
struct Told {
    ended: Vec<String>,
    lines: Vec<String>,
}

impl Watch for Told {
    fn progress(&mut self, name: &str, done: u64, total: u64) {
        if done == total {
            self.ended.push(name.to_owned());
        }
    }

    fn wants_trace(&self) -> bool {
        true
    }

    fn trace(&mut self, line: &str) {
        self.lines.push(line.to_owned());
    }
}

#[test]
fn what_was_uploaded_is_hydrated_verified_and_then_present() {
    let scratch = Scratch::new();
    let files = contents(scratch.path());
    let server = server(&scratch.path().join("objects"));
    let cache = scratch.path().join("hydrant");
    let mut publisher = host(&server, Store::cache(&scratch.path().join("other")).expect("a cache"), scratch.path());
    for outcome in upload(&server, &mut publisher, &files) {
        assert!(outcome.ended.is_ok(), "{outcome:?}");
    }

    let mut reader = host(&server, Store::cache(&cache).expect("a cache"), scratch.path());
    let mut told = Told::default();
    for outcome in hydrate(&server, &mut reader, &mut told, &files) {
        assert!(outcome.ended.is_ok(), "{outcome:?}");
    }
    for (name, blob) in &files {
        assert!(told.ended.contains(name), "{name}");
        let store = reader.store_mut().expect("a store");
        assert!(matches!(store.open_verified(&blob.oid, blob.size), Ok(Look::Content(_))), "{name}");
    }
    let said = told.lines.join("\n");
    assert!(said.contains("http POST") && said.contains("keep-blob"));
    assert!(!said.contains(server.token()) && !said.contains("Bearer"), "{said}");

    let asked = server.stats().batches;
    for outcome in hydrate(&server, &mut reader, &mut Unwatched, &files) {
        assert!(outcome.ended.is_ok(), "{outcome:?}");
    }
    assert_eq!(server.stats().batches, asked, "what is present is not asked for");
    assert!(!reader.interrupted());
}

/// A server gives each object a login of its own. What is known of logins does not grow with them.
#[test]
fn logins_that_a_server_hands_out_are_not_kept() {
    let scratch = Scratch::new();
    let file = |at: usize| {
        let (name, bytes) = (format!("file-{at}"), format!("bytes of {at}"));
        fs::write(scratch.path().join(&name), &bytes).expect("a file");
        (name, blob_of(bytes.as_bytes()))
    };
    let files: Vec<(String, Blob)> = (0..100).map(file).collect();
    let server = server(&scratch.path().join("objects"));
    let mut both = host(&server, Store::into_dir(&scratch.path().join("into")).expect("a folder"), scratch.path());
    hydrate(&server, &mut both, &mut Unwatched, &files);
    let known = both.shared.spoken.count();
    assert!(known > 0, "the login of the first batch request");
    for outcome in
        upload(&server, &mut both, &files).into_iter().chain(hydrate(&server, &mut both, &mut Unwatched, &files))
    {
        assert!(outcome.ended.is_ok(), "{outcome:?}");
    }
    assert_eq!(server.stats().puts, 100);
    assert_eq!(both.shared.spoken.count(), known);
}

#[test]
fn one_missing_object_leaves_the_others_alone() {
    let scratch = Scratch::new();
    let mut files = contents(scratch.path());
    let server = server(&scratch.path().join("objects"));
    let mut both = host(&server, Store::into_dir(&scratch.path().join("into")).expect("a folder"), scratch.path());
    upload(&server, &mut both, &files);
    files.push(("never uploaded".into(), blob_of(b"never uploaded")));
    let outcomes = hydrate(&server, &mut both, &mut Unwatched, &files);
    let failed: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.ended.is_err()).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].name, "never uploaded");
    assert!(matches!(&failed[0].ended, Err(error) if error.code == Code::Missing));
}

#[test]
fn without_a_login_the_whole_operation_says_so() {
    let scratch = Scratch::new();
    let files = contents(scratch.path());
    let server = server(&scratch.path().join("objects"));
    let store = Store::cache(&scratch.path().join("hydrant")).expect("a cache");
    let mut nobody = Host::builder().endpoint(&server.url()).store(store).build().expect("a host");
    let engine = Engine::load().expect("the embedded engine");
    let mut guest = engine.guest().expect("a sandbox");
    let config = guest.default_config(&format!("{}/r", server.url()), 1).expect("a configuration");
    let want = Want { name: "a".into(), oid: files[1].1.oid.clone(), size: files[1].1.size };
    let mut op = guest.hydrate(&config, &[want]).expect("an operation");
    run(&mut op, &mut nobody, &mut Unwatched).expect("driven to its end");
    let report = op.finish_transfer().expect("a report");
    assert_eq!(report.ended.expect_err("no login").code, Code::Auth);
    assert_eq!(report.outcomes[0].ended.as_ref().expect_err("no login").code, Code::Auth, "each object says so, too");
}
