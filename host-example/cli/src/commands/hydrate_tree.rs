//! Hydrates the pointers of any work tree, as git-lfs would fetch them, and puts content in their place when asked to.

use std::collections::{HashMap, HashSet};
use std::env;
use std::io::Read;
use std::path::{Path, PathBuf};

use hydrant_host::driver;
use hydrant_host::engine::Engine;
use hydrant_host::files::Files;
use hydrant_host::patterns::Selection;
use hydrant_host::scan::{POINTER_BYTES_LIMIT, WalkOptions};
use hydrant_host::store::{Look, Store};
use hydrant_host::wit::operations::Want;
use hydrant_host::wit::types::Direction;
use serde_json::json;

use crate::cli::HydrateArgs;
use crate::commands::hydrate;
use crate::destination;
use crate::ending::{Ending, Fault};
use crate::in_place::{Placer, Swap};
use crate::ledger::relative_to;
use crate::operate::{self, Runner, Work};
use crate::pointer_files::{self, BrokenFile, Met, PointerFile};
use crate::report::{Output, TransferReport, count_text, quote};
use crate::repository::Repository;
use crate::stat_cache;

pub(crate) fn run(
    repository: &Repository,
    engine: &Engine,
    arguments: &HydrateArgs,
    output: &mut Output,
) -> Result<Ending, Fault> {
    let selection = selection(repository, arguments)?;
    let mut found = search(repository, engine, &arguments.targets)?;
    found.pointers.retain(|one| selection.wants(&one.path));
    found.broken.retain(|one| selection.wants(&one.path));

    let wants = wants(&found.pointers);
    let store = repository.store()?;
    let needed = wants.iter().any(|want| !is_here(&store, repository, &want.oid, want.size));
    let destination = destination::of_repository(repository, engine, Direction::Download, &arguments.server, needed)?;
    let limit = operate::object_bytes_max(&arguments.limits, Some(repository))?;
    let voice = output.voice.clone();
    let report = {
        let mut runner = Runner::new(engine, &voice, destination, &arguments.server, limit, |host| host.store(store))?;
        runner.transfer(Work::Hydrate(wants))?
    };
    let placed = match arguments.in_place && !report.interrupted {
        true => Some(place(repository, &found.pointers, &report)?),
        false => None,
    };
    Ok(say(&report, &found.broken, placed.as_ref(), output))
}

/// The pointers of the places named on the command line, of the whole work tree when none is.
struct Found {
    pointers: Vec<PointerFile>,
    broken: Vec<BrokenFile>,
}

fn search(repository: &Repository, engine: &Engine, targets: &[String]) -> Result<Found, Fault> {
    let mut found = Found { pointers: Vec::new(), broken: Vec::new() };
    let mut seen = HashSet::new();
    let places: Vec<String> = match targets {
        [] => vec![String::new()],
        targets => targets.iter().map(|word| within(repository, word)).collect::<Result<_, _>>()?,
    };
    for place in places {
        let mut take = |met: Met| {
            let met = under(&place, met);
            let path = match &met {
                Met::Pointer(one) => &one.path,
                Met::Broken(one) => &one.path,
            };
            if seen.insert(path.clone()) {
                match met {
                    Met::Pointer(one) => found.pointers.push(one),
                    Met::Broken(one) => found.broken.push(one),
                }
            }
            Ok(())
        };
        let path = repository.top.join(&place);
        let unusable = |why: &str| Fault::misuse(format!("{}: {why}", quote(place.as_bytes())));
        let real = path.canonicalize().map_err(|error| unusable(&error.kind().to_string()))?;
        if real != path {
            return Err(unusable("it is reached through a symlink"));
        }
        let facts = real.symlink_metadata().map_err(|error| unusable(&error.kind().to_string()))?;
        if facts.is_dir() {
            pointer_files::search(engine, &real, WalkOptions::default(), &mut take)?;
        } else if facts.is_file()
            && facts.len() < POINTER_BYTES_LIMIT as u64
            && let Some(bytes) = read_small(repository, &place)?
            && let Some(met) = pointer_files::judge_file(engine, Vec::new(), bytes)?
        {
            take(met)?;
        }
    }
    Ok(found)
}

/// Where in the work tree a word on the command line points.
fn within(repository: &Repository, word: &str) -> Result<String, Fault> {
    relative_to(&env::current_dir()?.join(word), &repository.top)
        .filter(|path| !path.split('/').any(|part| part == ".git"))
        .ok_or_else(|| Fault::misuse(format!("{} is not in this work tree", quote(word.as_bytes()))))
}

/// Spells a path that was found beneath `place` from the root of the work tree.
fn under(place: &str, met: Met) -> Met {
    let join = |path: Vec<u8>| {
        let place = place.as_bytes();
        match (place.is_empty(), path.is_empty()) {
            (true, _) => path,
            (false, true) => place.to_vec(),
            (false, false) => [place, b"/", &path].concat(),
        }
    };
    match met {
        Met::Pointer(one) => Met::Pointer(PointerFile { path: join(one.path), ..one }),
        Met::Broken(one) => Met::Broken(BrokenFile { path: join(one.path), ..one }),
    }
}

fn read_small(repository: &Repository, name: &str) -> Result<Option<Vec<u8>>, Fault> {
    let unreadable = |error: &std::io::Error| Fault::local("a file cannot be read", error);
    let Some(opened) = Files::beneath(&repository.top)?.open(name).map_err(|error| unreadable(&error))? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    opened.file.take(POINTER_BYTES_LIMIT as u64).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    Ok((bytes.len() < POINTER_BYTES_LIMIT).then_some(bytes))
}

/// The paths that flags, else git's configuration, else `.lfsconfig` choose.
pub(crate) fn selection(repository: &Repository, arguments: &HydrateArgs) -> Result<Selection, Fault> {
    let configured = |key: &str| -> Result<String, Fault> {
        if let Some(value) = repository.setting(key) {
            return Ok(value);
        }
        let last = repository.committed_settings()?.iter().rev().find(|setting| setting.key == key);
        Ok(last.map(|setting| setting.value.clone()).unwrap_or_default())
    };
    let include = match &arguments.include {
        Some(include) => include.clone(),
        None => configured("lfs.fetchinclude")?,
    };
    let exclude = match &arguments.exclude {
        Some(exclude) => exclude.clone(),
        None => configured("lfs.fetchexclude")?,
    };
    Selection::parse(&include, &exclude).map_err(Fault::misuse)
}

/// Each object once, under the first path that names it.
fn wants(pointers: &[PointerFile]) -> Vec<Want> {
    let mut seen = HashSet::new();
    let first = pointers.iter().filter(|one| seen.insert((one.pointer.oid.as_str(), one.pointer.size)));
    first.map(|one| Want { name: quote(&one.path), oid: one.pointer.oid.clone(), size: one.pointer.size }).collect()
}

/// Whether no server is needed for an object, as far as a look tells.
pub(crate) fn is_here(store: &Store, repository: &Repository, oid: &str, size: u64) -> bool {
    let of_git_lfs = |folder: PathBuf| -> Option<u64> {
        let place = folder.join(oid.get(..2)?).join(oid.get(2..4)?).join(oid);
        place.symlink_metadata().ok().filter(|facts| facts.is_file()).map(|facts| facts.len())
    };
    store.size_of(oid) == Some(size) || of_git_lfs(repository.git_lfs_objects()) == Some(size)
}

/// What became of the pointers of a work tree.
#[derive(Default)]
struct Placed {
    done: usize,
    /// Path and reason.
    left: Vec<(String, String)>,
    /// git still remembers the pointers' sizes.
    index_lags: bool,
    /// The user asked to stop; the rest keeps its pointers.
    interrupted: bool,
}

/// Puts content in the place of each pointer whose object is here. A file that cannot be written does not keep the
/// others from it, and git's index always hears of those that were.
fn place(repository: &Repository, pointers: &[PointerFile], report: &TransferReport) -> Result<Placed, Fault> {
    let store = repository.store()?;
    let ended_well = report.outcomes.iter().filter(|outcome| outcome.ended.is_ok());
    let here: HashMap<&str, u64> = ended_well.map(|outcome| (outcome.oid.as_str(), outcome.size)).collect();
    let unwritable = |error: &std::io::Error| Fault::local("the work tree cannot be written", error);
    let mut placer = Placer::new(Path::new(&repository.top)).map_err(|error| unwritable(&error))?;
    let mut placed = Placed::default();
    let mut replaced = HashSet::new();
    for one in pointers.iter().filter(|one| here.get(one.pointer.oid.as_str()) == Some(&one.pointer.size)) {
        if driver::interrupted() {
            placed.interrupted = true;
            break;
        }
        let why = match place_one(&store, &mut placer, one) {
            Ok(Swap::Done) => {
                placed.done += 1;
                replaced.insert(one.path.as_slice());
                continue;
            }
            Ok(Swap::Interrupted) => {
                placed.interrupted = true;
                break;
            }
            Ok(Swap::Changed) => "it is no longer the same pointer".to_owned(),
            Ok(Swap::Extended) => "its pointer names filters that hydrant does not run".to_owned(),
            Ok(Swap::Corrupt) => "the cached content is not what the pointer names".to_owned(),
            Err(fault) => fault.detail,
        };
        placed.left.push((quote(&one.path), why));
    }
    placed.index_lags = !stat_cache::forget(repository, &replaced).unwrap_or(false);
    Ok(placed)
}

fn place_one(store: &Store, placer: &mut Placer, one: &PointerFile) -> Result<Swap, Fault> {
    match store.open_verified(&one.pointer.oid, one.pointer.size)? {
        Look::Content(content) => {
            placer.place(one, content).map_err(|error| Fault::local("it cannot be written", &error))
        }
        Look::Corrupt | Look::Absent => Ok(Swap::Corrupt),
    }
}

fn say(report: &TransferReport, broken: &[BrokenFile], placed: Option<&Placed>, output: &mut Output) -> Ending {
    for one in broken {
        output.warn(format!("{}: a broken pointer, line {}: {}", quote(&one.path), one.line, one.why));
    }
    let mut ending = report.ending();
    if !broken.is_empty() {
        ending = ending.max(Ending::SomeFailed);
    }
    let Some(placed) = placed else {
        if output.voice.json && !broken.is_empty() {
            let mut document = report.json();
            document["ok"] = false.into();
            document["broken"] = broken.iter().map(broken_json).collect();
            output.json(&document);
        } else {
            hydrate::say(report, output);
        }
        return ending;
    };
    if !placed.left.is_empty() {
        ending = ending.max(Ending::SomeFailed);
    }
    if placed.interrupted {
        ending = Ending::Interrupted;
    }
    let mut document = report.json();
    document["ok"] = (ending == Ending::Done).into();
    document["broken"] = broken.iter().map(broken_json).collect();
    document["interrupted"] = (report.interrupted || placed.interrupted).into();
    document["in_place"] = placed.done.into();
    document["left"] = placed.left.iter().map(|(path, why)| json!({ "path": path, "detail": why })).collect();
    output.json(&document);
    report.say_failures(output);
    for (path, why) in &placed.left {
        output.warn(format!("{path}: left as it is: {why}"));
    }
    if !output.voice.quiet {
        output.line(hydrate::summary(report, "hydrated"));
        output.line(format!("{} in place", count_text(placed.done, "file")));
        if placed.index_lags {
            output.note("git may call these files modified until its index can be written");
        }
    }
    if placed.interrupted {
        output.note("interrupted: the other files keep their pointers, the next run does the rest");
    }
    ending
}

fn broken_json(one: &BrokenFile) -> serde_json::Value {
    json!({ "path": quote(&one.path), "line": one.line, "detail": one.why })
}
