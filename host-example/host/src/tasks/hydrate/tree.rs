//! The pointers of a work tree, as git-lfs would fetch them, and content in their place when that is asked for.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read};
use std::path::PathBuf;

use crate::contract::operations::Want;
use crate::files::Files;
use crate::store::{Look, Store};
use crate::tasks::client::Client;
use crate::worktree::patterns::Selection;
use crate::worktree::scan::{Candidate, POINTER_BYTES_LIMIT, WalkOptions};

use super::asked::pointers_stay;
use super::{HydrateOptions, LeftPointer, Placed, Wanting, fetch};
use crate::contract::error::Fault;
use crate::git::tree::Line;
use crate::repository::stat_cache;
use crate::repository::{Repository, committed};
use crate::tasks::assets;
use crate::tasks::transfer::TransferReport;
use crate::text::{io_words, quote};
use crate::worktree::in_place::{Placer, Swap};
use crate::worktree::pointer_files::{self, BrokenFile, Met, PointerFile};

/// What is told of an entry of the cache that is something else.
const WRONG_IN_CACHE: &str = "the cached content is not what the pointer names";

/// The pointers of some places.
#[derive(Default)]
pub(super) struct Found {
    /// Assets.
    pub(super) pointers: Vec<PointerFile>,
    /// Pointers in folders of sessions that no manifest was asked for. They stay.
    pub(super) of_sessions: Vec<PointerFile>,
    pub(super) broken: Vec<BrokenFile>,
    /// Places that could not be looked at.
    pub(super) unreadable: Vec<String>,
    /// Assets that the patterns leave out.
    pub(super) left_out: usize,
}

/// Finds the pointers of these places that are wanted.
pub(super) fn find(
    client: &Client,
    repository: &Repository,
    places: &[String],
    options: &HydrateOptions,
) -> Result<Found, Fault> {
    if places.is_empty() {
        return Ok(Found::default());
    }
    let mut search = Search {
        repository,
        of_assets: selection(repository, options)?,
        of_sessions: options.selection()?,
        seen: HashSet::new(),
        found: Found::default(),
    };
    for place in places {
        search.place(client, place, options.in_place)?;
    }
    Ok(search.found)
}

/// Puts content in the place of pointers. What the cache has something else for is fetched again.
pub(super) fn put_in_place(
    client: &Client,
    repository: &Repository,
    options: &HydrateOptions,
    pointers: &[PointerFile],
    transfer: &mut TransferReport,
) -> Result<Placed, Fault> {
    let (mut placed, wrong) = place(client, repository, pointers, transfer)?;
    if !wrong.is_empty() && !placed.was_interrupted {
        placed.add(fetch_again(client, repository, options, wrong, transfer)?);
    }
    Ok(placed)
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
    let again = match fetch(client, repository, options, Wanting::Objects(wants(&wrong)), &oids) {
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

/// What is looked for, and what was found so far.
struct Search<'a> {
    repository: &'a Repository,
    of_assets: Selection,
    /// What git's configuration leaves out is not meant for sessions.
    of_sessions: Selection,
    seen: HashSet<Vec<u8>>,
    found: Found,
}

impl Search<'_> {
    /// Searches a place. What manifests speak for beneath the top and the folder of the sessions is not meant: it is
    /// asked for by session.
    fn place(&mut self, client: &Client, place: &str, in_place: bool) -> Result<(), Fault> {
        let repository = self.repository;
        let path = repository.top.join(place);
        let unusable = |why: &str| Fault::misuse(format!("{}: {why}", quote(place.as_bytes())));
        let real = match path.canonicalize() {
            Ok(real) => real,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return match (self.only_in_git(client, place)?, in_place) {
                    (false, _) => {
                        Err(unusable("there is no such file, folder or session here; --include takes patterns"))
                    }
                    (true, false) => Ok(()),
                    (true, true) => Err(unusable("only git has it: `git restore` brings its pointer back first")),
                };
            }
            Err(error) => return Err(unusable(&io_words(&error))),
        };
        if real != path {
            return Err(unusable("it is reached through a symlink"));
        }
        let facts = real.symlink_metadata().map_err(|error| unusable(&io_words(&error)))?;
        let beneath = if facts.is_dir() { format!("{place}/") } else { place.to_owned() };
        if in_place && repository.is_of_session(beneath.as_bytes())? {
            return Err(pointers_stay(place));
        }
        let mut take = |met: Met| self.take(under(place, met));
        if facts.is_dir() {
            let walked = match [assets::Place::Top, assets::Place::Sessions].into_iter().find(|one| one.path() == place)
            {
                Some(whole) => assets::search(client, repository, whole, &mut take)?,
                None => pointer_files::search(client.engine()?, &real, WalkOptions::default(), &mut take)?,
            };
            self.found.unreadable.extend(pointer_files::unreadable(&walked, place.as_bytes()));
        } else if facts.is_file()
            && facts.len() < POINTER_BYTES_LIMIT as u64
            && let Some(bytes) = read_small(repository, place)?
            && let Some(met) = pointer_files::judge_file(client.engine()?, Vec::new(), bytes)?
        {
            take(met)?;
        }
        Ok(())
    }

    /// Takes the pointers that only git has beneath a place: those of the index, else those of the last commit. False:
    /// there are none.
    fn only_in_git(&mut self, client: &Client, place: &str) -> Result<bool, Fault> {
        let git = self.repository.as_it_is();
        let beneath = [place.to_owned()];
        if self.take_listed(client, committed::listed_in_index(git, place, &beneath)?)? {
            return Ok(true);
        }
        let Some(head) = git.commit("HEAD")? else { return Ok(false) };
        self.take_listed(client, committed::list(git, &head, place, &beneath)?)
    }

    /// Takes the pointers among these files of git's. False: there are none.
    fn take_listed(&mut self, client: &Client, mut listed: Vec<Line<String>>) -> Result<bool, Fault> {
        listed.retain(|line| line.entry.is_file());
        let ids: Vec<&str> = listed.iter().map(|line| line.entry.oid.as_str()).collect();
        let mut files = Vec::new();
        self.repository.as_it_is().contents(&ids, POINTER_BYTES_LIMIT as u64 - 1, &mut |at, _, bytes| {
            files.push(Candidate { path: listed[at].path.clone().into_bytes(), bytes });
            Ok::<_, Fault>(())
        })?;
        let mut has_any = false;
        pointer_files::judge_files(client.engine()?, files, &mut |met| {
            has_any = true;
            self.take(met)
        })?;
        Ok(has_any)
    }

    fn take(&mut self, met: Met) -> Result<(), Fault> {
        if !self.seen.insert(met.path().to_vec()) {
            return Ok(());
        }
        let is_of_session = self.repository.is_of_session(met.path())?;
        let selection = if is_of_session { &self.of_sessions } else { &self.of_assets };
        let is_wanted = selection.wants(met.path());
        match met {
            Met::Pointer(one) if is_wanted && is_of_session => self.found.of_sessions.push(one),
            Met::Pointer(one) if is_wanted => self.found.pointers.push(one),
            Met::Pointer(_) => self.found.left_out += usize::from(!is_of_session),
            Met::Broken(one) if is_wanted => self.found.broken.push(one),
            Met::Broken(_) => {}
        }
        Ok(())
    }
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
fn selection(repository: &Repository, options: &HydrateOptions) -> Result<Selection, Fault> {
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
pub(super) fn wants<'a>(pointers: impl IntoIterator<Item = &'a PointerFile>) -> Vec<Want> {
    let mut seen = HashSet::new();
    let first = pointers.into_iter().filter(|one| seen.insert((one.pointer.oid.as_str(), one.pointer.size)));
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
