//! A pass of redaction, as manifests record it: kinds, files and lines, never a value.
//!
//! The shape is that of the original recorder (`RedactionPass` in its `internal/lfs/meta.go`); `allowed` is ours.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::contract::clock;
use crate::gate::AllowedSecret;
use crate::sessions::new_session;

/// Findings that a manifest names one by one; the summary counts all.
const ENTRIES_MAX: usize = 1_000;

/// A secret that was taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TakenOut {
    /// The file, by its name within the session.
    pub(super) file: String,
    /// The line in the file as it was.
    pub(super) line: u64,
    pub(super) kind: String,
}

/// The JSON of a pass; none where nothing was taken out or let out.
pub(super) fn pass(catalog: &str, taken_out: &[TakenOut], allowed: &[AllowedSecret]) -> Option<String> {
    if taken_out.is_empty() && allowed.is_empty() {
        return None;
    }
    let mut by_kind = BTreeMap::<&str, usize>::new();
    taken_out.iter().for_each(|one| *by_kind.entry(&one.kind).or_default() += 1);
    let entry = |one: &TakenOut| json!({"file": one.file, "line": one.line, "detector": one.kind});
    let entries: Vec<Value> = taken_out.iter().take(ENTRIES_MAX).map(entry).collect();
    let mut pass = json!({
        "pass_id": new_session::uuid(),
        "applied_at": clock::now_rfc3339(),
        "applied_by": "hydrant",
        "catalog_version": concat!("hydrant-", env!("CARGO_PKG_VERSION")),
        "catalog_hash": catalog,
        "summary": {"total": taken_out.len(), "by_detector": by_kind},
    });
    let members: Option<&mut Map<String, Value>> = pass.as_object_mut();
    if let Some(members) = members {
        if !entries.is_empty() {
            members.insert("entries".to_owned(), entries.into());
        }
        if !allowed.is_empty() {
            members.insert("allowed".to_owned(), let_out(allowed));
        }
    }
    serde_json::to_string_pretty(&pass).ok()
}

/// What was let out, by kind and reason.
fn let_out(allowed: &[AllowedSecret]) -> Value {
    let mut counts = BTreeMap::<(&str, &str), usize>::new();
    allowed.iter().for_each(|one| *counts.entry((&one.kind, &one.reason)).or_default() += 1);
    let one = |((kind, reason), count)| json!({"detector": kind, "count": count, "reason": reason});
    counts.into_iter().map(one).collect()
}
