//! Addresses that lead inwards: an action may not reach a place less public than the server that named it.
//!
//! The public server is reached through a proxy on this machine, so nothing of this leaves it.

use serde_json::json;

use crate::case::{Case, Ends, HYDRATE, run};
use crate::evidence::Evidence;
use crate::liar::Seen;
use crate::talk::{Talk, entry};

/// An address set aside for documentation: public, and nobody's.
const PUBLIC: &str = "203.0.113.7/r";

/// A public server points to this place; `{port}` is a port of this machine that listens.
macro_rules! inwards {
    ($place:expr) => {
        Case {
            name: $place,
            endpoint: PUBLIC,
            proxied: true,
            flags: &["--retries", "0", "--insecure-http"],
            ends: Ends::Codes(&["blocked"]),
            also: nobody_was_asked,
            script: |talk| point(talk, $place),
            ..HYDRATE
        }
    };
}

fn point(talk: &mut Talk, place: &str) {
    if !talk.is_batch() {
        return talk.honest();
    }
    let href = place.replace("{port}", &talk.plot.away.port().to_string());
    let mut entries = talk.entries(|_, oid, size, upload| entry(oid, size, upload, &json!({})));
    entries.iter_mut().for_each(|entry| entry["actions"]["download"]["href"] = format!("{href}/o").into());
    talk.json("200 OK", &[], &json!({ "objects": entries }));
}

/// Neither the place itself nor the proxy heard of it.
fn nobody_was_asked(seen: &[Seen], _: &Evidence) -> Result<(), String> {
    match seen.iter().find(|seen| seen.away || seen.what().starts_with("GET ") || seen.what().starts_with("CONNECT ")) {
        Some(seen) => Err(format!("asked: {}", seen.head)),
        None => Ok(()),
    }
}

#[test]
fn a_public_server_cannot_point_inwards() {
    run(&[
        inwards!("http://127.0.0.1:{port}"),
        inwards!("http://localhost:{port}"),
        inwards!("http://LOCALHOST:{port}"),
        inwards!("http://127.1:{port}"),
        inwards!("http://2130706433:{port}"),
        inwards!("http://0x7f000001:{port}"),
        inwards!("http://0x7f.1:{port}"),
        inwards!("http://017700000001:{port}"),
        inwards!("http://0.0.0.0:{port}"),
        inwards!("http://0:{port}"),
        inwards!("http://[::1]:{port}"),
        inwards!("http://[0:0:0:0:0:0:0:1]:{port}"),
        inwards!("http://[0000::0001]:{port}"),
        inwards!("http://[::]:{port}"),
        inwards!("http://[::ffff:127.0.0.1]:{port}"),
        inwards!("http://[::ffff:7f00:1]:{port}"),
        inwards!("http://[64:ff9b::7f00:1]:{port}"),
        inwards!("http://10.0.0.1"),
        inwards!("http://172.16.0.1"),
        inwards!("http://192.168.0.1"),
        inwards!("http://169.254.169.254"),
        inwards!("http://2852039166"),
        inwards!("http://[::ffff:a9fe:a9fe]"),
        inwards!("http://[fe80::1]"),
        inwards!("http://[fd00:ec2::254]"),
        inwards!("https://127.0.0.1:{port}"),
        inwards!("https://10.0.0.1"),
    ]);
}

#[test]
fn a_public_server_cannot_redirect_inwards() {
    run(&[Case {
        name: "a redirect to this machine",
        endpoint: PUBLIC,
        proxied: true,
        flags: &["--retries", "0", "--insecure-http"],
        ends: Ends::Codes(&["blocked"]),
        also: |seen, _| if seen.iter().any(|seen| seen.away) { Err("it was followed".into()) } else { Ok(()) },
        script: |talk| {
            if talk.is_batch() {
                return point(talk, "http://203.0.113.8");
            }
            let place = format!("http://127.0.0.1:{}/o", talk.plot.away.port());
            talk.answer("302 Found", &[("location", &place)], []);
        },
        ..HYDRATE
    }]);
}

/// A server on this machine can point to other machines only where the line is encrypted.
#[test]
fn plain_http_stays_on_this_machine() {
    let scripts: [fn(&mut Talk); 4] = [
        |talk| point(talk, "http://10.0.0.1"),
        |talk| point(talk, "http://169.254.169.254"),
        |talk| point(talk, "http://203.0.113.9"),
        |talk| point(talk, "http://elsewhere.invalid"),
    ];
    run(&scripts.map(|script| Case {
        name: "in the open",
        ends: Ends::Codes(&["blocked"]),
        also: nobody_was_asked,
        script,
        ..HYDRATE
    }));
}
