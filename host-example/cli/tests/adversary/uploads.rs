//! Servers that say yes too early, say nothing, or say something else while files are brought to them.

use serde_json::json;

use crate::case::{Case, Ends, UPLOAD, run};
use crate::evidence::Evidence;
use crate::liar::Seen;
use crate::talk::{HEADER_SECRET, Talk, at_home};
use hydrant_host::files::digest::blob_of;

/// More than the buffers between two programs hold.
const LARGE: &[usize] = &[24 << 20];

/// The batch is honest, what takes the bytes is not.
macro_rules! put {
    ($name:expr, $ends:expr, $script:expr) => {
        Case {
            name: $name,
            ends: $ends,
            script: |talk| {
                let lie: fn(&mut Talk) = $script;
                if talk.is_put() { lie(talk) } else { talk.honest() }
            },
            ..UPLOAD
        }
    };
}

/// The batch asks for a verify request, which is then answered so.
macro_rules! verify {
    ($name:expr, $ends:expr, $script:expr) => {
        Case {
            name: $name,
            ends: $ends,
            also: verified,
            script: |talk| {
                let lie: fn(&mut Talk) = $script;
                match (talk.is_batch(), talk.is_put()) {
                    (true, _) => talk.batch(|plot, oid, size, upload| {
                        let mut entry = at_home(plot, oid, size, upload);
                        let header = json!({ "X-Verify": HEADER_SECRET });
                        let href = format!("http://{}/verify", plot.home);
                        entry["actions"]["verify"] = json!({ "href": href, "header": header });
                        entry
                    }),
                    (_, true) => talk.honest(),
                    _ => lie(talk),
                }
            },
            ..UPLOAD
        }
    };
}

/// What was sent is what was hashed, wherever it was read at all.
fn arrives(seen: &[Seen], _: &Evidence) -> Result<(), String> {
    let read = |seen: &&Seen| !seen.body.is_empty() || seen.header("content-length") == Some("0");
    for put in seen.iter().filter(|seen| seen.what().starts_with("PUT ")).filter(read) {
        let oid = put.what().rsplit('/').next().unwrap_or_default();
        if blob_of(&put.body).oid != oid {
            return Err(format!("{oid} arrived as something else"));
        }
    }
    Ok(())
}

/// The verify request names the object, and carries the headers that belong to it.
fn verified(seen: &[Seen], evidence: &Evidence) -> Result<(), String> {
    let Some(verify) = seen.iter().find(|seen| seen.what() == "POST /verify") else {
        return Err("no verify request".into());
    };
    let body: serde_json::Value = serde_json::from_slice(&verify.body).map_err(|error| error.to_string())?;
    let right = body["size"] == 5_000 && body["oid"].as_str().is_some_and(|oid| oid.len() == 64);
    let header = verify.header("x-verify") == Some(HEADER_SECRET);
    if right && header { arrives(seen, evidence) } else { Err(format!("{body} {}", verify.head)) }
}

#[test]
fn answers_to_an_upload() {
    let host = Ends::Codes(&["host"]);
    run(&[
        Case { sizes: &[5_000, 0, 100_000], also: arrives, ..put!("honest", Ends::Done, |talk| talk.honest()) },
        Case {
            sizes: LARGE,
            ..put!("yes before the bytes were there", host, |talk| {
                talk.head("200 OK", &[("connection", "close")], 0);
                talk.hang_up();
            })
        },
        Case {
            sizes: LARGE,
            ..put!("yes, and the connection stays open unread", host, |talk| {
                talk.head("200 OK", &[], 0);
                std::thread::sleep(std::time::Duration::from_secs(4));
                talk.hang_up();
            })
        },
        Case {
            sizes: LARGE,
            ..put!("no before the bytes were there", Ends::Codes(&["rejected"]), |talk| {
                talk.answer_unread("413 Too Large");
            })
        },
        Case {
            sizes: LARGE,
            ..put!("silence, and nothing is read", host, |talk| {
                std::thread::sleep(std::time::Duration::from_secs(6));
                talk.hang_up();
            })
        },
        put!("silence after everything was read", host, |talk| {
            talk.body();
            talk.stall();
        }),
        put!("closed after everything was read", host, |talk| {
            talk.body();
            talk.hang_up();
        }),
        put!("a page", Ends::Codes(&["rejected"]), |talk| {
            talk.answer("200 OK", &[("content-type", "text/html")], "<html>log in</html>");
        }),
        put!("an error without end", Ends::Codes(&["busy"]), |talk| {
            talk.body();
            talk.say("HTTP/1.1 500 Oh No\r\n\r\n");
            talk.flood([0x61; 65_536]);
        }),
        put!("no such place", Ends::Codes(&["not-found"]), |talk| talk.answer("404 Not Found", &[], [])),
        put!("no space", Ends::Codes(&["rejected"]), |talk| talk.answer("507 Full", &[], [])),
        put!("a wait of a day", Ends::Codes(&["busy"]), |talk| talk.answer(
            "429 Slow",
            &[("retry-after", "86400")],
            []
        )),
        Case {
            flags: &["--retries", "2"],
            also: arrives,
            ..put!("closed once", Ends::Done, |talk| { if talk.nth == 0 { talk.hang_up() } else { talk.honest() } })
        },
        Case {
            sizes: &[5_000, 6_000],
            ..put!("one of two", Ends::Codes(&["", "rejected"]), |talk| {
                if talk.bytes().len() == 6_000 { talk.answer("422 No", &[], []) } else { talk.honest() }
            })
        },
    ]);
}

#[test]
fn answers_to_a_verify_request() {
    run(&[
        verify!("yes", Ends::Done, |talk| talk.honest()),
        verify!("not there", Ends::Codes(&["not-found"]), |talk| talk.answer("404 Not Found", &[], [])),
        verify!("something else is there", Ends::Codes(&["rejected"]), |talk| talk.answer("422 No", &[], [])),
        verify!("silence", Ends::Codes(&["host"]), |talk| {
            talk.body();
            talk.stall();
        }),
        verify!("a redirect without end", Ends::Codes(&["rejected"]), |talk| {
            talk.answer("307 Temporary Redirect", &[("location", "/verify")], []);
        }),
        verify!("a login for ever", Ends::Codes(&["auth"]), |talk| talk.answer("401 Unauthorized", &[], [])),
    ]);
}
