//! The last step: pointers replace content that the remote is proved to have.

use super::bind::pointer_text;
use super::plan::Plan;
use super::report::{Published, PublishedState};
use crate::journal::{Bound, Kept};
use crate::limits::SWAPS_IN_FLIGHT_MAX;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use hydrant_lfs::contract::{Effect, EffectId, Swap};
use hydrant_lfs::order::SortedMap;
use hydrant_lfs::protocol::outbox::{Event, Outbox};
use hydrant_lfs::protocol::refusal;
use hydrant_lfs::text::error::{Code, Error};

/// The swaps of one publish.
#[derive(Debug)]
pub(super) struct Swaps {
    /// Indexes of files whose content is still in the session's folder, in the order of the journal.
    waiting: VecDeque<usize>,
    open: SortedMap<EffectId, usize>,
    paths: SortedMap<usize, String>,
    ends: SortedMap<usize, Result<PublishedState, Error>>,
    names: Vec<String>,
}

impl Swaps {
    pub(super) fn new(bound: &Bound, plan: &Plan) -> Self {
        let in_place =
            |(at, file): (usize, &super::BoundFile)| matches!(file.kept, Kept::Lfs { swap: Some(_), .. }).then_some(at);
        let waiting: VecDeque<usize> = bound.files.iter().enumerate().filter_map(in_place).collect();
        let paths = waiting.iter().map(|at| (*at, plan.path(&bound.files[*at].name))).collect();
        let names = bound.files.iter().map(|file| file.name.clone()).collect();
        Self { waiting, open: SortedMap::default(), paths, ends: SortedMap::default(), names }
    }

    pub(super) fn left(&self) -> usize {
        self.waiting.len() + self.open.len()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn is_done(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn advance(&mut self, bound: &Bound, out: &mut Outbox) {
        while self.open.len() < SWAPS_IN_FLIGHT_MAX
            && let Some(at) = self.waiting.pop_front()
        {
            let Kept::Lfs { proof, swap: Some(expects) } = &bound.files[at].kept else { continue };
            let id = out.perform(Effect::SwapFile(Swap {
                name: self.paths.remove(&at).unwrap_or_default(),
                expects: expects.clone(),
                blob: proof.blob(),
                pointer: pointer_text(proof),
            }));
            self.open.insert(id, at);
        }
    }

    pub(super) fn on(&mut self, id: EffectId, event: Event) {
        let Some(at) = self.open.remove(&id) else { return };
        let ended = match event {
            Event::At(_) => Ok(PublishedState::Swapped),
            Event::Conflict | Event::Absent => Ok(PublishedState::Left),
            Event::Failed(failed) => Err(refusal::failed("the file", &failed)),
            _ => Err(refusal::unfitting()),
        };
        self.ends.insert(at, ended);
    }

    /// Enters what became of each file, and returns the first failure, if there is one.
    pub(super) fn into_report(self, files: &mut [Published]) -> Option<Error> {
        let mut first = None;
        let mut ends = self.ends;
        let mut by_name: SortedMap<&str, Result<PublishedState, Error>> = SortedMap::default();
        for (at, name) in self.names.iter().enumerate() {
            let unless_swapped = || {
                let waits = self.waiting.contains(&at);
                if waits { Err(refusal::stopped()) } else { Ok(PublishedState::Published) }
            };
            by_name.insert(name, ends.remove(&at).unwrap_or_else(unless_swapped));
        }
        for file in files {
            let Some(end) = by_name.remove(file.name.as_str()) else { continue };
            (file.state, file.reason) = match end {
                Ok(PublishedState::Left) => (PublishedState::Left, Some(changed())),
                Ok(state) => (state, None),
                Err(error) => {
                    first.get_or_insert_with(|| error.clone().context(&file.name));
                    (PublishedState::Published, Some(error))
                }
            };
        }
        first
    }
}

fn changed() -> Error {
    Error::new(Code::Conflict, "the file changed after it was hashed: it was left as it is, publish it again")
}
