//! What follows here once the remote has it: everything that was pushed, or nothing, and never over a user's change.

use super::ledger::{MANIFEST, RAW, SUMMARY, look, pushed, pushing};
use super::{Ask, LedgerBench, LedgerCheck, Said, Verdict, same, short};

pub(crate) const CHECKS: &[LedgerCheck] = &[
    ("files, last commit and documents follow the remote", follow),
    ("what somebody else pushed follows as well", others),
    ("content stays where its pointer was pushed", content),
    ("a change of the user's is in the way, and then nothing moves", in_the_way),
    ("what was expected is written over", expected),
    ("the user's other files are left", left),
    ("a tip that nobody has cannot be followed", unknown),
];

const POINTER: &str = "version https://git-lfs.github.com/spec/v1\n\
    oid sha256:5a6959180273ad3d862fcf9e5531f5a9c2dc9053821400b9293dc3efe8e99701\nsize 12\n";

/// Pushes manifest, summary and pointer; the tip.
fn publish(bench: &mut LedgerBench<'_>) -> Result<String, String> {
    let files =
        vec![pushing(MANIFEST, b"{}\n", None), pushing(SUMMARY, b"[]", None), pushing(RAW, POINTER.as_bytes(), None)];
    pushed(bench, files)
}

fn settle(bench: &mut LedgerBench<'_>, tip: &str, manifest_expects: Option<&str>) -> Result<Said, String> {
    let file = |name: &str, expects: Option<&str>| (name.to_owned(), expects.map(str::to_owned));
    let files = vec![file(MANIFEST, manifest_expects), file(SUMMARY, None), file(RAW, None)];
    let mut replies = bench.ask(Ask::SettleLedger { tip: tip.into(), files })?;
    replies.pop().ok_or_else(|| "no reply".into())
}

fn follow(bench: &mut LedgerBench<'_>) -> Verdict {
    let tip = publish(bench)?;
    same("before", bench.host.in_tree(MANIFEST), None)?;
    same("settled", settle(bench, &tip, None)?, Said::End)?;
    for (name, text) in [(MANIFEST, "{}\n"), (SUMMARY, "[]"), (RAW, POINTER)] {
        same(name, bench.host.in_tree(name), Some(text.as_bytes().to_vec()))?;
    }
    let (_, found) = look(bench, &[MANIFEST, SUMMARY], &[])?;
    same("committed", found.iter().all(|file| file.committed.is_some() && file.committed == file.bytes), true)?;
    let replies = bench.ask(Ask::LoadDoc(MANIFEST.into()))?;
    same("document", matches!(&replies[..], [Said::Doc(bytes, _)] if bytes == b"{}\n"), true)?;
    same("again", settle(bench, &tip, None)?, Said::End)?;
    bench.host.restart();
    same("in the next run", settle(bench, &tip, None)?, Said::End)
}

fn others(bench: &mut LedgerBench<'_>) -> Verdict {
    bench.host.meanwhile("elsewhere", Some(b"theirs"));
    let tip = publish(bench)?;
    same("settled", settle(bench, &tip, None)?, Said::End)?;
    same("theirs", bench.host.in_tree("elsewhere"), Some(b"theirs".to_vec()))?;
    same("ours", bench.host.in_tree(SUMMARY), Some(b"[]".to_vec()))
}

fn content(bench: &mut LedgerBench<'_>) -> Verdict {
    bench.host.place_file(RAW, Some(b"a transcript"));
    let tip = publish(bench)?;
    same("settled", settle(bench, &tip, None)?, Said::End)?;
    same("content", bench.host.in_tree(RAW), Some(b"a transcript".to_vec()))?;
    same("manifest", bench.host.in_tree(MANIFEST), Some(b"{}\n".to_vec()))?;
    let (_, found) = look(bench, &[RAW], &[])?;
    same("committed", found[0].committed.as_deref(), Some(POINTER.as_bytes()))
}

fn in_the_way(bench: &mut LedgerBench<'_>) -> Verdict {
    let tip = publish(bench)?;
    bench.host.place_doc(MANIFEST, b"{\"edited\": 1}");
    same("settled", settle(bench, &tip, None)?, Said::Conflict)?;
    same("the edit", bench.host.in_tree(MANIFEST), Some(b"{\"edited\": 1}".to_vec()))?;
    same("another file of the push", bench.host.in_tree(SUMMARY), None)?;
    let (_, found) = look(bench, &[MANIFEST, SUMMARY], &[])?;
    same("the last commit", found.iter().all(|file| file.committed.is_none()), true)
}

fn expected(bench: &mut LedgerBench<'_>) -> Verdict {
    bench.host.place_doc(MANIFEST, b"{\"edited\": 1}");
    let replies = bench.ask(Ask::LoadDoc(MANIFEST.into()))?;
    let [Said::Doc(_, state)] = &replies[..] else { return Err(short(&replies)) };
    let tip = publish(bench)?;
    same("settled", settle(bench, &tip, Some(state))?, Said::End)?;
    same("manifest", bench.host.in_tree(MANIFEST), Some(b"{}\n".to_vec()))?;
    same("summary", bench.host.in_tree(SUMMARY), Some(b"[]".to_vec()))
}

fn left(bench: &mut LedgerBench<'_>) -> Verdict {
    bench.host.place_file("sessions/a b/notes", Some(b"the user's"));
    bench.host.place_file("sessions/unfinished/raw.jsonl", Some(b"the user's"));
    let tip = publish(bench)?;
    same("settled", settle(bench, &tip, None)?, Said::End)?;
    for name in ["sessions/a b/notes", "sessions/unfinished/raw.jsonl"] {
        same(name, bench.host.in_tree(name), Some(b"the user's".to_vec()))?;
        same(name, bench.host.at_remote(name), None)?;
    }
    Ok(())
}

fn unknown(bench: &mut LedgerBench<'_>) -> Verdict {
    publish(bench)?;
    let reply = settle(bench, "0123456789012345678901234567890123456789", None)?;
    same("it failed", matches!(reply, Said::Failed(..)), true)?;
    same("manifest", bench.host.in_tree(MANIFEST), None)
}
