//! The simulated ledger: a remote that others push to as well. Clones of it are [`Store`]s.

use super::store::{Store, is_pointer};
use super::{Server, blob};
use hydrant_lfs::contract::{Ledger, LedgerFile, Lookup, Push, Revision};
use hydrant_lfs::text::oid::Oid;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// All files of a commit.
pub type Tree = BTreeMap<String, Vec<u8>>;

/// The remote: its commits, one after the other.
#[derive(Clone, Debug)]
pub struct Remote {
    /// Every tree it ever had; the last one is what it has now.
    pub history: Vec<Tree>,
    /// Every oid that a manifest or a pointer of the last one names.
    names: BTreeSet<Oid>,
    /// A hook that refuses pointers to blobs that the server does not hold.
    pub strict: bool,
    /// What the orphan registers of clones hold that this world does not have.
    pub registered: BTreeSet<Oid>,
}

/// What became of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    At(Revision),
    Conflict,
    Refused(String),
}

impl Default for Remote {
    fn default() -> Self {
        Self { history: vec![Tree::new()], names: BTreeSet::new(), strict: false, registered: BTreeSet::new() }
    }
}

impl Remote {
    /// What it has now.
    pub fn tree(&self) -> &Tree {
        self.history.last().unwrap_or_else(|| unreachable!("a remote begins with an empty tree"))
    }

    /// Its last commit.
    pub fn tip(&self) -> Revision {
        Revision(format!("c-{}", self.history.len() - 1))
    }

    /// The place of a commit in its history.
    pub(super) fn number(tip: &Revision) -> Option<usize> {
        tip.0.strip_prefix("c-")?.parse().ok()
    }

    /// The state of a file: not the one that a work tree would give it.
    pub(super) fn revision(bytes: &[u8]) -> Revision {
        Revision(format!("b-{}", &blob(bytes).oid.to_string()[..8]))
    }

    /// One more commit, as anybody makes it.
    pub fn commit(&mut self, files: impl IntoIterator<Item = (String, Vec<u8>)>) {
        let mut tree = self.tree().clone();
        tree.extend(files);
        self.names = tree.iter().flat_map(|(path, bytes)| oids(path, bytes)).collect();
        self.history.push(tree);
    }

    /// What a clone learns when it asks.
    pub(super) fn look(&self, lookup: &Lookup, store: &Store) -> Ledger {
        let (tree, head) = (self.tree(), &self.history[store.head]);
        let file = |name: &String| {
            let revision = tree.get(name).map(|bytes| Self::revision(bytes));
            LedgerFile { name: name.clone(), revision, bytes: None, committed: None }
        };
        let document = |name: &String| LedgerFile {
            bytes: tree.get(name).cloned(),
            committed: head.get(name).cloned(),
            ..file(name)
        };
        let files = lookup.documents.iter().map(document).chain(lookup.files.iter().map(file)).collect();
        Ledger { tip: self.tip(), files }
    }

    /// One atomic step, or nothing.
    pub(super) fn push(&mut self, push: &Push, server: &Server) -> Pushed {
        let tree = self.tree();
        if push.files.iter().all(|file| tree.get(&file.name) == Some(&file.bytes)) {
            return Pushed::At(self.tip());
        }
        let fits =
            |name: &str, replaces: &Option<Revision>| tree.get(name).map(|bytes| Self::revision(bytes)) == *replaces;
        if !push.files.iter().all(|file| fits(&file.name, &file.replaces)) {
            return Pushed::Conflict;
        }
        let named: BTreeSet<Oid> = push.files.iter().flat_map(|file| oids(&file.name, &file.bytes)).collect();
        if self.strict
            && let Some(oid) = named.iter().find(|oid| !server.objects.contains_key(oid))
        {
            return Pushed::Refused(format!("pre-receive: the server has no {oid}"));
        }
        self.commit(push.files.iter().map(|file| (file.name.clone(), file.bytes.clone())));
        Pushed::At(self.tip())
    }

    /// How many bytes a blob has, as the manifests say now.
    pub(super) fn sizes(&self, oid: &Oid) -> BTreeSet<usize> {
        let mut sizes = BTreeSet::new();
        for (_, bytes) in self.tree().iter().filter(|(path, _)| path.ends_with("/meta.json")) {
            let manifest: Value = serde_json::from_slice(bytes).unwrap_or_default();
            for (_, entry) in manifest["files"].as_object().into_iter().flatten() {
                if entry["oid"].as_str().is_some_and(|named| named.ends_with(&oid.to_string())) {
                    sizes.extend(entry["size"].as_u64().map(|size| size as usize));
                }
            }
        }
        sizes
    }

    /// Every oid that a manifest or a pointer names now.
    pub fn names(&self) -> &BTreeSet<Oid> {
        &self.names
    }
}

/// The oids that a file of the ledger names.
pub(super) fn oids(path: &str, bytes: &[u8]) -> Vec<Oid> {
    if path.ends_with("/meta.json") {
        let manifest: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let entries = manifest["files"].as_object().into_iter().flatten();
        let oid = |entry: &Value| Oid::parse(entry["oid"].as_str()?.trim_start_matches("sha256:"));
        return entries.filter_map(|(_, entry)| oid(entry)).collect();
    }
    pointed(bytes).into_iter().collect()
}

/// The oid of a pointer.
pub(super) fn pointed(bytes: &[u8]) -> Option<Oid> {
    let text = std::str::from_utf8(bytes).ok().filter(|_| is_pointer(bytes))?;
    text.lines().find_map(|line| Oid::parse(line.strip_prefix("oid sha256:")?))
}
