//! `hydrant doctor`: every state that a killed publish leaves is named, explained and completed.

mod advice;
mod appended;
mod merges;
mod stalled;
mod unfinished;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use serde_json::Value;

use hydrant_kit::child::{self, Died};
use hydrant_kit::scene::pointer;
use hydrant_kit::world::{SESSION, World, transcript};

/// Steps of a publish at most.
const STEPS_MAX: usize = 200;

fn doctor(world: &World, arguments: &[&str]) -> hydrant_kit::scene::Ran {
    world.scene.hydrant(&world.clone, &[&["doctor"], arguments].concat())
}

fn findings(world: &World) -> Vec<Value> {
    let ran = doctor(world, &["--json"]);
    let json = ran.json();
    let findings = json["finding_list"].as_array().expect("a list").clone();
    let is_ok = findings.iter().all(|one| one["severity"] == "note");
    assert_eq!(ran.code, i32::from(!is_ok), "{json}");
    assert_eq!(json["ok"], is_ok);
    findings.iter().for_each(expect_runnable);
    findings
}

/// What is to be run is a command as it stands: a shell reads it, and nothing in it is left to fill in.
fn expect_runnable(found: &Value) {
    let Some(run) = found["run"].as_str() else { return assert_eq!(found["run"], Value::Null) };
    let read = Command::new("sh").args(["-n", "-c", run]).status().expect("a shell");
    assert!(read.success() && ["git ", "hydrant ", "mv "].iter().any(|start| run.starts_with(start)), "{run}");
    let is_left = |word: &str| word.split('/').any(|part| ["DIR", "KEPT", "NAME", "COMMIT"].contains(&part));
    assert!(!run.split([' ', '"']).any(is_left), "{run}");
}

/// What is said about a finding: the command, or the sentence where something is to be decided first.
fn told(found: &Value) -> String {
    found["run"].as_str().or(found["detail"].as_str()).expect("words").to_owned()
}

fn kinds(findings: &[Value]) -> BTreeSet<String> {
    findings.iter().map(|one| one["kind"].as_str().expect("a word").to_owned()).collect()
}

/// A ledger in which nothing is to be found.
fn tidy() -> World {
    let world = World::new();
    doctor(&world, &["--fix"]).ends(0);
    world.git(&["add", "--all"]);
    world.git(&["commit", "--quiet", "--message", "What is never committed"]);
    world.git(&["push", "--quiet"]);
    world
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    let mut world = World::new();
    let found = findings(&world);
    assert_eq!(kinds(&found), BTreeSet::from(["git-lfs-pull", "gitignore"].map(str::to_owned)), "{found:?}");
    let dry = doctor(&world, &["--fix", "--dry-run", "--json"]).ends(0).json();
    assert_eq!(dry["finding_list"][0]["severity"], "note", "{dry}");
    assert!(dry["finding_list"][0]["fix"].as_str().expect("words").contains(".gitignore"), "{dry}");
    assert!(!world.clone.join("sessions/.gitignore").exists());
    world.scene.file("clone/sessions/.gitignore", b"# mine\n*.tmp");
    let fixed = doctor(&world, &["--fix", "--json"]).ends(0).json();
    assert_eq!(fixed["finding_list"][0]["fixed"], true, "{fixed}");
    let text = fs::read_to_string(world.clone.join("sessions/.gitignore")).expect("there");
    assert!(text.starts_with("# mine\n*.tmp\n") && text.contains(".meta.json.lock"), "{text}");
    let ran = doctor(&world, &[]).ends(0);
    assert!(ran.out.contains("nothing is half done"), "{}", ran.out);
    // What was published is no finding either.
    world.record();
    world.scene.hydrant(&world.clone, &["publish", SESSION]).ends(0);
    assert_eq!(findings(&world), Vec::<Value>::new());
    assert!(doctor(&world, &["--json"]).ends(0).json()["adopted"]["files"].as_u64().expect("a number") > 0);
    doctor(&world, &["--dry-run"]).ends(2);
    doctor(&world, &["--fix", "--titles"]).ends(2);
}

/// A publish dies before and after each of its steps.
/// Shows I19.
#[test]
fn every_state_of_a_killed_publish_is_named_and_completed() {
    let mut seen = BTreeSet::new();
    for dies_at in 0..STEPS_MAX {
        let mut world = tidy();
        world.record();
        if child::publish(&world, dies_at, false) == Died::Ended {
            assert!(dies_at > 10, "it ended after {dies_at} steps");
            break;
        }
        let found = findings(&world);
        let of_publish: Vec<&Value> =
            found.iter().filter(|one| one["kind"].as_str().expect("a word").starts_with("publish-")).collect();
        let journal = world.clone.join(format!(".git/hydrant/journal/{SESSION}.json")).exists();
        assert_eq!(of_publish.len(), usize::from(journal), "step {dies_at}: {found:?}");
        for one in &of_publish {
            assert_eq!(one["session"], SESSION);
            assert!(told(one).contains(&format!("hydrant publish {SESSION}")), "{one}");
        }
        seen.extend(kinds(&found));
        // A dead process's lock of git's own is the user's to remove; ours goes.
        let fixed = doctor(&world, &["--fix", "--json"]).json();
        assert_eq!(fixed["ok"], true, "step {dies_at}: {fixed}");
        assert_eq!(findings(&world), Vec::<Value>::new(), "step {dies_at}");
        if journal {
            let ran = world.scene.hydrant(&world.clone, &["verify", SESSION]).ends(0);
            assert!(ran.err.is_empty(), "{}", ran.err);
            assert_eq!(world.git(&["status", "--porcelain"]), "", "step {dies_at}");
        }
    }
    for kind in ["publish-intended", "publish-unpushed", "publish-unsettled", "publish-unswapped", "publish-unclosed"] {
        assert!(seen.contains(kind), "{kind}: {seen:?}");
    }
}

#[test]
fn it_explains_without_a_server() {
    // Dies once everything is bound.
    let bound = (0..STEPS_MAX).find_map(|dies_at| {
        let mut world = tidy();
        world.record();
        child::publish(&world, dies_at, false);
        kinds(&findings(&world)).contains("publish-unpushed").then_some(world)
    });
    let world = bound.expect("some step is the one");
    fs::rename(&world.remote, world.scene.path("away")).expect("the remote is away");
    let ran = doctor(&world, &[]).ends(1);
    assert!(ran.out.contains("--resume"), "{}", ran.out);
    let fixed = doctor(&world, &["--fix", "--json"]).ends(1).json();
    assert_eq!(fixed["finding_list"][0]["fixed"], false, "{fixed}");
    assert_eq!(fixed["finding_list"][0]["result"], Value::Null);
    assert!(!fixed["finding_list"][0]["error"]["detail"].as_str().expect("words").is_empty());
    fs::rename(world.scene.path("away"), &world.remote).expect("the remote is back");
    doctor(&world, &["--fix"]).ends(0);
    world.scene.hydrant(&world.clone, &["verify", SESSION]).ends(0);
}

#[test]
fn broken_old_and_legacy_manifests_are_named() {
    let world = tidy();
    let place = |name: &str| format!("clone/sessions/{name}/meta.json");
    world.scene.file(&place("marks"), b"<<<<<<< ours\n{}\n=======\n{}\n>>>>>>> theirs\n");
    world.scene.file(&place("cut"), b"{\"files\": {");
    world.scene.file(&place("legacy"), b"{\"session_name\": \"legacy\", \"repo_id\": \"r\", \"files\": {}}");
    let draft = world.scene.file(&place("draft"), b"{\"session_id\": \"ses_d\", \"draft\": true, \"files\": {}}");
    world.scene.file(&place("young"), b"{\"session_id\": \"ses_y\", \"draft\": true, \"files\": {}}");
    let two_days = std::time::SystemTime::now() - std::time::Duration::from_secs(48 * 3600);
    fs::File::options().write(true).open(draft).and_then(|file| file.set_modified(two_days)).expect("its time");
    let found = findings(&world);
    let of = |session: &str| {
        let one = found.iter().find(|one| one["session"] == session);
        one.map(|one| one["kind"].as_str().expect("a word").to_owned())
    };
    for (session, kind) in [
        ("marks", Some("conflict")),
        ("cut", Some("unreadable-manifest")),
        ("legacy", Some("legacy-session")),
        ("draft", Some("old-draft")),
        ("young", None),
        ("other", None),
    ] {
        assert_eq!(of(session).as_deref(), kind, "{session}: {found:?}");
    }
    let told_of_cut = |found: &[Value]| {
        let one = found.iter().find(|one| one["session"] == "cut").expect("it is found");
        told(one)
    };
    assert!(told_of_cut(&found).contains("; no commit has it: move it elsewhere"), "{found:?}");
    // None of it is for a program to decide.
    doctor(&world, &["--fix"]).ends(1);
    assert_eq!(findings(&world).len(), 4);
    world.scene.commit(&world.clone);
    assert!(told_of_cut(&findings(&world)).contains("; git log -- sessions/cut/meta.json"));
}

#[test]
fn leftovers_of_the_dead_go_and_unknown_bytes_are_kept() {
    let world = tidy();
    let mut dead = Command::new("true").stdin(Stdio::null()).spawn().expect("it runs");
    let number = dead.id();
    dead.wait().expect("it ends");
    let name = |kind: &str, number: u32| format!("clone/sessions/other/.hydrant-{kind}-{number}-0.tmp");
    let ours = world.scene.file(&name("swap", number), pointer(b"x").as_bytes());
    let unknown = world.scene.file(&name("meta", number), b"{\"somebody's\": 1}");
    let living = world.scene.file(&name("meta", std::process::id()), b"in use");
    symlink("nowhere", world.clone.join("sessions/other/.hydrant-meta-1-9.tmp")).expect("a link");
    let found = findings(&world);
    assert_eq!((kinds(&found), found.len()), (BTreeSet::from(["leftover".to_owned()]), 2), "{found:?}");
    let fixed = doctor(&world, &["--fix", "--json"]).ends(0).json();
    assert!(!ours.exists() && !unknown.exists() && living.exists(), "{fixed}");
    let found = findings(&world);
    assert_eq!(kinds(&found), BTreeSet::from(["kept-content".to_owned()]), "{found:?}");
    let path = found[0]["path"].as_str().expect("a path").to_owned();
    assert_eq!(fs::read(world.clone.join(".git").join(path)).expect("there"), b"{\"somebody's\": 1}");
    let told = told(&found[0]);
    assert!(told.contains("hydrant/kept/") && !told.contains("regenerate"), "of no session: {told}");
}

#[test]
fn grown_content_backups_and_our_lock() {
    let mut world = tidy();
    world.record();
    world.scene.hydrant(&world.clone, &["publish", SESSION]).ends(0);
    // Somebody still had the file open: what gave way grows.
    let adopted = fs::read_dir(world.clone.join(".git/hydrant/adopted")).expect("there").flatten().next();
    let adopted = adopted.expect("one").path();
    let mut permissions = fs::metadata(&adopted).expect("there").permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o600);
    fs::set_permissions(&adopted, permissions).expect("it can be written");
    fs::write(&adopted, transcript(99)).expect("it grows");
    world.scene.hydrant(&world.clone, &["cache", "verify", "--yes"]).ends(0);
    let head = world.git(&["rev-parse", "HEAD"]);
    world.git(&["update-ref", "refs/hydrant/backup/x", head.trim()]);
    fs::create_dir_all(world.clone.join(".git/hydrant")).expect("a folder");
    let lock = world.clone.join(".git/hydrant/settle.lock");
    fs::File::options().append(true).create(true).open(&lock).expect("our lock");
    fs::hard_link(lock, world.clone.join(".git/index.lock")).expect("a dead publish's lock");
    let found = findings(&world);
    let expected = ["backup-ref", "index-lock", "kept-content"].map(str::to_owned);
    assert_eq!(kinds(&found), BTreeSet::from(expected), "{found:?}");
    doctor(&world, &["--fix"]).ends(1);
    assert!(!world.clone.join(".git/index.lock").exists());
    // A lock of somebody else's is not ours to judge.
    world.scene.file("clone/.git/index.lock", b"");
    let expected = ["backup-ref", "kept-content"].map(str::to_owned);
    assert_eq!(kinds(&findings(&world)), BTreeSet::from(expected));
}

#[test]
fn titles_are_taken_from_summaries_and_given_up_after_three_looks() {
    let world = tidy();
    let session = |name: &str, fields: &str, summary: Option<&str>| {
        let text = format!("{{\"session_id\": \"ses_{name}\", {fields}\"zz\": 1.50, \"files\": {{}}}}");
        let path = world.scene.file(&format!("clone/sessions/{name}/meta.json"), text.as_bytes());
        if let Some(summary) = summary {
            world.scene.file(&format!("clone/sessions/{name}/summary.json"), summary.as_bytes());
        }
        path
    };
    let good = session("good", "", Some("{\"title\": \"Keep the refs\"}"));
    let none = session("none", "", None);
    session("titled", "\"title\": \"A\", ", None);
    session("draft", "\"draft\": true, ", None);
    world.scene.file("clone/sessions/broken/meta.json", b"{");
    let outcomes = |arguments: &[&str]| {
        let json = doctor(&world, &[&["--titles", "--json"], arguments].concat()).json();
        let of = |name: &str| {
            let all = json["session_list"].as_array().expect("a list");
            all.iter().find(|one| one["session"] == name).expect("listed")["outcome"]
                .as_str()
                .expect("a word")
                .to_owned()
        };
        ["good", "none", "titled", "draft", "broken"].map(of)
    };
    let before = fs::read(&good).expect("there");
    let first = ["recovered", "attempt", "skipped", "skipped", "error"];
    assert_eq!(outcomes(&["--dry-run"]), first);
    assert_eq!(fs::read(&good).expect("there"), before, "a dry run writes nothing");
    assert_eq!(outcomes(&[]), first);
    let text = fs::read_to_string(&good).expect("there");
    assert!(text.contains("Keep the refs") && text.contains("1.50"), "{text}");
    for second in ["attempt", "terminal", "skipped"] {
        assert_eq!(outcomes(&[]), ["skipped", second, "skipped", "skipped", "error"]);
    }
    assert!(fs::read_to_string(none).expect("there").contains("unrecoverable"));
    fs::remove_dir_all(world.clone.join("sessions/broken")).expect("removed");
    let json = doctor(&world, &["--titles", "--json"]).ends(0).json();
    let of_draft = json["session_list"].as_array().expect("a list").iter().find(|one| one["session"] == "draft");
    assert_eq!(of_draft.expect("listed")["why"], "draft", "{json}");
    // Each session has its line, also those with nothing to do, with the reason in a word.
    let said = doctor(&world, &["--titles"]).ends(0).out;
    for (session, why) in [("good", "titled"), ("none", "terminal"), ("titled", "titled"), ("draft", "draft")] {
        let line = said.lines().find(|line| line.split_whitespace().next() == Some(session)).unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words, [session, "skipped", why], "{said}");
    }
}
