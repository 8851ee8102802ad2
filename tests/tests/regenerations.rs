//! One fault at every step of a publish over what was published before: the transcript has other content, in its place
//! or from elsewhere, and what it replaces stands in the orphan register in the end.

#![expect(clippy::print_stdout, reason = "a run says how large it was")]

use hydrant_ledger::publish::Publication;
use hydrant_tests::world::{
    Fault, Faults, Feed, Job, Order, Plan, Scene, World, again, blob, publishes, readable_elsewhere, run,
};

const RAW: &str = "sessions/s/raw.jsonl";
const FRESH: &[u8] = b"{\"type\":\"header\"}\n{\"type\":\"user\",\"fresh\":1}\n{\"type\":\"tool\",\"fresh\":2}\n";

/// A session that was published, and then regenerated; what is not named any more afterwards.
fn regenerated(scene: Scene, aside: bool, feed: Feed) -> Result<(World, Publication), String> {
    let (mut world, mut publication) = scene.build(feed, Order::First);
    world.remote.strict = true;
    world.strict = true;
    publishes(&mut world, &publication)?;
    let source = publication.files[0].source.clone();
    let path = match source {
        Some(source) => source,
        None if aside => "regenerated/raw.jsonl".to_owned(),
        None => RAW.to_owned(),
    };
    publication.files[0].source = Some(path.clone()).filter(|path| path != RAW);
    world.store.agent = None;
    world.store.write(&path, FRESH);
    world.trace.clear();
    Ok((world, publication))
}

/// The fresh bytes are published, and what they replaced is named by the register.
fn in_the_end(world: &World) -> Result<(), String> {
    let mut named = world.store.named();
    named.extend(world.remote.names());
    // What a rival superseded stands in the rival's register.
    named.extend(&world.remote.registered);
    let stale = world.server.received.iter().find(|oid| !named.contains(oid));
    if let Some(oid) = stale {
        return Err(format!("I22: {oid} is named nowhere"));
    }
    let fresh = blob(FRESH).oid;
    if world.rivals == 0 && !world.remote.names().contains(&fresh) {
        return Err("I1: the fresh bytes are not what is published".to_owned());
    }
    Ok(())
}

#[test]
fn one_fault_at_every_step() {
    let mut runs = 0;
    for scene in [Scene::InPlace, Scene::Aside, Scene::Mixed, Scene::Existing] {
        for (aside, feed) in [(false, Feed::Received), (true, Feed::Chunks(7))] {
            let (mut calm, publication) = regenerated(scene, aside, feed).expect("a calm beginning");
            let plan = again(&calm.store, &publication);
            run(&mut calm, &Job::Publish(plan), &mut Faults::none()).expect("a calm regenerate");
            in_the_end(&calm).unwrap_or_else(|broken| panic!("{scene:?}: {broken}"));
            for (at, fault) in (0..calm.effects).flat_map(|at| Fault::ALL.map(|fault| (at, fault))) {
                let (mut world, publication) = regenerated(scene, aside, feed).expect("a calm beginning");
                let mut faults = Faults::new(Plan::At { effect: at, fault, lasting: false });
                let plan = again(&world.store, &publication);
                let checked = run(&mut world, &Job::Publish(plan), &mut faults).and_then(|_| {
                    publishes(&mut world, &publication)?;
                    readable_elsewhere(&world, &publication)?;
                    in_the_end(&world)
                });
                if let Err(broken) = checked {
                    let tail = &world.trace[world.trace.len().saturating_sub(60)..];
                    panic!("{scene:?} aside {aside} {feed:?}: {fault:?} at {at}: {broken}\n{}", tail.join("\n"));
                }
                runs += 1;
            }
        }
    }
    println!("{runs} regenerated sessions with one fault, each brought to its end by a calm run");
}
