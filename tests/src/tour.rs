//! A tour of the contract for hosts that replay recordings: every vector, every fixture, and runs in the simulated
//! world with every kind of fault, through one engine. Whoever records it has recorded every function and every step.

mod ledgers;

use crate::engine::{Engine, Sample, Start};
use crate::fixtures;
use crate::life;
use crate::vectors;
use crate::world::{Dice, Fault, Faults, Feed, Job, Order, Plan, Scene, World, again, blob, content, run_through};
use hydrant_lfs::contract::Config;
use hydrant_lfs::contract::{Effect, EffectId, Failed, Failure, Instant, Login, Misuse, Reply, Step};
use hydrant_lfs::contract::{Source, Want};
use hydrant_lfs::git_lfs::pointer::{Extension, Finding, Flaw, Pointer};
use hydrant_lfs::operations::LockTask;
use hydrant_lfs::text::error::Code;
use hydrant_lfs::text::oid::Oid;
use serde_json::json;

/// Seeds whose lives are part of the tour: reconciles, repairs and regenerates among much else.
const LIVES: u64 = 16;
/// Lengths of the files of the world: empty, smaller than a pointer may be, larger.
const SIZES: [usize; 4] = [0, 300, 1500, 5000];
/// Effects of such a world at which a fault is planted.
const FAULTY_EFFECTS: [u32; 3] = [1, 5, 8];
/// The same for a publish: the ledger, the journal, the server, the push, what follows it.
const FAULTY_EFFECTS_OF_A_PUBLISH: [u32; 5] = [1, 6, 8, 11, 13];

/// Takes the tour. `Err` names the first thing that is not as it should be.
pub fn take(engine: &dyn Engine) -> Result<(), String> {
    let verdicts = vectors::judge(engine, vectors::COMMITTED)?;
    if let Some((name, why)) = verdicts.failed.first() {
        return Err(format!("the vector {name}: {why}"));
    }
    let (differences, _) = fixtures::judge(engine)?;
    if let Some(difference) = differences.first() {
        return Err(format!("the fixture {difference}"));
    }
    functions(engine)?;
    ledgers::walk(engine).map_err(|error| error.to_string())?;
    constructors(engine)?;
    misuse(engine)?;
    for kind in [Kind::Hydrate, Kind::Session, Kind::Download, Kind::Upload] {
        for feed in [Feed::Chunks(1000), Feed::Received] {
            world(engine, kind, feed, Order::First, Faults::none(), None)?;
            world(engine, kind, feed, Order::Last, Faults::none(), Some(7))?;
        }
        for fault in Fault::ALL {
            for effect in FAULTY_EFFECTS {
                let plan = Plan::At { effect, fault, lasting: false };
                world(engine, kind, Feed::Chunks(700), Order::First, Faults::new(plan), None)?;
            }
        }
        for seed in 0..8 {
            world(engine, kind, Feed::Chunks(512), Order::Any(Dice(seed)), Faults::seeded(seed), None)?;
        }
    }
    publishes(engine)?;
    for seed in 0..LIVES {
        if let Some(broken) = life::live(engine, seed).broken {
            return Err(format!("the life of seed {seed}: {broken}"));
        }
    }
    Ok(())
}

/// Sessions published in the simulated world, each once with faults and once without.
fn publishes(engine: &dyn Engine) -> Result<(), String> {
    for scene in Scene::ALL {
        publish(engine, scene, Feed::Received, Order::First, Faults::none())?;
        publish(engine, scene, Feed::Chunks(100), Order::Last, Faults::none())?;
        for seed in 0..4 {
            publish(engine, scene, Feed::Chunks(512), Order::Any(Dice(seed)), Faults::seeded(seed))?;
        }
    }
    for scene in [Scene::Mixed, Scene::Existing] {
        for fault in Fault::ALL {
            for effect in FAULTY_EFFECTS_OF_A_PUBLISH {
                let plan = Plan::At { effect, fault, lasting: false };
                publish(engine, scene, Feed::Received, Order::First, Faults::new(plan))?;
            }
        }
    }
    Ok(())
}

/// Functions and cases that neither vectors nor fixtures reach.
fn functions(engine: &dyn Engine) -> Result<(), String> {
    for flaw in Flaw::ALL {
        engine.explain(Finding { flaw, line: 0 });
        engine.explain(Finding { flaw, line: u32::MAX });
    }
    let extension = |priority, name: &str| Extension { priority, name: name.to_owned(), oid: Oid::EMPTY };
    let (a, b) = (extension(0, "a"), extension(9, "b-c"));
    for (size, extensions) in
        [(1, vec![a.clone(), b.clone()]), (u64::MAX, vec![]), (1, vec![a.clone(), a]), (1, vec![b])]
    {
        let pointer =
            Pointer { blob: hydrant_lfs::text::oid::Blob { oid: Oid::EMPTY, size }, extensions, canonical: true };
        engine.format(&pointer).ok();
    }
    engine.classify(&Sample { head: Vec::new(), file_size: u64::MAX });
    for key in ["lfs.url", "LFS.URL", "lfs.https://a.test/.access", "lfs.extension.x.clean", "core.sshcommand", ""] {
        engine.allowed_in_repository(key);
    }
    for name in ["raw.jsonl", "", "../x", "CON", "a\u{202e}b", "\u{0}"] {
        engine.name_flaw(name);
    }
    let config = engine.default_config("https://lfs.example.test/x", 0);
    if config == Config::new("https://lfs.example.test/x", 0) {
        Ok(())
    } else {
        Err("another default configuration".to_owned())
    }
}

/// Configurations and tasks that are refused at once.
fn constructors(engine: &dyn Engine) -> Result<(), String> {
    for (endpoint, code) in [
        ("", Code::Malformed),
        ("ftp://a.test", Code::Malformed),
        ("https://user:secret@a.test", Code::Malformed),
        ("http://a.test", Code::Blocked),
    ] {
        let refused = engine.begin(&engine.default_config(endpoint, 0), &Start::Download(Vec::new())).err();
        if refused.as_ref().map(|error| error.code) != Some(code)
            || refused.is_some_and(|error| error.detail.contains("secret"))
        {
            return Err(format!("the endpoint {endpoint} is not refused as it should be"));
        }
    }
    let config = engine.default_config("https://lfs.example.test/x", 0);
    for start in [Start::HydrateSession("../x".to_owned()), Start::Locks(LockTask::Create(String::new()))] {
        if engine.begin(&config, &start).is_ok() {
            return Err(format!("{start:?} is begun"));
        }
    }
    // An oid that is none fails its own want alone; nothing to do is done at once.
    let want = |oid: &str| Want { name: oid.to_owned(), oid: oid.to_owned(), size: 3 };
    for start in [Start::Download(vec![want("x"), want("../../etc/passwd")]), Start::Upload(Vec::new())] {
        let mut run = engine.begin(&config, &start).map_err(|error| error.to_string())?;
        if run.poll(Instant::default()) != Step::Done || run.outcomes().is_err() {
            return Err(format!("{start:?} does not end at once"));
        }
    }
    // The finish of another kind.
    let mut run = engine.begin(&config, &Start::Download(Vec::new())).map_err(|error| error.to_string())?;
    let said = (run.lock_report().err(), run.transfer_report().is_ok(), run.transfer_report().err());
    if said != (Some(Misuse::AnotherKind), true, Some(Misuse::Finished)) {
        return Err(format!("the finish of another kind gives {said:?}"));
    }
    Ok(())
}

/// Wrong replies are refused by name and change nothing; stopping ends an operation; dropping one ends it too.
fn misuse(engine: &dyn Engine) -> Result<(), String> {
    let config = Config { login: Login::Stored, ..engine.default_config("https://lfs.example.test/x", 0) };
    let bytes = blob(b"misused");
    let want = Want { name: "file".to_owned(), oid: bytes.oid.to_string(), size: bytes.size };
    let mut run = engine.begin(&config, &Start::Hydrate(vec![want])).map_err(|error| error.to_string())?;
    let Step::Perform(id, Effect::HasBlob(_)) = run.poll(Instant::default()) else {
        return Err("the cache is not asked first".to_owned());
    };
    let told = |what: &str, expected: Misuse, got: Result<(), Misuse>| {
        if got == Err(expected) { Ok(()) } else { Err(format!("{what}: expected {expected:?}, got {got:?}")) }
    };
    told("another id", Misuse::UnknownEffect, run.reply(EffectId(id.0 + 7), &Reply::End))?;
    told("another effect's reply", Misuse::OutOfOrder, run.reply(id, &Reply::Sent(bytes)))?;
    run.reply(id, &Reply::Absent).map_err(|misuse| format!("the right reply: {misuse:?}"))?;
    told("a second reply", Misuse::UnknownEffect, run.reply(id, &Reply::Absent))?;
    let Step::Perform(id, Effect::Http(_)) = run.poll(Instant::default()) else {
        return Err("the server is not asked next".to_owned());
    };
    run.stop();
    if run.poll(Instant { ticks: 5, wall: 5 }) != Step::Cancel(id) {
        return Err("stopping does not cancel".to_owned());
    }
    let aborted = Failed { why: Failure::Aborted, detail: "stopped".to_owned() };
    run.reply(id, &Reply::Failed(aborted)).map_err(|misuse| format!("the end of a cancel: {misuse:?}"))?;
    if run.poll(Instant { ticks: 6, wall: 6 }) != Step::Done {
        return Err("stopping does not end".to_owned());
    }
    told("a reply after the end", Misuse::Finished, run.reply(id, &Reply::End))?;
    match run.outcomes().map(|outcomes| outcomes.into_iter().next().map(|outcome| outcome.ended)) {
        Ok(Some(Err(error))) if error.code == Code::Unfinished => {}
        other => return Err(format!("what was stopped ended as {other:?}")),
    }
    let task = Start::Locks(LockTask::Unlock { id: "a/b?c".to_owned(), force: true });
    let mut run = engine.begin(&config, &task).map_err(|error| error.to_string())?;
    match run.poll(Instant::default()) {
        Step::Perform(_, Effect::Http(exchange)) if exchange.request.url.ends_with("/locks/a%2Fb%3Fc/unlock") => Ok(()),
        other => Err(format!("a lock's id is not encoded: {other:?}")),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Hydrate,
    Session,
    Download,
    Upload,
}

/// A run in the simulated world, judged by its own laws.
fn world(
    engine: &dyn Engine,
    kind: Kind,
    feed: Feed,
    order: Order,
    mut faults: Faults,
    stop_after: Option<usize>,
) -> Result<(), String> {
    let mut world = World::new(feed, order);
    world.server.verifies = kind == Kind::Upload;
    world.server.private = kind == Kind::Download;
    world.stop_after = stop_after;
    let files: Vec<(String, Vec<u8>)> =
        SIZES.iter().enumerate().map(|(at, size)| (format!("file-{at}"), content(at, *size))).collect();
    let wants: Vec<Want> = files
        .iter()
        .map(|(name, bytes)| Want { name: name.clone(), oid: blob(bytes).oid.to_string(), size: bytes.len() as u64 })
        .collect();
    if kind == Kind::Upload {
        world.store.files = files.into_iter().collect();
    } else {
        world.server.objects = files.into_iter().map(|(_, bytes)| (blob(&bytes).oid, bytes)).collect();
    }
    let job = match kind {
        Kind::Hydrate => Job::Hydrate(wants),
        Kind::Download => Job::Download(wants),
        Kind::Upload => {
            Job::Upload(wants.into_iter().map(|want| Source { name: want.name, expects: Some(want.oid) }).collect())
        }
        Kind::Session => {
            let entry = |want: &Want| {
                (want.name.clone(), json!({"storage": "lfs", "oid": format!("sha256:{}", want.oid), "size": want.size}))
            };
            let entries: serde_json::Map<String, serde_json::Value> = wants.iter().map(entry).collect();
            let manifest = json!({"version": "1.0", "session_name": "s", "session_id": "ses_x", "files": entries});
            world.store.docs.insert("sessions/s/meta.json".to_owned(), manifest.to_string().into_bytes());
            Job::HydrateSession("s".to_owned())
        }
    };
    run_through(engine, &mut world, &job, &mut faults)
        .map(|_| ())
        .map_err(|broken| format!("{broken}; the run so far:\n{}", world.trace.join("\n")))
}

/// A publish, and the same command once more: it finishes what the first one began.
fn publish(engine: &dyn Engine, scene: Scene, feed: Feed, order: Order, mut faults: Faults) -> Result<(), String> {
    let (mut world, publication) = scene.build(feed, order);
    for faults in [&mut faults, &mut Faults::none()] {
        let job = Job::Publish(again(&world.store, &publication));
        if let Err(broken) = run_through(engine, &mut world, &job, faults) {
            return Err(format!("{scene:?}: {broken}; the run so far:\n{}", world.trace.join("\n")));
        }
    }
    Ok(())
}
