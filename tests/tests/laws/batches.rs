//! Laws 9 and 11: what is asked at once, what is asked again, and what an answer that leaves something out means.

use crate::native;
use crate::play::{Answer, ENDPOINT, Play, bytes, download, json_type, offer, status, wants};
use expect_test::expect;
use hydrant_lfs::contract::Config;
use hydrant_lfs::contract::Direction;
use hydrant_lfs::contract::{Body, Exchange, Failure};
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

/// Null says as much as nothing, wherever it stands.
#[test]
fn null_is_absent_everywhere() {
    let action = || json!({"href": "https://store.test/o/1", "header": null, "expires_at": null, "expires_in": null});
    let good = || json!({"oid": blob(b"one").oid.to_string(), "size": 3, "actions": {"download": action()}});
    let with = |key: &str| {
        let mut entry = good();
        entry[key] = Value::Null;
        entry
    };
    let within = |key: &str, value: Value| {
        let mut entry = good();
        entry["actions"]["download"][key] = value;
        entry
    };
    for entry in [
        good(),
        with("error"),
        with("authenticated"),
        with("size"),
        with("_links"),
        within("header", json!({"X-Nothing": null})),
        within("header", json!({"x_under.score~!#$%&'*+-^`|": "1"})),
    ] {
        let said = download(&[b"one"]).run([objects(&json!([entry])), bytes(b"one")]);
        assert!(said.ends_with("= a well\n") && !said.contains("x-nothing"), "{entry}: {said}");
    }
    let mut links = good();
    links["_links"] = links["actions"].take();
    let said = download(&[b"one"]).run([objects(&json!([links])), bytes(b"one")]);
    assert!(said.ends_with("= a well\n"), "{said}");
    let mut nothing = good();
    nothing["actions"]["download"] = Value::Null;
    let said = download(&[b"one"]).run([objects(&json!([nothing]))]);
    assert!(said.contains("= a malformed: the server offered neither"), "{said}");
    let top = json!({"transfer": null, "hash_algo": null, "message": null, "objects": [good()]});
    let answer = Answer::Whole(200, vec![json_type()], top.to_string().into_bytes());
    let said = download(&[b"one"]).run([answer, bytes(b"one")]);
    assert!(said.ends_with("= a well\n"), "{said}");
}

#[test]
fn what_a_batch_is_refused_with_is_told_by_its_name() {
    let whole = |status, body: &[u8]| Answer::Whole(status, vec![json_type()], body.to_vec());
    let message = br#"{"message":"over your quota"}"#;
    for (answer, expected) in [
        (whole(200, message), "= all rejected: the batch request: the server answered 200: over your quota"),
        (whole(200, b"{}"), "= a malformed: the server left the object out of its answer"),
        (whole(422, message), "= all rejected: the batch request: the server answered 422: over your quota"),
        (
            whole(200, b"\x1f\x8b\x08").with("Content-Encoding", "gzip"),
            "= all malformed: the batch request: the server answered in the coding gzip, which it was asked not to use",
        ),
        (whole(200, b"{").with("Content-Encoding", "identity"), "the server answered with broken JSON"),
    ] {
        let said = download(&[b"one"]).run([answer]);
        assert!(said.contains(expected), "{said}");
    }
}

/// Gateways have numbers of their own.
#[test]
fn what_may_pass_is_tried_again_and_what_will_not_is_not() {
    for code in [408, 429, 500, 502, 503, 504, 506, 520, 521, 522, 524, 530, 598, 599] {
        let said = download(&[b"one"]).run([status(code), offer(), status(code), offer(), bytes(b"one")]);
        assert_eq!(said.matches("again at").count(), 2, "{code}: {said}");
        assert!(said.ends_with("= a well\n"), "{code}: {said}");
    }
    for code in [400, 402, 405, 407, 418, 451, 501, 505, 507, 508, 509, 510, 511] {
        for script in [vec![status(code)], vec![offer(), status(code)]] {
            let said = download(&[b"one"]).run(script);
            assert!(!said.contains("again at") && said.contains(" rejected: "), "{code}: {said}");
        }
    }
}

/// A transfer that was offered, chosen, and is none that is spoken here: nothing was said of any object.
#[test]
fn a_transfer_that_nobody_here_speaks_ends_the_whole() {
    let config = Config { transfers: vec!["basic".into(), "multipart".into()], ..Config::new(ENDPOINT, 0) };
    let chosen = || Answer::Whole(200, vec![json_type()], br#"{"transfer":"multipart","objects":[]}"#.to_vec());
    let said = Play::new(native::download(config, wants(&[b"one"]))).run([chosen()]);
    assert!(said.contains("= all malformed: the server chose another transfer adapter"), "{said}");
}

/// Giftless answers so when it has none of the objects, others when there is no such repository.
#[test]
fn a_404_for_a_whole_batch_is_asked_about() {
    let none = || Answer::Whole(404, vec![json_type()], br#"{"message":"Cannot find any"}"#.to_vec());
    // It would take both.
    expect![[r#"
        > 0 POST https://lfs.test/r/objects/batch 225 bytes
        < 0 head 404
        > 1 POST https://lfs.test/r/objects/batch 223 bytes
        < 1 head 200
        = a not-found: the server answered 404 to the whole request, and would take this object
        = b not-found: the server answered 404 to the whole request, and would take this object
    "#]]
    .assert_eq(&download(&[b"one", b"other"]).run([none(), offer()]));
    let has_one = Answer::Offer(|entry| {
        if entry["size"] == 3 {
            *entry = json!({"oid": entry["oid"], "size": 3});
        }
    });
    let uncertain = "not-found: the batch request: the server answered 404: Cannot find any";
    let said = download(&[b"one", b"other"]).run([none(), has_one]);
    assert!(
        said.contains(&format!("= a {uncertain}"))
            && said.contains("= b not-found: the server answered 404 to the whole request, and would"),
        "{said}"
    );
    // Nothing certain comes of anything else, no login is asked for, and nothing is sent again.
    for (answer, spoke) in [
        (none(), false),
        (status(401), false),
        (status(403), false),
        (status(503), false),
        (status(307).with("Location", "https://lfs.test/elsewhere"), false),
        (Answer::Failed(Failure::Offline), false),
        (
            Answer::Offer(|entry| {
                *entry = json!({"oid": entry["oid"], "error": {"code": 403, "message": "read only"}});
            }),
            true,
        ),
        (objects(&json!([])), true),
    ] {
        let said = download(&[b"one"]).run([none(), answer.clone()]);
        // Where no answer ever spoke of an object, that is the end of all.
        let [one, all] = ["a", "all"].map(|whose| said.contains(&format!("= {whose} {uncertain}")));
        assert_eq!((one, all), (spoke, !spoke), "{answer:?}: {said}");
        assert_eq!((said.matches("POST").count(), said.matches("login").count()), (2, 0), "{answer:?}: {said}");
    }
    // Where it says nothing once, it is not asked again.
    let config = Config { batch_objects_max: 1, ..Config::new(ENDPOINT, 0) };
    let said = many(config, 3).run([none(), none(), none(), none()]);
    assert_eq!(said.matches("POST").count(), 4, "{said}");
    // An upload that is answered so has no second meaning.
    let said = crate::play::upload(&[b"one"]).run([none()]);
    assert_eq!(said.matches("POST").count(), 1, "{said}");
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
    assert!(play.finish().ends_with("= all rejected: the batch request: the server answered 413\n"));
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
