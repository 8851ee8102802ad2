//! How much of everything there was in lives, so that a simulation cannot silently become an empty one.

use super::Act;
use crate::world::Fault;
use hydrant_lfs::contract::Phase;
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

/// Counts of lives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Acts by name.
    pub acts: BTreeMap<String, u64>,
    /// Faults by name.
    pub faults: BTreeMap<String, u64>,
    /// Phases of publishes that were entered.
    pub phases: BTreeMap<String, u64>,
    /// What operations came to: `well`, `killed` or the code of an error, by operation.
    pub ends: BTreeMap<String, u64>,
    /// Effects that were asked for.
    pub effects: u64,
    /// Lines that were said.
    pub steps: u64,
    /// Deaths of the process.
    pub kills: u64,
}

impl Tally {
    pub(super) fn acts(&mut self, act: Act) {
        *self.acts.entry(act.name().to_owned()).or_default() += 1;
    }

    pub(super) fn ended(&mut self, operation: &str, how: &str) {
        *self.ends.entry(format!("{operation}: {how}")).or_default() += 1;
    }

    pub(super) fn struck(&mut self, drawn: &[Fault]) {
        for fault in drawn {
            *self.faults.entry(fault.name()).or_default() += 1;
            self.kills += u64::from(fault.is_death());
        }
    }

    pub(super) fn heard(&mut self, trace: &[String]) {
        self.steps += trace.len() as u64;
        for line in trace {
            self.effects += u64::from(line.starts_with("> ") && !line.ends_with(" cancel"));
            let phase = line.strip_prefix("= ").filter(|name| Phase::ALL.iter().any(|phase| phase.name() == *name));
            if let Some(phase) = phase {
                *self.phases.entry(phase.to_owned()).or_default() += 1;
            }
        }
    }

    /// Both together.
    pub fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.acts, &other.acts),
            (&mut self.faults, &other.faults),
            (&mut self.phases, &other.phases),
            (&mut self.ends, &other.ends),
        ];
        for (mine, more) in pairs {
            more.iter().for_each(|(name, count)| *mine.entry(name.clone()).or_default() += count);
        }
        self.effects += other.effects;
        self.steps += other.steps;
        self.kills += other.kills;
    }
}

impl Display for Tally {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let total = |counts: &BTreeMap<String, u64>| counts.values().sum::<u64>();
        let (acts, faults) = (total(&self.acts), total(&self.faults));
        let Self { effects, steps, kills, .. } = self;
        writeln!(f, "{acts} acts, {effects} effects, {steps} lines said, {faults} faults, {kills} of them deaths")?;
        let kinds = [("acts", &self.acts), ("phases", &self.phases), ("faults", &self.faults), ("ends", &self.ends)];
        for (what, counts) in kinds {
            let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
            writeln!(f, "{what}: {}", counts.join(", "))?;
        }
        Ok(())
    }
}
