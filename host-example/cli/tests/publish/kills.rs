//! SIGKILL of the real command at random moments, seeded and bounded: whatever is left, the next run ends it.

use std::env;
use std::fs;
use std::io::Write as _;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::checks;
use hydrant_kit::scene::noise;
use hydrant_kit::world::{SESSION, World, transcript};

/// Kills in a plain run of the tests; the environment asks for more.
const KILLS: u64 = 20;
const KILLS_VARIABLE: &str = "HYDRANT_TEST_KILLS";
/// Kills of one publish before it is let through.
const KILLS_EACH_MAX: u64 = 4;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// Milliseconds that a publish takes when nobody kills it.
fn whole(seed: u64) -> u64 {
    let world = scene(seed);
    let started = Instant::now();
    world.scene.hydrant(&world.clone, &["publish", SESSION]).ends(0);
    u64::try_from(started.elapsed().as_millis()).expect("short").max(20)
}

fn scene(seed: u64) -> World {
    let mut world = World::new();
    world.record();
    world.in_place("context-trace.jsonl", noise(2_000_000, seed));
    world
}

#[test]
fn a_killed_publish_loses_nothing_and_the_next_one_ends_it() {
    let kills: u64 = env::var(KILLS_VARIABLE).ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let (mut killed, mut seed, mut late) = (0, 0, 0);
    let span = whole(0);
    while killed < kills {
        seed += 1;
        let mut dice = Dice(seed);
        let mut world = scene(seed);
        for _ in 0..=dice.roll(KILLS_EACH_MAX) {
            let mut command = world.scene.hydrant_command(&world.clone);
            let mut child = command
                .args(["publish", SESSION])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("it runs");
            thread::sleep(Duration::from_millis(dice.roll(span)));
            let ended = child.try_wait().expect("it can be asked").is_some();
            child.kill().expect("it can be killed");
            child.wait().expect("it ends");
            killed += u64::from(!ended);
            late += u64::from(ended);
            // git's own locks of a killed child are the user's to remove; ours are not among them.
            fs::remove_file(world.clone.join(".git/index.lock")).ok();
            checks::no_pointer_precedes_its_blob(&world);
            checks::nothing_is_lost(&world);
            checks::every_oid_is_named(&world);
            if dice.roll(3) == 0 {
                // The agent records on between two runs.
                let entries = 40 + usize::try_from(seed).expect("small");
                world.scene.file(&format!("clone/sessions/{SESSION}/raw.jsonl"), &transcript(entries));
                world.content.insert("raw.jsonl".to_owned(), transcript(entries));
            }
        }
        let said = world.scene.hydrant(&world.clone, &["publish", SESSION]);
        assert_eq!(said.code, 0, "seed {seed}: {}{}", said.out, said.err);
        checks::published(&world);
        checks::nothing_is_lost(&world);
        checks::every_oid_is_named(&world);
        checks::tidy(&world);
        checks::pulls(&world);
    }
    writeln!(std::io::stderr(), "{killed} kills ({late} came too late), {seed} publishes, none lost").ok();
}
