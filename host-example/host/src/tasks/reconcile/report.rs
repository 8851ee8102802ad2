//! What a reconcile found and did, as types, and what comes next.

use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::error::{Fault, code_name};
use crate::contract::report::{BlobReport, ErrorReport, rounded};
use crate::contract::sessions;
use crate::contract::types::Code;
use crate::remote::SHARED;
use crate::tasks::content_in_git::commits::{Committed, InCommits};
use crate::text::plain;

/// What a reconcile found, and what it did.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ReconcileReport {
    /// It was to repair. Otherwise everything that follows says what a repair would do.
    pub repair: bool,
    /// It was to say what a repair would do.
    pub dry_run: bool,
    /// The push that was looked at.
    pub push: PushReport,
    /// Commits that the remote lacks.
    pub commits: u64,
    /// Pointers in them that were looked at.
    pub scanned: u64,
    /// Pointers whose blob the server definitely lacks. Empty where it could not be asked: then there is an error.
    pub missing_list: Vec<MissingPointer>,
    /// Pointers of whose blobs the server, which did answer, said nothing definite. A repair then changes nothing.
    pub unknown_list: Vec<UnknownPointer>,
    /// Pointers that contradict the manifest of their session.
    pub contradiction_list: Vec<Contradiction>,
    /// Content that commits hold in full where a pointer belongs, pushed or not. A repair leaves it as it is.
    pub in_full_list: Vec<ContentInFull>,
    /// Why there may be more of it, as in a clone without old trees; null where that is all.
    pub in_full_unknown: Option<String>,
    /// A repair is possible, or not needed.
    pub repairable: bool,
    /// Why nothing may be changed; null where a repair is possible or not needed.
    pub not_repairable: Option<ErrorReport>,
    /// Blobs that were sent again, or would be.
    pub uploaded_list: Vec<BlobReport>,
    /// Paths of files that were removed together with their entries, or would be.
    pub removed_list: Vec<String>,
    /// The unpushed commits became one, or would.
    pub squashed: bool,
    /// The last commit after a repair; null when no commit was made.
    pub tip: Option<String>,
    /// The reference that keeps the old commits; null when no commit was made.
    pub backup: Option<String>,
    /// Blobs on the server that only the old commits name; they are orphans now, or would be.
    pub orphan_list: Vec<BlobReport>,
    /// Seconds it took.
    #[serde(serialize_with = "rounded")]
    pub seconds: f64,
    /// What to do next, for people: one sentence; null where the error says it.
    pub next: Option<String>,
    /// Why it came to an early end. It is the error of the document.
    #[serde(skip)]
    pub error: Option<ErrorReport>,
    #[serde(skip)]
    interrupted: bool,
}

/// The push that a reconcile looks at: the one that `git push` would do.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct PushReport {
    /// The remote, by name or address.
    pub remote: String,
    /// Full name of the reference there.
    pub reference: String,
    /// What git would do besides or instead, by its settings, for people; null where that is all. Nothing is well then.
    pub not_looked_at: Option<String>,
}

/// A pointer whose blob the server lacks.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MissingPointer {
    /// Its path in the repository.
    pub path: String,
    /// SHA-256 of the blob that it names.
    pub oid: String,
    /// Bytes of the blob.
    pub size: u64,
    /// Only older commits hold the pointer.
    pub history_only: bool,
    /// How a repair handles it.
    pub remedy: Remedy,
}

/// A pointer of whose blob the server said nothing definite.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct UnknownPointer {
    /// Its path in the repository.
    pub path: String,
    /// SHA-256 of the blob that it names.
    pub oid: String,
    /// Bytes of the blob.
    pub size: u64,
    /// What the server said instead.
    pub error: ErrorReport,
}

/// How a repair handles a missing blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Remedy {
    /// The cache has it: it is sent again.
    UploadAgain,
    /// The file is removed, together with its entry.
    Remove,
    /// Only older commits hold the pointer: the unpushed commits become one.
    Squash,
    /// Not at all: it belongs to no session.
    None,
}

/// A pointer that contradicts the manifest of its session.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Contradiction {
    /// Its path in the repository.
    pub path: String,
    /// What the pointer names.
    pub pointer: BlobReport,
    /// What the manifest names; null when its entry names no blob.
    pub manifest: Option<BlobReport>,
}

/// Content that commits hold in full.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ContentInFull {
    /// Its path in the repository.
    pub path: String,
    /// Its bytes.
    pub size: u64,
    /// Only older commits hold it.
    pub history_only: bool,
    /// The remote has it already, so it keeps no push from going through.
    pub pushed: bool,
    /// How it is taken out, for people.
    pub cure: String,
}

/// How a reconcile ended.
pub(super) struct Came {
    pub(super) report: sessions::ReconcileReport,
    /// It was to repair.
    pub(super) repairs: bool,
    /// It was to say what a repair would do.
    pub(super) plans: bool,
    /// Where the old commits are kept.
    pub(super) backup: Option<String>,
    /// What commits hold in full.
    pub(super) in_full: InCommits,
    /// A remote has commits already that a repair would make anew.
    pub(super) is_shared: bool,
    pub(super) push: PushReport,
    pub(super) seconds: f64,
    /// The caller asked to stop.
    pub(super) interrupted: bool,
}

impl ReconcileReport {
    pub(super) fn of(came: Came) -> Self {
        let Came { mut report, repairs, plans, backup, in_full, is_shared, push, seconds, interrupted } = came;
        let mut not_repairable = report.repairable.err().as_ref().map(ErrorReport::from);
        if is_shared {
            not_repairable = Some(ErrorReport::from(&Fault::failed(Code::Conflict, SHARED)));
            report.removed.clear();
            report.orphans.clear();
            report.squashed = false;
        }
        let mut told = Self {
            repair: repairs,
            dry_run: plans,
            push,
            commits: report.commits,
            scanned: report.scanned,
            missing_list: report.missing.into_iter().map(MissingPointer::from).collect(),
            unknown_list: report.unknown.into_iter().map(UnknownPointer::from).collect(),
            contradiction_list: report.contradictions.iter().map(Contradiction::from).collect(),
            in_full_list: in_full.list.into_iter().map(ContentInFull::from).collect(),
            in_full_unknown: in_full.unknown,
            repairable: not_repairable.is_none(),
            not_repairable,
            uploaded_list: report.uploaded.iter().map(BlobReport::from).collect(),
            removed_list: report.removed,
            squashed: report.squashed,
            tip: report.tip,
            backup,
            orphan_list: report.orphans.iter().map(BlobReport::from).collect(),
            seconds,
            next: None,
            error: report.ended.err().as_ref().map(ErrorReport::from),
            interrupted,
        };
        told.next = next(&told);
        told
    }

    /// Whether nothing is missing any more or unknown, nothing contradicts its manifest, and no content would be pushed
    /// in full.
    pub fn is_clean(&self) -> bool {
        let is_cured = self.repair || self.missing_list.is_empty();
        let is_known = self.unknown_list.is_empty() && self.push.not_looked_at.is_none();
        let is_well = self.contradiction_list.is_empty() && self.to_be_pushed().is_none();
        self.error.is_none() && is_cured && is_known && is_well
    }

    /// The first content in full that a push would send.
    fn to_be_pushed(&self) -> Option<&ContentInFull> {
        self.in_full_list.iter().find(|one| !one.pushed)
    }

    /// Whether the wish to stop ended it early.
    pub fn was_interrupted(&self) -> bool {
        self.interrupted && self.error.is_some()
    }
}

impl From<sessions::MissingBlob> for MissingPointer {
    fn from(one: sessions::MissingBlob) -> Self {
        let sessions::MissingBlob { path, blob, history_only, remedy } = one;
        Self { path, oid: blob.oid, size: blob.size, history_only, remedy: remedy.into() }
    }
}

impl From<sessions::UnknownBlob> for UnknownPointer {
    fn from(one: sessions::UnknownBlob) -> Self {
        let sessions::UnknownBlob { path, blob, error } = one;
        Self { path, oid: blob.oid, size: blob.size, error: ErrorReport::from(&error) }
    }
}

impl From<Committed> for ContentInFull {
    fn from(one: Committed) -> Self {
        let (cure, history_only) = (one.cure(), !one.at_tip);
        Self { path: one.file.path, size: one.file.size, history_only, pushed: one.pushed, cure }
    }
}

impl From<sessions::Remedy> for Remedy {
    fn from(remedy: sessions::Remedy) -> Self {
        match remedy {
            sessions::Remedy::UploadAgain => Self::UploadAgain,
            sessions::Remedy::Remove => Self::Remove,
            sessions::Remedy::Squash => Self::Squash,
            sessions::Remedy::None => Self::None,
        }
    }
}

impl From<&sessions::Contradiction> for Contradiction {
    fn from(one: &sessions::Contradiction) -> Self {
        let (pointer, manifest) = (BlobReport::from(&one.pointer), one.manifest.as_ref().map(BlobReport::from));
        Self { path: one.path.clone(), pointer, manifest }
    }
}

/// What the user does next.
fn next(report: &ReconcileReport) -> Option<String> {
    let is_missing = !report.missing_list.is_empty();
    if report.error.is_some() {
        return Some("nothing is known for certain, so no commit and no file was changed".to_owned())
            .filter(|_| report.tip.is_none() && !is_missing);
    }
    if !report.unknown_list.is_empty() {
        return Some(
            "the server does not say whether it has these blobs: a push may be refused, and no repair is safe; \
                     ask again later, or restore the content and publish it again"
                .to_owned(),
        );
    }
    if let (Some(one), false) = (report.to_be_pushed(), is_missing && !report.repair) {
        return Some(format!("do not push yet: {}", one.cure));
    }
    if let Some(backup) = &report.backup {
        return Some(format!("`git push` is next; the old commits are kept: `git reset --keep {backup}` goes back"));
    }
    match &report.not_repairable {
        _ if report.repair && is_missing => Some("`git push` is next".to_owned()),
        Some(error) if is_missing => Some(format!("no repair: {}: {}", code_name(error.code.0), plain(&error.detail))),
        None if is_missing => Some("`hydrant reconcile --repair` does that".to_owned()),
        _ if !report.contradiction_list.is_empty() => {
            Some("publish these sessions again, or restore their pointers, before you push".to_owned())
        }
        _ if report.push.not_looked_at.is_some() => report.push.not_looked_at.clone(),
        _ if report.commits == 0 => Some("nothing to push".to_owned()),
        _ => Some("`git push` is next: the server has the blob of every pointer".to_owned()),
    }
}
