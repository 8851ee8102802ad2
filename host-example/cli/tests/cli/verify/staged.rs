//! Content is found where no manifest names it yet.

use std::path::Path;

use hydrant_kit::scene::{Scene, noise, pointer};

use super::{are, content, findings, ledger};

/// Name of a session that is being recorded.
const NEW: &str = "rec1";
/// A manifest by which git carries a file that goes by the name of content.
const BY_GIT: &[u8] =
    br#"{"version": "1.0", "session_name": "rec1", "session_id": "ses_r", "agent_type": "claude-code",
  "files": {"plan.md": {"storage": "git", "size": 2000}}}"#;

/// Whether exactly these files of the session are found as content.
#[track_caller]
fn expect(scene: &Scene, ledger: &Path, names: &[&str], row: &str) {
    let paths: Vec<String> = names.iter().map(|name| format!("sessions/{NEW}/{name}")).collect();
    let words: &[&str] = &["publish it instead"];
    let expected: Vec<(&str, &str, &[&str])> = paths.iter().map(|path| (path.as_str(), "conflict", words)).collect();
    are(&findings(scene, ledger, &["--staged"]), &expected, row);
}

#[test]
fn content_that_no_manifest_names_is_found() {
    let scene = Scene::new();
    let [(_, raw), _] = content();
    let pointer = pointer(&raw);
    let long = noise(2_000, 41);
    // What is staged of the session, and what of it is found.
    type Row<'a> = (&'a str, &'a [(&'a str, &'a [u8])], &'a [&'a str]);
    let table: [Row<'_>; 5] = [
        ("content", &[("raw.jsonl", &raw), ("plan.md", b"words")], &["plan.md", "raw.jsonl"]),
        ("pointer", &[("raw.jsonl", pointer.as_bytes())], &[]),
        (
            "others",
            &[
                ("notes.txt", &long),
                (".gitignore", b"*.tmp\n"),
                ("summary.json", &long),
                ("session.md", b""),
                ("more/raw.jsonl", &long),
            ],
            &["more/raw.jsonl", "notes.txt"],
        ),
        ("by-git", &[("meta.json", BY_GIT), ("plan.md", &long)], &[]),
        ("beside-by-git", &[("meta.json", BY_GIT), ("session.md", &long)], &["session.md"]),
    ];
    for (row, files, expected) in table {
        let ledger = ledger(&scene, row);
        for (name, bytes) in files {
            scene.file(&format!("{row}/sessions/{NEW}/{name}"), bytes);
        }
        scene.git(&ledger, &["add", "--all"]);
        expect(&scene, &ledger, expected, row);
        // Committed, it is no longer about to be.
        scene.git(&ledger, &["commit", "--quiet", "--message", "all the same"]);
        expect(&scene, &ledger, &[], row);
    }
}

#[test]
fn content_beside_a_draft_is_found() {
    let scene = Scene::new();
    let ledger = ledger(&scene, "ledger");
    scene.hydrant(&ledger, &["draft", NEW, "--agent-type", "claude-code"]).ends(0);
    scene.git(&ledger, &["add", "--all"]);
    expect(&scene, &ledger, &[], "a draft");
    scene.file(&format!("ledger/sessions/{NEW}/raw.jsonl"), &noise(3_000, 42));
    scene.file(&format!("ledger/sessions/{NEW}/events.bin"), &noise(3_000, 43));
    scene.git(&ledger, &["add", "--all"]);
    expect(&scene, &ledger, &["events.bin", "raw.jsonl"], "content");
    scene.git(&ledger, &["config", "hydrant.contentFiles", "events.bin, summary.json"]);
    expect(&scene, &ledger, &["events.bin", "raw.jsonl"], "configured");
    scene.git(&ledger, &["commit", "--quiet", "--message", "the draft"]);
    scene.file(&format!("ledger/sessions/{NEW}/events.bin"), &noise(3_100, 43));
    scene.git(&ledger, &["add", "--all"]);
    expect(&scene, &ledger, &["events.bin"], "a draft that is committed");
}

#[test]
fn a_folder_of_that_name_is_nothing_where_no_session_is() {
    let scene = Scene::new();
    let repository = scene.repository("repository");
    scene.file(&format!("repository/sessions/{NEW}/plan.md"), b"words");
    scene.git(&repository, &["add", "--all"]);
    expect(&scene, &repository, &[], "no ledger");
    scene.git(&repository, &["config", "hydrant.ledger", "true"]);
    expect(&scene, &repository, &["plan.md"], "a ledger");
}

/// A manifest that cannot be read says of no file that git carries it.
#[test]
fn content_beside_a_manifest_that_cannot_be_read_is_found() {
    let scene = Scene::new();
    let ledger = ledger(&scene, "ledger");
    scene.file(&format!("ledger/sessions/{NEW}/meta.json"), b"<<<<<<< ours\n{}\n=======\n{}\n>>>>>>> theirs\n");
    scene.file(&format!("ledger/sessions/{NEW}/raw.jsonl"), &noise(3_000, 44));
    scene.git(&ledger, &["add", "--all"]);
    let (meta, raw) = (format!("sessions/{NEW}/meta.json"), format!("sessions/{NEW}/raw.jsonl"));
    let expected: &[(&str, &str, &[&str])] = &[(&meta, "malformed", &[]), (&raw, "conflict", &["publish it instead"])];
    are(&findings(&scene, &ledger, &["--staged"]), expected, "marks");
}

/// git says more of such a commit than one answer may have, and it is fine.
#[test]
fn a_huge_commit_is_looked_at() {
    let scene = Scene::new();
    let repository = scene.repository("repository");
    scene.file("repository/words", &noise(2_000, 45));
    let blob = scene.git(&repository, &["hash-object", "-w", "words"]).trim().to_owned();
    let long = "n".repeat(3_900);
    let listed: String = (0..18_000).map(|at| format!("100644 {blob}\t{long}{at}\n")).collect();
    assert!(listed.len() > 64 << 20);
    let mut index = scene.program("git", &repository);
    index.args(["update-index", "--index-info"]);
    index.stdin(std::fs::File::open(scene.file("listed", listed.as_bytes())).expect("there"));
    assert!(index.status().expect("git runs").success());
    are(&findings(&scene, &repository, &["--staged", "--offline"]), &[], "fine");
}
