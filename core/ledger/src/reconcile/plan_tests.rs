//! Tables of the repair plan: every refusal, every remedy, and what a manifest looks like afterwards.

use super::*;
use hydrant_lfs::text::oid::Hasher;

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
        unchanged: true,
        cached: false,
        verdict: Verdict::Missing,
    }
}

fn present(path: &str) -> PointerFact {
    PointerFact { verdict: Verdict::Present, ..gone(path) }
}

fn old(path: &str) -> PointerFact {
    PointerFact { at_tip: false, unchanged: false, ..gone(path) }
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

fn given(session: &str, files: &[&str]) -> (String, Option<Vec<u8>>) {
    (session.to_owned(), Some(manifest(session, files).into_bytes()))
}

fn facts(pointers: Vec<PointerFact>) -> Facts {
    Facts {
        pointers,
        manifests: [given("a", &["plan.md", "raw.jsonl", "session.md"]), given("b", &["raw.jsonl"])]
            .into_iter()
            .collect(),
        commits: 3,
        follows: true,
        base_is_ancestor: true,
        is_underway: false,
    }
}

const RAW: &str = "sessions/a/raw.jsonl";
/// Content as long as that of [`RAW`], and another.
const OTHER: &str = "other, equally long.";

/// Actions in short: uploads, removed files by session, a rewrite.
fn short(plan: &Plan) -> Result<Vec<String>, Code> {
    let Actions { uploads, removals, rewrites } = plan.actions.as_ref().map_err(|error| error.code)?;
    let removal = |Removal { session, files, manifest }: &Removal| {
        format!("{session} {}{}", files.join("+"), if manifest.is_some() { "" } else { " alone" })
    };
    let uploads = uploads.iter().map(|_| "upload".to_owned());
    let rewrite = rewrites.then(|| "rewrite".to_owned());
    Ok(uploads.chain(removals.iter().map(removal)).chain(rewrite).collect())
}

#[test]
fn every_remedy() {
    let elsewhere = "docs/big.bin";
    let no_entry = "sessions/b/plan.md";
    type Row<'a> = (Vec<PointerFact>, &'a [&'a str]);
    let table: Vec<Row<'_>> = vec![
        (vec![], &[]),
        (vec![present(RAW), present(elsewhere)], &[]),
        (vec![cached(gone(RAW)), present("sessions/b/raw.jsonl")], &["upload"]),
        (vec![cached(gone(elsewhere)), cached(old("x"))], &["upload", "upload"]),
        (vec![gone(RAW), present("sessions/b/raw.jsonl")], &["a raw.jsonl", "rewrite"]),
        (
            vec![gone("sessions/b/raw.jsonl"), gone(RAW), gone("sessions/a/session.md")],
            &["a raw.jsonl+session.md", "b raw.jsonl", "rewrite"],
        ),
        (vec![gone(no_entry)], &["b plan.md alone", "rewrite"]),
        (vec![old(RAW), old(elsewhere)], &["rewrite"]),
        (vec![old(RAW), cached(old(elsewhere))], &["rewrite"]),
        (vec![old(RAW), gone("sessions/a/plan.md")], &["a plan.md", "rewrite"]),
        (vec![cached(gone("sessions/a/plan.md")), gone(RAW), old("x")], &["upload", "a raw.jsonl", "rewrite"]),
    ];
    for (at, (pointers, actions)) in table.into_iter().enumerate() {
        let missing: Vec<(String, bool)> = pointers
            .iter()
            .filter(|fact| fact.verdict == Verdict::Missing)
            .map(|fact| (fact.path.clone(), !fact.at_tip))
            .collect();
        let plan = plan(&facts(pointers));
        assert_eq!(short(&plan), Ok(actions.iter().map(|&action| action.to_owned()).collect()), "row {at}");
        let told = plan.missing.into_iter().map(|missing| (missing.path, missing.history_only));
        assert_eq!(told.collect::<Vec<_>>(), missing, "row {at}");
    }
}

/// Shows I6 and I14.
#[test]
fn every_refusal_changes_nothing() {
    let with = |pointers: Vec<PointerFact>, change: fn(&mut Facts)| {
        let mut facts = facts(pointers);
        change(&mut facts);
        facts
    };
    let same = |_: &mut Facts| {};
    let doubt = Verdict::Inconclusive(Error::new(Code::Busy, "the server answered 503"));
    let unsure = |path: &str| PointerFact { verdict: doubt.clone(), ..gone(path) };
    let moved = PointerFact { unchanged: false, ..gone(RAW) };
    let other = PointerFact { blob: blob(OTHER), ..gone(RAW) };
    let longer = PointerFact { blob: Blob { size: 99, ..blob(RAW) }, ..gone(RAW) };
    let table: Vec<(&str, Facts, Code)> = vec![
        ("one answer is not certain", with(vec![gone(RAW), unsure("x")], same), Code::Busy),
        ("not even to send again", with(vec![cached(gone(RAW)), unsure("x")], same), Code::Busy),
        ("also when nothing is missing", with(vec![present(RAW), unsure("x")], same), Code::Busy),
        ("not a session's", with(vec![gone(RAW), gone("docs/big.bin")], same), Code::Missing),
        ("plans of others", with(vec![gone("data/plans/x.md")], same), Code::Missing),
        ("the manifest itself", with(vec![gone("sessions/a/meta.json")], same), Code::Missing),
        ("a path that leads out", with(vec![gone("sessions/a/../b/raw.jsonl")], same), Code::Missing),
        ("a session that is none", with(vec![gone("sessions/../raw.jsonl")], same), Code::Missing),
        ("another file stands there", with(vec![moved], same), Code::Conflict),
        ("the manifest names another", with(vec![other], same), Code::Conflict),
        ("or another length", with(vec![longer], same), Code::Conflict),
        ("rebase", with(vec![gone(RAW)], |facts| facts.is_underway = true), Code::Conflict),
        ("rebase, to send", with(vec![cached(gone(RAW))], |facts| facts.is_underway = true), Code::Conflict),
        ("diverged", with(vec![gone(RAW)], |facts| facts.base_is_ancestor = false), Code::Conflict),
        ("diverged, in history", with(vec![old(RAW)], |facts| facts.base_is_ancestor = false), Code::Conflict),
        ("nothing to follow", with(vec![gone(RAW)], |facts| facts.follows = false), Code::Conflict),
        ("no older commit", with(vec![old(RAW)], |facts| facts.commits = 1), Code::Host),
        ("no manifest given", with(vec![gone(RAW)], |facts| facts.manifests = SortedMap::default()), Code::Host),
        ("the same path twice", with(vec![gone(RAW), gone(RAW)], same), Code::Host),
        (
            "a manifest that cannot be read",
            with(vec![gone(RAW)], |facts| {
                facts.manifests.insert("a".to_owned(), Some(b"<<<<<<< HEAD\n".to_vec()));
            }),
            Code::Malformed,
        ),
        ("too many", with(vec![present("x"); WANTS_MAX + 1], same), Code::Limit),
    ];
    for (what, facts, code) in table {
        let plan = plan(&facts);
        assert_eq!(short(&plan), Err(code), "{what}: {:?}", plan.actions);
    }
}

#[test]
fn what_needs_no_rewriting_is_sent_whatever_the_branches() {
    let mut facts = facts(vec![cached(gone(RAW)), cached(PointerFact { unchanged: false, ..old(RAW) })]);
    facts.base_is_ancestor = false;
    let plan = plan(&facts);
    assert_eq!(short(&plan), Ok(vec!["upload".to_owned()]), "one blob is sent once");
    assert_eq!(plan.actions.map(|actions| actions.uploads), Ok(vec![blob(RAW)]));
}

/// Shows I13.
#[test]
fn exactly_the_matching_entries_go() {
    let plan = plan(&facts(vec![gone(RAW), gone("sessions/a/plan.md")]));
    let removals = plan.actions.expect("a plan").removals;
    let [Removal { manifest: Some(text), .. }] = removals.as_slice() else { panic!("{removals:?}") };
    assert_eq!(core::str::from_utf8(text), Ok(manifest("a", &["session.md"]).as_str()));
}

#[test]
fn a_session_without_a_manifest_loses_the_file_alone() {
    let mut facts = facts(vec![gone(RAW)]);
    facts.manifests.insert("a".to_owned(), None);
    assert_eq!(short(&plan(&facts)), Ok(vec!["a raw.jsonl alone".to_owned(), "rewrite".to_owned()]));
}

/// Shows I2.
#[test]
fn a_contradiction_names_both_also_where_nothing_is_missing() {
    let text = manifest("a", &["plan.md", "raw.jsonl"]);
    let read = Manifest::parse(text.as_bytes()).expect("readable");
    let found = contradictions([(RAW, blob(OTHER)), ("sessions/a/new.md", blob("new"))].into_iter(), &read);
    let expected = Contradiction { path: RAW.to_owned(), pointer: blob(OTHER), manifest: Some(blob(RAW)) };
    assert_eq!(found, [expected]);
    let refused = plan(&facts(vec![PointerFact { blob: blob(OTHER), ..gone(RAW) }]));
    let error = refused.actions.expect_err("a contradiction");
    assert!([OTHER, RAW].iter().all(|content| error.detail.contains(&blob(content).oid.to_string())), "{error}");
}
