//! Lies in batch answers: pages, broken JSON, objects left out, repeated, invented, and actions that cannot be used.

use serde_json::{Value, json};

use crate::case::{Case, Ends, HYDRATE, run};
use crate::talk::{HEADER_SECRET, LFS_JSON, QUERY_SECRET, Talk, at_home, entry};

/// The objects are honest, the batch answer is not.
macro_rules! batch {
    ($name:expr, $ends:expr, $script:expr) => {
        Case {
            name: $name,
            ends: $ends,
            script: |talk| {
                let lie: fn(&mut Talk) = $script;
                if talk.is_batch() { lie(talk) } else { talk.honest() }
            },
            ..HYDRATE
        }
    };
}

/// The only entry of an answer is an action with this address and these headers.
macro_rules! action {
    ($name:expr, $ends:expr, $href:expr, $header:tt) => {
        batch!($name, $ends, |talk| talk.batch(|_, oid, size, upload| {
            entry(oid, size, upload, &json!({ "href": $href, "header": $header }))
        }))
    };
}

const MALFORMED: Ends = Ends::Codes(&["malformed"]);

#[test]
fn answers_that_are_no_batch_answer() {
    let whole = Ends::Whole("malformed");
    run(&[
        batch!("a page that calls itself one", whole, |talk| {
            talk.answer("200 OK", &[("content-type", "text/html; charset=utf-8")], "<html>log in</html>");
        }),
        batch!("a page that calls itself JSON", whole, |talk| {
            talk.answer("200 OK", &[("content-type", LFS_JSON)], "<html>log in</html>");
        }),
        batch!("JSON that ends early", whole, |talk| {
            talk.answer("200 OK", &[("content-type", LFS_JSON)], r#"{"objects":[{"oid":"#);
        }),
        batch!("a list", whole, |talk| talk.json("200 OK", &[], &json!([]))),
        batch!("nothing", whole, |talk| talk.answer("200 OK", &[("content-type", LFS_JSON)], [])),
        batch!("a hundred thousand brackets", whole, |talk| {
            talk.answer("200 OK", &[("content-type", LFS_JSON)], "[".repeat(100_000));
        }),
        batch!("a hundred thousand objects in each other", whole, |talk| {
            talk.answer("200 OK", &[("content-type", LFS_JSON)], r#"{"a":"#.repeat(100_000));
        }),
        batch!("without end", whole, |talk| {
            talk.say(format!("HTTP/1.1 200 OK\r\ncontent-type: {LFS_JSON}\r\n\r\n"));
            talk.flood([b' '; 65_536]);
        }),
        batch!("without end, in chunks", whole, |talk| {
            talk.say(format!("HTTP/1.1 200 OK\r\ncontent-type: {LFS_JSON}\r\ntransfer-encoding: chunked\r\n\r\n"));
            talk.flood(format!("4000\r\n{}\r\n", " ".repeat(0x4000)));
        }),
        batch!("compressed although identity was asked for", whole, |talk| {
            let headers = [("content-type", LFS_JSON), ("content-encoding", "gzip")];
            talk.answer("200 OK", &headers, b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0");
        }),
        batch!("another hash", whole, |talk| talk.json("200 OK", &[], &json!({ "hash_algo": "md5", "objects": [] }))),
        batch!("a transfer nobody offered", whole, |talk| {
            talk.json("200 OK", &[], &json!({ "transfer": "carrier-pigeon", "objects": [] }));
        }),
        batch!("silence in the middle", Ends::Whole("host"), |talk| {
            talk.head("200 OK", &[("content-type", LFS_JSON)], 1000);
            talk.say("{\"objects\":");
            talk.stall();
        }),
        batch!("closed in the middle", Ends::Whole("host"), |talk| {
            talk.head("200 OK", &[("content-type", LFS_JSON)], 1000);
            talk.say("{\"objects\":");
            talk.hang_up();
        }),
    ]);
}

#[test]
fn objects_that_are_left_out_repeated_and_invented() {
    let pair: &[usize] = &[4_000, 3_000];
    run(&[
        Case {
            sizes: pair,
            ..batch!("one is left out", Ends::Codes(&["malformed", ""]), |talk| {
                let entries = talk.entries(at_home).split_off(1);
                talk.json("200 OK", &[], &json!({ "objects": entries }));
            })
        },
        Case {
            sizes: pair,
            ..batch!("one comes twice", Ends::Codes(&["malformed", ""]), |talk| {
                let mut entries = talk.entries(at_home);
                entries.push(entries[0].clone());
                talk.json("200 OK", &[], &json!({ "objects": entries }));
            })
        },
        Case {
            sizes: pair,
            ..batch!("all are left out", Ends::Codes(&["malformed", "malformed"]), |talk| {
                talk.json("200 OK", &[], &json!({ "objects": [] }));
            })
        },
        Case {
            sizes: pair,
            ..batch!("in another order, among thousands of others", Ends::Done, |talk| {
                let mut entries: Vec<Value> =
                    (0..20_000).map(|n| json!({ "oid": format!("{n:064x}"), "size": n })).collect();
                entries.extend(talk.entries(at_home).into_iter().rev());
                talk.json("200 OK", &[], &json!({ "objects": entries }));
            })
        },
        Case {
            sizes: pair,
            ..batch!("each points to the other", Ends::Codes(&["integrity", "integrity"]), |talk| {
                talk.batch(|plot, oid, size, upload| {
                    let other = plot.blobs.iter().find(|blob| blob.oid != oid).map_or(oid, |blob| &blob.oid);
                    let mut entry = at_home(plot, other, size, upload);
                    entry["oid"] = oid.into();
                    entry
                });
            })
        },
        batch!("another size", MALFORMED, |talk| talk.batch(|plot, oid, size, upload| at_home(
            plot,
            oid,
            size + 1,
            upload
        ))),
        batch!("no action", MALFORMED, |talk| talk.batch(|_, oid, size, _| json!({ "oid": oid, "size": size }))),
        batch!("definitely missing", Ends::Codes(&["missing"]), |talk| talk.batch(|_, oid, size, _| {
            json!({ "oid": oid, "size": size, "error": { "code": 404, "message": "none\u{1b}[31m" } })
        })),
        batch!("over before it began", Ends::Codes(&["busy"]), |talk| talk.batch(|_, oid, size, upload| {
            let action = json!({ "href": "http://127.0.0.1:1/o", "expires_in": -5 });
            entry(oid, size, upload, &action)
        })),
    ]);
}

#[test]
fn actions_that_cannot_be_used() {
    run(&[
        action!("a file", MALFORMED, "file:///etc/passwd", {}),
        action!("a script", MALFORMED, "javascript:alert(1)", {}),
        action!("ftp", MALFORMED, "ftp://127.0.0.1/o", {}),
        action!("a relative address", MALFORMED, "/o/1", {}),
        action!("no host", MALFORMED, "http:///o", {}),
        action!("nothing", MALFORMED, "", {}),
        action!("a number", MALFORMED, 7, {}),
        action!("two lines", MALFORMED, "http://127.0.0.1:1/\r\nx-evil: 1", {}),
        action!("a backslash", MALFORMED, "http://127.0.0.1:1\\@elsewhere.invalid/", {}),
        action!("a port beyond all ports", MALFORMED, "http://127.0.0.1:99999/o", {}),
        action!("a megabyte of address", MALFORMED, format!("http://127.0.0.1:1/{}", "a".repeat(1 << 20)), {}),
        action!("a header of two lines", MALFORMED, "http://127.0.0.1:1/o", { "X-A": "a\r\nX-Evil: 1" }),
        action!("a header without a name", MALFORMED, "http://127.0.0.1:1/o", { "": "a" }),
        action!("a name with blanks", MALFORMED, "http://127.0.0.1:1/o", { "X A": "a" }),
        action!("a list of headers", MALFORMED, "http://127.0.0.1:1/o", ["X-A: a"]),
        action!("a megabyte of header", MALFORMED, "http://127.0.0.1:1/o", { "X-A": "a".repeat(1 << 20) }),
        action!("nobody listens", Ends::Codes(&["host"]), "http://127.0.0.1:1/o", {}),
    ]);
}

#[test]
fn headers_that_frame_route_or_identify_are_not_taken_from_an_action() {
    run(&[Case {
        also: |seen, _| {
            let fetched = seen.iter().find(|seen| seen.what().starts_with("GET ")).ok_or("nothing was fetched")?;
            let head = fetched.head.to_ascii_lowercase();
            let evil = head.contains("evil") || head.contains("cookie") || head.contains("upgrade");
            let kept = fetched.header("x-extra") == Some(HEADER_SECRET);
            if !evil && kept { Ok(()) } else { Err(fetched.head.clone()) }
        },
        ..batch!("headers that are the host's own", Ends::Done, |talk| {
            talk.batch(|plot, oid, size, upload| {
                let header = json!({
                    "Host": "evil.invalid", "Content-Length": "66", "Transfer-Encoding": "evil", "Cookie": "evil=1",
                    "TE": "evil", "Connection": "upgrade, evil", "Upgrade": "evil", "Proxy-Authorization": "evil",
                    "Keep-Alive": "evil", "Expect": "100-evil", "Range": "bytes=6-6evil", "If-Range": "evil",
                    "Accept-Encoding": "evil", "X-Extra": HEADER_SECRET,
                });
                let href = format!("http://{}/o/{oid}?sig={QUERY_SECRET}", plot.home);
                entry(oid, size, upload, &json!({ "href": href, "header": header }))
            });
        })
    }]);
}

#[test]
fn cookies_are_never_kept() {
    run(&[Case {
        sizes: &[3_000, 4_000],
        also: |seen, _| match seen.iter().find(|seen| seen.header("cookie").is_some()) {
            Some(seen) => Err(seen.head.clone()),
            None => Ok(()),
        },
        ..batch!("a cookie", Ends::Done, |talk| {
            let entries = talk.entries(at_home);
            talk.json("200 OK", &[("set-cookie", "id=1; path=/")], &json!({ "objects": entries }));
        })
    }]);
}
