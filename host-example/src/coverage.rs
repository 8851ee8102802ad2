//! Whether a checkout of a ledger can be read, as one report: what every `hydrant status --json` begins with.
//!
//! The rule it keeps: nothing that is missing is taken for empty. Whatever kept us from looking is named by its class.

use hydrant_host::engine::Guest;
use hydrant_host::wit::ledgers::{Checkout, ErrorClass, HydrationState, Readiness};
use hydrant_host::wit::manifests::Tally;
use serde_json::{Value, json};

use crate::committed;
use crate::ending::Fault;
use crate::ledger::SESSIONS;
use crate::repository::Repository;

/// What is known of a checkout before its sessions are looked at.
pub(crate) fn checkout(repository: &Repository, paths: &[String]) -> Checkout {
    let mut checkout = empty(paths);
    match committed::commit(repository, "HEAD") {
        Ok(head) => checkout.head = head,
        Err(_) => checkout.failed = Some(ErrorClass::GitFailed),
    }
    checkout.shallow = repository.common_dir.join("shallow").symlink_metadata().is_ok();
    if checkout.head.is_some() {
        let folder = [SESSIONS.to_owned()];
        let paths: &[String] = if paths.is_empty() { &folder } else { paths };
        match is_dirty(repository, paths) {
            Ok(dirty) => checkout.dirty = dirty,
            Err(_) => checkout.failed = Some(ErrorClass::GitFailed),
        }
    }
    checkout
}

/// A checkout that nobody could look at, for this reason.
pub(crate) fn failed(class: ErrorClass) -> Checkout {
    Checkout { failed: Some(class), ..empty(&[]) }
}

fn empty(paths: &[String]) -> Checkout {
    Checkout { head: None, shallow: false, dirty: false, failed: None, paths: paths.to_vec(), sessions: Vec::new() }
}

/// Whether something that is committed was changed here.
fn is_dirty(repository: &Repository, paths: &[String]) -> Result<bool, Fault> {
    let mut arguments =
        vec!["--literal-pathspecs", "status", "--porcelain", "-z", "--untracked-files=no", "--no-renames", "--"];
    arguments.extend(paths.iter().map(String::as_str));
    Ok(!repository.git.read(&arguments, b"")?.is_empty())
}

/// A session of which nothing is known.
pub(crate) fn unreadable() -> Tally {
    Tally { files: 0, there: 0, required: 0, completed: 0, changed: 0, broken: 1, unreadable: true }
}

/// Puts the report in front of a document.
pub(crate) fn add(guest: &mut Guest, checkout: &Checkout, document: &mut Value) -> Result<(), Fault> {
    let readiness = guest.judge(checkout)?;
    let Readiness { schema_version, head, ready, coverage, hydration, error_class } = readiness;
    let state = match hydration.state {
        HydrationState::Complete => "complete",
        HydrationState::Missing => "missing",
        HydrationState::Unknown => "unknown",
    };
    document["schema_version"] = schema_version.into();
    document["head"] = head.into();
    document["ready"] = ready.into();
    document["coverage"] = json!({
        "complete": coverage.complete, "paths": coverage.paths, "files": coverage.files, "empty": coverage.empty,
    });
    let blobs = json!({ "state": state, "required": hydration.required, "completed": hydration.completed });
    // A single session says `hydration` in one word already.
    let key = if document.get("hydration").is_some() { "blobs" } else { "hydration" };
    document[key] = blobs;
    document["error_class"] = error_class.map_or(Value::Null, |class| class_name(class).into());
    Ok(())
}

/// The name that stands in a report.
fn class_name(class: ErrorClass) -> &'static str {
    match class {
        ErrorClass::InvalidArguments => "invalid_arguments",
        ErrorClass::Denied => "denied",
        ErrorClass::Unavailable => "unavailable",
        ErrorClass::MissingLedger => "missing_ledger",
        ErrorClass::Interrupted => "interrupted",
        ErrorClass::Dirty => "dirty",
        ErrorClass::MissingHydration => "missing_hydration",
        ErrorClass::IncompleteHistory => "incomplete_history",
        ErrorClass::IncompleteCoverage => "incomplete_coverage",
        ErrorClass::IdentityMismatch => "identity_mismatch",
        ErrorClass::GitFailed => "git_failed",
    }
}
