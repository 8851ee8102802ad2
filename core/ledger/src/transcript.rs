//! The transcript of a session, counted while it is hashed: JSON Lines, a header, entries, a footer.
//!
//! Three shapes are in use (ox `internal/session/entry.go`): a header and a footer by `type`, a first line that holds
//! only `_meta`, and entries alone. What is counted comes from the very bytes that the oid names.

use crate::limits::TRANSCRIPT_LINE_BYTES_MAX;
use alloc::vec::Vec;
use hydrant_lfs::text::json::{self, Value};

/// What a transcript holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entries {
    /// Lines that are JSON objects, without header and footer.
    pub(crate) count: u64,
    /// At least one of them was said or done by a user, an assistant or a tool.
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
        match entry.get("type").and_then(Value::text) {
            Some("header" | "footer") => return,
            Some("system") => {}
            _ => {
                let role = entry.get("data").and_then(|data| data.get("role")).and_then(Value::text);
                self.substantive |= role != Some("system");
            }
        }
        self.count += 1;
    }
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
            ("{\"ts\":1}\nnot json\n[1]\n{\"cut\":".to_owned(), (1, true)),
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
