//! Laws 9 and 11: what is asked at once, what is asked again, and what an answer that leaves something out means.

use crate::native;
use crate::play::{Answer, ENDPOINT, Play, bytes, download, json_type, offer, status, wants};
use expect_test::expect;
use hydrant_lfs::contract::Config;
use hydrant_lfs::contract::Direction;
use hydrant_lfs::contract::{Body, Exchange};
use hydrant_tests::world::{blob, content};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Different contents of a few bytes.
fn contents(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|at| content(at, 20)).collect()
}

fn many(config: Config, count: usize) -> Play {
    let contents = contents(count);
    let contents: Vec<&[u8]> = contents.iter().map(Vec::as_slice).collect();
    Play::new(native::download(config, wants(&contents)))
}

fn is_batch(exchange: &Exchange) -> bool {
    exchange.stage.is_none()
}

fn batches(play: &Play) -> usize {
    play.open.iter().filter(|(_, exchange)| is_batch(exchange)).count()
}

fn transfers(play: &Play) -> usize {
    play.open.len() - batches(play)
}

/// The oids that a batch request asks about.
fn asked(exchange: &Exchange) -> Vec<String> {
    let Body::Bytes(body) = &exchange.request.body else { panic!("a batch request has a body") };
    let body: Value = serde_json::from_slice(body).expect("JSON");
    let objects = body["objects"].as_array().into_iter().flatten();
    objects.map(|object| object["oid"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_first_batch_goes_alone_then_three_are_ahead() {
    let config = Config { batch_objects_max: 2, in_flight_max: 4, ..Config::new(ENDPOINT, 0) };
    let mut play = many(config, 20);
    play.settle();
    assert_eq!((batches(&play), transfers(&play)), (1, 0));
    play.answer(offer());
    play.settle();
    assert_eq!((batches(&play), transfers(&play)), (3, 2));
    while let Some(at) = play.open.iter().position(|(_, exchange)| is_batch(exchange)) {
        let batch = play.open.remove(at);
        play.open.insert(0, batch);
        play.answer(offer());
        play.settle();
        assert!(batches(&play) <= 3 && transfers(&play) <= 4);
    }
    assert_eq!(transfers(&play), 4, "enough was asked ahead, and no more");
    let asked = play.lines.iter().filter(|line| line.contains("POST")).count();
    assert!(asked < 10, "{asked} batches for 20 objects, although 4 are in flight");
}

#[test]
fn a_far_server_gets_more_at_once() {
    for (round_trip, width) in [(5, 8), (6, 32)] {
        let mut play = many(Config::new(ENDPOINT, 0), 100);
        play.settle();
        play.now.ticks += round_trip;
        play.answer(offer());
        play.settle();
        assert_eq!(transfers(&play), width, "{round_trip} ms");
    }
}

#[test]
fn a_batch_that_is_too_large_is_halved() {
    let mut play = many(Config::new(ENDPOINT, 0), 7);
    play.settle();
    let (mut sizes, mut answered) = (Vec::new(), BTreeSet::new());
    for answer in [status(413), status(413), offer(), offer(), offer()] {
        let at = play.open.iter().position(|(_, exchange)| is_batch(exchange)).expect("a batch request");
        let batch = play.open.remove(at);
        let oids = asked(&batch.1);
        sizes.push(oids.len());
        if matches!(answer, Answer::Offer(_)) {
            answered.extend(oids);
        }
        play.open.insert(0, batch);
        play.answer(answer);
        play.settle();
    }
    sizes.sort_unstable();
    assert_eq!(sizes, [2, 2, 3, 4, 7]);
    assert_eq!(answered.len(), 7, "each object is asked about");
    let said = download(&[b"one"]).run(vec![status(413); 9]);
    assert_eq!(said.matches("POST").count(), 1, "one object cannot be halved: {said}");
}

/// Answers a batch with these objects, whatever was asked.
fn objects(objects: &Value) -> Answer {
    let body = json!({"transfer": "basic", "objects": objects}).to_string().into_bytes();
    Answer::Whole(200, vec![json_type()], body)
}

#[test]
fn left_out_or_repeated_is_not_answered() {
    let oid = blob(b"one").oid.to_string();
    let entry = json!({"oid": oid, "size": 3, "actions": {"download": {"href": "https://store.test/o/1"}}});
    for (answer, words) in [
        (objects(&json!([])), "the server left the object out of its answer"),
        (objects(&json!([entry, entry])), "the server answered for the object more than once"),
        (objects(&json!([{"oid": oid, "size": 3}])), "the server offered neither a way"),
        (objects(&json!([{"oid": oid, "size": 4, "actions": {}}])), "the batch response has another size"),
    ] {
        let said = download(&[b"one"]).run([answer, bytes(b"one")]);
        assert!(said.contains("= a malformed: ") && said.contains(words) && !said.contains("GET"), "{said}");
    }
}

#[test]
fn one_bad_object_leaves_the_others_alone() {
    let half = Answer::Offer(|entry| {
        if entry["size"] == 3 {
            *entry = json!({"oid": entry["oid"], "size": 3, "error": {"code": 404, "message": "gone"}});
        }
    });
    expect![[r#"
        > 0 POST https://lfs.test/r/objects/batch 225 bytes
        < 0 head 200
        > 1 GET https://store.test/o/d9298a10 stage d9298a10 with x-token
        < 1 head 200
        > 2 keep-blob d9298a10
        = a missing: the server answered 404 for this object: gone
        = b well
    "#]]
    .assert_eq(&download(&[b"one", b"other"]).run([half, bytes(b"other")]));
}

#[test]
fn an_oid_given_twice_is_asked_once() {
    let objects = vec![blob(b"one"), blob(b"two"), blob(b"one")];
    let operation = native::batch(Config::new(ENDPOINT, 0), Direction::Download, objects);
    let mut play = Play::new(operation);
    play.settle();
    assert_eq!(asked(&play.open[0].1).len(), 2);
    play.answer(offer());
    play.settle();
    assert_eq!(play.operation.objects().map(|objects| objects.len()), Ok(2));
}

#[test]
fn a_page_is_no_answer() {
    let page = Answer::Whole(200, Vec::new(), b"<html>".to_vec()).with("Content-Type", "text/html");
    let said = download(&[b"one"]).run([page]);
    assert!(said.contains("malformed: the batch request: the server answered with something that is not JSON"));
}

#[test]
fn a_server_that_finds_every_batch_too_large_is_not_flooded() {
    let contents: Vec<Vec<u8>> = (0..64u8).map(|n| vec![n; 3]).collect();
    let contents: Vec<&[u8]> = contents.iter().map(Vec::as_slice).collect();
    let mut play = Play::new(native::download(Config::new(ENDPOINT, 0), wants(&contents)));
    let mut most = 0;
    for _ in 0..1000 {
        play.settle();
        most = most.max(play.open.len());
        if play.open.is_empty() {
            break;
        }
        play.answer(status(413));
    }
    assert!(most <= 3, "{most} requests at once");
    assert_eq!(play.finish().matches("rejected: ").count(), contents.len());
}

/// The ticks until which a batch request waits before it is asked again, three times in a row.
fn waits(seed: u64) -> Vec<u64> {
    let mut play = many(Config::new(ENDPOINT, seed), 1);
    let mut wait = |_| {
        play.settle();
        play.answer(status(503));
        play.now.ticks = play.settle().expect("it is asked again, and not at once");
        play.now.ticks
    };
    (0..3).map(&mut wait).collect()
}

#[test]
fn the_seed_alone_decides_how_long_a_retry_waits() {
    assert_eq!(waits(7), waits(7));
    assert_ne!(waits(7), waits(8));
}
