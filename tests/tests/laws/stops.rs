//! Laws 2, 9 and 10: an operation can be stopped at every moment, ends by itself where nothing moves, and a host's
//! mistake changes nothing.

use crate::native;
use crate::play::{Answer, ENDPOINT, Play, bytes, download, offer, status, upload, wants};
use expect_test::expect;
use hydrant_lfs::contract::Config;
use hydrant_lfs::contract::{
    Beginning, Doc, Effect, EffectId, Failed, Failure, Head, Instant, Misuse, Reply, Revision, StageId, Step,
};
use hydrant_lfs::text::error::Code;
use hydrant_tests::world::blob;

#[test]
fn a_stop_cancels_what_is_open_and_says_so_of_the_rest() {
    let config = Config { in_flight_max: 1, batch_objects_max: 1, ..Config::new(ENDPOINT, 0) };
    let mut play = Play::new(native::download(config, wants(&[b"one", b"other", b"third one"])));
    play.settle();
    play.answer(offer());
    play.settle();
    play.lines.push("stop".to_owned());
    play.operation.stop();
    play.settle();
    assert!(play.open.is_empty());
    expect![[r#"
        > 0 POST https://lfs.test/r/objects/batch 141 bytes
        < 0 head 200
        > 1 POST https://lfs.test/r/objects/batch 141 bytes
        > 2 POST https://lfs.test/r/objects/batch 141 bytes
        > 3 GET https://store.test/o/de2f756f stage de2f756f with x-token
        stop
        > 1 cancel
        < 1 failed aborted
        > 2 cancel
        < 2 failed aborted
        > 3 cancel
        < 3 failed aborted
        = a unfinished: the batch request: it was stopped
        = b unfinished: the batch request: it was stopped
        = c unfinished: it was stopped
    "#]]
    .assert_eq(&play.finish());
}

#[test]
fn a_stop_ends_waiting() {
    let mut play = download(&[b"one"]);
    play.settle();
    play.answer(status(503));
    play.settle();
    play.operation.stop();
    assert_eq!(play.operation.poll(play.now), Step::Done);
}

#[test]
fn what_is_being_kept_is_kept() {
    let mut operation = native::hydrate(Config::new(ENDPOINT, 0), wants(&[b"one"])).expect("it begins");
    let now = Instant { ticks: 1, wall: 1 };
    let Step::Perform(id, Effect::HasBlob(_)) = operation.poll(now) else { panic!("the cache is asked") };
    operation.reply(id, &left(3)).expect("a whole stage");
    operation.reply(id, &Reply::Chunk(b"one".to_vec())).expect("a whole stage");
    operation.reply(id, &Reply::End).expect("a whole stage");
    let Step::Perform(id, Effect::KeepBlob(_)) = operation.poll(now) else { panic!("the stage is kept") };
    operation.stop();
    assert_eq!(operation.poll(now), Step::Wait(None), "keeping is never cancelled");
    operation.reply(id, &Reply::End).expect("kept");
    assert!(matches!(operation.poll(now), Step::Note(_)));
    assert_eq!(operation.poll(now), Step::Done);
    let outcomes = operation.outcomes().expect("outcomes");
    assert_eq!(outcomes[0].ended, Ok(()));
}

#[test]
fn nobody_answers_an_effect_before_it_was_asked_for() {
    let now = Instant { ticks: 1, wall: 1 };
    let mut operation = native::hydrate(Config::new(ENDPOINT, 0), wants(&[b"one"])).expect("it begins");
    let Step::Perform(id, Effect::HasBlob(_)) = operation.poll(now) else { panic!("the cache is asked") };
    operation.reply(id, &left(3)).expect("a whole stage");
    operation.reply(id, &Reply::Received(blob(b"one"))).expect("its digest");
    let kept = EffectId(id.0 + 1);
    assert_eq!(operation.reply(kept, &Reply::End), Err(Misuse::UnknownEffect), "nothing was kept");
    assert!(matches!(operation.poll(now), Step::Perform(id, Effect::KeepBlob(_)) if id == kept));
    operation.reply(kept, &Reply::End).expect("kept");
}

#[test]
fn a_bad_stage_that_is_dropped_after_a_stop_is_no_success() {
    let mut operation = native::hydrate(Config::new(ENDPOINT, 0), wants(&[b"one"])).expect("it begins");
    let now = Instant { ticks: 1, wall: 1 };
    let Step::Perform(id, Effect::HasBlob(_)) = operation.poll(now) else { panic!("the cache is asked") };
    operation.reply(id, &left(3)).expect("a stage of the right length");
    operation.reply(id, &Reply::Received(blob(b"eno"))).expect("its digest");
    let Step::Perform(id, Effect::DropStage(_)) = operation.poll(now) else { panic!("the stage is dropped") };
    operation.stop();
    operation.reply(id, &Reply::End).expect("dropped");
    assert_eq!(operation.poll(now), Step::Done);
    let outcomes = operation.outcomes().expect("outcomes");
    assert_eq!(outcomes[0].ended.as_ref().map_err(|error| error.code), Err(Code::Unfinished));
}

#[test]
fn what_took_too_long_before_a_stop_is_not_sent_again() {
    let verified = Answer::Offer(|entry| {
        entry["actions"]["verify"] = serde_json::json!({"href": "https://lfs.test/r/verify"});
    });
    let locking = native::locks(Config::new(ENDPOINT, 0), hydrant_lfs::operations::LockTask::Verify);
    for (mut play, before) in
        [(download(&[b"one"]), vec![]), (upload(&[b"one"]), vec![verified, status(200)]), (Play::new(locking), vec![])]
    {
        play.settle();
        for answer in before {
            play.answer(answer);
            play.settle();
        }
        let (id, _) = play.open.remove(0);
        play.now.ticks += 200_000;
        assert_eq!(play.operation.poll(play.now), Step::Cancel(id));
        play.operation.stop();
        play.reply(id, Reply::Failed(Failed { why: Failure::Aborted, detail: String::new() }));
        assert_eq!(play.operation.poll(play.now), Step::Done, "{}", play.lines.join("\n"));
    }
}

#[test]
fn an_upload_stops_as_well() {
    let mut play = upload(&[b"one", b"other"]);
    play.settle();
    play.answer(offer());
    play.settle();
    assert_eq!(play.open.len(), 2);
    play.operation.stop();
    play.settle();
    assert!(play.open.is_empty());
    let said = play.finish();
    assert_eq!(said.matches("unfinished: ").count(), 2, "{said}");
}

#[test]
fn an_answer_that_takes_too_long_as_a_whole_is_cancelled() {
    let config = Config { retries_max: 1, ..Config::new(ENDPOINT, 0) };
    let script = [offer(), Answer::Silence, offer(), bytes(b"one")];
    let said = Play::new(native::download(config.clone(), wants(&[b"one"]))).run(script);
    expect![[r#"
        > 0 POST https://lfs.test/r/objects/batch 141 bytes
        < 0 head 200
        > 1 GET https://store.test/o/7692c3ad stage 7692c3ad with x-token
        . 300000 ms pass
        > 1 cancel
        < 1 failed aborted
        ! a again at 301236: the download: it took longer than is allowed in all
        . 236 ms pass
        > 2 POST https://lfs.test/r/objects/batch 141 bytes
        < 2 head 200
        > 3 GET https://store.test/o/7692c3ad stage 7692c3ad with x-token
        < 3 head 200
        > 4 keep-blob 7692c3ad
        = a well
    "#]]
    .assert_eq(&said);
    let script = vec![Answer::Silence; 2];
    let said = Play::new(native::download(config, wants(&[b"one"]))).run(script);
    assert!(said.contains(". 120000 ms pass") && said.contains("= all host: the batch request: "), "{said}");
}

/// Replies of every kind.
fn every_reply() -> Vec<Reply> {
    vec![
        Reply::SoFar(1),
        Reply::Sent(blob(b"one")),
        Reply::Head(Head { status: 200, headers: Vec::new() }),
        Reply::Chunk(b"one".to_vec()),
        Reply::End,
        Reply::Received(blob(b"one")),
        Reply::Doc(Doc { bytes: Vec::new(), revision: Revision(String::new()) }),
        Reply::At(Revision(String::new())),
        Reply::Present,
        left(1),
        Reply::Absent,
        Reply::Conflict,
        Reply::Failed(Failed { why: Failure::Io, detail: String::new() }),
    ]
}

/// A leftover of this many bytes.
fn left(bytes: u64) -> Reply {
    Reply::Partial(Beginning { stage: StageId("left".to_owned()), bytes, validator: None })
}

/// What the operation is, as text.
fn state(operation: &native::Running) -> String {
    format!("{operation:?}")
}

#[test]
fn a_misuse_changes_nothing() {
    let now = Instant { ticks: 1, wall: 1 };
    let begin = || {
        let source = hydrant_lfs::contract::Source { name: "f".into(), expects: None };
        let doc = "s";
        [
            native::hydrate(Config::new(ENDPOINT, 0), wants(&[b"one"])),
            native::download(Config::new(ENDPOINT, 0), wants(&[b"one"])),
            native::upload(Config::new(ENDPOINT, 0), vec![source]),
            native::hydrate_session(Config::new(ENDPOINT, 0), doc),
        ]
    };
    let mut allowed = Vec::new();
    for (kind, mut operation) in begin().into_iter().map(|begun| begun.expect("it begins")).enumerate() {
        let Step::Perform(id, _) = operation.poll(now) else { panic!("an effect") };
        let before = state(&operation);
        for reply in every_reply() {
            assert_eq!(operation.reply(EffectId(id.0 + 1), &reply), Err(Misuse::UnknownEffect));
            assert_eq!(state(&operation), before);
        }
        for (at, reply) in every_reply().into_iter().enumerate() {
            let mut operation = begin().into_iter().nth(kind).expect("the same").expect("it begins");
            operation.poll(now);
            match operation.reply(id, &reply) {
                Ok(()) => allowed.push((kind, at)),
                Err(misuse) => {
                    assert_eq!(misuse, Misuse::OutOfOrder);
                    assert_eq!(state(&operation), before, "reply {at} of kind {kind} left a trace");
                }
            }
        }
    }
    // The grammar: look into the cache, request, read a file, load a document.
    let grammar = [vec![8, 9, 10, 12], vec![0, 2, 12], vec![0, 3, 4, 10, 12], vec![6, 10, 12]];
    let grammar = (0..).zip(grammar).flat_map(|(kind, replies)| replies.into_iter().map(move |at| (kind, at)));
    assert_eq!(allowed, grammar.collect::<Vec<_>>());
}

#[test]
fn a_finished_operation_takes_no_reply() {
    let mut play = download(&[]);
    play.settle();
    for reply in every_reply() {
        assert_eq!(play.operation.reply(EffectId(0), &reply), Err(Misuse::Finished));
    }
}

#[test]
fn objects_that_end_at_once_make_room_for_the_rest() {
    // A proxy that ends TLS hands out plain http: none of these addresses may be used, and none needs a transfer.
    let insecure = Answer::Offer(|entry| {
        let href = entry["actions"]["download"]["href"].as_str().unwrap_or_default().replace("https", "http");
        entry["actions"]["download"]["href"] = serde_json::json!(href);
    });
    let config = Config { in_flight_max: 1, batch_objects_max: 2, ..Config::new(ENDPOINT, 0) };
    let contents: [&[u8]; 9] = [b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8", b"9"];
    let mut play = Play::new(native::download(config, wants(&contents)));
    for _ in 0..contents.len() {
        play.settle();
        if play.open.is_empty() {
            break;
        }
        play.answer(insecure.clone());
    }
    play.settle();
    assert_eq!(play.operation.poll(play.now), Step::Done, "{}", play.lines.join("\n"));
    assert_eq!(play.finish().matches("blocked: ").count(), contents.len());
}

#[test]
fn a_stop_while_the_manifest_is_read_is_not_forgotten() {
    let mut operation = native::hydrate_session(Config::new(ENDPOINT, 0), "s").expect("it begins");
    let now = Instant { ticks: 1, wall: 1 };
    let Step::Perform(id, Effect::LoadDoc(_)) = operation.poll(now) else { panic!("the manifest is read") };
    operation.stop();
    let entry = format!("{{\"oid\": \"sha256:{}\", \"size\": 3}}", blob(b"one").oid);
    let bytes = format!("{{\"session_id\": \"s\", \"files\": {{\"a\": {entry}}}}}").into_bytes();
    operation.reply(id, &Reply::Doc(Doc { bytes, revision: Revision("r".to_owned()) })).expect("a document");
    assert_eq!(operation.poll(now), Step::Done);
    assert_eq!(operation.outcomes().map_err(|error| error.code), Err(Code::Unfinished));
}

#[test]
fn a_file_that_outgrows_the_limit_is_not_read_to_its_end() {
    let config = Config { object_bytes_max: 4000, ..Config::new(ENDPOINT, 0) };
    let source = hydrant_lfs::contract::Source { name: "growing".to_owned(), expects: None };
    let mut operation = native::upload(config, vec![source]).expect("it begins");
    let now = Instant { ticks: 1, wall: 1 };
    let Step::Perform(id, Effect::ReadFile(_)) = operation.poll(now) else { panic!("the file is read") };
    operation.reply(id, &Reply::SoFar(4001)).expect("progress");
    assert_eq!(operation.poll(now), Step::Cancel(id));
    operation.reply(id, &Reply::Failed(Failed { why: Failure::Aborted, detail: String::new() })).expect("aborted");
    assert_eq!(operation.poll(now), Step::Done);
    let outcomes = operation.outcomes().expect("outcomes");
    assert_eq!(outcomes[0].ended.as_ref().map_err(|error| error.code), Err(Code::Limit));
}

#[test]
fn an_answer_that_comes_after_the_report_is_ignored() {
    let mut play = download(&[b"one"]);
    play.settle();
    let (id, _) = play.open.remove(0);
    play.operation.stop();
    assert!(play.operation.outcomes().is_ok(), "the report may be taken while a request is open");
    for reply in every_reply() {
        assert_eq!(play.operation.reply(id, &reply), Ok(()));
        assert_eq!(play.operation.reply(EffectId(99), &reply), Err(Misuse::Finished));
    }
    assert_eq!(play.operation.poll(play.now), Step::Done);
}

#[test]
fn asking_for_another_report_changes_nothing() {
    let mut play = download(&[b"one"]);
    play.settle();
    assert_eq!(play.operation.lock_report().err(), Some(Misuse::AnotherKind));
    assert_eq!(play.operation.publish_report().err(), Some(Misuse::AnotherKind));
    assert_eq!(play.run([offer(), bytes(b"one")]), download(&[b"one"]).run([offer(), bytes(b"one")]));
}
