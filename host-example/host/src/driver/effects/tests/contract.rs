//! The contract suite on this host, with a real store, real files and a real connection.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use hydrant_contract::{
    Ask, Body, Canned, Ending, Exchange, Heard, HostUnderTest, LedgerUnderTest, Method, PushRange, Pushing, RangeFile,
    Remote, Rewriting, Said, Why,
};
use tokio::task::LocalSet;

use crate::contract::types::{self, EffectId};
use crate::documents::Documents;
use crate::driver::effects::{BEAT_MS, Effects};
use crate::driver::host::Host;
use crate::files::Files;
use crate::files::digest::blob_of;
use crate::files::scratch::Scratch;
use crate::git::Git;
use crate::net::login::Logins;
use crate::remote::{Options, RemoteLedger};
use crate::store::Store;

/// Seconds one effect may take.
const EFFECT_S_MAX: u64 = 30;
/// Bytes of a request's head at most.
const HEAD_BYTES_MAX: usize = 64 << 10;

#[test]
fn the_real_host_keeps_the_contract() {
    for shape in [Shape::Folder, Shape::Cache] {
        let failures = hydrant_contract::failures(|| Real::new(shape));
        assert!(failures.is_empty(), "{shape:?}\n{}", failures.join("\n"));
    }
}

#[test]
fn the_real_ledger_keeps_the_contract() {
    let failures = hydrant_contract::ledger_failures(|| Real::new(Shape::Ledger));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The first effect of a run.
const FIRST: EffectId = 1;

/// The shapes of the store.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Folder,
    Cache,
    /// A cache in the clone of a ledger, whose work tree holds files and documents.
    Ledger,
}

/// The host, its folders, and a server that says what it is told.
struct Real {
    host: Option<Host>,
    shape: Shape,
    scratch: Scratch,
    server: Told,
    foreign: Told,
}

impl Real {
    fn new(shape: Shape) -> Real {
        let scratch = Scratch::new();
        for folder in ["store", "files", "docs"] {
            fs::create_dir(scratch.path().join(folder)).expect("a folder");
        }
        let mut real = Real { host: None, shape, scratch, server: Told::start(), foreign: Told::start() };
        if matches!(shape, Shape::Ledger) {
            real.found_ledger();
        }
        real.restart();
        real
    }

    /// A remote with a commit of nothing, the user's clone `files` and somebody else's, `there`.
    fn found_ledger(&self) {
        self.git(".", &["init", "--quiet", "--bare", "remote"]);
        self.git(".", &["clone", "--quiet", "remote", "files"]);
        self.git("files", &["commit", "--quiet", "--allow-empty", "--message", "begin"]);
        self.git("files", &["push", "--quiet", "--set-upstream", "origin", "HEAD:main"]);
        self.git(".", &["clone", "--quiet", "--branch", "main", "remote", "there"]);
    }

    fn git_in(&self, folder: &str) -> Git {
        let git = Git::find(Path::new("/")).expect("tests need git").alone(self.scratch.path());
        let git = ["GIT_AUTHOR", "GIT_COMMITTER"].iter().fold(git, |git, who| {
            git.with_variable(format!("{who}_NAME"), "a user").with_variable(format!("{who}_EMAIL"), "u@example.org")
        });
        git.at(&self.path(folder))
    }

    /// What git says; it must succeed.
    fn git(&self, folder: &str, arguments: &[&str]) -> Vec<u8> {
        let answer = self.git_in(folder).read(arguments, b"");
        answer.unwrap_or_else(|fault| panic!("{arguments:?}: {fault}"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Runs some work on open effects to its end.
    fn run<R>(&mut self, work: impl AsyncFnOnce(&mut Open) -> R) -> R {
        let host = self.host.as_mut().expect("a host stands between two restarts");
        let runtime = host.runtime().expect("a loop");
        let shared = host.shared.clone();
        runtime.block_on(LocalSet::new().run_until(async move {
            let mut open = Open { effects: Effects::new(shared), heard: BTreeMap::new() };
            let result = work(&mut open).await;
            open.effects.settle().await;
            result
        }))
    }
}

/// Effects under way and what they said.
struct Open {
    effects: Effects,
    heard: BTreeMap<EffectId, Vec<types::Reply>>,
}

impl Open {
    fn begin(&mut self, id: EffectId, ask: Ask) {
        let now = self.effects.begin(types::Task { id, effect: effect(ask) });
        self.heard.insert(id, now.into_iter().collect());
    }

    /// Listens until an effect is over, or said what is waited for.
    async fn listen(&mut self, id: EffectId, enough: fn(&types::Reply) -> bool) {
        let until = Instant::now() + Duration::from_secs(EFFECT_S_MAX);
        while self.effects.open.contains_key(&id) {
            assert!(Instant::now() < until, "an effect does not end");
            match tokio::time::timeout(Duration::from_millis(BEAT_MS), self.effects.next()).await {
                Ok((of, reply)) => {
                    let is_enough = of == id && enough(&reply);
                    self.heard.entry(of).or_default().push(reply);
                    if is_enough {
                        return;
                    }
                }
                Err(_) => self.effects.beat(),
            }
        }
    }

    /// Performs an effect to its end.
    async fn perform(&mut self, id: EffectId, ask: Ask) -> Vec<Said> {
        self.begin(id, ask);
        self.listen(id, |_| false).await;
        self.said(id)
    }

    fn said(&mut self, id: EffectId) -> Vec<Said> {
        self.heard.remove(&id).unwrap_or_default().into_iter().map(said).collect()
    }
}

fn is_head(reply: &types::Reply) -> bool {
    matches!(reply, types::Reply::Head(_))
}

impl HostUnderTest for Real {
    fn blob(&self, bytes: &[u8]) -> hydrant_contract::Blob {
        plain(blob_of(bytes))
    }

    fn serve(&mut self, answer: Canned) -> String {
        self.server.say(answer)
    }

    fn foreign(&mut self) -> String {
        self.foreign.say(Canned { status: 200, headers: Vec::new(), body: Vec::new(), ending: Ending::Whole })
    }

    fn heard(&mut self) -> Vec<Heard> {
        [&self.server, &self.foreign].into_iter().flat_map(Told::heard).collect()
    }

    fn place_file(&mut self, name: &str, bytes: Option<&[u8]>) {
        place(&self.path("files").join(name), bytes);
    }

    fn place_doc(&mut self, name: &str, bytes: &[u8]) {
        let folder = if matches!(self.shape, Shape::Ledger) { "files" } else { "docs" };
        place(&self.path(folder).join(name), Some(bytes));
    }

    fn perform(&mut self, ask: Ask) -> Vec<Said> {
        self.run(async move |open| open.perform(FIRST, ask).await)
    }

    fn cancel_after_head(&mut self, exchange: Exchange) -> Vec<Said> {
        self.run(async move |open| {
            open.begin(FIRST, Ask::Http(exchange));
            open.listen(FIRST, is_head).await;
            let cancelled = open.effects.cancel(FIRST);
            open.heard.entry(FIRST).or_default().extend(cancelled);
            open.said(FIRST)
        })
    }

    fn interleave(&mut self, exchange: Exchange, meanwhile: Vec<Ask>) -> (Vec<Said>, Vec<Vec<Said>>) {
        self.run(async move |open| {
            open.begin(FIRST, Ask::Http(exchange));
            open.listen(FIRST, is_head).await;
            let mut others = Vec::new();
            for (id, ask) in (FIRST + 1..).zip(meanwhile) {
                others.push(open.perform(id, ask).await);
            }
            open.listen(FIRST, |_| false).await;
            (open.said(FIRST), others)
        })
    }

    fn restart(&mut self) {
        // The old one goes first: its stages are locked while it lives.
        self.host = None;
        let state = self.path("files/.git/hydrant");
        let store = match self.shape {
            Shape::Folder => Store::into_dir(&self.path("store")),
            Shape::Cache => Store::cache(&self.path("store")),
            Shape::Ledger => Store::cache(&state),
        };
        let mut logins = Logins::new();
        logins.trust(&self.server.url).expect("a URL");
        let builder = Host::builder()
            .endpoint(&self.server.url)
            .store(store.expect("a store"))
            .files(Files::beneath(&self.path("files")).expect("a folder"))
            .logins(logins);
        let builder = match self.shape {
            Shape::Folder | Shape::Cache => builder.documents(Files::beneath(&self.path("docs")).expect("a folder")),
            Shape::Ledger => {
                let documents = Documents::beneath(&self.path("files")).and_then(|it| it.with_state(&state));
                let found = RemoteLedger::preflight(&self.git_in("files"), "a b", Options::default());
                let ledger = found.unwrap_or_else(|refusal| panic!("{refusal}")).ledger;
                builder.documents(documents.expect("its folders")).ledger(ledger)
            }
        };
        self.host = Some(builder.build().expect("a host"));
    }
}

impl LedgerUnderTest for Real {
    fn meanwhile(&mut self, name: &str, bytes: Option<&[u8]>) {
        self.git("there", &["pull", "--quiet", "--ff-only"]);
        place(&self.path("there").join(name), bytes);
        self.git("there", &["add", "--all"]);
        self.git("there", &["commit", "--quiet", "--message", "meanwhile"]);
        self.git("there", &["push", "--quiet", "origin", "HEAD:main"]);
    }

    fn at_remote(&mut self, name: &str) -> Option<Vec<u8>> {
        self.git_in("remote").read(&["--git-dir=.", "cat-file", "blob", &format!("main:{name}")], b"").ok()
    }

    fn commits(&mut self) -> usize {
        let count = self.git("remote", &["--git-dir=.", "rev-list", "--count", "main"]);
        String::from_utf8(count).ok().and_then(|count| count.trim().parse().ok()).expect("a number")
    }

    fn commit_here(&mut self, files: &[(&str, &[u8])]) {
        for (name, bytes) in files {
            place(&self.path("files").join(name), Some(bytes));
            self.git("files", &["add", "--", name]);
        }
        self.git("files", &["commit", "--quiet", "--message", "not pushed"]);
    }

    fn in_tree(&mut self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.path("files").join(name)).ok()
    }
}

/// Writes a file and the folders above it, or removes it.
fn place(path: &Path, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => {
            fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("folders");
            fs::write(path, bytes).expect("a file");
        }
        None => fs::remove_file(path).expect("it was there"),
    }
}

/// A server that says what it is told, once for each request.
struct Told {
    url: String,
    orders: Sender<Canned>,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Told {
    fn start() -> Told {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (orders, answers) = channel();
        let (answers, heard) = (Arc::new(Mutex::new(answers)), Arc::new(Mutex::new(Vec::new())));
        let notes = Arc::clone(&heard);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, notes) = (Arc::clone(&answers), Arc::clone(&notes));
                thread::spawn(move || while converse(&stream, &answers, &notes).is_some() {});
            }
        });
        Told { url, orders, heard }
    }

    /// An answer that nobody came for is forgotten with the server.
    fn say(&self, answer: Canned) -> String {
        self.orders.send(answer).ok();
        format!("{}/next", self.url)
    }

    fn heard(&self) -> Vec<Heard> {
        std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One request and its answer; none when the connection is over.
fn converse(mut stream: &TcpStream, answers: &Mutex<Receiver<Canned>>, notes: &Mutex<Vec<Heard>>) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(EFFECT_S_MAX))).ok()?;
    let request = read_request(stream)?;
    let is_last = request.headers.iter().any(|(name, value)| name == "connection" && value == "close");
    notes.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    let answer = answers.lock().unwrap_or_else(PoisonError::into_inner).try_recv().ok()?;
    let mut head = format!("HTTP/1.1 {} Said\r\ncontent-length: {}\r\n", answer.status, answer.body.len());
    answer.headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
    let half = answer.body.len() / 2;
    let said = if answer.ending == Ending::Whole { &answer.body[..] } else { &answer.body[..half] };
    stream.write_all((head + "\r\n").as_bytes()).and_then(|()| stream.write_all(said)).ok()?;
    match answer.ending {
        Ending::Whole if !is_last => Some(()),
        Ending::Whole | Ending::Breaks => None,
        Ending::Stalls => {
            // Until the client goes away.
            stream.read_exact(&mut [0]).ok()
        }
    }
}

fn read_request(mut stream: &TcpStream) -> Option<Heard> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= HEAD_BYTES_MAX || stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_string();
    let pairs = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    let headers: Vec<(String, String)> =
        pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    Some(Heard { headers, body })
}

fn effect(ask: Ask) -> types::Effect {
    let typed = |blob: hydrant_contract::Blob| types::Blob { oid: blob.oid, size: blob.size };
    match ask {
        Ask::Http(exchange) => types::Effect::Http(types::Exchange {
            stage: exchange.stage.clone().map(|stage| types::Stage {
                id: stage.id,
                blob: typed(stage.blob),
                resume: stage.resume.map(|(stage, bytes)| types::Resume { stage, bytes }),
            }),
            answer_bytes_max: exchange.answer_bytes_max,
            idle_max: exchange.idle_max,
            request: request(exchange),
        }),
        Ask::ReadFile(name) => types::Effect::ReadFile(types::Reading { name, as_chunks: false }),
        Ask::FeedFile(name) => types::Effect::ReadFile(types::Reading { name, as_chunks: true }),
        Ask::LoadDoc(name) => types::Effect::LoadDoc(name),
        Ask::SaveDoc { name, bytes, replaces } => types::Effect::SaveDoc(types::Saving { name, bytes, replaces }),
        Ask::HasBlob(blob) => types::Effect::HasBlob(typed(blob)),
        Ask::KeepBlob { stage, blob } => types::Effect::KeepBlob(types::Staged { stage, blob: typed(blob) }),
        Ask::DropStage(stage) => types::Effect::DropStage(stage),
        Ask::LoadLedger { documents, files } => types::Effect::LoadLedger(types::Lookup { documents, files }),
        Ask::PushLedger(files) => {
            let file = |Pushing { name, bytes, replaces }| types::PushFile { name, bytes, replaces };
            let files = files.into_iter().map(file).collect();
            types::Effect::PushLedger(types::Push { files, message: "Publish\n".to_owned() })
        }
        Ask::SettleLedger { tip, files } => {
            let files = files.into_iter().map(|(name, expects)| types::SettleFile { name, expects }).collect();
            types::Effect::SettleLedger(types::Settle { tip, files })
        }
        Ask::SwapFile { name, expects, blob, pointer } => {
            types::Effect::SwapFile(types::Swap { name, expects, blob: typed(blob), pointer })
        }
        Ask::LoadPushRange => types::Effect::LoadPushRange,
        Ask::RewriteLedger { tip, base, files } => {
            let file = |Rewriting { name, bytes, replaces }| types::RewriteFile { name, bytes, replaces };
            let files = files.into_iter().map(file).collect();
            types::Effect::RewriteLedger(types::Rewrite { tip, base, files, message: "Rewrite\n".to_owned() })
        }
    }
}

fn request(exchange: Exchange) -> types::Request {
    types::Request {
        method: match exchange.method {
            Method::Get => types::Method::Get,
            Method::Post => types::Method::Post,
            Method::Put => types::Method::Put,
        },
        url: exchange.url,
        headers: exchange.headers.into_iter().map(|(name, value)| types::Header { name, value }).collect(),
        body: match exchange.body {
            Body::Empty => types::Body::Empty,
            Body::Bytes(bytes) => types::Body::Bytes(bytes),
            Body::File { name, revision, offset, length } => {
                types::Body::File(types::Slice { name, revision, offset, length })
            }
        },
        login: if exchange.login { types::Login::Stored } else { types::Login::None },
        redirect: types::Redirect::Report,
    }
}

fn plain(blob: types::Blob) -> hydrant_contract::Blob {
    hydrant_contract::Blob { oid: blob.oid, size: blob.size }
}

fn said(reply: types::Reply) -> Said {
    match reply {
        types::Reply::SoFar(bytes) => Said::SoFar(bytes),
        types::Reply::Sent(blob) => Said::Sent(plain(blob)),
        types::Reply::Head(head) => {
            Said::Head(head.status, head.headers.into_iter().map(|one| (one.name, one.value)).collect())
        }
        types::Reply::Chunk(bytes) => Said::Chunk(bytes),
        types::Reply::End => Said::End,
        types::Reply::Received(blob) => Said::Received(plain(blob)),
        types::Reply::Doc(doc) => Said::Doc(doc.bytes, doc.revision),
        types::Reply::Ledger(ledger) => {
            let file =
                |types::LedgerFile { name, revision, bytes, committed }| Remote { name, revision, bytes, committed };
            Said::Ledger(ledger.tip, ledger.files.into_iter().map(file).collect())
        }
        types::Reply::PushRange(range) => {
            let file =
                |types::RangeFile { path, bytes, at_tip, unchanged }| RangeFile { path, bytes, at_tip, unchanged };
            let types::PushRange { tip, base, commits, base_is_ancestor, is_underway, files } = range;
            let files = files.into_iter().map(file).collect();
            Said::PushRange(PushRange { tip, base, commits, base_is_ancestor, is_underway, files })
        }
        types::Reply::At(revision) => Said::At(revision),
        types::Reply::Present => Said::Present,
        types::Reply::Partial(it) => {
            Said::Partial(hydrant_contract::Left { stage: it.stage, bytes: it.bytes, validator: it.validator })
        }
        types::Reply::Absent => Said::Absent,
        types::Reply::Conflict => Said::Conflict,
        types::Reply::Failed(failed) => {
            let why = match failed.why {
                types::Failure::Offline => Why::Offline,
                types::Failure::TimedOut => Why::TimedOut,
                types::Failure::Denied => Why::Denied,
                types::Failure::Aborted => Why::Aborted,
                _ => Why::Other,
            };
            Said::Failed(why, failed.detail)
        }
    }
}
