//! What a push would send, and the one commit that takes the place of all that the remote lacks.

use super::ledger::{MANIFEST, RAW, pushed, pushing};
use super::{Ask, LedgerBench, LedgerCheck, PushRange, Rewriting, Said, Verdict, same};

pub(crate) const CHECKS: &[LedgerCheck] = &[
    ("nothing is unpushed", nothing),
    ("small files of unpushed commits, at the tip and before it", range),
    ("a file that was edited is no longer unchanged", edited),
    ("one commit takes the place of all, and the tree follows", rewritten),
    ("another tip, or other bytes, and nothing moves", not_as_expected),
    ("a second time there is nothing left to do", twice),
];

const OLD: &[u8] = b"version of yesterday\n";
const NEW: &[u8] = b"version of today\n";

/// A remote with a manifest, then two commits here that it has not: the transcript, and the same changed.
fn unpushed(bench: &mut LedgerBench<'_>) -> Verdict {
    let tip = pushed(bench, vec![pushing(MANIFEST, b"{}\n", None)])?;
    let files = vec![(MANIFEST.to_owned(), None)];
    let replies = bench.ask(Ask::SettleLedger { tip, files })?;
    same("settled", replies, vec![Said::End])?;
    bench.host.commit_here(&[(RAW, OLD)]);
    bench.host.commit_here(&[(RAW, NEW), ("notes", b"no word of it")]);
    Ok(())
}

fn look(bench: &mut LedgerBench<'_>) -> Result<PushRange, String> {
    match bench.ask(Ask::LoadPushRange)?.pop() {
        Some(Said::PushRange(range)) => Ok(range),
        other => Err(format!("no range: {other:?}")),
    }
}

fn rewrite(bench: &mut LedgerBench<'_>, tip: &str, base: &str, replaces: &[u8]) -> Result<Said, String> {
    let files = vec![
        Rewriting { name: RAW.into(), bytes: None, replaces: replaces.to_vec() },
        Rewriting { name: MANIFEST.into(), bytes: Some(b"{ }\n".to_vec()), replaces: b"{}\n".to_vec() },
    ];
    let replies = bench.ask(Ask::RewriteLedger { tip: tip.into(), base: base.into(), files })?.pop();
    replies.ok_or_else(|| "no reply".into())
}

fn nothing(bench: &mut LedgerBench<'_>) -> Verdict {
    let tip = pushed(bench, vec![pushing(MANIFEST, b"{}\n", None)])?;
    bench.ask(Ask::SettleLedger { tip, files: vec![(MANIFEST.to_owned(), None)] })?;
    let range = look(bench)?;
    same("commits", (range.commits, range.files.len(), range.base_is_ancestor), (0, 0, true))
}

fn range(bench: &mut LedgerBench<'_>) -> Verdict {
    unpushed(bench)?;
    let range = look(bench)?;
    same("commits", (range.commits, range.base_is_ancestor, range.is_underway), (2, true, false))?;
    same("follows", range.base.is_some(), true)?;
    let found: Vec<_> =
        range.files.iter().map(|file| (&file.path[..], &file.bytes[..], file.at_tip, file.unchanged)).collect();
    same("files", found, vec![(RAW, NEW, true, true), (RAW, OLD, false, false)])
}

fn edited(bench: &mut LedgerBench<'_>) -> Verdict {
    unpushed(bench)?;
    bench.host.place_file(RAW, Some(b"something else"));
    let found: Vec<_> = look(bench)?.files.into_iter().map(|file| (file.at_tip, file.unchanged)).collect();
    same("files", found, vec![(true, false), (false, false)])
}

fn rewritten(bench: &mut LedgerBench<'_>) -> Verdict {
    unpushed(bench)?;
    bench.host.place_file("mine", Some(b"not committed"));
    let range = look(bench)?;
    let base = range.base.ok_or("no base")?;
    let Said::At(tip) = rewrite(bench, &range.tip, &base, NEW)? else { return Err("not rewritten".into()) };
    same("another tip", tip == range.tip, false)?;
    same("removed", bench.host.in_tree(RAW), None)?;
    same("changed", bench.host.in_tree(MANIFEST), Some(b"{ }\n".to_vec()))?;
    same("kept", bench.host.in_tree("notes"), Some(b"no word of it".to_vec()))?;
    same("the user's", bench.host.in_tree("mine"), Some(b"not committed".to_vec()))?;
    let again = look(bench)?;
    same("commits", (again.commits, again.files.len(), again.tip == tip), (1, 0, true))
}

fn not_as_expected(bench: &mut LedgerBench<'_>) -> Verdict {
    unpushed(bench)?;
    let range = look(bench)?;
    let base = range.base.clone().ok_or("no base")?;
    same("other bytes", rewrite(bench, &range.tip, &base, OLD)?, Said::Conflict)?;
    bench.host.place_doc(MANIFEST, b"{\"mine\": 1}\n");
    same("an edited document", rewrite(bench, &range.tip, &base, NEW)?, Said::Conflict)?;
    bench.host.place_doc(MANIFEST, b"{}\n");
    bench.host.commit_here(&[("later", b"a commit in between")]);
    same("another tip", rewrite(bench, &range.tip, &base, NEW)?, Said::Conflict)?;
    same("removed", bench.host.in_tree(RAW), Some(NEW.to_vec()))?;
    same("commits", look(bench)?.commits, 3)
}

fn twice(bench: &mut LedgerBench<'_>) -> Verdict {
    unpushed(bench)?;
    let range = look(bench)?;
    let base = range.base.ok_or("no base")?;
    let first = rewrite(bench, &range.tip, &base, NEW)?;
    same("rewritten", matches!(first, Said::At(_)), true)?;
    let second = rewrite(bench, &range.tip, &base, NEW)?;
    same("again", matches!(&second, Said::Conflict) || second == first, true)?;
    same("commits", look(bench)?.commits, 1)
}
