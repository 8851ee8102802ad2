//! The same over TLS: who is trusted, and that nothing leads from an encrypted line to an open one.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;

use crate::case::{Case, Ends, HYDRATE, Tls, run};
use crate::evidence::Evidence;
use crate::liar::Seen;
use crate::talk::{Talk, entry};

/// A server that shows one of the certificates of these tests; their keys protect nothing.
pub(crate) fn server(name: &str) -> Arc<ServerConfig> {
    let chain = CertificateDer::from_pem_file(certificate(name)).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(certificate(&format!("{name}-key"))).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_no_client_auth()
        .with_single_cert(vec![chain], key)
        .expect("they belong together");
    Arc::new(config)
}

/// `authority` signed `server`, which is no authority and signed `forged` all the same. `old` is an authority of
/// version 1, and signed `below-old`. The others signed themselves: `leaf` says that it is no authority, `bare` says
/// nothing, and the rest are authorities, as `openssl req -x509` makes them.
pub(crate) fn certificate(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/adversary/certificates/{name}.pem"))
}

fn secure_entry(talk: &mut Talk) {
    talk.batch(|plot, oid, size, upload| {
        entry(oid, size, upload, &json!({ "href": format!("https://{}/o/{oid}", plot.home) }))
    });
}

fn nothing_in_the_open(seen: &[Seen], _: &Evidence) -> Result<(), String> {
    match seen.iter().find(|seen| seen.away) {
        Some(seen) => Err(seen.head.clone()),
        None => Ok(()),
    }
}

#[test]
fn encrypted_lines() {
    let base = Case { tls: Tls::Trusted, also: nothing_in_the_open, ..HYDRATE };
    run(&[
        Case {
            name: "honest",
            script: |talk| if talk.is_batch() { secure_entry(talk) } else { talk.honest() },
            ..base
        },
        Case {
            name: "nobody vouches for it",
            tls: Tls::Unknown,
            ends: Ends::Whole("blocked"),
            also: |seen, _| {
                if seen.is_empty() { Ok(()) } else { Err("it was asked all the same".into()) }
            },
            ..base
        },
        Case {
            name: "the batch leads into the open",
            ends: Ends::Whole("blocked"),
            script: |talk| {
                let place = format!("http://{}/r/objects/batch", talk.plot.away);
                talk.answer("307 Temporary Redirect", &[("location", &place)], []);
            },
            ..base
        },
        Case {
            name: "an object leads into the open",
            ends: Ends::Codes(&["blocked"]),
            script: |talk| {
                if talk.is_batch() {
                    return secure_entry(talk);
                }
                let oid = talk.blob().map(|blob| blob.oid.clone()).unwrap_or_default();
                let place = format!("http://{}/o/{oid}", talk.plot.away);
                talk.answer("302 Found", &[("location", &place)], []);
            },
            ..base
        },
        Case {
            name: "closed without a farewell",
            ends: Ends::Codes(&["host"]),
            script: |talk| {
                if talk.is_batch() {
                    return secure_entry(talk);
                }
                let bytes = talk.bytes();
                talk.say("HTTP/1.1 200 OK\r\n\r\n");
                talk.say(&bytes[..bytes.len() / 2]);
                talk.hang_up();
            },
            ..base
        },
    ]);
}

/// A server that is asked, and one that is not because of its certificate.
fn taken_or_not() -> [Case; 2] {
    let honest = |talk: &mut Talk| if talk.is_batch() { secure_entry(talk) } else { talk.honest() };
    let base = Case { script: honest, ..HYDRATE };
    let refused = Case {
        ends: Ends::Whole("blocked"),
        also: |seen, _| if seen.is_empty() { Ok(()) } else { Err("it was asked all the same".into()) },
        ..base
    };
    [base, refused]
}

#[test]
fn a_certificate_that_the_user_named_may_be_its_own_authority() {
    let [base, refused] = taken_or_not();
    run(&[
        Case { name: "it is its own authority", tls: Tls::Named("own", "own"), ..base },
        Case { name: "the authority that signed it is not known", tls: Tls::Named("server", "server"), ..base },
        Case { name: "it is no authority, by its own word", tls: Tls::Named("leaf", "leaf"), ..base },
        Case { name: "it does not say what it is", tls: Tls::Named("bare", "bare"), ..base },
        Case { name: "it is of another host", tls: Tls::Named("elsewhere", "elsewhere"), ..refused },
        Case { name: "its time is over", tls: Tls::Named("expired", "expired"), ..refused },
    ]);
}

#[test]
fn a_certificate_that_the_user_named_vouches_for_others_only_as_an_authority() {
    let [base, refused] = taken_or_not();
    run(&[
        Case { name: "an authority", tls: Tls::Named("server", "authority"), ..base },
        Case { name: "one of version 1", tls: Tls::Named("below-old", "old"), ..base },
        Case { name: "another server's", tls: Tls::Named("forged", "server"), ..refused },
        Case { name: "another authority", tls: Tls::Named("below-old", "authority"), ..refused },
    ]);
}
