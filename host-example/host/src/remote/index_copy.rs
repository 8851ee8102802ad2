//! A copy of the index that is worked on while the index itself is locked, and that then takes its place.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::entries;
use super::{DURABLE, PLAIN_INDEX, Place, ScratchFile, words};
use crate::contract::types::{Failed, Failure};
use crate::git::Git;
use crate::git::tree::{self, Listed};
use crate::process::Finished;

/// A copy of the index, to be worked on.
pub(super) struct IndexCopy {
    path: ScratchFile,
    pub(super) git: Git,
}

impl IndexCopy {
    pub(super) fn make(place: &Place) -> Result<Self, Failed> {
        Self::of(place, &place.git_dir.join("index"))
    }

    /// A copy of this copy.
    pub(super) fn copy(&self, place: &Place) -> Result<Self, Failed> {
        Self::of(place, &self.path.0)
    }

    fn of(place: &Place, index: &Path) -> Result<Self, Failed> {
        let path = place.scratch("index").map_err(words::of_file)?;
        copy_index(index, &path).map_err(words::of_file)?;
        let git = place.git.clone().with_variable("GIT_INDEX_FILE", &path.0);
        Ok(Self { path, git })
    }

    pub(super) fn run(&self, arguments: &[&str], input: &[u8]) -> Result<Finished, Failed> {
        let arguments: Vec<&str> = DURABLE.iter().chain(&PLAIN_INDEX).chain(arguments).copied().collect();
        self.git.run_patiently(&arguments, input).map_err(Failed::from)
    }

    pub(super) fn must(&self, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, Failed> {
        let ended = self.run(arguments, input)?;
        if ended.success() { Ok(ended.stdout) } else { Err(failure_of(&ended)) }
    }

    /// What it has in the folders of these names.
    pub(super) fn list(&self, names: &[&str]) -> Result<BTreeMap<String, Listed>, Failed> {
        let folders = entries::folders_of(names.iter().copied());
        if folders.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut arguments = vec!["--literal-pathspecs", "ls-files", "-v", "--stage", "-z", "--"];
        arguments.extend(folders);
        let answer = self.must(&arguments, b"")?;
        Ok(answer.split(|byte| *byte == 0).filter_map(tree::listed).collect())
    }

    /// Gives entries back the flag that some of them had.
    pub(super) fn flag(
        &self,
        changed: &BTreeMap<&str, &str>,
        flag: &str,
        listed: &BTreeMap<String, Listed>,
        had: fn(&Listed) -> bool,
    ) -> Result<(), Failed> {
        let names = changed.keys().filter(|name| listed.get(**name).is_some_and(had));
        let input: Vec<u8> = names.flat_map(|name| [name.as_bytes(), b"\0"].concat()).collect();
        if input.is_empty() {
            return Ok(());
        }
        self.must(&["update-index", "-z", flag, "--stdin"], &input).map(drop)
    }

    /// The copy takes the place of the index, which is still locked.
    pub(super) fn install(&self, place: &Place) -> io::Result<()> {
        File::open(&self.path.0)?.sync_all()?;
        fs::rename(&self.path.0, place.git_dir.join("index"))?;
        File::open(&place.git_dir)?.sync_all()
    }
}

/// Copies the index with its time: an entry that is as young as its index is looked at again, and an older copy would
/// hide that.
fn copy_index(index: &Path, to: &ScratchFile) -> io::Result<()> {
    match fs::copy(index, &to.0) {
        Ok(_) => {}
        // All files were removed, or none was ever added.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    let time = index.metadata()?.modified()?;
    File::options().write(true).open(&to.0)?.set_modified(time)
}

pub(super) fn failure_of(ended: &Finished) -> Failed {
    words::refusal(words::why_of(&ended.stderr).unwrap_or(Failure::Io), &ended.stderr)
}
