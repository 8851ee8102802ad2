//! Clones that cannot be written: whatever only reads works there as anywhere, and writes nothing anywhere; whatever
//! must write says so, and what to do.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use hydrant_host::files::digest::blob_of;
use hydrant_kit::scene::{Ran, Scene, pointer};

use super::ledgers::{SESSION, ledger, raw};

/// Somebody without rights of any kind: a test that runs as root becomes this user.
const NOBODY: u32 = 65_534;

/// Everything beneath a folder: kind and rights, bytes, when they were written.
pub(crate) type Snapshot = BTreeMap<PathBuf, (u32, u64, i64, i64)>;

pub(crate) fn snapshot(folder: &Path) -> Snapshot {
    let mut all = Snapshot::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            let facts = entry.path().symlink_metadata().expect("it is there");
            if facts.is_dir() {
                folders.push(entry.path());
            }
            let state = (facts.mode(), facts.len(), facts.mtime(), facts.mtime_nsec());
            all.insert(entry.path(), state);
        }
    }
    all
}

/// A folder that nobody may write to, until this is dropped.
pub(crate) struct Locked<'a>(&'a Path);

impl<'a> Locked<'a> {
    pub(crate) fn new(folder: &'a Path) -> Self {
        set_rights(folder, 0o555, 0o444);
        Self(folder)
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        set_rights(self.0, 0o755, 0o644);
    }
}

fn set_rights(folder: &Path, of_folders: u32, of_files: u32) {
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    set(folder, of_folders | 0o700);
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        match entry.file_type().expect("a kind") {
            kind if kind.is_dir() => set_rights(&entry.path(), of_folders, of_files),
            kind if kind.is_file() => set(&entry.path(), of_files),
            _ => {}
        }
    }
    set(folder, of_folders);
}

/// A scene whose program everybody may run, wherever it was built.
pub(super) struct Stage {
    pub(super) scene: Scene,
    program: PathBuf,
}

impl Stage {
    pub(super) fn new() -> Self {
        let scene = Scene::new();
        let program = program_for_all(&scene);
        Self { scene, program }
    }

    /// Runs it as somebody who has no right to write: root has them all, so root becomes another user.
    pub(super) fn run(&self, clone: &Path, arguments: &[&str]) -> Ran {
        self.run_with(clone, &[], arguments)
    }

    pub(super) fn run_with(&self, clone: &Path, environment: &[(&str, &Path)], arguments: &[&str]) -> Ran {
        let mut command = self.scene.program(&self.program, clone);
        become_nobody(&mut command, &self.scene);
        let command = command.envs(environment.iter().copied()).args(arguments);
        let output = command.output().expect("hydrant runs");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// A copy of the program that everybody may run, wherever it was built.
pub(crate) fn program_for_all(scene: &Scene) -> PathBuf {
    let program = scene.path("hydrant");
    fs::copy(env!("CARGO_BIN_EXE_hydrant"), &program).expect("a copy");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a mode");
    // The clone belongs to somebody else there, which git wants to be told.
    scene.git(&scene.folder, &["config", "--global", "safe.directory", "*"]);
    program
}

pub(crate) fn become_nobody(command: &mut Command, scene: &Scene) {
    // The tests' own temporary folder may be closed to others.
    let passing = passing(scene);
    fs::create_dir_all(&passing).expect("a folder");
    fs::set_permissions(&passing, fs::Permissions::from_mode(0o1777)).expect("a mode");
    command.env("TMPDIR", passing);
    if fs::metadata(&scene.folder).expect("it is there").uid() == 0 {
        command.uid(NOBODY).gid(NOBODY);
    }
}

/// The temporary folder of whoever has no rights.
fn passing(scene: &Scene) -> PathBuf {
    scene.path("passing")
}

/// What only reads. `SESSION` stands for the session, where there is one.
const READERS: [&[&str]; 16] = [
    &["status", "--json"],
    &["status", "SESSION", "--json"],
    &["scan", "--json"],
    &["show", "SESSION", "summary.json"],
    &["show", "SESSION", "raw.jsonl"],
    &["verify", "--offline", "--json"],
    &["verify", "--staged"],
    &["doctor", "--json"],
    &["doctor", "--fix", "--dry-run"],
    &["cache", "list", "--json"],
    &["cache", "prune"],
    &["cache", "clear"],
    &["cache", "verify"],
    &["orphans", "--all", "--json"],
    &["restore", "--dry-run"],
    &["hooks", "list"],
];

/// The clones that are read: each a name, and what became of it before.
fn clones(scene: &Scene) -> Vec<(&'static str, PathBuf)> {
    let fresh = ledger(scene);
    let copy = |name: &str| {
        let to = scene.path(name);
        let copied = scene.program("cp", &scene.folder).args(["-a"]).args([&fresh, &to]).status();
        assert!(copied.expect("cp runs").success());
        to
    };
    let hydrated = copy("hydrated");
    scene.hydrant(&hydrated, &["hydrate"]).ends(0);
    let state = |clone: &Path, name: &str| clone.join(".git/hydrant").join(name);
    let another_boot = copy("another-boot");
    scene.hydrant(&another_boot, &["hydrate"]).ends(0);
    fs::write(state(&another_boot, "boot"), "another boot").expect("a note");
    // What a writer would tidy up: two folders of earlier boots, one of them empty.
    fs::create_dir_all(state(&another_boot, "unproved/1/ab")).expect("a folder");
    fs::create_dir_all(state(&another_boot, "unproved/2")).expect("a folder");
    let leftovers = copy("leftovers");
    scene.hydrant(&leftovers, &["hydrate"]).ends(0);
    fs::write(state(&leftovers, "stage/.hydrant-1-1-1.tmp"), "half").expect("a leftover");
    // A file that gave way to its pointer and changed since: a writer would move it to `kept`.
    fs::create_dir_all(state(&leftovers, "adopted")).expect("a folder");
    fs::write(state(&leftovers, &format!("adopted/{}.1.2.3-4.s", "ab".repeat(32))), "changed").expect("a file");
    let plain = scene.path("plain");
    scene.file("plain/file.bin", pointer(b"content of a file").as_bytes());
    scene.repository("plain");
    vec![
        ("a fresh ledger", fresh),
        ("a hydrated ledger", hydrated),
        ("a ledger hydrated before the machine started", another_boot),
        ("a ledger with leftovers", leftovers),
        ("a repository without sessions", plain),
    ]
}

#[test]
fn whatever_only_reads_needs_no_right_to_write() {
    let stage = Stage::new();
    for (what, clone) in clones(&stage.scene) {
        let has_session = what != "a repository without sessions";
        for arguments in READERS {
            if !has_session && arguments.contains(&"SESSION") {
                continue;
            }
            let arguments: Vec<&str> =
                arguments.iter().map(|word| if *word == "SESSION" { SESSION } else { word }).collect();
            let locked = Locked::new(&clone);
            let before = snapshot(&clone);
            let ran = stage.run(&clone, &arguments);
            assert!(before == snapshot(&clone), "{what}: {arguments:?} wrote");
            assert!(!ran.err.contains("denied") && ran.code != 3, "{what}: {arguments:?}: {} {}", ran.code, ran.err);
            drop(locked);
            // Who may write gets the same answer, and it stays the same clone: no lock, no folder, no index. A file
            // that changed since it gave way may be moved to `kept` on the way.
            if what == "a ledger with leftovers" {
                continue;
            }
            let files = |shot: Snapshot| shot.into_iter().map(|(path, (_, size, ..))| (path, size)).collect::<Vec<_>>();
            let before = files(snapshot(&clone));
            let other = stage.scene.hydrant(&clone, &arguments);
            assert_eq!(before, files(snapshot(&clone)), "{what}: {arguments:?} wrote");
            if arguments.first() != Some(&"show") {
                assert_eq!((ran.code, &ran.out), (other.code, &other.out), "{what}: {arguments:?}");
            }
        }
    }
}

#[test]
fn content_that_cannot_be_kept_is_shown_all_the_same() {
    let stage = Stage::new();
    let clone = ledger(&stage.scene);
    let refused = stage.scene.hydrant(&clone, &["show", SESSION, "raw.jsonl"]).ends(1);
    assert!(refused.out.is_empty() && refused.err.contains("hydrant hydrate"), "{}", refused.err);
    {
        let _locked = Locked::new(&clone);
        let before = snapshot(&clone);
        let shown = stage.run(&clone, &["show", SESSION, "raw.jsonl"]).ends(0);
        assert!(shown.out == raw() && shown.err.contains("not kept"), "{}", shown.err);
        let lines = stage.run(&clone, &["show", SESSION, "raw.jsonl", "--lines", "7", "--json"]).ends(0).json();
        assert_eq!((&lines["fetched"], &lines["verified"]), (&true.into(), &true.into()), "{lines}");
        assert_eq!(lines["text"], "{\"seq\":7,\"content\":\"words of line 7\"}\n");
        // Bytes that are something else are never shown.
        let held = stage.scene.path("server");
        let oid = blob_of(raw().as_bytes()).oid;
        let served = find(&held, &oid).expect("the server's own file");
        fs::write(&served, raw().replace("words", "sword")).expect("other bytes");
        let wrong = stage.run(&clone, &["show", SESSION, "raw.jsonl"]);
        assert!(wrong.code == 1 && wrong.out.is_empty(), "{} {}", wrong.code, wrong.err);
        let deep = stage.run(&clone, &["verify", "--deep"]).ends(1);
        assert!(!deep.err.contains("denied"), "{}", deep.err);
        assert!(before == snapshot(&clone), "something was written");
    }
    let left = passing(&stage.scene).read_dir().expect("a folder").count();
    assert_eq!(left, 0, "what passed through is gone");
}

fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    fs::read_dir(folder).ok()?.flatten().find_map(|entry| match entry.file_type().ok()?.is_dir() {
        true => find(&entry.path(), name),
        false => (entry.file_name() == name).then(|| entry.path()),
    })
}

#[test]
fn whatever_must_write_says_so_and_what_to_do() {
    let stage = Stage::new();
    let clone = ledger(&stage.scene);
    let _locked = Locked::new(&clone);
    let before = snapshot(&clone);
    let writers: [&[&str]; 5] = [
        &["hydrate", "--json"],
        &["hydrate", SESSION, "--json"],
        &["cache", "prune", "--yes", "--json"],
        &["cache", "clear", "--yes", "--json"],
        &["doctor", "--fix", "--json"],
    ];
    for arguments in writers {
        let ran = stage.run(&clone, arguments).ends(3);
        let error = &ran.json()["error"];
        assert_eq!(error["code"], "host", "{arguments:?}: {error}");
        let detail = error["detail"].as_str().expect("a sentence");
        assert!(detail.contains("cannot be written") && detail.contains("hydrant show"), "{arguments:?}: {detail}");
    }
    assert!(before == snapshot(&clone), "something was written");
}

#[test]
fn a_cache_elsewhere_keeps_what_the_clone_cannot() {
    let stage = Stage::new();
    let clone = ledger(&stage.scene);
    let place = stage.scene.path("elsewhere");
    fs::create_dir(&place).expect("a folder");
    fs::set_permissions(&place, fs::Permissions::from_mode(0o777)).expect("a mode");
    let place = place.join("cache");
    let _locked = Locked::new(&clone);
    let before = snapshot(&clone);
    let run = |arguments: &[&str]| stage.run_with(&clone, &[("HYDRANT_CACHE", &place)], arguments);
    run(&["hydrate"]).ends(0);
    let shown = run(&["show", SESSION, "raw.jsonl"]).ends(0);
    assert!(shown.out == raw() && shown.err.is_empty(), "{}", shown.err);
    assert!(before == snapshot(&clone), "something was written");
}

#[test]
fn what_git_lfs_has_of_a_clone_that_cannot_be_written_comes_into_a_cache_elsewhere() {
    let stage = Stage::new();
    let scene = &stage.scene;
    let content = b"content that git-lfs has and no server";
    let oid = blob_of(content).oid;
    scene.file("plain/file.bin", pointer(content).as_bytes());
    let clone = scene.repository("plain");
    scene.git(&clone, &["config", "lfs.url", "http://127.0.0.1:9/x"]);
    let object = scene.file(&format!("plain/.git/lfs/objects/{}/{}/{oid}", &oid[..2], &oid[2..4]), content);
    let writable = scene.path("elsewhere");
    fs::create_dir(&writable).expect("a folder");
    fs::set_permissions(&writable, fs::Permissions::from_mode(0o777)).expect("a mode");
    let place = writable.join("cache");
    let _locked = Locked::new(&clone);
    let run = |arguments: &[&str]| stage.run_with(&clone, &[("HYDRANT_CACHE", &place)], arguments);
    let json = run(&["hydrate", "--retries", "0", "--json"]).ends(0).json();
    assert_eq!(json["ok"], true, "{json}");
    assert_eq!(run(&["show", "file.bin"]).ends(0).out.as_bytes(), content);
    // A clean-up takes the copy and leaves git-lfs's own.
    run(&["cache", "clear", "--yes"]).ends(0);
    assert_eq!(fs::read(object).expect("there"), content);
    run(&["hydrate", "--retries", "0"]).ends(0);
}

#[test]
fn a_clone_of_another_user_is_read_as_far_as_it_is_open() {
    let stage = Stage::new();
    let clone = ledger(&stage.scene);
    stage.scene.hydrant(&clone, &["hydrate"]).ends(0);
    let state = clone.join(".git/hydrant");
    if fs::metadata(&clone).expect("there").uid() != 0 {
        fs::set_permissions(&state, fs::Permissions::from_mode(0o000)).expect("a mode");
    } else {
        assert_eq!(fs::metadata(&state).expect("there").mode() & 0o777, 0o700, "as hydrant makes it");
    }
    let said = stage.run(&clone, &["status", "--json"]);
    assert!(said.code != 3 && said.json()["error"].is_null(), "{} {}", said.out, said.err);
    let session = &said.json()["sessions"][0];
    assert!(session["unfinished_publish"].is_null(), "what was not looked at is not known: {session}");
    let drafted = stage.run(&clone, &["draft", "2026-05-04T09-30-mina"]).ends(3);
    assert!(drafted.err.contains("the clone's own user"), "{}", drafted.err);
    for (arguments, tells) in
        [(&["status"][..], true), (&["status", SESSION], true), (&["doctor"], true), (&["verify", "--offline"], false)]
    {
        let said = stage.run(&clone, arguments);
        assert!(said.code != 3, "{arguments:?}: {} {}", said.out, said.err);
        let all = format!("{}{}", said.out, said.err);
        assert_eq!(all.contains("journals cannot be read"), tells, "{arguments:?}: {all}");
    }
    let doctor = stage.run(&clone, &["doctor", "--json"]).ends(1).json();
    assert_eq!(doctor["finding_list"][0]["kind"], "publish-unreadable", "what was not looked at is not well: {doctor}");
    let shown = stage.run(&clone, &["show", SESSION, "raw.jsonl"]).ends(0);
    assert!(shown.out == raw() && shown.err.contains("not kept"), "{}", shown.err);
    // What is asked of the cache itself is not answered as if it were empty.
    for arguments in [&["cache", "list"][..], &["cache", "verify"], &["cache", "clear"]] {
        let said = stage.run(&clone, arguments).ends(3);
        assert!(said.err.contains("cannot be looked into"), "{arguments:?}: {}", said.err);
    }
    fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).expect("a mode");
}

#[test]
fn entries_that_cannot_be_read_are_told_apart_and_never_removed() {
    let stage = Stage::new();
    let place = stage.scene.path("cache");
    let contents: [&[u8]; 3] = [b"right", b"wrong", b"closed"];
    let entry = |content: &[u8]| {
        let oid = blob_of(content).oid;
        place.join("cache").join(&oid[..2]).join(oid)
    };
    for content in contents {
        let path = entry(content);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::write(&path, if content == b"wrong" { b"other".as_slice() } else { content }).expect("an entry");
    }
    fs::write(place.join("boot"), fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default()).expect("a note");
    if fs::metadata(&place).expect("there").uid() == 0 {
        let owned = Command::new("chown").args(["-R", &NOBODY.to_string()]).arg(&place).status();
        assert!(owned.expect("chown runs").success());
    }
    fs::set_permissions(entry(b"closed"), fs::Permissions::from_mode(0o000)).expect("a mode");
    let store = place.to_str().expect("text");
    for more in [&[][..], &["--yes"]] {
        let ran = stage.run(&stage.scene.folder, &[&["cache", "verify", "--store", store, "--json"], more].concat());
        let json = ran.ends(1).json();
        assert_eq!(json["good"], 1, "{json}");
        assert_eq!(json["bad_list"], serde_json::json!([blob_of(b"wrong").oid]), "{json}");
        assert_eq!(json["unreadable_list"], serde_json::json!([blob_of(b"closed").oid]), "{json}");
        assert!(entry(b"closed").exists());
    }
    assert!(!entry(b"wrong").exists());
    // What could not be read alone is enough for an end that is not well.
    let said = stage.run(&stage.scene.folder, &["cache", "verify", "--store", store, "--yes"]).ends(1);
    assert!(said.out.contains("cannot be read, and stays"), "{}", said.out);
}
