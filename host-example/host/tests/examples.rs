//! The examples run, and the documentation shows what stands in them.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{self, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::{env, thread};

use hydrant_host::files::digest::blob_of;
use hydrant_host::{Client, ServerOptions, UploadFiles, UploadOptions};
use hydrant_server::{RunningServer, Server, ServerConfig};

const TOKEN: &str = "tok-of-the-examples";

#[test]
fn the_smallest_program_hydrates() {
    let scene = Scene::new(None);
    let blobs = [scene.bytes("one", 300_000), scene.bytes("two", 5)];
    let repository = scene.repository(&blobs);
    scene.configure(&repository, &scene.url(&format!("me:{TOKEN}@")));
    for _ in 0..2 {
        let output = scene.example("hydrate").arg(&repository).output().expect("it runs");
        ended(&output, 0);
        assert_eq!(said(&output.stdout), "one.bin: 300000 bytes\ntwo.bin: 5 bytes\n");
    }
    assert!(held_in(&repository.join(".git/hydrant"), &blobs));

    let output = scene.example("hydrate").arg(scene.folder.join("home")).output().expect("it runs");
    ended(&output, 1);
    assert!(said(&output.stderr).contains("this folder is in no git repository"), "{}", said(&output.stderr));
}

#[test]
fn an_embedder_brings_its_own_login_and_place() {
    let scene = Scene::new(None);
    let blobs = [scene.bytes("one", 300_000), scene.bytes("two", 70_000)];
    let repository = scene.repository(&blobs);
    scene.configure(&repository, &scene.url(""));

    let refused = scene.embedder(&repository).env("EMBEDDER_TOKEN", "another").output().expect("it runs");
    ended(&refused, 3);

    let output = scene.embedder(&repository).output().expect("it runs");
    ended(&output, 0);
    assert_eq!(said(&output.stdout), "one.bin Present\ntwo.bin Present\n");
    let words = said(&output.stderr);
    assert!(words.contains(&format!("a login for {}", scene.url(""))), "{words}");
    assert!(words.lines().last().is_some_and(|line| line == "[####################] 2 of 2 objects"), "{words}");
    assert!(!words.contains(TOKEN), "{words}");
    assert!(held_in(&scene.store(), &blobs));
    assert!(!repository.join(".git/hydrant").exists(), "git's own folder has nothing of it");
}

#[test]
fn an_embedder_answers_questions_of_trust() {
    let scene = Scene::new(None);
    let blobs = [scene.bytes("one", 1000)];
    let repository = scene.repository(&blobs);
    let url = scene.url("");
    fs::write(repository.join(".lfsconfig"), format!("[lfs]\n\turl = {url}\n")).expect("a file");

    let before = scene.server.stats().batches;
    let output = scene.embedder(&repository).output().expect("it runs");
    ended(&output, 3);
    assert!(said(&output.stderr).contains("AskForObjects at http://127.0.0.1"), "{}", said(&output.stderr));
    assert_eq!(scene.server.stats().batches, before, "it is not asked");

    let output = scene.embedder(&repository).env("EMBEDDER_TRUSTS", scene.server.url()).output().expect("it runs");
    ended(&output, 0);
    assert!(said(&output.stderr).contains("SendLogin at http://127.0.0.1"), "{}", said(&output.stderr));
    assert!(held_in(&scene.store(), &blobs));
}

#[test]
fn what_is_cancelled_ends_in_good_order_and_the_next_run_completes_it() {
    let gate = Gate::new();
    let scene = Scene::new(Some(&gate));
    let blobs = [scene.bytes("one", 200_000), scene.bytes("two", 90_000), scene.bytes("three", 400_000)];
    let repository = scene.repository(&blobs);
    scene.configure(&repository, &gate.url());
    gate.hold(&blob_of(&blobs[2].1).oid);

    let mut command = scene.embedder(&repository);
    let mut running =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    let mut lines = BufReader::new(running.stderr.take().expect("piped")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.ends_with("2 of 3 objects")), "two come, and the third is held back");
    writeln!(running.stdin.as_mut().expect("piped"), "enough").expect("it listens");
    thread::spawn(move || lines.for_each(drop));
    let output = running.wait_with_output().expect("it ends");
    ended(&output, 130);
    assert_eq!(said(&output.stdout), "one.bin Present\nthree.bin Unfinished\ntwo.bin Present\n");
    assert!(held_in(&scene.store(), &blobs[..2]) && !held_in(&scene.store(), &blobs[2..]));

    gate.open();
    let before = scene.server.stats().gets;
    let output = scene.embedder(&repository).output().expect("it runs");
    ended(&output, 0);
    assert!(held_in(&scene.store(), &blobs));
    assert_eq!(scene.server.stats().gets, before + 1, "what was there is not fetched again");
}

#[test]
fn the_documentation_shows_the_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &str| fs::read_to_string(root.join(path)).expect(path);
    let example = read("host-example/host/examples/hydrate.rs");
    let (_, code) = example.split_once("\nuse ").expect("it uses the library");
    let shown = format!("```rust\nuse {code}```\n");
    for document in ["docs/embedding.md", "host-example/README.md"] {
        assert!(read(document).contains(&shown), "{document} shows examples/hydrate.rs from its first `use`");
    }
}

#[track_caller]
fn ended(output: &Output, code: i32) {
    let (out, err) = (said(&output.stdout), said(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "stdout:\n{out}\nstderr:\n{err}");
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Whether a store holds these blobs.
fn held_in(store: &Path, blobs: &[(String, Vec<u8>)]) -> bool {
    blobs.iter().all(|(_, bytes)| {
        let oid = blob_of(bytes).oid;
        fs::read(store.join("cache").join(&oid[..2]).join(&oid)).is_ok_and(|held| held == *bytes)
    })
}

/// A server, and a folder for repositories.
struct Scene {
    server: RunningServer,
    folder: PathBuf,
}

impl Scene {
    fn new(gate: Option<&Gate>) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("hydrant-examples-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(folder.join("home")).expect("a fresh folder");
        let folder = folder.canonicalize().expect("it is there");
        let mut config = ServerConfig::new(folder.join("server"));
        config.token = Some(TOKEN.to_owned());
        config.public_host = gate.map(Gate::origin);
        let server = Server::spawn(config).expect("the server starts");
        if let Some(gate) = gate {
            gate.lead_to(&server);
        }
        Self { server, folder }
    }

    /// The LFS address of a repository on the server; `login` is empty or ends with `@`.
    fn url(&self, login: &str) -> String {
        self.server.url().replace("http://", &format!("http://{login}")) + "/team/models"
    }

    /// Where the embedder keeps blobs.
    fn store(&self) -> PathBuf {
        self.folder.join("store")
    }

    /// Bytes of a blob on the server, and the name of their file.
    fn bytes(&self, name: &str, length: usize) -> (String, Vec<u8>) {
        let bytes: Vec<u8> = name.bytes().cycle().take(length).collect();
        let path = self.folder.join(name);
        fs::write(&path, &bytes).expect("a file");
        let server = ServerOptions { endpoint: Some(self.url(&format!("me:{TOKEN}@"))), ..ServerOptions::default() };
        let options =
            UploadOptions { files: UploadFiles::Named(vec![path]), allow: Vec::new(), server, object_bytes_max: None };
        assert!(Client::new().upload(None, &options).expect("the server answers").is_complete());
        (format!("{name}.bin"), bytes)
    }

    /// A repository with a pointer for each.
    fn repository(&self, blobs: &[(String, Vec<u8>)]) -> PathBuf {
        let folder = self.folder.join("repository");
        fs::create_dir_all(&folder).expect("a folder");
        for (name, bytes) in blobs {
            let blob = blob_of(bytes);
            let head = "version https://git-lfs.github.com/spec/v1";
            let pointer = format!("{head}\noid sha256:{}\nsize {}\n", blob.oid, blob.size);
            fs::write(folder.join(name), pointer).expect("a file");
        }
        self.git(&folder, &["init", "--quiet"]);
        folder
    }

    fn configure(&self, repository: &Path, url: &str) {
        self.git(repository, &["config", "lfs.url", url]);
    }

    fn git(&self, folder: &Path, arguments: &[&str]) {
        let ended = self.program("git").current_dir(folder).args(arguments).status().expect("git runs");
        assert!(ended.success(), "{arguments:?}");
    }

    fn example(&self, name: &str) -> Command {
        // Beside the tests, where `cargo test` builds them, unless it is told to build this test alone.
        let test = env::current_exe().expect("this program has a path");
        let built = test.ancestors().nth(2).expect("the folder of the profile").join("examples").join(name);
        assert!(built.is_file(), "cargo build -p hydrant-host --examples makes {}", built.display());
        self.program(built)
    }

    fn embedder(&self, repository: &Path) -> Command {
        let mut command = self.example("embedder");
        command.arg(repository).arg(self.store()).env("EMBEDDER_TOKEN", TOKEN);
        command
    }

    /// A program with nobody's settings.
    fn program(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        for (name, _) in env::vars_os() {
            let name = name.to_string_lossy();
            if ["GIT_", "HYDRANT_", "OX_"].iter().any(|start| name.starts_with(start)) {
                command.env_remove(name.as_ref());
            }
        }
        command.env("HOME", self.folder.join("home")).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_TERMINAL_PROMPT", "0");
        command.env_remove("XDG_CONFIG_HOME").stdin(Stdio::null());
        command
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.folder).ok();
    }
}

/// A door before a server. A request for a blob that is held back waits, and never passes: only a later one does, when
/// the door is open.
struct Gate {
    listener: TcpListener,
    held: Arc<Held>,
}

#[derive(Default)]
struct Held {
    oid: Mutex<Option<String>>,
    opened: Condvar,
}

impl Gate {
    fn new() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").expect("a port"), held: Arc::default() }
    }

    fn origin(&self) -> String {
        format!("http://{}", self.listener.local_addr().expect("it listens"))
    }

    fn url(&self) -> String {
        self.origin() + "/team/models"
    }

    fn hold(&self, oid: &str) {
        *self.held.oid.lock().expect("no panic") = Some(oid.to_owned());
    }

    fn open(&self) {
        *self.held.oid.lock().expect("no panic") = None;
        self.held.opened.notify_all();
    }

    fn lead_to(&self, server: &RunningServer) {
        let listener = self.listener.try_clone().expect("the same");
        let (held, address) = (Arc::clone(&self.held), server.url().replace("http://", ""));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (held, Ok(server)) = (Arc::clone(&held), TcpStream::connect(&address)) else { return };
                let (answers, to) = (server.try_clone().expect("the same"), client.try_clone().expect("the same"));
                thread::spawn(move || carry(answers, to, |_| true));
                thread::spawn(move || carry(client, server, |bytes| held.lets_pass(bytes)));
            }
        });
    }
}

impl Held {
    /// Whether these bytes may pass; where they may not, only after the door was opened.
    fn lets_pass(&self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        let asks = |oid: &mut Option<String>| oid.as_ref().is_some_and(|oid| text.contains(&format!("/objects/{oid}")));
        let mut oid = self.oid.lock().expect("no panic");
        if !asks(&mut oid) {
            return true;
        }
        drop(self.opened.wait_while(oid, asks).expect("no panic"));
        false
    }
}

/// Carries bytes one way until there are no more, or some may not pass.
fn carry(mut from: TcpStream, mut to: TcpStream, lets_pass: impl Fn(&[u8]) -> bool) {
    let mut piece = [0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut piece) {
        if !lets_pass(&piece[..count]) || to.write_all(&piece[..count]).is_err() {
            break;
        }
    }
    to.shutdown(std::net::Shutdown::Write).ok();
}
