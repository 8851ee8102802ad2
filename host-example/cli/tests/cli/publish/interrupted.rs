//! Publishes that end before their end, and the runs that finish them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;

use hydrant_host::files::digest::blob_of;
use hydrant_kit::scene::{TOKEN, noise};
use serde_json::Value;

use super::{SESSION, World, expect_published, manifest, publish, publish_recording, record, recorded, transcript};

/// Makes git's own hook of this clone run a script before each push.
fn before_push(world: &World, script: &str) {
    let hook = world.scene.file("clone/.git/hooks/pre-push", format!("#!/bin/sh\n{script}\n").as_bytes());
    fs::set_permissions(hook, fs::Permissions::from_mode(0o755)).expect("it can run");
}

fn status(world: &World, arguments: &[&str]) -> hydrant_kit::scene::Ran {
    world.scene.hydrant(&world.clone, &[&["status"], arguments].concat())
}

#[test]
fn a_refused_push_is_finished_by_the_next_run() {
    let world = recorded();
    before_push(&world, "echo 'not on a friday' >&2; exit 1");
    let json = publish_recording(&world, &["--json"]).ends(3).json();
    assert_eq!((&json["phase"], &json["ok"]), (&"push".into(), &false.into()), "{json}");
    assert!(json["error"]["detail"].as_str().expect("words").contains("friday"), "{json}");
    assert!(json["next"].as_str().expect("a sentence").contains(&format!("hydrant publish {SESSION} --resume")));
    // Nothing of it is here yet but the journal.
    let ran = status(&world, &[SESSION]).ends(0);
    assert!(ran.out.contains("interrupted") && ran.out.contains("--resume"), "{}", ran.out);
    assert_eq!(status(&world, &[SESSION, "--json"]).ends(0).json()["unfinished_publish"], true);
    let dry = publish_recording(&world, &["--dry-run", "--json"]).ends(0).json();
    assert_eq!(dry["resumes"], true, "{dry}");
    assert!(world.clone.join(format!(".git/hydrant/journal/{SESSION}.json")).exists());

    let puts = world.scene.server.stats().puts;
    before_push(&world, "exit 0");
    let json = publish(&world, &["--resume", "--json"]).ends(0).json();
    assert_eq!((&json["resumed"], &json["phase"]), (&true.into(), &"done".into()), "{json}");
    assert_eq!(world.scene.server.stats().puts, puts, "nothing is sent twice");
    expect_published(&world);
    assert_eq!(status(&world, &[SESSION, "--json"]).ends(0).json()["unfinished_publish"], false);
    let ran = publish(&world, &["--resume"]).ends(0);
    assert!(ran.out.contains("no publish of this session was interrupted"), "{}", ran.out);
    world.scene.hydrant(&world.clone, &["publish", "never-heard-of", "--resume"]).ends(2);
}

#[test]
fn the_same_command_finishes_the_old_and_begins_the_new() {
    let mut world = World::new();
    world.record();
    before_push(&world, "exit 1");
    publish(&world, &[]).ends(3);
    let id = status(&world, &["--json"]).ends(0).json();
    assert_eq!(id["sessions"].as_array().expect("a list").len(), 1, "only the other session is here");
    world.in_place("raw.jsonl", transcript(43));
    before_push(&world, "exit 0");
    let json = publish(&world, &["--json"]).ends(0).json();
    assert_eq!(json["resumed"], true, "{json}");
    expect_published(&world);
    assert_eq!(manifest(&world)["entry_count"], 43);
}

#[test]
fn a_file_that_grows_meanwhile_is_left_and_said_so() {
    let mut world = World::new();
    world.record();
    before_push(&world, &format!("echo more >> {}", world.session_folder().join("session.md").display()));
    let ran = publish(&world, &["--json"]).ends(1);
    let json = ran.json();
    let files = json["file_list"].as_array().expect("a list");
    let state = |name: &str| files.iter().find(|file| file["name"] == name).expect("the file")["state"].clone();
    assert_eq!((state("raw.jsonl"), state("session.md")), ("swapped".into(), "left".into()), "{json}");
    assert!(json["next"].as_str().expect("a sentence").contains("publish the session again"), "{json}");
    let grown = fs::read(world.session_folder().join("session.md")).expect("it stands there");
    assert!(grown.ends_with(b"more\n"));
    before_push(&world, "exit 0");
    world.content.insert("session.md".to_owned(), grown);
    publish(&world, &[]).ends(0);
    expect_published(&world);
}

const AWAY: [&str; 4] = ["--endpoint", "http://127.0.0.1:1/r", "--retries", "0"];

fn doctor(world: &World) -> Value {
    let json = world.scene.hydrant(&world.clone, &["doctor", "--json"]).json();
    let of_publish = |one: &&Value| one["kind"].as_str().expect("a word").starts_with("publish-");
    json["finding_list"].as_array().expect("a list").iter().filter(of_publish).cloned().collect()
}

/// There is nothing to finish, nothing to give up, and nothing to find.
#[test]
fn a_publish_that_sent_nothing_leaves_nothing() {
    let mut world = recorded();
    let login = world.scene.url().replace(TOKEN, "somebody-elses");
    for refusal in [&AWAY[..], &["--endpoint", &login, "--retries", "0"]] {
        let ran = publish_recording(&world, &[refusal, &["--json"]].concat());
        assert!([1, 3].contains(&ran.code), "{}", ran.err);
        let json = ran.json();
        assert_eq!(json["phase"], "upload", "{json}");
        assert!(json["next"].as_str().expect("a sentence").contains("nothing was sent"), "{json}");
        assert!(!world.clone.join(format!(".git/hydrant/journal/{SESSION}.json")).exists());
        assert_eq!(doctor(&world), Value::Array(vec![]));
        publish(&world, &["--resume"]).ends(2);
        publish(&world, &["--abandon"]).ends(2);
    }
    record(&mut world, "session.md", b"other content");
    publish_recording(&world, &[]).ends(0);
    expect_published(&world);
}

/// What an earlier run may have sent is named for as long as nothing else names it.
#[test]
fn what_an_earlier_run_may_have_sent_stays_named() {
    let mut world = recorded();
    let sent = world.content["session.md"].clone();
    let journal = world.intend(&sent);
    for _ in 0..2 {
        assert_ne!(publish_recording(&world, &AWAY).code, 0);
        let text = fs::read_to_string(&journal).expect("the journal stays");
        assert!(text.contains(&blob_of(&sent).oid), "{text}");
        assert_eq!(doctor(&world)[0]["kind"], "publish-intended");
    }
    record(&mut world, "session.md", b"other content");
    publish_recording(&world, &[]).ends(0);
    let orphans = world.scene.hydrant(&world.clone, &["orphans"]).ends(0).out;
    assert!(orphans.contains(&blob_of(&sent).oid), "{orphans}");
    expect_published(&world);
}

/// Gives the publish up; nothing that anybody could miss goes.
#[track_caller]
fn abandon(world: &World) -> Value {
    let see = |world: &World| {
        let tree = super::tree(&world.clone, false)
            .into_iter()
            .filter(|(path, _)| !path.to_string_lossy().contains(".git/hydrant/"));
        (tree.collect::<BTreeMap<_, _>>(), hydrant_kit::world::files(&world.scene.path("server")))
    };
    let before = see(world);
    let json = publish(world, &["--abandon", "--json"]).ends(0).json();
    assert_eq!((&json["ok"], &json["abandoned"]), (&true.into(), &true.into()), "{json}");
    assert!(see(world) == before, "something else changed");
    let kept = world.clone.join(".git").join(json["journal"].as_str().expect("a path"));
    assert!(kept.is_file(), "{json}");
    assert_eq!(doctor(world), Value::Array(vec![]));
    assert_eq!(status(world, &["--json"]).json()["sessions"].as_array().map(Vec::len), Some(1));
    // Once is enough.
    publish(world, &["--resume"]).ends(2);
    json
}

#[test]
fn an_interrupted_publish_can_be_given_up() {
    let mut world = recorded();
    before_push(&world, "exit 1");
    publish_recording(&world, &[]).ends(3);
    let json = abandon(&world);
    let sent: Vec<String> = ["raw.jsonl", "session.md", "notes/a.txt", "context-trace.jsonl"]
        .map(|name| blob_of(&world.content[name]).oid)
        .into();
    let named = |list: &Value| -> BTreeSet<String> {
        let list = list.as_array().expect("a list").iter();
        list.map(|one| one["oid"].as_str().expect("an oid").to_owned()).collect()
    };
    assert_eq!(named(&json["blob_list"]), BTreeSet::from_iter(sent.clone()));
    assert_eq!((&json["published"], &json["content_list"]), (&false.into(), &Value::Array(vec![])), "{json}");
    // What is on the server and named by nothing is still findable.
    let orphans = world.scene.hydrant(&world.clone, &["orphans", "--json"]).ends(0).json();
    assert_eq!(named(&orphans["orphan_list"]), BTreeSet::from_iter(sent));
    // And begun anew, with other content.
    before_push(&world, "exit 0");
    record(&mut world, "session.md", b"other content");
    let json = publish_recording(&world, &["--json"]).ends(0).json();
    assert_eq!(json["resumed"], false, "{json}");
    expect_published(&world);
    let orphans = world.scene.hydrant(&world.clone, &["orphans", "--json"]).ends(0).json();
    assert_eq!(named(&orphans["orphan_list"]), BTreeSet::from([blob_of(&noise(300_000, 5)).oid]));
}

#[test]
fn giving_up_leaves_content_where_it_stands() {
    let mut world = World::new();
    world.record();
    before_push(&world, "exit 1");
    publish(&world, &[]).ends(3);
    let json = abandon(&world);
    let standing: Vec<String> =
        ["raw.jsonl", "session.md", "plan.md"].map(|name| format!("sessions/{SESSION}/{name}")).into();
    let told = json["content_list"].as_array().expect("a list").iter();
    let told: BTreeSet<&str> = told.map(|one| one.as_str().expect("a path")).collect();
    assert_eq!(told, standing.iter().map(String::as_str).collect());
    before_push(&world, "exit 0");
    publish(&world, &[]).ends(0);
    expect_published(&world);
    // A session without an interrupted publish, and one that nobody knows.
    let json = publish(&world, &["--abandon", "--json"]).ends(0).json();
    assert_eq!((&json["abandoned"], &json["journal"]), (&false.into(), &Value::Null));
    world.scene.hydrant(&world.clone, &["publish", "never-heard-of", "--abandon"]).ends(2);
    for other in [&["--resume"][..], &["--from", "."], &["--title", "x"], &["--again"], &["--dry-run"]] {
        publish(&world, &[&["--abandon"], other].concat()).ends(2);
    }
}

#[test]
fn journals_of_every_kind_can_be_given_up() {
    for text in [&b"{"[..], b"{}", b"{\"version\": 99}"] {
        let world = recorded();
        world.scene.file(&format!("clone/.git/hydrant/journal/{SESSION}.json"), text);
        let json = abandon(&world);
        assert!(json["next"].as_str().expect("words").contains("cannot be read"), "{json}");
        // For as long as it lies there, nobody knows all orphans.
        for all in [&[][..], &["--all"]] {
            let orphans = world.scene.hydrant(&world.clone, &[&["orphans", "--json"], all].concat()).ends(1).json();
            assert_eq!(
                (&orphans["ok"], &orphans["unreadable_list"][0]),
                (&false.into(), &json["journal"]),
                "{orphans}"
            );
        }
        let quiet = world.scene.hydrant(&world.clone, &["orphans", "-q"]).ends(1);
        assert!(quiet.err.contains(json["journal"].as_str().expect("a path")), "{}", quiet.err);
        publish_recording(&world, &[]).ends(0);
        expect_published(&world);
    }
    let world = recorded();
    world.intend(b"some of it");
    let json = abandon(&world);
    assert_eq!(json["blob_list"][0]["oid"], blob_of(b"some of it").oid);
    let orphans = world.scene.hydrant(&world.clone, &["orphans"]).ends(0).out;
    assert!(orphans.contains(&blob_of(b"some of it").oid), "{orphans}");
}

/// A publish has its session for itself, until it ends: from within its push, nobody takes its journal away.
#[test]
fn a_publish_that_runs_is_not_given_up_and_nobody_publishes_beside_it() {
    let world = recorded();
    let hydrant = world.scene.hydrant_command(&world.clone);
    let (program, said) = (hydrant.get_program().to_str().expect("text"), world.scene.path("said"));
    fs::create_dir(&said).expect("a folder");
    let from = world.recording.to_str().expect("text");
    let forms: [(&[&str], i32); 5] = [
        (&["--abandon"], 3),
        (&["--from", from], 3),
        (&["--from", from, "--exclude", "session.md"], 3),
        (&["--resume"], 3),
        (&["--from", from, "--dry-run"], 0),
    ];
    let runs = forms.iter().enumerate().map(|(at, (form, _))| {
        let said = said.join(at.to_string());
        format!(
            "'{program}' publish {SESSION} --json '{}' > '{1}' 2>&1; echo $? > '{1}.code'\n",
            form.join("' '"),
            said.display()
        )
    });
    let journal = world.clone.join(format!(".git/hydrant/journal/{SESSION}.json"));
    let (kept, journal) = (said.join("journal"), journal.display().to_string());
    let script = format!(
        "unset $(git rev-parse --local-env-vars)\ncd '{}'\ncp '{journal}' '{1}'\n{2}cmp '{journal}' '{1}'",
        world.clone.display(),
        kept.display(),
        runs.collect::<String>()
    );
    before_push(&world, &script);
    publish_recording(&world, &[]).ends(0);
    for (at, (form, code)) in forms.iter().enumerate() {
        let text = |name: String| fs::read_to_string(said.join(name)).expect("the hook wrote it");
        let (text, ended) = (text(at.to_string()), text(format!("{at}.code")));
        assert_eq!(ended.trim(), code.to_string(), "{form:?}: {text}");
        if *code != 0 {
            let json: Value = serde_json::from_str(&text).expect("a document");
            assert_eq!((&json["ok"], &json["error"]["code"]), (&false.into(), &"conflict".into()), "{form:?}: {text}");
            assert!(json["error"]["detail"].as_str().expect("words").contains("is running"), "{form:?}: {text}");
        }
    }
    expect_published(&world);
    assert_eq!(world.scene.hydrant(&world.clone, &["orphans"]).ends(0).out, "");
    assert!(!world.clone.join(".git/hydrant/abandoned").exists());
    // It is free again.
    let json = publish(&world, &["--abandon", "--json"]).ends(0).json();
    assert_eq!(json["abandoned"], false, "{json}");
}

/// Somebody who takes no turns wrote a journal between two looks of a run that then sends nothing.
#[test]
fn what_others_wrote_down_meanwhile_stays_named() {
    let mut codes = BTreeSet::new();
    for at in 1.. {
        let world = recorded();
        // One blob that this run would send, too, and one that nobody else knows.
        let sent = [world.content["session.md"].clone(), b"sent by another".to_vec()].map(|bytes| blob_of(&bytes));
        let entry = |blob: &hydrant_host::contract::types::Blob| format!("[\"{}\", {}]", blob.oid, blob.size);
        let text = format!("{{\"version\": 1, \"intended\": [{}, {}]}}", entry(&sent[0]), entry(&sent[1]));
        let theirs = world.scene.file("theirs.json", text.as_bytes());
        let (count, state) = (world.scene.file("count", b""), world.clone.join(".git/hydrant"));
        let script = format!(
            "#!/bin/sh\necho >> '{0}'\nif test $(wc -l < '{0}') -eq {at}; then mkdir -p '{1}/journal'; \
             cp '{2}' '{1}/journal/{SESSION}.json'; fi\nexec git upload-pack \"$@\"\n",
            count.display(),
            state.display(),
            theirs.display()
        );
        let script = world.scene.file("upload-pack", script.as_bytes());
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("it can run");
        world.git(&["config", "remote.origin.uploadpack", script.to_str().expect("text")]);
        let ran = publish_recording(&world, &[&AWAY[..], &["--json"]].concat());
        assert_ne!(ran.code, 0, "{}", ran.out);
        if fs::read(&count).expect("there").len() < at {
            // The run asks the remote no more than that.
            break;
        }
        codes.insert(ran.json()["error"]["code"].as_str().unwrap_or("none").to_owned());
        let named = [format!("journal/{SESSION}.json"), "orphans.json".to_owned()];
        let named: String = named.map(|name| fs::read_to_string(state.join(name)).unwrap_or_default()).concat();
        for blob in &sent {
            assert!(named.contains(&blob.oid), "look {at}: {}{named}", ran.out);
        }
    }
    assert!(codes.len() > 1 && codes.contains("conflict"), "before and after the journal was looked at: {codes:?}");
}

/// What a push was to replace may be named by nothing else, if the remote took the push.
#[test]
fn what_a_publish_that_is_given_up_was_to_replace_stays_findable() {
    let mut world = recorded();
    publish_recording(&world, &[]).ends(0);
    let replaced = blob_of(&world.content["session.md"]).oid;
    before_push(&world, "exit 1");
    record(&mut world, "session.md", b"other content");
    publish_recording(&world, &[]).ends(3);
    let is_registered = |world: &World| {
        let all = world.scene.hydrant(&world.clone, &["orphans", "--all"]).ends(0).out;
        all.contains(&replaced)
    };
    assert!(!is_registered(&world));
    let json = publish(&world, &["--abandon", "--json"]).ends(0).json();
    let told = json["blob_list"].as_array().expect("a list").iter();
    assert!(told.clone().count() > 0 && told.clone().all(|blob| blob["oid"] != replaced), "it was not sent: {json}");
    assert!(is_registered(&world));
    // The remote names it still.
    let orphans = world.scene.hydrant(&world.clone, &["orphans"]).ends(0).out;
    assert!(!orphans.contains(&replaced), "{orphans}");
    assert!(orphans.contains(&blob_of(b"other content").oid), "{orphans}");
}

/// A clone in which somebody else publishes the same session.
fn rival(world: &World, files: &[(&str, &[u8])]) {
    let rival = world.scene.path("rival");
    if !rival.exists() {
        world.scene.git(&world.scene.folder, &["clone", "--quiet", "remote.git", "rival"]);
        for (key, value) in [("user.name", "r"), ("user.email", "r@example.test"), ("lfs.url", &world.scene.url())] {
            world.scene.git(&rival, &["config", key, value]);
        }
    }
    for (name, bytes) in files {
        world.scene.file(&format!("theirs/{name}"), bytes);
    }
    world.scene.hydrant(&rival, &["publish", SESSION, "--from", "../theirs"]).ends(0);
}

/// The pull that a resume asks for is enough: it has the user's word then, as any publish after a pull.
#[test]
fn a_resume_after_the_pull_that_it_asked_for_works() {
    let first: [(&str, &[u8]); 2] = [("raw.jsonl", &transcript(3)), ("summary.json", b"{\"title\": \"first\"}")];
    let theirs: [(&str, &[u8]); 3] =
        [("raw.jsonl", &transcript(5)), ("summary.json", b"{\"title\": \"theirs\"}"), ("plan.md", b"of theirs alone")];
    for only in [&["raw.jsonl"][..], &["summary.json"], &["raw.jsonl", "summary.json", "plan.md"]] {
        let mut world = recorded();
        rival(&world, &first);
        world.git(&["pull", "--quiet"]);
        before_push(&world, "exit 1");
        publish_recording(&world, &["--title", "Mine"]).ends(3);
        before_push(&world, "exit 0");
        let theirs: Vec<_> = theirs.iter().filter(|(name, _)| only.contains(name)).copied().collect();
        fs::remove_dir_all(world.scene.path("theirs")).expect("there");
        // A publish without its transcript is none.
        let all: Vec<_> = first.iter().filter(|(name, _)| !only.contains(name)).copied().chain(theirs).collect();
        rival(&world, &all);
        let is_refused = |arguments: &[&str]| {
            let json = publish(&world, &[arguments, &["--json"]].concat()).ends(3).json();
            assert_eq!((&json["phase"], &json["error"]["code"]), (&"push".into(), &"conflict".into()), "{json}");
            let next = json["next"].as_str().expect("a sentence").to_owned();
            assert!(next.contains("git pull") && next.contains("--resume") && next.contains("--abandon"), "{next}");
        };
        is_refused(&["--resume"]);
        is_refused(&["--resume"]);
        world.git(&["pull", "--quiet"]);
        let found = doctor(&world);
        let told = found[0]["detail"].as_str().expect("words");
        assert!(told.contains("--resume") && told.contains("--abandon"), "{found}");
        // Nothing but the user's own word replaces what others published.
        world.scene.hydrant(&world.clone, &["doctor", "--fix"]).ends(1);
        for written in ["sessions/.gitignore", ".lfsconfig"] {
            fs::remove_file(world.clone.join(written)).expect("the doctor wrote it");
        }
        let json = publish(&world, &["--resume", "--json"]).ends(0).json();
        assert_eq!((&json["resumed"], &json["phase"]), (&true.into(), &"done".into()), "{json}");
        let manifest = manifest(&world);
        assert_eq!((&manifest["entry_count"], &manifest["title"]), (&40.into(), &"Mine".into()));
        if only.contains(&"plan.md") {
            let oid = format!("sha256:{}", blob_of(b"of theirs alone").oid);
            assert_eq!(manifest["files"]["plan.md"]["oid"], oid, "what they added stays");
            world.content.insert("plan.md".to_owned(), b"of theirs alone".to_vec());
        }
        expect_published(&world);
        assert_eq!(doctor(&world), Value::Array(vec![]));
        if only.contains(&"raw.jsonl") {
            let orphans = world.scene.hydrant(&world.clone, &["orphans"]).ends(0).out;
            assert!(orphans.contains(&blob_of(&transcript(5)).oid), "{orphans}");
        }
    }
}

/// What the report says comes next.
fn next(ran: &hydrant_kit::scene::Ran) -> String {
    ran.json()["next"].as_str().expect("a sentence").to_owned()
}

/// Does what the doctor says of its only finding, in a shell.
fn follow_doctor(world: &World, kind: &str) {
    let json = world.scene.hydrant(&world.clone, &["doctor", "--json"]).ends(1).json();
    let findings = json["finding_list"].as_array().expect("a list");
    let finding = findings.iter().find(|one| one["kind"] == kind).unwrap_or_else(|| panic!("{json}"));
    let told = finding["run"].as_str().expect("a command");
    let done = world.scene.program("sh", &world.clone).args(["-c", told]).output().expect("it runs");
    assert!(done.status.success(), "{told}: {}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn a_journal_that_cannot_be_read_is_explained_by_the_doctor() {
    let world = recorded();
    publish_recording(&world, &[]).ends(0);
    let recording = world.recording.to_str().expect("text");
    let regenerate = ["regenerate", SESSION, "--from", recording, "--json"];
    for text in [&b"{"[..], b"{}", b"{\"version\": 99}"] {
        let journal = world.scene.file(&format!("clone/.git/hydrant/journal/{SESSION}.json"), text);
        for ran in [
            publish_recording(&world, &["--json"]),
            publish(&world, &["--resume", "--json"]),
            world.scene.hydrant(&world.clone, &regenerate),
        ] {
            let ran = ran.ends(3);
            let next = next(&ran);
            assert!(
                next.contains("nothing was sent and nothing changed") && next.contains("`hydrant doctor`"),
                "{next}"
            );
            assert!(!next.contains("starts over") && !next.contains("--resume"), "{next}");
        }
        assert_eq!(fs::read(journal).expect("it stays"), text);
        let found = world.scene.hydrant(&world.clone, &["doctor"]).ends(1).out;
        assert!(found.contains("the journal cannot be read"), "{found}");
    }
}

#[test]
fn a_register_that_cannot_be_read_is_explained_by_the_doctor() {
    let mut world = recorded();
    publish_recording(&world, &[]).ends(0);
    // Everything is done but the register.
    let register = world.scene.file("clone/.git/hydrant/orphans.json", b"{\"x\"");
    record(&mut world, "session.md", b"other content");
    let ran = publish_recording(&world, &["--json"]).ends(3);
    assert_eq!(ran.json()["phase"], "done", "{}", ran.out);
    for ran in [ran, publish(&world, &["--resume", "--json"]).ends(3)] {
        let next = next(&ran);
        let places = (next.find("`hydrant doctor`").expect("named"), next.find("--resume").expect("named"));
        assert!(places.0 < places.1, "{next}");
    }
    follow_doctor(&world, "register-unreadable");
    publish(&world, &["--resume"]).ends(0);
    expect_published(&world);
    // Nothing was begun, because what an earlier run may have sent could not be registered.
    world.intend(b"perhaps sent");
    fs::write(&register, "{\"x\"").expect("broken again");
    record(&mut world, "session.md", b"sent at last");
    let ran = publish_recording(&world, &["--json"]).ends(3);
    assert_eq!(ran.json()["phase"], "intend", "{}", ran.out);
    assert!(next(&ran).contains("`hydrant doctor`") && !next(&ran).contains("starts over"), "{}", ran.out);
    fs::remove_file(register).expect("it was there");
    publish_recording(&world, &[]).ends(0);
    expect_published(&world);
}
