//! The remote: what it has now, and one step that it takes whole or not at all.

use super::{Ask, LedgerBench, LedgerCheck, Pushing, Remote, Said, Verdict, bytes, same, short};

pub(crate) const CHECKS: &[LedgerCheck] = &[
    ("the ledger is looked at as the remote has it now", now),
    ("a state is of the bytes that are there", states),
    ("a push places exactly these bytes", exact),
    ("a push of bytes that no filter may touch", unfiltered),
    ("a push replaces only what it says, all of it or nothing", only_what_it_says),
    ("a push of other files than somebody else's goes on top", beside_others),
    ("a push that the remote holds already makes no commit", once),
];

pub(super) const MANIFEST: &str = "sessions/a b/meta.json";
pub(super) const SUMMARY: &str = "sessions/a b/summary.json";
pub(super) const RAW: &str = "sessions/a b/raw.jsonl";

/// One file of a push.
pub(super) fn pushing(name: &str, bytes: &[u8], replaces: Option<&str>) -> Pushing {
    Pushing { name: name.into(), bytes: bytes.into(), replaces: replaces.map(Into::into) }
}

/// What the remote has now: its tip and these documents.
pub(super) fn look(
    bench: &mut LedgerBench<'_>,
    documents: &[&str],
    files: &[&str],
) -> Result<(String, Vec<Remote>), String> {
    let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let mut replies = bench.ask(Ask::LoadLedger { documents: own(documents), files: own(files) })?;
    match replies.pop() {
        Some(Said::Ledger(tip, found)) => Ok((tip, found)),
        other => Err(format!("{other:?}")),
    }
}

/// The state of one file at the remote.
fn state(bench: &mut LedgerBench<'_>, name: &str) -> Result<Option<String>, String> {
    Ok(look(bench, &[], &[name])?.1.remove(0).revision)
}

/// Pushes; the tip.
pub(super) fn pushed(bench: &mut LedgerBench<'_>, files: Vec<Pushing>) -> Result<String, String> {
    match bench.ask(Ask::PushLedger(files))?.pop() {
        Some(Said::At(tip)) => Ok(tip),
        Some(other) => Err(short(&[other])),
        None => Err("no reply".into()),
    }
}

fn now(bench: &mut LedgerBench<'_>) -> Verdict {
    let (before, found) = look(bench, &[MANIFEST, SUMMARY], &[RAW])?;
    same("of nothing", found.iter().all(|file| file.revision.is_none() && file.committed.is_none()), true)?;
    bench.host.meanwhile(MANIFEST, Some(b"{}\n"));
    bench.host.meanwhile(RAW, Some(b"a transcript"));
    let (after, found) = look(bench, &[MANIFEST, SUMMARY], &[RAW])?;
    same("another tip", before != after, true)?;
    let there: Vec<(bool, Option<Vec<u8>>)> =
        found.iter().map(|file| (file.revision.is_some(), file.bytes.clone())).collect();
    same("files", there, vec![(true, Some(b"{}\n".to_vec())), (false, None), (true, None)])?;
    same("the last commit here is as it was", found.iter().all(|file| file.committed.is_none()), true)?;
    bench.host.meanwhile(MANIFEST, None);
    let (_, found) = look(bench, &[MANIFEST], &[])?;
    same("removed", found[0].revision.clone(), None)
}

fn states(bench: &mut LedgerBench<'_>) -> Verdict {
    let mut seen = Vec::new();
    for text in ["one", "two", "one"] {
        bench.host.meanwhile(RAW, Some(text.as_bytes()));
        let first = state(bench, RAW)?;
        bench.host.meanwhile("elsewhere", Some(text.as_bytes()));
        same("untouched", state(bench, RAW)?, first.clone())?;
        seen.push(first);
    }
    same("the same bytes are the same state", &seen[0], &seen[2])?;
    same("other bytes are another state", seen[0] != seen[1], true)
}

fn exact(bench: &mut LedgerBench<'_>) -> Verdict {
    bench.host.meanwhile("elsewhere", Some(b"theirs"));
    let contents: [(&str, Vec<u8>); 4] = [
        (MANIFEST, b"{\"a\": 1}".to_vec()),
        (SUMMARY, b"{}\r\n".to_vec()),
        (RAW, (0..=255).collect()),
        ("sessions/a b/notes/long", bytes(300_000)),
    ];
    let commits = bench.host.commits();
    let tip = pushed(bench, contents.iter().map(|(name, bytes)| pushing(name, bytes, None)).collect())?;
    same("commits", bench.host.commits(), commits + 1)?;
    same("the tip", look(bench, &[MANIFEST], &[])?.0, tip)?;
    for (name, bytes) in contents {
        same(name, bench.host.at_remote(name).as_ref() == Some(&bytes), true)?;
        same("the work tree is as it was", bench.host.in_tree(name), None)?;
    }
    same("another file", bench.host.at_remote("elsewhere"), Some(b"theirs".to_vec()))
}

fn unfiltered(bench: &mut LedgerBench<'_>) -> Verdict {
    let attributes = b"*.json text eol=crlf\n*.jsonl filter=nowhere ident\n* text=auto\n";
    bench.host.meanwhile(".gitattributes", Some(attributes));
    let content = b"{\"id\": \"$Id$\"}\r\n\n\r\n";
    pushed(bench, vec![pushing(SUMMARY, content, None), pushing(RAW, content, None)])?;
    same("summary", bench.host.at_remote(SUMMARY), Some(content.to_vec()))?;
    same("transcript", bench.host.at_remote(RAW), Some(content.to_vec()))
}

fn only_what_it_says(bench: &mut LedgerBench<'_>) -> Verdict {
    bench.host.meanwhile(MANIFEST, Some(b"one"));
    let Some(one) = state(bench, MANIFEST)? else { return Err("it is there".into()) };
    bench.host.meanwhile(MANIFEST, Some(b"two"));
    let Some(two) = state(bench, MANIFEST)? else { return Err("it is there".into()) };
    let commits = bench.host.commits();
    for (what, replaces) in [("nothing", None), ("an older state", Some(one.as_str()))] {
        let files = vec![pushing(SUMMARY, b"{}", None), pushing(MANIFEST, b"three", replaces)];
        same(what, bench.ask(Ask::PushLedger(files))?, vec![Said::Conflict])?;
    }
    let files = vec![pushing(MANIFEST, b"three", Some(&two)), pushing(SUMMARY, b"{}", Some(&two))];
    same("a file that is not there", bench.ask(Ask::PushLedger(files))?, vec![Said::Conflict])?;
    same("commits", bench.host.commits(), commits)?;
    same("manifest", bench.host.at_remote(MANIFEST), Some(b"two".to_vec()))?;
    same("summary", bench.host.at_remote(SUMMARY), None)?;
    pushed(bench, vec![pushing(MANIFEST, b"three", Some(&two)), pushing(SUMMARY, b"{}", None)])?;
    same("manifest", bench.host.at_remote(MANIFEST), Some(b"three".to_vec()))?;
    same("summary", bench.host.at_remote(SUMMARY), Some(b"{}".to_vec()))
}

fn beside_others(bench: &mut LedgerBench<'_>) -> Verdict {
    let (before, _) = look(bench, &[MANIFEST], &[])?;
    // After the look, so the push meets a remote that is further than it knew.
    bench.host.meanwhile("sessions/other/meta.json", Some(b"theirs"));
    let tip = pushed(bench, vec![pushing(MANIFEST, b"ours", None)])?;
    same("another tip", before != tip, true)?;
    same("ours", bench.host.at_remote(MANIFEST), Some(b"ours".to_vec()))?;
    same("theirs", bench.host.at_remote("sessions/other/meta.json"), Some(b"theirs".to_vec()))
}

fn once(bench: &mut LedgerBench<'_>) -> Verdict {
    let files = || vec![pushing(MANIFEST, b"ours", None), pushing(RAW, b"a pointer", None)];
    pushed(bench, files())?;
    let commits = bench.host.commits();
    pushed(bench, files())?;
    same("commits", bench.host.commits(), commits)?;
    bench.host.restart();
    bench.host.meanwhile("elsewhere", Some(b"theirs"));
    pushed(bench, files())?;
    same("commits", bench.host.commits(), commits + 1)?;
    same("theirs", bench.host.at_remote("elsewhere"), Some(b"theirs".to_vec()))
}
