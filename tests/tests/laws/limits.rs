//! Law 9: every exchange carries bounds, and what an operation is given or told is bounded too.

use crate::native;
use crate::play::{Answer, ENDPOINT, Play, STORE, download, json_type, offer, upload, wants};
use hydrant_lfs::Error;
use hydrant_lfs::contract::{Config, Head, Misuse, Reply, Source, Step, Want};
use hydrant_lfs::text::error::Code;
use hydrant_lfs::text::limits::{
    CHUNK_BYTES_MAX, DETAIL_BYTES_MAX, ERROR_BYTES_MAX, IDLE_MS_MAX, JSON_BYTES_MAX, NAME_BYTES_MAX, WANTS_MAX,
};
use serde_json::json;

#[test]
fn every_exchange_is_bounded() {
    for mut play in [download(&[b"one"]), upload(&[b"one"])] {
        play.settle();
        let batch = &play.open[0].1;
        assert_eq!((batch.answer_bytes_max, batch.idle_max), (JSON_BYTES_MAX as u64 + 1, IDLE_MS_MAX));
        play.answer(offer());
        play.settle();
        let transfer = &play.open[0].1;
        let expected = if transfer.stage.is_some() { 3 + 1 } else { ERROR_BYTES_MAX as u64 };
        assert_eq!((transfer.answer_bytes_max, transfer.idle_max), (expected, IDLE_MS_MAX));
    }
}

#[test]
fn an_endless_answer_is_cancelled() {
    let mut play = download(&[b"one"]);
    play.settle();
    let (id, _) = play.open.remove(0);
    play.reply(id, Reply::Head(Head { status: 200, headers: vec![json_type()] }));
    for _ in 0..=JSON_BYTES_MAX / (256 << 10) {
        play.reply(id, Reply::Chunk(vec![b' '; 256 << 10]));
    }
    assert_eq!(play.operation.poll(play.now), Step::Cancel(id));
}

#[test]
fn an_operation_has_a_greatest_size() {
    let want = wants(&[b"one"]).remove(0);
    let many = vec![want; WANTS_MAX + 1];
    let refused = native::download(Config::new(ENDPOINT, 0), many).map(|_| ());
    assert_eq!(refused.map_err(|error| error.code), Err(Code::Limit));
}

#[test]
fn a_servers_words_are_bounded_and_plain() {
    let noisy = Answer::Offer(|entry| {
        let words = format!("\u{1b}[2J\r\nfake line\u{202e}{}", "x".repeat(100_000));
        *entry = json!({"oid": entry["oid"], "error": {"code": 500_000, "message": words}});
    });
    let mut play = download(&[b"one"]);
    play.settle();
    play.answer(noisy);
    play.settle();
    let outcomes = play.operation.outcomes().expect("outcomes");
    let error = outcomes[0].ended.clone().expect_err("refused");
    assert!(error.detail.len() <= DETAIL_BYTES_MAX);
    assert!(!error.detail.contains(|c: char| c.is_control() || c == '\u{202e}'), "{error}");
}

#[test]
fn an_action_may_not_set_what_frames_the_request() {
    let framing = Answer::Offer(|entry| {
        let names = ["Host", "Content-Length", "Connection", "TE", "Upgrade", "Cookie", "Proxy-Authorization", "Range"];
        let headers: Vec<(String, serde_json::Value)> =
            names.iter().map(|name| ((*name).to_owned(), json!("x"))).collect();
        entry["actions"]["download"]["header"] = serde_json::Value::Object(headers.into_iter().collect());
    });
    let mut play = download(&[b"one"]);
    play.settle();
    play.answer(framing);
    play.settle();
    let names: Vec<&str> = play.open[0].1.request.headers.iter().map(|header| header.name.as_str()).collect();
    assert_eq!(names, ["Accept-Encoding"], "{STORE}");
}

#[test]
fn a_play_that_ends_is_done() {
    let said = Play::new(native::download(Config::new(ENDPOINT, 0), Vec::new())).run([]);
    assert_eq!(said, "\n");
}

#[test]
fn a_chunk_has_a_greatest_size() {
    let mut play = download(&[b"one"]);
    play.settle();
    let (id, _) = play.open.remove(0);
    play.reply(id, Reply::Head(Head { status: 200, headers: vec![json_type()] }));
    let chunk = |length: usize| Reply::Chunk(vec![b' '; length]);
    assert_eq!(play.operation.reply(id, &chunk(CHUNK_BYTES_MAX + 1)), Err(Misuse::TooLarge));
    assert_eq!(play.operation.reply(id, &chunk(CHUNK_BYTES_MAX)), Ok(()));
}

#[test]
fn names_have_a_greatest_length() {
    let name = |length: usize| "n".repeat(length);
    let config = || Config::new(ENDPOINT, 0);
    let want = |length: usize| vec![Want { name: name(length), ..wants(&[b"one"]).remove(0) }];
    let source = |length: usize| vec![Source { name: name(length), expects: None }];
    let refused = |begun: Result<native::Running, Error>| begun.map(drop).map_err(|error| error.code);
    for (length, expected) in [(NAME_BYTES_MAX, Ok(())), (NAME_BYTES_MAX + 1, Err(Code::Limit))] {
        assert_eq!(refused(native::download(config(), want(length))), expected);
        assert_eq!(refused(native::hydrate(config(), want(length))), expected);
        assert_eq!(refused(native::upload(config(), source(length))), expected);
    }
}
