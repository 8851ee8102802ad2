//! Which files of a session are to be published, and where their content lies.
//!
//! The rules it keeps: only looks; regular files only; what is not taken is told; a pointer in the session's folder
//! that the manifest names is published already, and any other pointer is no content.

mod folder;

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use crate::contract::error::{Fault, FaultKind};
use crate::contract::manifests::{FileRef, FileStorage, Manifest};
use crate::contract::pointers::{Kind, Sample};
use crate::contract::types::Code;
use crate::engine::Guest;
use crate::files::digest::blob_of_file;
use crate::files::{Files, names_no_file};
use crate::gate::copies;
use crate::repository::Repository;
use crate::sessions::content_files::{IN_GIT_FILES, content_files};
use crate::sessions::ledger::{MANIFEST, SESSIONS, path_in};
use crate::sessions::replaced::{self, Replaced};
use crate::text::quote;
use crate::worktree::patterns::Selection;
use crate::worktree::scan::POINTER_BYTES_LIMIT;

use super::left_out::{LeftOut, LeftOutReason};
use super::options::PublishOptions;
use folder::irregular;
pub(super) use folder::{Found, Listed, found, named};

/// Begins the name of whatever hydrant itself puts into a session's folder for a moment.
const OWN_TEMPORARY: &str = ".hydrant-";
/// Begins what the engine calls a file of the user's own folder.
const ASIDE: &str = "from/";

/// One file to publish.
pub(super) struct Recorded {
    /// Its name within the session.
    pub(super) name: String,
    pub(super) place: Place,
    /// Git carries it as it is.
    pub(super) in_git: bool,
    pub(super) size: u64,
}

/// Where content lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the session's own folder.
    InSession,
    /// Elsewhere in the work tree, by this name.
    InTree(String),
    /// In a folder of the user's choice.
    At(PathBuf),
}

/// The files of a session.
#[derive(Default)]
pub(super) struct Recording {
    pub(super) files: Vec<Recorded>,
    /// Files in the session's folder that are pointers already, as the manifest has them.
    pub(super) published: BTreeSet<String>,
    /// What is not published, and why.
    pub(super) left_out: Vec<LeftOut>,
}

impl Recorded {
    /// What the engine reads it by; none: by its place in the session.
    pub(super) fn source(&self) -> Option<String> {
        match &self.place {
            Place::InSession => None,
            Place::InTree(name) => Some(name.clone()),
            Place::At(_) => Some(format!("{ASIDE}{}", self.name)),
        }
    }

    /// Its name among the files of [`Recording::among`].
    pub(super) fn read_by(&self, session: &str) -> String {
        self.source().unwrap_or_else(|| path_in(session, &self.name))
    }

    /// Where it lies, in words that stay the same from run to run.
    pub(super) fn place_text(&self) -> String {
        match &self.place {
            Place::At(path) => place_of(path),
            _ => self.source().unwrap_or_default(),
        }
    }
}

impl Recording {
    /// These files, among those of the work tree.
    pub(super) fn among(&self, tree: Files) -> Files {
        let aside = self.files.iter().filter_map(|file| match &file.place {
            Place::At(path) => Some((format!("{ASIDE}{}", file.name), path.clone())),
            _ => None,
        });
        tree.and_listed(aside.collect())
    }
}

/// Looks for the files that a publish is to take. `unfinished`: an earlier one was interrupted, so pointers may stand
/// where the manifest has not followed yet.
pub(super) fn find(
    options: &PublishOptions,
    repository: &Repository,
    tree: &Files,
    session: &str,
    manifest: Option<&Manifest>,
    unfinished: bool,
    guest: &mut Guest,
) -> Result<Recording, Fault> {
    let refs: HashMap<&str, &FileRef> =
        manifest.into_iter().flat_map(|manifest| &manifest.files).map(|file| (file.name.as_str(), file)).collect();
    let excluded = options.excluded()?;
    let search = Search { options, repository, tree, session, refs, excluded, unfinished };
    let own = repository.top.join(SESSIONS).join(session);
    let recording = match &options.from {
        Some(folder) => {
            let real = named(folder)?;
            let is_in = |folder: &Path| folder.canonicalize().is_ok_and(|folder| real.starts_with(folder));
            // What was published already is copied there, to be published without its secrets.
            if is_in(&repository.common_dir) && !is_in(&copies::within(&repository.store_dir())) {
                return Err(Fault::misuse("--from: that is git's own folder, and no recording"));
            }
            let Found { files, left_out } = found(&real, &search.excluded)?.with_usable_names(guest)?;
            if own.canonicalize().is_ok_and(|own| own == real) {
                let names = files.into_iter().map(|file| file.name).collect();
                let mut recording = search.in_session(names, guest)?;
                recording.left_out.extend(search.not_git_s(left_out, &own)?);
                recording
            } else {
                let mut recording = search.aside(files, guest)?;
                recording.left_out.extend(left_out);
                recording
            }
        }
        None => {
            let wanted = search.wanted_names()?;
            let mut recording = search.in_session(wanted.clone(), guest)?;
            recording.left_out.extend(search.not_asked_for(&own, &wanted.into_iter().collect(), guest)?);
            recording
        }
    };
    for name in options.in_git.iter().chain(&options.files) {
        let is_told = |one: &LeftOut| one.name == *name || one.name == path_in(session, name);
        if let Some(told) = recording.left_out.iter().find(|one| is_told(one)) {
            if told.reason == LeftOutReason::Excluded {
                return Err(Fault::misuse(format!(
                    "{}: it is named, and --exclude leaves it out",
                    quote(name.as_bytes())
                )));
            }
        } else if !recording.published.contains(name) && recording.files.iter().all(|file| file.name != *name) {
            return Err(Fault::misuse(format!("the session has no file {}", quote(name.as_bytes()))));
        }
    }
    Ok(recording)
}

/// The beginning of a file, as the engine judges it.
fn sample_of(file: &mut fs::File, file_size: u64) -> io::Result<Sample> {
    let mut head = Vec::new();
    file.take(POINTER_BYTES_LIMIT as u64).read_to_end(&mut head)?;
    Ok(Sample { head, file_size })
}

/// Whether any of these paths lies in a folder, whose path ends in a slash. git names a repository within as a whole.
fn has_beneath(paths: &BTreeSet<Vec<u8>>, folder: &[u8]) -> bool {
    let next = paths.range(folder.to_vec()..).next();
    let mut above = (0..folder.len()).filter(|at| folder[*at] == b'/').map(|at| &folder[..=at]);
    next.is_some_and(|path| path.starts_with(folder)) || above.any(|above| paths.contains(above))
}

fn appended(name: &str, why: &str) -> Fault {
    let detail = format!("{}: {why}", quote(name.as_bytes()));
    Fault { kind: FaultKind::Part, ..Fault::failed(Code::Rejected, detail) }
}

/// A path in words that stay the same from run to run.
pub(super) fn place_of(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).to_string_lossy().into_owned()
}

/// What stands in the session's folder under the name of content that lies elsewhere.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// No content.
    Nothing,
    TheSame,
    Other,
}

struct Search<'a> {
    options: &'a PublishOptions,
    repository: &'a Repository,
    tree: &'a Files,
    session: &'a str,
    /// What the manifest says of each file.
    refs: HashMap<&'a str, &'a FileRef>,
    excluded: Selection,
    unfinished: bool,
}

impl Search<'_> {
    fn in_git(&self, name: &str) -> bool {
        self.refs.get(name).is_some_and(|file| file.storage == FileStorage::Git)
            || IN_GIT_FILES.contains(&name)
            || self.options.in_git.iter().any(|other| other == name)
    }

    /// Files of a folder of the user's. The same content in the session's own folder is taken from there: it then makes
    /// room for its pointer.
    fn aside(&self, files: Vec<Listed>, guest: &mut Guest) -> Result<Recording, Fault> {
        let mut recording = Recording::default();
        let mut others = Vec::new();
        for Listed { name, path } in files {
            let unreadable = |error: &io::Error| Fault::local(&quote(name.as_bytes()), error);
            let opened = Files::listed(vec![(String::new(), path.clone())]).open("");
            // Gone since its folder was listed.
            let Some(mut opened) = opened.map_err(|error| unreadable(&error))? else { continue };
            let size = opened.size;
            let sample = sample_of(&mut opened.file, size).map_err(|error| unreadable(&error))?;
            if guest.appended_to(&sample)?.is_some() {
                return Err(appended(&name, "something was appended to a pointer, and a pointer is no content"));
            }
            let in_git = self.in_git(&name);
            let place = match self.stands_in_session(&name, &path, size, guest)? {
                Standing::TheSame if !in_git => Place::InSession,
                standing => {
                    // What stands in the place of a file that git carries is an obstacle.
                    others.extend((standing == Standing::Other && !in_git).then(|| path_in(self.session, &name)));
                    Place::At(path)
                }
            };
            recording.files.push(Recorded { name, place, in_git, size });
        }
        recording.left_out.extend(self.not_as_in_git(others)?);
        Ok(recording)
    }

    /// What stands in the session's folder under the name of this file.
    fn stands_in_session(&self, name: &str, path: &Path, size: u64, guest: &mut Guest) -> Result<Standing, Fault> {
        let unreadable = |error: &io::Error| Fault::local(&quote(name.as_bytes()), error);
        let opened = self.tree.open(&path_in(self.session, name)).map_err(|error| unreadable(&error))?;
        let Some(mut opened) = opened else { return Ok(Standing::Nothing) };
        if opened.size == size {
            let mut other = fs::File::open(path).map_err(|error| unreadable(&error))?;
            let digests = blob_of_file(&mut opened.file).and_then(|here| Ok((here, blob_of_file(&mut other)?)));
            let (here, there) = digests.map_err(|error| unreadable(&error))?;
            if here.oid == there.oid {
                return Ok(Standing::TheSame);
            }
            opened.file.rewind().map_err(|error| unreadable(&error))?;
        }
        if opened.size >= POINTER_BYTES_LIMIT as u64 {
            return Ok(Standing::Other);
        }
        let sample = sample_of(&mut opened.file, opened.size).map_err(|error| unreadable(&error))?;
        // The empty file is the pointer of the empty blob.
        let is_pointer = guest.classify_many(&[sample])?.iter().all(|kind| matches!(kind, Kind::Pointer(_)));
        Ok(if is_pointer { Standing::Nothing } else { Standing::Other })
    }

    /// Of these files of the session's folder, in whose place other content is published, those that are not as git has
    /// them: they stay as they are.
    fn not_as_in_git(&self, mut paths: Vec<String>) -> Result<Vec<LeftOut>, Fault> {
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let folder = format!("{SESSIONS}/{}", self.session);
        let (tracked, changed) = (self.in_index(&[], &folder)?, self.in_index(&["--modified"], &folder)?);
        paths.retain(|path| !tracked.contains(path.as_bytes()) || changed.contains(path.as_bytes()));
        Ok(paths.into_iter().map(|path| LeftOut::of_the_users(path, LeftOutReason::Differs)).collect())
    }

    /// Files of these names: from the original recorder's cache, else from the session's own folder.
    fn in_session(&self, names: Vec<String>, guest: &mut Guest) -> Result<Recording, Fault> {
        let mut recording = Recording::default();
        let (mut small, mut others) = (Vec::new(), Vec::new());
        let cache = replaced::folder_of(self.session);
        let has_cache = self.options.from.is_none() && self.repository.is_real_folder(&cache);
        let replaced = Replaced::of(self.repository, self.session);
        let committed = if has_cache { self.tracked_in(&cache)? } else { BTreeSet::new() };
        for name in names {
            let unreadable = |error: &io::Error| Fault::local(&quote(name.as_bytes()), error);
            let in_git = self.in_git(&name);
            let cached = format!("{cache}/{name}");
            let own = path_in(self.session, &name);
            if !self.excluded.wants(name.as_bytes()) {
                self.exclude(&name, own, &mut recording);
                continue;
            }
            if committed.contains(cached.as_bytes()) {
                recording.left_out.push(LeftOut::of_others(cached, LeftOutReason::Tracked));
            } else if has_cache && let Some(reason) = self.irregular(&cached) {
                recording.left_out.push(LeftOut::of_the_users(cached, reason));
            } else if has_cache && let Some(opened) = self.tree.open(&cached).map_err(|error| unreadable(&error))? {
                if !replaced.holds(&name, &opened.revision) {
                    let path = self.repository.top.join(&cached);
                    if !in_git && self.stands_in_session(&name, &path, opened.size, guest)? == Standing::Other {
                        others.push(own);
                    }
                    recording.files.push(Recorded { name, place: Place::InTree(cached), in_git, size: opened.size });
                    continue;
                }
                recording.left_out.push(LeftOut::of_others(cached, LeftOutReason::Replaced));
            }
            if let Some(reason) = self.irregular(&own) {
                recording.left_out.push(LeftOut::of_the_users(own, reason));
                continue;
            }
            let Some(mut opened) = self.tree.open(&own).map_err(|error| unreadable(&error))? else { continue };
            let sample = sample_of(&mut opened.file, opened.size).map_err(|error| unreadable(&error))?;
            if guest.appended_to(&sample)?.is_some() {
                let why = "something was appended to its pointer: `hydrant doctor` says how it becomes content";
                return Err(appended(&name, why));
            }
            if opened.size < POINTER_BYTES_LIMIT as u64 && opened.size > 0 {
                small.push((recording.files.len(), sample));
            }
            recording.files.push(Recorded { name, place: Place::InSession, in_git, size: opened.size });
        }
        recording.left_out.extend(self.not_as_in_git(others)?);
        self.without_pointers(&mut recording, small, guest)?;
        Ok(recording)
    }

    /// What git tracks beneath the recorder's cache. A recorder commits nothing there, so it is somebody else's.
    fn tracked_in(&self, cache: &str) -> Result<BTreeSet<Vec<u8>>, Fault> {
        self.in_index(&[], cache)
    }

    /// What git lists beneath a folder.
    fn in_index(&self, which: &[&str], folder: &str) -> Result<BTreeSet<Vec<u8>>, Fault> {
        let arguments = [&["--literal-pathspecs", "ls-files", "-z"], which, &["--", folder]].concat();
        let listed = self.repository.git.read(&arguments, b"")?;
        Ok(listed.split(|byte| *byte == 0).filter(|path| !path.is_empty()).map(<[u8]>::to_vec).collect())
    }

    /// Why something in the work tree is no file that could be taken; none where nothing stands.
    fn irregular(&self, path: &str) -> Option<LeftOutReason> {
        let error = self.tree.open(path).err()?;
        let facts = self.repository.top.join(path).symlink_metadata().ok();
        // Else something above it is a symlink or no folder; an invalid name is neither.
        let is_behind = error.kind() != io::ErrorKind::InvalidInput && names_no_file(&error);
        facts.and_then(|facts| irregular(facts.file_type())).or(is_behind.then_some(LeftOutReason::Symlink))
    }

    /// Leaves a file out because the user says so. What the session has of it stays.
    fn exclude(&self, name: &str, own: String, recording: &mut Recording) {
        let is_named = self.refs.contains_key(name);
        if is_named {
            recording.published.insert(name.to_owned());
        }
        let facts = self.repository.top.join(&own).symlink_metadata();
        // A pointer that the manifest names is no content that anybody would miss.
        if facts.is_ok_and(|facts| !is_named || facts.len() >= POINTER_BYTES_LIMIT as u64) {
            recording.left_out.push(LeftOut::of_the_users(own, LeftOutReason::Excluded));
        }
    }

    /// Names of a session's files that a publish looks for unless it is told a folder.
    fn wanted_names(&self) -> Result<Vec<String>, Fault> {
        let mut names = content_files(self.repository);
        names.extend(IN_GIT_FILES.map(str::to_owned));
        let mut named: Vec<String> = self.refs.keys().map(|name| (*name).to_owned()).collect();
        named.sort_unstable();
        if named.iter().any(|name| !names.contains(name)) {
            // Whoever can commit a manifest could ask for any file that happens to lie here. What is the user's own
            // word is a manifest that git does not have yet, and what was published has its pointer in git.
            let tracked = self.in_index(&[], &format!("{SESSIONS}/{}", self.session))?;
            let is_git_s = |name: &str| tracked.contains(path_in(self.session, name).as_bytes());
            if is_git_s(MANIFEST) {
                named.retain(|name| is_git_s(name));
            }
        }
        names.extend(named);
        names.extend(self.options.files.iter().chain(&self.options.in_git).cloned());
        let mut seen = BTreeSet::new();
        names.retain(|name| name != MANIFEST && seen.insert(name.clone()));
        Ok(names)
    }

    /// Takes out what is a pointer already; one that is not the manifest's is refused.
    fn without_pointers(
        &self,
        recording: &mut Recording,
        small: Vec<(usize, Sample)>,
        guest: &mut Guest,
    ) -> Result<(), Fault> {
        let (places, samples): (Vec<usize>, Vec<Sample>) = small.into_iter().unzip();
        let mut pointers = BTreeSet::new();
        for (at, kind) in places.into_iter().zip(guest.classify_many(&samples)?) {
            let name = &recording.files[at].name;
            let shown = quote(name.as_bytes());
            match kind {
                Kind::Content(_) => {}
                Kind::Malformed(finding) => {
                    let why = guest.explain(finding)?;
                    let detail = format!("{shown} begins like a pointer and is broken: {why}");
                    return Err(Fault { kind: FaultKind::Part, ..Fault::failed(Code::Malformed, detail) });
                }
                Kind::Pointer(pointer) => {
                    pointers.insert(at);
                    let oid = self.refs.get(name.as_str()).and_then(|file| file.oid.clone());
                    if oid.as_deref() == Some(&pointer.oid) {
                        recording.published.insert(name.clone());
                    } else if !self.unfinished {
                        let says = oid.map_or_else(|| "names no blob for it".to_owned(), |oid| format!("names {oid}"));
                        let detail = format!(
                            "{shown} is a pointer to {}, but the manifest {says}; a pointer is no content",
                            pointer.oid
                        );
                        return Err(Fault { kind: FaultKind::Part, ..Fault::failed(Code::Conflict, detail) });
                    }
                }
            }
        }
        let mut at = 0..;
        recording.files.retain(|_| at.next().is_none_or(|at| !pointers.contains(&at)));
        Ok(())
    }

    /// What else stands in the session's folder, and in the recorder's cache.
    fn not_asked_for(&self, own: &Path, wanted: &BTreeSet<String>, guest: &mut Guest) -> Result<Vec<LeftOut>, Fault> {
        let others = |folder: &Path, guest: &mut Guest| -> Result<Vec<LeftOut>, Fault> {
            let Found { files, mut left_out } = found(folder, &self.excluded)?.with_usable_names(guest)?;
            let names = files.into_iter().map(|file| file.name);
            left_out.extend(names.map(|name| LeftOut::of_the_users(name, LeftOutReason::NotAskedFor)));
            left_out.retain(|one| !wanted.contains(&one.name) && one.reason != LeftOutReason::Manifest);
            Ok(left_out)
        };
        let folder = format!("{SESSIONS}/{}", self.session);
        let mut left_out = Vec::new();
        if self.repository.is_real_folder(&folder) {
            let there = self.not_git_s(others(own, guest)?, own)?;
            left_out.extend(there.into_iter().map(|one| one.within(&folder)));
        }
        let cache = replaced::folder_of(self.session);
        if self.repository.is_real_folder(&cache) {
            // Nobody named this folder.
            let there = others(&self.repository.top.join(&cache), guest)?;
            left_out.extend(there.into_iter().map(|one| LeftOut { asked_for: false, ..one }.within(&cache)));
        }
        Ok(left_out)
    }

    /// The same without the manifest, and without what git carries: that is in the ledger already.
    fn not_git_s(&self, mut left_out: Vec<LeftOut>, own: &Path) -> Result<Vec<LeftOut>, Fault> {
        // What a run that died left here is the doctor's to name.
        let is_ours = |name: &str| name.rsplit('/').next().is_some_and(|last| last.starts_with(OWN_TEMPORARY));
        left_out.retain(|one| one.reason != LeftOutReason::Manifest && !is_ours(&one.name));
        if left_out.is_empty() {
            return Ok(left_out);
        }
        let folder = format!("{SESSIONS}/{}", self.session);
        let tracked = self.in_index(&[], &folder)?;
        let path_of = |one: &LeftOut| format!("{folder}/{}", one.name).into_bytes();
        let is_folder = |one: &LeftOut| one.name.ends_with('/');
        // Listed once, and only where a folder holds anything of git's.
        let asks = left_out.iter().any(|one| is_folder(one) && has_beneath(&tracked, &path_of(one)));
        let others = if asks { self.in_index(&["--others"], &folder)? } else { BTreeSet::new() };
        let is_git_s = |one: &LeftOut| {
            let path = path_of(one);
            if !is_folder(one) {
                return tracked.contains(&path);
            }
            // All of it, or the user shall know.
            own.join(&one.name).is_dir() && has_beneath(&tracked, &path) && !has_beneath(&others, &path)
        };
        left_out.retain(|one| !is_git_s(one));
        Ok(left_out)
    }
}
