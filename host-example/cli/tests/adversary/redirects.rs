//! Servers that lead elsewhere: for ever, to other origins, to what is no web address.

use crate::case::{Case, Ends, HYDRATE, UPLOAD, run};
use crate::evidence::Evidence;
use crate::liar::Seen;
use crate::talk::Talk;

const REJECTED: Ends = Ends::Codes(&["rejected"]);

/// Objects are redirected, the batch is honest.
macro_rules! object {
    ($name:expr, $ends:expr, $script:expr) => {
        Case {
            name: $name,
            ends: $ends,
            script: |talk| {
                let lead: fn(&mut Talk) = $script;
                if talk.is_batch() || talk.request.away { talk.honest() } else { lead(talk) }
            },
            ..HYDRATE
        }
    };
}

fn to(talk: &mut Talk, status: &str, place: &str) {
    talk.answer(status, &[("location", place)], []);
}

fn to_away(talk: &mut Talk) {
    let path = talk.request.what().split(' ').nth(1).unwrap_or_default().to_owned();
    let place = format!("http://{}{path}", talk.plot.away);
    to(talk, "307 Temporary Redirect", &place);
}

/// The other origin was asked exactly so often, and heard no header of an action and no login.
fn away(seen: &[Seen], times: usize) -> Result<(), String> {
    let abroad: Vec<&Seen> = seen.iter().filter(|seen| seen.away).collect();
    let told = abroad
        .iter()
        .find(|seen| ["authorization", "x-extra", "cookie"].iter().any(|name| seen.header(name).is_some()));
    match told {
        Some(seen) => Err(format!("another origin was told {}", seen.head)),
        None if abroad.len() == times => Ok(()),
        None => Err(format!("another origin was asked {} times instead of {times}", abroad.len())),
    }
}

fn few(seen: &[Seen], _: &Evidence) -> Result<(), String> {
    if seen.len() <= 6 { Ok(()) } else { Err(format!("{} requests", seen.len())) }
}

#[test]
fn redirects_without_end() {
    run(&[
        Case {
            also: few,
            ..object!("an object to itself", REJECTED, |talk| {
                let path = talk.request.what().split(' ').nth(1).unwrap_or_default().to_owned();
                to(talk, "302 Found", &path);
            })
        },
        Case {
            also: few,
            ..object!("an object ever deeper", REJECTED, |talk| {
                let path = talk.request.what().split(' ').nth(1).unwrap_or_default().to_owned();
                to(talk, "301 Moved Permanently", &format!("{path}/deeper"));
            })
        },
        Case {
            name: "the batch to itself",
            also: few,
            ends: Ends::Whole("rejected"),
            script: |talk| {
                to(talk, "308 Permanent Redirect", "?again");
            },
            ..HYDRATE
        },
        Case {
            name: "between two origins",
            also: few,
            ends: REJECTED,
            script: |talk| {
                if talk.is_batch() {
                    return talk.honest();
                }
                let other = if talk.request.away { talk.plot.home } else { talk.plot.away };
                let path = talk.request.what().split(' ').nth(1).unwrap_or_default().to_owned();
                to(talk, "302 Found", &format!("http://{other}{path}"));
            },
            ..HYDRATE
        },
    ]);
}

#[test]
fn redirects_to_what_is_no_web_address() {
    run(&[
        object!("a file", REJECTED, |talk| to(talk, "302 Found", "file:///etc/passwd")),
        object!("a script", REJECTED, |talk| to(talk, "302 Found", "javascript:alert(1)")),
        object!("data", REJECTED, |talk| to(talk, "302 Found", "data:text/plain,hello")),
        object!("nowhere", REJECTED, |talk| talk.answer("302 Found", &[], [])),
        object!("the empty text", REJECTED, |talk| to(talk, "302 Found", "")),
        object!("a backslash", REJECTED, |talk| to(talk, "302 Found", "\\\\127.0.0.1\\o")),
        object!("another machine in the open", Ends::Codes(&["blocked"]), |talk| to(
            talk,
            "302 Found",
            "http://203.0.113.9/o"
        )),
        object!("a status without a meaning here", Ends::Codes(&["malformed"]), |talk| to(
            talk,
            "300 Multiple Choices",
            "/o"
        )),
        Case {
            name: "the batch to a file",
            ends: Ends::Whole("rejected"),
            script: |talk| {
                to(talk, "302 Found", "file:///etc/passwd");
            },
            ..HYDRATE
        },
    ]);
}

#[test]
fn another_origin_hears_no_secret() {
    run(&[
        Case { also: |seen, _| away(seen, 1), ..object!("an object", Ends::Done, to_away) },
        Case {
            also: |seen, _| away(seen, 1),
            ..object!("an address without scheme", Ends::Done, |talk| {
                let oid = talk.blob().map(|blob| blob.oid.clone()).unwrap_or_default();
                let place = format!("//{}/o/{oid}", talk.plot.away);
                to(talk, "303 See Other", &place);
            })
        },
        Case {
            also: |seen, _| away(seen, 1),
            ..object!("an address with a login inside", Ends::Done, |talk| {
                let oid = talk.blob().map(|blob| blob.oid.clone()).unwrap_or_default();
                let place = format!("http://some:body@{}/o/{oid}", talk.plot.away);
                to(talk, "302 Found", &place);
            })
        },
        Case {
            name: "an upload",
            also: |seen, _| away(seen, 1),
            script: |talk| {
                if talk.is_put() && !talk.request.away { to_away(talk) } else { talk.honest() }
            },
            ..UPLOAD
        },
        Case {
            name: "a batch that was logged in to",
            also: |seen, _| away(seen, 1),
            script: |talk| match (talk.is_batch(), talk.request.away, talk.request.header("authorization").is_some()) {
                (true, false, false) => talk.answer("401 Unauthorized", &[("lfs-authenticate", "Basic")], []),
                (true, false, true) => to_away(talk),
                _ => talk.honest(),
            },
            ..HYDRATE
        },
        Case {
            name: "a batch to a place that asks for a login",
            ends: Ends::Whole("auth"),
            also: |seen, _| away(seen, 1),
            script: |talk| {
                if talk.request.away {
                    talk.answer("401 Unauthorized", &[("www-authenticate", "Basic")], [])
                } else {
                    to_away(talk)
                }
            },
            ..HYDRATE
        },
    ]);
}

#[test]
fn the_same_origin_keeps_what_it_gave() {
    run(&[Case {
        also: |seen, _| {
            let all = seen.iter().filter(|seen| seen.what().starts_with("GET "));
            match all.filter(|seen| seen.header("x-extra").is_none()).count() {
                0 => Ok(()),
                lost => Err(format!("{lost} requests without the action's header")),
            }
        },
        ..object!("three steps", Ends::Done, |talk| {
            let path = talk.request.what().split(' ').nth(1).unwrap_or_default().to_owned();
            let steps = path.matches("/step").count();
            if steps < 3 { to(talk, "302 Found", &format!("/step{path}")) } else { talk.honest() }
        })
    }]);
}
