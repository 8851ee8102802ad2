//! Sessions without a title get the one of their summary, or are given up after three looks.

use std::io::Read;

use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::error::Fault;
use crate::contract::ledgers::{TitleRepair, TitleSkip};
use crate::contract::report::ErrorReport;
use crate::documents::DOCUMENT_BYTES_MAX;
use crate::documents::manifest_write::change_manifest;
use crate::engine::Guest;
use crate::sessions::ledger::{Ledger, MANIFEST, path_in};

/// Looks after which a session without a title is given up.
const ATTEMPTS_MAX: u64 = 3;
const SUMMARY: &str = "summary.json";

/// How titles are looked for.
#[derive(Clone, Debug, Default)]
pub struct TitlesOptions {
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
}

/// What became of the titles.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TitlesReport {
    /// Nothing was written.
    pub dry_run: bool,
    /// Each session.
    pub session_list: Vec<SessionTitle>,
}

/// What became of the title of one session.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SessionTitle {
    /// Its name.
    pub session: String,
    /// What became of it.
    pub outcome: TitleOutcome,
    /// The same in a sentence.
    pub detail: String,
    /// Why it was skipped, in a word: `draft`, `pending`, `titled` or `terminal`; null where it was not, or is gone.
    pub why: Option<&'static str>,
    /// Looks that gave no title so far, this one included; null with every other outcome.
    pub attempts: Option<u64>,
    /// Why it could not be looked at; null where it was.
    pub error: Option<ErrorReport>,
}

/// What became of a title.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TitleOutcome {
    /// There is nothing to do.
    Skipped,
    /// It was taken from the summary, or cleared of what users must not see.
    Recovered,
    /// There is none yet.
    Attempt,
    /// No summary gave one; nobody looks again.
    Terminal,
    /// The session could not be looked at.
    Error,
}

impl TitlesReport {
    /// Sessions with nothing to do.
    pub fn skipped(&self) -> usize {
        self.session_list.iter().filter(|one| one.outcome == TitleOutcome::Skipped).count()
    }

    /// Whether no session is without a title that it should have.
    pub fn is_complete(&self) -> bool {
        let is_well = |one: &SessionTitle| matches!(one.outcome, TitleOutcome::Skipped | TitleOutcome::Recovered);
        self.session_list.iter().all(is_well)
    }
}

/// What became of one session.
enum Came {
    Skipped(TitleSkip),
    Gone,
    Recovered,
    Attempt(u64),
    Terminal,
}

pub(super) fn look(guest: &mut Guest, ledger: &Ledger, dry_run: bool) -> Result<TitlesReport, Fault> {
    let mut session_list = Vec::new();
    for session in ledger.sessions()? {
        let came = one(guest, ledger, &session, dry_run);
        session_list.push(SessionTitle::of(session, came));
    }
    Ok(TitlesReport { dry_run, session_list })
}

fn one(guest: &mut Guest, ledger: &Ledger, name: &str, dry_run: bool) -> Result<Came, Fault> {
    let summary = summary(ledger, name)?;
    if dry_run {
        let manifest = ledger.manifest_text(name)?;
        return Ok(Came::of(&guest.repair_title(&manifest, summary.as_deref())?));
    }
    let mut came = Came::Gone;
    change_manifest(ledger.files(), &path_in(name, MANIFEST), |manifest| {
        let Some(manifest) = manifest else { return Ok::<_, Fault>(None) };
        let repair = guest.repair_title(manifest, summary.as_deref())?;
        came = Came::of(&repair);
        Ok(match repair {
            TitleRepair::Skipped(_) => None,
            TitleRepair::Recovered(text) | TitleRepair::Terminal(text) => Some(text),
            TitleRepair::Attempt(attempt) => Some(attempt.text),
        })
    })?;
    Ok(came)
}

/// The summary; none when there is no such file. One that cannot be read is no reason to count an attempt.
fn summary(ledger: &Ledger, name: &str) -> Result<Option<Vec<u8>>, Fault> {
    let unreadable = |error: &std::io::Error| Fault::local("its summary cannot be read", error);
    let opened = ledger.files().open(&path_in(name, SUMMARY)).map_err(|error| unreadable(&error))?;
    let Some(opened) = opened else { return Ok(None) };
    let mut bytes = Vec::new();
    opened.file.take(DOCUMENT_BYTES_MAX).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    Ok(Some(bytes))
}

impl Came {
    fn of(repair: &TitleRepair) -> Self {
        match repair {
            TitleRepair::Skipped(why) => Self::Skipped(*why),
            TitleRepair::Recovered(_) => Self::Recovered,
            TitleRepair::Attempt(attempt) => Self::Attempt(attempt.attempts),
            TitleRepair::Terminal(_) => Self::Terminal,
        }
    }

    fn outcome(&self) -> TitleOutcome {
        match self {
            Self::Skipped(_) | Self::Gone => TitleOutcome::Skipped,
            Self::Recovered => TitleOutcome::Recovered,
            Self::Attempt(_) => TitleOutcome::Attempt,
            Self::Terminal => TitleOutcome::Terminal,
        }
    }

    /// Why a session was skipped, in a word.
    fn why(&self) -> Option<&'static str> {
        match self {
            Self::Skipped(TitleSkip::Draft) => Some("draft"),
            Self::Skipped(TitleSkip::Pending) => Some("pending"),
            Self::Skipped(TitleSkip::Titled) => Some("titled"),
            Self::Skipped(TitleSkip::Terminal) => Some("terminal"),
            _ => None,
        }
    }

    fn attempts(&self) -> Option<u64> {
        match self {
            Self::Attempt(attempts) => Some(*attempts),
            _ => None,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Skipped(TitleSkip::Draft) => "it is still recorded".to_owned(),
            Self::Skipped(TitleSkip::Pending) => "its summary is being made".to_owned(),
            Self::Skipped(TitleSkip::Titled) => "it has one".to_owned(),
            Self::Skipped(TitleSkip::Terminal) => "it was given up before".to_owned(),
            Self::Gone => "gone".to_owned(),
            Self::Recovered => "taken from the summary, or cleared of what users must not see".to_owned(),
            Self::Attempt(attempts) => format!("no title yet, {attempts} of {ATTEMPTS_MAX}"),
            Self::Terminal => "given up: no summary gave a title".to_owned(),
        }
    }
}

impl SessionTitle {
    fn of(session: String, came: Result<Came, Fault>) -> Self {
        match came {
            Ok(came) => Self {
                session,
                outcome: came.outcome(),
                detail: came.detail(),
                why: came.why(),
                attempts: came.attempts(),
                error: None,
            },
            Err(fault) => Self {
                session,
                outcome: TitleOutcome::Error,
                detail: fault.detail.clone(),
                why: None,
                attempts: None,
                error: Some(ErrorReport::from(&fault)),
            },
        }
    }
}
