//! What is never published, and that a refusal comes before anything is written, asked of the server or pushed.

use crate::desk::{Desk, MANIFEST, RAW, TRANSCRIPT, scene};
use crate::native;
use hydrant_ledger::limits::{DOCUMENT_BYTES_MAX, IN_GIT_BYTES_MAX, MANIFEST_FILES_MAX};
use hydrant_ledger::publish::{Publication, PublishFile, PublishedState};
use hydrant_lfs::contract::Config;
use hydrant_lfs::contract::Phase;
use hydrant_lfs::text::error::Code;

const SUMMARY: &str = "sessions/s/summary.json";

/// The text of a pointer.
fn pointer(oid_digit: &str) -> String {
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 12\n", oid_digit.repeat(64))
}

/// A manifest of this session with one reference.
fn naming(id: &str, name: &str, oid_digit: &str) -> String {
    let oid = oid_digit.repeat(64);
    format!("{{\"session_id\": \"{id}\", \"files\": {{\"{name}\": {{\"oid\": \"sha256:{oid}\", \"size\": 12}}}}}}")
}

type Change = fn(&mut Desk, &mut Publication);

/// What is done to a publish that would go well, and how it ends.
const REFUSED: [(&str, Change, Code, &str); 27] = [
    (
        "a transcript of a header and a footer",
        |desk, _| desk.put(RAW, "{\"type\":\"header\"}\n{\"type\":\"footer\"}\n"),
        Code::Rejected,
        "no entry of a user, an assistant or a tool",
    ),
    ("an empty transcript", |desk, _| desk.put(RAW, ""), Code::Rejected, "no entry"),
    (
        "a transcript of the system's words alone",
        |desk, _| desk.put(RAW, "{\"type\":\"header\"}\n{\"type\":\"system\",\"content\":\"on\"}\n"),
        Code::Rejected,
        "no entry",
    ),
    ("a transcript of nothing that is JSON", |desk, _| desk.put(RAW, "hello\nthere\n"), Code::Rejected, "no entry"),
    ("a session without a transcript", |_, asked| drop(asked.files.remove(0)), Code::Rejected, "no raw.jsonl"),
    (
        "a placeholder without a transcript",
        |desk, asked| {
            desk.share(MANIFEST, "{\"session_id\": \"i\", \"draft\": true, \"files\": {}}");
            asked.files.remove(0);
        },
        Code::Rejected,
        "no raw.jsonl",
    ),
    ("a pointer as content", |desk, _| desk.put("sessions/s/plan.md", &pointer("a")), Code::Rejected, "plan.md"),
    ("a pointer as a transcript", |desk, _| desk.put(RAW, &pointer("a")), Code::Rejected, "raw.jsonl"),
    (
        "what begins like a pointer and is broken",
        |desk, _| desk.put("sessions/s/plan.md", "version https://git-lfs.github.com/spec/v1\noid sha256:12\n"),
        Code::Rejected,
        "plan.md",
    ),
    (
        "a line behind a pointer, as a transcript",
        |desk, _| desk.put(RAW, &format!("{}{TRANSCRIPT}", pointer("a"))),
        Code::Rejected,
        "appended to a pointer",
    ),
    (
        "a thousand bytes behind a pointer, as a transcript",
        |desk, _| desk.put(RAW, &format!("{}{}", pointer("a"), TRANSCRIPT.repeat(90))),
        Code::Rejected,
        "appended to a pointer",
    ),
    (
        "a thousand bytes behind a pointer that git would carry",
        |desk, _| desk.put(SUMMARY, &format!("{}{}", pointer("a"), "{}\n".repeat(400))),
        Code::Rejected,
        "appended to a pointer",
    ),
    ("a pointer that git would carry", |desk, _| desk.put(SUMMARY, &pointer("a")), Code::Rejected, "summary.json"),
    (
        "a file too large for git",
        |desk, _| desk.put(SUMMARY, &" ".repeat(IN_GIT_BYTES_MAX + 1)),
        Code::Limit,
        "summary.json",
    ),
    (
        "a diagnostic for a title",
        |_, asked| asked.fields = vec![("title".to_owned(), "Summary generation failed: timeout".to_owned())],
        Code::Rejected,
        "diagnostic",
    ),
    (
        "a count for a summary",
        |_, asked| {
            asked.fields = vec![("summary".to_owned(), "3 user messages, 4 assistant responses".to_owned())];
        },
        Code::Rejected,
        "counts",
    ),
    (
        "a field that no manifest has",
        |_, asked| asked.fields = vec![("colour".to_owned(), "red".to_owned())],
        Code::Malformed,
        "colour",
    ),
    (
        "another id",
        |desk, asked| {
            desk.share(MANIFEST, "{\"session_id\": \"ses_1\", \"files\": {}}");
            asked.fields = vec![("session_id".to_owned(), "ses_2".to_owned())];
        },
        Code::Rejected,
        "session_id",
    ),
    (
        "an id that is not the remote's",
        |desk, _| {
            desk.put(MANIFEST, "{\"session_id\": \"ses_here\", \"files\": {}}");
            desk.remote.insert(MANIFEST.into(), b"{\"session_id\": \"ses_there\", \"files\": {}}".to_vec());
        },
        Code::Conflict,
        "ses_there",
    ),
    (
        "a reference that nobody proved",
        |desk, _| desk.put(MANIFEST, &naming("ses_1", "notes.md", "b")),
        Code::Conflict,
        "notes.md",
    ),
    (
        "a file that somebody else published meanwhile",
        |desk, _| {
            desk.put(MANIFEST, "{\"session_id\": \"ses_1\", \"files\": {}}");
            desk.remote.insert(MANIFEST.into(), naming("ses_1", "plan.md", "c").into_bytes());
        },
        Code::Conflict,
        "plan.md",
    ),
    (
        "a file in git that somebody else changed meanwhile",
        |desk, _| {
            desk.committed.insert(SUMMARY.into(), b"{}".to_vec());
            desk.remote.insert(SUMMARY.into(), b"{\"theirs\": 1}".to_vec());
        },
        Code::Conflict,
        "summary.json",
    ),
    ("a manifest with conflict markers", |desk, _| desk.put(MANIFEST, "<<<<<<< HEAD\n{}"), Code::Malformed, ""),
    (
        "an unreadable manifest at the remote",
        |desk, _| drop(desk.remote.insert(MANIFEST.into(), b"{\"session_id\":".to_vec())),
        Code::Malformed,
        "",
    ),
    (
        "a manifest without end",
        |desk, _| desk.put(MANIFEST, &format!("{{\"zz\": \"{}\"}}", "x".repeat(DOCUMENT_BYTES_MAX))),
        Code::Limit,
        "manifest",
    ),
    ("a file that is not there", |desk, _| drop(desk.here.remove("sessions/s/plan.md")), Code::NotFound, "plan.md"),
    ("a file of git's that is not there", |desk, _| drop(desk.here.remove(SUMMARY)), Code::NotFound, "git"),
];

#[test]
fn a_refusal_comes_before_anything_is_written_or_asked_of_the_server() {
    for (what, change, code, words) in REFUSED {
        let (mut desk, mut asked) = scene();
        change(&mut desk, &mut asked);
        let before = (desk.here.clone(), desk.committed.clone(), desk.remote.clone());
        let report = desk.publish(&asked);
        let error = report.ended.expect_err(what);
        assert_eq!(error.code, code, "{what}: {error}");
        assert!(error.detail.contains(words), "{what}: {error}");
        assert_eq!(report.phase, Phase::Hash, "{what}");
        assert!(report.files.iter().all(|file| file.state == PublishedState::Unpublished), "{what}");
        assert!(report.orphans.is_empty() && report.tip.is_none(), "{what}");
        assert!(before == (desk.here.clone(), desk.committed.clone(), desk.remote.clone()), "{what}: it wrote");
        for never in ["> save-doc", "> POST", "> PUT", "> push-ledger", "> settle-ledger", "> swap-file"] {
            assert!(!desk.said(never), "{what}: {never}\n{}", desk.lines.join("\n"));
        }
    }
}

/// The other side of each rule: what looks alike and is fine.
#[test]
fn what_is_published_all_the_same() {
    let fine: [(&str, Change); 9] = [
        ("a tool's entry alone", |desk, _| desk.put(RAW, "{\"type\":\"tool\"}\n")),
        ("a cut last line", |desk, _| desk.put(RAW, &format!("{TRANSCRIPT}{{\"type\":\"us"))),
        ("an empty file beside the transcript", |desk, _| desk.put("sessions/s/plan.md", "")),
        ("words about a pointer", |desk, _| desk.put("sessions/s/plan.md", "A pointer's version names git-lfs.\n")),
        ("a pointer far behind other words", |desk, _| {
            desk.put("sessions/s/plan.md", &format!("{}\n{}", "See: ".repeat(300), pointer("a")));
        }),
        ("a session that has its transcript", |desk, asked| {
            desk.share(MANIFEST, &naming("ses_1", "raw.jsonl", "d"));
            asked.files.remove(0);
        }),
        ("a reference that the remote has as well", |desk, _| desk.share(MANIFEST, &naming("ses_1", "notes.md", "b"))),
        ("a file in git that both wrote alike", |desk, _| {
            let same = desk.here[SUMMARY].clone();
            desk.remote.insert(SUMMARY.into(), same);
        }),
        ("the id that is there, once more", |desk, asked| {
            desk.share(MANIFEST, "{\"session_id\": \"ses_1\", \"files\": {}}");
            asked.fields = vec![("session_id".to_owned(), "ses_1".to_owned())];
        }),
    ];
    for (what, change) in fine {
        let (mut desk, mut asked) = scene();
        change(&mut desk, &mut asked);
        let report = desk.publish(&asked);
        assert_eq!((report.ended, report.phase), (Ok(()), Phase::Done), "{what}");
    }
}

/// Names are judged before there is an operation.
#[test]
fn names_that_lead_elsewhere_begin_nothing() {
    let begin = |session: &str, names: &[&str]| {
        let file = |name: &&str| PublishFile { name: (*name).to_owned(), source: None, in_git: false };
        let (_, asked) = scene();
        let asked = Publication { session: session.into(), files: names.iter().map(file).collect(), ..asked };
        native::publish(Config::new("https://lfs.test/r", 0), asked).map(drop).map_err(|error| error.code)
    };
    for session in ["", "a/b", "/a", "..", ".", ".git", "a\\b", "a\nb", "con", "meta.json", " a", "a:b"] {
        assert_eq!(begin(session, &["raw.jsonl"]), Err(Code::Malformed), "session {session:?}");
    }
    let files = ["", "/x", "../x", "a/../x", "./x", "a//x", "x/", ".git/config", ".gitattributes", "META.json", "a\0"];
    for name in files {
        assert_eq!(begin("s", &["raw.jsonl", name]), Err(Code::Malformed), "file {name:?}");
    }
    assert_eq!(begin("s", &["raw.jsonl", "RAW.jsonl"]), Err(Code::Malformed), "one file on some file systems");
    assert_eq!(begin("s", &["raw.jsonl", "raw.jsonl"]), Err(Code::Malformed), "twice");
    let many: Vec<String> = (0..=MANIFEST_FILES_MAX).map(|at| format!("f{at}")).collect();
    assert_eq!(begin("s", &many.iter().map(String::as_str).collect::<Vec<_>>()), Err(Code::Limit));
    assert_eq!(begin("s", &["raw.jsonl", "notes/one.md"]), Ok(()), "folders within the session are fine");

    let (_, mut asked) = scene();
    asked.files[0].in_git = true;
    let refused = native::publish(Config::new("https://lfs.test/r", 0), asked).map(drop);
    assert_eq!(refused.map_err(|error| error.code), Err(Code::Rejected), "raw.jsonl is never committed in full");
}
