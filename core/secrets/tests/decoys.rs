//! What holds no secret: nothing is found in it, in a text and in the transcripts that agents write.

#![allow(clippy::unwrap_used, reason = "what cannot be fails the test")]

mod making;

use hydrant_secrets::{Finding, Named, Rules, Scan};
use making::decoys::DECOYS;
use making::near::NEAR;
use making::{BASE62, HEX, Random, padded};

/// Texts of each class.
const COUNT: usize = 320;
/// Findings at most, in all of them.
const FALSE_HITS_MAX: usize = 1;

#[test]
fn nothing_is_found_where_no_secret_is() {
    let (rules, named) = (Rules::built_in().unwrap(), Named::default());
    let (mut texts, mut hits) = (0, Vec::new());
    for decoy in DECOYS.iter().chain(NEAR) {
        let mut random = Random(decoy.class.bytes().fold(1, |sum, byte| sum.wrapping_mul(31) ^ u64::from(byte)));
        for at in 0..COUNT {
            let plain = (decoy.make)(&mut random);
            let (form, text) = match at % 4 {
                0 | 1 => ("text", plain),
                2 => ("Claude Code", claude_code(&mut random, &plain)),
                _ => ("Codex", codex(&mut random, &plain)),
            };
            texts += 1;
            let mut scan = Scan::new(&rules, &named);
            let mut note = |found: Finding<'_>| {
                let value = String::from_utf8_lossy(found.value).into_owned();
                hits.push(format!("{} ({form}): {} {value:?}", decoy.class, rules.name(found.kind)));
            };
            scan.push(text.as_bytes(), &mut note).unwrap();
            scan.end(&mut note);
        }
    }
    assert!(texts >= 10_000, "{texts}");
    assert!(hits.len() <= FALSE_HITS_MAX, "{} in {texts} texts:\n{}", hits.len(), hits.join("\n"));
}

/// A line of a transcript of Claude Code: what a tool gave, after a thought that is signed.
fn claude_code(r: &mut Random, text: &str) -> String {
    let (text, session, parent, own) = (in_json(text), r.uuid(), r.uuid(), r.uuid());
    let (tool, message, request) = (r.of(BASE62, 22), r.of(BASE62, 22), r.of(BASE62, 20));
    let (signature, tokens) = (padded(&r.bytes(180)), r.below(90_000));
    let ids = format!(r#""parentUuid":"{parent}","sessionId":"{session}","uuid":"{own}","version":"2.1.332""#);
    let usage = format!(r#"{{"input_tokens":{tokens},"cache_creation_input_tokens":0,"output_tokens":{tokens}}}"#);
    let thought = format!(r#"{{"type":"thinking","thinking":"It is there.","signature":"{signature}"}}"#);
    format!(
        "{{{ids},\"type\":\"assistant\",\"message\":{{\"id\":\"msg_01{message}\",\"content\":[{thought}],\
         \"usage\":{usage}}},\"requestId\":\"req_011C{request}\"}}\n\
         {{{ids},\"type\":\"user\",\"message\":{{\"role\":\"user\",\"content\":[{{\"tool_use_id\":\"toolu_01{tool}\",\
         \"type\":\"tool_result\",\"content\":{text}}}]}},\"toolUseResult\":{{\"stdout\":{text},\"stderr\":\"\"}}}}\n"
    )
}

/// A line of a transcript of Codex: the output of a call is JSON in a string.
fn codex(r: &mut Random, text: &str) -> String {
    let (call, reasoning) = (r.of(BASE62, 24), padded(&r.bytes(240)));
    let output = in_json(&format!(r#"{{"output":{},"metadata":{{"exit_code":0}}}}"#, in_json(text)));
    let session = format!("{}-{}", r.of(HEX, 8), r.of(HEX, 12));
    format!(
        "{{\"timestamp\":\"2026-11-30T15:22:57.123Z\",\"type\":\"response_item\",\"payload\":{{\"type\":\"reasoning\",\
         \"id\":\"rs_{session}\",\"encrypted_content\":\"{reasoning}\"}}}}\n\
         {{\"timestamp\":\"2026-11-30T15:22:58.123Z\",\"type\":\"response_item\",\"payload\":{{\
         \"type\":\"function_call_output\",\"call_id\":\"call_{call}\",\"output\":{output}}}}}\n"
    )
}

/// Source: RFC 8259, section 7.
fn in_json(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|char| match char {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\n' => "\\n".to_owned(),
            _ => char.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}
