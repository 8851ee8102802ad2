//! Manifests: reading loses nothing, an edit touches nothing else, ids never rotate.

use hydrant_ledger::manifest::{Change, Fresh, Manifest, build, edit, leak};
use hydrant_ledger::status::{Fact, Place, status};
use hydrant_lfs::text::limits::OBJECT_BYTES_MAX;

/// Reads the bytes as a manifest, edits it, and reads it again.
pub fn manifest(data: &[u8]) {
    let fresh = Fresh {
        session_name: "fresh".into(),
        session_id: "ses_fresh".into(),
        created_at: "2026-03-01T12:00:00Z".into(),
        fields: Vec::new(),
    };
    let Ok(manifest) = Manifest::parse(data) else {
        assert!(edit(data, &[]).is_err() && build(Some(data), &fresh).is_err(), "unreadable is never absent");
        return;
    };
    let fit = leak(&manifest.title).or(leak(&manifest.summary)).is_none();
    match edit(data, &[]) {
        Ok(same) => assert!(fit && same == data, "no change changes no byte"),
        Err(_) => assert!(!fit),
    }
    let title = Change::Text("title".into(), "Fine <b> \u{2028}".into());
    if let Ok(edited) = edit(data, &[title, Change::Clear("summary".into())]) {
        let read = Manifest::parse(&edited).expect("what was written can be read");
        assert_eq!(read.title, "Fine <b> \u{2028}");
        let mut expected = manifest.clone();
        (expected.title, expected.summary) = (read.title.clone(), String::new());
        assert_eq!(read, expected, "nothing else changed");
    }
    if let Ok(built) = build(Some(data), &fresh) {
        let read = Manifest::parse(&built).expect("what was built can be read");
        assert_eq!(read.files(), manifest.files());
        // Also one that is derived: it is written down.
        assert_eq!(read.session_id, Some(manifest.effective_session_id()), "an existing id always wins");
    }
    let facts: Vec<Fact> = manifest
        .files()
        .iter()
        .map(|file| Fact { name: file.name.clone(), place: Place::Absent, cached: Some(file.size) })
        .collect();
    let status = status(manifest.files(), &facts, OBJECT_BYTES_MAX);
    assert_eq!(status.files.len(), manifest.files().len());
}
