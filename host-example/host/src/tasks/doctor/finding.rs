//! One thing that was found: what it is, what ends it, and what came of that.

use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::error::Fault;
use crate::contract::report::ErrorReport;
use crate::sessions::gitignore::GITIGNORE;
use crate::text::{quote, shell};

/// What kind of thing was found. Readers accept names that they do not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// A publish named what it would send, and proved nothing yet: some of it may be on the server, bound to nothing.
    PublishIntended,
    /// Everything is on the server, and the remote has not heard of it, as far as this clone knows.
    PublishUnpushed,
    /// The remote has it; branch, index and files here do not follow yet.
    PublishUnsettled,
    /// All agree, but content stands where its pointer belongs.
    PublishUnswapped,
    /// Only the journal is left.
    PublishUnclosed,
    /// A journal that cannot be read, or all of them.
    PublishUnreadable,
    /// The register of orphans cannot be read, so nothing can be registered.
    RegisterUnreadable,
    /// A rewrite of unpushed commits was interrupted.
    RewriteInterrupted,
    /// Content that grew after its pointer took its place, or that nobody can explain.
    KeptContent,
    /// Content that was on its way out of the work tree when its process died.
    DisplacedContent,
    /// A temporary file of a process that is gone.
    Leftover,
    /// Unfinished downloads and temporary files of the cache that nobody went on with.
    CacheLeftovers,
    /// Downloads that stopped in the middle, and that nobody went on with for a day.
    StalledDownload,
    /// `index.lock` of a process of ours that is gone.
    IndexLock,
    /// A manifest that cannot be read.
    UnreadableManifest,
    /// A program went on writing to a file by its name, after a pointer took its place.
    AppendedPointer,
    /// Conflict markers, or a merge that is not resolved.
    Conflict,
    /// A manifest without an id of its own.
    LegacySession,
    /// A placeholder of a recording that nobody went on with for a day.
    OldDraft,
    /// A commit that a rewrite replaced, and that is still kept.
    BackupRef,
    /// The sessions' `.gitignore` lacks lines.
    Gitignore,
    /// Content is staged in full where its pointer belongs.
    StagedContent,
    /// Content is committed in full where its pointer belongs.
    CommittedContent,
    /// `git lfs pull` would put content of sessions into the work tree and the index.
    GitLfsPull,
}

/// Whether something is to be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Nothing: it may stay as it is for ever.
    Note,
    /// It is half done, or in the way.
    Finding,
}

/// One thing that was found.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Finding {
    /// What kind of thing it is.
    pub kind: FindingKind,
    /// Whether something is to be done about it.
    pub severity: Severity,
    /// The session it is about; null where it is about none.
    pub session: Option<String>,
    /// Its path in the working tree, or in git's folder, or its name; null where it has none.
    pub path: Option<String>,
    /// What was found, and what is to be done where `run` does not say all of that.
    pub detail: String,
    /// What ends it, as a shell takes it in the top folder of the working tree; null where something is to be decided
    /// first.
    pub run: Option<String>,
    /// What `--fix` does about it; null where it does nothing.
    pub fix: Option<String>,
    /// It is fixed; null where that was not asked for.
    pub fixed: Option<bool>,
    /// What was done; null where it is not fixed.
    pub result: Option<String>,
    /// Why it could not be fixed; null where nothing failed.
    pub error: Option<ErrorReport>,
    /// What was found, without what is to be done.
    #[serde(skip)]
    pub what: String,
    /// What is to be done, for people.
    #[serde(skip)]
    pub next: String,
    #[serde(skip)]
    cure: Cure,
}

/// What ends it: for people, and for a shell where it is a command that nobody has to complete.
pub(super) struct Next {
    told: String,
    run: Option<String>,
}

impl Next {
    /// Something to decide, or to do by hand.
    pub(super) fn told(told: impl Into<String>) -> Self {
        Self { told: told.into(), run: None }
    }

    /// A command. `words` are the names in it: it is for people alone where a shell would take one for another.
    pub(super) fn run(command: impl Into<String>, words: &[&str]) -> Self {
        let command = command.into();
        Self { run: words.iter().all(|word| is_sayable(word)).then(|| command.clone()), told: command }
    }

    /// A command, and more to say about it than itself.
    pub(super) fn told_of(self, told: impl Into<String>) -> Self {
        Self { told: told.into(), ..self }
    }
}

/// What is done about a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cure {
    /// Nothing: the user decides.
    Yours,
    /// Finishes the publish of this session; with `true` its content here is taken again.
    Publish(String, bool),
    /// Puts a rewrite back.
    UndoRewrite,
    /// Moves this file of the work tree to `hydrant/kept`, or removes it where it is one of our pointers.
    PutAside(String),
    /// Takes content of this session that was on its way into the cache.
    TakeIn(String),
    /// Removes leftovers of the cache.
    Prune,
    /// Forgets the beginnings of these downloads.
    Forget(Vec<String>),
    /// Takes away our lock.
    Unlock,
    /// Writes the sessions' `.gitignore`.
    WriteGitignore,
    /// Has git-lfs leave sessions alone, by this list of paths.
    LeaveSessions(String),
}

impl Cure {
    /// What it does, for people.
    fn plan(&self) -> Option<String> {
        Some(match self {
            Self::Yours => return None,
            Self::Publish(session, true) => {
                format!("publish {} again with its content that stands here", quote(session.as_bytes()))
            }
            Self::Publish(session, false) => format!("finish the publish of {}", quote(session.as_bytes())),
            Self::UndoRewrite => "put everything back as it was before the rewrite".to_owned(),
            Self::PutAside(path) => {
                format!("move {} to hydrant/kept, or remove it where it is a pointer of ours", quote(path.as_bytes()))
            }
            Self::TakeIn(_) => "take it into the cache".to_owned(),
            Self::Prune => "remove them".to_owned(),
            Self::Forget(_) => "forget these beginnings; the next download begins anew".to_owned(),
            Self::Unlock => "take the lock away".to_owned(),
            Self::LeaveSessions(_) => "write lfs.fetchexclude into .lfsconfig; commit it then".to_owned(),
            Self::WriteGitignore => format!("write {GITIGNORE}; commit it then"),
        })
    }
}

impl Finding {
    pub(super) fn new(kind: FindingKind, what: impl Into<String>, next: Next, cure: Cure) -> Self {
        let (what, Next { told, run }) = (what.into(), next);
        let is_note =
            matches!(kind, FindingKind::LegacySession | FindingKind::BackupRef) || cure == Cure::WriteGitignore;
        Self {
            kind,
            severity: if is_note { Severity::Note } else { Severity::Finding },
            session: None,
            path: None,
            detail: if run.as_ref() == Some(&told) { what.clone() } else { format!("{what}; {told}") },
            run,
            fix: cure.plan(),
            fixed: None,
            result: None,
            error: None,
            what,
            next: told,
            cure,
        }
    }

    /// The same, as something that may stay as it is.
    pub(super) fn noted(self) -> Self {
        Self { severity: Severity::Note, ..self }
    }

    pub(super) fn of(self, session: &str) -> Self {
        Self { session: Some(session.to_owned()), ..self }
    }

    pub(super) fn at(self, path: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..self }
    }

    pub(super) fn cure(&self) -> &Cure {
        &self.cure
    }

    /// From now on it says whether it is fixed.
    pub(super) fn is_to_be_fixed(&mut self) {
        self.fixed = Some(false);
    }

    /// What came of fixing it.
    pub(super) fn came(&mut self, done: Result<String, Fault>) {
        self.fixed = Some(done.is_ok());
        self.error = done.as_ref().err().map(ErrorReport::from);
        self.result = done.ok();
    }

    /// Whether a publish was completed.
    pub(super) fn has_published(&self) -> bool {
        matches!(self.cure, Cure::Publish(..)) && self.fixed == Some(true)
    }

    /// Whether there is still something to do about it.
    pub fn is_left(&self) -> bool {
        self.severity == Severity::Finding && self.fixed != Some(true)
    }
}

/// Whether a shell and the programs that it runs take a name, as it is shown, for itself.
fn is_sayable(word: &str) -> bool {
    !word.starts_with('-') && !shell(word).starts_with('"')
}
