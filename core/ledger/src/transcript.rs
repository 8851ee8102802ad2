//! The transcript of a session, counted while it is hashed: JSON Lines, a header, entries, a footer.
//!
//! Recorders write three shapes (ox `internal/session/entry.go`): a header and a footer by `type`, a first line that
//! holds only `_meta`, and entries alone. Agents write shapes of their own. What is counted comes from the very bytes
//! that the oid names.
//!
//! Who speaks in an entry, says a word in `type` or `role`, of the entry itself or of what it wraps:
//!
//! | writer | an entry that counts |
//! | --- | --- |
//! | ox, Claude Code, Gemini | `{"type":"user"}`, `"assistant"`, `"tool"`, `"gemini"` |
//! | ox, of before | `{"type":"message","data":{"role":"user"}}` |
//! | Pi, Droid | `{"type":"message","message":{"role":"user"}}` |
//! | Codex | `{"type":"response_item","payload":{"role":"user"}}`, `{…"payload":{"type":"function_call"}}` |
//! | Copilot | `{"type":"user.message"}`, `{"type":"tool.execution_start"}` |
//! | most APIs | `{"role":"user"}` |

use crate::limits::TRANSCRIPT_LINE_BYTES_MAX;
use alloc::vec::Vec;
use hydrant_lfs::text::json::{self, Value};

/// Who says or does something in a session: the first words of what `type` and `role` call them.
const SPEAKERS: [&str; 8] = ["user", "human", "assistant", "model", "gemini", "agent", "tool", "function"];
/// Members in which an entry wraps what was said.
const WRAPPED: [&str; 3] = ["data", "message", "payload"];

/// What a transcript holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entries {
    /// Lines that are JSON objects, without header and footer.
    pub(crate) count: u64,
    /// At least one of them was said or done by a user, an assistant or a tool: [`SPEAKERS`].
    pub(crate) substantive: bool,
}

/// Counts while bytes come in pieces of any size.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counter {
    line: Vec<u8>,
    /// The line is longer than the limit; its rest is skipped.
    long: bool,
    entries: Entries,
}

impl Counter {
    pub(crate) fn update(&mut self, mut bytes: &[u8]) {
        while let Some(at) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = (&bytes[..at], &bytes[at + 1..]);
            if self.line.is_empty() && !self.long {
                // A whole line in one piece, as nearly all are.
                self.entries.take(line);
            } else {
                self.extend(line);
                self.end_line();
            }
            bytes = rest;
        }
        self.extend(bytes);
    }

    pub(crate) fn finish(mut self) -> Entries {
        self.end_line();
        self.entries
    }

    fn extend(&mut self, bytes: &[u8]) {
        if self.line.len() + bytes.len() > TRANSCRIPT_LINE_BYTES_MAX {
            self.long = true;
        } else if !self.long {
            self.line.extend_from_slice(bytes);
        }
    }

    fn end_line(&mut self) {
        if self.long {
            // No header is that long.
            self.entries.count += 1;
            self.entries.substantive = true;
        } else {
            self.entries.take(&self.line);
        }
        self.line.clear();
        self.long = false;
    }
}

impl Entries {
    fn take(&mut self, line: &[u8]) {
        if line.len() > TRANSCRIPT_LINE_BYTES_MAX {
            self.count += 1;
            self.substantive = true;
            return;
        }
        // A line that is cut or broken is kept in the content and counts for nothing.
        let Ok(entry) = json::parse(line) else { return };
        if !entry.is_object() || entry.get("_meta").is_some() {
            return;
        }
        if matches!(entry.get("type").and_then(Value::text), Some("header" | "footer")) {
            return;
        }
        self.substantive |= says_who(&entry) || WRAPPED.iter().filter_map(|key| entry.get(key)).any(says_who);
        self.count += 1;
    }
}

/// Whether an entry, or what it wraps, names a speaker.
fn says_who(entry: &Value<'_>) -> bool {
    let words = ["type", "role"].into_iter().filter_map(|key| entry.get(key)?.text());
    let mut first_words = words.filter_map(|word| word.split(|c: char| !c.is_ascii_lowercase()).next());
    first_words.any(|word| SPEAKERS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "{\"type\":\"header\",\"metadata\":{}}\n";

    fn counted(text: &str, piece: usize) -> (u64, bool) {
        let mut counter = Counter::default();
        text.as_bytes().chunks(piece).for_each(|piece| counter.update(piece));
        let entries = counter.finish();
        (entries.count, entries.substantive)
    }

    #[test]
    fn who_speaks_is_known_of_every_writer() {
        for (line, substantive) in [
            (r#"{"type":"user","content":"hi"}"#, true),
            (r#"{"type":"tool","tool_name":"Bash"}"#, true),
            (r#"{"type":"gemini","content":"hi"}"#, true),
            (r#"{"type":"assistant","message":{"role":"assistant","content":[]}}"#, true),
            (r#"{"type":"message","data":{"role":"assistant"}}"#, true),
            (r#"{"type":"message","message":{"role":"toolResult"}}"#, true),
            (r#"{"type":"message","message":{"role":"user"}}"#, true),
            (r#"{"type":"response_item","payload":{"type":"message","role":"user"}}"#, true),
            (r#"{"type":"response_item","payload":{"type":"function_call","name":"shell"}}"#, true),
            (r#"{"type":"event_msg","payload":{"type":"agent_message"}}"#, true),
            (r#"{"type":"user.message","data":{"content":"hi"}}"#, true),
            (r#"{"type":"tool.execution_start"}"#, true),
            (r#"{"role":"model","parts":[]}"#, true),
            (r#"{"type":"summary","summary":"A title","leafUuid":"x"}"#, false),
            (r#"{"type":"file-history-snapshot","messageId":"x"}"#, false),
            (r#"{"type":"session_meta","payload":{"cwd":"/"}}"#, false),
            (r#"{"type":"response_item","payload":{"type":"message","role":"developer"}}"#, false),
            (r#"{"type":"session.start","data":{"sessionId":"x"}}"#, false),
            (r#"{"type":"system","content":"user"}"#, false),
            (r#"{"type":"message","data":{"role":"system"}}"#, false),
            (r#"{"type":"userland"}"#, false),
            (r#"{"type":7,"role":["user"]}"#, false),
            (r#"{"foo":1}"#, false),
            ("{}", false),
        ] {
            assert_eq!(counted(line, line.len()), (1, substantive), "{line}");
        }
    }

    #[test]
    fn every_shape_counts_alike_in_pieces_of_any_size() {
        let long = format!("{{\"type\":\"user\",\"content\":\"{}\"}}\n", "x".repeat(TRANSCRIPT_LINE_BYTES_MAX));
        for (text, expected) in [
            (String::new(), (0, false)),
            (HEADER.to_owned(), (0, false)),
            (format!("{HEADER}{{\"type\":\"footer\"}}\n"), (0, false)),
            (format!("{HEADER}{{\"type\":\"system\",\"content\":\"on\"}}\n"), (1, false)),
            (format!("{HEADER}{{\"type\":\"message\",\"data\":{{\"role\":\"system\"}}}}\n"), (1, false)),
            (format!("{HEADER}{{\"type\":\"user\"}}\n{{\"type\":\"tool\"}}"), (2, true)),
            ("{\"_meta\":{}}\n{\"ts\":1,\"type\":\"user\"}\n\n".to_owned(), (1, true)),
            ("{\"ts\":1}\nnot json\n[1]\n{\"cut\":".to_owned(), (1, false)),
            (format!("{HEADER}{long}"), (1, true)),
        ] {
            for piece in [1, 7, 4096, usize::MAX] {
                if piece > 1 || text.len() < 4096 {
                    assert_eq!(counted(&text, piece.min(text.len().max(1))), expected, "pieces of {piece}");
                }
            }
        }
    }
}
