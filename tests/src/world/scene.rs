//! Worlds in which a session is published, and what must have become of them in the end.

use super::ledger::{oids, pointed};
use super::rival::SESSION;
use super::store::is_pointer;
use super::{Ended, Faults, Feed, Inode, Job, Order, Store, World, blob, content, run};
use hydrant_ledger::publish::{Publication, PublishFile, PublishReport};
use hydrant_lfs::text::error::Code;
use hydrant_lfs::text::oid::Oid;
use serde_json::Value;

/// What there is before a publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// A first publish; the transcript stands in the session's folder, and an agent holds it open.
    InPlace,
    /// A first publish; the transcript lies elsewhere.
    Aside,
    /// A first publish of a transcript, an empty file and one that git carries.
    Mixed,
    /// Files of equal bytes, in place and aside.
    Twins,
    /// A session with fields nobody knows, files nobody touches, and an older transcript.
    Existing,
    /// The same, and somebody else pushed since this clone last looked.
    Behind,
    /// A session of an older kind, without an id.
    Legacy,
    /// An earlier publish died after it had sent something that is not published any more.
    GivenUp,
}

const RAW: &str = "raw.jsonl";
const OLD_LINES: &str = "{\"type\":\"header\"}\n{\"type\":\"user\",\"old\":true}\n";

impl Scene {
    /// Every scene.
    pub const ALL: [Scene; 8] = [
        Scene::InPlace,
        Scene::Aside,
        Scene::Mixed,
        Scene::Twins,
        Scene::Existing,
        Scene::Behind,
        Scene::Legacy,
        Scene::GivenUp,
    ];

    /// The world, and what is to be published in it.
    pub fn build(self, feed: Feed, order: Order) -> (World, Publication) {
        let mut world = World::new(feed, order);
        world.remote.commit([("README.md".to_owned(), b"a ledger".to_vec())]);
        let raw = transcript(if self == Scene::Aside { 40 } else { 2 });
        let mut files = Vec::new();
        match self {
            Scene::InPlace | Scene::GivenUp => files.push(in_place(&mut world.store, RAW, &raw)),
            Scene::Aside => files.push(aside(&mut world.store, RAW, &raw)),
            Scene::Mixed => {
                files.push(in_place(&mut world.store, RAW, &raw));
                files.push(in_place(&mut world.store, "empty", b""));
                let summary = in_place(&mut world.store, "summary.json", b"{\"summary\": \"short\"}\n");
                files.push(PublishFile { in_git: true, ..summary });
            }
            Scene::Twins => {
                files.push(aside(&mut world.store, RAW, &raw));
                files.push(in_place(&mut world.store, "copy.jsonl", &raw));
                files.push(aside(&mut world.store, "third.jsonl", &raw));
            }
            Scene::Existing | Scene::Behind | Scene::Legacy => {
                older(&mut world, self != Scene::Legacy);
                files.push(in_place(&mut world.store, RAW, &raw));
                files.push(aside(&mut world.store, "plan.md", &content(7, 1500)));
            }
        }
        world.store.pull(&world.remote.history);
        if self == Scene::Behind {
            super::Rival::Beside.push(900, &mut world.server, &mut world.remote, &world.store);
        }
        if self == Scene::GivenUp {
            let gone = [content(20, 33), content(21, 44)];
            let named: Vec<String> =
                gone.iter().map(|bytes| format!("[\"{}\", {}]", blob(bytes).oid, bytes.len())).collect();
            let journal = format!("{{\"version\": 1, \"intended\": [{}]}}", named.join(", "));
            world.store.docs.insert(format!("journal/{SESSION}"), journal.into_bytes());
            for bytes in gone {
                world.server.received.insert(blob(&bytes).oid);
                world.server.objects.insert(blob(&bytes).oid, bytes);
            }
        }
        let path = files[0].source.clone().unwrap_or_else(|| path(RAW));
        world.store.agent = Some(Inode::Path(path));
        (world, publication(SESSION, files))
    }
}

/// A publication of these files.
pub(super) fn publication(session: &str, files: Vec<PublishFile>) -> Publication {
    Publication {
        session: session.to_owned(),
        files,
        new_session_id: "ses_new".to_owned(),
        created_at: "2026-05-04T09:30:00Z".to_owned(),
        fields: vec![("title".to_owned(), "A title".to_owned())],
        redaction: None,
    }
}

/// A transcript of so many entries.
pub(super) fn transcript(entries: usize) -> Vec<u8> {
    let mut text = "{\"type\":\"header\"}\n".to_owned();
    (0..entries).for_each(|at| text += &format!("{{\"type\":\"user\",\"content\":\"line {at} of some length\"}}\n"));
    text.into_bytes()
}

pub(super) fn in_place(store: &mut Store, name: &str, bytes: &[u8]) -> PublishFile {
    store.write(&path(name), bytes);
    PublishFile { name: name.to_owned(), source: None, in_git: false }
}

pub(super) fn aside(store: &mut Store, name: &str, bytes: &[u8]) -> PublishFile {
    let source = format!("recording/{name}");
    store.write(&source, bytes);
    PublishFile { name: name.to_owned(), source: Some(source), in_git: false }
}

fn path(name: &str) -> String {
    format!("sessions/{SESSION}/{name}")
}

/// A session that was published before: by programs that write fields we do not know.
fn older(world: &mut World, with_id: bool) {
    let blobs = [(RAW, OLD_LINES.as_bytes().to_vec()), ("old-plan.md", content(30, 70))];
    let mut files = vec![(path("old-notes.md"), b"git carries this\n".to_vec())];
    let mut entries = vec!["\"old-notes.md\": {\"storage\": \"git\", \"size\": 17, \"zz\": [1.50]}".to_owned()];
    for (name, bytes) in blobs {
        let blob = blob(&bytes);
        entries.push(format!(
            "\"{name}\": {{\"storage\": \"lfs\", \"oid\": \"sha256:{}\", \"size\": {}}}",
            blob.oid, blob.size
        ));
        let pointer =
            format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n", blob.oid, blob.size);
        files.push((path(name), pointer.into_bytes()));
        world.server.received.insert(blob.oid);
        world.server.objects.insert(blob.oid, bytes);
    }
    let id = if with_id { "\"session_id\": \"ses_old\", " } else { "" };
    let manifest = format!(
        "{{\"version\": \"1.0\", {id}\"session_name\": \"{SESSION}\", \"zz_unknown\": {{\"a\": [1, 2.50]}}, \
         \"entry_count\": 1, \"created_at\": \"2026-01-01T00:00:00Z\", \"files\": {{{}}}}}",
        entries.join(", ")
    );
    files.push((path("meta.json"), manifest.into_bytes()));
    world.remote.commit(files);
}

/// The same command once more: a host does not name a file whose pointer stands in the session's folder.
pub fn again(store: &Store, publication: &Publication) -> Publication {
    let mut again = publication.clone();
    again.files.retain(|file| {
        let there = store.files.get(&format!("sessions/{}/{}", publication.session, file.name));
        file.in_git || file.source.is_some() || there.is_some_and(|bytes| !is_pointer(bytes))
    });
    again
}

/// Calm runs must bring it to its end: published, settled, swapped, nothing open, and nothing to do any more.
/// The report of the last run, if there was anything to run.
pub fn publishes(world: &mut World, publication: &Publication) -> Result<Option<PublishReport>, String> {
    world.stop_after = None;
    // A server that lied is asked to look again.
    world.server.claimed.clear();
    let mut report = calm(world, publication)?;
    if let Some(Err(error)) = report.as_ref().map(|report| &report.ended)
        && error.code == Code::Conflict
        && world.rivals + world.edits > 0
    {
        world.trace.push("= pulled".to_owned());
        world.store.pull(&world.remote.history);
        report = calm(world, publication)?;
    }
    if let Some(Err(error)) = report.as_ref().map(|report| &report.ended) {
        return Err(format!("a calm run ended with {error}"));
    }
    ended(world, publication)?;
    if world.rivals == 0 {
        let (tip, register) = (world.remote.tip(), world.store.docs.get("orphans").cloned());
        let more = calm(world, publication)?;
        if more.as_ref().is_some_and(|more| more.ended.is_err()) {
            return Err(format!("one more run ended as {:?}", more.map(|more| more.ended)));
        }
        if world.remote.tip() != tip || world.store.docs.get("orphans") != register.as_ref() {
            return Err("one more run changed what was done already".to_owned());
        }
    }
    Ok(report)
}

fn calm(world: &mut World, publication: &Publication) -> Result<Option<PublishReport>, String> {
    let plan = again(&world.store, publication);
    let journal = format!("journal/{}", plan.session);
    if plan.files.is_empty() && plan.fields.is_empty() && !world.store.docs.contains_key(&journal) {
        return Ok(None);
    }
    world.trace.push("= a calm run".to_owned());
    match run(world, &Job::Publish(plan), &mut Faults::none())? {
        Ended::Published(report) => Ok(Some(report)),
        ended => Err(format!("a calm run ended as {ended:?}")),
    }
}

/// The done row of the phase table.
fn ended(world: &World, publication: &Publication) -> Result<(), String> {
    let World { store, remote, .. } = world;
    let path = |name: &str| format!("sessions/{}/{name}", publication.session);
    let journal = format!("journal/{}", publication.session);
    if store.docs.contains_key(&journal) {
        return Err(format!("{journal} is still there"));
    }
    let settled = &remote.history[store.head];
    if store.docs.get(&path("meta.json")) != settled.get(&path("meta.json")) {
        return Err("the manifest here is not the one that was pushed".to_owned());
    }
    for file in &publication.files {
        let (path, source) = (path(&file.name), file.source.clone());
        if file.in_git {
            if settled.get(&path) != store.files.get(&path) {
                return Err(format!("{path} is not carried by git as it is"));
            }
            continue;
        }
        let here = store.files.get(&path);
        if settled.get(&path) != here || here.and_then(|bytes| pointed(bytes)).is_none() {
            return Err(format!("{path} is not the pointer that was pushed"));
        }
        let from = source.unwrap_or(path.clone());
        let owed = store.owed.get(&from);
        let wanted = owed.map(|bytes| blob(bytes).oid);
        // What grew behind its pointer is kept, and no publish sees it.
        let displaced = |(oid, held): (&Oid, &Vec<u8>)| Some(*oid) != wanted && owed == Some(held);
        let grown = store.cache.iter().any(displaced) || owed.is_some_and(|owed| store.kept.contains(owed));
        let published = here.and_then(|bytes| pointed(bytes));
        if !grown && wanted != published && world.rivals == 0 {
            return Err(format!("{path} is published as something else than it is"));
        }
    }
    if world.rivals == 0 {
        counted(world, settled.get(&path("meta.json")).map_or(&[], Vec::as_slice))?;
    }
    Ok(())
}

/// I3: the count is of the bytes that the oid names.
fn counted(world: &World, manifest: &[u8]) -> Result<(), String> {
    let manifest: Value = serde_json::from_slice(manifest).unwrap_or_default();
    let Some(bytes) = Value::as_str(&manifest["files"][RAW]["oid"])
        .and_then(|oid| Oid::parse(oid.trim_start_matches("sha256:")))
        .filter(|oid| world.server.holds(oid))
        .and_then(|oid| world.server.objects.get(&oid))
    else {
        return Ok(());
    };
    let expected = entries(bytes);
    match manifest["entry_count"].as_u64() {
        Some(count) if count == expected => Ok(()),
        count => Err(format!("I3: {expected} entries are counted as {count:?}")),
    }
}

/// Entries of a transcript of this world.
pub fn entries(transcript: &[u8]) -> u64 {
    let lines = String::from_utf8_lossy(transcript).into_owned();
    lines.lines().filter(|line| line.contains("\"type\"") && !line.contains("header")).count() as u64
}

/// A clone that never saw any of this reads every file of the session.
pub fn readable_elsewhere(world: &World, publication: &Publication) -> Result<(), String> {
    let mut fresh = World::new(Feed::Received, Order::First);
    (fresh.server, fresh.remote) = (world.server.clone(), world.remote.clone());
    fresh.store.pull(&world.remote.history);
    let job = Job::HydrateSession(publication.session.clone());
    let Ended::Done(Ok(outcomes)) = run(&mut fresh, &job, &mut Faults::none())? else {
        return Err("the session cannot be hydrated elsewhere".to_owned());
    };
    let lied = |oid: &str| world.server.lied.iter().any(|lied| lied.to_string() == oid);
    match outcomes.iter().find(|outcome| outcome.ended.is_err() && !lied(&outcome.oid)) {
        Some(outcome) => Err(format!("{} cannot be read elsewhere: {:?}", outcome.name, outcome.ended)),
        None => {
            let meta = format!("sessions/{}/meta.json", publication.session);
            let named = world.remote.tree().get(&meta).map_or_else(Vec::new, |bytes| oids(&meta, bytes));
            let here = |oid: &Oid| fresh.store.cache.contains_key(oid) || world.server.lied.contains(oid);
            if named.iter().all(here) { Ok(()) } else { Err("a blob that is named was not hydrated".to_owned()) }
        }
    }
}
