//! What a publish and a regenerate do not take: told in every form, and wrong until the user says that it is right.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{
    SESSION, World, expect_published, head, manifest, publish, publish_recording, record, recorded, transcript,
};
use hydrant_kit::scene::{Ran, noise};

/// Something that lies in a folder and is not published.
struct Stray {
    /// How the report names it.
    name: &'static str,
    reason: &'static str,
    make: fn(&Path),
    /// Whether it is told when nobody may call the exit code 0.
    asked_for: bool,
}

fn write(path: &Path) {
    fs::create_dir_all(path.parent().expect("it has one")).expect("folders");
    fs::write(path, b"dear to somebody").expect("a file");
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo runs").success());
}

const STRAYS: [Stray; 11] = [
    Stray { name: ".env", reason: "hidden", make: write, asked_for: true },
    Stray { name: ".notes/", reason: "hidden", make: |path| write(&path.join("a.txt")), asked_for: true },
    Stray { name: "Cargo.lock", reason: "lock-file", make: write, asked_for: true },
    Stray { name: "meta.json", reason: "manifest", make: write, asked_for: false },
    Stray { name: "CON", reason: "unusable-name", make: write, asked_for: true },
    Stray { name: "a\\b.txt", reason: "unusable-name", make: write, asked_for: true },
    Stray {
        name: "link",
        reason: "symlink",
        make: |path| symlink("/etc/passwd", path).expect("a link"),
        asked_for: true,
    },
    Stray {
        name: "folder-link",
        reason: "symlink",
        make: |path| symlink("/etc", path).expect("a link"),
        asked_for: true,
    },
    Stray { name: "pipe", reason: "not-regular", make: pipe, asked_for: true },
    Stray {
        name: "s",
        reason: "not-regular",
        make: |path| drop(UnixListener::bind(path).expect("a socket")),
        asked_for: true,
    },
    Stray {
        name: "d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/",
        reason: "too-deep",
        make: |path| write(&path.join("a.txt")),
        asked_for: true,
    },
];

fn remove(folder: &Path, name: &str) {
    let path = folder.join(name.trim_end_matches('/').split('/').next().expect("one"));
    let is_folder = path.symlink_metadata().expect("it stands").is_dir();
    if is_folder { fs::remove_dir_all(path) } else { fs::remove_file(path) }.expect("removed");
}

/// A pattern that matches exactly this.
fn pattern(name: &str) -> String {
    name.replace('\\', "\\\\")
}

/// The reason that a document gives for a name.
#[track_caller]
fn reason(json: &Value, name: &str) -> (String, bool) {
    let list = json["left_out_list"].as_array().unwrap_or_else(|| panic!("{json}"));
    // As git prints it.
    let shown = if name.contains('\\') { format!("\"{}\"", pattern(name)) } else { name.to_owned() };
    let mut found = list.iter().filter(|one| one["name"] == shown);
    let one = found.next().unwrap_or_else(|| panic!("{name} is not told: {json}"));
    assert!(found.next().is_none(), "{name} is told twice");
    (one["reason"].as_str().expect("a reason").to_owned(), one["asked_for"] == true)
}

/// Everything that a command must say of one stray, each way it is asked.
fn expect_told(stray: &Stray, forms: &[&[&str]], run: &dyn Fn(&[&str]) -> Ran) {
    let Stray { name, reason: why, asked_for, .. } = *stray;
    let code = i32::from(asked_for);
    for form in forms.iter().copied() {
        let json = run(&[form, &["--json"]].concat());
        assert_eq!(json.code, code, "{name} {form:?}: {}", json.err);
        let json = json.json();
        assert_eq!(reason(&json, name), (why.to_owned(), asked_for), "{name} {form:?}");
        assert_eq!((&json["ok"], &json["error"]), (&(!asked_for).into(), &Value::Null), "{name} {form:?}: {json}");
        let quiet = run(&[form, &["-q"]].concat()).ends(code);
        let shown = if name.contains('\\') { "b.txt" } else { name };
        let is_told = quiet.err.lines().any(|line| line.contains(shown) && line.contains("is left out: "));
        assert!(is_told, "{name} {form:?}: {}", quiet.err);
        assert_eq!(quiet.err.contains("--exclude PATTERN says"), asked_for, "{name} {form:?}: {}", quiet.err);
        // The user's word makes it right, and the document still says it.
        let pattern = pattern(name);
        let excluded = [form, &["--exclude", "nothing", "--exclude", &pattern]].concat();
        let json = run(&[&excluded[..], &["--json"]].concat());
        assert_eq!(json.code, 0, "{name} {form:?}: {}{}", json.err, json.out);
        assert_eq!(reason(&json.json(), name), ("excluded".to_owned(), false), "{name} {form:?}");
    }
}

#[test]
fn what_a_named_folder_holds_is_taken_or_told() {
    let world = recorded();
    publish_recording(&world, &[]).ends(0);
    let from = world.recording.to_str().expect("text");
    for (at, stray) in STRAYS.iter().enumerate() {
        (stray.make)(&world.recording.join(stray.name));
        // Each way it is asked with the first one; then only whether nothing seems to have changed, and dry.
        let forms: &[&[&str]] =
            if at == 0 { &[&["--dry-run"], &["--again"], &[], &["--dry-run", "--again"]] } else { &[&[]] };
        expect_told(stray, forms, &|arguments| publish_recording(&world, arguments));
        let regenerate = ["regenerate", SESSION, "--from", from];
        let dry: &[&[&str]] = &[&["--dry-run"]];
        expect_told(stray, dry, &|arguments| world.scene.hydrant(&world.clone, &[&regenerate, arguments].concat()));
        remove(&world.recording, stray.name);
    }
    // Nothing of it leaves a trace once it is gone.
    let ran = publish_recording(&world, &["--json"]).ends(0).json();
    assert_eq!(ran["left_out_list"], Value::Array(vec![]));
    expect_published(&world);
}

/// A pipe or a symlink is no reason to send nothing at all.
#[test]
fn all_the_rest_is_published_beside_them() {
    let world = recorded();
    for stray in &STRAYS {
        (stray.make)(&world.recording.join(stray.name));
    }
    let json = publish_recording(&world, &["--json"]).ends(1).json();
    assert_eq!((&json["phase"], &json["error"]), (&"done".into(), &Value::Null), "{json}");
    for stray in &STRAYS {
        assert_eq!(reason(&json, stray.name), (stray.reason.to_owned(), stray.asked_for));
    }
    expect_published(&world);
    let files = manifest(&world)["files"].as_object().expect("files").len();
    assert_eq!(files, world.content.len());
    // All of it is right by one pattern each.
    let excludes: Vec<String> = STRAYS.iter().flat_map(|one| ["--exclude".to_owned(), pattern(one.name)]).collect();
    let excludes: Vec<&str> = excludes.iter().map(String::as_str).collect();
    let quiet = publish_recording(&world, &[&excludes[..], &["-q"]].concat()).ends(0);
    assert!(!quiet.err.contains("left out"), "{}", quiet.err);
}

/// The sessions' own folder is named with the session.
#[test]
fn what_the_sessions_folder_holds_is_taken_or_told() {
    let mut world = World::new();
    world.record();
    let path = |name: &str| format!("sessions/{SESSION}/{name}");
    for (name, why) in [("stray.txt", "not-asked-for"), (".env", "hidden"), ("deep/er/stray.txt", "not-asked-for")] {
        write(&world.clone.join(path(name)));
        for form in [&["--dry-run"][..], &[], &[]] {
            let json = publish(&world, &[form, &["--json"]].concat()).ends(1).json();
            assert_eq!(reason(&json, &path(name)), (why.to_owned(), true), "{form:?}");
            let quiet = publish(&world, &[form, &["-q"]].concat()).ends(1);
            assert!(quiet.err.contains("is left out: "), "{}", quiet.err);
            let json = publish(&world, &[form, &["--json", "--exclude", name]].concat()).ends(0).json();
            assert_eq!(reason(&json, &path(name)), ("excluded".to_owned(), false), "{form:?}");
        }
        fs::remove_file(world.clone.join(path(name))).expect("it was there");
    }
    expect_published(&world);
    // Whatever git carries is in the ledger already.
    world.scene.file(&format!("clone/{}", path("README.md")), b"git's own");
    world.scene.file(&format!("clone/{}", path(".attributes/a")), b"git's own");
    world.scene.commit(&world.clone);
    world.git(&["push", "--quiet"]);
    let json = publish(&world, &["--json"]).ends(0).json();
    assert_eq!(json["left_out_list"], Value::Array(vec![]), "{json}");
    world.scene.file(&format!("clone/{}", path(".attributes/b")), b"nobody's");
    let json = publish(&world, &["--json"]).ends(1).json();
    assert_eq!(reason(&json, &path(".attributes/")), ("hidden".to_owned(), true));
}

/// Known content, in place and by name, that is no file.
#[test]
fn content_that_is_no_file_keeps_the_rest_from_nothing() {
    for (name, make, why, named) in [
        ("summary.md", (|path: &Path| symlink("/etc/passwd", path).expect("a link")) as fn(&Path), "symlink", false),
        ("summary.md", pipe, "not-regular", false),
        ("summary.md", |path: &Path| fs::create_dir(path).expect("a folder"), "not-regular", false),
        ("more.bin", |path: &Path| symlink("/etc/passwd", path).expect("a link"), "symlink", true),
        ("more.bin", pipe, "not-regular", true),
        ("more/a.bin", |path: &Path| symlink("/etc", path.parent().expect("one")).expect("a link"), "symlink", true),
    ] {
        let mut world = World::new();
        world.record();
        make(&world.session_folder().join(name));
        let more: &[&str] = if named { &["--file", name] } else { &[] };
        let json = publish(&world, &[more, &["--json"]].concat()).ends(1).json();
        assert_eq!(json["phase"], "done", "{json}");
        assert_eq!(reason(&json, &format!("sessions/{SESSION}/{name}")), (why.to_owned(), true), "{json}");
        assert_eq!(manifest(&world)["files"].as_object().expect("files").len(), 4, "{name}");
        publish(&world, &["--file", "never-there.bin"]).ends(2);
    }
}

#[test]
fn what_is_excluded_is_not_published() {
    let mut world = recorded();
    record(&mut world, "logs/a.log", b"words");
    record(&mut world, "logs/b,c.log", b"words");
    record(&mut world, "big.bin", &noise(9000, 8));
    let plan = publish_recording(&world, &["--dry-run", "--json", "--exclude", "*.log", "--exclude", "/big.bin"]);
    assert_eq!(plan.ends(0).json()["file_list"].as_array().expect("a list").len(), 5);
    publish_recording(&world, &["--exclude", "b,c.log", "--exclude", "a.log", "--exclude", "./big.bin"]).ends(0);
    for name in ["logs/a.log", "logs/b,c.log", "big.bin"] {
        world.content.remove(name);
        assert!(manifest(&world)["files"].get(name).is_none(), "{name}");
    }
    expect_published(&world);
    // What the session has stays, also when it is excluded later; other content is not taken.
    record(&mut world, "session.md", b"other words");
    world.content.insert("session.md".to_owned(), noise(300_000, 5));
    publish_recording(&world, &["--exclude", "session.md", "--exclude", "logs/", "--exclude", "*.bin"]).ends(0);
    expect_published(&world);
    world.in_place("plan.md", noise(5000, 3));
    world.content.remove("plan.md");
    let before = head(&world);
    let json = publish(&world, &["--json", "--exclude", "plan.md"]).ends(0).json();
    assert_eq!(reason(&json, &format!("sessions/{SESSION}/plan.md")), ("excluded".to_owned(), false));
    assert_eq!(head(&world), before);
    // Two words of the user's that cannot both hold.
    let ran = publish(&world, &["--file", "plan.md", "--exclude", "plan.*"]).ends(2);
    assert!(ran.err.contains("plan.md: it is named, and --exclude leaves it out"), "{}", ran.err);
    publish(&world, &["--resume", "--exclude", "plan.md"]).ends(2);
    publish_recording(&world, &["--exclude", &"x".repeat(5000)]).ends(2);
}

/// A refusal that has nothing to publish says what it did not take.
#[test]
fn a_folder_of_strays_alone_is_refused_by_their_names() {
    let world = recorded();
    let folder = world.scene.path("strays");
    write(&folder.join(".env"));
    pipe(&folder.join("pipe"));
    let from = folder.to_str().expect("text");
    for command in ["publish", "regenerate"] {
        let ran = world.scene.hydrant(&world.clone, &[command, SESSION, "--from", from]).ends(2);
        let is_told = ran.err.contains(".env is left out") && ran.err.contains("pipe is left out");
        assert!(is_told || command == "regenerate", "{}", ran.err);
        publish_recording(&world, &[]).ends(0);
        if command == "regenerate" {
            let ran = world.scene.hydrant(&world.clone, &[command, SESSION, "--from", from]).ends(2);
            assert!(ran.err.contains(".env is left out") && ran.err.contains("pipe is left out"), "{}", ran.err);
        }
    }
}

/// What stands in the recorder's cache was named by nobody, and is told all the same.
#[test]
fn the_recorders_cache_is_told_and_no_reason_to_fail() {
    let world = World::new();
    world.scene.file("clone/.gitignore", b".sageox/\n");
    world.scene.commit(&world.clone);
    world.git(&["push", "--quiet"]);
    let cache = format!(".sageox/cache/sessions/{SESSION}");
    for (name, bytes) in [("raw.jsonl", transcript(7)), ("screenshot.png", noise(400, 2)), (".state", vec![1])] {
        world.scene.file(&format!("clone/{cache}/{name}"), &bytes);
    }
    let json = publish(&world, &["--json"]).ends(0).json();
    assert_eq!(reason(&json, &format!("{cache}/screenshot.png")), ("not-asked-for".to_owned(), false));
    assert_eq!(reason(&json, &format!("{cache}/.state")), ("hidden".to_owned(), false));
    let quiet = publish(&world, &["-q"]).ends(0);
    assert!(quiet.err.contains("screenshot.png is left out"), "{}", quiet.err);
}

/// A push that failed publishes later what was asked for then: the next run does not miss it.
#[test]
fn what_an_interrupted_publish_took_is_not_missed_by_the_next() {
    let mut world = World::new();
    world.record();
    world.in_place("more.bin", noise(5000, 9));
    let hook = world.scene.file("clone/.git/hooks/pre-push", b"#!/bin/sh\nexit 1\n");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).expect("it can run");
    publish(&world, &["--file", "more.bin"]).ends(3);
    fs::remove_file(hook).expect("it was there");
    let json = publish(&world, &["--json"]).ends(0).json();
    assert_eq!((&json["resumed"], &json["left_out_list"]), (&true.into(), &Value::Array(vec![])), "{json}");
    expect_published(&world);
}

/// Whether git has all of a folder is asked once, however many folders are left out.
#[test]
fn folders_that_git_has_are_left_out_in_silence_and_at_one_price() {
    const FOLDERS: usize = 9;
    let mut world = World::new();
    world.in_place("raw.jsonl", transcript(2));
    let write = |name: &str| drop(world.scene.file(&format!("clone/sessions/{SESSION}/{name}"), b"dear to somebody"));
    (0..FOLDERS).for_each(|at| write(&format!(".of-git-{at}/a.txt")));
    write(".both/a.txt");
    // A name that only begins alike is another folder's.
    write(".of/a.txt");
    let path = format!("sessions/{SESSION}");
    world.git(&["add", "--force", &format!("{path}/.both"), &format!("{path}/.of")]);
    (0..FOLDERS).for_each(|at| drop(world.git(&["add", "--force", &format!("{path}/.of-git-{at}")])));
    world.git(&["commit", "--quiet", "--message", "hidden folders"]);
    world.git(&["push", "--quiet"]);
    write(".both/b.txt");
    write(".own/a.txt");
    write(".of-git-0x/a.txt");
    write(".repository/a.txt");
    world.scene.git(&world.session_folder().join(".repository"), &["init", "--quiet"]);

    let count = world.scene.file("count", b"");
    let path = std::env::var("PATH").expect("a path");
    let wrapper = format!(
        "#!/bin/sh\nPATH='{path}'\ncase \" $* \" in *' --ignored '*) ;; *' --others '*) echo >> '{}' ;; esac\n\
         exec git \"$@\"\n",
        count.display()
    );
    let wrapper = world.scene.file("wrapped/git", wrapper.as_bytes());
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).expect("it can run");
    let path = format!("{}:{path}", wrapper.parent().expect("a folder").display());
    let ran = world.scene.hydrant_with(&world.clone, &[("PATH", &path)], &["publish", SESSION, "--dry-run", "--json"]);
    let json = ran.ends(1).json();
    let list = json["left_out_list"].as_array().expect("a list").iter();
    let mut told: Vec<&str> = list.map(|one| one["name"].as_str().expect("a name")).collect();
    told.sort_unstable();
    let path = |name: &str| format!("sessions/{SESSION}/{name}/");
    assert_eq!(told, [".both", ".of-git-0x", ".own", ".repository"].map(path), "{json}");
    assert_eq!(fs::read(&count).expect("there").len(), 1, "git lists once what it does not have");
}
