//! Publish in the simulated world: one fault, one death, one line appended, one stop at every step, exhaustively; two
//! deaths for the smallest worlds; then seeded lives. After every step the laws are checked, and every run is ended by
//! calm ones that must come to the done row of the phase table.
//!
//! `HYDRANT_SEED=N` replays one seed, `HYDRANT_SEEDS=N` runs more of them.
//!
//! long: every fault at every step of every small world; `lives` and `publishers` are the quick look

#![expect(clippy::print_stdout, reason = "a run says how large it was")]

use hydrant_ledger::publish::{Publication, PublishReport, PublishedState};
use hydrant_lfs::contract::Phase;
use hydrant_lfs::text::error::Code;
use hydrant_tests::world::{
    Dice, Ended, Fault, Faults, Feed, Job, Order, Plan, Rival, Scene, World, again, publishes, readable_elsewhere, run,
};

/// How bytes are fed, in which order effects are answered, and whether the remote looks into pushes.
const WAYS: [(Feed, Order, bool); 3] = [
    (Feed::Received, Order::First, true),
    (Feed::Chunks(7), Order::Last, true),
    (Feed::Chunks(4096), Order::First, false),
];

fn tail(world: &World) -> String {
    let from = world.trace.len().saturating_sub(60);
    world.trace[from..].join("\n")
}

fn build(scene: Scene, way: &(Feed, Order, bool)) -> (World, Publication) {
    let (mut world, publication) = scene.build(way.0, way.1.clone());
    world.remote.strict = way.2;
    (world, publication)
}

/// What is said in a calm publish.
fn calm(scene: Scene, way: &(Feed, Order, bool)) -> Vec<String> {
    let (mut world, publication) = build(scene, way);
    let ended = run(&mut world, &Job::Publish(publication.clone()), &mut Faults::none());
    match ended {
        Ok(Ended::Published(PublishReport { ended: Ok(()), phase: Phase::Done, .. })) => {}
        ended => panic!("{scene:?} {way:?}: {ended:?}\n{}", tail(&world)),
    }
    let said = world.trace.clone();
    let checked = publishes(&mut world, &publication).and_then(|_| readable_elsewhere(&world, &publication));
    checked.unwrap_or_else(|broken| panic!("{scene:?} {way:?}: {broken}\n{}", tail(&world)));
    said
}

/// The effects of a calm publish.
fn effects(said: &[String]) -> Vec<&String> {
    said.iter().filter(|line| line.starts_with("> ")).collect()
}

/// What one passing fault must come to. `None`: anything truthful.
fn verdict(fault: Fault, effect: &str) -> Option<&'static [Code]> {
    let remote = effect.contains("-ledger") && !effect.contains("settle");
    let http = effect.contains("://");
    let local = ["save-doc", "settle", "swap-file"].iter().any(|name| effect.contains(name));
    match fault {
        Fault::Rival(Rival::Elsewhere | Rival::Beside) => Some(&[]),
        Fault::Offline | Fault::Stall | Fault::Break | Fault::Status(429 | 500 | 503) if http => Some(&[]),
        Fault::Offline | Fault::Stall if remote => Some(&[Code::Host]),
        Fault::Denied if remote => Some(&[Code::Auth]),
        Fault::Refused if remote => Some(&[Code::Rejected]),
        Fault::NoSpace if local || effect.contains("push") => Some(&[Code::Host]),
        Fault::Conflict if effect.contains("push") => Some(&[]),
        Fault::Conflict if effect.contains("orphans") => Some(&[]),
        Fault::Conflict if effect.contains("swap-file") => Some(&[]),
        Fault::Conflict if effect.contains("settle") => Some(&[Code::Conflict]),
        _ => None,
    }
}

/// Runs with faults, then calmly. The report of the first run, if it did not die.
fn lives(world: &mut World, publication: &Publication, faults: &mut Faults) -> Result<Option<PublishReport>, String> {
    let report = match run(world, &Job::Publish(again(&world.store, publication)), faults)? {
        Ended::Published(report) => Some(report),
        Ended::Killed => None,
        ended => return Err(format!("a publish ended as {ended:?}")),
    };
    world.trace.push(format!("= {:?}", report.as_ref().map(|report| (&report.phase, &report.ended))));
    Ok(report)
}

#[test]
fn one_fault_at_every_step() {
    let (mut runs, mut struck) = (0, 0);
    for scene in Scene::ALL {
        for way in &WAYS {
            let said = calm(scene, way);
            for (at, effect) in effects(&said).into_iter().enumerate() {
                for fault in Fault::ALL {
                    // Some faults last, in one of the ways.
                    for lasting in [false, true].into_iter().take(if matches!(way.0, Feed::Received) { 2 } else { 1 }) {
                        let (mut world, publication) = build(scene, way);
                        let mut faults = Faults::new(Plan::At { effect: at as u32, fault, lasting });
                        let checked = lives(&mut world, &publication, &mut faults).and_then(|report| {
                            runs += 1;
                            if world.events == 0 && world.trace[..world.trace.len() - 1] == said {
                                // It does not apply to this effect.
                                return Ok(());
                            }
                            struck += 1;
                            let codes = verdict(fault, effect).filter(|_| !lasting);
                            if let (Some(codes), Some(report)) = (codes, report) {
                                let ended: Vec<Code> =
                                    report.ended.as_ref().err().map(|e| e.code).into_iter().collect();
                                if ended != codes {
                                    return Err(format!("expected {codes:?}, got {:?}", report.ended));
                                }
                            }
                            if fault == Fault::Remove {
                                // What was removed cannot be published any more; the laws hold all the same.
                                return lives(&mut world, &publication, &mut Faults::none()).map(drop);
                            }
                            publishes(&mut world, &publication)?;
                            readable_elsewhere(&world, &publication)
                        });
                        if let Err(broken) = checked {
                            let what = format!("{scene:?} {way:?}: {fault:?} (lasting: {lasting}) at {effect:?}");
                            panic!("{what}: {broken}\n{}", tail(&world));
                        }
                    }
                }
            }
        }
    }
    println!("{runs} publishes, {struck} with a fault that struck, each brought to its end by a calm one");
}

/// A death or a lost answer, and then another death, or somebody who pushed in between.
#[test]
fn two_faults_in_two_runs() {
    let firsts = [Fault::Kill, Fault::KillAfter, Fault::Break];
    let beside = Fault::Rival(Rival::Beside);
    let seconds = [Fault::Kill, Fault::KillAfter, Fault::IoAfter, beside, Fault::Rival(Rival::Over)];
    let (mut runs, way) = (0, &WAYS[0]);
    for scene in [Scene::InPlace, Scene::Mixed, Scene::Existing, Scene::GivenUp] {
        let effects = effects(&calm(scene, way)).len();
        for (first, second) in firsts.iter().flat_map(|first| seconds.map(|second| (*first, second))) {
            for at in 0..effects {
                // What the first run left to do may take more effects than a whole run.
                for then in 0..effects + 4 {
                    let (mut world, publication) = build(scene, way);
                    let plan =
                        |effect: usize, fault| Faults::new(Plan::At { effect: effect as u32, fault, lasting: false });
                    let mut faults = plan(then, second);
                    let checked = lives(&mut world, &publication, &mut plan(at, first))
                        .and_then(|_| lives(&mut world, &publication, &mut faults))
                        .and_then(|_| publishes(&mut world, &publication));
                    if let Err(broken) = checked {
                        panic!("{scene:?}: {first:?} at {at}, then {second:?} at {then}: {broken}\n{}", tail(&world));
                    }
                    runs += 1;
                    if faults.struck() == 0 {
                        // The second run is shorter than that.
                        break;
                    }
                }
            }
        }
    }
    println!("{runs} publishes that failed twice");
}

#[test]
fn a_stop_at_every_step() {
    let mut runs = 0;
    for scene in Scene::ALL {
        for way in &WAYS {
            for stop_after in 1.. {
                let (mut world, publication) = build(scene, way);
                world.stop_after = Some(stop_after);
                let report = lives(&mut world, &publication, &mut Faults::none());
                let whole = matches!(&report, Ok(Some(report)) if report.ended.is_ok());
                let checked = report.and_then(|report| {
                    match report.map(|report| report.ended) {
                        Some(Ok(())) => {}
                        Some(Err(error)) if error.code == Code::Unfinished => {}
                        ended => return Err(format!("a stop ends it as {ended:?}")),
                    }
                    publishes(&mut world, &publication)
                });
                checked
                    .unwrap_or_else(|broken| panic!("{scene:?} {way:?} stop {stop_after}: {broken}\n{}", tail(&world)));
                runs += 1;
                if whole {
                    break;
                }
            }
        }
    }
    println!("{runs} publishes that were stopped");
}

/// An agent goes on writing all through a publish: at any two steps, from any step on, in any run.
#[test]
fn an_agent_appends_at_every_step() {
    let mut runs = 0;
    let mut left = 0;
    for scene in Scene::ALL {
        for way in &WAYS {
            let effects = effects(&calm(scene, way)).len();
            for at in 0..effects {
                for lasting in [false, true] {
                    for once_more in 0..=effects {
                        let (mut world, publication) = build(scene, way);
                        let mut faults = Faults::new(Plan::At { effect: at as u32, fault: Fault::Append, lasting });
                        let checked = lives(&mut world, &publication, &mut faults).and_then(|report| {
                            if let Some(report) = report {
                                left += report.files.iter().filter(|file| file.state == PublishedState::Left).count();
                            }
                            let effect = once_more as u32;
                            let mut faults = Faults::new(Plan::At { effect, fault: Fault::Append, lasting: false });
                            if once_more < effects {
                                lives(&mut world, &publication, &mut faults)?;
                            }
                            publishes(&mut world, &publication)
                        });
                        if let Err(broken) = checked {
                            let what =
                                format!("{scene:?} {way:?}: appended at {at} (lasting: {lasting}), then {once_more}");
                            panic!("{what}: {broken}\n{}", tail(&world));
                        }
                        runs += 1;
                        if lasting && once_more > 1 {
                            break;
                        }
                    }
                }
            }
        }
    }
    println!("{runs} publishes of a growing file, {left} times it was left as it is");
    assert!(left > 0, "no swap ever met a grown file");
}

/// One life after another in a world drawn from a seed, until the faults are spent; then calm.
fn life(seed: u64) -> Result<World, Box<(String, World)>> {
    let mut dice = Dice(seed ^ 0x9b11);
    let scene = Scene::ALL[dice.roll(Scene::ALL.len())];
    let feed = [Feed::Received, Feed::Chunks(1 + dice.roll(9)), Feed::Chunks(4096)][dice.roll(3)];
    let order = if dice.once_in(5) { Order::Last } else { Order::Any(Dice(seed ^ 0xd1ce)) };
    let (mut world, publication) = scene.build(feed, order);
    world.remote.strict = dice.once_in(2);
    world.server.private = dice.once_in(3);
    world.server.verifies = dice.once_in(2);
    world.config.seed = seed;
    let mut faults = Faults::seeded(seed);
    let session = publication.session.clone();
    let mut one = |world: &mut World, dice: &mut Dice| -> Result<bool, String> {
        world.stop_after = dice.once_in(6).then(|| 1 + dice.roll(60));
        let plan = again(&world.store, &publication);
        let job = match dice.roll(10) {
            0 => Job::HydrateSession(session.clone()),
            // Only what is unfinished.
            1 => Job::Publish(Publication { files: Vec::new(), fields: Vec::new(), ..plan }),
            // Another command than the last one.
            2 => Job::Publish(Publication { files: plan.files.into_iter().skip(1).collect(), ..plan }),
            3 => Job::Publish(Publication { files: plan.files.into_iter().take(1).collect(), ..plan }),
            _ => Job::Publish(plan),
        };
        world.trace.push(format!("= {job:?}"));
        let ended = run(world, &job, &mut faults)?;
        world.trace.push(format!("= {ended:?}"));
        if dice.once_in(5) {
            world.trace.push("= pulled".to_owned());
            world.store.pull(&world.remote.history);
        }
        let done = matches!(&ended, Ended::Published(report) if report.ended.is_ok());
        Ok(done && world.stop_after.is_none() && dice.once_in(2))
    };
    for _ in 0..12 {
        match one(&mut world, &mut dice) {
            Ok(true) => break,
            Ok(false) => {}
            Err(broken) => return Err(Box::new((broken, world))),
        }
    }
    let removed = publication.files.iter().any(|file| {
        let path = file.source.clone().unwrap_or_else(|| format!("sessions/{session}/{}", file.name));
        !world.store.owed.contains_key(&path)
    });
    let checked = if removed { Ok(()) } else { publishes(&mut world, &publication).map(drop) };
    match checked.and_then(|()| if removed { Ok(()) } else { readable_elsewhere(&world, &publication) }) {
        Ok(()) => Ok(world),
        Err(broken) => Err(Box::new((broken, world))),
    }
}

#[test]
fn seeded_lives() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("HYDRANT_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("HYDRANT_SEEDS").unwrap_or(300),
    };
    let (mut struck, mut rivals, mut died) = (0, 0, 0);
    for seed in seeds {
        match life(seed) {
            Ok(world) => {
                let once_more = life(seed).map(|world| world.trace).unwrap_or_default();
                assert_eq!(world.trace, once_more, "seed {seed} does not replay");
                struck += usize::from(world.trace.iter().any(|line| line.contains("failed")));
                rivals += usize::from(world.rivals > 0);
                died += usize::from(world.trace.iter().any(|line| line == "= Killed"));
            }
            Err(broken) => panic!("HYDRANT_SEED={seed}: {}\n{}", broken.0, tail(&broken.1)),
        }
    }
    println!("lives in which something failed: {struck}, somebody else pushed: {rivals}, the process died: {died}");
}
