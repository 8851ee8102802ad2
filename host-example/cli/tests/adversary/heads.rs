//! Lies before the first byte of a body: status lines, headers, silence, floods.

use std::thread;
use std::time::Duration;

use crate::case::{Case, Ends, HYDRATE, run};
use crate::liar::Script;
use crate::talk::{LFS_JSON, Talk};

/// Does this to the first request and to every other.
const fn head(name: &'static str, script: Script, ends: Ends) -> Case {
    Case { name, script, ends, ..HYDRATE }
}

fn cut(talk: &mut Talk, bytes: &str) {
    talk.body();
    talk.say(bytes);
    talk.hang_up();
}

#[test]
fn broken_and_endless_heads() {
    let whole = Ends::Whole("host");
    run(&[
        head("closed before any answer", |talk| talk.hang_up(), whole),
        head("closed in the middle of the head", |talk| cut(talk, "HTTP/1.1 200 OK\r\ncontent-ty"), whole),
        head("no status line at all", |talk| cut(talk, "good morning\r\n\r\n"), whole),
        head("binary noise", |talk| cut(talk, "\0\u{1}\u{2}\u{7f}\r\n\r\n"), whole),
        head("a status that is no number", |talk| cut(talk, "HTTP/1.1 abc OK\r\n\r\n"), whole),
        head("another protocol", |talk| cut(talk, "SSH-2.0-OpenSSH_9.2\r\n"), whole),
        head("silence", |talk| talk.stall(), whole),
        head(
            "silence in the middle of the head",
            |talk| {
                talk.say("HTTP/1.1 200 OK\r\ncontent-len");
                talk.stall();
            },
            whole,
        ),
        head(
            "headers without end",
            |talk| {
                talk.say("HTTP/1.1 200 OK\r\n");
                talk.flood("x-more: of the same\r\n".repeat(100));
            },
            whole,
        ),
        head(
            "one header without end",
            |talk| {
                talk.say("HTTP/1.1 200 OK\r\nx-long: ");
                talk.flood("a".repeat(4096));
            },
            whole,
        ),
        head(
            "a status line without end",
            |talk| {
                talk.say("HTTP/1.1 200 ");
                talk.flood("O".repeat(4096));
            },
            whole,
        ),
        head(
            "interim answers without end",
            |talk| {
                talk.body();
                talk.flood("HTTP/1.1 100 Continue\r\n\r\n".repeat(100));
            },
            whole,
        ),
        head(
            "early hints without end",
            |talk| {
                talk.body();
                talk.flood("HTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n".repeat(100));
            },
            whole,
        ),
        head(
            "interim answers that drip for ever",
            |talk| {
                talk.body();
                while talk.say("HTTP/1.1 102 Processing\r\n\r\n") {
                    thread::sleep(Duration::from_millis(200));
                }
            },
            whole,
        ),
        head(
            "a control character in a header",
            |talk| {
                talk.answer("401 Unauthorized", &[("www-authenticate", "Basic realm=\"\u{1}\"")], []);
            },
            whole,
        ),
        head(
            "two lengths that differ",
            |talk| {
                talk.body();
                talk.say(format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: {LFS_JSON}\r\ncontent-length: 2\r\ncontent-length: 9\r\n\r\n{{}}"
                ));
                talk.stall();
            },
            whole,
        ),
        head("a length below zero", |talk| cut(talk, "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"), whole),
        head(
            "a length beyond all numbers",
            |talk| {
                cut(talk, "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\n");
            },
            whole,
        ),
        head(
            "a chunk that is longer than all numbers",
            |talk| {
                let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {LFS_JSON}\r\ntransfer-encoding: chunked\r\n\r\n");
                cut(talk, &(head + "ffffffffffffffffffff\r\nabc"));
            },
            whole,
        ),
        head(
            "a head that drips, and then all of it",
            |talk| {
                if talk.is_batch() {
                    talk.body();
                    talk.drip(b"HTT");
                    talk.say("P/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
                }
            },
            Ends::Whole("auth"),
        ),
    ]);
}

#[test]
fn statuses_that_are_no_answer() {
    run(&[
        head("204", |talk| talk.json("204 No Content", &[], &serde_json::Value::Null), Ends::Whole("malformed")),
        head("304", |talk| talk.answer("304 Not Modified", &[], []), Ends::Whole("malformed")),
        head("600", |talk| talk.answer("600 Beyond", &[], []), Ends::Whole("malformed")),
        head(
            "407",
            |talk| {
                talk.answer("407 Proxy Authentication Required", &[("proxy-authenticate", "Basic realm=\"a\"")], []);
            },
            Ends::Whole("rejected"),
        ),
        head(
            "a wait of a day",
            |talk| talk.answer("429 Slow Down", &[("retry-after", "86400")], []),
            Ends::Whole("busy"),
        ),
        Case {
            flags: &["--retries", "5"],
            seconds: 10,
            also: |seen, evidence| {
                let asks = seen.len();
                let told = !evidence.is_json() || evidence.report()?["error"]["retry_at_ms"].is_u64();
                if asks == 1 && told { Ok(()) } else { Err(format!("{asks} requests, and when to come again: {told}")) }
            },
            ..head(
                "a wait that is not waited for",
                |talk| {
                    talk.answer("503 Later", &[("retry-after", "86400")], []);
                },
                Ends::Whole("busy"),
            )
        },
        Case {
            flags: &["--retries", "1"],
            ..head(
                "a wait beyond all numbers",
                |talk| {
                    talk.answer("503 Later", &[("retry-after", "99999999999999999999999999")], []);
                },
                Ends::Whole("busy"),
            )
        },
        Case {
            flags: &["--retries", "1"],
            ..head(
                "a wait that is no time",
                |talk| {
                    talk.answer("503 Later", &[("retry-after", "-1; tomorrow")], []);
                },
                Ends::Whole("busy"),
            )
        },
        head(
            "words that would steer a terminal",
            |talk| {
                talk.json(
                    "403 Forbidden",
                    &[],
                    &serde_json::json!({ "message": "\u{1b}[2J\u{7}\r\nall is well\u{202e}" }),
                );
            },
            Ends::Whole("auth"),
        ),
    ]);
}
