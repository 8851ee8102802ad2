//! Where texts stand: logs, transcripts of agents, and encodings within them.

use super::text::{Text, in_hex, in_json, in_json_by_number, in_json_with_slashes, in_percent};
use super::{BASE62, BASE64, HEX, Random, URL_SAFE, padded};

/// What a dress does to a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cover {
    /// It stands there as somebody wrote it, or escaped once in a line of JSON.
    Plain,
    /// It is encoded, or stands in a text within another one.
    Nested,
    /// It is told in pieces.
    Split,
}

/// A place for texts.
pub(crate) struct Dress {
    pub(crate) name: &'static str,
    /// The file that it is a part of.
    pub(crate) file: &'static str,
    pub(crate) cover: Cover,
    /// Whole lines of that file.
    pub(crate) put: fn(&mut Random, &Text) -> Text,
}

const fn plain(name: &'static str, file: &'static str, put: fn(&mut Random, &Text) -> Text) -> Dress {
    Dress { name, file, cover: Cover::Plain, put }
}

const fn nested(name: &'static str, file: &'static str, put: fn(&mut Random, &Text) -> Text) -> Dress {
    Dress { name, file, cover: Cover::Nested, put }
}

const fn split(name: &'static str, file: &'static str, put: fn(&mut Random, &Text) -> Text) -> Dress {
    Dress { name, file, cover: Cover::Split, put }
}

pub(crate) const DRESSES: &[Dress] = &[
    plain("lines", "output.txt", |_, text| Text::fill("@@\n", text)),
    plain("log", "app.log", |r, text| {
        let level = *r.pick(&["INFO", "DEBUG", "ERROR"]);
        Text::fill(&format!("2026-11-30T15:22:{:02}.123Z {level} [worker-3] app: @@\n", r.below(60)), text)
    }),
    plain("diff", "change.diff", |r, text| {
        let text = text.written(|char| if char == '\n' { "\n+".to_owned() } else { char.to_string() });
        let (from, to) = (r.of(HEX, 7), r.of(HEX, 7));
        Text::fill(&format!("index {from}..{to} 100644\n--- a/it\n+++ b/it\n context\n-gone\n+@@\n"), &text)
    }),
    plain("shell history", "history.txt", |r, text| {
        Text::fill(&format!(": 17{}:0;echo it; @@\n", r.below(99_999_999)), text)
    }),
    plain("Markdown", "notes.md", |_, text| Text::fill("## Notes\n\nThis is what it said:\n\n```\n@@\n```\n", text)),
    plain("YAML", "settings.yaml", |_, text| {
        let text = text.written(|char| if char == '\n' { "\n    ".to_owned() } else { char.to_string() });
        Text::fill("app:\n  it:\n    @@\n", &text)
    }),
    plain("Claude Code: tool result", "claude/session.jsonl", |r, text| claude_result(r, &text.written(in_json))),
    plain("Claude Code: user", "claude/session.jsonl", |r, text| {
        let content =
            Text::fill(r#""role":"user","content":"please look at this:\n@@\nand tell me""#, &text.written(in_json));
        claude(r, "user", &content)
    }),
    plain("Claude Code: thinking", "claude/agent.jsonl", |r, text| {
        let thought = Text::fill("The output has @@, so I go on.", &text.written(in_json));
        let signature = padded(&r.bytes(180));
        let template = format!(r#""content":[{{"type":"thinking","thinking":"@@","signature":"{signature}"}}]"#);
        claude(r, "assistant", &Text::fill(&template, &thought))
    }),
    plain("Codex: message", "codex/rollout.jsonl", |r, text| {
        let template = r#"{"type":"message","role":"user","content":[{"type":"input_text","text":"it says @@"}]}"#;
        codex(r, &Text::fill(template, &text.written(in_json)))
    }),
    nested("Codex: output of a call", "codex/rollout.jsonl", |r, text| {
        let output = Text::fill(r#"{"output":"@@","metadata":{"exit_code":0}}"#, &text.written(in_json));
        codex_output(r, &output.written(in_json))
    }),
    nested("JSON in JSON in JSON", "claude/session.jsonl", |r, text| {
        let inner = Text::fill(r#"{"a":1,"text":"@@"}"#, &text.written(in_json));
        let outer = Text::fill(r#"{"body":"@@","n":[1,2]}"#, &inner.written(in_json));
        claude_result(r, &outer.written(in_json))
    }),
    nested("escapes by number", "claude/agent.jsonl", |r, text| claude_result(r, &text.written(in_json_by_number))),
    nested("escaped slashes", "codex/rollout.jsonl", |r, text| codex_output(r, &text.written(in_json_with_slashes))),
    nested("percent signs", "access.log", |r, text| {
        let template =
            format!("10.0.0.{} - - \"GET /back?state=@@&n={} HTTP/1.1\" 200 12\n", r.below(255), r.below(99));
        Text::fill(&template, &text.written(in_percent))
    }),
    nested("percent signs in JSON", "claude/session.jsonl", |r, text| {
        let address = Text::fill("https://host.example/back?state=@@&n=1", &text.written(in_percent));
        claude_result(r, &address.written(in_json))
    }),
    nested("base64", "output.txt", |_, text| Text::fill("it is @@ in base64\n", &in_base64(text))),
    nested("base64 in YAML", "config.yaml", |r, text| {
        let template = format!("kind: ConfigMap\nmetadata:\n  name: it-{}\nbinaryData:\n  config: @@\n", r.of(HEX, 5));
        Text::fill(&template, &in_base64(text))
    }),
    nested("base64 in JSON", "codex/rollout.jsonl", |r, text| codex_output(r, &in_base64(text))),
    nested("base64 for addresses", "access.log", |_, text| {
        Text::fill("GET /it?data=@@ HTTP/1.1\n", &text.in_base64(URL_SAFE))
    }),
    nested("hexadecimal digits", "app.log", |_, text| Text::fill("DEBUG frame 0x01: @@\n", &text.written(in_hex))),
    nested("hexadecimal digits in JSON", "claude/agent.jsonl", |r, text| claude_result(r, &text.written(in_hex))),
    split("pieces of Anthropic", "streams/anthropic.jsonl", |r, text| {
        let form = r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"@@"}}"#;
        let begin = format!(r#"{{"type":"message_start","message":{{"id":"msg_01{}"}}}}"#, r.of(BASE62, 22));
        streamed(r, text, &begin, form, r#"{"type":"content_block_stop","index":0}"#)
    }),
    split("pieces of OpenAI", "streams/openai.jsonl", |r, text| {
        let id = r.of(BASE62, 29);
        let form = format!(
            r#"{{"id":"chatcmpl-{id}","object":"chat.completion.chunk","choices":[{{"index":0,{}}}]}}"#,
            r#""delta":{"content":"@@"}"#
        );
        streamed(r, text, r#"{"object":"begin"}"#, &form, r#"{"object":"end","usage":{"total_tokens":12}}"#)
    }),
    split("pieces of Codex", "streams/codex.jsonl", |r, text| {
        let item = r.of(HEX, 48);
        let form =
            format!(r#"{{"type":"response.output_text.delta","item_id":"msg_{item}","output_index":0,"delta":"@@"}}"#);
        streamed(r, text, r#"{"type":"response.created"}"#, &form, r#"{"type":"response.completed"}"#)
    }),
];

/// With the signs that make it a multiple of four.
fn in_base64(text: &Text) -> Text {
    let written = text.in_base64(BASE64);
    let length = written.text().len();
    written.then(Text::plain("=".repeat(length.next_multiple_of(4) - length)))
}

fn streamed(r: &mut Random, text: &Text, begin: &str, form: &str, end: &str) -> Text {
    let mut lines = Text::plain(format!("{begin}\n"));
    let around = Text::fill("Here it is:\n@@\nDone.", text);
    for part in around.cut(r) {
        lines = lines.then(Text::fill(&format!("{form}\n"), &part.written(in_json)));
    }
    lines.then(Text::plain(format!("{end}\n")))
}

/// A line of a transcript of Claude Code.
fn claude(r: &mut Random, role: &str, message: &Text) -> Text {
    let (session, parent, own) = (r.uuid(), r.uuid(), r.uuid());
    let template = format!(
        "{{\"parentUuid\":\"{parent}\",\"isSidechain\":false,\"cwd\":\"/home/me/it\",\"sessionId\":\"{session}\",\
         \"version\":\"2.1.332\",\"type\":\"{role}\",\"message\":{{@@}},\"uuid\":\"{own}\",\
         \"timestamp\":\"2026-11-30T15:22:57.123Z\"}}\n"
    );
    Text::fill(&template, message)
}

/// What a tool gave: once for the model, and once for people.
fn claude_result(r: &mut Random, text: &Text) -> Text {
    let tool = r.of(BASE62, 22);
    let content = format!(
        "\"role\":\"user\",\"content\":[{{\"tool_use_id\":\"toolu_01{tool}\",\"type\":\"tool_result\",\
         \"content\":\"@@\"}}]"
    );
    let message = Text::fill(&content, text);
    if r.below(2) == 0 {
        return claude(r, "user", &message);
    }
    // The same text twice, as the real ones have it.
    let both = Text::fill(&format!("{content}}},\"toolUseResult\":{{\"stdout\":\"@@\",\"stderr\":\"\""), text);
    claude(r, "user", &both)
}

/// A line of a transcript of Codex.
fn codex(_: &mut Random, payload: &Text) -> Text {
    let template = "{\"timestamp\":\"2026-11-30T15:22:58.123Z\",\"type\":\"response_item\",\"payload\":@@}\n";
    Text::fill(template, payload)
}

fn codex_output(r: &mut Random, output: &Text) -> Text {
    let template = format!(r#"{{"type":"function_call_output","call_id":"call_{}","output":"@@"}}"#, r.of(BASE62, 24));
    codex(r, &Text::fill(&template, output))
}
