//! Two clones of one ledger at work, and the program killed at any moment: what each of them published, what lay in
//! their folders and what the server was sent must all be accounted for, after every kill and at the end.
//!
//! The remote itself watches over the order: its hook turns away every pointer whose object the server lacks.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use hydrant_host::files::digest::blob_of;
use serde_json::Value;

use crate::races::turn_away_pointers_without_objects;
use hydrant_kit::scene::{Ran, Scene, noise};
use hydrant_kit::world::{files, find, transcript};

/// Kills in a plain run of the tests; the environment asks for more.
const KILLS: u64 = 20;
const KILLS_VARIABLE: &str = "HYDRANT_TEST_STORY";
/// Kills of one story, before everything is brought to its end and looked at.
const KILLS_OF_A_STORY: u64 = 10;
/// Acts for one kill at most: some end before they are to be killed.
const ACTS_FOR_A_KILL_MAX: u64 = 10;
/// The session of each clone, and the one that both work on.
const OWN: [&str; 2] = ["2026-05-04T09-30-mina-OxQ7wd", "2026-05-04T09-31-theo-OxB2kk"];
const SHARED: &str = "2026-05-05T10-00-both-OxZ9aa";
/// The file of the shared session that only one clone writes.
const OF_THE_SHARED: [&str; 2] = ["summary.md", "plan.md"];

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

struct Story {
    scene: Scene,
    remote: PathBuf,
    clones: [PathBuf; 2],
    dice: Dice,
    /// Milliseconds that an act takes when nobody kills it.
    span: u64,
    /// What lay in a session's folder of a clone and must be found for ever: the file, and its bytes. Who appends to a
    /// file takes the shorter bytes along.
    owed: Vec<(PathBuf, Vec<u8>)>,
    /// The folder that each clone published the shared session from last.
    latest: [Option<PathBuf>; 2],
    made: u64,
    killed: u64,
    /// Each act, for whoever reads of a failure.
    told: Vec<String>,
}

impl Story {
    fn new(seed: u64) -> Self {
        let scene = Scene::new();
        scene.git(&scene.folder, &["init", "--quiet", "--bare", "--initial-branch=main", "remote.git"]);
        let remote = scene.path("remote.git");
        scene.file("first/notes.txt", b"one\n");
        let first = scene.repository("first");
        scene.git(&first, &["push", "--quiet", remote.to_str().expect("text"), "main"]);
        turn_away_pointers_without_objects(&scene, &remote);
        let clones = ["mina", "theo"].map(|name| {
            scene.git(&scene.folder, &["clone", "--quiet", remote.to_str().expect("text"), name]);
            let clone = scene.path(name);
            for (key, value) in [
                ("lfs.url", scene.url().as_str()),
                ("user.name", name),
                ("user.email", "n@example.test"),
                ("hydrant.ledger", "true"),
            ] {
                scene.git(&clone, &["config", key, value]);
            }
            clone
        });
        let (latest, dice) = ([None, None], Dice(seed));
        let (owed, told) = (Vec::new(), Vec::new());
        let mut story = Self { scene, remote, clones, dice, span: 0, owed, latest, made: 0, killed: 0, told };
        // Both sessions of their own and the shared one begin undisturbed, which also tells how long an act takes.
        let started = Instant::now();
        for (clone, own) in OWN.into_iter().enumerate() {
            story.record_in_place(clone);
            story.hydrant(clone, &["publish", own]).ends(0);
        }
        story.span = u64::try_from(started.elapsed().as_millis()).expect("short").max(40) / 2;
        let from = story.recording(0, true);
        story.hydrant(0, &["publish", SHARED, "--from", &from]).ends(0);
        story
    }

    fn hydrant(&self, clone: usize, arguments: &[&str]) -> Ran {
        self.scene.hydrant(&self.clones[clone], arguments)
    }

    fn git(&self, clone: usize, arguments: &[&str]) -> String {
        self.scene.git(&self.clones[clone], arguments)
    }

    /// Content that is in nobody's way: bytes that were never there before.
    fn content(&mut self) -> Vec<u8> {
        self.made += 1;
        let length = usize::try_from(2_000 + self.dice.roll(400_000)).expect("small");
        noise(length, self.dice.0 ^ self.made)
    }

    /// A transcript of its own length.
    fn transcript(&mut self) -> Vec<u8> {
        self.made += 1;
        transcript(usize::try_from(self.made).expect("small"))
    }

    /// The agent of a clone records in its session's folder: into a new file where a pointer stands, at the end of what
    /// is there otherwise.
    fn record_in_place(&mut self, clone: usize) {
        for name in ["raw.jsonl", "session.md"] {
            let more = if name == "raw.jsonl" { self.transcript() } else { self.content() };
            let path = self.clones[clone].join("sessions").join(OWN[clone]).join(name);
            let old = fs::read(&path).unwrap_or_default();
            let new = if old.starts_with(b"version ") { more } else { [old, more].concat() };
            fs::create_dir_all(path.parent().expect("it has one")).expect("folders");
            fs::write(&path, &new).expect("recorded");
            self.owed.retain(|(owed, bytes)| owed != &path || !new.starts_with(bytes));
            self.owed.push((path, new));
        }
    }

    /// A new recording of the shared session outside of every clone; nothing is ever written over there.
    fn recording(&mut self, clone: usize, with_transcript: bool) -> String {
        let folder = format!("recordings/{clone}-{}", self.made + 1);
        if with_transcript {
            let bytes = self.transcript();
            self.scene.file(&format!("{folder}/raw.jsonl"), &bytes);
        }
        let bytes = self.content();
        self.scene.file(&format!("{folder}/{}", OF_THE_SHARED[clone]), &bytes);
        let path = self.scene.path(&folder);
        self.latest[clone] = Some(path.clone());
        path.to_str().expect("text").to_owned()
    }

    /// One act of one clone, killed before its end as often as not.
    fn act(&mut self) {
        let clone = usize::from(self.dice.roll(2) == 1);
        let arguments: Vec<String> = match self.dice.roll(8) {
            0..=2 => {
                self.record_in_place(clone);
                ["publish", OWN[clone]].map(str::to_owned).to_vec()
            }
            3..=4 => {
                let with_transcript = self.dice.roll(2) == 0;
                let from = self.recording(clone, with_transcript);
                let command = if self.dice.roll(2) == 0 { "publish" } else { "regenerate" };
                [command, SHARED, "--from", &from].map(str::to_owned).to_vec()
            }
            5 => vec!["hydrate".to_owned()],
            6 => ["publish", OWN[clone], "--resume"].map(str::to_owned).to_vec(),
            _ => {
                // The user pulls; where work of a killed run is in the way, git says so and changes nothing.
                let mut pull = self.scene.program("git", &self.clones[clone]);
                pull.args(["pull", "--quiet", "--ff-only"]).stdout(Stdio::null()).stderr(Stdio::null());
                pull.status().expect("git runs");
                vec!["status".to_owned()]
            }
        };
        let mut command = self.scene.hydrant_command(&self.clones[clone]);
        let mut child = command.args(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs");
        thread::sleep(Duration::from_millis(self.dice.roll(self.span)));
        let is_over = child.try_wait().expect("it can be asked").is_some();
        self.killed += u64::from(!is_over);
        self.told.push(format!("{clone} {}, over: {is_over}", arguments.join(" ")));
        child.kill().expect("it can be killed");
        let ended = child.wait().expect("it ends");
        assert_ne!(ended.code(), Some(101), "{arguments:?}");
        // A lock of git's own that a killed child left is the user's to remove.
        fs::remove_file(self.clones[clone].join(".git/index.lock")).ok();
        self.nothing_is_lost();
        self.every_blob_is_named(true);
    }

    /// Whatever was interrupted is finished, what is recorded is published, and both clones follow.
    fn end(&mut self) {
        for (clone, own) in OWN.into_iter().enumerate() {
            for session in [own, SHARED] {
                if self.journal(clone, session).is_some() {
                    let said = self.hydrant(clone, &["publish", session, "--resume"]);
                    assert!(matches!(said.code, 0 | 1 | 3), "{}{}", said.out, said.err);
                    self.told.push(format!("{clone} resumes {session}: {} {}", said.code, said.err));
                }
            }
            let said = self.hydrant(clone, &["publish", OWN[clone]]);
            assert_eq!(said.code, 0, "{}{}\n{}", said.out, said.err, self.circumstances(clone));
            self.git(clone, &["pull", "--quiet", "--ff-only"]);
            if let Some(from) = self.latest[clone].clone()
                && (clone == 0 || self.journal(clone, SHARED).is_some())
            {
                // What the other clone published meanwhile is seen now, so this is a decision and no conflict.
                self.hydrant(clone, &["publish", SHARED, "--from", from.to_str().expect("text")]).ends(0);
            }
        }
        for clone in 0..2 {
            self.git(clone, &["pull", "--quiet", "--ff-only"]);
            self.hydrant(clone, &["hydrate"]).ends(0);
            self.hydrant(clone, &["verify", "--deep"]).ends(0);
        }
    }

    /// What a clone looks like, for whoever reads of a failure.
    fn circumstances(&self, clone: usize) -> String {
        let git = |arguments: &[&str]| self.git(clone, arguments);
        let (status, log) = (git(&["status", "--porcelain", "--branch"]), git(&["log", "--oneline", "--all", "-9"]));
        let journals = files(&self.clones[clone].join(".git/hydrant/journal"));
        let journals: Vec<_> = journals.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect();
        format!("{status}{log}{}{}", self.told.join("\n"), journals.join("\n"))
    }

    fn journal(&self, clone: usize, session: &str) -> Option<PathBuf> {
        let path = self.clones[clone].join(format!(".git/hydrant/journal/{session}.json"));
        path.exists().then_some(path)
    }

    /// What lay in a session's folder is there still, or in what the program keeps, or on the server.
    fn nothing_is_lost(&self) {
        let kept: Vec<Vec<u8>> = self.clones.iter().flat_map(|clone| files(&clone.join(".git/hydrant"))).collect();
        for (path, bytes) in &self.owed {
            let in_place = fs::read(path).is_ok_and(|there| there.starts_with(bytes));
            let found = in_place || kept.iter().any(|other| other.starts_with(bytes)) || self.on_server(bytes);
            assert!(found, "{} bytes of {} are lost", bytes.len(), path.display());
        }
    }

    fn on_server(&self, bytes: &[u8]) -> bool {
        let path = find(&self.scene.path("server"), &blob_of(bytes).oid);
        path.is_some_and(|path| fs::read(path).is_ok_and(|there| there == bytes))
    }

    /// Every blob of the server stands in a manifest of the remote's tip, in a register, or in a journal while one is
    /// allowed to be there.
    fn every_blob_is_named(&self, with_journals: bool) {
        let mut names = String::new();
        for clone in &self.clones {
            names += &fs::read_to_string(clone.join(".git/hydrant/orphans.json")).unwrap_or_default();
            for journal in if with_journals { files(&clone.join(".git/hydrant/journal")) } else { Vec::new() } {
                names += &String::from_utf8_lossy(&journal);
            }
        }
        for session in self.sessions() {
            names += &self.manifest(&session).to_string();
        }
        let unnamed: Vec<String> = self.received().into_iter().filter(|oid| !names.contains(oid.as_str())).collect();
        assert!(unnamed.is_empty(), "the server holds what nothing names: {unnamed:?}");
    }

    fn received(&self) -> BTreeSet<String> {
        let (mut oids, mut folders) = (BTreeSet::new(), vec![self.scene.path("server")]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else if name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    oids.insert(name);
                }
            }
        }
        oids
    }

    /// Sessions at the remote's tip.
    fn sessions(&self) -> Vec<String> {
        let listed = self.scene.git(&self.remote, &["ls-tree", "--name-only", "main", "sessions/"]);
        listed.lines().map(|line| line.trim_start_matches("sessions/").to_owned()).collect()
    }

    fn manifest(&self, session: &str) -> Value {
        let text = self.scene.git(&self.remote, &["cat-file", "blob", &format!("main:sessions/{session}/meta.json")]);
        serde_json::from_str(&text).expect("JSON")
    }

    /// Every pointer of every commit of the remote has its object; no content was ever committed.
    fn no_pointer_precedes_its_blob(&self) {
        let received = self.received();
        for commit in self.scene.git(&self.remote, &["rev-list", "main"]).lines() {
            let listed = self.scene.git(&self.remote, &["ls-tree", "-r", commit, "sessions/"]);
            for line in listed.lines().filter(|line| !line.ends_with("/meta.json")) {
                let object = line.split([' ', '\t']).nth(2).expect("mode, kind, object, path");
                let text = self.scene.git(&self.remote, &["cat-file", "blob", object]);
                let oid = text.lines().find_map(|line| line.strip_prefix("oid sha256:"));
                let oid = oid.unwrap_or_else(|| panic!("{commit} holds content: {line}"));
                assert!(received.contains(oid), "{commit} names {oid}, which the server never had");
            }
        }
    }

    /// All that a finished story must be.
    fn look(&self) {
        self.nothing_is_lost();
        self.every_blob_is_named(false);
        self.no_pointer_precedes_its_blob();
        let (received, tip) = (self.received(), self.scene.git(&self.remote, &["rev-parse", "main"]));
        for session in self.sessions() {
            let manifest = self.manifest(&session);
            for (name, entry) in manifest["files"].as_object().expect("files") {
                let oid = entry["oid"].as_str().and_then(|oid| oid.strip_prefix("sha256:")).expect("an oid");
                assert!(received.contains(oid), "{session}/{name} has no blob");
            }
        }
        for clone in 0..2 {
            assert_eq!(self.git(clone, &["status", "--porcelain"]), "", "the work tree is clean");
            assert_eq!(self.git(clone, &["rev-parse", "HEAD"]), tip);
            self.git(clone, &["fsck", "--strict", "--no-dangling", "--no-progress"]);
            let left = names(&self.clones[clone].join(".git/hydrant/journal"));
            assert!(left.is_empty(), "a journal is left: {left:?}\n{}", self.circumstances(clone));
        }
        self.scene.git(&self.remote, &["fsck", "--strict", "--no-dangling", "--no-progress"]);
        assert!(!Path::new(&self.remote).join("turned-away").exists(), "a pointer came before its blob");
    }
}

/// Names of what lies in a folder, hidden or not.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Shows I4, I5 and I19: two clones, killed at any moment, never publish a pointer before its blob and lose nothing.
#[test]
fn two_clones_killed_at_any_moment_lose_nothing() {
    let kills: u64 = std::env::var(KILLS_VARIABLE).ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let (mut killed, mut acts) = (0, 0);
    for seed in 0..kills.div_ceil(KILLS_OF_A_STORY) {
        let story = std::panic::catch_unwind(|| {
            let mut story = Story::new(seed);
            let wanted = KILLS_OF_A_STORY.min(kills - seed * KILLS_OF_A_STORY);
            let mut acts = 0;
            while story.killed < wanted && acts < wanted * ACTS_FOR_A_KILL_MAX {
                story.act();
                acts += 1;
            }
            story.end();
            story.look();
            (story.killed, acts)
        });
        let (died, acted) = story.unwrap_or_else(|_| panic!("the story of seed {seed}"));
        (killed, acts) = (killed + died, acts + acted);
    }
    assert!(killed >= kills / 2, "only {killed} of {acts} acts were killed before their end");
    writeln!(std::io::stderr(), "{acts} acts of two clones, {killed} killed; nothing lost").ok();
}
