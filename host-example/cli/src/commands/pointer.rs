//! `hydrant pointer`: what one file is, and the pointer of a file's content.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use hydrant_host::digest::Digesting;
use hydrant_host::engine::Engine;
use hydrant_host::scan::POINTER_BYTES_LIMIT;
use hydrant_host::wit::pointers::{Kind, Pointer, Sample};
use hydrant_host::wit::types::Code;
use serde_json::json;

use crate::cli::PointerCommand;
use crate::ending::{Ending, Fault, code_name};
use crate::report::Output;

const READ_BYTES: usize = 256 * 1024;

pub(crate) fn run(command: &PointerCommand, output: &mut Output) -> Result<Ending, Fault> {
    match command {
        PointerCommand::Show(arguments) => show(&arguments.file, output),
        PointerCommand::Check(arguments) => check(&arguments.file, output),
        PointerCommand::Make(arguments) => make(&arguments.file, output),
    }
}

fn show(file: &Path, output: &mut Output) -> Result<Ending, Fault> {
    let mut guest = Engine::load()?.guest()?;
    let kind = guest.classify(&sample(file)?)?;
    Ok(match kind {
        Kind::Pointer(pointer) => {
            output.json(&pointer_json(&pointer));
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
            output.json(&json!({ "ok": true, "kind": "content", "detail": why, "line": finding.line }));
            output.line(format!("content: {why}"));
            Ending::SomeFailed
        }
        Kind::Malformed(finding) => {
            let why = guest.explain(finding)?;
            output.json(&json!({
                "ok": false, "kind": "malformed", "line": finding.line,
                "error": { "code": code_name(Code::Malformed), "detail": why },
            }));
            output.line(format!("a broken pointer, line {}: {why}", finding.line));
            Ending::SomeFailed
        }
    })
}

/// The exit codes of `git lfs pointer --check --strict`.
fn check(file: &Path, output: &mut Output) -> Result<Ending, Fault> {
    let kind = Engine::load()?.guest()?.classify(&sample(file)?)?;
    let (ending, words) = match kind {
        Kind::Pointer(Pointer { canonical: true, .. }) => (Ending::Done, "canonical"),
        Kind::Pointer(_) => (Ending::Misuse, "not-canonical"),
        Kind::Malformed(_) => (Ending::SomeFailed, "malformed"),
        Kind::Content(_) => (Ending::SomeFailed, "content"),
    };
    output.json(&json!({ "ok": ending == Ending::Done, "kind": words }));
    Ok(ending)
}

fn make(file: &Path, output: &mut Output) -> Result<Ending, Fault> {
    let mut guest = Engine::load()?.guest()?;
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
                Err(error) => return Err(unreadable(&error)),
            };
            let room = POINTER_BYTES_LIMIT.saturating_sub(head.len()).min(length);
            head.extend_from_slice(&buffer[..room]);
            digest.update(&buffer[..length]);
        }
        (head, digest.finish())
    };
    if guest.pointer_shaped(&Sample { head, file_size: blob.size })? {
        return Err(Fault {
            ending: Ending::SomeFailed,
            ..Fault::failed(Code::Malformed, "this file holds a pointer or a broken one, which is never content")
        });
    }
    let pointer = Pointer { oid: blob.oid, size: blob.size, extensions: Vec::new(), canonical: true };
    let text = guest.format(&pointer)?;
    if output.voice.json {
        let mut document = pointer_json(&pointer);
        document["text"] = text.into();
        output.json(&document);
    } else {
        output.bytes(text.as_bytes());
    }
    Ok(Ending::Done)
}

fn pointer_json(pointer: &Pointer) -> serde_json::Value {
    let extensions: Vec<_> = pointer
        .extensions
        .iter()
        .map(|one| json!({ "priority": one.priority, "name": one.name, "oid": one.oid }))
        .collect();
    json!({
        "ok": true, "kind": "pointer", "oid": pointer.oid, "size": pointer.size,
        "canonical": pointer.canonical, "extensions": extensions,
    })
}

/// The first bytes of a file and its length; of standard input as much as decides.
fn sample(file: &Path) -> Result<Sample, Fault> {
    let mut head = Vec::new();
    let read = open(file)?.take(POINTER_BYTES_LIMIT as u64).read_to_end(&mut head);
    read.map_err(|error| unreadable(&error))?;
    let file_size = head.len() as u64;
    Ok(Sample { head, file_size })
}

fn open(file: &Path) -> Result<Box<dyn Read>, Fault> {
    if file == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let opened = File::open(file).map_err(|error| unreadable(&error))?;
    if opened.metadata().is_ok_and(|facts| facts.is_dir()) {
        return Err(Fault::misuse("this is a folder, not a file"));
    }
    Ok(Box::new(opened))
}

fn unreadable(error: &io::Error) -> Fault {
    Fault { ending: Ending::Misuse, ..Fault::local("the file cannot be read", error) }
}
