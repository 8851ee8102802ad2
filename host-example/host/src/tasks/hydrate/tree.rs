//! Hydrates the pointers of any work tree, as git-lfs would fetch them, and puts content in their place when asked to.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read};
use std::path::PathBuf;

use crate::contract::operations::Want;
use crate::contract::types::Direction;
use crate::files::Files;
use crate::store::{Look, Store};
use crate::tasks::client::Client;
use crate::worktree::patterns::Selection;
use crate::worktree::scan::{POINTER_BYTES_LIMIT, WalkOptions};

use super::{BrokenPointer, HydrateOptions, HydrateReport, LeftPointer, Placed};
use crate::contract::error::Fault;
use crate::repository::Repository;
use crate::repository::stat_cache;
use crate::sessions::ledger::relative_to;
use crate::tasks::endpoint;
use crate::tasks::transfer::{self, Runner, TransferReport, Work};
use crate::text::{io_words, quote};
use crate::worktree::in_place::{Placer, Swap};
use crate::worktree::pointer_files::{self, BrokenFile, Met, PointerFile};

/// What is told of an entry of the cache that is something else.
const WRONG_IN_CACHE: &str = "the cached content is not what the pointer names";

/// Hydrates the pointers of a working tree.
pub(crate) fn hydrate(
    client: &Client,
    repository: &Repository,
    options: &HydrateOptions,
) -> Result<HydrateReport, Fault> {
    let selection = selection(repository, options)?;
    let mut found = search(client, repository, &options.targets)?;
    let pointers = found.pointers.len();
    found.pointers.retain(|one| selection.wants(&one.path));
    let left_out = Some(pointers - found.pointers.len());
    found.broken.retain(|one| selection.wants(&one.path));

    let mut transfer = fetch(client, repository, options, &found.pointers, &[])?;
    let mut placed = None;
    if options.in_place && !transfer.interrupted {
        let (mut first, wrong) = place(client, repository, &found.pointers, &transfer)?;
        if !wrong.is_empty() && !first.was_interrupted {
            first.add(fetch_again(client, repository, options, wrong, &mut transfer)?);
        }
        transfer.interrupted |= first.was_interrupted;
        placed = Some(first);
    }
    let broken = found.broken.into_iter().map(BrokenPointer::from);
    let (broken_list, unreadable_list) = (Some(broken.collect()), Some(found.unreadable));
    Ok(HydrateReport { transfer, left_out, broken_list, unreadable_list, placed })
}

/// Brings what the pointers name. Entries of the cache that are called like `distrusted` count as absent.
fn fetch(
    client: &Client,
    repository: &Repository,
    options: &HydrateOptions,
    pointers: &[PointerFile],
    distrusted: &[String],
) -> Result<TransferReport, Fault> {
    let wants = wants(pointers);
    let store = repository.store()?;
    let is_wanted = |want: &Want| !distrusted.is_empty() || !is_here(&store, repository, &want.oid, want.size);
    let needed = wants.iter().any(is_wanted);
    let server = &options.server;
    let destination = endpoint::of_repository(client, repository, Direction::Download, server, needed)?;
    let limit = transfer::object_bytes_max(options.object_bytes_max, Some(repository))?;
    let store = store.distrusting(distrusted.iter().cloned());
    let mut runner = Runner::new(client, destination, server, limit, |host| host.store(store))?;
    runner.transfer(Work::Hydrate(wants))
}

/// The cache had something else under these oids: the right content is fetched, and put in place. What cannot be
/// fetched stays as it is.
fn fetch_again(
    client: &Client,
    repository: &Repository,
    options: &HydrateOptions,
    wrong: Vec<PointerFile>,
    transfer: &mut TransferReport,
) -> Result<Placed, Fault> {
    let oids: Vec<String> = wrong.iter().map(|one| one.pointer.oid.clone()).collect();
    let left = |pointers: &[PointerFile], why: &str| -> Vec<LeftPointer> {
        let detail = format!("{WRONG_IN_CACHE}{why}");
        pointers.iter().map(|one| LeftPointer { path: quote(&one.path), detail: detail.clone() }).collect()
    };
    let again = match fetch(client, repository, options, &wrong, &oids) {
        Ok(again) => again,
        Err(fault) => {
            let why = format!(", and it cannot be fetched again: {}", fault.detail);
            return Ok(Placed { left: left(&wrong, &why), ..Placed::default() });
        }
    };
    transfer.amend(&again);
    let is_present =
        |one: &PointerFile| again.outcomes.iter().any(|outcome| outcome.oid == one.pointer.oid && outcome.is_present());
    let (fetched, gone): (Vec<PointerFile>, Vec<PointerFile>) = wrong.into_iter().partition(is_present);
    let (mut placed, still_wrong) = place(client, repository, &fetched, &again)?;
    placed.left.extend(left(&still_wrong, ""));
    placed.left.extend(left(&gone, ", and it could not be fetched again"));
    Ok(placed)
}

/// The pointers of the places named on the command line, of the whole work tree when none is.
struct Found {
    pointers: Vec<PointerFile>,
    broken: Vec<BrokenFile>,
    /// Places that could not be looked at.
    unreadable: Vec<String>,
}

fn search(client: &Client, repository: &Repository, targets: &[String]) -> Result<Found, Fault> {
    let engine = client.engine()?;
    let mut found = Found { pointers: Vec::new(), broken: Vec::new(), unreadable: Vec::new() };
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
        let real = path.canonicalize().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                unusable("there is no such file, folder or session here; --include takes patterns")
            }
            _ => unusable(&io_words(&error)),
        })?;
        if real != path {
            return Err(unusable("it is reached through a symlink"));
        }
        let facts = real.symlink_metadata().map_err(|error| unusable(&io_words(&error)))?;
        if facts.is_dir() {
            let walked = pointer_files::search(engine, &real, WalkOptions::default(), &mut take)?;
            found.unreadable.extend(pointer_files::unreadable(&walked, place.as_bytes()));
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
    relative_to(&repository.here.join(word), &repository.top)
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
    let unreadable = |error: &io::Error| Fault::local("a file cannot be read", error);
    let Some(opened) = Files::beneath(&repository.top)?.open(name).map_err(|error| unreadable(&error))? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    opened.file.take(POINTER_BYTES_LIMIT as u64).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    Ok((bytes.len() < POINTER_BYTES_LIMIT).then_some(bytes))
}

/// The paths that flags, else git's configuration, else `.lfsconfig` choose.
pub(crate) fn selection(repository: &Repository, options: &HydrateOptions) -> Result<Selection, Fault> {
    let configured = |key: &str| -> Result<String, Fault> {
        if let Some(value) = repository.setting(key) {
            return Ok(value);
        }
        let last = repository.committed_settings()?.iter().rev().find(|setting| setting.key == key);
        Ok(last.map(|setting| setting.value.clone()).unwrap_or_default())
    };
    let include = match &options.include {
        Some(include) => include.clone(),
        None => configured("lfs.fetchinclude")?,
    };
    let exclude = match &options.exclude {
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
    store.size_of(oid) == Some(size) || git_lfs_has(repository, oid, size)
}

/// Whether an object lies in this clone itself, and not only in a cache that clones share.
pub(crate) fn is_in_clone(store: &Store, repository: &Repository, oid: &str, size: u64) -> bool {
    store.size_in_clone(oid) == Some(size) || git_lfs_has(repository, oid, size)
}

fn git_lfs_has(repository: &Repository, oid: &str, size: u64) -> bool {
    let size_in = |folder: &PathBuf| -> Option<u64> {
        let place = folder.join(oid.get(..2)?).join(oid.get(2..4)?).join(oid);
        place.symlink_metadata().ok().filter(|facts| facts.is_file()).map(|facts| facts.len())
    };
    repository.git_lfs_stores().iter().any(|folder| size_in(folder) == Some(size))
}

/// Puts content in the place of each pointer whose object is here. A file that cannot be written does not keep the
/// others from it, and git's index always hears of those that were. Also gives the pointers whose entry in the cache
/// is something else.
fn place(
    client: &Client,
    repository: &Repository,
    pointers: &[PointerFile],
    report: &TransferReport,
) -> Result<(Placed, Vec<PointerFile>), Fault> {
    let store = repository.store()?;
    let ended_well = report.outcomes.iter().filter(|outcome| outcome.is_present());
    let here: HashMap<&str, u64> = ended_well.map(|outcome| (outcome.oid.as_str(), outcome.size)).collect();
    let unwritable = |error: &io::Error| Fault::local("the work tree cannot be written", error);
    let mut placer = Placer::new(&repository.top, &client.cancel).map_err(|error| unwritable(&error))?;
    let (mut placed, mut wrong) = (Placed::default(), Vec::new());
    let mut replaced = HashSet::new();
    for one in pointers.iter().filter(|one| here.get(one.pointer.oid.as_str()) == Some(&one.pointer.size)) {
        if client.cancel.is_cancelled() {
            placed.was_interrupted = true;
            break;
        }
        let why = match place_one(&store, &mut placer, one) {
            Ok(Swap::Done) => {
                placed.in_place += 1;
                replaced.insert(one.path.as_slice());
                continue;
            }
            Ok(Swap::Interrupted) => {
                placed.was_interrupted = true;
                break;
            }
            Ok(Swap::Changed) => "it is no longer the same pointer".to_owned(),
            Ok(Swap::Extended) => "its pointer names filters that hydrant does not run".to_owned(),
            Ok(Swap::Corrupt) => {
                wrong.push(one.clone());
                continue;
            }
            Err(fault) => fault.detail,
        };
        placed.left.push(LeftPointer { path: quote(&one.path), detail: why });
    }
    placed.index_lags = !stat_cache::forget(repository, &replaced).unwrap_or(false);
    Ok((placed, wrong))
}

fn place_one(store: &Store, placer: &mut Placer, one: &PointerFile) -> Result<Swap, Fault> {
    match store.open_verified(&one.pointer.oid, one.pointer.size)? {
        Look::Content(content) => {
            placer.place(one, content).map_err(|error| Fault::local("it cannot be written", &error))
        }
        Look::Corrupt | Look::Absent => Ok(Swap::Corrupt),
    }
}
