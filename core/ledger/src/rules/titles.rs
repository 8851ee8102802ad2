//! Titles for sessions without one: taken from the summary if it has one, looked for a bounded number of times if not,
//! and never a text that users must not see.
//!
//! Source: ox `RecoverEmptyTitleMeta` and `UpdateMetaSummary` (`internal/lfs/meta_repair.go`, `meta.go`). Two things
//! differ on purpose: a title that is itself a leaked diagnostic counts as none; and a leak is moved away even when
//! there is a title or the attempts are used up, because no other edit of such a manifest is possible.

use crate::limits::{IN_GIT_BYTES_MAX, SUMMARY_ATTEMPTS_MAX};
use crate::manifest::{self, Change, Manifest, leak};
use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use hydrant_lfs::text::error::{Code, Error};
use hydrant_lfs::text::json::{self, Value};

/// Status of a summary that is there.
const OK: &str = "ok";
/// Status of a summary that is being made; its maker sets the next status.
const PENDING: &str = "pending";
/// Status of a session after its last attempt.
const UNRECOVERABLE: &str = "unrecoverable";

/// The result of [`repair_title`]. A text replaces the manifest that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TitleRepair {
    /// There is nothing to do; the manifest stays as it is.
    Skipped(Skip),
    /// The title was taken from the summary. Or there was a title, and leaked text was removed from the summary.
    Recovered(Vec<u8>),
    /// There is no title yet; the attempt was counted.
    Attempt {
        /// The manifest with this attempt counted.
        text: Vec<u8>,
        /// Attempts so far.
        attempts: u64,
    },
    /// There is no title, and the last attempt is used up.
    Terminal(Vec<u8>),
}

/// Why [`repair_title`] does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// The session is still being recorded: a placeholder has no title.
    Draft,
    /// Its summary is being made.
    Pending,
    /// It has a title.
    Titled,
    /// All attempts were used up before.
    Terminal,
}

/// Looks for the title of one session. `summary` is its `summary.json`, if that is there; one that cannot be used
/// counts as none. A second run changes nothing more, except that it counts attempts up to [`SUMMARY_ATTEMPTS_MAX`].
pub fn repair_title(manifest: &[u8], summary: Option<&[u8]>) -> Result<TitleRepair, Error> {
    let read = Manifest::parse(manifest)?;
    let leaks: Vec<(&str, &str)> = [("title", read.title.as_str()), ("summary", read.summary.as_str())]
        .into_iter()
        .filter(|(_, text)| leak(text).is_some())
        .collect();
    let leaked = |field: &str| leaks.iter().any(|(leaking, _)| *leaking == field);
    if read.draft {
        return Ok(TitleRepair::Skipped(Skip::Draft));
    }
    if read.summary_status == PENDING {
        return Ok(TitleRepair::Skipped(Skip::Pending));
    }
    let titled = !read.title.trim().is_empty() && !leaked("title");
    if titled && leaks.is_empty() {
        return Ok(TitleRepair::Skipped(Skip::Titled));
    }
    if read.summary_status == UNRECOVERABLE && leaks.is_empty() {
        return Ok(TitleRepair::Skipped(Skip::Terminal));
    }
    let mut changes = moved(&read.validation_error, &leaks);
    let edit = |changes: &[Change]| manifest::edit(manifest, changes);
    if titled {
        changes.push(text("summary", read.title.trim()));
        return Ok(TitleRepair::Recovered(edit(&changes)?));
    }
    if read.summary_status == UNRECOVERABLE {
        return Ok(TitleRepair::Terminal(edit(&changes)?));
    }
    if let Some(title) = summary.and_then(title_of) {
        if read.summary.trim().is_empty() || leaked("summary") {
            // Some readers show the one field, some the other.
            changes.push(text("summary", &title));
        }
        changes.extend([text("title", &title), text("summary_status", OK)]);
        changes.push(Change::Clear("summary_attempts".to_owned()));
        return Ok(TitleRepair::Recovered(edit(&changes)?));
    }
    let attempts = read.summary_attempts.saturating_add(1);
    changes.push(Change::Number("summary_attempts".to_owned(), attempts));
    if attempts < SUMMARY_ATTEMPTS_MAX {
        return Ok(TitleRepair::Attempt { text: edit(&changes)?, attempts });
    }
    changes.push(text("summary_status", UNRECOVERABLE));
    Ok(TitleRepair::Terminal(edit(&changes)?))
}

/// Sets title and summary to the same text, because some readers show the title and some the summary. Refused for a
/// placeholder, which never says anything of what happened in a session, and for text that users must not see.
pub fn set_title(manifest: &[u8], title: &str) -> Result<Vec<u8>, Error> {
    let title = title.trim();
    if title.is_empty() {
        return Err(Error::new(Code::Rejected, "an empty title would hide the session"));
    }
    if Manifest::parse(manifest)?.draft {
        return Err(Error::new(Code::Rejected, "a session that is still recorded has no title"));
    }
    manifest::edit(manifest, &[text("title", title), text("summary", title)])
}

/// Moves leaked text to the field that users never see, behind what that field already holds.
fn moved(diagnostics: &str, leaks: &[(&str, &str)]) -> Vec<Change> {
    let mut all = diagnostics.to_owned();
    let mut changes = Vec::new();
    for (field, leaked) in leaks {
        changes.push(Change::Clear((*field).to_owned()));
        if !all.contains(leaked) {
            if !all.is_empty() {
                all.push('\n');
            }
            all += leaked;
        }
    }
    if all != diagnostics {
        changes.push(text("validation_error", &all));
    }
    changes
}

/// The title that a `summary.json` gives.
fn title_of(summary: &[u8]) -> Option<String> {
    if summary.len() > IN_GIT_BYTES_MAX {
        return None;
    }
    let summary = json::parse(summary).ok()?;
    let title = summary.get("title").and_then(Value::text)?.trim();
    (!title.is_empty() && leak(title).is_none()).then(|| title.to_owned())
}

fn text(field: &str, value: &str) -> Change {
    Change::Text(field.to_owned(), value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUMMARY: &[u8] = b"{\"title\": \" Keep the refs \"}";
    const LEAK: &str = "Summary generation failed: timeout";

    fn manifest(fields: &str) -> String {
        format!("{{\"session_id\":\"s\",{fields}\"zz\":{{\"x\":1.50}},\"files\":{{}}}}")
    }

    /// New members bring a blank with them.
    fn compact(text: &[u8]) -> String {
        core::str::from_utf8(text).expect("UTF-8").replace("\": ", "\":")
    }

    /// Fields before, whether a summary is there, what comes out, fields after (none: as before).
    #[test]
    fn every_state_has_its_outcome() {
        // Fields are spelled with ' for ", and @ is what leaked.
        let table = [
            ("'draft':true,", true, "draft", ""),
            ("'summary_status':'pending',", true, "pending", ""),
            ("'title':'A',", true, "titled", ""),
            ("'summary_status':'unrecoverable','summary_attempts':3,", true, "given up", ""),
            ("", true, "recovered", "'title':'Keep the refs','summary':'Keep the refs','summary_status':'ok',"),
            (
                "'summary':'short','summary_attempts':2,",
                true,
                "recovered",
                "'title':'Keep the refs','summary':'short','summary_status':'ok',",
            ),
            ("", false, "attempt 1", "'summary_attempts':1,"),
            ("'title':'  ','summary_attempts':1,", false, "attempt 2", "'title':'  ','summary_attempts':2,"),
            ("'summary_attempts':2,", false, "terminal", "'summary_status':'unrecoverable','summary_attempts':3,"),
            (
                "'summary_status':'failed','summary_attempts':9,",
                false,
                "terminal",
                "'summary_status':'unrecoverable','summary_attempts':10,",
            ),
            ("'title':'A','summary':'@',", false, "recovered", "'title':'A','summary':'A','validation_error':'@',"),
            ("'summary':'@',", false, "attempt 1", "'validation_error':'@','summary_attempts':1,"),
            ("'title':'@',", false, "attempt 1", "'validation_error':'@','summary_attempts':1,"),
            (
                "'summary':'@','summary_status':'unrecoverable',",
                true,
                "terminal",
                "'summary_status':'unrecoverable','validation_error':'@',",
            ),
            (
                "'summary':'@','validation_error':'older',",
                false,
                "attempt 1",
                "'validation_error':'older\\n@','summary_attempts':1,",
            ),
            (
                "'title':'@','summary':'@','validation_error':'@',",
                true,
                "recovered",
                "'title':'Keep the refs','summary':'Keep the refs','summary_status':'ok','validation_error':'@',",
            ),
        ];
        let spelled = |fields: &str| manifest(&fields.replace('\'', "\"").replace('@', LEAK));
        for (before, summary, outcome, after) in table {
            let got = repair_title(spelled(before).as_bytes(), summary.then_some(SUMMARY)).expect("readable");
            check(&got, outcome, &spelled(after), before);
        }
    }

    fn check(got: &TitleRepair, outcome: &str, after: &str, before: &str) {
        let (named, text) = match got {
            TitleRepair::Skipped(Skip::Draft) => ("draft".to_owned(), None),
            TitleRepair::Skipped(Skip::Pending) => ("pending".to_owned(), None),
            TitleRepair::Skipped(Skip::Titled) => ("titled".to_owned(), None),
            TitleRepair::Skipped(Skip::Terminal) => ("given up".to_owned(), None),
            TitleRepair::Recovered(text) => ("recovered".to_owned(), Some(text)),
            TitleRepair::Attempt { text, attempts } => (format!("attempt {attempts}"), Some(text)),
            TitleRepair::Terminal(text) => ("terminal".to_owned(), Some(text)),
        };
        assert_eq!(named, outcome, "{before}");
        if let Some(text) = text {
            assert_eq!(compact(text), after, "{before}");
        }
    }

    /// Shows I12.
    #[test]
    fn it_comes_to_an_end() {
        let mut text = manifest("").into_bytes();
        let mut rounds = 0;
        while let TitleRepair::Attempt { text: next, .. } | TitleRepair::Terminal(next) =
            repair_title(&text, Some(b"not json")).expect("readable")
        {
            (text, rounds) = (next, rounds + 1);
            assert!(rounds <= SUMMARY_ATTEMPTS_MAX, "I12: no end");
        }
        assert_eq!(rounds, SUMMARY_ATTEMPTS_MAX);
        assert_eq!(repair_title(&text, Some(SUMMARY)), Ok(TitleRepair::Skipped(Skip::Terminal)));
    }

    #[test]
    fn summaries_without_a_usable_title() {
        for none in [
            "",
            "[]",
            "{\"title\": 5}",
            "{\"title\": \" \"}",
            "{\"title\": \"3 user messages, 4 assistant responses\"}",
            "<<<<<<< HEAD",
        ] {
            assert_eq!(title_of(none.as_bytes()), None, "{none}");
        }
        assert_eq!(title_of(&[b' '; IN_GIT_BYTES_MAX + 1]), None);
        assert!(repair_title(b"{", Some(SUMMARY)).is_err(), "unreadable is not absent");
    }

    #[test]
    fn a_title_is_set_in_both_fields() {
        let set = |fields: &str, title: &str| {
            set_title(manifest(fields).as_bytes(), title).map(|text| compact(&text)).map_err(|error| error.code)
        };
        let both = manifest("\"title\":\"New\",\"summary\":\"New\",");
        for before in ["", "\"title\":\"Old\",\"summary\":\"Other\",", &format!("\"summary\":\"{LEAK}\",")] {
            assert_eq!(set(before, " New\n").as_deref(), Ok(both.as_str()), "{before}");
        }
        assert_eq!(set("", "  "), Err(Code::Rejected));
        assert_eq!(set("", LEAK), Err(Code::Rejected));
        assert_eq!(set("\"draft\":true,", "New"), Err(Code::Rejected));
    }
}
