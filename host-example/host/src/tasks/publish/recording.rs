//! Which files of a session are to be published, and where their content lies.
//!
//! The rules it keeps: only looks; regular files only, a symlink is refused by name; a pointer in the session's folder
//! that the manifest names is published already, and any other pointer is no content.

mod folder;

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::contract::error::{Fault, FaultKind};
use crate::contract::manifests::{FileRef, FileStorage, Manifest};
use crate::contract::pointers::{Kind, Sample};
use crate::contract::types::Code;
use crate::engine::Guest;
use crate::files::Files;
use crate::files::digest::blob_of_file;
use crate::repository::Repository;
use crate::sessions::content_files::{IN_GIT_FILES, content_files};
use crate::sessions::ledger::{MANIFEST, SESSIONS, path_in};
use crate::sessions::replaced::{self, Replaced};
use crate::text::quote;
use crate::worktree::scan::POINTER_BYTES_LIMIT;

use super::options::PublishOptions;
pub(super) use folder::named;
use folder::{Listed, listed};

/// Why content is left out that git tracks where a recorder keeps its own.
const COMMITTED: &str = "git tracks it, so no recorder left it there; --from takes it all the same";
/// Why content of the session's folder is left out.
const DIFFERS: &str = "the recorder's cache has other content of this name, which is taken; --from takes this one";
/// Why a file of the original recorder's cache is not published.
const REPLACED: &str = "something else was published in its place; --from takes it all the same";
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
    /// Names of files that stay where they are, and why nobody would want to lose sight of them.
    pub(super) left_out: Vec<(String, &'static str)>,
    /// Files of the user's folder whose names the session's folder gives to other content.
    pub(super) covered: usize,
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
    let search = Search { options, repository, tree, session, refs, unfinished };
    let own = repository.top.join(SESSIONS).join(session);
    let recording = match &options.from {
        Some(folder) => {
            let real = folder.canonicalize().ok().filter(|real| real.is_dir());
            let real = real.ok_or_else(|| Fault::misuse("--from: there is no such folder"))?;
            if repository.common_dir.canonicalize().is_ok_and(|own| real.starts_with(own)) {
                return Err(Fault::misuse("--from: that is git's own folder, and no recording"));
            }
            let (files, left_out) = listed(&real, guest)?;
            if own.canonicalize().is_ok_and(|own| own == real) {
                let names = files.into_iter().map(|file| file.name).collect();
                Recording { left_out, ..search.in_session(names, guest)? }
            } else {
                Recording { left_out, ..search.aside(files, guest)? }
            }
        }
        None => {
            let mut recording = search.in_session(search.wanted_names(), guest)?;
            recording.left_out.extend(search.left_out());
            recording
        }
    };
    for name in options.in_git.iter().chain(&options.files) {
        if !recording.published.contains(name) && recording.files.iter().all(|file| file.name != *name) {
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

fn appended(name: &str, why: &str) -> Fault {
    let detail = format!("{}: {why}", quote(name.as_bytes()));
    Fault { kind: FaultKind::Part, ..Fault::failed(Code::Rejected, detail) }
}

/// A path in words that stay the same from run to run.
pub(super) fn place_of(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).to_string_lossy().into_owned()
}

struct Search<'a> {
    options: &'a PublishOptions,
    repository: &'a Repository,
    tree: &'a Files,
    session: &'a str,
    /// What the manifest says of each file.
    refs: HashMap<&'a str, &'a FileRef>,
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
        for Listed { name, path, size } in files {
            let sample = fs::File::open(&path).and_then(|mut file| sample_of(&mut file, size));
            let sample = sample.map_err(|error| Fault::local(&quote(name.as_bytes()), &error))?;
            if guest.appended_to(&sample)?.is_some() {
                return Err(appended(&name, "something was appended to a pointer, and a pointer is no content"));
            }
            let in_git = self.in_git(&name);
            let place = match self.stands_in_session(&name, &path, size)? {
                Some(true) if !in_git => Place::InSession,
                stands => {
                    recording.covered += usize::from(stands == Some(false) && !in_git);
                    Place::At(path)
                }
            };
            recording.files.push(Recorded { name, place, in_git, size });
        }
        Ok(recording)
    }

    /// Whether content of this name in the session's folder is the same as in a file; none: no content stands there.
    fn stands_in_session(&self, name: &str, path: &Path, size: u64) -> Result<Option<bool>, Fault> {
        let unreadable = |error: &std::io::Error| Fault::local(&quote(name.as_bytes()), error);
        let opened = self.tree.open(&path_in(self.session, name)).map_err(|error| unreadable(&error))?;
        let Some(mut opened) = opened else { return Ok(None) };
        if opened.size < POINTER_BYTES_LIMIT as u64 && opened.size != size {
            // A pointer, or something as small: whoever follows the remote looks at it again.
            return Ok(None);
        }
        if opened.size != size {
            return Ok(Some(false));
        }
        let mut other = fs::File::open(path).map_err(|error| unreadable(&error))?;
        let digests = blob_of_file(&mut opened.file).and_then(|here| Ok((here, blob_of_file(&mut other)?)));
        let (here, there) = digests.map_err(|error| unreadable(&error))?;
        Ok(Some(here.oid == there.oid))
    }

    /// Files of these names: from the original recorder's cache, else from the session's own folder.
    fn in_session(&self, names: Vec<String>, guest: &mut Guest) -> Result<Recording, Fault> {
        let mut recording = Recording::default();
        let mut small = Vec::new();
        let cache = replaced::folder_of(self.session);
        let has_cache = self.options.from.is_none() && self.repository.is_real_folder(&cache);
        let replaced = Replaced::of(self.repository, self.session);
        let committed = if has_cache { self.tracked_in(&cache)? } else { BTreeSet::new() };
        for name in names {
            let unreadable = |error: &io::Error| Fault::local(&quote(name.as_bytes()), error);
            let in_git = self.in_git(&name);
            let cached = format!("{cache}/{name}");
            if committed.contains(cached.as_bytes()) {
                recording.left_out.push((cached, COMMITTED));
            } else if has_cache && let Some(opened) = self.tree.open(&cached).map_err(|error| unreadable(&error))? {
                if !replaced.holds(&name, &opened.revision) {
                    let path = self.repository.top.join(&cached);
                    if self.stands_in_session(&name, &path, opened.size)? == Some(false) {
                        recording.left_out.push((path_in(self.session, &name), DIFFERS));
                    }
                    recording.files.push(Recorded { name, place: Place::InTree(cached), in_git, size: opened.size });
                    continue;
                }
                recording.left_out.push((cached, REPLACED));
            }
            let opened = self.tree.open(&path_in(self.session, &name)).map_err(|error| unreadable(&error))?;
            let Some(mut opened) = opened else { continue };
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
        self.without_pointers(&mut recording, small, guest)?;
        Ok(recording)
    }

    /// What git tracks beneath the recorder's cache. A recorder commits nothing there, so it is somebody else's.
    fn tracked_in(&self, cache: &str) -> Result<BTreeSet<Vec<u8>>, Fault> {
        let listed = self.repository.git.read(&["--literal-pathspecs", "ls-files", "-z", "--", cache], b"")?;
        Ok(listed.split(|byte| *byte == 0).filter(|path| !path.is_empty()).map(<[u8]>::to_vec).collect())
    }

    /// Names of a session's files that a publish looks for unless it is told a folder.
    fn wanted_names(&self) -> Vec<String> {
        let mut names = content_files(self.repository);
        names.extend(IN_GIT_FILES.map(str::to_owned));
        let mut named: Vec<String> = self.refs.keys().map(|name| (*name).to_owned()).collect();
        named.sort_unstable();
        names.extend(named);
        names.extend(self.options.files.iter().chain(&self.options.in_git).cloned());
        let mut seen = BTreeSet::new();
        names.retain(|name| name != MANIFEST && seen.insert(name.clone()));
        names
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

    /// What else stands in the session's folder.
    fn left_out(&self) -> Vec<(String, &'static str)> {
        let wanted: BTreeSet<String> = self.wanted_names().into_iter().collect();
        let known = |name: &str| name == MANIFEST || name.starts_with('.') || wanted.contains(name);
        let folder = self.repository.top.join(SESSIONS).join(self.session);
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
        let mut names: Vec<String> = files.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.retain(|name| !known(name));
        names.sort_unstable();
        names.into_iter().map(|name| (name, "nobody asked for it; --file takes it along")).collect()
    }
}
