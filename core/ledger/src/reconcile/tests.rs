//! The machine against a host of a few lines: a server that has some blobs, a cache, and a branch with commits that the
//! remote lacks. What every fault does to it is for the simulated world of the test crate.

use super::{ReconcileReport, Remedy, reconcile};
use crate::register::Register;
use alloc::borrow::ToOwned as _;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use hydrant_lfs::contract::Config;
use hydrant_lfs::contract::{
    Body, Doc, Effect, Failed, Failure, Head, Header, Instant, Method, PushRange, RangeFile, Reply, Revision, Step,
};
use hydrant_lfs::git_lfs::pointer;
use hydrant_lfs::text::error::Code;
use hydrant_lfs::text::json::{self, Value};
use hydrant_lfs::text::oid::{Blob, Hasher};

const MANIFEST: &str = "sessions/s/meta.json";
const RAW: &str = "sessions/s/raw.jsonl";
const PLAN: &str = "sessions/s/plan.md";

fn blob(bytes: &[u8]) -> Blob {
    let mut hasher = Hasher::default();
    hasher.update(bytes);
    hasher.finish()
}

fn text(content: &str) -> Vec<u8> {
    pointer::of_ledger(blob(content.as_bytes())).into_bytes()
}

/// A pointer at the tip, as index and work tree have it, too.
fn at_tip(path: &str, content: &str) -> RangeFile {
    RangeFile { path: path.to_owned(), bytes: text(content), at_tip: true, unchanged: true }
}

fn older(path: &str, content: &str) -> RangeFile {
    RangeFile { at_tip: false, unchanged: false, ..at_tip(path, content) }
}

#[derive(Clone, Default)]
struct Host {
    files: Vec<RangeFile>,
    commits: u64,
    /// Contents that the server has, and those that it takes and forgets.
    server: BTreeSet<String>,
    forgets: bool,
    /// Status of every answer of the API.
    status: u16,
    /// It answers 404 to a download request when it has none of the objects.
    whole_404: bool,
    cache: BTreeSet<String>,
    docs: BTreeMap<String, Vec<u8>>,
    asked: Vec<String>,
    /// Objects in each batch request.
    pages: Vec<usize>,
    conflict: bool,
}

impl Host {
    fn new(files: Vec<RangeFile>) -> Self {
        let entry = |name: &str| {
            let blob = blob(name.as_bytes());
            format!("\"{name}\": {{\"oid\": \"sha256:{}\", \"size\": {}}}", blob.oid, blob.size)
        };
        let manifest = format!(
            "{{\"session_id\": \"ses_s\", \"zz\": 1.50, \"files\": {{{}, {}}}}}",
            entry("raw.jsonl"),
            entry("plan.md")
        );
        let docs = [(MANIFEST.to_owned(), manifest.into_bytes())].into();
        Self { files, commits: 2, status: 200, docs, ..Self::default() }
    }

    fn run(&mut self, repair: bool) -> ReconcileReport {
        self.asked.clear();
        let config = Config { retries_max: 0, ..Config::new("https://lfs.example.test/x", 1) };
        let mut operation = reconcile(config, repair).expect("well formed");
        let mut now = Instant { ticks: 1, wall: 1 };
        for _ in 0..100_000 {
            now.ticks += 1;
            match operation.poll(now) {
                Step::Perform(id, effect) => {
                    for reply in self.perform(&effect) {
                        operation.reply(id, reply).expect("a right reply");
                    }
                }
                Step::Done => return operation.finish(),
                Step::Wait(Some(until)) => now.ticks = until,
                Step::Wait(None) => panic!("every effect was answered at once"),
                _ => {}
            }
        }
        panic!("no end");
    }

    fn perform(&mut self, effect: &Effect) -> Vec<Reply> {
        let state = |bytes: &[u8]| Revision(blob(bytes).oid.to_string());
        let (name, replies) = match effect {
            Effect::LoadPushRange => {
                let (tip, base) = (Revision("tip".into()), Some(Revision("base".into())));
                let (commits, files) = (self.commits, self.files.clone());
                let range = PushRange { tip, base, commits, base_is_ancestor: true, is_underway: false, files };
                ("range", vec![Reply::PushRange(range)])
            }
            Effect::LoadDoc(name) => {
                (
                    "load",
                    vec![self.docs.get(name).map_or(Reply::Absent, |bytes| {
                        Reply::Doc(Doc { bytes: bytes.clone(), revision: state(bytes) })
                    })],
                )
            }
            Effect::SaveDoc(saving) => {
                assert_eq!(saving.name, "orphans");
                let bytes = saving.bytes.clone().expect("the register is never removed");
                let now = state(&bytes);
                self.docs.insert(saving.name.clone(), bytes);
                ("save", vec![Reply::At(now)])
            }
            Effect::HasBlob(wanted) => {
                let held = self.cache.iter().any(|content| blob(content.as_bytes()) == *wanted);
                ("has", vec![if held { Reply::Present } else { Reply::Absent }])
            }
            Effect::ReadFile(reading) => {
                let content = self.cached(&reading.name);
                let chunk = Reply::Chunk(content.clone().into_bytes());
                ("read", vec![chunk, Reply::End, Reply::At(state(content.as_bytes()))])
            }
            Effect::RewriteLedger(rewrite) => {
                for file in rewrite.files.iter().filter(|_| !self.conflict) {
                    match &file.bytes {
                        Some(bytes) => drop(self.docs.insert(file.name.clone(), bytes.clone())),
                        None => self.files.retain(|there| !(there.path == file.name && there.bytes == file.replaces)),
                    }
                }
                if self.conflict {
                    return vec![Reply::Conflict];
                }
                self.files.retain(|file| file.at_tip);
                ("rewrite", vec![Reply::At(Revision("new".into()))])
            }
            Effect::Http(exchange) => match (&exchange.request.body, exchange.request.method) {
                (Body::File(slice), Method::Put) => {
                    let content = self.cached(&slice.name);
                    let sent = Reply::Sent(blob(content.as_bytes()));
                    if !self.forgets {
                        self.server.insert(content);
                    }
                    ("put", vec![sent, Reply::Head(Head { status: 200, headers: Vec::new() }), Reply::End])
                }
                (Body::Bytes(body), _) => ("batch", self.batch(body)),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        };
        self.asked.push(name.to_owned());
        replies
    }

    fn cached(&self, name: &str) -> String {
        let named = |content: &&String| name == format!("cache/{}", blob(content.as_bytes()).oid);
        self.cache.iter().find(named).expect("what the cache has").clone()
    }

    fn batch(&mut self, body: &[u8]) -> Vec<Reply> {
        let asked = json::parse(body).expect("a batch request");
        let upload = asked.get("operation").and_then(Value::text) == Some("upload");
        let objects = asked.get("objects").expect("objects").items();
        self.pages.push(objects.len());
        let answer = |object: &Value<'_>| {
            let oid = object.get("oid").and_then(Value::text).expect("an oid");
            let size = object.get("size").and_then(Value::integer).expect("a size");
            let held = self.server.iter().any(|content| blob(content.as_bytes()).oid.to_string() == *oid);
            let action = |name: &str| format!("\"actions\":{{\"{name}\":{{\"href\":\"https://lfs.example.test/o\"}}}}");
            let rest = match (upload, held) {
                (true, true) => "\"x\":0".to_owned(),
                (true, false) => action("upload"),
                (false, true) => action("download"),
                (false, false) => "\"error\":{\"code\":404,\"message\":\"no such object\"}".to_owned(),
            };
            format!("{{\"oid\":\"{oid}\",\"size\":{size},{rest}}}")
        };
        let answer = format!("{{\"objects\":[{}]}}", objects.iter().map(answer).collect::<Vec<_>>().join(","));
        let headers = vec![Header::new("Content-Type", "application/vnd.git-lfs+json")];
        let has_any = answer.contains("\"download\"");
        let status = if self.whole_404 && !upload && !has_any { 404 } else { self.status };
        vec![Reply::Head(Head { status, headers }), Reply::Chunk(answer.into_bytes()), Reply::End]
    }
}

#[test]
fn without_pointers_nobody_is_asked() {
    let note = RangeFile { bytes: b"version 2 of a note".to_vec(), ..at_tip("notes", "") };
    let mut host = Host::new(vec![note]);
    let report = host.run(true);
    assert_eq!((report.ended, report.repairable, report.scanned), (Ok(()), Ok(()), 0));
    assert_eq!(host.asked, ["range"]);
}

#[test]
fn a_look_changes_nothing_and_tells_what_a_repair_would_do() {
    let mut host = Host::new(vec![
        at_tip(RAW, "raw.jsonl"),
        at_tip(PLAN, "plan.md"),
        at_tip("docs/x", "there"),
        older(RAW, "old"),
    ]);
    host.cache.insert("plan.md".into());
    host.server.insert("there".into());
    let (docs, files) = (host.docs.clone(), host.files.clone());
    let report = host.run(false);
    assert_eq!((report.ended, report.repairable), (Ok(()), Ok(())));
    let found: Vec<(&str, bool, Remedy)> =
        report.missing.iter().map(|it| (it.path.as_str(), it.history_only, it.remedy)).collect();
    assert_eq!(found, [(RAW, false, Remedy::Remove), (PLAN, false, Remedy::UploadAgain), (RAW, true, Remedy::Squash)]);
    assert_eq!((report.scanned, report.commits, report.removed, report.squashed), (4, 2, vec![RAW.to_owned()], true));
    assert_eq!(report.uploaded, [blob(b"plan.md")]);
    assert_eq!(report.tip, None);
    assert!(host.docs == docs && host.files == files && !host.asked.iter().any(|asked| asked == "put"));
}

#[test]
fn a_repair_sends_removes_and_squashes_and_then_nothing_is_missing() {
    let mut host =
        Host::new(vec![at_tip(RAW, "raw.jsonl"), at_tip(PLAN, "plan.md"), older(RAW, "old"), older(PLAN, "was sent")]);
    host.cache.insert("plan.md".into());
    host.server.insert("was sent".into());
    let report = host.run(true);
    assert_eq!(report.ended, Ok(()));
    assert_eq!((report.uploaded, report.removed), (vec![blob(b"plan.md")], vec![RAW.to_owned()]));
    assert_eq!((report.squashed, report.tip), (true, Some(Revision("new".into()))));
    assert_eq!(report.orphans, [blob(b"was sent")], "the squash took its last pointer");
    let manifest = String::from_utf8(host.docs[MANIFEST].clone()).expect("text");
    assert!(manifest.contains("\"zz\": 1.50") && manifest.contains("plan.md") && !manifest.contains("raw.jsonl"));
    let register = Register::read(&host.docs["orphans"]).expect("readable");
    let named: BTreeSet<Blob> = register.blobs().collect();
    assert_eq!(named, [blob(b"was sent"), blob(b"plan.md")].into(), "law 13: named before it is sent");
    let order = |what: &str| host.asked.iter().position(|asked| asked == what).expect("was asked");
    assert!(order("save") < order("put") && order("put") < order("rewrite"), "{:?}", host.asked);
    let again = host.run(true);
    assert_eq!((again.ended, again.missing), (Ok(()), vec![]));
    assert!(!host.asked.iter().any(|asked| asked == "rewrite" || asked == "put"));
}

#[test]
fn what_is_not_definite_changes_nothing() {
    for (status, code) in [(401, Code::Auth), (404, Code::NotFound), (410, Code::NotFound), (503, Code::Busy)] {
        let mut host = Host::new(vec![at_tip(RAW, "raw.jsonl")]);
        host.status = status;
        let (docs, files) = (host.docs.clone(), host.files.clone());
        let report = host.run(true);
        assert_eq!(report.ended.map_err(|error| error.code), Err(code), "I15: {status}");
        let told = host.run(false);
        assert_eq!((told.ended.is_ok(), told.unknown.len()), (false, 0), "nothing was heard of any: {status}");
        assert!(report.missing.is_empty() && host.docs == docs && host.files == files, "{status}");
    }
}

/// Law 11: a 404 for a whole request proves nothing of one object. What the server would take may be sent again.
#[test]
fn what_a_server_would_take_is_sent_again_and_nothing_is_removed() {
    let mut host = Host::new(vec![at_tip(PLAN, "plan.md")]);
    (host.whole_404, host.cache) = (true, ["plan.md".to_owned()].into());
    let report = host.run(false);
    let remedies: Vec<Remedy> = report.missing.iter().map(|it| it.remedy).collect();
    assert_eq!((report.ended, remedies), (Ok(()), vec![Remedy::UploadAgain]));
    let report = host.run(true);
    assert_eq!((report.ended, report.uploaded), (Ok(()), vec![blob(b"plan.md")]));
    assert!(report.removed.is_empty() && report.tip.is_none() && host.server.contains("plan.md"));

    let mut host = Host::new(vec![at_tip(PLAN, "plan.md"), at_tip(RAW, "raw.jsonl"), older(RAW, "old")]);
    (host.whole_404, host.cache) = (true, ["plan.md".to_owned()].into());
    let (docs, files) = (host.docs.clone(), host.files.clone());
    let report = host.run(false);
    let unknown: Vec<(&str, Code)> = report.unknown.iter().map(|it| (it.path.as_str(), it.error.code)).collect();
    assert_eq!((report.ended, unknown), (Ok(()), vec![(RAW, Code::NotFound); 2]), "the server was heard");
    let report = host.run(true);
    assert_eq!(report.ended.map_err(|error| error.code), Err(Code::NotFound), "one of them is not here");
    assert!(host.docs == docs && host.files == files && host.server.is_empty());
}

/// Shows I5.
#[test]
fn a_server_that_forgets_what_it_took_is_found_out() {
    let mut host = Host::new(vec![at_tip(PLAN, "plan.md"), at_tip(RAW, "raw.jsonl")]);
    host.cache.insert("plan.md".into());
    host.forgets = true;
    let report = host.run(true);
    assert_eq!(report.ended.map_err(|error| error.code), Err(Code::Missing));
    assert!(report.tip.is_none() && !host.asked.iter().any(|asked| asked == "rewrite"), "{:?}", host.asked);
}

#[test]
fn somebody_elses_commit_is_a_conflict() {
    let mut host = Host::new(vec![at_tip(RAW, "raw.jsonl")]);
    host.conflict = true;
    let report = host.run(true);
    assert_eq!(report.ended.map_err(|error| error.code), Err(Code::Conflict));
    assert_eq!((report.removed, report.squashed, report.tip), (vec![], false, None));
}

#[test]
fn contradictions_are_named_also_where_the_server_has_everything() {
    let mut host = Host::new(vec![at_tip(RAW, "another"), at_tip(PLAN, "plan.md")]);
    host.server.extend(["another".to_owned(), "plan.md".to_owned()]);
    let report = host.run(false);
    let [it] = report.contradictions.as_slice() else { panic!("{report:?}") };
    assert_eq!((it.path.as_str(), it.pointer, it.manifest), (RAW, blob(b"another"), Some(blob(b"raw.jsonl"))));
    assert_eq!((report.ended, report.missing), (Ok(()), vec![]));
}

#[test]
fn many_pointers_are_asked_in_pages() {
    let files = (0..1_050).map(|at| at_tip(&format!("sessions/n{at}/raw.jsonl"), &at.to_string())).collect();
    let mut host = Host::new(files);
    host.server = (0..1_050).map(|at: usize| at.to_string()).collect();
    let report = host.run(false);
    assert_eq!((report.ended, report.scanned, report.missing.len()), (Ok(()), 1_050, 0));
    assert_eq!((host.pages.len(), host.pages.iter().max()), (11, Some(&100)));
}

/// Shows I14.
#[test]
fn a_failing_cache_is_no_empty_one() {
    let mut host = Host::new(vec![at_tip(RAW, "raw.jsonl")]);
    let mut operation = reconcile(Config::new("https://lfs.example.test/x", 1), true).expect("well formed");
    let mut now = Instant { ticks: 1, wall: 1 };
    let report = loop {
        now.ticks += 1;
        match operation.poll(now) {
            Step::Perform(id, Effect::HasBlob(_)) => {
                let failed = Failed { why: Failure::Io, detail: "broken".into() };
                operation.reply(id, Reply::Failed(failed)).expect("a right reply");
            }
            Step::Perform(id, effect) => {
                host.perform(&effect).into_iter().for_each(|reply| operation.reply(id, reply).expect("a right reply"));
            }
            Step::Done => break operation.finish(),
            _ => {}
        }
    };
    assert!(report.ended.is_err() && !host.asked.iter().any(|asked| asked == "rewrite"), "{report:?}");
}
