//! The near side: the work tree, the files of the caller, documents, cache and stages, and what an agent does to them
//! while they are published.

use super::{Tree, blob};
use hydrant_lfs::contract::{Revision, Saving, Settle, StageId, Swap};
use hydrant_lfs::text::oid::Oid;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// Everything local that outlives a process.
#[derive(Clone, Debug, Default)]
pub struct Store {
    /// Kept blobs. Durable.
    pub cache: BTreeMap<Oid, Vec<u8>>,
    /// What transfers wrote, by the names of their stages. Not durable.
    pub stages: BTreeMap<StageId, Staging>,
    /// Files that can be read: the caller's, and those of the work tree that are no manifest.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Manifests of the work tree, journals, the orphan register.
    pub docs: BTreeMap<String, Vec<u8>>,
    /// Number of the commit that the branch was at the remote when it was last seen there.
    pub head: usize,
    /// Commits after that one, which only this clone has.
    pub unpushed: Vec<Tree>,
    /// Commits that a rewrite replaced: a ref of their own keeps them.
    pub backups: Vec<Tree>,
    /// A rebase is under way.
    pub rebasing: bool,
    /// Entries of the cache that were displaced by a pointer: somebody may still write to them.
    pub adopted: BTreeSet<Oid>,
    /// Displaced files that grew behind their pointer, and those that the cache had already.
    pub kept: Vec<Vec<u8>>,
    /// A program that holds a file open and may append to it.
    pub agent: Option<Inode>,
    /// What users and agents wrote and may never lose, by the path they wrote it to. No part of the real world.
    pub owed: BTreeMap<String, Vec<u8>>,
    /// What users wrote into manifests and may never lose either.
    pub edits: Vec<String>,
    /// What users removed or wrote over themselves: nobody else owes it any more.
    pub given_up: Vec<Vec<u8>>,
}

/// Bytes of a stage.
#[derive(Clone, Debug)]
pub struct Staging {
    /// What they should be.
    pub oid: Oid,
    /// What they are.
    pub bytes: Vec<u8>,
}

/// Where a file is that somebody holds open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inode {
    /// At a path, where it has been from the beginning.
    Path(String),
    /// In the cache: a pointer took its place at `path`.
    Cached {
        /// Its name there.
        oid: Oid,
        /// Where it was.
        path: String,
    },
    /// Among the kept ones.
    Kept {
        /// Its place.
        at: usize,
        /// Where it was.
        path: String,
    },
}

/// What became of a swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Swapped {
    At,
    Conflict,
    Absent,
}

impl Store {
    /// The state of bytes.
    pub fn revision(bytes: &[u8]) -> Revision {
        Revision(format!("r-{}", &blob(bytes).oid.to_string()[..8]))
    }

    /// Somebody writes a file.
    pub fn write(&mut self, path: &str, bytes: &[u8]) {
        self.given_up.extend(self.files.insert(path.to_owned(), bytes.to_vec()));
        self.owed.insert(path.to_owned(), bytes.to_vec());
    }

    /// A document or a file, by the name that effects use.
    pub fn read(&self, name: &str) -> Option<&Vec<u8>> {
        if let Some(oid) = name.strip_prefix("cache/").and_then(Oid::parse) {
            return self.cache.get(&oid);
        }
        self.docs.get(name).or_else(|| self.files.get(name))
    }

    /// What the journals and the orphan register name.
    pub fn named(&self) -> BTreeSet<Oid> {
        let documents = self.docs.iter().filter(|(name, _)| name.starts_with("journal/") || *name == "orphans");
        let words = documents.flat_map(|(_, text)| text.split(|byte| !byte.is_ascii_hexdigit()));
        let oids = words.filter(|word| word.len() == 64);
        oids.filter_map(|word| Oid::parse(std::str::from_utf8(word).ok()?)).collect()
    }

    /// What stands at a path of the work tree.
    pub(super) fn place(&mut self, path: &str, bytes: Vec<u8>) {
        let is_document = path.ends_with("/meta.json");
        if is_document { &mut self.docs } else { &mut self.files }.insert(path.to_owned(), bytes);
    }

    /// The agent appends to the file it holds open, wherever that is by now. False when there is none.
    pub fn append(&mut self, line: &[u8]) -> bool {
        let Some(inode) = &self.agent else { return false };
        let (held, path) = match inode {
            Inode::Path(path) => (self.files.get_mut(path), path),
            Inode::Cached { oid, path } => (self.cache.get_mut(oid), path),
            Inode::Kept { at, path } => (self.kept.get_mut(*at), path),
        };
        let (Some(held), Some(owed)) = (held, self.owed.get_mut(path)) else { return false };
        held.extend_from_slice(line);
        owed.extend_from_slice(line);
        true
    }

    /// The user edits a document of the session: one more member of its object.
    pub fn edit(&mut self, member: &str) {
        let edited = |text: &[u8]| String::from_utf8_lossy(text).replacen('{', &format!("{{{member}"), 1).into_bytes();
        if let Some(manifest) = self.docs.iter_mut().find(|(name, _)| name.ends_with("/meta.json")) {
            *manifest.1 = edited(manifest.1);
            self.edits.push(member.to_owned());
        } else if let Some((path, text)) = self.files.iter_mut().find(|(path, _)| path.ends_with("/summary.json")) {
            *text = edited(text);
            self.owed.insert(path.clone(), text.clone());
        }
    }

    /// The user removes the file that the agent held open, while it still stands at its path.
    pub(super) fn remove(&mut self) {
        if let Some(Inode::Path(path)) = self.agent.take_if(|inode| matches!(inode, Inode::Path(_))) {
            self.given_up.extend(self.files.remove(&path));
            self.owed.remove(&path);
        }
    }

    /// An entry of the cache that grew since it was displaced is moved away before it is used.
    pub(super) fn look_at_entry(&mut self, oid: Oid) {
        let grown = self.cache.get(&oid).is_some_and(|bytes| blob(bytes).oid != oid);
        let Some(bytes) = grown.then(|| self.cache.remove(&oid)).flatten() else { return };
        self.adopted.remove(&oid);
        self.kept.push(bytes);
        if let Some(Inode::Cached { oid: held, path }) = self.agent.clone()
            && held == oid
        {
            self.agent = Some(Inode::Kept { at: self.kept.len() - 1, path });
        }
    }

    /// Compare-and-swap of a document; the state it is in now, or none when it was removed. `Err` is a conflict.
    pub(super) fn save(&mut self, saving: &Saving) -> Result<Option<Revision>, ()> {
        if self.docs.get(&saving.name).map(|now| Self::revision(now)) != saving.replaces {
            return Err(());
        }
        match &saving.bytes {
            Some(bytes) => drop(self.docs.insert(saving.name.clone(), bytes.clone())),
            None => drop(self.docs.remove(&saving.name)),
        }
        Ok(saving.bytes.as_deref().map(Self::revision))
    }

    /// Another process of this clone writes a document of ours: the same words, in another state.
    pub(super) fn disturb(&mut self, name: &str) {
        let fresh =
            if name == "orphans" { "{\"version\": 1, \"orphans\": []}" } else { "{\"version\": 1, \"intended\": []}" };
        self.docs.entry(name.to_owned()).or_insert_with(|| fresh.into()).push(b'\n');
    }

    /// Branch and files follow a commit. `Err`: a change of the user's stands in the way, and nothing moved.
    pub(super) fn settle(&mut self, settle: &Settle, history: &[Tree], tip: usize) -> Result<(), ()> {
        if tip <= self.head {
            return Ok(());
        }
        if !self.unpushed.is_empty() {
            return Err(());
        }
        let (before, after) = (&history[self.head], &history[tip]);
        let mut moves = Vec::new();
        for path in before.keys().chain(after.keys()) {
            let (was, new) = (before.get(path), after.get(path));
            let ours = settle.files.iter().find(|file| file.name == *path);
            let here = self.read(path);
            if was == new && ours.is_none() || here == new {
                continue;
            }
            let expected = ours.and_then(|file| file.expects.as_ref());
            let replaceable = here.is_none() && (ours.is_some() || was.is_none())
                || here == was
                || here.is_some_and(|here| Some(&Self::revision(here)) == expected);
            let content =
                ours.is_some() && new.is_some_and(|new| is_pointer(new)) && here.is_some_and(|here| !is_pointer(here));
            match (replaceable, new) {
                (true, Some(new)) => moves.push((path.clone(), new.clone())),
                // No commit of this world removes a path.
                (true, None) => {}
                _ if content => {}
                _ => return Err(()),
            }
        }
        for (path, bytes) in moves {
            self.place(&path, bytes);
        }
        self.head = tip;
        Ok(())
    }

    /// What the user does after a conflict: take what the remote has, put the edits back in, and keep what is not
    /// published.
    pub fn pull(&mut self, history: &[Tree]) {
        let (before, after) = (&history[self.head], &history[history.len() - 1]);
        for (path, new) in after {
            let here = self.read(path);
            if here.is_none() || here == before.get(path) {
                self.place(path, new.clone());
            } else if let Some(edited) = here.filter(|_| path.ends_with("/meta.json") && before.get(path) != Some(new))
            {
                let merged = with_edits(edited, new);
                self.place(path, merged);
            }
        }
        self.head = history.len() - 1;
    }

    /// Puts a pointer in the place of content, and the content in the cache.
    pub(super) fn swap(&mut self, swap: &Swap) -> Swapped {
        let Some(here) = self.files.get(&swap.name) else { return Swapped::Absent };
        if *here == swap.pointer {
            return Swapped::At;
        }
        if Self::revision(here) != swap.expects {
            return Swapped::Conflict;
        }
        let displaced = self.files.insert(swap.name.clone(), swap.pointer.clone()).unwrap_or_default();
        let (oid, path) = (swap.blob.oid, swap.name.clone());
        self.look_at_entry(oid);
        let held = self.agent == Some(Inode::Path(path.clone()));
        let inode = match self.cache.entry(oid) {
            Entry::Vacant(free) => {
                free.insert(displaced);
                self.adopted.insert(oid);
                Inode::Cached { oid, path }
            }
            // Somebody may still write to it, so it is not thrown away.
            Entry::Occupied(_) => {
                self.kept.push(displaced);
                Inode::Kept { at: self.kept.len() - 1, path }
            }
        };
        if held {
            self.agent = Some(inode);
        }
        Swapped::At
    }

    /// The user empties the cache, beginnings of blobs included; what a pointer displaced stays.
    pub fn clean_cache(&mut self) {
        let gone: Vec<Oid> = self.cache.keys().filter(|oid| !self.adopted.contains(oid)).copied().collect();
        self.given_up.extend(gone.iter().filter_map(|oid| self.cache.remove(oid)));
        self.stages.clear();
    }

    /// The power fails: stages are torn, what was kept stays.
    pub fn lose_power(&mut self) {
        for stage in self.stages.values_mut() {
            let half = stage.bytes.len() / 2;
            stage.bytes[half..].fill(0);
        }
        self.agent = None;
    }

    /// The cache holds only bytes that hash to their name, except where a displaced file is still written to.
    pub fn check(&self) -> Result<(), String> {
        match self.cache.iter().find(|(oid, bytes)| !self.adopted.contains(oid) && blob(bytes).oid != **oid) {
            Some((oid, _)) => Err(format!("the cache holds something else under {oid}")),
            None => Ok(()),
        }
    }
}

/// As every writer of this world writes them.
pub(super) fn is_pointer(bytes: &[u8]) -> bool {
    bytes.starts_with(b"version https://git-lfs") && bytes.len() < 1024
}

/// A document with the members that [`Store::edit`] gave another version of it.
fn with_edits(edited: &[u8], new: &[u8]) -> Vec<u8> {
    let (edited, mut merged) = (String::from_utf8_lossy(edited), String::from_utf8_lossy(new).into_owned());
    for (at, _) in edited.match_indices("\"zz_edit_") {
        let member = edited[at..].split_inclusive(',').next().unwrap_or_default().trim_end_matches(['}', '\n']);
        if !merged.contains(member.trim_end_matches(',')) {
            merged = merged.replacen('{', &format!("{{{} ", member), 1);
        }
    }
    merged.into_bytes()
}
