//! Laws 3 and 9: only bytes of the right size and digest are kept, and every way to get others ends.

use crate::native;
use crate::play::{Answer, ENDPOINT, Play, STORE, WALL, bytes, download, offer, part, status, wants};
use expect_test::expect;
use hydrant_lfs::contract::Config;
use hydrant_lfs::contract::Want;
use hydrant_lfs::contract::{Beginning, Failure, Header, Reply, StageId};
use hydrant_tests::world::blob;
use serde_json::json;

/// A hydration that finds the beginning of its one object.
fn resumed(content: &[u8], bytes: usize, validator: Option<&str>) -> Play {
    resumed_with(Config::new(ENDPOINT, 0), content, bytes, validator)
}

fn resumed_with(config: Config, content: &[u8], bytes: usize, validator: Option<&str>) -> Play {
    let mut play = Play::new(native::hydrate(config, wants(&[content])));
    play.cached = Reply::Partial(Beginning {
        stage: StageId("left".to_owned()),
        bytes: bytes as u64,
        validator: validator.map(str::to_owned),
    });
    play.staged = content[..bytes].to_vec();
    play
}

#[test]
fn wrong_bytes_are_dropped_fetched_once_more_and_reported_with_both_oids() {
    expect![[r#"
        > 0 POST https://lfs.test/r/objects/batch 141 bytes
        < 0 head 200
        > 1 GET https://store.test/o/7692c3ad stage 7692c3ad with x-token
        < 1 head 200
        ! a again at 1000: expected 7692c3ad of 3 bytes, received 863613c4 of 3 bytes
        > 2 drop-stage
        > 3 POST https://lfs.test/r/objects/batch 141 bytes
        < 3 head 200
        > 4 GET https://store.test/o/7692c3ad stage 7692c3ad with x-token
        < 4 head 200
        > 5 drop-stage
        = a integrity: expected 7692c3ad of 3 bytes, received 3fc4ccfe of 3 bytes
    "#]]
    .assert_eq(&download(&[b"one"]).run([offer(), bytes(b"eno"), offer(), bytes(b"two")]));
}

#[test]
fn bytes_that_come_right_the_second_time_are_kept() {
    expect![[r#"
        > 0 POST https://lfs.test/r/objects/batch 141 bytes
        < 0 head 200
        > 1 GET https://store.test/o/7692c3ad stage 7692c3ad with x-token
        < 1 head 200
        ! a again at 1000: expected 7692c3ad of 3 bytes, received 863613c4 of 3 bytes
        > 2 drop-stage
        > 3 POST https://lfs.test/r/objects/batch 141 bytes
        < 3 head 200
        > 4 GET https://store.test/o/7692c3ad stage 7692c3ad with x-token
        < 4 head 200
        > 5 keep-blob 7692c3ad
        = a well
    "#]]
    .assert_eq(&download(&[b"one"]).run([offer(), bytes(b"eno"), offer(), bytes(b"one")]));
}

#[test]
fn the_size_is_proved_like_the_digest() {
    for got in [&b""[..], b"on", b"ones"] {
        let said = download(&[b"one"]).run([offer(), bytes(got), offer(), bytes(got)]);
        assert!(!said.contains("keep-blob") && said.contains("= a integrity: "), "{said}");
        assert_eq!(said.matches("drop-stage").count(), 2, "{said}");
    }
    // A digest without its size is no proof either: the size is what the pointer promised.
    let mut lying = wants(&[b"one"]);
    lying[0].size = 4;
    let operation = native::download(Config::new(ENDPOINT, 0), lying);
    let said = Play::new(operation).run([offer(), bytes(b"one"), offer(), bytes(b"one")]);
    assert!(!said.contains("keep-blob") && said.contains("= a integrity: "), "{said}");
}

#[test]
fn what_the_host_hashed_is_judged_like_chunks() {
    for (sent, kept) in [(&b"one"[..], true), (b"eno", false)] {
        let mut play = download(&[b"one"]);
        play.settle();
        play.answer(offer());
        play.settle();
        let (id, _) = play.open.remove(0);
        play.reply(id, Reply::Head(hydrant_lfs::contract::Head { status: 200, headers: Vec::new() }));
        play.reply(id, Reply::Received(blob(sent)));
        play.settle();
        let said = play.lines.join("\n");
        assert_eq!((said.contains("keep-blob"), said.contains("drop-stage")), (kept, !kept), "{said}");
    }
}

#[test]
fn a_status_that_is_not_success_is_not_content() {
    for code in [201, 204, 226, 304, 400, 503] {
        let answer = Answer::Whole(code, Vec::new(), b"one".to_vec());
        let said = download(&[b"one"]).run([vec![offer(), answer.clone()], vec![offer(), answer]].concat());
        assert!(!said.contains("keep-blob"), "{code}: {said}");
    }
}

#[test]
fn a_beginning_is_continued_from_the_answer_it_came_from() {
    let script = [offer(), part("bytes 3-8/9", b"eteen!")];
    expect![[r#"
        > 0 has-blob 439316ab 9 bytes
        < 0 partial 3 bytes
        > 1 POST https://lfs.test/r/objects/batch 141 bytes
        < 1 head 200
        > 2 GET https://store.test/o/439316ab range=bytes=3-8 if-range="v1" stage 439316ab with x-token
        < 2 head 206
        > 3 keep-blob 439316ab
        = a well
    "#]]
    .assert_eq(&resumed(b"nineteen!", 3, Some("\"v1\"")).run(script));
}

#[test]
fn another_range_than_the_one_asked_for_starts_over() {
    let script = [offer(), part("bytes 2-8/9", b"neteen!"), bytes(b"nineteen!")];
    expect![[r#"
        > 0 has-blob 439316ab 9 bytes
        < 0 partial 3 bytes
        > 1 POST https://lfs.test/r/objects/batch 141 bytes
        < 1 head 200
        > 2 GET https://store.test/o/439316ab range=bytes=3-8 stage 439316ab with x-token
        < 2 head 206
        ! a again at 1000: the server sent another part than it was asked for
        > 3 GET https://store.test/o/439316ab stage 439316ab with x-token
        < 3 head 200
        > 4 keep-blob 439316ab
        = a well
    "#]]
    .assert_eq(&resumed(b"nineteen!", 3, None).run(script));
}

/// A page cannot read Content-Range unless the server exposes it.
#[test]
fn a_part_that_does_not_name_its_range_must_be_as_long() {
    let cases: [(&[(&str, &str)], bool); 7] = [
        (&[("Content-Length", "6")], true),
        (&[("Content-Length", "5")], false),
        (&[("Content-Length", "7")], false),
        (&[("Content-Length", "9")], false),
        (&[("Content-Length", "six")], false),
        (&[], false),
        // What it names counts, whatever its length.
        (&[("Content-Range", "bytes 2-7/9"), ("Content-Length", "6")], false),
    ];
    for (headers, is_taken) in cases {
        let part = Answer::Whole(206, Vec::new(), b"eteen!".to_vec());
        let answer = headers.iter().fold(part, |answer, (name, value)| answer.with(name, value));
        let said = resumed(b"nineteen!", 3, None).run([offer(), answer, bytes(b"nineteen!")]);
        assert_eq!(said.matches("GET").count(), 1 + usize::from(!is_taken), "{headers:?}: {said}");
        assert!(said.ends_with("= a well\n"), "{headers:?}: {said}");
    }
}

/// Bytes after a beginning that do not make the blob: the beginning goes, and the whole is asked for.
#[test]
fn a_part_of_the_right_length_is_proved_with_its_beginning() {
    let answer = Answer::Whole(206, Vec::new(), b"wrong!".to_vec()).with("Content-Length", "6");
    let said = resumed(b"nineteen!", 3, None).run([offer(), answer, offer(), bytes(b"nineteen!")]);
    assert_eq!((said.matches("drop-stage").count(), said.matches("keep-blob").count()), (1, 1), "{said}");
    assert!(said.ends_with("= a well\n"), "{said}");
}

#[test]
fn a_part_that_nobody_asked_for_is_no_whole() {
    for range in ["bytes 0-1/3", "bytes 1-2/3", "bytes 1-3/4", "bytes 0-3/4", "bytes */3", "items 0-2/3"] {
        let answers = [offer(), part(range, b"one")];
        let said = download(&[b"one"]).run([answers.clone(), answers.clone(), answers].concat());
        assert!(!said.contains("keep-blob"), "{range}: {said}");
    }
}

/// Some servers call all of an object a part of it, and a proxy that changes answers says 203.
#[test]
fn all_bytes_are_proved_by_their_digest_whatever_the_answer_is_called() {
    let named = |status, headers: &[(&str, &str)], bytes: &[u8]| {
        let plain = Answer::Whole(status, Vec::new(), bytes.to_vec());
        headers.iter().fold(plain, |answer, (name, value)| answer.with(name, value))
    };
    let wholes: [(u16, &[(&str, &str)]); 5] = [
        (203, &[]),
        (206, &[("Content-Range", "bytes 0-2/3")]),
        (206, &[("Content-Range", "bytes 0-2/*")]),
        (206, &[("Content-Range", "bytes 0-2/99")]),
        (206, &[("Content-Length", "3")]),
    ];
    for (status, headers) in wholes {
        let said = download(&[b"one"]).run([offer(), named(status, headers, b"one")]);
        assert!(said.contains("keep-blob") && said.ends_with("= a well\n"), "{status} {headers:?}: {said}");
        let wrong = [offer(), named(status, headers, b"eno")];
        let said = download(&[b"one"]).run([wrong.clone(), wrong].concat());
        let code = if status == 203 {
            "= a auth: expected 7692c3ad of 3 bytes, received a 203 from https://store.test/o/"
        } else {
            "= a integrity: "
        };
        assert!(!said.contains("keep-blob") && said.contains(code), "{status} {headers:?}: {said}");
    }
    // A whole takes the place of a beginning.
    let said = resumed(b"nineteen!", 3, None).run([offer(), named(203, &[], b"nineteen!")]);
    assert!(said.ends_with("= a well\n") && !said.contains("drop-stage"), "{said}");
}

#[test]
fn a_coding_that_nobody_asked_for_is_called_by_its_name() {
    let answer = bytes(b"\x1f\x8b?").with("Content-Encoding", "gzip");
    let said = download(&[b"one"]).run([offer(), answer.clone(), offer(), answer]);
    assert!(said.contains("= a integrity: ") && said.contains("in the coding gzip"), "{said}");
    // A platform may undo a coding and still name it.
    let said = download(&[b"one"]).run([offer(), bytes(b"one").with("Content-Encoding", "gzip")]);
    assert!(said.ends_with("= a well\n"), "{said}");
}

/// Whatever a server dislikes about a request for the rest, it may be the range. The whole is asked for once.
#[test]
fn a_refusal_of_the_rest_is_no_refusal_of_the_whole() {
    for code in [400, 403, 404, 405, 406, 410, 412, 416, 422, 501, 505, 507, 509] {
        let said = resumed(b"nineteen!", 3, None).run([offer(), status(code), bytes(b"nineteen!")]);
        assert_eq!((said.matches("POST").count(), said.matches("range=").count()), (1, 1), "{code}: {said}");
        assert!(said.contains(&format!("answered {code} to the rest")) && said.ends_with("= a well\n"), "{said}");
        // And once only.
        let refused = [offer(), status(code), status(code)];
        let said = resumed(b"nineteen!", 3, None).run(refused);
        assert_eq!(said.matches("range=").count(), 1, "{code}: {said}");
    }
    // What may pass is tried again with the rest: a long beginning is worth more than one answer. The last try is for
    // the whole, so that no beginning sticks.
    for code in [408, 429, 500, 502, 503, 504, 520, 599] {
        let again = [offer(), status(code), offer(), part("bytes 3-8/9", b"eteen!")];
        let said = resumed(b"nineteen!", 3, None).run(again);
        assert!(said.matches("range=").count() == 2 && said.ends_with("= a well\n"), "{code}: {said}");
        // A connection that breaks is no refusal: the beginning stays.
        let config = Config { retries_max: 0, ..Config::new(ENDPOINT, 0) };
        let broken = [offer(), Answer::Failed(Failure::Offline), bytes(b"nineteen!")];
        let said = resumed_with(config, b"nineteen!", 3, None).run(broken);
        assert!(said.matches("GET").count() == 1 && said.contains("= a host: "), "{said}");
        for retries_max in [0, 2] {
            let config = Config { retries_max, ..Config::new(ENDPOINT, 0) };
            let tries = (0..=retries_max).flat_map(|_| [offer(), status(code)]);
            let said = resumed_with(config, b"nineteen!", 3, None).run(tries.chain([bytes(b"nineteen!")]));
            assert_eq!(said.matches("range=").count(), 1 + retries_max as usize, "{code}: {said}");
            assert!(said.ends_with("= a well\n"), "{code}: {said}");
        }
    }
}

/// A server, or what stands before it, may break every answer to a range.
#[test]
fn a_rest_that_never_comes_is_no_reason_to_go_without_the_whole() {
    let config = |retries_max| Config { retries_max, ..Config::new(ENDPOINT, 0) };
    let begun = || Answer::Broken(206, vec![Header::new("Content-Range", "bytes 3-8/9")]);
    // The second answer that breaks at the same place is enough.
    let said = resumed(b"nineteen!", 3, None).run([offer(), begun(), offer(), begun(), bytes(b"nineteen!")]);
    assert!(said.matches("range=").count() == 2 && said.ends_with("= a well\n"), "{said}");
    // Where no answer begins at all, the network may be gone: only the last try is for the whole.
    let gone = || Answer::Failed(Failure::Offline);
    let tries = [offer(), gone(), offer(), gone(), offer(), gone(), bytes(b"nineteen!")];
    let said = resumed_with(config(2), b"nineteen!", 3, None).run(tries);
    assert!(said.matches("range=").count() == 3 && said.ends_with("= a well\n"), "{said}");
}

#[test]
fn a_whole_answer_to_a_range_is_taken() {
    let said = resumed(b"nineteen!", 3, None).run([offer(), bytes(b"nineteen!")]);
    assert!(said.ends_with("= a well\n") && !said.contains("drop-stage"), "{said}");
}

#[test]
fn a_range_that_cannot_be_had_starts_over_with_the_same_action() {
    let said = resumed(b"nineteen!", 3, None).run([offer(), status(416), bytes(b"nineteen!")]);
    assert_eq!((said.matches("POST").count(), said.matches("GET").count()), (1, 2), "{said}");
    assert!(said.ends_with("= a well\n"), "{said}");
}

#[test]
fn an_action_that_has_ended_is_not_used() {
    let ended = Answer::Offer(|entry| entry["actions"]["download"]["expires_in"] = json!(-1));
    expect![[r#"
        > 0 POST https://lfs.test/r/objects/batch 141 bytes
        < 0 head 200
        ! a again at 1236: the server's link expired before it could be used
        . 236 ms pass
        > 1 POST https://lfs.test/r/objects/batch 141 bytes
        < 1 head 200
        > 2 GET https://store.test/o/7692c3ad stage 7692c3ad with x-token
        < 2 head 200
        > 3 keep-blob 7692c3ad
        = a well
    "#]]
    .assert_eq(&download(&[b"one"]).run([ended, offer(), bytes(b"one")]));
}

#[test]
fn an_action_that_ends_while_it_waits_its_turn_is_asked_for_again() {
    let config = Config { in_flight_max: 1, ..Config::new(ENDPOINT, 0) };
    let mut play = Play::new(native::download(config, wants(&[b"one", b"other"])));
    play.settle();
    play.answer(Answer::Offer(|entry| entry["actions"]["download"]["expires_in"] = json!(60)));
    play.settle();
    play.now.wall += 58_000;
    play.answer(bytes(b"other"));
    play.settle();
    assert!(play.open.is_empty(), "{}", play.lines.join("\n"));
    let said = play.run([offer(), bytes(b"one")]);
    assert!(said.ends_with("= a well\n= b well\n"), "{said}");
}

#[test]
fn a_wait_that_the_server_asks_for_is_never_shortened() {
    let later = |seconds: &str| status(503).with("Retry-After", seconds);
    let said = download(&[b"one"]).run([offer(), later("7"), offer(), bytes(b"one")]);
    assert!(said.contains("\n. 7000 ms pass\n"), "{said}");
    let said = download(&[b"one"]).run([later("299"), offer(), bytes(b"one")]);
    assert!(said.contains("\n. 299000 ms pass\n"), "{said}");
    for script in [vec![later("301")], vec![offer(), later("301")]] {
        let said = download(&[b"one"]).run(script);
        assert!(said.contains("busy: ") && !said.contains("ms pass"), "{said}");
    }
}

#[test]
fn retries_come_to_an_end() {
    let said = download(&[b"one"]).run(vec![status(503); 99]);
    assert_eq!(said.matches("POST").count(), 9, "{said}");
    let said = download(&[b"one"]).run((0..99).map(|at| if at % 2 == 0 { offer() } else { status(500) }));
    assert_eq!(said.matches("GET").count(), 9, "{said}");
    let said = download(&[b"one"]).run(vec![Answer::Failed(Failure::Offline); 99]);
    assert_eq!(said.matches("POST").count(), 9, "{said}");
}

#[test]
fn one_object_under_two_names_is_fetched_once() {
    let said = download(&[b"one", b"one"]).run([offer(), bytes(b"one")]);
    assert_eq!(said.matches("GET").count(), 1, "{said}");
    assert!(said.ends_with("= a well\n= b well\n"), "{said}");
}

#[test]
fn only_a_definite_answer_says_missing() {
    let said = download(&[b"one"]).run([offer(), status(404)]);
    assert!(said.contains("= a not-found: "), "{said}");
    for (code, expected) in [(404, "not-found"), (410, "not-found"), (422, "rejected"), (403, "auth")] {
        let said = download(&[b"one"]).run([status(code)]);
        assert!(said.contains(&format!("= all {expected}: ")) || said.contains(&format!("= a {expected}: ")), "{said}");
        assert!(!said.contains("missing"), "{said}");
    }
    let gone = Answer::Offer(|entry| *entry = json!({"oid": entry["oid"], "error": {"code": 404, "message": "no"}}));
    let said = download(&[b"one"]).run([gone]);
    assert!(said.contains("= a missing: the server answered 404 for this object: no\n"), "{said}");
}

#[test]
fn what_cannot_be_right_is_not_even_asked() {
    let want = |oid: &str, size| vec![Want { name: "a".into(), oid: oid.into(), size }];
    let limited = Config { object_bytes_max: 2, ..Config::new(ENDPOINT, 0) };
    let one = blob(b"one").oid.to_string();
    for (config, wants, expected) in [
        (Config::new(ENDPOINT, 0), want("ABC", 1), "= a malformed: "),
        (Config::new(ENDPOINT, 0), want(&one.to_uppercase(), 3), "= a malformed: "),
        (Config::new(ENDPOINT, 0), want(&one, 0), "= a malformed: "),
        (limited, want(&one, 3), "= a limit: "),
    ] {
        let said = Play::new(native::download(config, wants)).run([]);
        assert!(said.starts_with(expected), "{said}");
    }
    assert!(STORE.starts_with("https://"));
}

#[test]
fn every_try_has_a_stage_of_its_own() {
    let mut stages = Vec::new();
    // Two seeds at one time, and one seed at two times: a process that begins again with the seed of the last.
    for (seed, wall) in [(1, WALL), (2, WALL), (1, WALL + 1)] {
        let mut play = Play::new(native::download(Config::new(ENDPOINT, seed), wants(&[b"one"])));
        play.now.wall = wall;
        for answer in [offer(), status(503), offer(), bytes(b"two"), offer(), bytes(b"one")] {
            while let Some(until) = play.settle().filter(|_| play.open.is_empty()) {
                play.now.ticks = until;
            }
            stages.extend(play.open.iter().filter_map(|(_, exchange)| exchange.stage.clone()).map(|stage| stage.id.0));
            play.answer(answer);
        }
        play.settle();
        assert!(play.finish().ends_with("= a well\n"));
    }
    let tries = stages.len();
    stages.sort();
    stages.dedup();
    assert_eq!((stages.len(), tries), (9, 9));
}

#[test]
fn nothing_is_tried_again_without_a_word() {
    let other_part = || part("bytes 2-8/9", b"neteen!");
    let restarts = [vec![offer(), status(416)], vec![offer(), status(403)], vec![offer(), other_part()]];
    let asks_anew = [
        vec![offer(), status(401)],
        vec![offer(), status(429)],
        vec![offer(), bytes(b"nineteen?")],
        vec![offer(), Answer::Failed(Failure::Offline)],
        vec![status(503)],
        vec![Answer::Failed(Failure::TimedOut)],
    ];
    let restarts = restarts.into_iter().map(|script| (script, vec![bytes(b"nineteen!")]));
    let asks_anew = asks_anew.into_iter().map(|script| (script, vec![offer(), bytes(b"nineteen!")]));
    for (script, end) in restarts.chain(asks_anew) {
        let said = resumed(b"nineteen!", 3, None).run(script.into_iter().chain(end));
        let count = |word: &str| said.lines().filter(|line| line.contains(word)).count();
        let again = count(" POST ").max(count(" GET ")) - 1;
        assert!(again == 1 && count("! ") == 1 && said.ends_with("= a well\n"), "{said}");
    }
}

#[test]
fn a_beginning_that_is_gone_is_not_gone_on_with() {
    let later =
        Answer::Offer(|entry| *entry = json!({"oid": entry["oid"], "error": {"code": 503, "message": "later"}}));
    let mut play = resumed(b"nineteen!", 3, None);
    play.settle();
    play.answer(later);
    play.cached = Reply::Absent;
    let said = play.run([offer(), bytes(b"nineteen!")]);
    assert!(said.contains("absent") && !said.contains("range=") && said.ends_with("= a well\n"), "{said}");
}
