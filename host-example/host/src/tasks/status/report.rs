//! What a status says, as types. `docs/json.md` describes the documents.

use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::ledgers::{self, ErrorClass, HydrationState};
use crate::contract::manifests::{FileState, Hydration, State};
use crate::contract::report::{ErrorReport, SCHEMA_VERSION};
use crate::sessions::ledger::Session;
use crate::tasks::hydrate::BrokenPointer;

/// What a status says.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum StatusReport {
    /// Of one session.
    Session(Box<SessionStatus>),
    /// Of a session whose first publish was interrupted before this clone had anything of it.
    Begun(BegunStatus),
    /// Of all sessions of a ledger.
    Sessions(LedgerStatus),
    /// Of the pointers of a repository without sessions.
    Pointers(PointerStatus),
}

/// Whether a checkout of a ledger can be read.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Readiness {
    /// The commit; empty when there is none.
    pub head: String,
    /// It can be read.
    pub ready: bool,
    /// How much of it is here.
    pub coverage: Coverage,
    /// The first thing that speaks against it; null exactly when it is ready. New classes may come.
    pub error_class: Option<&'static str>,
}

/// How much of what was asked about is here.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Coverage {
    /// All of it.
    pub complete: bool,
    /// The paths that were asked about.
    pub paths: Vec<String>,
    /// Files that are here as their manifests say.
    pub files: u64,
    /// There is no session, and that is known.
    pub empty: bool,
}

/// How many of the files whose content is in Git LFS are here.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Hydrated {
    /// `complete`, `missing`, or `unknown` where something could not be read.
    pub state: &'static str,
    /// Files stored in Git LFS.
    pub required: u64,
    /// Of these, files whose content is here.
    pub completed: u64,
}

/// One session, as a list of sessions has it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SessionSummary {
    /// Its name.
    pub session: String,
    /// Its id, which stays for ever.
    pub session_id: String,
    /// Its title; empty where it has none that may be shown.
    pub title: String,
    /// It is still being recorded.
    pub draft: bool,
    /// When it began, as the manifest has it.
    pub created_at: String,
    /// Entries of its transcript.
    pub entry_count: Option<u64>,
    /// Files that its manifest lists.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// `hydrated`, `partial` or `dehydrated`.
    pub hydration: &'static str,
    /// A publish of it was interrupted; null where the journals cannot be read.
    pub unfinished_publish: Option<bool>,
    /// Content of it was fetched from a server and not recorded here.
    pub downloaded: bool,
}

/// A session of a list, or why it cannot be read.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum SessionLine {
    /// It can be read.
    Summary(Box<SessionSummary>),
    /// It cannot.
    Unreadable(UnreadableSession),
}

/// A session that cannot be read.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct UnreadableSession {
    /// Its name.
    pub session: String,
    /// Why it cannot be read.
    pub error: ErrorReport,
}

/// What git and the sessions together say of a ledger.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Judged {
    /// Whether the checkout can be read.
    #[serde(flatten)]
    pub readiness: Readiness,
    /// How much content is here.
    pub hydration: Hydrated,
}

/// All sessions of a ledger.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LedgerStatus {
    /// Whether the checkout can be read; none with `sessions_only`. A document always has it.
    #[serde(flatten)]
    #[schemars(with = "Judged")]
    pub judged: Option<Judged>,
    /// The sessions, sorted by name.
    pub sessions: Vec<SessionLine>,
    /// The assets beside them.
    #[serde(flatten)]
    pub assets: PointerCounts,
    /// Pointers in folders beneath `sessions/` that have no manifest: nothing says what they belong to.
    pub unnamed: PointerCounts,
    /// What a sparse checkout keeps out of the working tree, in one line.
    #[serde(skip)]
    pub kept_out: Option<String>,
}

/// One session.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SessionStatus {
    /// What a list of sessions has of it.
    #[serde(flatten)]
    pub summary: SessionSummary,
    /// Whether the checkout can be read, as far as this session is concerned.
    #[serde(flatten)]
    pub readiness: Readiness,
    /// How much content is here.
    pub blobs: Hydrated,
    /// Files that grew after they were published, by their names in `hydrant/kept` of git's folder.
    pub kept: Vec<String>,
    /// Each file that the manifest lists.
    pub file_list: Vec<FileStatus>,
    /// What ends its interrupted publish, in one sentence.
    #[serde(skip)]
    pub unfinished: Option<String>,
    /// What a sparse checkout keeps out of the working tree, in one line.
    #[serde(skip)]
    pub kept_out: Option<String>,
}

/// One file of a session.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FileStatus {
    /// Its name within the session.
    pub name: String,
    /// Its bytes.
    pub size: Option<u64>,
    /// SHA-256 of its content; null where the manifest names none.
    pub oid: Option<String>,
    /// Where it stands: `cached`, `in-place`, `changed`, `dehydrated`, `not-fetched`, `missing`, `corrupt`,
    /// `too-large`, `conflict`, `malformed` or `unusable`.
    pub state: &'static str,
    /// Why, where that needs a sentence.
    pub detail: Option<String>,
}

/// A session whose first publish was interrupted before this clone had anything of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BegunStatus {
    /// Its name.
    pub session: String,
    /// Always true.
    pub unfinished_publish: bool,
    /// Content of it was fetched from a server and not recorded here.
    pub downloaded: bool,
    /// Whether the checkout can be read, as far as this session is concerned.
    #[serde(flatten)]
    pub readiness: Readiness,
    /// How much content is here.
    pub blobs: Hydrated,
    /// None.
    pub kept: Vec<String>,
    /// None.
    pub file_list: Vec<FileStatus>,
    /// What ends its interrupted publish, in one sentence.
    #[serde(skip)]
    pub unfinished: String,
    /// What a sparse checkout keeps out of the working tree, in one line.
    #[serde(skip)]
    pub kept_out: Option<String>,
}

/// Pointers of a working tree that no manifest speaks for.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct PointerCounts {
    /// How many they are.
    pub pointers: usize,
    /// Bytes that they stand for.
    pub bytes: u64,
    /// Those of them whose content is here.
    pub present: usize,
    /// Bytes of that content.
    pub present_bytes: u64,
    /// Files that begin like pointers and are none.
    pub broken: usize,
    /// Each of them.
    pub broken_list: Vec<BrokenPointer>,
    /// Files and folders that could not be looked at: more pointers may stand there.
    pub unreadable_list: Vec<String>,
}

impl PointerCounts {
    /// Whether every file could be looked at, and none only begins like a pointer.
    pub fn is_clean(&self) -> bool {
        self.broken == 0 && self.unreadable_list.is_empty()
    }
}

/// The pointers of a repository without sessions.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PointerStatus {
    /// What was counted.
    #[serde(flatten)]
    pub counts: PointerCounts,
    /// There is no ledger here that could be ready.
    #[serde(flatten)]
    pub readiness: Readiness,
    /// Not known.
    pub hydration: Hydrated,
}

/// Why a status could not be told, with what every status says.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct StoppedStatus {
    /// The session it was about, where one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Not ready.
    #[serde(flatten)]
    pub readiness: Readiness,
    /// How much content is here, of all sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hydration: Option<Hydrated>,
    /// The same of one session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blobs: Option<Hydrated>,
}

impl StatusReport {
    /// Whether everything that was asked about could be read.
    pub fn is_readable(&self) -> bool {
        match self {
            Self::Session(_) | Self::Begun(_) => true,
            Self::Sessions(all) => {
                let is_clean = all.assets.is_clean() && all.unnamed.is_clean();
                is_clean && all.sessions.iter().all(|one| matches!(one, SessionLine::Summary(_)))
            }
            Self::Pointers(pointers) => pointers.counts.is_clean(),
        }
    }
}

/// What the engine's judgement becomes in a report.
pub(super) fn told(judged: ledgers::Readiness) -> (Readiness, Hydrated) {
    let ledgers::Readiness { schema_version, head, ready, coverage, hydration, error_class } = judged;
    debug_assert_eq!(schema_version, SCHEMA_VERSION);
    let ledgers::Coverage { complete, paths, files, empty } = coverage;
    let coverage = Coverage { complete, paths, files, empty };
    let state = match hydration.state {
        HydrationState::Complete => "complete",
        HydrationState::Missing => "missing",
        HydrationState::Unknown => "unknown",
    };
    let hydrated = Hydrated { state, required: hydration.required, completed: hydration.completed };
    (Readiness { head, ready, coverage, error_class: error_class.map(class_name) }, hydrated)
}

impl FileStatus {
    pub(super) fn of(session: &Session, state: &FileState) -> Self {
        let file = session.manifest.files.iter().find(|file| file.name == state.name);
        Self {
            name: state.name.clone(),
            size: file.map(|file| file.size),
            oid: file.and_then(|file| file.oid.clone()),
            state: state_name(state.state),
            detail: state.detail.clone(),
        }
    }
}

/// The name that stands in a report.
fn class_name(class: ErrorClass) -> &'static str {
    match class {
        ErrorClass::InvalidArguments => "invalid_arguments",
        ErrorClass::Denied => "denied",
        ErrorClass::Unavailable => "unavailable",
        ErrorClass::MissingLedger => "missing_ledger",
        ErrorClass::Interrupted => "interrupted",
        ErrorClass::Dirty => "dirty",
        ErrorClass::MissingHydration => "missing_hydration",
        ErrorClass::IncompleteHistory => "incomplete_history",
        ErrorClass::IncompleteCoverage => "incomplete_coverage",
        ErrorClass::IdentityMismatch => "identity_mismatch",
        ErrorClass::GitFailed => "git_failed",
    }
}

pub(super) fn hydration_name(hydration: Hydration) -> &'static str {
    match hydration {
        Hydration::Hydrated => "hydrated",
        Hydration::Partial => "partial",
        Hydration::Dehydrated => "dehydrated",
    }
}

/// A state as every report spells it.
pub fn state_name(state: State) -> &'static str {
    match state {
        State::Cached => "cached",
        State::InPlace => "in-place",
        State::Changed => "changed",
        State::Dehydrated => "dehydrated",
        State::NotFetched => "not-fetched",
        State::Missing => "missing",
        State::Corrupt => "corrupt",
        State::TooLarge => "too-large",
        State::Conflict => "conflict",
        State::Malformed => "malformed",
        State::Unusable => "unusable",
    }
}
