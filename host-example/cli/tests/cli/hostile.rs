//! Manifests as nobody should write them: each gets its named refusal or its documented acceptance, and no command
//! touches the file.

use std::fs;
use std::path::Path;

use hydrant_kit::scene::{Scene, noise, pointer};

/// What a command says of a session: an error's code and words, or the state of its transcript.
enum Says {
    Refused(&'static str, &'static str),
    State(&'static str),
}
use Says::{Refused, State};

const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Name, manifest (`@` is an oid), what `status` says, what `publish` is refused with; none: it is published.
const TABLE: [(&str, &str, Says, Option<&str>); 14] = [
    (
        "markers",
        "<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> x\n",
        Refused("malformed", "conflict markers"),
        Some("conflict"),
    ),
    ("twice", r#"{"session_id":"ses_a","session_id":"ses_b"}"#, Refused("malformed", "twice"), Some("twice")),
    (
        "twice-in-files",
        r#"{"files":{"raw.jsonl":{"oid":"sha256:@","size":1},"raw.jsonl":{"oid":"sha256:@","size":2}}}"#,
        Refused("malformed", "twice"),
        Some("twice"),
    ),
    ("case", r#"{"Session_ID":"ses_a","files":{}}"#, Refused("malformed", "case alone"), Some("case alone")),
    ("no-object", "[]", Refused("malformed", "object"), Some("object")),
    ("cut", r#"{"session_id":"ses_a","files":{"#, Refused("malformed", "JSON"), Some("JSON")),
    ("mark", "\u{feff}{}", Refused("malformed", "JSON"), Some("JSON")),
    ("outside", r#"{"files":{"../x":{"oid":"sha256:@","size":5}}}"#, Refused("malformed", "../x"), Some("../x")),
    (
        "itself",
        r#"{"files":{"meta.json":{"oid":"sha256:@","size":5}}}"#,
        Refused("malformed", "meta.json"),
        Some("meta.json"),
    ),
    ("device", r#"{"files":{"CON":{"oid":"sha256:@","size":5}}}"#, Refused("malformed", "CON"), Some("CON")),
    ("negative", r#"{"files":{"raw.jsonl":{"oid":"sha256:@","size":-5}}}"#, State("unusable"), Some("whole number")),
    ("fraction", r#"{"files":{"raw.jsonl":{"oid":"sha256:@","size":1.5}}}"#, State("unusable"), Some("whole number")),
    ("elsewhere", r#"{"files":{"raw.jsonl":{"storage":"s3","size":5}}}"#, State("unusable"), Some("does not know")),
    (
        "legacy",
        r#"{"repo_id":"r","zz":1.50,"files":{"raw.jsonl":{"oid":"sha256:@","size":0}}}"#,
        State("dehydrated"),
        None,
    ),
];

#[test]
fn each_has_its_refusal_or_its_acceptance_and_stays_as_it_is() {
    let scene = Scene::new();
    for (name, text, ..) in &TABLE {
        scene.file(&format!("clone/sessions/{name}/meta.json"), text.replace('@', EMPTY).as_bytes());
        scene.file(&format!("clone/sessions/{name}/raw.jsonl"), pointer(b"").as_bytes());
    }
    let clone = scene.repository("clone");
    scene.git(&scene.folder, &["init", "--quiet", "--bare", "--initial-branch=main", "remote.git"]);
    scene.git(&clone, &["remote", "add", "origin", "../remote.git"]);
    scene.git(&clone, &["push", "--quiet", "--set-upstream", "origin", "main"]);
    scene.git(&clone, &["config", "lfs.url", &scene.url()]);
    scene.file("recording/raw.jsonl", b"{\"type\":\"user\",\"content\":\"x\"}\n");
    let recording = scene.path("recording");

    for (name, text, says, refused) in &TABLE {
        let manifest = clone.join(format!("sessions/{name}/meta.json"));
        let as_it_was = text.replace('@', EMPTY);
        let stays = |command: &str| {
            assert_eq!(fs::read_to_string(&manifest).expect("it is there"), as_it_was, "{name}: {command} touched it");
            assert_eq!(scene.git(&clone, &["status", "--porcelain"]), "", "{name}: after {command}");
        };
        let folder = format!("sessions/{name}");
        let status = scene.hydrant(&clone, &["status", "--json", &folder]);
        match says {
            Refused(code, words) => {
                let error = status.ends(3).json()["error"].clone();
                assert_eq!(error["code"], *code, "{name}: {error}");
                assert!(error["detail"].as_str().is_some_and(|detail| detail.contains(words)), "{name}: {error}");
            }
            State(state) => {
                let told = status.ends(0).json();
                assert_eq!(told["file_list"][0]["state"], *state, "{name}: {told}");
            }
        }
        stays("status");
        for command in [&["verify", "--json", &folder][..], &["hydrate", "--json", &folder]] {
            let ran = scene.hydrant(&clone, command);
            assert!((0..=3).contains(&ran.code), "{name}: {command:?} ended with {}: {}", ran.code, ran.err);
            stays(command[0]);
        }
        let published = publish(&scene, &clone, name, &recording);
        match refused {
            Some(words) => {
                let told = published.ends(3).json();
                assert!(told["error"]["detail"].as_str().is_some_and(|it| it.contains(words)), "{name}: {told}");
                stays("publish");
            }
            None => {
                published.ends(0);
                let text = fs::read_to_string(&manifest).expect("it is there");
                assert!(text.contains("\"zz\":1.50") && text.contains("ses_"), "{name}: {text}");
            }
        }
    }
    assert_eq!(scene.server.stats().puts, 1, "what is refused was never sent");
}

/// Random bytes, a very long line, a very deep nest: an answer within bounds, never a crash.
#[test]
fn noise_is_answered() {
    let scene = Scene::new();
    let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
    let long = format!("{{\"title\":\"{}\"}}", "x".repeat(5 << 20)).into_bytes();
    let table = [("noise", noise(100_000, 3)), ("deep", deep), ("long", long), ("zeros", vec![0; 10_000])];
    for (name, bytes) in &table {
        scene.file(&format!("clone/sessions/{name}/meta.json"), bytes);
    }
    let clone = scene.repository("clone");
    for (name, bytes) in table {
        let file = clone.join(format!("sessions/{name}/meta.json"));
        let told = scene.hydrant(&clone, &["status", "--json", &format!("sessions/{name}")]).ends(3).json();
        assert!(matches!(told["error"]["code"].as_str(), Some("malformed" | "limit")), "{name}: {told}");
        assert!(fs::read(file).expect("it is there") == bytes, "{name}");
    }
}

fn publish(scene: &Scene, clone: &Path, session: &str, recording: &Path) -> hydrant_kit::scene::Ran {
    let from = recording.to_str().expect("text");
    scene.hydrant(clone, &["publish", session, "--from", from, "--json"])
}
