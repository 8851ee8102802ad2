//! What a command says: the one place that writes to standard output.
//!
//! The rules it keeps: results go to standard output, everything else to standard error; with `--json` exactly one
//! document comes out, and with `--json-lines` one object a line, the last of which is that document; and whatever
//! others chose steers no terminal. Text goes out line by line through `harmless`, JSON through `harmless_json`, here
//! and nowhere else; only content that was asked for, and texts of our own, go out as they are.

use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write};
use std::mem;

use clap::Args;
use hydrant_host::contract::error::{Fault, code_name};
use hydrant_host::contract::report::{Document, ErrorReport};
use hydrant_host::tasks::transfer::TransferReport;
use hydrant_host::text::{harmless, harmless_json, plain, quote};
use schemars::JsonSchema;
use serde::Serialize;

use crate::ending::Ending;

/// Failed objects named one by one in text; the rest is counted. JSON names them all.
const FAILURES_SHOWN_MAX: usize = 20;

/// How much is said, and in which form.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputOptions {
    /// Print one JSON document instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print progress as JSON, one event a line; the last line is the document of --json
    #[arg(long, global = true, conflicts_with = "json")]
    pub(crate) json_lines: bool,
    /// Print results and errors only
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Print each request and file access of the engine, without secrets
    #[arg(long, short, global = true, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
}

impl OutputOptions {
    /// Whether a program reads the result.
    pub(crate) fn is_json(&self) -> bool {
        self.json || self.json_lines
    }
}

/// Standard output and standard error of one command.
pub(crate) struct Output {
    pub(crate) options: OutputOptions,
    out: BufWriter<Stdout>,
    /// Content is shown to somebody, and not to a program.
    is_seen: bool,
    /// The beginning of a character of content whose end is still to come.
    held: Vec<u8>,
    broken: Option<io::Error>,
}

/// The last line of `--json-lines`.
#[derive(Serialize)]
struct LastEvent<'a, R> {
    event: &'static str,
    #[serde(flatten)]
    document: &'a Document<R>,
}

/// What a command that could not go on reports of its own.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Nothing {}

impl Output {
    pub(crate) fn new(options: OutputOptions) -> Self {
        let out = BufWriter::with_capacity(64 * 1024, io::stdout());
        Self { options, out, is_seen: io::stdout().is_terminal(), held: Vec::new(), broken: None }
    }

    /// One line of the result.
    pub(crate) fn line(&mut self, text: impl AsRef<str>) {
        if !self.options.is_json() {
            self.bytes(harmless(text.as_ref()).as_bytes());
            self.bytes(b"\n");
        }
    }

    /// The result as one JSON document; nothing where text was asked for.
    pub(crate) fn report(&mut self, ok: bool, report: impl Serialize) {
        self.document(&Document::of(ok, report));
    }

    /// The same, with the reason why the command ended early.
    pub(crate) fn document(&mut self, document: &Document<impl Serialize>) {
        if !self.options.is_json() || self.broken.is_some() {
            return;
        }
        let text = if self.options.json_lines {
            serde_json::to_string(&LastEvent { event: "report", document })
        } else {
            serde_json::to_string_pretty(document)
        };
        let written = text.map_err(io::Error::from).and_then(|text| writeln!(self.out, "{}", harmless_json(&text)));
        self.broken = written.err();
    }

    /// Content that was asked for: as it is, but for what could steer a terminal when it goes to one.
    pub(crate) fn content(&mut self, bytes: &[u8]) {
        if !self.is_seen {
            return self.bytes(bytes);
        }
        let mut bytes = [mem::take(&mut self.held).as_slice(), bytes].concat();
        let cut = bytes.utf8_chunks().last().map_or(0, |last| last.invalid().len());
        self.held = bytes.split_off(bytes.len() - cut);
        for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if at > 0 {
                self.bytes(b"\n");
            }
            self.bytes(harmless(&String::from_utf8_lossy(line)).as_bytes());
        }
    }

    /// Bytes of the result as they are: nothing that others chose. After a first failure nothing more is written;
    /// `finish` tells.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        if self.broken.is_none() {
            self.broken = self.out.write_all(bytes).err();
        }
    }

    /// Something worth knowing beside the result.
    pub(crate) fn note(&mut self, text: impl AsRef<str>) {
        if !self.options.quiet && !self.options.is_json() {
            self.flush();
            say(text.as_ref());
        }
    }

    /// Something that is wrong, said even when quiet.
    pub(crate) fn warn(&mut self, text: impl AsRef<str>) {
        if !self.options.is_json() {
            self.flush();
            say(text.as_ref());
        }
    }

    /// The failed objects of a transfer, named up to a bound.
    pub(crate) fn failures(&mut self, report: &TransferReport) {
        let failed = report.outcomes.iter().filter_map(|one| one.error.as_ref().map(|error| (one, error)));
        let mut hidden = 0;
        for (at, (outcome, error)) in failed.enumerate() {
            if at < FAILURES_SHOWN_MAX {
                let name = quote(outcome.name.as_bytes());
                self.warn(format!("{name}: {}: {}", code_name(error.code.0), plain(&error.detail)));
            } else {
                hidden += 1;
            }
        }
        if hidden > 0 {
            self.warn(format!("… and {hidden} more; --json names them all"));
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
        let held = String::from_utf8_lossy(&self.held).into_owned();
        self.bytes(held.as_bytes());
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
        self.document(&Document::ended(Some(ErrorReport::from(fault)), false, Nothing {}));
        if !self.options.is_json() {
            self.flush();
            say(&format!("hydrant: {}", plain(&fault.detail)));
        }
    }
}

/// One line on standard error. Nobody is told when even that is gone.
pub(crate) fn say(text: &str) {
    writeln!(io::stderr(), "{}", harmless(text)).ok();
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
