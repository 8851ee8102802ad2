//! Tables of addresses, and the policy on them; nothing here leaves this machine.

use std::net::SocketAddr;

use super::{AddressPolicy, ProxyName, Reach, is_loopback, reach, reaches, says_unknown};
use reqwest::Url;
use reqwest::dns::Resolve;

fn url(text: &str) -> Url {
    Url::parse(text).expect("a URL of this test")
}

#[test]
fn reach_of_addresses() {
    let table = [
        ("127.0.0.1", Reach::Loopback),
        ("127.255.255.254", Reach::Loopback),
        ("0.0.0.0", Reach::Loopback),
        ("::1", Reach::Loopback),
        ("::", Reach::Loopback),
        ("::ffff:127.0.0.1", Reach::Loopback),
        ("::127.0.0.1", Reach::Loopback),
        ("64:ff9b::7f00:1", Reach::Loopback),
        ("2002:7f00:1::", Reach::Loopback),
        ("10.1.2.3", Reach::Private),
        ("172.16.0.1", Reach::Private),
        ("172.31.255.255", Reach::Private),
        ("172.32.0.1", Reach::Public),
        ("192.168.1.1", Reach::Private),
        ("169.254.169.254", Reach::Private),
        ("100.64.0.1", Reach::Private),
        ("100.128.0.1", Reach::Public),
        ("198.18.0.1", Reach::Private),
        ("224.0.0.1", Reach::Private),
        ("255.255.255.255", Reach::Private),
        ("::ffff:10.0.0.1", Reach::Private),
        ("64:ff9b::a9fe:a9fe", Reach::Private),
        ("64:ff9b:1::808:808", Reach::Private),
        ("fe80::1", Reach::Private),
        ("fd00::1", Reach::Private),
        ("ff02::1", Reach::Private),
        ("2001::1", Reach::Private),
        ("2001:4860:4860::8888", Reach::Public),
        ("8.8.8.8", Reach::Public),
        ("::ffff:8.8.8.8", Reach::Public),
        ("2606:4700::1111", Reach::Public),
    ];
    for (text, expected) in table {
        assert_eq!(reach(text.parse().expect("an address")), expected, "{text}");
    }
}

#[tokio::test]
async fn an_action_is_at_least_as_public_as_the_endpoint() {
    let table = [
        ("http://127.0.0.1:1/r", "http://127.0.0.1:2/o", true),
        ("http://127.0.0.1:1/r", "http://10.0.0.1/o", true),
        ("http://127.0.0.1:1/r", "https://8.8.8.8/o", true),
        ("http://localhost:1/r", "http://[::1]:2/o", true),
        ("http://10.0.0.1/r", "http://10.0.0.1:81/o", true),
        ("http://10.0.0.1/r", "http://127.0.0.1/o", false),
        ("http://10.0.0.1/r", "http://localhost/o", false),
        ("http://10.0.0.1/r", "http://localhost./o", false),
        ("http://10.0.0.1/r", "http://a.localhost/o", false),
        ("http://10.0.0.1/r", "http://192.168.0.1/o", true),
        ("https://8.8.8.8/r", "https://8.8.4.4/o", true),
        ("https://8.8.8.8/r", "http://169.254.169.254/latest", false),
        ("https://8.8.8.8/r", "http://[::ffff:7f00:1]/o", false),
        ("https://8.8.8.8/r", "http://2130706433/o", false),
        ("https://8.8.8.8/r", "http://0x7f.1/o", false),
        ("https://[2606:4700::1]/r", "https://[fd00::1]/o", false),
    ];
    for (endpoint, action, allowed) in table {
        let policy = AddressPolicy::new(Some(&url(endpoint)), Reach::Loopback);
        assert_eq!(policy.judge(&url(action)).await.is_ok(), allowed, "{endpoint} -> {action}");
    }
}

#[tokio::test]
async fn names_are_judged_on_what_they_resolve_to() {
    let public = AddressPolicy::new(Some(&url("https://8.8.8.8/r")), Reach::Loopback);
    assert!(public.allowed("localhost").await.is_err());
    let own = AddressPolicy::new(Some(&url("http://127.0.0.1/r")), Reach::Loopback);
    assert!(own.allowed("localhost").await.is_ok());
}

#[tokio::test]
async fn the_most_public_address_of_the_endpoint_is_the_floor() {
    let at = |text: &str| SocketAddr::new(text.parse().expect("an address"), 0);
    let policy = AddressPolicy::new(Some(&url("https://lfs.invalid/r")), Reach::Loopback);
    assert_eq!(policy.learn(&[at("10.0.0.1"), at("8.8.8.8"), at("127.0.0.1")]), Reach::Public);
    // A later answer for the same name does not lower it.
    assert_eq!(policy.learn(&[at("127.0.0.1")]), Reach::Public);
    assert!(policy.judge(&url("https://10.0.0.1/o")).await.is_err());
}

#[tokio::test]
async fn an_endpoint_of_somebody_elses_choice_is_judged_too() {
    let policy = AddressPolicy::new(Some(&url("http://127.0.0.1/r")), Reach::Public);
    assert!(policy.judge(&url("http://127.0.0.1/r")).await.is_err());
    assert!(policy.judge(&url("https://8.8.8.8/r")).await.is_ok());
    let named = AddressPolicy::new(Some(&url("http://localhost/r")), Reach::Private);
    assert!(named.allowed("localhost").await.is_err());
}

#[tokio::test]
async fn names_that_a_proxy_resolves_must_pass_here() {
    let policy = AddressPolicy::new(Some(&url("https://8.8.8.8/r")), Reach::Loopback);
    assert!(policy.judge_proxied(&url("https://nobody.invalid/o")).await.is_ok());
    assert!(policy.judge(&url("https://localhost/o")).await.is_err());
}

#[tokio::test]
async fn a_proxys_resolver_knows_the_proxy_alone() {
    let resolver = |policy| ProxyName { name: "localhost".into(), policy };
    assert!(resolver(None).resolve("localhost".parse().expect("a name")).await.is_ok());
    assert!(resolver(None).resolve("a.localhost".parse().expect("a name")).await.is_err());
    // Where the proxy wants addresses, a name is judged as for a direct connection.
    for (endpoint, passes) in [("https://8.8.8.8/r", false), ("http://127.0.0.1/r", true)] {
        let policy = AddressPolicy::new(Some(&url(endpoint)), Reach::Loopback);
        let found = resolver(Some(policy)).resolve("ip6-localhost".parse().expect("a name")).await;
        assert!(found.is_err() || passes, "{endpoint}");
    }
}

#[test]
fn reaches_of_urls() {
    assert_eq!(reaches(&url("http://localhost/")), Some((Reach::Loopback, Reach::Loopback)));
    assert_eq!(reaches(&url("http://192.168.0.1/")), Some((Reach::Private, Reach::Private)));
    assert_eq!(reaches(&url("http://nobody.invalid/")), None);
}

#[test]
fn a_host_is_unknown_in_these_words_alone() {
    for (words, is_unknown) in [
        ("failed to lookup address information: Name or service not known", true),
        ("failed to lookup address information: No address associated with hostname", true),
        ("failed to lookup address information: nodename nor servname provided, or not known", true),
        ("failed to lookup address information: Name does not resolve", true),
        ("failed to lookup address information: Name has no usable address", true),
        ("No such host is known. (os error 11001)", true),
        ("failed to lookup address information: Temporary failure in name resolution", false),
        ("failed to lookup address information: Try again", false),
        ("failed to lookup address information: Non-recoverable failure in name resolution", false),
        ("failed to lookup address information: System error", false),
        ("failed to lookup address information: Memory allocation failure", false),
        ("Too many open files (os error 24)", false),
    ] {
        assert_eq!(says_unknown(words), is_unknown, "{words}");
    }
}

#[test]
fn loopback_urls() {
    assert!(is_loopback(&url("http://localhost:8080/")));
    assert!(is_loopback(&url("http://[::1]/")));
    assert!(is_loopback(&url("http://app.localhost:3000/")));
    assert!(!is_loopback(&url("http://10.0.0.1/")));
    assert!(!is_loopback(&url("http://localhost.example.com/")));
}
