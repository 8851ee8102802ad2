//! A clone of a ledger, its remote and its server, as small as a publish can be tried on: everything is answered at
//! once and well, but for the answers that a test plants.

use crate::native;
use crate::play::{WALL, json_type, offered, shortened};
use hydrant_ledger::publish::{Publication, PublishFile, PublishReport};
use hydrant_lfs::contract::Config;
use hydrant_lfs::contract::{
    Body, Doc, Effect, EffectId, Exchange, Failed, Failure, Head, Instant, Ledger, LedgerFile, Lookup, Push, Reply,
    Revision, Saving, Settle, Step, Swap,
};
use hydrant_tests::trace;
use hydrant_tests::world::blob;
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};

/// The manifest of the session that every test publishes.
pub(crate) const MANIFEST: &str = "sessions/s/meta.json";
/// Its transcript.
pub(crate) const RAW: &str = "sessions/s/raw.jsonl";
/// Its journal.
pub(crate) const JOURNAL: &str = "journal/s";
/// The id that the caller offers for a session without one.
pub(crate) const NEW_ID: &str = "ses_new";
/// A transcript of two entries.
pub(crate) const TRANSCRIPT: &str =
    "{\"type\":\"header\"}\n{\"type\":\"user\",\"text\":\"sí\"}\n{\"type\":\"assistant\"}\n{\"type\":\"footer\"}\n";
/// Steps after which a publish is a livelock.
const STEPS_MAX: usize = 10_000;

/// Files by the names that effects use.
pub(crate) type Tree = BTreeMap<String, Vec<u8>>;

/// What stands where, and what is asked of it.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    /// The work tree, the documents of ours, and files of the caller's.
    pub(crate) here: Tree,
    /// The last commit here.
    pub(crate) committed: Tree,
    /// What the remote has now.
    pub(crate) remote: Tree,
    /// Bytes of a chunk.
    pub(crate) piece: usize,
    /// For the next effect whose line begins so: what is answered in place of the right answer.
    pub(crate) planted: Vec<(&'static str, Vec<Reply>)>,
    /// The phases and effects, a line each, without their ids.
    pub(crate) lines: Vec<String>,
}

/// An operation on its way, and what it waits for.
pub(crate) struct Publishing {
    pub(crate) operation: native::Running,
    pub(crate) now: Instant,
    /// Effects that are not answered, oldest first.
    pub(crate) open: VecDeque<(EffectId, Effect)>,
}

/// The state of bytes.
pub(crate) fn revision(bytes: &[u8]) -> Revision {
    Revision(format!("of {}", &blob(bytes).oid.to_string()[..8]))
}

/// A failure of this class.
pub(crate) fn failed(why: Failure) -> Reply {
    Reply::Failed(Failed { why, detail: "it does not".to_owned() })
}

/// A session with a transcript, a plan and a file that git carries.
pub(crate) fn scene() -> (Desk, Publication) {
    let here = [(RAW, TRANSCRIPT), ("sessions/s/plan.md", "a plan"), ("sessions/s/summary.json", "{\"a\": 1}\n")];
    (Desk::with(&here), publication(&["raw.jsonl", "plan.md", "summary.json"]))
}

/// A publish of these files, which stand in the session's folder.
pub(crate) fn publication(names: &[&str]) -> Publication {
    let file = |name: &&str| PublishFile { name: (*name).to_owned(), source: None, in_git: name.ends_with(".json") };
    Publication {
        session: "s".to_owned(),
        files: names.iter().map(file).collect(),
        new_session_id: NEW_ID.to_owned(),
        created_at: "2026-05-04T09:30:00Z".to_owned(),
        fields: Vec::new(),
        redaction: None,
    }
}

/// The operation begins.
pub(crate) fn begin(publication: &Publication) -> Publishing {
    let config = Config { seed: 1, ..Config::new("https://lfs.test/r", 0) };
    let operation = native::publish(config, publication.clone()).expect("the operation begins");
    Publishing { operation, now: Instant { ticks: 1_000, wall: WALL }, open: VecDeque::new() }
}

impl Publishing {
    /// Hands out everything that can be asked now. False at the end.
    pub(crate) fn ask(&mut self, lines: &mut Vec<String>) -> bool {
        for _ in 0..STEPS_MAX {
            let step = self.operation.poll(self.now);
            match step {
                Step::Wait(_) => return true,
                Step::Done => return false,
                Step::Cancel(id) => {
                    lines.push("> cancel".to_owned());
                    self.open.retain(|(open, _)| *open != id);
                    self.operation.reply(id, &failed(Failure::Aborted)).expect("a cancelled effect is closed");
                }
                Step::Enter(_) | Step::Retry(_) => lines.extend(trace::step(&step)),
                Step::Note(_) => {}
                Step::Perform(id, ref effect) => {
                    lines.extend(trace::step(&step).map(|line| without_id(&line)));
                    self.open.push_back((id, effect.clone()));
                }
            }
        }
        panic!("no wait after {STEPS_MAX} steps:\n{}", lines.join("\n"));
    }

    /// The report, at the end.
    pub(crate) fn finish(mut self) -> PublishReport {
        self.operation.publish_report().expect("a publish")
    }
}

/// `> 3 load-doc …` as `> load-doc …`.
fn without_id(line: &str) -> String {
    line.splitn(3, ' ').enumerate().filter(|(at, _)| *at != 1).map(|(_, word)| word).collect::<Vec<_>>().join(" ")
}

impl Desk {
    pub(crate) fn with(here: &[(&str, &str)]) -> Self {
        let here = here.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
        let (committed, remote) = (Tree::new(), Tree::new());
        Self { here, committed, remote, piece: 4096, planted: Vec::new(), lines: Vec::new() }
    }

    /// A file here.
    pub(crate) fn put(&mut self, name: &str, text: &str) {
        self.here.insert(name.to_owned(), text.as_bytes().to_vec());
    }

    /// A file that the remote, the last commit and the work tree have.
    pub(crate) fn share(&mut self, name: &str, text: &str) {
        for tree in [&mut self.here, &mut self.committed, &mut self.remote] {
            tree.insert(name.to_owned(), text.as_bytes().to_vec());
        }
    }

    /// The next effect whose line begins so is answered like this.
    pub(crate) fn plant(&mut self, effect: &'static str, replies: Vec<Reply>) {
        self.planted.push((effect, replies));
    }

    /// A publish from its beginning to its end.
    pub(crate) fn publish(&mut self, publication: &Publication) -> PublishReport {
        let mut publishing = begin(publication);
        for _ in 0..STEPS_MAX {
            if !publishing.ask(&mut self.lines) {
                return publishing.finish();
            }
            self.answer(&mut publishing);
        }
        panic!("no end:\n{}", self.lines.join("\n"));
    }

    /// Goes on until the oldest effect is one whose line begins so, and does not answer it.
    pub(crate) fn publish_until(&mut self, publication: &Publication, effect: &str) -> Publishing {
        let mut publishing = begin(publication);
        for _ in 0..STEPS_MAX {
            assert!(publishing.ask(&mut self.lines), "it ended before {effect}:\n{}", self.lines.join("\n"));
            let (_, oldest) = publishing.open.front().expect("something is open while it waits");
            if line(oldest).starts_with(effect) {
                return publishing;
            }
            self.answer(&mut publishing);
        }
        panic!("no {effect}:\n{}", self.lines.join("\n"));
    }

    /// Answers the oldest effect.
    pub(crate) fn answer(&mut self, publishing: &mut Publishing) {
        let (id, effect) = publishing.open.pop_front().expect("something is open while it waits");
        let line = line(&effect);
        let planted = self.planted.iter().position(|(begins, _)| line.starts_with(begins));
        let replies = match planted {
            Some(at) => self.planted.remove(at).1,
            None => self.perform(&effect),
        };
        for reply in replies {
            publishing.operation.reply(id, &reply).expect("a reply within the grammar");
        }
    }

    pub(crate) fn said(&self, begins: &str) -> bool {
        self.lines.iter().any(|line| line.starts_with(begins))
    }

    /// Everything that was said.
    pub(crate) fn trace(&self) -> String {
        shortened(&(self.lines.join("\n") + "\n"))
    }

    /// The manifest that the remote has.
    pub(crate) fn published(&self) -> Value {
        serde_json::from_slice(&self.remote[MANIFEST]).expect("the core writes JSON")
    }

    /// The right answer.
    pub(crate) fn perform(&mut self, effect: &Effect) -> Vec<Reply> {
        match effect {
            Effect::LoadDoc(name) => vec![
                self.here
                    .get(name)
                    .map_or(Reply::Absent, |bytes| Reply::Doc(Doc { bytes: bytes.clone(), revision: revision(bytes) })),
            ],
            Effect::ReadFile(reading) => match self.here.get(&reading.name) {
                None => vec![Reply::Absent],
                Some(bytes) => {
                    let chunks = bytes.chunks(self.piece).map(|piece| Reply::Chunk(piece.to_vec()));
                    chunks.chain([Reply::End, Reply::At(revision(bytes))]).collect()
                }
            },
            Effect::SaveDoc(saving) => vec![self.save(saving)],
            Effect::LoadLedger(lookup) => vec![Reply::Ledger(self.ledger(lookup))],
            Effect::PushLedger(push) => vec![self.push(push)],
            Effect::SettleLedger(settle) => vec![self.settle(settle)],
            Effect::SwapFile(swap) => vec![self.swap(swap)],
            Effect::Http(exchange) => self.exchange(exchange),
            other => panic!("no part of a publish: {other:?}"),
        }
    }

    fn save(&mut self, saving: &Saving) -> Reply {
        if self.here.get(&saving.name).map(|now| revision(now)) != saving.replaces {
            return Reply::Conflict;
        }
        match &saving.bytes {
            Some(bytes) => {
                self.here.insert(saving.name.clone(), bytes.clone());
                Reply::At(revision(bytes))
            }
            None => {
                self.here.remove(&saving.name);
                Reply::End
            }
        }
    }

    /// What the remote has, as it is asked for.
    pub(crate) fn ledger(&self, lookup: &Lookup) -> Ledger {
        let document = |name: &String| LedgerFile {
            name: name.clone(),
            revision: self.remote.get(name).map(|bytes| revision(bytes)),
            bytes: self.remote.get(name).cloned(),
            committed: self.committed.get(name).cloned(),
        };
        let file = |name: &String| LedgerFile { bytes: None, committed: None, ..document(name) };
        let files = lookup.documents.iter().map(document).chain(lookup.files.iter().map(file));
        Ledger { tip: Revision("tip".to_owned()), files: files.collect() }
    }

    fn push(&mut self, push: &Push) -> Reply {
        let holds = push.files.iter().all(|file| self.remote.get(&file.name) == Some(&file.bytes));
        let fits = |name: &String| self.remote.get(name).map(|now| revision(now));
        if !holds && push.files.iter().any(|file| fits(&file.name) != file.replaces) {
            return Reply::Conflict;
        }
        self.remote.extend(push.files.iter().map(|file| (file.name.clone(), file.bytes.clone())));
        Reply::At(Revision("tip".to_owned()))
    }

    fn settle(&mut self, settle: &Settle) -> Reply {
        for file in &settle.files {
            let there = self.here.get(&file.name);
            let replaceable = there.is_none()
                || there == self.committed.get(&file.name)
                || there.map(|bytes| revision(bytes)) == file.expects;
            if replaceable {
                self.here.insert(file.name.clone(), self.remote[&file.name].clone());
            }
        }
        self.committed = self.remote.clone();
        Reply::End
    }

    fn swap(&mut self, swap: &Swap) -> Reply {
        match self.here.get(&swap.name) {
            None => Reply::Absent,
            Some(there) if *there != swap.pointer && revision(there) != swap.expects => Reply::Conflict,
            Some(_) => {
                self.here.insert(swap.name.clone(), swap.pointer.clone());
                Reply::At(revision(&swap.pointer))
            }
        }
    }

    /// A server that has nothing and takes everything.
    fn exchange(&self, exchange: &Exchange) -> Vec<Reply> {
        let sent = match &exchange.request.body {
            Body::File(slice) => Some(Reply::Sent(blob(&self.here[&slice.name]))),
            _ => None,
        };
        let head = Reply::Head(Head { status: 200, headers: vec![json_type()] });
        let body = sent.is_none().then(|| Reply::Chunk(offered(&exchange.request, |_| {})));
        sent.into_iter().chain([head]).chain(body).chain([Reply::End]).collect()
    }
}

fn line(effect: &Effect) -> String {
    let line = trace::step(&Step::Perform(EffectId(0), effect.clone())).unwrap_or_default();
    without_id(&line)
}
