//! Commits that another program made here and nobody pushed: pointers whose blobs may be anywhere, and what the user
//! does about them.

use super::Life;
use super::scenario::{place, pointer};
use crate::world::{Ended, Job, Store, Tree, World, blob, content};
use hydrant_ledger::reconcile::ReconcileReport;
use hydrant_lfs::text::error::Code;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The session that the other program writes.
const SESSION: &str = "v";

/// What is wrong with a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing: the server has the blob.
    None,
    /// The blob was never sent; the cache has it.
    Unsent,
    /// The blob is nowhere.
    Gone,
    /// The blob is nowhere, and only an older commit names it.
    GoneBefore,
    /// The blob is nowhere, and its pointer is no file of a session.
    NotOurs,
    /// The blob is nowhere, and the manifest names another one.
    Contradicted,
    /// The blob is nowhere, and the file is no longer its pointer.
    Changed,
}

impl Flaw {
    /// Every one.
    pub const ALL: [Flaw; 7] =
        [Flaw::None, Flaw::Unsent, Flaw::Gone, Flaw::GoneBefore, Flaw::NotOurs, Flaw::Contradicted, Flaw::Changed];

    /// Nobody may cure it but a person.
    pub fn is_refused(self) -> bool {
        matches!(self, Flaw::NotOurs | Flaw::Contradicted | Flaw::Changed)
    }

    /// The other program commits a file of its session.
    pub fn commit(self, number: usize, world: &mut World) {
        let World { store, remote, server, .. } = world;
        let name = format!("file-{number}.md");
        let bytes = content(900_000 + number, 40 + number);
        let gone = content(910_000 + number, 60);
        let pointer_path = if self == Flaw::NotOurs { format!("docs/{name}") } else { place(SESSION, &name) };
        match self {
            Flaw::None => drop(server.objects.insert(blob(&bytes).oid, bytes.clone())),
            Flaw::GoneBefore => {
                let first = with_entry(store, &name, &gone);
                let files = [(pointer_path.clone(), Some(pointer(&gone))), (place(SESSION, "meta.json"), Some(first))];
                store.commit(&remote.history, files);
                server.objects.insert(blob(&bytes).oid, bytes.clone());
            }
            Flaw::Unsent => drop(store.cache.insert(blob(&bytes).oid, bytes.clone())),
            _ => {}
        }
        let mut files = vec![(pointer_path.clone(), Some(pointer(&bytes)))];
        if self != Flaw::NotOurs {
            let named = if self == Flaw::Contradicted { &gone } else { &bytes };
            files.push((place(SESSION, "meta.json"), Some(with_entry(store, &name, named))));
        }
        store.commit(&remote.history, files);
        if self == Flaw::Changed {
            store.files.insert(pointer_path, b"hydrated by hand".to_vec());
        }
    }
}

/// The manifest of the other program's session, with one entry more.
fn with_entry(store: &Store, name: &str, bytes: &[u8]) -> Vec<u8> {
    let text = store.docs.get(&place(SESSION, "meta.json"));
    let fresh = || {
        json!({
            "version": "1.0", "session_name": SESSION, "session_id": "ses_other_program", "zz_other": {"b": 2},
            "files": {}
        })
    };
    let mut manifest: Value = text.and_then(|text| serde_json::from_slice(text).ok()).unwrap_or_else(fresh);
    let blob = blob(bytes);
    manifest["files"][name] = json!({"storage": "lfs", "oid": format!("sha256:{}", blob.oid), "size": blob.size});
    format!("{manifest:#}").into_bytes()
}

impl Life<'_> {
    /// Takes what the remote has; what was not pushed follows it.
    pub(super) fn pull(&mut self) {
        self.world.store.follow(&self.world.remote.history);
    }

    /// The user pushes what is not pushed yet. `Err` is what git says.
    pub(super) fn push(&mut self) -> Result<(), String> {
        let World { store, remote, server, .. } = &mut self.world;
        if store.rebasing {
            return Err("a rebase is under way".to_owned());
        }
        let pushed = remote.take(store, server);
        if pushed.is_ok() {
            self.flaws.clear();
        }
        self.say(format!("== pushed: {pushed:?}"));
        pushed
    }

    /// A look at the push range, or its repair. None: the process died.
    pub(super) fn reconcile(&mut self, repair: bool) -> Result<Option<ReconcileReport>, String> {
        let name = if repair { "repair" } else { "reconcile" };
        let before = self.world.store.unpushed.clone();
        let report = match self.operate(name, &Job::Reconcile(repair))? {
            Ended::Reconciled(report) => report,
            Ended::Killed => return Ok(None),
            ended => return Err(format!("a reconcile ended as {ended:?}")),
        };
        self.reported(&report, repair, &before)?;
        Ok(Some(report))
    }

    /// What the report says is what the world is.
    fn reported(&self, report: &ReconcileReport, repair: bool, before: &[Tree]) -> Result<(), String> {
        let store = &self.world.store;
        if !repair && (store.unpushed != before || report.tip.is_some()) {
            return Err("a look at the push range moved the branch".to_owned());
        }
        if report.tip.is_some() != (store.unpushed != before) && report.ended.is_ok() {
            return Err("the report and the branch disagree about a rewrite".to_owned());
        }
        if repair && report.ended.is_ok() {
            let here = |path: &String| store.tip(&self.world.remote.history).contains_key(path);
            if let Some(path) = report.removed.iter().find(|path| here(path)) {
                return Err(format!("{path} is reported removed and is still committed"));
            }
            let named = store.named();
            if let Some(orphan) = report.orphans.iter().find(|orphan| !named.contains(&orphan.oid)) {
                return Err(format!("{} is reported an orphan and is not registered", orphan.oid));
            }
        }
        Ok(())
    }

    /// In calm: what can be cured is cured and pushed; what only a person can cure is given up.
    pub(super) fn clear_unpushed(&mut self) -> Result<(), String> {
        self.world.store.rebasing = false;
        if self.world.store.unpushed.is_empty() {
            return Ok(());
        }
        self.pull();
        let Some(report) = self.reconcile(true)? else { return Err("a calm repair was killed".to_owned()) };
        let hopeless = self.flaws.iter().any(|flaw| flaw.is_refused()) || self.world.edits > 0;
        match &report.ended {
            Ok(()) => {
                let unsent = |world: &World| world.store.unpushed.is_empty();
                if !unsent(&self.world) {
                    self.push().map_err(|said| format!("a repaired push is refused: {said}"))?;
                }
                Ok(())
            }
            Err(error) if hopeless && matches!(error.code, Code::Conflict | Code::Missing) => {
                self.give_up();
                Ok(())
            }
            Err(error) => Err(format!("a calm repair ended with {error}")),
        }
    }

    /// `git reset --hard` to what the remote has.
    fn give_up(&mut self) {
        let World { store, remote, .. } = &mut self.world;
        let paths: BTreeSet<String> = store.unpushed.iter().flat_map(|tree| tree.keys().cloned()).collect();
        let head = &remote.history[store.head];
        for path in paths.into_iter().filter(|path| !head.contains_key(path)) {
            store.docs.remove(&path);
            store.files.remove(&path);
        }
        let manifest = place(SESSION, "meta.json");
        if let Some(bytes) = head.get(&manifest) {
            store.docs.insert(manifest, bytes.clone());
        }
        let prefix = format!("sessions/{SESSION}/");
        for (path, bytes) in head.iter().filter(|(path, _)| path.starts_with(&prefix) && !path.ends_with("/meta.json"))
        {
            store.files.insert(path.clone(), bytes.clone());
        }
        store.unpushed.clear();
        let texts: Vec<String> = store.docs.values().map(|text| String::from_utf8_lossy(text).into_owned()).collect();
        store.edits.retain(|edit| texts.iter().any(|text| text.contains(edit.trim_end_matches([',', ' ']))));
        self.flaws.clear();
        self.say("== reset to what the remote has".to_owned());
    }
}
