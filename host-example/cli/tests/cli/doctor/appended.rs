//! A program that opens a file by its name for each line goes on after a pointer took the file's place: what it writes
//! stands behind the pointer, and nothing publishes that as content.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use hydrant_kit::scene::Ran;
use hydrant_kit::world::{SESSION, World, transcript};

use super::{doctor, findings, kinds, tidy, told};

/// Entries that were published.
const PUBLISHED: usize = 40;

/// What a program writes behind a pointer: less than a pointer may have, and more.
const APPENDED: [usize; 2] = [1, 60];

/// A transcript that still goes on.
fn lines(entries: usize) -> Vec<u8> {
    let mut bytes = transcript(entries);
    bytes.truncate(bytes.len() - b"{\"type\":\"footer\"}\n".len());
    bytes
}

/// What stands behind the entries that were published.
fn tail(entries: usize) -> Vec<u8> {
    lines(PUBLISHED + entries)[lines(PUBLISHED).len()..].to_vec()
}

fn append(path: &Path, bytes: &[u8]) {
    OpenOptions::new().append(true).open(path).and_then(|mut file| file.write_all(bytes)).expect("appended");
}

/// A session of which a file was published in place and then written to by its name.
fn written_to(name: &str, entries: usize) -> (World, PathBuf) {
    let mut world = tidy();
    world.in_place("raw.jsonl", lines(PUBLISHED));
    if name != "raw.jsonl" {
        world.in_place(name, lines(PUBLISHED));
    }
    publish(&world, &["--file", name]).ends(0);
    let path = world.session_folder().join(name);
    append(&path, &tail(entries));
    (world, path)
}

fn publish(world: &World, arguments: &[&str]) -> Ran {
    world.scene.hydrant(&world.clone, &[&["publish", SESSION], arguments].concat())
}

/// Shows I10.
#[test]
fn what_a_program_appended_to_a_pointer_is_found_and_becomes_content() {
    for name in ["raw.jsonl", "notes.jsonl"] {
        for entries in APPENDED {
            let (world, path) = written_to(name, entries);
            let grown = fs::read(&path).expect("there");
            let manifest = world.remote_file(&format!("sessions/{SESSION}/meta.json"));
            let own = world.session_folder();
            for arguments in [&[][..], &["--from", own.to_str().expect("text")]] {
                let refused = publish(&world, arguments).ends(1);
                assert!(refused.err.contains("appended to its pointer"), "{name} {entries}: {}", refused.err);
                assert!(refused.err.contains("`hydrant doctor`"), "{name} {entries}: {}", refused.err);
            }
            assert_eq!(fs::read(&path).expect("there"), grown);
            assert_eq!(world.remote_file(&format!("sessions/{SESSION}/meta.json")), manifest);

            let found = findings(&world);
            assert_eq!((found.len(), &found[0]["kind"]), (1, &"appended-pointer".into()), "{found:?}");
            assert_eq!(found[0]["path"], format!("sessions/{SESSION}/{name}"));
            doctor(&world, &["--fix"]).ends(1);
            assert_eq!(fs::read(&path).expect("there"), grown, "that is the user's to decide");
            follow(&world, found[0]["run"].as_str().expect("words"));
            assert_eq!(kinds(&findings(&world)).len(), 0, "{name} {entries}");
            let shown = world.scene.hydrant_command(&world.clone).args(["show", SESSION, name]).output();
            assert_eq!(shown.expect("it runs").stdout, lines(PUBLISHED + entries), "{name} {entries}");
            world.scene.hydrant(&world.clone, &["verify", SESSION]).ends(0);
        }
    }
}

/// Runs what is said, as it is, in a shell that finds the program under test.
pub(super) fn follow(world: &World, run: &str) {
    let beside = Path::new(env!("CARGO_BIN_EXE_hydrant")).parent().expect("a folder").to_owned();
    let path = env::join_paths([beside].into_iter().chain(env::split_paths(&env::var_os("PATH").expect("a path"))));
    let mut shell = world.scene.program("sh", &world.clone);
    let ended = shell.env("PATH", path.expect("folders")).args(["-e", "-c", run]).output().expect("a shell");
    assert!(ended.status.success(), "{run}: {}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
fn a_folder_with_an_appended_pointer_is_not_published() {
    for name in ["raw.jsonl", "notes.jsonl"] {
        for entries in APPENDED {
            let (world, path) = written_to(name, entries);
            world.scene.file("recording/raw.jsonl", &lines(PUBLISHED + 9));
            world.scene.file(&format!("recording/{name}"), &fs::read(&path).expect("there"));
            world.git(&["checkout", "--quiet", "--", "sessions"]);
            for command in ["publish", "regenerate"] {
                let refused = world.scene.hydrant(&world.clone, &[command, SESSION, "--from", "../recording"]).ends(1);
                assert!(refused.err.contains("pointer") && refused.err.contains(name), "{command}: {}", refused.err);
            }
            assert_eq!(kinds(&findings(&world)).len(), 0, "{name} {entries}");
        }
    }
}

#[test]
fn a_pointer_that_the_manifest_does_not_name_is_only_told() {
    let (world, path) = written_to("raw.jsonl", 3);
    let grown = fs::read_to_string(&path).expect("text");
    let (before, digits) = grown.split_once("sha256:").expect("an oid");
    fs::write(&path, format!("{before}sha256:{}{}", "0".repeat(64), &digits[64..])).expect("written");
    let found = findings(&world);
    let told = told(&found[0]);
    assert!(told.contains("; the manifest names another blob") && !told.contains("publish"), "{told}");
    let (_, see) = told.split_once("with: ").expect("a command");
    let mut shell = world.scene.program("sh", &world.clone);
    assert_eq!(shell.args(["-c", see]).output().expect("a shell").stdout, tail(3));
}
