//! Lives from seeds: sessions, clones, acts, faults and calm, all from one number. See `hydrant_tests::life`.
//!
//! `cargo xtask sim` lives as many as you have patience for; here is what every test run must see.

#![expect(clippy::print_stdout, reason = "a run says how large it was")]

use hydrant_lfs::contract::Phase;
use hydrant_tests::engine::{Component, Native};
use hydrant_tests::life::{Act, Lived, Tally, live};
use hydrant_tests::world::Fault;
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// Seeds that every test run lives.
const SEEDS: u64 = 1_000;
/// Every life of this many is lived twice, and must be the same.
const TWICE_ONE_IN: u64 = 8;
/// Seeds that are lived through the component as well.
const COMPONENT_SEEDS: u64 = 12;
/// Lines of a broken life that are shown.
const TAIL_LINES: usize = 60;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

fn whole(lived: &Lived) {
    if let Some(broken) = &lived.broken {
        let again = format!("again: cargo xtask sim --seed {} --trace", lived.seed);
        panic!("seed {} broke a law in {broken}\n{}\n{again}", lived.seed, lived.tail(TAIL_LINES));
    }
}

/// All lives of a test run, once for every test that looks at them.
fn all() -> &'static Tally {
    static ALL: OnceLock<Tally> = OnceLock::new();
    ALL.get_or_init(|| {
        let seeds = match number("HYDRANT_SEED") {
            Some(seed) => seed..seed + 1,
            None => 0..number("HYDRANT_SEEDS").unwrap_or(SEEDS),
        };
        println!("lives of the seeds {seeds:?}");
        let mut tally = Tally::default();
        for seed in seeds {
            let lived = live(&Native, seed);
            whole(&lived);
            if seed % TWICE_ONE_IN == 0 {
                assert_eq!(lived.trace, live(&Native, seed).trace, "seed {seed} does not replay");
            }
            tally.add(&lived.tally);
        }
        println!("{tally}");
        tally
    })
}

#[test]
fn seeded_lives() {
    assert!(all().steps > 0);
}

/// A simulation that reaches nothing proves nothing: every act, fault and phase must have been there.
#[test]
fn lives_reach_everything() {
    let Tally { acts, faults, phases, ends, .. } = all();
    if number("HYDRANT_SEED").is_some() {
        return;
    }
    let mut absent: Vec<String> = Vec::new();
    let mut must = |what: &str, name: String, there: bool| {
        if !there {
            absent.push(format!("{what} {name}"));
        }
    };
    for (act, _) in Act::ALL {
        must("act", act.name().to_owned(), acts.contains_key(act.name()));
    }
    for fault in Fault::ALL.map(Fault::name) {
        let there = faults.contains_key(&fault);
        must("fault", fault, there);
    }
    for phase in Phase::ALL {
        must("phase", phase.name().to_owned(), phases.contains_key(phase.name()));
    }
    for operation in ["publish", "regenerate", "hydrate", "upload", "publish elsewhere", "reconcile", "repair"] {
        let of = |how: &str| ends.contains_key(&format!("{operation}: {how}"));
        for how in ["well", "killed", "unfinished"] {
            must("end", format!("{operation}: {how}"), of(how));
        }
    }
    for end in ["publish: conflict", "publish: rejected", "regenerate: busy", "repair: missing", "hydrate: integrity"] {
        must("end", end.to_owned(), ends.contains_key(end));
    }
    assert!(absent.is_empty(), "no life reached: {}", absent.join(", "));
}

/// Every number of the tally is about something that has a name.
#[test]
fn names_are_distinct() {
    let acts: BTreeSet<&str> = Act::ALL.iter().map(|(act, _)| act.name()).collect();
    assert_eq!(acts.len(), Act::ALL.len());
}

/// The component lives as the core does, byte by byte.
#[test]
fn the_component_lives_the_same_lives() {
    for seed in 0..COMPONENT_SEEDS {
        let component = Component::load().expect("the component is built");
        let (native, lived) = (live(&Native, seed), live(&component, seed));
        whole(&lived);
        assert_eq!(native.trace, lived.trace, "seed {seed}");
        assert_eq!(native.tally, lived.tally, "seed {seed}");
    }
}
