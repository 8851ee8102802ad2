//! Documents of ours: the journal and the orphan register, by compare-and-swap, and nothing else.

use super::{Ask, LedgerBench, LedgerCheck, Said, Verdict, bytes, same, short};

pub(crate) const CHECKS: &[LedgerCheck] = &[
    ("a document is made, replaced and removed in the expected state alone", expected_state),
    ("what was saved is there in the next run", next_run),
    ("documents of ours are saved as they are, to the byte", whole),
    ("journals and the register are documents of their own", apart),
    ("nothing but journals and the register is written", nothing_else),
];

const JOURNAL: &str = "journal/2026-05-04 a";

/// Saves; the state now, none when it was removed or is in another state than expected.
fn save(bench: &mut LedgerBench<'_>, name: &str, bytes: Option<&[u8]>, replaces: Option<&str>) -> Result<Said, String> {
    let ask = Ask::SaveDoc { name: name.into(), bytes: bytes.map(Into::into), replaces: replaces.map(Into::into) };
    let mut replies = bench.ask(ask)?;
    replies.pop().ok_or_else(|| "no reply".to_owned())
}

/// Saves; the state now.
fn saved(bench: &mut LedgerBench<'_>, name: &str, bytes: &[u8], replaces: Option<&str>) -> Result<String, String> {
    match save(bench, name, Some(bytes), replaces)? {
        Said::At(revision) => Ok(revision),
        other => Err(short(&[other])),
    }
}

/// What a document is now.
fn load(bench: &mut LedgerBench<'_>, name: &str) -> Result<Option<(Vec<u8>, String)>, String> {
    match bench.ask(Ask::LoadDoc(name.into()))?.pop() {
        Some(Said::Doc(bytes, revision)) => Ok(Some((bytes, revision))),
        Some(Said::Absent) => Ok(None),
        other => Err(format!("{other:?}")),
    }
}

fn expected_state(bench: &mut LedgerBench<'_>) -> Verdict {
    same("before", load(bench, JOURNAL)?, None)?;
    same("replaced nothing", save(bench, JOURNAL, Some(b"one"), Some("none"))?, Said::Conflict)?;
    same("after a conflict", load(bench, JOURNAL)?, None)?;
    let one = saved(bench, JOURNAL, b"one", None)?;
    same("one", load(bench, JOURNAL)?, Some((b"one".to_vec(), one.clone())))?;
    same("made twice", save(bench, JOURNAL, Some(b"two"), None)?, Said::Conflict)?;
    let two = saved(bench, JOURNAL, b"two", Some(&one))?;
    same("other bytes are another state", one != two, true)?;
    same("replaced the old one", save(bench, JOURNAL, Some(b"three"), Some(&one))?, Said::Conflict)?;
    same("removed the old one", save(bench, JOURNAL, None, Some(&one))?, Said::Conflict)?;
    same("two", load(bench, JOURNAL)?, Some((b"two".to_vec(), two.clone())))?;
    same("removed", save(bench, JOURNAL, None, Some(&two))?, Said::End)?;
    same("gone", load(bench, JOURNAL)?, None)?;
    same("the same bytes are the same state", saved(bench, JOURNAL, b"one", None)?, one)
}

fn next_run(bench: &mut LedgerBench<'_>) -> Verdict {
    let journal = saved(bench, JOURNAL, b"one", None)?;
    let register = saved(bench, "orphans", b"two", None)?;
    bench.host.restart();
    same("journal", load(bench, JOURNAL)?, Some((b"one".to_vec(), journal.clone())))?;
    same("register", load(bench, "orphans")?, Some((b"two".to_vec(), register)))?;
    same("removed", save(bench, JOURNAL, None, Some(&journal))?, Said::End)?;
    bench.host.restart();
    same("gone", load(bench, JOURNAL)?, None)
}

fn whole(bench: &mut LedgerBench<'_>) -> Verdict {
    let mut before = None;
    for length in [0, 1, 4_096, 300_000, 4 << 20, 3] {
        let content = bytes(length);
        let state = saved(bench, JOURNAL, &content, before.as_deref())?;
        let loaded = load(bench, JOURNAL)?.map(|(bytes, revision)| (bytes == content, revision));
        same("bytes and state", loaded, Some((true, state.clone())))?;
        before = Some(state);
    }
    Ok(())
}

fn apart(bench: &mut LedgerBench<'_>) -> Verdict {
    let names = [JOURNAL, "journal/b", "journal/orphans", "orphans"];
    for name in names {
        saved(bench, name, name.as_bytes(), None)?;
    }
    for name in names {
        let loaded = load(bench, name)?.map(|(bytes, _)| bytes);
        same("bytes", loaded, Some(name.as_bytes().to_vec()))?;
        same("in the work tree", bench.host.in_tree(name), None)?;
    }
    Ok(())
}

fn nothing_else(bench: &mut LedgerBench<'_>) -> Verdict {
    let names = ["sessions/a/meta.json", "sessions/a/raw.jsonl", "notes", "journal/a/b", "journal/..", "journal/", ""];
    for name in names {
        for bytes in [Some(&b"x"[..]), None] {
            let reply = save(bench, name, bytes, None)?;
            same(name, matches!(reply, Said::Failed(..)), true)?;
        }
        same("in the work tree", name.is_empty() || bench.host.in_tree(name).is_none(), true)?;
    }
    bench.host.place_doc("sessions/a/meta.json", b"{}");
    let Some((_, state)) = load(bench, "sessions/a/meta.json")? else { return Err("it is there".into()) };
    let reply = save(bench, "sessions/a/meta.json", Some(b"{\"a\": 1}"), Some(&state))?;
    same("over its own state", matches!(reply, Said::Failed(..)), true)?;
    same("the manifest", bench.host.in_tree("sessions/a/meta.json"), Some(b"{}".to_vec()))
}
