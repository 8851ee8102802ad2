//! Every way out, one by one.

use super::*;

use std::fs;

/// Texts that go out beside content: where the secret stands, and how the report names the place.
#[test]
fn titles_names_manifests_and_small_files_are_looked_through() {
    let secret = token(21);
    let field = format!("model={secret}");
    for (arguments, files, place) in [
        (&["--title", &secret][..], &[][..], "the field title"),
        (&["--summary", &secret], &[], "the field summary"),
        (&["--field", &field], &[], "the field model"),
        (&[], &[("summary.json", format!("{{\"a\": \"{secret}\"}}"))], "summary.json"),
        (&["--in-git", "side.txt"], &[("side.txt", secret.clone())], "side.txt"),
        (&[], &[("side/deep.log", format!("\n\n{secret}"))], "side/deep.log"),
        (&[], &[(secret.as_str(), "text".to_owned())], "the names of the files"),
    ] {
        let world = recorded(&transcript(4));
        for (name, text) in files {
            world.scene.file(&format!("recording/{name}"), text.as_bytes());
        }
        let ran = publish(&world, &[arguments, &["--json"]].concat()).ends(1);
        let report = ran.json();
        let held = report["secret_list"].as_array().expect("a list");
        assert!(held.len() == 1 && held[0]["file"] == place, "{place}: {report}");
        assert_eq!(world.scene.server.stats().puts, 0, "{place}");
        if place != "the names of the files" {
            expect_nowhere(&world, &secret, &[&ran]);
        }
    }
    // A manifest that the user wrote.
    let mut world = World::new();
    let text = format!("{{\"version\": \"1.0\", \"session_id\": \"ses_x\", \"title\": \"{secret}\", \"files\": {{}}}}");
    world.in_place("meta.json", text.into_bytes());
    world.in_place("raw.jsonl", transcript(4));
    let report = in_place(&world, &["--json"]).ends(1).json();
    assert_eq!(report["secret_list"][0]["file"], "meta.json", "{report}");
}

/// Encodings in which a secret is no text to search for.
#[test]
fn a_secret_in_another_dress_is_held_back_as_well() {
    let secret = token(22);
    let escaped: String = secret.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
    let percent: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let nested = serde_json::to_string(&serde_json::json!({"token": secret}).to_string()).expect("JSON");
    for dress in [escaped, percent, hex, nested.trim_matches('"').to_owned()] {
        let world = recorded(&with_secret(&dress));
        let ran = publish(&world, &["--json"]).ends(1);
        let redacted = publish(&world, &["--redact"]).ends(0);
        assert!(!published(&world).contains(&dress[..dress.len() - 2]), "{dress}");
        expect_nowhere(&world, &secret, &[&ran, &redacted]);
    }
}

#[test]
fn a_regenerate_passes_the_same_gate() {
    let secret = token(23);
    let world = recorded(&transcript(4));
    publish(&world, &[]).ends(0);
    world.scene.file("recording/raw.jsonl", &with_secret(&secret));
    let from = world.recording.to_str().expect("text");
    let regenerate = |arguments: &[&str]| {
        world.scene.hydrant(&world.clone, &[&["regenerate", SESSION, "--from", from], arguments].concat())
    };
    let dry = regenerate(&["--dry-run", "--json"]).ends(1);
    assert_eq!(dry.json()["secret_list"][0]["line"], 43);
    let ran = regenerate(&["--json"]).ends(1);
    expect_nowhere(&world, &secret, &[&dry, &ran]);
    let ran = regenerate(&["--redact"]).ends(0);
    assert!(published(&world).contains("[REDACTED:github-token#1]"));
    expect_nowhere(&world, &secret, &[&ran]);
}

/// A publish that was interrupted between its upload and its push.
fn unpushed(world: &World) -> PathBuf {
    let hook = world.scene.file("clone/.git/hooks/pre-push", b"#!/bin/sh\nexit 1\n");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).expect("it can run");
    publish(world, &[]).ends(3);
    fs::remove_file(hook).expect("it is there");
    world.state().join("looked-through")
}

/// What was sent before counts only with a verdict of the same search.
#[test]
fn a_resume_needs_a_verdict_of_the_same_search_or_the_content() {
    let resume = ["publish", SESSION, "--resume", "--json"];
    // With its verdict it needs no content.
    let world = recorded(&transcript(4));
    unpushed(&world);
    fs::remove_dir_all(&world.recording).expect("it is there");
    world.scene.hydrant(&world.clone, &resume).ends(0);
    // Another search, or none, has no verdict, and what is gone cannot be looked through.
    for verdicts in [Some("another search\n"), None] {
        let world = recorded(&transcript(4));
        let file = unpushed(&world);
        let text = fs::read_to_string(&file).expect("verdicts");
        match verdicts {
            Some(other) => fs::write(&file, other.to_owned() + text.split_once('\n').expect("lines").1),
            None => fs::remove_file(&file),
        }
        .expect("it can be changed");
        let report = world.scene.hydrant(&world.clone, &resume).ends(3).json();
        let detail = report["error"]["detail"].as_str().expect("a sentence");
        assert!(detail.contains("cannot be looked through") && detail.contains("with its files"), "{report}");
        assert_eq!(world.remote_file(&format!("sessions/{SESSION}/meta.json")), None);
        // With its files it goes on.
        publish(&world, &[]).ends(0);
    }
}

/// What the remote has already does not go out once more, so nothing stands in the way of what follows.
#[test]
fn a_resume_of_what_the_remote_has_needs_neither() {
    let world = recorded(&transcript(4));
    let verdicts = unpushed(&world);
    let journal = world.state().join(format!("journal/{SESSION}.json"));
    let text = fs::read(&journal).expect("a journal");
    let resume = ["publish", SESSION, "--resume", "--json"];
    world.scene.hydrant(&world.clone, &resume).ends(0);
    fs::write(&journal, text).expect("it can be put back");
    fs::remove_file(verdicts).expect("they are there");
    fs::remove_dir_all(&world.recording).expect("it is there");
    let report = world.scene.hydrant(&world.clone, &resume).ends(0).json();
    assert_eq!((&report["resumed"], &report["secret_list"]), (&true.into(), &serde_json::json!([])), "{report}");
}

/// What was sent when a value was no secret yet is not pushed once it is one.
#[test]
fn a_resume_does_not_push_what_is_a_secret_by_now() {
    let mut world = World::new();
    world.in_place("raw.jsonl", with_secret("plain-Looking7x"));
    let hook = world.scene.file("clone/.git/hooks/pre-push", b"#!/bin/sh\nexit 1\n");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).expect("it can run");
    in_place(&world, &[]).ends(3);
    fs::remove_file(hook).expect("it is there");
    let with = [("MY_API_TOKEN", "plain-Looking7x")];
    let ran = world.scene.hydrant_with(&world.clone, &with, &["publish", SESSION, "--resume", "--json"]);
    let report = ran.ends(1).json();
    assert_eq!(report["secret_list"][0]["kind"], "named-value", "{report}");
    assert_eq!(world.remote_file(&format!("sessions/{SESSION}/meta.json")), None);
}

/// What an interrupted publish left stands in the way of no redaction.
#[test]
fn a_redaction_goes_on_after_an_interruption() {
    let secret = token(28);
    let world = recorded(&with_secret(&secret));
    world.intend(b"what was on its way");
    publish(&world, &[]).ends(1);
    publish(&world, &["--redact"]).ends(0);
    assert!(published(&world).contains("[REDACTED:github-token#1]"));

    // One that was interrupted itself, when everything was sent.
    let world = recorded(&with_secret(&secret));
    let hook = world.scene.file("clone/.git/hooks/pre-push", b"#!/bin/sh\nexit 1\n");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).expect("it can run");
    publish(&world, &["--redact"]).ends(3);
    fs::remove_file(hook).expect("it is there");
    let ran = publish(&world, &["--redact"]).ends(0);
    assert!(published(&world).contains("[REDACTED:github-token#1]"));
    expect_nowhere(&world, &secret, &[&ran]);
}

#[test]
fn content_of_sessions_that_is_uploaded_or_repaired_is_looked_through() {
    let secret = token(24);
    let world = World::new();
    let text = with_secret(&secret);
    let path = world.scene.file(&format!("clone/sessions/{SESSION}/raw.jsonl"), &text);
    let name = path.to_str().expect("text");
    let ran = world.scene.hydrant(&world.clone, &["upload", name, "--json"]).ends(1);
    let report = ran.json();
    let detail = report["outcomes"][0]["error"]["detail"].as_str().expect("a sentence");
    assert!(detail.contains("line 43 has a secret, github-token") && detail.contains("--allow"), "{detail}");
    expect_nowhere(&world, &secret, &[&ran]);
    // A file of nobody's session is the user's own to send.
    let other = world.scene.file("elsewhere/raw.jsonl", &text);
    world.scene.hydrant(&world.clone, &["upload", other.to_str().expect("text")]).ends(0);

    // A pointer in an unpushed commit whose content is in the cache alone.
    let text = with_secret(&token(25));
    let oid = hydrant_host::files::digest::blob_of(&text).oid;
    world.scene.file(&format!("clone/.git/hydrant/cache/{}/{oid}", &oid[..2]), &text);
    world.scene.file(&format!("clone/sessions/{SESSION}/raw.jsonl"), pointer(&text).as_bytes());
    let named = serde_json::json!({"oid": format!("sha256:{oid}"), "size": text.len()});
    let entry = serde_json::json!({"session_id": "ses_y", "files": {"raw.jsonl": named}});
    world.scene.file(&format!("clone/sessions/{SESSION}/meta.json"), entry.to_string().as_bytes());
    world.scene.commit(&world.clone);
    let ran = world.scene.hydrant(&world.clone, &["reconcile", "--repair", "--json"]);
    assert_ne!(ran.code, 0, "{}", ran.out);
    assert_eq!(world.server_blob(&oid), None, "{}", ran.out);
    expect_nowhere_on_server(&world, &token(25));
}

fn expect_nowhere_on_server(world: &World, secret: &str) {
    let found = files(&world.scene.path("server"));
    assert!(!found.iter().any(|bytes| memchr::memmem::find(bytes, &secret.as_bytes()[4..16]).is_some()));
}

/// What was published before anybody looked for it.
#[test]
fn what_was_published_already_is_published_anew_and_what_holds_it_is_named() {
    let secret = token(26);
    let world = recorded(&with_secret(&secret));
    world.scene.file("recording/summary.json", format!("{{\"title\": \"{secret}\"}}").as_bytes());
    let allow = fingerprint(&publish(&world, &["--json"]).ends(1).json());
    publish(&world, &["--allow", &allow, "--reason", "a mistake"]).ends(0);
    fs::remove_file(world.state().join("allowed-secrets")).expect("it is there");
    let old = manifest(&world)["files"]["raw.jsonl"]["oid"].as_str().expect("an oid")[7..].to_owned();
    let tip = world.git(&["rev-parse", "HEAD"]).trim().to_owned();
    fs::remove_dir_all(&world.recording).expect("it is there");
    let redact = |arguments: &[&str]| {
        world.scene.hydrant(&world.clone, &[&["redact", "--published", SESSION, "--json"], arguments].concat())
    };
    let dry = redact(&["--dry-run"]).ends(1);
    let plan = dry.json();
    assert_eq!(plan["secret_list"].as_array().expect("a list").len(), 2, "{plan}");
    assert_eq!((&plan["blob_list"][0]["oid"], &plan["commit_list"]), (&old.as_str().into(), &serde_json::json!([tip])));
    assert_eq!(plan["revoke_list"][0]["kind"], "github-token");
    assert_eq!(world.git(&["rev-parse", "HEAD"]).trim(), tip, "nothing was done");
    let ran = redact(&[]).ends(0);
    let report = ran.json();
    assert_eq!(report["regenerated"]["redacted"], 2, "{report}");
    assert!(published(&world).contains("[REDACTED:github-token#1]"));
    let summary = world.remote_file(&format!("sessions/{SESSION}/summary.json")).expect("there");
    assert_eq!(String::from_utf8_lossy(&summary), "{\"title\": \"[REDACTED:github-token#1]\"}");
    for ran in [&dry, &ran] {
        assert!(!ran.out.contains(&secret[4..16]) && !ran.err.contains(&secret[4..16]));
    }
    // A second look finds nothing in what is published.
    assert_eq!(redact(&[]).ends(0).json()["secret_list"], serde_json::json!([]));

    // An archive is named as a whole.
    let make = format!("import zipfile\nzipfile.ZipFile('a.zip', 'w').writestr('log', '{secret}')\n");
    world.scene.file("recording/raw.jsonl", &transcript(4));
    let made = world.scene.program("python3", &world.recording).args(["-c", &make]).status().expect("Python runs");
    assert!(made.success());
    publish(&world, &["--allow", &allow, "--reason", "a mistake"]).ends(0);
    fs::remove_file(world.state().join("allowed-secrets")).expect("it is there");
    let plan = redact(&["--dry-run"]).ends(1).json();
    let oid = manifest(&world)["files"]["a.zip"]["oid"].as_str().expect("an oid")[7..].to_owned();
    assert_eq!(plan["blob_list"][0]["oid"], oid, "{plan}");
    fs::remove_dir_all(&world.recording).expect("it is there");
    // It cannot be redacted, and the report says so.
    assert_eq!(redact(&[]).ends(1).json()["regenerated"]["secret_list"][0]["file"], "a.zip!log");
}

/// Rules that the repository adds.
#[test]
fn rules_of_the_repository_are_looked_for_and_a_broken_one_lets_nothing_out() {
    let rule = |finds: &str, ignores: &str| {
        serde_json::json!({"rules": [{
            "kind": "acme-key", "begins": ["acme_"], "pattern": "acme_[a-z]{8}", "finds": [finds], "ignores": [ignores],
        }]})
        .to_string()
    };
    let world = recorded(&with_secret("acme_abcdefgh"));
    let file = "clone/.hydrant-secrets.json";
    for broken in [
        "nonsense".to_owned(),
        rule("acme_ABC", "acme_ABC"),
        rule("acme_abcdefgh", "acme_abcdefgh"),
        rule("acme_abcdefgh", "").replace("[a-z]{8}", "[a-z"),
        rule("acme_abcdefgh", "").replace("acme-key", "github-token"),
        rule("acme_abcdefgh", "").replace("\"acme_\"", "\"a\""),
        rule("acme_abcdefgh", "").replace("\"rules\"", "\"other\""),
    ] {
        world.scene.file(file, broken.as_bytes());
        let report = publish(&world, &["--json"]).ends(3).json();
        assert_eq!(report["error"]["code"], "malformed", "{broken}: {report}");
        assert!(
            report["error"]["detail"].as_str().is_some_and(|why| why.contains(".hydrant-secrets.json")),
            "{report}"
        );
    }
    world.scene.file(file, rule("acme_abcdefgh", "acme_short").as_bytes());
    world.scene.commit(&world.clone);
    world.git(&["push", "--quiet"]);
    // Nobody switches it off by removing the file here.
    fs::remove_file(world.scene.path(file)).expect("it is there");
    let report = publish(&world, &["--json"]).ends(1).json();
    assert_eq!(report["secret_list"][0]["kind"], "acme-key", "{report}");
    world.git(&["checkout", "--", "."]);
    publish(&world, &["--redact"]).ends(0);
    assert!(published(&world).contains("[REDACTED:acme-key#1]"));
}

/// What stands in an archive or a database goes out as well.
#[test]
fn archives_and_databases_are_looked_into() {
    let secret = token(27);
    let make = format!(
        "import gzip, sqlite3, zipfile\n\
         inner = b'one\\ntwo {secret}\\n'\n\
         zipfile.ZipFile('a.zip', 'w', zipfile.ZIP_DEFLATED).writestr('dir/log.txt', inner)\n\
         gzip.open('b.log.gz', 'wb').write(inner)\n\
         c = sqlite3.connect('c.db')\n\
         c.execute('create table actions(what text)')\n\
         c.execute('insert into actions values (?)', (inner.decode(),))\n\
         c.commit()\n\
         open('d.zip', 'wb').write(open('a.zip', 'rb').read()[:-30])\n"
    );
    let world = recorded(&transcript(4));
    let made = world.scene.program("python3", &world.recording).args(["-c", &make]).status().expect("Python runs");
    assert!(made.success());
    let ran = publish(&world, &["--json"]).ends(1);
    let report = ran.json();
    let held = report["secret_list"].as_array().expect("a list");
    let files: Vec<&str> = held.iter().map(|one| one["file"].as_str().expect("a name")).collect();
    for place in ["a.zip!dir/log.txt", "b.log.gz!unpacked", "c.db!actions.what"] {
        assert!(files.contains(&place), "{place}: {report}");
    }
    assert!(held.iter().any(|one| one["file"] == "d.zip" && one["why"].as_str().is_some()), "{report}");
    assert_eq!(world.scene.server.stats().puts, 0);
    // Nothing in them can be taken out, so nothing is changed.
    publish(&world, &["--redact"]).ends(1);
    expect_nowhere(&world, &secret, &[&ran]);
    for name in ["a.zip", "b.log.gz", "c.db", "d.zip"] {
        fs::remove_file(world.recording.join(name)).expect("it is there");
    }
    publish(&world, &[]).ends(0);
}

/// A marker would break an archive, so a secret of another file that stands in it, too, is a refusal.
#[test]
fn an_archive_is_never_redacted_as_if_it_were_text() {
    let world = recorded(&with_secret("x"));
    // Known as a secret only where its name stands beside it.
    let secret = "Zk4qvT9xw7Lm";
    world.scene.file("recording/notes.md", format!("DB_PASSWORD={secret}\n").as_bytes());
    let make = format!("import zipfile\nzipfile.ZipFile('a.zip', 'w').writestr('log', 'connected with {secret}')\n");
    let made = world.scene.program("python3", &world.recording).args(["-c", &make]).status().expect("Python runs");
    assert!(made.success());
    let archive = fs::read(world.recording.join("a.zip")).expect("made");
    let report = publish(&world, &["--redact", "--json"]).ends(3).json();
    let detail = report["error"]["detail"].as_str().expect("a sentence");
    assert!(detail.contains("a.zip has a secret of another file"), "{report}");
    assert_eq!(fs::read(world.recording.join("a.zip")).expect("there"), archive);
    assert_eq!(world.scene.server.stats().puts, 0);
    // One that has none goes out as it is.
    let made = world.scene.program("python3", &world.recording).args(["-c", &make.replace(secret, "nobody")]).status();
    assert!(made.expect("Python runs").success());
    let archive = fs::read(world.recording.join("a.zip")).expect("made");
    publish(&world, &["--redact"]).ends(0);
    assert_eq!(world.server_blob(&hydrant_host::files::digest::blob_of(&archive).oid), Some(archive));
}

/// In the session's folder a pointer has the name of its content: what was said of the one is not lost by the other.
#[test]
fn what_tells_of_pointers_is_none_and_an_allowance_is_told_to_the_end() {
    let secret = token(29);
    let mut world = World::new();
    world.in_place("raw.jsonl", with_secret(&secret));
    let oid = "0123456789abcdef".repeat(4);
    let about = format!("A pointer has three lines:\noid sha256:{oid}\nis the second\n");
    world.in_place("about.txt", about.clone().into_bytes());
    let fingerprint = fingerprint(&in_place(&world, &["--in-git", "about.txt", "--json"]).ends(1).json());
    let arguments = ["--in-git", "about.txt", "--json", "--allow", &fingerprint, "--reason", "made for a test"];
    let report = in_place(&world, &arguments).ends(0).json();
    assert_eq!(report["allowed_list"][0]["file"], "raw.jsonl", "{report}");
    let there = world.remote_file(&format!("sessions/{SESSION}/about.txt")).expect("there");
    assert_eq!(String::from_utf8_lossy(&there), about);
}
