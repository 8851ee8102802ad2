//! The laws that a reconcile could break: it acts on definite answers alone, and takes away only what they name.
//!
//! What the server said is read here once more, from the bytes of its answers; the core is not asked.

use super::Store;
use super::ledger::pointed;
use hydrant_lfs::contract::{Body, Effect, EffectId, Method, Reply, Rewrite};
use hydrant_lfs::text::oid::Oid;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a reconcile asked and was told so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Repairs {
    /// It may act; otherwise it only looks.
    acts: bool,
    /// Batch requests under way: the oids they ask about, the status, and the answer so far.
    open: BTreeMap<EffectId, (BTreeSet<Oid>, u16, Vec<u8>)>,
    /// Definitely not there, by the last answer about each.
    missing: BTreeSet<Oid>,
    /// Asked about, and no answer was definite yet.
    doubtful: BTreeSet<Oid>,
}

impl Repairs {
    pub(super) fn new(acts: bool) -> Self {
        Self { acts, ..Self::default() }
    }

    /// What is asked for may be asked for now.
    pub(super) fn asked(&mut self, id: EffectId, effect: &Effect, store: &Store) -> Result<(), String> {
        match effect {
            Effect::SaveDoc(_) | Effect::RewriteLedger(_) if !self.acts => {
                Err("I14: a look at the push range changes something".to_owned())
            }
            Effect::Http(exchange) => {
                if !self.acts && exchange.request.method == Method::Put {
                    return Err("I14: a look at the push range sends something".to_owned());
                }
                if let Body::Bytes(bytes) = &exchange.request.body {
                    let asked: Value = serde_json::from_slice(bytes).unwrap_or_default();
                    let objects = asked["objects"].as_array().into_iter().flatten();
                    let oids: BTreeSet<Oid> =
                        objects.filter_map(|object| Oid::parse(object["oid"].as_str()?)).collect();
                    self.doubtful.extend(oids.iter().filter(|oid| !self.missing.contains(oid)));
                    self.open.insert(id, (oids, 0, Vec::new()));
                }
                Ok(())
            }
            Effect::SaveDoc(saving) if saving.name != "orphans" => {
                Err(format!("law 7: a reconcile writes {}", saving.name))
            }
            Effect::PushLedger(_) | Effect::SettleLedger(_) | Effect::SwapFile(_) => {
                Err("a reconcile publishes".to_owned())
            }
            Effect::RewriteLedger(rewrite) => self.rewrites(rewrite, store),
            _ => Ok(()),
        }
    }

    /// What the host answered.
    pub(super) fn told(&mut self, id: EffectId, reply: &Reply) {
        let Some((oids, status, body)) = self.open.get_mut(&id) else { return };
        match reply {
            Reply::Head(head) => *status = head.status,
            Reply::Chunk(bytes) => body.extend_from_slice(bytes),
            Reply::End => {
                let answer: Value = serde_json::from_slice(body).unwrap_or_default();
                for object in answer["objects"].as_array().filter(|_| *status == 200).into_iter().flatten() {
                    let Some(oid) = object["oid"].as_str().and_then(Oid::parse) else { continue };
                    if !oids.contains(&oid) {
                        continue;
                    }
                    if object["error"]["code"] == 404 {
                        self.missing.insert(oid);
                        self.doubtful.remove(&oid);
                    } else if object["error"].is_null() {
                        self.missing.remove(&oid);
                        self.doubtful.remove(&oid);
                    }
                }
                self.open.remove(&id);
            }
            Reply::Failed(_) => drop(self.open.remove(&id)),
            _ => {}
        }
    }

    /// I13, I14, I15: only what is definitely missing goes, with exactly its entry; nothing becomes an empty stub.
    fn rewrites(&self, rewrite: &Rewrite, store: &Store) -> Result<(), String> {
        if let Some(oid) = self.doubtful.iter().next() {
            return Err(format!("I15: it acts although nothing definite was said of {oid}"));
        }
        let mut gone = BTreeSet::new();
        for file in rewrite.files.iter().filter(|file| file.bytes.is_none()) {
            let named = pointed(&file.replaces).filter(|oid| self.missing.contains(oid));
            if named.is_none() || store.read(&file.name) != Some(&file.replaces) {
                return Err(format!("I15: {} goes, and its blob is not definitely missing", file.name));
            }
            gone.insert(file.name.clone());
        }
        for file in &rewrite.files {
            let Some(bytes) = &file.bytes else { continue };
            let Some(folder) = file.name.strip_suffix("meta.json") else {
                return Err(format!("I14: {} is written over", file.name));
            };
            let read = |text: &[u8]| serde_json::from_slice::<Value>(text).unwrap_or_default();
            let (mut old, new) = (read(&file.replaces), read(bytes));
            if let Some(files) = old["files"].as_object_mut() {
                files.retain(|name, _| !gone.contains(&format!("{folder}{name}")));
            }
            if old != new {
                return Err(format!("I13: {} loses more than the entries of what goes", file.name));
            }
        }
        Ok(())
    }
}
