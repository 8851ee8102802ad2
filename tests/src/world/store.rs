//! The cache, the stages and the files of the simulated host.

use super::blob;
use hydrant_core::contract::Revision;
use hydrant_core::oid::Oid;
use std::collections::BTreeMap;

/// Everything local that outlives a process.
#[derive(Clone, Debug, Default)]
pub struct Store {
    /// Kept blobs. Durable.
    pub cache: BTreeMap<Oid, Vec<u8>>,
    /// Beginnings of blobs. Not durable.
    pub stages: BTreeMap<Oid, Vec<u8>>,
    /// Files that can be uploaded.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Documents of the ledger.
    pub docs: BTreeMap<String, Vec<u8>>,
}

impl Store {
    /// The state of bytes.
    pub fn revision(bytes: &[u8]) -> Revision {
        Revision(format!("r-{}", &blob(bytes).oid.to_string()[..8]))
    }

    /// The power fails: stages are torn, what was kept stays.
    pub fn lose_power(&mut self) {
        for stage in self.stages.values_mut() {
            let half = stage.len() / 2;
            stage[half..].fill(0);
        }
    }

    /// The cache holds only bytes that hash to their name.
    pub fn check(&self) -> Result<(), String> {
        match self.cache.iter().find(|(oid, bytes)| blob(bytes).oid != **oid) {
            Some((oid, _)) => Err(format!("the cache holds something else under {oid}")),
            None => Ok(()),
        }
    }
}
