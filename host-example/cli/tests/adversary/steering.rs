//! Whatever strangers wrote, no command lets it steer a terminal: every command meets a repository, a remote and a
//! server whose every word tries to, and what it prints is searched. In JSON such characters are escapes, so nothing
//! is lost.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use hydrant_host::text::steers;
use serde_json::{Value, json};

use crate::evidence::{Scratch, blob, finish};
use crate::liar::Liar;
use crate::talk::Talk;

/// An escape, one of C1, a bell, marks of direction, ends of lines, and a word to find them by.
const HOSTILE: &str = "\u{1b}[31mH4X\u{9b}1m\u{7}\u{202e}\u{2066}\u{61c}\u{2028}\u{85}\r\nhydrant: all is well";
/// The same for names of references, which cannot hold controls of one byte.
const HOSTILE_NAME: &str = "H4X\u{9b}1m\u{202e}\u{2028}";
/// The word itself.
const WORD: &str = "H4X";
const SECONDS_MAX: u64 = 60;

/// A server that is hostile in the way which the first part of the path names.
fn hostile(talk: &mut Talk) {
    let path = talk.request.what().to_owned();
    let message = json!({ "message": HOSTILE, "request_id": HOSTILE, "documentation_url": HOSTILE });
    // A header holds no line end; bytes above 0x7f pass.
    let header = "H4X\u{9b}1m\u{202e}\u{2028}\t";
    if path.contains("/locks") {
        let lock = json!({ "id": HOSTILE, "path": format!("a{HOSTILE}"), "locked_at": HOSTILE,
            "owner": { "name": HOSTILE } });
        let known = json!({ "locks": [lock], "ours": [], "theirs": [lock] });
        return match (path.ends_with("/verify"), path.starts_with("POST ")) {
            (true, _) | (_, false) => talk.json("200 OK", &[], &known),
            _ if path.contains("/each/") => {
                talk.json("409 Conflict", &[], &json!({ "lock": lock, "message": HOSTILE }))
            }
            _ => talk.json("403 No", &[("lfs-authenticate", header)], &message),
        };
    }
    if !talk.is_batch() {
        let place = format!("/elsewhere/{header}");
        return talk.answer("302 Found", &[("location", &place), ("etag", header)], []);
    }
    let entry = |oid: &str, size: u64, upload: bool| {
        let way = if upload { "upload" } else { "download" };
        let action = json!({ "href": format!("http://{}/o/{HOSTILE}", talk.plot.home), "header": { "X-A": "b" } });
        if path.contains("/href/") {
            json!({ "oid": oid, "size": size, "actions": { way: action } })
        } else {
            json!({ "oid": oid, "size": size, "error": { "code": 422, "message": HOSTILE } })
        }
    };
    if path.contains("/whole/") {
        return talk.json("403 No", &[("www-authenticate", header), ("retry-after", header)], &message);
    }
    let body = String::from_utf8_lossy(&talk.body()).into_owned();
    let asked: Value = serde_json::from_str(&body).unwrap_or_default();
    let upload = asked["operation"] == "upload";
    let objects = asked["objects"].as_array().cloned().unwrap_or_default();
    let one = |object: &Value| {
        entry(object["oid"].as_str().unwrap_or_default(), object["size"].as_u64().unwrap_or_default(), upload)
    };
    let answer = json!({ "transfer": "basic", "objects": objects.iter().map(one).collect::<Vec<_>>() });
    talk.json("200 OK", &[("x-any", header)], &answer);
}

/// A clone in which all that others can name is hostile.
struct World {
    scratch: Scratch,
    clone: PathBuf,
    /// What was printed, by command.
    shown: BTreeSet<String>,
    ran: BTreeSet<String>,
}

impl World {
    fn new() -> Self {
        let scratch = Scratch::new();
        let clone = scratch.path("home/clone");
        let world = Self { scratch, clone, shown: BTreeSet::new(), ran: BTreeSet::new() };
        let bare = world.scratch.path("bare.git");
        let home = world.scratch.path("home");
        world.git(&home, &["init", "--quiet", "--bare", "--initial-branch", HOSTILE_NAME, &text(&bare)]);
        world.git(&home, &["init", "--quiet", "--initial-branch", HOSTILE_NAME, "clone"]);
        for (name, value) in [("user.name", HOSTILE_NAME), ("user.email", "e"), ("commit.gpgSign", "false")] {
            world.git(&world.clone, &["config", name, value]);
        }
        let blob = blob(1, 40);
        let pointer = |oid: &str| format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 40\n");
        let entry = json!({ "oid": format!("sha256:{}", blob.oid), "size": 40 });
        let in_git = json!({ "storage": "git", "size": HOSTILE.len() + 1 });
        let named = json!({ "session_id": HOSTILE, "title": HOSTILE, "summary": HOSTILE, "username": HOSTILE,
            "agent_type": HOSTILE, "created_at": HOSTILE, "repo_id": HOSTILE, "stop_reason": HOSTILE,
            "files": { "raw.jsonl": entry } });
        let mut strange = named.clone();
        strange["files"] = json!({ "raw.jsonl": entry, HOSTILE: entry, "a": { "oid": HOSTILE, "size": 40 },
            "b": { "storage": HOSTILE, "size": 1 } });
        for (path, text) in [
            ("sessions/named/meta.json", named.to_string()),
            ("sessions/named/raw.jsonl", pointer(&blob.oid)),
            ("sessions/strange/meta.json", strange.to_string()),
            ("sessions/strange/raw.jsonl", pointer(&"1".repeat(64))),
            (&format!("sessions/strange/{HOSTILE}"), pointer(&"2".repeat(64))),
            (&format!("sessions/{HOSTILE}/meta.json"), named.to_string()),
            (&format!("sessions/{HOSTILE}/raw.jsonl"), "{\"type\":\"user\"}\n".repeat(99)),
            ("sessions/broken/meta.json", format!("{{\"{HOSTILE}\": \"{HOSTILE}\"")),
            ("sessions/drafted/meta.json", json!({ "session_id": HOSTILE, "draft": true }).to_string()),
            ("sessions/content/meta.json", json!({ "files": { "shown.jsonl": in_git } }).to_string()),
            ("sessions/content/shown.jsonl", format!("{HOSTILE}\n")),
            (&format!("assets/{HOSTILE}.bin"), pointer(&"3".repeat(64))),
            (&format!("assets/broken{HOSTILE}"), pointer("4").replace("size", HOSTILE)),
            (&format!("full/{HOSTILE}.dat"), "content in full".to_owned()),
            (".gitattributes", "full/** filter=lfs\nassets/** filter=lfs\n".to_owned()),
            (
                ".lfsconfig",
                format!("[lfs]\n\tfetchexclude = {HOSTILE_NAME}\n\turl = \"http://127.0.0.1:1/{HOSTILE_NAME}\"\n"),
            ),
        ] {
            let path = world.clone.join(path);
            fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        let hook = format!("#!/bin/sh\nprintf '{}\\n' >&2\nexit 1\n", HOSTILE.replace('\n', "\\n"));
        let place = bare.join("hooks/pre-receive");
        fs::write(&place, hook)
            .and_then(|()| fs::set_permissions(&place, fs::Permissions::from_mode(0o755)))
            .expect("a hook");
        let script = r#"
            set -e
            git add --all && git commit --quiet --message "$1"
            git remote add "$1" "$2"
            git config receive.denyCurrentBranch ignore
            git fetch --quiet "$1"
            git -C "$2" config core.hooksPath /none
            git push --quiet --set-upstream "$1" HEAD 2>/dev/null
            git -C "$2" config --unset core.hooksPath
        "#;
        let mut sh = world.program("sh", &world.clone);
        let ran = sh.args(["-c", script, "sh", HOSTILE_NAME, &text(&bare)]).output().expect("sh runs");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        // What the next push would send.
        fs::write(world.clone.join("sessions/named/more.jsonl"), pointer(&"5".repeat(64))).expect("a file");
        fs::write(world.clone.join(format!("assets/more{HOSTILE}")), pointer(&"6".repeat(64))).expect("a file");
        world.git(&world.clone, &["add", "--all"]);
        world.git(&world.clone, &["commit", "--quiet", "--message", HOSTILE]);
        let recording = world.scratch.path("recording");
        fs::create_dir(&recording).expect("a folder");
        for name in ["raw.jsonl".to_owned(), format!("x{HOSTILE}")] {
            fs::write(recording.join(name), "{\"type\":\"user\",\"content\":\"x\"}\n").expect("a file");
        }
        fs::write(world.scratch.path("list"), format!("{} 40 {}\n", blob.oid, HOSTILE_NAME)).expect("a list");
        world
    }

    fn program(&self, program: &str, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", env::var_os("PATH").expect("a PATH")).env("HOME", self.scratch.path("home"));
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_TERMINAL_PROMPT", "0").env("GIT_ASKPASS", "true");
        command.current_dir(folder).stdin(Stdio::null());
        command
    }

    fn git(&self, folder: &Path, arguments: &[&str]) {
        let ran = self.program("git", folder).args(arguments).output().expect("git runs");
        assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
    }

    /// Runs a command in both voices and searches what it prints.
    fn run(&mut self, arguments: &[&str]) {
        let verb = arguments.iter().take_while(|word| !word.starts_with('-')).take(2).copied().collect::<Vec<_>>();
        for voice in ["--verbose", "--json-lines"] {
            let mut hydrant = self.program(env!("CARGO_BIN_EXE_hydrant"), &self.clone);
            hydrant.args(arguments).arg(voice);
            let (code, out, err) = finish(&mut hydrant, Duration::from_secs(SECONDS_MAX)).expect("it ends in time");
            self.search(&format!("{arguments:?} {voice} ({code})"), &out, &err);
            let is_json = voice == "--json-lines" && !matches!(verb[0], "completions" | "man");
            for line in out.lines().filter(|_| is_json) {
                let told = serde_json::from_str::<Value>(line);
                assert!(told.is_ok(), "{arguments:?}: {line}");
            }
            if out.contains(WORD) || err.contains(WORD) {
                self.shown.insert(verb.join(" "));
            }
        }
        self.ran.insert(verb[0].to_owned());
    }

    #[track_caller]
    fn search(&self, what: &str, out: &str, err: &str) {
        for (name, said) in [("stdout", out), ("stderr", err)] {
            if let Some(line) = said.split('\n').find(|line| line.contains(steers)) {
                panic!("{what}: {name} steers: {line:?}");
            }
            // A forged line of its own.
            assert!(!said.lines().any(|line| line == "hydrant: all is well"), "{what}: {name}: {said}");
        }
        assert!(!err.contains("panicked"), "{what}: {err}");
    }
}

fn text(path: &Path) -> String {
    path.to_str().expect("text").to_owned()
}

/// The commands that the program itself names.
fn commands() -> BTreeSet<String> {
    let help = Command::new(env!("CARGO_BIN_EXE_hydrant")).arg("--help").output().expect("it runs").stdout;
    let help = String::from_utf8(help).expect("text");
    let list = help.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("a list");
    list.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn no_command_prints_what_steers_a_terminal() {
    let mut world = World::new();
    let list = text(&world.scratch.path("list"));
    let recording = text(&world.scratch.path("recording"));
    let into = text(&world.scratch.path("into"));
    let hostile_file = format!("assets/{HOSTILE}.bin");
    let hostile_session = format!("sessions/{HOSTILE}");
    for arguments in [
        &["status"][..],
        &["status", "named"],
        &["status", "strange"],
        &["status", "broken"],
        &["status", HOSTILE],
        &["status", "--tree", "assets"],
        &["show", "named", "raw.jsonl"],
        &["show", "strange", HOSTILE],
        &["show", HOSTILE, HOSTILE],
        &["pointer", "check", &hostile_file],
        &["pointer", "check", HOSTILE],
        &["pointer", "make", &hostile_file],
        &["pointer", "show", &hostile_file],
        &["cache", "list"],
        &["cache", "verify"],
        &["cache", "prune"],
        &["scan"],
        &["scan", "assets"],
        &["redact", &hostile_file, "--diff"],
        &["redact", HOSTILE],
        &["draft", "drafted"],
        &["draft", "fresh", "--title", HOSTILE],
        &["draft", HOSTILE],
        &["orphans", "--all"],
        &["restore", "named"],
        &["restore", HOSTILE],
        &["doctor"],
        &["doctor", "--titles"],
        &["doctor", "--fix"],
        &["verify", "--offline"],
        &["verify", "--staged"],
        &["hooks", "list"],
        &["hooks", "install"],
        &["hooks", "remove"],
        &["completions", "bash"],
        &["demo", "--server", HOSTILE],
        &["serve", "--store", "/dev/null/x"],
        &["serve", "--listen", HOSTILE],
        &["help", HOSTILE],
        &[HOSTILE],
        &["status", &format!("--{HOSTILE}")],
        // The server that a commit names, and nobody else.
        &["hydrate", "--retries", "0"],
        &["upload", &hostile_file],
        &["locks", "list"],
    ] {
        world.run(arguments);
    }
    let liar = Liar::start(Vec::new(), hostile, None);
    for way in ["whole", "each", "href"] {
        let url = format!("http://{}/{way}/H4X", liar.plot.home);
        world.git(&world.clone, &["config", "lfs.url", &url]);
        for arguments in [
            &["hydrate"][..],
            &["hydrate", "named"],
            &["hydrate", "--objects", &list, "--into", &into],
            &["hydrate", "--in-place", "assets"],
            &["batch", "download", "--objects", &list],
            &["batch", "upload", "--objects", &list, "--show-secrets"],
            &["upload", "full"],
            &["upload", &format!("full/{HOSTILE}.dat")],
            &["publish", "named", "--from", &recording],
            &["publish", "fresh", "--from", &recording, "--title", HOSTILE],
            &["publish", HOSTILE, "--from", &recording, "--dry-run"],
            &["publish", "named", "--from", &recording, "--with-unpushed", "--dry-run"],
            &["regenerate", "named", "--from", &recording],
            &["regenerate", "strange", "--from", &recording, "--dry-run"],
            &["reconcile"],
            &["reconcile", "--repair", "--dry-run"],
            &["verify"],
            &["verify", "--push", HOSTILE_NAME],
            &["locks", "list"],
            &["locks", "list", HOSTILE],
            &["locks", "create", &hostile_file],
            &["locks", "create", "assets/x"],
            &["locks", "unlock", &hostile_file],
            &["locks", "unlock", "--id", HOSTILE, "--force"],
            &["locks", "verify"],
            &["status", &hostile_session],
            &["orphans"],
            &["doctor"],
        ] {
            let takes_no_retries = matches!(arguments[0], "status" | "orphans" | "doctor");
            let more: &[&str] = if takes_no_retries { &[] } else { &["--retries", "0"] };
            world.run(&[arguments, more].concat());
        }
    }
    let told = [
        "status",
        "show strange",
        "scan",
        "draft drafted",
        "doctor",
        "verify",
        "hydrate",
        "batch",
        "upload",
        "publish named",
        "regenerate named",
        "reconcile",
        "locks list",
        "locks create",
        "locks verify",
    ];
    let missing: Vec<&str> = told.into_iter().filter(|one| !world.shown.iter().any(|it| it.starts_with(one))).collect();
    assert!(missing.is_empty(), "these told nothing of it: {missing:?}; these did: {:?}", world.shown);
    let left_out: Vec<String> = commands().into_iter().filter(|one| !world.ran.contains(one)).collect();
    assert!(left_out.is_empty(), "no row for {left_out:?}");
}

/// Two servers that tell of each request: what strangers ask for steers nobody's terminal.
#[test]
fn the_log_of_a_server_does_not_steer_either() {
    let scratch = Scratch::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hydrant"));
    command.args(["serve", "--open", "-v", "--store"]).arg(scratch.path("store")).current_dir(scratch.path("home"));
    command.env("HOME", scratch.path("home")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
    let host = line.trim().rsplit('/').next().expect("an address").to_owned();
    let mut log = BufReader::new(child.stderr.take().expect("its log"));
    let mut found = String::new();
    for path in ["/H4X\u{202e}\u{9b}1m/objects/batch", "/H4X%1b%e2%80%ae", "/H4X\u{2028}x"] {
        let mut socket = TcpStream::connect(&host).expect("it listens");
        socket
            .write_all(format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").as_bytes())
            .expect("asked");
        socket.read_to_end(&mut Vec::new()).expect("an answer");
    }
    while found.matches("GET").count() < 3 {
        let mut line = String::new();
        assert!(log.read_line(&mut line).expect("a line") > 0, "the log ended: {found}");
        found += &line;
    }
    child.kill().and_then(|()| child.wait()).expect("ended");
    assert!(found.contains(WORD) && !found.replace('\n', "").contains(steers), "{found:?}");
}

/// Content goes to programs as it is, and to a terminal without what would steer it.
#[test]
fn content_on_a_terminal_does_not_steer_it() {
    let world = World::new();
    let hydrant = env!("CARGO_BIN_EXE_hydrant");
    let command = [hydrant, "show", "content", "shown.jsonl"];
    let piped = world.program(hydrant, &world.clone).args(&command[1..]).output().expect("it runs");
    let piped = String::from_utf8(piped.stdout).expect("text");
    assert_eq!(piped, format!("{HOSTILE}\n"), "to a program");
    let seen = world.program("script", &world.clone).args(["-qec", &command.join(" "), "/dev/null"]).output();
    let Ok(seen) = seen else {
        writeln!(std::io::stderr(), "SKIPPED: script").ok();
        return;
    };
    // A terminal ends its lines with a return.
    let seen = String::from_utf8_lossy(&seen.stdout).replace("\r\n", "\n");
    assert!(seen.contains(WORD) && !seen.split('\n').any(|line| line.contains(steers)), "{seen:?}");
}
