//! The manifest of a session that has none yet.

use super::edit::set_field;
use super::{Manifest, SCHEMA, edit, malformed};
use alloc::string::String;
use alloc::vec::Vec;
use hydrant_lfs::text::error::Error;
use hydrant_lfs::text::json::quoted;

/// The fields of a first manifest. Empty ones are not written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fresh {
    /// Name of the session's folder.
    pub session_name: String,
    /// A new id (`ses_` and a UUIDv7), from the host; used only when there is none yet.
    pub session_id: String,
    /// RFC 3339, from the host; used only when there is none yet.
    pub created_at: String,
    /// Other text fields by name.
    pub fields: Vec<(String, String)>,
}

/// The text of a manifest: the existing one with missing fields added, or a new one. An existing id always wins, even a
/// derived one: it is written down before another field could change it. Existing fields stay. An existing manifest
/// that cannot be read is an error.
pub fn build(existing: Option<&[u8]>, fresh: &Fresh) -> Result<Vec<u8>, Error> {
    let mut text = match existing {
        Some(text) => text.to_vec(),
        None => b"{\n  \"version\": \"1.0\",\n  \"files\": {}\n}".to_vec(),
    };
    let manifest = Manifest::parse(&text)?;
    let session_id = match existing {
        Some(_) => manifest.effective_session_id(),
        None => fresh.session_id.clone(),
    };
    let own = [("session_name", &fresh.session_name), ("session_id", &session_id), ("created_at", &fresh.created_at)];
    let others = fresh.fields.iter().map(|(name, value)| (name.as_str(), value));
    for (name, value) in own.into_iter().chain(others) {
        if !SCHEMA.iter().any(|(known, _)| *known == name) {
            return Err(malformed(format!("a manifest has no field {name}")));
        }
        let root = super::root(&text)?;
        let there = root.get(name).and_then(|value| value.text()).is_some_and(|text| !text.is_empty());
        if !there && !value.is_empty() {
            text = set_field(&text, name, &quoted(value))?;
        }
    }
    edit(&text, &[])
}
