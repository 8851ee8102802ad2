//! `hydrant verify`: what is named must be there, and what is about to be committed as well.

mod in_full;
mod next_commit;
mod places;
mod staged;
mod unnamed;

use std::fs;
use std::path::{Path, PathBuf};

use hydrant_host::files::digest::blob_of;
use serde_json::Value;

use hydrant_kit::scene::{Scene, noise, pointer};

const SESSION: &str = "2026-05-04T09-30-mina-OxQ7wd";
const BROKEN: &[u8] = b"version https://git-lfs.github.com/spec/v1\noid sha256:12\n";
const SUMMARY: &[u8] = b"{\"title\": \"x\"}";
/// Bytes of a manifest that nobody reads any more.
const TOO_MANY_BYTES: usize = (4 << 20) + 1;

/// Out of band: a transcript, and something short enough to be a pointer.
fn content() -> [(&'static str, Vec<u8>); 2] {
    [("raw.jsonl", noise(5_000, 11)), ("small.bin", noise(300, 12))]
}

/// A manifest of these files out of band, and of the summary in git.
fn manifest(files: &[(&str, &[u8])]) -> String {
    let lfs = |(name, bytes): &(&str, &[u8])| {
        let blob = blob_of(bytes);
        format!(r#""{name}": {{"storage": "lfs", "oid": "sha256:{}", "size": {}}}"#, blob.oid, blob.size)
    };
    let files: Vec<String> = files.iter().map(lfs).collect();
    format!(
        r#"{{"version": "1.0", "session_name": "{SESSION}", "session_id": "ses_x", "agent_type": "claude-code",
  "files": {{{}, "summary.json": {{"storage": "git", "size": {}}}}}}}"#,
        files.join(", "),
        SUMMARY.len()
    )
}

/// A ledger of one session, committed as a publish commits it, whose blobs the server has.
fn ledger(scene: &Scene, folder: &str) -> PathBuf {
    let content = content();
    let place = |name: &str| format!("{folder}/sessions/{SESSION}/{name}");
    for (name, bytes) in &content {
        scene.upload(bytes);
        scene.file(&place(name), pointer(bytes).as_bytes());
    }
    let named = content.each_ref().map(|(name, bytes)| (*name, bytes.as_slice()));
    scene.file(&place("meta.json"), manifest(&named).as_bytes());
    scene.file(&place("summary.json"), SUMMARY);
    let ledger = scene.repository(folder);
    scene.git(&ledger, &["config", "lfs.url", &scene.url()]);
    ledger
}

/// Runs `verify`; each finding's name, code and words. The exit code must say whether there are any.
#[track_caller]
fn findings(scene: &Scene, ledger: &Path, arguments: &[&str]) -> Vec<(String, String, String)> {
    let ran = scene.hydrant(ledger, &[&["verify", "--json"], arguments].concat());
    let json = ran.json();
    let text = |one: &Value, key: &str| one[key].as_str().expect("text").to_owned();
    let list = json["finding_list"].as_array().unwrap_or_else(|| panic!("{json}"));
    let found: Vec<_> = list.iter().map(|one| (text(one, "name"), text(one, "code"), text(one, "detail"))).collect();
    assert_eq!(ran.code, i32::from(!found.is_empty()), "{json}");
    found
}

/// Whether exactly these findings were made, each with all of its words.
#[track_caller]
fn are(found: &[(String, String, String)], expected: &[(&str, &str, &[&str])], row: &str) {
    let codes: Vec<(&str, &str)> = found.iter().map(|(name, code, _)| (name.as_str(), code.as_str())).collect();
    let expect: Vec<(&str, &str)> = expected.iter().map(|(name, code, _)| (*name, *code)).collect();
    assert_eq!(codes, expect, "{row}: {found:?}");
    for ((_, _, detail), (_, _, words)) in found.iter().zip(expected) {
        assert!(words.iter().all(|word| detail.contains(word)), "{row}: {detail}");
    }
}

/// What others get of a session is what is committed, whatever stands here.
#[test]
fn the_last_commit_is_compared_with_the_manifest() {
    let scene = Scene::new();
    let [(_, raw), (_, small)] = content();
    let other = pointer(b"something else");
    let (here, there) = (blob_of(&raw).oid, blob_of(b"something else").oid);
    let same_length = noise(small.len(), 99);
    let unnamed = "the manifest does not name it";
    let in_full = "content is committed in place of its pointer";
    let both: &[&str] = &[&here, &there];
    // What the last commit holds under a name, and what is found.
    type Row<'a> = (&'a str, &'a str, Option<&'a [u8]>, Option<(&'a str, &'a [&'a str])>);
    let table: [Row<'_>; 11] = [
        ("broken", "raw.jsonl", Some(BROKEN), Some(("malformed", &["pointer is broken"]))),
        ("other", "raw.jsonl", Some(other.as_bytes()), Some(("conflict", both))),
        ("in-full", "raw.jsonl", Some(&raw[1..]), Some(("integrity", &[in_full]))),
        ("empty", "raw.jsonl", Some(b""), Some(("integrity", &[in_full]))),
        ("short", "small.bin", Some(&same_length), Some(("integrity", &[in_full]))),
        ("gone", "small.bin", None, Some(("missing", &["no commit holds its pointer"]))),
        ("stray", "stray.bin", Some(other.as_bytes()), Some(("conflict", &[unnamed]))),
        ("git", "summary.json", Some(other.as_bytes()), Some(("conflict", &["git should hold content"]))),
        // The very content of a pointer that an earlier commit had.
        ("own-content", "raw.jsonl", Some(&raw), Some(("conflict", &["committed in full"]))),
        ("own-short", "small.bin", Some(&small), Some(("conflict", &["committed in full"]))),
        ("notes", "notes.txt", Some(b"words about version 1\n"), Some(("conflict", &["committed in full"]))),
    ];
    for (row, name, committed, expected) in table {
        let ledger = ledger(&scene, row);
        are(&findings(&scene, &ledger, &[]), &[], row);
        let file = ledger.join("sessions").join(SESSION).join(name);
        let before = fs::read(&file).ok();
        match committed {
            Some(bytes) => fs::write(&file, bytes).expect("written"),
            None => fs::remove_file(&file).expect("removed"),
        }
        scene.commit(&ledger);
        match before {
            Some(bytes) => fs::write(&file, bytes).expect("written"),
            None => fs::remove_file(&file).expect("removed"),
        }
        let path = format!("{SESSION}/{name}");
        let expected: Vec<_> = expected.iter().map(|(code, words)| (path.as_str(), *code, *words)).collect();
        are(&findings(&scene, &ledger, &[]), &expected, row);
        are(&findings(&scene, &ledger, &[SESSION]), &expected, row);
    }
}

#[test]
fn sessions_that_never_had_pointers_or_commits_are_left_alone() {
    let scene = Scene::new();
    let ledger = ledger(&scene, "ledger");
    // As the first recorders had it: the manifest is committed, and what it names is not.
    let files = content().map(|(name, _)| format!("sessions/{SESSION}/{name}"));
    scene.git(&ledger, &["rm", "--quiet", "--cached", &files[0], &files[1]]);
    scene.git(&ledger, &["commit", "--quiet", "--message", "ignored from now on"]);
    are(&findings(&scene, &ledger, &[]), &[], "no pointer at all");
    scene.git(&ledger, &["config", "hydrant.ledger", "true"]);
    scene.git(&ledger, &["rm", "--quiet", "-r", "--cached", "sessions"]);
    scene.git(&ledger, &["commit", "--quiet", "--message", "only here"]);
    are(&findings(&scene, &ledger, &[]), &[], "not committed");
    scene.git(&ledger, &["update-ref", "-d", "HEAD"]);
    are(&findings(&scene, &ledger, &[]), &[], "no commit");
}

#[test]
fn what_changed_here_is_not_what_the_manifest_names() {
    let scene = Scene::new();
    // What git carries can have other line ends here; what is committed counts.
    for (name, bytes, words, is_told_at_once) in
        [("summary.json", &b"{}"[..], "2 bytes", false), ("raw.jsonl", &noise(4_000, 1), "4000 bytes here", true)]
    {
        let ledger = ledger(&scene, name);
        scene.file(&format!("{name}/sessions/{SESSION}/{name}"), bytes);
        let path = format!("{SESSION}/{name}");
        let expected: &[(&str, &str, &[&str])] = &[(&path, "integrity", &[words])];
        are(&findings(&scene, &ledger, &[]), if is_told_at_once { expected } else { &[] }, name);
        // Committed, it is the same fault, told once.
        scene.commit(&ledger);
        are(&findings(&scene, &ledger, &[]), expected, name);
    }
}

#[test]
fn a_corrupt_entry_of_the_cache_is_told_once() {
    let scene = Scene::new();
    let ledger = ledger(&scene, "ledger");
    scene.hydrant(&ledger, &["hydrate"]).ends(0);
    let oid = blob_of(&content()[0].1).oid;
    let entry = ledger.join(".git/hydrant/cache").join(&oid[..2]).join(&oid);
    let whole = fs::read(&entry).expect("the entry");
    let mut other = whole.clone();
    other[7] ^= 1;
    for (bytes, words) in [(&whole[..100], "100 bytes"), (&other, "something else")] {
        fs::write(&entry, bytes).expect("written");
        let path = format!("{SESSION}/raw.jsonl");
        are(&findings(&scene, &ledger, &[]), &[(&path, "integrity", &[words])], words);
    }
}

/// What is staged of a session is judged by the manifest that the commit would have.
#[test]
fn staged_sessions_are_judged_by_their_manifests() {
    let scene = Scene::new();
    let content = content();
    let [raw, small] = content.each_ref().map(|(name, bytes)| (*name, bytes.as_slice()));
    let (new, lost) = (noise(700, 21), noise(800, 22));
    scene.upload(&new);
    let with = |name: &'static str, bytes: &[u8]| manifest(&[raw, small, (name, bytes)]);
    let (with_new, with_lost) = (with("new.bin", &new), with("lost.bin", &lost));
    let marked = format!("<<<<<<< ours\n{with_new}\n=======\n{with_lost}\n>>>>>>> theirs\n");
    let flawed = with_new.replace(&blob_of(&new).oid, "12");
    let long = with_new.clone() + &" ".repeat(TOO_MANY_BYTES);
    let (new_pointer, lost_pointer) = (pointer(&new), pointer(&lost));
    let in_full = "publish it instead";
    // What is staged, and what is found.
    type Row<'a> = (&'a str, &'a [(&'a str, &'a [u8])], &'a [(&'a str, &'a str, &'a str)]);
    let table: [Row<'_>; 12] = [
        ("marks", &[("meta.json", marked.as_bytes())], &[("meta.json", "malformed", "conflict")]),
        ("no-json", &[("meta.json", b"{\"files\": {")], &[("meta.json", "malformed", "")]),
        ("flaw", &[("meta.json", flawed.as_bytes())], &[("new.bin", "malformed", "oid")]),
        ("long", &[("meta.json", long.as_bytes())], &[("meta.json", "limit", "at most")]),
        ("new", &[("meta.json", with_new.as_bytes())], &[]),
        ("lost", &[("meta.json", with_lost.as_bytes())], &[("lost.bin", "missing", "")]),
        (
            "lost-twice",
            &[("meta.json", with_lost.as_bytes()), ("lost.bin", lost_pointer.as_bytes())],
            &[("lost.bin", "missing", "")],
        ),
        ("pointer", &[("meta.json", with_new.as_bytes()), ("new.bin", new_pointer.as_bytes())], &[]),
        ("content", &[("raw.jsonl", raw.1)], &[("raw.jsonl", "conflict", in_full)]),
        ("short-content", &[("small.bin", b"words")], &[("small.bin", "conflict", in_full)]),
        ("new-content", &[("meta.json", with_new.as_bytes()), ("new.bin", &new)], &[("new.bin", "conflict", in_full)]),
        ("others", &[("summary.json", b"{}"), ("notes.txt", b"words")], &[("notes.txt", "conflict", in_full)]),
    ];
    for (row, files, expected) in table {
        let ledger = ledger(&scene, row);
        for (name, bytes) in files {
            scene.file(&format!("{row}/sessions/{SESSION}/{name}"), bytes);
        }
        are(&findings(&scene, &ledger, &["--staged"]), &[], row);
        scene.git(&ledger, &["add", "--all"]);
        let path = |name: &str| format!("sessions/{SESSION}/{name}");
        let paths: Vec<String> = expected.iter().map(|(name, ..)| path(name)).collect();
        let words: Vec<[&str; 1]> = expected.iter().map(|(.., words)| [*words]).collect();
        let expected: Vec<(&str, &str, &[&str])> = expected
            .iter()
            .zip(paths.iter().zip(&words))
            .map(|((_, code, _), (path, words))| (path.as_str(), *code, &words[..]))
            .collect();
        are(&findings(&scene, &ledger, &["--staged"]), &expected, row);
        let said = scene.hydrant(&ledger, &["verify", "--staged"]);
        assert!(paths.iter().all(|path| said.out.contains(path)), "{row}: {}", said.out);
    }
}

#[test]
fn staged_manifests_are_asked_for_what_is_new_in_them() {
    let scene = Scene::new();
    let (old, new) = (noise(600, 31), noise(600, 32));
    scene.upload(&new);
    let place = format!("ledger/sessions/{SESSION}/meta.json");
    // The server never had the old one; that is the last commit's fault.
    scene.file(&place, manifest(&[("old.bin", &old)]).as_bytes());
    let ledger = scene.repository("ledger");
    scene.git(&ledger, &["config", "lfs.url", &scene.url()]);
    scene.file(&place, manifest(&[("old.bin", &old), ("new.bin", &new)]).as_bytes());
    scene.git(&ledger, &["add", "--all"]);
    let json = scene.hydrant(&ledger, &["verify", "--staged", "--json"]).ends(0).json();
    assert_eq!((&json["files"], &json["blobs"]), (&1.into(), &1.into()), "{json}");
    // A first commit makes the ledger, unless its owner says that it is none.
    scene.git(&ledger, &["update-ref", "-d", "HEAD"]);
    let path = format!("sessions/{SESSION}/old.bin");
    are(&findings(&scene, &ledger, &["--staged"]), &[(&path, "missing", &[])], "the first commit");
    scene.git(&ledger, &["config", "hydrant.ledger", "false"]);
    are(&findings(&scene, &ledger, &["--staged"]), &[], "no ledger");
}

#[test]
fn staged_pointers_without_blobs_are_named() {
    let scene = Scene::new();
    let repository = scene.repository("repository");
    scene.git(&repository, &["config", "lfs.url", &scene.url()]);
    let there = noise(5_000, 1);
    scene.upload(&there);
    scene.file("repository/there.bin", pointer(&there).as_bytes());
    scene.file("repository/notes.txt", b"words about version 1\n");
    scene.file("repository/empty", b"");
    scene.git(&repository, &["add", "--all"]);
    let clean = scene.hydrant(&repository, &["verify", "--staged", "--json"]).ends(0).json();
    assert_eq!((&clean["files"], &clean["ok"]), (&1.into(), &true.into()), "{clean}");

    scene.file("repository/a/gone.bin", pointer(b"nobody uploaded this").as_bytes());
    scene.file("repository/broken.bin", b"version https://git-lfs.github.com/spec/v1\noid sha256:12\n");
    scene.file("repository/unstaged.bin", pointer(b"nor this").as_bytes());
    scene.git(&repository, &["add", "a", "broken.bin"]);
    let found = scene.hydrant(&repository, &["verify", "--staged", "--json"]).ends(1).json();
    let findings: Vec<(&str, &str)> = found["finding_list"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (one["name"].as_str().expect("a name"), one["code"].as_str().expect("a code")))
        .collect();
    assert_eq!(findings, [("broken.bin", "malformed"), ("a/gone.bin", "missing")], "{found}");
    let said = scene.hydrant(&repository, &["verify", "--staged"]).ends(1);
    assert!(said.out.contains("a/gone.bin") && !said.out.contains("there.bin"), "{}", said.out);

    // What is committed already is no longer about to be.
    scene.git(&repository, &["commit", "--quiet", "--message", "all the same"]);
    scene.hydrant(&repository, &["verify", "--staged"]).ends(0);
    scene.hydrant(&repository, &["verify"]).ends(1);
}

#[test]
fn a_server_that_cannot_be_asked_proves_nothing() {
    let scene = Scene::new();
    let repository = scene.repository("repository");
    scene.file("repository/there.bin", pointer(b"something").as_bytes());
    scene.git(&repository, &["add", "--all"]);
    scene.git(&repository, &["config", "lfs.url", "http://127.0.0.1:9/none"]);
    let said = scene.hydrant(&repository, &["verify", "--staged", "--retries", "0", "--json"]).ends(3);
    assert!(!said.out.contains("\"missing\""), "{}", said.out);
}

#[test]
fn bytes_are_looked_at_where_they_lie_and_fetched_when_told() {
    let scene = Scene::new();
    let repository = scene.repository("repository");
    scene.git(&repository, &["config", "lfs.url", &scene.url()]);
    let bytes = noise(9_000, 2);
    let oid = scene.upload(&bytes);
    assert_eq!(oid, blob_of(&bytes).oid);
    scene.file("repository/a.bin", pointer(&bytes).as_bytes());
    scene.commit(&repository);
    scene.hydrant(&repository, &["hydrate"]).ends(0);
    scene.hydrant(&repository, &["verify", "--deep"]).ends(0);
    let entry = repository.join(".git/hydrant/cache").join(&oid[..2]).join(&oid);
    let mut rotten = fs::read(&entry).expect("the entry");
    rotten[1] ^= 1;
    fs::write(&entry, rotten).expect("written");
    let found = scene.hydrant(&repository, &["verify", "--json"]).ends(1).json();
    assert_eq!(found["finding_list"][0]["code"], "integrity", "{found}");
    assert_eq!(scene.git(&repository, &["status", "--porcelain"]), "", "it only looks");
}
