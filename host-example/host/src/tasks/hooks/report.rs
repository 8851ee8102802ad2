//! What can be done to hooks, and how they are then.

use schemars::JsonSchema;
use serde::Serialize;

/// A hook of git.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HookKind {
    /// `pre-commit`: what the commit that is being made holds.
    Commit,
    /// `pre-push`: what the commits hold that are about to be pushed.
    Push,
}

/// All of them.
pub const HOOK_KINDS: [HookKind; 2] = [HookKind::Commit, HookKind::Push];

/// What becomes of the hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HooksTask {
    /// Nothing: they are listed.
    List,
    /// Each gets its block.
    Install,
    /// Each loses its block.
    Remove,
}

/// What was done, and how the hooks are now.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct HooksReport {
    /// Each hook that was asked for.
    pub hook_list: Vec<HookReport>,
    #[serde(skip)]
    pub(super) task: Option<HooksTask>,
}

/// One hook.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct HookReport {
    /// Which one.
    pub hook: HookKind,
    /// Its file.
    pub path: String,
    /// How it is now.
    pub state: HookState,
    /// Its file was changed.
    pub changed: bool,
    /// Why its file is not ours to change; null where it is.
    pub reason: Option<String>,
    /// Lines to add to it, or to take from it, where it is not ours to change and that is to be done; else null.
    pub lines: Option<String>,
}

/// How a hook is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HookState {
    /// It checks.
    Installed,
    /// Its block is that of another version.
    Outdated,
    /// It does not check.
    Absent,
}

impl HooksReport {
    /// Whether every hook is as it was asked for.
    pub fn is_complete(&self) -> bool {
        let wanted = match self.task {
            Some(HooksTask::Install) => HookState::Installed,
            Some(HooksTask::Remove) => HookState::Absent,
            Some(HooksTask::List) | None => return true,
        };
        self.hook_list.iter().all(|one| one.state == wanted)
    }
}

impl HookKind {
    /// The name of its file.
    pub(super) fn file(self) -> &'static str {
        match self {
            Self::Commit => "pre-commit",
            Self::Push => "pre-push",
        }
    }
}
