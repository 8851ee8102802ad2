//! The grammar of the effects of a publish: a reply that the contract does not allow is the host's mistake, and nothing
//! comes of it.

use crate::desk::{Desk, JOURNAL, Publishing, RAW, TRANSCRIPT, begin, failed, publication, revision, scene};
use hydrant_ledger::publish::{Publication, PublishedState};
use hydrant_lfs::contract::Phase;
use hydrant_lfs::contract::{
    Beginning, Doc, Effect, EffectId, Failure, Head, Ledger, LedgerFile, Misuse, Reply, Revision, StageId, Step,
};
use hydrant_lfs::text::error::Code;
use hydrant_tests::world::blob;

/// One of each reply, with its name; `failed` may end any effect.
fn every_reply() -> Vec<(&'static str, Reply)> {
    let at = || Revision("r".to_owned());
    vec![
        ("so-far", Reply::SoFar(1)),
        ("sent", Reply::Sent(blob(b"x"))),
        ("head", Reply::Head(Head { status: 200, headers: Vec::new() })),
        ("chunk", Reply::Chunk(b"x".to_vec())),
        ("end", Reply::End),
        ("received", Reply::Received(blob(&[b'x'; 5_000]))),
        ("doc", Reply::Doc(Doc { bytes: b"{}".to_vec(), revision: at() })),
        ("ledger", Reply::Ledger(Ledger { tip: at(), files: Vec::new() })),
        ("at", Reply::At(at())),
        ("present", Reply::Present),
        ("partial", Reply::Partial(Beginning { stage: StageId("left".to_owned()), bytes: 1, validator: None })),
        ("absent", Reply::Absent),
        ("conflict", Reply::Conflict),
    ]
}

/// Gives every reply but these to the oldest effect: each is a misuse.
fn misuse(publishing: &mut Publishing, allowed: &[&str]) {
    let (id, effect) = publishing.open.front().cloned().expect("it waits for one");
    for (name, reply) in every_reply() {
        if !allowed.contains(&name) {
            let taken = publishing.operation.reply(id, &reply);
            assert_eq!(taken, Err(Misuse::OutOfOrder), "{name} to {effect:?}");
        }
    }
    assert_eq!(publishing.operation.reply(EffectId(999), &Reply::End), Err(Misuse::UnknownEffect));
}

/// A session that was published, and its transcript anew: every effect of a publish is part of the next one.
fn whole() -> (Desk, Publication) {
    let (mut desk, publication) = scene();
    assert_eq!(desk.publish(&publication).ended, Ok(()));
    desk.put(RAW, &format!("{TRANSCRIPT}{{\"type\":\"tool\"}}\n"));
    desk.lines.clear();
    (desk, publication)
}

#[test]
fn a_wrong_reply_to_any_effect_changes_nothing() {
    let allowed: [(&str, &[&str]); 11] = [
        ("> load-doc", &["doc", "absent"]),
        // Right only with the names that were asked for.
        ("> load-ledger", &[]),
        ("> read-file sessions/s/raw.jsonl as chunks", &["so-far", "chunk", "end", "absent"]),
        ("> read-file aside", &["so-far", "chunk", "end", "received", "absent"]),
        ("> save-doc journal/s", &["at", "conflict"]),
        ("> POST", &["so-far", "head"]),
        ("> PUT", &["so-far", "head", "sent", "conflict"]),
        ("> push-ledger", &["at", "conflict"]),
        ("> settle-ledger", &["end", "conflict"]),
        ("> swap-file", &["at", "conflict", "absent"]),
        ("> save-doc journal/s removed", &["end", "conflict"]),
    ];
    let (mut desk, mut publication) = whole();
    // What is a pointer by now has its content aside.
    publication.files[1].source = Some("aside".to_owned());
    desk.put("aside", "another plan");
    let calm = {
        let mut desk = desk.clone();
        let report = desk.publish(&publication);
        assert_eq!(report.ended, Ok(()), "{report:?}");
        (desk.lines, desk.here, desk.remote, report)
    };
    let mut publishing = begin(&publication);
    let mut met = vec![false; allowed.len()];
    while publishing.ask(&mut desk.lines) {
        let (_, effect) = publishing.open.front().cloned().expect("it waits for one");
        let line = hydrant_tests::trace::step(&Step::Perform(EffectId(0), effect)).expect("an effect has a line");
        let line = line.replacen("> 0 ", "> ", 1);
        // The last that fits is the narrowest.
        let at = allowed.iter().rposition(|(begins, _)| line.starts_with(begins));
        let at = at.or_else(|| line.starts_with("> save-doc orphans").then_some(4)).expect("every effect has a row");
        met[at] = true;
        misuse(&mut publishing, allowed[at].1);
        desk.answer(&mut publishing);
    }
    assert!(met.iter().all(|met| *met), "{met:?}\n{}", desk.lines.join("\n"));
    assert_eq!(publishing.operation.reply(EffectId(0), &Reply::End), Err(Misuse::Finished));
    assert_eq!((desk.lines, desk.here, desk.remote, publishing.finish()), calm);
}

#[test]
fn a_ledger_names_exactly_what_was_asked_for_in_that_order() {
    let (mut desk, _) = whole();
    let calm = {
        let mut desk = desk.clone();
        desk.publish(&publication_of_raw());
        (desk.lines, desk.remote)
    };
    let mut publishing = desk.publish_until(&publication_of_raw(), "> load-ledger");
    let (id, Effect::LoadLedger(lookup)) = publishing.open.front().cloned().expect("it is open") else {
        panic!("the ledger is asked")
    };
    let right = desk.ledger(&lookup);
    assert_eq!(right.files.len(), 2);
    type Change = fn(&mut Vec<LedgerFile>);
    let wrong: [(&str, Change); 7] = [
        ("nothing", |files| files.clear()),
        ("one less", |files| drop(files.pop())),
        ("one more", |files| files.push(files[0].clone())),
        ("another order", |files| files.reverse()),
        ("another name", |files| files[1].name.push('x')),
        ("a document without its bytes", |files| files[0].bytes = None),
        ("bytes of what is not there", |files| files[0].revision = None),
    ];
    for (what, change) in wrong {
        let mut ledger = right.clone();
        change(&mut ledger.files);
        assert_eq!(publishing.operation.reply(id, &Reply::Ledger(ledger)), Err(Misuse::OutOfOrder), "{what}");
    }
    while publishing.ask(&mut desk.lines) {
        desk.answer(&mut publishing);
    }
    assert_eq!(publishing.finish().ended, Ok(()));
    assert_eq!((desk.lines, desk.remote), calm);
}

fn publication_of_raw() -> Publication {
    publication(&["raw.jsonl"])
}

#[test]
fn a_transcript_is_fed_to_its_end_before_anything_else_is_said() {
    let (mut desk, publication) = scene();
    let mut publishing = desk.publish_until(&publication, "> read-file sessions/s/raw.jsonl as chunks");
    let (id, _) = publishing.open[0].clone();
    let mut reply = |reply: Reply| publishing.operation.reply(id, &reply);
    let whole = || Reply::Received(blob(TRANSCRIPT.as_bytes()));
    assert_eq!(reply(whole()), Err(Misuse::OutOfOrder), "nobody counted entries");
    assert_eq!(reply(Reply::Received(blob(&[b'x'; 5_000]))), Err(Misuse::OutOfOrder), "however large it is");
    let (first, second) = TRANSCRIPT.split_at(20);
    assert_eq!(reply(Reply::Chunk(first.into())), Ok(()));
    for (name, wrong) in every_reply() {
        if !["so-far", "chunk", "end"].contains(&name) {
            assert_eq!(reply(wrong), Err(Misuse::OutOfOrder), "{name} after a chunk");
        }
    }
    assert_eq!(reply(Reply::SoFar(20)), Ok(()));
    assert_eq!(reply(Reply::Chunk(second.into())), Ok(()));
    assert_eq!(reply(Reply::End), Ok(()));
    for (name, wrong) in every_reply() {
        if name != "at" {
            assert_eq!(reply(wrong), Err(Misuse::OutOfOrder), "{name} after the end");
        }
    }
    assert_eq!(reply(Reply::At(revision(TRANSCRIPT.as_bytes()))), Ok(()));
    assert_eq!(reply(Reply::At(revision(b""))), Err(Misuse::UnknownEffect), "it is closed");
    publishing.open.pop_front();
    while publishing.ask(&mut desk.lines) {
        desk.answer(&mut publishing);
    }
    assert_eq!(publishing.finish().ended, Ok(()));
    assert_eq!(desk.published()["entry_count"], 2);
}

#[test]
fn entries_are_the_same_in_pieces_of_any_size() {
    let mut pushed = Vec::new();
    for piece in [1, 2, 3, 7, 19, 64, 4096] {
        let (mut desk, publication) = scene();
        desk.piece = piece;
        desk.put(RAW, TRANSCRIPT.trim_end());
        assert_eq!(desk.publish(&publication).ended, Ok(()), "pieces of {piece}");
        assert_eq!(desk.published()["entry_count"], 2, "pieces of {piece}");
        pushed.push(desk.remote);
    }
    pushed.dedup();
    assert_eq!(pushed.len(), 1);
}

/// At a stop only the looks are cancelled; what may have taken place is waited for.
#[test]
fn a_stop_waits_for_what_writes() {
    let rows: [(&str, Reply, Phase); 7] = [
        ("> load-doc journal/s", Reply::Absent, Phase::Hash),
        ("> save-doc journal/s", Reply::At(Revision("r".to_owned())), Phase::Upload),
        ("> push-ledger", Reply::At(Revision("tip".to_owned())), Phase::Settle),
        ("> settle-ledger", Reply::End, Phase::Swap),
        ("> swap-file", Reply::At(Revision("r".to_owned())), Phase::Swap),
        ("> load-doc orphans", Reply::Absent, Phase::Done),
        ("> save-doc orphans", Reply::At(Revision("r".to_owned())), Phase::Done),
    ];
    for (effect, right, phase) in rows {
        let (mut desk, _) = whole();
        let mut publishing = desk.publish_until(&publication_of_raw(), effect);
        let (id, _) = publishing.open[0];
        publishing.operation.stop();
        let said = desk.lines.len();
        assert!(publishing.ask(&mut desk.lines), "{effect} is waited for");
        assert_eq!(desk.lines.len(), said, "{effect}: nothing is cancelled and nothing is begun");
        publishing.operation.reply(id, &right).expect("it ran to its end");
        assert!(!publishing.ask(&mut desk.lines), "{effect}: it ends");
        let report = publishing.finish();
        assert_eq!(report.ended.as_ref().map_err(|error| error.code), Err(Code::Unfinished), "{effect}");
        assert_eq!(report.phase, phase, "{effect}");
        let done = report.files.iter().any(|file| file.state == PublishedState::Swapped);
        assert_eq!(done, effect.ends_with("orphans") || effect == "> swap-file", "{effect}: {report:?}");
    }
}

#[test]
fn a_stop_cancels_the_looks() {
    let (mut desk, publication) = scene();
    let mut publishing = desk.publish_until(&publication, "> load-ledger");
    let (id, Effect::LoadLedger(lookup)) = publishing.open[0].clone() else { panic!("the ledger is asked") };
    let late = Reply::Ledger(desk.ledger(&lookup));
    publishing.operation.stop();
    assert!(matches!(publishing.operation.poll(publishing.now), Step::Cancel(first) if first == id));
    // An answer that was under way closes it as well, and is not used.
    publishing.operation.reply(id, &late).expect("it was under way");
    publishing.open.pop_front();
    while publishing.ask(&mut desk.lines) {
        desk.answer(&mut publishing);
    }
    let report = publishing.finish();
    assert_eq!(report.ended.map_err(|error| error.code), Err(Code::Unfinished));
    assert_eq!(report.phase, Phase::Hash);
    assert!(!desk.here.contains_key(JOURNAL) && desk.remote.is_empty());
}

#[test]
fn a_failure_ends_any_effect_in_the_words_of_its_class() {
    let rows = [
        ("> load-doc journal/s", Failure::Io, Code::Host),
        ("> load-doc sessions/s/meta.json", Failure::Io, Code::Host),
        ("> load-ledger", Failure::Offline, Code::Host),
        ("> load-ledger", Failure::Denied, Code::Auth),
        ("> read-file", Failure::Io, Code::Host),
        ("> save-doc journal/s", Failure::NoSpace, Code::Host),
        ("> push-ledger", Failure::Refused, Code::Rejected),
        ("> push-ledger", Failure::TimedOut, Code::Host),
        ("> settle-ledger", Failure::Io, Code::Host),
        ("> swap-file", Failure::NoSpace, Code::Host),
        ("> load-doc orphans", Failure::Io, Code::Host),
        ("> save-doc orphans", Failure::NoSpace, Code::Host),
        ("> save-doc journal/s removed", Failure::Io, Code::Host),
    ];
    for (effect, why, code) in rows {
        let (mut desk, _) = whole();
        desk.plant(effect, vec![failed(why)]);
        let report = desk.publish(&publication_of_raw());
        assert!(desk.planted.is_empty(), "{effect} was asked");
        let error = report.ended.expect_err(effect);
        assert_eq!(error.code, code, "{effect}: {error}");
        assert!(error.detail.contains("it does not"), "{effect}: the host's words are kept: {error}");
        // The same command again; a pointer is no file to publish.
        let swapped = desk.here[RAW].starts_with(b"version ");
        let again = desk.publish(&publication(if swapped { &[] } else { &["raw.jsonl"] }));
        let nothing = again.ended.as_ref().is_err_and(|error| error.code == Code::NotFound);
        assert!(again.ended.is_ok() || nothing, "{effect}: {:?}", again.ended);
        assert_eq!(desk.published()["entry_count"], 3, "{effect}");
        assert!(!desk.here.contains_key(JOURNAL), "{effect}");
    }
}
