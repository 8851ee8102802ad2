//! Who gets a login, and which one.

use reqwest::Url;

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;

use super::credential::decoded;
use super::{Approver, Credential, Logins, Question};
use crate::net::secret::Secret;

fn url(text: &str) -> Url {
    Url::parse(text).expect("a URL of this test")
}

fn header(credential: &Credential) -> String {
    String::from_utf8_lossy(credential.headers()[0].1.expose()).into_owned()
}

struct Says(bool);

impl Approver for Says {
    fn approve(&self, _place: &str, _question: Question) -> bool {
        self.0
    }
}

#[test]
fn userinfo_is_taken_out_and_bound_to_its_origin() {
    let mut logins = Logins::new();
    let clean = logins.take_userinfo("https://al%40ice:s%3Acret@h.example/r").expect("a URL");
    assert_eq!(clean, "https://h.example/r");
    assert!(logins.find(&url(&clean), false).is_err(), "not approved yet");
    logins.trust(&clean).expect("a URL");
    let found = logins.find(&url("https://h.example/other"), false).expect("a login");
    assert_eq!(header(&found), format!("Basic {}", STANDARD.encode(b"al@ice:s:cret")));
    for foreign in ["https://h.example:444/r", "http://h.example/r", "https://x.h.example/r"] {
        assert!(logins.find(&url(foreign), false).is_err(), "{foreign}");
    }
}

#[test]
fn a_login_that_was_refused_is_spoken_of() {
    let mut logins = Logins::new();
    let clean = logins.take_userinfo("https://alice:secret@h.example/r").expect("a URL");
    logins.trust(&clean).expect("a URL");
    let why = |found: Result<Credential, String>| match found {
        Ok(_) => panic!("a login was found"),
        Err(why) => why,
    };
    assert_eq!(
        why(logins
            .find(&url("https://h.example/r"), false)
            .and_then(|_| { logins.find(&url("https://h.example/r"), true) })),
        "the login that was sent was refused, and no login is known for this server"
    );
    let mut none = Logins::new();
    none.trust(&clean).expect("a URL");
    assert_eq!(why(none.find(&url(&clean), false)), "no login is known for this server");
}

#[test]
fn a_url_without_userinfo_is_left_as_it_is() {
    let mut logins = Logins::new();
    assert_eq!(logins.take_userinfo("http://127.0.0.1:80").expect("a URL"), "http://127.0.0.1:80");
}

#[test]
fn hidden_lines_in_userinfo_are_refused() {
    for text in ["https://a%0Ab:c@h.example/", "https://a:b%0d@h.example/", "https://a:%00@h.example/"] {
        assert!(Logins::new().take_userinfo(text).is_err(), "{text}");
    }
    // A percent sign that begins nothing stands for itself, as in other clients.
    assert_eq!(decoded("%4%zz").expect("bytes"), b"%4%zz");
    assert_eq!(decoded("a%20b%e4").expect("bytes"), b"a b\xe4");
}

#[test]
fn an_origin_nobody_approved_gets_nothing() {
    let mut logins = Logins::new();
    logins.take_userinfo("https://a:b@h.example/r").expect("a URL");
    logins.approver(Arc::new(Says(false)));
    let refused = logins.find(&url("https://h.example/r"), false).expect_err("the user said no");
    assert!(refused.contains("https://h.example"));
    logins.approver(Arc::new(Says(true)));
    assert!(logins.find(&url("https://h.example/r"), false).is_ok());
}

#[test]
fn a_refused_login_is_followed_by_the_next_source() {
    let mut logins = Logins::new();
    logins.trust("https://h.example").expect("a URL");
    logins.take_userinfo("https://a:first@h.example/r").expect("a URL");
    let mut count = 0;
    let again = move || {
        count += 1;
        if count > 1 {
            return Err("no more".to_owned());
        }
        Ok(vec![("authorization".to_owned(), Secret::new("RemoteAuth two"))])
    };
    let one = vec![("authorization".to_owned(), Secret::new("RemoteAuth one"))];
    logins.headers("https://h.example/r", one, Some(Box::new(again))).expect("a URL");
    let at = url("https://h.example/r");
    let stored = logins.find(&at, false).expect("a login");
    assert_eq!(header(&stored), format!("Basic {}", STANDARD.encode(b"a:first")));
    assert_eq!(header(&logins.find(&at, true).expect("a login")), "RemoteAuth one");
    assert_eq!(header(&logins.find(&at, false).expect("a login")), "RemoteAuth one");
    assert_eq!(header(&logins.find(&at, true).expect("a login")), "RemoteAuth two");
    assert!(logins.find(&at, true).is_err());
}

#[test]
fn without_any_source_there_is_no_login() {
    let mut logins = Logins::new();
    logins.trust("https://h.example").expect("a URL");
    assert!(logins.find(&url("https://h.example/r"), false).is_err());
}

#[test]
fn headers_of_settings_are_those_for_the_url_of_each_request() {
    let mut logins = Logins::new();
    logins.trust("https://h.example/a").expect("a URL");
    let settings = |url: &Url| {
        let login = url.path().starts_with("/a").then_some("A").or(url.path().starts_with("/b").then_some("B"));
        let login = login.map(|login| ("authorization".to_owned(), Secret::new(login)));
        let path = ("x-path".to_owned(), Secret::new(url.path()));
        login.into_iter().chain([path]).collect()
    };
    logins.extra_headers("https://h.example/a", Arc::new(settings), None).expect("a URL");
    assert!(logins.has_given("https://h.example/a/x") && !logins.has_given("https://h.example/c"));
    for (path, expected) in [("/a/1", vec!["A"]), ("/b", vec!["B"]), ("/c", vec![]), ("/a/2", vec!["A"])] {
        let url = url(&format!("https://h.example{path}"));
        let found = logins.find(&url, false).expect("the settings know this server").headers();
        let shown: Vec<_> = found.iter().map(|(_, value)| String::from_utf8_lossy(value.expose())).collect();
        assert_eq!(shown, expected, "{path}");
        let own = logins.own_headers().to(&url);
        assert_eq!((own.len(), own[0].1.expose()), (1, path.as_bytes()));
    }
    assert!(logins.own_headers().to(&url("https://other.example/a")).is_empty());
    assert!(logins.find(&url("https://h.example/a"), true).is_err(), "that one was refused");
}
