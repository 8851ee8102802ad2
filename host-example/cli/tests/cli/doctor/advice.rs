//! What the doctor says is to be run is run here, word by word, and ends what it said it ends.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use hydrant_host::files::digest::blob_of;
use serde_json::Value;

use hydrant_kit::child;
use hydrant_kit::scene::Ran;
use hydrant_kit::world::{SESSION, World, transcript};

use super::{STEPS_MAX, appended, doctor, findings, kinds, tidy, told};

/// Where a user puts what is in the way, and where recordings lie.
const ASIDE: &str = "recording";
/// A register of which the end is missing.
const BROKEN: &[u8] = b"{\"version\": 1, \"orph";

fn publish(world: &World, arguments: &[&str]) -> Ran {
    world.scene.hydrant(&world.clone, &[&["publish", SESSION], arguments].concat())
}

/// Another clone of the same ledger.
fn rival(world: &World) -> PathBuf {
    world.scene.git(&world.scene.folder, &["clone", "--quiet", "remote.git", "rival"]);
    let rival = world.scene.path("rival");
    for (key, value) in [("user.name", "r"), ("user.email", "r@example.test"), ("lfs.url", &world.scene.url())] {
        world.scene.git(&rival, &["config", key, value]);
    }
    rival
}

/// The remote refuses what this clone pushes, until it is told otherwise.
fn refuse_pushes(world: &World, refuse: bool) {
    let script = format!("#!/bin/sh\nexit {}\n", u8::from(refuse));
    let hook = world.scene.file("clone/.git/hooks/pre-push", script.as_bytes());
    fs::set_permissions(hook, PermissionsExt::from_mode(0o755)).expect("it can run");
}

/// Does what is said: the command in a shell, or else step by step.
fn follow(world: &World, found: &Value) {
    if let Some(run) = found["run"].as_str() {
        return appended::follow(world, run);
    }
    let aside = world.scene.path(ASIDE);
    let is_step = |step: &&str| ["move ", "git ", "hydrant "].iter().any(|start| step.starts_with(start));
    for step in told(found).split("; ").skip_while(|step| !is_step(step)) {
        if let Some(said) = step.strip_prefix("move what stands in ") {
            let (folder, _) = said.split_once(" to a folder KEPT elsewhere").expect("a folder");
            fs::create_dir_all(&aside).expect("a folder");
            for entry in fs::read_dir(world.clone.join(folder)).expect("there").flatten() {
                fs::rename(entry.path(), aside.join(entry.file_name())).expect("moved");
            }
        } else if let Some(said) = step.strip_prefix("git ") {
            world.git(&said.split(' ').collect::<Vec<_>>());
        } else if let Some(said) = step.strip_prefix("hydrant ") {
            let said = said.split_once(" joins them").map_or(said, |(command, _)| command);
            let said = said.replace("DIR", aside.to_str().expect("text"));
            world.scene.hydrant(&world.clone, &said.split(' ').collect::<Vec<_>>()).ends(0);
        } else {
            assert!(step.starts_with("files of the same name"), "a step that nobody can follow: {step}");
        }
    }
}

/// A publish of this clone is bound, and the rival's publish of the same session was faster.
fn outpaced(mut world: World, in_place: bool) -> World {
    let rival = rival(&world);
    world.scene.file("theirs/raw.jsonl", &transcript(7));
    world.scene.file("theirs/session.md", b"theirs alone");
    refuse_pushes(&world, true);
    if in_place {
        world.in_place("raw.jsonl", transcript(9));
        publish(&world, &[]).ends(3);
    } else {
        world.scene.file("recording/raw.jsonl", &transcript(9));
        publish(&world, &["--from", "../recording"]).ends(3);
    }
    refuse_pushes(&world, false);
    world.scene.hydrant(&rival, &["publish", SESSION, "--from", "../theirs"]).ends(0);
    world
}

#[test]
fn another_version_at_the_remote_is_joined_and_not_resumed() {
    for in_place in [false, true] {
        let world = outpaced(tidy(), in_place);
        // Nobody has told this clone yet.
        assert!(told(&findings(&world)[0]).ends_with("--resume"));
        publish(&world, &["--resume"]).ends(3);
        let found = findings(&world);
        let run = told(&found[0]);
        assert_eq!((found.len(), &found[0]["kind"], &found[0]["fix"]), (1, &"publish-unpushed".into(), &Value::Null));
        assert_eq!(found[0]["run"], Value::Null, "where its files came from is the user's to say");
        assert!(found[0]["detail"].as_str().expect("words").contains("the remote has another version"), "{found:?}");
        assert!(run.contains(&format!("hydrant publish {SESSION} --from DIR joins them")), "{run}");
        assert!(!run.contains("--resume") && run.contains("git pull; ") && run.contains("move ") == in_place, "{run}");
        // Nothing that --fix could do.
        doctor(&world, &["--fix"]).ends(1);
        follow(&world, &found[0]);
        assert_eq!(findings(&world), Vec::<Value>::new());
        let manifest = world.remote_file(&format!("sessions/{SESSION}/meta.json")).expect("the manifest");
        let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
        assert_eq!(manifest["entry_count"], 9);
        assert_eq!(manifest["files"].as_object().expect("files").len(), 2, "files of both: {manifest}");
        world.scene.hydrant(&world.clone, &["verify", SESSION]).ends(0);
    }
}

#[test]
fn two_versions_of_a_manifest_alone_are_resumed() {
    let world = tidy();
    world.scene.file("recording/raw.jsonl", &transcript(9));
    publish(&world, &["--from", "../recording"]).ends(0);
    let rival = rival(&world);
    refuse_pushes(&world, true);
    world.scene.file("recording/raw.jsonl", &transcript(10));
    publish(&world, &["--from", "../recording"]).ends(3);
    refuse_pushes(&world, false);
    world.scene.hydrant(&rival, &["publish", SESSION, "--title", "A title"]).ends(0);
    world.git(&["pull", "--quiet"]);
    assert_eq!(told(&findings(&world)[0]), format!("hydrant publish {SESSION} --resume"));
    doctor(&world, &["--fix"]).ends(0);
    assert_eq!(findings(&world), Vec::<Value>::new());
}

#[test]
fn a_branch_that_diverged_is_brought_together_before_a_publish_goes_on() {
    let unsettled = (0..STEPS_MAX).find_map(|dies_at| {
        let mut world = tidy();
        world.record();
        child::publish(&world, dies_at, false);
        kinds(&findings(&world)).contains("publish-unsettled").then_some(world)
    });
    let world = unsettled.expect("some step is the one");
    fs::write(world.clone.join("notes.txt"), "two\n").expect("written");
    world.git(&["commit", "--quiet", "--message", "Of the user's", "--", "notes.txt"]);
    // A push would be refused, so it is not what comes first.
    let ran = publish(&world, &["--resume"]).ends(3);
    assert!(ran.err.contains("pull first") && !ran.err.contains("push first"), "{}", ran.err);
    let found = findings(&world);
    assert_eq!(kinds(&found), BTreeSet::from(["publish-unsettled".to_owned()]));
    let said = told(&found[0]).replace(" && ", "; ");
    let resume = format!("git pull --rebase; git push; hydrant publish {SESSION} --resume");
    assert!(said.ends_with(&resume), "{said}");
    follow(&world, &found[0]);
    assert_eq!(findings(&world), Vec::<Value>::new());
    assert_eq!(world.remote_file("notes.txt").as_deref(), Some(&b"two\n"[..]));
    world.scene.hydrant(&world.clone, &["verify", SESSION]).ends(0);
}

#[test]
fn a_register_that_cannot_be_read_is_kept_and_begun_anew() {
    let world = tidy();
    let register = world.scene.file("clone/.git/hydrant/orphans.json", BROKEN);
    world.scene.hydrant(&world.clone, &["orphans"]).ends(3);
    let found = findings(&world);
    assert_eq!(kinds(&found), BTreeSet::from(["register-unreadable".to_owned()]), "{found:?}");
    assert_eq!((&found[0]["path"], &found[0]["fix"]), (&"hydrant/orphans.json".into(), &Value::Null));
    doctor(&world, &["--fix"]).ends(1);
    assert!(register.exists(), "it is the user's to move");
    shell(&world, &told(&found[0]));
    assert!(!register.exists());
    assert_eq!(fs::read(register.with_file_name("orphans-unreadable.json")).expect("kept"), BROKEN);
    assert_eq!(findings(&world), Vec::<Value>::new());
    world.scene.hydrant(&world.clone, &["orphans"]).ends(0);
}

/// Runs words as a user's shell does.
fn shell(world: &World, words: &str) {
    let ended = world.scene.program("sh", &world.clone).args(["-c", words]).status().expect("it runs");
    assert!(ended.success(), "{words}");
}

#[test]
fn content_that_grew_can_be_published() {
    let mut world = tidy();
    world.record();
    publish(&world, &[]).ends(0);
    let published = blob_of(&world.content["raw.jsonl"]).oid;
    let folder = world.clone.join(".git/hydrant/adopted");
    let is_it = |path: &Path| fs::read(path).is_ok_and(|bytes| bytes == world.content["raw.jsonl"]);
    let adopted = fs::read_dir(folder).expect("there").flatten().map(|entry| entry.path()).find(|path| is_it(path));
    let adopted = adopted.expect("the transcript");
    fs::set_permissions(&adopted, PermissionsExt::from_mode(0o600)).expect("it can be written");
    fs::write(&adopted, transcript(99)).expect("it grows");
    let found = findings(&world);
    assert_eq!(kinds(&found), BTreeSet::from(["kept-content".to_owned()]), "{found:?}");
    assert!(found[0]["path"].as_str().expect("a path").contains(&published));
    let run = told(&found[0]);
    let (copy, regenerate, remove) = (run.find(": cp "), run.find("hydrant regenerate"), run.find(": rm "));
    assert!(copy.is_some() && copy < regenerate && regenerate < remove, "{run}");
    let dir = world.scene.path("DIR");
    fs::create_dir(&dir).expect("a folder");
    let between = |from: &str, to: &str| {
        let after = run.split_once(from).expect("a command").1;
        after.split_once(to).map_or(after, |(command, _)| command).to_owned()
    };
    shell(&world, &format!("cp {}", between(": cp ", ", then").replace("DIR/", &format!("{}/", dir.display()))));
    let regenerate = between(", then hydrant ", "; ").replace("DIR", dir.to_str().expect("text"));
    world.scene.hydrant(&world.clone, &regenerate.split(' ').collect::<Vec<_>>()).ends(0);
    shell(&world, &format!("rm {}", between(": rm ", "; ")));
    assert_eq!(findings(&world), Vec::<Value>::new());
    let grown = blob_of(&transcript(99)).oid;
    assert_eq!(world.server_blob(&grown), Some(transcript(99)));
}

#[test]
fn what_may_stay_for_ever_is_a_note() {
    let world = tidy();
    world.scene.file("clone/sessions/legacy/meta.json", b"{\"session_name\": \"legacy\", \"files\": {}}");
    let head = world.git(&["rev-parse", "HEAD"]);
    world.git(&["update-ref", "refs/hydrant/backup/x", head.trim()]);
    for arguments in [&["--json"][..], &["--json", "--fix"]] {
        let json = doctor(&world, arguments).ends(0).json();
        assert_eq!(json["ok"], true, "{json}");
        let found = json["finding_list"].as_array().expect("a list");
        let expected = ["backup-ref", "legacy-session"].map(str::to_owned);
        assert_eq!(kinds(found), BTreeSet::from(expected), "{json}");
        assert!(found.iter().all(|one| one["severity"] == "note"), "{json}");
    }
    let said = doctor(&world, &[]).ends(0).out;
    for words in ["refs/hydrant/backup/x", "it has no id of its own", "nothing is half done here"] {
        assert!(said.contains(words), "{said}");
    }
    // A finding beside them counts, and is counted alone.
    world.scene.file("clone/sessions/cut/meta.json", b"{");
    let ran = doctor(&world, &[]).ends(1);
    assert!(ran.err.contains("1 finding, 1 left"), "{}", ran.err);
    let found = findings(&world);
    let cut = found.iter().find(|one| one["session"] == "cut").expect("named");
    assert_eq!(cut["severity"], "finding");
}

#[test]
fn a_draft_is_as_old_as_its_last_commit_wherever_it_is_checked_out() {
    let world = tidy();
    let days_ago = |days: u64| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs();
        format!("{} +0000", now - days * 24 * 3600)
    };
    let draft = |name: &str| format!("{{\"session_id\": \"ses_{name}\", \"draft\": true, \"files\": {{}}}}");
    for (names, days) in [(&["old", "refreshed"][..], 3), (&["young"], 0)] {
        for name in names {
            world.scene.file(&format!("clone/sessions/{name}/meta.json"), draft(name).as_bytes());
        }
        world.git(&["add", "--all"]);
        let mut commit = world.scene.program("git", &world.clone);
        commit.args(["commit", "--quiet", "--message", "Drafts"]);
        commit.env("GIT_COMMITTER_DATE", days_ago(days)).env("GIT_AUTHOR_DATE", days_ago(days));
        assert!(commit.status().expect("git runs").success());
    }
    world.git(&["push", "--quiet"]);
    let rival = rival(&world);
    let found = || {
        let json = world.scene.hydrant(&rival, &["doctor", "--json"]).json();
        let findings = json["finding_list"].as_array().expect("a list").clone();
        let old = findings.iter().filter(|one| one["kind"] == "old-draft");
        old.map(|one| one["session"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found(), ["old", "refreshed"]);
    // Whoever goes on with one here has not committed it yet.
    fs::write(rival.join("sessions/refreshed/meta.json"), draft("refreshed") + "\n").expect("written");
    assert_eq!(found(), ["old"]);
}
