//! Law 5: what is sent is what was hashed, nothing that looks like a pointer is sent, and only the server's word after
//! all bytes is a success.

use crate::native;
use crate::play::{Answer, ENDPOINT, Play, bytes, json_type, offer, offered, status, upload};
use expect_test::expect;
use hydrant_lfs::contract::Config;
use hydrant_lfs::contract::Source;
use hydrant_lfs::contract::{Effect, Failure, Instant, Login, Reply, Revision, Step};
use hydrant_lfs::text::error::Code;
use hydrant_lfs::text::oid::Blob;
use hydrant_tests::world::blob;
use serde_json::{Value, json};

const POINTER: &str = "version https://git-lfs.github.com/spec/v1\n\
    oid sha256:5a6959180273ad3d862fcf9e5531f5a9c2dc9053821400b9293dc3efe8e99701\nsize 12\n";

/// Upload and verify actions.
fn verified() -> Answer {
    Answer::Offer(|entry| {
        entry["actions"]["verify"] = json!({"href": "https://lfs.test/r/verify", "header": {"X-Token": "s3cret"}});
    })
}

#[test]
fn files_with_the_same_bytes_are_sent_once() {
    expect![[r#"
        > 0 read-file a
        > 1 read-file b
        > 2 read-file c
        > 3 POST https://lfs.test/r/objects/batch 223 bytes
        < 3 head 200
        > 4 PUT https://store.test/o/7692c3ad file a 3 bytes with x-token
        > 5 PUT https://store.test/o/d9298a10 file b 5 bytes with x-token
        < 4 head 200
        < 5 head 201
        = a well
        = b well
        = c well
    "#]]
    .assert_eq(&upload(&[b"one", b"other", b"one"]).run([offer(), status(200), status(201)]));
}

#[test]
fn a_file_that_cannot_be_sent_leaves_it_to_another_with_the_same_bytes() {
    let broken = || Answer::Failed(Failure::Io);
    let said = upload(&[b"one", b"other", b"one", b"one"]).run([offer(), broken(), status(200), offer(), status(200)]);
    let ends: Vec<&str> = said.lines().filter(|line| line.starts_with('=')).collect();
    assert!(ends[0].starts_with("= a host"), "{said}");
    assert_eq!(ends[1..], ["= b well", "= c well", "= d well"], "{said}");
    assert_eq!(said.matches("PUT").count(), 3, "a, b, and c for d, too: {said}");
}

#[test]
fn a_host_that_gives_one_digest_two_sizes_is_not_believed() {
    let sources = ["a", "b"].map(|name| Source { name: name.into(), expects: None }).to_vec();
    let mut operation = native::upload(Config::new(ENDPOINT, 0), sources).expect("it begins");
    let now = Instant { ticks: 1, wall: 1 };
    for size in [5_000, 6_000] {
        let Step::Perform(id, Effect::ReadFile(_)) = operation.poll(now) else { panic!("a file is read") };
        operation.reply(id, &Reply::Received(Blob { size, ..blob(b"x") })).expect("hashed by the host");
        operation.reply(id, &Reply::At(Revision("r".into()))).expect("at a revision");
    }
    operation.stop();
    while operation.poll(now) != Step::Done {}
    let outcomes = operation.outcomes().expect("outcomes");
    assert_eq!(outcomes[1].ended.as_ref().map_err(|error| error.code), Err(Code::Host));
}

#[test]
fn what_the_server_has_is_not_sent() {
    let present = Answer::Offer(|entry| *entry = json!({"oid": entry["oid"], "size": entry["size"]}));
    let said = upload(&[b"one"]).run([present]);
    assert!(said.ends_with("= a well\n") && !said.contains("PUT"), "{said}");
}

#[test]
fn an_upload_is_verified_when_the_server_wants_it() {
    expect![[r#"
        > 0 read-file a
        > 1 POST https://lfs.test/r/objects/batch 139 bytes
        < 1 head 200
        > 2 PUT https://store.test/o/7692c3ad file a 3 bytes with x-token
        < 2 head 200
        > 3 POST https://lfs.test/r/verify 83 bytes with x-token
        < 3 head 200
        = a well
    "#]]
    .assert_eq(&upload(&[b"one"]).run([verified(), status(200), status(200)]));
}

/// Shows I9.
#[test]
fn a_verification_that_fails_is_a_failure() {
    for (code, expected) in [(404, "not-found"), (422, "rejected"), (409, "rejected"), (501, "rejected")] {
        let said = upload(&[b"one"]).run([verified(), status(200), status(code)]);
        assert!(said.contains(&format!("= a {expected}: the verify request")), "{code}: {said}");
    }
    let said = upload(&[b"one"]).run([verified(), status(200), status(503), status(200)]);
    assert!(said.ends_with("= a well\n") && said.matches("PUT").count() == 1, "{said}");
}

#[test]
fn a_success_before_the_last_byte_is_none() {
    let said = upload(&[b"one"]).run([offer(), Answer::Early, offer(), bytes(b"")]);
    assert_eq!(said.matches("PUT").count(), 2, "{said}");
    assert!(said.ends_with("= a well\n"), "{said}");
    let config = Config { retries_max: 0, ..Config::new(ENDPOINT, 0) };
    let mut play = Play::new(native::upload(config, vec![Source { name: "a".into(), expects: None }]));
    play.files.insert("a".into(), b"one".to_vec());
    let said = play.run([offer(), Answer::Early]);
    assert!(said.ends_with("= a host: the server reported success before it had all bytes\n"), "{said}");
}

#[test]
fn other_bytes_than_those_hashed_are_no_success() {
    let said = upload(&[b"one"]).run([offer(), Answer::Other]);
    assert!(said.ends_with("= a conflict: the file changed after it was hashed\n"), "{said}");
}

/// Shows I10.
#[test]
fn what_looks_like_a_pointer_is_never_sent() {
    let broken = POINTER.replace("sha256:5a", "sha256:zz");
    let merged = format!("<<<<<<< ours\n{POINTER}=======\n{POINTER}>>>>>>> theirs\n");
    for text in [POINTER, &broken, &merged] {
        let said = upload(&[text.as_bytes()]).run([offer(), status(200)]);
        assert!(said.contains("= a rejected: the file looks like a pointer") && !said.contains("POST"), "{said}");
    }
}

#[test]
fn a_pointer_in_pieces_is_still_a_pointer() {
    for size in [1, 20, 60] {
        let mut play = upload(&[]);
        play.operation = native::upload(Config::new(ENDPOINT, 0), vec![Source { name: "a".into(), expects: None }])
            .expect("it begins");
        let hydrant_lfs::contract::Step::Perform(id, _) = play.operation.poll(play.now) else { panic!("a read") };
        for piece in POINTER.as_bytes().chunks(size) {
            play.reply(id, Reply::Chunk(piece.to_vec()));
        }
        play.reply(id, Reply::End);
        play.reply(id, Reply::At(hydrant_lfs::contract::Revision("r".into())));
        play.settle();
        assert!(play.finish().contains("looks like a pointer"), "pieces of {size}");
    }
}

#[test]
fn a_file_that_is_not_what_it_is_called_is_not_sent() {
    let sources = vec![Source { name: "a".into(), expects: Some(blob(b"two").oid.to_string()) }];
    let mut play = Play::new(native::upload(Config::new(ENDPOINT, 0), sources));
    play.files.insert("a".into(), b"one".to_vec());
    let said = play.run([offer(), status(200)]);
    assert!(said.contains("= a integrity: ") && !said.contains("POST"), "{said}");
}

#[test]
fn a_page_for_people_is_no_success() {
    let page = Answer::Whole(200, Vec::new(), b"<html>log in</html>".to_vec()).with("Content-Type", "text/html");
    let said = upload(&[b"one"]).run([offer(), page]);
    assert!(said.contains("= a rejected: a web page answered"), "{said}");
}

#[test]
fn an_upload_takes_the_login_of_the_endpoint_only_there() {
    let config = Config { login: Login::Stored, ..Config::new(ENDPOINT, 0) };
    let foreign = Answer::Offer(|entry| {
        entry["authenticated"] = json!(false);
        entry["actions"]["upload"]["header"] = json!({});
    });
    let mut play = Play::new(native::upload(config, vec![Source { name: "a".into(), expects: None }]));
    play.files.insert("a".into(), b"one".to_vec());
    let said = play.run([foreign, status(200)]);
    assert_eq!(said.matches(" login").count(), 1, "{said}");
}

/// git-lfs obeys it, too (tq/basic_upload.go). Nothing else of an action frames a request.
#[test]
fn an_action_may_ask_for_chunks_and_for_no_other_framing() {
    for (header, value, passes) in [
        ("Transfer-Encoding", "chunked", true),
        ("transfer-encoding", " Chunked", true),
        ("Transfer-Encoding", "gzip, chunked", false),
        ("Transfer-Encoding", "identity", false),
        ("Content-Length", "3", false),
        ("Connection", "close", false),
    ] {
        let mut play = upload(&[b"one"]);
        play.settle();
        let offered = offered(&play.open[0].1.request, |_| {});
        let mut body: Value = serde_json::from_slice(&offered).expect("an answer");
        body["objects"][0]["actions"]["upload"]["header"] = json!({ header: value });
        play.answer(Answer::Whole(200, vec![json_type()], body.to_string().into_bytes()));
        play.settle();
        let headers = &play.open[0].1.request.headers;
        let is_there = headers.iter().any(|given| given.name.eq_ignore_ascii_case(header));
        assert_eq!(is_there, passes, "{header}: {value}");
    }
}
