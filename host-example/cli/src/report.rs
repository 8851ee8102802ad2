//! What a command says: the one place that writes to standard output, and the shapes of its text and JSON.
//!
//! The rules it keeps: results go to standard output, everything else to standard error; with `--json` exactly one
//! document comes out; names that others chose cannot steer a terminal.

use std::io::{self, BufWriter, Stdout, Write};

use hydrant_host::process::{is_direction_mark, plain};
use hydrant_host::wit::operations::Outcome;
use hydrant_host::wit::types::{Code, Error};
use serde_json::{Value, json};

use crate::cli::Voice;
use crate::ending::{Ending, Fault, code_name};

/// Failed objects named one by one in text; the rest is counted. JSON names them all.
const FAILURES_SHOWN_MAX: usize = 20;

/// Standard output and standard error of one command.
pub(crate) struct Output {
    pub(crate) voice: Voice,
    out: BufWriter<Stdout>,
    broken: Option<io::Error>,
}

impl Output {
    pub(crate) fn new(voice: Voice) -> Self {
        Self { voice, out: BufWriter::with_capacity(64 * 1024, io::stdout()), broken: None }
    }

    /// One line of the result.
    pub(crate) fn line(&mut self, text: impl AsRef<str>) {
        if !self.voice.json {
            self.bytes(text.as_ref().as_bytes());
            self.bytes(b"\n");
        }
    }

    /// The result as one JSON document.
    pub(crate) fn json(&mut self, document: &Value) {
        if self.voice.json {
            // Printing a `Value` cannot fail: its keys are strings and its numbers finite.
            self.bytes(format!("{document:#}\n").as_bytes());
        }
    }

    /// Bytes of the result as they are. After a first failure nothing more is written; `finish` tells.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        if self.broken.is_none() {
            self.broken = self.out.write_all(bytes).err();
        }
    }

    /// Something worth knowing beside the result.
    pub(crate) fn note(&mut self, text: impl AsRef<str>) {
        if !self.voice.quiet && !self.voice.json {
            self.flush();
            say(text.as_ref());
        }
    }

    /// Something that is wrong, said even when quiet.
    pub(crate) fn warn(&mut self, text: impl AsRef<str>) {
        if !self.voice.json {
            self.flush();
            say(text.as_ref());
        }
    }

    /// Lets everything written so far out.
    pub(crate) fn flush(&mut self) {
        if self.broken.is_none() {
            self.broken = self.out.flush().err();
        }
    }

    /// Ends the output; a reader that went away is no news, any other failure is.
    pub(crate) fn finish(mut self, ending: Ending) -> Ending {
        self.flush();
        match self.broken {
            None => ending,
            Some(error) if error.kind() == io::ErrorKind::BrokenPipe => ending,
            Some(_) => {
                say("hydrant: the output could not be written");
                ending.max(Ending::Failed)
            }
        }
    }

    /// Says why a whole command ended.
    pub(crate) fn fault(&mut self, fault: &Fault) {
        if self.voice.json {
            self.json(&json!({ "ok": false, "error": error_json(fault.code, &fault.detail, fault.retry_at) }));
        } else {
            self.flush();
            say(&format!("hydrant: {}", plain(&fault.detail)));
        }
    }
}

/// One line on standard error. Nobody is told when even that is gone.
pub(crate) fn say(text: &str) {
    writeln!(io::stderr(), "{text}").ok();
}

/// An error in JSON.
pub(crate) fn error_json(code: Code, detail: &str, retry_at: Option<u64>) -> Value {
    let mut error = json!({ "code": code_name(code), "detail": detail });
    if let Some(at) = retry_at {
        error["retry_at_ms"] = at.into();
    }
    error
}

/// The outcomes of a transfer, with the names they are reported under.
pub(crate) struct TransferReport {
    pub(crate) outcomes: Vec<Outcome>,
    /// Seconds it took.
    pub(crate) seconds: f64,
    /// The user ended it.
    pub(crate) interrupted: bool,
}

impl TransferReport {
    /// Objects that ended well.
    pub(crate) fn present(&self) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.ended.is_ok()).count()
    }

    /// Bytes of the objects that ended well.
    pub(crate) fn bytes(&self) -> u64 {
        self.outcomes.iter().filter(|outcome| outcome.ended.is_ok()).map(|outcome| outcome.size).sum()
    }

    /// The exit code these outcomes ask for.
    pub(crate) fn ending(&self) -> Ending {
        match (self.interrupted, self.present() == self.outcomes.len()) {
            (true, false) => Ending::Interrupted,
            (_, true) => Ending::Done,
            (false, false) => Ending::SomeFailed,
        }
    }

    /// The failed ones, named up to a bound.
    pub(crate) fn say_failures(&self, output: &mut Output) {
        let failed = self.outcomes.iter().filter_map(|one| one.ended.as_ref().err().map(|error| (one, error)));
        let mut hidden = 0;
        for (at, (outcome, error)) in failed.enumerate() {
            if at < FAILURES_SHOWN_MAX {
                let name = quote(outcome.name.as_bytes());
                output.warn(format!("{name}: {}: {}", code_name(error.code), plain(&error.detail)));
            } else {
                hidden += 1;
            }
        }
        if hidden > 0 {
            output.warn(format!("… and {hidden} more; --json names them all"));
        }
    }

    /// All of it in JSON.
    pub(crate) fn json(&self) -> Value {
        json!({
            "ok": self.ending() == Ending::Done,
            "interrupted": self.interrupted,
            "objects": self.outcomes.len(),
            "present": self.present(),
            "bytes": self.bytes(),
            "seconds": (self.seconds * 1000.0).round() / 1000.0,
            "outcomes": self.outcomes.iter().map(outcome_json).collect::<Vec<_>>(),
        })
    }
}

fn outcome_json(outcome: &Outcome) -> Value {
    let mut value = json!({ "name": outcome.name, "oid": outcome.oid, "size": outcome.size });
    match &outcome.ended {
        Ok(()) => value["state"] = "present".into(),
        Err(Error { code, detail, retry_at }) => {
            value["state"] = if *code == Code::Unfinished { "unfinished" } else { "failed" }.into();
            value["error"] = error_json(*code, detail, *retry_at);
        }
    }
    value
}

/// Columns that line up; numbers stand to the right.
pub(crate) struct Table {
    right: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Column heads; a head that begins with `>` makes its column stand to the right.
    pub(crate) fn new(heads: &[&str]) -> Self {
        let right = heads.iter().map(|head| head.starts_with('>')).collect();
        Self { right, rows: vec![heads.iter().map(|head| head.trim_start_matches('>').to_owned()).collect()] }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    pub(crate) fn print(&self, output: &mut Output) {
        let width = |column: usize| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.right.len()).map(width).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let gap = " ".repeat(widths[column].saturating_sub(cell.chars().count()));
                let (before, after) = if self.right[column] { (gap.as_str(), "") } else { ("", gap.as_str()) };
                line = line + before + cell + after + "  ";
            }
            output.line(line.trim_end());
        }
    }
}

/// A count of bytes for people.
pub(crate) fn bytes_text(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let (mut value, mut unit) = (bytes as f64 / 1024.0, 0);
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// `1 file`, `2 files`.
pub(crate) fn count_text(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A word of a command that is shown, as a shell takes it. One that would steer the terminal is shown as a path is.
pub(crate) fn shell(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&byte);
    let shown = quote(word.as_bytes());
    if word.bytes().all(is_plain) || word.chars().any(|c| c.is_control() || is_direction_mark(c)) {
        return shown;
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// A path as git prints it: as it is, or in quotes with escapes when a quote, a backslash, a byte outside UTF-8 or
/// something that steers a terminal stands in it.
pub(crate) fn quote(path: &[u8]) -> String {
    let steers = |c: char| c.is_control() || is_direction_mark(c);
    let harmless = |text: &str| !text.chars().any(|c| steers(c) || matches!(c, '"' | '\\'));
    if let Ok(text) = std::str::from_utf8(path)
        && harmless(text)
    {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for chunk in path.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' | '\\' => quoted.extend(['\\', c]),
                '\n' => quoted.push_str("\\n"),
                '\t' => quoted.push_str("\\t"),
                c if steers(c) => {
                    let mut utf8 = [0; 4];
                    c.encode_utf8(&mut utf8).bytes().for_each(|byte| quoted.push_str(&octal(byte)));
                }
                c => quoted.push(c),
            }
        }
        chunk.invalid().iter().for_each(|byte| quoted.push_str(&octal(*byte)));
    }
    quoted.push('"');
    quoted
}

fn octal(byte: u8) -> String {
    format!("\\{byte:03o}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_what_a_shell_makes_of_it() {
        for word in ["sessions/a-b/meta.json", "a b $x", "it's", "\"\\", "ü", "*"] {
            let said = std::process::Command::new("sh").args(["-c", &format!("printf %s {}", shell(word))]).output();
            assert_eq!(String::from_utf8(said.expect("a shell").stdout).expect("text"), word);
        }
        assert_eq!((shell("a/b"), shell("a\u{1b}b")), ("a/b".to_owned(), "\"a\\033b\"".to_owned()));
    }

    #[test]
    fn paths_are_quoted_only_when_they_must_be() {
        for (path, expected) in [
            (&b"a b/\xc3\xa4"[..], "a b/ä"),
            (b"a\nb", r#""a\nb""#),
            (b"a\x1b[31m", r#""a\033[31m""#),
            (b"q\"\\", r#""q\"\\""#),
            (b"\xff", r#""\377""#),
            ("a\u{202e}b".as_bytes(), r#""a\342\200\256b""#),
        ] {
            assert_eq!(quote(path), expected);
        }
    }

    #[test]
    fn byte_counts_are_short() {
        for (bytes, expected) in
            [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (20 << 20, "20.0 MiB"), (1023 << 20, "1.0 GiB")]
        {
            assert_eq!(bytes_text(bytes), expected);
        }
    }
}
