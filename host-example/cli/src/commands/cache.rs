//! `hydrant cache`: what verified content lies here, and how to get rid of it.
//!
//! The rules it keeps: removing tells first and acts on `--yes`; a folder that is no cache is never made one.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand};
use hydrant_host::contract::error::Fault;
use hydrant_host::store::{Entry, PruneRule, Removed, is_cache};
use hydrant_host::tasks::cache::{Cache, Purpose};
use hydrant_host::text::{bytes_text, count_text, parse_bytes, quote_path};
use schemars::JsonSchema;
use serde::Serialize;

use crate::ending::Ending;
use crate::output::{Output, Table};

const DAY_SECONDS: u64 = 24 * 3600;

#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// List what the cache holds
    #[command(after_help = "Example: hydrant cache list")]
    List(CacheListArgs),
    /// Remove entries that were not used for a while; without --yes, only say what would go
    #[command(after_help = "Example: hydrant cache prune --older-than 14 --yes")]
    Prune(CachePruneArgs),
    /// Hash every entry again; with --yes, remove the wrong ones
    #[command(after_help = "Example: hydrant cache verify")]
    Verify(CacheActArgs),
    /// Remove all entries; without --yes, only say what would go
    #[command(after_help = "Example: hydrant cache clear --yes")]
    Clear(CacheActArgs),
}

#[derive(Args, Debug)]
pub(crate) struct CacheListArgs {
    #[command(flatten)]
    pub(crate) place: CachePlaceArgs,
}

#[derive(Args, Debug)]
pub(crate) struct CachePruneArgs {
    /// Days without use after which an entry may go
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub(crate) older_than: u64,
    /// Keep at most this many bytes, the most recently used first (as 500M, 2G)
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub(crate) keep_bytes: Option<u64>,
    #[command(flatten)]
    pub(crate) act: CacheActArgs,
}

#[derive(Args, Debug)]
pub(crate) struct CacheActArgs {
    /// Do it
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) place: CachePlaceArgs,
}

impl CacheActArgs {
    fn purpose_of_removing(&self) -> Purpose {
        if self.yes { Purpose::Remove } else { Purpose::Look }
    }

    fn purpose_of_verifying(&self) -> Purpose {
        if self.yes { Purpose::Mend } else { Purpose::Verify }
    }
}

#[derive(Args, Debug)]
pub(crate) struct CachePlaceArgs {
    /// The folder of the cache, instead of the one of this repository
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
}

/// What the cache holds.
#[derive(Serialize, JsonSchema)]
pub(crate) struct CacheListReport {
    #[serde(flatten)]
    place: Place,
    /// Objects.
    objects: usize,
    /// Their bytes.
    bytes: u64,
    /// Each of them.
    object_list: Vec<CachedObject>,
    /// Files that changed after they gave way to their pointers.
    kept_list: Vec<KeptFile>,
}

/// Where the cache is.
#[derive(Serialize, JsonSchema)]
struct Place {
    /// Its folder.
    folder: String,
    /// What names the folder: `HYDRANT_CACHE` or `hydrant.cache`; null where nothing does.
    named_by: Option<&'static str>,
    /// The clones that share it, each by the folder of its journals.
    clone_list: Vec<String>,
}

impl Place {
    fn of(cache: &Cache) -> Self {
        let text = |path: &PathBuf| path.to_string_lossy().into_owned();
        Self {
            folder: text(&cache.folder),
            named_by: cache.named_by,
            clone_list: cache.clones.iter().map(text).collect(),
        }
    }
}

/// One object of the cache.
#[derive(Serialize, JsonSchema)]
struct CachedObject {
    /// SHA-256 of its bytes.
    oid: String,
    /// Its bytes.
    size: u64,
    /// Seconds since 1970 at its last use.
    used_s: u64,
    /// It was hashed since this machine started; any other is hashed at its next use.
    proved: bool,
}

/// One file of `hydrant/kept`.
#[derive(Serialize, JsonSchema)]
struct KeptFile {
    /// Its name there.
    name: String,
    /// Its bytes.
    size: u64,
}

/// What was removed from the cache, or would be.
#[derive(Serialize, JsonSchema)]
pub(crate) struct CacheRemovedReport {
    #[serde(flatten)]
    place: Place,
    /// Objects that stay because an unfinished publish of one of the clones names them.
    spared: usize,
    /// Why nothing can be removed: a sentence for each clone that cannot be asked what it needs.
    blocked_list: Vec<String>,
    /// It was done, and not only said.
    acted: bool,
    /// Objects.
    objects: usize,
    /// Their bytes.
    bytes: u64,
    /// Each of them.
    oid_list: Vec<String>,
    /// Unfinished downloads.
    leftovers: u64,
    /// Their bytes.
    leftover_bytes: u64,
}

/// What a new look at every byte found.
#[derive(Serialize, JsonSchema)]
pub(crate) struct CacheVerifyReport {
    /// Objects that are what they are called.
    good: u64,
    /// Their bytes.
    good_bytes: u64,
    /// Objects that are not.
    bad_list: Vec<String>,
    /// Objects that could not be read; they stay.
    unreadable_list: Vec<String>,
    /// The bad ones were removed.
    removed: bool,
}

pub(crate) fn run(command: &CacheCommand, output: &mut Output) -> Result<Ending, Fault> {
    match command {
        CacheCommand::List(arguments) => list(arguments, output),
        CacheCommand::Prune(arguments) => prune(arguments, output),
        CacheCommand::Verify(arguments) => verify(arguments, output),
        CacheCommand::Clear(arguments) => clear(arguments, output),
    }
}

fn list(arguments: &CacheListArgs, output: &mut Output) -> Result<Ending, Fault> {
    let cache = open(&arguments.place, Purpose::Look)?;
    let store = &cache.store;
    let (entries, kept) = (store.list()?, store.kept()?);
    let bytes: u64 = entries.iter().map(|entry| entry.size).sum();
    let listed =
        |one: &Entry| CachedObject { oid: one.oid.clone(), size: one.size, used_s: unix(one.used), proved: one.proved };
    output.report(
        true,
        CacheListReport {
            place: Place::of(&cache),
            objects: entries.len(),
            bytes,
            object_list: entries.iter().map(listed).collect(),
            kept_list: kept.iter().map(|one| KeptFile { name: one.name.clone(), size: one.size }).collect(),
        },
    );
    let mut table = Table::new(&["oid", ">size", ">days unused", "state"]);
    for entry in &entries {
        let state = if entry.proved { "trusted" } else { "hashed on next use" };
        table.row([entry.oid.clone(), entry.size.to_string(), days_unused(entry).to_string(), state.to_owned()]);
    }
    if !entries.is_empty() {
        table.print(output);
    }
    output.line(format!("{}, {}", count_text(entries.len(), "object"), bytes_text(bytes)));
    say_place(&cache, output);
    for one in &kept {
        let size = bytes_text(one.size);
        output.line(format!("{}, {size}: it changed after it gave way to its pointer", one.path));
    }
    Ok(Ending::Done)
}

fn prune(arguments: &CachePruneArgs, output: &mut Output) -> Result<Ending, Fault> {
    let rule = PruneRule {
        bytes_max: arguments.keep_bytes,
        age_max: Some(Duration::from_secs(arguments.older_than.saturating_mul(DAY_SECONDS))),
    };
    let cache = open(&arguments.act.place, arguments.act.purpose_of_removing())?;
    let removed = cache.store.prune(rule, arguments.act.yes)?;
    Ok(say_removed(&cache, &removed, arguments.act.yes, output))
}

fn clear(arguments: &CacheActArgs, output: &mut Output) -> Result<Ending, Fault> {
    let cache = open(&arguments.place, arguments.purpose_of_removing())?;
    let removed = cache.store.clear(arguments.yes)?;
    Ok(say_removed(&cache, &removed, arguments.yes, output))
}

fn say_removed(cache: &Cache, removed: &Removed, acted: bool, output: &mut Output) -> Ending {
    let Removed { entries, bytes, leftovers, leftover_bytes } = removed;
    let (bytes, leftovers, leftover_bytes) = (*bytes, *leftovers, *leftover_bytes);
    let (objects, oid_list) = (entries.len(), entries.clone());
    output.report(
        true,
        CacheRemovedReport {
            place: Place::of(cache),
            spared: cache.spared,
            blocked_list: cache.blocked.clone(),
            acted,
            objects,
            bytes,
            oid_list,
            leftovers,
            leftover_bytes,
        },
    );
    if output.options.verbose {
        for oid in entries {
            output.line(oid);
        }
    }
    let objects = count_text(objects, "object");
    let leftovers = usize::try_from(leftovers).unwrap_or(usize::MAX);
    let what = format!(
        "{objects} of {} and {} of {}",
        bytes_text(bytes),
        count_text(leftovers, "unfinished download"),
        bytes_text(leftover_bytes)
    );
    if !cache.clones.is_empty() {
        let clones = count_text(cache.clones.len(), "clone");
        output
            .note(format!("{clones} share this cache, and fetch again what they need; what a clone keeps is its own"));
        if cache.spared > 0 {
            output.note(format!("{} stay: an unfinished publish names them", count_text(cache.spared, "object")));
        }
        for why in &cache.blocked {
            output.note(format!("--yes removes nothing as it is: {why}"));
        }
    }
    output.line(if acted { format!("removed {what}") } else { format!("would remove {what}; --yes does it") });
    Ending::Done
}

fn verify(arguments: &CacheActArgs, output: &mut Output) -> Result<Ending, Fault> {
    let verified = open(&arguments.place, arguments.purpose_of_verifying())?.store.verify(arguments.yes, |_| {})?;
    let well = verified.bad.is_empty() && verified.unreadable.is_empty();
    output.report(
        well,
        CacheVerifyReport {
            good: verified.good,
            good_bytes: verified.good_bytes,
            bad_list: verified.bad.clone(),
            unreadable_list: verified.unreadable.clone(),
            removed: verified.removed,
        },
    );
    for oid in &verified.bad {
        output.line(format!("{oid} is not what it is called{}", if verified.removed { ", removed" } else { "" }));
    }
    for oid in &verified.unreadable {
        output.line(format!("{oid} cannot be read, and stays"));
    }
    let good = count_text(usize::try_from(verified.good).unwrap_or(usize::MAX), "object");
    output.line(format!("{good} verified, {}", bytes_text(verified.good_bytes)));
    if !verified.bad.is_empty() && !verified.removed {
        output.line(format!("{} to drop; --yes does it", count_text(verified.bad.len(), "object")));
    }
    Ok(if well { Ending::Done } else { Ending::SomeFailed })
}

/// The cache; to be read where nothing is to be done to it.
fn open(place: &CachePlaceArgs, purpose: Purpose) -> Result<Cache, Fault> {
    match &place.store {
        Some(folder) if !folder.is_dir() => {
            Err(Fault::misuse(format!("--store {}: there is no such folder", quote_path(folder))))
        }
        // Opening moves a `cache` of another boot aside, which must not happen to a folder of the user's.
        Some(folder) if !is_cache(folder) => {
            let shown = quote_path(folder);
            Err(Fault::misuse(format!("--store {shown}: this folder is no cache of hydrant's")))
        }
        Some(folder) => Cache::at(folder, purpose),
        None => Cache::of(&super::repository()?, purpose),
    }
}

/// Where the cache is, when it is not where everybody looks for it.
fn say_place(cache: &Cache, output: &mut Output) {
    let Some(named_by) = cache.named_by else { return };
    let clones = count_text(cache.clones.len(), "clone");
    output.note(format!("in {}, as {named_by} says; {clones} share it", quote_path(&cache.folder)));
}

fn unix(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |age| age.as_secs())
}

fn days_unused(entry: &Entry) -> u64 {
    SystemTime::now().duration_since(entry.used).map_or(0, |age| age.as_secs()) / DAY_SECONDS
}
