//! What readers and writers of one session see: the state of each file, how much of a session can be read, and which
//! fields of its manifest can be written.

use hydrant_ledger::manifest::{Change, FileRef, Manifest};
use hydrant_ledger::status::{Fact, Hydration, Place, State};
use hydrant_lfs::text::limits::OBJECT_BYTES_MAX;
use hydrant_lfs::text::oid::{Blob, Oid};
use hydrant_tests::engine::{Engine, Native};
use serde_json::Value;

const SIZE: u64 = 20;

fn oid(digit: &str) -> Oid {
    Oid::parse(&digit.repeat(64)).expect("64 digits")
}

fn manifest(entry: &str) -> Vec<u8> {
    format!("{{\"session_id\": \"s\", \"files\": {{\"a\": {entry}}}}}").into_bytes()
}

fn files_of(manifest: &[u8]) -> Vec<FileRef> {
    Native.manifest(manifest).expect("readable").files
}

fn state(entry: &str, place: Place, cached: Option<u64>, limit: u64) -> (State, Hydration) {
    let facts = [Fact { name: "a".to_owned(), place, cached }];
    let status = Native.status(&files_of(&manifest(entry)), &facts, limit).expect("readable");
    (status.files[0].state, status.hydration)
}

/// Shows I11 and I18: content of the cache, of the work tree and of git can be read; everything else has its name, and
/// no pointer is ever content.
#[test]
fn a_reader_gets_content_or_a_typed_state() {
    let lfs = format!("{{\"storage\": \"lfs\", \"oid\": \"sha256:{}\", \"size\": {SIZE}}}", "a".repeat(64));
    let git = format!("{{\"storage\": \"git\", \"size\": {SIZE}}}");
    let old = lfs.replace("\"storage\": \"lfs\", ", "");
    let elsewhere = git.replace("git", "attic");
    let own = Place::Pointer(Blob { oid: oid("a"), size: SIZE });
    let other = Place::Pointer(Blob { oid: oid("b"), size: SIZE });
    let longer = Place::Pointer(Blob { oid: oid("a"), size: SIZE + 1 });
    let (absent, content) = (Place::Absent, Place::Content(SIZE));
    let mut table = vec![
        (&git, content, None, State::InPlace),
        (&git, Place::Content(1), None, State::Changed),
        (&git, absent, None, State::Missing),
        (&git, absent, Some(SIZE), State::Missing),
        (&git, own, None, State::Conflict),
        (&git, Place::Malformed, None, State::Malformed),
        (&git, Place::Unreadable, None, State::Malformed),
        (&elsewhere, content, Some(SIZE), State::Unusable),
    ];
    for entry in [&lfs, &old] {
        table.extend([
            (entry, own, Some(SIZE), State::Cached),
            (entry, absent, Some(SIZE), State::Cached),
            (entry, Place::Malformed, Some(SIZE), State::Cached),
            (entry, content, None, State::InPlace),
            (entry, content, Some(1), State::InPlace),
            (entry, Place::Content(1), None, State::Changed),
            (entry, Place::Content(0), None, State::Changed),
            (entry, own, None, State::Dehydrated),
            (entry, absent, None, State::NotFetched),
            (entry, own, Some(0), State::Corrupt),
            (entry, absent, Some(SIZE + 1), State::Corrupt),
            (entry, other, None, State::Conflict),
            (entry, other, Some(SIZE), State::Conflict),
            (entry, longer, None, State::Conflict),
            (entry, Place::Malformed, None, State::Malformed),
            (entry, Place::Unreadable, None, State::Malformed),
        ]);
    }
    for (entry, place, cached, expected) in table {
        let (state, hydration) = state(entry, place, cached, OBJECT_BYTES_MAX);
        assert_eq!(state, expected, "{entry}, {place:?}, {cached:?}");
        let readable = match state {
            State::Cached | State::InPlace => true,
            State::Changed => entry == &git,
            _ => false,
        };
        assert_eq!(hydration == Hydration::Hydrated, readable, "{entry}, {place:?}, {cached:?}");
    }
    assert_eq!(state(&lfs, own, None, SIZE - 1).0, State::TooLarge, "it would not be fetched");
    assert_eq!(state(&lfs, own, Some(SIZE), SIZE - 1).0, State::Cached, "what is here can be read");
    let empty = lfs.replace(&SIZE.to_string(), "0");
    for (place, cached) in [(Place::Content(0), None), (Place::Absent, Some(0))] {
        let (state, hydration) = state(&empty, place, cached, OBJECT_BYTES_MAX);
        assert_eq!(hydration, Hydration::Hydrated, "an empty file is a file: {state:?}");
    }
}

/// A file that is read from the cache says what else stands in its place, so that a recording that goes on and a
/// pointer that somebody wrote into are seen.
#[test]
fn a_cached_file_tells_what_stands_in_its_place() {
    let entry = format!("{{\"oid\": \"sha256:{}\", \"size\": {SIZE}}}", "a".repeat(64));
    let pointer = Place::Pointer(Blob { oid: oid("a"), size: SIZE });
    for (place, told) in [
        (Place::Absent, None),
        (pointer, None),
        (Place::Content(SIZE), None),
        (Place::Content(SIZE + 1), Some("21 bytes of other content stand in its place, not published yet")),
        (Place::Content(0), Some("0 bytes of other content stand in its place, not published yet")),
        (Place::Malformed, Some("a broken pointer stands in its place")),
        (Place::Unreadable, Some("what stands in its place cannot be read")),
    ] {
        let facts = [Fact { name: "a".to_owned(), place, cached: Some(SIZE) }];
        let status = Native.status(&files_of(&manifest(&entry)), &facts, OBJECT_BYTES_MAX).expect("readable");
        let file = &status.files[0];
        assert_eq!((file.state, file.detail.as_deref()), (State::Cached, told), "{place:?}");
    }
}

/// The whole session by one rule, whatever holds its files.
#[test]
fn whole_some_and_none() {
    let entry = |name: &str| format!("\"{name}\": {{\"oid\": \"sha256:{}\", \"size\": {SIZE}}}", "a".repeat(64));
    let files: Vec<String> = ["a", "b", "c"].map(entry).to_vec();
    let text = format!("{{\"session_id\": \"s\", \"files\": {{{}}}}}", files.join(", "));
    let pointer = Place::Pointer(Blob { oid: oid("a"), size: SIZE });
    let whole = |facts: &[(&str, Place, Option<u64>)]| {
        let facts =
            facts.iter().map(|(name, place, cached)| Fact { name: (*name).to_owned(), place: *place, cached: *cached });
        Native
            .status(&files_of(text.as_bytes()), &facts.collect::<Vec<_>>(), OBJECT_BYTES_MAX)
            .expect("readable")
            .hydration
    };
    let (here, cached) = (Place::Content(SIZE), Some(SIZE));
    let table = [
        (vec![("a", here, None), ("b", here, None), ("c", here, None)], Hydration::Hydrated),
        (vec![("a", pointer, cached), ("b", here, None), ("c", Place::Absent, cached)], Hydration::Hydrated),
        (vec![("a", pointer, cached), ("b", pointer, None), ("c", pointer, None)], Hydration::Partial),
        (vec![("b", here, None)], Hydration::Partial),
        (vec![("a", Place::Content(1), None), ("b", here, None), ("c", here, None)], Hydration::Partial),
        (vec![("a", pointer, None), ("b", pointer, None), ("c", pointer, None)], Hydration::Dehydrated),
        (vec![], Hydration::Dehydrated),
        (vec![("d", here, cached)], Hydration::Dehydrated),
    ];
    for (facts, expected) in table {
        assert_eq!(whole(&facts), expected, "{facts:?}");
    }
    let none = Native.status(&[], &[], OBJECT_BYTES_MAX).expect("readable");
    assert_eq!(none.hydration, Hydration::Hydrated, "of nothing, nothing is missing");
}

/// Each field that the documented interface has: set, cleared, or refused and kept.
#[test]
fn every_documented_field_is_set_or_kept() {
    let bare = br#"{"version":"1.0","session_name":"n","session_id":"s","repo_id":"r","files":{}}"#;
    for name in [
        "agent_type",
        "model",
        "title",
        "summary",
        "stop_reason",
        "sageox_score_category",
        "sageox_score_reason",
        "summary_status",
        "validation_error",
    ] {
        let set = Native.edit(bare, &[Change::Text(name.to_owned(), "words \"of\" it".to_owned())]).expect(name);
        let value: Value = serde_json::from_slice(&set).expect("JSON");
        assert_eq!((&value[name], &value["version"]), (&"words \"of\" it".into(), &"1.0".into()));
        let cleared = Native.edit(&set, &[Change::Clear(name.to_owned())]).expect(name);
        assert_eq!(String::from_utf8_lossy(&cleared), String::from_utf8_lossy(bare), "{name}");
    }
    for name in ["entry_count", "summary_attempts"] {
        let set = Native.edit(bare, &[Change::Number(name.to_owned(), 3)]).expect(name);
        assert_eq!(serde_json::from_slice::<Value>(&set).expect("JSON")[name], 3);
        let cleared = Native.edit(&set, &[Change::Number(name.to_owned(), 0)]).expect(name);
        assert_eq!(cleared, bare, "{name}: what is empty is not written");
    }
    for name in
        ["version", "session_name", "username", "user_id", "agent_id", "session_id", "created_at", "repo_id", "files"]
    {
        for change in [Change::Text(name.to_owned(), "x".to_owned()), Change::Clear(name.to_owned())] {
            assert!(Native.edit(bare, std::slice::from_ref(&change)).is_err(), "{change:?}");
        }
    }
    // A number that is no count is nobody's to set: kept as it was spelled.
    let scored = String::from_utf8_lossy(bare).replace("\"files\"", "\"sageox_score\":8.50e-1,\"files\"");
    let set = Native.edit(scored.as_bytes(), &[Change::Text("title".to_owned(), "T".to_owned())]).expect("a title");
    assert!(String::from_utf8_lossy(&set).contains("\"sageox_score\":8.50e-1"));
    assert!(Native.edit(scored.as_bytes(), &[Change::Number("sageox_score".to_owned(), 1)]).is_err());
    assert_eq!(Manifest::parse(&set).expect("readable").title, "T");
}
