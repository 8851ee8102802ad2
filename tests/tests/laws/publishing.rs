//! The order of a publish, and what it writes down: each step waits for the one that makes it harmless to die after it.

use crate::desk::{Desk, JOURNAL, MANIFEST, NEW_ID, RAW, TRANSCRIPT, failed, publication, scene};
use crate::play::json_type;
use expect_test::expect;
use hydrant_ledger::publish::PublishedState;
use hydrant_lfs::contract::Phase;
use hydrant_lfs::contract::{Failure, Head, Reply};
use hydrant_lfs::text::error::Code;
use hydrant_tests::fixtures;
use hydrant_tests::world::blob;
use serde_json::Value;

/// Shows I6.
#[test]
fn every_step_waits_for_the_one_before() {
    let (mut desk, session) = scene();
    assert_eq!(desk.publish(&session).ended, Ok(()));
    expect![[r#"
        > load-doc journal/s
        = hash
        > load-ledger 2 documents 2 files
        > load-doc sessions/s/meta.json
        > load-doc sessions/s/summary.json
        > read-file sessions/s/raw.jsonl as chunks
        > read-file sessions/s/plan.md
        = intend
        > save-doc journal/s 180 bytes
        = upload
        > POST https://lfs.test/r/objects/batch 224 bytes
        > PUT https://store.test/o/555c151d file sessions/s/raw.jsonl 86 bytes
        > PUT https://store.test/o/a27fa2ba file sessions/s/plan.md 6 bytes
        = bind
        > save-doc journal/s 1622 bytes
        = push
        > push-ledger 4 files
        = settle
        > settle-ledger 4 files
        = swap
        > swap-file sessions/s/raw.jsonl 555c151d
        > swap-file sessions/s/plan.md a27fa2ba
        = done
        > save-doc journal/s removed
    "#]]
    .assert_eq(&desk.trace());
}

/// What stands at a moment is what the next run would find: the effect is asked for and not answered.
#[test]
fn what_is_sent_is_named_before_and_what_is_pushed_is_written_down_before() {
    let (mut desk, session) = scene();
    let raw = blob(TRANSCRIPT.as_bytes()).oid.to_string();
    let journal = |desk: &Desk| desk.here.get(JOURNAL).map(|text| String::from_utf8_lossy(text).into_owned());

    desk.publish_until(&session, "> save-doc journal/s");
    assert!(!desk.said("> POST") && !desk.said("> PUT"), "nothing is asked of the server before the journal is saved");

    let (mut desk, _) = scene();
    desk.publish_until(&session, "> POST");
    let intended = journal(&desk).expect("the journal is there");
    assert!(intended.contains("\"intended\"") && intended.contains(&raw), "{intended}");

    let (mut desk, _) = scene();
    desk.publish_until(&session, "> push-ledger");
    let bound = journal(&desk).expect("the journal is there");
    assert!(bound.contains("\"bound\"") && bound.contains(&raw) && bound.contains("session_id"), "{bound}");
    assert!(desk.remote.is_empty() && desk.here[RAW] == TRANSCRIPT.as_bytes());

    let (mut desk, _) = scene();
    let publishing = desk.publish_until(&session, "> settle-ledger");
    assert_eq!(publishing.open.len(), 1, "nothing is swapped while it settles");
    assert!(!desk.said("> swap-file"));

    let (mut desk, _) = scene();
    desk.publish_until(&session, "> save-doc journal/s removed");
    assert!(desk.here[RAW].starts_with(b"version https://git-lfs"), "the journal goes last");
}

#[test]
fn a_journal_that_cannot_be_saved_ends_it_there() {
    for (plant, said, never) in [(0, "> save-doc", "> POST"), (1, "> PUT", "> push-ledger")] {
        let (mut desk, session) = scene();
        if plant == 1 {
            let mut publishing = desk.publish_until(&session, "> POST");
            desk.plant("> save-doc", vec![failed(Failure::NoSpace)]);
            while publishing.ask(&mut desk.lines) {
                desk.answer(&mut publishing);
            }
            assert_eq!(publishing.finish().phase, Phase::Bind);
        } else {
            desk.plant("> save-doc", vec![failed(Failure::NoSpace)]);
            assert_eq!(desk.publish(&session).phase, Phase::Intend);
        }
        assert!(desk.said(said) && !desk.said(never), "{}", desk.lines.join("\n"));
        assert!(desk.remote.is_empty() && desk.here[RAW] == TRANSCRIPT.as_bytes());
    }
}

#[test]
fn a_journal_in_other_hands_is_left_to_them() {
    let (mut desk, session) = scene();
    desk.plant("> save-doc journal/s", vec![Reply::Conflict]);
    let report = desk.publish(&session);
    assert_eq!(report.ended.map_err(|error| error.code), Err(Code::Conflict));
    assert!(!desk.said("> POST") && desk.remote.is_empty());
}

/// A refusal of every batch request speaks against no file, one of a file against that file alone.
#[test]
fn a_refusal_of_everything_is_told_once_and_that_of_a_file_with_the_file() {
    let said = |status| {
        let head = Head { status, headers: vec![json_type()] };
        vec![Reply::Head(head), Reply::Chunk(b"{\"message\":\"no\"}".to_vec()), Reply::End]
    };
    for (effect, status, code, with_file) in [
        ("> POST", 400, Code::Rejected, 0),
        ("> POST", 404, Code::NotFound, 0),
        ("> POST", 410, Code::NotFound, 0),
        ("> POST", 422, Code::Rejected, 0),
        ("> PUT", 422, Code::Rejected, 1),
    ] {
        let (mut desk, session) = scene();
        desk.plant(effect, said(status));
        let report = desk.publish(&session);
        let error = report.ended.expect_err("nothing is published");
        let files = report.files.iter().filter(|file| file.reason.is_some()).count();
        assert_eq!((report.phase, error.code, files), (Phase::Upload, code, with_file), "{effect} {status}: {error}");
        assert!(!desk.said("> push-ledger"), "{}", desk.lines.join("\n"));
    }
}

#[test]
fn a_refused_push_changes_nothing_here_and_the_next_run_needs_no_upload() {
    let (mut desk, session) = scene();
    desk.plant("> push-ledger", vec![failed(Failure::Refused)]);
    let report = desk.publish(&session);
    assert_eq!(report.ended.map_err(|error| error.code), Err(Code::Rejected));
    assert_eq!(report.phase, Phase::Push);
    assert!(report.files.iter().all(|file| file.state == PublishedState::Unpublished));
    assert!(!desk.said("> settle-ledger") && desk.here[RAW] == TRANSCRIPT.as_bytes());
    desk.lines.clear();
    let resume = publication(&[]);
    let report = desk.publish(&resume);
    assert_eq!((report.ended, report.resumed, report.phase), (Ok(()), true, Phase::Done));
    assert!(!desk.said("> POST") && !desk.said("> PUT") && !desk.said("> read-file"), "{}", desk.lines.join("\n"));
    assert!(desk.here[RAW].starts_with(b"version "));
}

#[test]
fn a_swap_that_meets_a_changed_file_leaves_it_and_the_publish_is_done() {
    let (mut desk, session) = scene();
    let mut publishing = desk.publish_until(&session, "> swap-file");
    let grown = format!("{TRANSCRIPT}{{\"type\":\"tool\"}}\n");
    desk.put(RAW, &grown);
    while publishing.ask(&mut desk.lines) {
        desk.answer(&mut publishing);
    }
    let report = publishing.finish();
    assert_eq!((report.ended, report.phase), (Ok(()), Phase::Done));
    let raw = &report.files[0];
    assert_eq!(raw.state, PublishedState::Left);
    assert_eq!(raw.reason.as_ref().map(|error| error.code), Some(Code::Conflict));
    assert_eq!(desk.here[RAW], grown.as_bytes());
}

#[test]
fn a_conflict_is_looked_at_and_bound_again_before_it_is_pushed_again() {
    let (mut desk, session) = scene();
    let mut publishing = desk.publish_until(&session, "> push-ledger");
    // Somebody else publishes another file of the session, with the same id.
    let others = format!(
        "{{\"session_id\": \"{NEW_ID}\", \"files\": {{\"notes.md\": {{\"oid\": \"sha256:{}\", \"size\": 1}}}}}}",
        "c".repeat(64)
    );
    desk.remote.insert(MANIFEST.to_owned(), others.into_bytes());
    desk.lines.clear();
    while publishing.ask(&mut desk.lines) {
        desk.answer(&mut publishing);
    }
    let report = publishing.finish();
    assert_eq!(report.ended, Ok(()));
    expect![[r#"
        > load-ledger 2 documents 2 files
        = bind
        > save-doc journal/s 1809 bytes
        = push
        > push-ledger 4 files
        = settle
        > settle-ledger 4 files
        = swap
        > swap-file sessions/s/raw.jsonl 555c151d
        > swap-file sessions/s/plan.md a27fa2ba
        = done
        > save-doc journal/s removed
    "#]]
    .assert_eq(&desk.trace());
    let files = desk.published()["files"].as_object().expect("files").keys().cloned().collect::<Vec<_>>();
    assert_eq!(files, ["notes.md", "plan.md", "raw.jsonl", "summary.json"]);
}

#[test]
fn conflicts_without_end_come_to_one() {
    let (mut desk, session) = scene();
    for _ in 0..100 {
        desk.plant("> push-ledger", vec![Reply::Conflict]);
    }
    let report = desk.publish(&session);
    assert_eq!(report.ended.map_err(|error| error.code), Err(Code::Conflict));
    let pushes = desk.lines.iter().filter(|line| line.starts_with("> push-ledger")).count();
    assert_eq!(pushes as u32, hydrant_ledger::limits::LEDGER_CONFLICTS_MAX + 1);
}

#[test]
fn an_unreadable_journal_is_fatal_and_stays() {
    let texts = ["", "{", "{\"version\": 9, \"intended\": []}", "{\"version\": 1, \"bound\": {}}", "<<<<<<< HEAD"];
    for text in texts {
        let (mut desk, session) = scene();
        desk.put(JOURNAL, text);
        let report = desk.publish(&session);
        assert_eq!(report.ended.map_err(|error| error.code), Err(Code::Malformed), "{text}");
        assert_eq!(desk.lines, ["> load-doc journal/s"], "{text}: nothing else is asked");
        assert_eq!(desk.here[JOURNAL], text.as_bytes(), "{text}");
    }
}

#[test]
fn an_unreadable_register_is_fatal_and_the_journal_goes_on_naming() {
    let (mut desk, session) = scene();
    assert_eq!(desk.publish(&session).ended, Ok(()));
    desk.put("orphans", "no register");
    desk.put(RAW, &format!("{TRANSCRIPT}{{\"type\":\"tool\"}}\n"));
    let report = desk.publish(&publication(&["raw.jsonl"]));
    assert_eq!(report.ended.map_err(|error| error.code), Err(Code::Malformed));
    let old = blob(TRANSCRIPT.as_bytes()).oid.to_string();
    let journal = String::from_utf8_lossy(&desk.here[JOURNAL]).into_owned();
    assert!(journal.contains(&old), "{journal}");
    assert_eq!(desk.here["orphans"], b"no register");
}

#[test]
fn entries_are_counted_from_the_bytes_whatever_the_manifest_says() {
    let (mut desk, session) = scene();
    desk.put(MANIFEST, "{\"session_id\": \"ses_1\", \"entry_count\": 99, \"zz\": [1, 2.50], \"files\": {}}");
    assert_eq!(desk.publish(&session).ended, Ok(()));
    let manifest = desk.published();
    assert_eq!((manifest["entry_count"].as_u64(), manifest["session_id"].as_str()), (Some(2), Some("ses_1")));
    assert!(String::from_utf8_lossy(&desk.remote[MANIFEST]).contains("\"zz\": [1, 2.50]"), "unknown fields survive");
    let pushed: Value = manifest["files"]["raw.jsonl"]["oid"].clone();
    assert_eq!(pushed, format!("sha256:{}", blob(TRANSCRIPT.as_bytes()).oid));
    // A publish without the transcript counts nothing.
    desk.share("sessions/s/plan.md", "another plan");
    assert_eq!(desk.publish(&publication(&["plan.md"])).ended, Ok(()));
    assert_eq!(desk.published()["entry_count"], 2);
}

#[test]
fn a_placeholder_becomes_a_session() {
    let (mut desk, session) = scene();
    let draft = fixture("meta/draft.json");
    desk.share(MANIFEST, &draft);
    let before: Value = serde_json::from_str(&draft).expect("JSON");
    assert!(before["draft"].as_bool().is_some_and(|draft| draft) && before["turn_count"].is_u64());
    assert_eq!(desk.publish(&session).ended, Ok(()));
    let manifest = desk.published();
    for gone in ["draft", "turn_count", "updated_at"] {
        assert!(manifest.get(gone).is_none(), "{gone}: {manifest}");
    }
    for stays in ["session_id", "session_name", "created_at", "username", "agent_id", "repo_id"] {
        assert_eq!(manifest[stays], before[stays], "{stays}");
    }
}

#[test]
fn a_derived_id_is_written_down_before_a_field_could_change_it() {
    let (mut desk, mut session) = scene();
    let legacy = fixture("meta/legacy-no-storage-no-session-id.json");
    desk.share(MANIFEST, &legacy);
    let derived = hydrant_ledger::manifest::derive_session_id(
        "repo_0196a1b2-3c4d-7e5f-8a9b-0c1d2e3f4a5b",
        "2025-12-01T08-00-mina-OxLeg1",
    );
    session.fields = vec![("title".to_owned(), "A new title".to_owned())];
    let report = desk.publish(&session);
    assert_eq!((report.ended, report.session_id.as_str()), (Ok(()), derived.as_str()));
    let manifest = desk.published();
    assert_eq!(manifest["session_id"], derived.as_str());
    assert_eq!(manifest["files"].as_object().map(serde_json::Map::len), Some(5), "the refs that were there stay");
}

#[test]
fn only_what_stands_in_the_session_is_swapped_and_git_carries_what_is_small() {
    let (mut desk, mut session) = scene();
    desk.put("aside", "a plan of the caller's");
    session.files[1].source = Some("aside".to_owned());
    let report = desk.publish(&session);
    let states: Vec<_> = report.files.iter().map(|file| (file.name.as_str(), file.state)).collect();
    let expected = [
        ("raw.jsonl", PublishedState::Swapped),
        ("plan.md", PublishedState::Published),
        ("summary.json", PublishedState::Published),
    ];
    assert_eq!(states, expected);
    assert_eq!(desk.here["aside"], b"a plan of the caller's", "a file of the caller's is never written");
    assert_eq!(desk.remote["sessions/s/summary.json"], b"{\"a\": 1}\n", "to the byte");
    assert_eq!(desk.published()["files"]["summary.json"]["storage"], "git");
    assert!(desk.remote["sessions/s/plan.md"].starts_with(b"version https://git-lfs"));
}

fn fixture(name: &str) -> String {
    String::from_utf8(fixtures::bytes(name).expect("a fixture")).expect("fixtures are UTF-8")
}
