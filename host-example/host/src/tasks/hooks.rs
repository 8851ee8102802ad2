//! The hooks of git that check each commit and each push for content in full.
//!
//! The rules it keeps: one marked block in each hook, and no other line is touched; nothing is written where a commit
//! or another repository would have it. There, the lines to add are told.

mod block;
mod place;
mod report;

use crate::contract::error::Fault;
use crate::repository::Repository;
use crate::tasks::client::Client;

use place::Place;
pub use report::{HOOK_KINDS, HookKind, HookReport, HookState, HooksReport, HooksTask};

impl Client {
    /// Lists, installs or removes the checks in git's hooks; all of them where none is named.
    pub fn hooks(&self, repository: &Repository, task: HooksTask, kinds: &[HookKind]) -> Result<HooksReport, Fault> {
        let place = Place::of(repository)?;
        let mut kinds = if kinds.is_empty() { HOOK_KINDS.to_vec() } else { kinds.to_vec() };
        kinds.sort_unstable();
        kinds.dedup();
        let hook_list = kinds.into_iter().map(|kind| place.hook(kind, task)).collect::<Result<_, _>>()?;
        Ok(HooksReport { hook_list, task: Some(task) })
    }
}
