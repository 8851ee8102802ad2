//! Sessions and assets side by side: each command treats a path by its own rules, whatever else the repository holds.

mod only_in_git;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use hydrant_host::files::digest::blob_of;
use serde_json::Value;

use hydrant_kit::scene::{Ran, Scene, noise, pointer};
use hydrant_kit::world::transcript;

const SESSION: &str = "2026-05-04T09-30-mina-OxQ7wd";
const ASSET: &str = "media/logo.bin";
/// Begins like a pointer and is none.
const BROKEN: &[u8] = b"version https://git-lfs.github.com/spec/v1\noid sha256:x\n";
const ATTRIBUTES: &[u8] = b"*.bin filter=lfs diff=lfs merge=lfs -text\n";

/// What a repository holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Sessions,
    Assets,
    Both,
}

const ALL: [Holds; 3] = [Holds::Sessions, Holds::Assets, Holds::Both];

impl Holds {
    fn sessions(self) -> bool {
        self != Self::Assets
    }

    fn assets(self) -> bool {
        self != Self::Sessions
    }

    fn name(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Assets => "assets",
            Self::Both => "both",
        }
    }
}

/// Of each kind.
#[derive(Clone, Copy, Debug)]
struct Counts {
    sessions: usize,
    assets: usize,
}

impl Counts {
    fn of(holds: Holds) -> Self {
        Self { sessions: usize::from(holds.sessions()), assets: usize::from(holds.assets()) }
    }

    fn all(self) -> usize {
        self.sessions + self.assets
    }
}

fn raw() -> Vec<u8> {
    transcript(30)
}

fn logo() -> Vec<u8> {
    noise(9_000, 71)
}

fn in_session(file: &str) -> String {
    format!("sessions/{SESSION}/{file}")
}

/// A repository with one pointer of each kind that it holds; their blobs are on the server.
fn repository(scene: &Scene, holds: Holds) -> PathBuf {
    let place = |path: &str| format!("{}/{path}", holds.name());
    if holds.sessions() {
        let oid = scene.upload(&raw());
        let manifest = format!(
            r#"{{"version": "1.0", "session_id": "ses_one", "files": {{"raw.jsonl":
               {{"storage": "lfs", "oid": "sha256:{oid}", "size": {}}}}}}}"#,
            raw().len()
        );
        scene.file(&place(&in_session("meta.json")), manifest.as_bytes());
        scene.file(&place(&in_session("raw.jsonl")), pointer(&raw()).as_bytes());
    }
    if holds.assets() {
        scene.upload(&logo());
        scene.file(&place(ASSET), pointer(&logo()).as_bytes());
        scene.file(&place(".gitattributes"), ATTRIBUTES);
    }
    let folder = scene.repository(holds.name());
    scene.git(&folder, &["config", "lfs.url", &scene.url()]);
    folder
}

/// One repository of each kind.
fn each(scene: &Scene) -> Vec<(Holds, PathBuf)> {
    ALL.into_iter().map(|holds| (holds, repository(scene, holds))).collect()
}

fn is_pointer(folder: &Path, path: &str, bytes: &[u8]) -> bool {
    fs::read(folder.join(path)).expect("there") == pointer(bytes).as_bytes()
}

fn json(ran: &Ran, key: &str) -> Value {
    ran.json()[key].clone()
}

fn count(ran: &Ran, key: &str) -> usize {
    let json = ran.json();
    json[key].as_u64().unwrap_or_else(|| panic!("{key}: {json}")) as usize
}

#[test]
fn both_are_told_and_verified() {
    let scene = Scene::new();
    for (holds, folder) in each(&scene) {
        let counts = Counts::of(holds);
        let told = scene.hydrant(&folder, &["status", "--json"]).ends(0);
        assert_eq!(count(&told, "pointers"), counts.assets, "{holds:?}");
        let sessions = json(&told, "sessions");
        assert_eq!(sessions.as_array().map(Vec::len), holds.sessions().then_some(counts.sessions), "{holds:?}");
        let said = scene.hydrant(&folder, &["status"]).ends(0).out;
        assert_eq!(said.contains(SESSION), holds.sessions(), "{said}");
        assert_eq!(said.contains("1 pointer "), holds.assets(), "{said}");
        assert_eq!(said.contains("beside the sessions"), holds == Holds::Both, "{said}");

        let looks: [&[&str]; 3] = [&["verify"], &["verify", "--deep"], &["verify", "--offline"]];
        for look in looks {
            let told = scene.hydrant(&folder, &[look, &["--json"]].concat()).ends(0);
            let seen = (count(&told, "session_count"), count(&told, "asset_count"), count(&told, "files"));
            assert_eq!(seen, (counts.sessions, counts.assets, counts.all()), "{holds:?} {look:?}");
        }
        // What is wrong is named, of either kind; whoever names a session hears of no asset.
        let beside = scene.file(&format!("{}/media/broken.bin", holds.name()), BROKEN);
        let told = scene.hydrant(&folder, &["verify", "--offline", "--json"]).ends(1);
        assert_eq!(json(&told, "finding_list")[0]["name"], "media/broken.bin", "{holds:?}");
        scene.hydrant(&folder, &["status"]).ends(1);
        let one = scene.hydrant(&folder, &["verify", SESSION, "--offline", "--json"]);
        assert_eq!(one.code, if holds.sessions() { 0 } else { 2 }, "{holds:?}: {}", one.err);
        fs::remove_file(beside).expect("removed");
    }
}

#[test]
fn both_are_fetched_and_assets_alone_are_put_in_place() {
    let scene = Scene::new();
    for (holds, folder) in each(&scene) {
        let counts = Counts::of(holds);
        let run = |arguments: &[&str]| scene.hydrant(&folder, &[&["hydrate", "--json"], arguments].concat());
        let has = |bytes: &[u8]| scene.cached(&folder, &blob_of(bytes).oid).is_some();
        let told = run(&[]).ends(0);
        let seen = (count(&told, "present"), count(&told, "objects"), count(&told, "session_count"));
        assert_eq!(seen, (counts.all(), counts.all(), counts.sessions), "{holds:?}");
        assert_eq!((has(&raw()), has(&logo())), (holds.sessions(), holds.assets()), "{holds:?}");
        // Again, from anywhere, by any word: the pointers of sessions stay.
        for (arguments, placed) in [(&["--in-place"][..], counts.assets), (&["--in-place", "."], 0)] {
            let told = run(arguments).ends(0);
            assert_eq!(count(&told, "in_place"), placed, "{holds:?} {arguments:?}");
            assert_eq!(count(&told, "session_count"), counts.sessions, "{holds:?} {arguments:?}");
        }
        if holds.assets() {
            assert_eq!(fs::read(folder.join(ASSET)).expect("there"), logo(), "{holds:?}");
        }
        if holds.sessions() {
            assert!(is_pointer(&folder, &in_session("raw.jsonl"), &raw()), "{holds:?}");
            let said = scene.hydrant(&folder, &["hydrate", "--in-place"]).ends(0);
            assert!(said.err.contains("sessions keep their pointers"), "{}", said.err);
        }
    }
}

#[test]
fn pointers_of_sessions_stay_whoever_names_them() {
    let scene = Scene::new();
    let folder = repository(&scene, Holds::Both);
    let lost = noise(2_000, 72);
    scene.upload(&lost);
    // A folder beneath the sessions whose manifest is gone, and a file that lies beside the folders.
    scene.file("both/sessions/lost/raw.jsonl", pointer(&lost).as_bytes());
    scene.file("both/sessions/cover.bin", pointer(&logo()).as_bytes());
    scene.commit(&folder);
    let in_place = |words: &[&str]| scene.hydrant(&folder, &[&["hydrate", "--in-place"], words].concat());
    let (file, path) = (in_session("raw.jsonl"), format!("sessions/{SESSION}"));
    for word in [SESSION, &path, &file, "sessions/lost", "sessions/lost/raw.jsonl"] {
        for words in [&[word][..], &[ASSET, word], &[word, ASSET]] {
            let said = in_place(words).ends(2);
            assert!(said.err.contains("its pointers stay"), "{words:?}: {}", said.err);
            assert!(is_pointer(&folder, ASSET, &logo()), "{words:?}: nothing is done by halves");
        }
    }
    in_place(&["sessions"]).ends(0);
    assert_eq!(fs::read(folder.join("sessions/cover.bin")).expect("there"), logo());
    in_place(&["."]).ends(0);
    in_place(&[]).ends(0);
    assert!(is_pointer(&folder, &file, &raw()) && is_pointer(&folder, "sessions/lost/raw.jsonl", &lost));
    assert_eq!(fs::read(folder.join(ASSET)).expect("there"), logo());
    // Into the cache goes what is named, of both kinds at once.
    scene.hydrant(&folder, &["cache", "clear", "--yes"]).ends(0);
    fs::write(folder.join(ASSET), pointer(&logo())).expect("written");
    let told = scene.hydrant(&folder, &["hydrate", SESSION, ASSET, "sessions/lost", "--json"]).ends(0);
    let names: Vec<Value> = json(&told, "outcomes").as_array().expect("a list").clone();
    let mut names: Vec<&str> = names.iter().filter_map(|one| one["name"].as_str()).collect();
    names.sort_unstable();
    let expected = [format!("{SESSION}/raw.jsonl"), ASSET.to_owned(), "sessions/lost/raw.jsonl".to_owned()];
    assert_eq!(names, expected);
    // Its owner may say that none of it is of sessions.
    scene.git(&folder, &["config", "hydrant.ledger", "false"]);
    in_place(&["sessions/lost"]).ends(0);
    assert_eq!(fs::read(folder.join("sessions/lost/raw.jsonl")).expect("there"), lost);
}

#[test]
fn what_git_leaves_out_is_meant_for_assets() {
    let scene = Scene::new();
    let folder = repository(&scene, Holds::Both);
    for (key, value) in [("lfs.fetchexclude", "/sessions/**,media"), ("lfs.fetchinclude", "elsewhere")] {
        scene.git(&folder, &["config", key, value]);
        let told = scene.hydrant(&folder, &["hydrate", "--json"]).ends(0);
        assert_eq!((count(&told, "objects"), count(&told, "left_out")), (1, 1), "{key}");
        assert!(scene.cached(&folder, &blob_of(&raw()).oid).is_some(), "{key}: sessions are fetched");
        assert!(scene.cached(&folder, &blob_of(&logo()).oid).is_none(), "{key}");
        scene.git(&folder, &["config", "--unset", key]);
        scene.hydrant(&folder, &["cache", "clear", "--yes"]).ends(0);
    }
    // What the caller says is meant for all.
    let told = scene.hydrant(&folder, &["hydrate", "--exclude", "*.jsonl", "--json"]).ends(0);
    assert_eq!(count(&told, "objects"), 1);
    assert!(scene.cached(&folder, &blob_of(&logo()).oid).is_some());
}

#[test]
fn content_of_both_goes_back_where_it_is_proved() {
    let scene = Scene::new();
    for (holds, folder) in each(&scene) {
        let restore = |arguments: &[&str]| scene.hydrant(&folder, &[&["restore"], arguments].concat());
        let file = in_session("raw.jsonl");
        let kinds: [(bool, &str, Vec<u8>); 2] = [(holds.sessions(), &file, raw()), (holds.assets(), ASSET, logo())];
        for (is_there, path, content) in kinds {
            if !is_there {
                let said = restore(&[path]).ends(2);
                assert!(said.err.contains(path), "{holds:?}: {}", said.err);
                continue;
            }
            fs::write(folder.join(path), &content).expect("written");
            let told = restore(&[path, "--dry-run", "--json"]).ends(0);
            assert_eq!(json(&told, "file_list")[0]["state"], "restored", "{holds:?} {path}");
            assert_eq!(fs::read(folder.join(path)).expect("there"), content);
            restore(&[path]).ends(0);
            assert!(is_pointer(&folder, path, &content), "{holds:?} {path}");
            assert_eq!(scene.hydrant(&folder, &["show", path]).code, 0, "{holds:?} {path}: its content is kept");
            restore(&[path]).ends(0);
            // Other content is the user's, and stays.
            let mut other = content.clone();
            other[17] ^= 1;
            fs::write(folder.join(path), &other).expect("written");
            let told = restore(&[path, "--json"]).ends(1);
            assert_eq!(json(&told, "file_list")[0]["error"]["code"], "conflict", "{holds:?} {path}");
            assert_eq!(fs::read(folder.join(path)).expect("there"), other, "{holds:?} {path}");
            fs::write(folder.join(path), pointer(&content)).expect("written");
        }
        assert_eq!(scene.git(&folder, &["status", "--porcelain"]), "", "{holds:?}");
        // What no pointer names is nobody's to take away.
        scene.file(&format!("{}/notes.txt", holds.name()), b"words");
        restore(&["notes.txt"]).ends(1);
        restore(&["never-heard-of"]).ends(2);
        restore(&[".."]).ends(2);
        if holds.assets() {
            restore(&["media"]).ends(2);
        }
        assert_eq!(fs::read(folder.join("notes.txt")).expect("there"), b"words");
    }
}

#[test]
fn a_reader_gets_content_or_a_state_of_both() {
    let scene = Scene::new();
    for (holds, folder) in each(&scene) {
        let file = in_session("raw.jsonl");
        let kinds: [(bool, &str, Vec<u8>); 2] = [(holds.sessions(), &file, raw()), (holds.assets(), ASSET, logo())];
        for (is_there, path, content) in kinds {
            let show = || {
                let output = scene.hydrant_command(&folder).args(["show", path]).output().expect("hydrant runs");
                (output.status.code(), output.stdout)
            };
            if !is_there {
                assert_eq!(show(), (Some(2), Vec::new()), "{holds:?} {path}");
                continue;
            }
            let state = || json(&scene.hydrant(&folder, &["show", path, "--json"]).ends(1), "state");
            assert_eq!(show(), (Some(1), Vec::new()), "{holds:?} {path}: only the pointer is here");
            assert_eq!(state(), "dehydrated", "{holds:?} {path}");
            scene.hydrant(&folder, &["hydrate", path]).ends(0);
            assert_eq!(show(), (Some(0), content.clone()), "{holds:?} {path}: from the cache");
            // In place it is as good, if it is what is named.
            scene.hydrant(&folder, &["cache", "clear", "--yes"]).ends(0);
            fs::write(folder.join(path), &content).expect("written");
            assert_eq!(show(), (Some(0), content.clone()), "{holds:?} {path}: in place");
            let mut other = content.clone();
            other[17] ^= 1;
            fs::write(folder.join(path), &other).expect("written");
            assert_eq!(show(), (Some(1), Vec::new()), "{holds:?} {path}: changed");
            fs::write(folder.join(path), BROKEN).expect("written");
            assert_eq!((show(), state()), ((Some(1), Vec::new()), "malformed".into()), "{holds:?} {path}");
            fs::write(folder.join(path), pointer(&content)).expect("written");
            let oid = blob_of(&content).oid;
            scene.hydrant(&folder, &["hydrate", path]).ends(0);
            let entry = folder.join(".git/hydrant/cache").join(&oid[..2]).join(&oid);
            fs::write(entry, &other).expect("written");
            assert_eq!((show(), state()), ((Some(1), Vec::new()), "corrupt".into()), "{holds:?} {path}");
            scene.hydrant(&folder, &["cache", "verify", "--yes"]).ends(1);
        }
        for words in [&["show", "notes.txt"][..], &["show", "media"], &["show", ".."], &["show", "nobody", "x"]] {
            scene.hydrant(&folder, words).ends(2);
        }
        scene.hydrant(&folder, &["show", SESSION]).ends(2);
    }
}

#[test]
fn content_in_full_of_both_is_stopped() {
    let scene = Scene::new();
    for (holds, folder) in each(&scene) {
        let verify = || scene.hydrant(&folder, &["verify", "--staged", "--offline", "--json"]);
        verify().ends(0);
        let file = in_session("raw.jsonl");
        let mut expected = Vec::new();
        let kinds: [(bool, &str, Vec<u8>); 2] = [(holds.assets(), ASSET, logo()), (holds.sessions(), &file, raw())];
        for (_, path, content) in kinds.into_iter().filter(|(is_there, ..)| *is_there) {
            fs::write(folder.join(path), content).expect("written");
            expected.push(path);
        }
        scene.git(&folder, &["add", "--all"]);
        let names = |told: &Ran| -> Vec<String> {
            let list = json(told, "finding_list").as_array().expect("a list").clone();
            let mut names: Vec<String> =
                list.iter().filter_map(|one| one["name"].as_str()).map(str::to_owned).collect();
            names.sort_unstable();
            names
        };
        assert_eq!(names(&verify().ends(1)), expected, "{holds:?}");
        let told = json(&scene.hydrant(&folder, &["doctor", "--json"]).ends(1), "finding_list");
        let list = told.as_array().expect("a list");
        let staged: Vec<&Value> = list.iter().filter(|one| one["kind"] == "staged-content").collect();
        assert_eq!(staged.len(), expected.len(), "{holds:?}");
        let of_session = staged.iter().filter(|one| one["session"] == SESSION).count();
        assert_eq!(of_session, usize::from(holds.sessions()), "{holds:?}");
        scene.git(&folder, &["commit", "--quiet", "--message", "in full"]);
        let told = scene.hydrant(&folder, &["verify", "--offline", "--json"]);
        // A session of the first recorders had no pointers; this one had.
        let named: Vec<String> = expected.iter().map(|path| path.trim_start_matches("sessions/").to_owned()).collect();
        for name in named {
            assert!(names(&told).contains(&name), "{holds:?}: {name} in {}", told.out);
        }
    }
}

/// Pointers that no manifest speaks for, in folders of sessions.
const UNNAMED: [&str; 3] = ["sessions/2024/deep/er/b.bin", "sessions/2024/keynote.mp4", "sessions/talks/raw.jsonl"];

/// Repositories whose sessions have folders without a manifest beside them, at all depths.
fn with_unnamed(scene: &Scene, holds: Holds) -> PathBuf {
    let folder = repository(scene, holds);
    for (at, path) in UNNAMED.iter().enumerate() {
        let bytes = noise(3_000, 80 + at as u64);
        scene.upload(&bytes);
        scene.file(&format!("{}/{path}", holds.name()), pointer(&bytes).as_bytes());
    }
    // Neither a pointer nor ours.
    scene.file(&format!("{}/sessions/2024/notes.txt", holds.name()), b"words");
    scene.commit(&folder);
    scene.file(&format!("{}/sessions/inner/.git", holds.name()), b"gitdir: elsewhere");
    scene.file(&format!("{}/sessions/inner/a.bin", holds.name()), pointer(b"of another repository").as_bytes());
    folder
}

#[test]
fn pointers_without_a_manifest_are_met_at_all_depths() {
    let scene = Scene::new();
    for holds in [Holds::Sessions, Holds::Both] {
        let folder = with_unnamed(&scene, holds);
        let contents = || (0..UNNAMED.len()).map(|at| noise(3_000, 80 + at as u64));
        let told = scene.hydrant(&folder, &["status", "--json"]).ends(0);
        let unnamed = json(&told, "unnamed");
        assert_eq!((&unnamed["pointers"], &unnamed["present"]), (&3.into(), &0.into()), "{holds:?}");
        assert_eq!(count(&told, "pointers"), Counts::of(holds).assets, "{holds:?}: they are no assets");
        let said = scene.hydrant(&folder, &["status"]).ends(0).out;
        assert!(said.contains("3 pointers in folders of sessions without a manifest"), "{said}");
        // What git's settings leave out is not meant for them.
        scene.git(&folder, &["config", "lfs.fetchexclude", "/sessions/**"]);
        for words in
            [&[][..], &["."], &["sessions"], &["--in-place"], &["--in-place", "."], &["--in-place", "sessions"]]
        {
            scene.hydrant(&folder, &["cache", "clear", "--yes"]).ends(0);
            let run = |more: &[&str]| scene.hydrant(&folder, &[&["hydrate"], words, more].concat()).ends(0);
            let told = run(&["--json"]);
            assert_eq!(count(&told, "unnamed_pointers"), UNNAMED.len(), "{holds:?} {words:?}");
            for (path, bytes) in UNNAMED.iter().zip(contents()) {
                assert!(scene.cached(&folder, &blob_of(&bytes).oid).is_some(), "{holds:?} {words:?}: {path}");
                assert!(is_pointer(&folder, path, &bytes), "{holds:?} {words:?}: {path} stays");
            }
            let said = run(&[]).err;
            let is_in_place = words.contains(&"--in-place");
            assert_eq!(
                said.contains("3 pointers of sessions without a manifest stay"),
                is_in_place,
                "{words:?}: {said}"
            );
        }
        assert_eq!(json(&scene.hydrant(&folder, &["status", "--json"]).ends(0), "unnamed")["present"], 3);
        // What the caller leaves out is.
        let told = scene.hydrant(&folder, &["hydrate", "--exclude", "*.mp4,deep", "--json"]).ends(0);
        assert_eq!(count(&told, "unnamed_pointers"), 1, "{holds:?}");
        // Each is named once: committed, and standing here alone.
        let fresh = format!("{}/sessions/2024/deep/new.bin", holds.name());
        scene.file(&fresh, pointer(&noise(9, 9)).as_bytes());
        let names = || -> Vec<String> {
            let told = scene.hydrant(&folder, &["verify", "--offline", "--json"]).ends(1);
            let list = json(&told, "finding_list");
            list.as_array().expect("a list").iter().map(|one| one["name"].as_str().expect("text").to_owned()).collect()
        };
        let mut expected: Vec<&str> = UNNAMED.iter().map(|path| path.trim_start_matches("sessions/")).collect();
        expected.push("2024/deep/new.bin");
        let named = names();
        assert!(
            expected.iter().all(|name| named.iter().filter(|one| one == name).count() == 1),
            "{holds:?}: {named:?}"
        );
        // It is wanted, and nobody has it.
        scene.hydrant(&folder, &["hydrate"]).ends(1);
        fs::write(scene.path(&fresh), BROKEN).expect("written");
        assert!(names().contains(&"2024/deep/new.bin".to_owned()), "{holds:?}");
        for command in ["status", "hydrate"] {
            let said = scene.hydrant(&folder, &[command]).ends(1).err;
            assert!(said.contains("sessions/2024/deep/new.bin: a broken pointer"), "{holds:?} {command}: {said}");
        }
    }
}

/// System calls by which a restore changes something; a process that is killed at one has not done it.
const CALLS: [&str; 5] = ["linkat", "renameat2", "unlinkat", "fsync", "fdatasync"];
/// Calls of one kind that a restore makes at most.
const CALLS_MAX: usize = 20;

/// A restore that is killed at the so manieth call of a name; none when it ended before.
fn killed_restore(scene: &Scene, folder: &Path, asset: &str, call: &str, at: usize) -> Option<()> {
    let inject = format!("inject={call}:signal=KILL:when={at}");
    let mut command = scene.program("strace", folder);
    command.args(["-qq", "-o", "/dev/null", "-e", &inject]).arg(env!("CARGO_BIN_EXE_hydrant")).args(["restore", asset]);
    let ran = command.output().expect("strace runs");
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    match ran.status.code() {
        Some(0) => None,
        None => Some(()),
        Some(code) => panic!("{call} {at}: {code}: {said}"),
    }
}

#[test]
fn a_restore_of_an_asset_that_is_killed_loses_nothing_and_is_ended() {
    let scene = Scene::new();
    let mut asked = scene.program("strace", &scene.folder);
    let traces = asked.args(["-qq", "-o", "/dev/null", "true"]).output().is_ok_and(|ran| ran.status.success());
    if !traces {
        writeln!(std::io::stderr(), "SKIPPED: strace").ok();
        return;
    }
    let (mut kinds, mut by_doctor) = (BTreeSet::new(), false);
    for (holds, asset) in [(Holds::Assets, "top.bin"), (Holds::Both, ASSET)] {
        let folder = repository(&scene, holds);
        fs::write(folder.join(asset), pointer(&logo())).expect("written");
        scene.commit(&folder);
        let beside = folder.join(asset).parent().expect("it has one").to_owned();
        let left = || -> Vec<String> {
            let names = fs::read_dir(&beside).expect("a folder").flatten();
            let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
            names.filter(|name| name.starts_with(".hydrant-")).collect()
        };
        let put_in_place = || {
            fs::remove_file(folder.join(asset)).expect("removed");
            fs::write(folder.join(asset), logo()).expect("written");
        };
        let rows = CALLS.iter().flat_map(|call| (1..=CALLS_MAX).map(move |at| (*call, at)));
        let mut ended = "";
        for (call, at) in rows.flat_map(|row| [row; 2]) {
            if call == ended {
                continue;
            }
            put_in_place();
            scene.hydrant(&folder, &["cache", "clear", "--yes"]).ends(0);
            if killed_restore(&scene, &folder, asset, call, at).is_none() {
                assert!(at < CALLS_MAX, "{call}");
                ended = call;
                continue;
            }
            by_doctor = !by_doctor;
            let here = format!("{holds:?} {call} {at} {by_doctor}");
            let told = scene.hydrant(&folder, &["doctor", "--json"]);
            let found = json(&told, "finding_list");
            let found: Vec<&Value> = found.as_array().expect("a list").iter().collect();
            for name in left() {
                let is_told = |one: &&&Value| one["path"].as_str().is_some_and(|path| path.ends_with(&name));
                let one = found.iter().find(is_told).unwrap_or_else(|| panic!("{here}: {name} in {found:?}"));
                assert_eq!(one["kind"], "leftover", "{here}");
            }
            kinds.extend(found.iter().map(|one| one["kind"].as_str().expect("a word").to_owned()));
            if !by_doctor {
                scene.hydrant(&folder, &["restore", asset]).ends(0);
            }
            // Where the pointer stands already a restore has nothing to do, and the doctor alone ends it.
            scene.hydrant(&folder, &["doctor", "--fix"]);
            assert_eq!(left(), Vec::<String>::new(), "{here}");
            scene.hydrant(&folder, &["restore", asset]).ends(0);
            assert!(is_pointer(&folder, asset, &logo()), "{here}");
            let shown = scene.hydrant_command(&folder).args(["show", asset]).output().expect("hydrant runs");
            assert!(shown.status.success() && shown.stdout == logo(), "{here}");
            let kept = fs::read_dir(folder.join(".git/hydrant/kept")).map_or(0, Iterator::count);
            let changed = scene.git(&folder, &["status", "--porcelain", "--", asset]);
            assert_eq!((kept, changed.as_str()), (0, ""), "{here}");
        }
    }
    assert!(["leftover", "displaced-content"].iter().all(|kind| kinds.contains(*kind)), "{kinds:?}");
}

#[test]
fn content_that_is_kept_of_an_asset_is_told_as_an_assets() {
    let scene = Scene::new();
    for (holds, asset) in [(Holds::Assets, ASSET), (Holds::Both, ASSET), (Holds::Assets, "sessions/2024/a.bin")] {
        let folder = repository(&scene, holds);
        scene.file(&format!("{}/{asset}", holds.name()), pointer(&logo()).as_bytes());
        scene.commit(&folder);
        fs::write(folder.join(asset), logo()).expect("written");
        let mut open = fs::File::options().append(true).open(folder.join(asset)).expect("it is there");
        scene.hydrant(&folder, &["restore", asset]).ends(0);
        // Whoever had it open goes on writing.
        open.write_all(b"more").expect("it grows");
        scene.hydrant(&folder, &["cache", "list"]).ends(0);
        let told = json(&scene.hydrant(&folder, &["doctor", "--json"]).ends(1), "finding_list");
        let list = told.as_array().expect("a list");
        let kept: Vec<&Value> = list.iter().filter(|one| one["kind"] == "kept-content").collect();
        let [one] = kept[..] else { panic!("{asset}: {told}") };
        let detail = one["detail"].as_str().expect("words");
        assert!(detail.contains("cp ") && !detail.contains("regenerate"), "{asset}: {detail}");
        fs::remove_file(folder.join(".git").join(one["path"].as_str().expect("a path"))).expect("removed");
    }
}
