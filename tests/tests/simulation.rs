//! One fault at every step, exhaustively, for small worlds; then seeded worlds with kills, restarts and stops.
//!
//! `HYDRANT_SEED=N` replays one seed, `HYDRANT_SEEDS=N` runs more of them.

#![expect(clippy::print_stdout, reason = "a run says how large it was")]

use hydrant_lfs::contract::{Outcome, Source, Want};
use hydrant_lfs::text::error::Code;
use hydrant_lfs::text::oid::Blob;
use hydrant_tests::world::{Dice, Ended, Fault, Faults, Feed, Job, Order, Plan, World, blob, content, run};

/// Three small files, one of them empty, one of pointer size's edge.
const SIZES: [usize; 3] = [700, 0, 1500];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Hydrate,
    Session,
    Download,
    Upload,
    UploadVerified,
}

fn scene(kind: Kind, feed: Feed, order: Order, sizes: &[usize]) -> (World, Job) {
    let mut world = World::new(feed, order);
    world.server.verifies = kind == Kind::UploadVerified;
    let blobs: Vec<(String, Vec<u8>)> =
        sizes.iter().enumerate().map(|(at, size)| (format!("file-{at}"), content(at, *size))).collect();
    let want = |(name, bytes): &(String, Vec<u8>)| {
        let Blob { oid, size } = blob(bytes);
        Want { name: name.clone(), oid: oid.to_string(), size }
    };
    if matches!(kind, Kind::Upload | Kind::UploadVerified) {
        let sources = blobs.iter().map(|(name, _)| Source { name: name.clone(), expects: None }).collect();
        world.store.files = blobs.into_iter().collect();
        return (world, Job::Upload(sources));
    }
    for (_, bytes) in &blobs {
        world.server.objects.insert(blob(bytes).oid, bytes.clone());
    }
    let wants: Vec<Want> = blobs.iter().map(want).collect();
    let job = match kind {
        Kind::Hydrate => Job::Hydrate(wants),
        Kind::Download => Job::Download(wants),
        _ => {
            let entry = |want: &Want| {
                format!("\"{}\": {{\"oid\": \"sha256:{}\", \"size\": {}}}", want.name, want.oid, want.size)
            };
            let files: Vec<String> = wants.iter().map(entry).collect();
            let text = format!("{{\"session_name\": \"s\", \"files\": {{{}}}}}", files.join(", "));
            world.store.docs.insert("sessions/s/meta.json".into(), text.into_bytes());
            Job::HydrateSession("s".into())
        }
    };
    (world, job)
}

/// What the report says must be what the world is.
fn truthful(world: &World, job: &Job, outcomes: &[Outcome]) -> Result<(), String> {
    for outcome in outcomes.iter().filter(|outcome| outcome.ended.is_ok()) {
        let there = match job {
            Job::Upload(_) => {
                let holds = |oid: &hydrant_lfs::text::oid::Oid| oid.to_string() == outcome.oid;
                world.server.objects.keys().any(holds) || world.server.claimed.iter().any(holds)
            }
            _ => world.store.cache.keys().any(|oid| oid.to_string() == outcome.oid),
        };
        if !there {
            return Err(format!("{} is reported well and is not there", outcome.name));
        }
    }
    Ok(())
}

fn tail(world: &World) -> String {
    let from = world.trace.len().saturating_sub(60);
    world.trace[from..].join("\n")
}

/// Runs once more without faults: everything must end well, whatever happened before.
fn heals(world: &mut World, job: &Job) -> Result<(), String> {
    world.stop_after = None;
    match run(world, job, &mut Faults::none())? {
        Ended::Done(Ok(outcomes)) => {
            truthful(world, job, &outcomes)?;
            match outcomes.iter().find_map(|outcome| outcome.ended.as_ref().err().map(|error| (outcome, error))) {
                Some((outcome, error)) => Err(format!("a calm run leaves {} with {error}", outcome.name)),
                None => Ok(()),
            }
        }
        ended => Err(format!("a calm run ended as {ended:?}")),
    }
}

/// What one passing fault must come to, when it strikes an effect of this sort. `None`: anything truthful.
fn verdict(fault: Fault, effect: &str, lasting: bool) -> Option<&'static [Code]> {
    let (batch, get) = (effect.contains("/objects/batch"), effect.contains("> ") && effect.contains(" GET "));
    let recovers: Option<&'static [Code]> = Some(&[]);
    let empty = effect.contains("stage e3b0c442");
    if lasting {
        return match fault {
            Fault::RedirectLoop if effect.contains("://") => Some(&[Code::Rejected]),
            Fault::WrongBytes | Fault::Short | Fault::Long if get && !empty => Some(&[Code::Integrity]),
            Fault::Status(401 | 403) if get || batch => Some(&[Code::Auth]),
            Fault::Status(429 | 500 | 503) if get || batch => Some(&[Code::Busy]),
            Fault::Offline | Fault::Stall if get || batch => Some(&[Code::Host]),
            _ => None,
        };
    }
    match fault {
        _ if !effect.contains("://") => None,
        Fault::Offline | Fault::Stall | Fault::Break | Fault::Redirect | Fault::RetryAfter(2) => recovers,
        Fault::Status(429 | 500 | 503) => recovers,
        Fault::Status(401) if batch || get => recovers,
        Fault::Status(403) if batch => Some(&[Code::Auth]),
        Fault::Status(403) if get => recovers,
        Fault::Status(404) => Some(&[Code::NotFound]),
        Fault::Status(410) if get => Some(&[Code::Removed]),
        Fault::Status(410) if batch => Some(&[Code::NotFound]),
        Fault::Status(413) if batch => recovers,
        Fault::Status(422 | 507 | 509 | 501 | 400 | 409) => Some(&[Code::Rejected]),
        Fault::Status(201 | 204) if batch || get => Some(&[Code::Malformed]),
        Fault::RetryAfter(_) => Some(&[Code::Busy]),
        Fault::Html | Fault::CutJson if batch => Some(&[Code::Malformed]),
        Fault::RedirectLoop => recovers,
        Fault::WrongBytes | Fault::Short | Fault::Long | Fault::WrongRange | Fault::NoRange if get => recovers,
        Fault::ObjectError(403) if batch => Some(&[Code::Auth]),
        Fault::ObjectError(404) if batch => Some(&[Code::Missing]),
        Fault::ObjectError(410) if batch => Some(&[Code::Removed]),
        Fault::ObjectError(429) | Fault::Expired | Fault::Fleeting if batch => recovers,
        Fault::Omit | Fault::Repeat | Fault::BadHref if batch => Some(&[Code::Malformed]),
        Fault::Early => recovers,
        Fault::ChangedWhileSent if effect.contains(" file ") && !effect.contains("file-1") => Some(&[Code::Conflict]),
        Fault::Conflict if effect.contains(" file ") => Some(&[Code::Conflict]),
        Fault::Denied => Some(&[Code::Auth]),
        Fault::Blocked => Some(&[Code::Blocked]),
        _ => None,
    }
}

fn one_fault(kind: Kind, feed: Feed, order: &Order) -> usize {
    let (mut calm, job) = scene(kind, feed, order.clone(), &SIZES);
    heals(&mut calm, &job).unwrap_or_else(|broken| panic!("{kind:?} {feed:?}: {broken}\n{}", tail(&calm)));
    let effects: Vec<String> = calm.trace.iter().filter(|line| line.starts_with("> ")).cloned().collect();
    let mut runs = 0;
    for (at, effect) in effects.iter().enumerate() {
        for fault in Fault::ALL {
            for lasting in [false, true] {
                let (mut world, job) = scene(kind, feed, order.clone(), &SIZES);
                let mut faults = Faults::new(Plan::At { effect: at as u32, fault, lasting });
                let checked = run(&mut world, &job, &mut faults).and_then(|ended| {
                    if let Ended::Done(Ok(outcomes)) = &ended {
                        truthful(&world, &job, outcomes)?;
                    }
                    if let (Some(codes), Ended::Done(ended)) = (verdict(fault, effect, lasting), &ended) {
                        let errors: Vec<Code> = match ended {
                            Ok(outcomes) => {
                                outcomes.iter().filter_map(|o| o.ended.as_ref().err().map(|e| e.code)).collect()
                            }
                            Err(error) => vec![error.code],
                        };
                        let fits = match codes {
                            [] => errors.is_empty(),
                            codes => !errors.is_empty() && errors.iter().all(|code| codes.contains(code)),
                        };
                        if !fits {
                            return Err(format!("expected {codes:?}, got {errors:?}"));
                        }
                    }
                    Ok(())
                });
                let healed = checked.and_then(|()| heals(&mut world, &job));
                if let Err(broken) = healed {
                    panic!(
                        "{kind:?} {feed:?} {order:?}: {fault:?} (lasting: {lasting}) at {effect:?}: {broken}\n{}",
                        tail(&world)
                    );
                }
                runs += 1;
            }
        }
    }
    runs
}

#[test]
fn one_fault_at_every_step() {
    let mut runs = 0;
    for kind in [Kind::Hydrate, Kind::Session, Kind::Download, Kind::Upload, Kind::UploadVerified] {
        for feed in [Feed::Received, Feed::Chunks(7), Feed::Chunks(4096)] {
            for order in [Order::First, Order::Last] {
                runs += one_fault(kind, feed, &order);
            }
        }
    }
    println!("{runs} runs with one fault, each healed by a calm one");
}

/// One life after another in a world drawn from a seed, with faults until their budget is spent, then calm.
fn life(seed: u64) -> Result<World, Box<(String, World)>> {
    let mut dice = Dice(seed ^ 0x1ea5);
    let kind = [Kind::Hydrate, Kind::Session, Kind::Download, Kind::Upload, Kind::UploadVerified][dice.roll(5)];
    let feed = [Feed::Received, Feed::Received, Feed::Chunks(1 + dice.roll(9)), Feed::Chunks(4096)][dice.roll(4)];
    let many = if dice.once_in(10) { 260 } else { 12 };
    let count = 1 + dice.roll(many);
    let sizes: Vec<usize> = (0..count).map(|_| [0, 1, 130, 1023, 1024, 3000][dice.roll(6)] + dice.roll(3)).collect();
    let order = if dice.once_in(5) { Order::Last } else { Order::Any(Dice(seed ^ 0xd1ce)) };
    let (mut world, job) = scene(kind, feed, order, &sizes);
    world.server.private = dice.once_in(3);
    world.config.seed = seed;
    world.config.in_flight_max = 1 + dice.roll(32) as u32;
    world.config.batch_objects_max = [1, 3, 100][dice.roll(3)];
    let mut faults = Faults::seeded(seed);
    for _ in 0..12 {
        world.stop_after = dice.once_in(6).then(|| 1 + dice.roll(40));
        let ended = match run(&mut world, &job, &mut faults) {
            Ok(ended) => ended,
            Err(broken) => return Err(Box::new((broken, world))),
        };
        world.trace.push(format!("= {}", if ended == Ended::Killed { "killed" } else { "done" }));
        let Ended::Done(ended) = ended else { continue };
        if let Ok(outcomes) = &ended
            && let Err(broken) = truthful(&world, &job, outcomes)
        {
            return Err(Box::new((broken, world)));
        }
        if world.stop_after.is_none() && dice.once_in(2) {
            break;
        }
    }
    match heals(&mut world, &job) {
        Ok(()) => Ok(world),
        Err(broken) => Err(Box::new((broken, world))),
    }
}

#[test]
fn seeded_lives() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("HYDRANT_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("HYDRANT_SEEDS").unwrap_or(400),
    };
    let mut struck = 0;
    for seed in seeds {
        match life(seed) {
            Ok(world) => {
                let again = life(seed).map(|again| again.trace).unwrap_or_default();
                assert_eq!(world.trace, again, "seed {seed} does not replay");
                struck += usize::from(world.trace.iter().any(|line| line.contains("failed")));
            }
            Err(broken) => panic!("HYDRANT_SEED={seed}: {}\n{}", broken.0, tail(&broken.1)),
        }
    }
    println!("lives in which something failed: {struck}");
}
