//! The assets of a repository: its pointers that belong to no session, and follow the rules of any LFS repository.
//!
//! The rule it keeps: what a session's manifest speaks for is left to whoever reads manifests, and nothing else is
//! passed over. So pointers in folders of sessions without a manifest are met here, too; `Repository::is_of_session`
//! tells them apart.

use crate::contract::error::Fault;
use crate::contract::names::{MANIFEST, SESSIONS};
use crate::repository::Repository;
use crate::tasks::client::Client;
use crate::worktree::pointer_files::{self, Met};
use crate::worktree::scan::{LeftOut, WalkOptions, Walked};

/// Where assets are searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the whole work tree.
    Top,
    /// In the folder of the sessions.
    Sessions,
}

impl Place {
    /// Its path from the top.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Top => "",
            Self::Sessions => SESSIONS,
        }
    }
}

/// Hands over the assets of a place, the pointers that no manifest speaks for, and what begins like one of these, in
/// path order. Paths are relative to the place.
pub(crate) fn search(
    client: &Client,
    repository: &Repository,
    place: Place,
    take: &mut dyn FnMut(Met) -> Result<(), Fault>,
) -> Result<Walked, Fault> {
    let of = match place {
        Place::Top => "sessions/",
        Place::Sessions => "",
    };
    let without = repository.has_sessions()?.then_some(LeftOut { of, holding: MANIFEST });
    let options = WalkOptions { without, ..WalkOptions::default() };
    pointer_files::search(client.engine()?, &repository.top.join(place.path()), options, take)
}
