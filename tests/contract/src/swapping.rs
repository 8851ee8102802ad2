//! Content gives way to its pointer only while it is what was hashed, and its bytes are in the cache then.

use super::ledger::RAW;
use super::reading::file;
use super::{Ask, Blob, LedgerBench, LedgerCheck, Said, Verdict, bytes, same, short};

pub(crate) const CHECKS: &[LedgerCheck] = &[
    ("content gives way to its pointer and is in the cache", swapped),
    ("a file that is not what was hashed is left", changed),
    ("a file that is not there stays away", absent),
    ("a pointer that stands there already is a success", already),
    ("two files of the same bytes are both swapped", twins),
];

/// The pointer of a blob.
fn pointer(blob: &Blob) -> Vec<u8> {
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n", blob.oid, blob.size).into_bytes()
}

fn swap(bench: &mut LedgerBench<'_>, name: &str, expects: &str, blob: &Blob) -> Result<Said, String> {
    let ask = Ask::SwapFile { name: name.into(), expects: expects.into(), blob: blob.clone(), pointer: pointer(blob) };
    let mut replies = bench.ask(ask)?;
    replies.pop().ok_or_else(|| "no reply".into())
}

/// Swaps; it must go well.
fn swap_well(bench: &mut LedgerBench<'_>, name: &str, expects: &str, blob: &Blob) -> Verdict {
    match swap(bench, name, expects, blob)? {
        Said::At(_) => same("pointer", bench.host.in_tree(name), Some(pointer(blob))),
        other => Err(short(&[other])),
    }
}

fn swapped(bench: &mut LedgerBench<'_>) -> Verdict {
    for length in [0, 1, 1_024, 65_537, 700_000] {
        bench.host.place_file(RAW, Some(&bytes(length)));
        let (revision, blob) = file(bench, RAW)?;
        same("before", bench.ask(Ask::HasBlob(blob.clone()))?, vec![Said::Absent])?;
        swap_well(bench, RAW, &revision, &blob)?;
        same("after", bench.ask(Ask::HasBlob(blob.clone()))?, vec![Said::Present])?;
        bench.host.restart();
        same("in the next run", bench.ask(Ask::HasBlob(blob.clone()))?, vec![Said::Present])?;
        swap_well(bench, RAW, &revision, &blob)?;
    }
    Ok(())
}

fn changed(bench: &mut LedgerBench<'_>) -> Verdict {
    let content = bytes(5_000);
    let mut other = content.clone();
    other[2_500] ^= 1;
    for now in [bytes(5_001), bytes(4_999), other, Vec::new()] {
        bench.host.place_file(RAW, Some(&content));
        let (revision, blob) = file(bench, RAW)?;
        bench.host.place_file(RAW, Some(&now));
        same("swapped", swap(bench, RAW, &revision, &blob)?, Said::Conflict)?;
        same("content", bench.host.in_tree(RAW) == Some(now), true)?;
        same("cache", bench.ask(Ask::HasBlob(blob))?, vec![Said::Absent])?;
    }
    Ok(())
}

fn absent(bench: &mut LedgerBench<'_>) -> Verdict {
    bench.host.place_file(RAW, Some(&bytes(5_000)));
    let (revision, blob) = file(bench, RAW)?;
    bench.host.place_file(RAW, None);
    same("swapped", swap(bench, RAW, &revision, &blob)?, Said::Absent)?;
    same("in the tree", bench.host.in_tree(RAW), None)?;
    same("in a folder that is not there", swap(bench, "sessions/none/x", &revision, &blob)?, Said::Absent)
}

fn already(bench: &mut LedgerBench<'_>) -> Verdict {
    let blob = bench.host.blob(b"content that was here once");
    bench.host.place_file(RAW, Some(&pointer(&blob)));
    swap_well(bench, RAW, "a state of long ago", &blob)?;
    let another = bench.host.blob(b"other content");
    same("another pointer", swap(bench, RAW, "a state of long ago", &another)?, Said::Conflict)?;
    same("in the tree", bench.host.in_tree(RAW), Some(pointer(&blob)))
}

fn twins(bench: &mut LedgerBench<'_>) -> Verdict {
    let names = [RAW, "sessions/a b/copy"];
    for name in names {
        bench.host.place_file(name, Some(&bytes(70_000)));
    }
    for name in names {
        let (revision, blob) = file(bench, name)?;
        swap_well(bench, name, &revision, &blob)?;
        same("cache", bench.ask(Ask::HasBlob(blob))?, vec![Said::Present])?;
    }
    Ok(())
}
