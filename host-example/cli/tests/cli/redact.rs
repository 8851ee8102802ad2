//! `redact`: what secrets stand in files, and copies without them. No secret stands here: they are made as needed.

use std::fs;
use std::os::unix::fs::symlink;

use hydrant_kit::scene::Scene;

/// A token in GitHub's form that GitHub never gave to anybody.
pub(crate) fn token(seed: u64) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(DIGITS[(state >> 33) as usize % DIGITS.len()])
    };
    format!("{}_{}", "ghp", (0..36).map(|_| next()).collect::<String>())
}

fn transcript(secret: &str) -> String {
    [
        format!(r#"{{"type":"user","text":"use {secret}"}}"#),
        r#"{"type":"assistant","text":"I set DB_PASSWORD=Zk4!qvT9xw\nand go on"}"#.to_owned(),
        r#"{"type":"result","text":"connected with Zk4!qvT9xw","n":1.50}"#.to_owned(),
        String::new(),
    ]
    .join("\n")
}

const PLAIN: [&str; 3] = [
    r#"{"type":"user","text":"use [REDACTED:github-token#1]"}"#,
    r#"{"type":"assistant","text":"I set DB_PASSWORD=[REDACTED:keyed-value#1]\nand go on"}"#,
    r#"{"type":"result","text":"connected with [REDACTED:keyed-value#1]","n":1.50}"#,
];

#[test]
fn it_says_kinds_and_lines_and_changes_nothing() {
    let scene = Scene::new();
    let secret = token(1);
    let text = transcript(&secret);
    scene.file("t.jsonl", text.as_bytes());
    let said = scene.hydrant(&scene.folder, &["redact", "t.jsonl"]).ends(0);
    assert_eq!(
        said.out,
        "t.jsonl:1: [REDACTED:github-token#1]\n\
         t.jsonl:2: [REDACTED:keyed-value#1]\n\
         t.jsonl:3: [REDACTED:keyed-value#1]\n"
    );
    assert!(said.err.contains("2 secrets in 3 places found in 1 file"), "{}", said.err);
    let json = scene.hydrant(&scene.folder, &["redact", "--check", "t.jsonl", "--json"]).ends(1).json();
    assert_eq!((&json["ok"], &json["findings"], &json["secrets"]), (&false.into(), &3.into(), &2.into()));
    assert_eq!(json["finding_list"][2]["kind"], "keyed-value");
    let shown = scene.hydrant(&scene.folder, &["redact", "--diff", "t.jsonl"]).ends(0).out;
    let lines: Vec<String> =
        PLAIN.iter().zip(1..).map(|(line, number)| format!("t.jsonl:{number}: {line}\n")).collect();
    assert_eq!(shown, lines.concat());
    for arguments in
        [&["redact", "t.jsonl"][..], &["redact", "--diff", "t.jsonl"], &["redact", "-v", "--json", "t.jsonl"]]
    {
        let said = scene.hydrant(&scene.folder, arguments);
        let all = said.out + &said.err;
        assert!(!all.contains(&secret[4..16]) && !all.contains("Zk4!qvT9xw"), "{arguments:?}");
    }
    assert_eq!(fs::read_to_string(scene.path("t.jsonl")).expect("there"), text);
}

#[test]
fn copies_have_markers_and_every_other_byte() {
    let scene = Scene::new();
    let secret = token(2);
    let source = scene.file("recording/raw.jsonl", transcript(&secret).as_bytes());
    scene.file("recording/sub/notes.md", format!("the token is {secret}\r\n").as_bytes());
    scene.file("recording/.git/config", secret.as_bytes());
    symlink(&source, scene.path("recording/link")).expect("a link");
    let said = scene.hydrant(&scene.folder, &["redact", "--into", "clean", "recording"]).ends(0);
    assert!(said.err.contains("2 files written") && said.err.contains("1 link not followed"), "{}", said.err);
    let copy = |name: &str| fs::read_to_string(scene.path("clean/recording").join(name)).expect("a copy");
    assert_eq!(copy("raw.jsonl"), PLAIN.join("\n") + "\n");
    assert_eq!(copy("sub/notes.md"), "the token is [REDACTED:github-token#1]\r\n");
    assert!(!scene.path("clean/recording/link").exists() && !scene.path("clean/recording/.git").exists());
    // What is there is not written over, and nothing is written beside it.
    fs::remove_file(scene.path("clean/recording/sub/notes.md")).expect("removed");
    let said = scene.hydrant(&scene.folder, &["redact", "--into", "clean", "recording"]).ends(2);
    assert!(said.err.contains("recording/raw.jsonl is there already"), "{}", said.err);
    assert!(!scene.path("clean/recording/sub/notes.md").exists());
    // Once is enough.
    let said = scene.hydrant(&scene.folder, &["redact", "--check", "clean"]).ends(0);
    assert!(said.err.contains("no secret found"), "{}", said.err);
}

#[test]
fn values_of_this_machine_are_secrets_wherever_they_stand() {
    let scene = Scene::new();
    let (variable, ignored) = ("Vq7pLm2xRt", "Wn3kZb8yHs");
    scene.git(&scene.folder, &["init", "-q", "clone"]);
    let clone = scene.path("clone");
    scene.file("clone/.gitignore", b".env\n");
    scene.file("clone/app/.env", format!("# mine\nexport ANY_NAME='{ignored}'\nWORD=plainword\n").as_bytes());
    scene.file("clone/log", format!("{variable} and {ignored} and plainword\n").as_bytes());
    let said = scene.hydrant_with(&clone, &[("SOME_API_TOKEN", variable)], &["redact", "log", "--diff"]).ends(0);
    assert_eq!(said.out, "log:1: [REDACTED:named-value#1] and [REDACTED:named-value#2] and plainword\n");
    scene.hydrant(&scene.folder, &["redact", "--check", "clone/log"]).ends(0);
}

#[test]
fn what_cannot_be_looked_through_is_told() {
    let scene = Scene::new();
    scene.file("d/ok", b"nothing\n");
    let long = vec![b'x'; 33 * 1024 * 1024];
    scene.file("d/long", &long);
    let made = std::process::Command::new("mkfifo").arg(scene.path("d/pipe")).status().expect("mkfifo runs");
    assert!(made.success());
    let said = scene.hydrant(&scene.folder, &["redact", "d"]).ends(1);
    assert!(said.err.contains("d/long: not looked through: line 1 is longer than 33554432 bytes"), "{}", said.err);
    assert!(said.err.contains("d/pipe: not looked through: it is no file"), "{}", said.err);
    let json = scene.hydrant(&scene.folder, &["redact", "d", "--into", "out", "--json"]).ends(1).json();
    assert_eq!((&json["written"], json["unchecked_list"].as_array().map(Vec::len)), (&1.into(), Some(2)));
    assert!(scene.path("out/d/ok").exists() && !scene.path("out/d/long").exists());
    scene.hydrant(&scene.folder, &["redact", "nope"]).ends(2);
    scene.hydrant(&scene.folder, &["redact"]).ends(2);
}
