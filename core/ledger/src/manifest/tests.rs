//! The manifest against files in the real on-disk formats (`tests/fixtures/meta`).

use super::{Change, Entry, Fresh, Manifest, Storage, build, edit, remove_entries};
use crate::proof::Proof;
use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use hydrant_lfs::text::error::{Code, Error};
use hydrant_lfs::text::oid::{Blob, Oid};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../../tests/fixtures/meta/", $name)).as_slice()
    };
}

const CURRENT: &[u8] = fixture!("current-lfs-and-git.json");
const REGENERATED: &[u8] = fixture!("after-regenerate.expected.json");
const UNKNOWN: &[u8] = fixture!("unknown-fields.lossless.json");

fn text(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).expect("fixtures are UTF-8")
}

/// One entry less.
fn remove_entry(text: &[u8], name: &str, oid: Oid) -> Result<Vec<u8>, Error> {
    remove_entries(text, &[(name, oid)].into_iter().collect())
}

/// One entry from a proof.
fn record(text: &[u8], name: &str, proof: Proof) -> Result<Vec<u8>, Error> {
    super::record(text, [(name.to_owned(), Entry::Proved(proof))].into_iter().collect())
}

fn proof(hex: &str, size: u64) -> Proof {
    Proof::for_test(Blob { oid: Oid::parse(hex).expect("64 digits"), size })
}

#[test]
fn reading_every_shape() {
    for (bytes, id, files) in [
        (CURRENT, "ses_0196a3f0-5b40-7c11-9d22-a1b2c3d4e5f6", 5),
        (fixture!("legacy-no-storage-no-session-id.json"), "ses_58b2013a-d35e-5585-9d47-7c6eef5f17a1", 3),
        (fixture!("storage-tagged-without-session-id.json"), "ses_37dc5a21-bc28-5f65-bbb7-c292ba781187", 5),
        (fixture!("draft.json"), "ses_0196a3f0-5b40-7c11-9d22-a1b2c3d4e5f6", 0),
        (UNKNOWN, "ses_0196a3f0-5b40-7c11-9d22-a1b2c3d4e5f6", 5),
        (fixture!("leaky-summary.must-be-rejected-on-write.json"), "ses_0196a3f0-5b40-7c11-9d22-a1b2c3d4e5f6", 1),
    ] {
        let manifest = Manifest::parse(bytes).expect("readable");
        assert_eq!((manifest.effective_session_id().as_str(), manifest.files().len()), (id, files));
        assert!(manifest.files().iter().all(|file| file.flaw.is_none()));
    }
}

#[test]
fn bad_entries_are_reported_and_kept() {
    let manifest = Manifest::parse(fixture!("bad-refs.json")).expect("readable");
    let flaws: Vec<_> =
        manifest.files().iter().map(|file| (file.name.as_str(), file.flaw.as_ref().map(|flaw| flaw.code))).collect();
    let malformed = Some(Code::Malformed);
    assert_eq!(
        flaws,
        [
            ("neg.md", malformed),
            ("plan.md", Some(Code::Rejected)),
            ("raw.jsonl", malformed),
            ("session.md", malformed),
            ("summary.md", malformed)
        ]
    );
    assert_eq!(manifest.files()[1].storage, Storage::Unknown);
}

#[test]
fn what_cannot_be_read_has_its_reason() {
    let wrap = |files: &str| format!("{{\"session_id\": \"s\", \"files\": {{{files}}}}}").into_bytes();
    for (bytes, reason) in [
        (fixture!("conflict-markers.unparseable.json").to_vec(), "conflict markers"),
        (fixture!("hostile-traversal.json").to_vec(), "shortest form"),
        (fixture!("hostile-names-ox-accepts.json").to_vec(), "blank"),
        (b"[]".to_vec(), "not a JSON object"),
        (b"".to_vec(), "early end"),
        (b"\xef\xbb\xbf{}".to_vec(), "unexpected character"),
        (b"{} x".to_vec(), "after the end"),
        (b"{\"title\": 5, \"session_id\": \"s\"}".to_vec(), "title has the wrong type"),
        (b"{\"entry_count\": -1, \"session_id\": \"s\"}".to_vec(), "entry_count has the wrong type"),
        (b"{\"entry_count\": 1.5, \"session_id\": \"s\"}".to_vec(), "entry_count has the wrong type"),
        (b"{\"title\": \"a\", \"title\": \"b\"}".to_vec(), "title appears twice"),
        (b"{\"Session_ID\": \"ses_1\"}".to_vec(), "in case alone"),
        (b"{\"repo_id\": \"a/b\", \"session_name\": \"c\"}".to_vec(), "holds a slash"),
        (wrap("\"a\": {\"size\": 1}, \"a\": {\"size\": 2}"), "files.a appears twice"),
        (wrap("\"raw.jsonl\": {\"size\": 1}, \"RAW.jsonl\": {\"size\": 2}"), "in case alone"),
        (b"{\"session_id\": \"s\", \"files\": []}".to_vec(), "files is not an object"),
    ] {
        let error = Manifest::parse(&bytes).expect_err(reason);
        assert_eq!(error.code, Code::Malformed);
        assert!(error.detail.contains(reason), "{error}");
    }
}

#[test]
fn each_hostile_name_fails_the_whole() {
    let whole = text(fixture!("hostile-names-ox-accepts.json"));
    for name in [" lead", ".", ".git/config", "C:/x", "CON", "a\\u0000b", "a:stream", "meta.json", "trailing."] {
        assert!(whole.contains(&format!("\"{name}\"")), "{name}");
        let one = format!("{{\"session_id\": \"s\", \"files\": {{\"{name}\": {{\"size\": 1}}}}}}");
        assert!(Manifest::parse(one.as_bytes()).is_err(), "{name}");
    }
}

#[test]
fn regenerating_changes_one_entry_and_one_counter() {
    let edited =
        record(CURRENT, "raw.jsonl", proof("ba0d22eafd8131baa8447f34c43da7ffc391538018a1eec2eb684e5a69120e47", 675));
    let edited = edit(&edited.expect("a proof"), &[Change::Number("entry_count".into(), 4)]).expect("a counter");
    assert_eq!(text(&edited), text(REGENERATED));
}

#[test]
fn an_edit_touches_no_other_byte() {
    let edited = edit(UNKNOWN, &[Change::Text("title".into(), "Keep <all> refs".into())]).expect("a title");
    assert_eq!(
        text(&edited),
        text(UNKNOWN).replace("\"title\": \"Keep the refs\"", "\"title\": \"Keep \\u003call\\u003e refs\"")
    );
    let same = edit(UNKNOWN, &[Change::Text("title".into(), "Keep the refs".into())]).expect("the same title");
    assert_eq!(text(&same), text(UNKNOWN));
}

#[test]
fn new_members_stand_where_the_schema_has_them() {
    let edited = edit(
        CURRENT,
        &[
            Change::Text("updated_at".into(), "2026-05-04T10:00:00Z".into()),
            Change::Text("stop_detail".into(), "user".into()),
            Change::Clear("model".into()),
            Change::Text("title".into(), String::new()),
        ],
    )
    .expect("known fields");
    let expected = text(CURRENT)
        .replace("  \"model\": \"model-x\",\n  \"title\": \"Keep the refs\",\n", "")
        .replace("  \"repo_id\"", "  \"stop_detail\": \"user\",\n  \"repo_id\"")
        .replace("  \"files\"", "  \"updated_at\": \"2026-05-04T10:00:00Z\",\n  \"files\"");
    assert_eq!(text(&edited), expected);
}

#[test]
fn new_entries_stand_in_the_order_of_names() {
    let hex = "4f33e1a5c0c3d7a66dcdd8ceac7bea9a2a42601b4fd1f50e2fd34f25fe024dda";
    let entry =
        format!("{{\n      \"storage\": \"lfs\",\n      \"oid\": \"sha256:{hex}\",\n      \"size\": 116\n    }}");
    let edited = record(CURRENT, "plan.md", proof(hex, 116)).expect("a proof");
    assert_eq!(
        text(&edited),
        text(CURRENT).replace("    \"raw.jsonl\"", &format!("    \"plan.md\": {entry},\n    \"raw.jsonl\""))
    );
    let edited = record(fixture!("draft.json"), "raw.jsonl", proof(hex, 116)).expect("a proof");
    assert_eq!(
        text(&edited),
        text(fixture!("draft.json"))
            .replace("\"files\": {}", &format!("\"files\": {{\n    \"raw.jsonl\": {entry}\n  }}"))
    );
    let legacy = fixture!("legacy-no-storage-no-session-id.json");
    let edited = record(legacy, "raw.jsonl", proof(hex, 116)).expect("a proof");
    assert!(!text(&edited).contains("storage"), "an entry that says nothing of its storage still says nothing");
}

#[test]
fn an_entry_is_taken_out_only_by_its_own_oid() {
    let manifest = Manifest::parse(CURRENT).expect("readable");
    let lfs: Vec<_> = manifest.files().iter().filter_map(|file| Some((file.name.clone(), file.oid?))).collect();
    let mut all = CURRENT.to_vec();
    for (name, oid) in &lfs {
        let one = remove_entry(CURRENT, name, *oid).expect("its own oid");
        let left = Manifest::parse(&one).expect("readable");
        let names = |manifest: &Manifest| manifest.files().iter().map(|file| file.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&left), names(&manifest).into_iter().filter(|other| other != name).collect::<Vec<_>>());
        let other = Oid::parse(&"ab".repeat(32)).expect("64 digits");
        let refused = remove_entry(CURRENT, name, other).expect_err("another oid");
        assert_eq!(refused.code, Code::Conflict);
        assert!([oid, &other].iter().all(|oid| refused.detail.contains(&oid.to_string())), "{refused}");
        all = remove_entry(&all, name, *oid).expect("its own oid");
    }
    let at_once = lfs.iter().map(|(name, oid)| (name.as_str(), *oid)).collect();
    assert_eq!(remove_entries(CURRENT, &at_once).as_deref(), Ok(all.as_slice()), "at once as one by one");
    assert_eq!(remove_entries(CURRENT, &Default::default()).as_deref(), Ok(CURRENT));
    let head = |text: &[u8]| text.split(|byte| *byte == b'\n').take(8).map(<[u8]>::to_vec).collect::<Vec<_>>();
    assert_eq!(head(&all), head(CURRENT));
    assert_eq!(remove_entry(CURRENT, "no.md", Oid::EMPTY).expect_err("absent").code, Code::NotFound);
    assert_eq!(remove_entry(CURRENT, "summary.json", Oid::EMPTY).expect_err("in git").code, Code::Conflict);
    let bad = fixture!("bad-refs.json");
    assert_eq!(remove_entry(bad, "raw.jsonl", Oid::EMPTY).expect_err("bad").code, Code::Malformed);
    let entry = format!("{{\"oid\": \"sha256:{}\", \"size\": 0}}", Oid::EMPTY);
    let last = format!("{{\"session_id\": \"s\", \"files\": {{\"a\": {entry}}}}}");
    let empty = remove_entry(last.as_bytes(), "a", Oid::EMPTY).expect("the last one");
    assert_eq!(text(&empty), "{\"session_id\": \"s\", \"files\": {}}");
}

#[test]
fn what_is_never_written() {
    let leaky = fixture!("leaky-summary.must-be-rejected-on-write.json");
    let title = |text: &str| Change::Text("title".into(), text.into());
    for (bytes, change) in [
        (leaky, title("fine")),
        (CURRENT, title("Summary generation failed: x")),
        (CURRENT, Change::Text("session_id".into(), "ses_other".into())),
        (CURRENT, Change::Clear("session_id".into())),
        (CURRENT, Change::Clear("files".into())),
        (CURRENT, Change::Text("no_such_field".into(), "x".into())),
        (CURRENT, Change::Text("entry_count".into(), "4".into())),
        (CURRENT, Change::Number("title".into(), 4)),
        (CURRENT, Change::Text("stop_detail".into(), "x".repeat(513))),
    ] {
        assert!(edit(bytes, std::slice::from_ref(&change)).is_err(), "{change:?}");
    }
    let cured = edit(leaky, &[Change::Clear("summary".into()), title("fine")]).expect("the leak is gone");
    assert!(!text(&cured).contains("Summary generation"));
    assert!(
        record(CURRENT, "summary.json", Proof::for_test(Blob { oid: Oid::EMPTY, size: 0 })).is_err(),
        "git-stored refs survive"
    );
    assert!(record(CURRENT, "../x", Proof::for_test(Blob { oid: Oid::EMPTY, size: 0 })).is_err());
}

#[test]
fn building_a_first_manifest() {
    let fresh = Fresh {
        session_name: "2026-05-04T09-30-mina-OxQ7wd".into(),
        session_id: "ses_0196a3f0-5b40-7c11-9d22-a1b2c3d4e5f6".into(),
        created_at: "2026-05-04T09:30:00Z".into(),
        fields: [
            ("username", "mina"),
            ("user_id", "usr_0196a1b2"),
            ("agent_id", "OxQ7wd"),
            ("agent_type", "claude-code"),
            ("model", "model-x"),
            ("title", "Escapes <b> & \u{2028} 😀 \t end"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec(),
    };
    let built = build(None, &fresh).expect("a first manifest");
    let expected = r#"{
  "version": "1.0",
  "session_name": "2026-05-04T09-30-mina-OxQ7wd",
  "username": "mina",
  "user_id": "usr_0196a1b2",
  "agent_id": "OxQ7wd",
  "session_id": "ses_0196a3f0-5b40-7c11-9d22-a1b2c3d4e5f6",
  "agent_type": "claude-code",
  "model": "model-x",
  "title": "Escapes \u003cb\u003e \u0026 \u2028 😀 \t end",
  "created_at": "2026-05-04T09:30:00Z",
  "files": {}
}"#;
    assert_eq!(text(&built), expected);
}

#[test]
fn an_existing_id_always_wins() {
    let fresh = Fresh {
        session_name: "other".into(),
        session_id: "ses_new".into(),
        created_at: "now".into(),
        fields: Vec::new(),
    };
    assert_eq!(text(&build(Some(CURRENT), &fresh).expect("readable")), text(CURRENT));
    let named = build(Some(fixture!("legacy-no-storage-no-session-id.json")), &fresh).expect("readable");
    let id = Manifest::parse(&named).expect("readable").session_id;
    assert_eq!(id.as_deref(), Some("ses_58b2013a-d35e-5585-9d47-7c6eef5f17a1"), "the derived id is written down");
    assert!(build(Some(fixture!("conflict-markers.unparseable.json")), &fresh).is_err(), "unreadable is not absent");
}
