//! The laws that a publish could break, checked after every step. Each check is named after what it keeps; none of them
//! asks the core what is right: journal, manifests and pointers are read here once more.

use super::ledger::{Remote, Tree, oids, pointed};
use super::store::{Store, is_pointer};
use super::{Server, blob, entries};
use hydrant_ledger::publish::{Publication, PublishReport, PublishedState};
use hydrant_lfs::contract::Phase;
use hydrant_lfs::contract::{Body, Effect, EffectId, Exchange, Method, Push, PushFile, Reply, Revision};
use hydrant_lfs::text::oid::Oid;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How far a publish is, as its host sees it.
#[derive(Clone, Debug)]
pub(super) struct Steps {
    publication: Publication,
    phase: Option<Phase>,
    open: BTreeMap<EffectId, Asked>,
    /// The commit that the remote confirmed for the last push.
    confirmed: Option<Revision>,
    settled: bool,
}

#[derive(Clone, Copy, Debug)]
enum Asked {
    Push,
    Settle,
}

impl Steps {
    pub(super) fn of(publication: &Publication) -> Self {
        let publication = publication.clone();
        Self { publication, phase: None, open: BTreeMap::new(), confirmed: None, settled: false }
    }

    /// Phases go forward; only a publish that begins anew starts over.
    pub(super) fn enter(&mut self, phase: Phase) -> Result<(), String> {
        let before = self.phase.replace(phase);
        let back = [Phase::Hash, Phase::Bind];
        match before {
            Some(before) if phase <= before && !back.contains(&phase) => {
                Err(format!("{} is entered after {}", phase.name(), before.name()))
            }
            _ => Ok(()),
        }
    }

    /// What the host answered.
    pub(super) fn told(&mut self, id: EffectId, reply: &Reply) {
        match (self.open.remove(&id), reply) {
            (Some(Asked::Push), Reply::At(tip)) => self.confirmed = Some(tip.clone()),
            (Some(Asked::Settle), Reply::End) => self.settled = true,
            _ => {}
        }
    }

    /// What is asked for may be asked for now.
    pub(super) fn asked(
        &mut self,
        id: EffectId,
        effect: &Effect,
        store: &Store,
        remote: &Remote,
    ) -> Result<(), String> {
        let journal = format!("journal/{}", self.publication.session);
        match effect {
            Effect::Http(exchange) => named_before_it_is_sent(exchange, &journal, store),
            Effect::SaveDoc(saving) if saving.name == journal || saving.name == "orphans" => Ok(()),
            Effect::SaveDoc(saving) => Err(format!("law 7: {} is no document of ours", saving.name)),
            Effect::PushLedger(push) => {
                (self.confirmed, self.settled) = (None, false);
                self.open.insert(id, Asked::Push);
                bound_before_it_is_pushed(push, &journal, store)?;
                self.no_content(push)
            }
            Effect::SettleLedger(settle) => {
                self.open.insert(id, Asked::Settle);
                match &self.confirmed {
                    Some(tip) if *tip == settle.tip => Ok(()),
                    _ => Err(format!("law 6: {} is settled and was not confirmed", settle.tip.0)),
                }
            }
            Effect::SwapFile(swap) => {
                let pushed = |tree: &Tree| tree.get(&swap.name) == Some(&swap.pointer);
                if !self.settled || !remote.history.iter().any(pushed) {
                    return Err(format!("law 6: {} is swapped before its push is confirmed and settled", swap.name));
                }
                if pointed(&swap.pointer) != Some(swap.blob.oid) {
                    return Err(format!("law 5: the pointer of {} names another blob", swap.name));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Law 5 and I1: what is pushed is a manifest, pointers, and what git is to carry.
    fn no_content(&self, push: &Push) -> Result<(), String> {
        for file in &push.files {
            let name = file.name.rsplit('/').next().unwrap_or_default();
            let in_git = carried_by_git(name);
            if name != "meta.json" && !in_git && pointed(&file.bytes).is_none() {
                return Err(format!("law 5: {} is pushed and is no pointer", file.name));
            }
            if in_git && is_pointer(&file.bytes) {
                return Err(format!("law 5: {} is carried by git and is a pointer", file.name));
            }
        }
        Ok(())
    }
}

/// Which files git carries in this world.
fn carried_by_git(name: &str) -> bool {
    name != "meta.json" && name.ends_with(".json")
}

/// The intend row of the phase table: what the server is asked about and sent is in the journal.
fn named_before_it_is_sent(exchange: &Exchange, journal: &str, store: &Store) -> Result<(), String> {
    let asked: Vec<String> = match &exchange.request.body {
        Body::Bytes(bytes) => {
            let asked: Value = serde_json::from_slice(bytes).unwrap_or_default();
            let objects = asked["objects"].as_array().cloned().unwrap_or_default();
            objects.iter().filter_map(|object| Some(object["oid"].as_str()?.to_owned())).collect()
        }
        Body::File(_) if exchange.request.method == Method::Put => {
            let path = exchange.request.url.split('?').next().unwrap_or_default();
            path.rsplit('/').next().map(str::to_owned).into_iter().collect()
        }
        _ => Vec::new(),
    };
    let journal = String::from_utf8_lossy(store.docs.get(journal).map_or(&[], Vec::as_slice)).into_owned();
    let register = String::from_utf8_lossy(store.docs.get("orphans").map_or(&[], Vec::as_slice)).into_owned();
    // Another process of this clone may have taken the journal over: it registered what it dropped.
    match asked.iter().find(|oid| !journal.contains(*oid) && !register.contains(*oid)) {
        Some(oid) => Err(format!("law 13: {oid} is sent before the journal names it")),
        None => Ok(()),
    }
}

/// The push row: what is pushed is what the journal holds, byte for byte.
fn bound_before_it_is_pushed(push: &Push, journal: &str, store: &Store) -> Result<(), String> {
    let journal: Value = serde_json::from_slice(store.docs.get(journal).map_or(&[], Vec::as_slice)).unwrap_or_default();
    // Another process of this clone may have taken it over or closed it; the remote's preconditions judge then.
    let Some(bound) = journal["bound"]["push"].as_array() else { return Ok(()) };
    let same = |(file, bound): (&PushFile, &Value)| {
        let text = String::from_utf8_lossy(&file.bytes);
        bound["name"] == file.name.as_str() && bound["bytes"].as_str().is_none_or(|bytes| bytes == text)
    };
    if bound.len() == push.files.len() && push.files.iter().zip(bound).all(same) {
        return Ok(());
    }
    Err("the journal holds another push than the one that is made".to_owned())
}

/// Whether an effect can change anything.
pub(super) fn changes(effect: &Effect) -> bool {
    match effect {
        Effect::Http(exchange) => exchange.request.method != Method::Get,
        Effect::ReadFile(_) | Effect::LoadDoc(_) | Effect::LoadLedger(_) | Effect::LoadPushRange => false,
        _ => true,
    }
}

/// What must hold after every step, whoever made it.
pub(super) fn state(server: &Server, remote: &Remote, stores: &[&Store]) -> Result<(), String> {
    references_are_held(server, remote, stores)?;
    history_keeps(remote)?;
    entries_are_counted(server, remote)?;
    orphans_are_named(server, remote, stores)?;
    for store in stores {
        nothing_is_lost(store)?;
        pointers_were_pushed(remote, store)?;
        store.check()?;
    }
    Ok(())
}

/// Law 5: the remote names only what the server holds; what it only says to hold is still here, or was given up by
/// its user. What the server lost by itself nobody can answer for.
fn references_are_held(server: &Server, remote: &Remote, stores: &[&Store]) -> Result<(), String> {
    for oid in remote.names() {
        if server.holds(oid) || server.lost.contains_key(oid) {
            continue;
        }
        if !server.lied.contains(oid) {
            return Err(format!("law 5: the remote names {oid}, which the server does not hold"));
        }
        // What grew since it was sent still begins with it.
        let sizes = remote.sizes(oid);
        let begins = |bytes: &[u8]| sizes.iter().any(|size| bytes.get(..*size).is_some_and(|it| blob(it).oid == *oid));
        let here = |store: &&Store| everywhere(store).chain(&store.given_up).any(|bytes| begins(bytes));
        if !stores.iter().any(here) {
            return Err(format!("law 5: the server only said to hold {oid}, and it is no longer here"));
        }
    }
    Ok(())
}

/// Laws 8 and 13, I13: ids stay, entries stay, what is not ours stays, fields nobody knows stay.
fn history_keeps(remote: &Remote) -> Result<(), String> {
    let [.., before, after] = remote.history.as_slice() else { return Ok(()) };
    for (path, old) in before {
        let Some(new) = after.get(path) else { return Err(format!("{path} vanished from the remote")) };
        let ours = ["s", "t", "u", "v", "x"].iter().any(|name| path.starts_with(&format!("sessions/{name}/")));
        if new != old && (!ours || path.contains("/old-")) {
            return Err(format!("law 8: {path} was changed at the remote"));
        }
        if new == old || !path.ends_with("/meta.json") {
            continue;
        }
        let read =
            |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).map_err(|error| format!("I7: {path}: {error}"));
        let (old, new) = (read(old)?, read(new)?);
        if !old["session_id"].is_null() && old["session_id"] != new["session_id"] {
            return Err(format!("law 8: the id of {path} changed to {}", new["session_id"]));
        }
        let attempts = [&old, &new].map(|it| it["summary_attempts"].as_u64().unwrap_or(0));
        if attempts[1] < attempts[0] {
            return Err(format!("I8: summary_attempts of {path} fell from {} to {}", attempts[0], attempts[1]));
        }
        for (key, value) in old.as_object().into_iter().flatten().filter(|(key, _)| key.starts_with("zz_")) {
            if new[key] != *value {
                return Err(format!("law 8: the field {key} of {path} became {}", new[key]));
            }
        }
        for (name, entry) in old["files"].as_object().into_iter().flatten() {
            let kept = &new["files"][name];
            if kept.is_null() || (name.starts_with("old-") && kept != entry) {
                return Err(format!("I13: the entry {name} of {path} became {kept}"));
            }
        }
    }
    Ok(())
}

/// I3: the count of entries is of the bytes that the transcript's reference names, whoever wrote the rest.
fn entries_are_counted(server: &Server, remote: &Remote) -> Result<(), String> {
    let [.., before, after] = remote.history.as_slice() else { return Ok(()) };
    for (path, text) in after.iter().filter(|(path, _)| path.ends_with("/meta.json")) {
        if before.get(path) == Some(text) {
            continue;
        }
        let manifest: Value = serde_json::from_slice(text).unwrap_or_default();
        let oid = Value::as_str(&manifest["files"]["raw.jsonl"]["oid"]).unwrap_or_default();
        let Some(oid) = Oid::parse(oid.trim_start_matches("sha256:")).filter(|oid| server.holds(oid)) else { continue };
        // A count of none is not written.
        let (expected, count) = (entries(&server.objects[&oid]), manifest["entry_count"].as_u64().unwrap_or(0));
        if count != expected {
            return Err(format!("I3: {path} counts {count} entries, its transcript has {expected}"));
        }
    }
    Ok(())
}

/// Law 13: whatever the server was ever sent has a name somewhere.
fn orphans_are_named(server: &Server, remote: &Remote, stores: &[&Store]) -> Result<(), String> {
    let here: BTreeSet<Oid> = stores.iter().flat_map(|store| store.named()).collect();
    let is_named = |oid: &&Oid| [remote.names(), &remote.registered, &here].iter().any(|names| names.contains(*oid));
    match server.received.iter().find(|oid| !is_named(oid)) {
        Some(oid) => Err(format!("law 13: {oid} was sent and nothing names it")),
        None => Ok(()),
    }
}

/// What a user or an agent wrote is somewhere here, to its last byte.
fn nothing_is_lost(store: &Store) -> Result<(), String> {
    let manifests = || store.docs.iter().filter(|(name, _)| name.ends_with("/meta.json"));
    let says = |text: &[u8], edit: &str| String::from_utf8_lossy(text).contains(edit.trim_end_matches([',', ' ']));
    if let Some(edit) = store.edits.iter().find(|edit| !manifests().any(|(_, text)| says(text, edit))) {
        return Err(format!("law 8: the user's edit {edit} is lost"));
    }
    match store.owed.iter().find(|(_, owed)| !everywhere(store).any(|bytes| bytes == *owed)) {
        Some((path, owed)) => Err(format!("content of {path} is lost, {} bytes", owed.len())),
        None => Ok(()),
    }
}

fn everywhere(store: &Store) -> impl Iterator<Item = &Vec<u8>> {
    store.files.values().chain(store.docs.values()).chain(store.cache.values()).chain(&store.kept)
}

/// Law 6 and I4: a pointer of the work tree was at the remote before, unless its user committed it here.
fn pointers_were_pushed(remote: &Remote, store: &Store) -> Result<(), String> {
    for (path, bytes) in &store.files {
        if path.starts_with("sessions/")
            && is_pointer(bytes)
            && !remote.history.iter().chain(&store.unpushed).any(|tree| tree.get(path) == Some(bytes))
        {
            return Err(format!("law 6: {path} is a pointer that was never pushed"));
        }
    }
    Ok(())
}

/// What the report says is what the world is.
pub(super) fn reported(report: &PublishReport, steps: &Steps, store: &Store, remote: &Remote) -> Result<(), String> {
    let session = &steps.publication.session;
    if report.ended.is_ok() && report.phase != Phase::Done {
        return Err(format!("it ended well in {}", report.phase.name()));
    }
    for file in &report.files {
        let path = format!("sessions/{session}/{}", file.name);
        let in_git = carried_by_git(&file.name);
        let oid = Oid::parse(&file.oid);
        let pushed = |tree: &Tree| match oid {
            Some(oid) => tree.get(&path).is_some_and(|bytes| oids(&path, bytes) == [oid]),
            None => tree.contains_key(&path),
        };
        if file.state != PublishedState::Unpublished {
            if !remote.history.iter().any(pushed) || (oid.is_none() && !in_git) {
                return Err(format!("{path} is reported {:?} and was never at the remote", file.state));
            }
            if report.tip.is_none() {
                return Err("something is reported published without a commit".to_owned());
            }
        } else if report.ended.is_ok() {
            return Err(format!("it ended well and {path} is not published"));
        }
        let here = store.files.get(&path);
        if file.state == PublishedState::Swapped && here.and_then(|bytes| pointed(bytes)) != oid {
            return Err(format!("{path} is reported swapped and is no pointer"));
        }
    }
    let register = String::from_utf8_lossy(store.docs.get("orphans").map_or(&[], Vec::as_slice)).into_owned();
    match report.orphans.iter().find(|orphan| !register.contains(&orphan.oid.to_string())) {
        Some(orphan) => Err(format!("{} is reported an orphan and is not registered", orphan.oid)),
        None => Ok(()),
    }
}
