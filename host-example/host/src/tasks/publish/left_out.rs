//! What a publish does not take, and why.
//!
//! The rule it keeps: whatever lies in a folder that the user named is taken, or told here. Only a word of the user's
//! makes that all right.

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::text::quote;

/// Names in a sentence at most.
const NAMES_SHOWN_MAX: usize = 5;

/// A file that is not published.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct LeftOut {
    /// Its path within the folder of `--from`, without one within the work tree, as git prints it. A whole folder ends
    /// with a slash.
    #[serde(serialize_with = "quoted")]
    pub name: String,
    /// Why.
    pub reason: LeftOutReason,
    /// It, or the folder it lies in, was asked for, and nothing says that it may be left out: the exit code is 1.
    pub asked_for: bool,
}

/// Why a file is not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LeftOutReason {
    /// A pattern of `--exclude` says so.
    Excluded,
    /// Its name begins with a dot.
    Hidden,
    /// Its name ends like that of a lock file.
    LockFile,
    /// It is a manifest, and a publish writes its own.
    Manifest,
    /// No file of a session can have this name.
    UnusableName,
    /// It is a symlink, or lies behind one.
    Symlink,
    /// It is a pipe, a socket, a device, or a folder in the place of a file.
    NotRegular,
    /// Folders lie too deep there.
    TooDeep,
    /// The system does not let us look into this folder.
    Unreadable,
    /// It lies in the session's folder, and is neither known content nor named.
    NotAskedFor,
    /// It lies where a recorder keeps its own, and git tracks it.
    Tracked,
    /// It lies in the session's folder, and the recorder's cache, or the folder of `--from`, has other content of this
    /// name, which is taken.
    Differs,
    /// Something else was published in its place.
    Replaced,
}

impl LeftOutReason {
    /// Why, for people.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Excluded => "--exclude says so",
            Self::Hidden => "hidden files are not published",
            Self::LockFile => "lock files are not published",
            Self::Manifest => "a publish writes the manifest itself",
            Self::UnusableName => "a file of a session cannot have this name",
            Self::Symlink => "no symlink is followed",
            Self::NotRegular => "it is no regular file, and only those are published",
            Self::TooDeep => "its folder lies too deep",
            Self::Unreadable => "this folder cannot be read",
            Self::NotAskedFor => "nobody asked for it; --file takes it along",
            Self::Tracked => "git tracks it, so no recorder left it there; --from takes it all the same",
            Self::Differs => {
                "the recorder's cache, or the folder of --from, has other content of this name, which is taken; --from \
                 with the session's own folder takes this one"
            }
            Self::Replaced => "something else was published in its place; --from takes it all the same",
        }
    }
}

impl LeftOut {
    /// A file of a folder that the user named.
    pub(super) fn of_the_users(name: impl Into<String>, reason: LeftOutReason) -> Self {
        let may_be = matches!(reason, LeftOutReason::Excluded | LeftOutReason::Manifest);
        Self { name: name.into(), reason, asked_for: !may_be }
    }

    /// A file of a folder that nobody named.
    pub(super) fn of_others(name: impl Into<String>, reason: LeftOutReason) -> Self {
        Self { name: name.into(), reason, asked_for: false }
    }

    /// The same with a folder before its name.
    pub(super) fn within(self, folder: &str) -> Self {
        Self { name: format!("{folder}/{}", self.name), ..self }
    }

    /// What is said of it.
    pub fn sentence(&self) -> String {
        format!("{} is left out: {}", quote(self.name.as_bytes()), self.reason.sentence())
    }
}

fn quoted<S: Serializer>(name: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&quote(name.as_bytes()))
}

/// What is said of several in the middle of another sentence; nothing of none.
pub(super) fn in_few_words(left_out: &[LeftOut]) -> String {
    let mut told: Vec<String> = left_out.iter().take(NAMES_SHOWN_MAX).map(LeftOut::sentence).collect();
    if left_out.len() > told.len() {
        told.push(format!("{} more are left out", left_out.len() - told.len()));
    }
    told.iter().map(|one| format!("; {one}")).collect()
}
