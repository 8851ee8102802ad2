//! Law 4: which request asks for a login, which one renews it, and who waits meanwhile.

use crate::native;
use crate::play::{Answer, ENDPOINT, Play, bytes, download, offer, status, wants};
use expect_test::expect;
use hydrant_lfs::contract::Config;
use hydrant_lfs::contract::{Failure, Login};
use serde_json::json;

/// Actions at the endpoint's own origin, for which the server wants the login that the API takes.
fn at_home() -> Answer {
    Answer::Offer(|entry| {
        let oid = entry["oid"].as_str().unwrap_or_default().to_owned();
        entry["authenticated"] = json!(false);
        entry["actions"] = json!({"download": {"href": format!("https://lfs.test/o/{oid}")}});
    })
}

#[test]
fn a_login_is_sent_only_when_asked_for_then_renewed_a_few_times() {
    expect![[r#"
        > 0 POST https://lfs.test/r/objects/batch 141 bytes
        < 0 head 401
        > 1 POST https://lfs.test/r/objects/batch login 141 bytes
        < 1 head 401
        > 2 POST https://lfs.test/r/objects/batch login-renewed 141 bytes
        < 2 head 401
        > 3 POST https://lfs.test/r/objects/batch login-renewed 141 bytes
        < 3 head 401
        > 4 POST https://lfs.test/r/objects/batch login-renewed 141 bytes
        < 4 head 401
        = all auth: https://lfs.test refused every login
    "#]]
    .assert_eq(&download(&[b"one"]).run(vec![status(401); 9]));
}

#[test]
fn a_login_that_is_taken_stays() {
    let script = [status(401), at_home(), bytes(b"one")];
    expect![[r#"
        > 0 POST https://lfs.test/r/objects/batch 141 bytes
        < 0 head 401
        > 1 POST https://lfs.test/r/objects/batch login 141 bytes
        < 1 head 200
        > 2 GET https://lfs.test/o/7692c3ad login stage 7692c3ad
        < 2 head 200
        > 3 keep-blob 7692c3ad
        = a well
    "#]]
    .assert_eq(&download(&[b"one"]).run(script));
}

#[test]
fn one_request_renews_while_the_others_wait() {
    let config = Config { batch_objects_max: 1, login: Login::Stored, ..Config::new(ENDPOINT, 0) };
    let mut play = Play::new(native::download(config, wants(&[b"one", b"two", b"three", b"four"])));
    play.settle();
    play.answer(offer());
    play.settle();
    for _ in 0..3 {
        // All three were sent with the login that is no good any more.
        let at = play.open.iter().position(|(_, exchange)| exchange.stage.is_none()).expect("a batch request");
        let refused = play.open.remove(at);
        play.open.insert(0, refused);
        play.answer(status(401));
        play.settle();
    }
    let renewing = |play: &Play| {
        let logins = play.open.iter().map(|(_, exchange)| exchange.request.login);
        logins.filter(|login| *login == Login::Renewed).count()
    };
    assert_eq!((renewing(&play), play.open.len()), (1, 2), "{}", play.lines.join("\n"));
    let at = play.open.iter().position(|(_, exchange)| exchange.request.login == Login::Renewed).expect("a renewal");
    let renewal = play.open.remove(at);
    play.open.insert(0, renewal);
    play.answer(offer());
    play.settle();
    let stored = play.open.iter().filter(|(_, exchange)| exchange.request.login == Login::Stored).count();
    assert_eq!((renewing(&play), stored), (0, 2), "{}", play.lines.join("\n"));
}

#[test]
fn no_login_leaves_the_endpoints_origin() {
    let config = Config { login: Login::Stored, ..Config::new(ENDPOINT, 0) };
    let foreign = Answer::Offer(|entry| {
        entry["authenticated"] = json!(false);
        entry["actions"]["download"]["header"] = json!({});
    });
    let script = [foreign, bytes(b"one")];
    expect![[r#"
        > 0 POST https://lfs.test/r/objects/batch login 141 bytes
        < 0 head 200
        > 1 GET https://store.test/o/7692c3ad stage 7692c3ad
        < 1 head 200
        > 2 keep-blob 7692c3ad
        = a well
    "#]]
    .assert_eq(&Play::new(native::download(config, wants(&[b"one"]))).run(script));
}

#[test]
fn an_action_that_brings_its_own_login_gets_no_other() {
    let config = Config { login: Login::Stored, ..Config::new(ENDPOINT, 0) };
    let own = Answer::Offer(|entry| {
        entry["authenticated"] = json!(false);
        entry["actions"]["download"] =
            json!({"href": "https://lfs.test/o/1", "header": {"Authorization": "Bearer s3cret"}});
    });
    let script = [own, bytes(b"one")];
    expect![[r#"
        > 0 POST https://lfs.test/r/objects/batch login 141 bytes
        < 0 head 200
        > 1 GET https://lfs.test/o/1 stage 7692c3ad with authorization
        < 1 head 200
        > 2 keep-blob 7692c3ad
        = a well
    "#]]
    .assert_eq(&Play::new(native::download(config, wants(&[b"one"]))).run(script));
}

#[test]
fn a_refused_action_is_asked_for_again_twice() {
    for code in [401, 403] {
        let script = [offer(), status(code), offer(), status(code), offer(), status(code), offer(), status(code)];
        let said = download(&[b"one"]).run(script);
        assert_eq!(said.matches(" GET ").count(), 3, "{said}");
        assert!(said.contains("= a auth: https://store.test/o/"), "{said}");
        assert!(said.contains(&format!(" answered {code}")), "{said}");
    }
}

#[test]
fn a_refused_action_of_the_endpoint_renews_the_login() {
    let script = [status(401), at_home(), status(401), at_home(), bytes(b"one")];
    expect![[r#"
        > 0 POST https://lfs.test/r/objects/batch 141 bytes
        < 0 head 401
        > 1 POST https://lfs.test/r/objects/batch login 141 bytes
        < 1 head 200
        > 2 GET https://lfs.test/o/7692c3ad login stage 7692c3ad
        < 2 head 401
        ! a again at 1000: the download: the server answered 401
        > 3 POST https://lfs.test/r/objects/batch login-renewed 141 bytes
        < 3 head 200
        > 4 GET https://lfs.test/o/7692c3ad login stage 7692c3ad
        < 4 head 200
        > 5 keep-blob 7692c3ad
        = a well
    "#]]
    .assert_eq(&download(&[b"one"]).run(script));
}

#[test]
fn a_host_without_permission_ends_it() {
    let said = download(&[b"one"]).run([status(401), Answer::Failed(Failure::Denied)]);
    assert!(said.ends_with("= all auth: the batch request: access denied\n"), "{said}");
}

#[test]
fn transfers_wait_for_a_renewal_instead_of_using_up_others() {
    let config = Config { login: Login::Stored, in_flight_max: 1, ..Config::new(ENDPOINT, 0) };
    let contents: [&[u8]; 6] = [b"1", b"2", b"3", b"4", b"5", b"6"];
    let mut play = Play::new(native::download(config, wants(&contents)));
    play.settle();
    play.answer(at_home());
    play.settle();
    play.answer(status(401));
    play.settle();
    let asked: Vec<&str> = play.lines.iter().filter(|line| line.starts_with("> ")).map(String::as_str).collect();
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(asked[2].contains("objects/batch login-renewed"), "the next request renews: {asked:?}");
}
