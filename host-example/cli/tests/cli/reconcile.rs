//! `hydrant reconcile` against a remote whose hook refuses every push that names blobs the server lacks.

pub(crate) mod answerer;
mod gate;
mod pushes;

use std::fs;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use hydrant_host::files::digest::blob_of;
use serde_json::Value;

use answerer::{Answerer, Says};
use gate::{KEPT, LOST, changes_nothing, commit, gated, lose, push, reconcile, session, state, write};
use hydrant_kit::scene::pointer;
use hydrant_kit::world::World;

/// Bytes that a look at ten thousand pointers may take beyond those that a look at none takes.
const MANY_KIB_MAX: u64 = 60 * 1024;
const MANY: usize = 10_000;

fn oids(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().map(|one| one["oid"].as_str().expect("an oid")).collect()
}

#[test]
fn what_the_cache_has_is_sent_again() {
    let world = gated();
    world.scene.upload(KEPT);
    world.scene.upload(LOST);
    session(&world, "s", &[("raw.jsonl", KEPT), ("session.md", LOST)]);
    commit(&world);
    world.scene.hydrant(&world.clone, &["hydrate", "s"]).ends(0);
    lose(&world, LOST);
    let oid = blob_of(LOST).oid;
    assert!(push(&world).expect_err("the hook refuses it").contains(&oid));
    let look = changes_nothing(&world, &["--json"]).ends(1).json();
    assert_eq!((&look["scanned"], &look["missing_list"][0]["remedy"]), (&2.into(), &"upload-again".into()), "{look}");
    assert_eq!((oids(&look["uploaded_list"]), &look["squashed"]), (vec![oid.as_str()], &false.into()));
    let words = changes_nothing(&world, &[]).ends(1);
    assert!(
        words.out.contains(&oid[..12]) && words.err.contains("hydrant reconcile --repair"),
        "{}{}",
        words.out,
        words.err
    );
    let head = world.git(&["rev-parse", "HEAD"]);
    let done = reconcile(&world, &["--repair", "--json"]).ends(0).json();
    assert_eq!(
        (oids(&done["uploaded_list"]), &done["tip"], &done["backup"]),
        (vec![oid.as_str()], &Value::Null, &Value::Null)
    );
    assert_eq!(world.server_blob(&oid).as_deref(), Some(LOST));
    assert_eq!(world.git(&["rev-parse", "HEAD"]), head);
    push(&world).expect("accepted");
    assert!(reconcile(&world, &[]).ends(0).err.contains("nothing to push"));
}

#[test]
fn what_the_original_recorder_keeps_is_sent_again() {
    let world = gated();
    world.scene.upload(KEPT);
    session(&world, "s", &[("raw.jsonl", KEPT), ("session.md", LOST)]);
    commit(&world);
    // Ignored by git, and by no name that says which blob it is.
    write(&world, ".git/info/exclude", b".sageox/\n");
    write(&world, ".sageox/cache/sessions/s/raw.jsonl", b"not the blob, as long as");
    write(&world, ".sageox/cache/sessions/renamed/notes", LOST);
    let look = changes_nothing(&world, &["--json"]).ends(1).json();
    assert_eq!(look["missing_list"][0]["remedy"], "upload-again", "{look}");
    reconcile(&world, &["--repair"]).ends(0);
    assert_eq!(world.server_blob(&blob_of(LOST).oid).as_deref(), Some(LOST));
    push(&world).expect("accepted");
}

#[test]
fn a_file_whose_blob_is_lost_goes_with_its_entry() {
    let world = gated();
    world.scene.upload(KEPT);
    session(&world, "s", &[("raw.jsonl", KEPT), ("session.md", LOST)]);
    session(&world, "t", &[("raw.jsonl", KEPT)]);
    commit(&world);
    write(&world, "notes.txt", b"two\n");
    commit(&world);
    // What the user is in the middle of.
    write(&world, "notes.txt", b"three\n");
    write(&world, "staged", b"staged\n");
    world.git(&["add", "staged"]);
    let status = world.git(&["status", "--porcelain"]);
    assert!(push(&world).is_err());
    let plan = changes_nothing(&world, &["--repair", "--dry-run", "--json"]).ends(1).json();
    assert_eq!(
        (&plan["removed_list"][0], &plan["squashed"]),
        (&"sessions/s/session.md".into(), &true.into()),
        "{plan}"
    );
    assert_eq!((&plan["dry_run"], &plan["tip"], &plan["repairable"]), (&true.into(), &Value::Null, &true.into()));
    let before = world.git(&["rev-parse", "HEAD"]);
    let done = reconcile(&world, &["--repair"]).ends(0);
    assert!(done.err.contains("`git push` is next") && done.err.contains("refs/hydrant/backup/"), "{}", done.err);
    push(&world).expect("accepted");
    let manifest = world.remote_file("sessions/s/meta.json").expect("there");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    assert_eq!(manifest["zz_unknown"].to_string(), "[1.5,null]");
    assert_eq!(manifest["files"].as_object().expect("files").keys().collect::<Vec<_>>(), ["raw.jsonl"]);
    assert_eq!(world.remote_file("sessions/s/session.md"), None);
    assert_eq!(world.remote_file("sessions/s/raw.jsonl"), Some(pointer(KEPT).into_bytes()));
    assert_eq!(world.remote_file("notes.txt").as_deref(), Some(&b"two\n"[..]));
    assert!(!world.clone.join("sessions/s/session.md").exists());
    assert_eq!(world.git(&["status", "--porcelain"]), status);
    assert_eq!(world.git(&["rev-list", "--count", "HEAD"]), "2\n");
    let message = world.git(&["log", "-1", "--format=%B"]);
    assert!(message.starts_with("Remove a file whose blob is lost\n\nIn the place of, newest first:\n- "), "{message}");
    assert_eq!(message.matches("\n- ").count(), 2, "{message}");
    let backups = world.git(&["for-each-ref", "--format=%(objectname)", "refs/hydrant/backup"]);
    assert_eq!(backups, before);
    world.git(&["fsck", "--no-dangling", "--strict"]);
}

#[test]
fn what_only_older_commits_name_goes_with_them() {
    let world = gated();
    let older = b"content of an older commit";
    world.scene.upload(KEPT);
    world.scene.upload(older);
    session(&world, "s", &[("raw.jsonl", LOST), ("plan.md", older)]);
    commit(&world);
    session(&world, "s", &[("raw.jsonl", KEPT), ("plan.md", KEPT)]);
    commit(&world);
    assert!(push(&world).is_err());
    let tree = world.git(&["rev-parse", "HEAD^{tree}"]);
    let look = changes_nothing(&world, &["--json"]).ends(1).json();
    assert_eq!(
        (&look["missing_list"][0]["history_only"], &look["missing_list"][0]["remedy"]),
        (&true.into(), &"squash".into())
    );
    let done = reconcile(&world, &["--repair", "--json"]).ends(0).json();
    assert_eq!((&done["squashed"], &done["removed_list"]), (&true.into(), &Value::Array(Vec::new())), "{done}");
    assert_eq!(oids(&done["orphan_list"]), [blob_of(older).oid]);
    let register = fs::read_to_string(world.clone.join(".git/hydrant/orphans.json")).expect("a register");
    assert!(register.contains(&blob_of(older).oid));
    assert_eq!(done["tip"], world.git(&["rev-parse", "HEAD"]).trim());
    assert!(done["backup"].as_str().is_some_and(|name| name.starts_with("refs/hydrant/backup/")));
    assert_eq!(world.git(&["rev-parse", "HEAD^{tree}"]), tree);
    push(&world).expect("accepted");
}

/// A world in which a blob is lost at the tip.
fn lost() -> World {
    let world = gated();
    session(&world, "s", &[("raw.jsonl", LOST)]);
    commit(&world);
    world
}

#[test]
fn what_may_not_be_changed_stays() {
    type Arrange = fn(&World);
    let other = blob_of_other();
    let table: [(&str, &str, &str, Arrange); 7] = [
        ("no file of a session", "missing", "media/x.bin", |world| {
            write(world, "media/x.bin", pointer(LOST).as_bytes());
            commit(world);
        }),
        ("a manifest that says something else", "conflict", &other, |world| {
            let text = fs::read_to_string(world.clone.join("sessions/s/meta.json")).expect("a manifest");
            write(world, "sessions/s/meta.json", text.replace(&blob_of(LOST).oid, &blob_of_other()).as_bytes());
            commit(world);
        }),
        ("content in the place of the pointer", "conflict", "no longer the pointer", |world| {
            write(world, "sessions/s/raw.jsonl", b"content of the user's");
        }),
        ("a staged change of it", "conflict", "no longer the pointer", |world| {
            write(world, "sessions/s/raw.jsonl", b"content of the user's");
            world.git(&["add", "sessions"]);
            write(world, "sessions/s/raw.jsonl", pointer(LOST).as_bytes());
        }),
        ("an edited manifest", "conflict", "that is not committed", |world| {
            let text = fs::read_to_string(world.clone.join("sessions/s/meta.json")).expect("a manifest");
            write(world, "sessions/s/meta.json", text.replace("[", "[ ").as_bytes());
        }),
        ("the remote went on", "conflict", "pull first", |world| {
            world.scene.git(&world.scene.folder, &["clone", "--quiet", "remote.git", "there"]);
            let there = world.scene.path("there");
            world
                .scene
                .git(&there, &["-c", "user.name=x", "-c", "user.email=x@y.z", "commit", "-qm", "x", "--allow-empty"]);
            world.scene.git(&there, &["push", "--quiet"]);
            world.git(&["fetch", "--quiet"]);
        }),
        ("a merge", "conflict", "under way", |world| {
            fs::write(world.clone.join(".git/MERGE_HEAD"), world.git(&["rev-parse", "HEAD"])).expect("a mark");
        }),
    ];
    for (what, code, words, arrange) in table {
        let world = lost();
        arrange(&world);
        let (before, puts) = (state(&world), world.scene.server.stats().puts);
        let json = reconcile(&world, &["--repair", "--json"]).ends(3).json();
        let detail = json["error"]["detail"].as_str().unwrap_or_else(|| panic!("{what}: {json}"));
        assert_eq!(json["error"]["code"], code, "{what}: {detail}");
        assert!(detail.contains(words), "{what}: {detail}");
        assert!(!detail.contains(world.scene.folder.to_str().expect("text")), "{what}: {detail}");
        assert!(state(&world) == before && world.scene.server.stats().puts == puts, "{what}");
        changes_nothing(&world, &[]).ends(1);
    }
}

fn blob_of_other() -> String {
    blob_of(b"other").oid
}

#[test]
fn a_contradiction_names_both_sides() {
    let world = gated();
    world.scene.upload(KEPT);
    session(&world, "s", &[("raw.jsonl", KEPT)]);
    let text = fs::read_to_string(world.clone.join("sessions/s/meta.json")).expect("a manifest");
    write(&world, "sessions/s/meta.json", text.replace(&blob_of(KEPT).oid, &blob_of_other()).as_bytes());
    commit(&world);
    let json = changes_nothing(&world, &["--json"]).ends(1).json();
    let both = (&json["contradiction_list"][0]["pointer"]["oid"], &json["contradiction_list"][0]["manifest"]["oid"]);
    assert_eq!(both, (&blob_of(KEPT).oid.into(), &blob_of_other().into()));
    let words = changes_nothing(&world, &[]).ends(1).out;
    assert!(words.contains(&blob_of(KEPT).oid[..12]) && words.contains(&blob_of_other()[..12]), "{words}");
}

#[test]
fn a_rebase_is_finished_first() {
    let world = lost();
    write(&world, "notes.txt", b"mine\n");
    commit(&world);
    world.git(&["checkout", "--quiet", "-b", "side", "HEAD~1"]);
    write(&world, "notes.txt", b"theirs\n");
    commit(&world);
    let rebase = world.scene.program("git", &world.clone).args(["rebase", "--quiet", "main"]).output();
    assert!(!rebase.expect("git runs").status.success());
    for arguments in [&["--json"][..], &["--repair", "--json"]] {
        let json = changes_nothing(&world, arguments).ends(3).json();
        assert!(json["error"]["detail"].as_str().is_some_and(|detail| detail.contains("rebase")), "{json}");
    }
}

#[test]
fn only_a_definite_answer_is_one() {
    let table = [
        Says::Status(401),
        Says::Status(403),
        Says::Status(404),
        Says::Status(410),
        Says::Status(422),
        Says::Status(429),
        Says::Status(500),
        Says::Nothing,
    ];
    for says in table {
        let world = gated();
        session(&world, "s", &[("raw.jsonl", LOST), ("session.md", KEPT)]);
        commit(&world);
        let server = Answerer::start(says);
        world.git(&["config", "lfs.url", &server.url]);
        for arguments in [&["--json"][..], &["--repair", "--json"]] {
            let arguments = [arguments, &["--idle-timeout", "1", "--wait-max", "1"]].concat();
            let json = changes_nothing(&world, &arguments).ends(3).json();
            assert!(!json["error"]["code"].is_null() && json["error"]["code"] != "missing", "{says:?}: {json}");
            assert_eq!((&json["tip"], &json["repairable"]), (&Value::Null, &false.into()), "{says:?}: {json}");
        }
        assert!(!server.asked().is_empty(), "{says:?}");
    }
}

/// The server answers, and leaves one pointer open, or both: they are named, and nothing is repaired.
#[test]
fn pointers_of_which_nothing_definite_was_said_are_named() {
    let table = [(Says::LacksAllBut(403), 1, "auth"), (Says::LacksAllBut(500), 1, "busy")];
    for (says, unknown, code) in table.into_iter().chain([(Says::WouldTake, 2, "not-found")]) {
        let world = gated();
        session(&world, "s", &[("raw.jsonl", LOST), ("session.md", KEPT)]);
        commit(&world);
        let server = Answerer::start(says);
        world.git(&["config", "lfs.url", &server.url]);
        for arguments in [&["--json"][..], &["--repair", "--dry-run", "--json"]] {
            let json = changes_nothing(&world, arguments).ends(1).json();
            let list = json["unknown_list"].as_array().expect("a list");
            assert!(list.iter().all(|one| one["error"]["code"] == code), "{says:?}: {json}");
            assert_eq!((list.len(), &json["repairable"]), (unknown, &false.into()), "{says:?}: {json}");
            assert_eq!((&json["ok"], &json["error"]), (&false.into(), &Value::Null), "{says:?}: {json}");
        }
        let ran = changes_nothing(&world, &[]).ends(1);
        assert!(ran.out.contains("session.md") && ran.out.contains(code), "{says:?}: {}", ran.out);
        let json = changes_nothing(&world, &["--repair", "--json"]).ends(3).json();
        assert_eq!((&json["error"]["code"], &json["tip"]), (&code.into(), &Value::Null), "{says:?}: {json}");
        let verified = world.scene.hydrant(&world.clone, &["verify", "--json"]).ends(1).json();
        let named = |name: &str| {
            verified["finding_list"]
                .as_array()
                .expect("a list")
                .iter()
                .any(|one| one["name"].as_str().is_some_and(|it| it.ends_with(name)))
        };
        assert!(named("raw.jsonl") && named("session.md"), "{says:?}: {verified}");
    }
}

#[test]
fn what_nobody_was_asked_about_is_not_counted() {
    let world = lost();
    world.git(&["config", "lfs.url", "http://127.0.0.1:1/r"]);
    for arguments in [&[][..], &["--repair"]] {
        let ran = changes_nothing(&world, arguments).ends(3);
        assert!(!ran.out.contains("0 missing"), "{}", ran.out);
        assert!(ran.out.starts_with("1 pointer in 1 unpushed commit: which blobs are missing is not"), "{}", ran.out);
    }
    // And what was asked about is.
    world.git(&["config", "lfs.url", &world.scene.url()]);
    assert!(changes_nothing(&world, &[]).ends(1).out.contains("1 unpushed commit: 1 missing"));
}

#[test]
fn without_a_pointer_nobody_is_asked() {
    let world = gated();
    let server = Answerer::start(Says::Nothing);
    world.git(&["config", "lfs.url", &server.url]);
    assert!(reconcile(&world, &[]).ends(0).err.contains("nothing to push"));
    write(&world, "version", b"a file of some version\n");
    write(&world, "notes.txt", b"no such word\n");
    commit(&world);
    for arguments in [&[][..], &["--repair"]] {
        assert!(changes_nothing(&world, arguments).ends(0).err.contains("git push"));
    }
    assert_eq!(server.asked(), [0; 0]);
    push(&world).expect("accepted");
}

#[test]
fn many_pointers_are_asked_about_in_pages() {
    let world = gated();
    let server = Answerer::start(Says::HasAll);
    world.git(&["config", "lfs.url", &server.url]);
    world.git(&["config", "core.fsync", "none"]);
    let none = peak_kib(&world);
    for number in 0..MANY {
        let path = format!("sessions/s{}/file-{number}", number / 500);
        write(&world, &path, pointer(format!("content {number}").as_bytes()).as_bytes());
    }
    commit(&world);
    let many = peak_kib(&world);
    let asked = server.asked();
    assert_eq!(asked.iter().sum::<usize>(), MANY);
    assert!(asked.iter().all(|objects| *objects <= 100) && asked.len() == MANY / 100, "{asked:?}");
    assert!(many < none + MANY_KIB_MAX, "{none} KiB without a pointer, {many} KiB with {MANY}");
}

/// Runs a look; the most memory it had, in KiB.
fn peak_kib(world: &World) -> u64 {
    let mut command = world.scene.hydrant_command(&world.clone);
    let mut child = command.arg("reconcile").stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("hydrant runs");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let ended = loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(now.unwrap_or(0));
        if let Some(ended) = child.try_wait().expect("a child") {
            break ended;
        }
        sleep(Duration::from_millis(2));
    };
    assert!(ended.success(), "{ended}");
    peak
}

#[test]
fn help_names_the_way_back_and_a_dry_run_needs_a_repair() {
    let world = gated();
    assert!(world.scene.hydrant(&world.clone, &["reconcile", "--help"]).ends(0).out.contains("refs/hydrant/backup/"));
    reconcile(&world, &["--dry-run"]).ends(2);
}

#[test]
fn assets_beside_sessions_are_sent_again_and_never_removed() {
    // Which blobs the server lacks and the cache has, beside a file of a session that is lost for ever; what is left of
    // the asset is its pointer, whatever comes of it.
    for (is_cached, code) in [(true, 0), (false, 3)] {
        let world = gated();
        world.scene.upload(KEPT);
        write(&world, ".gitattributes", b"*.bin filter=lfs diff=lfs merge=lfs -text\n");
        write(&world, "media/logo.bin", pointer(KEPT).as_bytes());
        session(&world, "s", &[("raw.jsonl", LOST)]);
        commit(&world);
        if is_cached {
            world.scene.hydrant(&world.clone, &["hydrate", "media"]).ends(0);
        }
        lose(&world, KEPT);
        assert!(push(&world).is_err());
        let before = state(&world);
        let done = reconcile(&world, &["--repair", "--json"]).ends(code).json();
        let stands = fs::read(world.clone.join("media/logo.bin")).expect("there");
        assert_eq!(stands, pointer(KEPT).as_bytes(), "{done}");
        assert_eq!(world.git(&["show", "HEAD:media/logo.bin"]), pointer(KEPT), "{done}");
        if is_cached {
            assert_eq!(oids(&done["uploaded_list"]), [blob_of(KEPT).oid], "{done}");
            assert_eq!(done["removed_list"].as_array().map(Vec::len), Some(1), "{done}");
            assert_eq!(world.server_blob(&blob_of(KEPT).oid).as_deref(), Some(KEPT));
            push(&world).expect("accepted");
            assert_eq!(world.remote_file("media/logo.bin"), Some(pointer(KEPT).into_bytes()));
            assert_eq!(world.remote_file("sessions/s/raw.jsonl"), None);
        } else {
            let detail = done["error"]["detail"].as_str().expect("words");
            assert!(detail.contains("media/logo.bin"), "{detail}");
            assert_eq!(state(&world), before, "{done}");
        }
    }
}
