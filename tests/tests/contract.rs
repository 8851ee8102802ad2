//! The contract suite on the simulated host: what the world is simulated with keeps the rules that real hosts keep.

use hydrant_contract::{
    Ask, Blob, Body, Canned, Ending, Exchange, Heard, HostUnderTest, LedgerUnderTest, Left, Method, PushRange, Pushing,
    RangeFile, Remote, Rewriting, Said, Why, failures, ledger_failures,
};
use hydrant_lfs::contract as core;
use hydrant_lfs::text::oid;
use hydrant_tests::world::{Alone, Answer, ENDPOINT, Fault, Feed, blob};
use std::collections::VecDeque;

/// The simulated host, and what its server says to the next requests.
struct Simulated {
    world: Alone,
    planned: VecDeque<(Fault, Answer)>,
}

#[test]
fn the_simulated_host_keeps_the_contract() {
    for feed in [Feed::Received, Feed::Chunks(1), Feed::Chunks(4096), Feed::Chunks(200_000)] {
        let failures = failures(|| Simulated { world: Alone::new(feed), planned: VecDeque::new() });
        assert!(failures.is_empty(), "{feed:?}\n{}", failures.join("\n"));
    }
}

#[test]
fn the_simulated_ledger_keeps_the_contract() {
    for feed in [Feed::Received, Feed::Chunks(4096)] {
        let failures = ledger_failures(|| Simulated { world: Alone::new(feed), planned: VecDeque::new() });
        assert!(failures.is_empty(), "{feed:?}\n{}", failures.join("\n"));
    }
}

impl Simulated {
    /// Gives the server its next answer; how that one ends.
    fn next(&mut self) -> Fault {
        let Some((fault, answer)) = self.planned.pop_front() else { return Fault::None };
        self.world.server.script = [answer].into();
        fault
    }
}

impl HostUnderTest for Simulated {
    fn blob(&self, bytes: &[u8]) -> Blob {
        plain(blob(bytes))
    }

    fn serve(&mut self, answer: Canned) -> String {
        let fault = match answer.ending {
            Ending::Whole => Fault::None,
            Ending::Breaks => Fault::Break,
            Ending::Stalls => Fault::StallMidway,
        };
        let headers = answer.headers.into_iter().map(|(name, value)| core::Header { name, value }).collect();
        let head = core::Head { status: answer.status, headers };
        self.planned.push_back((fault, Answer { head, body: answer.body }));
        format!("{ENDPOINT}/next")
    }

    fn foreign(&mut self) -> String {
        "https://foreign.test/next".to_owned()
    }

    fn heard(&mut self) -> Vec<Heard> {
        let pairs = |headers: Vec<core::Header>| headers.into_iter().map(|one| (one.name, one.value)).collect();
        let heard = std::mem::take(&mut self.world.server.heard).into_iter();
        heard.map(|(request, body)| Heard { headers: pairs(request.headers), body }).collect()
    }

    fn place_file(&mut self, name: &str, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => drop(self.world.store.files.insert(name.to_owned(), bytes.to_vec())),
            None => drop(self.world.store.files.remove(name)),
        }
    }

    fn place_doc(&mut self, name: &str, bytes: &[u8]) {
        self.world.store.docs.insert(name.to_owned(), bytes.to_vec());
    }

    fn perform(&mut self, ask: Ask) -> Vec<Said> {
        let fault = if matches!(ask, Ask::Http(_)) { self.next() } else { Fault::None };
        self.world.perform(&effect(ask), fault).into_iter().map(said).collect()
    }

    fn cancel_after_head(&mut self, exchange: Exchange) -> Vec<Said> {
        let (effect, fault) = (effect(Ask::Http(exchange)), self.next());
        self.world.cancel_after_head(&effect, fault).into_iter().map(said).collect()
    }

    fn interleave(&mut self, exchange: Exchange, meanwhile: Vec<Ask>) -> (Vec<Said>, Vec<Vec<Said>>) {
        let (effect, fault) = (effect(Ask::Http(exchange)), self.next());
        let (mut replies, rest) = self.world.begin(&effect, fault);
        let others = meanwhile.into_iter().map(|ask| self.perform(ask)).collect();
        replies.extend(self.world.go_on(rest));
        (replies.into_iter().map(said).collect(), others)
    }

    fn restart(&mut self) {
        // Nothing of a process outlives an effect here: what is left is the store.
    }
}

impl LedgerUnderTest for Simulated {
    fn meanwhile(&mut self, name: &str, bytes: Option<&[u8]>) {
        let mut tree = self.world.remote.tree().clone();
        match bytes {
            Some(bytes) => drop(tree.insert(name.to_owned(), bytes.to_vec())),
            None => drop(tree.remove(name)),
        }
        self.world.remote.history.push(tree);
    }

    fn at_remote(&mut self, name: &str) -> Option<Vec<u8>> {
        self.world.remote.tree().get(name).cloned()
    }

    fn commits(&mut self) -> usize {
        self.world.remote.history.len()
    }

    fn commit_here(&mut self, files: &[(&str, &[u8])]) {
        let files = files.iter().map(|(name, bytes)| ((*name).to_owned(), Some(bytes.to_vec())));
        self.world.commit_here(files.collect());
    }

    fn in_tree(&mut self, name: &str) -> Option<Vec<u8>> {
        // Documents of ours lie elsewhere.
        let ours = name == "orphans" || name.starts_with("journal/");
        self.world.store.read(name).filter(|_| !ours).cloned()
    }
}

fn effect(ask: Ask) -> core::Effect {
    let named = |oid: &str| oid::Oid::parse(oid).expect("the suite names real oids");
    let typed = |blob: &Blob| oid::Blob { oid: named(&blob.oid), size: blob.size };
    match ask {
        Ask::Http(exchange) => core::Effect::Http(core::Exchange {
            stage: exchange.stage.as_ref().map(|stage| core::Stage {
                id: core::StageId(stage.id.clone()),
                blob: typed(&stage.blob),
                resume: stage.resume.clone().map(|(stage, bytes)| core::Resume { stage: core::StageId(stage), bytes }),
            }),
            answer_bytes_max: exchange.answer_bytes_max,
            idle_max: exchange.idle_max,
            request: request(exchange),
        }),
        Ask::ReadFile(name) => core::Effect::ReadFile(core::Reading { name, as_chunks: false }),
        Ask::FeedFile(name) => core::Effect::ReadFile(core::Reading { name, as_chunks: true }),
        Ask::LoadDoc(name) => core::Effect::LoadDoc(name),
        Ask::SaveDoc { name, bytes, replaces } => {
            core::Effect::SaveDoc(core::Saving { name, bytes, replaces: replaces.map(core::Revision) })
        }
        Ask::HasBlob(blob) => core::Effect::HasBlob(typed(&blob)),
        Ask::KeepBlob { stage, blob } => {
            core::Effect::KeepBlob(core::Staged { stage: core::StageId(stage), blob: typed(&blob) })
        }
        Ask::DropStage(stage) => core::Effect::DropStage(core::StageId(stage)),
        Ask::LoadLedger { documents, files } => core::Effect::LoadLedger(core::Lookup { documents, files }),
        Ask::PushLedger(files) => core::Effect::PushLedger(push(files)),
        Ask::SettleLedger { tip, files } => core::Effect::SettleLedger(settle(tip, files)),
        Ask::SwapFile { name, expects, blob, pointer } => {
            let expects = core::Revision(expects);
            core::Effect::SwapFile(core::Swap { name, expects, blob: typed(&blob), pointer })
        }
        Ask::LoadPushRange => core::Effect::LoadPushRange,
        Ask::RewriteLedger { tip, base, files } => {
            let file = |it: Rewriting| core::RewriteFile { name: it.name, bytes: it.bytes, replaces: it.replaces };
            core::Effect::RewriteLedger(core::Rewrite {
                tip: core::Revision(tip),
                base: core::Revision(base),
                files: files.into_iter().map(file).collect(),
                message: "Rewrite\n".to_owned(),
            })
        }
    }
}

fn push(files: Vec<Pushing>) -> core::Push {
    let file =
        |one: Pushing| core::PushFile { name: one.name, bytes: one.bytes, replaces: one.replaces.map(core::Revision) };
    core::Push { files: files.into_iter().map(file).collect(), message: "Publish\n".to_owned() }
}

fn settle(tip: String, files: Vec<(String, Option<String>)>) -> core::Settle {
    let file =
        |(name, expects): (String, Option<String>)| core::SettleFile { name, expects: expects.map(core::Revision) };
    core::Settle { tip: core::Revision(tip), files: files.into_iter().map(file).collect() }
}

fn request(exchange: Exchange) -> core::Request {
    core::Request {
        method: match exchange.method {
            Method::Get => core::Method::Get,
            Method::Post => core::Method::Post,
            Method::Put => core::Method::Put,
        },
        url: exchange.url,
        headers: exchange.headers.into_iter().map(|(name, value)| core::Header { name, value }).collect(),
        body: match exchange.body {
            Body::Empty => core::Body::Empty,
            Body::Bytes(bytes) => core::Body::Bytes(bytes),
            Body::File { name, revision, offset, length } => {
                core::Body::File(core::Slice { name, revision: core::Revision(revision), offset, length })
            }
        },
        login: if exchange.login { core::Login::Stored } else { core::Login::None },
        redirect: core::Redirect::Report,
    }
}

fn plain(blob: oid::Blob) -> Blob {
    Blob { oid: blob.oid.to_string(), size: blob.size }
}

fn said(reply: core::Reply) -> Said {
    match reply {
        core::Reply::SoFar(bytes) => Said::SoFar(bytes),
        core::Reply::Sent(blob) => Said::Sent(plain(blob)),
        core::Reply::Head(head) => {
            Said::Head(head.status, head.headers.into_iter().map(|one| (one.name, one.value)).collect())
        }
        core::Reply::Chunk(bytes) => Said::Chunk(bytes),
        core::Reply::End => Said::End,
        core::Reply::Received(blob) => Said::Received(plain(blob)),
        core::Reply::Doc(doc) => Said::Doc(doc.bytes, doc.revision.0),
        core::Reply::Ledger(ledger) => Said::Ledger(ledger.tip.0, ledger.files.into_iter().map(remote).collect()),
        core::Reply::PushRange(range) => Said::PushRange(push_range(range)),
        core::Reply::At(revision) => Said::At(revision.0),
        core::Reply::Present => Said::Present,
        core::Reply::Partial(it) => Said::Partial(Left { stage: it.stage.0, bytes: it.bytes, validator: it.validator }),
        core::Reply::Absent => Said::Absent,
        core::Reply::Conflict => Said::Conflict,
        core::Reply::Failed(failed) => {
            let why = match failed.why {
                core::Failure::Offline => Why::Offline,
                core::Failure::TimedOut => Why::TimedOut,
                core::Failure::Denied => Why::Denied,
                core::Failure::Aborted => Why::Aborted,
                _ => Why::Other,
            };
            Said::Failed(why, failed.detail)
        }
    }
}

fn push_range(range: core::PushRange) -> PushRange {
    let file =
        |it: core::RangeFile| RangeFile { path: it.path, bytes: it.bytes, at_tip: it.at_tip, unchanged: it.unchanged };
    PushRange {
        tip: range.tip.0,
        base: range.base.map(|base| base.0),
        commits: range.commits,
        base_is_ancestor: range.base_is_ancestor,
        is_underway: range.is_underway,
        files: range.files.into_iter().map(file).collect(),
    }
}

fn remote(file: core::LedgerFile) -> Remote {
    let core::LedgerFile { name, revision, bytes, committed } = file;
    Remote { name, revision: revision.map(|revision| revision.0), bytes, committed }
}
