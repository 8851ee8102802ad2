//! One fault at every step of a reconcile and of its repair, for every way in which commits that were not pushed may
//! lack blobs; then a calm repair, after which the remote takes the push, or a refusal that changed nothing.

#![expect(clippy::print_stdout, reason = "a run says how large it was")]

use hydrant_ledger::reconcile::ReconcileReport;
use hydrant_lfs::text::error::Code;
use hydrant_tests::life::Flaw;
use hydrant_tests::world::{Ended, Fault, Faults, Feed, Job, Order, Plan, World, run};

/// A clone of a small ledger, with these commits on top.
fn unpushed(flaws: &[Flaw], feed: Feed) -> World {
    let mut world = World::new(feed, Order::First);
    world.strict = true;
    world.remote.strict = true;
    world.remote.commit([("README.md".to_owned(), b"a ledger".to_vec())]);
    world.store.pull(&world.remote.history);
    for (number, flaw) in flaws.iter().enumerate() {
        flaw.commit(number, &mut world);
    }
    world
}

fn reconcile(world: &mut World, repair: bool, faults: &mut Faults) -> Result<Option<ReconcileReport>, String> {
    match run(world, &Job::Reconcile(repair), faults)? {
        Ended::Reconciled(report) => Ok(Some(report)),
        Ended::Killed => Ok(None),
        ended => Err(format!("a reconcile ended as {ended:?}")),
    }
}

/// A calm repair makes the push possible, or changes nothing and says why.
fn heals(world: &mut World, flaws: &[Flaw]) -> Result<(), String> {
    world.server.claimed.clear();
    world.store.follow(&world.remote.history);
    let before = (world.store.unpushed.clone(), world.store.files.clone());
    let Some(report) = reconcile(world, true, &mut Faults::none())? else { return Err("it died".to_owned()) };
    let refused = flaws.iter().any(|flaw| flaw.is_refused());
    match report.ended {
        Ok(()) => world.remote.take(&mut world.store, &world.server).map_err(|said| format!("a repaired push: {said}")),
        Err(error) if (refused || world.edits > 0) && matches!(error.code, Code::Conflict | Code::Missing) => {
            // What was sent before stands in the register, and pointers here name it.
            let now = (world.store.unpushed.clone(), world.store.files.clone());
            if before == now { Ok(()) } else { Err("it refused and changed something all the same".to_owned()) }
        }
        Err(error) => Err(format!("a calm repair ended with {error}")),
    }
}

#[test]
fn one_fault_at_every_step() {
    let mut worlds: Vec<Vec<Flaw>> = Flaw::ALL.map(|flaw| vec![flaw]).to_vec();
    worlds.push(vec![Flaw::None, Flaw::Unsent, Flaw::Gone]);
    worlds.push(vec![Flaw::GoneBefore, Flaw::Unsent]);
    worlds.push(vec![Flaw::Unsent, Flaw::Contradicted]);
    let (mut runs, mut repaired) = (0, 0);
    for flaws in &worlds {
        for (repair, feed) in [(true, Feed::Received), (true, Feed::Chunks(7)), (false, Feed::Received)] {
            let mut calm = unpushed(flaws, feed);
            reconcile(&mut calm, repair, &mut Faults::none()).unwrap_or_else(|broken| panic!("{flaws:?}: {broken}"));
            for (at, fault) in (0..calm.effects).flat_map(|at| Fault::ALL.map(|fault| (at, fault))) {
                for lasting in [false, true] {
                    let mut world = unpushed(flaws, feed);
                    let mut faults = Faults::new(Plan::At { effect: at, fault, lasting });
                    let checked = reconcile(&mut world, repair, &mut faults).and_then(|report| {
                        repaired += usize::from(report.is_some_and(|report| report.tip.is_some()));
                        heals(&mut world, flaws)
                    });
                    if let Err(broken) = checked {
                        let tail = &world.trace[world.trace.len().saturating_sub(60)..];
                        let what = format!("{flaws:?} {feed:?}: {fault:?} (lasting: {lasting}) at {at}");
                        panic!("{what}: {broken}\n{}", tail.join("\n"));
                    }
                    runs += 1;
                }
            }
        }
    }
    println!(
        "{runs} reconciles with a fault, {repaired} of them made a commit all the same; each was healed by a calm one"
    );
    assert!(repaired > 0);
}

#[test]
fn a_stop_at_every_step() {
    for flaws in Flaw::ALL.map(|flaw| [flaw, Flaw::Unsent]) {
        for stop_after in 1.. {
            let mut world = unpushed(&flaws, Feed::Received);
            world.stop_after = Some(stop_after);
            let report = reconcile(&mut world, true, &mut Faults::none());
            world.stop_after = None;
            let ended = report.map(|report| report.map(|report| report.ended.map_err(|error| error.code)));
            let unstopped = !matches!(ended, Ok(Some(Err(Code::Unfinished))));
            let checked = ended.and_then(|_| heals(&mut world, &flaws));
            checked.unwrap_or_else(|broken| {
                panic!("{flaws:?} stopped after {stop_after}: {broken}\n{}", world.trace.join("\n"))
            });
            if unstopped {
                break;
            }
        }
    }
}
