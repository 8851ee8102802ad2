//! A life: from one seed a world of a few sessions, acts one after the other, faults in the middle of them, and then
//! calm.
//!
//! The seed decides everything: what the sessions are, which acts follow each other, what can go wrong at all, how
//! often it does, and in which order effects are answered. After every step the laws are checked; in the end the faults
//! stop, and everything must come to rest: published, settled, swapped, readable elsewhere, nothing left to do.

mod acts;
mod calm;
mod scenario;
mod tally;
mod unpushed;

pub use acts::Act;
pub use tally::Tally;
pub use unpushed::Flaw;

use crate::engine::Engine;
use crate::world::{Dice, Fault, Faults, Plan, World};
use hydrant_ledger::publish::Publication;

/// Fewest acts of a life.
const ACTS_MIN: usize = 3;
/// More acts than that by so many at most.
const ACTS_MORE_MAX: usize = 10;
/// Faults of a life at most.
const FAULTS_MAX: usize = 40;

/// What became of a life.
#[derive(Clone, Debug)]
pub struct Lived {
    /// Where it came from.
    pub seed: u64,
    /// What was said, from the beginning.
    pub trace: Vec<String>,
    /// How much of everything there was.
    pub tally: Tally,
    /// The law that was broken, and the act in which it was.
    pub broken: Option<String>,
}

impl Lived {
    /// The last lines of what was said.
    pub fn tail(&self, lines: usize) -> String {
        self.trace[self.trace.len().saturating_sub(lines)..].join("\n")
    }
}

/// Lives the life of a seed, every operation through this form of the engine.
pub fn live(engine: &dyn Engine, seed: u64) -> Lived {
    let mut life = Life::born(engine, seed);
    let broken = life.run().err().map(|broken| format!("{}: {broken}", life.doing));
    let mut tally = life.tally;
    tally.heard(&life.world.trace);
    tally.struck(&life.faults.drawn);
    Lived { seed, trace: life.world.trace, tally, broken }
}

/// One life under way.
struct Life<'a> {
    engine: &'a dyn Engine,
    dice: Dice,
    world: World,
    faults: Faults,
    /// What is recorded in this clone, a session each.
    ours: Vec<Publication>,
    /// What is recorded in the other one.
    theirs: Vec<Publication>,
    /// Somebody else is about.
    crowded: bool,
    /// What is wrong with the commits that were not pushed.
    flaws: Vec<Flaw>,
    /// Makes everything new another one.
    number: usize,
    /// Faults are over, and nobody stops anything any more.
    calm: bool,
    /// The act under way.
    doing: String,
    tally: Tally,
}

impl<'a> Life<'a> {
    fn born(engine: &'a dyn Engine, seed: u64) -> Self {
        let mut dice = Dice(seed ^ 0x11fe);
        let crowded = dice.once_in(3);
        let faults = faults(&mut dice, seed, crowded);
        let scenario = scenario::build(&mut dice, seed, crowded);
        Self {
            engine,
            dice,
            world: scenario.world,
            faults,
            ours: scenario.ours,
            theirs: scenario.theirs,
            crowded,
            flaws: Vec::new(),
            number: 0,
            calm: false,
            doing: "the beginning".to_owned(),
            tally: Tally::default(),
        }
    }

    fn run(&mut self) -> Result<(), String> {
        for _ in 0..ACTS_MIN + self.dice.roll(ACTS_MORE_MAX) {
            let act = Act::draw(&mut self.dice, self.crowded);
            self.tally.acts(act);
            self.say(format!("== {}", act.name()));
            act.name().clone_into(&mut self.doing);
            self.act(act)?;
            self.world.check()?;
        }
        "calm".clone_into(&mut self.doing);
        self.calm_down()
    }

    fn say(&mut self, line: String) {
        self.world.trace.push(line);
    }
}

/// What can go wrong in a life, and how often: nothing, one kind, some kinds, or anything.
fn faults(dice: &mut Dice, seed: u64, crowded: bool) -> Faults {
    let odds = [0, 2, 3, 5, 8, 16][dice.roll(6)];
    let one_in = [1, 1, 2, 4][dice.roll(4)];
    let removes = dice.once_in(8);
    let faults = Fault::ALL.into_iter().filter(|fault| match fault {
        Fault::Rival(_) => crowded && dice.once_in(one_in),
        Fault::Remove => removes,
        _ => fault.is_death() || dice.once_in(one_in),
    });
    let faults = faults.collect();
    let budget = 1 + dice.roll(FAULTS_MAX);
    Faults::new(Plan::Chosen { dice: Dice(seed ^ 0xfa17), odds, budget, faults })
}
