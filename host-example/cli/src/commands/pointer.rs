//! `hydrant pointer`: what one file is, and the pointer of a file's content.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use hydrant_host::contract::error::{Fault, FaultKind};
use hydrant_host::contract::pointers::{Kind, Pointer, Sample};
use hydrant_host::contract::report::{Document, ErrorCode, ErrorReport};
use hydrant_host::contract::types::Code;
use hydrant_host::files::digest::Digesting;
use hydrant_host::tasks::Client;
use hydrant_host::text::quote_path;
use hydrant_host::worktree::scan::POINTER_BYTES_LIMIT;
use schemars::JsonSchema;
use serde::Serialize;

use crate::ending::Ending;
use crate::output::Output;

const READ_BYTES: usize = 256 * 1024;

#[derive(Debug, Subcommand)]
pub(crate) enum PointerCommand {
    /// Say what a file is: a pointer, a broken one, or content
    #[command(after_help = "Example: hydrant pointer show media/intro.mp4")]
    Show(PointerArgs),
    /// Exit with 0 for a canonical pointer, 2 for another pointer, 1 for anything else
    #[command(after_help = "Example: hydrant pointer check media/intro.mp4 && echo fine")]
    Check(PointerArgs),
    /// Print the canonical pointer of a file's content
    #[command(after_help = "Example: hydrant pointer make intro.mp4 > pointer.txt")]
    Make(PointerArgs),
}

#[derive(Args, Debug)]
pub(crate) struct PointerArgs {
    /// The file; `-` is standard input
    pub(crate) file: PathBuf,
}

/// What a file is.
#[derive(Default, Serialize, JsonSchema)]
pub(crate) struct PointerReport {
    /// `pointer`, `content` or `malformed`; `check` also says `canonical` and `not-canonical`.
    kind: &'static str,
    /// Of a pointer: SHA-256 of what it stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    oid: Option<String>,
    /// Of a pointer: bytes of what it stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    /// Of a pointer: its bytes are the ones that every client writes.
    #[serde(skip_serializing_if = "Option::is_none")]
    canonical: Option<bool>,
    /// Of a pointer: filters that it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    extensions: Option<Vec<Extension>>,
    /// Of content and of a broken pointer: the line that decided, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    /// Of content: why it is no pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// Of a pointer that was made: its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// A filter that a pointer names.
#[derive(Serialize, JsonSchema)]
struct Extension {
    /// Its place in the order.
    priority: u8,
    /// Its name.
    name: String,
    /// SHA-256 of what went into it.
    oid: String,
}

pub(crate) fn run(command: &PointerCommand, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    match command {
        PointerCommand::Show(arguments) => show(&arguments.file, client, output),
        PointerCommand::Check(arguments) => check(&arguments.file, client, output),
        PointerCommand::Make(arguments) => make(&arguments.file, client, output),
    }
}

fn show(file: &Path, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    let mut guest = client.guest()?;
    let kind = guest.classify(&sample(file)?)?;
    Ok(match kind {
        Kind::Pointer(pointer) => {
            output.report(true, of_pointer(&pointer));
            output.line("a pointer");
            output.line(format!("oid        sha256:{}", pointer.oid));
            output.line(format!("size       {}", pointer.size));
            output.line(format!("canonical  {}", if pointer.canonical { "yes" } else { "no" }));
            for extension in &pointer.extensions {
                output.line(format!("extension  {} {} sha256:{}", extension.priority, extension.name, extension.oid));
            }
            Ending::Done
        }
        Kind::Content(finding) => {
            let why = guest.explain(finding)?;
            let (line, detail) = (Some(finding.line), Some(why.clone()));
            output.report(false, PointerReport { kind: "content", line, detail, ..PointerReport::default() });
            output.line(format!("content: {why}"));
            Ending::SomeFailed
        }
        Kind::Malformed(finding) => {
            let why = guest.explain(finding)?;
            let error = ErrorReport { code: ErrorCode(Code::Malformed), detail: why.clone(), retry_at_ms: None };
            let report = PointerReport { kind: "malformed", line: Some(finding.line), ..PointerReport::default() };
            output.document(&Document::ended(Some(error), false, report));
            output.line(format!("a broken pointer, line {}: {why}", finding.line));
            Ending::SomeFailed
        }
    })
}

/// The exit codes of `git lfs pointer --check --strict`.
fn check(file: &Path, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    let kind = client.guest()?.classify(&sample(file)?)?;
    let (ending, words) = match kind {
        Kind::Pointer(Pointer { canonical: true, .. }) => (Ending::Done, "canonical"),
        Kind::Pointer(_) => (Ending::Misuse, "not-canonical"),
        Kind::Malformed(_) => (Ending::SomeFailed, "malformed"),
        Kind::Content(_) => (Ending::SomeFailed, "content"),
    };
    output.report(ending == Ending::Done, PointerReport { kind: words, ..PointerReport::default() });
    if ending != Ending::Done {
        output.note(format!("{}: {words}: `hydrant pointer show` says more", quote_path(file)));
    }
    Ok(ending)
}

fn make(file: &Path, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    let mut guest = client.guest()?;
    let (head, blob) = {
        let mut input = open(file)?;
        let mut digest = Digesting::new();
        let mut head = Vec::new();
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let length = match input.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(unreadable(file, &error)),
            };
            let room = POINTER_BYTES_LIMIT.saturating_sub(head.len()).min(length);
            head.extend_from_slice(&buffer[..room]);
            digest.update(&buffer[..length]);
        }
        (head, digest.finish())
    };
    if guest.pointer_shaped(&Sample { head, file_size: blob.size })? {
        return Err(Fault {
            kind: FaultKind::Part,
            ..Fault::failed(
                Code::Malformed,
                "this file holds a pointer or a broken one, which is never content: name the content itself",
            )
        });
    }
    let pointer = Pointer { oid: blob.oid, size: blob.size, extensions: Vec::new(), canonical: true };
    let text = guest.format(&pointer)?;
    if output.options.is_json() {
        output.report(true, PointerReport { text: Some(text), ..of_pointer(&pointer) });
    } else {
        output.bytes(text.as_bytes());
    }
    Ok(Ending::Done)
}

fn of_pointer(pointer: &Pointer) -> PointerReport {
    let extension = |one: &hydrant_host::contract::pointers::Extension| Extension {
        priority: one.priority,
        name: one.name.clone(),
        oid: one.oid.clone(),
    };
    PointerReport {
        kind: "pointer",
        oid: Some(pointer.oid.clone()),
        size: Some(pointer.size),
        canonical: Some(pointer.canonical),
        extensions: Some(pointer.extensions.iter().map(extension).collect()),
        ..PointerReport::default()
    }
}

/// The first bytes of a file and its length; of standard input as much as decides.
fn sample(file: &Path) -> Result<Sample, Fault> {
    let mut head = Vec::new();
    let read = open(file)?.take(POINTER_BYTES_LIMIT as u64).read_to_end(&mut head);
    read.map_err(|error| unreadable(file, &error))?;
    let file_size = head.len() as u64;
    Ok(Sample { head, file_size })
}

fn open(file: &Path) -> Result<Box<dyn Read>, Fault> {
    if file == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let opened = File::open(file).map_err(|error| unreadable(file, &error))?;
    if opened.metadata().is_ok_and(|facts| facts.is_dir()) {
        return Err(Fault::misuse(format!("{} is a folder: name a file of it", quote_path(file))));
    }
    Ok(Box::new(opened))
}

fn unreadable(file: &Path, error: &io::Error) -> Fault {
    Fault { kind: FaultKind::Misuse, ..Fault::local(&quote_path(file), error) }
}
