//! Laws 4 and 9: where a 3xx and an action may lead, and what goes along.

use crate::native;
use crate::play::{Answer, ENDPOINT, Play, STORE, bytes, download, moved, offer, wants};
use expect_test::expect;
use hydrant_lfs::contract::Config;
use hydrant_lfs::contract::Login;
use hydrant_lfs::text::error::Code;
use serde_json::json;

#[test]
fn a_redirect_to_another_origin_takes_no_secret_along() {
    let script = [offer(), moved(302, "https://elsewhere.test/x"), bytes(b"one")];
    expect![[r#"
        > 0 POST https://lfs.test/r/objects/batch 141 bytes
        < 0 head 200
        > 1 GET https://store.test/o/7692c3ad stage 7692c3ad with x-token
        < 1 head 302
        > 2 GET https://elsewhere.test/x stage 7692c3ad
        < 2 head 200
        > 3 keep-blob 7692c3ad
        = a well
    "#]]
    .assert_eq(&download(&[b"one"]).run(script));
}

#[test]
fn what_was_dropped_on_the_way_does_not_come_back() {
    let script = [offer(), moved(302, "https://elsewhere.test/x"), moved(302, STORE), bytes(b"one")];
    let said = download(&[b"one"]).run(script);
    assert_eq!(said.matches("with x-token").count(), 1, "{said}");
    let config = Config { login: Login::Stored, ..Config::new(ENDPOINT, 0) };
    let back = "https://lfs.test/r/objects/batch";
    let script = [moved(308, "https://elsewhere.test/batch"), moved(308, back), offer(), bytes(b"one")];
    let said = Play::new(native::download(config, wants(&[b"one"]))).run(script);
    assert_eq!((said.matches(" login").count(), said.matches("POST").count()), (1, 3), "{said}");
}

#[test]
fn a_redirect_within_the_origin_keeps_them() {
    let script = [offer(), moved(307, "/p"), bytes(b"one")];
    let said = download(&[b"one"]).run(script);
    assert_eq!(said.matches("with x-token").count(), 2, "{said}");
}

#[test]
fn the_batch_request_loses_its_login_at_a_change_of_origin() {
    let config = Config { login: Login::Stored, ..Config::new(ENDPOINT, 0) };
    let script = [moved(308, "https://elsewhere.test/batch"), offer(), bytes(b"one")];
    expect![[r#"
        > 0 POST https://lfs.test/r/objects/batch login 141 bytes
        < 0 head 308
        > 1 POST https://elsewhere.test/batch 141 bytes
        < 1 head 200
        > 2 GET https://store.test/o/7692c3ad stage 7692c3ad with x-token
        < 2 head 200
        > 3 keep-blob 7692c3ad
        = a well
    "#]]
    .assert_eq(&Play::new(native::download(config, wants(&[b"one"]))).run(script));
}

#[test]
fn redirects_are_counted() {
    for script in [vec![moved(302, "/again"); 9], [vec![offer()], vec![moved(302, "/again"); 9]].concat()] {
        let said = download(&[b"one"]).run(script);
        assert_eq!(said.matches("head 302").count(), 4, "{said}");
        assert!(said.contains("redirects more than 3 times"), "{said}");
    }
}

#[test]
fn nothing_leads_from_https_to_plain_http() {
    let config = Config { insecure_http: true, ..Config::new(ENDPOINT, 0) };
    let script = [offer(), moved(302, "http://store.test/o")];
    let said = Play::new(native::download(config, wants(&[b"one"]))).run(script);
    assert!(said.ends_with("redirects from https to plain http\n"), "{said}");
    assert!(!said.contains("GET http://"), "{said}");
}

/// Shows I21.
#[test]
fn plain_http_is_not_reached() {
    let plain = Answer::Offer(|entry| entry["actions"]["download"]["href"] = json!("http://store.test/o/1"));
    let said = download(&[b"one"]).run([plain.clone()]);
    assert!(said.contains("= a blocked: ") && !said.contains("GET"), "{said}");
    // Plain http to this machine needs an endpoint on it too.
    let home = Answer::Offer(|entry| entry["actions"]["download"]["href"] = json!("http://127.0.0.1:9/o/1"));
    let said = download(&[b"one"]).run([home.clone()]);
    assert!(said.contains("= a blocked: ") && !said.contains("GET"), "{said}");
    let local = native::download(Config::new("http://localhost:8080/r", 0), wants(&[b"one"]));
    let said = Play::new(local).run([home, bytes(b"one")]);
    assert!(said.ends_with("= a well\n"), "{said}");
    let refused = native::download(Config::new("http://lfs.test/r", 0), wants(&[b"one"])).map(|_| ());
    assert_eq!(refused.map_err(|error| error.code), Err(Code::Blocked));
}

#[test]
fn a_redirect_without_a_usable_address_is_refused() {
    for location in ["", "javascript:alert(1)", "file:///etc/passwd", "https://a b/"] {
        let said = download(&[b"one"]).run([offer(), moved(302, location)]);
        assert!(said.ends_with("redirects to no usable address\n"), "{location}: {said}");
    }
}
