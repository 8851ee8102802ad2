//! A host that does anything at all: polls, replies of every kind to every id, stops, jumping clocks.
//!
//! Two operations are driven: one gets every reply, the other only those the first one took. They must stay the same,
//! because a misuse changes nothing.

use super::bytes::Bytes;
use crate::engine::{Engine as _, Native, Run, Start};
use crate::world::blob;
use hydrant_ledger::publish::{Publication, PublishFile};
use hydrant_lfs::contract::Config;
use hydrant_lfs::contract::Direction;
use hydrant_lfs::contract::{
    Beginning, Body, Doc, Effect, EffectId, Exchange, Failed, Failure, Head, Header, Instant, Ledger, LedgerFile,
    Login, Lookup, Misuse, PushRange, RangeFile, Redirect, Reply, Revision, Saving, StageId, Step,
};
use hydrant_lfs::contract::{Outcome, Source, Want};
use hydrant_lfs::operations::LockTask;
use hydrant_lfs::text::error::Error;
use hydrant_lfs::text::oid::{Blob, Hasher, Oid};
use std::collections::{BTreeMap, BTreeSet};

const ENDPOINT: &str = "https://lfs.test";
const STORE: &str = "https://store.test";
const CONTENTS: [&[u8]; 3] = [b"one", b"other", b""];
/// A transcript with one entry.
const TRANSCRIPT: &[u8] = b"{\"type\":\"user\"}\n";
const FILES: usize = 3;
/// Moves of one run.
const MOVES_MAX: usize = 400;
/// Polls in a row without a wait or an end.
const POLLS_MAX: usize = 2_000;
const FAILURES: [Failure; 9] = [
    Failure::Offline,
    Failure::TimedOut,
    Failure::Denied,
    Failure::Refused,
    Failure::NotFound,
    Failure::NoSpace,
    Failure::Blocked,
    Failure::Aborted,
    Failure::Io,
];
const STATUSES: [u16; 16] = [200, 200, 206, 201, 302, 307, 401, 403, 404, 410, 413, 416, 422, 429, 503, 999];
const LOCATIONS: [&str; 6] =
    ["/again", "https://store.test/x", "https://else.test/x", "http://lfs.test/", "x:y", "//lfs.test/a?b"];
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1\noid sha256:00";

/// Drives an operation of any kind by the bytes.
pub fn replies(data: &[u8]) {
    let mut bytes = Bytes(data);
    let (kind, config) = (bytes.below(KINDS), config(&mut bytes));
    let (Ok(given), Ok(shadow)) = (operation(kind, &config), operation(kind, &config)) else { return };
    let mut host =
        Host { given, shadow, open: BTreeMap::new(), seen: Seen::default(), now: Instant { ticks: 1, wall: 1 } };
    for _ in 0..MOVES_MAX {
        if bytes.is_empty() || host.polled() {
            break;
        }
        match bytes.below(16) {
            0 => host.stop(),
            1 => host.now.ticks = host.now.ticks.wrapping_add(u64::from(bytes.byte()) * 2_000),
            2 => host.now = Instant { ticks: host.now.ticks.wrapping_sub(9), wall: u64::MAX - 1 },
            3 => host.strange(&mut bytes),
            4 | 5 => host.awkward(&mut bytes),
            _ => host.sensible(&mut bytes),
        }
    }
    host.play_out();
    host.finish(kind);
}

const KINDS: usize = 8;
/// The kind that publishes.
const PUBLISH: usize = 6;
/// The kind that repairs a push.
const RECONCILE: usize = 7;

fn config(bytes: &mut Bytes<'_>) -> Config {
    Config {
        in_flight_max: bytes.below(4) as u32,
        batch_objects_max: bytes.below(4) as u32,
        retries_max: bytes.below(3) as u32,
        login: [Login::None, Login::Stored, Login::Renewed][bytes.below(3)],
        ..Config::new(format!("{ENDPOINT}/r"), 0)
    }
}

fn operation(kind: usize, config: &Config) -> Result<Box<dyn Run>, Error> {
    let want = |bytes: &&[u8]| Want { name: "w".into(), oid: blob(bytes).oid.to_string(), size: bytes.len() as u64 };
    let wants = || CONTENTS.iter().map(want).collect();
    let blobs = || CONTENTS.iter().map(|bytes| blob(bytes)).collect();
    let start = match kind {
        0 => Start::Hydrate(wants()),
        1 => Start::Download(wants()),
        2 => Start::HydrateSession("s".into()),
        3 => {
            let source = |at: usize| Source { name: format!("f{at}"), expects: None };
            Start::Upload((0..FILES).map(source).collect())
        }
        4 => Start::Batch(Direction::Upload, blobs()),
        PUBLISH => {
            let names = ["raw.jsonl", "b", "summary.json"];
            let file = |name: &&str| PublishFile { name: (*name).into(), source: None, in_git: name.ends_with("json") };
            Start::Publish(Publication {
                session: "s".into(),
                files: names.iter().map(file).collect(),
                new_session_id: "ses_n".into(),
                created_at: "now".into(),
                fields: vec![("title".into(), "t".into())],
                redaction: None,
            })
        }
        RECONCILE => Start::Reconcile(true),
        _ => Start::Locks(LockTask::Verify),
    };
    Native.begin(config, &start)
}

/// A leftover of this many bytes.
fn left(bytes: u64, validator: Option<String>) -> Reply {
    Reply::Partial(Beginning { stage: StageId("left".into()), bytes, validator })
}

/// What a run has shown so far.
#[derive(Default)]
struct Seen {
    last: Option<EffectId>,
    /// For each stage, the blob it should be, and what its bytes hash to.
    staged: BTreeMap<StageId, (Blob, Blob)>,
    /// Oids that the cache holds, by its own word or because they were kept.
    held: BTreeSet<Oid>,
    done: bool,
}

/// An open effect and the bytes that came for it.
struct Open {
    effect: Effect,
    hasher: Hasher,
    cancelled: bool,
}

struct Host {
    given: Box<dyn Run>,
    shadow: Box<dyn Run>,
    open: BTreeMap<EffectId, Open>,
    seen: Seen,
    now: Instant,
}

impl Host {
    /// Polls until there is nothing to do; true at the end.
    fn polled(&mut self) -> bool {
        for _ in 0..POLLS_MAX {
            let step = self.given.poll(self.now);
            assert_eq!(step, self.shadow.poll(self.now), "a misuse changed something");
            match step {
                Step::Wait(_) => return false,
                Step::Done => {
                    assert!(self.open.is_empty(), "done with open effects");
                    self.seen.done = true;
                    return true;
                }
                Step::Note(progress) => assert!(progress.done <= progress.total),
                Step::Enter(_) | Step::Retry(_) => {}
                Step::Cancel(id) => {
                    let open = self.open.get_mut(&id).expect("only what is open is cancelled");
                    assert!(!open.cancelled, "cancelled twice");
                    let stays = !matches!(
                        open.effect,
                        Effect::Http(_) | Effect::ReadFile(_) | Effect::HasBlob(_) | Effect::LoadLedger(_)
                    );
                    assert!(!stays, "{:?} runs to its end", open.effect);
                    open.cancelled = true;
                }
                Step::Perform(id, effect) => {
                    assert!(self.seen.last.is_none_or(|last| last < id), "ids ascend");
                    self.seen.last = Some(id);
                    self.judge(&effect);
                    self.open.insert(id, Open { effect, hasher: Hasher::default(), cancelled: false });
                }
            }
        }
        panic!("no wait in {POLLS_MAX} polls");
    }

    /// What no effect may be.
    fn judge(&self, effect: &Effect) {
        match effect {
            Effect::KeepBlob(it) => {
                let (wanted, got) = self.seen.staged.get(&it.stage).expect("only what was staged is kept");
                assert!(got == wanted && *got == it.blob, "kept without proof");
            }
            Effect::Http(Exchange { request, answer_bytes_max, idle_max, .. }) => {
                let at = |origin: &str| request.url == origin || request.url.starts_with(&format!("{origin}/"));
                assert!(request.login == Login::None || at(ENDPOINT), "a login goes to {}", request.url);
                let secret = request.headers.iter().any(|header| header.value == "s3cret");
                assert!(!secret || at(STORE), "a secret header goes to {}", request.url);
                assert_eq!(request.redirect, Redirect::Report);
                assert!(request.url.starts_with("https://") && *answer_bytes_max > 0 && *idle_max > 0);
            }
            _ => {}
        }
    }

    fn reply(&mut self, id: EffectId, reply: Reply) {
        let taken = self.given.reply(id, &reply);
        let Some(open) = self.open.get_mut(&id) else {
            let expected = if self.seen.done { Misuse::Finished } else { Misuse::UnknownEffect };
            return assert_eq!(taken, Err(expected), "no such effect is open");
        };
        match taken {
            Err(misuse) => assert_eq!(misuse, Misuse::OutOfOrder),
            Ok(()) => {
                assert_eq!(self.shadow.reply(id, &reply), Ok(()), "a misuse changed something");
                if self.seen.note(open, &reply) {
                    self.open.remove(&id);
                }
                self.guess();
            }
        }
    }

    /// An effect that the machine decided on and that nobody was asked for yet takes no reply.
    fn guess(&mut self) {
        let unasked = EffectId(self.seen.last.map_or(0, |last| last.0 + 1));
        assert_eq!(self.given.reply(unasked, &Reply::End), Err(Misuse::UnknownEffect), "nobody was asked");
    }

    fn stop(&mut self) {
        self.given.stop();
        self.shadow.stop();
    }

    fn pick(&self, bytes: &mut Bytes<'_>) -> Option<EffectId> {
        self.open.keys().nth(bytes.below(self.open.len())).copied()
    }

    /// Any reply to any id.
    fn strange(&mut self, bytes: &mut Bytes<'_>) {
        let id = EffectId(u32::from(bytes.byte()));
        let reply = any_reply(bytes);
        self.reply(id, reply);
    }

    /// Any reply to an open effect.
    fn awkward(&mut self, bytes: &mut Bytes<'_>) {
        let Some(id) = self.pick(bytes) else { return };
        let reply = any_reply(bytes);
        self.reply(id, reply);
    }

    /// A whole answer to an open effect, right or wrong.
    fn sensible(&mut self, bytes: &mut Bytes<'_>) {
        let Some(id) = self.pick(bytes) else { return };
        let Some(open) = self.open.get(&id) else { return };
        for reply in answer(&open.effect.clone(), bytes) {
            self.reply(id, reply);
        }
    }

    /// Time passes and every effect is given up, until the operation ends.
    fn play_out(&mut self) {
        self.stop();
        for _ in 0..MOVES_MAX {
            if self.seen.done || self.polled() {
                return;
            }
            self.now.ticks = self.now.ticks.saturating_add(10_000_000);
            for id in self.open.keys().copied().collect::<Vec<_>>() {
                let why = Failure::Aborted;
                self.reply(id, Reply::Failed(Failed { why, detail: String::new() }));
            }
        }
        panic!("a stopped operation does not end");
    }

    fn finish(mut self, kind: usize) {
        self.reply(EffectId(0), Reply::End);
        match kind {
            0..=3 => {
                assert_eq!(self.shadow.batch_report(), Err(Misuse::AnotherKind));
                assert!(self.shadow.transfer_report().is_ok(), "a misuse changed something");
                let Ok(outcomes) = self.given.outcomes() else { return };
                let expected = [Some(CONTENTS.len()), Some(CONTENTS.len()), None, Some(FILES)][kind];
                assert!(expected.is_none_or(|count| count == outcomes.len()));
                outcomes.iter().for_each(|outcome| self.seen.truthful(outcome, kind));
            }
            4 => {
                assert_eq!(self.shadow.lock_report(), Err(Misuse::AnotherKind));
                if let Ok(objects) = self.given.objects() {
                    assert_eq!(objects.len(), CONTENTS.len());
                }
            }
            PUBLISH => {
                assert_eq!(self.shadow.transfer_report(), Err(Misuse::AnotherKind));
                assert!(self.given.publish_report().is_ok());
            }
            RECONCILE => {
                assert_eq!(self.shadow.transfer_report(), Err(Misuse::AnotherKind));
                let report = self.given.reconcile_report().expect("a reconcile");
                assert!(report.tip.is_some() || report.removed.is_empty(), "{report:?}");
            }
            _ => {
                assert_eq!(self.shadow.transfer_report(), Err(Misuse::AnotherKind));
                assert!(self.given.lock_report().is_ok());
            }
        }
    }
}

impl Seen {
    /// Notes what a reply showed; true when it closed its effect.
    fn note(&mut self, open: &mut Open, reply: &Reply) -> bool {
        match (&open.effect, reply) {
            (Effect::Http(exchange), reply) => {
                if let (Some(stage), Reply::Received(got)) = (&exchange.stage, reply) {
                    self.staged.insert(stage.id.clone(), (stage.blob, *got));
                }
                if let Reply::Chunk(chunk) = reply {
                    open.hasher.update(chunk);
                }
                if let (Some(stage), Reply::End) = (&exchange.stage, reply) {
                    let got = std::mem::take(&mut open.hasher).finish();
                    self.staged.insert(stage.id.clone(), (stage.blob, got));
                }
                matches!(reply, Reply::End | Reply::Received(_) | Reply::Conflict | Reply::Failed(_))
            }
            (Effect::HasBlob(wanted), reply) => {
                let left = StageId("left".into());
                match reply {
                    Reply::Chunk(chunk) => open.hasher.update(chunk),
                    Reply::Received(got) => drop(self.staged.insert(left, (*wanted, *got))),
                    Reply::End => {
                        let got = std::mem::take(&mut open.hasher).finish();
                        self.staged.insert(left, (*wanted, got));
                    }
                    Reply::Partial(it) if it.bytes == wanted.size && it.bytes > 0 => return false,
                    Reply::Present => drop(self.held.insert(wanted.oid)),
                    _ => {}
                }
                !matches!(reply, Reply::SoFar(_) | Reply::Chunk(_))
            }
            (Effect::KeepBlob(it), Reply::End) => {
                self.held.insert(it.blob.oid);
                true
            }
            (Effect::ReadFile(_), reply) => matches!(reply, Reply::At(_) | Reply::Absent | Reply::Failed(_)),
            _ => true,
        }
    }

    /// What is reported well was seen to be so.
    fn truthful(&self, outcome: &Outcome, kind: usize) {
        if outcome.ended.is_ok() && kind < 3 {
            let oid = Oid::parse(&outcome.oid).expect("what is there has an oid");
            assert!(self.held.contains(&oid), "{} is reported well and is not there", outcome.oid);
        }
        if outcome.ended.is_ok() && kind == 3 {
            assert!(!outcome.oid.is_empty());
        }
    }
}

fn any_reply(bytes: &mut Bytes<'_>) -> Reply {
    match bytes.below(15) {
        14 => push_range(bytes),
        13 => ledger(&Lookup { documents: vec!["m".into()], files: Vec::new() }, bytes),
        0 => Reply::SoFar(u64::from(bytes.byte()) << 56),
        1 => Reply::Sent(any_blob(bytes)),
        2 => Reply::Head(head(bytes)),
        3 => Reply::Chunk(bytes.run().to_vec()),
        4 => Reply::End,
        5 => Reply::Received(any_blob(bytes)),
        6 => Reply::Doc(Doc { bytes: bytes.run().to_vec(), revision: Revision(String::new()) }),
        7 => Reply::At(Revision("r".into())),
        8 => Reply::Present,
        9 => left(u64::from(bytes.byte()), Some("\"v\"".into())),
        10 => Reply::Absent,
        11 => Reply::Conflict,
        _ => failed(bytes),
    }
}

fn failed(bytes: &mut Bytes<'_>) -> Reply {
    let why = FAILURES[bytes.below(FAILURES.len())];
    Reply::Failed(Failed { why, detail: String::from_utf8_lossy(bytes.run()).into_owned() })
}

fn any_blob(bytes: &mut Bytes<'_>) -> Blob {
    match bytes.below(4) {
        3 => Blob { oid: blob(b"one").oid, size: u64::MAX },
        at => blob(CONTENTS[at]),
    }
}

fn head(bytes: &mut Bytes<'_>) -> Head {
    let status = STATUSES[bytes.below(STATUSES.len())];
    let ranges = ["bytes 1-2/3", "bytes 0-2/3", "bytes 9-1/x", "bytes 1-18446744073709551616/2"];
    let headers = match bytes.below(8) {
        0 | 1 => vec![Header::new("Content-Type", "application/vnd.git-lfs+json")],
        2 => vec![Header::new("Location", LOCATIONS[bytes.below(LOCATIONS.len())])],
        3 => vec![Header::new("Content-Range", ranges[bytes.below(ranges.len())])],
        4 => vec![Header::new("Retry-After", String::from_utf8_lossy(bytes.run()))],
        5 => vec![Header::new("Content-Type", "text/html")],
        _ => Vec::new(),
    };
    Head { status, headers }
}

/// A whole answer, as a host would give it.
fn answer(effect: &Effect, bytes: &mut Bytes<'_>) -> Vec<Reply> {
    let content = |bytes: &mut Bytes<'_>| -> Vec<Reply> {
        let content = CONTENTS[bytes.below(CONTENTS.len())];
        match bytes.below(3) {
            0 => vec![Reply::Chunk(content.to_vec()), Reply::End],
            1 => vec![Reply::Received(blob(content))],
            _ => vec![Reply::SoFar(1), Reply::End],
        }
    };
    match effect {
        Effect::Http(exchange) => http(exchange, bytes),
        Effect::HasBlob(wanted) => match bytes.below(4) {
            0 => [vec![left(wanted.size, None)], content(bytes)].concat(),
            1 => vec![left(1 + u64::from(bytes.byte() % 4), None)],
            2 => vec![Reply::Present],
            _ => vec![Reply::Absent],
        },
        Effect::ReadFile(_) => {
            let content = [CONTENTS[0], CONTENTS[1], CONTENTS[2], POINTER, TRANSCRIPT][bytes.below(5)];
            vec![Reply::Chunk(content.to_vec()), Reply::End, Reply::At(Revision("r".into()))]
        }
        Effect::LoadDoc(_) => match bytes.below(3) {
            0 => vec![Reply::Doc(Doc { bytes: bytes.run().to_vec(), revision: Revision(String::new()) })],
            1 => {
                let entry = |at: usize| {
                    let Blob { oid, size } = blob(CONTENTS[at]);
                    format!("\"n{at}\": {{\"oid\": \"sha256:{oid}\", \"size\": {size}}}")
                };
                let text = format!("{{\"session_id\": \"s\", \"files\": {{{}, {}}}}}", entry(0), entry(1));
                vec![Reply::Doc(Doc { bytes: text.into_bytes(), revision: Revision(String::new()) })]
            }
            _ => vec![Reply::Absent],
        },
        Effect::KeepBlob(_) | Effect::DropStage(_) if bytes.below(8) > 0 => vec![Reply::End],
        Effect::KeepBlob(_) | Effect::DropStage(_) => vec![failed(bytes)],
        Effect::LoadLedger(lookup) => vec![ledger(lookup, bytes)],
        Effect::SaveDoc(Saving { bytes: None, .. }) | Effect::SettleLedger(_) => match bytes.below(8) {
            0 => vec![failed(bytes)],
            1 => vec![Reply::Conflict],
            _ => vec![Reply::End],
        },
        Effect::LoadPushRange => vec![push_range(bytes)],
        Effect::SaveDoc(_) | Effect::PushLedger(_) | Effect::SwapFile(_) | Effect::RewriteLedger(_) => {
            match bytes.below(8) {
                0 => vec![failed(bytes)],
                1 => vec![Reply::Conflict],
                _ => vec![Reply::At(Revision("r".into()))],
            }
        }
    }
}

/// A range with pointers and other small files, at the tip and in older commits.
fn push_range(bytes: &mut Bytes<'_>) -> Reply {
    let mut files = Vec::new();
    for at in 0..bytes.below(5) {
        let Blob { oid, size } = blob(CONTENTS[bytes.below(CONTENTS.len())]);
        let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n");
        let folder = ["sessions/s/", "sessions/t/", "docs/", ""][bytes.below(4)];
        let text = if bytes.below(5) == 0 { bytes.run().to_vec() } else { pointer.into_bytes() };
        files.push(RangeFile {
            path: format!("{folder}n{at}"),
            bytes: text[..text.len().min(1023)].to_vec(),
            at_tip: bytes.below(3) > 0,
            unchanged: bytes.below(4) > 0,
        });
    }
    Reply::PushRange(PushRange {
        tip: Revision("tip".into()),
        base: (bytes.below(4) > 0).then(|| Revision("base".into())),
        commits: bytes.below(4) as u64,
        base_is_ancestor: bytes.below(4) > 0,
        is_underway: bytes.below(8) == 0,
        files,
    })
}

/// A ledger of the names that were asked for.
fn ledger(lookup: &Lookup, bytes: &mut Bytes<'_>) -> Reply {
    let mut held = |name: &String, is_document: bool| {
        let there = bytes.below(3) == 0;
        let text = || format!("{{\"session_id\": \"ses_{}\", \"files\": {{}}}}", name.len()).into_bytes();
        LedgerFile {
            name: name.clone(),
            revision: there.then(|| Revision("r".into())),
            bytes: (there && is_document).then(text),
            committed: (is_document && bytes.below(3) == 0).then(text),
        }
    };
    let documents: Vec<LedgerFile> = lookup.documents.iter().map(|name| held(name, true)).collect();
    let files = documents.into_iter().chain(lookup.files.iter().map(|name| held(name, false))).collect();
    Reply::Ledger(Ledger { tip: Revision("tip".into()), files })
}

fn http(exchange: &Exchange, bytes: &mut Bytes<'_>) -> Vec<Reply> {
    let mut replies = Vec::new();
    if let Body::File(slice) = &exchange.request.body {
        let sent = CONTENTS.iter().map(|content| blob(content)).find(|blob| blob.size == slice.length);
        replies.extend(sent.filter(|_| bytes.below(5) > 0).map(Reply::Sent));
    }
    match (&exchange.stage, bytes.below(6)) {
        (_, 0) => replies.push(failed(bytes)),
        (_, 1) => {
            replies.extend([Reply::Head(head(bytes)), Reply::Chunk(bytes.run().to_vec()), Reply::End]);
        }
        (Some(stage), _) => {
            let right = CONTENTS.iter().find(|content| blob(content).oid == stage.blob.oid).copied();
            let content = if bytes.below(3) == 0 { &b"bad"[..] } else { right.unwrap_or_default() };
            let (first, size) = (stage.resumed(), stage.blob.size);
            let range = format!("bytes {first}-{}/{size}", size.saturating_sub(1));
            let status = if first > 0 { 206 } else { 200 };
            let headers = vec![Header::new("Content-Range", range)];
            replies.push(Reply::Head(Head { status, headers }));
            replies.extend([Reply::Chunk(content.to_vec()), Reply::End]);
        }
        (None, choice) => {
            let body = api_body(choice, bytes);
            let headers = vec![Header::new("Content-Type", "application/vnd.git-lfs+json")];
            replies.push(Reply::Head(Head { status: 200, headers }));
            replies.extend([Reply::Chunk(body.into_bytes()), Reply::End]);
        }
    }
    replies
}

/// Answers of the API: objects with actions, errors or nothing, and locks.
fn api_body(choice: usize, bytes: &mut Bytes<'_>) -> String {
    let lock = "{\"id\":\"1\",\"path\":\"a\",\"locked_at\":\"\",\"owner\":{\"name\":\"o\"}}";
    if choice == 2 {
        return format!("{{\"ours\":[{lock}],\"theirs\":[{lock}],\"next_cursor\":\"{}\"}}", bytes.byte() % 3);
    }
    let objects = CONTENTS.map(|content| {
        let Blob { oid, size } = blob(content);
        let host = [STORE, STORE, ENDPOINT, "http://127.0.0.1"][bytes.below(4)];
        let header = if host == STORE { "\"X-Token\":\"s3cret\"" } else { "" };
        let expiry = if bytes.below(6) == 0 { ",\"expires_in\":-5" } else { "" };
        let action = format!("{{\"href\":\"{host}/{oid}\",\"header\":{{{header}}}{expiry}}}");
        let rest = match bytes.below(6) {
            0 => "\"error\":{\"code\":404,\"message\":\"no\"}".to_owned(),
            1 => "\"error\":{\"code\":503,\"message\":\"later\"}".to_owned(),
            2 => "\"actions\":{}".to_owned(),
            3 => format!("\"actions\":{{\"upload\":{action},\"verify\":{action}}}"),
            _ => format!("\"actions\":{{\"download\":{action},\"upload\":{action}}}"),
        };
        format!("{{\"oid\":\"{oid}\",\"size\":{size},{rest}}}")
    });
    let shown = &objects[..objects.len() - usize::from(bytes.below(5) == 0)];
    format!("{{\"transfer\":\"basic\",\"objects\":[{}]}}", shown.join(","))
}
