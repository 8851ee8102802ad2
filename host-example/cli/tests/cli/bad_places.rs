//! Every command where it is not at home: outside of a repository, in a bare one, in one without a commit, in one
//! without sessions, without git, without a home, and where nothing is found. Nobody sits at a terminal here.
//!
//! The commands are those of the program's own help: one without a row fails.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use hydrant_kit::scene::{Scene, pointer};
use hydrant_kit::schemas;
use hydrant_kit::world::{SESSION, World, transcript};
use serde_json::Value;

use super::read_only::{Locked, become_nobody, program_for_all, snapshot};

/// How a command ends: its exit code, the code in its document, and words that it says. Where there is no error, the
/// code is empty.
type End = (i32, &'static str, &'static str);

const NOWHERE: End = (2, "host", "this folder is in no git repository: go to a clone");
const BARE: End = (2, "host", "no work tree (it is bare, or this is its .git folder): go to a clone");
const NO_GIT: End = (3, "host", "git was not found on PATH: install it");
const NO_COMMIT: End = (3, "rejected", "no commit yet: make one, and push it with git push -u REMOTE main");
const NO_UPSTREAM: End = (3, "rejected", "push it once with git push -u REMOTE main");
const NO_SERVER: End = (3, "not-found", "names an LFS server: `git config lfs.url URL` or --endpoint URL does");
const NO_SESSION: End = (2, "host", "there is no session nope: `hydrant status` lists them");
const NO_SUCH_FILE: End = (2, "host", "nope: No such file");

const LOCKED: End = (3, "host", "cannot be written, so nothing can be kept here; HYDRANT_CACHE can name another");

/// What a command needs around it.
#[derive(PartialEq)]
enum Needs {
    Nothing,
    /// git alone. It brings the rest with it, wherever it is called.
    Git,
    Repository,
}

use Needs::{Git, Nothing, Repository};

struct Row {
    /// As the help calls it.
    command: &'static str,
    /// What follows it. `@` is replaced: see [`Places::words`].
    words: &'static str,
    needs: Needs,
    /// In a repository without a commit.
    unborn: End,
    /// In one that holds neither sessions nor pointers, and names no server.
    plain: End,
    /// In a ledger, when asked for what is not there.
    nothing: (&'static str, End),
    /// In a ledger that this user cannot write.
    locked: (&'static str, End),
}

const fn row(
    command: &'static str,
    words: &'static str,
    needs: Needs,
    [unborn, plain]: [End; 2],
    nothing: (&'static str, End),
    locked: (&'static str, End),
) -> Row {
    Row { command, words, needs, unborn, plain, nothing, locked }
}

const fn both(end: End) -> [End; 2] {
    [end, end]
}

const ROWS: [Row; 34] = [
    row("demo", "", Git, both((0, "", "")), ("", (0, "", "")), ("", (0, "", ""))),
    row(
        "status",
        "",
        Repository,
        both((0, "", "0 pointers in the work tree")),
        ("nope", NO_SESSION),
        ("", (0, "", "1 pointer beside the sessions")),
    ),
    row(
        "hydrate",
        "",
        Repository,
        both((0, "", "no pointer was found")),
        ("nope", (2, "host", "nope: there is no such file, folder or session here; --include takes patterns")),
        ("", LOCKED),
    ),
    row(
        "show",
        "@session raw.jsonl",
        Repository,
        both((2, "host", "`hydrant status` lists them")),
        ("other nope", (2, "host", "lists no file nope: `hydrant status other` says which it lists")),
        ("@session raw.jsonl", (0, "", "words of entry")),
    ),
    row(
        "pointer show",
        "@file",
        Nothing,
        both((1, "", "content: not a pointer")),
        ("nope", NO_SUCH_FILE),
        ("@file", (1, "", "content: not a pointer")),
    ),
    row(
        "pointer check",
        "@file",
        Nothing,
        both((1, "", "`hydrant pointer show` says more")),
        ("nope", NO_SUCH_FILE),
        ("@file", (1, "", "`hydrant pointer show` says more")),
    ),
    row(
        "pointer make",
        "@file",
        Nothing,
        both((0, "", "oid sha256:")),
        ("nope", NO_SUCH_FILE),
        ("@file", (0, "", "oid sha256:")),
    ),
    row(
        "batch",
        "download --objects @list",
        Repository,
        both(NO_SERVER),
        ("download --objects @list", (1, "", "refused 404")),
        ("download --objects @list", (1, "", "refused 404")),
    ),
    row(
        "cache list",
        "",
        Repository,
        both((0, "", "0 objects")),
        ("", (0, "", "0 objects")),
        ("", (0, "", "hashed on next use")),
    ),
    row(
        "cache verify",
        "",
        Repository,
        both((0, "", "0 objects")),
        ("", (0, "", "0 objects")),
        ("", (0, "", "objects verified")),
    ),
    row(
        "cache prune",
        "",
        Repository,
        both((0, "", "--yes does it")),
        ("", (0, "", "0 objects")),
        ("", (0, "", "--yes does it")),
    ),
    row(
        "cache clear",
        "--yes",
        Repository,
        both((0, "", "0 objects")),
        ("--yes", (0, "", "0 objects")),
        ("--yes", (3, "host", "cannot be written")),
    ),
    row(
        "scan",
        "",
        Nothing,
        both((0, "", "no pointer beneath .")),
        ("nope", (2, "host", "nope: there is no such folder")),
        ("", (0, "", "media/a.bin")),
    ),
    row(
        "redact",
        ".",
        Nothing,
        both((0, "", "no secret")),
        ("nope", (2, "host", "nope: No such file or directory")),
        (".", (0, "", "no secret")),
    ),
    row(
        "upload",
        "@file",
        Repository,
        both(NO_SERVER),
        ("nope", (1, "", "nope: not-found: the file is not there")),
        ("@file", (0, "", "of 1 object")),
    ),
    row(
        "publish",
        "@session --from @recording",
        Repository,
        [NO_COMMIT, NO_UPSTREAM],
        ("nope", (2, "host", "nope has no content to publish; --from names the folder that has it")),
        ("@session --from @recording", LOCKED),
    ),
    row(
        "regenerate",
        "@session --from @recording",
        Repository,
        [NO_COMMIT, NO_UPSTREAM],
        ("nope --from @recording", (2, "host", "`hydrant publish nope --from DIR` publishes it")),
        ("@session --from @recording", LOCKED),
    ),
    row("orphans", "", Repository, both((0, "", "0 orphans")), ("", (0, "", "0 orphans")), ("", (0, "", "0 orphans"))),
    row(
        "reconcile",
        "",
        Repository,
        [NO_COMMIT, (0, "", "0 pointers")],
        ("", (0, "", "nothing to push")),
        ("", (0, "", "nothing to push")),
    ),
    row(
        "verify",
        "",
        Repository,
        both((0, "", "nothing is wrong")),
        ("nope", NO_SESSION),
        ("", (0, "", "nothing is wrong")),
    ),
    row(
        "doctor",
        "",
        Repository,
        both((0, "", "nothing is half done here")),
        ("", (0, "", "")),
        ("", (0, "", "nothing is half done here")),
    ),
    row(
        "restore",
        "@session",
        Repository,
        both((2, "host", "is no file: neither the work tree nor the last commit has it")),
        ("nope", (2, "host", "nope is no file: neither the work tree nor the last commit has it")),
        ("@session", (0, "", "a pointer stands here already")),
    ),
    row("hooks list", "", Repository, both((0, "", "absent")), ("", (0, "", "absent")), ("", (0, "", "absent"))),
    row(
        "hooks install",
        "",
        Repository,
        both((0, "", "installed")),
        ("push", (0, "", "installed")),
        ("", (3, "host", "the hook pre-commit cannot be written: Permission denied")),
    ),
    row("hooks remove", "", Repository, both((0, "", "absent")), ("", (0, "", "absent")), ("", (0, "", "absent"))),
    row(
        "locks list",
        "",
        Repository,
        both(NO_SERVER),
        ("", (0, "", "nothing is locked")),
        ("", (0, "", "nothing is locked")),
    ),
    row(
        "locks create",
        "a.txt",
        Repository,
        both(NO_SERVER),
        (".", (2, "host", "a lock is on a file, not on the whole work tree")),
        (".", (2, "host", "a lock is on a file, not on the whole work tree")),
    ),
    row(
        "locks verify",
        "",
        Repository,
        both(NO_SERVER),
        ("", (0, "", "nothing is locked")),
        ("", (0, "", "nothing is locked")),
    ),
    row(
        "locks unlock",
        "a.txt",
        Repository,
        both(NO_SERVER),
        ("nope", (3, "not-found", "nope is not locked: `hydrant locks list` shows what is")),
        ("nope", (3, "not-found", "nope is not locked")),
    ),
    row(
        "serve",
        "--listen @taken --store @store --open",
        Nothing,
        both((3, "host", "already in use: --listen 127.0.0.1:0 takes a free port")),
        ("--store @file --open", (3, "host", "the server cannot start")),
        ("--listen @taken --store @store --open", (3, "host", "the server cannot start")),
    ),
    row(
        "completions",
        "bash",
        Nothing,
        both((0, "", "hydrant")),
        ("nope", (2, "host", "invalid value 'nope' for '<SHELL>'")),
        ("bash", (0, "", "hydrant")),
    ),
    // It leaves a session behind.
    row(
        "draft",
        "@session",
        Repository,
        both((0, "", "placeholder written")),
        ("../nope", (2, "host", "the session name is not allowed")),
        ("fresh", (3, "host", "the file cannot be changed: Permission denied")),
    ),
    row(
        "publish",
        "@session --from @recording --dry-run",
        Repository,
        both((1, "", "now it would be refused")),
        ("nope --dry-run", (2, "host", "nope has no content to publish")),
        ("@session --from @recording --dry-run", LOCKED),
    ),
    row(
        "hydrate",
        "--in-place",
        Repository,
        both((0, "", "no pointer was found")),
        (
            "--include *.nope",
            (0, "", "nothing was chosen: no pointer was found, or --include and --exclude leave all out"),
        ),
        ("--in-place", LOCKED),
    ),
];

/// The places, and what has gone wrong in them.
struct Places {
    scene: Scene,
    /// Whose rights are none: the program that this user may run.
    powerless: Option<PathBuf>,
    wrong: Vec<String>,
}

impl Places {
    fn of(scene: Scene) -> Self {
        scene.file("recording/raw.jsonl", &transcript(9));
        scene.file("file.bin", b"content");
        scene.file("list", format!("{} 5\n", "a".repeat(64)).as_bytes());
        Self { scene, powerless: None, wrong: Vec::new() }
    }

    fn words(&self, command: &str, more: &str) -> Vec<String> {
        let path = |name: &str| self.scene.path(name).display().to_string();
        let word = |word: &str| match word {
            "@session" => SESSION.to_owned(),
            "@recording" => path("recording"),
            "@file" => path("file.bin"),
            "@list" => path("list"),
            "@store" => path("store"),
            "@taken" => self.scene.server.url().trim_start_matches("http://").to_owned(),
            other => other.to_owned(),
        };
        command.split(' ').chain(more.split(' ').filter(|word| !word.is_empty())).map(word).collect()
    }

    /// Runs a command as a program would, and, where its document has no sentence, as a person would.
    fn hold(&mut self, here: &Path, variables: &[(&str, Option<&str>)], words: &[String], end: End) {
        let (code, error, said) = end;
        let run = |more: &[&str]| {
            let mut command = match &self.powerless {
                Some(program) => self.scene.program(program, here),
                None => self.scene.hydrant_command(here),
            };
            if self.powerless.is_some() {
                become_nobody(&mut command, &self.scene);
            }
            for (name, value) in variables {
                match value {
                    Some(value) => command.env(name, value),
                    None => command.env_remove(name),
                };
            }
            let ran = command.args(words).args(more).output().expect("hydrant runs");
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            (ran.status.code(), text(&ran.stdout), text(&ran.stderr))
        };
        let (ended, out, err) = run(&["--json"]);
        let told: Value = serde_json::from_str(&out).unwrap_or_default();
        let asked: Vec<&str> = words.iter().map(String::as_str).chain(["--json"]).collect();
        schemas::check(&asked, &told);
        let found = told["error"]["code"].as_str().unwrap_or_default();
        let mut all = format!("{}{err}", told["error"]["detail"].as_str().unwrap_or_default());
        let mut is_right = ended == Some(code) && found == error && told["ok"] == (code == 0);
        if error.is_empty() {
            let (ended, out, err) = run(&[]);
            all = out + &err;
            is_right &= ended == Some(code);
        }
        if !is_right || !all.contains(said) {
            let words = words.join(" ");
            self.wrong.push(format!("{words}: not {end:?} but {ended:?}, ok {}, {found:?}, {all:?}", told["ok"]));
        }
    }

    #[track_caller]
    fn are_right(&self) {
        assert!(self.wrong.is_empty(), "\n{}", self.wrong.join("\n"));
    }
}

/// An empty folder, or a repository that git made in it.
fn made(scene: &Scene, name: &str, arguments: &[&str]) -> PathBuf {
    let folder = scene.path(name);
    fs::create_dir_all(&folder).expect("a folder");
    if !arguments.is_empty() {
        scene.git(&folder, arguments);
    }
    folder
}

/// Commands of the help, those with commands below them once for each.
fn commands(scene: &Scene, above: &[&str]) -> Vec<String> {
    let help = scene.hydrant(&scene.folder, &[above, &["--help"]].concat()).ends(0).out;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names: Vec<&str> = listed.filter_map(|line| line.split_whitespace().next()).collect();
    if names.is_empty() {
        return vec![above.join(" ")];
    }
    let below = names.into_iter().filter(|name| *name != "help");
    below.flat_map(|name| commands(scene, &[above, &[name]].concat())).collect()
}

#[test]
fn every_command_of_the_help_has_a_row() {
    let listed: BTreeSet<String> = commands(&Scene::new(), &[]).into_iter().collect();
    let rows: BTreeSet<String> = ROWS.iter().map(|row| row.command.to_owned()).collect();
    assert_eq!(listed, rows);
}

#[test]
fn outside_of_a_repository_and_in_a_bare_one() {
    let mut places = Places::of(Scene::new());
    let nowhere = made(&places.scene, "nowhere", &[]);
    let bare = made(&places.scene, "bare.git", &["init", "--quiet", "--bare"]);
    for (here, none) in [(&nowhere, NOWHERE), (&bare, BARE)] {
        for row in ROWS.iter().filter(|row| row.needs != Git) {
            let end = if row.needs == Repository { none } else { row.plain };
            places.hold(here, &[], &places.words(row.command, row.words), end);
        }
    }
    places.are_right();
}

#[test]
fn without_git() {
    let mut places = Places::of(Scene::new());
    let (plain, empty) = (places.scene.repository("plain"), made(&places.scene, "empty", &[]));
    let variables = [("PATH", empty.to_str())];
    for row in &ROWS {
        let end = if row.needs == Nothing { row.plain } else { NO_GIT };
        places.hold(&plain, &variables, &places.words(row.command, row.words), end);
    }
    places.are_right();
}

#[test]
fn in_a_repository_without_a_commit() {
    let mut places = Places::of(Scene::new());
    let unborn = made(&places.scene, "unborn", &["init", "--quiet", "--initial-branch=main"]);
    for row in ROWS.iter().filter(|row| row.needs == Repository) {
        places.hold(&unborn, &[], &places.words(row.command, row.words), row.unborn);
        fs::remove_dir_all(unborn.join("sessions")).ok();
    }
    places.are_right();
}

#[test]
fn in_a_repository_without_sessions_with_and_without_a_home() {
    let mut places = Places::of(Scene::new());
    places.scene.file("plain/a.txt", b"text");
    let plain = places.scene.repository("plain");
    for variables in [&[][..], &[("HOME", None)]] {
        for row in ROWS.iter().filter(|row| row.needs != Git) {
            places.hold(&plain, variables, &places.words(row.command, row.words), row.plain);
            fs::remove_dir_all(plain.join("sessions")).ok();
        }
    }
    places.are_right();
}

#[test]
fn where_nothing_is_found() {
    let world = World::new();
    let clone = world.clone.clone();
    let mut places = Places::of(world.scene);
    for row in ROWS.iter().filter(|row| row.needs != Git) {
        let (words, end) = row.nothing;
        places.hold(&clone, &[], &places.words(row.command, words), end);
    }
    places.are_right();
}

#[test]
fn in_a_clone_that_cannot_be_written() {
    let mut world = World::new();
    world.record();
    world.scene.hydrant(&world.clone, &["publish", SESSION]).ends(0);
    let asset = b"an asset";
    world.scene.upload(asset);
    world.scene.file("clone/media/a.bin", pointer(asset).as_bytes());
    world.scene.commit(&world.clone);
    world.git(&["push", "--quiet"]);
    let clone = world.clone.clone();
    let mut places = Places::of(world.scene);
    places.powerless = Some(program_for_all(&places.scene));
    let _locked = Locked::new(&clone);
    let before = snapshot(&clone);
    for row in ROWS.iter().filter(|row| row.needs != Git) {
        let (words, end) = row.locked;
        places.hold(&clone, &[], &places.words(row.command, words), end);
        if before != snapshot(&clone) {
            places.wrong.push(format!("{} {words}: it wrote", row.command));
        }
    }
    places.are_right();
}
