//! What a file that git holds is to a ledger: a pointer, a broken pointer, or content.
//!
//! The rule it keeps: the engine tells which. Files too long for a pointer are never read.

use crate::contract::error::Fault;
use crate::contract::pointers::{Kind, Sample};
use crate::contract::types::Blob;
use crate::engine::Guest;
use crate::files::digest::blob_of;
use crate::git::Git;
use crate::git::tree::Line;
use crate::worktree::scan::POINTER_BYTES_LIMIT;

/// Small files that are judged in one call.
const SAMPLES_MAX: usize = 4096;

/// One file.
#[derive(Clone, Debug)]
pub(crate) enum Held {
    /// A pointer.
    Pointer(Blob),
    /// It begins like a pointer and is broken; why.
    Malformed(String),
    /// Content of this many bytes, as is the empty file: it promises nothing.
    Content {
        size: u64,
        /// What it hashes to, of content that was read because it could have been a pointer.
        oid: Option<String>,
    },
    /// git does not have it here.
    Unknown,
}

/// What each of these blobs is; they are named by their ids in git, and by their lengths where git knows them.
pub(crate) fn each(git: &Git, guest: &mut Guest, blobs: &[(&str, Option<u64>)]) -> Result<Vec<Held>, Fault> {
    let long = |(_, size): &(&str, Option<u64>)| match size {
        Some(size) => Held::Content { size: *size, oid: None },
        None => Held::Unknown,
    };
    let mut held: Vec<Held> = blobs.iter().map(long).collect();
    let is_small = |size: u64| size < POINTER_BYTES_LIMIT as u64;
    let (places, small): (Vec<usize>, Vec<(&str, u64)>) = blobs
        .iter()
        .enumerate()
        .filter_map(|(place, (oid, size))| Some((place, (*oid, size.filter(|size| is_small(*size))?))))
        .unzip();
    let mut samples = Vec::new();
    git.each_object(&small, &mut |at, _, head| {
        samples.push(Sample { file_size: head.len() as u64, head });
        if samples.len() == SAMPLES_MAX || at + 1 == small.len() {
            let first = at + 1 - samples.len();
            for (place, one) in places[first..].iter().zip(judge(guest, &samples)?) {
                held[*place] = one;
            }
            samples.clear();
        }
        Ok::<_, Fault>(())
    })?;
    Ok(held)
}

/// Those of these files that are pointers, by their paths.
pub(crate) fn pointers(git: &Git, guest: &mut Guest, files: Vec<Line<String>>) -> Result<Vec<(String, Blob)>, Fault> {
    let files: Vec<Line<String>> = files.into_iter().filter(|line| line.entry.is_file()).collect();
    let ids: Vec<&str> = files.iter().map(|line| line.entry.oid.as_str()).collect();
    let sizes = git.blob_info(&ids)?.into_iter().map(|blob| Some(blob?.size));
    let blobs: Vec<(&str, Option<u64>)> = ids.into_iter().zip(sizes).collect();
    let held = each(git, guest, &blobs)?;
    let pointer = |(line, held): (Line<String>, Held)| match held {
        Held::Pointer(blob) => Some((line.path, blob)),
        _ => None,
    };
    Ok(files.into_iter().zip(held).filter_map(pointer).collect())
}

/// What these small files are.
fn judge(guest: &mut Guest, samples: &[Sample]) -> Result<Vec<Held>, Fault> {
    let kinds = guest.classify_many(samples)?;
    let held = |(sample, kind): (&Sample, Kind)| match kind {
        Kind::Pointer(pointer) if !sample.head.is_empty() => {
            Ok(Held::Pointer(Blob { oid: pointer.oid, size: pointer.size }))
        }
        Kind::Malformed(finding) => Ok(Held::Malformed(guest.explain(finding)?)),
        Kind::Pointer(_) | Kind::Content(_) => {
            Ok(Held::Content { size: sample.file_size, oid: Some(blob_of(&sample.head).oid) })
        }
    };
    samples.iter().zip(kinds).map(held).collect()
}
