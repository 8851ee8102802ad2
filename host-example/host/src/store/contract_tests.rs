//! The contract of the cache (`docs/cache.md`), as `tests/fixtures/cache` has it, with this store. A process of a
//! scenario is a store of its own, which ends when it is dropped.

mod files;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Debug;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Held, Incoming, Look, PruneRule, Receive, Staged, Store, hash_into, unwatched, write_stage};
use crate::contract::types::Blob;
use crate::files::digest::Digesting;
use crate::files::scratch::Scratch;
use crate::files::workers::Workers;

/// The kind of writer that runs here.
const KIND: &str = "command";
/// Scenarios that there are for the command at least.
const SCENARIOS_MIN: usize = 60;
/// Bytes of a piece, as a network gives them.
const PIECE_BYTES: usize = 64 << 10;

#[tokio::test]
async fn every_scenario_holds() {
    let blobs = files::blobs();
    let (mut ran, mut failed) = (0, Vec::new());
    for scenario in files::scenarios() {
        if is_for_another(&scenario) {
            continue;
        }
        ran += 1;
        let mut scene = Scene { processes: HashMap::new(), scratch: Scratch::new(), blobs: &blobs };
        if let Err(why) = scene.run(&scenario).await {
            failed.push(format!("{}: {why}", scenario["name"]));
        }
    }
    assert!(failed.is_empty(), "{} of {ran} scenarios:\n{}", failed.len(), failed.join("\n"));
    assert!(ran >= SCENARIOS_MIN, "{ran} scenarios");
}

fn is_for_another(value: &Value) -> bool {
    value["only"].as_str().is_some_and(|kind| kind != KIND)
}

/// What is meant for this kind of writer.
fn mine(value: &Value) -> &Value {
    let is_split = value.as_object().is_some_and(|map| map.contains_key("command") || map.contains_key("script"));
    if is_split { &value[KIND] } else { value }
}

/// A blob of the fixtures; one whose name is no oid has no bytes.
struct Named {
    blob: Blob,
    bytes: Vec<u8>,
}

/// A blob that is being written, and the bytes that are still to come.
struct Writing {
    incoming: Incoming,
    rest: Vec<u8>,
}

struct Process {
    writing: HashMap<String, Writing>,
    store: Store,
    workers: Workers,
}

/// A folder with its processes.
struct Scene<'a> {
    processes: HashMap<String, Process>,
    scratch: Scratch,
    blobs: &'a BTreeMap<String, Named>,
}

// ---- Steps ----

impl Scene<'_> {
    async fn run(&mut self, scenario: &Value) -> Result<(), String> {
        self.lay(&scenario["tree"])?;
        for (at, step) in scenario["steps"].as_array().expect("steps").iter().enumerate() {
            if is_for_another(step) {
                continue;
            }
            let verb = step["do"].as_str().expect("a verb");
            let (answer, why) = match self.perform(verb, step).await {
                Ok(answer) => (answer, String::new()),
                Err(why) => (json!("error"), why),
            };
            let usual = match verb {
                "finish" => json!("right"),
                "fetch" => json!("kept"),
                _ => json!("done"),
            };
            let expected = if step["is"].is_null() { &usual } else { mine(&step["is"]) };
            if answer != *expected {
                return Err(format!("step {}: {verb}: {answer}, expected {expected} {why}", at + 1));
            }
        }
        self.compare(&scenario["after"], true)
    }

    async fn perform(&mut self, verb: &str, step: &Value) -> Result<Value, String> {
        let by = step["by"].as_str().unwrap_or("one").to_owned();
        match verb {
            "open" => {
                let boot = step["boot"].as_str().map(str::to_owned);
                let store = Store::open_cache(&self.root(), boot).map_err(why)?;
                self.processes.insert(by, Process { writing: HashMap::new(), store, workers: Workers::default() });
            }
            "close" => drop(self.processes.remove(&by)),
            "change" => self.lay(&step["files"])?,
            "holds" => self.compare(&step["files"], false)?,
            _ => {
                let Some(name) = step["blob"].as_str() else { return self.tend(verb, step, &by) };
                let process = self.processes.get_mut(&by).expect("a process");
                return process.perform(verb, step, &self.blobs[name]).await;
            }
        }
        Ok(json!("done"))
    }

    fn tend(&self, verb: &str, step: &Value, by: &str) -> Result<Value, String> {
        let store = &self.processes[by].store;
        let named = |oid: &String| {
            let found = self.blobs.iter().find(|(_, named)| named.blob.oid == *oid);
            found.map_or_else(|| oid.clone(), |(name, _)| name.clone())
        };
        match verb {
            "list" => {
                let mut all = Map::new();
                for entry in store.list().map_err(why)? {
                    all.entry(named(&entry.oid)).or_insert(json!(entry.size));
                }
                return Ok(Value::Object(all));
            }
            "verify" => {
                let found = store.verify(true, |_| {}).map_err(why)?;
                let bad: BTreeSet<String> = found.bad.iter().map(named).collect();
                return Ok(json!({ "good": found.good, "bad": bad }));
            }
            "prune" => {
                let age_max = step["seconds"].as_u64().map(Duration::from_secs);
                let rule = PruneRule { bytes_max: step["bytes"].as_u64(), age_max };
                let removed = store.prune(rule, true).map_err(why)?;
                return Ok(removed.entries.iter().map(named).collect());
            }
            "sweep" => drop(store.prune(PruneRule::default(), true).map_err(why)?),
            "clear" => drop(store.clear(true).map_err(why)?),
            other => panic!("there is no step {other}"),
        }
        Ok(json!("done"))
    }

    fn root(&self) -> PathBuf {
        self.scratch.path().join("hydrant")
    }
}

impl Process {
    async fn perform(&mut self, verb: &str, step: &Value, named: &Named) -> Result<Value, String> {
        let oid = &named.blob.oid;
        let answer = match verb {
            "has" => {
                let size = step["size"].as_u64().unwrap_or(named.blob.size);
                return self.has(&Blob { oid: oid.clone(), size }).map(Value::String).map_err(why);
            }
            "read" => match self.store.open_verified(oid, named.blob.size).map_err(why)? {
                Look::Content(_) => "content",
                Look::Corrupt => "corrupt",
                Look::Absent => "absent",
            },
            "begin" => self.begin(step, named).await.map(|()| "done").map_err(why)?,
            "finish" => {
                let is_right = self.finish(named).await.map_err(why)?;
                if is_right { "right" } else { "wrong" }
            }
            "leave" => {
                let writing = self.writing.remove(oid).expect("begun");
                writing.incoming.leave().await.map(|()| "done").map_err(why)?
            }
            "keep" => self.store.keep(oid, oid).map(|()| "done").map_err(why)?,
            "drop" => self.store.drop_stage(oid).map(|()| "done").map_err(why)?,
            "fetch" => {
                self.begin(step, named).await.map_err(why)?;
                if self.finish(named).await.map_err(why)? {
                    self.store.keep(oid, oid).map(|()| "kept").map_err(why)?
                } else {
                    self.store.drop_stage(oid).map(|()| "dropped").map_err(why)?
                }
            }
            other => panic!("there is no step {other}"),
        };
        Ok(json!(answer))
    }

    /// What the store has, once it was hashed where that is needed.
    fn has(&mut self, blob: &Blob) -> io::Result<String> {
        Ok(match self.store.has(blob)? {
            Held::Present => "present".to_owned(),
            Held::Absent => "absent".to_owned(),
            Held::Partial { bytes, validator: None } => format!("begun {bytes}"),
            Held::Partial { bytes, validator: Some(validator) } => format!("begun {bytes} {validator}"),
            Held::Whole(mut stage) => {
                let mut digest = Digesting::new();
                hash_into(&mut digest, &mut stage.rewound()?, unwatched)?;
                self.store.hold(&blob.oid, Staged::File(stage));
                if digest.finish().oid == blob.oid { "whole right".to_owned() } else { "whole wrong".to_owned() }
            }
            Held::Unproved(mut proof) => {
                let is_proved = match proof.work()?.hash(unwatched)? {
                    Some(found) => self.store.settle(blob, proof, &found)?,
                    None => false,
                };
                if is_proved { "present".to_owned() } else { "absent".to_owned() }
            }
        })
    }

    async fn begin(&mut self, step: &Value, named: &Named) -> io::Result<()> {
        let keep = step["resume"].as_u64().unwrap_or(0);
        let mut incoming = match self.store.receive(&named.blob, keep, Some(named.blob.size))? {
            Receive::Memory(memory) => memory,
            Receive::File(file) => write_stage(file, keep, step["validator"].as_str(), self.workers.pick()?)?,
        };
        incoming.rewind(keep, unwatched).await?;
        let mut bytes = named.bytes.clone();
        if let Some(at) = step["flip"].as_u64() {
            bytes[at as usize] ^= 1;
        }
        let rest = bytes.split_off(step["to"].as_u64().unwrap_or(keep) as usize);
        take(&mut incoming, &bytes[keep as usize..]).await?;
        self.writing.insert(named.blob.oid.clone(), Writing { incoming, rest });
        Ok(())
    }

    /// Writes the rest; whether all of it hashes to what it should.
    async fn finish(&mut self, named: &Named) -> io::Result<bool> {
        let Writing { mut incoming, rest } = self.writing.remove(&named.blob.oid).expect("begun");
        take(&mut incoming, &rest).await?;
        let (found, staged) = incoming.finish().await?;
        self.store.hold(&named.blob.oid, staged);
        Ok(found.oid == named.blob.oid && found.size == named.blob.size)
    }
}

async fn take(incoming: &mut Incoming, bytes: &[u8]) -> io::Result<()> {
    for piece in bytes.chunks(PIECE_BYTES) {
        assert!(incoming.take(piece.to_vec().into()).await?.is_none(), "it fits");
    }
    Ok(())
}

fn why(error: impl Debug) -> String {
    format!("{error:?}")
}
