//! Lies in the bytes of objects: too few, too many, others, none, for ever.

use std::thread;
use std::time::Duration;

use crate::case::{Case, Ends, HYDRATE, run};
use crate::evidence::Evidence;
use crate::liar::{Script, Seen};
use crate::talk::Talk;

/// The batch is honest, the objects are not.
macro_rules! object {
    ($name:expr, $ends:expr, $script:expr) => {
        Case {
            name: $name,
            ends: $ends,
            script: |talk| {
                let lie: Script = $script;
                if talk.is_batch() { talk.honest() } else { lie(talk) }
            },
            ..HYDRATE
        }
    };
}

/// More than fits in the memory of a stage.
const LARGE: &[usize] = &[200_000];

fn wrong(talk: &mut Talk) {
    let bytes: Vec<u8> = talk.bytes().iter().map(|byte| byte ^ 0x55).collect();
    talk.answer("200 OK", &[], bytes);
}

fn short_and_closed(talk: &mut Talk) {
    let bytes = talk.bytes();
    talk.head("200 OK", &[], bytes.len());
    talk.say(&bytes[..bytes.len() / 2]);
    talk.hang_up();
}

/// The integrity error names what was wanted and what came.
fn both_oids(seen: &[Seen], evidence: &Evidence) -> Result<(), String> {
    let fetched = seen.iter().filter(|seen| seen.what().starts_with("GET /o/")).count();
    if fetched != 2 {
        return Err(format!("fetched {fetched} times instead of twice"));
    }
    if !evidence.is_json() {
        return Ok(());
    }
    let report = evidence.report()?;
    let detail = report["outcomes"][0]["error"]["detail"].as_str().unwrap_or_default();
    let is_oid = |word: &&str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let oids = detail.split([' ', ',']).filter(is_oid).count();
    if oids == 2 { Ok(()) } else { Err(format!("{oids} oids in {detail:?}")) }
}

#[test]
fn bytes_that_are_not_the_object() {
    let (integrity, host) = (Ends::Codes(&["integrity"]), Ends::Codes(&["host"]));
    run(&[
        object!("wrong once", Ends::Done, |talk| if talk.nth == 0 { wrong(talk) } else { talk.honest() }),
        Case { also: both_oids, ..object!("wrong twice", integrity, wrong) },
        Case { sizes: LARGE, also: both_oids, ..object!("wrong twice and large", integrity, wrong) },
        Case {
            sizes: LARGE,
            ..object!("wrong once and large", Ends::Done, |talk| {
                if talk.nth == 0 { wrong(talk) } else { talk.honest() }
            })
        },
        object!("short, then closed", host, short_and_closed),
        Case { sizes: LARGE, ..object!("short, then closed, large", host, short_and_closed) },
        object!("short, and said so", integrity, |talk| {
            let bytes = talk.bytes();
            talk.answer("200 OK", &[], &bytes[..bytes.len() - 1]);
        }),
        Case {
            sizes: LARGE,
            ..object!("short without any length", integrity, |talk| {
                let bytes = talk.bytes();
                talk.say("HTTP/1.1 200 OK\r\n\r\n");
                talk.say(&bytes[..bytes.len() / 2]);
                talk.hang_up();
            })
        },
        object!("longer, and said so", integrity, |talk| {
            let bytes = talk.bytes().repeat(3);
            talk.answer("200 OK", &[], bytes);
        }),
        object!("empty", integrity, |talk| talk.answer("200 OK", &[], [])),
        Case {
            sizes: &[0, 10],
            ..object!("something where nothing should be", Ends::Codes(&["integrity", ""]), |talk| {
                if talk.bytes().is_empty() { talk.answer("200 OK", &[], "surprise") } else { talk.honest() }
            })
        },
        object!("compressed although identity was asked for", integrity, |talk| {
            talk.answer(
                "200 OK",
                &[("content-encoding", "gzip")],
                b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0",
            );
        }),
        object!("a login page", integrity, |talk| {
            talk.answer("200 OK", &[("content-type", "text/html")], "<html>log in</html>");
        }),
        object!("for ever", integrity, |talk| {
            talk.say("HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\n\r\n");
            talk.flood([0x61; 65_536]);
        }),
        Case {
            sizes: LARGE,
            ..object!("for ever in chunks", integrity, |talk| {
                talk.say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
                talk.flood(format!("4000\r\n{}\r\n", "x".repeat(0x4000)));
            })
        },
        object!("a length of a petabyte", integrity, |talk| {
            talk.head("200 OK", &[], 1 << 50);
            talk.flood([0x61; 65_536]);
        }),
    ]);
}

#[test]
fn bytes_that_do_not_come() {
    let host = Ends::Codes(&["host"]);
    run(&[
        object!("silence after the head", host, |talk| {
            let length = talk.bytes().len();
            talk.head("200 OK", &[], length);
            talk.stall();
        }),
        Case {
            sizes: LARGE,
            ..object!("silence in the middle", host, |talk| {
                let bytes = talk.bytes();
                talk.head("200 OK", &[], bytes.len());
                talk.say(&bytes[..150_000]);
                talk.stall();
            })
        },
        object!("broken chunks", host, |talk| {
            talk.say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nabcdXX\r\n");
            talk.stall();
        }),
        object!("an error without end", Ends::Codes(&["busy"]), |talk| {
            talk.say("HTTP/1.1 500 Oh No\r\n\r\n");
            talk.flood([0x61; 65_536]);
        }),
        Case {
            sizes: &[5_000, 6_000],
            ..object!("one of two", Ends::Codes(&["host", ""]), |talk| {
                if talk.bytes().len() == 5_000 { talk.hang_up() } else { talk.honest() }
            })
        },
    ]);
}

/// Strange, and right all the same.
#[test]
fn odd_answers_that_are_right() {
    run(&[
        Case {
            sizes: &[30],
            ..object!("slowly, but longer than the patience", Ends::Done, |talk| {
                let bytes = talk.bytes();
                talk.head("200 OK", &[], bytes.len());
                talk.drip(bytes);
            })
        },
        object!("in chunks of odd sizes, with extensions and a trailer", Ends::Done, |talk| {
            talk.say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-end\r\n\r\n");
            for piece in talk.bytes().chunks(777) {
                talk.say(format!("{:x};a=b\r\n", piece.len()));
                talk.say(piece);
                talk.say("\r\n");
            }
            talk.say("0\r\nx-end: yes\r\n\r\n");
        }),
        object!("until the connection closes, as HTTP/1.0 does", Ends::Done, |talk| {
            talk.say("HTTP/1.0 200 OK\r\n\r\n");
            let bytes = talk.bytes();
            talk.say(bytes);
            talk.hang_up();
        }),
        object!("after an interim answer", Ends::Done, |talk| {
            talk.say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n");
            talk.honest();
        }),
        object!("after a pause shorter than the patience", Ends::Done, |talk| {
            thread::sleep(Duration::from_millis(300));
            talk.honest();
        }),
        Case {
            flags: &["--retries", "3"],
            sizes: &[3_000, 4_000],
            ..object!("with another answer behind it", Ends::Done, |talk| {
                talk.honest();
                if talk.nth == 0 {
                    talk.say("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil");
                }
            })
        },
        Case {
            flags: &["--retries", "2"],
            ..object!("broken off once", Ends::Done, |talk| {
                if talk.nth == 0 { short_and_closed(talk) } else { talk.honest() }
            })
        },
    ]);
}
