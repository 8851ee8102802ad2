//! A download that broke off and is resumed, by servers that lie about ranges.

use crate::case::{Case, Ends, HYDRATE, run};
use crate::liar::Seen;
use crate::talk::Talk;

/// More than fits in the memory of a stage, so that a beginning is kept.
const LARGE: &[usize] = &[200_000];
/// Where the first answer breaks off.
const BROKEN_AT: usize = 120_000;

/// The first answer breaks off; what answers a range is the lie; what answers the rest is honest.
macro_rules! resumed {
    ($name:expr, $ends:expr, $script:expr) => {
        Case {
            name: $name,
            sizes: LARGE,
            flags: &["--retries", "4"],
            ends: $ends,
            script: |talk| {
                let lie: fn(&mut Talk, usize) = $script;
                match (talk.is_batch(), talk.range_start()) {
                    (false, Some(start)) => lie(talk, start),
                    (false, None) if talk.nth == 0 => break_off(talk),
                    _ => talk.honest(),
                }
            },
            also: |seen, _| resumes(seen),
            ..HYDRATE
        }
    };
}

fn break_off(talk: &mut Talk) {
    let bytes = talk.bytes();
    talk.head("200 OK", &[("etag", "\"v1\"")], bytes.len());
    talk.say(&bytes[..BROKEN_AT]);
    talk.hang_up();
}

fn part(talk: &mut Talk, range: &str, bytes: &[u8]) {
    talk.answer("206 Partial Content", &[("content-range", range)], bytes);
}

/// One range was asked for, of the rest, and only of the same version.
fn resumes(seen: &[Seen]) -> Result<(), String> {
    let range = seen.iter().find_map(|seen| seen.header("range").map(|range| (range, seen.header("if-range"))));
    let Some((range, condition)) = range else { return Err("nothing was resumed".into()) };
    let start = range.strip_prefix("bytes=").and_then(|range| range.strip_suffix("-199999"));
    let start: usize = start.and_then(|start| start.parse().ok()).ok_or(format!("the range is {range}"))?;
    if condition != Some("\"v1\"") {
        return Err(format!("the condition is {condition:?}"));
    }
    if (1..=BROKEN_AT).contains(&start) { Ok(()) } else { Err(format!("resumed at {start}")) }
}

#[test]
fn a_broken_download_goes_on() {
    run(&[
        resumed!("honestly", Ends::Done, |talk, _| talk.honest()),
        resumed!("from another byte", Ends::Done, |talk, _| {
            let bytes = talk.bytes();
            part(talk, "bytes 0-99999/200000", &bytes[..100_000]);
        }),
        resumed!("from a later byte", Ends::Done, |talk, start| {
            let bytes = talk.bytes();
            let range = format!("bytes {}-199999/200000", start + 1);
            part(talk, &range, &bytes[start + 1..]);
        }),
        resumed!("without saying which part", Ends::Done, |talk, start| {
            let bytes = talk.bytes();
            talk.answer("206 Partial Content", &[], &bytes[start..]);
        }),
        resumed!("with a part that ends before it begins", Ends::Done, |talk, start| {
            let range = format!("bytes {start}-5/200000");
            part(talk, &range, b"abc");
        }),
        resumed!("with a part beyond all numbers", Ends::Done, |talk, _| {
            part(talk, "bytes 99999999999999999999999-99999999999999999999999999/1", b"abc");
        }),
        resumed!("with other bytes", Ends::Done, |talk, start| {
            let bytes: Vec<u8> = talk.bytes()[start..].iter().map(|byte| byte ^ 1).collect();
            let range = format!("bytes {start}-199999/200000");
            part(talk, &range, &bytes);
        }),
        resumed!("with a wrong total, which proves nothing", Ends::Done, |talk, start| {
            let bytes = talk.bytes();
            let range = format!("bytes {start}-199999/7");
            part(talk, &range, &bytes[start..]);
        }),
        resumed!("with everything", Ends::Done, |talk, _| {
            let bytes = talk.bytes();
            talk.answer("200 OK", &[("etag", "\"v2\"")], bytes);
        }),
        resumed!("not at all", Ends::Done, |talk, _| {
            talk.answer("416 Range Not Satisfiable", &[("content-range", "bytes */200000")], []);
        }),
        resumed!("and breaks off again", Ends::Done, |talk, start| {
            if talk.nth > 2 {
                return talk.honest();
            }
            let bytes = talk.bytes();
            let range = format!("bytes {start}-199999/200000");
            talk.head("206 Partial Content", &[("content-range", &range)], bytes.len() - start);
            talk.say(&bytes[start..start + 10_000]);
            talk.hang_up();
        }),
        resumed!("with more than the rest", Ends::Done, |talk, start| {
            let bytes = talk.bytes().repeat(2);
            let range = format!("bytes {start}-199999/200000");
            part(talk, &range, &bytes[start..]);
        }),
    ]);
}

#[test]
fn a_part_that_nobody_asked_for() {
    run(&[
        Case {
            name: "that is not the whole",
            ends: Ends::Codes(&["malformed"]),
            script: |talk| {
                if talk.is_batch() {
                    return talk.honest();
                }
                let bytes = talk.bytes();
                part(talk, "bytes 0-4998/5000", bytes);
            },
            ..HYDRATE
        },
        Case {
            name: "416 of a whole",
            ends: Ends::Codes(&["rejected"]),
            script: |talk| {
                if talk.is_batch() { talk.honest() } else { talk.answer("416 Range Not Satisfiable", &[], []) }
            },
            ..HYDRATE
        },
    ]);
}
