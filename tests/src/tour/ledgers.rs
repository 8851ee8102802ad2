//! The interface `ledgers`: a manifest of each kind that its rules tell apart, with what they need beside it, through
//! every function.

use crate::engine::Engine;
use hydrant_ledger::rules::drafts::Placeholder;
use hydrant_ledger::rules::readiness::{Checkout, ErrorClass};
use hydrant_ledger::status::Tally;
use hydrant_lfs::text::error::{Code, Error};
use hydrant_lfs::text::oid::{Blob, Oid};

/// The journal of a publish that named what it would send.
const INTENDED: &str = r#"{"version": 1, "intended": [
["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", 0]
]}"#;
/// And of one that had sent it: a file beside the session's folder, one in it, and one that git carries.
const BOUND: &str = r#"{"version": 1, "bound": {
"session_id": "ses_1", "fresh_id": true, "files": [
{"name": "a", "lfs": ["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", 0], "swap": null},
{"name": "b", "lfs": ["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", 0], "swap": "1-2"},
{"name": "c", "size": 1, "local": null}
], "local": null, "base": null, "superseded": [], "push": [
{"name": "sessions/s/meta.json", "bytes": "{}", "replaces": null},
{"name": "sessions/s/c", "bytes": ["ff"], "replaces": "r"}
], "message": "m"}}"#;

/// Takes the walk.
pub(super) fn walk(engine: &dyn Engine) -> Result<(), Error> {
    let blob = Blob { oid: Oid::EMPTY, size: 0 };
    let entry = format!("{{\"plan.md\": {{\"oid\": \"sha256:{}\", \"size\": 0}}}}", blob.oid);
    let manifests: Vec<String> = [
        "\"draft\": true, ",
        "\"summary_status\": \"pending\", ",
        "\"title\": \"A\", \"session_id\": \"ses_a\", ",
        "\"summary_status\": \"unrecoverable\", ",
        "\"summary\": \"Summary generation failed: x\", ",
        "\"summary_attempts\": 2, ",
        "",
        "\"summary_attempts\": -1, ",
    ]
    .iter()
    .map(|fields| format!("{{{fields}\"files\": {entry}}}"))
    .chain(["<<<<<<< HEAD".to_owned(), String::new()])
    .collect();
    engine.preserved_session_id(None)?;
    for manifest in manifests.iter().map(String::as_bytes) {
        let summary: &[u8] = b"{\"title\": \"A title\"}";
        engine.preserved_session_id(Some(manifest)).ok();
        engine.repair_title(manifest, Some(summary)).ok();
        engine.repair_title(manifest, None).ok();
        engine.set_title(manifest, "Other").ok();
        engine.finalized(manifest).ok();
        let (older, newer) = (manifests[2].as_bytes(), manifests[5].as_bytes());
        engine.merge(Some(older), manifest, newer).ok();
        engine.merge(None, older, manifest).ok();
        engine.restore("plan.md", blob, None, Some(manifest)).ok();
        engine.restore("plan.md", blob, Some(b"version https://git-lfs.github.com/spec/v1\n"), Some(manifest)).ok();
        let new = Placeholder {
            session_name: "s".to_owned(),
            session_id: "ses_0190a3f2-7b11-7d3e-8c21-5d9f0c1e2a3b".to_owned(),
            created_at: "2026-05-04T09:30:00Z".to_owned(),
            updated_at: "2026-05-04T09:31:00Z".to_owned(),
            turn_count: 3,
            ..Placeholder::default()
        };
        engine.draft(Some(manifest), false, &new).ok();
        let tally = match engine.manifest(manifest) {
            Ok(facts) => engine.status(&facts.files, &[], u64::MAX)?.tally,
            Err(_) => Tally { broken: 1, unreadable: true, ..Tally::default() },
        };
        engine.judge(&Checkout { head: Some("h".to_owned()), sessions: vec![tally], ..Checkout::default() })?;
    }
    engine.draft(None, true, &Placeholder::default()).ok();
    for existing in [None, Some("mine\n"), Some("*.jsonl\n*.html\n*.md\n!meta.json\n"), Some("<<<<<<< HEAD\n")] {
        engine.sessions_gitignore(existing.map(str::as_bytes)).ok();
    }
    for journal in [INTENDED, BOUND, "{\"version\": 2, \"intended\": []}", "<<<<<<< HEAD\n"] {
        engine.read_journal(journal.as_bytes()).ok();
    }
    for register in ["{\"version\": 1, \"orphans\": []}", "{\"version\": 1}"] {
        engine.read_register(register.as_bytes()).ok();
    }
    for failed in ErrorClass::ALL {
        let judged = engine.judge(&Checkout { failed: Some(failed), ..Checkout::default() })?;
        if judged.error_class != Some(failed) {
            return Err(Error::new(Code::Host, format!("{} became another class", failed.name())));
        }
    }
    engine.judge(&Checkout { shallow: true, dirty: true, head: Some("h".to_owned()), ..Checkout::default() })?;
    Ok(())
}
