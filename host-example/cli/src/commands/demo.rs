//! `hydrant demo`: the whole way of a session on this machine: recorded, published, cloned, hydrated through the
//! sandboxed engine, and every byte compared.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use hydrant_host::contract::cancel::Cancel;
use hydrant_host::contract::error::{Fault, FaultKind};
use hydrant_host::contract::report::{BlobReport, ErrorReport};
use hydrant_host::contract::types::Code;
use hydrant_host::files::digest::{Digesting, blob_of};
use hydrant_host::repository::Repository;
use hydrant_host::sessions::ledger::{MANIFEST, SESSIONS};
use hydrant_host::tasks::Client;
use hydrant_host::tasks::endpoint::ServerOptions;
use hydrant_host::tasks::hydrate::{HydrateOptions, HydrateReport};
use hydrant_host::tasks::publish::{PublishOptions, PublishReport};
use hydrant_host::tasks::show::{Content, Lines, ShowOptions, Shown};
use hydrant_host::tasks::status::StatusOptions;
use hydrant_host::tasks::transfer::TransferReport;
use hydrant_host::text::{bytes_text, count_text};
use hydrant_server::{RunningServer, Server, ServerConfig, TOKEN_USER};
use schemars::JsonSchema;
use serde::Serialize;

use crate::commands::{publish, serve, status};
use crate::demo::content::{self, ATTACHMENT, FIELDS, OLDER_META_HEAD, OLDER_SESSION, SESSION};
use crate::demo::manifest::{self, Listed};
use crate::demo::world::World;
use crate::ending::Ending;
use crate::output::{Output, Table};

/// The line of the hydrated transcript that is shown at the end.
const PROOF_LINE: u64 = 12_345;
/// Characters of it that are shown.
const PROOF_CHARS_MAX: usize = 110;
const READ_BYTES: usize = 256 * 1024;

#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// Keep the server and the folders until Ctrl-C, to try things
    #[arg(long)]
    pub(crate) serve: bool,
    /// Leave the folders behind at the end
    #[arg(long)]
    pub(crate) keep: bool,
    /// Work in this folder, which must be empty or absent
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

/// What a demonstration came to.
#[derive(Serialize, JsonSchema)]
pub(crate) struct DemoReport<'a> {
    /// The session's name.
    session: &'static str,
    /// Its files; every byte of each was compared with the recording.
    file_list: Vec<VerifiedFile>,
    /// What the publish came to.
    publish: &'a PublishReport,
    /// What the hydration came to.
    hydrate: &'a HydrateReport,
    /// Seconds it all took.
    seconds: f64,
    /// Number of a line of the transcript.
    transcript_line: u64,
    /// That line, as a reader of the clone gets it.
    transcript_text: &'a str,
    /// Where the folders are, if they stay.
    folder: Option<String>,
    /// Where the server listens.
    server: String,
}

/// A file that was compared, byte for byte.
#[derive(Serialize, JsonSchema)]
struct VerifiedFile {
    /// Its name within the session.
    name: String,
    /// Its blob.
    #[serde(flatten)]
    blob: BlobReport,
    /// Always true.
    verified: bool,
}

pub(crate) fn run(arguments: &DemoArgs, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    let started = Instant::now();
    let cancel = client.cancellation();
    // From here on an interrupt removes the folders, too.
    cancel.listen()?;
    let world = World::create(arguments.dir.as_deref(), arguments.keep)?;
    let server = start_server(&world)?;
    step(output, 1, &format!("an LFS server of our own listens on {}", server.url()));

    let recording = world.folder("recording")?;
    content::write_session(&recording).map_err(|error| Fault::local("the session cannot be written", &error))?;
    go_on(cancel)?;
    let files = list(&recording, cancel)?;
    let bytes: u64 = files.iter().map(|file| file.blob.size).sum();
    let (count, size, lines) = (count_text(files.len(), "file"), bytes_text(bytes), content::ENTRIES + 2);
    step(output, 2, &format!("a session was recorded: {count}, {size}; its transcript has {lines} lines"));

    go_on(cancel)?;
    begin_ledger(&world)?;
    step(output, 3, "the ledger, a git repository, holds an older session as plain files; it is pushed");

    go_on(cancel)?;
    let url = lfs_url(&server);
    let published = publish_session(client, &world.repository()?, &recording, &url)?;
    let pace_text = pace(bytes, published.seconds);
    step(output, 4, &format!("the session is published: content to the server, pointers to the ledger, {pace_text}"));
    show_publish(&published, output);

    go_on(cancel)?;
    let reader = world.clone_for_reader(&url)?;
    step(output, 5, "somebody clones the ledger and sees pointers:");
    show_clone(client, &reader, output)?;

    go_on(cancel)?;
    let options = HydrateOptions { targets: vec![SESSION.to_owned()], ..HydrateOptions::default() };
    let hydrated = client.hydrate(&reader, &options)?;
    step(output, 6, &format!("the engine hydrated the clone: {}", rate(&hydrated.transfer)));
    expect_all(&hydrated.transfer)?;

    let verified = verify(client, &reader, &recording, &files)?;
    step(output, 7, &format!("every byte was compared with the recording: {} the same", bytes_text(verified)));
    let line = proof(client, &reader)?;
    go_on(cancel)?;
    let report = DemoReport {
        session: SESSION,
        file_list: files.iter().map(VerifiedFile::of).collect(),
        publish: &published,
        hydrate: &hydrated,
        seconds: started.elapsed().as_secs_f64(),
        transcript_line: PROOF_LINE,
        transcript_text: &line,
        folder: (!world.is_passing()).then(|| world.root.display().to_string()),
        server: server.url(),
    };
    output.report(true, &report);
    closing(&report, output);
    if arguments.serve {
        stay(&server, &world, cancel, output)?;
    } else if !world.is_passing() {
        output.line(format!("the folders are kept: {}", world.root.display()));
    }
    Ok(Ending::Done)
}

impl VerifiedFile {
    fn of(file: &Listed) -> Self {
        Self { name: file.name.clone(), blob: BlobReport::from(&file.blob), verified: true }
    }
}

/// Ends the demonstration where the user wants it to end.
fn go_on(cancel: &Cancel) -> Result<(), Fault> {
    if cancel.is_cancelled() { Err(Fault::interrupted("interrupted")) } else { Ok(()) }
}

fn step(output: &mut Output, number: u32, text: &str) {
    output.line(format!("{number}. {text}"));
    output.flush();
}

fn start_server(world: &World) -> Result<RunningServer, Fault> {
    let config = ServerConfig::new(world.root.join("server"));
    Server::spawn(config).map_err(|error| Fault::local("the server cannot start", &error))
}

/// The server's address with its token as login: a secret of this run on this machine's loopback.
fn lfs_url(server: &RunningServer) -> String {
    let url = server.url();
    let host = url.strip_prefix("http://").unwrap_or(&url);
    format!("http://{TOKEN_USER}:{}@{host}/demo.git/info/lfs", server.token())
}

/// What was recorded, hashed by this program itself.
fn list(folder: &Path, cancel: &Cancel) -> Result<Vec<Listed>, Fault> {
    let unreadable = |error: &io::Error| Fault::local("the recording cannot be read", error);
    let mut files = Vec::new();
    for name in ["raw.jsonl", ATTACHMENT, "context-trace.jsonl", "summary.md", "session.md"] {
        let mut file = File::open(folder.join(name)).map_err(|error| unreadable(&error))?;
        let mut digest = Digesting::new();
        let mut buffer = vec![0; READ_BYTES];
        loop {
            go_on(cancel)?;
            match file.read(&mut buffer).map_err(|error| unreadable(&error))? {
                0 => break,
                length => digest.update(&buffer[..length]),
            }
        }
        files.push(Listed { name: name.to_owned(), blob: digest.finish() });
    }
    Ok(files)
}

/// A ledger as it was before content was moved out of git: one session, and the remote has it.
fn begin_ledger(world: &World) -> Result<(), Fault> {
    let unwritable = |error: &io::Error| Fault::local("the ledger cannot be written", error);
    let older = world.folder(&format!("ledger/{SESSIONS}/{OLDER_SESSION}"))?;
    content::write_older_session(&older).map_err(|error| unwritable(&error))?;
    let mut older_files = Vec::new();
    for name in ["raw.jsonl", "session.md"] {
        let blob = blob_of(&fs::read(older.join(name)).map_err(|error| unwritable(&error))?);
        older_files.push(Listed { name: name.to_owned(), blob });
    }
    let text = manifest::text(OLDER_META_HEAD, older_files);
    fs::write(older.join(MANIFEST), text).map_err(|error| unwritable(&error))?;
    world.commit("An older session")?;
    world.push()
}

fn publish_session(client: &Client, ledger: &Repository, recording: &Path, url: &str) -> Result<PublishReport, Fault> {
    let field = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let options = PublishOptions {
        session: SESSION.to_owned(),
        from: Some(recording.to_owned()),
        fields: FIELDS.iter().map(field).collect(),
        server: ServerOptions { endpoint: Some(url.to_owned()), ..ServerOptions::default() },
        ..PublishOptions::default()
    };
    let report = client.publish(ledger, &options)?;
    match &report.ended {
        None if report.is_complete() => Ok(report),
        None => Err(Fault::failed(Code::Conflict, "a file of the recording changed meanwhile")),
        Some(error) => Err(ended(error, report.was_interrupted())),
    }
}

fn ended(error: &ErrorReport, was_interrupted: bool) -> Fault {
    let kind = if was_interrupted { FaultKind::Interrupted } else { FaultKind::Whole };
    Fault { kind, ..Fault::failed(error.code.0, &error.detail) }
}

fn show_publish(report: &PublishReport, output: &mut Output) {
    output.line("");
    publish::table(report, output);
    output.line("");
    output.line(publish::summary(report));
    output.line("");
}

fn show_clone(client: &Client, reader: &Repository, output: &mut Output) -> Result<(), Fault> {
    if output.options.is_json() {
        return Ok(());
    }
    let pointer = fs::read(reader.top.join(SESSIONS).join(SESSION).join("raw.jsonl"));
    let pointer = pointer.map_err(|error| Fault::local("the clone cannot be read", &error))?;
    output.line("");
    output.line(format!("   raw.jsonl, all {} bytes of it:", pointer.len()));
    for line in String::from_utf8_lossy(&pointer).lines() {
        output.line(format!("     {line}"));
    }
    for session in [None, Some(SESSION.to_owned())] {
        output.line("");
        let options = StatusOptions { session, ..StatusOptions::default() };
        status::say(&client.status(reader, &options).map_err(|stopped| stopped.fault)?, output);
    }
    output.line("");
    Ok(())
}

fn expect_all(report: &TransferReport) -> Result<(), Fault> {
    match report.outcomes.iter().find_map(|one| one.error.as_ref().map(|error| (one, error))) {
        None => Ok(()),
        Some((one, error)) => {
            let fault = ended(error, report.interrupted);
            Err(Fault { detail: format!("{}: {}", one.name, fault.detail), ..fault })
        }
    }
}

/// What a reader of the clone gets: verified content, or an error.
fn open(client: &Client, reader: &Repository, name: &str) -> Result<Content, Fault> {
    let options = ShowOptions { target: SESSION.to_owned(), file: Some(name.to_owned()), ..ShowOptions::default() };
    match client.show(reader, &options)? {
        Shown::Content(content) => Ok(content),
        Shown::Unreadable(one) => Err(Fault::failed(Code::Integrity, format!("{name}: {}", one.error.detail))),
    }
}

/// Compares what a reader gets with what was recorded, byte by byte. Returns the number of bytes.
fn verify(client: &Client, reader: &Repository, recording: &Path, files: &[Listed]) -> Result<u64, Fault> {
    let unreadable = |error: &io::Error| Fault::local("the recording cannot be read", error);
    let mut bytes = 0;
    for file in files {
        go_on(client.cancellation())?;
        let mut original = File::open(recording.join(&file.name)).map_err(|error| unreadable(&error))?;
        let mut expected = vec![0; READ_BYTES];
        let mut is_same = true;
        let read = open(client, reader, &file.name)?.read(None, |block| {
            expected.resize(block.len(), 0);
            is_same &= original.read_exact(&mut expected).is_ok() && expected == block;
        })?;
        let is_over = matches!(original.read(&mut [0]), Ok(0));
        if !is_same || !is_over {
            return Err(Fault::failed(Code::Integrity, format!("{} differs", file.name)));
        }
        bytes += read.whole.size;
    }
    Ok(bytes)
}

/// One line of the hydrated transcript.
fn proof(client: &Client, reader: &Repository) -> Result<String, Fault> {
    let mut line = Vec::new();
    let lines = Lines { first: PROOF_LINE, last: PROOF_LINE };
    open(client, reader, "raw.jsonl")?.read(Some(lines), |block| line.extend_from_slice(block))?;
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

fn closing(report: &DemoReport<'_>, output: &mut Output) {
    output.line("");
    let mut table = Table::new(&["file", ">size", ">bytes", "verified", ">time", "oid"]);
    for VerifiedFile { name, blob: BlobReport { oid, size }, .. } in &report.file_list {
        let oid = format!("{}…", oid.get(..16).unwrap_or_default());
        table.row([name.clone(), bytes_text(*size), size.to_string(), "yes".to_owned(), String::new(), oid]);
    }
    let bytes: u64 = report.file_list.iter().map(|file| file.blob.size).sum();
    let (size, time) = (bytes_text(bytes), format!("{:.2} s", report.hydrate.transfer.seconds));
    let count = count_text(report.file_list.len(), "file");
    table.row([count, size, bytes.to_string(), "all".to_owned(), time, String::new()]);
    table.print(output);
    let line = report.transcript_text;
    let shown: String = line.chars().take(PROOF_CHARS_MAX).collect();
    let more = if shown.len() < line.len() { "…" } else { "" };
    output.line("");
    output.line(format!("line {PROOF_LINE} of the hydrated transcript:"));
    output.line(format!("  {shown}{more}"));
    output.line("");
    output.line(format!("done in {:.1} s", report.seconds));
}

/// Leaves server and folders up until the user has seen enough.
fn stay(server: &RunningServer, world: &World, cancel: &Cancel, output: &mut Output) -> Result<(), Fault> {
    let mut cancelled = cancel.listen()?;
    output.line("");
    output.line(format!("The server stays at {} until Ctrl-C. In another terminal:", server.url()));
    output.line(format!("  cd {}", world.root.join("reader").display()));
    for command in ["status", "cache list", "cache clear --yes", "hydrate"] {
        output.line(format!("  hydrant {command}"));
    }
    output.line(format!("  hydrant show {SESSION} raw.jsonl --lines 1-3"));
    output.flush();
    serve::wait_for(&mut cancelled)
}

fn rate(report: &TransferReport) -> String {
    format!("{}, {}", count_text(report.present, "object"), pace(report.bytes, report.seconds))
}

fn pace(bytes: u64, seconds: f64) -> String {
    let each = if seconds > 0.0 { bytes as f64 / seconds } else { 0.0 };
    format!("{} in {seconds:.2} s ({}/s)", bytes_text(bytes), bytes_text(each as u64))
}
