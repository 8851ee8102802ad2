//! Commits that a clone has and its remote has not: what a push would send, the one commit that takes their place, and
//! the push itself, which a strict remote refuses for a single pointer whose blob the server lacks.

use super::ledger::oids;
use super::store::is_pointer;
use super::{Remote, Server, Store, Tree, blob};
use hydrant_lfs::contract::{PushRange, RangeFile, Revision, Rewrite};
use std::collections::BTreeSet;

impl Store {
    /// Somebody commits here and does not push; none removes a path. The work tree follows.
    pub fn commit(&mut self, history: &[Tree], files: impl IntoIterator<Item = (String, Option<Vec<u8>>)>) {
        let mut tree = self.tip(history).clone();
        for (path, bytes) in files {
            match bytes {
                Some(bytes) => {
                    tree.insert(path.clone(), bytes.clone());
                    self.place(&path, bytes);
                }
                None => {
                    tree.remove(&path);
                    self.take_away(&path);
                }
            }
        }
        self.unpushed.push(tree);
    }

    /// The user pulls: what the remote has, and what was not pushed on top of it. Nothing, while a rebase is under way.
    pub fn follow(&mut self, history: &[Tree]) {
        if self.rebasing {
            return;
        }
        let mut was = history[self.head].clone();
        self.pull(history);
        let mut follows = history[self.head].clone();
        for tree in &mut self.unpushed {
            let paths: BTreeSet<&String> = was.keys().chain(tree.keys()).collect();
            for path in paths.into_iter().filter(|path| was.get(*path) != tree.get(*path)) {
                match tree.get(path) {
                    Some(bytes) => drop(follows.insert(path.clone(), bytes.clone())),
                    None => drop(follows.remove(path)),
                }
            }
            was = std::mem::replace(tree, follows.clone());
        }
    }

    /// What the last commit here holds.
    pub fn tip<'a>(&'a self, history: &'a [Tree]) -> &'a Tree {
        self.unpushed.last().unwrap_or(&history[self.head])
    }

    /// The name of the last commit here.
    fn tip_name(&self) -> Revision {
        let mut text = format!("{}", self.head).into_bytes();
        for (path, bytes) in self.unpushed.iter().flatten() {
            text.extend_from_slice(path.as_bytes());
            text.extend_from_slice(bytes);
        }
        Revision(format!("l-{}-{}", self.unpushed.len(), &blob(&text).oid.to_string()[..8]))
    }

    /// What a push would send.
    pub(super) fn push_range(&self, history: &[Tree]) -> PushRange {
        let mut found = BTreeSet::new();
        let trees: Vec<&Tree> = [&history[self.head]].into_iter().chain(&self.unpushed).collect();
        for pair in trees.windows(2) {
            let new = pair[1].iter().filter(|(path, bytes)| pair[0].get(*path) != Some(*bytes));
            let could_be = |bytes: &[u8]| bytes.len() < 1024 && bytes.windows(7).any(|word| word == b"version");
            found.extend(new.filter(|(_, bytes)| could_be(bytes)).map(|(path, bytes)| (path.clone(), bytes.clone())));
        }
        let tip = self.tip(history);
        let file = |(path, bytes): (String, Vec<u8>)| {
            let at_tip = tip.get(&path) == Some(&bytes);
            RangeFile { at_tip, unchanged: at_tip && self.read(&path) == Some(&bytes), path, bytes }
        };
        let mut files: Vec<RangeFile> = found.into_iter().map(file).collect();
        files.sort_by_key(|file| !file.at_tip);
        PushRange {
            tip: self.tip_name(),
            base: Some(Revision(format!("c-{}", self.head))),
            commits: self.unpushed.len() as u64,
            base_is_ancestor: true,
            is_underway: self.rebasing,
            files,
        }
    }

    /// One commit in the place of all that the remote lacks. `Err`: something is not as expected, and nothing moved.
    pub(super) fn rewrite(&mut self, rewrite: &Rewrite, history: &[Tree]) -> Result<Revision, ()> {
        let tip = self.tip(history);
        let fits = rewrite
            .files
            .iter()
            .all(|file| tip.get(&file.name) == Some(&file.replaces) && self.read(&file.name) == Some(&file.replaces));
        let base = Revision(format!("c-{}", self.head));
        if !fits || rewrite.tip != self.tip_name() || rewrite.base != base || self.rebasing {
            return Err(());
        }
        let mut tree = tip.clone();
        for file in &rewrite.files {
            match &file.bytes {
                Some(bytes) => {
                    tree.insert(file.name.clone(), bytes.clone());
                    self.place(&file.name, bytes.clone());
                }
                None => {
                    tree.remove(&file.name);
                    self.take_away(&file.name);
                }
            }
        }
        self.backups.append(&mut self.unpushed);
        if tree != history[self.head] {
            self.unpushed.push(tree);
        }
        Ok(self.tip_name())
    }

    fn take_away(&mut self, path: &str) {
        self.docs.remove(path);
        self.files.remove(path);
    }
}

impl Remote {
    /// A plain `git push` of a clone. `Err` is the words of the hook.
    pub fn take(&mut self, store: &mut Store, server: &Server) -> Result<(), String> {
        if store.head + 1 != self.history.len() {
            return Err("fetch first".to_owned());
        }
        let trees: Vec<&Tree> = [&self.history[store.head]].into_iter().chain(&store.unpushed).collect();
        let new = trees.windows(2).flat_map(|pair| {
            let new = pair[1].iter().filter(|(path, bytes)| pair[0].get(*path) != Some(*bytes) && is_pointer(bytes));
            new.flat_map(|(path, bytes)| oids(path, bytes))
        });
        if let Some(oid) = new.into_iter().find(|oid| !server.objects.contains_key(oid)) {
            return Err(format!("pre-receive: the server has no {oid}"));
        }
        self.history.append(&mut store.unpushed);
        store.head = self.history.len() - 1;
        Ok(())
    }
}
