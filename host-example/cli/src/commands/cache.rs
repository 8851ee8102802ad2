//! `hydrant cache`: what verified content lies here, and how to get rid of it.
//!
//! The rules it keeps: removing tells first and acts on `--yes`; a folder that is no cache is never made one.

use std::env;
use std::path::Path;
use std::time::{Duration, SystemTime};

use hydrant_host::store::{Entry, PruneRule, Removed, Store};
use serde_json::json;

use crate::cli::{CacheActArgs, CacheCommand, CacheListArgs, CachePlaceArgs, CachePruneArgs};
use crate::ending::{Ending, Fault};
use crate::report::{Output, Table, bytes_text, count_text};
use crate::repository::Repository;

const DAY_SECONDS: u64 = 24 * 3600;
/// Files that every cache begins with.
const MARKS: [&str; 2] = ["boot", "lock"];

pub(crate) fn run(command: &CacheCommand, output: &mut Output) -> Result<Ending, Fault> {
    match command {
        CacheCommand::List(arguments) => list(arguments, output),
        CacheCommand::Prune(arguments) => prune(arguments, output),
        CacheCommand::Verify(arguments) => verify(arguments, output),
        CacheCommand::Clear(arguments) => clear(arguments, output),
    }
}

fn list(arguments: &CacheListArgs, output: &mut Output) -> Result<Ending, Fault> {
    let store = open(&arguments.place)?;
    let (entries, kept) = (store.list()?, store.kept()?);
    let bytes: u64 = entries.iter().map(|entry| entry.size).sum();
    if output.voice.json {
        let listed: Vec<_> = entries
            .iter()
            .map(|one| json!({ "oid": one.oid, "size": one.size, "used": unix(one.used), "proved": one.proved }))
            .collect();
        let kept: Vec<_> = kept.iter().map(|one| json!({ "name": one.name, "size": one.size })).collect();
        output.json(&json!({ "ok": true, "entries": listed, "bytes": bytes, "kept": kept }));
        return Ok(Ending::Done);
    }
    let mut table = Table::new(&["oid", ">size", ">days unused", "state"]);
    for entry in &entries {
        let state = if entry.proved { "trusted" } else { "hashed on next use" };
        table.row([entry.oid.clone(), entry.size.to_string(), days_unused(entry).to_string(), state.to_owned()]);
    }
    if !entries.is_empty() {
        table.print(output);
    }
    output.line(format!("{}, {}", count_text(entries.len(), "object"), bytes_text(bytes)));
    for one in &kept {
        output.line(format!(
            "kept/{}, {}: it changed after it gave way to its pointer",
            one.name,
            bytes_text(one.size)
        ));
    }
    Ok(Ending::Done)
}

fn prune(arguments: &CachePruneArgs, output: &mut Output) -> Result<Ending, Fault> {
    let rule = PruneRule {
        bytes_max: arguments.keep_bytes,
        age_max: Some(Duration::from_secs(arguments.older_than.saturating_mul(DAY_SECONDS))),
    };
    let removed = open(&arguments.act.place)?.prune(rule, arguments.act.yes)?;
    Ok(say_removed(&removed, arguments.act.yes, output))
}

fn clear(arguments: &CacheActArgs, output: &mut Output) -> Result<Ending, Fault> {
    let removed = open(&arguments.place)?.clear(arguments.yes)?;
    Ok(say_removed(&removed, arguments.yes, output))
}

fn say_removed(removed: &Removed, acted: bool, output: &mut Output) -> Ending {
    output.json(&json!({
        "ok": true, "acted": acted, "entries": removed.entries, "bytes": removed.bytes,
        "leftovers": removed.leftovers, "leftover_bytes": removed.leftover_bytes,
    }));
    if output.voice.verbose {
        for oid in &removed.entries {
            output.line(oid);
        }
    }
    let objects = count_text(removed.entries.len(), "object");
    let leftovers = usize::try_from(removed.leftovers).unwrap_or(usize::MAX);
    let what = format!(
        "{objects} of {} and {} of {}",
        bytes_text(removed.bytes),
        count_text(leftovers, "unfinished download"),
        bytes_text(removed.leftover_bytes)
    );
    output.line(if acted { format!("removed {what}") } else { format!("would remove {what}; --yes does it") });
    Ending::Done
}

fn verify(arguments: &CacheActArgs, output: &mut Output) -> Result<Ending, Fault> {
    let verified = open(&arguments.place)?.verify(arguments.yes, |_| {})?;
    let well = verified.bad.is_empty();
    output.json(&json!({
        "ok": well, "good": verified.good, "good_bytes": verified.good_bytes, "bad": verified.bad,
        "removed": verified.removed,
    }));
    for oid in &verified.bad {
        output.line(format!("{oid} is not what it is called{}", if verified.removed { ", removed" } else { "" }));
    }
    let good = count_text(usize::try_from(verified.good).unwrap_or(usize::MAX), "object");
    output.line(format!("{good} verified, {}", bytes_text(verified.good_bytes)));
    if !well && !verified.removed {
        output.line(format!("{} to drop; --yes does it", count_text(verified.bad.len(), "object")));
    }
    Ok(if well { Ending::Done } else { Ending::SomeFailed })
}

fn open(place: &CachePlaceArgs) -> Result<Store, Fault> {
    match &place.store {
        Some(folder) if !folder.is_dir() => Err(Fault::misuse("--store names no folder")),
        // Opening moves a `cache` of another boot aside, which must not happen to a folder of the user's.
        Some(folder) if !MARKS.iter().any(|mark| is_plain_file(&folder.join(mark))) => {
            Err(Fault::misuse("--store names a folder that is no cache of hydrant's"))
        }
        Some(folder) => Ok(Store::cache(folder)?),
        None => Ok(Store::cache(&Repository::around(&env::current_dir()?)?.store_dir())?),
    }
}

fn is_plain_file(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|facts| facts.is_file())
}

fn unix(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |age| age.as_secs())
}

fn days_unused(entry: &Entry) -> u64 {
    SystemTime::now().duration_since(entry.used).map_or(0, |age| age.as_secs()) / DAY_SECONDS
}
