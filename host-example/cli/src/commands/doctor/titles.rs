//! `hydrant doctor --titles`: sessions without a title get the one of their summary, or are given up after three looks.

use std::io::Read;

use hydrant_host::documents::DOCUMENT_BYTES_MAX;
use hydrant_host::engine::{Engine, Guest};
use hydrant_host::documents::manifest_write::change_manifest;
use hydrant_host::text::plain;
use hydrant_host::contract::ledgers::{TitleRepair, TitleSkip};
use serde_json::{Value, json};

use crate::ending::Ending;
use hydrant_host::contract::error::Fault;
use hydrant_host::sessions::ledger::{Ledger, MANIFEST, path_in};
use crate::report::{Output, Table, error_json};
use hydrant_host::text::{count_text, quote};

/// Looks after which a session without a title is given up.
const ATTEMPTS_MAX: u64 = 3;
const SUMMARY: &str = "summary.json";

/// What became of one session.
enum Came {
    Skipped(TitleSkip),
    Gone,
    Recovered,
    Attempt(u64),
    Terminal,
    Error(Fault),
}

pub(super) fn run(engine: &Engine, ledger: &Ledger, dry_run: bool, output: &mut Output) -> Result<Ending, Fault> {
    let mut guest = engine.guest()?;
    let mut table = Table::new(&["session", "title", ""]);
    let (mut listed, mut skipped, mut open) = (Vec::new(), 0, 0);
    for name in ledger.sessions()? {
        let came = one(&mut guest, ledger, &name, dry_run).unwrap_or_else(Came::Error);
        let is_skipped = matches!(came, Came::Skipped(_) | Came::Gone);
        skipped += usize::from(is_skipped);
        open += usize::from(!is_skipped && !matches!(came, Came::Recovered));
        table.row([quote(name.as_bytes()), came.name().to_owned(), came.line()]);
        listed.push(came.json(&name));
    }
    let looked = listed.len();
    output.json(&json!({ "ok": open == 0, "dry_run": dry_run, "sessions": listed }));
    if looked > 0 {
        table.print(output);
    }
    let would = if dry_run { "; nothing was written" } else { "" };
    output.line(format!("{} looked at, {skipped} with nothing to do{would}", count_text(looked, "session")));
    Ok(if open == 0 { Ending::Done } else { Ending::SomeFailed })
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

    fn name(&self) -> &'static str {
        match self {
            Self::Skipped(_) | Self::Gone => "skipped",
            Self::Recovered => "recovered",
            Self::Attempt(_) => "attempt",
            Self::Terminal => "terminal",
            Self::Error(_) => "error",
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

    /// What is said of it in a table: one word where there is nothing to do.
    fn line(&self) -> String {
        self.why().map_or_else(|| self.detail(), str::to_owned)
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
            Self::Error(fault) => plain(&fault.detail),
        }
    }

    fn json(&self, session: &str) -> Value {
        let mut document = json!({ "session": session, "outcome": self.name(), "detail": self.detail() });
        match self {
            Self::Skipped(_) => document["why"] = self.why().into(),
            Self::Attempt(attempts) => document["attempts"] = (*attempts).into(),
            Self::Error(fault) => document["error"] = error_json(fault.code, &fault.detail, None),
            _ => {}
        }
        document
    }
}
