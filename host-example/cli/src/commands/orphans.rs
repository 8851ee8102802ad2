//! `hydrant orphans`: blobs that were sent from this clone and that nothing names any more, for whoever purges them.
//!
//! The rule it keeps: only looks. Nothing is deleted here or on the server, and what is in doubt is no orphan.

use std::env;

use hydrant_host::engine::Engine;
use serde_json::json;

use crate::cli::OrphansArgs;
use crate::ending::Ending;
use hydrant_host::contract::error::Fault;
use hydrant_host::sessions::orphaned;
use crate::report::Output;
use hydrant_host::text::{bytes_text, count_text};
use hydrant_host::repository::Repository;

/// Form of the JSON document.
const SCHEMA_VERSION: u64 = 1;

pub(crate) fn run(arguments: &OrphansArgs, output: &mut Output) -> Result<Ending, Fault> {
    let repository = Repository::around(&env::current_dir()?)?;
    let engine = Engine::load()?;
    let registered = orphaned::register(&repository, &mut engine.guest()?)?;
    let is_shallow = repository.common_dir.join("shallow").symlink_metadata().is_ok();
    let known = registered.len();
    let orphans = if arguments.all || registered.is_empty() {
        registered
    } else {
        orphaned::unnamed(&repository, &engine, registered, None)?
    };
    let bytes = orphans.iter().fold(0u64, |sum, blob| sum.saturating_add(blob.size));
    output.json(&json!({
        "schema_version": SCHEMA_VERSION,
        "ok": true,
        "all": arguments.all,
        "register": "this clone",
        "history": if is_shallow { "shallow" } else { "complete" },
        "orphans": orphans.iter().map(|blob| json!({ "oid": blob.oid, "size": blob.size })).collect::<Vec<_>>(),
        "count": orphans.len(),
        "bytes": bytes,
    }));
    for blob in &orphans {
        output.line(format!("{} {}", blob.oid, blob.size));
    }
    let counted = format!("{}, {}", count_text(orphans.len(), "orphan"), bytes_text(bytes));
    output.note(match (arguments.all, known - orphans.len()) {
        (true, _) => format!("{counted} ever registered in this clone; some may be named again"),
        (false, 0) => format!("{counted} registered in this clone; other clones keep their own register"),
        (false, named) => format!("{counted} in this clone's register; {named} more are named again or elsewhere"),
    });
    if is_shallow && !arguments.all {
        output.warn("this clone is shallow: manifests of older commits were not looked at");
    }
    Ok(Ending::Done)
}
