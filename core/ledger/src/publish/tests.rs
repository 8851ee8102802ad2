//! The machine against a host of a few lines: a server that has everything, a remote, documents. The simulated world
//! of the test crate is the thorough one; here is what must hold in the plain case, phase by phase.

use super::{Phase, Publication, PublishFile, PublishReport, PublishedState, publish};
use crate::manifest::Manifest;
use crate::register::Register;
use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use hydrant_lfs::contract::Config;
use hydrant_lfs::contract::{Body, Doc, Effect, Head, Header, Instant, Ledger, LedgerFile, Reply, Revision, Step};
use hydrant_lfs::text::error::Code;
use hydrant_lfs::text::json::{self, Value};
use hydrant_lfs::text::oid::{Blob, Hasher};

const MANIFEST: &str = "sessions/s/meta.json";
const RAW: &str = "sessions/s/raw.jsonl";
const TWO_ENTRIES: &str =
    "{\"type\":\"header\"}\n{\"type\":\"user\"}\n{\"type\":\"assistant\"}\n{\"type\":\"footer\"}\n";

#[derive(Clone, Default)]
struct Host {
    /// Documents and files, by the names that effects use.
    here: BTreeMap<String, Vec<u8>>,
    committed: BTreeMap<String, Vec<u8>>,
    remote: BTreeMap<String, Vec<u8>>,
    /// Names of the effects, in the order in which they were asked for.
    asked: Vec<&'static str>,
    phases: Vec<Phase>,
}

fn blob(bytes: &[u8]) -> Blob {
    let mut hasher = Hasher::default();
    hasher.update(bytes);
    hasher.finish()
}

fn revision(bytes: &[u8]) -> Revision {
    Revision(blob(bytes).oid.to_string())
}

impl Host {
    fn with(files: &[(&str, &str)]) -> Self {
        let here = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
        Self { here, ..Self::default() }
    }

    /// Runs to the end, or dies when the effect of this number (from 0) was asked for.
    fn run(&mut self, publication: &Publication, dies_at: Option<usize>) -> Option<PublishReport> {
        self.asked.clear();
        let config = Config::new("https://lfs.example.test/x", 1);
        let mut operation = publish(config, publication.clone()).expect("well formed");
        let mut now = Instant { ticks: 1, wall: 1 };
        for _ in 0..10_000 {
            now.ticks += 1;
            match operation.poll(now) {
                Step::Perform(id, effect) => {
                    if dies_at == Some(self.asked.len()) {
                        return None;
                    }
                    for reply in self.perform(&effect) {
                        operation.reply(id, reply).expect("a right reply");
                    }
                }
                Step::Enter(phase) => self.phases.push(phase),
                Step::Done => return Some(operation.finish()),
                Step::Note(_) | Step::Retry(_) | Step::Cancel(_) => {}
                Step::Wait(_) => panic!("every effect was answered at once"),
            }
        }
        panic!("no end");
    }

    fn perform(&mut self, effect: &Effect) -> Vec<Reply> {
        let (name, replies) = match effect {
            Effect::LoadDoc(name) => (
                "load-doc",
                match self.here.get(name) {
                    None => vec![Reply::Absent],
                    Some(bytes) => vec![Reply::Doc(Doc { bytes: bytes.clone(), revision: revision(bytes) })],
                },
            ),
            Effect::SaveDoc(saving) => {
                assert!(saving.name == "journal/s" || saving.name == "orphans", "{}", saving.name);
                (
                    "save-doc",
                    if self.here.get(&saving.name).map(|now| revision(now)) != saving.replaces {
                        vec![Reply::Conflict]
                    } else if let Some(bytes) = &saving.bytes {
                        self.here.insert(saving.name.clone(), bytes.clone());
                        vec![Reply::At(revision(bytes))]
                    } else {
                        self.here.remove(&saving.name);
                        vec![Reply::End]
                    },
                )
            }
            Effect::ReadFile(reading) => (
                "read-file",
                match self.here.get(&reading.name) {
                    None => vec![Reply::Absent],
                    Some(bytes) => {
                        let chunks = bytes.chunks(9).map(|chunk| Reply::Chunk(chunk.to_vec()));
                        chunks.chain([Reply::End, Reply::At(revision(bytes))]).collect()
                    }
                },
            ),
            Effect::LoadLedger(lookup) => {
                let document = |name: &String| LedgerFile {
                    name: name.clone(),
                    revision: self.remote.get(name).map(|bytes| revision(bytes)),
                    bytes: self.remote.get(name).cloned(),
                    committed: self.committed.get(name).cloned(),
                };
                let file = |name: &String| LedgerFile { bytes: None, committed: None, ..document(name) };
                let files = lookup.documents.iter().map(document).chain(lookup.files.iter().map(file)).collect();
                ("load-ledger", vec![Reply::Ledger(Ledger { tip: Revision("tip".into()), files })])
            }
            Effect::PushLedger(push) => {
                let holds = push.files.iter().all(|file| self.remote.get(&file.name) == Some(&file.bytes));
                let fits =
                    push.files.iter().all(|file| self.remote.get(&file.name).map(|now| revision(now)) == file.replaces);
                if fits && !holds {
                    self.remote.extend(push.files.iter().map(|file| (file.name.clone(), file.bytes.clone())));
                }
                let answer = if holds || fits { Reply::At(Revision("tip".into())) } else { Reply::Conflict };
                ("push-ledger", vec![answer])
            }
            Effect::SettleLedger(settle) => {
                self.committed = self.remote.clone();
                for file in &settle.files {
                    let there = self.here.get(&file.name).map(|now| revision(now));
                    if there.is_none() || there == file.expects {
                        self.here.insert(file.name.clone(), self.remote[&file.name].clone());
                    }
                }
                ("settle-ledger", vec![Reply::End])
            }
            Effect::SwapFile(swap) => {
                let there = &self.here[&swap.name];
                assert!(*there == swap.pointer || revision(there) == swap.expects, "{}", swap.name);
                self.here.insert(swap.name.clone(), swap.pointer.clone());
                ("swap-file", vec![Reply::At(revision(&swap.pointer))])
            }
            Effect::Http(exchange) => {
                let Body::Bytes(body) = &exchange.request.body else { panic!("a server that has everything") };
                let asked = json::parse(body).expect("a batch request");
                let objects = asked.get("objects").expect("objects").items().iter();
                let object = |object: &Value<'_>| String::from_utf8(body[object.span.clone()].to_vec()).expect("text");
                let answer = format!("{{\"objects\":[{}]}}", objects.map(object).collect::<Vec<_>>().join(","));
                let headers = vec![Header::new("Content-Type", "application/vnd.git-lfs+json")];
                let head = Reply::Head(Head { status: 200, headers });
                ("http", vec![head, Reply::Chunk(answer.into_bytes()), Reply::End])
            }
            other => panic!("{other:?}"),
        };
        self.asked.push(name);
        replies
    }

    fn manifest(&self) -> Manifest {
        Manifest::parse(&self.remote[MANIFEST]).expect("readable")
    }
}

fn publication(files: &[&str]) -> Publication {
    let file = |name: &&str| PublishFile { name: (*name).to_owned(), source: None, in_git: name.ends_with(".json") };
    Publication {
        session: "s".into(),
        files: files.iter().map(file).collect(),
        new_session_id: "ses_new".into(),
        created_at: "2026-05-04T09:30:00Z".into(),
        fields: vec![("title".into(), "A title".into())],
        redaction: None,
    }
}

fn scene() -> (Host, Publication) {
    let host = Host::with(&[(RAW, TWO_ENTRIES), ("sessions/s/empty", ""), ("sessions/s/summary.json", "{\"a\": 1}")]);
    (host, publication(&["raw.jsonl", "empty", "summary.json"]))
}

/// Shows I4.
#[test]
fn a_first_publish_passes_every_phase_in_order() {
    let (mut host, publication) = scene();
    let report = host.run(&publication, None).expect("it does not die");
    assert_eq!(report.ended, Ok(()), "{report:?}");
    assert_eq!((report.phase, report.session_id.as_str()), (Phase::Done, "ses_new"));
    assert_eq!(host.phases, Phase::ALL);
    let states: Vec<_> = report.files.iter().map(|file| (file.name.as_str(), file.state)).collect();
    let expected = [
        ("raw.jsonl", PublishedState::Swapped),
        ("empty", PublishedState::Swapped),
        ("summary.json", PublishedState::Published),
    ];
    assert_eq!(states, expected);
    let manifest = host.manifest();
    assert_eq!((manifest.entry_count, manifest.title.as_str(), manifest.files().len()), (Some(2), "A title", 3));
    assert!(!host.here.contains_key("journal/s"));
    assert_eq!(host.remote[RAW], host.here[RAW]);
    assert!(host.here["sessions/s/empty"].ends_with(b"size 0\n"), "an empty blob has a real pointer");
}

/// Shows I19.
#[test]
fn wherever_it_dies_the_next_run_ends_it() {
    let (clean, publication) = scene();
    let effects = {
        let mut host = clean.clone();
        host.run(&publication, None);
        host.asked.len()
    };
    for dies_at in 0..effects {
        let mut host = clean.clone();
        assert_eq!(host.run(&publication, Some(dies_at)), None);
        // What was swapped is a pointer now, so a host names it no longer.
        let mut again = publication.clone();
        again.files.retain(|file| !host.here[&format!("sessions/s/{}", file.name)].starts_with(b"version "));
        let report = host.run(&again, None).expect("it does not die");
        assert_eq!(report.ended, Ok(()), "died at {dies_at}: {report:?}");
        assert_eq!(host.manifest().files().len(), 3, "died at {dies_at}");
        assert!(!host.here.contains_key("journal/s"), "died at {dies_at}");
        assert_eq!(host.remote[RAW], host.here[RAW], "died at {dies_at}");
    }
}

#[test]
fn what_was_bound_needs_neither_its_files_nor_the_server() {
    let (mut host, mut publication) = scene();
    publication.files[0].source = Some("aside".into());
    host.here.insert("aside".into(), TWO_ENTRIES.into());
    host.here.remove(RAW);
    let push = 9;
    assert_eq!(host.run(&publication, Some(push)), None);
    assert_eq!(host.asked.last(), Some(&"save-doc"), "{:?}", host.asked);
    host.here.remove("aside");
    let resume = Publication { files: Vec::new(), fields: Vec::new(), ..publication };
    let report = host.run(&resume, None).expect("it does not die");
    assert_eq!((report.ended, report.resumed, report.phase), (Ok(()), true, Phase::Done));
    assert_eq!(report.files.len(), 3);
    assert!(!host.asked.contains(&"http") && !host.asked.contains(&"read-file"), "{:?}", host.asked);
    assert_eq!(host.remote[RAW], host.here[RAW], "settling puts the pointer where nothing stood");
    let report = host.run(&resume, None).expect("it does not die");
    assert_eq!(report.ended.map_err(|error| error.code), Err(Code::NotFound), "nothing is unfinished");
}

/// Shows I2, I3 and I22.
#[test]
fn what_loses_its_last_name_is_registered() {
    let (mut host, publication) = scene();
    host.run(&publication, None).expect("it does not die");
    let old = blob(TWO_ENTRIES.as_bytes());
    host.here.insert(RAW.into(), format!("{TWO_ENTRIES}{{\"type\":\"tool\"}}\n").into_bytes());
    let report = host.run(&publication_of_raw(), None).expect("it does not die");
    assert_eq!((report.ended.clone(), report.orphans.as_slice()), (Ok(()), [old].as_slice()), "{report:?}");
    assert_eq!(host.manifest().entry_count, Some(3), "counted anew from the same bytes");
    assert_eq!(Register::read(&host.here["orphans"]).expect("readable").blobs().collect::<Vec<_>>(), [old]);
}

fn publication_of_raw() -> Publication {
    Publication { fields: Vec::new(), ..publication(&["raw.jsonl"]) }
}

#[test]
fn the_oids_of_a_plan_that_was_given_up_are_registered_before_its_journal_is_replaced() {
    let (mut host, publication) = scene();
    let bind = 8;
    assert_eq!(host.run(&publication, Some(bind)), None);
    assert_eq!(host.asked.last(), Some(&"http"), "{:?}", host.asked);
    host.here.insert(RAW.into(), format!("{TWO_ENTRIES}{{\"type\":\"tool\"}}\n").into_bytes());
    let report = host.run(&publication, None).expect("it does not die");
    assert_eq!(report.ended, Ok(()));
    let at = |name: &str| host.asked.iter().position(|asked| *asked == name).expect(name);
    assert_eq!(host.asked[at("save-doc")..][..2], ["save-doc", "save-doc"], "register, then journal");
    let old = blob(TWO_ENTRIES.as_bytes());
    assert_eq!(Register::read(&host.here["orphans"]).expect("readable").blobs().collect::<Vec<_>>(), [old]);
}

/// Shows I1, I7, I10 and I17.
#[test]
fn what_is_never_published() {
    let empty = "{\"type\":\"header\"}\n{\"type\":\"footer\"}\n";
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 3\n", "a".repeat(64));
    let claim = format!(
        "{{\"session_id\": \"ses_new\", \"files\": {{\"plan.md\": {{\"oid\": \"sha256:{}\", \"size\": 1}}}}}}",
        "b".repeat(64)
    );
    let odd = |entry: &str| format!("{{\"session_id\": \"ses_new\", \"files\": {{\"raw.jsonl\": {{{entry}}}}}}}");
    type Change<'a> = &'a dyn Fn(&mut Host, &mut Publication);
    let table: [(&str, Code, Change<'_>); 13] = [
        ("a transcript of a header alone", Code::Rejected, &|host, _| drop(host.here.insert(RAW.into(), empty.into()))),
        ("no transcript at all", Code::Rejected, &|_, publication| drop(publication.files.remove(0))),
        ("a pointer as content", Code::Rejected, &|host, _| {
            drop(host.here.insert("sessions/s/empty".into(), pointer.clone().into_bytes()))
        }),
        ("a pointer carried by git", Code::Rejected, &|host, _| {
            drop(host.here.insert("sessions/s/summary.json".into(), pointer.clone().into_bytes()))
        }),
        ("a leaky title", Code::Rejected, &|_, publication| {
            publication.fields = vec![("title".into(), "Summary generation failed: x".into())];
        }),
        ("a field that never changes", Code::Rejected, &|host, publication| {
            host.here.insert(MANIFEST.into(), b"{\"session_id\": \"i\", \"username\": \"a\"}".to_vec());
            publication.fields = vec![("username".into(), "b".into())];
        }),
        ("a claim that nobody can check", Code::Conflict, &|host, _| {
            drop(host.here.insert(MANIFEST.into(), claim.clone().into_bytes()))
        }),
        ("a claim that the remote does not make", Code::Conflict, &|host, _| {
            host.here.insert(MANIFEST.into(), claim.clone().into_bytes());
            host.remote.insert(MANIFEST.into(), b"{\"session_id\": \"ses_new\"}".to_vec());
        }),
        ("an unreadable manifest", Code::Malformed, &|host, _| {
            drop(host.here.insert(MANIFEST.into(), b"<<<<<<< HEAD\n{}".to_vec()))
        }),
        ("an entry of a negative size", Code::Malformed, &|host, _| {
            drop(host.here.insert(MANIFEST.into(), odd("\"oid\": \"sha256:00\", \"size\": -5").into_bytes()))
        }),
        ("an entry that is stored somewhere unknown", Code::Rejected, &|host, _| {
            drop(host.here.insert(MANIFEST.into(), odd("\"storage\": \"s3\", \"size\": 5").into_bytes()))
        }),
        ("an entry that git carries", Code::Conflict, &|host, _| {
            drop(host.here.insert(MANIFEST.into(), odd("\"storage\": \"git\", \"size\": 5").into_bytes()))
        }),
        ("another session of this name", Code::Conflict, &|host, _| {
            host.here.insert(MANIFEST.into(), b"{\"session_id\": \"ses_here\"}".to_vec());
            host.remote.insert(MANIFEST.into(), b"{\"session_id\": \"ses_there\"}".to_vec());
        }),
    ];
    for (what, code, change) in table {
        let (mut host, mut publication) = scene();
        change(&mut host, &mut publication);
        let (here, remote) = (host.here.clone(), host.remote.clone());
        let report = host.run(&publication, None).expect("it does not die");
        assert_eq!(report.ended.map_err(|error| error.code), Err(code), "{what}");
        assert!(host.here == here && host.remote == remote, "{what}: something was written");
        assert!(!host.asked.contains(&"http"), "{what}: the server was asked");
    }
}

/// Shows I2: no manifest names what the remote's commits do not keep.
#[test]
fn what_the_remote_removed_comes_back_as_a_whole_or_not_at_all() {
    let (mut host, publication) = scene();
    host.run(&publication, None).expect("it does not die");
    host.remote.clear();
    host.here.insert(RAW.into(), format!("{TWO_ENTRIES}{{\"type\":\"tool\"}}\n").into_bytes());
    let here = host.here.clone();
    let report = host.run(&publication_of_raw(), None).expect("it does not die");
    let error = report.ended.expect_err("its pointers are gone");
    assert!(error.code == Code::Conflict && error.detail.contains("empty"), "{error:?}");
    assert!(host.remote.is_empty() && host.here == here && !host.asked.contains(&"http"), "{:?}", host.asked);
    host.here.insert("sessions/s/empty".into(), Vec::new());
    let whole = Publication { fields: Vec::new(), ..publication };
    assert_eq!(host.run(&whole, None).expect("it does not die").ended, Ok(()));
    assert_eq!(host.manifest().files().len(), host.remote.len() - 1, "a file for each entry");
}

/// Shows I20.
#[test]
fn somebody_elses_change_is_a_conflict_and_other_files_merge() {
    let (mut host, publication) = scene();
    host.run(&publication, None).expect("it does not die");
    let seen = host.clone();
    // Another clone publishes one more file, and this one has not seen it.
    host.here.insert("sessions/s/plan.md".into(), b"a plan".to_vec());
    let plan = Publication { fields: vec![("title".into(), "Theirs".into())], ..self::publication(&["plan.md"]) };
    assert_eq!(host.run(&plan, None).expect("it does not die").ended, Ok(()));
    let mut behind = Host { remote: host.remote.clone(), ..seen };
    behind.here.insert(RAW.into(), format!("{TWO_ENTRIES}{{\"type\":\"tool\"}}\n").into_bytes());
    let report = behind.run(&publication_of_raw(), None).expect("it does not die");
    assert_eq!(report.ended, Ok(()), "{report:?}");
    let manifest = behind.manifest();
    assert_eq!((manifest.files().len(), manifest.title.as_str(), manifest.entry_count), (4, "Theirs", Some(3)));
    // The same file, changed by both: `host` has not seen what `behind` published.
    host.remote = behind.remote.clone();
    host.here.insert(RAW.into(), TWO_ENTRIES.repeat(2).into_bytes());
    let remote = host.remote.clone();
    let report = host.run(&publication_of_raw(), None).expect("it does not die");
    assert_eq!(report.ended.map_err(|error| error.code), Err(Code::Conflict));
    assert!(host.remote == remote);
}

/// Whoever asks for nothing but the end of a publish, and pulled, wants just its files. Nobody else's word counts so.
#[test]
fn what_a_pull_brought_gives_way_to_the_end_of_a_publish_alone() {
    let (mut clean, publication) = scene();
    clean.run(&publication, None).expect("it does not die");
    let ours = TWO_ENTRIES.repeat(2).into_bytes();
    let begins = |mut host: Host, dies_at: Option<usize>| {
        host.here.insert(RAW.into(), ours.clone());
        host.run(&publication_of_raw(), dies_at);
        host
    };
    let pushes = begins(clean.clone(), None).asked.iter().position(|name| *name == "push-ledger");
    let bound = begins(clean.clone(), pushes);
    let mut rival = clean.clone();
    rival.here.insert(RAW.into(), format!("{TWO_ENTRIES}{{\"type\":\"tool\"}}\n").into_bytes());
    rival.here.insert("sessions/s/plan.md".into(), b"a plan".to_vec());
    let theirs = Publication { fields: Vec::new(), ..self::publication(&["raw.jsonl", "plan.md"]) };
    assert_eq!(rival.run(&theirs, None).expect("it does not die").ended, Ok(()));
    let mut host = Host { remote: rival.remote.clone(), ..bound };
    let finish = Publication { fields: Vec::new(), ..self::publication(&[]) };
    for _ in 0..2 {
        let report = host.run(&finish, None).expect("it does not die");
        assert_eq!(report.ended.map_err(|error| error.code), Err(Code::Conflict));
        assert!(host.remote == rival.remote && host.here.contains_key("journal/s"));
    }
    host.committed = host.remote.clone();
    // A publish with files of its own begins anew with them: that the interrupted one may replace what was pulled,
    // nobody said.
    let mut other = Host { asked: Vec::new(), ..host.clone() };
    let report = other.run(&publication_of_raw(), None).expect("it does not die");
    assert_eq!(report.ended, Ok(()));
    assert!(other.asked.contains(&"http"), "{:?}", other.asked);
    let report = host.run(&finish, None).expect("it does not die");
    assert_eq!(report.ended, Ok(()), "{report:?}");
    let manifest = host.manifest();
    let oid = |name: &str| manifest.files().iter().find(|file| file.name == name).and_then(|file| file.oid);
    assert_eq!((oid("raw.jsonl"), oid("plan.md")), (Some(blob(&ours).oid), Some(blob(b"a plan").oid)));
    assert_eq!(manifest.entry_count, Some(4));
    let named = rival.manifest().files().iter().find(|file| file.name == "raw.jsonl").and_then(|file| file.oid);
    let text = String::from_utf8(host.here["orphans"].clone()).expect("text");
    assert!(text.contains(&named.expect("an oid").to_string()), "what gave way is registered");
}
