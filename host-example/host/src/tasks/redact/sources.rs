//! The files that are looked through, and where their copies go: as `cp -r` would have them.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::error::Fault;
use crate::files::facts::Kind;
use crate::files::{Access, Dir, Files, Opened};
use crate::text::{io_words, quote, quote_path};

/// Folders below each other at most.
const DEPTH_MAX: usize = 256;

/// A file that was not looked through.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct UncheckedFile {
    /// The file, as it was named.
    pub file: String,
    /// Why.
    pub why: String,
}

/// Files, and what is none.
#[derive(Default)]
pub(super) struct Sources {
    pub(super) files: Vec<Source>,
    pub(super) others: Vec<UncheckedFile>,
    /// Links, which are not followed: what they lead to is no part of their folder.
    pub(super) links: u64,
}

/// One file.
pub(super) struct Source {
    /// As the user named it, or the folder that it is in.
    pub(super) shown: String,
    /// Where its copy goes.
    pub(super) to: String,
    beneath: Files,
    name: String,
    path: PathBuf,
}

impl Source {
    pub(super) fn open(&self) -> io::Result<Opened> {
        Ok(self.beneath.open(&self.name)?.ok_or(io::ErrorKind::NotFound)?)
    }

    /// Whether a file that is not empty stands beside it, with its name and this ending.
    pub(super) fn has_beside(&self, ending: &str) -> bool {
        let mut path = self.path.clone().into_os_string();
        path.push(ending);
        fs::symlink_metadata(path).is_ok_and(|facts| facts.len() > 0)
    }

    /// Its copy: a file that was not there.
    pub(super) fn copy_beneath(&self, into: &Files) -> Result<File, Fault> {
        let made = into.made_folder_of(&self.to).and_then(|(folder, last)| folder.create_new(last));
        made.map_err(|error| Fault::local(&format!("{}: the copy cannot be made", quote(self.to.as_bytes())), &error))
    }

    /// Refuses a copy whose place is taken.
    pub(super) fn check_beneath(&self, into: &Files) -> Result<(), Fault> {
        let place = into.folder_of(&self.to).and_then(|place| match place {
            Some((folder, last)) => folder.facts(last),
            None => Ok(None),
        });
        let shown = quote(self.to.as_bytes());
        match place.map_err(|error| Fault::local(&format!("{shown}: the copy cannot be made"), &error))? {
            Some(_) => {
                Err(Fault::misuse(format!("{shown} is there already; name another folder, nothing was written")))
            }
            None => Ok(()),
        }
    }
}

/// All files of what the user named.
pub(super) fn of(paths: &[impl AsRef<Path>]) -> Result<Sources, Fault> {
    let mut sources = Sources::default();
    for path in paths {
        let path = path.as_ref();
        let misread = |error: io::Error| Fault::misuse(format!("{}: {}", quote_path(path), io_words(&error)));
        // A link that the user names is followed; one that is met is not.
        let facts = fs::metadata(path).map_err(misread)?;
        if facts.is_dir() {
            let name = path.file_name().and_then(OsStr::to_str).map(str::to_owned);
            let folder = Dir::open(path, Access::Umask).map_err(misread)?;
            let files = Files::beneath(path)?;
            let place = Place { files, shown: path, to: name };
            place.walk(&folder, "", 0, &mut sources).map_err(misread)?;
            continue;
        }
        let name =
            path.file_name().and_then(OsStr::to_str).ok_or_else(|| misread(io::ErrorKind::InvalidInput.into()))?;
        let shown = path.to_string_lossy().into_owned();
        // What belongs to a file stands beside what a link leads to.
        let path = fs::canonicalize(path).map_err(misread)?;
        let beneath = Files::listed(vec![(name.to_owned(), path.clone())]);
        sources.files.push(Source { shown, to: name.to_owned(), beneath, name: name.to_owned(), path });
    }
    Ok(sources)
}

/// Where copies go.
pub(super) fn into(folder: &Path) -> Result<Files, Fault> {
    fs::create_dir_all(folder)
        .map_err(|error| Fault::misuse(format!("{}: {}", quote_path(folder), io_words(&error))))?;
    Ok(Files::beneath(folder)?)
}

/// A folder that the user named.
struct Place<'a> {
    files: Files,
    shown: &'a Path,
    /// Its own name, which its copy has as well; none for `.` and the like.
    to: Option<String>,
}

impl Place<'_> {
    fn walk(&self, folder: &Dir, path: &str, depth: usize, sources: &mut Sources) -> io::Result<()> {
        if depth == DEPTH_MAX {
            self.other(path, "it lies too deep", sources);
            return Ok(());
        }
        for name in folder.names()? {
            // What git keeps is git's.
            if name == ".git" {
                continue;
            }
            let below = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            match folder.facts(name.as_str())?.map(|facts| facts.kind) {
                Some(Kind::Dir) => match folder.existing_dir(name.as_str()) {
                    Ok(inner) => self.walk(&inner, &below, depth + 1, sources)?,
                    Err(error) => self.other(&below, &io_words(&error), sources),
                },
                Some(Kind::File) => {
                    let to = self.to.as_ref().map_or_else(|| below.clone(), |own| format!("{own}/{below}"));
                    let (shown, path) = (self.shown(&below), self.shown.join(&below));
                    sources.files.push(Source { shown, to, beneath: self.files.clone(), name: below, path });
                }
                Some(Kind::Link) => sources.links += 1,
                Some(Kind::Other) => self.other(&below, "it is no file", sources),
                None => {}
            }
        }
        Ok(())
    }

    fn other(&self, path: &str, why: &str, sources: &mut Sources) {
        sources.others.push(UncheckedFile { file: self.shown(path), why: why.to_owned() });
    }

    fn shown(&self, path: &str) -> String {
        self.shown.join(path).to_string_lossy().into_owned()
    }
}
