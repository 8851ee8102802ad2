//! `hydrant demo`: the whole way of a session on this machine: recorded, published, cloned, hydrated through the
//! sandboxed engine, and every byte compared.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::time::Instant;

use hydrant_host::files::digest::{Digesting, blob_of};
use hydrant_host::driver::{Interrupts, interrupted};
use hydrant_host::engine::Engine;
use hydrant_host::store::Store;
use hydrant_host::contract::operations::Outcome;
use hydrant_host::contract::types::Code;
use hydrant_server::{RunningServer, Server, ServerConfig, TOKEN_USER};
use serde_json::json;

use crate::cli::{DemoArgs, HydrateArgs, PublishArgs, ServerArgs, StatusArgs, Voice};
use crate::commands::hydrate_sessions::{self, Chosen};
use crate::commands::publish::Scene;
use crate::commands::{serve, show, status};
use crate::demo::content::{self, ATTACHMENT, FIELDS, OLDER_META_HEAD, OLDER_SESSION, SESSION};
use crate::demo::manifest::{self, Listed};
use crate::demo::world::World;
use crate::ending::Ending;
use hydrant_host::contract::error::Fault;
use hydrant_host::sessions::ledger::{Ledger, MANIFEST, SESSIONS, Session};
use crate::publish_report::{self, Came};
use crate::report::{Output, Table, TransferReport};
use hydrant_host::text::{bytes_text, count_text};
use hydrant_host::repository::Repository;

/// The line of the hydrated transcript that is shown at the end.
const PROOF_LINE: u64 = 12_345;
/// Characters of it that are shown.
const PROOF_CHARS_MAX: usize = 110;
const READ_BYTES: usize = 256 * 1024;

pub(crate) fn run(arguments: &DemoArgs, output: &mut Output) -> Result<Ending, Fault> {
    let started = Instant::now();
    // From here on an interrupt removes the folders, too.
    Interrupts::listen()?;
    let engine = Engine::load()?;
    let world = World::create(arguments.dir.as_deref(), arguments.keep)?;
    let server = start_server(&world)?;
    step(output, 1, &format!("an LFS server of our own listens on {}", server.url()));

    let recording = world.folder("recording")?;
    content::write_session(&recording).map_err(|error| Fault::local("the session cannot be written", &error))?;
    go_on()?;
    let files = list(&recording)?;
    let bytes: u64 = files.iter().map(|file| file.blob.size).sum();
    step(
        output,
        2,
        &format!(
            "a session was recorded: {}, {}; its transcript has {} lines",
            count_text(files.len(), "file"),
            bytes_text(bytes),
            content::ENTRIES + 2
        ),
    );

    go_on()?;
    begin_ledger(&world)?;
    step(output, 3, "the ledger, a git repository, holds an older session as plain files; it is pushed");

    go_on()?;
    let url = lfs_url(&server);
    let came = publish(&Repository::open(world.ledger())?, &engine, &recording, &url, output)?;
    step(
        output,
        4,
        &format!(
            "the session is published: content to the server, pointers to the ledger, {}",
            pace(bytes, came.seconds)
        ),
    );
    show_publish(&came, output);

    go_on()?;
    let reader = Repository::open(world.clone_for_reader(&url)?)?;
    step(output, 5, "somebody clones the ledger and sees pointers:");
    show_clone(&reader, output)?;

    go_on()?;
    let report = hydrate(&reader, &engine, &output.voice)?;
    step(output, 6, &format!("the engine hydrated the clone: {}", rate(&report)));
    expect_all(&report)?;

    let ledger = Ledger::of(&reader)?;
    let store = Store::cache(&reader.store_dir())?;
    let session = ledger.session(&mut engine.guest()?, &store, SESSION, u64::MAX)?;
    let reader = Reader { ledger, store, session: &session };
    let verified = verify(&reader, &recording, &files)?;
    step(output, 7, &format!("every byte was compared with the recording: {} the same", bytes_text(verified)));
    let line = proof(&reader)?;
    go_on()?;
    let seen = Seen { came: &came, report: &report, line: &line, seconds: started.elapsed().as_secs_f64() };
    closing(&files, &seen, &server, &world, output);
    if arguments.serve {
        stay(&server, &world, output)?;
    } else if !world.is_passing() {
        output.line(format!("the folders are kept: {}", world.root.display()));
    }
    Ok(Ending::Done)
}

/// Ends the demonstration where the user wants it to end.
fn go_on() -> Result<(), Fault> {
    if interrupted() { Err(Fault::interrupted("interrupted")) } else { Ok(()) }
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
fn list(folder: &Path) -> Result<Vec<Listed>, Fault> {
    let unreadable = |error: &io::Error| Fault::local("the recording cannot be read", error);
    let mut files = Vec::new();
    for name in ["raw.jsonl", ATTACHMENT, "context-trace.jsonl", "summary.md", "session.md"] {
        let mut file = File::open(folder.join(name)).map_err(|error| unreadable(&error))?;
        let mut digest = Digesting::new();
        let mut buffer = vec![0; READ_BYTES];
        loop {
            go_on()?;
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

fn publish(
    ledger: &Repository,
    engine: &Engine,
    recording: &Path,
    url: &str,
    output: &mut Output,
) -> Result<Came, Fault> {
    let field = |(name, value): &(&str, &str)| format!("{name}={value}");
    let arguments = PublishArgs {
        session: SESSION.to_owned(),
        from: Some(recording.to_owned()),
        fields: FIELDS.iter().map(field).collect(),
        server: ServerArgs { endpoint: Some(url.to_owned()), ..ServerArgs::default() },
        ..PublishArgs::default()
    };
    let came = Scene::look(ledger, engine, &arguments)?.publish(output)?;
    match &came.report.ended {
        Ok(()) if publish_report::ending(&came) == Ending::Done => Ok(came),
        Ok(()) => Err(Fault::failed(Code::Conflict, "a file of the recording changed meanwhile")),
        Err(error) => {
            let fault = Fault::failed(error.code, &error.detail);
            Err(if came.interrupted { Fault { ending: Ending::Interrupted, ..fault } } else { fault })
        }
    }
}

fn show_publish(came: &Came, output: &mut Output) {
    output.line("");
    publish_report::table(&came.report, output);
    output.line("");
    output.line(publish_report::summary(&came.report, came.seconds));
    output.line("");
}

fn show_clone(reader: &Repository, output: &mut Output) -> Result<(), Fault> {
    if output.voice.json {
        return Ok(());
    }
    let pointer = fs::read(reader.top.join(SESSIONS).join(SESSION).join("raw.jsonl"));
    let pointer = pointer.map_err(|error| Fault::local("the clone cannot be read", &error))?;
    output.line(format!("\n   raw.jsonl, all {} bytes of it:", pointer.len()));
    for line in String::from_utf8_lossy(&pointer).lines() {
        output.line(format!("     {line}"));
    }
    output.line("");
    status::in_repository(reader, &StatusArgs::default(), output)?;
    output.line("");
    let session = StatusArgs { session: Some(SESSION.to_owned()), ..StatusArgs::default() };
    status::in_repository(reader, &session, output)?;
    output.line("");
    Ok(())
}

fn hydrate(reader: &Repository, engine: &Engine, voice: &Voice) -> Result<TransferReport, Fault> {
    let ledger = Ledger::of(reader)?;
    let chosen = vec![Chosen { name: SESSION.to_owned(), file: None }];
    hydrate_sessions::transfer(reader, engine, &ledger, chosen, &HydrateArgs::default(), voice)
}

fn expect_all(report: &TransferReport) -> Result<(), Fault> {
    match report.outcomes.iter().find_map(|one| one.ended.as_ref().err().map(|error| (one, error))) {
        None => Ok(()),
        Some((Outcome { name, .. }, error)) => {
            let fault = Fault::failed(error.code, format!("{name}: {}", error.detail));
            Err(if report.interrupted { Fault { ending: Ending::Interrupted, ..fault } } else { fault })
        }
    }
}

/// What a reader of the clone gets: verified content, or an error.
struct Reader<'a> {
    ledger: Ledger,
    store: Store,
    session: &'a Session,
}

impl Reader<'_> {
    fn open(&self, name: &str) -> Result<File, Fault> {
        let files = self.session.manifest.files.iter().zip(&self.session.status.files);
        let found = files.into_iter().find(|(file, _)| file.name == name);
        let opened = match found {
            Some((file, status)) => show::open(&self.ledger, &self.store, SESSION, file, status.state)?.ok(),
            None => None,
        };
        opened.ok_or_else(|| Fault::failed(Code::Integrity, format!("{name} cannot be read after hydration")))
    }
}

/// Compares what a reader gets with what was recorded, byte by byte. Returns the number of bytes.
fn verify(reader: &Reader<'_>, recording: &Path, files: &[Listed]) -> Result<u64, Fault> {
    let unreadable = |error: &io::Error| Fault::local("the content cannot be read", error);
    let mut bytes = 0;
    for file in files {
        let original = File::open(recording.join(&file.name)).map_err(|error| unreadable(&error))?;
        go_on()?;
        let same = same_bytes(original, reader.open(&file.name)?).map_err(|error| unreadable(&error))?;
        go_on()?;
        bytes += same.ok_or_else(|| Fault::failed(Code::Integrity, format!("{} differs", file.name)))?;
    }
    Ok(bytes)
}

/// How many bytes two files have in common when they have all of them.
fn same_bytes(a: File, b: File) -> io::Result<Option<u64>> {
    let (mut a, mut b) = (BufReader::with_capacity(READ_BYTES, a), BufReader::with_capacity(READ_BYTES, b));
    let mut bytes = 0;
    loop {
        let (left, right) = (a.fill_buf()?, b.fill_buf()?);
        let length = left.len().min(right.len());
        if left[..length] != right[..length] || (length == 0 && left.len() != right.len()) {
            return Ok(None);
        }
        // An interrupted comparison has found no difference; its caller looks at the flag.
        if length == 0 || interrupted() {
            return Ok(Some(bytes));
        }
        bytes += length as u64;
        a.consume(length);
        b.consume(length);
    }
}

/// One line of the hydrated transcript.
fn proof(reader: &Reader<'_>) -> Result<String, Fault> {
    let lines = BufReader::with_capacity(READ_BYTES, reader.open("raw.jsonl")?).lines();
    let at = usize::try_from(PROOF_LINE - 1).unwrap_or(usize::MAX);
    let line = lines.into_iter().nth(at).transpose();
    line.map(Option::unwrap_or_default).map_err(|error| Fault::local("the transcript cannot be read", &error))
}

/// What the last lines tell.
struct Seen<'a> {
    came: &'a Came,
    report: &'a TransferReport,
    line: &'a str,
    seconds: f64,
}

fn closing(files: &[Listed], seen: &Seen<'_>, server: &RunningServer, world: &World, output: &mut Output) {
    let Seen { came, report, line, seconds } = seen;
    let listed: Vec<_> = files
        .iter()
        .map(|file| json!({ "name": file.name, "oid": file.blob.oid, "size": file.blob.size, "verified": true }))
        .collect();
    output.json(&json!({
        "ok": true, "session": SESSION, "files": listed, "publish": publish_report::document(SESSION, came),
        "hydrate": report.json(), "seconds": seconds, "transcript_line": PROOF_LINE, "transcript_text": line,
        "folder": (!world.is_passing()).then(|| world.root.display().to_string()), "server": server.url(),
    }));
    output.line("");
    let mut table = Table::new(&["file", ">size", ">bytes", "verified", ">time", "oid"]);
    for file in files {
        let oid = format!("{}…", file.blob.oid.get(..16).unwrap_or_default());
        let size = bytes_text(file.blob.size);
        table.row([file.name.clone(), size, file.blob.size.to_string(), "yes".to_owned(), String::new(), oid]);
    }
    let bytes: u64 = files.iter().map(|file| file.blob.size).sum();
    let (size, time) = (bytes_text(bytes), format!("{:.2} s", report.seconds));
    table.row([count_text(files.len(), "file"), size, bytes.to_string(), "all".to_owned(), time, String::new()]);
    table.print(output);
    let shown: String = line.chars().take(PROOF_CHARS_MAX).collect();
    let more = if shown.len() < line.len() { "…" } else { "" };
    output.line(format!("\nline {PROOF_LINE} of the hydrated transcript:\n  {shown}{more}"));
    output.line(format!("\ndone in {seconds:.1} s"));
}

/// Leaves server and folders up until the user has seen enough.
fn stay(server: &RunningServer, world: &World, output: &mut Output) -> Result<(), Fault> {
    let mut interrupts = Interrupts::listen()?;
    output.line(format!("\nThe server stays at {} until Ctrl-C. In another terminal:", server.url()));
    output.line(format!("  cd {}", world.root.join("reader").display()));
    for command in ["status", "cache list", "cache clear --yes", "hydrate"] {
        output.line(format!("  hydrant {command}"));
    }
    output.line(format!("  hydrant show {SESSION} raw.jsonl --lines 1-3"));
    output.flush();
    serve::wait_for(&mut interrupts)
}

fn rate(report: &TransferReport) -> String {
    format!("{}, {}", count_text(report.present(), "object"), pace(report.bytes(), report.seconds))
}

fn pace(bytes: u64, seconds: f64) -> String {
    let each = if seconds > 0.0 { bytes as f64 / seconds } else { 0.0 };
    format!("{} in {seconds:.2} s ({}/s)", bytes_text(bytes), bytes_text(each as u64))
}
