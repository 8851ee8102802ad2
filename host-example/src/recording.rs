//! Which files of a session are to be published, and where their content lies.
//!
//! The rules it keeps: only looks; regular files only, a symlink is refused by name; a pointer in the session's folder
//! that the manifest names is published already, and any other pointer is no content.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use hydrant_host::engine::Guest;
use hydrant_host::files::Files;
use hydrant_host::scan::POINTER_BYTES_LIMIT;
use hydrant_host::wit::manifests::{Manifest, Storage};
use hydrant_host::wit::pointers::{Kind, Sample};
use hydrant_host::wit::types::Code;

use crate::cli::PublishArgs;
use crate::ending::Fault;
use crate::ledger::{MANIFEST, path_in};
use crate::report::quote;
use crate::repository::Repository;

/// Content files of a session unless `hydrant.contentFiles` lists others.
const CONTENT_FILES: [&str; 5] = ["raw.jsonl", "summary.md", "session.md", "plan.md", "context-trace.jsonl"];
/// git's name for that setting, as `git config --list` prints it.
const CONTENT_SETTING: &str = "hydrant.contentfiles";
/// Files that git carries as they are.
const IN_GIT_FILES: [&str; 1] = ["summary.json"];
/// Where the original recorder keeps a session's content, outside the tracked paths.
const ORIGINAL_CACHE: &str = ".sageox/cache/sessions";
/// Folders below each other at most.
const DEPTH_MAX: usize = 16;
/// Files of one session at most; the engine's own limit is lower.
const FILES_MAX: usize = 65_536;

/// One file to publish.
pub(crate) struct Recorded {
    /// Its name within the session.
    pub(crate) name: String,
    /// Where its content lies; none: in the session's own folder.
    pub(crate) path: Option<PathBuf>,
    pub(crate) in_git: bool,
    pub(crate) size: u64,
}

/// The files of a session.
pub(crate) struct Recording {
    pub(crate) files: Vec<Recorded>,
    /// Files in the session's folder that are pointers already, as the manifest has them.
    pub(crate) published: usize,
    /// Names of files in the session's folder that nobody asked to publish.
    pub(crate) left_out: Vec<String>,
}

/// The files that a publish is to take.
pub(crate) fn find(
    arguments: &PublishArgs,
    repository: &Repository,
    tree: &Files,
    session: &str,
    manifest: Option<&Manifest>,
    guest: &mut Guest,
) -> Result<Recording, Fault> {
    let in_git = |name: &str| {
        let stored = manifest.and_then(|manifest| manifest.files.iter().find(|file| file.name == name));
        stored.is_some_and(|file| file.storage == Storage::Git)
            || IN_GIT_FILES.contains(&name)
            || arguments.in_git.iter().any(|other| other == name)
    };
    if let Some(folder) = &arguments.from {
        let files = folder_files(folder)?;
        let recorded =
            |(name, path, size): (String, PathBuf, u64)| Recorded { in_git: in_git(&name), name, path: Some(path), size };
        return Ok(Recording { files: files.into_iter().map(recorded).collect(), published: 0, left_out: Vec::new() });
    }
    let mut recording = Recording { files: Vec::new(), published: 0, left_out: Vec::new() };
    let original = repository.top.join(ORIGINAL_CACHE).join(session);
    let aside: BTreeMap<String, (PathBuf, u64)> = match original.symlink_metadata() {
        Ok(facts) if facts.is_dir() => {
            folder_files(&original)?.into_iter().map(|(name, path, size)| (name, (path, size))).collect()
        }
        _ => BTreeMap::new(),
    };
    let mut small = Vec::new();
    for name in wanted_names(arguments, repository, manifest) {
        if let Some((path, size)) = aside.get(&name) {
            let (in_git, path) = (in_git(&name), Some(path.clone()));
            recording.files.push(Recorded { name, path, in_git, size: *size });
            continue;
        }
        let opened = tree.open(&path_in(session, &name));
        let opened = opened.map_err(|error| Fault::local(&quote(name.as_bytes()), &error))?;
        let Some(mut opened) = opened else {
            if arguments.files.contains(&name) || arguments.in_git.contains(&name) {
                return Err(Fault::misuse(format!("the session has no file {}", quote(name.as_bytes()))));
            }
            continue;
        };
        if opened.size < POINTER_BYTES_LIMIT as u64 && opened.size > 0 {
            let mut head = Vec::new();
            opened.file.read_to_end(&mut head).map_err(|error| Fault::local(&quote(name.as_bytes()), &error))?;
            small.push((recording.files.len(), Sample { head, file_size: opened.size }));
        }
        let in_git = in_git(&name);
        recording.files.push(Recorded { name, path: None, in_git, size: opened.size });
    }
    without_pointers(&mut recording, small, manifest, guest)?;
    recording.left_out = left_out(&repository.top.join(path_in(session, "")), &recording, manifest);
    Ok(recording)
}

/// Names of a session's files that a publish takes from its own folder.
fn wanted_names(arguments: &PublishArgs, repository: &Repository, manifest: Option<&Manifest>) -> Vec<String> {
    let configured = repository.setting(CONTENT_SETTING);
    let mut names: Vec<String> = match &configured {
        Some(list) => list.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect(),
        None => CONTENT_FILES.map(str::to_owned).to_vec(),
    };
    names.extend(IN_GIT_FILES.map(str::to_owned));
    let more = arguments.files.iter().chain(&arguments.in_git).cloned();
    names.extend(manifest.into_iter().flat_map(|manifest| manifest.files.iter().map(|file| file.name.clone())));
    names.extend(more);
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// Takes out what is a pointer already; one that is not the manifest's is refused.
fn without_pointers(
    recording: &mut Recording,
    small: Vec<(usize, Sample)>,
    manifest: Option<&Manifest>,
    guest: &mut Guest,
) -> Result<(), Fault> {
    let (places, samples): (Vec<usize>, Vec<Sample>) = small.into_iter().unzip();
    let mut published = vec![false; recording.files.len()];
    for (at, kind) in places.into_iter().zip(guest.classify_many(&samples)?) {
        let name = &recording.files[at].name;
        let shown = quote(name.as_bytes());
        match kind {
            Kind::Content(_) => {}
            Kind::Malformed(finding) => {
                let why = guest.explain(finding)?;
                return Err(Fault::failed(Code::Malformed, format!("{shown} begins like a pointer and is broken: {why}")));
            }
            Kind::Pointer(pointer) => {
                let named = manifest.and_then(|manifest| manifest.files.iter().find(|file| file.name == *name));
                let oid = named.and_then(|file| file.oid.clone());
                if oid.as_deref() != Some(&pointer.oid) {
                    let says = oid.map_or_else(|| "names no blob for it".to_owned(), |oid| format!("names {oid}"));
                    return Err(Fault::failed(
                        Code::Conflict,
                        format!("{shown} is a pointer to {}, but the manifest {says}; a pointer is no content", pointer.oid),
                    ));
                }
                published[at] = true;
            }
        }
    }
    recording.published = published.iter().filter(|published| **published).count();
    let mut published = published.into_iter();
    recording.files.retain(|_| !published.next().unwrap_or(false));
    Ok(())
}

/// What else stands in the session's folder.
fn left_out(folder: &Path, recording: &Recording, manifest: Option<&Manifest>) -> Vec<String> {
    let known = |name: &str| {
        name == MANIFEST
            || name.starts_with('.')
            || recording.files.iter().any(|file| file.name == name)
            || manifest.is_some_and(|manifest| manifest.files.iter().any(|file| file.name == name))
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let mut names: Vec<String> = files.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| !known(name));
    names.sort_unstable();
    names
}

/// The regular files beneath a folder, by names with slashes, in order. Hidden ones and the manifest are left out.
fn folder_files(folder: &Path) -> Result<Vec<(String, PathBuf, u64)>, Fault> {
    let mut files = Vec::new();
    let mut stack = vec![(folder.to_owned(), String::new(), 0)];
    while let Some((folder, prefix, depth)) = stack.pop() {
        let unreadable = |error: &std::io::Error| Fault::local("the folder of the session cannot be read", error);
        for entry in fs::read_dir(&folder).map_err(|error| unreadable(&error))? {
            let entry = entry.map_err(|error| unreadable(&error))?;
            let Ok(name) = entry.file_name().into_string() else {
                return Err(Fault::misuse("the folder holds a name that is no text"));
            };
            let name_in = format!("{prefix}{name}");
            if name.starts_with('.') || name_in == MANIFEST {
                continue;
            }
            let facts = entry.path().symlink_metadata().map_err(|error| unreadable(&error))?;
            if facts.is_dir() && depth < DEPTH_MAX {
                stack.push((entry.path(), format!("{name_in}/"), depth + 1));
            } else if facts.is_file() {
                files.push((name_in, entry.path(), facts.len()));
            } else {
                let shown = quote(name_in.as_bytes());
                return Err(Fault::misuse(format!("{shown} is no regular file, and only those are published")));
            }
            if files.len() > FILES_MAX {
                return Err(Fault::failed(Code::Limit, format!("the folder holds more than {FILES_MAX} files")));
            }
        }
    }
    files.sort();
    Ok(files)
}
