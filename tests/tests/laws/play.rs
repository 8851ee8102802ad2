//! A host that answers the n-th request with the n-th line of a script and writes down what was said.
//!
//! Local effects are answered at once and well: the cache is empty, stages are kept and dropped, files are read. Time
//! stands still except when there is nothing to do but wait.

use crate::native;
use hydrant_lfs::contract::Config;
use hydrant_lfs::contract::{
    Body, Effect, EffectId, Exchange, Failed, Failure, Head, Header, Instant, Progress, Reply, Request, Revision, Step,
};
use hydrant_lfs::contract::{Outcome, Source, Want};
use hydrant_lfs::text::oid::{Blob, Oid};
use hydrant_tests::trace;
use hydrant_tests::world::blob;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Where the API lives.
pub(crate) const ENDPOINT: &str = "https://lfs.test/r";
/// Where bytes live: another origin.
pub(crate) const STORE: &str = "https://store.test/o";
/// The value of every secret header.
pub(crate) const SECRET: &str = "s3cret";
/// Wall clock throughout: March 2026.
pub(crate) const WALL: u64 = 1_772_366_400_000;
/// Steps after which a play is a livelock.
const STEPS_MAX: usize = 20_000;
/// Headers that every request of its kind has.
const COMMON_HEADERS: [&str; 5] = ["accept", "accept-encoding", "content-type", "range", "if-range"];

/// A change of one entry of a batch answer.
pub(crate) type Change = fn(&mut Value);

/// What the far side does with one request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A status, headers, a body.
    Whole(u16, Vec<Header>, Vec<u8>),
    /// A batch answer with an action for every object asked, changed in this way.
    Offer(Change),
    /// A success that comes before the body was sent.
    Early,
    /// A success for other bytes than the file's.
    Other,
    /// A status and headers, and then the connection breaks.
    Broken(u16, Vec<Header>),
    /// No answer.
    Failed(Failure),
    /// Nothing, for ever.
    Silence,
}

/// A status with an empty body.
pub(crate) fn status(code: u16) -> Answer {
    Answer::Whole(code, Vec::new(), Vec::new())
}

/// An action for every object.
pub(crate) fn offer() -> Answer {
    Answer::Offer(|_| {})
}

/// 200 and these bytes.
pub(crate) fn bytes(bytes: &[u8]) -> Answer {
    Answer::Whole(200, Vec::new(), bytes.to_vec())
}

/// 206 and these bytes, called this range.
pub(crate) fn part(range: &str, bytes: &[u8]) -> Answer {
    Answer::Whole(206, Vec::new(), bytes.to_vec()).with("Content-Range", range)
}

/// A redirect.
pub(crate) fn moved(code: u16, location: &str) -> Answer {
    status(code).with("Location", location)
}

impl Answer {
    /// The same with one more header.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        match self {
            Answer::Whole(status, mut headers, body) => {
                headers.push(Header::new(name, value));
                Answer::Whole(status, headers, body)
            }
            other => other,
        }
    }
}

/// Wants named `a`, `b`, … for these contents.
pub(crate) fn wants(contents: &[&[u8]]) -> Vec<Want> {
    let want = |(name, bytes): (u8, &&[u8])| {
        let Blob { oid, size } = blob(bytes);
        Want { name: char::from(name).to_string(), oid: oid.to_string(), size }
    };
    (b'a'..).zip(contents).map(want).collect()
}

/// A download of these contents, nothing looked up in the cache.
pub(crate) fn download(contents: &[&[u8]]) -> Play {
    Play::new(native::download(Config::new(ENDPOINT, 0), wants(contents)))
}

/// An upload of files named `a`, `b`, … with these contents.
pub(crate) fn upload(contents: &[&[u8]]) -> Play {
    let names: Vec<String> = (b'a'..).zip(contents).map(|(name, _)| char::from(name).to_string()).collect();
    let sources = names.iter().map(|name| Source { name: name.clone(), expects: None }).collect();
    let mut play = Play::new(native::upload(Config::new(ENDPOINT, 0), sources));
    play.files = names.into_iter().zip(contents.iter().map(|bytes| bytes.to_vec())).collect();
    play
}

/// A running operation and what was said of it.
pub(crate) struct Play {
    pub(crate) operation: native::Running,
    pub(crate) now: Instant,
    /// What was said, a line each.
    pub(crate) lines: Vec<String>,
    /// Requests that are not answered yet, oldest first.
    pub(crate) open: Vec<(EffectId, Exchange)>,
    /// What was shown of the progress.
    pub(crate) notes: Vec<Progress>,
    /// Files that can be read.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// What the cache says of everything.
    pub(crate) cached: Reply,
    /// The beginning that the stage holds already.
    pub(crate) staged: Vec<u8>,
    done: bool,
}

impl Play {
    pub(crate) fn new(operation: Result<native::Running, hydrant_lfs::text::error::Error>) -> Self {
        let operation = operation.expect("the operation begins");
        let now = Instant { ticks: 1000, wall: WALL };
        let (lines, open, files, staged) = (Vec::new(), Vec::new(), BTreeMap::new(), Vec::new());
        Self { operation, now, lines, open, files, cached: Reply::Absent, staged, notes: Vec::new(), done: false }
    }

    /// Does everything that can be done now, besides answering requests; the tick it waits for, if it waits.
    pub(crate) fn settle(&mut self) -> Option<u64> {
        for _ in 0..STEPS_MAX {
            let step = self.operation.poll(self.now);
            match step.clone() {
                Step::Note(progress) => self.notes.push(progress),
                Step::Enter(_) => {}
                Step::Retry(_) => self.say(&step),
                Step::Wait(until) => return until,
                Step::Done => {
                    self.done = true;
                    return None;
                }
                Step::Cancel(id) => {
                    self.say(&step);
                    self.open.retain(|(open, _)| *open != id);
                    self.reply(id, Reply::Failed(Failed { why: Failure::Aborted, detail: String::new() }));
                }
                Step::Perform(id, effect) => {
                    self.say(&step);
                    match effect {
                        Effect::Http(exchange) => self.open.push((id, exchange)),
                        Effect::HasBlob(_) => self.reply(id, self.cached.clone()),
                        Effect::LoadDoc(_) => self.reply(id, Reply::Absent),
                        Effect::KeepBlob(_) | Effect::DropStage(_) => self.reply(id, Reply::End),
                        Effect::ReadFile(reading) => self.read(id, &reading.name),
                        other => panic!("no ledger here: {other:?}"),
                    }
                }
            }
        }
        panic!("no end after {STEPS_MAX} steps:\n{}", self.lines.join("\n"));
    }

    fn read(&mut self, id: EffectId, name: &str) {
        let Some(bytes) = self.files.get(name).cloned() else { return self.reply(id, Reply::Absent) };
        if !bytes.is_empty() {
            self.reply(id, Reply::Chunk(bytes));
        }
        self.reply(id, Reply::End);
        self.reply(id, Reply::At(Revision("r1".to_owned())));
    }

    /// Gives one reply.
    pub(crate) fn reply(&mut self, id: EffectId, reply: Reply) {
        if !matches!(reply, Reply::Chunk(_) | Reply::End | Reply::At(_) | Reply::Sent(_)) {
            self.lines.push(trace::reply(id, &reply));
        }
        self.operation.reply(id, &reply).expect("a reply within the grammar");
    }

    /// Answers the oldest open request to this address' beginning.
    pub(crate) fn answer(&mut self, answer: Answer) {
        let (id, exchange) = self.open.remove(0);
        let Exchange { request, answer_bytes_max, .. } = &exchange;
        if let Body::File(slice) = &request.body {
            let mut bytes = self.files.get(&slice.name).cloned().unwrap_or_default();
            match &answer {
                Answer::Early | Answer::Failed(_) => {}
                Answer::Other => {
                    bytes[0] ^= 1;
                    self.reply(id, Reply::Sent(blob(&bytes)));
                }
                _ => self.reply(id, Reply::Sent(blob(&bytes))),
            }
        }
        let (status, headers, body) = match answer {
            Answer::Whole(status, headers, body) => (status, headers, body),
            Answer::Offer(change) => (200, vec![json_type()], offered(request, change)),
            Answer::Early | Answer::Other => (200, Vec::new(), Vec::new()),
            Answer::Broken(status, headers) => {
                self.reply(id, Reply::Head(Head { status, headers }));
                let failed = Failed { why: Failure::Offline, detail: String::new() };
                return self.reply(id, Reply::Failed(failed));
            }
            Answer::Failed(why) => return self.reply(id, Reply::Failed(Failed { why, detail: String::new() })),
            Answer::Silence => return self.open.push((id, exchange)),
        };
        self.reply(id, Reply::Head(Head { status, headers }));
        let body = &body[..body.len().min(*answer_bytes_max as usize)];
        // What is staged speaks of the stage from its first byte.
        let kept = exchange.stage.filter(|_| status == 206).map_or(0, |stage| stage.resumed() as usize);
        let body = [&self.staged[..kept.min(self.staged.len())], body].concat();
        if !body.is_empty() {
            self.reply(id, Reply::Chunk(body));
        }
        self.reply(id, Reply::End);
    }

    /// Answers one request after the other by the script, then by its last line, and lets time pass where nothing else
    /// helps. The trace, with the outcomes.
    pub(crate) fn run(mut self, script: impl IntoIterator<Item = Answer>) -> String {
        let mut script = script.into_iter();
        for _ in 0..STEPS_MAX {
            let until = self.settle();
            if self.done {
                return self.finish();
            }
            let silent = self.open.is_empty();
            match (silent, if silent { None } else { script.next() }) {
                (false, Some(answer)) => {
                    let quiet = matches!(answer, Answer::Silence);
                    self.answer(answer);
                    if quiet {
                        self.pass(until);
                    }
                }
                _ => self.pass(until),
            }
        }
        panic!("no end after {STEPS_MAX} answers:\n{}", self.lines.join("\n"));
    }

    /// Time passes until this tick.
    pub(crate) fn pass(&mut self, until: Option<u64>) {
        let Some(until) = until else { panic!("it waits for nothing:\n{}", self.lines.join("\n")) };
        let millis = until.saturating_sub(self.now.ticks);
        self.lines.push(format!(". {millis} ms pass"));
        self.now.ticks += millis;
        self.now.wall += millis;
    }

    /// The trace with the outcomes of a transfer.
    pub(crate) fn finish(mut self) -> String {
        match self.operation.outcomes() {
            Ok(outcomes) => self.lines.extend(outcomes.iter().map(ended)),
            Err(error) => self.lines.push(format!("= all {error}")),
        }
        shortened(&(self.lines.join("\n") + "\n"))
    }

    fn say(&mut self, step: &Step) {
        let Some(mut line) = trace::step(step) else { return };
        if let Step::Perform(_, Effect::Http(exchange)) = step {
            let names = exchange.request.headers.iter().map(|header| header.name.to_ascii_lowercase());
            let names: Vec<String> = names.filter(|name| !COMMON_HEADERS.contains(&name.as_str())).collect();
            if !names.is_empty() {
                line += &format!(" with {}", names.join(", "));
            }
        }
        self.lines.push(line);
    }
}

/// Eight digits of an oid tell it from the others of one play.
pub(crate) fn shortened(said: &str) -> String {
    let words = said.split_inclusive([' ', '/', '\n']).map(|word| match Oid::parse(word.trim_end()) {
        Some(_) => word[..8].to_owned() + &word[64..],
        None => word.to_owned(),
    });
    words.collect()
}

fn ended(outcome: &Outcome) -> String {
    match &outcome.ended {
        Ok(()) => format!("= {} well", outcome.name),
        Err(error) => format!("= {} {error}", outcome.name),
    }
}

/// The media type of the API.
pub(crate) fn json_type() -> Header {
    Header::new("Content-Type", "application/vnd.git-lfs+json")
}

/// A batch answer for what this request asks.
pub(crate) fn offered(request: &Request, change: Change) -> Vec<u8> {
    let Body::Bytes(body) = &request.body else { return b"{}".to_vec() };
    let asked: Value = serde_json::from_slice(body).expect("the core writes JSON");
    let entry = |object: &Value| {
        let oid = object["oid"].as_str().expect("the core writes oids");
        let action = json!({"href": format!("{STORE}/{oid}"), "header": {"X-Token": SECRET}});
        let name = asked["operation"].as_str().expect("the core names its operation");
        let actions = json!({ name: action });
        let mut entry = json!({"oid": oid, "size": object["size"], "authenticated": true, "actions": actions});
        change(&mut entry);
        entry
    };
    let objects: Vec<Value> = asked["objects"].as_array().into_iter().flatten().map(entry).collect();
    json!({"transfer": "basic", "objects": objects}).to_string().into_bytes()
}
