//! Tables of the repair plan: every refusal, every remedy, and what a manifest looks like afterwards.

use super::*;
use crate::oid::Hasher;

fn blob(content: &str) -> Blob {
    let mut hasher = Hasher::default();
    hasher.update(content.as_bytes());
    hasher.finish()
}

/// A pointer at the tip that is missing and can be removed.
fn gone(path: &str) -> PointerFact {
    PointerFact {
        path: path.to_owned(),
        blob: blob(path),
        at_tip: true,
        in_work_tree: true,
        cached: false,
        verdict: Verdict::Missing,
    }
}

fn present(path: &str) -> PointerFact {
    PointerFact { verdict: Verdict::Present, ..gone(path) }
}

fn old(path: &str) -> PointerFact {
    PointerFact { at_tip: false, in_work_tree: false, ..gone(path) }
}

fn cached(fact: PointerFact) -> PointerFact {
    PointerFact { cached: true, ..fact }
}

/// The manifest of a session that names these files as their pointers do.
fn manifest(session: &str, files: &[&str]) -> String {
    let entry = |file: &&str| {
        let blob = blob(&format!("sessions/{session}/{file}"));
        format!("    \"{file}\": {{\"oid\": \"sha256:{}\", \"size\": {}, \"zz\": 1.50}}", blob.oid, blob.size)
    };
    let entries: Vec<String> = files.iter().map(entry).collect();
    format!("{{\n  \"session_id\": \"ses_{session}\",\n  \"files\": {{\n{}\n  }}\n}}", entries.join(",\n"))
}

fn given(session: &str, files: &[&str]) -> ManifestFact {
    ManifestFact { session: session.to_owned(), text: Some(manifest(session, files).into_bytes()) }
}

fn facts(pointers: Vec<PointerFact>) -> Facts {
    Facts {
        pointers,
        manifests: vec![given("a", &["plan.md", "raw.jsonl", "session.md"]), given("b", &["raw.jsonl"])],
        commits: 3,
        upstream_is_ancestor: true,
        rebase_in_progress: false,
    }
}

const RAW: &str = "sessions/a/raw.jsonl";

/// Remedies in short: uploads, removed files by session, squash.
fn short(plan: &Plan) -> Result<Vec<String>, Code> {
    let actions = plan.actions.as_ref().map_err(|error| error.code)?;
    let one = |action: &Action| match action {
        Action::UploadAgain(_) => "upload".to_owned(),
        Action::Remove { session, files, manifest } => {
            format!("{session} {}{}", files.join("+"), if manifest.is_some() { "" } else { " alone" })
        }
        Action::Squash => "squash".to_owned(),
    };
    Ok(actions.iter().map(one).collect())
}

#[test]
fn every_remedy() {
    let elsewhere = "docs/big.bin";
    let no_entry = "sessions/b/plan.md";
    type Row<'a> = (Vec<PointerFact>, &'a [&'a str], (u64, u64, bool));
    let table: Vec<Row<'_>> = vec![
        (vec![], &[], (0, 0, false)),
        (vec![present(RAW), present(elsewhere)], &[], (0, 0, false)),
        (vec![cached(gone(RAW)), present("sessions/b/raw.jsonl")], &["upload"], (0, 0, false)),
        (vec![cached(gone(elsewhere)), cached(old("x"))], &["upload", "upload"], (1, 0, false)),
        (vec![gone(RAW), present("sessions/b/raw.jsonl")], &["a raw.jsonl", "squash"], (0, 1, true)),
        (
            vec![gone("sessions/b/raw.jsonl"), gone(RAW), gone("sessions/a/session.md")],
            &["a raw.jsonl+session.md", "b raw.jsonl", "squash"],
            (0, 3, true),
        ),
        (vec![gone(no_entry)], &["b plan.md alone", "squash"], (0, 1, true)),
        (vec![old(RAW), old(elsewhere)], &["squash"], (2, 0, true)),
        (vec![old(RAW), gone("sessions/a/plan.md")], &["a plan.md", "squash"], (1, 1, true)),
        (
            vec![cached(gone("sessions/a/plan.md")), gone(RAW), old("x")],
            &["upload", "a raw.jsonl", "squash"],
            (1, 1, true),
        ),
    ];
    for (at, (pointers, actions, (history_only, removed, squashed))) in table.into_iter().enumerate() {
        let missing = pointers.iter().filter(|fact| fact.verdict == Verdict::Missing).count();
        let scanned = pointers.len() as u64;
        let plan = plan(&facts(pointers));
        assert_eq!(short(&plan), Ok(actions.iter().map(|&action| action.to_owned()).collect()), "row {at}");
        assert_eq!((plan.scanned, plan.missing.len()), (scanned, missing), "row {at}");
        assert_eq!((plan.history_only, plan.removed, plan.squashed), (history_only, removed, squashed), "row {at}");
        assert!(plan.contradictions.is_empty(), "row {at}");
    }
}

#[test]
fn every_refusal_changes_nothing() {
    let with = |pointers: Vec<PointerFact>, change: fn(&mut Facts)| {
        let mut facts = facts(pointers);
        change(&mut facts);
        facts
    };
    let same = |_: &mut Facts| {};
    let unsure = |path: &str| PointerFact { verdict: Verdict::Inconclusive, ..gone(path) };
    let moved = PointerFact { in_work_tree: false, ..gone(RAW) };
    let other = PointerFact { blob: blob("other"), ..gone(RAW) };
    let longer = PointerFact { blob: Blob { size: 99, ..blob(RAW) }, ..gone(RAW) };
    let twice_said = PointerFact { blob: blob(RAW), ..present("sessions/b/raw.jsonl") };
    let table: Vec<(&str, Facts, Code)> = vec![
        ("one answer is not certain", with(vec![gone(RAW), unsure("x")], same), Code::Busy),
        ("not even to send again", with(vec![cached(gone(RAW)), unsure("x")], same), Code::Busy),
        ("also when nothing is missing", with(vec![present(RAW), unsure("x")], same), Code::Busy),
        ("two answers differ", with(vec![gone(RAW), twice_said], same), Code::Busy),
        ("not a session's", with(vec![gone(RAW), gone("docs/big.bin")], same), Code::Missing),
        ("plans of others", with(vec![gone("data/plans/x.md")], same), Code::Missing),
        ("the manifest itself", with(vec![gone("sessions/a/meta.json")], same), Code::Missing),
        ("a path that leads out", with(vec![gone("sessions/a/../b/raw.jsonl")], same), Code::Missing),
        ("a session that is none", with(vec![gone("sessions/../raw.jsonl")], same), Code::Missing),
        ("another file stands there", with(vec![moved], same), Code::Conflict),
        ("the manifest names another", with(vec![other], same), Code::Conflict),
        ("or another length", with(vec![longer], same), Code::Conflict),
        ("rebase", with(vec![gone(RAW)], |facts| facts.rebase_in_progress = true), Code::Conflict),
        ("rebase, to send", with(vec![cached(gone(RAW))], |facts| facts.rebase_in_progress = true), Code::Conflict),
        ("diverged", with(vec![gone(RAW)], |facts| facts.upstream_is_ancestor = false), Code::Conflict),
        ("diverged, in history", with(vec![old(RAW)], |facts| facts.upstream_is_ancestor = false), Code::Conflict),
        ("no older commit", with(vec![old(RAW)], |facts| facts.commits = 1), Code::Host),
        ("no manifest given", with(vec![gone(RAW)], |facts| facts.manifests.clear()), Code::Host),
        ("the same path twice", with(vec![gone(RAW), gone(RAW)], same), Code::Host),
        (
            "a manifest that cannot be read",
            with(vec![gone(RAW)], |facts| facts.manifests[0].text = Some(b"<<<<<<< HEAD\n".to_vec())),
            Code::Malformed,
        ),
        ("too many", with(vec![present("x"); WANTS_MAX + 1], same), Code::Limit),
    ];
    for (what, facts, code) in table {
        let plan = plan(&facts);
        assert_eq!(short(&plan), Err(code), "{what}: {:?}", plan.actions);
        assert_eq!((plan.removed, plan.squashed), (0, false), "{what}");
    }
}

#[test]
fn what_needs_no_rewriting_is_sent_whatever_the_branches() {
    let mut facts = facts(vec![cached(gone(RAW)), cached(PointerFact { in_work_tree: false, ..old(RAW) })]);
    facts.upstream_is_ancestor = false;
    let plan = plan(&facts);
    assert_eq!(short(&plan), Ok(vec!["upload".to_owned()]), "one blob is sent once");
    assert_eq!(plan.actions, Ok(vec![Action::UploadAgain(blob(RAW))]));
}

#[test]
fn exactly_the_matching_entries_go() {
    let plan = plan(&facts(vec![gone(RAW), gone("sessions/a/plan.md")]));
    let Ok([Action::Remove { manifest: Some(text), .. }, Action::Squash]) = plan.actions.as_deref() else {
        panic!("{plan:?}");
    };
    assert_eq!(core::str::from_utf8(text), Ok(manifest("a", &["session.md"]).as_str()));
}

#[test]
fn a_session_without_a_manifest_loses_the_file_alone() {
    let mut facts = facts(vec![gone(RAW)]);
    facts.manifests[0].text = None;
    facts.commits = 0;
    let plan = plan(&facts);
    assert_eq!(short(&plan), Ok(vec!["a raw.jsonl alone".to_owned(), "squash".to_owned()]));
    assert!(!plan.squashed, "one commit is made of none");
}

#[test]
fn a_contradiction_names_both_also_where_nothing_is_missing() {
    let pointer = PointerFact { blob: blob("other"), ..present(RAW) };
    let plan = plan(&facts(vec![pointer.clone(), present("sessions/b/raw.jsonl")]));
    let expected = Contradiction { path: RAW.to_owned(), pointer: blob("other"), manifest: Some(blob(RAW)) };
    assert_eq!((plan.contradictions, plan.actions), (vec![expected], Ok(Vec::new())));
    let refused = super::plan(&facts(vec![PointerFact { verdict: Verdict::Missing, ..pointer }]));
    let error = refused.actions.expect_err("a contradiction");
    assert!(["other", RAW].iter().all(|content| error.detail.contains(&blob(content).oid.to_string())), "{error}");
}
