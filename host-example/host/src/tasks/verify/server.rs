//! What the server says of the blobs that are named, or what it hands out.
//!
//! The rule it keeps: only a definite answer is called missing; anything else is inconclusive.

use std::collections::BTreeMap;

use super::report::{Named, Seen};
use crate::contract::batches::Verdict;
use crate::contract::error::Fault;
use crate::contract::operations::Want;
use crate::contract::types::{Blob, Code, Direction};
use crate::tasks::transfer::{OBJECTS_PER_OPERATION_MAX, Runner, Work};

/// Asks the server whether it has them, in as many requests as it takes; how many blobs were asked for.
pub(super) fn ask(runner: &mut Runner<'_>, seen: &mut Seen) -> Result<usize, Fault> {
    let blobs = unique(&seen.named);
    let mut verdicts: BTreeMap<String, (Code, String)> = BTreeMap::new();
    for part in blobs.chunks(OBJECTS_PER_OPERATION_MAX) {
        for object in runner.batch(Direction::Download, part)? {
            let wrong = match object.verdict {
                Verdict::Present | Verdict::Download(_) | Verdict::Expired => continue,
                Verdict::Refused(refusal) if refusal.status == 404 => {
                    (Code::Missing, "the server does not have it".to_owned())
                }
                Verdict::Refused(refusal) if refusal.status == 410 => {
                    (Code::Removed, "the server says that it was removed".to_owned())
                }
                Verdict::Refused(refusal) => {
                    (Code::NotFound, format!("inconclusive: the server answered {} for it", refusal.status))
                }
                Verdict::Upload(_) => {
                    let words = "inconclusive: the server answered 404 to the whole request, and would take it";
                    (Code::NotFound, words.to_owned())
                }
                Verdict::Broken(_) => (Code::Malformed, "inconclusive: the server's answer cannot be used".to_owned()),
            };
            verdicts.insert(object.oid, wrong);
        }
    }
    for named in std::mem::take(&mut seen.named) {
        if let Some((code, detail)) = verdicts.get(&named.oid) {
            seen.find(&named.name, &named.oid, *code, detail);
        }
        seen.named.push(named);
    }
    Ok(blobs.len())
}

/// Fetches and hashes them all; how many.
pub(super) fn fetch(runner: &mut Runner<'_>, seen: &mut Seen) -> Result<usize, Fault> {
    let mut first: BTreeMap<&str, &Named> = BTreeMap::new();
    for named in &seen.named {
        first.entry(&named.oid).or_insert(named);
    }
    let want = |named: &&Named| Want { name: named.name.clone(), oid: named.oid.clone(), size: named.size };
    let wants: Vec<Want> = first.values().map(want).collect();
    let count = wants.len();
    let report = runner.transfer(Work::Download(wants))?;
    if report.interrupted {
        return Err(Fault::interrupted("interrupted before everything was fetched"));
    }
    for outcome in report.outcomes {
        if let Some(error) = outcome.error {
            seen.find(outcome.name, &outcome.oid, error.code.0, error.detail);
        }
    }
    Ok(count)
}

fn unique(named: &[Named]) -> Vec<Blob> {
    let sizes: BTreeMap<&str, u64> = named.iter().map(|named| (named.oid.as_str(), named.size)).collect();
    sizes.into_iter().map(|(oid, size)| Blob { oid: oid.to_owned(), size }).collect()
}
