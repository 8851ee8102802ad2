//! Placeholders of sessions that are still being recorded: only a manifest, with who and how much, and nothing of what
//! was said.
//!
//! Source: ox `WriteDraftSessionMeta` (`internal/lfs/meta_draft.go`). [`Placeholder`] has no field that could hold
//! words of a session, so none can be pushed before the user decides to share it.

use crate::manifest::{self, Change, Fresh, Manifest};
use crate::name;
use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use hydrant_lfs::text::error::{Code, Error, quote};

/// Fields that only a placeholder has.
const FIELDS: [&str; 3] = ["draft", "turn_count", "updated_at"];

/// The fields of a placeholder. Empty texts are not written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placeholder {
    /// Name of the session's folder.
    pub session_name: String,
    /// `ses_` and a UUID, made when the recording began. The first value written stays.
    pub session_id: String,
    /// Id of the session that this one continues. The first value written stays.
    pub continued_from_session_id: String,
    /// RFC 3339. The first value written stays.
    pub created_at: String,
    /// RFC 3339: now.
    pub updated_at: String,
    /// Display name; never an address.
    pub username: String,
    /// User.
    pub user_id: String,
    /// Repository the session belongs to.
    pub repo_id: String,
    /// Agent.
    pub agent_id: String,
    /// Kind of agent.
    pub agent_type: String,
    /// Model.
    pub model: String,
    /// Turns so far; never decreases.
    pub turn_count: u64,
    /// Entries so far; never decreases.
    pub entry_count: u64,
}

/// Makes or refreshes the manifest of a session that is still being recorded. Refused when there is a final session, or
/// when the session's transcript is there already: neither is a placeholder, whatever its manifest says.
pub fn draft(existing: Option<&[u8]>, transcript_is_there: bool, new: &Placeholder) -> Result<Vec<u8>, Error> {
    well_formed(new)?;
    if transcript_is_there {
        return Err(Error::new(Code::Conflict, "the session has a transcript, so it is no placeholder"));
    }
    let old = existing.map(Manifest::parse).transpose()?;
    if let Some(old) = &old
        && !old.draft
    {
        return Err(Error::new(Code::Conflict, "a final session of this name exists, which no placeholder replaces"));
    }
    if let Some(old) = &old
        && !old.session_name.is_empty()
        && old.session_name != new.session_name
    {
        let (old, new) = (quote(&old.session_name), quote(&new.session_name));
        return Err(Error::new(
            Code::Conflict,
            format_args!("the placeholder belongs to the session {old}, not to {new}"),
        ));
    }
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let fresh = Fresh {
        session_name: new.session_name.clone(),
        session_id: new.session_id.clone(),
        created_at: new.created_at.clone(),
        fields: vec![
            field("username", &new.username),
            field("user_id", &new.user_id),
            field("agent_id", &new.agent_id),
            field("continued_from_session_id", &new.continued_from_session_id),
            field("repo_id", &new.repo_id),
        ],
    };
    let text = manifest::mark_draft(&manifest::build(existing, &fresh)?)?;
    let (turns, entries) = old.map_or((0, 0), |old| (old.turn_count, old.entry_count.unwrap_or(0)));
    let mut changes = vec![
        Change::Number("turn_count".to_owned(), turns.max(new.turn_count)),
        Change::Number("entry_count".to_owned(), entries.max(new.entry_count)),
    ];
    let latest = [("agent_type", &new.agent_type), ("model", &new.model), ("updated_at", &new.updated_at)];
    for (name, value) in latest.into_iter().filter(|(_, value)| !value.is_empty()) {
        if !manifest::says(&text, name, value) {
            changes.push(Change::Text(name.to_owned(), value.clone()));
        }
    }
    manifest::edit(&text, &changes)
}

/// The manifest after the recording ended, without the fields of a placeholder. A manifest that is no placeholder stays
/// as it is.
pub fn finalized(manifest: &[u8]) -> Result<Vec<u8>, Error> {
    if !Manifest::parse(manifest)?.draft {
        return Ok(manifest.to_vec());
    }
    manifest::edit(manifest, &ended().collect::<Vec<_>>())
}

/// The changes that make a placeholder final.
pub(crate) fn ended() -> impl Iterator<Item = Change> {
    FIELDS.into_iter().map(|field| Change::Clear(field.to_owned()))
}

fn well_formed(new: &Placeholder) -> Result<(), Error> {
    let bad = |what: String| Err(Error::new(Code::Malformed, what));
    if let Some(flaw) = name::session_flaw(&new.session_name) {
        return bad(format!("the session cannot be used: {flaw}"));
    }
    // A link made from another form of id would never lead to the session.
    if !is_session_id(&new.session_id) {
        return bad(format!("\"{}\" is not the id of a session", quote(&new.session_id)));
    }
    let continued = &new.continued_from_session_id;
    if !continued.is_empty() && !is_session_id(continued) {
        return bad(format!("\"{}\" is not the id of a session to go on with", quote(continued)));
    }
    Ok(())
}

/// `ses_` and a UUID of any version.
fn is_session_id(id: &str) -> bool {
    let Some(uuid) = id.strip_prefix("ses_") else { return false };
    let fits = |(at, c): (usize, u8)| if matches!(at, 8 | 13 | 18 | 23) { c == b'-' } else { c.is_ascii_hexdigit() };
    uuid.len() == 36 && uuid.bytes().enumerate().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAFT: &[u8] = include_bytes!("../../../../tests/fixtures/meta/draft.json");

    fn placeholder(turns: u64, entries: u64, updated_at: &str) -> Placeholder {
        Placeholder {
            session_name: "2026-05-04T09-30-mina-OxQ7wd".into(),
            session_id: "ses_0196a3f0-5b40-7c11-9d22-a1b2c3d4e5f6".into(),
            created_at: "2026-05-04T09:30:00Z".into(),
            updated_at: updated_at.into(),
            username: "mina".into(),
            repo_id: "repo_0196a1b2-3c4d-7e5f-8a9b-0c1d2e3f4a5b".into(),
            agent_id: "OxQ7wd".into(),
            agent_type: "claude-code".into(),
            turn_count: turns,
            entry_count: entries,
            ..Placeholder::default()
        }
    }

    fn text(bytes: &[u8]) -> &str {
        core::str::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn made_as_the_other_writer_makes_it() {
        let made = draft(None, false, &placeholder(1, 2, "2026-05-04T09:30:40Z")).expect("a placeholder");
        assert_eq!(text(&made), text(DRAFT));
    }

    #[test]
    fn a_refresh_counts_up_and_keeps_what_was_first() {
        for (turns, entries, expected) in [(3, 1, (3, 2)), (0, 0, (1, 2)), (5, 9, (5, 9))] {
            let mut new = placeholder(turns, entries, "2026-05-04T09:45:00Z");
            new.session_id = "ses_0196a3f0-0000-7c11-9d22-a1b2c3d4e5f6".into();
            new.created_at = "2026-05-04T09:44:00Z".into();
            new.model = "model-x".into();
            let refreshed = draft(Some(DRAFT), false, &new).expect("a placeholder");
            let expected = text(DRAFT)
                .replace("\"entry_count\": 2", &format!("\"entry_count\": {}", expected.1))
                .replace("\"turn_count\": 1", &format!("\"turn_count\": {}", expected.0))
                .replace("09:30:40Z", "09:45:00Z")
                .replace("\"claude-code\",", "\"claude-code\",\n  \"model\": \"model-x\",");
            assert_eq!(text(&refreshed), expected);
            assert_eq!(draft(Some(&refreshed), false, &new).as_deref(), Ok(refreshed.as_slice()), "twice is once");
        }
        let foreign = text(DRAFT).replace("\"files\"", "\"zz_new\": [1.50],\n  \"files\"");
        let kept = draft(Some(foreign.as_bytes()), false, &placeholder(1, 2, "2026-05-04T09:30:40Z"));
        assert_eq!(kept.as_deref(), Ok(foreign.as_bytes()), "what others wrote stays");
    }

    #[test]
    fn refusals() {
        let good = placeholder(1, 2, "");
        let code =
            |existing: Option<&[u8]>, there, new: &Placeholder| draft(existing, there, new).expect_err("refused").code;
        let last = text(DRAFT).replace("  \"draft\": true,\n", "");
        assert_eq!(code(Some(last.as_bytes()), false, &good), Code::Conflict, "a final session");
        assert_eq!(code(Some(DRAFT), true, &good), Code::Conflict, "a transcript");
        assert_eq!(code(None, true, &good), Code::Conflict, "a transcript without a manifest");
        assert_eq!(code(Some(b"{"), false, &good), Code::Malformed, "unreadable is not absent");
        for bad in [
            Placeholder { session_name: "../x".into(), ..good.clone() },
            Placeholder { session_name: "a/b".into(), ..good.clone() },
            Placeholder { session_id: String::new(), ..good.clone() },
            Placeholder { session_id: "ses_1".into(), ..good.clone() },
            Placeholder { session_id: good.session_id.replace("ses_", "rec_"), ..good.clone() },
            Placeholder { continued_from_session_id: "x".into(), ..good.clone() },
        ] {
            assert_eq!(code(None, false, &bad), Code::Malformed, "{bad:?}");
        }
        let other = Placeholder { session_name: "other".into(), ..good };
        assert_eq!(code(Some(DRAFT), false, &other), Code::Conflict);
    }

    #[test]
    fn an_end_leaves_no_field_of_a_placeholder() {
        let last = finalized(DRAFT).expect("readable");
        assert!(FIELDS.iter().all(|field| !text(&last).contains(field)), "{}", text(&last));
        assert!(text(&last).contains("\"entry_count\": 2") && !Manifest::parse(&last).expect("readable").draft);
        assert_eq!(finalized(&last).as_deref(), Ok(last.as_slice()));
    }
}
