//! The pointer files beneath a folder, as the engine judges them.
//!
//! The rule it keeps: three answers, not two. A broken pointer is reported as such, never taken for content.

use std::path::Path;

use crate::contract::pointers::{Finding, Kind, Pointer, Sample};
use crate::engine::{Engine, Guest};
use crate::worktree::scan::{self, Candidate, SCAN_BATCH_FILES, WalkOptions, Walked};

use crate::contract::error::Fault;
use crate::text::quote;

/// A pointer and the file that holds it.
#[derive(Clone, Debug)]
pub struct PointerFile {
    /// Path relative to the folder that was searched, as the file system spells it.
    pub path: Vec<u8>,
    /// The pointer.
    pub pointer: Pointer,
    /// The file's bytes.
    pub text: Vec<u8>,
}

/// A file that begins like a pointer and is none.
#[derive(Clone, Debug)]
pub struct BrokenFile {
    /// Path relative to the folder that was searched, as the file system spells it.
    pub path: Vec<u8>,
    /// The line that is wrong, counted from 1.
    pub line: u32,
    /// One sentence.
    pub why: String,
}

/// What a search meets.
pub enum Met {
    /// A pointer.
    Pointer(PointerFile),
    /// A broken one.
    Broken(BrokenFile),
}

impl Met {
    /// Path relative to the folder that was searched, as the file system spells it.
    pub fn path(&self) -> &[u8] {
        match self {
            Self::Pointer(one) => &one.path,
            Self::Broken(one) => &one.path,
        }
    }
}

/// Why a place that was searched may hold pointers that nobody saw.
pub const UNREADABLE: &str = "it cannot be read, or lies too deep: whether pointers stand there is not known";

/// The places that a search could not look at, as git prints paths; a last line counts those beyond the first ones.
/// `place`: the folder that was searched, in front of each.
pub fn unreadable(walked: &Walked, place: &[u8]) -> Vec<String> {
    let within = |path: &Vec<u8>| if place.is_empty() { quote(path) } else { quote(&[place, b"/", path].concat()) };
    let mut places: Vec<String> = walked.unreadable_paths.iter().map(within).collect();
    let hidden = walked.unreadable.saturating_sub(places.len() as u64);
    if hidden > 0 {
        places.push(format!("… and {hidden} more"));
    }
    places
}

/// Searches a folder and hands over what it meets, in path order. What it could not look at is in its answer, and is
/// for the caller to tell.
#[must_use = "what could not be looked at is not known to be nothing"]
pub fn search(
    engine: &Engine,
    root: &Path,
    options: WalkOptions,
    take: &mut dyn FnMut(Met) -> Result<(), Fault>,
) -> Result<Walked, Fault> {
    let mut judge = Judge { engine, guest: None };
    scan::walk(root, options, &mut |batch| judge.batch(batch, take))
}

/// What one file is.
pub fn judge_file(engine: &Engine, path: Vec<u8>, bytes: Vec<u8>) -> Result<Option<Met>, Fault> {
    let mut met = None;
    judge_files(engine, vec![Candidate { path, bytes }], &mut |one| {
        met = Some(one);
        Ok(())
    })?;
    Ok(met)
}

/// What these files are.
pub(crate) fn judge_files(
    engine: &Engine,
    mut files: Vec<Candidate>,
    take: &mut dyn FnMut(Met) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut judge = Judge { engine, guest: None };
    while !files.is_empty() {
        let rest = files.split_off(files.len().min(SCAN_BATCH_FILES));
        judge.batch(std::mem::replace(&mut files, rest), take)?;
    }
    Ok(())
}

/// Judges batches in one sandbox, made when the first batch comes.
struct Judge<'a> {
    engine: &'a Engine,
    guest: Option<Guest>,
}

impl Judge<'_> {
    fn batch(&mut self, batch: Vec<Candidate>, take: &mut dyn FnMut(Met) -> Result<(), Fault>) -> Result<(), Fault> {
        let guest = match &mut self.guest {
            Some(guest) => guest,
            none => none.insert(self.engine.guest()?),
        };
        let (paths, samples): (Vec<Vec<u8>>, Vec<Sample>) = batch
            .into_iter()
            .map(|one| {
                let file_size = one.bytes.len() as u64;
                (one.path, Sample { head: one.bytes, file_size })
            })
            .unzip();
        let kinds = guest.classify_many(&samples)?;
        for ((path, sample), kind) in paths.into_iter().zip(samples).zip(kinds) {
            match kind {
                Kind::Pointer(pointer) => take(Met::Pointer(PointerFile { path, pointer, text: sample.head }))?,
                Kind::Malformed(finding) => take(Met::Broken(broken(guest, path, finding)?))?,
                Kind::Content(_) => {}
            }
        }
        Ok(())
    }
}

fn broken(guest: &mut Guest, path: Vec<u8>, finding: Finding) -> Result<BrokenFile, Fault> {
    Ok(BrokenFile { path, line: finding.line, why: guest.explain(finding)? })
}
