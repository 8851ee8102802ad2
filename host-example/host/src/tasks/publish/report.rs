//! What a publish came to, and what one would do. `docs/json.md` describes the documents.

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::contract::report::{BlobReport, Document, ErrorReport, phase_name, rounded};
use crate::contract::sessions::{Published, PublishedState};
use crate::contract::types::Phase;
use crate::sessions::ledger::path_in;

use super::Idle;
use super::left_out::{LeftOut, LeftOutReason};
use super::next;
use super::operation::Came;
use crate::gate::{AllowedSecret, HeldSecret};

/// What a publish or a regenerate did.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PublishReport {
    /// Name of the session.
    pub session: String,
    /// Its id, which stays for ever; null where it has none yet.
    pub session_id: Option<String>,
    /// The phase it ended in: `hash`, `intend`, `upload`, `bind`, `push`, `settle`, `swap` or `done`.
    #[serde(serialize_with = "spelled")]
    #[schemars(with = "String")]
    pub phase: Phase,
    /// An interrupted publish was finished first.
    pub resumed: bool,
    /// The commit that the remote's branch points to now; null where nothing was pushed.
    pub tip: Option<String>,
    /// Its files and what became of each. An interrupted publish that was finished first may name a file once more.
    pub file_list: Vec<PublishedFile>,
    /// What was not published. A file that was asked for is a reason for `ok` to be false.
    pub left_out_list: Vec<LeftOut>,
    /// Secrets, and files that cannot be looked through: nothing was sent because of them.
    pub secret_list: Vec<HeldSecret>,
    /// What went out although it looks like a secret, because the user allowed it.
    pub allowed_list: Vec<AllowedSecret>,
    /// Places where a marker was put in the place of a secret.
    pub redacted: usize,
    /// Originals that gave way to their form without secrets, by their names in the folder `kept` of git's folder
    /// `hydrant`: nothing is ever served from there, and nobody clears it but the user.
    pub kept_list: Vec<String>,
    /// Blobs that the session named before and that nothing names any more, by the rule of `orphans`.
    pub orphan_list: Vec<BlobReport>,
    /// Seconds it took.
    #[serde(serialize_with = "rounded")]
    pub seconds: f64,
    /// What the next run does, in one sentence; null where there is nothing left to do.
    pub next: Option<String>,
    /// Why it ended before its end. The document says it under `error`.
    #[serde(skip)]
    pub ended: Option<ErrorReport>,
    /// The caller asked to stop while it ran.
    #[serde(skip)]
    pub interrupted: bool,
    /// Why there was nothing to do.
    #[serde(skip)]
    pub idle: Option<&'static str>,
}

/// One file of a publish.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PublishedFile {
    /// Its name within the session.
    pub name: String,
    /// SHA-256 of its bytes, in hexadecimal; null for one that git carries, and for one that was not hashed.
    pub oid: Option<String>,
    /// Its bytes.
    pub size: u64,
    /// What became of it.
    pub state: PublishedFileState,
    /// Why it is not published, or was left as it is; null when nothing speaks against it.
    pub error: Option<ErrorReport>,
}

/// What became of a file of a publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PublishedFileState {
    /// The remote does not have it.
    Unpublished,
    /// The remote has it.
    Published,
    /// The remote has it, and its pointer stands in the place of its content here.
    Swapped,
    /// The remote has it as it was; it changed meanwhile and was left as it is.
    Left,
}

impl From<&Published> for PublishedFile {
    fn from(file: &Published) -> Self {
        let state = match file.state {
            PublishedState::Unpublished => PublishedFileState::Unpublished,
            PublishedState::Published => PublishedFileState::Published,
            PublishedState::Swapped => PublishedFileState::Swapped,
            PublishedState::Left => PublishedFileState::Left,
        };
        Self {
            name: file.name.clone(),
            oid: (!file.oid.is_empty()).then(|| file.oid.clone()),
            size: file.size,
            state,
            error: file.reason.as_ref().map(ErrorReport::from),
        }
    }
}

impl PublishReport {
    /// There was nothing to do.
    pub(super) fn idle(session: &str, idle: Idle) -> Self {
        let Idle { session_id, why, left_out } = idle;
        Self {
            session: session.to_owned(),
            session_id,
            phase: Phase::Done,
            resumed: false,
            tip: None,
            file_list: Vec::new(),
            left_out_list: left_out,
            secret_list: Vec::new(),
            allowed_list: Vec::new(),
            redacted: 0,
            kept_list: Vec::new(),
            orphan_list: Vec::new(),
            seconds: 0.0,
            next: None,
            ended: None,
            interrupted: false,
            idle: Some(why),
        }
    }

    pub(super) fn new(session: &str, came: Came, mut left_out: Vec<LeftOut>) -> Self {
        let Came { report, seconds, interrupted, taken_back, secrets, .. } = came;
        let refusal = secrets.refusal();
        let next = match (&refusal, taken_back) {
            (Some(_), _) => Some(secrets.next(session)),
            (None, true) => Some(next::STARTS_OVER.to_owned()),
            (None, false) => next::next(session, &report),
        };
        // An interrupted publish that was finished first may have taken it.
        left_out.retain(|one| {
            let is_it = |file: &Published| one.name == file.name || one.name == path_in(session, &file.name);
            one.reason != LeftOutReason::NotAskedFor || !report.files.iter().any(is_it)
        });
        Self {
            session: session.to_owned(),
            session_id: Some(report.session_id).filter(|id| !id.is_empty()),
            phase: report.phase,
            resumed: report.resumed,
            tip: report.tip,
            file_list: report.files.iter().map(PublishedFile::from).collect(),
            left_out_list: left_out,
            secret_list: secrets.held,
            allowed_list: secrets.allowed,
            redacted: 0,
            kept_list: Vec::new(),
            orphan_list: report.orphans.iter().map(BlobReport::from).collect(),
            seconds,
            next,
            ended: refusal.or_else(|| report.ended.err().as_ref().map(ErrorReport::from)),
            interrupted,
            idle: None,
        }
    }

    /// Whether the session is published with all that was asked for, and nothing is left to do.
    pub fn is_complete(&self) -> bool {
        self.ended.is_none() && !self.has_left()
    }

    /// Whether the wish to stop ended it.
    pub fn was_interrupted(&self) -> bool {
        self.interrupted && self.ended.is_some()
    }

    /// Whether only some files are in the way: they could not be sent, changed meanwhile, or were left out. Where the
    /// server refuses everything, the engine names no file.
    pub fn is_partial(&self) -> bool {
        match &self.ended {
            None => self.has_left(),
            Some(_) if self.interrupted => false,
            // What is held back is a finding, no failure.
            Some(_) if !self.secret_list.is_empty() => true,
            Some(_) => self.phase == Phase::Upload && self.file_list.iter().any(|file| file.error.is_some()),
        }
    }

    /// The whole document.
    pub fn document(&self) -> Document<&Self> {
        Document::ended(self.ended.clone(), self.is_complete(), self)
    }

    fn has_left(&self) -> bool {
        self.file_list.iter().any(|file| file.state == PublishedFileState::Left)
            || self.left_out_list.iter().any(|one| one.asked_for)
    }
}

/// What a publish or a regenerate would do.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PlanReport {
    /// Always true: nothing was done.
    pub dry_run: bool,
    /// Name of the session.
    pub session: String,
    /// An interrupted publish would be brought to its end first.
    pub resumes: bool,
    /// What stands in the way, one sentence each.
    pub obstacle_list: Vec<String>,
    /// Secrets, and files that cannot be looked through: nothing would be sent because of them, unless `redacts`.
    pub secret_list: Vec<HeldSecret>,
    /// Markers would be put in the places of these secrets.
    pub redacts: bool,
    /// The files that would be published.
    pub file_list: Vec<PlannedFile>,
    /// What would not be published. A file that was asked for is a reason for `ok` to be false.
    pub left_out_list: Vec<LeftOut>,
    /// Why nothing would be done.
    #[serde(skip)]
    pub idle: Option<&'static str>,
}

/// One file that would be published.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PlannedFile {
    /// Its name within the session.
    pub name: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub oid: String,
    /// Its bytes.
    pub size: u64,
    /// Where its content goes.
    pub storage: PlannedStorage,
    /// The oid of other content that the manifest names now; null when it names none.
    pub replaces: Option<String>,
}

/// Where the content of a file goes, as manifests spell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PlannedStorage {
    /// Git carries it as it is.
    Git,
    /// The server of Git LFS has it.
    Lfs,
}

impl PlanReport {
    pub(super) fn new(session: &str) -> Self {
        Self {
            dry_run: true,
            session: session.to_owned(),
            resumes: false,
            obstacle_list: Vec::new(),
            secret_list: Vec::new(),
            redacts: false,
            file_list: Vec::new(),
            left_out_list: Vec::new(),
            idle: None,
        }
    }

    /// There is nothing to do.
    pub(super) fn idle(session: &str, idle: Idle) -> Self {
        Self { idle: Some(idle.why), left_out_list: idle.left_out, ..Self::new(session) }
    }

    /// Whether nothing stands in the way, and nothing that was asked for would be left out.
    pub fn is_clear(&self) -> bool {
        self.obstacle_list.is_empty()
            && (self.redacts || self.secret_list.is_empty())
            && !self.left_out_list.iter().any(|one| one.asked_for)
    }
}

fn spelled<S: Serializer>(phase: &Phase, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(phase_name(*phase))
}
