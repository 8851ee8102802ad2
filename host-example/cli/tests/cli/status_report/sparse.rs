//! A sparse checkout: what git keeps out of the work tree is missing, and never empty or complete.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::published;
use hydrant_kit::world::{SESSION, World};

/// A clone of the ledger, as sparse as git makes it: nothing but the files at the top.
fn sparse(world: &World) -> PathBuf {
    world.scene.git(&world.scene.folder, &["clone", "--quiet", "--sparse", "remote.git", "sparse"]);
    world.scene.path("sparse")
}

/// Ready, and of the coverage complete and empty; then the class.
fn judged(report: &Value) -> (Value, Value) {
    let coverage = &report["coverage"];
    (json!([report["ready"], coverage["complete"], coverage["empty"]]), report["error_class"].clone())
}

fn incomplete() -> (Value, Value) {
    (json!([false, false, false]), "incomplete_coverage".into())
}

#[test]
fn what_a_sparse_checkout_keeps_out_is_missing() {
    let world = published();
    let tree = sparse(&world);
    let report = |arguments: &[&str], code: i32| {
        world.scene.hydrant(&tree, &[&["status", "--json"], arguments].concat()).ends(code).json()
    };
    let text = || world.scene.hydrant(&tree, &["status"]).ends(0).out;
    let all = report(&[], 0);
    assert_eq!(judged(&all), incomplete(), "{all}");
    assert_eq!(
        (&all["sessions"], &all["ok"], &all["hydration"]["state"]),
        (&json!([]), &json!(true), &json!("unknown"))
    );
    assert_eq!(all["head"], world.git(&["rev-parse", "origin/main"]).trim());
    let out = text();
    assert!(out.contains("sparse checkout: 2 sessions (") && !out.contains("no sessions"), "{out}");

    world.scene.git(&tree, &["sparse-checkout", "set", "sessions/other"]);
    assert_eq!(judged(&report(&[], 0)), incomplete());
    assert_eq!(judged(&report(&["other"], 0)), (json!([true, true, false]), Value::Null));
    let out = text();
    assert!(out.contains("sparse checkout: 1 session (") && out.contains("other"), "{out}");
    // A sparse index holds folders that are kept out as one entry.
    world.scene.git(&tree, &["sparse-checkout", "set", "--cone", "--sparse-index", "sessions/other"]);
    assert!(world.scene.git(&tree, &["ls-files", "--sparse"]).contains(&format!("sessions/{SESSION}/\n")));
    assert_eq!(judged(&report(&[], 0)), incomplete());
    assert_eq!(text(), out);

    world.scene.git(&tree, &["sparse-checkout", "disable"]);
    let all = report(&[], 0);
    assert_eq!(judged(&all), (json!([false, true, false]), "missing_hydration".into()), "{all}");
    assert!(!text().contains("sparse"));
}

#[test]
fn a_session_out_of_the_sparse_part_is_not_unknown() {
    let world = published();
    let tree = sparse(&world);
    world.scene.git(&tree, &["sparse-checkout", "set", "sessions/other"]);
    for word in [SESSION.to_owned(), format!("sessions/{SESSION}"), format!("sessions/{SESSION}/raw.jsonl")] {
        let one = world.scene.hydrant(&tree, &["status", "--json", &word]).ends(2).json();
        assert_eq!(judged(&one), incomplete(), "{one}");
        assert_eq!((&one["ok"], &one["session"]), (&json!(false), &SESSION.into()));
        let why = format!(
            "session {SESSION} is kept out of the work tree by the sparse checkout: `git sparse-checkout add \
             sessions/{SESSION}` brings it here"
        );
        assert_eq!(one["error"]["detail"], why);
        assert_eq!(one["coverage"]["paths"], json!([format!("sessions/{SESSION}")]));
    }
    let said = world.scene.hydrant(&tree, &["status", SESSION]).ends(2).err;
    assert!(said.contains("kept out of the work tree by the sparse checkout"), "{said}");
    let none = world.scene.hydrant(&tree, &["status", "--json", "nothing"]).ends(2).json();
    assert_eq!(none["error_class"], "invalid_arguments", "{none}");
}

#[test]
fn a_session_that_is_here_in_part_is_incomplete() {
    let world = published();
    let tree = sparse(&world);
    world.scene.git(&tree, &["sparse-checkout", "set", "--no-cone", "/*", "!/sessions/*/session.md"]);
    let one = world.scene.hydrant(&tree, &["status", SESSION, "--json"]).ends(0).json();
    assert_eq!(judged(&one), incomplete(), "{one}");
    // The manifest is here and says what there should be.
    assert_eq!(one["blobs"]["state"], "missing", "{one}");
    let out = world.scene.hydrant(&tree, &["status", SESSION]).ends(0).out;
    assert!(out.contains("sparse checkout: 1 session (1 file)"), "{out}");
    let other = world.scene.hydrant(&tree, &["status", "other", "--json"]).ends(0).json();
    assert_eq!(judged(&other), (json!([true, true, false]), Value::Null), "{other}");
}

/// Each command says the same, and what it says is done brings the session here.
#[test]
fn what_is_kept_out_is_told_with_the_step_that_brings_it() {
    let world = published();
    let tree = sparse(&world);
    world.scene.git(&tree, &["sparse-checkout", "set", "src/deep"]);
    world.scene.file("sparse/src/deep/words", b"x");
    let (folder, file) = (format!("sessions/{SESSION}"), format!("sessions/{SESSION}/raw.jsonl"));
    let commands: [&[&str]; 10] = [
        &["status", SESSION],
        &["status", &folder],
        &["verify", "--offline", SESSION],
        &["verify", "--offline", &folder],
        &["hydrate", SESSION],
        &["hydrate", &file],
        &["show", SESSION, "raw.jsonl"],
        &["show", &file],
        &["show", SESSION],
        &["restore", &file],
    ];
    let mut steps = Vec::new();
    for (here, up) in [(tree.clone(), ""), (tree.join("src/deep"), "../../")] {
        for words in commands {
            let words: Vec<String> = words
                .iter()
                .map(|word| if word.contains('/') { format!("{up}{word}") } else { (*word).to_owned() })
                .collect();
            let said = world.scene.hydrant(&here, &words).ends(2).err;
            assert!(said.contains(&format!("session {SESSION} is kept out of the work tree")), "{words:?}: {said}");
            steps.push((here.clone(), said.split('`').nth(1).expect("a step").to_owned()));
        }
    }
    for (here, step) in steps {
        world.scene.git(&tree, &["sparse-checkout", "set", "src/deep"]);
        assert!(!tree.join(&folder).exists());
        let done = world.scene.program("sh", &here).args(["-c", &step]).status().expect("a shell");
        assert!(done.success() && tree.join(&file).exists(), "{step}");
    }
    // A name that nobody has stays unknown, and a file here that goes by a session's name is the file.
    world.scene.git(&tree, &["sparse-checkout", "set", "src/deep"]);
    for words in [&["show", "nobody", "raw.jsonl"][..], &["verify", "nobody"], &["hydrate", "nobody"]] {
        let said = world.scene.hydrant(&tree, words).ends(2).err;
        assert!(!said.contains("sparse") && said.contains("there is no"), "{words:?}: {said}");
    }
    world.scene.file(&format!("sparse/{SESSION}"), b"words");
    let said = world.scene.hydrant(&tree, &["hydrate", SESSION]).ends(0).err;
    assert!(!said.contains("sparse"), "{said}");
}
