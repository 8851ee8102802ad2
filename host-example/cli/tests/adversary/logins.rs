//! Servers that are never content with a login, and those that try to get one that is not theirs.

use serde_json::json;

use crate::case::{Case, Ends, HYDRATE, UPLOAD, run};
use crate::evidence::{Evidence, PASSWORD, TOKEN, USER};
use crate::liar::Seen;
use crate::talk::{AWAY_SECRET, Talk, entry, far_away};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

fn no(talk: &mut Talk) {
    talk.answer("401 Unauthorized", &[("lfs-authenticate", "Basic realm=\"liars\"")], []);
}

fn is_with_login(seen: &Seen) -> bool {
    seen.header("authorization").is_some_and(|value| value.starts_with("Basic "))
}

fn few(seen: &[Seen], _: &Evidence) -> Result<(), String> {
    if seen.len() <= 10 { Ok(()) } else { Err(format!("{} requests", seen.len())) }
}

fn nothing_abroad(seen: &[Seen], _: &Evidence) -> Result<(), String> {
    match seen.iter().find(|seen| seen.away && is_with_login(seen)) {
        Some(seen) => Err(seen.head.clone()),
        None => Ok(()),
    }
}

#[test]
fn a_login_is_refused_for_ever() {
    run(&[
        Case { name: "by the batch", script: no, ends: Ends::Whole("auth"), also: few, ..HYDRATE },
        Case { name: "by the batch of an upload", script: no, ends: Ends::Whole("auth"), also: few, ..UPLOAD },
        Case {
            name: "with 403",
            script: |talk| talk.answer("403 Forbidden", &[], []),
            ends: Ends::Whole("auth"),
            also: few,
            ..HYDRATE
        },
        Case {
            name: "without a challenge",
            script: |talk| talk.answer("401 Unauthorized", &[], []),
            ends: Ends::Whole("auth"),
            also: few,
            ..HYDRATE
        },
        Case {
            name: "with a hundred challenges",
            script: |talk| {
                let challenges = vec![("www-authenticate", "Negotiate AAAA, Digest realm=\"\", Basic realm=\"x"); 90];
                talk.answer("401 Unauthorized", &challenges, []);
            },
            ends: Ends::Whole("auth"),
            also: few,
            ..HYDRATE
        },
        Case {
            name: "by the object",
            script: |talk| if talk.is_batch() { talk.honest() } else { no(talk) },
            ends: Ends::Codes(&["auth"]),
            also: few,
            ..HYDRATE
        },
        Case {
            name: "by the object with 403",
            script: |talk| {
                if talk.is_batch() { talk.honest() } else { talk.answer("403 Forbidden", &[], []) }
            },
            ends: Ends::Codes(&["auth"]),
            also: few,
            ..HYDRATE
        },
        Case {
            name: "by the upload",
            script: |talk| if talk.is_batch() { talk.honest() } else { no(talk) },
            ends: Ends::Codes(&["auth"]),
            also: few,
            ..UPLOAD
        },
        Case {
            name: "by an object that takes ours",
            script: |talk| {
                if !talk.is_batch() {
                    return no(talk);
                }
                talk.batch(|plot, oid, size, upload| {
                    let mut entry =
                        entry(oid, size, upload, &json!({ "href": format!("http://{}/o/{oid}", plot.home) }));
                    entry["authenticated"] = false.into();
                    entry
                });
            },
            ends: Ends::Codes(&["auth"]),
            also: few,
            ..HYDRATE
        },
    ]);
}

#[test]
fn logins_are_tried_one_after_the_other_from_the_first_request_on() {
    run(&[Case {
        name: "the second one is right",
        script: |talk| {
            let right = format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
            let given = talk.request.header("authorization").map(str::to_owned);
            if talk.is_batch() && given.as_deref() != Some(&right) { no(talk) } else { talk.honest() }
        },
        also: |seen, _| {
            let batches: Vec<&Seen> = seen.iter().filter(|seen| seen.what().starts_with("POST ")).collect();
            let token = format!("Basic {}", STANDARD.encode(format!("oauth2:{TOKEN}")));
            let order = batches.len() == 2 && batches[0].header("authorization") == Some(&token);
            if order { Ok(()) } else { Err(format!("{} requests, or another order", batches.len())) }
        },
        ..HYDRATE
    }]);
}

#[test]
fn another_origin_gets_no_login_of_ours() {
    run(&[
        Case {
            name: "it asks for one",
            ends: Ends::Codes(&["auth"]),
            also: nothing_abroad,
            script: |talk| {
                if talk.request.away {
                    return no(talk);
                }
                talk.batch(|plot, oid, size, upload| {
                    let mut entry =
                        entry(oid, size, upload, &json!({ "href": format!("http://{}/o/{oid}", plot.away) }));
                    entry["authenticated"] = false.into();
                    entry
                });
            },
            ..HYDRATE
        },
        Case {
            name: "it asks for one after ours was given",
            ends: Ends::Codes(&["auth"]),
            also: nothing_abroad,
            script: |talk| {
                if talk.request.away || !is_with_login(&talk.request) {
                    return no(talk);
                }
                talk.batch(|plot, oid, size, upload| {
                    let mut entry =
                        entry(oid, size, upload, &json!({ "href": format!("http://{}/o/{oid}", plot.away) }));
                    entry["authenticated"] = false.into();
                    entry
                });
            },
            ..HYDRATE
        },
        Case {
            name: "it gets its own headers and no others",
            also: |seen, evidence| {
                nothing_abroad(seen, evidence)?;
                let own = seen.iter().any(|seen| seen.away && seen.head.contains(AWAY_SECRET));
                if own { Ok(()) } else { Err("its own header did not arrive".into()) }
            },
            script: |talk| if talk.is_batch() { talk.batch(far_away) } else { talk.honest() },
            ..HYDRATE
        },
        Case {
            name: "a login inside the address goes there alone, as a header",
            also: |seen, _| {
                let expected = format!("Basic {}", STANDARD.encode(format!("far:{AWAY_SECRET}")));
                let right = |seen: &Seen| seen.away && seen.header("authorization") == Some(&expected);
                if seen.iter().any(right) { Ok(()) } else { Err("it did not arrive".into()) }
            },
            script: |talk| {
                if !talk.is_batch() {
                    return talk.honest();
                }
                talk.batch(|plot, oid, size, upload| {
                    entry(
                        oid,
                        size,
                        upload,
                        &json!({ "href": format!("http://far:{AWAY_SECRET}@{}/o/{oid}", plot.away) }),
                    )
                });
            },
            ..HYDRATE
        },
    ]);
}
